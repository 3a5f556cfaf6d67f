//! Stored flags.

use std::collections::BTreeMap;

use async_trait::async_trait;
use signalling::Timestamp;

use super::row::{Reader, millis};
use super::{SqlStore, commit, run};
use crate::{FlagChanges, StoreError, StoredFlags};

const PUT: &str = "INSERT INTO feature_flags (name, value, updated_at) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";

#[async_trait]
impl StoredFlags for SqlStore {
    async fn stored_flags(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let _timer = self.timer("stored_flags");
        let rows = self
            .all(sqlx::query("SELECT name, value FROM feature_flags"))
            .await?;
        let read = rows.iter().map(|row| {
            let row = Reader(row);
            Ok((row.text("name")?, row.text("value")?))
        });
        read.collect()
    }

    async fn change_flags(&self, changes: &FlagChanges, now: Timestamp) -> Result<(), StoreError> {
        let _timer = self.timer("change_flags");
        let mut tx = self.begin_write().await?;
        // In the order of names, so that of two who change the same nobody waits for the other in a circle.
        for (name, value) in changes {
            let query = match value {
                Some(value) => sqlx::query(PUT)
                    .bind(name.clone())
                    .bind(value.clone())
                    .bind(millis(now)),
                None => sqlx::query("DELETE FROM feature_flags WHERE name = $1").bind(name.clone()),
            };
            run(&mut tx, query).await?;
        }
        commit(tx).await
    }
}
