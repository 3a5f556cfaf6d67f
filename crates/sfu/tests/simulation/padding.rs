//! The packets of a frame leave equally long, whatever a byte more or less the sender gave them, and what the viewer
//! decodes is what was sent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use sfu::spec::{MediaKind, TrainPadding};
use str0m_netem::{Probability, RandomLoss};

use crate::world::check::{assert_continuous, whole_frames};
use crate::world::peer::link;
use crate::world::{Camera, Consumer, PeerId, World};

/// The largest datagram this server may make: 1,200 bytes of RTP and the tag.
const LARGEST: usize = 1_216;

fn call(padding: TrainPadding) -> (World, Consumer, Consumer) {
    let mut world = World::with_padding(padding);
    let (sender, viewer): (PeerId, PeerId) = (world.sender(), world.receiver());
    world.connect();
    let camera = world.camera(
        sender,
        Camera {
            packets_per_frame: 8,
            ..Camera::default()
        },
    );
    let microphone = world.microphone(sender, 40);
    let video = world.watch(viewer, camera, MediaKind::Video);
    let audio = world.watch(viewer, microphone, MediaKind::Audio);
    world.run(Duration::from_secs(2));
    world.wire = Some(Vec::new());
    (world, video, audio)
}

/// Protected RTP packets to the viewer by SSRC and timestamp: length and whether padded.
fn frames(world: &mut World, viewer: SocketAddr) -> HashMap<(u32, u32), Vec<(usize, bool)>> {
    let mut frames: HashMap<_, Vec<_>> = HashMap::new();
    for (to, bytes) in world.wire.take().into_iter().flatten() {
        let is_rtp = bytes[0] >> 6 == 2 && !rtp::is_rtcp(&bytes);
        if to == viewer && is_rtp {
            let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            let padded = bytes[0] & 0x20 != 0;
            frames
                .entry((word(8), word(4)))
                .or_default()
                .push((bytes.len(), padded));
        }
    }
    frames
}

/// How many different lengths precede a frame's last packet, and whether that one is longer.
fn is_one_train(lengths: &[(usize, bool)]) -> bool {
    let Some(((last, _), before)) = lengths.split_last() else {
        return true;
    };
    before.windows(2).all(|pair| pair[0].0 == pair[1].0) && before.last().is_none_or(|(len, _)| last <= len)
}

#[test]
fn a_frame_is_one_train() {
    let (mut world, video, audio) = call(TrainPadding::On);
    let viewer = world.peers[video.peer.0].address;
    world.run(Duration::from_secs(4));
    let frames = frames(&mut world, viewer);
    let of = |ssrc| frames.iter().filter(move |((of, _), _)| *of == ssrc);
    assert!(of(video.ssrc).count() >= 99, "{} frames", of(video.ssrc).count());
    for (id, lengths) in of(video.ssrc) {
        assert!(is_one_train(lengths), "frame {id:?}: {lengths:?}");
        assert!(lengths.iter().all(|(len, _)| *len <= LARGEST));
        assert!(lengths.len() < 8 || lengths.iter().any(|(_, padded)| *padded));
    }
    assert!(of(audio.ssrc).count() >= 199);
    assert!(
        of(audio.ssrc).all(|(_, lengths)| lengths.iter().all(|(_, padded)| !padded)),
        "audio is never padded"
    );
    let packets = world.peers[video.peer.0].stream(video.ssrc);
    assert_continuous(&packets);
}

#[test]
fn turned_off_packets_are_as_long_as_they_were_made() {
    let (mut world, video, _) = call(TrainPadding::Off);
    let viewer = world.peers[video.peer.0].address;
    world.run(Duration::from_secs(2));
    let frames = frames(&mut world, viewer);
    let video_frames: Vec<_> = frames
        .iter()
        .filter(|((ssrc, _), lengths)| *ssrc == video.ssrc && lengths.len() == 8)
        .collect();
    assert!(video_frames.len() >= 45);
    assert!(
        video_frames.iter().all(|(_, lengths)| !is_one_train(lengths)),
        "the simulated camera's packets differ by a byte"
    );
    assert!(frames.values().flatten().all(|(_, padded)| !padded));
}

#[test]
fn what_was_padded_is_repaired_without_padding() {
    let (mut world, video, _) = call(TrainPadding::On);
    let viewer = world.peers[video.peer.0].address;
    world.peers[video.peer.0]
        .downlink
        .set_config(link(5).loss(RandomLoss::new(Probability(0.05))));
    world.run(Duration::from_secs(6));
    let frames = frames(&mut world, viewer);
    let rtx = video.rtx.expect("video has retransmissions");
    let repairs: Vec<_> = frames.iter().filter(|((ssrc, _), _)| *ssrc == rtx).collect();
    assert!(repairs.len() > 20, "{} repairs", repairs.len());
    assert!(
        repairs
            .iter()
            .all(|(_, lengths)| lengths.iter().all(|(_, padded)| !padded))
    );
    let packets = world.peers[video.peer.0].stream(video.ssrc);
    assert!(
        packets.iter().all(|packet| packet.stamp.is_some()),
        "payloads are intact"
    );
    let whole = whole_frames(&packets).len();
    assert!(whole >= 190, "{whole} of 200 frames came whole");
}
