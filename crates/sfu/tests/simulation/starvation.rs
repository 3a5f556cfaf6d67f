//! A downlink that carries no video gets none, is told so, and gets it back (contract §5.3).

use std::time::Duration;

use sfu::Event;
use sfu::spec::MediaKind;

use crate::world::check::assert_continuous;
use crate::world::peer::link;
use crate::world::{Camera, World};

#[test]
fn video_stops_for_want_of_bandwidth_and_comes_back_while_audio_goes_on() {
    let (mut world, sender, _, consumer) = World::one_camera(Camera::default());
    let microphone = world.microphone(sender, 40);
    let audio = world.watch(consumer.peer, microphone, MediaKind::Audio);
    world.run(Duration::from_secs(8));
    let narrow = link(4).link(str0m_netem::Bitrate::kbps(250), str0m_netem::DataSize::kbytes(40));
    world.peers[consumer.peer.0].downlink.set_config(narrow);
    let starved = Event::ConsumerStarved {
        consumer: consumer.key,
    };
    let stopped = world.run_until(Duration::from_secs(20), |world| {
        world.events.iter().any(|(_, event)| *event == starved)
    });
    assert!(stopped, "1 Mbit/s of video over 250 kbit/s");
    world.run(Duration::from_secs(4));
    let quiet = world.now - Duration::from_secs(1);
    let recent = |ssrc: u32, world: &World| {
        world.peers[consumer.peer.0]
            .stream(ssrc)
            .iter()
            .filter(|packet| packet.at >= quiet)
            .count()
    };
    assert_eq!(recent(consumer.ssrc, &world), 0, "no video");
    assert!(
        recent(audio.ssrc, &world) >= 45,
        "{} audio packets in a second",
        recent(audio.ssrc, &world)
    );

    world.peers[consumer.peer.0].downlink.set_config(link(5));
    let recovered = Event::ConsumerRecovered {
        consumer: consumer.key,
    };
    let back = world.run_until(Duration::from_secs(60), |world| {
        world.events.iter().any(|(_, event)| *event == recovered)
    });
    assert!(
        back,
        "the estimate is {:?}",
        world.transport_stats(consumer.peer).outgoing_estimate
    );
    let from = world.now;
    world.run(Duration::from_secs(5));
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    let after: Vec<_> = packets
        .iter()
        .filter(|packet| packet.at >= from)
        .copied()
        .collect();
    assert!(after.len() >= 100 * 5, "{} packets in five seconds", after.len());
    assert!(
        after[0].stamp.is_some_and(|stamp| stamp.key && stamp.index == 0),
        "starts with a key frame"
    );
    assert_continuous(&after);
}
