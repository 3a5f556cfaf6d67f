//! Where log events go: text for people at a terminal, JSON for whatever collects them otherwise. And traces.

mod json;
mod traces;

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, FilterFn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use json::JsonLines;
use traces::Exporter;
pub(crate) use traces::{TraceSettings, Traces};

/// What is ours: a level without a target means these.
const OURS: [&str; 11] = [
    "meeshy",
    "gateway",
    "media_node",
    "edge",
    "store",
    "call",
    "signalling",
    "sfu",
    "link",
    "ortc",
    "loadgen",
];

/// Libraries that write what passes through them when asked for details, tokens and session descriptions among it.
/// They never say more than that something went wrong, whatever the level.
const TALKATIVE: [&str; 11] = [
    "socketioxide",
    "engineioxide",
    "socketioxide_core",
    "tungstenite",
    "tokio_tungstenite",
    "hyper",
    "hyper_util",
    "h2",
    "reqwest",
    "axum",
    "sqlx",
];

/// Whose log it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// What is written, in the syntax of `tracing_subscriber::EnvFilter`.
    pub(crate) level: String,
    /// The name of the media node that runs in this process, for the field `node`.
    pub(crate) node: Option<String>,
    /// Where traces go, if anywhere.
    pub(crate) traces: Option<Traces>,
}

/// Keeps logs and traces going; dropped at the end of the process, when what is left is sent.
#[must_use]
pub(crate) struct Logging {
    /// Sends what is left when it is dropped.
    _exporter: Option<Exporter>,
}

/// Installs the subscriber for this process. Standard output stays free for what a person asked for.
pub(crate) fn install(log: &Log) -> Result<Logging> {
    let lines = if std::io::stderr().is_terminal() {
        let text = tracing_subscriber::fmt::layer()
            .compact()
            .with_writer(std::io::stderr);
        text.with_filter(filter(&log.level)?).boxed()
    } else {
        json(log)?
    };
    let exporter = log.traces.as_ref();
    let exporter = exporter.map(|traces| Exporter::start(traces, log.node.as_deref()));
    let exporter = exporter.transpose()?;
    let traces = exporter.as_ref().map(Exporter::layer);
    let installed = tracing_subscriber::registry().with(lines).with(traces).try_init();
    installed.map_err(|error| anyhow::anyhow!("the log could not be set up: {error}"))?;
    Ok(Logging { _exporter: exporter })
}

fn json<S>(log: &Log) -> Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + 'static,
{
    let node = log.node.clone().map(|node| ("node", node));
    let lines = JsonLines::new(node.into_iter().collect(), std::io::stderr);
    Ok(lines.with_filter(filter(&log.level)?).boxed())
}

/// The filter for a level, or for whatever `LOG_LEVEL` says in the syntax of `EnvFilter`.
fn filter<S: 'static>(level: &str) -> Result<impl Filter<S> + Send + Sync + 'static> {
    let level = level.trim();
    let directives = match level.parse::<Level>() {
        Ok(Level::ERROR) | Err(_) => level.to_owned(),
        Ok(_) => {
            let ours = OURS.iter().map(|target| format!(",{target}={level}"));
            format!("warn{}", ours.collect::<String>())
        }
    };
    let filter = EnvFilter::try_new(directives).with_context(|| {
        format!("LOG_LEVEL: `{level}` is not a log level; set LOG_LEVEL to error, warn, info, debug or trace")
    })?;
    let discreet = FilterFn::new(is_discreet).with_max_level_hint(LevelFilter::TRACE);
    Ok(filter.and(discreet))
}

/// Whether an event may be written at all.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::WARN || !TALKATIVE.contains(&library)
}

#[cfg(test)]
mod tests;
