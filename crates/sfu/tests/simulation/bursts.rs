//! Packets that come together are forwarded together, and nobody can tell from what arrives.

use std::time::Duration;

use sfu::spec::{Layers, MediaKind};
use sfu::{Command, Event};
use str0m_netem::{Probability, RandomLoss};

use crate::world::peer::{Received, link};
use crate::world::{Camera, World};

/// What a viewer sees, less the numbers drawn anew for each connection.
fn seen(packets: &[&Received]) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    let first = packets[0].sequence;
    packets
        .iter()
        .map(|packet| {
            (
                packet.sequence - first,
                packet.timestamp,
                packet.marker,
                packet.stamp,
                packet.picture,
            )
        })
        .collect()
}

/// A call with simulcast, layers chosen by hand, a pause, and loss towards the worker.
fn call(bursts: bool) -> World {
    let mut world = World::new();
    world.bursts = bursts;
    let sender = world.sender();
    let viewers = [world.receiver(), world.receiver()];
    world.connect();
    let camera = Camera {
        packets_per_frame: 4,
        temporal_layers: 3,
        layers: 2,
        ..Camera::default()
    };
    let camera = world.camera(sender, camera);
    let microphone = world.microphone(sender, 30);
    let watching: Vec<_> = viewers
        .map(|viewer| {
            world.watch(viewer, microphone, MediaKind::Audio);
            world.watch(viewer, camera, MediaKind::Video)
        })
        .into();
    world.peers[sender.0]
        .uplink
        .set_config(link(3).loss(RandomLoss::new(Probability(0.02))));
    for (spatial, temporal) in [(1, 2), (0, 2), (1, 0), (0, 1), (1, 1)] {
        let layers = Layers { spatial, temporal };
        world.done(Command::SetPreferredLayers {
            consumer: watching[0].key,
            layers,
        });
        world.run(Duration::from_millis(1_200));
    }
    world.done(Command::PauseConsumer(watching[1].key));
    world.run(Duration::from_millis(700));
    world.done(Command::ResumeConsumer(watching[1].key));
    world.run(Duration::from_secs(2));
    world
}

#[test]
fn bursts_change_nothing_that_arrives() {
    let (one_by_one, together) = (call(false), call(true));
    for (before, after) in one_by_one.peers.iter().zip(&together.peers) {
        let mut ssrcs: Vec<_> = before.received.iter().map(|packet| packet.ssrc).collect();
        ssrcs.sort_unstable();
        ssrcs.dedup();
        for ssrc in ssrcs {
            let (before, after) = (before.stream(ssrc), after.stream(ssrc));
            assert!(before.len() > 50, "{} packets of {ssrc}", before.len());
            assert_eq!(seen(&before), seen(&after), "stream {ssrc}");
        }
    }
    let layers = |world: &World| -> Vec<_> {
        let of = |event: &Event| match event {
            Event::ConsumerLayers { layers, .. } => Some(*layers),
            _ => None,
        };
        world.events.iter().filter_map(|(_, event)| of(event)).collect()
    };
    assert_eq!(layers(&one_by_one), layers(&together));
    assert_eq!(one_by_one.counters().rtp_sent, together.counters().rtp_sent);
}

#[test]
fn a_viewers_packets_of_a_frame_lie_side_by_side() {
    let (mut world, sender, camera, _) = World::one_camera(Camera::default());
    let others: Vec<_> = (0..3).map(|_| world.receiver()).collect();
    world.connect();
    for other in others {
        world.watch(other, camera, MediaKind::Video);
    }
    world.run(Duration::from_secs(2));
    world.wire = Some(Vec::new());
    world.run(Duration::from_secs(2));
    let sender = world.peers[sender.0].address;
    let video: Vec<_> = world
        .wire
        .take()
        .into_iter()
        .flatten()
        .filter(|(to, bytes)| *to != sender && bytes.len() > 1_000)
        .map(|(to, _)| to)
        .collect();
    let runs = video.chunk_by(|a, b| a == b).count();
    // 50 frames of 5 packets for 4 viewers; a frame that came in two parts, or a repair, makes some more.
    assert!(video.len() >= 49 * 20, "{} packets", video.len());
    assert!(runs <= 50 * 4 + 20, "{runs} runs");
}
