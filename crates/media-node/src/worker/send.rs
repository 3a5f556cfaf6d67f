//! Sending a batch of datagrams: by trains where the kernel can, and with a clear order of sacrifice where it is full.
//!
//! When the socket's send buffer has no room, video, retransmissions and probes of the batch are dropped at once;
//! STUN, DTLS, audio and RTCP wait in a small queue for the moment there is room. Nothing is ever waited for.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use sfu::{Transmit, TransmitClass};

use super::load::{IoCount, IoCounters};
use super::options::SendPath;
use super::trains::{MAX_SEGMENTS, Priority, Train, Trains, USUAL_BATCH};
use super::udp::{Message, MessageBlock, UdpPort};

/// A socket as sending sees it.
pub(super) trait Port {
    /// Whether the kernel cuts segmented datagrams for it.
    fn segments(&self) -> bool;
    /// Sends one datagram by one call.
    fn send_one(&self, destination: SocketAddr, datagram: &[u8]) -> io::Result<()>;
    /// Sends the first of `messages` by one call and returns how many the kernel took; an error is about the first.
    fn send_many<'a, I>(
        &self,
        block: &mut MessageBlock,
        messages: impl Iterator<Item = Message<I>>,
    ) -> io::Result<usize>
    where
        I: Iterator<Item = &'a [u8]>;
}

impl Port for UdpPort {
    fn segments(&self) -> bool {
        Self::segments(self)
    }

    fn send_one(&self, destination: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        Self::send_one(self, destination, datagram)
    }

    fn send_many<'a, I>(
        &self,
        block: &mut MessageBlock,
        messages: impl Iterator<Item = Message<I>>,
    ) -> io::Result<usize>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        block.send(self, messages)
    }
}

/// Datagrams that wait for room: a few milliseconds of audio of a full worker. More would only be late.
const BACKLOG: usize = 256;
/// Trains the kernel may refuse in a row before none is offered any more. One alone may have met a route with a smaller
/// MTU; a system without segmentation refuses all.
const REFUSALS: u8 = 8;

/// Sends batches through one socket.
pub(super) struct Sender {
    path: SendPath,
    trains: Trains,
    order: Vec<Train>,
    block: MessageBlock,
    backlog: Backlog,
    /// Trains refused in a row.
    refusals: u8,
}

impl Sender {
    /// A sender for `port` that keeps to `path` as far as the system can.
    pub(super) fn new(path: SendPath, port: &impl Port, seed: u64) -> Self {
        let path = match path {
            SendPath::Gso if !port.segments() => SendPath::Mmsg,
            path => path,
        };
        Self {
            path,
            trains: Trains::new(seed),
            order: Vec::with_capacity(USUAL_BATCH),
            block: MessageBlock::new(),
            backlog: Backlog::default(),
            refusals: 0,
        }
    }

    /// Whether datagrams wait for room in the send buffer.
    pub(super) fn blocked(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Begins a batch.
    pub(super) fn begin(&mut self) {
        self.trains.clear();
    }

    /// Adds the datagram at `index` to the batch.
    pub(super) fn push(&mut self, index: usize, transmit: &Transmit<'_>) {
        let max_segments = if self.path == SendPath::Gso {
            MAX_SEGMENTS
        } else {
            1
        };
        self.trains.push(index, transmit, max_segments);
    }

    /// Sends what was pushed since [`Self::begin`], after what waited; `at` gives a datagram by its index.
    pub(super) fn finish<'a>(
        &mut self,
        port: &impl Port,
        at: impl Fn(usize) -> Option<Transmit<'a>>,
        counters: &mut IoCounters,
    ) {
        self.order.clear();
        self.order.extend(self.trains.in_order());
        if self.retry(port, counters).is_err() {
            self.no_room(0, &at, counters);
            return;
        }
        let mut done = 0;
        while done < self.order.len() {
            match self.send_some(port, done, &at, counters) {
                Ok(sent) => done += sent,
                Err(NoRoom) => {
                    self.no_room(done, &at, counters);
                    return;
                }
            }
        }
    }

    /// Sends what waited for room, oldest first.
    pub(super) fn retry(&mut self, port: &impl Port, counters: &mut IoCounters) -> Result<(), NoRoom> {
        while let Some((destination, datagram)) = self.backlog.front() {
            counters.add(IoCount::SendCalls, 1);
            match port.send_one(destination, datagram) {
                Ok(()) => counters.sent(1, datagram.len()),
                Err(error) if is_no_room(&error) => return Err(NoRoom),
                Err(_) => counters.add(IoCount::Refused, 1),
            }
            self.backlog.pop();
        }
        Ok(())
    }

    /// Sends trains from `done` on; how many are dealt with.
    fn send_some<'a>(
        &mut self,
        port: &impl Port,
        done: usize,
        at: &impl Fn(usize) -> Option<Transmit<'a>>,
        counters: &mut IoCounters,
    ) -> Result<usize, NoRoom> {
        let Some(remaining) = self.order.get(done..) else {
            return Ok(0);
        };
        let Some(front) = remaining.first() else {
            return Ok(0);
        };
        if self.path == SendPath::Plain {
            return self.send_apart(port, front, at, counters).map(|_| 1);
        }
        let trains = &self.trains;
        let messages = remaining.iter().map(|train| Message {
            destination: train.destination,
            segment: (train.count > 1).then_some(train.segment),
            parts: trains
                .members(train)
                .filter_map(at)
                .map(|transmit| transmit.bytes),
        });
        counters.add(IoCount::SendCalls, 1);
        match port.send_many(&mut self.block, messages) {
            Ok(sent) => {
                let taken = &remaining[..sent];
                if taken.iter().any(|train| train.count > 1) {
                    self.refusals = 0;
                }
                for train in taken {
                    counters.sent(train.count.into(), train.bytes);
                }
                Ok(sent)
            }
            Err(error) if is_no_room(&error) => Err(NoRoom),
            Err(error) if front.count > 1 && is_about_segments(&error) => {
                let outcome = self.send_apart(port, front, at, counters);
                if let Ok(Apart::AllTaken) = outcome {
                    self.note_refusal(&error);
                }
                outcome.map(|_| 1)
            }
            Err(_) => {
                counters.add(IoCount::Refused, front.count.into());
                Ok(1)
            }
        }
    }

    /// Sends a train's datagrams one by one. When the send buffer is full part of the way, the rest of the train is
    /// dealt with here.
    fn send_apart<'a>(
        &self,
        port: &impl Port,
        train: &Train,
        at: &impl Fn(usize) -> Option<Transmit<'a>>,
        counters: &mut IoCounters,
    ) -> Result<Apart, NoRoom> {
        let mut outcome = Apart::AllTaken;
        let mut sent_any = false;
        for transmit in self.trains.members(train).filter_map(at) {
            counters.add(IoCount::SendCalls, 1);
            match port.send_one(train.destination, transmit.bytes) {
                Ok(()) => {
                    sent_any = true;
                    counters.sent(1, transmit.bytes.len());
                }
                Err(error) if is_no_room(&error) && !sent_any => return Err(NoRoom),
                Err(error) if is_no_room(&error) => {
                    counters.add(IoCount::dropped(transmit.class), 1);
                    outcome = Apart::SomeRefused;
                }
                Err(_) => {
                    counters.add(IoCount::Refused, 1);
                    outcome = Apart::SomeRefused;
                }
            }
        }
        Ok(outcome)
    }

    /// A train was refused whose datagrams were taken one by one.
    fn note_refusal(&mut self, error: &io::Error) {
        self.refusals += 1;
        // EIO says that the device cannot do it at all.
        if self.refusals >= REFUSALS || error.raw_os_error() == Some(libc::EIO) {
            tracing::info!(%error, "the system refuses segmented datagrams; sending one by one from now on");
            self.path = SendPath::Mmsg;
        }
    }

    /// Keeps or drops the trains from `done` on.
    fn no_room<'a>(
        &mut self,
        done: usize,
        at: &impl Fn(usize) -> Option<Transmit<'a>>,
        counters: &mut IoCounters,
    ) {
        for train in self.order.iter().skip(done) {
            for transmit in self.trains.members(train).filter_map(at) {
                let kept =
                    train.priority == Priority::Keep && self.backlog.push(train.destination, transmit.bytes);
                counters.add(
                    if kept {
                        IoCount::Deferred
                    } else {
                        IoCount::dropped(transmit.class)
                    },
                    1,
                );
            }
        }
    }
}

/// The kernel's send buffer, or the device's queue, is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Apart {
    AllTaken,
    SomeRefused,
}

fn is_no_room(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}

fn is_about_segments(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE | libc::EOPNOTSUPP)
    )
}

/// Datagrams that wait for room, in order.
#[derive(Debug, Default)]
struct Backlog {
    bytes: Vec<u8>,
    entries: VecDeque<(SocketAddr, Range<usize>)>,
}

impl Backlog {
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends a datagram unless the queue is full.
    fn push(&mut self, destination: SocketAddr, datagram: &[u8]) -> bool {
        if self.entries.len() >= BACKLOG {
            return false;
        }
        if self.entries.is_empty() {
            self.bytes.clear();
        } else if let Some((_, first)) = self.entries.front()
            && first.start > self.bytes.len() / 2
        {
            self.forget_before(first.start);
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(datagram);
        self.entries.push_back((destination, start..self.bytes.len()));
        true
    }

    fn front(&self) -> Option<(SocketAddr, &[u8])> {
        let (destination, range) = self.entries.front()?;
        Some((*destination, &self.bytes[range.clone()]))
    }

    fn pop(&mut self) {
        self.entries.pop_front();
    }

    /// Frees the bytes of datagrams that have left.
    fn forget_before(&mut self, start: usize) {
        self.bytes.drain(..start);
        for (_, range) in &mut self.entries {
            *range = range.start - start..range.end - start;
        }
    }
}

/// What a packet is counted as when it is given up on.
pub(super) fn count_drop(counters: &mut IoCounters, class: TransmitClass) {
    counters.add(IoCount::dropped(class), 1);
}

#[cfg(test)]
mod tests;
