//! `meeshy media`: the media node alone.

use std::process::ExitCode;

use anyhow::{Context, Result};
use media_node::config::{Config, Role, Settings};
use media_node::{Node, NodeOptions};

use crate::run::{self, StopSignals, Unsuitable};
use crate::tls::{self, Certificate, TlsSettings};
use crate::{logs, say};

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    tls: TlsSettings,
    #[command(flatten)]
    traces: logs::TraceSettings,
    /// Print the settings as they would be used, without secrets, and exit
    #[arg(long)]
    check_config: bool,
}

/// Runs the media node alone.
pub(crate) fn media(arguments: &Arguments) -> Result<ExitCode> {
    let config = match arguments.settings.check(Role::Media) {
        Ok(config) => config,
        Err(errors) => return Ok(run::refuse(&errors)),
    };
    let traces = match arguments.traces.check("meeshy-media") {
        Ok(traces) => traces,
        Err(error) => return Ok(run::refuse(&error)),
    };
    let certificate = match arguments.tls.check() {
        Ok(certificate) => certificate,
        Err(error) => return Ok(run::refuse(&error)),
    };
    if arguments.check_config {
        say(config.report().trim_end());
        say(&arguments.tls.report());
        say(&arguments.traces.report());
        return Ok(ExitCode::SUCCESS);
    }
    let log = logs::Log {
        level: config.log_level.clone(),
        node: Some(config.server_id.clone()),
        traces,
    };
    let _logging = logs::install(&log)?;
    run::block_on(run_node(config, certificate))
}

async fn run_node(config: Config, certificate: Option<Certificate>) -> Result<()> {
    let mut stop = StopSignals::new()?;
    let scheme = tls::scheme(certificate.as_ref())?;
    let listener = media_node::listen(&config).await.map_err(Unsuitable::new)?;
    let address = listener.local_addr().context("the listener has no address")?;
    let node = Node::start(&config, NodeOptions::default()).map_err(Unsuitable::new)?;
    let router = node.router(None);
    run::announce("Meeshy Calls media node", &scheme, address);
    // The listener takes connections from its binding on; they are answered in a moment.
    node.register();
    let drain = node.drain().clone();
    let finished = drain.clone();
    let server = edge::serve::serve_by(listener, scheme, router, async move { finished.finished().await });
    tokio::pin!(server);
    tokio::select! {
        outcome = &mut server => outcome.context("the HTTP server failed")?,
        () = stop.drain(&drain, || drain.rooms_taken()) => {}
    }
    node.stop();
    Ok(())
}
