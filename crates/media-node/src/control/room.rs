//! One room: its state, and the task that alone may touch it.
//!
//! Everything that happens to a room arrives in its [`Mailbox`] as a job and runs to its end before the next one
//! starts, also across the wait for a worker's answer. So no two requests ever see a half-done change, and no lock is
//! needed. A request whose HTTP connection goes away is carried out all the same.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use sfu::command::{Command, CommandError, Reply};
use sfu::key::{ConsumerKey, ProducerKey, TransportKey};
use signalling::client_node::{CreateRoomResponse, NodeEvent, ProducerClosed, ProducerSummary, RoomResponse};
use signalling::error::ErrorBody;
use signalling::gateway_node::{RoomDestroyed, RoomEnd, ServiceEvent};
use signalling::{
    CallId, ConsumerId, ErrorCode, ParticipantId, ProducerId, RouterId, Timestamp, TransportId,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::Context;
use super::rooms::Standing;
use super::workers::{WorkerError, WorkerNumber};

mod consumers;
mod deadlines;
mod events;
mod objects;
mod participants;
mod parts;
mod producers;
mod transports;
mod twins;

pub(crate) use producers::Flow;

use objects::{Consumer, Participant, Producer, Transport};
use parts::Part;

/// A job's work on the room.
pub(crate) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Job = Box<dyn for<'a> FnOnce(&'a mut Room) -> Work<'a, ()> + Send>;

/// The room has ended (or ended before the job's turn).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoomGone;

/// The way to a room's owner.
#[derive(Clone)]
pub(crate) struct Mailbox {
    call: CallId,
    jobs: mpsc::UnboundedSender<Job>,
}

impl Mailbox {
    /// A mailbox for a room that is yet to be opened with what comes with it.
    pub(crate) fn new(call: CallId) -> (Self, Jobs) {
        let (jobs, inbox) = mpsc::unbounded_channel();
        (Self { call, jobs }, Jobs(inbox))
    }

    /// The room's call.
    pub(crate) fn call(&self) -> &CallId {
        &self.call
    }

    /// Whether both lead to the same room.
    pub(crate) fn same_room(&self, other: &Self) -> bool {
        self.jobs.same_channel(&other.jobs)
    }

    /// Has `job` done and waits for what it returns.
    pub(crate) async fn ask<T, F>(&self, job: F) -> Result<T, RoomGone>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Room) -> Work<'a, T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.post(move |room| {
            Box::pin(async move {
                // Whoever asked may have gone away; the work is done all the same.
                drop(answer.send(job(room).await));
            })
        })?;
        answered.await.map_err(|_| RoomGone)
    }

    /// Has `job` done.
    pub(crate) fn post<F>(&self, job: F) -> Result<(), RoomGone>
    where
        F: for<'a> FnOnce(&'a mut Room) -> Work<'a, ()> + Send + 'static,
    {
        self.jobs.send(Box::new(job)).map_err(|_| RoomGone)
    }
}

/// The receiving end of a [`Mailbox`].
pub(crate) struct Jobs(mpsc::UnboundedReceiver<Job>);

/// A room and everything in it.
pub(crate) struct Room {
    call: CallId,
    router_id: RouterId,
    /// Where the room lives; it ends with this worker.
    home: WorkerNumber,
    /// Home and, when that is loaded, others.
    parts: BTreeMap<WorkerNumber, Part>,
    context: Arc<Context>,
    mailbox: Mailbox,
    created_at: SystemTime,
    /// When the room ends unless somebody comes; `None` once somebody came.
    unjoined_until: Option<Instant>,
    participants: BTreeMap<ParticipantId, Participant>,
    transports: HashMap<TransportId, Transport>,
    producers: HashMap<ProducerId, Producer>,
    consumers: HashMap<ConsumerId, Consumer>,
    // Keys mean something only together with the worker that minted them.
    transport_ids: HashMap<(WorkerNumber, TransportKey), TransportId>,
    /// Twins lead to their original.
    producer_ids: HashMap<(WorkerNumber, ProducerKey), ProducerId>,
    consumer_ids: HashMap<(WorkerNumber, ConsumerKey), ConsumerId>,
    /// Counts producers, to list them in the order of their creation.
    next_producer: u64,
    /// How it was created: a room on standby takes a place only while it carries media.
    created_as: Standing,
    end: Option<RoomEnd>,
}

impl Room {
    /// Opens a room on the least loaded worker and starts its task.
    pub(crate) async fn open(
        call: CallId,
        context: Arc<Context>,
        (mailbox, jobs): (Mailbox, Jobs),
        standing: Standing,
    ) -> Result<CreateRoomResponse, ErrorBody> {
        let internal = || ErrorBody::new(ErrorCode::InternalServerError).about("callId", &call);
        let lease = context.workers.place(&mailbox).ok_or_else(internal)?;
        let router = match lease.call(Command::CreateRouter).await {
            Ok(Reply::Router(router)) => router,
            outcome => {
                tracing::error!(%call, worker = lease.index(), ?outcome, "no router for a new room");
                context.workers.release(&lease, 0, 0);
                return Err(internal());
            }
        };
        let (home, index) = (lease.number(), lease.index());
        let room = Self {
            router_id: RouterId::random(),
            home,
            parts: BTreeMap::from([(home, Part::new(lease, router))]),
            unjoined_until: Some(Instant::now() + context.timings.unjoined),
            created_at: SystemTime::now(),
            participants: BTreeMap::new(),
            transports: HashMap::new(),
            producers: HashMap::new(),
            consumers: HashMap::new(),
            transport_ids: HashMap::new(),
            producer_ids: HashMap::new(),
            consumer_ids: HashMap::new(),
            next_producer: 0,
            created_as: standing,
            end: None,
            call,
            context,
            mailbox,
        };
        tracing::info!(call = %room.call, router = %room.router_id, worker = index, "room created");
        let response = CreateRoomResponse {
            room_id: room.call.clone(),
            router_id: room.router_id,
            rtp_capabilities: room.context.offer.capabilities.clone(),
        };
        tokio::spawn(room.run(jobs));
        Ok(response)
    }

    async fn run(mut self, mut jobs: Jobs) {
        while self.end.is_none() {
            let deadline = self.next_deadline();
            tokio::select! {
                biased;
                job = jobs.0.recv() => match job {
                    Some(job) => job(&mut self).await,
                    None => return,
                },
                () = wait_until(deadline) => self.handle_deadline(Instant::now()).await,
            }
        }
    }

    /// Ends the room: everybody is told, the worker and the node forget it. What follows in the present job finds it
    /// empty; the task ends after it.
    pub(crate) fn finish(&mut self, end: RoomEnd) {
        if self.end.is_some() {
            return;
        }
        self.end = Some(end);
        for part in self.parts.values() {
            part.lease.post(Command::CloseRouter(part.router));
        }
        for (id, producer) in &self.producers {
            self.announce_closed(*id, producer);
        }
        let event = RoomDestroyed {
            call_id: self.call.clone(),
            reason: end,
        };
        self.context.notices.services(ServiceEvent::RoomDestroyed(event));
        tracing::info!(call = %self.call, reason = ?end, participants = self.participants.len(), "room destroyed");
        for part in std::mem::take(&mut self.parts).values() {
            self.context
                .workers
                .release(&part.lease, part.participants, part.consumers);
        }
        // Last: from here on a room of the same name may be created, and nothing said about this one may follow.
        self.context
            .registry
            .forget(&self.call, &self.mailbox, self.participants.len());
        self.participants.clear();
        self.transports.clear();
        self.producers.clear();
        self.consumers.clear();
    }

    /// The room as others see it.
    pub(crate) fn describe(&self) -> RoomResponse {
        RoomResponse {
            room_id: self.call.clone(),
            router_id: self.router_id,
            rtp_capabilities: self.context.offer.capabilities.clone(),
            participant_count: u32::try_from(self.participants.len()).unwrap_or(u32::MAX),
            created_at: Timestamp::from(self.created_at),
            producers: self.summaries(),
        }
    }

    /// All producers in the order of their creation.
    pub(crate) fn summaries(&self) -> Vec<ProducerSummary> {
        let mut producers: Vec<(&ProducerId, &Producer)> = self.producers.iter().collect();
        producers.sort_by_key(|(_, producer)| producer.number);
        producers
            .into_iter()
            .map(|(id, producer)| producer.summary(*id))
            .collect()
    }

    /// Tells the others that a producer is gone.
    fn announce_closed(&self, id: ProducerId, producer: &Producer) {
        self.context
            .notices
            .clients(NodeEvent::ProducerClosed(ProducerClosed {
                call_id: self.call.clone(),
                participant_id: producer.owner.clone(),
                producer_id: id,
                kind: producer.kind,
            }));
    }

    /// A command whose refusal is our fault or the worker's.
    async fn command(
        &self,
        worker: WorkerNumber,
        command: Command,
        code: ErrorCode,
    ) -> Result<Reply, ErrorBody> {
        match self.call(worker, command).await {
            Ok(Reply::Failed(error)) => Err(self.refused(&error, code)),
            Ok(reply) => Ok(reply),
            Err(error) => Err(self.unanswered(error, code)),
        }
    }

    /// Sends a command to a worker on which a part of the room lives.
    async fn call(&self, worker: WorkerNumber, command: Command) -> Result<Reply, WorkerError> {
        let part = self.parts.get(&worker).ok_or(WorkerError::Gone)?;
        part.lease.call(command).await
    }

    /// Reports a refusal by the worker that the request did not cause.
    fn refused(&self, error: &CommandError, code: ErrorCode) -> ErrorBody {
        tracing::error!(call = %self.call, %error, "a command was refused");
        ErrorBody::new(code)
    }

    fn unanswered(&self, error: WorkerError, code: ErrorCode) -> ErrorBody {
        tracing::error!(call = %self.call, %error, "a command got no answer");
        ErrorBody::new(code)
    }

    /// Reports an answer that does not belong to the command.
    fn unexpected(&self, reply: &Reply, code: ErrorCode) -> ErrorBody {
        tracing::error!(call = %self.call, ?reply, "an answer to another command");
        ErrorBody::new(code)
    }
}

/// However a room's task ends, also by a panic in one of its jobs, the room is finished.
impl Drop for Room {
    fn drop(&mut self) {
        // After a panic it is lost in the same sense as with its worker: through no doing of its members.
        let end = if std::thread::panicking() {
            RoomEnd::WorkerDied
        } else {
            RoomEnd::Shutdown
        };
        self.finish(end);
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
