//! Tells gateways that this node is there (contract §8.4), for as long as it runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use edge::token::{Lifetime, TokenSigner};
use reqwest::StatusCode;
use signalling::gateway_node::{REGISTER_PATH, RegisterNode};
use signalling::token::{Audience, Claims, Role, SERVICE_LIFETIME, Subject};
use signalling::version;
use tokio::time::MissedTickBehavior;

use crate::config::{Config, RegistrationConfig};
use crate::status::Status;

/// How often: a gateway forgets who is silent for three times as long (contract §8.4).
pub(crate) const EVERY: Duration = Duration::from_secs(5);
/// How many times a gateway that refused our token is left alone: asked more often, it would take the node for somebody who tries
/// tokens, and refuse everybody at this address for a while.
const REFUSED_PAUSES: u32 = 11;
/// How long a gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The subject of a node's tokens.
const SUBJECT: &str = "media-node";

/// How the last attempt at a gateway went; a change is worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Unknown,
    Registered,
    Refused(StatusCode),
    Silent,
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("not asked yet"),
            Self::Registered => formatter.write_str("registered"),
            Self::Refused(StatusCode::UNAUTHORIZED) => formatter.write_str(
                "refused: JWT_SECRET of this node must be MEDIA_JWT_SECRET (or JWT_SECRET) of the gateway",
            ),
            Self::Refused(status) => write!(formatter, "refused with {status}"),
            Self::Silent => formatter.write_str("no answer"),
        }
    }
}

/// Registers a node with its gateways.
pub(crate) struct Registrar {
    config: RegistrationConfig,
    server_id: String,
    region: String,
    signer: TokenSigner,
    status: Arc<Status>,
    http: reqwest::Client,
}

impl Registrar {
    /// For a node with this configuration; nothing if it names no gateways.
    pub(crate) fn new(config: &Config, status: Arc<Status>) -> Option<Self> {
        let registration = config.registration.clone()?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .expect("a client without TLS needs nothing from the system");
        Some(Self {
            config: registration,
            server_id: config.server_id.clone(),
            region: config.region.clone(),
            signer: TokenSigner::new(&config.secrets.current),
            status,
            http,
        })
    }

    /// Registers again and again, with all gateways at the same time.
    pub(crate) async fn run(self) {
        let this = &self;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut standings = vec![(Standing::Unknown, 0); self.config.gateways.len()];
        loop {
            ticks.tick().await;
            let node = self.describe();
            let asked = self.config.gateways.iter().zip(&mut standings);
            let attempts = asked.map(|(gateway, (before, pauses))| {
                let node = &node;
                async move {
                    if *pauses > 0 {
                        *pauses -= 1;
                        return;
                    }
                    let now = this.register(gateway, node).await;
                    if matches!(
                        now,
                        Standing::Refused(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
                    ) {
                        *pauses = REFUSED_PAUSES;
                    }
                    tell(gateway, before, &now);
                    *before = now;
                }
            });
            futures_util::future::join_all(attempts).await;
        }
    }

    fn describe(&self) -> RegisterNode {
        let occupancy = self.status.occupancy();
        RegisterNode {
            server_id: self.server_id.clone(),
            url: self.config.url.clone(),
            region: self.region.clone(),
            max_rooms: occupancy.max_rooms,
            rooms: occupancy.rooms,
            cpu: occupancy.cpu,
            draining: occupancy.draining,
            version: version::SOFTWARE.to_owned(),
            instance: self.status.instance().to_owned(),
        }
    }

    async fn register(&self, gateway: &str, node: &RegisterNode) -> Standing {
        let lifetime = Duration::from_secs(SERVICE_LIFETIME);
        let minted = self.signer.sign(lifetime, |Lifetime { iat, exp }| Claims {
            sub: Subject(SUBJECT.to_owned()),
            call_id: None,
            participant_id: None,
            role: Role::Service,
            iat,
            exp,
            aud: Audience::Gateway,
        });
        let request = self.http.post(format!("{gateway}{REGISTER_PATH}"));
        match request.bearer_auth(minted.token.0).json(node).send().await {
            Ok(answer) if answer.status().is_success() => Standing::Registered,
            Ok(answer) => Standing::Refused(answer.status()),
            Err(error) => {
                tracing::debug!(%gateway, %error, "the gateway does not answer");
                Standing::Silent
            }
        }
    }
}

/// Writes down that something is different from before.
fn tell(gateway: &str, before: &Standing, now: &Standing) {
    if before == now {
        return;
    }
    if *now == Standing::Registered {
        tracing::info!(gateway, "registered with the gateway");
    } else {
        tracing::warn!(gateway, outcome = %now, "not registered with the gateway");
    }
}
