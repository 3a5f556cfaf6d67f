//! Closing cascades: router, transports, producers, consumers (contract §1.9); keys of what is gone are refused.

use std::time::Duration;

use sfu::spec::MediaKind;
use sfu::{Command, CommandError, Reply};

use crate::world::{Camera, World};

fn refused(world: &mut World, command: Command) -> CommandError {
    match world.command(command) {
        Reply::Failed(error) => error,
        reply => panic!("{reply:?}"),
    }
}

#[test]
fn a_closed_producer_takes_its_consumers_along() {
    let (mut world, _, producer, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(1));
    world.done(Command::CloseProducer(producer));
    world.run(Duration::from_millis(50));
    let before = world.peers[consumer.peer.0].received.len();
    world.run(Duration::from_secs(1));
    assert_eq!(world.peers[consumer.peer.0].received.len(), before);
    assert_eq!(
        refused(&mut world, Command::ResumeConsumer(consumer.key)),
        CommandError::UnknownConsumer
    );
    assert_eq!(
        refused(&mut world, Command::CloseProducer(producer)),
        CommandError::UnknownProducer
    );
}

#[test]
fn a_closed_transport_says_goodbye() {
    let (mut world, sender, producer, consumer) = World::one_camera(Camera::default());
    world.run(Duration::from_secs(1));
    let transport = world.transport(sender);
    world.done(Command::CloseTransport(transport));
    world.run(Duration::from_secs(1));
    assert!(world.peers[sender.0].closed, "DTLS close_notify arrived");
    assert_eq!(
        refused(&mut world, Command::CloseTransport(transport)),
        CommandError::UnknownTransport
    );
    assert_eq!(
        refused(&mut world, Command::PauseProducer(producer)),
        CommandError::UnknownProducer
    );
    assert_eq!(
        refused(&mut world, Command::PauseConsumer(consumer.key)),
        CommandError::UnknownConsumer
    );
}

#[test]
fn a_closed_router_leaves_nothing_behind() {
    let (mut world, sender, _, _) = World::one_camera(Camera::default());
    let producer = world.microphone(sender, 30);
    let receiver = world.receiver();
    world.connect();
    world.watch(receiver, producer, MediaKind::Audio);
    world.run(Duration::from_secs(1));
    let router = world.router;
    world.done(Command::CloseRouter(router));
    world.run(Duration::from_secs(2));
    let Reply::Stats(stats) = world.command(Command::Stats) else {
        panic!("stats")
    };
    let open = [
        stats.routers,
        stats.receive_transports,
        stats.send_transports,
        stats.audio_producers,
        stats.video_producers,
        stats.audio_consumers,
        stats.video_consumers,
    ];
    assert_eq!(open, [0; 7]);
    assert_eq!(
        refused(&mut world, Command::CloseRouter(router)),
        CommandError::UnknownRouter
    );
}

#[test]
fn a_closed_consumer_is_only_its_own_end() {
    let (mut world, _, producer, first) = World::one_camera(Camera::default());
    let other = world.receiver();
    world.connect();
    let second = world.watch(other, producer, MediaKind::Video);
    world.run(Duration::from_secs(1));
    world.done(Command::CloseConsumer(first.key));
    world.run(Duration::from_millis(50));
    let gone = world.peers[first.peer.0].received.len();
    let before = world.peers[other.0].stream(second.ssrc).len();
    world.run(Duration::from_secs(1));
    assert_eq!(world.peers[first.peer.0].received.len(), gone);
    assert!(world.peers[other.0].stream(second.ssrc).len() > before + 100);
}
