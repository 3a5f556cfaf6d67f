//! A simulcast consumer changes layers at key frames, and its receiver notices nothing but the picture's size.

use std::time::Duration;

use sfu::spec::{Layers, MediaKind};
use sfu::{Command, Event};

use crate::world::annex::{Site, VIEWERS};
use crate::world::check::assert_continuous;
use crate::world::peer::Received;
use crate::world::{Camera, Consumer, PeerId, World};

const THREE_LAYERS: Camera = Camera {
    packets_per_frame: 1,
    temporal_layers: 1,
    layers: 3,
    rtx: true,
};

fn prefer(world: &mut World, consumer: Consumer, spatial: u8) {
    let layers = Layers { spatial, temporal: 0 };
    world.done(Command::SetPreferredLayers {
        consumer: consumer.key,
        layers,
    });
}

/// The layers in the order received, each with its number of packets.
fn runs(packets: &[&Received], first_stream: u8) -> Vec<(u8, usize)> {
    let mut runs: Vec<(u8, usize)> = Vec::new();
    for packet in packets {
        let layer = packet.stamp.expect("unaltered").stream - first_stream;
        match runs.last_mut() {
            Some((last, count)) if *last == layer => *count += 1,
            _ => runs.push((layer, 1)),
        }
    }
    runs
}

#[test]
fn layers_are_learnt_from_rids_and_switched_without_a_seam() {
    let (mut world, sender, _, consumer) = World::one_camera(THREE_LAYERS);
    let first_stream = world.peers[sender.0].tracks[0].source.stream;
    for spatial in [0, 2, 1, 2, 0, 1] {
        prefer(&mut world, consumer, spatial);
        world.run(Duration::from_secs(3));
    }
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert_continuous(&packets);
    let runs = runs(&packets, first_stream);
    let layers: Vec<_> = runs.iter().map(|(layer, _)| *layer).collect();
    assert!(layers.ends_with(&[0, 2, 1, 2, 0, 1]), "{runs:?}");
    for pair in packets.windows(2) {
        let (before, after) = (
            pair[0].stamp.expect("unaltered"),
            pair[1].stamp.expect("unaltered"),
        );
        if before.stream != after.stream {
            assert!(
                after.key && after.index == 0,
                "a switch that is not at a key frame"
            );
            assert!(
                pair[1].at.saturating_duration_since(pair[0].at) <= Duration::from_millis(100),
                "a switch shows a gap"
            );
        }
    }
    let told: Vec<_> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::ConsumerLayers {
                layers: Some(layers), ..
            } => Some(layers.spatial),
            _ => None,
        })
        .collect();
    assert!(told.ends_with(&[0, 2, 1, 2, 0, 1]), "{told:?}");
}

#[test]
fn switches_survive_loss() {
    let (mut world, sender, _, consumer) = World::one_camera(THREE_LAYERS);
    let lossy = |seed| {
        crate::world::peer::link(seed).loss(str0m_netem::RandomLoss::new(str0m_netem::Probability(0.05)))
    };
    world.run(Duration::from_secs(1));
    world.peers[sender.0].uplink.set_config(lossy(1));
    world.peers[consumer.peer.0].downlink.set_config(lossy(2));
    for spatial in [0, 2, 1, 0, 2, 0] {
        prefer(&mut world, consumer, spatial);
        world.run(Duration::from_secs(3));
    }
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert!(
        packets.iter().all(|packet| packet.stamp.is_some()),
        "payloads are exact, retransmitted or not"
    );
    // What the uplink lost of the old layer just before a switch comes too late to be wanted: some packets per switch.
    let missing = crate::world::check::missing(&packets);
    assert!(
        missing * 40 <= packets.len() as u64,
        "{missing} of {} missing",
        packets.len()
    );
    // Picture numbers and clocks agree packet by packet, whichever way a packet came.
    for pair in packets.windows(2) {
        let ticks = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
        let (old, new) = (pair[0].picture.expect("VP8"), pair[1].picture.expect("VP8"));
        let pictures = new.picture_id.wrapping_sub(old.picture_id) & 0x7fff;
        assert_eq!(ticks == 0, pictures == 0, "{:?} then {:?}", pair[0], pair[1]);
        assert!(ticks >= 0 && pictures < 10, "{:?} then {:?}", pair[0], pair[1]);
    }
}

#[test]
fn a_consumer_without_preference_gets_the_best_layer() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera {
        packets_per_frame: 1,
        ..THREE_LAYERS
    });
    let first_stream = world.peers[sender.0].tracks[0].source.stream;
    world.run(Duration::from_secs(12));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    let (layer, count) = *runs(&packets, first_stream).last().expect("video came");
    assert_eq!(layer, 2, "{:?}", runs(&packets, first_stream));
    assert!(count > 100);
}

#[test]
fn a_narrow_downlink_gets_a_lower_layer() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera {
        packets_per_frame: 1,
        ..THREE_LAYERS
    });
    let first_stream = world.peers[sender.0].tracks[0].source.stream;
    world.run(Duration::from_secs(8));
    // The layers are about 200, 400 and 800 kbit/s.
    let narrow =
        crate::world::peer::link(5).link(str0m_netem::Bitrate::kbps(550), str0m_netem::DataSize::kbytes(60));
    world.peers[consumer.peer.0].downlink.set_config(narrow);
    world.run(Duration::from_secs(20));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    let late: Vec<_> = packets
        .iter()
        .filter(|packet| world.now - packet.at < Duration::from_secs(5))
        .copied()
        .collect();
    let top = late
        .iter()
        .filter(|packet| packet.stamp.is_some_and(|stamp| stamp.stream == first_stream + 2))
        .count();
    assert!(!late.is_empty(), "video still comes");
    assert!(
        top * 2 < late.len(),
        "{top} of {} packets of the top layer",
        late.len()
    );
}

/// The layers of which key frames were asked for since `from`.
fn asked_layers(world: &World, sender: PeerId, from: usize) -> Vec<String> {
    let requests = world.peers[sender.0].key_requests[from..].iter();
    let mut layers: Vec<_> = requests
        .map(|(_, _, rid, _)| rid.map_or_else(String::new, |rid| rid.to_string()))
        .collect();
    layers.sort();
    layers.dedup();
    layers
}

#[test]
fn nobody_is_asked_for_key_frames_of_layers_that_nobody_watches() {
    if VIEWERS == Site::Annex {
        // Which layers are watched behind a pipe is known there alone.
        return;
    }
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    // What was lost cannot be had again, so it is given up, on every layer.
    world.peers[sender.0].memory = Duration::ZERO;
    let camera = world.camera(sender, THREE_LAYERS);
    let consumer = world.consume(receiver, camera, MediaKind::Video);
    prefer(&mut world, consumer, 0);
    // All layers are there before it begins: what comes first would be taken while nothing else is.
    world.run(Duration::from_secs(1));
    world.done(Command::ResumeConsumer(consumer.key));
    world.run(Duration::from_secs(3));
    let asked = world.peers[sender.0].key_requests.len();
    let lossy =
        crate::world::peer::link(9).loss(str0m_netem::RandomLoss::new(str0m_netem::Probability(0.05)));
    world.peers[sender.0].uplink.set_config(lossy);
    world.run(Duration::from_secs(10));
    assert_eq!(
        asked_layers(&world, sender, asked),
        ["r0"],
        "the one that is watched"
    );
}

#[test]
fn a_wish_that_somebody_gave_up_is_not_repeated() {
    let (mut world, sender, _, consumer) = World::one_camera(THREE_LAYERS);
    if VIEWERS == Site::Annex {
        // As above.
        return;
    }
    prefer(&mut world, consumer, 0);
    world.run(Duration::from_secs(3));
    let asked = world.peers[sender.0].key_requests.len();
    let deaf = crate::world::peer::link(1).loss(str0m_netem::RandomLoss::new(str0m_netem::Probability::ONE));
    world.peers[sender.0].downlink.set_config(deaf);
    prefer(&mut world, consumer, 2);
    world.run(Duration::from_millis(100));
    prefer(&mut world, consumer, 0);
    world.run(Duration::from_millis(100));
    world.peers[sender.0]
        .downlink
        .set_config(crate::world::peer::link(2));
    world.run(Duration::from_secs(5));
    assert!(asked_layers(&world, sender, asked).is_empty());
}
