//! Is the database there, and is its schema ours?

use store::{CaptionKey, OpenOptions};

use super::finding::Finding;
use super::{PATIENCE, Patient, chain};

const NAME: &str = "database";

pub(super) async fn look(patient: &Patient) -> Option<Finding> {
    let url = &patient.gateway.as_ref()?.database.url;
    let status = store::schema_status(url, options()).await;
    Some(match status {
        Err(error) => Finding::problem(NAME, chain(&error)).remedy(
            "set DATABASE_URL to sqlite://path or postgres://user:password@host/name of a database that is there",
        ),
        Ok(status) if status.applied.is_empty() => {
            Finding::ok(NAME, "it is empty: the server makes its tables when it starts")
        }
        Ok(status) if status.pending.is_empty() => {
            Finding::ok(NAME, format!("it answers, and all {} migrations ran", status.applied.len()))
        }
        Ok(status) => {
            let message = format!("it answers; {} migration(s) are still to run", status.pending.len());
            Finding::warning(NAME, message).remedy("run `meeshy migrate up`, or start the server, which does it")
        }
    })
}

/// Nothing here reads captions, so any key will do.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new(CaptionKey::random());
    options.patience = PATIENCE;
    options.max_connections = 1;
    options
}
