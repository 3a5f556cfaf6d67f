//! A phone moves from one network to another: the new address takes over, the old one gets nothing more.

use std::net::SocketAddr;
use std::time::Duration;

use crate::world::check::missing;
use crate::world::{Camera, PeerId, World};

fn moved(world: &mut World, id: PeerId) {
    let old = world.peers[id.0].address;
    world.peers[id.0].address = SocketAddr::new([203, 0, 113, 77].into(), old.port() + 1);
}

#[test]
fn a_receiver_keeps_its_stream() {
    let (mut world, _, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    let before = world.peers[consumer.peer.0].stream(consumer.ssrc).len();
    moved(&mut world, consumer.peer);
    let flows = world.run_until(Duration::from_secs(10), |world| {
        world.peers[consumer.peer.0].stream(consumer.ssrc).len() > before + 50
    });
    assert!(flows, "video comes to the new address");
    let lost = world.lost_transmits;
    world.run(Duration::from_secs(5));
    assert_eq!(world.lost_transmits, lost, "nothing more goes to the old address");
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert!(packets.iter().all(|packet| packet.stamp.is_some()));
}

#[test]
fn a_sender_keeps_sending() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    moved(&mut world, sender);
    world.run(Duration::from_secs(10));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    let last = packets.last().expect("video came").at;
    assert!(world.now - last < Duration::from_millis(100), "video still comes");
    assert!(missing(&packets) < 1_250, "not all of the ten seconds is missing");
    assert!(world.peers[sender.0].is_connected);
}
