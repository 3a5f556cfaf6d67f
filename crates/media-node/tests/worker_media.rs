//! Media through a worker thread: real sockets, ICE, DTLS and SRTP, over UDP and TCP.

mod peer;

use link::ice::IceState;
use link::{DtlsRole, DtlsState, Protocol};
use media_node::worker::{IoCount, SendPath};
use peer::node::{Node, ROUTER_OPUS, ROUTER_VP8};
use peer::rtp::{Seen, Stream, read};
use sfu::command::{Command, Reply};
use sfu::event::Event;
use sfu::spec::{Direction, MediaKind};

/// Packets a viewer got of one stream.
fn of(packets: &[Vec<u8>], ssrc: u32) -> Vec<Seen<'_>> {
    packets
        .iter()
        .map(|packet| read(packet))
        .filter(|seen| seen.ssrc == ssrc)
        .collect()
}

/// Asserts that a stream has no gap and belongs together.
fn assert_gapless(seen: &[Seen<'_>]) {
    for pair in seen.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "{pair:?}");
    }
}

#[test]
fn audio_and_video_reach_every_viewer_whatever_they_came_by() {
    for send_path in [SendPath::Plain, SendPath::Mmsg, SendPath::Gso] {
        let mut node = Node::start(send_path);
        let mut sender = node.join(Direction::Receive, Protocol::Udp);
        let mut by_udp = node.join(Direction::Send, Protocol::Udp);
        let mut by_tcp = node.join(Direction::Send, Protocol::Tcp);
        let audio = node.produce(sender.transport, MediaKind::Audio, 11);
        let video = node.produce(sender.transport, MediaKind::Video, 22);
        let mut streams = Vec::new();
        for viewer in [&by_udp, &by_tcp] {
            let (_, audio) = node.consume(viewer.transport, audio, MediaKind::Audio);
            let (_, video) = node.consume(viewer.transport, video, MediaKind::Video);
            streams.push((audio, video));
        }
        let (mut voice, mut camera) = (Stream::new(11), Stream::new(22));
        for frame in 0..20 {
            sender.peer.send_rtp(&voice.opus(80, frame));
            for packet in camera.vp8(8, 1_100, frame == 0) {
                sender.peer.send_rtp(&packet);
            }
            // Frame by frame, so that no receive buffer has to hold more than a burst.
            let sent = usize::from(frame) + 1;
            node.drive(
                &mut [&mut sender.peer, &mut by_udp.peer, &mut by_tcp.peer],
                |peers| peers[1..].iter().all(|peer| peer.rtp.len() >= 9 * sent),
            );
        }
        for (viewer, (audio_ssrc, video_ssrc)) in [&by_udp, &by_tcp].into_iter().zip(streams) {
            let audio = of(&viewer.peer.rtp, audio_ssrc);
            assert_eq!(audio.len(), 20, "{send_path:?}");
            assert_gapless(&audio);
            for (number, seen) in audio.iter().enumerate() {
                assert_eq!(seen.payload_type, ROUTER_OPUS);
                assert!(
                    seen.payload == [number as u8; 80],
                    "the payload of packet {number} arrived as sent"
                );
            }
            let video = of(&viewer.peer.rtp, video_ssrc);
            assert_eq!(video.len(), 160, "{send_path:?}");
            assert_gapless(&video);
            for (number, seen) in video.iter().enumerate() {
                assert_eq!((seen.payload_type, seen.payload.len()), (ROUTER_VP8, 1_100));
                assert_eq!(seen.marker, number % 8 == 7, "packet {number}");
            }
            assert_eq!(video[0].payload[6] & 1, 0, "starts with the key frame");
        }
        let counters = node.handle.io_counters();
        assert_eq!(
            (counters.dropped(), counters.of(IoCount::Refused)),
            (0, 0),
            "{counters:?}"
        );
    }
}

#[test]
fn the_control_plane_learns_how_a_transport_comes_up() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut node = Node::start(SendPath::Gso);
        let joined = node.join(Direction::Send, protocol);
        let transport = joined.transport;
        let expected = [
            Event::Ice {
                transport,
                state: IceState::Completed,
            },
            Event::Selected { transport, protocol },
            Event::Dtls {
                transport,
                state: DtlsState::Connecting,
            },
            Event::Dtls {
                transport,
                state: DtlsState::Connected,
            },
        ];
        let mut peer = joined.peer;
        // Events follow the datagrams that complete the handshake.
        for _ in 0..2_000 {
            if expected.iter().all(|event| node.was_told(event)) {
                break;
            }
            peer.turn(std::time::Instant::now());
            node.listen(std::time::Duration::from_millis(5));
        }
        for event in &expected {
            assert!(
                node.was_told(event),
                "{protocol:?}: {event:?} is missing in {:?}",
                node.told
            );
        }
        let Ok(Reply::TransportStats(stats)) = node.handle.call_and_wait(Command::TransportStats(transport))
        else {
            panic!("statistics")
        };
        assert_eq!(stats.protocol, Some(protocol));
    }
}

#[test]
fn a_client_may_be_the_dtls_server() {
    let mut node = Node::start(SendPath::Gso);
    let mut sender = node.invite(Direction::Receive, Protocol::Udp, DtlsRole::Server);
    let mut viewer = node.invite(Direction::Send, Protocol::Tcp, DtlsRole::Server);
    node.settle(&mut [&mut sender, &mut viewer]);
    let audio = node.produce(sender.transport, MediaKind::Audio, 5);
    let (_, ssrc) = node.consume(viewer.transport, audio, MediaKind::Audio);
    let mut voice = Stream::new(5);
    node.drive(&mut [&mut sender.peer, &mut viewer.peer], |peers| {
        peers[0].send_rtp(&voice.opus(60, 1));
        !of(&peers[1].rtp, ssrc).is_empty()
    });
}

#[test]
fn a_viewer_that_changes_its_address_goes_on_watching() {
    let mut node = Node::start(SendPath::Gso);
    let mut sender = node.join(Direction::Receive, Protocol::Udp);
    let mut viewer = node.join(Direction::Send, Protocol::Udp);
    let audio = node.produce(sender.transport, MediaKind::Audio, 5);
    let (_, ssrc) = node.consume(viewer.transport, audio, MediaKind::Audio);
    let mut voice = Stream::new(5);
    node.drive(&mut [&mut sender.peer, &mut viewer.peer], |peers| {
        peers[0].send_rtp(&voice.opus(60, 1));
        of(&peers[1].rtp, ssrc).len() >= 5
    });
    viewer.peer.change_address();
    viewer.peer.rtp.clear();
    node.drive(&mut [&mut sender.peer, &mut viewer.peer], |peers| {
        peers[0].send_rtp(&voice.opus(60, 2));
        peers[1].is_nominated() && of(&peers[1].rtp, ssrc).len() >= 5
    });
}

#[test]
fn a_viewer_that_stops_reading_its_connection_is_dropped_and_nobody_else_notices() {
    let mut node = Node::start(SendPath::Gso);
    let mut sender = node.join(Direction::Receive, Protocol::Udp);
    let mut watching = node.join(Direction::Send, Protocol::Udp);
    let mut asleep = node.join(Direction::Send, Protocol::Tcp);
    let video = node.produce(sender.transport, MediaKind::Video, 9);
    let audio = node.produce(sender.transport, MediaKind::Audio, 10);
    let (_, ssrc) = node.consume(watching.transport, video, MediaKind::Video);
    node.consume(asleep.transport, video, MediaKind::Video);
    node.consume(asleep.transport, audio, MediaKind::Audio);
    let (mut camera, mut voice) = (Stream::new(9), Stream::new(10));
    let mut sent = 0;
    // The kernels' buffers swallow some megabytes before the node sees that nobody reads.
    while node.handle.io_counters().of(IoCount::StreamsStalled) == 0 {
        assert!(sent < 400_000, "{:?}", node.handle.io_counters());
        for packet in camera.vp8(8, 1_100, sent == 0) {
            sender.peer.send_rtp(&packet);
        }
        // Much more audio than anybody says, so that the test is short.
        for _ in 0..20 {
            sender.peer.send_rtp(&voice.opus(1_000, 1));
        }
        sent += 8;
        node.drive(&mut [&mut sender.peer, &mut watching.peer], |peers| {
            of(&peers[1].rtp, ssrc).len() >= 8
        });
        watching.peer.rtp.clear();
    }
    let counters = node.handle.io_counters();
    assert!(
        counters.of(IoCount::DroppedVideo) > 0,
        "video went first: {counters:?}"
    );
    // Unread bytes are before the end.
    let now = std::time::Instant::now();
    asleep.peer.turn(now);
    assert!(asleep.peer.wire.is_closed());
    node.drive(&mut [&mut sender.peer, &mut watching.peer], |peers| {
        for packet in camera.vp8(8, 1_100, false) {
            peers[0].send_rtp(&packet);
        }
        of(&peers[1].rtp, ssrc).len() >= 50
    });
}

#[test]
fn a_worker_that_dies_takes_its_calls_along_and_leaves_the_others_alone() {
    let mut sick = Node::start(SendPath::Gso);
    let mut healthy = Node::start(SendPath::Gso);
    let mut sender = healthy.join(Direction::Receive, Protocol::Udp);
    let mut viewer = healthy.join(Direction::Send, Protocol::Udp);
    let audio = healthy.produce(sender.transport, MediaKind::Audio, 5);
    let (_, ssrc) = healthy.consume(viewer.transport, audio, MediaKind::Audio);
    sick.join(Direction::Receive, Protocol::Udp);
    sick.handle.panic_for_test().expect("alive");
    while !sick
        .told
        .iter()
        .any(|notice| matches!(notice, media_node::worker::WorkerNotice::Died { .. }))
    {
        sick.listen(peer::node::PATIENCE);
    }
    assert!(sick.handle.call_and_wait(Command::Stats).is_err());
    let mut voice = Stream::new(5);
    healthy.drive(&mut [&mut sender.peer, &mut viewer.peer], |peers| {
        peers[0].send_rtp(&voice.opus(60, 1));
        of(&peers[1].rtp, ssrc).len() >= 5
    });
}
