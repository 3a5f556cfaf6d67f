//! `meeshy serve` and `meeshy media`: settings checked, parts put together, run until told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use media_node::config::{Config, Role, Settings};
use media_node::drain::Drain;
use media_node::{Node, NodeOptions, StartError, Timings};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{complain, lobby, logs, say, web};

/// Exit status for settings that are wrong, as `EX_CONFIG` of sysexits.h: a supervisor need not try again.
const BAD_CONFIGURATION: u8 = 78;

/// In one process nobody else watches over participants: one whose socket has been gone for this long has left.
const ORPHAN_GRACE: Duration = Duration::from_secs(10);

/// What both commands take.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Print the settings as they would be used, without secrets, and exit
    #[arg(long)]
    check_config: bool,
}

/// Runs everything in one process.
pub(crate) fn serve(arguments: &Arguments) -> Result<ExitCode> {
    run(arguments, Role::Serve)
}

/// Runs the media node alone.
pub(crate) fn media(arguments: &Arguments) -> Result<ExitCode> {
    run(arguments, Role::Media)
}

fn run(arguments: &Arguments, role: Role) -> Result<ExitCode> {
    let config = match arguments.settings.check(role) {
        Ok(config) => config,
        Err(errors) => {
            complain(&format!("meeshy cannot start:\n{errors}"));
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    if arguments.check_config {
        say(config.report().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    logs::install(&config.log_level)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime
        .context("the runtime could not be started")?
        .block_on(run_node(&config, role));
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.is::<StartError>() => {
            complain(&format!("meeshy cannot start:\n{error}"));
            Ok(ExitCode::from(BAD_CONFIGURATION))
        }
        Err(error) => Err(error),
    }
}

async fn run_node(config: &Config, role: Role) -> Result<()> {
    let mut stop = StopSignals::new()?;
    let listener = media_node::listen(config).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let orphan_grace = (role == Role::Serve).then_some(ORPHAN_GRACE);
    let timings = Timings {
        orphan_grace,
        ..Timings::default()
    };
    let node = Node::start(
        config,
        NodeOptions {
            timings,
            ..NodeOptions::default()
        },
    )?;
    let beside = (role == Role::Serve).then(|| pages(&node, config));
    let router = node.router(beside);
    announce(address, role);
    let drain = node.drain().clone();
    let finished = drain.clone();
    let server = media_node::serve(listener, router, async move { finished.finished().await });
    tokio::pin!(server);
    tokio::select! {
        outcome = &mut server => outcome.context("the HTTP server failed")?,
        () = stop.drain(&drain) => {}
    }
    node.stop();
    Ok(())
}

/// What `serve` offers beside the node: the lobby and the web client.
fn pages(node: &Node, config: &Config) -> Router {
    lobby::routes(node.clone(), config).merge(web::routes())
}

fn announce(address: SocketAddr, role: Role) {
    let host = if address.ip().is_unspecified() {
        "localhost".to_owned()
    } else {
        host(address)
    };
    let url = format!("http://{host}:{}", address.port());
    match role {
        Role::Serve => say(&format!("Meeshy Calls is ready: {url}")),
        Role::Media => say(&format!("Meeshy Calls media node is ready: {url}")),
    }
}

fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

/// SIGTERM and SIGINT.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The first signal begins a drain; the second one ends it and returns. Without a second one the drain ends the
    /// server, and this future is dropped.
    async fn drain(&mut self, drain: &Drain) {
        self.next().await;
        drain.begin();
        if drain.rooms_left() > 0 {
            let rooms = drain.rooms_left();
            complain(&format!(
                "meeshy: waiting for {rooms} call(s) to end; stop again to end them now"
            ));
        }
        self.next().await;
        tracing::warn!("stopped a second time: ending all calls");
        drain.force();
    }
}
