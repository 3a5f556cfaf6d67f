//! What gateways share: who holds a lock, which node holds a call's room, and what is to be told on other gateways.
//!
//! One trait, so that a bus between several gateways can take the place of [`InProcess`], which serves a single one.

mod in_process;

use std::time::Duration;

use async_trait::async_trait;
use call::NodeId;
use signalling::{CallId, ConversationId, UserId};

pub use in_process::InProcess;

/// What only one may hold at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lock {
    /// The beginning of a call in a conversation: of two who begin at the same time one wins (contract §3.1).
    Conversation(ConversationId),
    /// The sweep for calls that nobody serves any more (contract §2.10).
    Sweep,
}

/// A lock that is held until it is given back or its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is held.
    pub lock: Lock,
    /// Larger than that of every earlier lease of any lock: who is overtaken is known by a smaller one.
    pub fencing: u64,
}

/// A lock that could not be had in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lock is held by somebody else")]
pub struct Held;

/// Something that devices connected to another gateway are to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Whom.
    pub to: Audience,
    /// The event's name on the wire.
    pub name: &'static str,
    /// The event's payload.
    pub payload: serde_json::Value,
}

/// Whose devices are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Of these users.
    Users(Vec<UserId>),
    /// Of guests of this conversation.
    GuestsOf(ConversationId),
}

/// What gateways share.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Takes a lock, which ends by itself after `lifetime`; waits for at most `patience` while another holds it.
    ///
    /// # Errors
    /// If it is still held then.
    async fn lease(&self, lock: Lock, lifetime: Duration, patience: Duration) -> Result<Lease, Held>;

    /// Gives a lock back. A lease that is over is left alone.
    async fn release(&self, lease: Lease);

    /// Notes where a call's room is. To be repeated while the call lives.
    async fn place(&self, call: &CallId, node: &NodeId);

    /// Where a call's room is.
    async fn node_of(&self, call: &CallId) -> Option<NodeId>;

    /// Forgets where a call's room was.
    async fn displace(&self, call: &CallId);

    /// Tells the other gateways. Whoever is connected here was told before.
    async fn publish(&self, message: Message);

    /// The next message of another gateway; never, if there is none.
    async fn receive(&self) -> Message;
}
