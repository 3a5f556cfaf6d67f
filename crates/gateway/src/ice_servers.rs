//! STUN and TURN servers, with credentials that end (contract §6.6).
//!
//! Credentials follow the convention that coturn calls `use-auth-secret`: the user name holds the end and who it is
//! for, the password is its HMAC-SHA1 with a secret that the TURN server knows too. Nothing needs to be stored.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use signalling::Timestamp;
use signalling::client_gateway::{AdminTurn, IceServer, TurnState};

/// How long credentials are good for: an hour; clients ask again at three quarters.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Which servers clients use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServersConfig {
    /// `stun:` and `stuns:` URLs.
    pub stun: Vec<String>,
    /// `turn:` and `turns:` URLs of the servers that know the secret.
    pub turn: Vec<String>,
    /// Signs credentials; without it no TURN server is handed out.
    pub turn_secret: Option<TurnSecret>,
    /// A TURN server of somebody else, tried last, with the credentials it was rented with.
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

/// Hands out servers.
#[derive(Debug, Default)]
pub struct IceServers {
    config: IceServersConfig,
    /// Whether the rented server is left out, whatever the settings.
    without_fallback: AtomicBool,
    /// What is known of TURN servers, by URL.
    states: RwLock<BTreeMap<String, TurnState>>,
}

impl IceServers {
    /// With these servers.
    #[must_use]
    pub fn new(config: IceServersConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Hands out the rented server from now on, or does not (flag `turn_fallback`).
    pub fn use_fallback(&self, used: bool) {
        self.without_fallback.store(!used, Ordering::Relaxed);
    }

    /// Notes whether a TURN server serves, by its URL as it is handed out.
    pub fn note_turn(&self, url: &str, state: TurnState) {
        let mut states = self.states.write().unwrap_or_else(PoisonError::into_inner);
        states.insert(url.to_owned(), state);
    }

    /// The TURN servers and what is known of them; those that nobody asked yet are unknown.
    #[must_use]
    pub fn turn(&self) -> Vec<AdminTurn> {
        let states = self.states.read().unwrap_or_else(PoisonError::into_inner);
        let rented = self.config.fallback.iter().flat_map(|fallback| &fallback.urls);
        let urls = self.config.turn.iter().chain(rented);
        urls.map(|url| AdminTurn {
            url: url.clone(),
            state: states.get(url).copied().unwrap_or(TurnState::Unknown),
        })
        .collect()
    }

    /// The servers for somebody, and when their credentials end.
    #[must_use]
    pub fn for_caller(&self, now: Timestamp, id: &str) -> (Vec<IceServer>, Timestamp) {
        let ends = now.unix_millis() / 1000 + LIFETIME.as_secs();
        let mut servers = Vec::new();
        let config = &self.config;
        if config.relay == Relay::IfNeeded && !config.stun.is_empty() {
            servers.push(IceServer {
                urls: config.stun.clone(),
                username: None,
                credential: None,
            });
        }
        if let (Some(secret), false) = (&config.turn_secret, config.turn.is_empty()) {
            let username = format!("{ends}:{id}");
            servers.push(IceServer {
                urls: config.turn.clone(),
                credential: Some(credential(secret, &username)),
                username: Some(username),
            });
        }
        let fallback = config.fallback.as_ref();
        if let Some(fallback) = fallback.filter(|_| !self.without_fallback.load(Ordering::Relaxed)) {
            servers.push(IceServer {
                urls: fallback.urls.clone(),
                username: Some(fallback.username.clone()),
                credential: Some(fallback.credential.clone()),
            });
        }
        (servers, Timestamp::from_unix_seconds(ends))
    }

    /// Whether clients are to connect through TURN only.
    #[must_use]
    pub fn relay(&self) -> Relay {
        self.config.relay
    }
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
mod tests {
    use super::*;

    fn servers(change: impl FnOnce(&mut IceServersConfig)) -> IceServers {
        let mut config = IceServersConfig {
            stun: vec!["stun:stun.example.org:3478".into()],
            turn: vec![
                "turn:turn.example.org:3478?transport=udp".into(),
                "turns:turn.example.org:5349".into(),
            ],
            turn_secret: Some(TurnSecret("north".into())),
            ..IceServersConfig::default()
        };
        change(&mut config);
        IceServers::new(config)
    }

    #[test]
    fn base64_is_rfc_4648s() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in table {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn credentials_are_hmac_sha1() {
        // RFC 2202 §3, cases 2 and 1.
        let jefe = credential(&TurnSecret("Jefe".into()), "what do ya want for nothing?");
        assert_eq!(jefe, "7/zfauXrL6LSdBbV8YTfnCWafHk=");
        let key = String::from_utf8(vec![0x0b; 20]).expect("ASCII");
        assert_eq!(
            credential(&TurnSecret(key), "Hi There"),
            "thcxhlUFcmTii8C2+zeMjvFGvgA="
        );
    }

    #[test]
    fn turn_gets_a_name_with_its_end_and_a_password() {
        let now = Timestamp::from_unix_millis(1_433_895_918_506 - 3_600_000);
        let (list, ends) = servers(|_| ()).for_caller(now, "alice");
        assert_eq!(ends, Timestamp::from_unix_seconds(1_433_895_918));
        let [stun, turn] = list.as_slice() else {
            panic!("{list:?}");
        };
        assert_eq!((&stun.username, &stun.credential), (&None, &None));
        assert_eq!(turn.username.as_deref(), Some("1433895918:alice"));
        let expected = credential(&TurnSecret("north".into()), "1433895918:alice");
        assert_eq!(turn.credential, Some(expected));
        assert_eq!(turn.urls.len(), 2);
    }

    #[test]
    fn nothing_is_handed_out_that_cannot_be_used() {
        let now = Timestamp::from_unix_millis(0);
        let urls = |servers: &IceServers| -> Vec<String> {
            let (list, _) = servers.for_caller(now, "a");
            list.into_iter().flat_map(|server| server.urls).collect()
        };
        let without_secret = servers(|config| config.turn_secret = None);
        assert_eq!(urls(&without_secret), ["stun:stun.example.org:3478"]);
        let relayed = servers(|config| config.relay = Relay::Only);
        assert!(urls(&relayed).iter().all(|url| url.starts_with("turn")));
        let nothing = IceServers::default();
        assert!(urls(&nothing).is_empty());
        let rented = servers(|config| {
            config.fallback = Some(TurnFallback {
                urls: vec!["turn:rented.example.net".into()],
                username: "u".into(),
                credential: "p".into(),
            });
        });
        assert_eq!(
            urls(&rented).last().map(String::as_str),
            Some("turn:rented.example.net")
        );
    }

    #[test]
    fn a_rented_server_is_handed_out_while_it_is_turned_on() {
        let servers = servers(|config| {
            config.fallback = Some(TurnFallback {
                urls: vec!["turn:rented.example.net".into()],
                username: "u".into(),
                credential: "p".into(),
            });
        });
        let handed_out = || servers.for_caller(Timestamp::from_unix_millis(0), "a").0.len();
        for (used, expected) in [(true, 3), (false, 2), (true, 3)] {
            servers.use_fallback(used);
            assert_eq!(handed_out(), expected);
        }
        let state = |url: &str| {
            servers
                .turn()
                .into_iter()
                .find(|turn| turn.url == url)
                .map(|turn| turn.state)
        };
        assert_eq!(state("turn:rented.example.net"), Some(TurnState::Unknown));
        servers.note_turn("turn:rented.example.net", TurnState::Down);
        assert_eq!(state("turn:rented.example.net"), Some(TurnState::Down));
        assert_eq!(state("turns:turn.example.org:5349"), Some(TurnState::Unknown));
        assert_eq!(state("stun:stun.example.org:3478"), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        let servers = servers(|config| {
            config.fallback = Some(TurnFallback {
                urls: Vec::new(),
                username: "rented-name".into(),
                credential: "rented-password".into(),
            });
        });
        let shown = format!("{servers:?}");
        assert!(!shown.contains("north") && !shown.contains("rented"), "{shown}");
    }
}
