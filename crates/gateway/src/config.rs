//! The gateway's settings: read once at start from flags and environment, checked, and turned into types.
//!
//! Every setting arrives as text, so that a wrong value is reported here, with the setting's name and what to do about
//! it. [`Settings::check`] reports all problems at once.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use edge::token::Secrets;
use edge::{Origin, TrustedProxies};
use store::CaptionKey;

use crate::flags::{Flag, FlagsConfig};
use crate::ice_servers::{IceServersConfig, Relay};
use crate::sdp::Addresses;

mod settings;
#[cfg(test)]
mod tests;

pub use settings::{ConfigErrors, Part, Settings, SharedSettings};

/// A checked configuration of a gateway.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Development or production; decides how strict defaults are.
    pub environment: Environment,
    /// Filter for log events, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log_level: String,
    /// The HTTP and Socket.IO side.
    pub http: HttpConfig,
    /// Login tokens.
    pub login: Secrets,
    /// Tokens for media nodes.
    pub media: Secrets,
    /// The media nodes.
    pub nodes: NodesConfig,
    /// Where this gateway stands, for placing rooms; empty if that does not matter.
    pub region: String,
    /// Where everything is kept.
    pub database: DatabaseConfig,
    /// STUN and TURN.
    pub ice: IceServersConfig,
    /// Which addresses browsers learn of each other by signals.
    pub addresses: Addresses,
    /// The numbers of calls' rules.
    pub calls: call::Settings,
    /// What is turned on.
    pub flags: FlagsConfig,
    /// How often it is looked what operators stored about that: 1 to 5 s (contract §8.9).
    pub flags_poll: Duration,
    /// Whether a name is enough to log in.
    pub dev_login: DevLogin,
    /// Every rate limit times this.
    pub rate_limit_factor: u32,
    /// Hashes addresses for the audit log.
    pub ip_hash_key: IpHashKey,
    /// Video codecs that media nodes offer, by MIME type, the preferred one first.
    pub video_codecs: Vec<String>,
}

/// Where a gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine.
    Development,
    /// For real users: nothing security relevant is guessed.
    Production,
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Development => "development",
            Self::Production => "production",
        })
    }
}

/// Whether a name is enough to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DevLogin {
    /// It is: for trying things out, and for installations whose network is their door.
    On,
    /// It is not: tokens come from whoever shares the secret.
    Off,
}

/// Settings of the HTTP listener.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Address and port to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Origins whose pages may call the API (contract §6.8); empty allows none but the gateway's own.
    pub allowed_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
}

/// The media nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodesConfig {
    /// Base URLs as the gateway reaches them.
    pub urls: Vec<String>,
    /// Base URL of the nodes' REST paths as browsers reach it; empty for the gateway, which passes them on.
    pub public_url: String,
}

/// Where everything is kept.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `sqlite://path`, `postgres://…` or `memory:`; may hold a password.
    pub url: String,
    /// Seals captions.
    pub caption_key: CaptionKey,
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseConfig")
            .field("url", &without_password(&self.url))
            .finish_non_exhaustive()
    }
}

/// Hashes addresses; not shown.
#[derive(Clone)]
pub struct IpHashKey(pub String);

impl fmt::Debug for IpHashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IpHashKey(..)")
    }
}

/// A URL whose password, if it has one, is hidden.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((account, place)) => {
            let name = account.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:(hidden)@{place}")
        }
        None => url.to_owned(),
    }
}

impl GatewayConfig {
    /// What `--check-config` prints: one `NAME=value` line per setting, secrets hidden.
    #[must_use]
    pub fn report(&self) -> String {
        let hidden = |secret: &str| format!("(hidden, {} bytes)", secret.len());
        let maybe = |is: bool| if is { "(hidden)" } else { "" }.to_owned();
        let seconds = |time: Duration| time.as_secs().to_string();
        let millis = |time: Duration| time.as_millis().to_string();
        let origins: Vec<String> = self
            .http
            .allowed_origins
            .iter()
            .map(ToString::to_string)
            .collect();
        let rest = [
            ("APP_ENV", self.environment.to_string()),
            ("LOG_LEVEL", self.log_level.clone()),
            ("BIND_IP", self.http.listen.ip().to_string()),
            ("PORT", self.http.listen.port().to_string()),
            ("FRONTEND_URL", origins.join(",")),
            ("TRUSTED_PROXIES", self.http.trusted_proxies.to_string()),
            ("JWT_SECRET", hidden(&self.login.current)),
            ("JWT_SECRET_PREVIOUS", maybe(self.login.previous.is_some())),
            ("MEDIA_JWT_SECRET", hidden(&self.media.current)),
            ("MEDIA_SERVER_URL", self.nodes.urls.join(",")),
            ("MEDIA_PUBLIC_URL", self.nodes.public_url.clone()),
            ("REGION", self.region.clone()),
            ("DATABASE_URL", without_password(&self.database.url)),
            ("TRANSCRIPTION_ENCRYPTION_KEY", "(hidden)".to_owned()),
            ("IP_HASH_KEY", "(hidden)".to_owned()),
            ("STUN_URLS", self.ice.stun.join(",")),
            ("TURN_URLS", self.ice.turn.join(",")),
            ("TURN_SECRET", maybe(self.ice.turn_secret.is_some())),
            (
                "TURN_FALLBACK_URLS",
                self.ice
                    .fallback
                    .as_ref()
                    .map(|fallback| fallback.urls.join(","))
                    .unwrap_or_default(),
            ),
            ("ICE_RELAY_ONLY", (self.ice.relay == Relay::Only).to_string()),
            (
                "SDP_STRIP_PRIVATE_CANDIDATES",
                (self.addresses != Addresses::All).to_string(),
            ),
            ("DEV_LOGIN", (self.dev_login == DevLogin::On).to_string()),
            ("RING_TIMEOUT_SECS", seconds(self.calls.ring_timeout)),
            ("CONNECTING_TIMEOUT_SECS", seconds(self.calls.connecting_timeout)),
            ("RECONNECT_GRACE_SECS", seconds(self.calls.reconnect_grace)),
            ("EMPTY_CALL_TIMEOUT_SECS", seconds(self.calls.nobody_timeout)),
            ("LONE_PARTICIPANT_TIMEOUT_SECS", seconds(self.calls.lone_timeout)),
            ("TRANSITION_TIMEOUT_MS", millis(self.calls.switch_timeout)),
            ("SFU_TO_P2P_HYSTERESIS_MS", millis(self.calls.hysteresis)),
            ("MAX_PARTICIPANTS", self.calls.max_participants.to_string()),
            ("RATE_LIMIT_FACTOR", self.rate_limit_factor.to_string()),
        ];
        let flags = Flag::ALL
            .iter()
            .map(|flag| (flag.setting(), self.flags.on.contains(flag).to_string()));
        let share = [
            ("FEATURE_SFU_PERCENT", self.flags.sfu_percent.to_string()),
            ("FLAGS_POLL_SECS", seconds(self.flags_poll)),
        ];
        rest.into_iter()
            .chain(flags)
            .chain(share)
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect()
    }
}
