//! What outlives a process: people, conversations, calls and what was measured of them (contract §4).
//!
//! * One trait, [`Store`], in parts that belong together: [`Calls`], [`Captions`], [`AuditLog`], [`Directory`],
//!   [`Links`], [`Privacy`], [`StoredFlags`] and [`Upkeep`]. It is used as `Arc<dyn Store>`.
//! * [`open`] gives a store by URL: an SQLite file, a PostgreSQL server, or memory for tests.
//! * Captions are sealed before they reach a backend ([`CaptionKey`]); links and sessions are kept as hashes
//!   ([`Secret`]).
//!
//! Times are arguments; the store reads no clock but to note when a migration ran and how long a query took.

#![forbid(unsafe_code)]

mod audit;
mod calls;
mod captions;
mod directory;
mod error;
mod flags;
mod links;
pub mod memory;
mod open;
mod privacy;
mod seal;
mod secret;
mod sql;
mod upkeep;
mod words;

pub use audit::{AuditEntry, AuditLog, AuditQuery, AuditType};
pub use calls::{Calls, DeviceInfo, HistoryEntry, HistoryFilter, HistoryPage, HistoryQuery};
pub use captions::{CaptionRecord, CaptionSource, Captions};
pub use directory::{Conversation, Directory, Made, Member, User};
pub use error::StoreError;
pub use flags::{FlagChanges, StoredFlags};
pub use links::{Guest, GuestRights, Links, Redemption, ShareLink};
pub use memory::MemoryStore;
pub use open::{OpenError, OpenOptions, QueryObserver, open, schema_status, server_time};
pub use privacy::{Erased, Privacy};
pub use seal::{CaptionKey, CaptionKeyError};
pub use secret::{Secret, SecretHash};
pub(crate) use words::words;

pub use upkeep::{Migration, Purged, Repaired, Retention, SchemaStatus, Upkeep};

/// Everything that is kept.
pub trait Store: Calls + Captions + AuditLog + Directory + Links + Privacy + StoredFlags + Upkeep {}

impl<T: Calls + Captions + AuditLog + Directory + Links + Privacy + StoredFlags + Upkeep> Store for T {}
