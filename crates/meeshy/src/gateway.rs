//! `meeshy gateway`: the gateway alone, with the web client.

use std::process::ExitCode;
use std::sync::Arc;

use ::gateway::Gateway;
use ::gateway::config::{GatewayConfig, Part, Settings, SharedSettings};
use ::gateway::metrics::Metrics;
use anyhow::{Context, Result};
use tokio::sync::oneshot;

use crate::run::{self, StopSignals, Unsuitable};
use crate::tls::{self, Certificate, TlsSettings};
use crate::{logs, say, web};

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: SharedSettings,
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

/// Runs the gateway alone.
pub(crate) fn gateway(arguments: &Arguments) -> Result<ExitCode> {
    let config = match arguments.settings.check(&arguments.shared, Part::Alone) {
        Ok(config) => config,
        Err(errors) => return Ok(run::refuse(&errors)),
    };
    let traces = match arguments.traces.check("meeshy-gateway") {
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
        node: None,
        traces,
    };
    let _logging = logs::install(&log)?;
    run::block_on(run_gateway(config, certificate))
}

/// Calls go on while the gateway is away: media does not pass it, and what it knows is in the store. So it stops at
/// the first signal.
async fn run_gateway(config: GatewayConfig, certificate: Option<Certificate>) -> Result<()> {
    let mut stop = StopSignals::new()?;
    let scheme = tls::scheme(certificate.as_ref())?;
    let listener = edge::serve::listen(config.http.listen).await;
    let listener = listener.map_err(Unsuitable::new)?;
    let address = listener.local_addr().context("the listener has no address")?;
    let metrics = Arc::new(Metrics::new());
    let store = run::open_store(&config, &metrics).await?;
    let gateway = Gateway::start_with(config, store, metrics).await?;
    let router = gateway.router(Some(web::routes()));
    run::announce("Meeshy Calls gateway", &scheme, address);
    let (end, ended) = oneshot::channel::<()>();
    let server = edge::serve::serve_by(listener, scheme, router, async move { drop(ended.await) });
    tokio::pin!(server);
    tokio::select! {
        outcome = &mut server => return outcome.context("the HTTP server failed"),
        () = stop.next() => {}
    }
    gateway.begin_drain();
    gateway.stop().await;
    drop(end);
    server.await.context("the HTTP server failed")
}
