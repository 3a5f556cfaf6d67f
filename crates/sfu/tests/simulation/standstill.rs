//! However a picture is lost, the next one a viewer can show comes soon. Viewers here never ask for a key frame: real ones
//! wait for three seconds before they do.

use std::time::{Duration, Instant};

use sfu::spec::MediaKind;
use sfu::{Command, Event};
use str0m_netem::{NetemConfig, Probability, RandomLoss};

use crate::world::check::longest_standstill;
use crate::world::peer::link;
use crate::world::{Camera, Congestion, Consumer, World};

/// Milliseconds.
const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Nothing gets through.
fn cut() -> NetemConfig {
    link(1).loss(RandomLoss::new(Probability::ONE))
}

/// From a moment until now.
fn standstill(world: &World, consumer: Consumer, from: Instant) -> Duration {
    longest_standstill(
        &world.peers[consumer.peer.0].stream(consumer.ssrc),
        from,
        world.now,
    )
}

#[track_caller]
fn assert_within(standstill: Duration, limit: Duration, what: &str) {
    assert!(
        standstill <= limit,
        "{what}: {standstill:?} without a new picture"
    );
}

/// Three layers watched until the highest comes.
fn layered() -> (World, usize, Consumer) {
    let camera = Camera {
        packets_per_frame: 1,
        layers: 3,
        ..Camera::default()
    };
    let (mut world, sender, _, consumer) = World::one_camera(camera);
    world.run(Duration::from_secs(10));
    (world, sender.0, consumer)
}

#[test]
fn a_layer_that_its_sender_stops_is_left_at_once() {
    let (mut world, sender, consumer) = layered();
    for track in [2, 1] {
        let from = world.now;
        world.peers[sender].tracks[track].source.paused = true;
        world.run(Duration::from_secs(4));
        assert_within(standstill(&world, consumer, from), ms(500), "a layer stopped");
    }
}

#[test]
fn so_it_is_when_the_request_for_the_other_layer_s_key_frame_gets_lost() {
    let (mut world, sender, consumer) = layered();
    let from = world.now;
    world.peers[sender].tracks[2].source.paused = true;
    world.peers[sender].downlink.set_config(cut());
    world.run(ms(500));
    world.peers[sender].downlink.set_config(link(2));
    world.run(Duration::from_secs(4));
    assert_within(
        standstill(&world, consumer, from),
        ms(1_000),
        "the request was lost",
    );
}

#[test]
fn a_break_of_the_whole_uplink_changes_no_layer() {
    let (mut world, sender, _) = layered();
    let before = world.events.len();
    world.peers[sender].uplink.set_config(cut());
    world.run(ms(600));
    world.peers[sender].uplink.set_config(link(2));
    world.run(Duration::from_secs(4));
    let changes = world.events[before..]
        .iter()
        .filter(|(_, event)| matches!(event, Event::ConsumerLayers { .. }))
        .count();
    assert_eq!(changes, 0);
}

#[test]
fn what_the_sender_cannot_send_again_is_made_up_for_by_a_key_frame() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    // As long as browsers keep their packets.
    world.peers[sender.0].memory = Duration::from_secs(1);
    let producer = world.camera(sender, Camera::default());
    let consumer = world.watch(receiver, producer, MediaKind::Video);
    world.run(Duration::from_secs(3));
    world.peers[sender.0].uplink.set_config(cut());
    world.run(Duration::from_secs(2));
    world.peers[sender.0].uplink.set_config(link(2));
    let from = world.now;
    world.run(Duration::from_secs(4));
    assert_within(standstill(&world, consumer, from), ms(800), "after a cut uplink");
}

#[test]
fn an_answer_that_comes_after_its_packet_was_given_up_still_counts() {
    // Few packets: the simulated viewer takes none that is a hundred behind.
    let camera = Camera {
        packets_per_frame: 1,
        ..Camera::default()
    };
    let (mut world, sender, _, consumer) = World::one_camera_for(camera, Congestion::Unknown);
    world.run(Duration::from_secs(3));
    let from = world.now;
    // The node's requests take longer than it goes on asking; a key frame takes as long again.
    let slow = NetemConfig::new().latency(ms(1_200)).seed(2);
    world.peers[sender.0].downlink.set_config(slow);
    world.peers[sender.0].uplink.set_config(cut());
    world.run(ms(100));
    world.peers[sender.0].uplink.set_config(link(2));
    world.run(Duration::from_secs(5));
    assert_within(standstill(&world, consumer, from), ms(1_500), "a late answer");
}

#[test]
fn what_the_node_cannot_send_again_is_made_up_for_by_a_key_frame() {
    // Few packets: the simulated viewer asks for no more than the last hundred.
    let camera = Camera {
        packets_per_frame: 1,
        ..Camera::default()
    };
    let (mut world, _, _, consumer) = World::one_camera_for(camera, Congestion::Unknown);
    world.run(Duration::from_secs(3));
    world.peers[consumer.peer.0].downlink.set_config(cut());
    world.run(ms(1_500));
    world.peers[consumer.peer.0].downlink.set_config(link(2));
    let from = world.now;
    world.run(Duration::from_secs(4));
    assert_within(
        standstill(&world, consumer, from),
        ms(500),
        "after a cut downlink",
    );
}

#[test]
fn a_resumed_picture_comes_soon_although_the_first_request_gets_lost() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(3));
    world.done(Command::PauseConsumer(consumer.key));
    world.run(Duration::from_secs(1));
    world.peers[sender.0].downlink.set_config(cut());
    world.done(Command::ResumeConsumer(consumer.key));
    let from = world.now;
    world.run(ms(100));
    world.peers[sender.0].downlink.set_config(link(2));
    world.run(Duration::from_secs(3));
    assert_within(
        standstill(&world, consumer, from),
        ms(700),
        "the request was lost",
    );
}

/// Who never had a packet of a stream cannot know that the first one is missing and has to ask for a key frame; so both
/// had some before.
#[test]
fn who_resumes_over_lossy_paths_one_after_the_other_soon_sees_a_picture() {
    for seed in 0..16 {
        let lossy = |salt: u64| link(seed * 10 + salt).loss(RandomLoss::new(Probability(0.1)));
        let (mut world, sender, producer, first) =
            World::one_camera_for(Camera::default(), Congestion::Unknown);
        let late = world.receiver();
        world.connect();
        let second = world.watch(late, producer, MediaKind::Video);
        world.run(Duration::from_secs(2));
        for consumer in [first, second] {
            world.done(Command::PauseConsumer(consumer.key));
        }
        world.run(Duration::from_secs(1));
        for (salt, peer) in (0..).step_by(2).zip([sender, first.peer, late]) {
            world.peers[peer.0].uplink.set_config(lossy(salt));
            world.peers[peer.0].downlink.set_config(lossy(salt + 1));
        }
        world.done(Command::ResumeConsumer(first.key));
        let from = world.now;
        world.run(ms(150));
        world.done(Command::ResumeConsumer(second.key));
        world.run(Duration::from_secs(2));
        for peer in [sender, first.peer, late] {
            world.peers[peer.0].uplink.set_config(link(3));
            world.peers[peer.0].downlink.set_config(link(4));
        }
        world.run(Duration::from_secs(2));
        for consumer in [first, second] {
            let longest = standstill(&world, consumer, from);
            // Half a second between two requests, as much until a lost one is repeated, and what repairs take.
            assert_within(longest, ms(1_250), &format!("seed {seed}"));
        }
    }
}
