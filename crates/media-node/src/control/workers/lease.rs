//! A room's hold on a worker: commands go through it, and what they create reports to the room.

use std::sync::Arc;
use std::time::Duration;

use sfu::command::{Command, Reply};
use sfu::key::{ConsumerKey, ProducerKey, TransportKey};
use sfu::spec::WorkerAddresses;
use tokio::sync::oneshot;

use super::{AnyKey, Owners, WorkerError, WorkerNumber, lock};
use crate::control::room::Mailbox;
use crate::worker::WorkerHandle;

/// A worker answers between two batches of packets, within milliseconds. One that has not answered by now hangs.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// What of a room lives on a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it, or the part that was there first and lasts as long as the room.
    Home,
    /// Participants for whom there was no room at home.
    Branch,
}

/// A room's hold on a worker.
pub(crate) struct Lease {
    index: usize,
    number: WorkerNumber,
    handle: WorkerHandle,
    mailbox: Mailbox,
    owners: Arc<Owners>,
    part: Part,
}

impl Lease {
    pub(super) fn new(
        (index, number, handle): (usize, WorkerNumber, WorkerHandle),
        mailbox: Mailbox,
        owners: Arc<Owners>,
        part: Part,
    ) -> Self {
        Self {
            index,
            number,
            handle,
            mailbox,
            owners,
            part,
        }
    }

    /// The worker's number.
    pub(crate) fn number(&self) -> WorkerNumber {
        self.number
    }

    /// The room's owner.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Opens lanes between this lease's worker and another's.
    pub(super) fn link(&self, other: &Self) -> Result<(), WorkerError> {
        self.handle
            .link(self.number.peer(), (&other.handle, other.number.peer()))
            .map_err(|_| WorkerError::Gone)
    }

    /// Sends a command and waits for the answer. Events about an object created this way reach the room's mailbox.
    pub(crate) async fn call(&self, command: Command) -> Result<Reply, WorkerError> {
        let (owners, number, mailbox) = (Arc::clone(&self.owners), self.number, self.mailbox.clone());
        let part = self.part;
        // On the worker's thread and before it reports anything about the new object: no event can be missed.
        let register = move |reply: &Reply| {
            let key = match reply {
                Reply::Router(key) if part == Part::Branch => AnyKey::Branch(*key),
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

    pub(super) fn forget_all(&self) {
        lock(&self.owners)
            .retain(|(number, _), mailbox| *number != self.number || !mailbox.same_room(&self.mailbox));
    }
}

pub(super) async fn ask(
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
