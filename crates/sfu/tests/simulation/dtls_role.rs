//! Both DTLS roles work, for both directions of transport (contract §1.8.8).

use std::time::Duration;

use link::{DtlsRole, DtlsState};
use sfu::Event;
use sfu::spec::MediaKind;

use crate::world::check::assert_continuous;
use crate::world::peer::{PeerOptions, Side};
use crate::world::{Camera, World};

fn media_flows(sends: DtlsRole, receives: DtlsRole) {
    let mut world = World::new();
    let sender = world.peer(
        PeerOptions {
            side: Side::Sends,
            transport_cc: true,
        },
        sends,
    );
    let receiver = world.peer(
        PeerOptions {
            side: Side::Receives,
            transport_cc: true,
        },
        receives,
    );
    world.connect();
    let producer = world.camera(sender, Camera::default());
    let consumer = world.watch(receiver, producer, MediaKind::Video);
    world.run(Duration::from_secs(2));
    let packets = world.peers[receiver.0].stream(consumer.ssrc);
    eprintln!(
        "{:?} first {} keys {:?} ev {:?} {:?}",
        world.ms(world.now),
        world.ms(packets[0].at),
        world.peers[sender.0]
            .key_requests
            .iter()
            .map(|k| world.ms(k.0))
            .collect::<Vec<_>>(),
        world
            .events
            .iter()
            .map(|e| (world.ms(e.0), e.1.clone()))
            .collect::<Vec<_>>(),
        world.counters()
    );
    assert!(packets.len() > 200, "{} packets", packets.len());
    assert_continuous(&packets);
    for id in [sender, receiver] {
        let transport = world.transport(id);
        let connected = Event::Dtls {
            transport,
            state: DtlsState::Connected,
        };
        assert!(world.events.iter().any(|(_, event)| *event == connected));
    }
}

#[test]
fn clients_are_dtls_clients() {
    media_flows(DtlsRole::Client, DtlsRole::Client);
}

#[test]
fn clients_are_dtls_servers() {
    media_flows(DtlsRole::Server, DtlsRole::Server);
}

#[test]
fn clients_leave_the_role_to_us() {
    media_flows(DtlsRole::Auto, DtlsRole::Auto);
}
