//! Where a room lives: its home and, when that is loaded, branches on other workers.
//!
//! A participant is served by one worker from the first transport to the last: a transport cannot be moved without its
//! client, whose path leads to one port. So a room spreads with those who come, and gathers as they go.

use sfu::command::{Command, Reply};
use sfu::key::RouterKey;
use signalling::error::ErrorBody;
use signalling::gateway_node::{DtlsState, IceState, RoomEnd};
use signalling::{ErrorCode, ParticipantId, TransportId};
use tokio::time::Instant;

use super::Room;
use crate::control::place::Newcomer;
use crate::control::workers::{Lease, Seat, WorkerNumber};

/// A room's part on one worker.
pub(super) struct Part {
    pub(super) lease: Lease,
    pub(super) router: RouterKey,
    /// Participants served there.
    pub(super) participants: usize,
    /// Consumers that flow from there.
    pub(super) consumers: usize,
}

impl Part {
    pub(super) fn new(lease: Lease, router: RouterKey) -> Self {
        Self {
            lease,
            router,
            participants: 0,
            consumers: 0,
        }
    }
}

impl Room {
    /// The worker that serves a participant: the one that does already, or the best one for somebody new.
    pub(super) async fn seat(&mut self, participant: &ParticipantId) -> Result<WorkerNumber, ErrorBody> {
        const FAILED: ErrorCode = ErrorCode::InternalServerError;
        if let Some(known) = self.participants.get(participant) {
            return Ok(known.worker);
        }
        let Some(home) = self.parts.get(&self.home) else {
            return Err(ErrorBody::new(FAILED));
        };
        let branches: Vec<WorkerNumber> = self.parts.keys().copied().collect();
        let newcomer = Newcomer::among(self.participants.len());
        let seat = self
            .context
            .workers
            .place_newcomer(&home.lease, &branches, newcomer);
        match seat {
            Some(Seat::Known(worker)) => Ok(worker),
            Some(Seat::New(lease)) => Ok(self.open_branch(lease).await.unwrap_or(self.home)),
            None => Err(ErrorBody::new(FAILED)),
        }
    }

    /// Opens a router on another worker; `None` when that one does not answer, and the home has to do.
    async fn open_branch(&mut self, lease: Lease) -> Option<WorkerNumber> {
        match lease.call(Command::CreateBranch).await {
            Ok(Reply::Router(router)) => {
                tracing::info!(call = %self.call, worker = lease.index(), "room spreads to another worker");
                let number = lease.number();
                self.parts.insert(number, Part::new(lease, router));
                Some(number)
            }
            outcome => {
                tracing::error!(call = %self.call, worker = lease.index(), ?outcome, "no branch of a room");
                self.context.workers.release(&lease, 0, 0);
                None
            }
        }
    }

    /// Gives workers up on which nobody is left.
    pub(super) fn close_empty_branches(&mut self) {
        let home = self.home;
        let empty = |number: &WorkerNumber, part: &mut Part| *number != home && part.participants == 0;
        for (_, part) in self.parts.extract_if(.., empty) {
            part.lease.post(Command::CloseRouter(part.router));
            self.context.workers.release(&part.lease, 0, part.consumers);
            tracing::info!(call = %self.call, worker = part.lease.index(), "room leaves a worker");
        }
    }

    /// Counts a participant who came to (or left) a worker.
    pub(super) fn count_participant(&mut self, worker: WorkerNumber, change: isize) {
        if let Some(part) = self.parts.get_mut(&worker) {
            part.participants = part.participants.saturating_add_signed(change);
            self.context.workers.count_participants(&part.lease, change);
        }
    }

    /// Counts a consumer that began (or ceased) to flow on a worker.
    pub(super) fn count_consumer(&mut self, worker: WorkerNumber, change: isize) {
        if let Some(part) = self.parts.get_mut(&worker) {
            part.consumers = part.consumers.saturating_add_signed(change);
            self.context.workers.count_consumers(&part.lease, change);
        }
    }

    /// A worker died: the room with it if it was its home, else those whom it served. They are gone like people who left:
    /// the others are told of their tracks, services of their transports, and they themselves find their transports
    /// unknown, which tells a client to join anew.
    pub(crate) fn worker_died(&mut self, worker: WorkerNumber) {
        if worker == self.home {
            self.finish(RoomEnd::WorkerDied);
            return;
        }
        let Some(part) = self.parts.remove(&worker) else {
            return;
        };
        tracing::warn!(
            call = %self.call, worker = part.lease.index(), participants = part.participants,
            "a part of a room died with its worker"
        );
        let (participants, consumers) = (part.participants, part.consumers);
        self.context.workers.release(&part.lease, participants, consumers);
        for producer in self.producers.values_mut() {
            if let Some(twin) = producer.twins.remove(&worker) {
                self.producer_ids.remove(&(worker, twin.key));
            }
        }
        let lost: Vec<TransportId> = self
            .transports
            .iter()
            .filter(|(_, transport)| transport.worker == worker)
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            if let Some(transport) = self.transports.get_mut(&id) {
                (transport.ice, transport.dtls) = (IceState::Failed, DtlsState::Closed);
                transport.failed_since.get_or_insert(Instant::now());
            }
            self.announce_transport(id);
            self.forget_transport(id);
        }
        let before = self.participants.len();
        self.participants
            .retain(|_, participant| participant.worker != worker);
        let gone = before - self.participants.len();
        self.context.registry.count_participants(-gone.cast_signed());
        if self.participants.is_empty() && gone > 0 {
            self.finish(RoomEnd::WorkerDied);
        }
    }
}
