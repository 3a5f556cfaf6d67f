use std::time::Instant;

use super::*;
use crate::plan::tests::plan;

/// A run of two who see and hear each other, with one stream changed by `change`.
fn report(change: impl Fn(&mut Outcome), tally: impl Fn(&mut Received)) -> Report {
    let now = Instant::now();
    let asked = Asked {
        possible: now,
        resumed: now + Duration::from_millis(30),
    };
    let outcome = |stream, kind| Outcome {
        stream,
        kind,
        live: true,
        silence: Duration::from_millis(40),
        expected: 500,
        received: 500,
        first: Some(now + Duration::from_millis(50 + 10 * stream as u64)),
    };
    let mut outcomes: Vec<Outcome> = (0..4)
        .map(|stream| outcome(stream, if stream % 2 == 0 { Kind::Audio } else { Kind::Video }))
        .collect();
    change(&mut outcomes[3]);
    let mut received = Received {
        packets: 2_000,
        bytes: 1_000_000,
        verified: 250,
        layers: [0, 25, 75],
        ..Received::default()
    };
    received.audio_latency.record(Duration::from_micros(300));
    received.video_latency.record(Duration::from_micros(500));
    tally(&mut received);
    let tally = Tally {
        outcomes,
        received,
        sent: Sent {
            packets: 1_000,
            ..Sent::default()
        },
        late: Histogram::default(),
        refused: 0,
        lost_transports: 0,
        busy: 0.25,
        ports: Vec::new(),
    };
    let usage = |millis, memory: u64| {
        Some(Usage {
            cpu: Duration::from_millis(millis),
            memory: memory << 20,
        })
    };
    let window = Window {
        length: Duration::from_secs(10),
        interrupted: false,
        tallies: vec![tally],
        overflowed: 0,
        idle: usage(0, 20),
        before: usage(100, 21),
        after: usage(120, 24),
        own_cpu: Some(Duration::from_millis(10)),
    };
    let kinds = [Kind::Audio, Kind::Video];
    let seats = (0..2).map(|participant| {
        let seat = Seat {
            call: 0,
            participant,
            number: participant,
        };
        let wanted = kinds.into_iter().enumerate().map(|(place, kind)| Wanted {
            stream: 2 * participant + place,
            kind,
            from: 1 - participant,
        });
        (seat, wanted.collect())
    });
    let measured = Measured {
        window,
        asked: vec![Some(asked); 4],
        seats: seats.collect(),
        failures: BTreeMap::new(),
    };
    Report::new(&plan(2, 2, 9), &measured)
}

#[test]
fn a_good_run_is_summed_up() {
    let report = report(|_| (), |_| ());
    assert_eq!(report.verdict(), Verdict::Good);
    assert_eq!((report.streams.live, report.streams.requested), (4, 4));
    assert_eq!((report.streams.audio.live, report.streams.video.live), (2, 2));
    assert_eq!((report.loss.lost, report.loss.expected), (0, 2_000));
    let close = |value: f64, expected: f64| (value - expected).abs() < 0.001 * expected.max(1.0);
    assert!(close(report.traffic.packets_out_per_second, 200.0));
    assert!(close(report.traffic.megabits_out, 0.8));
    assert!(close(report.traffic.layers[2], 0.75));
    let server = report.server.expect("measured");
    // 20 ms for 2,000 packets; 4 MiB more for two.
    assert!(close(server.micros_per_packet, 10.0) && close(server.memory_per_participant, 2.0));
    assert!(close(report.tester.micros_per_packet.expect("measured"), 5.0));
    assert!(report.join.first_packet_p50 >= 50.0 && report.join.first_packet_p95 <= 73.0);
    assert!(report.join.stream_start_p50 >= 30.0 && report.join.stream_start_p95 <= 52.0);
    assert!(close(report.latency.all.p99, 0.5) && close(report.latency.audio.p99, 0.3));
    assert_eq!((report.latency.all.samples, report.latency.video.samples), (2, 1));
}

#[test]
fn a_stream_that_is_not_live_is_not_good() {
    let report = report(|stream| stream.live = false, |_| ());
    assert_eq!(report.verdict(), Verdict::NotLive);
    assert_eq!(report.streams.video.live, 1);
    assert!(report.to_string().contains("3 of 4 live"));
}

#[test]
fn a_false_packet_is_worse_than_a_silent_stream() {
    for false_packet in [
        |tally: &mut Received| tally.unauthentic = 1,
        |tally: &mut Received| tally.misrouted = 1,
    ] {
        let report = report(|stream| stream.live = false, false_packet);
        assert_eq!(report.verdict(), Verdict::NotAuthentic);
    }
}

#[test]
fn lost_packets_are_counted_but_more_than_expected_is_no_negative_loss() {
    let lossy = report(|stream| stream.received = 400, |_| ());
    assert_eq!(lossy.loss.lost, 100);
    assert!((lossy.loss.ratio - 0.05).abs() < 1e-9);
    assert_eq!(report(|stream| stream.received = 600, |_| ()).loss.lost, 0);
}

#[test]
fn the_json_has_the_names_that_programs_read() {
    let json = serde_json::to_value(report(|_| (), |_| ())).expect("JSON");
    assert_eq!(json["schema"], SCHEMA);
    for path in [
        "/plan/participants",
        "/streams/requested",
        "/streams/live",
        "/loss/ratio",
        "/latency/p99",
        "/latency/audio/p99",
        "/traffic/packetsOutPerSecond",
        "/server/microsPerPacket",
        "/server/memoryPerParticipant",
        "/join/firstPacketP95",
        "/authentication/failed",
        "/tester/busy",
    ] {
        assert!(
            json.pointer(path).is_some_and(serde_json::Value::is_number),
            "{path}"
        );
    }
}
