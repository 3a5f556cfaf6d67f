//! Pausing and resuming leaves no mark in the numbers a receiver sees.

use std::time::Duration;

use sfu::Command;
use sfu::spec::MediaKind;

use crate::world::check::assert_continuous;
use crate::world::{Camera, World};

#[test]
fn a_paused_consumer_gets_nothing_and_continues_without_a_gap() {
    let (mut world, _, _, consumer) = World::one_camera(Camera::default());
    for _ in 0..4 {
        world.run(Duration::from_secs(2));
        world.done(Command::PauseConsumer(consumer.key));
        world.run(Duration::from_millis(30));
        let before = world.peers[consumer.peer.0].stream(consumer.ssrc).len();
        world.run(Duration::from_secs(2));
        assert_eq!(
            world.peers[consumer.peer.0].stream(consumer.ssrc).len(),
            before,
            "paused"
        );
        world.done(Command::ResumeConsumer(consumer.key));
    }
    world.run(Duration::from_secs(1));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert_continuous_over_pauses(&packets, 4);
}

#[test]
fn a_paused_producer_stops_all_and_resumes_with_a_key_frame() {
    let (mut world, sender, producer, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(2));
    world.done(Command::PauseProducer(producer));
    world.run(Duration::from_millis(30));
    let before = world.peers[consumer.peer.0].stream(consumer.ssrc).len();
    let asked = world.peers[sender.0].key_requests.len();
    world.run(Duration::from_secs(3));
    assert_eq!(
        world.peers[consumer.peer.0].stream(consumer.ssrc).len(),
        before,
        "paused"
    );
    assert_eq!(
        world.peers[sender.0].key_requests.len(),
        asked,
        "a paused producer is not asked for anything"
    );
    world.done(Command::ResumeProducer(producer));
    world.run(Duration::from_secs(2));
    assert_eq!(world.peers[sender.0].key_requests.len(), asked + 1);
    assert_continuous_over_pauses(&world.peers[consumer.peer.0].stream(consumer.ssrc), 1);
}

#[test]
fn a_source_that_stops_by_itself_is_no_loss() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(2));
    world.peers[sender.0].tracks[0].source.paused = true;
    world.run(Duration::from_secs(5));
    world.peers[sender.0].tracks[0].source.paused = false;
    world.run(Duration::from_secs(2));
    let counters = world.counters();
    assert_eq!((counters.nack_sent, counters.rtp_lost), (0, 0));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    assert!(packets.len() >= 95 * 5, "{} packets", packets.len());
    assert_continuous(&packets);
}

#[test]
fn audio_resumes_at_the_next_packet() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    let producer = world.microphone(sender, 30);
    let consumer = world.watch(receiver, producer, MediaKind::Audio);
    world.run(Duration::from_secs(1));
    world.done(Command::PauseConsumer(consumer.key));
    world.run(Duration::from_secs(1));
    world.done(Command::ResumeConsumer(consumer.key));
    let resumed = world.now;
    world.run(Duration::from_secs(1));
    let packets = world.peers[receiver.0].stream(consumer.ssrc);
    let first = packets
        .iter()
        .find(|packet| packet.at >= resumed)
        .expect("audio came");
    assert!(first.at - resumed <= Duration::from_millis(50));
    assert_continuous_over_pauses(&packets, 1);
}

/// Numbers run on; a pause may cut a frame short and lets the clock run on by what it lasted.
fn assert_continuous_over_pauses(packets: &[&crate::world::peer::Received], pauses: usize) {
    let mut seams = 0;
    let mut from = 0;
    for at in 1..packets.len() {
        let (before, after) = (packets[at - 1], packets[at]);
        assert_eq!(
            after.sequence,
            before.sequence + 1,
            "between {before:?} and {after:?}"
        );
        let ticks = after.timestamp.wrapping_sub(before.timestamp);
        // Half a second: no frame interval is that long.
        let audio = after.picture.is_none();
        if ticks >= if audio { 24_000 } else { 45_000 } {
            seams += 1;
            let (old, new) = (before.at, after.at);
            let rate = if audio { 48 } else { 90 };
            let drift = i64::from(ticks) / rate - (new - old).as_millis() as i64;
            assert!(drift.abs() <= 100, "the clock is {drift} ms off after a pause");
            if let (Some(old), Some(new)) = (before.picture, after.picture) {
                assert_eq!(new.picture_id, (old.picture_id + 1) & 0x7fff);
                assert!(after.stamp.is_some_and(|stamp| stamp.key && stamp.index == 0));
            }
            assert_continuous(&packets[from..at]);
            from = at;
        }
    }
    assert_continuous(&packets[from..]);
    assert_eq!(seams, pauses);
}

/// What the worker sends to a client, by what the first bytes say (RFC 7983 §7, RFC 5761 §4).
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    checks: usize,
    rtcp: usize,
    rtp: usize,
    other: usize,
}

/// Counts what is sent to `id` within `window`.
fn sent_within(world: &mut World, id: crate::world::PeerId, window: Duration) -> Sent {
    world.wire = Some(Vec::new());
    world.run(window);
    let address = world.peers[id.0].address;
    let mut sent = Sent::default();
    for (_, bytes) in world
        .wire
        .take()
        .into_iter()
        .flatten()
        .filter(|(to, _)| *to == address)
    {
        match bytes[..] {
            [0..=3, ..] => sent.checks += 1,
            [128..=191, 192..=223, ..] => sent.rtcp += 1,
            [128..=191, ..] => sent.rtp += 1,
            _ => sent.other += 1,
        }
    }
    sent
}

#[test]
fn who_watches_nothing_gets_nothing_but_answers_to_its_checks() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    let camera = world.camera(sender, Camera::default());
    let microphone = world.microphone(sender, 30);
    let all = [
        world.consume(receiver, camera, MediaKind::Video),
        world.consume(receiver, microphone, MediaKind::Audio),
    ];
    // Its path is looked at once, with a few packets of padding.
    world.run(Duration::from_secs(5));
    let minute = Duration::from_secs(60);
    let standby = sent_within(&mut world, receiver, minute);
    // A client checks its path every few seconds at most (RFC 7675 §5.1: 5 s, less a fifth).
    let expected = Sent {
        checks: standby.checks.min(60),
        ..Sent::default()
    };
    assert_eq!(standby, expected, "before anything was resumed");
    assert!(standby.checks > 0, "its path is kept open");

    for consumer in all {
        world.done(Command::ResumeConsumer(consumer.key));
    }
    world.run(Duration::from_secs(10));
    assert!(world.transport_stats(receiver).rtp_sent > 1_000, "media flows");
    for consumer in all {
        world.done(Command::PauseConsumer(consumer.key));
    }
    world.run(Duration::from_secs(2));
    let paused = sent_within(&mut world, receiver, minute);
    let expected = Sent {
        checks: paused.checks.min(60),
        ..Sent::default()
    };
    assert_eq!(paused, expected, "after all was paused");
}
