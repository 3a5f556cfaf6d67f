//! Passive ICE-TCP (RFC 6544): connections that carry the same packets as UDP in RFC 4571 frames.
//!
//! TCP never says no, it only gets slower, so every buffer here has an end: a peer that reads too slowly loses video
//! first and then its connection, and one that never passes an ICE check is not kept.

mod stream;

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use link::{FiveTuple, Protocol};
use mio::net::TcpListener;
use mio::{Interest, Registry, Token};
use sfu::Transmit;

use super::engine::Engine;
use super::load::{IoCount, IoCounters};
use super::options::TcpLimits;
use stream::{Closed, Read, Stream};

/// How often deadlines of connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// Pause after the system refused a connection for lack of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections accepted per cycle, so that a flood of them does not hold up packets.
const ACCEPTS_PER_CYCLE: usize = 32;
/// Bytes read from one connection before its turn is over.
const READ: usize = 16_384;

/// The listener of a worker and its connections.
pub(super) struct Streams {
    listener: TcpListener,
    local: SocketAddr,
    limits: TcpLimits,
    registry: Registry,
    /// Token of the first slot.
    base: usize,
    slots: Vec<Option<Stream>>,
    /// Open connections.
    open: usize,
    by_remote: HashMap<SocketAddr, usize>,
    /// Slots that may have bytes to read.
    readable: Vec<usize>,
    /// Slots with frames that were not offered to the kernel yet.
    unwritten: Vec<usize>,
    /// Slots to close once nothing borrows the batch.
    broken: Vec<(usize, Closed)>,
    scratch: Box<[u8]>,
    /// Whether the listener may have connections waiting.
    acceptable: bool,
    accept_again: Option<Instant>,
    next_sweep: Option<Instant>,
}

impl Streams {
    /// Takes a listener; its own readiness arrives under `listener_token`, that of connections from `base` on.
    pub(super) fn open(
        listener: std::net::TcpListener,
        registry: &Registry,
        (listener_token, base): (Token, usize),
        limits: TcpLimits,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let local = listener.local_addr()?;
        let mut listener = TcpListener::from_std(listener);
        registry.register(&mut listener, listener_token, Interest::READABLE)?;
        Ok(Self {
            listener,
            local,
            limits,
            registry: registry.try_clone()?,
            base,
            slots: Vec::new(),
            open: 0,
            by_remote: HashMap::new(),
            readable: Vec::new(),
            unwritten: Vec::new(),
            broken: Vec::new(),
            scratch: vec![0; READ].into_boxed_slice(),
            acceptable: true,
            accept_again: None,
            next_sweep: None,
        })
    }

    /// The listener's bound address.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// The listener has connections waiting.
    pub(super) fn note_listener(&mut self) {
        self.acceptable = true;
    }

    /// The connection of a token can be read or written.
    pub(super) fn note_ready(&mut self, token: Token, event: &mio::event::Event) {
        let slot = token.0.wrapping_sub(self.base);
        let Some(Some(stream)) = self.slots.get_mut(slot) else {
            return;
        };
        let ended = event.is_read_closed() || event.is_error();
        if ended {
            stream.mark_ended();
        }
        if (event.is_readable() || ended) && stream.mark_readable() {
            self.readable.push(slot);
        }
        if event.is_writable() && stream.mark_unwritten() {
            self.unwritten.push(slot);
        }
    }

    /// Whether there is something to do without waiting for readiness.
    pub(super) fn work_left(&self) -> bool {
        !self.readable.is_empty()
            || !self.unwritten.is_empty()
            || !self.broken.is_empty()
            || self.may_accept()
    }

    fn may_accept(&self) -> bool {
        self.acceptable && self.accept_again.is_none()
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.next_sweep, self.accept_again].into_iter().flatten().min()
    }

    /// Closes connections whose time is up.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.accept_again.is_some_and(|at| at <= now) {
            self.accept_again = None;
        }
        if self.next_sweep.is_none_or(|at| at > now) {
            return;
        }
        for (slot, stream) in self.slots.iter().enumerate() {
            if let Some(reason) = stream
                .as_ref()
                .and_then(|stream| stream.overdue(now, &self.limits))
            {
                self.broken.push((slot, reason));
            }
        }
        self.next_sweep = Some(now + SWEEP);
    }

    /// Accepts what waits, up to a cycle's share.
    pub(super) fn accept(&mut self, now: Instant, engine: &mut impl Engine, counters: &mut IoCounters) {
        if !self.may_accept() {
            return;
        }
        for _ in 0..ACCEPTS_PER_CYCLE {
            match self.listener.accept() {
                Ok((socket, remote)) => {
                    if !self.make_room(now, engine, counters) {
                        counters.add(IoCount::StreamsTurnedAway, 1);
                        continue;
                    }
                    if self.admit(Stream::new(socket, remote, now)).is_ok() {
                        counters.add(IoCount::StreamsAccepted, 1);
                        self.next_sweep.get_or_insert(now + SWEEP);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.acceptable = false;
                    return;
                }
                // The connection was gone before it could be accepted; the next one need not be.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::ConnectionAborted | ErrorKind::Interrupted
                    ) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept media connections");
                    self.accept_again = Some(now + ACCEPT_PAUSE);
                    return;
                }
            }
        }
    }

    /// Whether one more connection may be held, after closing the oldest unproven one if need be.
    fn make_room(&mut self, now: Instant, engine: &mut impl Engine, counters: &mut IoCounters) -> bool {
        if self.open < self.limits.connections {
            return true;
        }
        let oldest = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(slot, stream)| Some((stream.as_ref()?.unproven_since()?, slot)))
            .min();
        let Some((_, slot)) = oldest else { return false };
        self.close(now, (slot, Closed::Unproven), engine, counters);
        true
    }

    fn admit(&mut self, mut stream: Stream) -> io::Result<()> {
        let slot = self
            .slots
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.slots.len());
        // Edge-triggered: both interests for good; TCP reports room only after it had none.
        stream.register(&self.registry, Token(self.base + slot))?;
        // Bytes may have come before the registration.
        if stream.mark_readable() {
            self.readable.push(slot);
        }
        self.by_remote.insert(stream.remote(), slot);
        self.open += 1;
        match self.slots.get_mut(slot) {
            Some(free) => *free = Some(stream),
            None => self.slots.push(Some(stream)),
        }
        Ok(())
    }

    /// Reads once from one readable connection and hands its packets to `engine`; `false` when none was readable.
    pub(super) fn read_one(
        &mut self,
        now: Instant,
        engine: &mut impl Engine,
        counters: &mut IoCounters,
    ) -> bool {
        let Some(slot) = self.readable.pop() else {
            return false;
        };
        let Some(Some(stream)) = self.slots.get_mut(slot) else {
            return true;
        };
        let tuple = FiveTuple {
            protocol: Protocol::Tcp,
            local: self.local,
            remote: stream.remote(),
        };
        let read = stream.read(now, &mut self.scratch, |packet| {
            counters.add(IoCount::PacketsIn, 1);
            counters.add(IoCount::BytesIn, packet.len() as u64);
            engine.handle_datagram(now, tuple, packet);
        });
        match read {
            // Behind the others, so that each has its turn.
            Read::More if stream.mark_readable() => self.readable.insert(0, slot),
            Read::More | Read::Drained => {}
            Read::Closed(reason) => self.broken.push((slot, reason)),
        }
        true
    }

    /// Number of connections that can be read now.
    pub(super) fn readable(&self) -> usize {
        self.readable.len()
    }

    /// Queues a packet for its connection. Nothing is written before [`Self::flush`].
    pub(super) fn push(&mut self, transmit: &Transmit<'_>, now: Instant, counters: &mut IoCounters) {
        let slot = self.by_remote.get(&transmit.tuple.remote).copied();
        let Some((slot, Some(stream))) = slot.and_then(|slot| Some((slot, self.slots.get_mut(slot)?))) else {
            counters.add(IoCount::Refused, 1);
            return;
        };
        match stream.queue(transmit, now) {
            Ok(true) => counters.sent(1, transmit.bytes.len()),
            Ok(false) => super::send::count_drop(counters, transmit.class),
            Err(reason) => {
                super::send::count_drop(counters, transmit.class);
                self.broken.push((slot, reason));
            }
        }
        if stream.mark_unwritten() {
            self.unwritten.push(slot);
        }
    }

    /// Offers queued frames to the kernel and closes connections that broke.
    pub(super) fn flush(&mut self, now: Instant, engine: &mut impl Engine, counters: &mut IoCounters) {
        while let Some(slot) = self.unwritten.pop() {
            let Some(Some(stream)) = self.slots.get_mut(slot) else {
                continue;
            };
            if let Err(reason) = stream.write(now) {
                self.broken.push((slot, reason));
            }
        }
        while let Some(broken) = self.broken.pop() {
            self.close(now, broken, engine, counters);
        }
    }

    fn close(
        &mut self,
        now: Instant,
        (slot, reason): (usize, Closed),
        engine: &mut impl Engine,
        counters: &mut IoCounters,
    ) {
        // Broken twice in one batch, it is closed once.
        let Some(mut stream) = self.slots.get_mut(slot).and_then(Option::take) else {
            return;
        };
        if let Some(count) = reason.count() {
            counters.add(count, 1);
        }
        stream.deregister(&self.registry);
        let remote = stream.remote();
        self.by_remote.remove(&remote);
        self.open -= 1;
        if self.open == 0 {
            self.next_sweep = None;
        }
        self.readable.retain(|&other| other != slot);
        self.unwritten.retain(|&other| other != slot);
        engine.handle_stream_closed(
            now,
            FiveTuple {
                protocol: Protocol::Tcp,
                local: self.local,
                remote,
            },
        );
    }
}

#[cfg(test)]
mod tests;
