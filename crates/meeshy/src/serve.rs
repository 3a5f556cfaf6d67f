//! `meeshy serve`: gateway, media node, web client and database in one process, without a single setting.
//!
//! The gateway has the public port. The node has a port of its own on this machine only, and the gateway speaks to it
//! exactly as it would to a node elsewhere.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::gateway::Gateway;
use ::gateway::config::{GatewayConfig, Part, Settings, SharedSettings};
use ::gateway::metrics::Metrics;
use anyhow::{Context, Result};
use edge::IpRange;
use edge::serve::Scheme;
use edge::token::Secrets;
use media_node::config::{Config as NodeConfig, Role, Settings as NodeSettings};
use media_node::drain::Drain;
use media_node::{Node, NodeOptions};
use tokio::sync::oneshot;

use crate::data::{DataDirectory, Kept};
use crate::lan::Lan;
use crate::run::{self, StopSignals, Unsuitable};
use crate::tls::{self, Certificate, TlsSettings};
use crate::{logs, say, web};

/// How often a server that is to end looks whether there still are calls.
const LOOK: Duration = Duration::from_millis(250);

/// What everything in one process is told.
#[derive(clap::Args)]
pub(crate) struct Told {
    #[command(flatten)]
    pub(crate) node: NodeSettings,
    #[command(flatten)]
    pub(crate) gateway: Settings,
    #[command(flatten)]
    pub(crate) data: DataDirectory,
    #[command(flatten)]
    pub(crate) tls: TlsSettings,
}

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    told: Told,
    /// Serve HTTPS to this network with a certificate made here, and print the address as a QR code
    #[arg(long)]
    lan: bool,
    #[command(flatten)]
    traces: logs::TraceSettings,
    /// Print the settings as they would be used, without secrets, and exit
    #[arg(long)]
    check_config: bool,
}

/// Runs everything in one process.
pub(crate) fn serve(mut arguments: Arguments) -> Result<ExitCode> {
    let kept = if arguments.check_config {
        Kept::Look
    } else {
        Kept::Make
    };
    if let Err(error) = arguments.told.complete(kept) {
        return Ok(run::refuse(&error));
    }
    let front = match Front::of(&mut arguments) {
        Ok(front) => front,
        Err(error) => return Ok(run::refuse(&error)),
    };
    let (node, gateway) = match arguments.told.check() {
        Ok(configs) => configs,
        Err(error) => return Ok(run::refuse(&error)),
    };
    let traces = match arguments.traces.check("meeshy") {
        Ok(traces) => traces,
        Err(error) => return Ok(run::refuse(&error)),
    };
    if arguments.check_config {
        say(&report(&node, &gateway));
        say(&arguments.told.tls.report());
        say(&arguments.traces.report());
        return Ok(ExitCode::SUCCESS);
    }
    let log = logs::Log {
        level: node.log_level.clone(),
        node: Some(node.server_id.clone()),
        traces,
    };
    let _logging = logs::install(&log)?;
    run::block_on(run_all(node, gateway, front, arguments.told.data))
}

/// How people reach the server.
enum Front {
    /// Over plain HTTP, or HTTPS with the certificate of the settings.
    Plain(Option<Certificate>),
    /// From the same network, over HTTPS.
    Lan(Box<Lan>),
}

impl Front {
    /// As the settings say; on the LAN, media is announced there unless they say otherwise.
    fn of(arguments: &mut Arguments) -> Result<Self, Unsuitable> {
        let told = &mut arguments.told;
        let certificate = told.tls.check()?;
        if !arguments.lan || arguments.check_config {
            return Ok(Self::Plain(certificate));
        }
        let node = &mut told.node;
        let lan = Lan::prepare(&told.data, given(&node.bind_ip), certificate)?;
        if given(&node.announced_ip).is_none() {
            node.announced_ip = Some(lan.announced());
        }
        Ok(Self::Lan(Box::new(lan)))
    }

    /// What connections are greeted with; certificates are renewed from now on.
    fn open(&self) -> Result<Scheme> {
        match self {
            Self::Plain(certificate) => tls::scheme(certificate.as_ref()),
            Self::Lan(lan) if lan.makes_its_own() => {
                tokio::spawn(Lan::clone(lan).keep_up());
                Ok(Scheme::Https(lan.certificate().tls().clone()))
            }
            Self::Lan(lan) => tls::scheme(Some(lan.certificate())),
        }
    }

    fn announce(&self, scheme: &Scheme, address: SocketAddr) {
        match self {
            Self::Plain(_) => run::announce("Meeshy Calls", scheme, address),
            Self::Lan(lan) => lan.announce(address.port()),
        }
    }
}

impl Told {
    /// Fills in what nobody said and what must stay the same from start to start.
    pub(crate) fn complete(&mut self, kept: Kept) -> Result<(), Unsuitable> {
        let (node, gateway, data) = (&mut self.node, &mut self.gateway, &self.data);
        data.secret(&mut node.jwt_secret, "jwt-secret", kept)?;
        data.secret(&mut gateway.media_jwt_secret, "media-jwt-secret", kept)?;
        data.secret(
            &mut gateway.transcription_encryption_key,
            "transcription-encryption-key",
            kept,
        )?;
        data.secret(&mut gateway.ip_hash_key, "ip-hash-key", kept)?;
        if given(&gateway.database_url).is_none() {
            if kept == Kept::Make {
                data.make()?;
            }
            gateway.database_url = Some(data.database_url());
        }
        // One number for both, unless somebody wants two.
        if given(&gateway.max_participants).is_none() {
            gateway
                .max_participants
                .clone_from(&node.max_participants_per_room);
        }
        Ok(())
    }

    /// Checks everything.
    pub(crate) fn check(&self) -> Result<(NodeConfig, GatewayConfig), Unsuitable> {
        let node = self.node.check(Role::Serve);
        let gateway = self.gateway.check(&shared(&self.node), Part::Together);
        match (node, gateway) {
            (Ok(mut node), Ok(gateway)) => {
                behind(&mut node, &gateway);
                Ok((node, gateway))
            }
            (node, gateway) => {
                // What both are told both find wrong.
                let mut lines: Vec<String> = Vec::new();
                let errors = [
                    node.err().map(|errors| errors.to_string()),
                    gateway.err().map(|errors| errors.to_string()),
                ];
                for line in errors.iter().flatten().flat_map(|text| text.lines()) {
                    if !lines.iter().any(|known| known == line) {
                        lines.push(line.to_owned());
                    }
                }
                Err(Unsuitable::new(lines.join("\n")))
            }
        }
    }
}

/// The settings that [`Told::complete`] makes once and keeps.
pub(crate) fn made() -> Vec<&'static str> {
    let mut empty = Told {
        node: NodeSettings::default(),
        gateway: Settings::default(),
        data: DataDirectory::default(),
        tls: TlsSettings::default(),
    };
    // Nothing is there to be looked at, so nothing can be wrong with it.
    let _ = empty.complete(Kept::Look);
    let filled = [
        ("JWT_SECRET", &empty.node.jwt_secret),
        ("MEDIA_JWT_SECRET", &empty.gateway.media_jwt_secret),
        (
            "TRANSCRIPTION_ENCRYPTION_KEY",
            &empty.gateway.transcription_encryption_key,
        ),
        ("IP_HASH_KEY", &empty.gateway.ip_hash_key),
        ("DATABASE_URL", &empty.gateway.database_url),
    ];
    filled
        .into_iter()
        .filter_map(|(name, value)| value.is_some().then_some(name))
        .collect()
}

fn given(text: &Option<String>) -> Option<&str> {
    edge::setting::given(text)
}

/// What a gateway is told of what a node in the same process is told.
pub(crate) fn shared(settings: &NodeSettings) -> SharedSettings {
    SharedSettings {
        port: settings.port.clone(),
        bind_ip: settings.bind_ip.clone(),
        jwt_secret: settings.jwt_secret.clone(),
        jwt_secret_previous: settings.jwt_secret_previous.clone(),
        log_level: settings.log_level.clone(),
        frontend_url: settings.frontend_url.clone(),
        app_env: settings.app_env.clone(),
        node_env: settings.node_env.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        region: settings.region.clone(),
        codecs: settings.codecs.clone(),
    }
}

/// Makes a node's configuration that of a node behind this gateway.
fn behind(node: &mut NodeConfig, gateway: &GatewayConfig) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    node.http.listen = SocketAddr::new(loopback, 0);
    node.http.allowed_origins = Vec::new();
    // The gateway says where requests came from that it passes on.
    let own: IpRange = loopback
        .to_string()
        .parse()
        .expect("an address is a range of one");
    node.http.trusted_proxies.0.push(own);
    node.secrets = Secrets {
        current: gateway.media.current.clone(),
        previous: gateway.media.previous.clone(),
    };
}

/// Every setting once: the gateway's, then what is the node's alone.
fn report(node: &NodeConfig, gateway: &GatewayConfig) -> String {
    let gateway = gateway.report();
    let name = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    let known: Vec<String> = gateway.lines().map(name).collect();
    let node = node.report();
    let own = node.lines().filter(|line| !known.contains(&name(line)));
    gateway.lines().chain(own).collect::<Vec<_>>().join("\n")
}

async fn run_all(
    node_config: NodeConfig,
    mut config: GatewayConfig,
    front: Front,
    data: DataDirectory,
) -> Result<()> {
    let mut stop = StopSignals::new()?;
    let scheme = front.open()?;
    let listener = edge::serve::listen(config.http.listen)
        .await
        .map_err(Unsuitable::new)?;
    let address = listener.local_addr().context("the listener has no address")?;
    let inner = media_node::listen(&node_config).await.map_err(Unsuitable::new)?;
    let node_address = inner.local_addr().context("the node's listener has no address")?;
    let metrics = Arc::new(Metrics::new());
    let store = run::open_store(&config, &metrics).await?;
    let node = Node::start(&node_config, NodeOptions::default()).map_err(Unsuitable::new)?;
    let drain = node.drain().clone();
    let (end_node, node_ended) = oneshot::channel::<()>();
    let until = async move { drop(node_ended.await) };
    let node_server = tokio::spawn(media_node::serve(inner, node.router(None), until));
    data.tell_node_address(node_address);
    config.nodes.urls.insert(0, format!("http://{node_address}"));
    let proxies = config.http.trusted_proxies.clone();
    let gateway = Gateway::start_with(config, store, metrics).await?;
    let beside = web::routes().merge(web::node_metrics(node_address, proxies));
    let (end, ended) = oneshot::channel::<()>();
    let router = gateway.router(Some(beside));
    front.announce(&scheme, address);
    let until = async move { drop(ended.await) };
    let mut server = tokio::spawn(edge::serve::serve_by(listener, scheme, router, until));
    tokio::select! {
        outcome = &mut server => {
            outcome.context("the HTTP server was lost")?.context("the HTTP server failed")?;
        }
        _ = node_server => {}
        () = calls_over(&gateway, &drain, node_config.drain_timeout) => {}
        () = stop.drain(&drain, || {
            gateway.begin_drain();
            gateway.calls()
        }) => {}
    }
    gateway.stop().await;
    drop(end_node);
    drop(end);
    if !server.is_finished() {
        server
            .await
            .context("the HTTP server was lost")?
            .context("the HTTP server failed")?;
    }
    node.stop();
    Ok(())
}

/// Waits until everything may end: a drain has begun and is over, and so are calls that need the gateway only, for the
/// media of two people does not pass through the node. They too are waited for no longer than the grace period.
async fn calls_over(gateway: &Gateway, drain: &Drain, grace: Duration) {
    drain.begun().await;
    let none_left = async {
        while gateway.calls() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(grace, none_left).await.is_err() {
        tracing::warn!(calls = gateway.calls(), "grace period is over");
    }
    drain.finished().await;
}
