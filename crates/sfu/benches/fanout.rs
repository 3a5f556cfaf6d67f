//! What a worker needs to serve a camera's frame to 10, 50 and 200 viewers, without sockets: SRTP in, rewriting and
//! SRTP out, and all that a call brings with it meanwhile, which is connectivity checks, reports, congestion feedback
//! and timers.
//!
//! Clients, clock and network are those of the simulations. The simulated world runs frame by frame; measured is only
//! the time spent inside the worker. The throughput counts packets sent.
#![allow(missing_docs, reason = "criterion's macros")]
#![allow(unreachable_pub, reason = "shares a module with the simulations")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::cell::Cell;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sfu::spec::MediaKind;

#[path = "../tests/simulation/world/mod.rs"]
mod world;

use world::{Camera, FRAME, PeerId, World};

/// Packets of a frame.
const PACKETS: u8 = 8;
/// How long the estimators of fresh transports need to trust their paths with the video.
const WARM_UP: Duration = Duration::from_secs(10);

thread_local! {
    static ENTERED: Cell<Option<Instant>> = const { Cell::new(None) };
    static INSIDE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Called by the world around every entry into the worker.
fn clock(entering: bool) {
    if entering {
        ENTERED.set(Some(Instant::now()));
    } else if let Some(entered) = ENTERED.take() {
        INSIDE.set(INSIDE.get() + entered.elapsed());
    }
}

/// A world in which one client's camera is watched by all the others.
fn stage(viewers: usize) -> World {
    let mut world = World::new();
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

/// Runs frames; the time the worker took for them.
fn run(world: &mut World, viewers: usize, frames: u64) -> Duration {
    let counts = |world: &World| {
        (
            world.worker.counters().rtp_received,
            world.worker.counters().rtp_sent,
        )
    };
    let before = counts(world);
    INSIDE.set(Duration::ZERO);
    for _ in 0..frames {
        world.run(FRAME);
        for peer in &mut world.peers {
            peer.received.clear();
            peer.rtcp.clear();
        }
        world.events.clear();
    }
    let after = counts(world);
    let (received, sent) = (after.0 - before.0, after.1 - before.1);
    // The frame on the way when counting begins, and when it ends, may count on either side.
    assert!(
        received >= (frames - 1) * u64::from(PACKETS),
        "{received} packets of {frames} frames"
    );
    assert_eq!(sent, received * viewers as u64, "every viewer gets everything");
    INSIDE.get()
}

fn fanout(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fanout");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    for viewers in [10, 50, 200] {
        let mut world = stage(viewers);
        group.throughput(Throughput::Elements(u64::from(PACKETS) * viewers as u64));
        group.bench_function(BenchmarkId::from_parameter(viewers), |bencher| {
            bencher.iter_custom(|frames| run(&mut world, viewers, frames));
        });
    }
    group.finish();
}

criterion_group!(benches, fanout);
criterion_main!(benches);
