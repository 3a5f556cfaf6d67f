//! The schema and how it came about: forward only, additive, each step once.
//!
//! Older programs go on with a newer schema, because steps only add what they do not name.

use std::time::SystemTime;

use signalling::Timestamp;
use sqlx::AssertSqlSafe;

use super::row::Reader;
use super::{Dialect, SqlStore, Tx, all, commit, map, run};
use crate::{Migration, SchemaStatus, StoreError};

struct Step {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        version: 1,
        name: "people, calls, links",
        sql: include_str!("migrations/0001_people_calls_links.sql"),
    },
    Step {
        version: 2,
        name: "recordings, analysis",
        sql: include_str!("migrations/0002_recordings_analysis.sql"),
    },
    Step {
        version: 3,
        name: "flags",
        sql: include_str!("migrations/0003_flags.sql"),
    },
];

/// Any number, the same for all gateways: who holds this lock in PostgreSQL migrates.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7205759403)";

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (\
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)";

impl Step {
    fn describe(&self) -> Migration {
        Migration {
            version: self.version,
            name: self.name.to_owned(),
        }
    }

    /// The step in a database's own words.
    fn text(&self, dialect: Dialect) -> String {
        let (bytes, real, binary) = match dialect {
            Dialect::Sqlite => ("BLOB", "REAL", "COLLATE BINARY"),
            Dialect::Postgres => ("BYTEA", "DOUBLE PRECISION", "COLLATE \"C\""),
        };
        self.sql
            .replace("{bytes}", bytes)
            .replace("{real}", real)
            .replace("{binary}", binary)
    }
}

/// The status of a database that does not exist.
pub(crate) fn nothing_applied() -> SchemaStatus {
    SchemaStatus {
        applied: Vec::new(),
        pending: STEPS.iter().map(Step::describe).collect(),
    }
}

impl SqlStore {
    /// Brings the schema up to date, in one transaction that others who try the same wait for.
    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        if self.status().await?.pending.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin_write().await?;
        if self.dialect == Dialect::Postgres {
            run(&mut tx, sqlx::query(LOCK)).await?;
        }
        run(&mut tx, sqlx::query(TABLE)).await?;
        let applied = applied(&mut tx).await?;
        for step in STEPS {
            if applied.iter().any(|(known, _)| known.version == step.version) {
                continue;
            }
            sqlx::raw_sql(AssertSqlSafe(step.text(self.dialect)))
                .execute(&mut *tx)
                .await
                .map_err(map)?;
            let now = Timestamp::from(SystemTime::now());
            let record =
                sqlx::query("INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)")
                    .bind(i64::from(step.version))
                    .bind(step.name)
                    .bind(super::row::millis(now));
            run(&mut tx, record).await?;
            tracing::info!(version = step.version, name = step.name, "migrated the database");
        }
        commit(tx).await
    }

    /// What ran and what is to run.
    pub(crate) async fn status(&self) -> Result<SchemaStatus, StoreError> {
        let mut tx = self.begin_read().await?;
        let tables = match self.dialect {
            Dialect::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'"
            }
            Dialect::Postgres => {
                "SELECT tablename::TEXT AS name FROM pg_tables \
                 WHERE tablename = 'schema_migrations' AND schemaname = current_schema()"
            }
        };
        if all(&mut tx, sqlx::query(tables)).await?.is_empty() {
            return Ok(nothing_applied());
        }
        let applied = applied(&mut tx).await?;
        let pending = STEPS
            .iter()
            .filter(|step| applied.iter().all(|(known, _)| known.version != step.version));
        Ok(SchemaStatus {
            pending: pending.map(Step::describe).collect(),
            applied,
        })
    }
}

async fn applied(tx: &mut Tx) -> Result<Vec<(Migration, Timestamp)>, StoreError> {
    let query = sqlx::query("SELECT version, name, applied_at FROM schema_migrations ORDER BY version");
    let rows = all(tx, query).await?;
    let read = rows.iter().map(|row| {
        let row = Reader(row);
        let migration = Migration {
            version: row.number("version")?,
            name: row.text("name")?,
        };
        Ok((migration, row.time("applied_at")?))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    /// SHA-256 of each step as it was published. A step that ran somewhere never changes: add another one.
    const PUBLISHED: &[&str] = &[
        "c6cac66ff3a8c842d9e8427769543bdd6f07c603ee2f932dad12f5f00112b426",
        "234077658ff23a02f4ddf1c4fad0f824ab406a05714d3cffa55184b0a924a12e",
        "9044d04fed669dbabf60106f39b844c51592e4013971d2cbb57ae1e01b02a6be",
    ];

    #[test]
    fn published_steps_stay_as_they_are() {
        let hashes: Vec<String> = STEPS
            .iter()
            .map(|step| Secret::from_text(step.sql).hash().as_str().to_owned())
            .collect();
        assert_eq!(hashes, PUBLISHED);
    }

    #[test]
    fn steps_are_numbered_from_one() {
        assert!(STEPS.iter().map(|step| step.version).eq(1..=3));
    }

    #[test]
    fn steps_name_nothing_but_known_types() {
        for step in STEPS {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                assert!(!step.text(dialect).contains(['{', '}']), "step {}", step.version);
            }
        }
    }
}
