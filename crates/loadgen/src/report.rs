//! What a run measured, for people and for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::histogram::Histogram;
use crate::joining::{Asked, Seat, Wanted};
use crate::liveness::SILENCE;
use crate::plan::{Audio, Plan, Simulcast};
use crate::receiving::{Kind, LAYERS, Outcome, Received};
use crate::sending::Sent;
use crate::server::Usage;
use crate::worker::Tally;

mod text;

/// Names the shape of the JSON; raised when a member changes its meaning.
const SCHEMA: &str = "meeshy-load/1";
const MEBIBYTE: f64 = 1_048_576.0;

/// Everything measured between two moments.
pub(crate) struct Window {
    pub(crate) length: Duration,
    pub(crate) interrupted: bool,
    pub(crate) tallies: Vec<Tally>,
    /// Datagrams lost in the tester's own sockets.
    pub(crate) overflowed: u64,
    /// The server before the first room, at the beginning and at the end.
    pub(crate) idle: Option<Usage>,
    pub(crate) before: Option<Usage>,
    pub(crate) after: Option<Usage>,
    pub(crate) own_cpu: Option<Duration>,
}

/// A finished run.
pub(crate) struct Measured {
    pub(crate) window: Window,
    /// By number of the stream.
    pub(crate) asked: Vec<Option<Asked>>,
    pub(crate) seats: Vec<(Seat, Vec<Wanted>)>,
    /// Why participants or streams could not be had, and how often.
    pub(crate) failures: BTreeMap<String, usize>,
}

/// What a run measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The shape of this document.
    pub schema: &'static str,
    /// What the run was asked to do.
    pub plan: Asking,
    /// Seconds measured.
    pub seconds: f64,
    /// Whether somebody stopped the run early.
    pub interrupted: bool,
    /// Streams asked for, and those that flowed.
    pub streams: Streams,
    /// Media packets that the server did not forward, or that were lost on the way.
    pub loss: Loss,
    /// From a packet's departure at its sender to its arrival at a receiver.
    pub latency: Latency,
    /// Media packets to and from the server.
    pub traffic: Traffic,
    /// What the server's process used, if its id was given.
    pub server: Option<Server>,
    /// How long joining took.
    pub join: Join,
    /// Packets that were decrypted.
    pub authentication: Authentication,
    /// The tester itself: whether it was fit to measure.
    pub tester: Tester,
    /// Why participants or streams could not be had, and how often.
    pub failures: BTreeMap<String, usize>,
}

/// The plan in numbers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asking {
    /// Where the server is.
    pub url: String,
    /// Calls at once.
    pub calls: usize,
    /// Participants of each.
    pub participants: usize,
    /// Cameras in each.
    pub video_senders: usize,
    /// Videos each participant receives at most.
    pub visible: usize,
    /// Audio streams each receives at most; none where there is no audio.
    pub audible: usize,
    /// Whether cameras sent three streams.
    pub simulcast: bool,
    /// The largest layer asked for.
    pub layer: Option<u8>,
    /// Joins per second.
    pub ramp: f64,
}

/// Streams asked for, and those that flowed.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Streams {
    /// Audio and video.
    pub requested: usize,
    /// Never silent for longer than [`SILENCE`] during the measurement, its last second included.
    pub live: usize,
    /// The same of audio.
    pub audio: Flow,
    /// The same of video.
    pub video: Flow,
    /// The longest silence of any stream, seconds.
    pub longest_silence: f64,
}

/// Streams of one kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// Asked for.
    pub requested: usize,
    /// Flowed.
    pub live: usize,
}

/// Gaps in sequence numbers.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// Packets between the first and last number of each stream.
    pub expected: u64,
    /// Of these, those that never came.
    pub lost: u64,
    /// Their share.
    pub ratio: f64,
}

/// How long packets took, over those that were decrypted.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Audio and video.
    #[serde(flatten)]
    pub all: Percentiles,
    /// Audio alone.
    pub audio: Percentiles,
    /// Video alone.
    pub video: Percentiles,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Percentiles {
    /// Packets.
    pub samples: u64,
    /// Half are faster.
    pub p50: f64,
    /// 95 % are faster.
    pub p95: f64,
    /// 99 % are faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// Media packets to and from the server; reports and feedback are not counted.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Packets sent to the server per second.
    pub packets_in_per_second: f64,
    /// Packets it forwarded per second.
    pub packets_out_per_second: f64,
    /// Packets forwarded.
    pub forwarded: u64,
    /// Megabits per second to the server.
    pub megabits_in: f64,
    /// Megabits per second from it.
    pub megabits_out: f64,
    /// Video packets by simulcast layer, the smallest picture first; shares of those decrypted.
    pub layers: [f64; LAYERS],
    /// Packets that only probed for bandwidth.
    pub probes: u64,
    /// Packets sent again by the server.
    pub retransmitted: u64,
    /// Packets sent again to the server.
    pub repaired: u64,
    /// Key frames it asked for.
    pub key_frames_asked: u64,
}

/// What the server's process used.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Cores busy on average.
    pub cores: f64,
    /// CPU time per forwarded packet, microseconds: everything the process did, divided by the packets that arrived.
    pub micros_per_packet: f64,
    /// Resident memory before the first room, MiB.
    pub idle_memory: f64,
    /// The same at the end of the measurement.
    pub memory: f64,
    /// Its growth divided by the participants.
    pub memory_per_participant: f64,
}

/// How long joining took, milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    /// From a participant's first request, or from when there was first something to receive if that was later, to its
    /// first media packet.
    pub first_packet_p50: f64,
    /// 95 % were faster.
    pub first_packet_p95: f64,
    /// From when a consumer had been resumed to its first packet; negative ones count as 0.
    pub stream_start_p50: f64,
    /// 95 % were faster.
    pub stream_start_p95: f64,
}

/// Packets that were decrypted.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// One in this many media packets was, and every report.
    pub one_in: u32,
    /// Decrypted during the measurement.
    pub verified: u64,
    /// Not authentic, at any time.
    pub failed: u64,
    /// Media of another track than the consumer's, at any time.
    pub misrouted: u64,
    /// Packets of streams nobody asked for, during the measurement.
    pub strange: u64,
}

/// The tester itself.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tester {
    /// Its threads.
    pub threads: usize,
    /// How much of the time the busiest of them was awake.
    pub busy: f64,
    /// CPU time per received packet, microseconds, everything included.
    pub micros_per_packet: Option<f64>,
    /// How late packets left: 99 % were less, milliseconds.
    pub late_p99: f64,
    /// Frames and audio packets left out because of that.
    pub skipped: u64,
    /// Datagrams the system would not send.
    pub refused: u64,
    /// Datagrams lost in its own receive buffers since it began.
    pub overflowed: u64,
    /// Transports that broke.
    pub lost_transports: usize,
}

/// What a run says altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every stream was live and every checked packet authentic.
    Good,
    /// A stream was not live.
    NotLive,
    /// A packet was not authentic, or not of the track it should be of.
    NotAuthentic,
    /// Somebody stopped the run; what was measured until then was good.
    Interrupted,
}

impl Report {
    pub(crate) fn new(plan: &Plan, measured: &Measured) -> Self {
        let window = &measured.window;
        let (mut received, mut sent, mut late) = (Received::default(), Sent::default(), Histogram::default());
        for tally in &window.tallies {
            received.merge(&tally.received);
            sent += tally.sent;
            late.merge(&tally.late);
        }
        let outcomes: Vec<Outcome> = window
            .tallies
            .iter()
            .flat_map(|tally| tally.outcomes.iter().copied())
            .collect();
        Self {
            schema: SCHEMA,
            plan: Asking::new(plan),
            seconds: window.length.as_secs_f64(),
            interrupted: window.interrupted,
            streams: Streams::new(plan, &outcomes, window.length),
            loss: Loss::new(&outcomes),
            latency: Latency::new(&received),
            traffic: Traffic::new(&received, sent, window.length),
            server: Server::new(plan, window, received.packets),
            join: Join::new(measured, &outcomes),
            authentication: Authentication {
                one_in: plan.verify.0,
                verified: received.verified,
                failed: received.unauthentic,
                misrouted: received.misrouted,
                strange: received.strange,
            },
            tester: Tester::new(window, received.packets, sent, &late),
            failures: measured.failures.clone(),
        }
    }

    /// What the run says altogether.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.authentication.failed + self.authentication.misrouted > 0 {
            Verdict::NotAuthentic
        } else if self.streams.live < self.streams.requested {
            Verdict::NotLive
        } else if self.interrupted {
            Verdict::Interrupted
        } else {
            Verdict::Good
        }
    }
}

fn per_second(count: u64, length: Duration) -> f64 {
    count as f64 / length.as_secs_f64().max(f64::EPSILON)
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

impl Asking {
    fn new(plan: &Plan) -> Self {
        let audible = plan.audible.min(plan.participants.saturating_sub(1));
        Self {
            url: plan.url.clone(),
            calls: plan.calls,
            participants: plan.participants,
            video_senders: plan.video_senders,
            visible: plan.visible,
            audible: if plan.audio == Audio::On { audible } else { 0 },
            simulcast: plan.simulcast == Simulcast::On,
            layer: plan.layer,
            ramp: plan.ramp,
        }
    }
}

impl Streams {
    fn new(plan: &Plan, outcomes: &[Outcome], length: Duration) -> Self {
        let live = |kind| {
            outcomes
                .iter()
                .filter(|outcome| outcome.kind == kind && outcome.live)
                .count()
        };
        let (audio, video) = plan.streams();
        let audio = Flow {
            requested: audio,
            live: live(Kind::Audio),
        };
        let video = Flow {
            requested: video,
            live: live(Kind::Video),
        };
        let requested = audio.requested + video.requested;
        let silence = outcomes.iter().map(|outcome| outcome.silence).max();
        // One that could not even be asked for was silent all the time.
        let missing = (outcomes.len() < requested).then_some(length);
        Self {
            requested,
            live: audio.live + video.live,
            audio,
            video,
            longest_silence: silence.max(missing).unwrap_or_default().as_secs_f64(),
        }
    }
}

impl Loss {
    fn new(outcomes: &[Outcome]) -> Self {
        let expected = outcomes.iter().map(|outcome| outcome.expected).sum();
        let lost = outcomes
            .iter()
            .map(|outcome| outcome.expected.saturating_sub(outcome.received))
            .sum();
        Self {
            expected,
            lost,
            ratio: share(lost, expected),
        }
    }
}

impl Latency {
    fn new(received: &Received) -> Self {
        let mut all = received.audio_latency.clone();
        all.merge(&received.video_latency);
        Self {
            all: Percentiles::new(&all),
            audio: Percentiles::new(&received.audio_latency),
            video: Percentiles::new(&received.video_latency),
        }
    }
}

impl Percentiles {
    fn new(histogram: &Histogram) -> Self {
        let quantile = |share| millis(histogram.quantile(share));
        Self {
            samples: histogram.samples(),
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
            max: millis(histogram.max()),
        }
    }
}

impl Traffic {
    fn new(received: &Received, sent: Sent, length: Duration) -> Self {
        let megabits = |bytes: u64| per_second(bytes * 8, length) / 1_000_000.0;
        let all = received.layers.iter().sum();
        Self {
            packets_in_per_second: per_second(sent.packets, length),
            packets_out_per_second: per_second(received.packets, length),
            forwarded: received.packets,
            megabits_in: megabits(sent.bytes),
            megabits_out: megabits(received.bytes),
            layers: received.layers.map(|layer| share(layer, all)),
            probes: received.probes,
            retransmitted: received.repairs,
            repaired: sent.repairs,
            key_frames_asked: sent.key_frames_asked,
        }
    }
}

impl Server {
    fn new(plan: &Plan, window: &Window, forwarded: u64) -> Option<Self> {
        let (idle, before, after) = (window.idle?, window.before?, window.after?);
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        let grown = after.memory.saturating_sub(idle.memory) as f64 / MEBIBYTE;
        Some(Self {
            cores: cpu / window.length.as_secs_f64().max(f64::EPSILON),
            micros_per_packet: cpu * 1_000_000.0 / forwarded.max(1) as f64,
            idle_memory: idle.memory as f64 / MEBIBYTE,
            memory: after.memory as f64 / MEBIBYTE,
            memory_per_participant: grown / plan.everybody() as f64,
        })
    }
}

impl Join {
    fn new(measured: &Measured, outcomes: &[Outcome]) -> Self {
        let mut firsts = vec![None; measured.asked.len()];
        for outcome in outcomes {
            firsts[outcome.stream] = outcome.first;
        }
        let (mut joined, mut started) = (Histogram::default(), Histogram::default());
        for (_, wanted) in &measured.seats {
            let streams = wanted.iter().map(|wanted| wanted.stream);
            let possible = streams
                .clone()
                .filter_map(|stream| Some(measured.asked[stream]?.possible))
                .min();
            let first = streams.filter_map(|stream| firsts[stream]).min();
            if let Some((possible, first)) = possible.zip(first) {
                joined.record(first.saturating_duration_since(possible));
            }
        }
        for (asked, first) in measured.asked.iter().zip(&firsts) {
            if let Some((asked, first)) = asked.zip(*first) {
                started.record(first.saturating_duration_since(asked.resumed));
            }
        }
        Self {
            first_packet_p50: millis(joined.quantile(0.5)),
            first_packet_p95: millis(joined.quantile(0.95)),
            stream_start_p50: millis(started.quantile(0.5)),
            stream_start_p95: millis(started.quantile(0.95)),
        }
    }
}

impl Tester {
    fn new(window: &Window, received: u64, sent: Sent, late: &Histogram) -> Self {
        let tallies = &window.tallies;
        let micros = |cpu: Duration| cpu.as_secs_f64() * 1_000_000.0 / received.max(1) as f64;
        Self {
            threads: tallies.len(),
            busy: tallies.iter().map(|tally| tally.busy).fold(0.0, f64::max),
            micros_per_packet: window.own_cpu.map(micros),
            late_p99: millis(late.quantile(0.99)),
            skipped: sent.skipped,
            refused: tallies.iter().map(|tally| tally.refused).sum(),
            overflowed: window.overflowed,
            lost_transports: tallies.iter().map(|tally| tally.lost_transports).sum(),
        }
    }
}

#[cfg(test)]
mod tests;
