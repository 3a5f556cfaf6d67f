//! The worker threads as the control plane sees them: asked by command, listened to by event, replaced when dead.

use std::collections::HashMap;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sfu::command::{Command, Reply};
use sfu::event::Event;
use sfu::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use sfu::spec::{WorkerAddresses, WorkerConfig};
use sfu::stats::WorkerStats;
use tokio::sync::{mpsc, oneshot};

use super::place::{self, Candidate};
use super::room::Mailbox;
use crate::metrics::Traffic;
use crate::random;
use crate::worker::{
    self, BoundPorts, ForwardLatency, IoCount, PortError, WorkerHandle, WorkerLoad, WorkerNotice,
    WorkerThreadConfig, bind_ports,
};

/// A worker answers between two batches of packets, within milliseconds. One that has not answered by now hangs.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

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
}

/// A notice, with the worker it came from. Numbers are never used again, so that what a dead worker still had to say
/// is not taken for its successor's.
pub(crate) type NumberedNotice = (WorkerNumber, WorkerNotice);

/// One life of one worker thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WorkerNumber(u64);

/// Any object a worker reports about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum AnyKey {
    Router(RouterKey),
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
    owners: Arc<Owners>,
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
                stats,
                state,
            });
        }
        Ok(Self {
            slots: Mutex::new(slots),
            owners: Arc::default(),
            traffic: Mutex::default(),
            buried: Mutex::default(),
            config: config.worker,
            notices,
        })
    }

    /// Chooses the least loaded worker for a room of which `mailbox` is the owner.
    pub(crate) fn place(&self, mailbox: &Mailbox) -> Option<Lease> {
        let mut slots = self.slots();
        let candidates: Vec<Candidate> = slots
            .iter()
            .filter(|slot| slot.state == SlotState::Alive)
            .map(candidate)
            .collect();
        let slot = slots.get_mut(place::least_loaded(&candidates)?)?;
        slot.rooms += 1;
        Some(Lease {
            index: slot.index,
            number: slot.number,
            handle: slot.handle.clone(),
            mailbox: mailbox.clone(),
            owners: Arc::clone(&self.owners),
        })
    }

    /// Counts participants who came to (or left) a room of the leased worker.
    pub(crate) fn count_participants(&self, lease: &Lease, change: isize) {
        self.update(lease, |slot| {
            slot.participants = slot.participants.saturating_add_signed(change)
        });
    }

    /// Ends a lease: its room is gone, with the participants who were still in it.
    pub(crate) fn release(&self, lease: &Lease, participants: usize) {
        self.update(lease, |slot| {
            slot.rooms = slot.rooms.saturating_sub(1);
            slot.participants = slot.participants.saturating_sub(participants);
        });
        lease.forget_all();
    }

    fn update(&self, lease: &Lease, change: impl FnOnce(&mut Slot)) {
        // A lease of a dead worker says nothing about its successor.
        if let Some(slot) = self
            .slots()
            .get_mut(lease.index)
            .filter(|slot| slot.number == lease.number)
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

    /// Starts a successor for a dead worker and returns whose rooms it had; `None` if it has one already.
    pub(crate) fn replace(&self, dead: WorkerNumber) -> Option<Casualties> {
        let mut slots = self.slots();
        let successor = WorkerNumber(slots.iter().map(|slot| slot.number.0).max().unwrap_or_default() + 1);
        let slot = slots
            .iter_mut()
            .find(|slot| slot.number == dead && slot.state == SlotState::Alive)?;
        let mut rooms = Vec::new();
        lock(&self.owners).retain(|(worker, key), mailbox| {
            if *worker == dead && matches!(key, AnyKey::Router(_)) {
                rooms.push(mailbox.clone());
            }
            *worker != dead
        });
        lock(&self.traffic).bury(&slot.stats.counters);
        lock(&self.buried).add(&slot.handle);
        slot.number = successor;
        slot.rooms = 0;
        slot.participants = 0;
        slot.stats = WorkerStats::default();
        let sockets = (&slot.udp, slot.tcp.as_ref());
        match spawn(slot.index, successor, sockets, &self.config, self.notices.clone()) {
            Ok(handle) => slot.handle = handle,
            Err(error) => {
                tracing::error!(worker = slot.index, %error, "no successor for a dead worker");
                slot.state = SlotState::Dead;
            }
        }
        Some(Casualties {
            index: slot.index,
            rooms,
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
    pub(crate) fn loads(&self) -> Vec<(usize, WorkerLoad)> {
        let slots = self.slots();
        let alive = slots.iter().filter(|slot| slot.state == SlotState::Alive);
        alive.map(|slot| (slot.index, slot.handle.load())).collect()
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

/// What a dead worker took with it.
pub(crate) struct Casualties {
    /// Its place.
    pub(crate) index: usize,
    /// The owners of its rooms.
    pub(crate) rooms: Vec<Mailbox>,
}

/// A room's hold on its worker.
pub(crate) struct Lease {
    index: usize,
    number: WorkerNumber,
    handle: WorkerHandle,
    mailbox: Mailbox,
    owners: Arc<Owners>,
}

impl Lease {
    /// Sends a command and waits for the answer. Events about an object created this way reach the room's mailbox.
    pub(crate) async fn call(&self, command: Command) -> Result<Reply, WorkerError> {
        let (owners, number, mailbox) = (Arc::clone(&self.owners), self.number, self.mailbox.clone());
        // On the worker's thread and before it reports anything about the new object: no event can be missed.
        let register = move |reply: &Reply| {
            let key = match reply {
                Reply::Router(key) => AnyKey::Router(*key),
                Reply::Transport(key) => AnyKey::Transport(*key),
                Reply::Producer(key) => AnyKey::Producer(*key),
                Reply::Consumer(key) => AnyKey::Consumer(*key),
                _ => return,
            };
            lock(&owners).insert((number, key), mailbox);
        };
        ask(&self.handle, command, register).await
    }

    /// Sends a command whose answer nobody needs.
    pub(crate) fn post(&self, command: Command) {
        // A worker that is gone has forgotten everything anyway.
        let _ = self.handle.call(command, Box::new(|_| ()));
    }

    /// Where clients reach the worker.
    pub(crate) fn addresses(&self) -> WorkerAddresses {
        self.handle.addresses()
    }

    /// The worker's place, for logs.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn forget_transport(&self, key: TransportKey) {
        self.forget(AnyKey::Transport(key));
    }

    pub(crate) fn forget_producer(&self, key: ProducerKey) {
        self.forget(AnyKey::Producer(key));
    }

    pub(crate) fn forget_consumer(&self, key: ConsumerKey) {
        self.forget(AnyKey::Consumer(key));
    }

    fn forget(&self, key: AnyKey) {
        lock(&self.owners).remove(&(self.number, key));
    }

    fn forget_all(&self) {
        lock(&self.owners).retain(|_, mailbox| !mailbox.same_room(&self.mailbox));
    }
}

async fn ask(
    handle: &WorkerHandle,
    command: Command,
    register: impl FnOnce(&Reply) + Send + 'static,
) -> Result<Reply, WorkerError> {
    let (answer, answered) = oneshot::channel();
    let reply = Box::new(move |reply: Reply| {
        register(&reply);
        // Nobody waits any more if the answer came too late; the object then belongs to a room that gave up on
        // its worker.
        drop(answer.send(reply));
    });
    handle.call(command, reply).map_err(|_| WorkerError::Gone)?;
    match tokio::time::timeout(REPLY_TIMEOUT, answered).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(_)) => Err(WorkerError::Gone),
        Err(_) => Err(WorkerError::Silent),
    }
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

fn candidate(slot: &Slot) -> Candidate {
    let busy = slot.handle.load().busy;
    Candidate {
        index: slot.index,
        busy: busy.into(),
        participants: slot.participants,
        rooms: slot.rooms,
    }
}

/// No code panics while holding one of these locks, and each is held for a few instructions.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
