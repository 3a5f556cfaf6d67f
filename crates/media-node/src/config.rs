//! The node's settings: read once at start from flags and environment, checked, and turned into types.
//!
//! Every setting arrives as text ([`Settings`]), so that a wrong value is reported by this module, with the
//! setting's name and what to do about it, and not by whatever would stumble over it later. [`Settings::check`]
//! reports all problems at once.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use link::bwe::Bitrate;
use ortc::supported::CodecChoice;
use sfu::spec::TrainPadding;

mod announced;
mod error;
mod parse;
mod settings;
#[cfg(test)]
mod tests;

pub use edge::token::Secrets;
pub use edge::{IpRange, Origin, TrustedProxies};
pub use error::{ConfigError, ConfigErrors};
pub use settings::{Role, Settings};

/// A checked configuration of a media node.
#[derive(Clone, Debug)]
pub struct Config {
    /// Development or production; decides how strict defaults are.
    pub environment: Environment,
    /// This node's name in logs and for a gateway that runs several nodes.
    pub server_id: String,
    /// Where this node stands, as the operator calls it; empty if not set.
    pub region: String,
    /// Filter for log events, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log_level: String,
    /// The HTTP and Socket.IO side.
    pub http: HttpConfig,
    /// Keys that sign and verify tokens.
    pub secrets: Secrets,
    /// The media side.
    pub media: MediaConfig,
    /// How much this node takes on.
    pub capacity: Capacity,
    /// How long a draining node lets calls go on (contract §1.9).
    pub drain_timeout: Duration,
    /// The gateways it tells that it is there; none, if they have it in their list or it runs beside one.
    pub registration: Option<RegistrationConfig>,
}

/// How gateways learn of a node (contract §8.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationConfig {
    /// Base URLs of the gateways, without a slash at the end.
    pub gateways: Vec<String>,
    /// This node's own base URL as the gateways reach it.
    pub url: String,
}

/// Where a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine: loopback is a sensible address to announce.
    Development,
    /// For real users: nothing security relevant is guessed.
    Production,
}

/// Settings of the HTTP listener.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Address and port to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Origins whose pages may call the API (contract §6.8); empty allows none but the node's own.
    pub allowed_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
}

/// Settings of the media sockets and of negotiation.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Address the media sockets are bound to.
    pub bind_ip: IpAddr,
    /// Ports to choose from, one UDP port and one TCP port of the same number per worker.
    pub ports: PortRange,
    /// Addresses told to clients, the preferred one first; never empty.
    pub announced: Vec<IpAddr>,
    /// Whether ICE-TCP is offered.
    pub tcp: IceTcp,
    /// Whether the packets of a video frame are padded to one length.
    pub train_padding: TrainPadding,
    /// Number of worker threads.
    pub workers: NonZeroUsize,
    /// How busy a room's worker is when those who join are served by others.
    pub spread_at: Percent,
    /// Where each transport's outgoing estimate starts.
    pub initial_outgoing_bitrate: Bitrate,
    /// Where the DTLS identity comes from.
    pub certificate: CertificateSource,
    /// Offered codecs, the preferred one first.
    pub codecs: Vec<CodecChoice>,
}

impl MediaConfig {
    /// The offered video codecs by MIME type, the preferred one first.
    pub fn video_mime_types(&self) -> Vec<String> {
        let offered = ortc::supported::router_capabilities(&self.codecs).codecs;
        let mut types: Vec<String> = Vec::new();
        for codec in offered {
            let media = codec.kind == ortc::MediaKind::Video && codec.codec() != ortc::Codec::Rtx;
            if media && !types.contains(&codec.mime_type) {
                types.push(codec.mime_type);
            }
        }
        types
    }
}

/// A share of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u8);

impl Percent {
    /// The share, 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// Inclusive range of port numbers; `0..=0` lets the system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// Lowest port.
    pub min: u16,
    /// Highest port.
    pub max: u16,
}

/// Whether clients that cannot use UDP may connect over TCP (RFC 6544).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IceTcp {
    /// A passive TCP candidate is offered beside the UDP one.
    Enabled,
    /// UDP only.
    Disabled,
}

/// Where the DTLS identity comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// A key of this process alone, made at start (contract §6.1).
    Generated,
    /// PEM files.
    Files {
        /// The certificate.
        certificate: PathBuf,
        /// Its private key (PKCS #8 or SEC 1).
        key: PathBuf,
    },
}

/// Caps of contract §1.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Rooms on this node.
    pub rooms: usize,
    /// Participants in one room.
    pub participants_per_room: usize,
    /// Transports in one room.
    pub transports_per_room: usize,
    /// Producers in one room.
    pub producers_per_room: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            rooms: 10,
            participants_per_room: 50,
            transports_per_room: 200,
            producers_per_room: 200,
        }
    }
}

impl Config {
    /// What `--check-config` prints: one `NAME=value` line per setting, secrets hidden.
    pub fn report(&self) -> String {
        let media = &self.media;
        let join = |values: Vec<String>| values.join(",");
        let (certificate, key) = match &media.certificate {
            CertificateSource::Generated => ("(generated)".into(), "(generated)".into()),
            CertificateSource::Files { certificate, key } => {
                (certificate.display().to_string(), key.display().to_string())
            }
        };
        let lines = [
            ("APP_ENV", self.environment.to_string()),
            ("SERVER_ID", self.server_id.clone()),
            ("REGION", self.region.clone()),
            ("LOG_LEVEL", self.log_level.clone()),
            ("BIND_IP", self.http.listen.ip().to_string()),
            ("PORT", self.http.listen.port().to_string()),
            (
                "FRONTEND_URL",
                join(
                    self.http
                        .allowed_origins
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                ),
            ),
            ("TRUSTED_PROXIES", self.http.trusted_proxies.to_string()),
            (
                "JWT_SECRET",
                format!("(hidden, {} bytes)", self.secrets.current.len()),
            ),
            (
                "JWT_SECRET_PREVIOUS",
                self.secrets
                    .previous
                    .as_ref()
                    .map_or(String::new(), |_| "(hidden)".into()),
            ),
            ("RTC_MIN_PORT", media.ports.min.to_string()),
            ("RTC_MAX_PORT", media.ports.max.to_string()),
            (
                "ANNOUNCED_IP",
                join(media.announced.iter().map(ToString::to_string).collect()),
            ),
            ("ENABLE_TCP", (media.tcp == IceTcp::Enabled).to_string()),
            (
                "RTC_TRAIN_PADDING",
                (media.train_padding == TrainPadding::On).to_string(),
            ),
            ("WORKERS", media.workers.to_string()),
            ("WORKER_SPREAD_PERCENT", media.spread_at.0.to_string()),
            (
                "INITIAL_OUTGOING_BITRATE",
                media.initial_outgoing_bitrate.0.to_string(),
            ),
            ("DTLS_CERT_FILE", certificate),
            ("DTLS_KEY_FILE", key),
            (
                "CODECS",
                join(
                    media
                        .codecs
                        .iter()
                        .copied()
                        .map(|codec| parse::codec_name(codec).into())
                        .collect(),
                ),
            ),
            ("MAX_ROOMS", self.capacity.rooms.to_string()),
            (
                "MAX_PARTICIPANTS_PER_ROOM",
                self.capacity.participants_per_room.to_string(),
            ),
            ("DRAIN_TIMEOUT_SECS", self.drain_timeout.as_secs().to_string()),
            (
                "GATEWAY_URL",
                join(
                    self.registration
                        .iter()
                        .flat_map(|registration| registration.gateways.clone())
                        .collect(),
                ),
            ),
            (
                "INTERNAL_URL",
                self.registration
                    .as_ref()
                    .map(|registration| registration.url.clone())
                    .unwrap_or_default(),
            ),
        ];
        lines
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect()
    }

    /// A configuration for tests: loopback, ports chosen by the system, one worker.
    ///
    /// `secret` signs and verifies tokens.
    pub fn for_loopback(secret: &str) -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            environment: Environment::Development,
            server_id: "loopback".into(),
            region: String::new(),
            log_level: "info".into(),
            http: HttpConfig {
                listen: SocketAddr::new(loopback, 0),
                allowed_origins: Vec::new(),
                trusted_proxies: TrustedProxies::default(),
            },
            secrets: Secrets {
                current: secret.into(),
                previous: None,
            },
            media: MediaConfig {
                bind_ip: loopback,
                ports: PortRange { min: 0, max: 0 },
                announced: vec![loopback],
                tcp: IceTcp::Enabled,
                train_padding: TrainPadding::On,
                workers: NonZeroUsize::MIN,
                spread_at: settings::SPREAD_AT,
                initial_outgoing_bitrate: Bitrate(settings::INITIAL_OUTGOING_BITRATE),
                certificate: CertificateSource::Generated,
                codecs: CodecChoice::DEFAULT.to_vec(),
            },
            capacity: Capacity::default(),
            drain_timeout: settings::DRAIN_TIMEOUT,
            registration: None,
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Development => "development",
            Self::Production => "production",
        })
    }
}
