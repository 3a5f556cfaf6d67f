//! A producer's score shows what its uplink does.

use std::time::Duration;

use sfu::Event;
use sfu::key::ProducerKey;
use str0m_netem::{Probability, RandomLoss};

use crate::world::peer::link;
use crate::world::{Camera, World};

fn score(world: &World, producer: ProducerKey) -> Option<u8> {
    world.events.iter().rev().find_map(|(_, event)| match event {
        Event::ProducerScore {
            producer: key,
            scores,
        } if *key == producer => scores.as_slice().first().copied(),
        _ => None,
    })
}

#[test]
fn it_falls_under_loss_and_recovers() {
    // Without retransmission: repaired loss costs little.
    let camera = Camera {
        rtx: false,
        ..Camera::default()
    };
    let (mut world, sender, producer, _) = World::one_camera(camera);
    world.run(Duration::from_secs(5));
    assert_eq!(score(&world, producer), Some(10));
    world.peers[sender.0]
        .uplink
        .set_config(link(1).loss(RandomLoss::new(Probability(0.25))));
    world.run(Duration::from_secs(30));
    let low = score(&world, producer).expect("told");
    assert!(low <= 6, "a score of {low} at 25 % loss");
    world.peers[sender.0].uplink.set_config(link(2));
    world.run(Duration::from_secs(60));
    assert!(
        score(&world, producer) >= Some(9),
        "{:?}",
        score(&world, producer)
    );
}

#[test]
fn a_silent_camera_scores_nothing() {
    let (mut world, sender, producer, _) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    assert_eq!(score(&world, producer), Some(10));
    world.peers[sender.0].tracks[0].source.paused = true;
    world.run(Duration::from_secs(8));
    assert_eq!(score(&world, producer), Some(0));
    world.peers[sender.0].tracks[0].source.paused = false;
    world.run(Duration::from_secs(3));
    assert_eq!(score(&world, producer), Some(10));
}
