//! The worker and the floors in one run: rounds alternate, so that whatever else the machine does meets all of them,
//! and only ratios within a round are judged.
#![allow(clippy::print_stdout, reason = "printing is what this is for")]

use std::time::{Duration, Instant};

use media_node::worker::SendPath;
use serde_json::{Value, json};
use sfu::spec::MediaKind;

use super::keys::TAG;
use super::{Load, Shape, stage};
use crate::scenario::{Plan, producers_for};
use crate::stage::{AUDIO, Stage, VIDEO};

/// Groups of packets under way: one being forwarded, the next waiting. More would be forwarded together, by a number that
/// depends on who is faster.
const UNDER_WAY: u64 = 2;
/// How long the client looks for packets before it sleeps.
const SPIN: Duration = Duration::from_millis(2);
/// Targets for worker over floor.
const BURST_TARGET: f64 = 1.3;
const SINGLE_TARGET: f64 = 1.5;

/// What one forwarder did in one round.
#[derive(Clone, Copy)]
struct Sample {
    packets: u64,
    seconds: f64,
    /// Processor time per forwarded packet, microseconds.
    micros: f64,
}

/// All rounds of one kind of traffic.
pub(crate) struct Duel {
    kind: MediaKind,
    viewers: usize,
    producers: usize,
    /// Bytes of a datagram to a viewer.
    datagram: usize,
    /// Worker, floor with trains, floor with single calls.
    rounds: Vec<[Sample; 3]>,
    /// Rounds that do not count, because packets were lost in them: on a machine with other work the kernel may drop
    /// what loopback carries before anybody could receive it.
    void: usize,
}

/// Runs one kind of traffic through all forwarders.
pub(crate) fn duel(kind: MediaKind, viewers: usize, plan: Plan) -> Duel {
    let producers = producers_for(viewers);
    let worker = Stage::new(SendPath::default(), kind, producers, viewers);
    let datagram = worker.audience.longest;
    let payload = match kind {
        MediaKind::Audio => AUDIO,
        MediaKind::Video => VIDEO,
    } - 20;
    let load = Load {
        kind,
        producers,
        viewers,
        profile: worker.profile(),
        // Without what the worker pads some packets with.
        header: (datagram - payload - TAG) & !3,
    };
    let mut stages = [worker, stage(Shape::Trains, load), stage(Shape::Single, load)];
    for stage in &mut stages {
        // The estimator would find the path full, as it is, and slow the worker down.
        stage.audience.gives_feedback = false;
        assert!(
            stage.audience.longest.abs_diff(datagram) <= 4,
            "all forward datagrams of one size"
        );
    }
    // Once without counting: caches, buffers, and what is computed on first use.
    for stage in &mut stages {
        round(stage, kind, plan.seconds);
    }
    let (mut rounds, mut void) = (Vec::new(), 0);
    while rounds.len() < plan.rounds.max(1) {
        let mut samples = [None; 3];
        // Whoever begins one round ends the next.
        for place in 0..stages.len() {
            let turn = (place + rounds.len() + void) % stages.len();
            samples[turn] = round(&mut stages[turn], kind, plan.seconds);
        }
        match samples {
            [Some(worker), Some(trains), Some(single)] => rounds.push([worker, trains, single]),
            _ => void += 1,
        }
        assert!(
            void <= 2 * plan.rounds.max(1),
            "packets are lost in most rounds; nothing can be said"
        );
    }
    Duel {
        kind,
        viewers,
        producers,
        datagram,
        rounds,
        void,
    }
}

/// One round; `None` when packets were lost in it.
fn round(stage: &mut Stage, kind: MediaKind, seconds: f64) -> Option<Sample> {
    let group = match kind {
        MediaKind::Audio => 1,
        MediaKind::Video => crate::stage::BURST as u64,
    } * stage.audience.viewers.len() as u64;
    let before = stage.mark();
    let end = before.at + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        while stage.outstanding() <= (UNDER_WAY - 1) * group {
            let producer = (stage.packets_in / group) as usize % stage.streams.len();
            match kind {
                MediaKind::Audio => stage.send_audio(producer),
                MediaKind::Video => stage.send_burst(producer),
            }
        }
        // Whoever sleeps has to be woken, at the expense of who sends.
        let (waiting, since) = (stage.outstanding(), Instant::now());
        while stage.outstanding() == waiting && since.elapsed() < SPIN {
            stage.turn(Duration::ZERO);
        }
        if stage.outstanding() == waiting {
            stage.turn(Duration::from_millis(5));
            stage.look_at_held_back();
        }
    }
    let row = stage.row("duel", "", &before);
    if row.lost() > 0 {
        // So that the next round begins with nothing under way.
        stage.forget_missing();
        return None;
    }
    Some(Sample {
        packets: row.received,
        seconds: row.seconds,
        micros: row.micros_per_packet(),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Duel {
    fn micros(&self, who: usize) -> f64 {
        median(self.rounds.iter().map(|round| round[who].micros).collect())
    }

    /// Cost of the cheapest round.
    fn least(&self, who: usize) -> f64 {
        self.rounds
            .iter()
            .map(|round| round[who].micros)
            .fold(f64::INFINITY, f64::min)
    }

    /// Median over the rounds of the ratio within a round.
    fn ratio(&self, who: usize, to: usize) -> f64 {
        median(
            self.rounds
                .iter()
                .map(|round| round[who].micros / round[to].micros)
                .collect(),
        )
    }

    fn rate(&self, who: usize) -> f64 {
        median(
            self.rounds
                .iter()
                .map(|round| round[who].packets as f64 / round[who].seconds)
                .collect(),
        )
    }

    fn target(&self) -> f64 {
        match self.kind {
            MediaKind::Audio => SINGLE_TARGET,
            MediaKind::Video => BURST_TARGET,
        }
    }

    fn name(&self) -> &'static str {
        match self.kind {
            MediaKind::Audio => "single",
            MediaKind::Video => "burst",
        }
    }

    pub(crate) fn heading() {
        println!(
            "{:<7} {:>7} {:>5} {:>6} {:>9} | {:>9} {:>9} {:>9} | {:>12} {:>9} {:>7} | {:>13} {:>12} {:>5}",
            "traffic",
            "viewers",
            "prod",
            "bytes",
            "out/s",
            "worker us",
            "floor us",
            "single us",
            "worker/floor",
            "cheapest",
            "target",
            "single/worker",
            "single/floor",
            "void"
        );
    }

    pub(crate) fn print(&self) {
        println!(
            "{:<7} {:>7} {:>5} {:>6} {:>9.0} | {:>9.3} {:>9.3} {:>9.3} | {:>12.2} {:>9.2} {:>7} | {:>13.2} {:>12.2} {:>5}",
            self.name(),
            self.viewers,
            self.producers,
            self.datagram,
            self.rate(0),
            self.micros(0),
            self.micros(1),
            self.micros(2),
            self.ratio(0, 1),
            self.least(0) / self.least(1),
            format!("<= {:.1}", self.target()),
            self.ratio(2, 0),
            self.ratio(2, 1),
            self.void,
        );
    }

    pub(crate) fn json(&self) -> Value {
        let rounds: Vec<_> = self
            .rounds
            .iter()
            .map(|round| round.map(|sample| sample.micros))
            .collect();
        json!({
            "traffic": self.name(),
            "viewers": self.viewers,
            "producers": self.producers,
            "datagramBytes": self.datagram,
            "workerMicros": self.micros(0),
            "floorMicros": self.micros(1),
            "singleCallMicros": self.micros(2),
            "workerOverFloor": self.ratio(0, 1),
            "workerOverFloorCheapestRounds": self.least(0) / self.least(1),
            "target": self.target(),
            "singleCallOverWorker": self.ratio(2, 0),
            "singleCallOverFloor": self.ratio(2, 1),
            "packetsOutPerSecond": [self.rate(0), self.rate(1), self.rate(2)],
            "microsByRound": rounds,
            "voidRounds": self.void,
        })
    }
}
