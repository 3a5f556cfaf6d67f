//! What one worker thread forwards over real sockets with real SRTP, and what that costs.
//!
//! The worker is bound to the first processor, the client with all its viewers to the second. Clients join by ICE and
//! DTLS like any other (see `tests/peer`). Scenarios:
//!
//! * `saturate`: video bursts of 8 packets of 1,150 bytes from as many producers as it takes, as fast as they are
//!   forwarded without loss
//! * `paced`: the same bursts at 30 frames per second per producer, producers staggered
//! * `audio`: single packets of 100 bytes at 50 per second per producer
//! * `latency`: one audio packet through an idle worker, until the last viewer has it
//! * `idle`: processor time of a thousand transports that nobody uses
//! * `floor` (only when asked for, `make bench-floor`): the worker beside forwarders without an SFU in them, in
//!   alternating rounds; bursts and single packets to 10, 49 and 200 viewers, as ratios (see `floor`)
//! * `memory`: fifty participants, each sending and watching all the others
//!
//! Usage: `cargo bench -p media-node --bench forward -- [--viewers 10,50] [--seconds 2] [--rounds 3]
//! [--only NAME] [--json FILE]`. Of several rounds the one that cost least per packet is reported.
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a program that prints its measurements"
)]

#[path = "../../tests/peer/mod.rs"]
mod peer;

mod audience;
mod floor;
mod machine;
mod report;
mod scenario;
mod stage;

use floor::Duel;
use media_node::worker::SendPath;
use report::Row;
use scenario::Plan;
use serde_json::json;
use sfu::spec::MediaKind;

#[global_allocator]
static ALLOCATOR: machine::Watched = machine::Watched;

struct Arguments {
    viewers: Option<Vec<usize>>,
    plan: Plan,
    only: Option<String>,
    json: String,
}

impl Arguments {
    fn read() -> Self {
        let mut own = Self {
            viewers: None,
            plan: Plan {
                seconds: 2.0,
                rounds: 3,
            },
            only: None,
            json: "target/forward.json".into(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            // Cargo adds it for the benchmark harness that this program has not.
            if name == "--bench" {
                continue;
            }
            let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
            match name.as_str() {
                "--viewers" => {
                    let counts = value.split(',').map(|count| count.parse());
                    own.viewers = Some(counts.collect::<Result<_, _>>().expect("numbers of viewers"));
                }
                "--seconds" => own.plan.seconds = value.parse().expect("seconds"),
                "--rounds" => own.plan.rounds = value.parse().expect("a number of rounds"),
                "--only" => own.only = Some(value),
                "--json" => own.json = value,
                _ => panic!("unknown argument {name}"),
            }
        }
        own
    }

    fn wants(&self, scenario: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == scenario)
    }
}

/// The worker beside the floors.
fn duels(arguments: &Arguments) -> Vec<Duel> {
    let viewers = arguments.viewers.as_deref().unwrap_or(&[10, 49, 200]);
    Duel::heading();
    let mut duels = Vec::new();
    for kind in [MediaKind::Video, MediaKind::Audio] {
        for &viewers in viewers {
            let duel = floor::duel(kind, viewers, arguments.plan);
            duel.print();
            duels.push(duel);
        }
    }
    duels
}

fn main() {
    let arguments = Arguments::read();
    let (kernel, processors) = machine::describe();
    println!("kernel {kernel}, {processors}");
    if arguments.only.as_deref() == Some("floor") {
        let duels = duels(&arguments);
        let report = json!({
            "kernel": kernel,
            "processors": processors,
            "duels": duels.iter().map(Duel::json).collect::<Vec<_>>(),
        });
        std::fs::write(&arguments.json, format!("{report:#}\n")).expect("the report can be written");
        return;
    }
    let mut rows = Vec::new();
    let mut others = serde_json::Map::new();
    Row::heading();
    for &viewers in arguments.viewers.as_deref().unwrap_or(&[10, 50]) {
        for send_path in [SendPath::Plain, SendPath::Mmsg, SendPath::Gso] {
            if arguments.wants("saturate") {
                rows.push(scenario::saturate(send_path, viewers, arguments.plan));
            }
        }
        if arguments.wants("paced") {
            rows.push(scenario::paced_video(viewers, arguments.plan));
        }
        if arguments.wants("audio") {
            rows.push(scenario::paced_audio(viewers, arguments.plan));
        }
        if arguments.wants("latency") {
            let (median, worst) = scenario::latency(viewers);
            println!(
                "latency to the last of {viewers} viewers: median {median:.0} us, 99th of 100 {worst:.0} us"
            );
            others.insert(
                format!("latency{viewers}"),
                json!({"medianMicros": median, "p99Micros": worst}),
            );
        }
    }
    if arguments.wants("idle") {
        let share = scenario::idle(1_000);
        println!("1,000 idle transports: {:.3} % of a processor", share * 100.0);
        others.insert("idleThousandTransportsCpuShare".into(), json!(share));
    }
    if arguments.wants("memory") {
        let memory = scenario::memory(50);
        println!(
            "50 participants: {:.0} kB of the node's heap each before media, {:.0} kB with media; process grew by {:.0} kB each, clients included",
            memory.before / 1e3,
            memory.with_media / 1e3,
            memory.resident / 1e3
        );
        others.insert(
            "bytesPerParticipantOf50".into(),
            json!({"beforeMedia": memory.before, "withMedia": memory.with_media, "processGrowth": memory.resident}),
        );
    }
    let report = json!({
        "kernel": kernel,
        "processors": processors,
        "runs": rows.iter().map(Row::json).collect::<Vec<_>>(),
        "others": others,
    });
    std::fs::write(&arguments.json, format!("{report:#}\n")).expect("the report can be written");
    let lossy: u64 = rows.iter().map(Row::lost).sum();
    assert_eq!(lossy, 0, "packets were lost; the figures above do not count");
}
