//! The scenarios.

use std::time::{Duration, Instant};

use link::{DtlsRole, Protocol};
use media_node::worker::{IoCount, SendPath};
use sfu::command::{Command, Reply};
use sfu::spec::{Direction, MediaKind};

use crate::audience::Audience;
use crate::machine;
use crate::peer::Peer;
use crate::peer::node::{Joined, Node};
use crate::peer::rtp::Stream;
use crate::report::Row;

const WORKER_CPU: usize = 0;
const CLIENT_CPU: usize = 1;
const WORKER: &str = "sfu-worker-0";
/// A frame: 720p at 2.2 Mbit/s and 30 per second.
const BURST: usize = 8;
const VIDEO: usize = 1_150;
const AUDIO: usize = 100;
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

/// A node with one sending client and an audience.
struct Stage {
    node: Node,
    sender: Peer,
    streams: Vec<Stream>,
    audience: Audience,
    packets_in: u64,
    /// Packets the worker chose not to forward (too little bandwidth estimated, waiting for a key frame), as of the
    /// last look.
    held_back: u64,
}

/// What has been counted at one moment.
struct Mark {
    at: Instant,
    cpu: Duration,
    packets_in: u64,
    received: u64,
    verified: u64,
    held_back: u64,
    send_calls: u64,
    receive_calls: u64,
}

fn start(send_path: SendPath) -> Node {
    // Threads inherit it, so the worker gets the first processor before the client leaves it. Where there is only
    // one, both share it.
    machine::pin(WORKER_CPU);
    let node = Node::start(send_path);
    machine::pin(CLIENT_CPU);
    node
}

impl Stage {
    fn new(send_path: SendPath, kind: MediaKind, producers: usize, viewers: usize) -> Self {
        let mut node = start(send_path);
        let sender = node.join(Direction::Receive, Protocol::Udp);
        let mut joined: Vec<Joined> = (0..viewers)
            .map(|_| node.invite(Direction::Send, Protocol::Udp, DtlsRole::Client))
            .collect();
        node.settle(&mut joined.iter_mut().collect::<Vec<_>>());
        let streams: Vec<Stream> = (0..producers as u32)
            .map(|index| Stream::new(100_000 + index))
            .collect();
        for stream in &streams {
            let producer = node.produce(sender.transport, kind, stream.ssrc);
            for viewer in &joined {
                node.consume(viewer.transport, producer, kind);
            }
        }
        let audience = Audience::new(joined.into_iter().map(|viewer| viewer.peer).collect());
        let mut stage = Self {
            node,
            sender: sender.peer,
            streams,
            audience,
            packets_in: 0,
            held_back: 0,
        };
        for index in 0..producers {
            match kind {
                MediaKind::Audio => stage.send_audio(index),
                MediaKind::Video => stage.send_frame(index, true),
            }
            stage.wait_for_all();
        }
        stage
    }

    fn send_frame(&mut self, producer: usize, key: bool) {
        for packet in self.streams[producer].vp8(BURST, VIDEO - 20, key) {
            self.sender.send_rtp(&packet);
        }
        self.packets_in += BURST as u64;
    }

    fn send_audio(&mut self, producer: usize) {
        let packet = self.streams[producer].opus(AUDIO - 20, 0x55);
        self.sender.send_rtp(&packet);
        self.packets_in += 1;
    }

    fn expected(&self) -> u64 {
        self.packets_in * self.audience.viewers.len() as u64
    }

    fn outstanding(&self) -> u64 {
        self.expected()
            .saturating_sub(self.held_back + self.audience.received)
    }

    /// Asks the worker how much of what it got it did not forward.
    fn look_at_held_back(&mut self) {
        let Ok(Reply::Stats(stats)) = self.node.handle.call_and_wait(Command::Stats) else {
            panic!("the worker is gone")
        };
        let counters = stats.counters;
        let due = counters.rtp_received * self.audience.viewers.len() as u64;
        self.held_back = due.saturating_sub(counters.rtp_sent);
    }

    fn turn(&mut self, patience: Duration) {
        self.audience.collect(patience);
        self.sender.turn(Instant::now());
        self.sender.rtcp.clear();
        self.sender.rtp.clear();
    }

    /// Waits for everything that was sent, but not for ever.
    fn wait_for_all(&mut self) {
        let give_up = Instant::now() + Duration::from_secs(2);
        while self.outstanding() > 0 && Instant::now() < give_up {
            let before = self.audience.received;
            self.turn(Duration::from_millis(5));
            if self.audience.received == before {
                self.look_at_held_back();
            }
        }
    }

    fn mark(&mut self) -> Mark {
        // An answer means that the counters of all cycles before are shown.
        for _ in 0..2 {
            self.look_at_held_back();
        }
        let counters = self.node.handle.io_counters();
        Mark {
            at: Instant::now(),
            cpu: machine::thread_time(WORKER),
            packets_in: self.packets_in,
            received: self.audience.received,
            verified: self.audience.verified,
            held_back: self.held_back,
            send_calls: counters.of(IoCount::SendCalls),
            receive_calls: counters.of(IoCount::ReceiveCalls),
        }
    }

    /// What happened since `before`.
    fn row(&mut self, scenario: &'static str, send_path: SendPath, before: &Mark) -> Row {
        self.wait_for_all();
        let after = self.mark();
        let viewers = self.audience.viewers.len();
        let packets_in = after.packets_in - before.packets_in;
        Row {
            scenario,
            send_path: format!("{send_path:?}").to_lowercase(),
            producers: self.streams.len(),
            viewers,
            seconds: (after.at - before.at).as_secs_f64(),
            packets_in,
            expected: packets_in * viewers as u64,
            held_back: after.held_back - before.held_back,
            received: after.received - before.received,
            verified: after.verified - before.verified,
            cpu: (after.cpu - before.cpu).as_secs_f64(),
            send_calls: after.send_calls - before.send_calls,
            receive_calls: after.receive_calls - before.receive_calls,
            dropped: self.node.handle.io_counters().dropped(),
        }
    }

    /// Runs producers at their own rate for `seconds`, staggered, each doing `send` every `interval`.
    fn pace(&mut self, seconds: f64, interval: Duration, mut send: impl FnMut(&mut Self, usize)) {
        let producers = self.streams.len();
        let step = interval / producers as u32;
        let start = Instant::now();
        let steps = (seconds / step.as_secs_f64()) as usize;
        for number in 0..steps {
            let due = start + step * number as u32;
            while Instant::now() < due {
                self.turn(Duration::ZERO);
                // Not spinning: the two processors may share a core.
                let rest = due.saturating_duration_since(Instant::now());
                std::thread::sleep(rest.min(Duration::from_micros(200)));
            }
            send(self, number % producers);
        }
    }
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

/// As fast as the worker can.
pub(crate) fn saturate(send_path: SendPath, viewers: usize, plan: Plan) -> Row {
    let producers = (CEILING / viewers / PRODUCER_LIMIT).max(1);
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
        stage.row("saturate", send_path, &before)
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
        stage.row("paced", SendPath::Gso, &before)
    })
}

/// Fifty packets per second and producer.
pub(crate) fn paced_audio(viewers: usize, plan: Plan) -> Row {
    let producers = (MODERATE / viewers / 50).max(1);
    let mut stage = Stage::new(SendPath::Gso, MediaKind::Audio, producers, viewers);
    quietest(plan.rounds, || {
        let before = stage.mark();
        stage.pace(plan.seconds, Duration::from_millis(20), Stage::send_audio);
        stage.row("audio", SendPath::Gso, &before)
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
    let mut node = start(SendPath::Gso);
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
    let mut node = start(SendPath::Gso);
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
