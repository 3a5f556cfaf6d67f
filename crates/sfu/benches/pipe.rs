//! What it costs to serve a camera's viewers on another worker than the camera's own: the same call in two worlds, one
//! with all viewers at home and one with all of them behind a pipe, in turns. Printed is the time inside all workers per
//! packet sent, and the ratio.
//!
//! `cargo bench -p sfu --bench pipe`
#![allow(unreachable_pub, reason = "shares a module with the simulations")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(missing_docs, clippy::print_stdout, reason = "a benchmark says what it found")]

use std::time::Duration;

mod stage;
#[path = "../tests/simulation/world/mod.rs"]
mod world;

use stage::{INSIDE, stage};
use world::World;
use world::annex::Site;

/// Simulated time of one turn, and turns.
const TURN: Duration = Duration::from_secs(1);
const TURNS: usize = 8;

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
