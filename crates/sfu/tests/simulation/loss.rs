//! Lost packets are asked for and sent again, on both sides of the worker.

use std::time::Duration;

use str0m_netem::{NetemConfig, Probability, RandomLoss};

use crate::world::check::{assert_continuous, missing, whole_frames};
use crate::world::peer::link;
use crate::world::{Camera, Congestion, Consumer, PeerId, World};

/// Loses this share of the packets.
fn lossy(share: f32, seed: u64) -> NetemConfig {
    link(seed).loss(RandomLoss::new(Probability(share)))
}

/// A camera watched for 20 s while the links lose packets, then 2 s without loss for the last repairs. The worker
/// does not adapt to the loss: it is repair that is tested here.
fn watched(up: f32, down: f32) -> (World, PeerId, Consumer) {
    let (mut world, sender, _, consumer) = World::one_camera_for(Camera::default(), Congestion::Unknown);
    world.run(Duration::from_secs(1));
    world.peers[sender.0].uplink.set_config(lossy(up, 1));
    world.peers[sender.0].downlink.set_config(lossy(up, 2));
    world.peers[consumer.peer.0].uplink.set_config(lossy(down, 3));
    world.peers[consumer.peer.0].downlink.set_config(lossy(down, 4));
    world.run(Duration::from_secs(20));
    for id in [sender, consumer.peer] {
        world.peers[id.0].uplink.set_config(link(5));
        world.peers[id.0].downlink.set_config(link(6));
    }
    world.run(Duration::from_secs(2));
    (world, sender, consumer)
}

fn received(world: &World, consumer: Consumer) -> Vec<&crate::world::peer::Received> {
    world.peers[consumer.peer.0].stream(consumer.ssrc)
}

#[test]
fn without_loss_nothing_is_asked_for() {
    let (world, _, consumer) = watched(0.0, 0.0);
    assert_continuous(&received(&world, consumer));
    let counters = world.counters();
    assert_eq!(
        (
            counters.nack_sent,
            counters.nack_received,
            counters.rtx_sent,
            counters.rtp_lost
        ),
        (0, 0, 0, 0)
    );
}

#[test]
fn loss_before_the_worker_is_repaired() {
    for share in [0.05, 0.10, 0.20] {
        let (world, _, consumer) = watched(share, 0.0);
        assert_continuous(&received(&world, consumer));
        let counters = world.counters();
        // 23 s of 25 frames of 5 packets.
        let lost = (2_500.0 * share) as u64;
        assert!(
            counters.nack_sent >= lost / 4,
            "{} NACKs at {share}",
            counters.nack_sent
        );
        assert_eq!(counters.rtp_lost, 0, "at {share}");
    }
}

#[test]
fn loss_behind_the_worker_is_repaired() {
    for share in [0.05, 0.10, 0.20] {
        let (world, _, consumer) = watched(0.0, share);
        let packets = received(&world, consumer);
        let counters = world.counters();
        let lost = (2_500.0 * share) as u64;
        assert!(
            counters.rtx_sent >= lost * 3 / 4,
            "{} retransmissions at {share}",
            counters.rtx_sent
        );
        // str0m asks five times: at 20 % loss both ways, 0.6 % of the lost packets stay lost.
        let left = missing(&packets);
        assert!(
            left as f32 <= packets.len() as f32 * share * share / 10.0,
            "{left} packets missing at {share}"
        );
        assert!(
            packets.iter().all(|packet| packet.stamp.is_some()),
            "retransmissions are exact copies"
        );
        let frames = whole_frames(&packets).len();
        assert!(frames >= 560, "{frames} whole frames at {share}");
    }
}

#[test]
fn loss_on_both_sides_is_repaired() {
    let (world, _, consumer) = watched(0.10, 0.10);
    let packets = received(&world, consumer);
    assert!(missing(&packets) <= 2, "{} packets missing", missing(&packets));
    let frames = whole_frames(&packets).len();
    assert!(frames >= 560, "{frames} whole frames");
}

#[test]
fn the_same_packet_is_not_sent_again_within_a_round_trip() {
    let (mut world, _, _, consumer) = World::one_camera_for(Camera::default(), Congestion::Unknown);
    world.run(Duration::from_secs(1));
    // Every request of the receiver arrives, and arrives twice.
    let twice = link(3).duplicate(Probability(1.0));
    world.peers[consumer.peer.0].uplink.set_config(twice);
    world.peers[consumer.peer.0].downlink.set_config(lossy(0.10, 4));
    world.run(Duration::from_secs(10));
    let counters = world.counters();
    assert!(counters.rtx_sent > 80, "{} retransmissions", counters.rtx_sent);
    assert!(counters.rtx_sent < 250, "{} retransmissions", counters.rtx_sent);
}
