//! A store by its URL.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::sql::{SqlStore, Target};
use crate::{CaptionKey, MemoryStore, Retention, SchemaStatus, Store, StoreError};

/// How a store is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// What captions are sealed with.
    pub caption_key: CaptionKey,
    /// How long things are kept.
    pub retention: Retention,
    /// Most connections to a database at a time: 20, of the 20 to 50 the contract names (§4.8).
    pub max_connections: u32,
    /// How long to wait for the database before giving up: 5 s.
    pub patience: Duration,
    /// Who is told how long each operation took.
    pub observer: Option<Arc<dyn QueryObserver>>,
}

impl OpenOptions {
    /// The usual ones.
    #[must_use]
    pub fn new(caption_key: CaptionKey) -> Self {
        Self {
            caption_key,
            retention: Retention::default(),
            max_connections: 20,
            patience: Duration::from_secs(5),
            observer: None,
        }
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("retention", &self.retention)
            .field("max_connections", &self.max_connections)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// Is told how long each operation of a database took, for `db_query_duration_seconds{operation}`. Called on the
/// task that asked, so it must be quick.
pub trait QueryObserver: Send + Sync {
    /// An operation, named like the method of the trait, is over, well or not.
    fn observe(&self, operation: &'static str, took: Duration);
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No backend is known by this scheme.
    #[error("no store for '{scheme}:', use sqlite://, postgres:// or memory:")]
    UnknownScheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// The URL names no database.
    #[error("not a database: {reason}")]
    BadUrl {
        /// What is wrong with it; never holds the URL, which may hold a password.
        reason: String,
    },
    /// The database cannot be reached or brought to the present schema.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a store, and brings its schema up to date: `sqlite://path` (made when missing), `postgres://…` or `memory:`.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(url: &str, options: OpenOptions) -> Result<Arc<dyn Store>, OpenError> {
    match Backend::of(url)? {
        Backend::Memory => Ok(Arc::new(MemoryStore::new(options.retention))),
        Backend::Sql(target) => {
            target.make_file()?;
            let store = SqlStore::connect(&target, options).await?;
            store.migrate().await?;
            Ok(Arc::new(store))
        }
    }
}

/// What [`open`] would do to the schema, without doing it: a dry run. Makes no file.
///
/// # Errors
/// See [`OpenError`].
pub async fn schema_status(url: &str, options: OpenOptions) -> Result<SchemaStatus, OpenError> {
    match Backend::of(url)? {
        Backend::Memory => Ok(SchemaStatus::default()),
        Backend::Sql(target) if !target.exists() => Ok(crate::sql::nothing_applied()),
        Backend::Sql(target) => {
            let store = SqlStore::connect(&target, options).await?;
            let status = store.status().await;
            store.close().await;
            Ok(status?)
        }
    }
}

/// How late it is where the database is; `None` where that is here.
///
/// # Errors
/// See [`OpenError`].
pub async fn server_time(url: &str, options: OpenOptions) -> Result<Option<SystemTime>, OpenError> {
    match Backend::of(url)? {
        Backend::Sql(target @ Target::Server(_)) => {
            let store = SqlStore::connect(&target, options).await?;
            let time = store.server_time().await;
            store.close().await;
            Ok(Some(time?))
        }
        Backend::Memory | Backend::Sql(Target::File(_)) => Ok(None),
    }
}

/// What a URL names.
enum Backend {
    Memory,
    Sql(Target),
}

impl Backend {
    fn of(url: &str) -> Result<Self, OpenError> {
        let (scheme, rest) = url.split_once(':').ok_or_else(|| OpenError::BadUrl {
            reason: "no scheme, like sqlite://".to_owned(),
        })?;
        match scheme {
            "memory" => Ok(Self::Memory),
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                Target::file(path).map(Self::Sql)
            }
            "postgres" | "postgresql" => Ok(Self::Sql(Target::server(url))),
            _ => Err(OpenError::UnknownScheme {
                scheme: scheme.to_owned(),
            }),
        }
    }
}
