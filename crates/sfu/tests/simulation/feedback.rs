//! Congestion control of the uplink: transport-wide feedback where negotiated, REMB where not.

use std::time::Duration;

use link::DtlsRole;
use sfu::spec::MediaKind;
use str0m::bwe::Bitrate;
use str0m::rtp::rtcp::Rtcp;

use crate::world::peer::{PeerOptions, Side, link};
use crate::world::{Camera, World};

#[test]
fn feedback_lets_the_senders_estimate_climb() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    world.peers[sender.0]
        .rtc
        .bwe()
        .set_bitrate(Bitrate::kbps(0), Bitrate::mbps(4));
    let producer = world.camera(sender, Camera::default());
    world.watch(receiver, producer, MediaKind::Video);
    world.run(Duration::from_secs(15));
    let client = &world.peers[sender.0];
    let feedback = client
        .rtcp
        .iter()
        .filter(|(_, rtcp)| matches!(rtcp, Rtcp::Twcc(_)))
        .count();
    assert!(
        (100..600).contains(&feedback),
        "{feedback} feedback packets in 15 s"
    );
    let (_, last) = *client.estimates.last().expect("estimates come");
    assert!(last > 1_500_000, "{:?}", client.estimates);
    assert!(client.rembs.is_empty(), "no ceiling beside the estimate");
}

#[test]
fn feedback_lets_the_sender_notice_a_bottleneck() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    world.peers[sender.0]
        .rtc
        .bwe()
        .set_bitrate(Bitrate::kbps(0), Bitrate::mbps(4));
    let producer = world.camera(sender, Camera::default());
    world.watch(receiver, producer, MediaKind::Video);
    world.run(Duration::from_secs(10));
    let narrow = link(3).link(
        str0m_netem::Bitrate::kbps(700),
        str0m_netem::DataSize::kbytes(100),
    );
    world.peers[sender.0].uplink.set_config(narrow);
    world.run(Duration::from_secs(10));
    let (_, last) = *world.peers[sender.0].estimates.last().expect("estimates come");
    assert!(last < 1_000_000, "an estimate of {last} over 700 kbit/s");
}

#[test]
fn without_transport_feedback_remb_tells_the_ceiling() {
    let mut world = World::new();
    let sender = world.peer(
        PeerOptions {
            side: Side::Sends,
            transport_cc: false,
        },
        DtlsRole::Client,
    );
    let receiver = world.receiver();
    world.connect();
    let producer = world.camera(sender, Camera::default());
    world.watch(receiver, producer, MediaKind::Video);
    world.run(Duration::from_secs(5));
    let client = &world.peers[sender.0];
    assert!(
        !client.rtcp.iter().any(|(_, rtcp)| matches!(rtcp, Rtcp::Twcc(_))),
        "nothing to report on"
    );
    let (_, bitrate) = *client.rembs.last().expect("REMB comes");
    // Six bits of exponent and eighteen of mantissa round a little.
    assert!(bitrate.abs_diff(2_500_000) < 10_000, "{bitrate}");
    assert!(client.rembs.len() >= 3);
}

#[test]
fn the_downlink_estimate_follows_the_clients_feedback() {
    let (mut world, _, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(10));
    let wide = world.transport_stats(consumer.peer).outgoing_estimate;
    assert!(wide.0 >= 1_000_000, "{wide:?}");
    let narrow = link(4).link(str0m_netem::Bitrate::kbps(500), str0m_netem::DataSize::kbytes(60));
    world.peers[consumer.peer.0].downlink.set_config(narrow);
    world.run(Duration::from_secs(10));
    let narrow = world.transport_stats(consumer.peer).outgoing_estimate;
    assert!(narrow.0 < 750_000, "{narrow:?} over 500 kbit/s");
}
