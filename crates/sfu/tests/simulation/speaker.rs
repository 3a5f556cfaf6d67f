//! The loudest participant is told, and told again only when it changes.

use std::time::Duration;

use sfu::Event;
use sfu::key::ProducerKey;

use crate::world::media::Kind;
use crate::world::{PeerId, World};

fn set_level(world: &mut World, id: PeerId, level: u8) {
    world.peers[id.0].tracks[0].source.kind = Kind::Audio { level };
}

fn speakers(world: &World) -> Vec<Option<ProducerKey>> {
    let told = |(_, event): &(_, Event)| match event {
        Event::ActiveSpeaker { router, producer, .. } if *router == world.router => Some(*producer),
        _ => None,
    };
    world.events.iter().filter_map(told).collect()
}

#[test]
fn a_talk_of_two() {
    let mut world = World::new();
    let people = [world.sender(), world.sender()];
    world.connect();
    let producers = people.map(|id| world.microphone(id, 90));
    world.run(Duration::from_secs(3));
    assert_eq!(speakers(&world), [], "a quiet room");
    set_level(&mut world, people[0], 30);
    world.run(Duration::from_secs(3));
    assert_eq!(speakers(&world), [Some(producers[0])]);
    set_level(&mut world, people[1], 28);
    world.run(Duration::from_secs(3));
    assert_eq!(
        speakers(&world),
        [Some(producers[0])],
        "no louder than the speaker"
    );
    set_level(&mut world, people[0], 90);
    world.run(Duration::from_secs(3));
    assert_eq!(speakers(&world), [Some(producers[0]), Some(producers[1])]);
    set_level(&mut world, people[1], 90);
    world.run(Duration::from_secs(6));
    assert_eq!(speakers(&world), [Some(producers[0]), Some(producers[1]), None]);
}
