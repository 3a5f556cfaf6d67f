//! What running a server is like, whichever: settings refused, a runtime, signals, a line that says where it is.

use std::fmt::Display;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use ::gateway::config::GatewayConfig;
use ::gateway::metrics::Metrics;
use anyhow::{Context, Result};
use edge::serve::Scheme;
use store::{OpenOptions, Store};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{complain, say};

/// Exit status for settings that are wrong, as `EX_CONFIG` of sysexits.h: a supervisor need not try again.
const BAD_CONFIGURATION: u8 = 78;

/// A server cannot start with these settings.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unsuitable(String);

impl Unsuitable {
    /// For this reason, which names the setting.
    pub(crate) fn new(reason: impl Display) -> Self {
        Self(reason.to_string())
    }
}

/// Says which settings are wrong.
pub(crate) fn refuse(errors: &impl Display) -> ExitCode {
    complain(&format!("meeshy cannot start:\n{errors}"));
    ExitCode::from(BAD_CONFIGURATION)
}

/// Runs a server to its end.
pub(crate) fn block_on(server: impl Future<Output = Result<()>>) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("the runtime could not be started")?;
    match runtime.block_on(server) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => match error.downcast_ref::<Unsuitable>() {
            Some(reason) => Ok(refuse(reason)),
            None => Err(error),
        },
    }
}

/// Opens the gateway's store, which reports to its metrics.
pub(crate) async fn open_store(config: &GatewayConfig, metrics: &Arc<Metrics>) -> Result<Arc<dyn Store>> {
    let mut options = OpenOptions::new(config.database.caption_key.clone());
    let observer: Arc<Metrics> = Arc::clone(metrics);
    options.observer = Some(observer);
    let opened = store::open(&config.database.url, options).await;
    Ok(opened.map_err(no_database)?)
}

/// There is no database where the settings say.
pub(crate) fn no_database(error: impl std::error::Error) -> Unsuitable {
    Unsuitable::new(format!("DATABASE_URL: {}", chain(&error)))
}

/// An error with what caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Says where a server is.
pub(crate) fn announce(what: &str, scheme: &Scheme, address: SocketAddr) {
    let host = match address {
        _ if address.ip().is_unspecified() => "localhost".to_owned(),
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    say(&format!(
        "{what} is ready: {}://{host}:{}",
        scheme.name(),
        address.port()
    ));
}

/// SIGTERM and SIGINT.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(crate) fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The first signal begins a drain of a node; the second one ends it and returns. Without a second one the drain
    /// ends by itself, and whoever waits for it drops this future. `begin` says how many calls are waited for.
    pub(crate) async fn drain(&mut self, drain: &media_node::drain::Drain, begin: impl FnOnce() -> usize) {
        self.next().await;
        let calls = begin();
        drain.begin();
        if calls > 0 {
            complain(&format!(
                "meeshy: waiting for {calls} call(s) to end; stop again to end them now"
            ));
        }
        self.next().await;
        tracing::warn!("stopped a second time: ending all calls");
        drain.force();
    }
}
