//! Stored flags.

use std::collections::BTreeMap;

use async_trait::async_trait;
use signalling::Timestamp;

use super::MemoryStore;
use crate::{FlagChanges, StoreError, StoredFlags};

#[async_trait]
impl StoredFlags for MemoryStore {
    async fn stored_flags(&self) -> Result<BTreeMap<String, String>, StoreError> {
        Ok(self.tables().flags.clone())
    }

    async fn change_flags(&self, changes: &FlagChanges, _: Timestamp) -> Result<(), StoreError> {
        let flags = &mut self.tables().flags;
        for (name, value) in changes {
            match value {
                Some(value) => flags.insert(name.clone(), value.clone()),
                None => flags.remove(name),
            };
        }
        Ok(())
    }
}
