//! Are the TURN servers well? Each is asked as a browser asks: it has to allocate and to relay (contract §7 C, R-09).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use edge::tls::client::{self, Trust};
use signalling::Timestamp;
use signalling::client_gateway::TurnState;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use turn_check::{Asking, Credentials, Fault, ServerUrl, relay};

use super::IceServers;
use crate::metrics::Metrics;

/// How often each is asked: two failures are noticed well within the minute that contract §7 C gives.
const INTERVAL: Duration = Duration::from_secs(15);

/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who asks, in the user name of credentials.
const WHO: &str = "health";

/// Asks our TURN servers for ever; ends at once if there are none.
pub(crate) async fn watch(servers: Arc<IceServers>, metrics: Arc<Metrics>) {
    if servers.config.turn.is_empty() || servers.config.turn_secret.is_none() {
        return;
    }
    let asking = Asking {
        patience: PATIENCE,
        tls: client::config(Trust::System),
    };
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        ask_all(&servers, &asking, &metrics).await;
    }
}

async fn ask_all(servers: &IceServers, asking: &Asking, metrics: &Metrics) {
    let urls = servers.config.turn.clone();
    let Some(own) = servers.own(urls, Timestamp::from(SystemTime::now()), WHO) else {
        return;
    };
    let (Some(username), Some(password)) = (own.username, own.credential) else {
        return;
    };
    let credentials = Credentials { username, password };
    let mut asked = JoinSet::new();
    for url in own.urls {
        let (credentials, asking) = (credentials.clone(), asking.clone());
        asked.spawn(async move {
            let outcome = ask(&url, &credentials, &asking).await;
            (url, outcome)
        });
    }
    while let Some(outcome) = asked.join_next().await {
        let Ok((url, outcome)) = outcome else { continue };
        let changed = match &outcome {
            Err(Wrong::Fault(fault)) if !is_its_own(fault) => servers.note_unreachable(&url),
            outcome => servers.note_turn(&url, outcome.is_ok()),
        };
        tell(&url, changed, outcome.err());
    }
    for server in servers.turn() {
        metrics.turn_server(&server.url, server.state);
    }
}

async fn ask(url: &str, credentials: &Credentials, asking: &Asking) -> Result<(), Wrong> {
    let url: ServerUrl = url.parse().map_err(Wrong::Url)?;
    relay::check(&url, credentials, asking)
        .await
        .map(drop)
        .map_err(Wrong::Fault)
}

/// Why a server is of no use.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Url(turn_check::url::UrlError),
    #[error(transparent)]
    Fault(Fault),
}

/// Whether a fault is the server's own, and not perhaps that of the way from here to it.
const fn is_its_own(fault: &Fault) -> bool {
    match fault {
        Fault::Unauthorized | Fault::Refused { .. } | Fault::BadAnswer { .. } => true,
        Fault::Unresolvable { .. }
        | Fault::Unreachable { .. }
        | Fault::Tls { .. }
        | Fault::Silent { .. }
        | Fault::NotRelayed { .. } => false,
    }
}

fn tell(url: &str, changed: Option<TurnState>, wrong: Option<Wrong>) {
    match (changed, wrong) {
        (Some(TurnState::Up), _) => tracing::info!(url, "a TURN server relays"),
        (Some(_), Some(wrong)) => {
            tracing::error!(url, %wrong, "a TURN server does not relay; it is not handed out")
        }
        (None, Some(wrong)) => tracing::debug!(url, %wrong, "a TURN server did not relay"),
        _ => {}
    }
}
