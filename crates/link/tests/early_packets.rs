//! What comes too early, or from nowhere, is dropped and counted; what comes again later succeeds.

use std::time::Duration;

use link::{ConnectError, DropReason, DtlsRole, DtlsState, RemoteDtls};

use crate::peer::{CELLULAR, Network, Traits, WIFI, World, rtcp_packet, rtp_packet};

/// A ClientHello's first bytes are enough: nothing before `connect` looks further.
const CLIENT_HELLO: &[u8] = &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0];

#[test]
fn only_proven_addresses_are_listened_to() {
    let mut world = World::new(Network::default(), Traits::default());
    for packet in [CLIENT_HELLO, &rtp_packet(1, 1), &rtcp_packet(1)] {
        assert_eq!(world.inject(WIFI, packet), Some(DropReason::UnknownTuple));
    }
    assert_eq!(world.inject(WIFI, b""), Some(DropReason::Unknown));
    assert_eq!(world.inject(WIFI, b"\x50not for us"), Some(DropReason::Unknown));
    assert_eq!(world.inject(WIFI, &[0x80; 5000]), Some(DropReason::TooLarge));
    assert_eq!(world.inject(WIFI, &[0, 1, 0, 0]), Some(DropReason::BadStun));

    let mut world = World::connected(Network::default(), Traits::default());
    world.peer.send_rtp(&rtp_packet(1, 1));
    let authentic = world.peer.poll_transmit().expect("a packet").bytes;
    assert_eq!(
        world.inject(CELLULAR, &authentic),
        Some(DropReason::UnknownTuple),
        "even authentic media"
    );
    assert_eq!(world.inject(WIFI, &authentic), None);
    assert_eq!(world.inject(WIFI, &authentic), Some(DropReason::Replay));
    assert_eq!(
        world.inject(WIFI, &rtp_packet(1, 2)),
        Some(DropReason::Authentication)
    );
    assert_eq!(world.inject(WIFI, &[0x80, 96, 0]), Some(DropReason::Malformed));
    assert_eq!(world.link.drops()[DropReason::UnknownTuple], 1);
    assert_eq!(world.link.drops()[DropReason::Replay], 1);
}

#[test]
fn dtls_before_connect_is_dropped_and_its_repetition_answered() {
    let mut world = World::new(Network::default(), Traits::default());
    world.run(Duration::from_secs(2));
    let dropped = world.link.drops()[DropReason::DtlsEarly];
    assert!(dropped >= 2, "the client has tried {dropped} times");
    assert_eq!(world.dtls_states(), []);
    world.connect();
    assert!(world.run_until(Duration::from_secs(5), World::is_ready));
}

#[test]
fn media_before_verification_is_dropped() {
    let mut world = World::new(Network::default(), Traits::default());
    world.connect();
    assert!(world.run_until(Duration::from_secs(5), |world| world.link.selected().is_some()));
    assert_eq!(world.link.route(), None, "selected is not enough");
    for packet in [rtp_packet(1, 1), rtcp_packet(1)] {
        assert_eq!(world.inject(WIFI, &packet), Some(DropReason::NotReady));
    }
    assert_eq!(world.link.drops()[DropReason::NotReady], 2);
    assert!(
        world.run_until(Duration::from_secs(5), World::is_ready),
        "and it did no harm"
    );
}

#[test]
fn connect_is_idempotent_and_particular() {
    let mut world = World::new(Network::default(), Traits::default());
    let parameters = world.peer.parameters();
    let nothing = RemoteDtls {
        role: DtlsRole::Client,
        fingerprints: Vec::new(),
    };
    assert_eq!(
        world.link.connect(world.now, nothing),
        Err(ConnectError::NoFingerprint)
    );
    assert_eq!(world.link.connect(world.now, parameters.clone()), Ok(()));
    assert_eq!(world.link.connect(world.now, parameters.clone()), Ok(()));
    let other = RemoteDtls {
        role: DtlsRole::Server,
        ..parameters
    };
    assert_eq!(world.link.connect(world.now, other), Err(ConnectError::Different));
    assert!(world.run_until(Duration::from_secs(5), World::is_ready));
    assert_eq!(world.dtls_states(), [DtlsState::Connecting, DtlsState::Connected]);
}

#[test]
fn noise_during_the_handshake_does_not_end_it() {
    for role in [DtlsRole::Client, DtlsRole::Server] {
        let mut world = World::new(
            Network::default(),
            Traits {
                role,
                ..Traits::default()
            },
        );
        world.connect();
        assert!(world.run_until(Duration::from_secs(5), |world| world.link.selected().is_some()));
        let reason = world.inject(WIFI, &[63; 80]);
        assert!(
            matches!(reason, None | Some(DropReason::DtlsRejected)),
            "{role:?}"
        );
        assert!(
            world.run_until(Duration::from_secs(10), World::is_ready),
            "{role:?}"
        );
    }
}
