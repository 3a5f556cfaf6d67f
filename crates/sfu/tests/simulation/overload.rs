//! A worker under load lowers cameras' pictures, and nobody sees more of it than a smaller picture.

use std::time::Duration;

use sfu::Command;
use sfu::spec::{Layers, MediaKind, Source, VideoQuality};

use crate::world::check::assert_continuous;
use crate::world::{Camera, Consumer, PeerId, World};

const THREE_LAYERS: Camera = Camera {
    packets_per_frame: 1,
    temporal_layers: 1,
    layers: 3,
    rtx: true,
};

/// From a new quality to the last viewer's new layer: half a second until its downlink is divided, half a second until a
/// key frame may be asked for once more, and the way there and back.
const CHANGE: Duration = Duration::from_millis(1_200);

/// What the load of a node asks of each of its workers.
fn set_quality(world: &mut World, quality: VideoQuality) {
    let now = world.now;
    world.each_worker(|worker| {
        let reply = worker.handle_command(now, Command::SetVideoQuality(quality));
        assert!(matches!(reply, sfu::Reply::Done), "{reply:?}");
    });
}

fn prefer(world: &mut World, consumer: Consumer, spatial: u8) {
    let layers = Layers {
        spatial,
        temporal: u8::MAX,
    };
    world.done(Command::SetPreferredLayers {
        consumer: consumer.key,
        layers,
    });
}

/// The layers of the packets that came in the last `window`, without repetitions. The camera's lowest layer is 0.
fn layers_within(world: &World, camera: PeerId, consumer: Consumer, window: Duration) -> Vec<u8> {
    let first_stream = world.peers[camera.0].tracks[0].source.stream;
    let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
    let mut layers: Vec<u8> = packets
        .iter()
        .filter(|packet| world.now - packet.at < window)
        .map(|packet| packet.stamp.expect("unaltered").stream - first_stream)
        .collect();
    layers.dedup();
    layers
}

#[test]
fn viewers_follow_the_load_down_and_up_without_a_gap() {
    use VideoQuality::{Full, Lowest, Reduced};
    let mut world = World::new();
    let sender = world.sender();
    let receivers = [(); 4].map(|()| world.receiver());
    world.connect();
    let camera = world.camera(sender, THREE_LAYERS);
    let microphone = world.microphone(sender, 30);
    let voice = world.watch(receivers[0], microphone, MediaKind::Audio);
    let viewers = receivers.map(|id| world.watch(id, camera, MediaKind::Video));
    // The best there is, the top by name, a small tile, a smaller one.
    for (viewer, spatial) in viewers[1..].iter().zip([2, 1, 0]) {
        prefer(&mut world, *viewer, spatial);
    }
    world.run(Duration::from_secs(15));
    let mut before = Full;
    let course = [
        (Full, [2, 2, 1, 0]),
        (Reduced, [1, 1, 1, 0]),
        (Lowest, [1, 1, 0, 0]),
        (Full, [2, 2, 1, 0]),
        (Lowest, [1, 1, 0, 0]),
        (Reduced, [1, 1, 1, 0]),
        (Full, [2, 2, 1, 0]),
    ];
    for (quality, expected) in course {
        let asked = world.peers[sender.0].key_requests.len();
        set_quality(&mut world, quality);
        world.run(CHANGE + Duration::from_secs(2));
        for (viewer, layer) in viewers.iter().zip(expected) {
            let seen = layers_within(&world, sender, *viewer, Duration::from_secs(2));
            assert_eq!(seen, [layer], "{before:?} to {quality:?}: {CHANGE:?} later");
        }
        // A layer that viewers go to is asked once, and once more for those whose turn came after its key frame.
        let requests = world.peers[sender.0].key_requests.len() - asked;
        assert!(requests <= 4, "{before:?} to {quality:?}: {requests} key frames");
        before = quality;
    }
    for viewer in viewers {
        assert_continuous(&world.peers[viewer.peer.0].stream(viewer.ssrc));
    }
    assert_continuous(&world.peers[voice.peer.0].stream(voice.ssrc));
    let voice = world.peers[voice.peer.0].stream(voice.ssrc);
    for pair in voice.windows(2) {
        assert!(pair[1].at - pair[0].at <= Duration::from_millis(25), "{pair:?}");
    }
}

#[test]
fn who_comes_while_the_load_is_high_starts_low() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    set_quality(&mut world, VideoQuality::Reduced);
    let camera = world.camera(sender, THREE_LAYERS);
    let viewer = world.watch(receiver, camera, MediaKind::Video);
    world.run(Duration::from_secs(12));
    let ever = layers_within(&world, sender, viewer, Duration::from_secs(12));
    assert!(!ever.contains(&2) && ever.ends_with(&[1]), "{ever:?}");
    assert_continuous(&world.peers[receiver.0].stream(viewer.ssrc));
}

#[test]
fn a_camera_of_one_layer_loses_frames_and_a_screen_loses_nothing() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    let one_layer = Camera {
        packets_per_frame: 1,
        temporal_layers: 3,
        layers: 1,
        rtx: true,
    };
    let camera = world.camera(sender, one_layer);
    let screen = world.video(sender, Source::Screen, one_layer);
    let [camera, screen] = [camera, screen].map(|key| world.watch(receiver, key, MediaKind::Video));
    world.run(Duration::from_secs(3));
    let rate = |world: &World, consumer: Consumer| {
        let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
        packets
            .iter()
            .filter(|packet| packet.marker && world.now - packet.at < Duration::from_secs(2))
            .count()
            / 2
    };
    for (quality, expected) in [
        (VideoQuality::Reduced, 12),
        (VideoQuality::Full, 25),
        (VideoQuality::Lowest, 12),
        (VideoQuality::Full, 25),
    ] {
        set_quality(&mut world, quality);
        world.run(CHANGE + Duration::from_secs(2));
        let (camera, screen) = (rate(&world, camera), rate(&world, screen));
        assert!(camera.abs_diff(expected) <= 1, "{camera} frames/s at {quality:?}");
        assert!(
            screen.abs_diff(25) <= 1,
            "{screen} frames/s of the screen at {quality:?}"
        );
    }
    for consumer in [camera, screen] {
        assert_continuous(&world.peers[receiver.0].stream(consumer.ssrc));
    }
}

#[test]
fn senders_stop_what_nobody_may_have_and_resume_it() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    let camera = world.camera(sender, THREE_LAYERS);
    world.microphone(sender, 30);
    let viewer = world.watch(receiver, camera, MediaKind::Video);
    world.run(Duration::from_secs(12));
    assert!(world.peers[sender.0].rembs.is_empty(), "no ceiling without load");
    let told = |world: &World| world.peers[sender.0].rembs.last().map(|(_, bitrate)| *bitrate);
    // Six bits of exponent and eighteen of mantissa round a little.
    let near =
        |told: Option<u64>, bitrate: u64| told.is_some_and(|told| told.abs_diff(bitrate) < bitrate / 100);

    set_quality(&mut world, VideoQuality::Reduced);
    world.run(Duration::from_millis(1_100));
    assert!(near(told(&world), 1_540_000), "{:?}", told(&world));
    set_quality(&mut world, VideoQuality::Lowest);
    world.run(Duration::from_millis(1_100));
    assert!(near(told(&world), 1_040_000), "{:?}", told(&world));
    // What a browser does, and what it must not be punished for: its next layer is not the new top.
    world.peers[sender.0].tracks[2].source.paused = true;
    world.run(Duration::from_secs(5));
    let seen = layers_within(&world, sender, viewer, Duration::from_secs(4));
    assert_eq!(seen, [1], "one below the top, sent or not");

    set_quality(&mut world, VideoQuality::Full);
    world.run(Duration::from_millis(1_100));
    assert!(told(&world) >= Some(500_000_000), "{:?}", told(&world));
    world.peers[sender.0].tracks[2].source.paused = false;
    world.run(Duration::from_secs(6));
    assert_eq!(layers_within(&world, sender, viewer, Duration::from_secs(2)), [2]);
    let count = world.peers[sender.0].rembs.len();
    world.run(Duration::from_secs(5));
    assert_eq!(world.peers[sender.0].rembs.len(), count, "said often enough");
    assert_continuous(&world.peers[receiver.0].stream(viewer.ssrc));
}

#[test]
fn a_sender_that_shares_its_screen_is_told_no_ceiling() {
    let mut world = World::new();
    let (sender, receiver) = (world.sender(), world.receiver());
    world.connect();
    let camera = world.camera(sender, THREE_LAYERS);
    world.video(sender, Source::Screen, Camera::default());
    let viewer = world.watch(receiver, camera, MediaKind::Video);
    world.run(Duration::from_secs(5));
    set_quality(&mut world, VideoQuality::Lowest);
    world.run(Duration::from_secs(5));
    assert!(
        world.peers[sender.0].rembs.is_empty(),
        "it would hold down the screen"
    );
    let seen = layers_within(&world, sender, viewer, Duration::from_secs(3));
    assert_eq!(seen, [1], "its viewers have less all the same");
}
