//! One UDP socket of a simulated participant: bursts leave as segmented datagrams, arrivals are read in batches, both
//! where the system can.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

use crate::clock::Stamp;

/// Wanted receive buffer, bytes: what comes while the tester waits for its core. The system may grant less.
const RECEIVE_BUFFER: usize = 1 << 20;
/// Datagrams, or trains of merged ones, read by one call. Each socket gets few packets at a time.
const SLOTS: usize = 8;
/// Room for what the system merges: at most 64 KiB.
const SLOT: usize = 65_536;
/// Bytes that leave in one call: a UDP datagram with its headers is limited to 64 KiB also when it is cut.
const MAX_BURST: usize = 60_000;

/// Memory for one batch of arrivals; one for all sockets of a thread.
pub(crate) struct Batch {
    bytes: Box<[u8]>,
    metas: [RecvMeta; SLOTS],
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; SLOTS * SLOT].into_boxed_slice(),
            metas: [RecvMeta::default(); SLOTS],
        }
    }

    /// The datagrams of the first `filled` slots and when each arrived, as far as the system says.
    pub(crate) fn datagrams(&mut self, filled: usize) -> impl Iterator<Item = (&mut [u8], Option<Stamp>)> {
        let slots = self.bytes.chunks_exact_mut(SLOT).zip(&self.metas).take(filled);
        slots.flat_map(|(bytes, meta)| {
            let arrival = meta.timestamp.map(Stamp::from);
            let bytes = &mut bytes[..meta.len.min(SLOT)];
            bytes
                .chunks_mut(meta.stride.max(1))
                .map(move |datagram| (datagram, arrival))
        })
    }
}

/// Whether a socket may have more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Empty,
    Maybe,
}

/// A socket.
pub(crate) struct Wire {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    /// Datagrams that the system did not take.
    pub(crate) refused: u64,
}

impl Wire {
    /// A socket from which `server` can be reached.
    ///
    /// # Errors
    /// The system's, for instance when there are too many open files.
    pub(crate) fn open(server: SocketAddr) -> io::Result<Self> {
        let any = match server.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = std::net::UdpSocket::bind((any, 0))?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // Best effort: a small buffer shows as packets lost by the tester.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        let local = socket.local_addr()?;
        Ok(Self {
            socket: UdpSocket::from_std(socket),
            state,
            local,
            peer: None,
            refused: 0,
        })
    }

    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// From now on there is only this peer.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn connect(&mut self, peer: SocketAddr) -> io::Result<()> {
        self.socket.connect(peer)?;
        self.peer = Some(peer);
        Ok(())
    }

    /// Sends one datagram while the peer is being looked for.
    pub(crate) fn send_to(&mut self, to: SocketAddr, datagram: &[u8]) {
        let sent = if self.peer == Some(to) {
            self.socket.send(datagram)
        } else {
            self.socket.send_to(datagram, to)
        };
        self.refused += u64::from(sent.is_err());
    }

    /// Sends one datagram to the peer.
    pub(crate) fn send(&mut self, datagram: &[u8]) {
        self.refused += u64::from(self.socket.send(datagram).is_err());
    }

    /// Sends datagrams of `size` bytes each, the last maybe shorter, that lie one behind the other.
    pub(crate) fn send_burst(&mut self, bytes: &[u8], size: usize) {
        let segments = self.state.max_gso_segments().min(MAX_BURST / size.max(1));
        let Some(destination) = self.peer.filter(|_| segments > 1 && bytes.len() > size) else {
            bytes.chunks(size.max(1)).for_each(|datagram| self.send(datagram));
            return;
        };
        for burst in bytes.chunks(segments * size) {
            let transmit = Transmit {
                destination,
                ecn: None,
                contents: burst,
                segment_size: Some(size),
                src_ip: None,
            };
            let sent = self.state.try_send(UdpSockRef::from(&self.socket), &transmit);
            if sent.is_err() && self.state.max_gso_segments() == 1 {
                // The system has just been found unable to cut datagrams.
                burst.chunks(size).for_each(|datagram| self.send(datagram));
            } else if sent.is_err() {
                self.refused += burst.len().div_ceil(size) as u64;
            }
        }
    }

    /// Reads what has arrived, at most a batch: slots filled, and whether there may be more.
    pub(crate) fn receive(&self, batch: &mut Batch) -> (usize, Rest) {
        let Batch { bytes, metas } = batch;
        let mut slots = bytes.chunks_exact_mut(SLOT);
        let mut slices: [IoSliceMut<'_>; SLOTS] =
            std::array::from_fn(|_| IoSliceMut::new(slots.next().unwrap_or_default()));
        match self
            .state
            .recv(UdpSockRef::from(&self.socket), &mut slices, metas)
        {
            Ok(SLOTS) => (SLOTS, Rest::Maybe),
            Ok(filled) => (filled, Rest::Empty),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (0, Rest::Empty),
            // News of an earlier datagram, for instance that nobody listens any more; what came is behind it.
            Err(_) => (0, Rest::Maybe),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two sockets that are connected with each other.
    fn pair() -> (Wire, Wire) {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut pair = (
            Wire::open(loopback).expect("opens"),
            Wire::open(loopback).expect("opens"),
        );
        pair.0.connect(pair.1.local()).expect("connects");
        pair.1.connect(pair.0.local()).expect("connects");
        pair
    }

    /// What comes, until there are `count` datagrams.
    fn collect(wire: &Wire, count: usize) -> Vec<Vec<u8>> {
        let mut batch = Batch::new();
        let mut got: Vec<Vec<u8>> = Vec::new();
        // Loopback delivers while sending; a busy system may still need a moment.
        for _ in 0..1_000_000 {
            let (filled, _) = wire.receive(&mut batch);
            got.extend(batch.datagrams(filled).map(|(datagram, _)| datagram.to_vec()));
            if got.len() >= count {
                return got;
            }
            std::thread::yield_now();
        }
        panic!("only {} of {count}", got.len());
    }

    #[test]
    fn a_burst_arrives_as_the_datagrams_it_was_made_of() {
        let (mut from, to) = pair();
        let bytes: Vec<u8> = (0..70_000u32).map(|number| number as u8).collect();
        from.send_burst(&bytes, 1_100);
        let got = collect(&to, 64);
        assert_eq!(got.concat(), bytes);
        assert!(got[..63].iter().all(|datagram| datagram.len() == 1_100));
        assert_eq!(from.refused, 0);
    }

    #[test]
    fn a_single_datagram_arrives_with_its_time() {
        let (mut from, to) = pair();
        let before = Stamp::now();
        from.send_burst(b"one", 3);
        assert_eq!(collect(&to, 1), [b"one"]);
        from.send_to(to.local(), b"two");
        let mut batch = Batch::new();
        let mut filled = 0;
        while filled == 0 {
            filled = to.receive(&mut batch).0;
        }
        let (_, arrival) = batch.datagrams(filled).next().expect("one");
        // Only Linux tells; another system's tester takes the time of reading.
        assert!(arrival.is_none_or(|arrival| arrival >= before && arrival <= Stamp::now()));
    }
}
