//! Either side hangs up.

use std::time::Duration;

use link::ice::IceState;
use link::{ConnectError, DropReason, DtlsRole, DtlsState, LinkEvent, ProtectError};

use crate::peer::{Network, Traits, Version, WIFI, World, path, rtp_packet};

fn every_kind() -> impl Iterator<Item = Traits> {
    [DtlsRole::Client, DtlsRole::Server].into_iter().flat_map(|role| {
        [Version::Dtls12, Version::Dtls13].map(|version| Traits {
            role,
            version,
            seed: 4,
        })
    })
}

#[test]
fn the_link_says_goodbye() {
    for traits in every_kind() {
        let mut world = World::connected(Network::default(), traits);
        world.events.clear();
        world.link.close(world.now);
        world.run(Duration::from_secs(1));
        assert!(world.peer.closed, "{traits:?}: the peer heard close_notify");
        assert!(world.events.contains(&LinkEvent::Dtls(DtlsState::Closed)));
        assert!(world.events.contains(&LinkEvent::Ice(IceState::Closed)));
        assert_eq!((world.link.route(), world.link.poll_timeout()), (None, None));
        assert_eq!(world.inject(WIFI, &rtp_packet(1, 1)), Some(DropReason::Closed));
        assert_eq!(
            world.link.connect(world.now, world.peer.parameters()),
            Err(ConnectError::Closed)
        );
        assert!(!world.link.owns_ufrag("serverfrag0"));
    }
}

#[test]
fn the_peer_says_goodbye() {
    for traits in every_kind() {
        let mut world = World::connected(Network::default(), traits);
        world.events.clear();
        let now = world.now;
        world.peer.close(now);
        world.run(Duration::from_secs(1));
        assert!(
            world.events.contains(&LinkEvent::Dtls(DtlsState::Closed)),
            "{traits:?}"
        );
        assert_eq!(world.link.route(), None);
        let refused = world.link.protect_rtcp(&mut vec![0x80, 201, 0, 1, 0, 0, 0, 1]);
        assert_eq!(refused, Err(ProtectError::NotReady));
    }
}

#[test]
fn closing_in_every_state_is_harmless() {
    let mut world = World::new(Network::default(), Traits::default());
    world.link.close(world.now);
    world.link.close(world.now);
    world.run(Duration::from_secs(1));
    assert_eq!(world.ice_states(), [IceState::Closed]);

    let mut world = World::new(Network::default(), Traits::default());
    world.connect();
    assert!(world.run_until(Duration::from_secs(5), |world| world.link.selected().is_some()));
    world.link.close(world.now);
    world.run(Duration::from_secs(1));
    assert_eq!(world.dtls_states(), [DtlsState::Connecting, DtlsState::Closed]);
}

#[test]
fn a_path_that_is_gone_is_left() {
    let mut world = World::connected(Network::default(), Traits::default());
    world.events.clear();
    world.link.forget_tuple(world.now, path(WIFI));
    assert_eq!(world.link.route(), None);
    // The peer, which knows nothing of it, checks again and is back.
    assert!(
        world.run_until(Duration::from_secs(10), |world| world.link.route()
            == Some(path(WIFI)))
    );
    assert_eq!(world.ice_states(), [IceState::Disconnected, IceState::Completed]);
}
