//! The handshake completes in both roles and all versions, whatever the network loses, repeats or reorders.

use std::time::Duration;

use link::ice::IceState;
use link::{DtlsRole, DtlsState, LinkEvent, SrtpProfile};

use crate::peer::{Network, Traits, Version, WIFI, World, path, rtcp_packet, rtp_packet};

const ROLES: [DtlsRole; 2] = [DtlsRole::Client, DtlsRole::Server];
const VERSIONS: [Version; 3] = [Version::Dtls12, Version::Dtls13, Version::Auto];

fn media_flows(world: &mut World) {
    world.peer.send_rtp(&rtp_packet(1, 10));
    world.send_media(&rtp_packet(2, 20), 20);
    world.send_feedback(&rtcp_packet(3));
    world.run(Duration::from_secs(1));
}

#[test]
fn every_role_and_version_ends_in_media_both_ways() {
    for role in ROLES {
        for version in VERSIONS {
            let mut world = World::connected(
                Network::default(),
                Traits {
                    role,
                    version,
                    seed: 1,
                },
            );
            assert_eq!(
                world.ice_states(),
                [IceState::Connected, IceState::Completed],
                "{role:?} {version:?}"
            );
            assert_eq!(world.dtls_states(), [DtlsState::Connecting, DtlsState::Connected]);
            assert_eq!(world.link.route(), Some(path(WIFI)));
            assert_eq!(
                world.peer.server_certificate.as_deref(),
                Some(world.certificate.der())
            );
            let ready = world
                .events
                .iter()
                .filter(|event| matches!(event, LinkEvent::SrtpReady(_)))
                .count();
            assert_eq!(ready, 1);
            media_flows(&mut world);
            assert_eq!(world.received, [rtp_packet(1, 10)], "{role:?} {version:?}");
            assert_eq!(
                world.peer.received,
                [rtp_packet(2, 20), rtcp_packet(3)],
                "{role:?} {version:?}"
            );
        }
    }
}

#[test]
fn both_sides_agree_on_the_profile() {
    for role in ROLES {
        for version in VERSIONS {
            let world = World::connected(
                Network::default(),
                Traits {
                    role,
                    version,
                    seed: 2,
                },
            );
            let peers = match world.peer.keys.as_ref().expect("connected").profile {
                dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
                dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
                _ => SrtpProfile::AesCm128HmacSha1_80,
            };
            assert!(
                world.events.contains(&LinkEvent::SrtpReady(peers)),
                "{role:?} {version:?}"
            );
        }
    }
}

#[test]
fn loss_duplication_and_reordering_only_delay_it() {
    for (loss_percent, seeds) in [(1, 4), (5, 4), (10, 4), (20, 6)] {
        for seed in 0..seeds {
            for role in ROLES {
                let network = Network {
                    loss_percent,
                    duplicate_percent: 10,
                    delay: Duration::from_millis(40),
                    jitter: Duration::from_millis(30),
                };
                let version = VERSIONS[seed as usize % VERSIONS.len()];
                let world = World::connected(
                    network,
                    Traits {
                        role,
                        version,
                        seed: seed + 1,
                    },
                );
                let bound = Duration::from_secs(if loss_percent < 20 { 12 } else { 30 });
                assert!(
                    world.elapsed() <= bound,
                    "{network:?} {role:?} {version:?} took {:?}",
                    world.elapsed()
                );
            }
        }
    }
}

#[test]
fn a_long_path_is_no_obstacle() {
    for role in ROLES {
        let network = Network {
            delay: Duration::from_millis(400),
            ..Network::default()
        };
        let mut world = World::connected(
            network,
            Traits {
                role,
                ..Traits::default()
            },
        );
        media_flows(&mut world);
        assert_eq!(world.received.len(), 1);
    }
}

#[test]
fn a_peer_that_never_shakes_hands_fails_in_time() {
    for role in ROLES {
        let mut world = World::new(
            Network::default(),
            Traits {
                role,
                ..Traits::default()
            },
        );
        // Connected by ICE, the peer is told a different role than it plays: both wait, or both talk.
        let mut parameters = world.peer.parameters();
        parameters.role = if role == DtlsRole::Client {
            DtlsRole::Server
        } else {
            DtlsRole::Client
        };
        world
            .link
            .connect(world.now, parameters)
            .expect("first parameters");
        world.run(Duration::from_secs(60));
        assert_eq!(
            world.dtls_states(),
            [DtlsState::Connecting, DtlsState::Failed],
            "{role:?}"
        );
        assert_eq!(world.link.route(), None);
    }
}
