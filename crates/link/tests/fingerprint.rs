//! A peer whose certificate was not announced gets nothing and is believed nothing.

use std::time::Duration;

use link::{
    DropReason, DtlsRole, DtlsState, Fingerprint, FingerprintAlgorithm, LinkEvent, ProtectError, RemoteDtls,
};

use crate::peer::{Network, Traits, Version, WIFI, World, rtp_packet};

fn foreign(algorithm: FingerprintAlgorithm) -> Fingerprint {
    Fingerprint::of(algorithm, b"some other certificate")
}

#[test]
fn a_mismatch_is_refused_before_any_key_is_installed() {
    for role in [DtlsRole::Client, DtlsRole::Server] {
        for version in [Version::Dtls12, Version::Dtls13, Version::Auto] {
            let mut world = World::new(
                Network::default(),
                Traits {
                    role,
                    version,
                    seed: 3,
                },
            );
            let fingerprints = vec![
                foreign(FingerprintAlgorithm::Sha256),
                foreign(FingerprintAlgorithm::Sha512),
            ];
            world
                .link
                .connect(world.now, RemoteDtls { role, fingerprints })
                .expect("first parameters");
            world.run(Duration::from_secs(20));
            assert_eq!(
                world.dtls_states(),
                [DtlsState::Connecting, DtlsState::Failed],
                "{role:?} {version:?}"
            );
            assert!(
                !world
                    .events
                    .iter()
                    .any(|event| matches!(event, LinkEvent::SrtpReady(_)))
            );
            assert_eq!(world.link.route(), None);
            let mut packet = rtp_packet(1, 1);
            let len = packet.len();
            packet.resize(len + 16, 0);
            let refused = world.link.protect_rtp(&mut packet, len, rtp::SeqNo(1));
            assert_eq!(refused, Err(ProtectError::NotReady));
            assert_eq!(
                world.link.protect_rtcp(&mut vec![0x80, 201, 0, 1, 0, 0, 0, 1]),
                Err(ProtectError::NotReady)
            );

            // As DTLS 1.3 server the peer may have finished before its certificate reached us.
            if world.peer.is_connected() {
                world.peer.send_rtp(&rtp_packet(1, 10));
                world.run(Duration::from_secs(1));
                assert_eq!(world.link.drops()[DropReason::NotReady], 1);
            }
            assert!(world.received.is_empty());
            assert_eq!(
                world.inject(WIFI, &[22, 254, 253, 0, 0]),
                Some(DropReason::DtlsRejected)
            );
        }
    }
}

#[test]
fn one_matching_fingerprint_suffices_whatever_its_algorithm() {
    for algorithm in [
        FingerprintAlgorithm::Sha1,
        FingerprintAlgorithm::Sha224,
        FingerprintAlgorithm::Sha256,
        FingerprintAlgorithm::Sha384,
        FingerprintAlgorithm::Sha512,
    ] {
        let mut world = World::new(Network::default(), Traits::default());
        let certificate = world.peer.certificate().to_vec();
        let fingerprints = vec![foreign(algorithm), Fingerprint::of(algorithm, &certificate)];
        world
            .link
            .connect(
                world.now,
                RemoteDtls {
                    role: DtlsRole::Client,
                    fingerprints,
                },
            )
            .expect("parameters");
        assert!(
            world.run_until(Duration::from_secs(10), World::is_ready),
            "{algorithm:?}"
        );
    }
}
