//! The loop of a worker's thread, and the wall around it.
//!
//! One cycle: wait; fire timers; datagrams, a few batches; TCP; commands; events. Every part has a share it cannot
//! exceed, and what is left over makes the next wait return at once, so that no flood of one kind starves another.
//! Whatever a part made the engine queue is sent before the next part begins.

use std::any::Any;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use link::{FiveTuple, Protocol};
use mio::{Events, Poll, Token, Waker};
use sfu::command::Command;
use sfu::spec::WorkerAddresses;

use super::engine::Engine;
use super::load::{Board, IoCount, IoCounters};
use super::mailbox::{Mailbox, Message, Next, WorkerHandle};
use super::options::WorkerOptions;
use super::pipes::{self, Pipes};
use super::send::Sender;
use super::tcp::Streams;
use super::udp::{ReceiveBuffers, UdpPort};
use super::{NoticeSink, WorkerNotice};

const UDP: Token = Token(0);
const LISTENER: Token = Token(1);
const WAKER: Token = Token(2);
const FIRST_STREAM: usize = 3;

/// Readiness events taken per wait; one connection has at most one.
const EVENTS: usize = 256;
/// Receive batches per cycle: enough to keep up, few enough to look at commands and TCP every few milliseconds.
const RECEIVE_BATCHES: usize = 8;
/// Commands per cycle, and the time they may take together (one is always carried out).
const COMMANDS: usize = 32;
const COMMAND_TIME: Duration = Duration::from_micros(500);
/// Datagrams that may wait before they are sent even in the middle of a receive batch: a frame of 8 packets for 500
/// viewers. Less cuts a frame's trains in two, which was measured to cost more than a batch that leaves the second-level
/// cache; more would let the first datagram wait for the last.
const FLUSH_AT: usize = 4_096;
/// Wait before another try at a full send buffer when nothing reports room; a device's queue does not.
const RETRY: Duration = Duration::from_millis(5);
/// Wait when the engine asks again for a time that has passed and was served.
const OVERDUE_PAUSE: Duration = Duration::from_millis(1);

/// Bytes for another worker that leave even in the middle of a receive batch, so that none waits for all.
const PIPE_AT: usize = 64 * 1024;
/// Wait before another try at another worker's full queue.
const PIPE_RETRY: Duration = Duration::from_millis(1);

/// What a thread starts with.
pub(super) struct Sockets {
    pub(super) index: usize,
    pub(super) udp: UdpSocket,
    pub(super) tcp: Option<TcpListener>,
}

/// Starts a thread around the engine that `build` makes on it.
pub(super) fn start<E, F>(
    sockets: Sockets,
    options: WorkerOptions,
    sink: NoticeSink,
    build: F,
) -> io::Result<WorkerHandle>
where
    E: Engine,
    F: FnOnce(Instant) -> E + Send + 'static,
{
    let Sockets { index, udp, tcp } = sockets;
    let poll = Poll::new()?;
    let mut udp = UdpPort::open(udp)?;
    udp.register(poll.registry(), UDP)?;
    let streams = tcp
        .map(|listener| Streams::open(listener, poll.registry(), (LISTENER, FIRST_STREAM), options.tcp))
        .transpose()?;
    let addresses = WorkerAddresses {
        udp: udp.local(),
        tcp: streams.as_ref().map(Streams::local),
    };
    let (mailbox, postbox) = Mailbox::new(Waker::new(poll.registry(), WAKER)?);
    let board = Arc::new(Board::new(Instant::now()));
    let shown = Arc::clone(&board);
    let thread = std::thread::Builder::new()
        .name(format!("sfu-worker-{index}"))
        .spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                Loop {
                    engine: build(Instant::now()),
                    buffers: ReceiveBuffers::new(&udp),
                    sender: Sender::new(options.send_path, &udp, random_seed()),
                    poll,
                    udp,
                    streams,
                    mailbox,
                    pipes: Pipes::default(),
                    board: shown,
                    sink: &sink,
                    index,
                    counters: IoCounters::default(),
                    udp_readable: true,
                    watching_room: false,
                    served: None,
                }
                .run();
            }));
            // Everything the worker held is dropped by now, so whoever learns of its death finds it gone.
            if let Err(panic) = outcome {
                let message = panic_message(panic.as_ref());
                tracing::error!(worker = index, %message, "a media worker died");
                // A sink that panics has nobody left to tell.
                let _ = catch_unwind(AssertUnwindSafe(|| sink(index, WorkerNotice::Died { message })));
            }
        })?;
    Ok(WorkerHandle::new(postbox, board, addresses, thread))
}

/// Randomness for the place of destinations in a hash table.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
        .to_owned()
}

/// Whether the thread goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

struct Loop<'a, E> {
    engine: E,
    poll: Poll,
    udp: UdpPort,
    buffers: ReceiveBuffers,
    sender: Sender,
    streams: Option<Streams>,
    mailbox: Mailbox,
    pipes: Pipes,
    board: Arc<Board>,
    sink: &'a NoticeSink,
    index: usize,
    counters: IoCounters,
    /// Whether the UDP socket may have datagrams; readiness is reported once.
    udp_readable: bool,
    /// Whether we asked to be told when the UDP socket has room.
    watching_room: bool,
    /// The engine's deadline that was served last.
    served: Option<Instant>,
}

impl<E: Engine> Loop<'_, E> {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut now = Instant::now();
        loop {
            let timeout = self.timeout(now);
            self.board.asleep(now, &self.counters);
            let waited = self.poll.poll(&mut events, timeout);
            now = Instant::now();
            self.board.awake(now);
            match waited {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => panic!("waiting for sockets failed: {error}"),
            }
            for event in &events {
                self.note(event);
            }
            let flow = self.cycle(now);
            if flow == Flow::Stop {
                return;
            }
            now = Instant::now();
        }
    }

    /// How long nothing will be due.
    fn timeout(&mut self, now: Instant) -> Option<Duration> {
        let streams_busy = self.streams.as_ref().is_some_and(Streams::work_left);
        let busy = streams_busy || self.pipes.work_left() || !self.mailbox.is_empty();
        if self.udp_readable || busy || self.engine.pending() > 0 {
            return Some(Duration::ZERO);
        }
        let engine = self.engine.poll_timeout().map(|due| match self.served {
            Some(served) if due <= served => OVERDUE_PAUSE,
            _ => due.saturating_duration_since(now),
        });
        let streams = self.streams.as_ref().and_then(Streams::poll_timeout);
        let streams = streams.map(|due| due.saturating_duration_since(now));
        let retry = self.sender.blocked().then_some(RETRY);
        let jammed = self.pipes.jammed().then_some(PIPE_RETRY);
        [engine, streams, retry, jammed].into_iter().flatten().min()
    }

    fn note(&mut self, event: &mio::event::Event) {
        match event.token() {
            UDP => self.udp_readable |= event.is_readable() || event.is_error(),
            // Looked into in every cycle.
            WAKER => {}
            LISTENER => {
                if let Some(streams) = &mut self.streams {
                    streams.note_listener();
                }
            }
            token => {
                if let Some(streams) = &mut self.streams {
                    streams.note_ready(token, event);
                }
            }
        }
    }

    fn cycle(&mut self, now: Instant) -> Flow {
        self.fire_timers(now);
        if self.sender.blocked() {
            // Still without room: the next batch or wake-up tries again.
            let _ = self.sender.retry(&self.udp, &mut self.counters);
        }
        self.receive(now);
        self.serve_streams();
        self.serve_pipes();
        let flow = self.run_commands();
        if self.engine.pending() > 0 {
            // Closing a connection may have made the engine say something.
            self.flush(now);
        }
        self.pipes.send(&mut self.engine);
        self.watch_room();
        while let Some(event) = self.engine.poll_event() {
            (self.sink)(self.index, WorkerNotice::Event(event));
        }
        flow
    }

    fn fire_timers(&mut self, now: Instant) {
        if let Some(due) = self.engine.poll_timeout().filter(|due| *due <= now) {
            self.engine.handle_timeout(now);
            self.served = Some(due);
            self.flush(now);
        }
        if let Some(streams) = &mut self.streams {
            streams.handle_timeout(now);
        }
    }

    /// Receives datagrams until there are none or the cycle's share is used up.
    fn receive(&mut self, woken: Instant) {
        let mut now = woken;
        for batch in 0..RECEIVE_BATCHES {
            if !self.udp_readable {
                return;
            }
            if batch > 0 {
                now = Instant::now();
            }
            self.counters.add(IoCount::ReceiveCalls, 1);
            match self.udp.receive(&mut self.buffers) {
                Ok(filled) => {
                    self.note_waits(filled);
                    // A batch that was not filled has emptied the socket; what comes now is reported again.
                    self.udp_readable = filled == ReceiveBuffers::capacity();
                    for slot in 0..filled {
                        self.handle_slot(now, slot);
                        if self.engine.piped_bytes() >= PIPE_AT {
                            self.pipes.send(&mut self.engine);
                        }
                    }
                    self.flush(now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.udp_readable = false,
                // An error of an earlier datagram, reported here and cleared by it; the socket goes on.
                Err(_) => {}
            }
        }
    }

    /// Notes how long the datagrams of a batch lay in the kernel.
    fn note_waits(&mut self, filled: usize) {
        // The kernel's time of arrival is the wall clock's.
        let Ok(wall) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) else {
            return;
        };
        let mut longest = Duration::ZERO;
        for (waited, count) in (0..filled).filter_map(|slot| self.buffers.waited(slot, wall)) {
            longest = longest.max(waited);
            let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
            self.counters
                .add(IoCount::WaitedNanos, nanos.saturating_mul(count));
        }
        self.board.waited(longest);
    }

    fn handle_slot(&mut self, now: Instant, slot: usize) {
        let local = self.udp.local();
        let Some((remote, datagrams)) = self.buffers.datagrams(slot) else {
            return;
        };
        let tuple = FiveTuple {
            protocol: Protocol::Udp,
            local,
            remote,
        };
        for datagram in datagrams {
            self.counters.add(IoCount::PacketsIn, 1);
            self.counters.add(IoCount::BytesIn, datagram.len() as u64);
            self.engine.handle_datagram(now, tuple, datagram);
            if self.engine.pending() >= FLUSH_AT {
                flush(
                    &mut self.engine,
                    &mut self.sender,
                    &mut self.streams,
                    &self.udp,
                    (now, &mut self.counters),
                );
            }
        }
    }

    fn serve_streams(&mut self) {
        let Some(streams) = &mut self.streams else { return };
        if !streams.work_left() {
            return;
        }
        let mut now = Instant::now();
        streams.accept(now, &mut self.engine, &mut self.counters);
        // Each connection that is readable now has one turn.
        for _ in 0..streams.readable() {
            let Some(streams) = &mut self.streams else { return };
            if !streams.read_one(now, &mut self.engine, &mut self.counters) {
                break;
            }
            if self.engine.pending() >= FLUSH_AT {
                self.flush(now);
                now = Instant::now();
            }
        }
        self.flush(now);
    }

    /// Takes what other workers have for this one.
    fn serve_pipes(&mut self) {
        for index in 0..self.pipes.len() {
            for _ in 0..pipes::BATCHES {
                let Some((peer, batch)) = self.pipes.next(index) else {
                    break;
                };
                let now = Instant::now();
                for piped in batch.iter() {
                    self.engine.handle_piped(now, peer, piped);
                    if self.engine.pending() >= FLUSH_AT {
                        self.flush(now);
                    }
                }
                self.pipes.give_back(index, batch);
                self.flush(now);
            }
        }
    }

    fn run_commands(&mut self) -> Flow {
        self.mailbox.rearm();
        let mut started = None;
        for _ in 0..COMMANDS {
            let (command, reply) = match self.mailbox.next() {
                Next::Message(Message::Call { command, reply }) => (command, reply),
                Next::Message(Message::Link(end)) => {
                    self.pipes.attach(*end);
                    continue;
                }
                Next::Message(Message::Unlink(peer)) => {
                    self.pipes.detach(peer);
                    self.engine
                        .handle_command(Instant::now(), Command::ForgetPeer(peer));
                    continue;
                }
                Next::Message(Message::Stop) | Next::Abandoned => return Flow::Stop,
                Next::Message(Message::Panic) => panic!("a worker was asked to panic"),
                Next::Empty => break,
            };
            let now = Instant::now();
            reply(self.engine.handle_command(now, command));
            self.flush(now);
            if now.saturating_duration_since(*started.get_or_insert(now)) >= COMMAND_TIME {
                break;
            }
        }
        Flow::Continue
    }

    /// Asks to be woken by room in the send buffer exactly while datagrams wait for it.
    fn watch_room(&mut self) {
        let blocked = self.sender.blocked();
        if blocked != self.watching_room
            && self
                .udp
                .watch_writable(self.poll.registry(), UDP, blocked)
                .is_ok()
        {
            self.watching_room = blocked;
        }
    }

    fn flush(&mut self, now: Instant) {
        self.pipes.send(&mut self.engine);
        flush(
            &mut self.engine,
            &mut self.sender,
            &mut self.streams,
            &self.udp,
            (now, &mut self.counters),
        );
    }
}

/// Sends what the engine queued. Not a method, so that a receive slot can stay borrowed.
fn flush<E: Engine>(
    engine: &mut E,
    sender: &mut Sender,
    streams: &mut Option<Streams>,
    udp: &UdpPort,
    (now, counters): (Instant, &mut IoCounters),
) {
    engine.end_burst();
    if engine.pending() > 0 {
        sender.begin();
        for (index, transmit) in
            (0..engine.pending()).filter_map(|index| Some((index, engine.transmit(index)?)))
        {
            match (transmit.tuple.protocol, &mut *streams) {
                (Protocol::Udp, _) => sender.push(index, &transmit),
                (Protocol::Tcp, Some(streams)) => streams.push(&transmit, now, counters),
                (Protocol::Tcp, None) => counters.add(IoCount::Refused, 1),
            }
        }
        sender.finish(udp, |index| engine.transmit(index), counters);
        engine.clear_transmits();
    }
    if let Some(streams) = streams {
        streams.flush(now, engine, counters);
    }
}

#[cfg(test)]
mod tests;
