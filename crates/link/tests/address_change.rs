//! A phone leaves Wi-Fi for the mobile network in the middle of a call.

use std::time::Duration;

use link::LinkEvent;

use crate::peer::{CELLULAR, Network, Traits, WIFI, World, path, rtp_packet};

#[test]
fn media_follows_the_peer_to_its_new_address() {
    let mut world = World::connected(Network::default(), Traits::default());
    assert_eq!(world.link.route(), Some(path(WIFI)));
    world.run(Duration::from_secs(5));

    world.peer.remove_address(WIFI);
    world.peer.add_address(CELLULAR);
    let left = world.now;
    assert!(
        world.run_until(Duration::from_secs(10), |world| world.link.route()
            == Some(path(CELLULAR)))
    );
    assert!(
        world.now - left < Duration::from_secs(2),
        "took {:?}",
        world.now - left
    );
    assert_eq!(world.events.last(), Some(&LinkEvent::Selected(path(CELLULAR))));

    world.run(Duration::from_millis(200));
    world.peer.send_rtp(&rtp_packet(1, 10));
    world.send_media(&rtp_packet(2, 20), 20);
    world.run(Duration::from_millis(200));
    assert_eq!(world.received, [rtp_packet(1, 10)]);
    assert_eq!(world.peer.received, [rtp_packet(2, 20)]);
}

#[test]
fn media_from_a_proven_path_is_accepted_before_it_is_nominated() {
    let mut world = World::new(Network::default(), Traits::default());
    world.peer.add_address(CELLULAR);
    world.connect();
    assert!(world.run_until(Duration::from_secs(10), World::is_ready));
    world.run(Duration::from_secs(2));
    let selected = world.link.route().expect("a route");
    let other = if selected == path(WIFI) { CELLULAR } else { WIFI };
    world.peer.send_rtp(&rtp_packet(1, 10));
    let packet = world.peer.poll_transmit().expect("a packet").bytes;
    assert_eq!(world.inject(other, &packet), None);
    assert_eq!(
        world.link.route(),
        Some(selected),
        "media does not move the selection"
    );
}
