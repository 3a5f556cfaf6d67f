//! The ways a worker can send differ in system calls and in nothing a receiver could see.

mod peer;

use std::collections::BTreeMap;

use link::Protocol;
use media_node::worker::{IoCount, SendPath};
use peer::Peer;
use peer::node::{Joined, Node};
use peer::rtp::{Stream, read};
use sfu::spec::{Direction, MediaKind};

const VIEWERS: usize = 4;
const ROUNDS: usize = 40;
/// Packets of a frame by round: single packets, frames, and more than one train may carry.
const FRAMES: [usize; 5] = [1, 8, 3, 70, 2];

/// What is left of a packet when the numbers a path may start with are taken off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Relative {
    sequence: u16,
    timestamp: u32,
    marker: bool,
    payload_type: u8,
    payload: Vec<u8>,
}

/// By viewer and stream, packets in the order they arrived.
type Received = BTreeMap<(usize, u32), Vec<Relative>>;

/// Packets of a frame: sizes as an encoder cuts them, equal within a byte, the last one shorter or longer.
fn frame(camera: &mut Stream, round: usize) -> Vec<Vec<u8>> {
    let packets = FRAMES[round % FRAMES.len()];
    let mut cut = camera.vp8(packets, 700 + round, round == 0);
    for (index, packet) in cut.iter_mut().enumerate() {
        let extra = match (index + round) % 5 {
            0 => 1,
            3 if index + 1 == packets => 90,
            _ => 0,
        };
        packet.extend(std::iter::repeat_n(index as u8, extra));
    }
    cut
}

/// Everybody's packets when the same traffic takes `path`.
fn forward(path: SendPath) -> Received {
    let mut node = Node::start(path);
    let mut sender = node.join(Direction::Receive, Protocol::Udp);
    let mut viewers: Vec<Joined> = (0..VIEWERS)
        .map(|number| {
            let protocol = if number == 0 { Protocol::Tcp } else { Protocol::Udp };
            node.join(Direction::Send, protocol)
        })
        .collect();
    let audio = node.produce(sender.transport, MediaKind::Audio, 11);
    let video = node.produce(sender.transport, MediaKind::Video, 22);
    let screen = node.produce(sender.transport, MediaKind::Video, 33);
    for viewer in &viewers {
        for (producer, kind) in [
            (audio, MediaKind::Audio),
            (video, MediaKind::Video),
            (screen, MediaKind::Video),
        ] {
            node.consume(viewer.transport, producer, kind);
        }
    }
    let (mut voice, mut camera, mut desk) = (Stream::new(11), Stream::new(22), Stream::new(33));
    let mut sent = 0;
    for round in 0..ROUNDS {
        sender.peer.send_rtp(&voice.opus(60 + round, round as u8));
        let (one, other) = (
            frame(&mut camera, round),
            frame(&mut desk, round + 2 * usize::from(round > 0)),
        );
        sent += 1 + one.len() + other.len();
        // Two producers' packets mixed, so that bursts of both are under way.
        let longest = one.len().max(other.len());
        for index in 0..longest {
            for packet in [one.get(index), other.get(index)].into_iter().flatten() {
                sender.peer.send_rtp(packet);
            }
        }
        let mut peers: Vec<&mut Peer> = vec![&mut sender.peer];
        peers.extend(viewers.iter_mut().map(|viewer| &mut viewer.peer));
        node.drive(&mut peers, |peers| {
            peers[1..].iter().all(|peer| peer.rtp.len() >= sent)
        });
    }
    let counters = node.handle.io_counters();
    assert_eq!(
        (counters.dropped(), counters.of(IoCount::Refused)),
        (0, 0),
        "{path:?}: {counters:?}"
    );
    received(&viewers)
}

fn received(viewers: &[Joined]) -> Received {
    let mut all = Received::new();
    for (number, viewer) in viewers.iter().enumerate() {
        let mut firsts = BTreeMap::new();
        // Streams in the order they were opened; SSRCs rise with it.
        for packet in &viewer.peer.rtp {
            let seen = read(packet);
            let (sequence, timestamp) = *firsts.entry(seen.ssrc).or_insert((seen.sequence, seen.timestamp));
            all.entry((number, seen.ssrc)).or_default().push(Relative {
                sequence: seen.sequence.wrapping_sub(sequence),
                timestamp: seen.timestamp.wrapping_sub(timestamp),
                marker: seen.marker,
                payload_type: seen.payload_type,
                payload: seen.payload.to_vec(),
            });
        }
    }
    all
}

#[test]
fn receivers_decrypt_the_same_packets_in_the_same_order_on_every_path() {
    let plain = forward(SendPath::Plain);
    assert_eq!(plain.len(), 3 * VIEWERS);
    for (stream, packets) in &plain {
        for pair in packets.windows(2) {
            assert_eq!(
                pair[1].sequence,
                pair[0].sequence + 1,
                "{stream:?} arrived as sent"
            );
        }
    }
    for path in [SendPath::Mmsg, SendPath::Gso] {
        let other = forward(path);
        assert_eq!(
            plain.keys().collect::<Vec<_>>(),
            other.keys().collect::<Vec<_>>(),
            "{path:?}"
        );
        for (stream, packets) in &plain {
            let found = &other[stream];
            assert_eq!(packets.len(), found.len(), "{path:?} {stream:?}");
            let differs = packets.iter().zip(found).position(|(one, two)| one != two);
            assert_eq!(differs, None, "{path:?} {stream:?}");
        }
    }
}
