//! Sender and receiver reports say what happened.

use std::time::{Duration, SystemTime};

use sfu::spec::MediaKind;
use str0m::rtp::rtcp::Rtcp;
use str0m_netem::{Probability, RandomLoss};

use crate::world::peer::link;
use crate::world::{Camera, Congestion, World};

/// From one wall clock time to another, either way round.
fn seconds_between(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from)
        .map_or_else(|early| -early.duration().as_secs_f64(), |late| late.as_secs_f64())
}

#[test]
fn a_producer_learns_its_loss_and_jitter() {
    let (mut world, sender, _, _) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(2));
    world.peers[sender.0]
        .uplink
        .set_config(link(9).loss(RandomLoss::new(Probability(0.1))));
    let lossy = world.now;
    world.run(Duration::from_secs(15));
    let ssrc = world.peers[sender.0].tracks[0].ssrc;
    let mut blocks = Vec::new();
    for (at, rtcp) in &world.peers[sender.0].rtcp {
        let reports = match rtcp {
            Rtcp::ReceiverReport(report) => &report.reports,
            Rtcp::SenderReport(report) => &report.reports,
            _ => continue,
        };
        blocks.extend(
            reports
                .iter()
                .filter(|block| *block.ssrc == ssrc)
                .map(|block| (*at, *block)),
        );
    }
    assert!(blocks.len() >= 10, "{} reports in 17 s", blocks.len());
    for (at, block) in &blocks {
        if *at + Duration::from_millis(200) < lossy {
            assert_eq!((block.fraction_lost, block.packets_lost), (0, 0));
        }
        assert!(block.jitter < 90 * 20, "a jitter of {} ticks", block.jitter);
    }
    let fractions: Vec<f32> = blocks
        .iter()
        .filter(|(at, _)| *at > lossy + Duration::from_secs(2))
        .map(|(_, b)| f32::from(b.fraction_lost))
        .collect();
    let mean = fractions.iter().sum::<f32>() / fractions.len() as f32 / 256.0;
    assert!((0.06..0.14).contains(&mean), "a mean loss of {mean}");
    let (_, last) = blocks.last().expect("reports came");
    assert!(
        last.last_sr_time != 0 && last.last_sr_delay < 10 << 16,
        "echoes the sender's reports"
    );
}

#[test]
fn a_consumer_gets_sender_reports_that_match_its_stream() {
    let (mut world, _, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(12));
    let client = &world.peers[consumer.peer.0];
    let reports: Vec<_> = client
        .rtcp
        .iter()
        .filter_map(|(at, rtcp)| match rtcp {
            Rtcp::SenderReport(report) if *report.sender_info.ssrc == consumer.ssrc => {
                Some((*at, report.sender_info))
            }
            _ => None,
        })
        .collect();
    assert!(reports.len() >= 8, "{} reports in 12 s", reports.len());
    let packets = client.stream(consumer.ssrc);
    for (at, info) in &reports {
        let newest = packets
            .iter()
            .filter(|packet| packet.at <= *at)
            .max_by_key(|packet| packet.sequence);
        let newest = newest.expect("reports follow packets");
        let ahead = (info.rtp_time.numer() as u32).wrapping_sub(newest.timestamp) as i32;
        assert!(
            ahead.abs() <= 90 * 120,
            "the report's clock is {ahead} ticks ahead of the newest frame"
        );
        let sent = packets.iter().filter(|packet| packet.at <= *at).count() as u32;
        assert!(
            info.sender_packet_count.abs_diff(sent) <= 20,
            "{} of {sent}",
            info.sender_packet_count
        );
    }
    for pair in reports.windows(2) {
        let ticks = (pair[1].1.rtp_time.numer() as u32).wrapping_sub(pair[0].1.rtp_time.numer() as u32);
        let ntp = seconds_between(pair[0].1.ntp_time, pair[1].1.ntp_time);
        let drift = f64::from(ticks) / 90_000.0 - ntp;
        assert!(
            drift.abs() < 0.02,
            "RTP and NTP clocks drift by {drift} s between reports"
        );
    }
}

#[test]
fn the_round_trip_and_loss_of_a_consumer_are_known() {
    let (mut world, _, _, consumer) = World::one_camera_for(Camera::default(), Congestion::Unknown);
    let slow = |seed| link(seed).latency(Duration::from_millis(60));
    world.peers[consumer.peer.0].uplink.set_config(slow(1));
    world.peers[consumer.peer.0].downlink.set_config(slow(2));
    world.run(Duration::from_secs(10));
    let stats = world.transport_stats(consumer.peer);
    assert!(
        (100_000..150_000).contains(&stats.round_trip_micros),
        "{} µs",
        stats.round_trip_micros
    );
    assert_eq!(stats.fraction_lost, 0);
    // str0m does not count what was repaired as lost.
    world.peers[consumer.peer.0].suppress_nack(consumer.ssrc);
    world.peers[consumer.peer.0]
        .downlink
        .set_config(slow(3).loss(RandomLoss::new(Probability(0.2))));
    world.run(Duration::from_secs(10));
    let stats = world.transport_stats(consumer.peer);
    assert!(
        (20..90).contains(&stats.fraction_lost),
        "{} of 256",
        stats.fraction_lost
    );
}

#[test]
fn audio_and_video_of_one_sender_share_a_clock() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    let (camera, microphone) = (
        world.camera(sender, Camera::default()),
        world.microphone(sender, 40),
    );
    let video = world.watch(receiver, camera, MediaKind::Video);
    let audio = world.watch(receiver, microphone, MediaKind::Audio);
    world.run(Duration::from_secs(12));
    // Frames and samples sent at one moment must get one NTP time from the reports, or lips and voice part.
    let client = &world.peers[receiver.0];
    let ntp_of = |ssrc: u32, timestamp: u32, rate: f64| {
        let report = client.rtcp.iter().rev().find_map(|(_, rtcp)| match rtcp {
            Rtcp::SenderReport(report) if *report.sender_info.ssrc == ssrc => Some(report.sender_info),
            _ => None,
        });
        let report = report.expect("reports come");
        let ticks = timestamp.wrapping_sub(report.rtp_time.numer() as u32) as i32;
        (report.ntp_time, f64::from(ticks) / rate)
    };
    let frame = *client
        .stream(video.ssrc)
        .iter()
        .rev()
        .find(|packet| packet.marker)
        .expect("video came");
    let sample = client.stream(audio.ssrc).into_iter().min_by_key(|packet| {
        let apart = packet
            .at
            .saturating_duration_since(frame.at)
            .max(frame.at.saturating_duration_since(packet.at));
        apart.as_micros()
    });
    let sample = sample.expect("audio came");
    let (video_base, video_offset) = ntp_of(video.ssrc, frame.timestamp, 90_000.0);
    let (audio_base, audio_offset) = ntp_of(audio.ssrc, sample.timestamp, 48_000.0);
    let base = seconds_between(audio_base, video_base);
    let apart = base + video_offset - audio_offset;
    let really = frame.at.saturating_duration_since(sample.at).as_secs_f64()
        - sample.at.saturating_duration_since(frame.at).as_secs_f64();
    assert!(
        (apart - really).abs() < 0.03,
        "{apart} s instead of {really} s apart"
    );
}
