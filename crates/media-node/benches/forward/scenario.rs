//! The scenarios.

use std::time::{Duration, Instant};

use link::{DtlsRole, Protocol};
use media_node::worker::SendPath;
use sfu::command::Command;
use sfu::spec::{Direction, MediaKind};

use crate::audience::Audience;
use crate::machine;
use crate::peer::node::{Joined, Node};
use crate::peer::rtp::Stream;
use crate::report::Row;
use crate::stage::{AUDIO, BURST, Stage, VIDEO, WORKER, on_worker_cpu};

/// Packets per second the saturated worker is supposed to stay below; decides the number of producers, because the
/// node caps what one may send (5 Mbit/s).
const CEILING: usize = 1_000_000;
const PRODUCER_LIMIT: usize = 450;
/// Packets per second of the paced scenarios, all viewers together.
const MODERATE: usize = 60_000;

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seconds: f64,
    pub(crate) rounds: usize,
}

/// The round that cost the worker least per packet: others were disturbed by whatever else the machine does.
fn quietest(rounds: usize, mut measure: impl FnMut() -> Row) -> Row {
    let mut all: Vec<Row> = (0..rounds.max(1)).map(|_| measure()).collect();
    let lost: u64 = all.iter().map(Row::lost).sum();
    all.sort_by(|one, other| one.micros_per_packet().total_cmp(&other.micros_per_packet()));
    let mut best = all.swap_remove(0);
    // What any round lost counts.
    best.expected += lost - best.lost();
    best.print();
    best
}

/// Producers that may together send what a saturated worker forwards to `viewers`.
pub(crate) fn producers_for(viewers: usize) -> usize {
    (CEILING / viewers / PRODUCER_LIMIT).max(1)
}

/// As fast as the worker can.
pub(crate) fn saturate(send_path: SendPath, viewers: usize, plan: Plan) -> Row {
    let producers = producers_for(viewers);
    let mut stage = Stage::new(send_path, MediaKind::Video, producers, viewers);
    // The estimator would find the path full, as it is, and slow the worker down.
    stage.audience.gives_feedback = false;
    // Enough in flight that the worker never waits for the client, little enough for everybody's buffers.
    let window = (viewers * BURST * 3) as u64;
    let mut frame = 0;
    quietest(plan.rounds, || {
        let before = stage.mark();
        let end = before.at + Duration::from_secs_f64(plan.seconds);
        while Instant::now() < end {
            while stage.outstanding() <= window {
                stage.send_frame(frame % producers, false);
                frame += 1;
            }
            let waiting = stage.outstanding();
            stage.turn(Duration::ZERO);
            if stage.outstanding() == waiting {
                stage.turn(Duration::from_millis(5));
            }
            if stage.outstanding() == waiting {
                stage.look_at_held_back();
            }
        }
        stage.row("saturate", &format!("{send_path:?}"), &before)
    })
}

/// Thirty frames per second and producer.
pub(crate) fn paced_video(viewers: usize, plan: Plan) -> Row {
    let producers = (MODERATE / viewers / (30 * BURST)).max(1);
    let mut stage = Stage::new(SendPath::Gso, MediaKind::Video, producers, viewers);
    quietest(plan.rounds, || {
        let before = stage.mark();
        stage.pace(plan.seconds, Duration::from_micros(33_333), |stage, producer| {
            stage.send_frame(producer, false);
        });
        stage.row("paced", "gso", &before)
    })
}

/// Fifty packets per second and producer.
pub(crate) fn paced_audio(viewers: usize, plan: Plan) -> Row {
    let producers = (MODERATE / viewers / 50).max(1);
    let mut stage = Stage::new(SendPath::Gso, MediaKind::Audio, producers, viewers);
    quietest(plan.rounds, || {
        let before = stage.mark();
        stage.pace(plan.seconds, Duration::from_millis(20), Stage::send_audio);
        stage.row("audio", "gso", &before)
    })
}

/// Median and 99th percentile of the time until the last viewer has a packet, microseconds.
pub(crate) fn latency(viewers: usize) -> (f64, f64) {
    let mut stage = Stage::new(SendPath::Gso, MediaKind::Audio, 1, viewers);
    let mut times: Vec<f64> = (0..500)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(5));
            stage.turn(Duration::ZERO);
            let sent = Instant::now();
            stage.send_audio(0);
            while stage.outstanding() > 0 && sent.elapsed() < Duration::from_secs(1) {
                stage.audience.collect(Duration::ZERO);
            }
            sent.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// Share of a processor that unused transports cost.
pub(crate) fn idle(transports: usize) -> f64 {
    let mut node = on_worker_cpu(|| Node::start(SendPath::Gso));
    for _ in 0..transports {
        node.invite(Direction::Send, Protocol::Udp, DtlsRole::Client);
    }
    let (at, before) = (Instant::now(), machine::thread_time(WORKER));
    std::thread::sleep(Duration::from_secs(5));
    (machine::thread_time(WORKER) - before).as_secs_f64() / at.elapsed().as_secs_f64()
}

/// Bytes per participant.
pub(crate) struct Memory {
    pub(crate) before: f64,
    pub(crate) with_media: f64,
    pub(crate) resident: f64,
}

/// Everybody sends audio and video and watches everybody else.
pub(crate) fn memory(participants: usize) -> Memory {
    let mut node = on_worker_cpu(|| Node::start(SendPath::Gso));
    // The reply is called on the worker's thread.
    let reply = Box::new(|_| machine::watch_this_thread());
    node.handle.call(Command::Stats, reply).expect("alive");
    assert!(node.handle.call_and_wait(Command::Stats).is_ok());
    let (heap, resident) = (machine::worker_heap(), machine::resident());

    let mut invite = |direction| -> Vec<Joined> {
        (0..participants)
            .map(|_| node.invite(direction, Protocol::Udp, DtlsRole::Client))
            .collect()
    };
    let (mut senders, mut viewers) = (invite(Direction::Receive), invite(Direction::Send));
    node.settle(&mut senders.iter_mut().chain(&mut viewers).collect::<Vec<_>>());
    let mut streams = Vec::new();
    for (index, sender) in senders.iter().enumerate() {
        let number = 100_000 + 2 * index as u32;
        let audio = node.produce(sender.transport, MediaKind::Audio, number);
        let video = node.produce(sender.transport, MediaKind::Video, number + 1);
        for (_, viewer) in viewers.iter().enumerate().filter(|(other, _)| *other != index) {
            node.consume(viewer.transport, audio, MediaKind::Audio);
            node.consume(viewer.transport, video, MediaKind::Video);
        }
        streams.push((Stream::new(number), Stream::new(number + 1)));
    }
    let before = machine::worker_heap() - heap;
    // Two seconds of everybody's media, at a sixth of the usual frame rate so that nothing is lost.
    let mut audience = Audience::new(viewers.into_iter().map(|viewer| viewer.peer).collect());
    for frame in 0..10 {
        for (sender, (voice, camera)) in senders.iter_mut().zip(&mut streams) {
            sender.peer.send_rtp(&voice.opus(AUDIO - 20, 0x55));
            for packet in camera.vp8(BURST, VIDEO - 20, frame == 0) {
                sender.peer.send_rtp(&packet);
            }
            audience.collect(Duration::from_millis(4));
            sender.peer.turn(Instant::now());
        }
    }
    audience.collect(Duration::from_millis(200));
    assert!(node.handle.call_and_wait(Command::Stats).is_ok());
    let per = |bytes: f64| bytes / participants as f64;
    Memory {
        before: per(before as f64),
        with_media: per((machine::worker_heap() - heap) as f64),
        resident: per(machine::resident().saturating_sub(resident) as f64),
    }
}
