//! The receiving side: every viewer a real client with its own socket and keys, read cheaply enough to measure the
//! node and not the client. All packets are counted, a sample is decrypted and compared, and each viewer answers
//! with transport-wide feedback as a browser does.

use std::io::{ErrorKind, IoSliceMut};
use std::time::{Duration, Instant};

use link::twcc::ArrivalRecorder;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use rtp::Ssrc;
use rtp::ext::{ExtKind, ExtMap};
use rtp::view::RtpView;

use crate::peer::rtp::TWCC_ID;
use crate::peer::{Peer, Wire, rtp as wire_rtp};

/// One packet in so many is decrypted.
const SAMPLE: u64 = 499;
/// Bytes the kernel may merge into one read.
const SLOT: usize = 65_536;
const SLOTS: usize = 8;
/// Bytes that hold every header.
const HEADERS: usize = 64;

pub(crate) struct Viewer {
    pub(crate) peer: Peer,
    /// The peer's socket again, for the poller.
    socket: UdpSocket,
    state: UdpSocketState,
    recorder: ArrivalRecorder,
    feedback: bool,
}

/// All viewers.
pub(crate) struct Audience {
    pub(crate) viewers: Vec<Viewer>,
    poll: Poll,
    events: Events,
    bytes: Vec<u8>,
    map: ExtMap,
    /// RTP packets received by all.
    pub(crate) received: u64,
    /// Packets decrypted, and found to be what was sent.
    pub(crate) verified: u64,
    /// Length of the longest RTP packet received.
    pub(crate) longest: usize,
    /// Whether viewers report arrivals, as browsers do.
    pub(crate) gives_feedback: bool,
    upkeep: Instant,
    feedback_due: Instant,
}

impl Audience {
    pub(crate) fn new(peers: Vec<Peer>) -> Self {
        let now = Instant::now();
        let poll = Poll::new().expect("polls");
        let viewers = peers.into_iter().enumerate().map(|(index, peer)| {
            let Wire::Udp(socket) = &peer.wire else {
                panic!("viewers watch over UDP")
            };
            let state = UdpSocketState::new(UdpSockRef::from(socket)).expect("prepared");
            // As much as the system allows, so that what is lost is lost by the node.
            let _ = socket2::SockRef::from(socket).set_recv_buffer_size(8 << 20);
            let mut socket = UdpSocket::from_std(socket.try_clone().expect("cloned"));
            poll.registry()
                .register(&mut socket, Token(index), Interest::READABLE)
                .expect("registered");
            Viewer {
                socket,
                state,
                recorder: ArrivalRecorder::new(now),
                feedback: false,
                peer,
            }
        });
        let viewers = viewers.collect();
        let mut map = ExtMap::new();
        map.set(ExtKind::TransportSequence, TWCC_ID);
        Self {
            viewers,
            poll,
            events: Events::with_capacity(1_024),
            bytes: vec![0; SLOT * SLOTS],
            map,
            received: 0,
            verified: 0,
            longest: 0,
            gives_feedback: true,
            upkeep: now,
            feedback_due: now,
        }
    }

    /// Reads what has arrived, waiting for it at most `patience`.
    pub(crate) fn collect(&mut self, patience: Duration) {
        self.poll.poll(&mut self.events, Some(patience)).expect("polls");
        let now = Instant::now();
        let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for index in ready {
            self.read(now, index);
        }
        if self.gives_feedback && now >= self.feedback_due {
            self.feedback_due = now + Duration::from_millis(100);
            self.send_feedback(now);
        }
        if now >= self.upkeep {
            self.upkeep = now + Duration::from_millis(500);
            self.viewers
                .iter_mut()
                .for_each(|viewer| viewer.peer.handle_timeout(now));
        }
    }

    fn read(&mut self, now: Instant, index: usize) {
        let viewer = &mut self.viewers[index];
        let mut metas = [RecvMeta::default(); SLOTS];
        loop {
            let mut slots = self.bytes.chunks_exact_mut(SLOT);
            let mut slices: [IoSliceMut<'_>; SLOTS] =
                std::array::from_fn(|_| IoSliceMut::new(slots.next().unwrap_or_default()));
            let filled = match viewer
                .state
                .recv(UdpSockRef::from(&viewer.socket), &mut slices, &mut metas)
            {
                Ok(filled) => filled,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("a viewer cannot receive: {error}"),
            };
            for (meta, bytes) in metas[..filled].iter().zip(self.bytes.chunks_exact(SLOT)) {
                for packet in bytes[..meta.len].chunks(meta.stride.max(1)) {
                    if packet[0] >> 6 != 2 {
                        viewer.peer.handle_packet(now, packet);
                    } else if !rtp::is_rtcp(packet) {
                        let media = !wire_rtp::is_probe(packet);
                        self.received += u64::from(media);
                        self.longest = self.longest.max(packet.len());
                        let sample = media && self.received.is_multiple_of(SAMPLE);
                        self.verified += u64::from(viewer.take(now, packet, &self.map, sample));
                    }
                }
            }
            if filled < SLOTS {
                return;
            }
        }
    }

    fn send_feedback(&mut self, now: Instant) {
        let mut compound = Vec::new();
        for viewer in self.viewers.iter_mut().filter(|viewer| viewer.feedback) {
            compound.clear();
            if viewer.recorder.build(now, Ssrc(1), Ssrc(1), &mut compound) {
                viewer.peer.send_rtcp(&compound);
            }
        }
    }
}

impl Viewer {
    /// Notes a packet; whether it was decrypted and found right.
    fn take(&mut self, now: Instant, packet: &[u8], map: &ExtMap, sample: bool) -> bool {
        // Whatever padding there is, its length is encrypted still.
        let mut header = [0; HEADERS];
        let shown = &mut header[..packet.len().min(HEADERS)];
        shown.copy_from_slice(&packet[..shown.len()]);
        shown[0] &= !0x20;
        let view = RtpView::parse(shown).expect("an RTP packet");
        if let Some(sequence) = map.read(&view).transport_sequence {
            self.feedback = true;
            self.recorder.on_packet(now, sequence);
        }
        if !sample {
            return false;
        }
        let keys = self.peer.keys.as_mut().expect("connected");
        let plain = keys.inbound.decrypt_rtp(packet).expect("authentic");
        let seen = wire_rtp::read(&plain);
        assert!(
            seen.payload.ends_with(&[0x55; 40]),
            "the payload is not what was sent"
        );
        true
    }
}
