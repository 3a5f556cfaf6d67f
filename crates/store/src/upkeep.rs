//! Keeping stored data small, consistent and up to date.

use std::time::Duration;

use async_trait::async_trait;
use signalling::Timestamp;

use crate::StoreError;

/// What an operator or a nightly job does (contract §4.8).
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Deletes what was kept long enough, children before or with their parents. Safe to call at any time and
    /// by several at once.
    async fn purge_expired(&self, now: Timestamp) -> Result<Purged, StoreError>;

    /// Puts right what a crash may have left: a direct call with a room, somebody present in a call that is over.
    async fn repair(&self, now: Timestamp) -> Result<Repaired, StoreError>;

    /// Whether the backend answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Which migrations ran and which are still to run.
    async fn schema(&self) -> Result<SchemaStatus, StoreError>;
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Calls, from their end; with participants and measurements: 90 days (contract §4.1).
    pub calls: Duration,
    /// Captions, from their writing: 30 days (contract §4.4).
    pub captions: Duration,
    /// The audit log: 90 days (contract §4.6).
    pub audit: Duration,
    /// Guests who are in no stored call, from their coming, and links without guests, from their end: 90 days, as
    /// long as a call they may have been in.
    pub guests: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            calls: days(90),
            captions: days(30),
            audit: days(90),
            guests: days(90),
        }
    }
}

impl Retention {
    /// The last moment that is too old, of things kept for `period`.
    pub(crate) fn cutoff(now: Timestamp, period: Duration) -> Timestamp {
        let period = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_unix_millis(now.unix_millis().saturating_sub(period))
    }
}

/// How much was deleted because it was old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Calls, each with all that belongs to it.
    pub calls: u64,
    /// Captions of calls that stay.
    pub captions: u64,
    /// Lines of the audit log.
    pub audit: u64,
    /// Guests.
    pub guests: u64,
    /// Links.
    pub links: u64,
}

/// How much was put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Direct calls that had a room.
    pub rooms_cleared: u64,
    /// Participants who were present in a call that is over.
    pub participants_closed: u64,
}

/// How far a database's schema is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaStatus {
    /// Migrations that ran, in order, each with when.
    pub applied: Vec<(Migration, Timestamp)>,
    /// Migrations that this program brings and that did not run yet, in order.
    pub pending: Vec<Migration>,
}

/// A step from one schema to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number; they run in this order.
    pub version: u32,
    /// What it does.
    pub name: String,
}
