//! A thread that sends and receives for its share of the participants.
//!
//! It sleeps until something is to be sent, and looks for arrivals only every few milliseconds: so they are read in
//! batches, and the tester leaves the machine to the server. Latency is not touched by that, because the system notes
//! when a packet arrives.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use tokio::sync::oneshot;

use crate::histogram::Histogram;
use crate::media::{AUDIO_PERIOD, AudioTrack, FRAME_PERIOD, VideoTrack};
use crate::plan::OneIn;
use crate::random::Random;
use crate::receiving::{Expected, Outcome, Received, Sampling};
use crate::sending::{Moment, Sent};
use crate::transport::{Bench, Side, Transport};
use crate::wire::{Batch, Rest};

/// Time between two looks for arrivals. A socket's buffer holds far more than comes meanwhile.
const RECEIVE_PAUSE: Duration = Duration::from_millis(4);
/// The same while participants join, so that handshakes are not slowed down.
const JOIN_PAUSE: Duration = Duration::from_millis(1);
/// The shortest sleep: what becomes due within it leaves together, as a network card's interrupts gather what arrives.
/// Waking up costs the tester more than sending a packet.
const LEAST_PAUSE: Duration = Duration::from_micros(200);
/// How often an unfinished handshake is looked at.
const CONNECT_PAUSE: Duration = Duration::from_millis(10);
/// Time between two transport-wide feedbacks: libwebrtc's default.
const FEEDBACK_PERIOD: Duration = Duration::from_millis(100);
/// Time between two reports of a participant, as browsers do with video.
const REPORT_PERIOD: Duration = Duration::from_secs(1);
/// How often the numbers for the progress bar are renewed.
const PROGRESS_PERIOD: Duration = Duration::from_millis(200);
/// Sockets looked at between two looks for something to send.
const SOCKETS: usize = 16;

/// Names a transport in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TransportNumber(pub(crate) usize);

/// What a thread is told.
pub(crate) enum Command {
    /// Connect a transport.
    Connect(TransportNumber, Box<Transport>),
    /// Send audio from now on.
    Speak(TransportNumber, Box<AudioTrack>),
    /// Send video from now on.
    Show(TransportNumber, Box<VideoTrack>),
    /// A stream is about to come.
    Expect(TransportNumber, Expected),
    /// The measurement begins.
    Begin,
    /// It ends: say what came.
    End(oneshot::Sender<Tally>),
    /// The thread ends.
    Stop,
}

/// What a thread measured.
pub(crate) struct Tally {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) received: Received,
    pub(crate) sent: Sent,
    /// How late packets and frames left.
    pub(crate) late: Histogram,
    /// Datagrams the system did not take.
    pub(crate) refused: u64,
    /// Transports that were connected and are no more.
    pub(crate) lost_transports: usize,
    /// Share of the time that the thread was not asleep.
    pub(crate) busy: f64,
    /// Local ports of all sockets.
    pub(crate) ports: Vec<u16>,
}

/// Numbers for the progress bar.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) connected: AtomicU64,
    pub(crate) flowing: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) unauthentic: AtomicU64,
}

/// A thread as its creator holds it.
pub(crate) struct Worker {
    commands: mpsc::Sender<Command>,
    pub(crate) gauges: Arc<Gauges>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread.
    ///
    /// # Errors
    /// If the system has no thread or no epoll for it.
    pub(crate) fn start(number: usize, verify: OneIn, mut random: Random) -> io::Result<Self> {
        let (commands, inbox) = mpsc::channel();
        let gauges = Arc::new(Gauges::default());
        let mut state = State {
            inbox,
            gauges: Arc::clone(&gauges),
            poll: Poll::new()?,
            transports: Vec::new(),
            places: HashMap::new(),
            duties: BinaryHeap::new(),
            bench: Bench {
                batch: Batch::new(),
                burst: Vec::with_capacity(1 << 16),
                tally: Received::default(),
                sampling: Sampling::new(verify, random.fork()),
            },
            unread: Vec::new(),
            base: Base::now(),
            late: Histogram::default(),
            asleep: Duration::ZERO,
            random,
        };
        let thread = thread::Builder::new()
            .name(format!("load-{number}"))
            .spawn(move || state.run())?;
        Ok(Self {
            commands,
            gauges,
            thread: Some(thread),
        })
    }

    /// Tells the thread something.
    pub(crate) fn tell(&self, command: Command) {
        // A thread that is gone is missed when it is asked for its tally.
        let _ = self.commands.send(command);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tell(Command::Stop);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed.
            let _ = thread.join();
        }
    }
}

/// What a transport has to do at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Duty {
    Audio,
    Video,
    Path,
    Feedback,
    Report,
    Progress,
}

/// What had been counted when the measurement began.
struct Base {
    at: Instant,
    sent: Sent,
    refused: u64,
}

impl Base {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            sent: Sent::default(),
            refused: 0,
        }
    }
}

struct State {
    inbox: mpsc::Receiver<Command>,
    gauges: Arc<Gauges>,
    poll: Poll,
    transports: Vec<Transport>,
    /// Where a transport of a number is.
    places: HashMap<TransportNumber, usize>,
    duties: BinaryHeap<Reverse<(Instant, usize, Duty)>>,
    bench: Bench,
    /// Sockets that had more than their turn's worth.
    unread: Vec<usize>,
    base: Base,
    late: Histogram,
    asleep: Duration,
    random: Random,
}

impl State {
    fn run(&mut self) {
        let mut events = Events::with_capacity(1_024);
        let mut next_look = Instant::now();
        self.plan(next_look, 0, Duty::Progress);
        loop {
            while let Ok(command) = self.inbox.try_recv() {
                if self.obey(command).is_none() {
                    return;
                }
            }
            self.act();
            let now = Instant::now();
            if now >= next_look {
                self.look(&mut events);
                let connecting = self.transports.iter().any(Transport::is_connecting);
                next_look = now + if connecting { JOIN_PAUSE } else { RECEIVE_PAUSE };
            }
            let due = self.duties.peek().map_or(next_look, |Reverse((due, ..))| *due);
            let now = Instant::now();
            let pause = due.min(next_look).saturating_duration_since(now);
            if !pause.is_zero() {
                thread::sleep(pause.max(LEAST_PAUSE));
                self.asleep += now.elapsed();
            }
        }
    }

    fn plan(&mut self, at: Instant, place: usize, duty: Duty) {
        self.duties.push(Reverse((at, place, duty)));
    }

    /// Does as told; nothing when it is to stop.
    fn obey(&mut self, command: Command) -> Option<()> {
        let now = Instant::now();
        match command {
            Command::Connect(number, transport) => self.connect(number, *transport, now),
            Command::Speak(number, track) => {
                if let Some((place, Side::Send(sending))) = self.side(number) {
                    sending.set_audio(*track);
                    let phase = self.random.phase(AUDIO_PERIOD);
                    self.plan(now + phase, place, Duty::Audio);
                }
            }
            Command::Show(number, track) => {
                if let Some((place, Side::Send(sending))) = self.side(number) {
                    sending.set_video(*track);
                    let phase = self.random.phase(FRAME_PERIOD);
                    self.plan(now + phase, place, Duty::Video);
                }
            }
            Command::Expect(number, expected) => {
                if let Some((_, Side::Receive(receiving))) = self.side(number) {
                    receiving.expect(expected, now);
                }
            }
            Command::Begin => self.begin(now),
            Command::End(answer) => {
                // Nobody waits any more when the run was interrupted.
                let _ = answer.send(self.tally(now));
            }
            Command::Stop => return None,
        }
        Some(())
    }

    fn side(&mut self, number: TransportNumber) -> Option<(usize, &mut Side)> {
        let place = *self.places.get(&number)?;
        Some((place, &mut self.transports[place].side))
    }

    fn connect(&mut self, number: TransportNumber, mut transport: Transport, now: Instant) {
        let place = self.transports.len();
        let registered = transport.wire().register(self.poll.registry(), Token(place));
        if registered.is_err() {
            // Its creator hears that it was dropped.
            return;
        }
        let period = match transport.side {
            Side::Send(_) => None,
            Side::Receive(_) => Some(FEEDBACK_PERIOD),
        };
        self.places.insert(number, place);
        self.transports.push(transport);
        self.plan(now, place, Duty::Path);
        let phase = self.random.phase(REPORT_PERIOD);
        self.plan(now + phase, place, Duty::Report);
        if let Some(period) = period {
            let phase = self.random.phase(period);
            self.plan(now + phase, place, Duty::Feedback);
        }
    }

    /// Does everything that is due.
    fn act(&mut self) {
        loop {
            let now = Instant::now();
            let Some(Reverse((due, place, duty))) = self
                .duties
                .peek()
                .copied()
                .filter(|Reverse((due, ..))| *due <= now)
            else {
                return;
            };
            self.duties.pop();
            if let Some(next) = self.do_duty(due, place, duty) {
                self.plan(next, place, duty);
            }
        }
    }

    /// Does one thing; when it is due again.
    fn do_duty(&mut self, due: Instant, place: usize, duty: Duty) -> Option<Instant> {
        let now = Instant::now();
        if duty == Duty::Progress {
            self.publish();
            return Some(now + PROGRESS_PERIOD);
        }
        let transport = self.transports.get_mut(place)?;
        let burst = &mut self.bench.burst;
        match duty {
            Duty::Progress => None,
            Duty::Path => {
                transport.turn(now);
                let latest = if transport.is_connecting() {
                    CONNECT_PAUSE
                } else {
                    REPORT_PERIOD
                };
                Some(transport.due().clamp(now + JOIN_PAUSE, now + latest))
            }
            Duty::Audio | Duty::Video => {
                let moment = transport.with_outlet(burst, |side, outlet| match (side, duty) {
                    (Side::Send(sending), Duty::Audio) => sending.audio(outlet, now),
                    (Side::Send(sending), _) => sending.video(outlet, now),
                    (Side::Receive(_), _) => None,
                });
                self.sent_at(moment, now)
            }
            Duty::Feedback => {
                transport.with_outlet(burst, |side, outlet| {
                    if let Side::Receive(receiving) = side {
                        receiving.feed_back(outlet);
                    }
                });
                Some(due.max(now - FEEDBACK_PERIOD) + FEEDBACK_PERIOD)
            }
            Duty::Report => {
                transport.with_outlet(burst, |side, outlet| match side {
                    Side::Send(sending) => sending.report(outlet),
                    Side::Receive(receiving) => receiving.report(outlet, now),
                });
                Some(due.max(now - REPORT_PERIOD) + REPORT_PERIOD)
            }
        }
    }

    /// When a track sends again; `moment` is absent as long as its transport is not connected.
    fn sent_at(&mut self, moment: Option<Option<Moment>>, now: Instant) -> Option<Instant> {
        let Some(moment) = moment else {
            return Some(now + CONNECT_PAUSE);
        };
        let Moment { late, next } = moment?;
        self.late.record(late);
        Some(next)
    }

    /// Reads what has arrived on all sockets, and sends in between what is due.
    fn look(&mut self, events: &mut Events) {
        // An interrupted look is followed by another.
        let _ = self.poll.poll(events, Some(Duration::ZERO));
        let mut ready = std::mem::take(&mut self.unread);
        ready.extend(events.iter().map(|event| event.token().0));
        for places in ready.chunks(SOCKETS) {
            let now = Instant::now();
            for place in places {
                let Some(transport) = self.transports.get_mut(*place) else {
                    continue;
                };
                if transport.receive(&mut self.bench, now) == Rest::Maybe {
                    self.unread.push(*place);
                }
            }
            self.act();
        }
    }

    fn sent(&self) -> (Sent, u64) {
        let mut sent = Sent::default();
        let mut refused = 0;
        for transport in &self.transports {
            refused += transport.refused();
            if let Side::Send(sending) = &transport.side {
                sent += sending.sent;
            }
        }
        (sent, refused)
    }

    fn begin(&mut self, now: Instant) {
        for transport in &mut self.transports {
            if let Side::Receive(receiving) = &mut transport.side {
                receiving.begin(now);
            }
        }
        // What was not authentic before the measurement is remembered: it is a fault whenever it happens.
        let tally = &mut self.bench.tally;
        *tally = Received {
            unauthentic: tally.unauthentic,
            misrouted: tally.misrouted,
            ..Received::default()
        };
        self.late.clear();
        self.asleep = Duration::ZERO;
        let (sent, refused) = self.sent();
        self.base = Base {
            at: now,
            sent,
            refused,
        };
    }

    fn tally(&mut self, now: Instant) -> Tally {
        let mut outcomes = Vec::new();
        for transport in &self.transports {
            if let Side::Receive(receiving) = &transport.side {
                outcomes.extend(receiving.outcomes(now));
            }
        }
        let (sent, refused) = self.sent();
        let elapsed = now.duration_since(self.base.at).as_secs_f64();
        Tally {
            outcomes,
            received: self.bench.tally.clone(),
            sent: sent - self.base.sent,
            late: self.late.clone(),
            refused: refused - self.base.refused,
            lost_transports: self
                .transports
                .iter()
                .filter(|transport| transport.is_lost())
                .count(),
            busy: 1.0 - (self.asleep.as_secs_f64() / elapsed.max(f64::EPSILON)).min(1.0),
            ports: self.transports.iter().map(Transport::port).collect(),
        }
    }

    fn publish(&self) {
        let flowing: usize = self
            .transports
            .iter()
            .map(|transport| match &transport.side {
                Side::Receive(receiving) => receiving.flowing(),
                Side::Send(_) => 0,
            })
            .sum();
        let connected = self
            .transports
            .iter()
            .filter(|transport| transport.is_connected())
            .count();
        let tally = &self.bench.tally;
        let gauges = &self.gauges;
        gauges.connected.store(connected as u64, Ordering::Relaxed);
        gauges.flowing.store(flowing as u64, Ordering::Relaxed);
        gauges.sent.store(self.sent().0.packets, Ordering::Relaxed);
        gauges.received.store(tally.packets, Ordering::Relaxed);
        gauges.unauthentic.store(tally.unauthentic, Ordering::Relaxed);
    }
}
