//! New ICE credentials under a running call.

use std::time::Duration;

use crate::peer::{CELLULAR, Network, Traits, WIFI, World, path, rtp_packet, server_credentials};

#[test]
fn media_continues_while_ice_restarts() {
    let mut world = World::connected(Network::default(), Traits::default());
    let (old, new) = (server_credentials(0), server_credentials(1));
    world.link.restart_ice(new.clone());
    assert!(world.link.owns_ufrag(&old.ufrag) && world.link.owns_ufrag(&new.ufrag));
    assert_eq!(world.link.route(), Some(path(WIFI)));

    // The peer has not heard of it yet and goes on with the old ones.
    world.run(Duration::from_secs(10));
    assert_eq!(world.link.route(), Some(path(WIFI)));
    assert!(world.link.owns_ufrag(&old.ufrag));

    world.peer.restart_ice(&new);
    world.peer.send_rtp(&rtp_packet(1, 10));
    assert!(world.run_until(Duration::from_secs(10), |world| {
        !world.link.owns_ufrag("serverfrag0")
    }));
    assert!(world.link.owns_ufrag(&new.ufrag));
    world.peer.send_rtp(&rtp_packet(1, 11));
    world.send_media(&rtp_packet(2, 20), 20);
    world.run(Duration::from_secs(1));
    assert_eq!(world.received, [rtp_packet(1, 10), rtp_packet(1, 11)]);
    assert_eq!(world.peer.received, [rtp_packet(2, 20)]);
}

#[test]
fn a_restart_moves_to_another_address() {
    let mut world = World::connected(Network::default(), Traits::default());
    let new = server_credentials(1);
    world.link.restart_ice(new.clone());
    world.peer.remove_address(WIFI);
    world.peer.add_address(CELLULAR);
    world.peer.restart_ice(&new);
    assert!(
        world.run_until(Duration::from_secs(10), |world| world.link.route()
            == Some(path(CELLULAR)))
    );
}
