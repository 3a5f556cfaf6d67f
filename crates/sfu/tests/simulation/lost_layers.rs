//! A sender stops an upper layer without a word, as browsers do when their uplink or camera cannot feed it.

use std::time::Duration;

use sfu::Command;

use crate::world::{Camera, World};

#[test]
fn a_layer_that_falls_silent_is_left_for_the_next_lower_one_and_taken_again_when_it_returns() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera {
        packets_per_frame: 1,
        layers: 3,
        ..Camera::default()
    });
    world.run(Duration::from_secs(10));
    let first_stream = world.peers[sender.0].tracks[0].source.stream;
    let layer_now = |world: &World| {
        let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
        let last = packets.last().expect("video came");
        let fresh = world.now - last.at < Duration::from_millis(200);
        fresh.then(|| last.stamp.expect("unaltered").stream - first_stream)
    };
    assert_eq!(layer_now(&world), Some(2));
    world.peers[sender.0].tracks[2].source.paused = true;
    world.run(Duration::from_secs(4));
    assert_eq!(layer_now(&world), Some(1), "not a frozen picture");
    world.peers[sender.0].tracks[1].source.paused = true;
    world.run(Duration::from_secs(4));
    assert_eq!(layer_now(&world), Some(0));
    for track in 1..3 {
        world.peers[sender.0].tracks[track].source.paused = false;
    }
    world.run(Duration::from_secs(4));
    assert_eq!(layer_now(&world), Some(2));
    // A switch may cut the old layer's frame short; numbers and clock run on all the same.
    for pair in world.peers[consumer.peer.0].stream(consumer.ssrc).windows(2) {
        assert_eq!(
            pair[1].sequence,
            pair[0].sequence + 1,
            "{:?} then {:?}",
            pair[0],
            pair[1]
        );
        let ticks = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
        assert!(
            (0..5 * 90_000).contains(&ticks),
            "{:?} then {:?}",
            pair[0],
            pair[1]
        );
    }
}

#[test]
fn resuming_what_runs_asks_for_a_key_frame() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    let asked = world.peers[sender.0].key_requests.len();
    world.done(Command::ResumeConsumer(consumer.key));
    world.run(Duration::from_millis(200));
    assert_eq!(world.peers[sender.0].key_requests.len(), asked + 1);
}
