//! Where log events go: text for people at a terminal, JSON for whatever collects them otherwise.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

/// Installs the subscriber for this process. Standard output stays free for what a person asked for.
pub(crate) fn install(level: &str) -> Result<()> {
    let filter = EnvFilter::try_new(level).with_context(|| {
        format!("LOG_LEVEL: `{level}` is not a log level; set LOG_LEVEL to error, warn, info, debug or trace")
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let installed = if std::io::stderr().is_terminal() {
        subscriber.compact().try_init()
    } else {
        subscriber
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("the log could not be set up: {error}"))
}
