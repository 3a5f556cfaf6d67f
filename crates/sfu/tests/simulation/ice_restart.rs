//! New ICE credentials take over without a break, and the old ones stop working after that.

use std::time::Duration;

use crate::world::check::assert_continuous;
use crate::world::{Camera, World};

#[test]
fn media_flows_through_a_restart() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    world.restart_ice(sender);
    world.restart_ice(consumer.peer);
    world.run(Duration::from_secs(40));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert!(packets.len() >= 42 * 125, "{} packets", packets.len());
    assert_continuous(&packets);
    let failed = |event: &sfu::Event| {
        matches!(
            event,
            sfu::Event::Ice {
                state: link::ice::IceState::Failed | link::ice::IceState::Disconnected,
                ..
            }
        )
    };
    assert!(
        !world.events.iter().any(|(_, event)| failed(event)),
        "{:?}",
        world.events
    );
}

#[test]
fn a_restart_and_a_new_address_at_once() {
    let (mut world, _, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    world.restart_ice(consumer.peer);
    let old = world.peers[consumer.peer.0].address;
    world.peers[consumer.peer.0].address = std::net::SocketAddr::new([203, 0, 113, 5].into(), old.port());
    world.run(Duration::from_secs(15));
    let last = world.peers[consumer.peer.0]
        .stream(consumer.ssrc)
        .last()
        .expect("video came")
        .at;
    assert!(world.now - last < Duration::from_millis(100), "video flows");
}
