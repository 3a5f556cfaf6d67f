//! `meeshy media`: the media node alone.

use std::process::ExitCode;

use anyhow::{Context, Result};
use media_node::config::{Config, Role, Settings};
use media_node::{Node, NodeOptions};

use crate::run::{self, StopSignals, Unsuitable};
use crate::{logs, say};

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
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
    if arguments.check_config {
        say(config.report().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    logs::install(&config.log_level)?;
    run::block_on(run_node(config))
}

async fn run_node(config: Config) -> Result<()> {
    let mut stop = StopSignals::new()?;
    let listener = media_node::listen(&config).await.map_err(Unsuitable::new)?;
    let address = listener.local_addr().context("the listener has no address")?;
    let node = Node::start(&config, NodeOptions::default()).map_err(Unsuitable::new)?;
    let router = node.router(None);
    run::announce("Meeshy Calls media node", address);
    let drain = node.drain().clone();
    let finished = drain.clone();
    let server = media_node::serve(listener, router, async move { finished.finished().await });
    tokio::pin!(server);
    tokio::select! {
        outcome = &mut server => outcome.context("the HTTP server failed")?,
        () = stop.drain(&drain, || ()) => {}
    }
    node.stop();
    Ok(())
}
