//! What an operator turned on or off while gateways run (contract §8.9). Names and values are opaque here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use signalling::Timestamp;

use crate::StoreError;

/// What becomes of each named value: a new one, or none, so that the setting holds again.
pub type FlagChanges = BTreeMap<String, Option<String>>;

/// Values that outweigh the settings of every gateway.
#[async_trait]
pub trait StoredFlags: Send + Sync {
    /// All of them by name.
    async fn stored_flags(&self) -> Result<BTreeMap<String, String>, StoreError>;

    /// Changes several, all or none. Of two who change the same at once, the later one holds.
    async fn change_flags(&self, changes: &FlagChanges, now: Timestamp) -> Result<(), StoreError>;
}
