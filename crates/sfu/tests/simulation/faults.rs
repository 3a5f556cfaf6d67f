//! Links that reorder, delay unevenly and duplicate.

use std::time::Duration;

use str0m_netem::{NetemConfig, Probability};

use crate::world::check::assert_continuous;
use crate::world::peer::link;
use crate::world::{Camera, World};

/// A camera watched for 10 s over links with this fault on every direction, then 1 s without it.
fn watched(fault: impl Fn(NetemConfig) -> NetemConfig) -> World {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(1));
    for id in [sender, consumer.peer] {
        world.peers[id.0].uplink.set_config(fault(link(21)));
        world.peers[id.0].downlink.set_config(fault(link(22)));
    }
    world.run(Duration::from_secs(10));
    for id in [sender, consumer.peer] {
        world.peers[id.0].uplink.set_config(link(23));
        world.peers[id.0].downlink.set_config(link(24));
    }
    world.run(Duration::from_secs(1));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert!(packets.len() >= 290 * 5, "{} packets", packets.len());
    let mut numbers: Vec<_> = packets.iter().map(|packet| packet.sequence).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), packets.len(), "no packet comes twice");
    assert_continuous(&packets);
    world
}

#[test]
fn reordered_packets_arrive_once_each() {
    watched(|link| link.reorder_gap(7));
}

#[test]
fn jitter_does_not_lose_packets() {
    let world = watched(|link| {
        link.latency(Duration::from_millis(40))
            .jitter(Duration::from_millis(15))
    });
    assert_eq!(world.counters().rtp_lost, 0);
}

#[test]
fn duplicates_are_dropped() {
    let world = watched(|link| link.duplicate(Probability(0.3)));
    let counters = world.counters();
    assert_eq!(counters.nack_sent, 0);
    let replayed = counters.link_drops[link::DropReason::Replay as usize];
    assert!(replayed > 300, "{replayed} replays");
}

#[test]
fn a_long_round_trip_works() {
    let world = watched(|link| link.latency(Duration::from_millis(250)));
    assert_eq!(world.counters().nack_sent, 0);
}
