//! One TCP connection: its buffers, and when it has to go.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use sfu::{Transmit, TransmitClass};

use super::super::framing::{self, Deframer};
use super::super::load::IoCount;
use super::super::options::TcpLimits;
use super::super::trains::Priority;

/// Unread bytes at which a connection loses video: about a quarter of a second of 2 Mbit/s. Older video is worth less
/// than the key frame that will follow.
const VIDEO_LIMIT: usize = 64 * 1024;
/// Unread bytes at which a connection is closed: several seconds of audio later it is of no use to anybody.
const HARD_LIMIT: usize = 128 * 1024;
/// Bytes the kernel may hold unsent (`TCP_NOTSENT_LOWAT`); by default it hoards seconds of video.
#[cfg(target_os = "linux")]
const KERNEL_LIMIT: u32 = 32 * 1024;
/// What an empty write buffer keeps for the next time.
const KEPT_CAPACITY: usize = 16 * 1024;

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The peer closed it, or the network did.
    Gone,
    /// Its bytes were no frames.
    Malformed,
    /// It passed no ICE check in time, or had to make room for another.
    Unproven,
    /// Nothing was heard for too long.
    Silent,
    /// The peer does not read what it is sent.
    Stalled,
}

impl Closed {
    /// What it is counted as, where it is worth counting.
    pub(super) fn count(self) -> Option<IoCount> {
        match self {
            Self::Gone => None,
            Self::Malformed => Some(IoCount::StreamsMalformed),
            Self::Unproven => Some(IoCount::StreamsUnproven),
            Self::Silent => Some(IoCount::StreamsSilent),
            Self::Stalled => Some(IoCount::StreamsStalled),
        }
    }
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// There may be more.
    More,
    /// The kernel had no more.
    Drained,
    /// The connection is over.
    Closed(Closed),
}

/// An accepted connection.
pub(super) struct Stream {
    socket: TcpStream,
    remote: SocketAddr,
    opened: Instant,
    /// Last time bytes came.
    heard: Instant,
    /// Last time the kernel took bytes, or the buffer was empty.
    progress: Instant,
    /// Whether an ICE check of it was accepted.
    proven: bool,
    deframer: Deframer,
    /// Frames for the kernel; those before `written` are taken already.
    out: Vec<u8>,
    written: usize,
    /// Whether the peer was reported to send nothing more.
    ended: bool,
    /// Whether it is in the list of readable connections.
    readable: bool,
    /// Whether it is in the list of connections to write.
    unwritten: bool,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, remote: SocketAddr, now: Instant) -> Self {
        // Best effort: both only make it slower if they fail.
        let _ = socket.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&socket).set_tcp_notsent_lowat(KERNEL_LIMIT);
        Self {
            socket,
            remote,
            opened: now,
            heard: now,
            progress: now,
            proven: false,
            deframer: Deframer::default(),
            out: Vec::new(),
            written: 0,
            ended: false,
            readable: false,
            unwritten: false,
        }
    }

    pub(super) fn remote(&self) -> SocketAddr {
        self.remote
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(super) fn deregister(&mut self, registry: &Registry) {
        // Closing the descriptor does the same.
        let _ = registry.deregister(&mut self.socket);
    }

    /// Notes that the peer will send nothing more than what can be read now.
    pub(super) fn mark_ended(&mut self) {
        self.ended = true;
    }

    /// Notes that it can be read; `true` when that is new.
    pub(super) fn mark_readable(&mut self) -> bool {
        !std::mem::replace(&mut self.readable, true)
    }

    /// Notes that it should be written; `true` when that is new and there is something to write.
    pub(super) fn mark_unwritten(&mut self) -> bool {
        self.waiting() > 0 && !std::mem::replace(&mut self.unwritten, true)
    }

    /// When it was opened, as long as it is unproven.
    pub(super) fn unproven_since(&self) -> Option<Instant> {
        (!self.proven).then_some(self.opened)
    }

    /// Why it has to go, if it has.
    pub(super) fn overdue(&self, now: Instant, limits: &TcpLimits) -> Option<Closed> {
        let since = |then| now.saturating_duration_since(then);
        if !self.proven && since(self.opened) >= limits.prove_within {
            return Some(Closed::Unproven);
        }
        if since(self.heard) >= limits.silence {
            return Some(Closed::Silent);
        }
        (self.waiting() > 0 && since(self.progress) >= limits.stall).then_some(Closed::Stalled)
    }

    /// Reads once into `scratch` and hands on the packets that completes.
    pub(super) fn read(&mut self, now: Instant, scratch: &mut [u8], deliver: impl FnMut(&mut [u8])) -> Read {
        self.readable = false;
        match self.socket.read(scratch) {
            Ok(0) => Read::Closed(Closed::Gone),
            Ok(length) => {
                self.heard = now;
                // A read that was not filled emptied the kernel's buffer, and later bytes are reported anew; but an
                // end that was reported together with the bytes is not reported again.
                let more = length == scratch.len() || self.ended;
                let Some(bytes) = scratch.get_mut(..length) else {
                    return Read::Drained;
                };
                match self.deframer.feed(bytes, deliver) {
                    Err(framing::FrameTooLong) => Read::Closed(Closed::Malformed),
                    Ok(()) if more => Read::More,
                    Ok(()) => Read::Drained,
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Read::Drained,
            Err(error) if error.kind() == ErrorKind::Interrupted => Read::More,
            Err(_) => Read::Closed(Closed::Gone),
        }
    }

    /// Queues a packet, or gives up on it (`false`) or on the connection, by how far behind the peer is.
    pub(super) fn queue(&mut self, transmit: &Transmit<'_>, now: Instant) -> Result<bool, Closed> {
        let waiting = self.waiting();
        let after = waiting + framing::framed_length(transmit.bytes.len());
        if after > HARD_LIMIT {
            return Err(Closed::Stalled);
        }
        if after > VIDEO_LIMIT && Priority::of(transmit.class) == Priority::Shed {
            return Ok(false);
        }
        if waiting == 0 {
            self.progress = now;
        }
        if !self.proven {
            self.proven = transmit.class == TransmitClass::Control && is_binding_success(transmit.bytes);
        }
        Ok(framing::frame(transmit.bytes, &mut self.out))
    }

    /// Offers the queued frames to the kernel.
    pub(super) fn write(&mut self, now: Instant) -> Result<(), Closed> {
        self.unwritten = false;
        while let Some(bytes) = self.out.get(self.written..).filter(|bytes| !bytes.is_empty()) {
            match self.socket.write(bytes) {
                Ok(0) => return Err(Closed::Gone),
                Ok(length) => {
                    self.written += length;
                    self.progress = now;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Closed::Gone),
            }
        }
        self.tidy();
        Ok(())
    }

    /// Bytes the kernel has not taken.
    fn waiting(&self) -> usize {
        self.out.len() - self.written
    }

    /// Frees what was written.
    fn tidy(&mut self) {
        if self.waiting() == 0 {
            self.out.clear();
            self.out.shrink_to(KEPT_CAPACITY);
            self.written = 0;
        } else if self.written > VIDEO_LIMIT / 2 {
            self.out.drain(..self.written);
            self.written = 0;
        }
    }
}

/// Whether a packet is a STUN Binding success response (RFC 8489 §5): only an accepted check is answered by one.
fn is_binding_success(packet: &[u8]) -> bool {
    matches!(packet, [0x01, 0x01, _, _, 0x21, 0x12, 0xA4, 0x42, ..])
}
