//! Packets reach every consumer with their payload untouched and their header rewritten.

use std::time::Duration;

use sfu::spec::MediaKind;

use crate::world::check::assert_continuous;
use crate::world::{Camera, World, peer};

#[test]
fn audio_and_video_reach_all_consumers_unaltered() {
    let mut world = World::new();
    let sender = world.sender();
    let receivers = [world.receiver(), world.receiver(), world.receiver()];
    world.connect();
    let camera = world.camera(sender, Camera::default());
    let microphone = world.microphone(sender, 35);
    let consumers: Vec<_> = receivers
        .iter()
        .map(|&id| {
            (
                world.watch(id, microphone, MediaKind::Audio),
                world.watch(id, camera, MediaKind::Video),
            )
        })
        .collect();
    world.run(Duration::from_secs(10));

    for (audio, video) in consumers {
        let client = &world.peers[audio.peer.0];
        let packets = client.stream(audio.ssrc);
        assert!(packets.len() >= 490, "{} audio packets", packets.len());
        assert_continuous(&packets);
        for packet in packets {
            assert_eq!(
                (packet.payload_type, packet.audio_level),
                (peer::ROUTER_OPUS, Some(-35))
            );
            assert!(
                packet.mid.is_some(),
                "the header extension keeps its meaning under the router's id"
            );
        }
        let packets = client.stream(video.ssrc);
        assert!(packets.len() >= 245 * 5, "{} video packets", packets.len());
        assert_continuous(&packets);
        assert!(
            packets
                .iter()
                .all(|packet| packet.payload_type == peer::ROUTER_VP8)
        );
        assert!(
            packets[0]
                .stamp
                .is_some_and(|stamp| stamp.key && stamp.index == 0),
            "starts with a key frame"
        );
        assert_eq!(
            client.received.len(),
            client.stream(audio.ssrc).len() + client.stream(video.ssrc).len()
        );
        assert!(
            client.transport_numbers > 0,
            "packets are numbered for congestion control"
        );
    }
    assert_eq!(world.lost_transmits, 0);
}

#[test]
fn three_participants_hear_each_other_and_not_themselves() {
    let mut world = World::new();
    let senders = [world.sender(), world.sender(), world.sender()];
    let receivers = [world.receiver(), world.receiver(), world.receiver()];
    world.connect();
    let producers = senders.map(|id| world.microphone(id, 40));
    let mut consumers = Vec::new();
    for (own, &receiver) in receivers.iter().enumerate() {
        for (other, &producer) in producers.iter().enumerate() {
            if own != other {
                consumers.push((other, world.watch(receiver, producer, MediaKind::Audio)));
            }
        }
    }
    world.run(Duration::from_secs(3));
    for (other, consumer) in consumers {
        let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
        assert!(packets.len() >= 140, "{} packets", packets.len());
        assert_continuous(&packets);
        let stream = world.peers[senders[other].0].tracks[0].source.stream;
        assert!(
            packets
                .iter()
                .all(|packet| packet.stamp.is_some_and(|stamp| stamp.stream == stream))
        );
    }
}

#[test]
fn packets_before_produce_are_dropped_and_those_after_flow() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    // The client sends before its request to produce arrives (contract §1.8.7): here under an SSRC nobody announced.
    let early = world.microphone(sender, 40);
    world.done(sfu::Command::CloseProducer(early));
    world.run(Duration::from_secs(1));
    assert!(world.counters().unknown_ssrc >= 40);
    let producer = world.microphone(sender, 40);
    let consumer = world.watch(receiver, producer, MediaKind::Audio);
    world.run(Duration::from_secs(1));
    assert_continuous(&world.peers[receiver.0].stream(consumer.ssrc));
}
