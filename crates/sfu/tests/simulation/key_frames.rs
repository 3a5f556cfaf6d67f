//! Who needs a key frame gets one: on resume, on a late join, on request; and the producer is not flooded.

use std::time::Duration;

use sfu::Command;
use sfu::spec::MediaKind;
use str0m::media::KeyframeRequestKind;

use crate::world::check::assert_continuous;
use crate::world::{Camera, World};

#[test]
fn a_resumed_consumer_starts_with_a_key_frame_of_its_own() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    let producer = world.camera(sender, Camera::default());
    let consumer = world.consume(receiver, producer, MediaKind::Video);
    world.run(Duration::from_secs(5));
    assert_eq!(
        world.peers[receiver.0].received.len(),
        0,
        "consumers start paused"
    );
    let asked = world.peers[sender.0].key_requests.len();

    world.done(Command::ResumeConsumer(consumer.key));
    let resumed = world.now;
    world.run(Duration::from_secs(1));
    assert_eq!(world.peers[sender.0].key_requests.len(), asked + 1, "one request");
    let packets = world.peers[receiver.0].stream(consumer.ssrc);
    assert_continuous(&packets);
    assert!(
        packets[0]
            .stamp
            .is_some_and(|stamp| stamp.key && stamp.index == 0)
    );
    // Request 10 ms, the next frame up to 40 ms, 10 ms each way.
    assert!(
        packets[0].at - resumed <= Duration::from_millis(80),
        "{:?}",
        packets[0].at - resumed
    );
}

#[test]
fn a_late_joiner_gets_a_key_frame_and_the_others_go_on() {
    let (mut world, sender, producer, first) = World::one_camera(Camera::default());
    let late = world.receiver();
    world.connect();
    world.run(Duration::from_secs(4));
    let asked = world.peers[sender.0].key_requests.len();
    let second = world.watch(late, producer, MediaKind::Video);
    world.run(Duration::from_secs(2));
    assert_eq!(world.peers[sender.0].key_requests.len(), asked + 1);
    let packets = world.peers[late.0].stream(second.ssrc);
    assert_continuous(&packets);
    assert!(
        packets[0]
            .stamp
            .is_some_and(|stamp| stamp.key && stamp.index == 0)
    );
    assert_continuous(&world.peers[first.peer.0].stream(first.ssrc));
}

#[test]
fn a_storm_of_requests_is_debounced() {
    let mut world = World::new();
    let sender = world.sender();
    let receivers: Vec<_> = (0..8).map(|_| world.receiver()).collect();
    world.connect();
    let producer = world.camera(sender, Camera::default());
    let consumers: Vec<_> = receivers
        .iter()
        .map(|&id| world.watch(id, producer, MediaKind::Video))
        .collect();
    world.run(Duration::from_secs(2));
    let asked = world.peers[sender.0].key_requests.len();
    let start = world.now;
    for round in 0..60 {
        for consumer in &consumers {
            let kind = if round % 2 == 0 {
                KeyframeRequestKind::Pli
            } else {
                KeyframeRequestKind::Fir
            };
            world.peers[consumer.peer.0].request_key_frame(world.now, consumer.ssrc, kind);
            world.done(Command::RequestKeyFrame(consumer.key));
        }
        world.run(Duration::from_millis(50));
    }
    let requests = world.peers[sender.0].key_requests.split_off(asked);
    let elapsed = world.now - start;
    assert_eq!(elapsed, Duration::from_secs(3));
    assert!(
        (5..=7).contains(&requests.len()),
        "{} requests in three seconds",
        requests.len()
    );
    for pair in requests.windows(2) {
        assert!(
            pair[1].0 - pair[0].0 >= Duration::from_millis(495),
            "requests {:?} apart",
            pair[1].0 - pair[0].0
        );
    }
    for consumer in consumers {
        assert_continuous(&world.peers[consumer.peer.0].stream(consumer.ssrc));
    }
}

#[test]
fn a_key_frame_whose_first_packet_comes_last_is_whole() {
    let (mut world, sender, producer, first) = World::one_camera(Camera::default());
    let late = world.receiver();
    world.connect();
    world.run(Duration::from_secs(3));
    let asked = world.peers[sender.0].key_requests.len();
    world.peers[sender.0].lose_next_key_start = true;
    let second = world.watch(late, producer, MediaKind::Video);
    world.run(Duration::from_secs(3));
    assert!(!world.peers[sender.0].lose_next_key_start, "a key frame was sent");
    let packets = world.peers[late.0].stream(second.ssrc);
    assert!(
        packets[0]
            .stamp
            .is_some_and(|stamp| stamp.key && stamp.index == 0)
    );
    assert_continuous(&packets);
    assert_continuous(&world.peers[first.peer.0].stream(first.ssrc));
    assert_eq!(
        world.peers[sender.0].key_requests.len(),
        asked + 1,
        "nobody had to ask again"
    );
}

#[test]
fn an_unanswered_request_is_repeated() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    world.done(Command::PauseConsumer(consumer.key));
    world.run(Duration::from_secs(1));
    let before = world.peers[consumer.peer.0].received.len();
    // The camera hears nothing for 1.2 s, and the first request is lost.
    let deaf = crate::world::peer::link(1).loss(str0m_netem::RandomLoss::new(str0m_netem::Probability::ONE));
    world.peers[sender.0].downlink.set_config(deaf);
    world.done(Command::ResumeConsumer(consumer.key));
    world.run(Duration::from_millis(800));
    world.peers[sender.0]
        .downlink
        .set_config(crate::world::peer::link(2));
    assert_eq!(world.peers[consumer.peer.0].received.len(), before);
    world.run(Duration::from_millis(1_000));
    assert!(
        world.peers[consumer.peer.0].received.len() > before,
        "the repeated request was answered"
    );
    assert_continuous(&world.peers[consumer.peer.0].stream(consumer.ssrc));
}
