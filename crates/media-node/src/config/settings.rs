//! The settings as text, their flags and environment variables, and the checks that turn them into a [`Config`].

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use edge::setting::{self, SettingError, Wrong, given};
use link::bwe::Bitrate;
use ortc::supported::CodecChoice;
use sfu::spec::TrainPadding;

use super::error::{ConfigError, ConfigErrors};
use super::{
    Capacity, CertificateSource, Config, Environment, HttpConfig, IceTcp, MediaConfig, Percent, PortRange,
    RegistrationConfig, Secrets, TrustedProxies, announced, parse,
};

/// Contract §5.3.
pub(super) const INITIAL_OUTGOING_BITRATE: u64 = 1_000_000;

/// Early enough for the second that load takes to show, and for those who are there already to turn their cameras on.
pub(super) const SPREAD_AT: Percent = Percent(70);

/// Contract §8.2.
pub(super) const DRAIN_TIMEOUT: Duration = Duration::from_secs(600);

/// Which part of Meeshy Calls reads the settings; decides defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything in one process: nothing needs to be set.
    Serve,
    /// The media node alone, beside a gateway that shares its secret.
    Media,
}

impl Role {
    const fn port(self) -> u16 {
        match self {
            Self::Serve => 4000,
            Self::Media => 3001,
        }
    }
}

/// The settings as given, before any check. Empty text counts as not given.
#[derive(Clone, Default, clap::Args)]
pub struct Settings {
    /// TCP port of HTTP and Socket.IO [default: 4000 for serve, 3001 for media]
    #[arg(long, env = "PORT", value_name = "PORT")]
    pub port: Option<String>,
    /// Address to listen on, for HTTP and media [default: 0.0.0.0]
    #[arg(long, env = "BIND_IP", value_name = "ADDRESS")]
    pub bind_ip: Option<String>,
    /// Secret that signs and verifies tokens, 32 bytes or more; a media node's is the gateway's MEDIA_JWT_SECRET
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub jwt_secret: Option<String>,
    /// Former secret, still accepted while it is being rotated out
    #[arg(
        long,
        env = "JWT_SECRET_PREVIOUS",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub jwt_secret_previous: Option<String>,
    /// Which log events are written: error, warn, info, debug, trace, or a filter such as media_node=debug [default: info;
    /// debug of our own parts in development]
    #[arg(long, env = "LOG_LEVEL", value_name = "FILTER")]
    pub log_level: Option<String>,
    /// Lowest port for media, UDP and TCP [default: 10000]
    #[arg(long, env = "RTC_MIN_PORT", value_name = "PORT")]
    pub rtc_min_port: Option<String>,
    /// Highest port for media, UDP and TCP [default: 10100]
    #[arg(long, env = "RTC_MAX_PORT", value_name = "PORT")]
    pub rtc_max_port: Option<String>,
    /// Addresses or host names at which clients reach the media ports, separated by commas; file:PATH stands for those
    /// in a file [default: loopback and this machine's addresses]
    #[arg(long, env = "ANNOUNCED_IP", value_name = "ADDRESSES")]
    pub announced_ip: Option<String>,
    /// Origins whose pages may call the API, separated by commas
    #[arg(long, env = "FRONTEND_URL", value_name = "URLS")]
    pub frontend_url: Option<String>,
    /// Number of worker threads [default: one per core]
    #[arg(long, env = "WORKERS", value_name = "COUNT")]
    pub workers: Option<String>,
    /// Busy share of a room's worker thread, in percent, from which on newcomers are served by others [default: 70]
    #[arg(long, env = "WORKER_SPREAD_PERCENT", value_name = "PERCENT")]
    pub worker_spread_percent: Option<String>,
    /// Rooms this node takes [default: 10]
    #[arg(long, env = "MAX_ROOMS", value_name = "COUNT")]
    pub max_rooms: Option<String>,
    /// Participants a room takes [default: 50]
    #[arg(long, env = "MAX_PARTICIPANTS_PER_ROOM", value_name = "COUNT")]
    pub max_participants_per_room: Option<String>,
    /// Whether clients may connect over TCP where UDP is blocked [default: true]
    #[arg(long, env = "ENABLE_TCP", value_name = "BOOL")]
    pub enable_tcp: Option<String>,
    /// Whether the packets of a video frame are padded to one length, to travel as one train [default: true]
    #[arg(long, env = "RTC_TRAIN_PADDING", value_name = "BOOL")]
    pub rtc_train_padding: Option<String>,
    /// Where the estimate of each client's downlink starts, bit/s [default: 1000000]
    #[arg(long, env = "INITIAL_OUTGOING_BITRATE", value_name = "BITRATE")]
    pub initial_outgoing_bitrate: Option<String>,
    /// PEM file with the certificate of media connections (DTLS) [default: one made at start]
    #[arg(long, env = "DTLS_CERT_FILE", value_name = "FILE")]
    pub dtls_cert_file: Option<String>,
    /// PEM file with the DTLS certificate's key
    #[arg(long, env = "DTLS_KEY_FILE", value_name = "FILE")]
    pub dtls_key_file: Option<String>,
    /// This node's name [default: the host's name]
    #[arg(long, env = "SERVER_ID", value_name = "NAME")]
    pub server_id: Option<String>,
    /// Where this node stands
    #[arg(long, env = "REGION", value_name = "NAME")]
    pub region: Option<String>,
    /// Seconds a draining node lets calls go on [default: 600]
    #[arg(long, env = "DRAIN_TIMEOUT_SECS", value_name = "SECONDS")]
    pub drain_timeout_secs: Option<String>,
    /// Base URLs of the gateways this node registers with, separated by commas; for `media` only
    #[arg(long, env = "GATEWAY_URL", value_name = "URLS")]
    pub gateway_url: Option<String>,
    /// This node's own base URL as gateways reach it, such as `http://media-1:3001`
    #[arg(long, env = "INTERNAL_URL", value_name = "URL")]
    pub internal_url: Option<String>,
    /// development or production (NODE_ENV is read too) [default: development]
    #[arg(long, env = "APP_ENV", value_name = "NAME")]
    pub app_env: Option<String>,
    /// Older name of APP_ENV
    #[arg(long, env = "NODE_ENV", value_name = "NAME", hide = true)]
    pub node_env: Option<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses or CIDR ranges, separated by commas
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "RANGES")]
    pub trusted_proxies: Option<String>,
    /// Offered codecs in order of preference [default: opus,vp8,h264,vp9,av1]
    #[arg(long, env = "CODECS", value_name = "NAMES")]
    pub codecs: Option<String>,
}

/// What is wrong so far.
type Problems = setting::Problems<ConfigError>;

impl Settings {
    /// Checks everything and fills in defaults. Reads the files and resolves the names it is given.
    ///
    /// # Errors
    /// All settings that are wrong or missing.
    pub fn check(&self, role: Role) -> Result<Config, ConfigErrors> {
        let mut problems = Problems::default();
        let environment = self.environment(&mut problems);
        let media = self.media(role, environment, &mut problems);
        let config = Config {
            environment,
            server_id: given(&self.server_id).map_or_else(host_name, str::to_owned),
            region: given(&self.region).unwrap_or_default().to_owned(),
            log_level: self.log_level(environment),
            http: self.http(role, media.bind_ip, &mut problems),
            secrets: self.secrets(role, &mut problems),
            media,
            capacity: self.capacity(&mut problems),
            registration: self.registration(role, &mut problems),
            drain_timeout: Duration::from_secs(problems.number(
                "DRAIN_TIMEOUT_SECS",
                &self.drain_timeout_secs,
                0..=86_400,
                DRAIN_TIMEOUT.as_secs(),
            )),
        };
        if problems.0.is_empty() {
            Ok(config)
        } else {
            Err(Wrong(problems.0))
        }
    }

    fn environment(&self, problems: &mut Problems) -> Environment {
        let named = given(&self.app_env).map(|text| ("APP_ENV", text));
        let named = named.or_else(|| given(&self.node_env).map(|text| ("NODE_ENV", text)));
        match named {
            None | Some((_, "development" | "dev" | "test")) => Environment::Development,
            // Anything that is not plainly development gets the strict rules.
            Some((_, "production" | "prod" | "staging")) => Environment::Production,
            Some((setting, other)) => {
                let expected = "`development`, `staging` or `production`";
                problems.take(
                    Err(setting::invalid(setting, other, expected)),
                    Environment::Production,
                )
            }
        }
    }

    fn registration(&self, role: Role, problems: &mut Problems) -> Option<RegistrationConfig> {
        let gateways = plain_urls("GATEWAY_URL", &self.gateway_url, problems);
        let own = plain_urls("INTERNAL_URL", &self.internal_url, problems);
        // In one process the gateway knows its node.
        if role == Role::Serve || given(&self.gateway_url).is_none() {
            return None;
        }
        if given(&self.internal_url).is_none() {
            problems.note(SettingError::Missing {
                setting: "INTERNAL_URL",
                reason: "GATEWAY_URL is set, and the gateways must learn where this node is; \
                         set it to this node's own base URL as they reach it, such as http://media-1:3001",
            });
        }
        Some(RegistrationConfig {
            gateways,
            url: own.into_iter().next()?,
        })
    }

    fn log_level(&self, environment: Environment) -> String {
        let default = match environment {
            // Our own crates in detail; those of others only where something is odd.
            Environment::Development => "info,media_node=debug,meeshy=debug,sfu=debug,link=debug",
            Environment::Production => "info",
        };
        given(&self.log_level).unwrap_or(default).to_owned()
    }

    fn http(&self, role: Role, bind_ip: IpAddr, problems: &mut Problems) -> HttpConfig {
        let port = problems.number("PORT", &self.port, 0..=65_535, role.port().into());
        let origins = setting::list(
            "FRONTEND_URL",
            given(&self.frontend_url).unwrap_or_default(),
            "an origin such as https://meet.example.org (no path)",
        );
        let proxies = setting::list(
            "TRUSTED_PROXIES",
            given(&self.trusted_proxies).unwrap_or_default(),
            "an address or a range such as 10.0.0.0/8",
        );
        HttpConfig {
            listen: SocketAddr::new(bind_ip, u16::try_from(port).unwrap_or_default()),
            allowed_origins: problems.take(origins, Vec::new()),
            trusted_proxies: TrustedProxies(problems.take(proxies, Vec::new())),
        }
    }

    fn secrets(&self, role: Role, problems: &mut Problems) -> Secrets {
        let current = problems.secret("JWT_SECRET", &self.jwt_secret);
        let previous = problems.secret("JWT_SECRET_PREVIOUS", &self.jwt_secret_previous);
        let current = match (current, role) {
            (Some(secret), _) => secret,
            // In one process nobody else needs to know the secret.
            (None, Role::Serve) => edge::random::secret(),
            (None, Role::Media) => {
                let reason = "a media node verifies the gateway's tokens with it; \
                              make one with `openssl rand -hex 32` and give the same to the gateway";
                problems.note(SettingError::Missing {
                    setting: "JWT_SECRET",
                    reason,
                });
                String::new()
            }
        };
        Secrets { current, previous }
    }

    fn media(&self, role: Role, environment: Environment, problems: &mut Problems) -> MediaConfig {
        let any = IpAddr::from([0, 0, 0, 0]);
        let bind_ip = match given(&self.bind_ip) {
            Some(text) => problems.take(
                setting::value("BIND_IP", text, "an address of this machine, or 0.0.0.0 for all"),
                any,
            ),
            None => any,
        };
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let workers = problems.number("WORKERS", &self.workers, 1..=256, cores.get() as u64);
        let workers = usize::try_from(workers)
            .ok()
            .and_then(NonZeroUsize::new)
            .unwrap_or(NonZeroUsize::MIN);
        let bitrate = problems.number(
            "INITIAL_OUTGOING_BITRATE",
            &self.initial_outgoing_bitrate,
            30_000..=1_000_000_000,
            INITIAL_OUTGOING_BITRATE,
        );
        let spread_at = problems.number(
            "WORKER_SPREAD_PERCENT",
            &self.worker_spread_percent,
            0..=100,
            SPREAD_AT.0.into(),
        );
        let tcp = problems.switch("ENABLE_TCP", &self.enable_tcp, true);
        let padded = problems.switch("RTC_TRAIN_PADDING", &self.rtc_train_padding, true);
        let codecs = match given(&self.codecs) {
            Some(text) => problems.take(parse::codecs("CODECS", text), CodecChoice::DEFAULT.to_vec()),
            None => CodecChoice::DEFAULT.to_vec(),
        };
        MediaConfig {
            bind_ip,
            ports: self.ports(workers.get(), problems),
            announced: self.announced(role, environment, bind_ip, problems),
            tcp: if tcp { IceTcp::Enabled } else { IceTcp::Disabled },
            train_padding: if padded {
                TrainPadding::On
            } else {
                TrainPadding::Off
            },
            workers,
            spread_at: u8::try_from(spread_at).map_or(SPREAD_AT, Percent),
            initial_outgoing_bitrate: Bitrate(bitrate),
            certificate: self.certificate(problems),
            codecs,
        }
    }

    fn ports(&self, workers: usize, problems: &mut Problems) -> PortRange {
        let min = problems.number("RTC_MIN_PORT", &self.rtc_min_port, 0..=65_535, 10_000);
        let max = problems.number("RTC_MAX_PORT", &self.rtc_max_port, 0..=65_535, default_max(min));
        let range = PortRange {
            min: u16::try_from(min).unwrap_or_default(),
            max: u16::try_from(max).unwrap_or_default(),
        };
        let ports = usize::from(range.max.saturating_sub(range.min)) + 1;
        let chosen_by_system = range.min == 0 && range.max == 0;
        if range.min > range.max {
            problems.note(ConfigError::PortRange {
                min: range.min,
                max: range.max,
            });
        } else if range.min == 0 && !chosen_by_system {
            problems.note(setting::invalid(
                "RTC_MIN_PORT",
                "0",
                "a whole number from 1 to 65535",
            ));
        } else if ports < workers && !chosen_by_system {
            problems.note(ConfigError::TooFewPorts { workers, ports });
        }
        range
    }

    fn announced(
        &self,
        role: Role,
        environment: Environment,
        bind: IpAddr,
        problems: &mut Problems,
    ) -> Vec<IpAddr> {
        match given(&self.announced_ip) {
            Some(text) => problems.take(announced::resolve(text, bind), Vec::new()),
            None if environment == Environment::Production && role == Role::Media => {
                let reason = "in production it cannot be guessed; \
                              set it to the address or host name at which clients reach the media ports";
                problems.note(SettingError::Missing {
                    setting: "ANNOUNCED_IP",
                    reason,
                });
                Vec::new()
            }
            None => announced::for_this_machine(bind),
        }
    }

    fn certificate(&self, problems: &mut Problems) -> CertificateSource {
        let (given_one, missing) = match (given(&self.dtls_cert_file), given(&self.dtls_key_file)) {
            (None, None) => return CertificateSource::Generated,
            (Some(certificate), Some(key)) => {
                let certificate = setting::readable_file("DTLS_CERT_FILE", certificate);
                let key = setting::readable_file("DTLS_KEY_FILE", key);
                return CertificateSource::Files {
                    certificate: problems.take(certificate, Default::default()),
                    key: problems.take(key, Default::default()),
                };
            }
            (Some(_), None) => ("DTLS_CERT_FILE", "DTLS_KEY_FILE"),
            (None, Some(_)) => ("DTLS_KEY_FILE", "DTLS_CERT_FILE"),
        };
        problems.note(ConfigError::HalfKeyPair {
            given: given_one,
            missing,
        });
        CertificateSource::Generated
    }

    fn capacity(&self, problems: &mut Problems) -> Capacity {
        let default = Capacity::default();
        let mut count = |setting, text, most, default: usize| {
            let number = problems.number(setting, text, 1..=most, default as u64);
            usize::try_from(number).unwrap_or(default)
        };
        let rooms = count("MAX_ROOMS", &self.max_rooms, 100_000, default.rooms);
        let participants = count(
            "MAX_PARTICIPANTS_PER_ROOM",
            &self.max_participants_per_room,
            10_000,
            default.participants_per_room,
        );
        Capacity {
            rooms,
            participants_per_room: participants,
            // Four each (contract §1.9: 50 × 4), and room for a replaced transport while the old one closes.
            transports_per_room: default.transports_per_room.max(participants * 4),
            producers_per_room: default.producers_per_room.max(participants * 4),
        }
    }
}

/// RTC_MAX_PORT where only RTC_MIN_PORT is given: as many ports above it as by default.
fn default_max(min: u64) -> u64 {
    if min <= 10_000 {
        10_100
    } else {
        (min + 100).min(65_535)
    }
}

/// The host's name, for logs and metrics; container platforms set it to the container's name.
fn host_name() -> String {
    let from_file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = from_file
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "media".to_owned()
    } else {
        name.to_owned()
    }
}

/// Base URLs of servers in the same network, without a slash at the end.
fn plain_urls(setting: &'static str, text: &Option<String>, problems: &mut Problems) -> Vec<String> {
    let mut urls = Vec::new();
    for entry in setting::entries(given(text).unwrap_or_default()) {
        let place = entry.trim_end_matches('/').strip_prefix("http://");
        let plain = |place: &&str| {
            !place.is_empty() && !place.contains(|of: char| of.is_whitespace() || "/?#@".contains(of))
        };
        match place.filter(plain) {
            Some(place) => urls.push(format!("http://{place}")),
            None => {
                let expected = "http:// with a host and a port and no path, such as http://media-1:3001";
                problems.note(setting::invalid(setting, entry, expected));
            }
        }
    }
    urls
}
