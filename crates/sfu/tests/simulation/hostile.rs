//! What a stranger or a broken client sends is counted, and nothing else.

use std::net::SocketAddr;
use std::time::Duration;

use link::DropReason;
use sfu::spec::MediaKind;

use crate::world::check::assert_continuous;
use crate::world::peer::Datagram;
use crate::world::{Camera, World};

/// A small generator, so that failures repeat (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = self.next() as usize % 200;
        let mut bytes: Vec<u8> = (0..len).map(|_| self.next() as u8).collect();
        // Half of them look like what they are not: STUN, DTLS, RTP or RTCP.
        if let Some(first) = bytes.first_mut().filter(|_| self.next().is_multiple_of(2)) {
            *first = [0x00, 0x01, 0x16, 0x17, 0x80, 0x90, 0xb0, 0x81][self.next() as usize % 8];
        }
        if let Some(second) = bytes.get_mut(1).filter(|_| self.next().is_multiple_of(4)) {
            *second = 200 + (self.next() % 8) as u8;
        }
        bytes
    }
}

#[test]
fn rubbish_from_strangers_is_counted() {
    let (mut world, _, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(1));
    let stranger = SocketAddr::new([203, 0, 113, 200].into(), 9);
    let mut random = Random(1);
    let before = world.counters();
    for _ in 0..5_000 {
        world.deliver(Datagram {
            client: stranger,
            bytes: random.bytes(),
        });
    }
    let after = world.counters();
    assert_eq!(after.datagrams_received, before.datagrams_received + 5_000);
    assert_eq!(after.unknown_address, before.unknown_address + 5_000);
    assert_eq!(world.lost_transmits, 0, "a stranger gets no answer");
    world.run(Duration::from_secs(1));
    assert_continuous(&world.peers[consumer.peer.0].stream(consumer.ssrc));
}

#[test]
fn rubbish_from_a_clients_address_is_counted() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(1));
    let mut random = Random(2);
    let refused = |world: &World| {
        let counters = world.counters();
        counters.link_drops.iter().sum::<u64>() + counters.malformed_rtp + counters.malformed_rtcp
    };
    let before = refused(&world);
    for id in [sender, consumer.peer] {
        let client = world.peers[id.0].address;
        for _ in 0..5_000 {
            world.deliver(Datagram {
                client,
                bytes: random.bytes(),
            });
        }
    }
    let refused = refused(&world) - before;
    // What looks like DTLS, a fifth, is the handshake engine's: it drops records that make no sense without a word.
    assert!(
        (7_500..=10_000).contains(&refused),
        "{refused} of 10,000 are counted by reason"
    );
    world.run(Duration::from_secs(2));
    assert_continuous(&world.peers[consumer.peer.0].stream(consumer.ssrc));
}

#[test]
fn recorded_packets_are_good_for_nothing() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(1));
    // Everything the sender sends in the next second, played back three times: from its address, and from elsewhere.
    let mut recorded = Vec::new();
    let end = world.now + Duration::from_secs(1);
    while world.now < end {
        world.now += Duration::from_millis(1);
        for id in 0..world.peers.len() {
            for datagram in world.peers[id].run(world.now) {
                if id == sender.0 {
                    recorded.push(datagram.clone());
                }
                world.deliver(datagram);
            }
        }
        world.run(Duration::ZERO);
    }
    world.run(Duration::from_millis(100));
    assert!(recorded.len() > 100, "{} datagrams", recorded.len());
    let before = world.counters();
    let elsewhere = SocketAddr::new([203, 0, 113, 9].into(), 999);
    for round in 0..3 {
        for datagram in &recorded {
            let client = if round == 0 { elsewhere } else { datagram.client };
            // STUN may be repeated: retransmission is part of it.
            if datagram.bytes[0] >= 128 {
                world.deliver(Datagram {
                    client,
                    bytes: datagram.bytes.clone(),
                });
            }
        }
    }
    let after = world.counters();
    assert_eq!(
        after.rtp_received, before.rtp_received,
        "no replayed packet is taken"
    );
    assert!(after.unknown_address > before.unknown_address + 100);
    let replay = DropReason::Replay as usize;
    assert!(after.link_drops[replay] > before.link_drops[replay] + 200);
    world.run(Duration::from_secs(1));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert_continuous(&packets);
}

#[test]
fn damaged_packets_fail_authentication() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(1));
    let authentication = DropReason::Authentication as usize;
    let before = world.counters().link_drops[authentication];
    let end = world.now + Duration::from_secs(2);
    let mut random = Random(3);
    while world.now < end {
        world.now += Duration::from_millis(1);
        for id in 0..world.peers.len() {
            for mut datagram in world.peers[id].run(world.now) {
                let good = datagram.bytes.clone();
                if id == sender.0 && datagram.bytes[0] >= 128 {
                    let at = 12 + random.next() as usize % (datagram.bytes.len() - 12);
                    datagram.bytes[at] ^= 1 << (random.next() % 8);
                    world.deliver(Datagram {
                        client: datagram.client,
                        bytes: datagram.bytes,
                    });
                }
                world.deliver(Datagram {
                    client: datagram.client,
                    bytes: good,
                });
            }
        }
        world.run(Duration::ZERO);
    }
    let after = world.counters().link_drops[authentication];
    assert!(after > before + 200, "{} refused", after - before);
    world.run(Duration::from_millis(500));
    assert_continuous(&world.peers[consumer.peer.0].stream(consumer.ssrc));
}

#[test]
fn a_client_cannot_send_as_another() {
    let mut world = World::new();
    let (alice, mallory, receiver) = (world.sender(), world.sender(), world.receiver());
    world.connect();
    let producer = world.microphone(alice, 40);
    let consumer = world.watch(receiver, producer, MediaKind::Audio);
    world.run(Duration::from_secs(1));
    // Mallory's own transport carries packets under Alice's SSRC.
    let ssrc = world.peers[alice.0].tracks[0].ssrc;
    let source = crate::world::media::Source::new(
        77,
        crate::world::media::Kind::Audio { level: 0 },
        Duration::from_millis(20),
    );
    let now = world.now;
    world.peers[mallory.0].add_track(now, source, "mal".into(), None, (ssrc, None));
    let before = world.counters().unknown_ssrc;
    world.run(Duration::from_secs(2));
    assert!(world.counters().unknown_ssrc >= before + 90);
    let packets = world.peers[receiver.0].stream(consumer.ssrc);
    assert!(
        packets
            .iter()
            .all(|packet| packet.stamp.is_some_and(|stamp| stamp.stream != 77))
    );
    assert_continuous(&packets);
}
