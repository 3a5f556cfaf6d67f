//! Leaving out temporal layers leaves no gap in sequence or picture numbers.

use std::time::Duration;

use sfu::Command;
use sfu::spec::Layers;

use crate::world::check::assert_continuous;
use crate::world::{Camera, World};

#[test]
fn frame_rate_falls_and_rises_without_a_gap() {
    let camera = Camera {
        packets_per_frame: 2,
        temporal_layers: 3,
        layers: 1,
        rtx: true,
    };
    let (mut world, _, _, consumer) = World::one_camera(camera);
    world.run(Duration::from_secs(2));
    let mut rates = Vec::new();
    for temporal in [2, 0, 1, 2, 0] {
        let layers = Layers { spatial: 0, temporal };
        world.done(Command::SetPreferredLayers {
            consumer: consumer.key,
            layers,
        });
        world.run(Duration::from_secs(1));
        let from = world.now;
        world.run(Duration::from_secs(4));
        let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
        let recent: Vec<_> = packets
            .iter()
            .filter(|packet| packet.at >= from && packet.marker)
            .collect();
        let highest = recent
            .iter()
            .filter_map(|packet| packet.picture)
            .map(|vp8| vp8.temporal)
            .max();
        assert_eq!(highest, Some(temporal));
        rates.push(recent.len() / 4);
    }
    for (rate, expected) in rates.iter().zip([25, 6, 12, 25, 6]) {
        assert!(rate.abs_diff(expected) <= 1, "{rates:?} frames per second");
    }
    assert_continuous(&world.peers[consumer.peer.0].stream(consumer.ssrc));
}
