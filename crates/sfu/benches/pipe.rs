//! What it costs to serve a camera's viewers on another worker than the camera's own: the same call in two worlds, one
//! with all viewers at home and one with all of them behind a pipe, in turns. Printed is the time inside all workers per
//! packet sent, and the ratio.
//!
//! `cargo bench -p sfu --bench pipe`
#![allow(unreachable_pub, reason = "shares a module with the simulations")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(missing_docs, clippy::print_stdout, reason = "a benchmark says what it found")]

use std::cell::Cell;
use std::time::{Duration, Instant};

use sfu::spec::MediaKind;

#[path = "../tests/simulation/world/mod.rs"]
mod world;

use world::annex::Site;
use world::{Camera, PeerId, World};

/// Packets of a frame.
const PACKETS: u8 = 8;
/// How long the estimators of fresh transports need to trust their paths with the video.
const WARM_UP: Duration = Duration::from_secs(8);
/// Simulated time of one turn, and turns.
const TURN: Duration = Duration::from_secs(1);
const TURNS: usize = 8;

thread_local! {
    static ENTERED: Cell<Option<Instant>> = const { Cell::new(None) };
    static INSIDE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Called by the world around every entry into a worker.
fn clock(entering: bool) {
    if entering {
        ENTERED.set(Some(Instant::now()));
    } else if let Some(entered) = ENTERED.take() {
        INSIDE.set(INSIDE.get() + entered.elapsed());
    }
}

fn stage(viewers: usize, site: Site) -> World {
    let mut world = World::new();
    world.viewers = site;
    let receivers: Vec<PeerId> = (0..viewers).map(|_| world.receiver()).collect();
    let sender = world.sender();
    world.connect();
    let camera = Camera {
        packets_per_frame: PACKETS,
        ..Camera::default()
    };
    let producer = world.camera(sender, camera);
    for receiver in receivers {
        world.watch(receiver, producer, MediaKind::Video);
    }
    world.run(WARM_UP);
    world.probe = clock;
    world
}

/// Nanoseconds inside the workers per packet sent, in one turn.
fn turn(world: &mut World) -> f64 {
    let before = world.counters().rtp_sent;
    INSIDE.set(Duration::ZERO);
    world.run(TURN);
    let sent = world.counters().rtp_sent - before;
    INSIDE.get().as_nanos() as f64 / sent.max(1) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    for viewers in [1, 5, 25] {
        let (mut near, mut far) = (stage(viewers, Site::Home), stage(viewers, Site::Annex));
        let turns: Vec<(f64, f64)> = (0..TURNS).map(|_| (turn(&mut near), turn(&mut far))).collect();
        let home = median(turns.iter().map(|(home, _)| *home).collect());
        let piped = median(turns.iter().map(|(_, piped)| *piped).collect());
        let ratio = median(turns.iter().map(|(home, piped)| piped / home).collect());
        println!(
            "{viewers:>3} viewers: {home:.0} ns per packet at home, {piped:.0} ns behind a pipe, ratio {ratio:.2}"
        );
    }
}
