//! A worker in its steady state allocates nothing: not per packet, not per retransmission, not per report.
//!
//! The simulated clients allocate as they like; only what happens inside the worker's own calls is counted.

#![allow(
    unsafe_code,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    unreachable_pub,
    missing_docs
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use sfu::Command;
use sfu::spec::{Layers, MediaKind};
use str0m_netem::{Probability, RandomLoss};

#[path = "simulation/world/mod.rs"]
mod world;

use world::annex::Site;
use world::peer::link;
use world::{Camera, Congestion, World};

struct Counting;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    if INSIDE.get() {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    }
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches only thread-local cells that need no
// initialisation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts the worker's allocations while `world` runs for `time`.
fn allocations(world: &mut World, time: Duration) -> u64 {
    world.probe = |entered| INSIDE.set(entered);
    ALLOCATIONS.set(0);
    world.run(time);
    world.probe = |_| {};
    ALLOCATIONS.get()
}

#[test]
fn the_count_notices_an_allocation() {
    let (mut world, ..) = World::one_camera(Camera::default());
    world.probe = |entered| INSIDE.set(entered);
    ALLOCATIONS.set(0);
    world.sender();
    world.probe = |_| {};
    assert!(ALLOCATIONS.get() > 0, "opening a transport allocates");
}

#[test]
fn audio_and_video_are_forwarded_without_allocating() {
    let (mut world, sender, camera, consumer) = World::one_camera(Camera::default());
    let microphone = world.microphone(sender, 40);
    world.watch(consumer.peer, microphone, MediaKind::Audio);
    let third = world.receiver();
    world.connect();
    world.watch(third, camera, MediaKind::Video);
    world.watch(third, microphone, MediaKind::Audio);
    // Rings, stores and tables reach their size; estimates settle; the active speaker is known.
    world.run(Duration::from_secs(20));
    let before = world.counters().rtp_sent;
    let allocated = allocations(&mut world, Duration::from_secs(10));
    let sent = world.counters().rtp_sent - before;
    assert!(sent > 3_000, "only {sent} packets were forwarded");
    assert_eq!(allocated, 0, "for {sent} packets and ten rounds of reports");
}

#[test]
fn packets_for_another_worker_are_handed_over_without_allocating() {
    let mut world = World::new();
    let sender = world.sender();
    world.viewers = Site::Annex;
    let far = [world.receiver(), world.receiver()];
    world.connect();
    let camera = world.camera(sender, Camera::default());
    let microphone = world.microphone(sender, 40);
    for id in far {
        world.watch(id, camera, MediaKind::Video);
        world.watch(id, microphone, MediaKind::Audio);
    }
    world.run(Duration::from_secs(20));
    let before = world.counters();
    let allocated = allocations(&mut world, Duration::from_secs(10));
    let after = world.counters();
    let piped = after.piped_in - before.piped_in;
    assert!(piped > 1_500, "only {piped} packets were piped");
    assert!(after.rtp_sent - before.rtp_sent >= 2 * piped);
    assert_eq!(allocated, 0, "for {piped} packets on two workers");
}

#[test]
fn lost_packets_are_repaired_without_allocating() {
    let (mut world, sender, _, consumer) = World::one_camera_for(Camera::default(), Congestion::Unknown);
    let lossy = |seed| link(seed).loss(RandomLoss::new(Probability(0.05)));
    world.peers[sender.0].uplink.set_config(lossy(1));
    world.peers[consumer.peer.0].downlink.set_config(lossy(2));
    // Long enough for the worst burst of ten seconds to have happened before.
    world.run(Duration::from_secs(60));
    let before = world.counters();
    let allocated = allocations(&mut world, Duration::from_secs(10));
    let after = world.counters();
    assert!(
        after.nack_sent > before.nack_sent + 20,
        "the uplink lost too little to tell"
    );
    assert!(
        after.rtx_sent > before.rtx_sent + 20,
        "the downlink lost too little to tell"
    );
    assert_eq!(
        allocated,
        0,
        "for {} retransmissions",
        after.rtx_sent - before.rtx_sent
    );
}

#[test]
fn layers_probes_and_requests_are_served_without_allocating() {
    let mut world = World::new();
    let sender = world.sender();
    let viewers = [world.receiver(), world.receiver()];
    world.connect();
    let camera = Camera {
        packets_per_frame: 2,
        temporal_layers: 3,
        layers: 3,
        ..Camera::default()
    };
    let camera = world.camera(sender, camera);
    let microphone = world.microphone(sender, 40);
    let watching = viewers.map(|viewer| {
        world.watch(viewer, microphone, MediaKind::Audio);
        world.watch(viewer, camera, MediaKind::Video)
    });
    let [first, second] = watching.map(|consumer| consumer.key);
    // Every kind of thing that happens, in a fixed round.
    let round = |world: &mut World| {
        for (spatial, temporal) in [(2, 2), (0, 1), (1, 0), (2, 1), (0, 2)] {
            let layers = Layers { spatial, temporal };
            world.done(Command::SetPreferredLayers {
                consumer: first,
                layers,
            });
            world.done(Command::RequestKeyFrame(second));
            world.done(Command::PauseConsumer(second));
            world.run(Duration::from_millis(600));
            world.done(Command::ResumeConsumer(second));
            world.run(Duration::from_millis(1_400));
        }
    };
    for _ in 0..12 {
        round(&mut world);
    }
    let before = world.worker.counters().clone();
    assert!(before.probe_sent > 0, "no path was probed");
    world.probe = |entered| INSIDE.set(entered);
    ALLOCATIONS.set(0);
    round(&mut world);
    world.probe = |_| {};
    let allocated = ALLOCATIONS.get();
    let after = world.worker.counters();
    let sent = after.rtp_sent - before.rtp_sent;
    assert!(sent > 1_500, "only {sent} packets were forwarded");
    assert!(after.pli_sent > before.pli_sent, "nobody asked for a key frame");
    assert_eq!(
        allocated, 0,
        "for {sent} packets, layers, pauses, probes and requests"
    );
}
