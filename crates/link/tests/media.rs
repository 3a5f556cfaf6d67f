//! Much media over a bad network: what arrives is what was sent, once.

use std::collections::HashSet;
use std::time::Duration;

use link::{DropReason, DtlsRole};

use crate::peer::{Network, Traits, Version, World, rtcp_packet, rtp_packet};

#[test]
fn thousands_of_packets_over_a_rollover() {
    for (role, version) in [
        (DtlsRole::Client, Version::Dtls12),
        (DtlsRole::Server, Version::Dtls13),
    ] {
        let network = Network {
            loss_percent: 5,
            duplicate_percent: 5,
            delay: Duration::from_millis(30),
            jitter: Duration::from_millis(12),
        };
        let mut world = World::connected(
            network,
            Traits {
                role,
                version,
                seed: 6,
            },
        );
        // The rollover counter of the first packet does not matter to the link; the peer starts at zero.
        let (up, down) = (0xF000_u64, 0x3_F000_u64);
        for step in 0..6000 {
            world.peer.send_rtp(&rtp_packet(1, up + step));
            world.send_media(&rtp_packet(2, down + step), down + step);
            if step % 50 == 0 {
                world.peer.send_rtcp(&rtcp_packet(1));
                world.send_feedback(&rtcp_packet(2));
            }
            world.run(Duration::from_millis(3));
        }
        world.run(Duration::from_secs(1));
        let distinct: HashSet<&[u8]> = world.received.iter().map(Vec::as_slice).collect();
        let media = world.received.iter().filter(|packet| packet.len() > 12).count();
        assert_eq!(
            distinct.len(),
            media + 1,
            "nothing passed twice; all reports look alike"
        );
        assert!(media > 5500, "{media} of 6000 arrived");
        assert!(distinct.iter().all(|packet| packet.len() < 12 || {
            let sequence = u16::from_be_bytes([packet[2], packet[3]]);
            let step = u64::from(sequence.wrapping_sub(up as u16));
            **packet == rtp_packet(1, up + step)[..]
        }));
        let drops = world.link.drops();
        assert_eq!(drops[DropReason::Authentication], 0);
        assert!(drops[DropReason::Replay] > 100, "the network's duplicates");
        assert!(world.peer.received.len() > 5500);
    }
}
