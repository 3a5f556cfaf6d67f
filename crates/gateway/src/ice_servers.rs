//! STUN and TURN servers, with credentials that end (contract §6.6).
//!
//! Credentials follow the convention that coturn calls `use-auth-secret`: the user name holds the end and who it is
//! for, the password is its HMAC-SHA1 with a secret that the TURN server knows too. Nothing needs to be stored.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use signalling::Timestamp;
use signalling::client_gateway::{AdminTurn, IceServer, TurnState};

/// How long credentials are good for: an hour; clients ask again at three quarters.
const LIFETIME: Duration = Duration::from_secs(3600);

/// So many failures in a row are no chance.
const FAILURES: u32 = 2;

mod watch;

pub(crate) use watch::watch;

/// Which servers clients use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServersConfig {
    /// `stun:` and `stuns:` URLs.
    pub stun: Vec<String>,
    /// `turn:` and `turns:` URLs of the servers that know the secret.
    pub turn: Vec<String>,
    /// Signs credentials; without it no TURN server is handed out.
    pub turn_secret: Option<TurnSecret>,
    /// A TURN server of somebody else for when none of our own relays, with the credentials it was rented with.
    pub fallback: Option<TurnFallback>,
    /// Whether clients are to connect through TURN only, so that nobody sees their address.
    pub relay: Relay,
}

/// Whether clients connect through TURN only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relay {
    /// Only where nothing else works.
    #[default]
    IfNeeded,
    /// Always (`ICE_RELAY_ONLY`): STUN is not handed out.
    Only,
}

/// The secret shared with TURN servers; not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnSecret(pub String);

impl std::fmt::Debug for TurnSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TurnSecret(..)")
    }
}

/// A TURN server of somebody else.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnFallback {
    /// Its URLs.
    pub urls: Vec<String>,
    /// The user name.
    pub username: String,
    /// The password.
    pub credential: String,
}

impl std::fmt::Debug for TurnFallback {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TurnFallback")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// Hands out servers: those that are well, and the rented one while none of our own is.
#[derive(Debug, Default)]
pub struct IceServers {
    config: IceServersConfig,
    /// Whether the rented server is left out, whatever the settings.
    without_fallback: AtomicBool,
    /// What is known of our TURN servers.
    health: Mutex<Vec<Health>>,
}

/// What is known of a TURN server.
#[derive(Debug)]
struct Health {
    url: String,
    state: TurnState,
    /// In a row.
    failures: u32,
}

impl IceServers {
    /// With these servers.
    #[must_use]
    pub fn new(config: IceServersConfig) -> Self {
        let health = config.turn.iter().map(|url| Health {
            url: url.clone(),
            state: TurnState::Unknown,
            failures: 0,
        });
        Self {
            health: Mutex::new(health.collect()),
            without_fallback: AtomicBool::default(),
            config,
        }
    }

    /// Hands out the rented server from now on, or does not (flag `turn_fallback`).
    pub fn use_fallback(&self, used: bool) {
        self.without_fallback.store(!used, Ordering::Relaxed);
    }

    /// Notes that a TURN server of ours could not be reached from here, by its URL. That speaks against it only if it
    /// could be before: from behind its own router, or from a closed network, a gateway may never reach a server that
    /// clients reach.
    pub fn note_unreachable(&self, url: &str) -> Option<TurnState> {
        let is_unknown = self
            .health()
            .iter()
            .any(|known| known.url == url && known.state == TurnState::Unknown);
        if is_unknown {
            None
        } else {
            self.note_turn(url, false)
        }
    }

    /// Notes whether a TURN server of ours relayed when it was asked, by its URL; its state if that is another one now.
    pub fn note_turn(&self, url: &str, relays: bool) -> Option<TurnState> {
        let mut health = self.health();
        let known = health.iter_mut().find(|known| known.url == url)?;
        known.failures = if relays {
            0
        } else {
            known.failures.saturating_add(1)
        };
        let state = match known.failures {
            0 => TurnState::Up,
            failures if failures >= FAILURES => TurnState::Down,
            _ => return None,
        };
        let former = std::mem::replace(&mut known.state, state);
        (former != state).then_some(state)
    }

    /// The TURN servers and what is known of them; those that nobody asked yet, as nobody does the rented one, are
    /// unknown.
    #[must_use]
    pub fn turn(&self) -> Vec<AdminTurn> {
        let rented = self.config.fallback.iter().flat_map(|fallback| &fallback.urls);
        let rented = rented.map(|url| AdminTurn {
            url: url.clone(),
            state: TurnState::Unknown,
        });
        let health = self.health();
        let own = health.iter().map(|known| AdminTurn {
            url: known.url.clone(),
            state: known.state,
        });
        own.chain(rented).collect()
    }

    /// The servers for somebody, and when their credentials end.
    #[must_use]
    pub fn for_caller(&self, now: Timestamp, id: &str) -> (Vec<IceServer>, Timestamp) {
        let config = &self.config;
        let mut servers = Vec::new();
        if config.relay == Relay::IfNeeded && !config.stun.is_empty() {
            servers.push(IceServer {
                urls: config.stun.clone(),
                username: None,
                credential: None,
            });
        }
        let well = self.own(self.well(), now, id);
        let is_rented = !self.without_fallback.load(Ordering::Relaxed);
        let rented = || self.rented().filter(|_| is_rented);
        // If nothing better is at hand, our own may be there for others.
        let all = || self.own(config.turn.clone(), now, id);
        servers.extend(well.or_else(rented).or_else(all));
        (servers, ends(now))
    }

    /// Every TURN server, well or not, with credentials for somebody.
    #[must_use]
    pub fn everything_for(&self, now: Timestamp, id: &str) -> Vec<IceServer> {
        let own = self.own(self.config.turn.clone(), now, id);
        own.into_iter().chain(self.rented()).collect()
    }

    /// Whether clients are to connect through TURN only.
    #[must_use]
    pub fn relay(&self) -> Relay {
        self.config.relay
    }

    fn well(&self) -> Vec<String> {
        let health = self.health();
        let well = health.iter().filter(|known| known.state != TurnState::Down);
        well.map(|known| known.url.clone()).collect()
    }

    fn own(&self, urls: Vec<String>, now: Timestamp, id: &str) -> Option<IceServer> {
        let secret = self.config.turn_secret.as_ref().filter(|_| !urls.is_empty())?;
        let username = format!("{}:{id}", ends(now).unix_millis() / 1000);
        Some(IceServer {
            urls,
            credential: Some(credential(secret, &username)),
            username: Some(username),
        })
    }

    fn rented(&self) -> Option<IceServer> {
        let fallback = self.config.fallback.as_ref()?;
        Some(IceServer {
            urls: fallback.urls.clone(),
            username: Some(fallback.username.clone()),
            credential: Some(fallback.credential.clone()),
        })
    }

    fn health(&self) -> MutexGuard<'_, Vec<Health>> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When credentials end that are made now.
fn ends(now: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(now.unix_millis() / 1000 + LIFETIME.as_secs())
}

/// Base64 of HMAC-SHA1.
fn credential(secret: &TurnSecret, username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.0.as_bytes());
    base64(hmac::sign(&key, username.as_bytes()).as_ref())
}

/// RFC 4648 §4, with padding. Twenty bytes an hour and person do not call for a library.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let filled = place <= group.len();
            let six = (bits >> (18 - 6 * place)) as usize & 63;
            text.push(if filled { char::from(ALPHABET[six]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
