//! Captions and the audit log: written in the background, in order, without holding up a call.

use std::sync::Arc;
use std::time::Duration;

use store::{AuditEntry, CaptionRecord, Store, StoreError};
use tokio::sync::mpsc;

/// Lines that may wait for the store.
const CAPACITY: usize = 4096;
/// Pauses between attempts for one line; after the last one it is given up.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(10),
];

/// Something to be written some time.
#[derive(Debug)]
pub(super) enum Line {
    Caption(CaptionRecord),
    Audit(AuditEntry),
}

/// The way to the background writer.
#[derive(Clone, Debug)]
pub(super) struct Journal(mpsc::Sender<Line>);

impl Journal {
    /// Starts the writer. It ends when the journal and all its clones are gone and everything is written.
    pub(super) fn start(store: Arc<dyn Store>) -> Self {
        let (sender, mut lines) = mpsc::channel(CAPACITY);
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                write(&*store, &line).await;
            }
        });
        Self(sender)
    }

    pub(super) fn add(&self, line: Line) {
        if self.0.try_send(line).is_err() {
            tracing::error!("the journal is full: a line is lost");
        }
    }
}

async fn write(store: &dyn Store, line: &Line) {
    for pause in PAUSES.into_iter().map(Some).chain([None]) {
        let outcome = match line {
            Line::Caption(caption) => store.add_caption(caption).await,
            Line::Audit(entry) => store.append_audit(entry).await,
        };
        match (outcome, pause) {
            (Ok(()), _) => return,
            (Err(StoreError::Unavailable(_)), Some(pause)) => tokio::time::sleep(pause).await,
            (Err(error), _) => {
                tracing::error!(%error, "a line of the journal is lost");
                return;
            }
        }
    }
}
