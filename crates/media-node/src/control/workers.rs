//! The worker threads as the control plane sees them: asked by command, listened to by event, replaced when dead.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sfu::PeerId;
use sfu::command::{Command, Reply};
use sfu::event::Event;
use sfu::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use sfu::spec::{VideoQuality, WorkerAddresses, WorkerConfig};
use sfu::stats::WorkerStats;
use tokio::sync::mpsc;

use super::place::{self, Candidate, Newcomer, Standpoint};
use super::room::Mailbox;
use crate::metrics::Traffic;
use crate::random;
use crate::worker::{
    self, BoundPorts, ForwardLatency, IoCount, PortError, WorkerHandle, WorkerLoad, WorkerNotice,
    WorkerThreadConfig, bind_ports,
};

mod lease;

use lease::ask;
pub(crate) use lease::{Lease, Part};

/// Why a worker gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WorkerError {
    /// Its thread is gone.
    #[error("the worker is gone")]
    Gone,
    /// It did not answer in time.
    #[error("the worker does not answer")]
    Silent,
}

/// Why the workers could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartWorkersError {
    /// No ports for them.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// A thread or its sockets could not be set up.
    #[error("cannot start a worker: {0}")]
    Thread(#[from] std::io::Error),
}

/// What all workers are started with.
pub(crate) struct WorkersConfig {
    pub(crate) bind_ip: IpAddr,
    pub(crate) ports: std::ops::RangeInclusive<u16>,
    pub(crate) workers: usize,
    pub(crate) tcp: bool,
    /// The seed is replaced for each worker.
    pub(crate) worker: WorkerConfig,
    /// Busy share, 0 to 1, from which on newcomers of a room are served by other workers than its home.
    pub(crate) spread_at: f64,
}

/// A notice, with the worker it came from. Numbers are never used again, so that what a dead worker still had to say
/// is not taken for its successor's.
pub(crate) type NumberedNotice = (WorkerNumber, WorkerNotice);

/// One life of one worker thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerNumber(u64);

impl WorkerNumber {
    /// Its name among the workers.
    pub(crate) fn peer(self) -> PeerId {
        PeerId(self.0)
    }
}

/// Any object a worker reports about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum AnyKey {
    /// A room's only router, or the first of several.
    Router(RouterKey),
    /// A router of a part of a room.
    Branch(RouterKey),
    Transport(TransportKey),
    Producer(ProducerKey),
    Consumer(ConsumerKey),
}

type Owners = Mutex<HashMap<(WorkerNumber, AnyKey), Mailbox>>;

/// A place for a worker: its sockets outlive the thread, so that a replacement answers at the same address.
struct Slot {
    index: usize,
    udp: UdpSocket,
    tcp: Option<TcpListener>,
    number: WorkerNumber,
    handle: WorkerHandle,
    rooms: usize,
    participants: usize,
    /// Consumers that flow.
    consumers: usize,
    /// Latest counts, kept for the metrics in case the thread dies.
    stats: WorkerStats,
    state: SlotState,
}

/// Whether a slot has a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotState {
    Alive,
    /// The last thread died and no other could be started.
    Dead,
}

/// What the sockets of all workers, living and dead, have counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct IoTotals {
    pub(crate) latency: ForwardLatency,
    pub(crate) counts: [u64; IoCount::ALL.len()],
}

impl IoTotals {
    fn add(&mut self, handle: &WorkerHandle) {
        self.latency.add(&handle.forward_latency());
        let counters = handle.io_counters();
        for (sum, count) in self.counts.iter_mut().zip(IoCount::ALL) {
            *sum += counters.of(count);
        }
    }

    /// The total of `count`.
    pub(crate) fn of(&self, count: IoCount) -> u64 {
        self.counts[count as usize]
    }
}

/// All workers of a node.
pub(crate) struct Workers {
    slots: Mutex<Vec<Slot>>,
    /// How good cameras' pictures may be, on every worker; changed while `slots` is held, so that no successor misses it.
    quality: Mutex<VideoQuality>,
    owners: Arc<Owners>,
    /// Between which workers there are lanes, the lower number first.
    links: Mutex<HashSet<(WorkerNumber, WorkerNumber)>>,
    spread_at: f64,
    traffic: Mutex<Traffic>,
    /// What the sockets of dead workers had counted.
    buried: Mutex<IoTotals>,
    config: WorkerConfig,
    notices: mpsc::UnboundedSender<NumberedNotice>,
}

impl Workers {
    /// Binds the ports and starts the threads; notices go to `notices`.
    pub(crate) fn start(
        config: WorkersConfig,
        notices: mpsc::UnboundedSender<NumberedNotice>,
    ) -> Result<Self, StartWorkersError> {
        let bound = bind_ports(config.bind_ip, config.ports, config.workers, config.tcp)?;
        let mut slots = Vec::with_capacity(bound.len());
        for (index, BoundPorts { udp, tcp, .. }) in bound.into_iter().enumerate() {
            let number = WorkerNumber(index as u64);
            let handle = spawn(
                index,
                number,
                (&udp, tcp.as_ref()),
                &config.worker,
                notices.clone(),
            )?;
            let stats = WorkerStats::default();
            let state = SlotState::Alive;
            slots.push(Slot {
                index,
                udp,
                tcp,
                number,
                handle,
                rooms: 0,
                participants: 0,
                consumers: 0,
                stats,
                state,
            });
        }
        Ok(Self {
            slots: Mutex::new(slots),
            quality: Mutex::default(),
            owners: Arc::default(),
            links: Mutex::default(),
            spread_at: config.spread_at,
            traffic: Mutex::default(),
            buried: Mutex::default(),
            config: config.worker,
            notices,
        })
    }

    /// Chooses the least loaded worker for a room of which `mailbox` is the owner.
    pub(crate) fn place(&self, mailbox: &Mailbox) -> Option<Lease> {
        let mut slots = self.slots();
        let candidates: Vec<Candidate> = alive(&slots)
            .map(|slot| candidate(slot, Standpoint::Stranger))
            .collect();
        let slot = slots.get_mut(place::least_loaded(&candidates)?)?;
        Some(self.lease(slot, mailbox, Part::Home))
    }

    /// Chooses the worker for a newcomer of a room that lives on `home` and `branches`; `None` when all are dead.
    pub(crate) fn place_newcomer(
        &self,
        home: &Lease,
        branches: &[WorkerNumber],
        newcomer: Newcomer,
    ) -> Option<Seat> {
        let mut slots = self.slots();
        let standpoint = |slot: &Slot| match slot.number {
            number if number == home.number() => Standpoint::Home,
            number if branches.contains(&number) => Standpoint::Branch,
            _ => Standpoint::Stranger,
        };
        let candidates: Vec<Candidate> = alive(&slots)
            .map(|slot| candidate(slot, standpoint(slot)))
            .collect();
        let slot = slots.get_mut(place::for_newcomer(&candidates, newcomer, self.spread_at)?)?;
        Some(match standpoint(slot) {
            Standpoint::Home | Standpoint::Branch => Seat::Known(slot.number),
            Standpoint::Stranger => Seat::New(self.lease(slot, home.mailbox(), Part::Branch)),
        })
    }

    fn lease(&self, slot: &mut Slot, mailbox: &Mailbox, part: Part) -> Lease {
        slot.rooms += 1;
        Lease::new(
            (slot.index, slot.number, slot.handle.clone()),
            mailbox.clone(),
            Arc::clone(&self.owners),
            part,
        )
    }

    /// Makes sure that there are lanes between two workers.
    pub(crate) fn link(&self, one: &Lease, other: &Lease) -> Result<(), WorkerError> {
        let (low, high) = if one.number() < other.number() {
            (one, other)
        } else {
            (other, one)
        };
        // Held to the end: a worker that dies meanwhile is removed from here afterwards.
        let mut links = lock(&self.links);
        let pair = (low.number(), high.number());
        if links.contains(&pair) {
            return Ok(());
        }
        low.link(high)?;
        links.insert(pair);
        Ok(())
    }

    /// Counts consumers that began (or ceased) to flow on the leased worker.
    pub(crate) fn count_consumers(&self, lease: &Lease, change: isize) {
        self.update(lease, |slot| {
            slot.consumers = slot.consumers.saturating_add_signed(change)
        });
    }

    /// Counts participants who came to (or left) a room of the leased worker.
    pub(crate) fn count_participants(&self, lease: &Lease, change: isize) {
        self.update(lease, |slot| {
            slot.participants = slot.participants.saturating_add_signed(change)
        });
    }

    /// Ends a lease: its room is gone, with the participants and flowing consumers that were still in it.
    pub(crate) fn release(&self, lease: &Lease, participants: usize, consumers: usize) {
        self.update(lease, |slot| {
            slot.rooms = slot.rooms.saturating_sub(1);
            slot.participants = slot.participants.saturating_sub(participants);
            slot.consumers = slot.consumers.saturating_sub(consumers);
        });
        lease.forget_all();
    }

    fn update(&self, lease: &Lease, change: impl FnOnce(&mut Slot)) {
        // A lease of a dead worker says nothing about its successor.
        if let Some(slot) = self
            .slots()
            .get_mut(lease.index())
            .filter(|slot| slot.number == lease.number())
        {
            change(slot);
        }
    }

    /// The owner of the room an event is about.
    pub(crate) fn owner(&self, worker: WorkerNumber, event: &Event) -> Option<Mailbox> {
        let key = match event {
            Event::Ice { transport, .. }
            | Event::Selected { transport, .. }
            | Event::Dtls { transport, .. } => AnyKey::Transport(*transport),
            Event::ProducerScore { producer, .. } => AnyKey::Producer(*producer),
            Event::ConsumerLayers { consumer, .. }
            | Event::ConsumerStarved { consumer }
            | Event::ConsumerRecovered { consumer } => AnyKey::Consumer(*consumer),
            Event::ActiveSpeaker { router, .. } => AnyKey::Router(*router),
        };
        lock(&self.owners).get(&(worker, key)).cloned()
    }

    /// Bounds the quality of cameras on all workers, and so in all rooms, those to come as well.
    pub(crate) fn set_video_quality(&self, quality: VideoQuality) {
        let slots = self.slots();
        *lock(&self.quality) = quality;
        for slot in alive(&slots) {
            tell_quality(&slot.handle, quality);
        }
    }

    /// Starts a successor for a dead worker and returns whose rooms it had; `None` if it has one already.
    pub(crate) fn replace(&self, dead: WorkerNumber) -> Option<Casualties> {
        let mut slots = self.slots();
        let successor = WorkerNumber(slots.iter().map(|slot| slot.number.0).max().unwrap_or_default() + 1);
        let slot = slots
            .iter_mut()
            .find(|slot| slot.number == dead && slot.state == SlotState::Alive)?;
        let (mut homes, mut branches) = (Vec::new(), Vec::new());
        lock(&self.owners).retain(|(worker, key), mailbox| {
            match key {
                AnyKey::Router(_) if *worker == dead => homes.push(mailbox.clone()),
                AnyKey::Branch(_) if *worker == dead => branches.push(mailbox.clone()),
                _ => {}
            }
            *worker != dead
        });
        lock(&self.traffic).bury(&slot.stats.counters);
        lock(&self.buried).add(&slot.handle);
        slot.number = successor;
        slot.rooms = 0;
        slot.participants = 0;
        slot.consumers = 0;
        slot.stats = WorkerStats::default();
        let sockets = (&slot.udp, slot.tcp.as_ref());
        match spawn(slot.index, successor, sockets, &self.config, self.notices.clone()) {
            Ok(handle) => {
                tell_quality(&handle, *lock(&self.quality));
                slot.handle = handle;
            }
            Err(error) => {
                tracing::error!(worker = slot.index, %error, "no successor for a dead worker");
                slot.state = SlotState::Dead;
            }
        }
        let index = slot.index;
        lock(&self.links).retain(|(low, high)| *low != dead && *high != dead);
        for slot in alive(&slots) {
            slot.handle.unlink(dead.peer());
        }
        Some(Casualties {
            index,
            homes,
            branches,
        })
    }

    /// Asks every worker for its counts; those that do not answer are left out.
    pub(crate) async fn stats(&self) -> Vec<WorkerStats> {
        let handles: Vec<(WorkerNumber, WorkerHandle)> = self
            .slots()
            .iter()
            .map(|slot| (slot.number, slot.handle.clone()))
            .collect();
        let mut answers = Vec::with_capacity(handles.len());
        for (number, handle) in handles {
            let Ok(Reply::Stats(stats)) = ask(&handle, Command::Stats, |_| ()).await else {
                continue;
            };
            if let Some(slot) = self.slots().iter_mut().find(|slot| slot.number == number) {
                slot.stats = (*stats).clone();
            }
            answers.push(*stats);
        }
        answers
    }

    /// The living workers' loads, with their places.
    pub(crate) fn loads(&self) -> Vec<PlacedLoad> {
        let placed = |slot: &Slot| PlacedLoad {
            index: slot.index,
            load: slot.handle.load(),
            participants: slot.participants,
            consumers: slot.consumers,
        };
        alive(&self.slots()).map(placed).collect()
    }

    /// What all sockets have counted since the start.
    pub(crate) fn io_totals(&self) -> IoTotals {
        let mut totals = lock(&self.buried).clone();
        for slot in self.slots().iter().filter(|slot| slot.state == SlotState::Alive) {
            totals.add(&slot.handle);
        }
        totals
    }

    /// Where the workers are bound.
    pub(crate) fn addresses(&self) -> Vec<WorkerAddresses> {
        self.slots().iter().map(|slot| slot.handle.addresses()).collect()
    }

    /// Makes a worker's thread panic as a bug in it would.
    pub(crate) fn panic_for_test(&self, index: usize) {
        if let Some(slot) = self.slots().get(index) {
            // A thread that is gone already is as good as one that panics.
            let _ = slot.handle.panic_for_test();
        }
    }

    /// Sums of all workers since the start.
    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        lock(&self.traffic)
    }

    /// Whether at least one thread is running.
    pub(crate) fn alive(&self) -> bool {
        self.slots().iter().any(|slot| slot.state == SlotState::Alive)
    }

    /// Ends all threads.
    pub(crate) fn stop(&self) {
        for slot in self.slots().iter() {
            slot.handle.stop();
        }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        lock(&self.slots)
    }
}

/// What a worker has to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlacedLoad {
    /// Its place.
    pub(crate) index: usize,
    /// What its thread measured.
    pub(crate) load: WorkerLoad,
    /// Participants it serves.
    pub(crate) participants: usize,
    /// Consumers that flow from it.
    pub(crate) consumers: usize,
}

/// What a dead worker took with it.
pub(crate) struct Casualties {
    /// Its place.
    pub(crate) index: usize,
    /// The owners of the rooms that lived there.
    pub(crate) homes: Vec<Mailbox>,
    /// The owners of the rooms of which a part lived there.
    pub(crate) branches: Vec<Mailbox>,
}

/// Where a newcomer is served.
pub(crate) enum Seat {
    /// On a worker that the room lives on already.
    Known(WorkerNumber),
    /// On another one, for which the room now has a lease.
    New(Lease),
}

fn spawn(
    index: usize,
    number: WorkerNumber,
    (udp, tcp): (&UdpSocket, Option<&TcpListener>),
    worker: &WorkerConfig,
    notices: mpsc::UnboundedSender<NumberedNotice>,
) -> std::io::Result<WorkerHandle> {
    let udp = udp.try_clone()?;
    let tcp = tcp.map(TcpListener::try_clone).transpose()?;
    let worker = WorkerConfig {
        seed: random::seed(),
        ..worker.clone()
    };
    let config = WorkerThreadConfig {
        index,
        udp,
        tcp,
        worker,
    };
    // The receiver is gone only while the node shuts down.
    worker::spawn(
        config,
        Box::new(move |_, notice| drop(notices.send((number, notice)))),
    )
}

fn tell_quality(handle: &WorkerHandle, quality: VideoQuality) {
    // Who is gone is replaced, and its successor told.
    let _ = handle.call(Command::SetVideoQuality(quality), Box::new(|_| ()));
}

fn alive(slots: &[Slot]) -> impl Iterator<Item = &Slot> {
    slots.iter().filter(|slot| slot.state == SlotState::Alive)
}

fn candidate(slot: &Slot, standpoint: Standpoint) -> Candidate {
    let load = slot.handle.load();
    Candidate {
        index: slot.index,
        busy: load.busy.into(),
        queue_delay: load.queue_delay,
        participants: slot.participants,
        consumers: slot.consumers,
        rooms: slot.rooms,
        standpoint,
    }
}

/// No code panics while holding one of these locks, and each is held for a few instructions.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
