//! The straight line from one socket back into it.

use std::io::{ErrorKind, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use link::srtp::Inbound;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};

use super::Calls;
use super::calls::Block;
use super::keys::{Key, Sealer, TAG};
use crate::peer::rtp::TWCC_ID;
use crate::stage::FIRST_SSRC;

/// Room for what the kernel merges.
const SLOT: usize = 65_536;
/// Viewers whose trains are sealed before they are sent together. It was measured not to matter: 2, 8, 32 and 200 are
/// alike on a machine whose third-level cache holds them all.
const GROUP: usize = 8;
/// The most datagrams, and bytes, the kernel takes as one.
const SEGMENTS: usize = 64;
const TRAIN: usize = 65_000;
/// SSRC of what viewers get: this plus the index of stream and viewer.
const OUT_SSRC: u32 = 2_000_000;
/// The canonical header of the floor: fixed part, extension header, transport-wide sequence number; filled up with
/// padding elements to the length of the worker's.
const MIN_HEADER: usize = 20;

/// What a forwarder is told.
pub(super) struct Setup {
    pub(super) sender: Key,
    pub(super) viewers: Vec<(SocketAddr, Key)>,
    pub(super) streams: usize,
    pub(super) header: usize,
}

struct Viewer {
    address: SocketAddr,
    sealer: Sealer,
    transport_sequence: u16,
}

/// An opened packet.
#[derive(Clone, Copy)]
struct Plain {
    /// Its place in the receive buffer, without header and tag.
    start: usize,
    end: usize,
    stream: usize,
    index: u64,
    marker: u8,
    timestamp: [u8; 4],
}

pub(super) struct Forwarder {
    socket: UdpSocket,
    poll: Poll,
    events: Events,
    inbound: Inbound,
    viewers: Vec<Viewer>,
    /// By stream, then viewer.
    headers: Vec<[u8; 64]>,
    header: usize,
    /// Packets forwarded, by stream.
    indices: Vec<u64>,
    received: Box<[u8]>,
    opened: Vec<Plain>,
    sealed: Vec<u8>,
    calls: Arc<Calls>,
}

impl Forwarder {
    pub(super) fn new(socket: std::net::UdpSocket, setup: Setup, calls: Arc<Calls>) -> Self {
        let poll = Poll::new().expect("polls");
        socket.set_nonblocking(true).expect("set");
        let own = socket2::SockRef::from(&socket);
        // As much as the system allows, like the worker.
        let _ = own.set_recv_buffer_size(4 << 20);
        let _ = own.set_send_buffer_size(4 << 20);
        let mut socket = UdpSocket::from_std(socket);
        poll.registry()
            .register(&mut socket, Token(0), Interest::READABLE)
            .expect("registered");
        assert!((MIN_HEADER..=64).contains(&setup.header) && setup.header.is_multiple_of(4));
        let viewers: Vec<Viewer> = setup
            .viewers
            .iter()
            .map(|(address, key)| Viewer {
                address: *address,
                sealer: key.sealer(),
                transport_sequence: 0,
            })
            .collect();
        let all = setup.streams * viewers.len();
        Self {
            socket,
            poll,
            events: Events::with_capacity(16),
            inbound: Inbound::new(&setup.sender.for_link(), 7).expect("keys"),
            headers: (0..all)
                .map(|number| template(number as u32, setup.header))
                .collect(),
            viewers,
            header: setup.header,
            // A receiver takes its first packet for one of the first rollover.
            indices: vec![1; setup.streams],
            received: vec![0; SLOT * BATCH_SIZE].into_boxed_slice(),
            opened: Vec::new(),
            sealed: vec![0; GROUP * SLOT],
            calls,
        }
    }

    /// As the kernel and the cipher do it best.
    pub(super) fn run_trains(mut self) {
        let mut block = Block::new(self.viewers.iter().map(|viewer| viewer.address));
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        // From here on what was sent as one datagram is received as one.
        let state = UdpSocketState::new(UdpSockRef::from(&self.socket)).expect("prepared");
        while !self.calls.stop.load(Relaxed) {
            self.poll.poll(&mut self.events, None).expect("polls");
            loop {
                let mut slots = self.received.chunks_exact_mut(SLOT);
                let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                    std::array::from_fn(|_| IoSliceMut::new(slots.next().unwrap_or_default()));
                self.calls.received.fetch_add(1, Relaxed);
                let own = UdpSockRef::from(&self.socket);
                let filled = match state.recv(own, &mut slices, &mut metas) {
                    Ok(filled) => filled,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("the floor cannot receive: {error}"),
                };
                self.opened.clear();
                for (slot, meta) in metas[..filled].iter().enumerate() {
                    let stride = meta.stride.max(1);
                    for start in (0..meta.len).step_by(stride) {
                        let end = meta.len.min(start + stride);
                        self.open(slot * SLOT + start, slot * SLOT + end);
                    }
                }
                self.send_trains(&mut block);
                if filled < BATCH_SIZE {
                    break;
                }
            }
        }
    }

    fn send_trains(&mut self, block: &mut Block) {
        let longest = self
            .opened
            .iter()
            .map(|plain| plain.end - plain.start + self.header + TAG)
            .max();
        let Some(longest) = longest else { return };
        let most = SEGMENTS.min(TRAIN / longest);
        let opened = std::mem::take(&mut self.opened);
        for group in (0..self.viewers.len()).step_by(GROUP) {
            let last = self.viewers.len().min(group + GROUP);
            for train in opened.chunks(most) {
                block.clear();
                let mut at = 0;
                for viewer in group..last {
                    // Equal sizes are one train; the traffic measured has no others.
                    let mut first = at;
                    let mut size = 0;
                    for plain in train {
                        let length = self.seal(*plain, viewer, at);
                        if size != 0 && length != size {
                            block.push(viewer, first..at, size as u16);
                            first = at;
                        }
                        size = length;
                        at += length;
                    }
                    block.push(viewer, first..at, size as u16);
                }
                let calls = block
                    .send(&self.socket, &self.sealed)
                    .expect("loopback takes all");
                self.calls.sent.fetch_add(calls, Relaxed);
            }
        }
        self.opened = opened;
    }

    /// As a program on libuv does it.
    pub(super) fn run_single(mut self) {
        while !self.calls.stop.load(Relaxed) {
            self.poll.poll(&mut self.events, None).expect("polls");
            loop {
                self.calls.received.fetch_add(1, Relaxed);
                let length = match self.socket.recv_from(&mut self.received) {
                    Ok((length, _)) => length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("the floor cannot receive: {error}"),
                };
                self.opened.clear();
                self.open(0, length);
                let Some(&plain) = self.opened.first() else {
                    continue;
                };
                for viewer in 0..self.viewers.len() {
                    let length = self.seal(plain, viewer, 0);
                    self.socket
                        .send_to(&self.sealed[..length], self.viewers[viewer].address)
                        .expect("loopback takes all");
                    self.calls.sent.fetch_add(1, Relaxed);
                }
            }
        }
    }

    /// Authenticates and decrypts a received packet; anything but RTP is passed over.
    fn open(&mut self, start: usize, end: usize) {
        let packet = &mut self.received[start..end];
        if packet.len() < MIN_HEADER || packet[0] >> 6 != 2 || rtp::is_rtcp(packet) {
            return;
        }
        let length = self.inbound.unprotect(packet).expect("authentic");
        // One word of extensions, as the sender writes it.
        let payload = MIN_HEADER;
        let stream = u32::from_be_bytes(packet[8..12].try_into().expect("four bytes")) - FIRST_SSRC;
        let stream = stream as usize;
        self.opened.push(Plain {
            start: start + payload,
            end: start + length,
            stream,
            index: self.indices[stream],
            marker: packet[1] & 0x80,
            timestamp: packet[4..8].try_into().expect("four bytes"),
        });
        self.indices[stream] += 1;
    }

    /// Writes a viewer's copy at `at` and returns its length.
    fn seal(&mut self, plain: Plain, viewer: usize, at: usize) -> usize {
        let number = plain.stream * self.viewers.len() + viewer;
        let length = self.header + plain.end - plain.start + TAG;
        let datagram = &mut self.sealed[at..at + length];
        datagram[..self.header].copy_from_slice(&self.headers[number][..self.header]);
        datagram[1] |= plain.marker;
        datagram[2..4].copy_from_slice(&(plain.index as u16).to_be_bytes());
        datagram[4..8].copy_from_slice(&plain.timestamp);
        let viewer = &mut self.viewers[viewer];
        viewer.transport_sequence = viewer.transport_sequence.wrapping_add(1);
        datagram[17..19].copy_from_slice(&viewer.transport_sequence.to_be_bytes());
        datagram[self.header..length - TAG].copy_from_slice(&self.received[plain.start..plain.end]);
        let ssrc = OUT_SSRC + number as u32;
        viewer.sealer.seal(datagram, self.header, ssrc, plain.index);
        length
    }
}

/// What never changes in the header of a viewer's stream.
fn template(number: u32, length: usize) -> [u8; 64] {
    let mut header = [0; 64];
    header[0] = 0x90;
    header[1] = 101;
    header[8..12].copy_from_slice(&(OUT_SSRC + number).to_be_bytes());
    header[12..14].copy_from_slice(&[0xBE, 0xDE]);
    header[15] = ((length - 16) / 4) as u8;
    header[16] = TWCC_ID << 4 | 1;
    header
}
