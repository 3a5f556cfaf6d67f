//! `meeshy migrate`, `repair` and `purge`: what an operator does to the database.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Result;
use clap::ValueEnum;
use signalling::Timestamp;
use store::{CaptionKey, OpenOptions, SchemaStatus, Store};

use crate::data::DataDirectory;
use crate::run;
use crate::say;

/// Which database.
#[derive(clap::Args)]
#[group(id = "DatabaseArguments")]
pub(crate) struct Arguments {
    /// The database: sqlite://path or postgres://user:password@host/name [default: the one in DATA_DIR]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    #[command(flatten)]
    data: DataDirectory,
}

/// What to do about the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Migrate {
    /// Say which migrations ran and which are still to run
    Status,
    /// Run those that are still to run
    Up,
}

/// What `migrate` takes.
#[derive(clap::Args)]
pub(crate) struct MigrateArguments {
    #[arg(value_enum)]
    what: Migrate,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    database: Arguments,
}

impl Arguments {
    fn url(&self) -> String {
        let given = edge::setting::given(&self.database_url).map(str::to_owned);
        given.unwrap_or_else(|| self.data.database_url())
    }

    /// Nothing here reads captions, so any key will do.
    fn options() -> OpenOptions {
        OpenOptions::new(CaptionKey::random())
    }

    async fn status(&self) -> Result<SchemaStatus> {
        let status = store::schema_status(&self.url(), Self::options()).await;
        Ok(status.map_err(run::no_database)?)
    }

    /// The store, which brings its schema up to date.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>> {
        let opened = store::open(&self.url(), Self::options()).await;
        Ok(opened.map_err(run::no_database)?)
    }
}

/// Looks at the schema or brings it up to date.
pub(crate) fn migrate(arguments: &MigrateArguments) -> Result<ExitCode> {
    run::block_on(async {
        let status = arguments.database.status().await?;
        let only_look = arguments.dry_run || arguments.what == Migrate::Status;
        for (migration, at) in &status.applied {
            say(&format!(
                "{:04} {}: ran at {at}",
                migration.version, migration.name
            ));
        }
        let pending = match (only_look, arguments.what) {
            (true, Migrate::Up) => "would run",
            (true, Migrate::Status) => "pending",
            (false, _) => "ran now",
        };
        if !only_look && !status.pending.is_empty() {
            arguments.database.open().await?;
        }
        for migration in &status.pending {
            say(&format!("{:04} {}: {pending}", migration.version, migration.name));
        }
        Ok(())
    })
}

/// Puts right what a crash may have left.
pub(crate) fn repair(arguments: &Arguments) -> Result<ExitCode> {
    run::block_on(async {
        let repaired = arguments.open().await?.repair(now()).await?;
        say(&format!(
            "rooms of direct calls cleared: {}\nparticipants of ended calls closed: {}",
            repaired.rooms_cleared, repaired.participants_closed
        ));
        Ok(())
    })
}

/// Deletes what was kept long enough.
pub(crate) fn purge(arguments: &Arguments) -> Result<ExitCode> {
    run::block_on(async {
        let purged = arguments.open().await?.purge_expired(now()).await?;
        say(&format!(
            "calls: {}\ncaptions: {}\nlines of the audit log: {}\nguests: {}\nlinks: {}",
            purged.calls, purged.captions, purged.audit, purged.guests, purged.links
        ));
        Ok(())
    })
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
