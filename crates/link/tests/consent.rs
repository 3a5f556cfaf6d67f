//! The peer goes silent, and comes back or does not.

use std::time::Duration;

use link::ice::IceState;

use crate::peer::{Network, Traits, World, rtp_packet};

#[test]
fn a_silent_peer_is_disconnected_and_then_sent_nothing() {
    let mut world = World::connected(Network::default(), Traits::default());
    world.run(Duration::from_secs(5));
    world.events.clear();
    world.cut = true;
    assert!(world.run_until(Duration::from_secs(9), |world| !world.events.is_empty()));
    assert_eq!(world.ice_states(), [IceState::Disconnected]);
    assert!(world.link.route().is_some());
    assert!(world.run_until(Duration::from_secs(23), |world| world.events.len() > 1));
    assert_eq!(world.ice_states(), [IceState::Disconnected, IceState::Failed]);
    assert_eq!(world.link.route(), None);
}

#[test]
fn a_tunnel_is_survived() {
    let mut world = World::connected(Network::default(), Traits::default());
    world.events.clear();
    world.cut = true;
    world.run(Duration::from_secs(15));
    world.cut = false;
    assert!(world.run_until(Duration::from_secs(10), |world| world.ice_states().len() == 2));
    assert_eq!(world.ice_states(), [IceState::Disconnected, IceState::Completed]);
    world.peer.send_rtp(&rtp_packet(1, 10));
    world.run(Duration::from_secs(1));
    assert_eq!(world.received, [rtp_packet(1, 10)]);
}

#[test]
fn regular_checks_over_a_bad_network_keep_consent() {
    let network = Network {
        loss_percent: 20,
        ..Network::default()
    };
    let mut world = World::connected(
        network,
        Traits {
            seed: 5,
            ..Traits::default()
        },
    );
    world.run(Duration::from_secs(600));
    assert!(world.link.route().is_some());
    assert!(
        !world.ice_states().contains(&IceState::Failed),
        "{:?}",
        world.ice_states()
    );
}

#[test]
fn a_peer_that_never_arrives_fails_after_connect() {
    let mut world = World::new(Network::default(), Traits::default());
    world.cut = true;
    world.run(Duration::from_secs(60));
    assert_eq!(world.ice_states(), []);
    world.connect();
    world.run(Duration::from_secs(29));
    assert_eq!(world.ice_states(), []);
    world.run(Duration::from_secs(2));
    assert_eq!(world.ice_states(), [IceState::Failed]);
}
