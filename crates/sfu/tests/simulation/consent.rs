//! A client that falls silent loses its transport after 30 s (contract §1.9), and gets it back if it returns sooner.

use std::time::Duration;

use link::ice::IceState;
use sfu::Event;
use sfu::key::TransportKey;

use crate::world::{Camera, World};

fn states(world: &World, transport: TransportKey) -> Vec<(u64, IceState)> {
    let of = |(at, event): &(std::time::Instant, Event)| match event {
        Event::Ice {
            transport: key,
            state,
        } if *key == transport => Some((world.ms(*at), *state)),
        _ => None,
    };
    world.events.iter().filter_map(of).collect()
}

#[test]
fn thirty_seconds_of_silence_end_a_transport() {
    let (mut world, sender, _, _) = World::one_camera(Camera::default());
    let transport = world.transport(sender);
    world.run(Duration::from_secs(5));
    world.peers[sender.0].muted = true;
    let silent = world.ms(world.now);
    world.run(Duration::from_secs(40));
    let states = states(&world, transport);
    let (at, last) = *states.last().expect("the state changed");
    assert_eq!(last, IceState::Failed, "{states:?}");
    assert!(
        (silent + 25_000..=silent + 31_000).contains(&at),
        "failed {} ms later",
        at - silent
    );
}

#[test]
fn a_short_silence_does_not() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    let transport = world.transport(sender);
    world.run(Duration::from_secs(5));
    world.peers[sender.0].muted = true;
    world.run(Duration::from_secs(8));
    world.peers[sender.0].muted = false;
    world.run(Duration::from_secs(15));
    let states = states(&world, transport);
    assert!(
        states.iter().all(|(_, state)| *state != IceState::Failed),
        "{states:?}"
    );
    let last = world.peers[consumer.peer.0]
        .stream(consumer.ssrc)
        .last()
        .expect("video came")
        .at;
    assert!(world.now - last < Duration::from_millis(200), "video flows again");
}
