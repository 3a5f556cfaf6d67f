//! SQLite and PostgreSQL from one code base: runtime queries that both understand, checked by the contract suite.
//!
//! Shared are `$1` placeholders, `ON CONFLICT`, partial indexes and foreign keys; times and flags are `BIGINT`, JSON
//! is `TEXT`. What differs is in [`Dialect`].

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sqlx::any::{Any, AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, ConnectOptions, Connection, Executor, Transaction};

use crate::open::QueryObserver;
use crate::{CaptionKey, OpenOptions, Retention, StoreError};

mod calls;
mod captions;
mod directory;
mod flags;
mod links;
mod migrations;
mod participants;
mod privacy;
mod row;
mod target;
mod upkeep;

pub(crate) use migrations::nothing_applied;
pub(crate) use target::Target;

/// From here on an operation is worth a line in the log (contract §4.8).
const SLOW: Duration = Duration::from_secs(1);

/// Set for each SQLite connection: a reader never waits for the writer, the file survives the death of the process
/// (and the last moments may be lost with the machine), another process is waited for.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
    PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;";

/// What the two databases do differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Begins a transaction that writes. In SQLite it takes the writer's place at once: to move up from reading
    /// later may fail.
    const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Begins a transaction whose reads all see the same moment.
    const fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// A [`crate::Store`] in a database.
pub(crate) struct SqlStore {
    read: AnyPool,
    /// SQLite has one writer: one connection, whose users queue in order. PostgreSQL: the same as `read`.
    write: AnyPool,
    dialect: Dialect,
    key: CaptionKey,
    retention: Retention,
    observer: Option<Arc<dyn QueryObserver>>,
}

type Tx = Transaction<'static, Any>;

impl SqlStore {
    pub(crate) async fn connect(target: &Target, options: OpenOptions) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = target.dialect();
        let address: AnyConnectOptions = target.url().parse().map_err(unavailable)?;
        // Statements are timed here, by operation; their text is nobody's business.
        let address = address.disable_statement_logging();
        let pool = |connections: u32| {
            let pool = AnyPoolOptions::new()
                .max_connections(connections.max(1))
                .acquire_timeout(options.patience)
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        if dialect == Dialect::Sqlite {
                            connection.execute(sqlx::raw_sql(SQLITE_SETTINGS)).await?;
                        }
                        Ok(())
                    })
                });
            pool.connect_lazy_with(address.clone())
        };
        let (read, write) = match dialect {
            Dialect::Sqlite => (pool(options.max_connections.min(4)), pool(1)),
            Dialect::Postgres => {
                let both = pool(options.max_connections);
                (both.clone(), both)
            }
        };
        let store = Self {
            read,
            write,
            dialect,
            key: options.caption_key,
            retention: options.retention,
            observer: options.observer,
        };
        // The first connection alone makes the file a WAL one; two at once may find it locked for a moment.
        drop(store.write.acquire().await.map_err(unavailable)?);
        Ok(store)
    }

    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    async fn begin_write(&self) -> Result<Tx, StoreError> {
        self.write
            .begin_with(self.dialect.begin_write())
            .await
            .map_err(map)
    }

    async fn begin_read(&self) -> Result<Tx, StoreError> {
        self.read.begin_with(self.dialect.begin_read()).await.map_err(map)
    }

    /// Reads by one statement, which sees one moment anyway.
    async fn all(&self, query: Query) -> Result<Vec<AnyRow>, StoreError> {
        query.fetch_all(&self.read).await.map_err(map)
    }

    /// Reads at most one row by one statement.
    async fn one(&self, query: Query) -> Result<Option<AnyRow>, StoreError> {
        query.fetch_optional(&self.read).await.map_err(map)
    }

    /// Writes by one statement; how many rows it changed.
    async fn run(&self, query: Query) -> Result<u64, StoreError> {
        let done = query.execute(&self.write).await.map_err(map)?;
        Ok(done.rows_affected())
    }

    /// Changes one row that must be there.
    async fn change(&self, query: Query) -> Result<(), StoreError> {
        match self.run(query).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Asks the database whether it is there.
    async fn answer(&self) -> Result<(), StoreError> {
        let mut connection = self.read.acquire().await.map_err(map)?;
        connection.ping().await.map_err(map)
    }

    /// How late it is where the server is.
    pub(crate) async fn server_time(&self) -> Result<SystemTime, StoreError> {
        let statement = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        let millis: i64 = sqlx::query_scalar(statement)
            .fetch_one(&self.read)
            .await
            .map_err(map)?;
        let millis = u64::try_from(millis).map_err(|_| StoreError::corrupt("time"))?;
        Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
    }

    /// Times an operation until it is dropped.
    fn timer(&self, operation: &'static str) -> Timer<'_> {
        Timer {
            operation,
            begun: Instant::now(),
            observer: self.observer.as_deref(),
        }
    }
}

/// Tells how long an operation took, however it ends.
struct Timer<'a> {
    operation: &'static str,
    begun: Instant,
    observer: Option<&'a dyn QueryObserver>,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        if took >= SLOW {
            tracing::warn!(operation = self.operation, ?took, "slow database operation");
        }
        if let Some(observer) = self.observer {
            observer.observe(self.operation, took);
        }
    }
}

/// What a database's error means to the caller.
fn map(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(refused) if refused.is_unique_violation() => StoreError::Conflict,
        sqlx::Error::Database(refused) if refused.is_foreign_key_violation() => StoreError::NotFound,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Decode(_) => {
            StoreError::corrupt("column")
        }
        _ => unavailable(error),
    }
}

fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// A query with its values, for both databases.
type Query = sqlx::query::Query<'static, Any, <Any as sqlx::Database>::Arguments>;

/// Runs a statement; how many rows it changed.
async fn run(tx: &mut Tx, query: Query) -> Result<u64, StoreError> {
    let done = query.execute(&mut **tx).await.map_err(map)?;
    Ok(done.rows_affected())
}

async fn all(tx: &mut Tx, query: Query) -> Result<Vec<AnyRow>, StoreError> {
    query.fetch_all(&mut **tx).await.map_err(map)
}

async fn one(tx: &mut Tx, query: Query) -> Result<Option<AnyRow>, StoreError> {
    query.fetch_optional(&mut **tx).await.map_err(map)
}

async fn commit(tx: Tx) -> Result<(), StoreError> {
    tx.commit().await.map_err(map)
}
