//! What only pipes have: the same media on both workers, wishes that cross once, jams, and ends from either side.

use std::time::Duration;

use sfu::spec::{Layers, MediaKind};
use sfu::{Command, Event};
use str0m::media::KeyframeRequestKind;
use str0m_netem::{Probability, RandomLoss};

use crate::world::annex::{ANNEX, Site};
use crate::world::check::{assert_continuous, missing};
use crate::world::peer::{Received, link};
use crate::world::{Camera, Congestion, PeerId, World};

/// A receiver on one of the workers.
fn viewer(world: &mut World, site: Site) -> PeerId {
    world.viewers = site;
    world.receiver()
}

/// What is left of a packet when the viewer's own numbers are taken off: the payload, and how far sequence number, clock
/// and picture have moved since `first`.
fn relative(packet: &Received, first: &Received) -> impl PartialEq + std::fmt::Debug + use<> {
    let pictures = packet.picture.zip(first.picture).map(|(own, first)| {
        let moved = own.picture_id.wrapping_sub(first.picture_id) & 0x7fff;
        (
            moved,
            own.tl0_pic_idx.wrapping_sub(first.tl0_pic_idx),
            own.temporal,
            own.sync,
        )
    });
    (
        packet.stamp.expect("unaltered"),
        packet.sequence.wrapping_sub(first.sequence),
        packet.timestamp.wrapping_sub(first.timestamp),
        packet.marker,
        pictures,
        packet.audio_level,
    )
}

/// Asserts that two viewers who started with the same packet decrypted the same.
fn assert_same(near: &[&Received], far: &[&Received]) {
    assert!(near.len() > 100, "only {} packets", near.len());
    assert_eq!(near.len(), far.len());
    for (one, other) in near.iter().zip(far) {
        assert_eq!(relative(one, near[0]), relative(other, far[0]));
    }
}

#[test]
fn viewers_near_and_far_decrypt_the_same() {
    for seed in 0..3 {
        let mut world = World::new();
        let sender = world.sender();
        let (near, far) = (viewer(&mut world, Site::Home), viewer(&mut world, Site::Annex));
        world.connect();
        let camera = world.camera(
            sender,
            Camera {
                temporal_layers: 3,
                ..Camera::default()
            },
        );
        let microphone = world.microphone(sender, 40);
        let mut consumers = Vec::new();
        for id in [near, far] {
            world.viewers = world.peers[id.0].site;
            consumers.push([
                world.watch(id, camera, MediaKind::Video),
                world.watch(id, microphone, MediaKind::Audio),
            ]);
        }
        world.run(Duration::from_secs(2));
        world.peers[sender.0].uplink.set_config(
            link(seed)
                .loss(RandomLoss::new(Probability(0.05)))
                .reorder_gap(11),
        );
        world.run(Duration::from_secs(8));
        world.peers[sender.0].uplink.set_config(link(seed));
        world.run(Duration::from_secs(2));
        for [one, other] in [0, 1].map(|track| [consumers[0][track], consumers[1][track]]) {
            let (near, far) = (
                world.peers[near.0].stream(one.ssrc),
                world.peers[far.0].stream(other.ssrc),
            );
            assert_same(&near, &far);
        }
        let counters = world.worker.counters();
        assert!(counters.nack_sent > 10, "the uplink lost too little to tell");
    }
}

#[test]
fn a_far_viewers_loss_is_repaired_where_it_is() {
    let (mut world, sender, camera, near) = World::one_camera_for(Camera::default(), Congestion::Unknown);
    world.run(Duration::from_secs(1));
    let far = viewer(&mut world, Site::Annex);
    world.connect();
    let far = world.watch(far, camera, MediaKind::Video);
    world.run(Duration::from_secs(1));
    world.peers[far.peer.0]
        .downlink
        .set_config(link(3).loss(RandomLoss::new(Probability(0.05))));
    world.run(Duration::from_secs(10));
    world.peers[far.peer.0].downlink.set_config(link(3));
    world.run(Duration::from_secs(2));
    assert_continuous(&world.peers[far.peer.0].stream(far.ssrc));
    assert_continuous(&world.peers[near.peer.0].stream(near.ssrc));
    assert!(world.stats_at(Site::Annex).counters.rtx_sent > 30);
    // With viewers on the annex alone (test binary `piped`) the near one is there too.
    if near_is_home(&world, near.peer) {
        assert_eq!(world.worker.counters().rtx_sent, 0);
    }
    assert_eq!(world.worker.counters().nack_sent, 0);
    assert_eq!(
        world.peers[sender.0].tracks[0].source.key_frames.len(),
        3,
        "start and two who join"
    );
}

fn near_is_home(world: &World, id: PeerId) -> bool {
    world.peers[id.0].site == Site::Home
}

#[test]
fn the_wishes_of_many_viewers_cross_once() {
    let mut world = World::new();
    let sender = world.sender();
    let viewers: Vec<PeerId> = (0..6).map(|_| viewer(&mut world, Site::Annex)).collect();
    world.connect();
    let camera = world.camera(sender, Camera::default());
    let consumers: Vec<_> = viewers
        .iter()
        .map(|id| world.watch(*id, camera, MediaKind::Video))
        .collect();
    world.run(Duration::from_secs(3));
    let (asked, crossed) = (world.peers[sender.0].key_requests.len(), world.annex().sent);
    for round in 0..5 {
        for consumer in &consumers {
            let now = world.now;
            world.peers[consumer.peer.0].request_key_frame(now, consumer.ssrc, KeyframeRequestKind::Pli);
        }
        world.run(Duration::from_millis(10 + round));
    }
    world.run(Duration::from_secs(3));
    let asked = world.peers[sender.0].key_requests.len() - asked;
    let crossed = world.annex().sent - crossed;
    // One for the storm's beginning, one for those who asked after the key frame had begun to arrive.
    assert!((1..=2).contains(&asked), "{asked} requests reached the camera");
    assert!(
        (1..=3).contains(&crossed),
        "{crossed} wishes crossed for 30 requests"
    );
    for consumer in consumers {
        assert_continuous(&world.peers[consumer.peer.0].stream(consumer.ssrc));
    }
}

#[test]
fn each_viewer_of_a_simulcast_has_its_own_layer_on_either_worker() {
    let three = Camera {
        packets_per_frame: 1,
        layers: 3,
        ..Camera::default()
    };
    let mut world = World::new();
    let sender = world.sender();
    let viewers: Vec<PeerId> = [Site::Home, Site::Annex, Site::Annex]
        .map(|site| viewer(&mut world, site))
        .to_vec();
    world.connect();
    let camera = world.camera(sender, three);
    let first = world.peers[sender.0].tracks[0].source.stream;
    let mut consumers = Vec::new();
    for id in viewers {
        world.viewers = world.peers[id.0].site;
        consumers.push(world.watch(id, camera, MediaKind::Video));
    }
    for round in 0..6_u8 {
        for (index, consumer) in consumers.iter().enumerate() {
            world.viewers = world.peers[consumer.peer.0].site;
            let layers = Layers {
                spatial: (round + index as u8) % 3,
                temporal: 0,
            };
            let consumer = consumer.key;
            world.done(Command::SetPreferredLayers { consumer, layers });
        }
        world.run(Duration::from_secs(2));
    }
    for (index, consumer) in consumers.iter().enumerate() {
        let packets = world.peers[consumer.peer.0].stream(consumer.ssrc);
        assert_continuous(&packets);
        let last = packets.last().and_then(|packet| packet.stamp).expect("unaltered");
        assert_eq!(last.stream - first, (5 + index as u8) % 3);
    }
}

#[test]
fn a_jammed_pipe_drops_video_before_audio_and_starts_again_with_a_key_frame() {
    let mut world = World::new();
    let (sender, far) = (world.sender(), viewer(&mut world, Site::Annex));
    world.connect();
    let camera = world.camera(
        sender,
        Camera {
            packets_per_frame: 20,
            ..Camera::default()
        },
    );
    let microphone = world.microphone(sender, 40);
    let video = world.watch(far, camera, MediaKind::Video);
    let audio = world.watch(far, microphone, MediaKind::Audio);
    world.run(Duration::from_secs(3));
    world.pipes_are_jammed = true;
    world.run(Duration::from_secs(3));
    let counters = world.worker.counters().clone();
    assert!(
        counters.pipe_dropped_video > 500,
        "{}",
        counters.pipe_dropped_video
    );
    assert_eq!(counters.pipe_dropped_audio, 0);
    assert!(world.worker.piped_bytes() <= 1_600 * 1_024);
    world.pipes_are_jammed = false;
    let asked = world.peers[sender.0].key_requests.len();
    let opened = world.now;
    world.run(Duration::from_secs(3));
    assert_eq!(
        missing(&world.peers[far.0].stream(audio.ssrc)),
        0,
        "audio was only late"
    );
    assert!(
        world.peers[sender.0].key_requests.len() > asked,
        "a gap nobody can repair"
    );
    let after: Vec<_> = world.peers[far.0]
        .stream(video.ssrc)
        .into_iter()
        .filter(|packet| packet.at > opened + Duration::from_secs(1))
        .collect();
    assert_continuous(&after);
    assert!(after.len() > 500, "video flows again: {} packets", after.len());
}

#[test]
fn a_pipe_ends_with_its_producer_its_twin_or_its_worker() {
    let mut world = World::new();
    let (sender, far) = (world.sender(), viewer(&mut world, Site::Annex));
    world.connect();
    let camera = world.camera(sender, Camera::default());
    let microphone = world.microphone(sender, 40);
    world.watch(far, camera, MediaKind::Video);
    let heard = world.watch(far, microphone, MediaKind::Audio);
    world.run(Duration::from_secs(1));
    assert_eq!(world.stats_at(Site::Annex).piped_producers, 2);
    // The producer closes: so does its twin, with its consumer.
    world.done(Command::CloseProducer(camera));
    let stats = world.stats_at(Site::Annex);
    assert_eq!(
        (
            stats.piped_producers,
            stats.video_consumers,
            stats.audio_consumers
        ),
        (1, 0, 1)
    );
    // The twin closes: nothing is piped any more, and the producer goes on.
    let twin = world.twin(microphone, Site::Annex);
    world.command_at(Site::Annex, Command::CloseProducer(twin));
    world.forget_twin(microphone, Site::Annex);
    let piped = world.worker.counters().piped_out;
    world.run(Duration::from_secs(1));
    assert_eq!(world.worker.counters().piped_out, piped);
    assert_eq!(world.stats_at(Site::Home).audio_producers, 1);
    // It can be opened anew.
    let again = world.watch(far, microphone, MediaKind::Audio);
    world.run(Duration::from_secs(1));
    assert!(world.worker.counters().piped_out > piped + 40);
    assert_continuous(&world.peers[far.0].stream(again.ssrc));
    assert_ne!(heard.ssrc, again.ssrc);
    // Its worker dies: nothing is kept for it.
    world.kill_annex();
    let piped = world.worker.counters().piped_out;
    world.run(Duration::from_secs(1));
    assert_eq!(
        (world.worker.counters().piped_out, world.worker.pipes().count()),
        (piped, 0)
    );
}

#[test]
fn twins_close_when_the_producers_worker_dies() {
    let mut world = World::new();
    world.senders = Site::Annex;
    let sender = world.sender();
    let near = viewer(&mut world, Site::Home);
    world.connect();
    let camera = world.camera(sender, Camera::default());
    let consumer = world.watch(near, camera, MediaKind::Video);
    world.run(Duration::from_secs(1));
    assert!(!world.peers[near.0].stream(consumer.ssrc).is_empty());
    world.done(Command::ForgetPeer(ANNEX));
    let stats = world.stats_at(Site::Home);
    assert_eq!((stats.piped_producers, stats.video_consumers), (0, 0));
    // What the dead worker still had under way is nobody's.
    world.run(Duration::from_secs(1));
    assert_eq!(world.stats_at(Site::Home).piped_producers, 0);
}

#[test]
fn the_home_hears_who_speaks_elsewhere() {
    let mut world = World::new();
    let here = world.sender();
    world.senders = Site::Annex;
    let there = world.sender();
    world.connect();
    let far = world.microphone(there, 30);
    world.senders = Site::Home;
    let near = world.microphone(here, 90);
    let twin = world.twin(far, Site::Home);
    world.run(Duration::from_secs(3));
    let router = world.router;
    let speakers = |world: &World| -> Vec<_> {
        let told = |(_, event): &(_, Event)| match event {
            Event::ActiveSpeaker { router, producer, .. } => Some((*router, *producer)),
            _ => None,
        };
        world.events.iter().filter_map(told).collect()
    };
    assert_eq!(speakers(&world), [(router, Some(twin))]);
    // Pausing it there silences it here.
    world.command_at(Site::Annex, Command::PauseProducer(far));
    world.peers[here.0].tracks[0].source.kind = crate::world::media::Kind::Audio { level: 20 };
    world.run(Duration::from_secs(2));
    assert_eq!(speakers(&world), [(router, Some(twin)), (router, Some(near))]);
}

#[test]
fn sender_reports_reach_far_viewers_so_that_lips_fit() {
    let mut world = World::new();
    let sender = world.sender();
    world.connect();
    let camera = world.camera(sender, Camera::default());
    world.run(Duration::from_secs(5));
    // Whoever comes late finds the clocks of what was reported before.
    let far = viewer(&mut world, Site::Annex);
    world.connect();
    world.watch(far, camera, MediaKind::Video);
    world.run(Duration::from_millis(1_500));
    let reports = world.peers[far.0]
        .rtcp
        .iter()
        .filter(|(_, rtcp)| matches!(rtcp, str0m::rtp::rtcp::Rtcp::SenderReport(_)))
        .count();
    assert!(reports >= 1, "no sender report within a second and a half");
}
