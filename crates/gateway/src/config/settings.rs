//! The settings as text, their flags and environment variables, and the checks.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use edge::setting::{self, SettingError, Wrong, given};
use edge::token::Secrets;
use edge::{Origin, TrustedProxies};
use ortc::supported::CodecChoice;
use signalling::ConversationId;
use store::CaptionKey;

use super::{DatabaseConfig, DevLogin, Environment, GatewayConfig, HttpConfig, IpHashKey, NodesConfig};
use crate::flags::{Flag, FlagsConfig};
use crate::ice_servers::{IceServersConfig, Relay, TurnFallback, TurnSecret};
use crate::region::{MAX_REGION, Region};
use crate::sdp::Addresses;

/// The word for `MEDIA_SERVER_URL` where no node is known beforehand: said, so that none is forgotten by mistake.
const REGISTERED: &str = "registered";

/// Every setting that is wrong; never empty.
pub type ConfigErrors = Wrong<SettingError>;

type Problems = setting::Problems<SettingError>;

/// Whether the gateway has a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Alone: what it shares with others must be given.
    Alone,
    /// Everything in one process, which gives it what it needs.
    Together,
}

/// What any HTTP server of ours is told; a media node in the same process is told the same.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SharedSettings {
    /// TCP port of HTTP and Socket.IO [default: 4000]
    #[arg(long, env = "PORT", value_name = "PORT")]
    pub port: Option<String>,
    /// Address to listen on [default: 0.0.0.0]
    #[arg(long, env = "BIND_IP", value_name = "ADDRESS")]
    pub bind_ip: Option<String>,
    /// Secret that signs and verifies login tokens, 32 bytes or more
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
    /// Which log events are written: error, warn, info, debug, trace, or a filter such as gateway=debug [default: info;
    /// debug of our own parts in development]
    #[arg(long, env = "LOG_LEVEL", value_name = "FILTER")]
    pub log_level: Option<String>,
    /// Origins whose pages may call the API, separated by commas
    #[arg(long, env = "FRONTEND_URL", value_name = "URLS")]
    pub frontend_url: Option<String>,
    /// development or production (NODE_ENV is read too) [default: development]
    #[arg(long, env = "APP_ENV", value_name = "NAME")]
    pub app_env: Option<String>,
    /// Older name of APP_ENV
    #[arg(long, env = "NODE_ENV", value_name = "NAME", hide = true)]
    pub node_env: Option<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses or CIDR ranges, separated by commas
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "RANGES")]
    pub trusted_proxies: Option<String>,
    /// Where this server stands: rooms of calls that begin here are placed on media nodes of the same region
    #[arg(long, env = "REGION", value_name = "NAME")]
    pub region: Option<String>,
    /// Codecs the media nodes offer, in order of preference [default: opus,vp8,h264,vp9,av1]
    #[arg(long, env = "CODECS", value_name = "NAMES")]
    pub codecs: Option<String>,
}

/// What the gateway alone is told. Empty text counts as not given.
#[derive(Clone, Default, clap::Args)]
// A media node in the same process has settings of the same name.
#[group(id = "GatewaySettings")]
pub struct Settings {
    /// Where everything is kept: sqlite://path or postgres://user:password@host/name
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Base URLs of the media nodes, separated by commas, or `registered` if they all register themselves
    #[arg(long, env = "MEDIA_SERVER_URL", value_name = "URLS")]
    pub media_server_url: Option<String>,
    /// Base URL at which browsers reach the media nodes' REST paths [default: the gateway, which passes them on]
    #[arg(long, env = "MEDIA_PUBLIC_URL", value_name = "URL")]
    pub media_public_url: Option<String>,
    /// Secret that signs tokens for media nodes [default: JWT_SECRET]
    #[arg(long, env = "MEDIA_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub media_jwt_secret: Option<String>,
    /// Secret shared with the TURN servers (static-auth-secret of coturn)
    #[arg(long, env = "TURN_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub turn_secret: Option<String>,
    /// URLs of the TURN servers, separated by commas
    #[arg(long, env = "TURN_URLS", value_name = "URLS")]
    pub turn_urls: Option<String>,
    /// URLs of STUN servers, separated by commas
    #[arg(long, env = "STUN_URLS", value_name = "URLS")]
    pub stun_urls: Option<String>,
    /// URLs of a rented TURN server, handed out while none of TURN_URLS relays
    #[arg(long, env = "TURN_FALLBACK_URLS", value_name = "URLS")]
    pub turn_fallback_urls: Option<String>,
    /// Its user name
    #[arg(long, env = "TURN_FALLBACK_USERNAME", value_name = "NAME")]
    pub turn_fallback_username: Option<String>,
    /// Its password
    #[arg(
        long,
        env = "TURN_FALLBACK_CREDENTIAL",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    pub turn_fallback_credential: Option<String>,
    /// Whether clients connect through TURN only, so that nobody sees their address [default: false]
    #[arg(long, env = "ICE_RELAY_ONLY", value_name = "BOOL")]
    pub ice_relay_only: Option<String>,
    /// Whether addresses of private networks are taken out of signals [default: true in production]
    #[arg(long, env = "SDP_STRIP_PRIVATE_CANDIDATES", value_name = "BOOL")]
    pub sdp_strip_private_candidates: Option<String>,
    /// Key that seals captions: 32 bytes as 64 hexadecimal digits or base64
    #[arg(
        long,
        env = "TRANSCRIPTION_ENCRYPTION_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub transcription_encryption_key: Option<String>,
    /// Key that hashes addresses in the audit log [default: a new one at each start]
    #[arg(long, env = "IP_HASH_KEY", hide_env_values = true, value_name = "KEY")]
    pub ip_hash_key: Option<String>,
    /// Whether a name is enough to log in [default: true in development]
    #[arg(long, env = "DEV_LOGIN", value_name = "BOOL")]
    pub dev_login: Option<String>,
    /// Seconds devices ring [default: 30]
    #[arg(long, env = "RING_TIMEOUT_SECS", value_name = "SECONDS")]
    pub ring_timeout_secs: Option<String>,
    /// Seconds somebody who joins may take until media is up [default: 30]
    #[arg(long, env = "CONNECTING_TIMEOUT_SECS", value_name = "SECONDS")]
    pub connecting_timeout_secs: Option<String>,
    /// Seconds the seat is kept of somebody whose connection broke [default: 60]
    #[arg(long, env = "RECONNECT_GRACE_SECS", value_name = "SECONDS")]
    pub reconnect_grace_secs: Option<String>,
    /// Seconds a call lives with nobody connected [default: 30]
    #[arg(long, env = "EMPTY_CALL_TIMEOUT_SECS", value_name = "SECONDS")]
    pub empty_call_timeout_secs: Option<String>,
    /// Seconds a group call lives with one person in it [default: 300]
    #[arg(long, env = "LONE_PARTICIPANT_TIMEOUT_SECS", value_name = "SECONDS")]
    pub lone_participant_timeout_secs: Option<String>,
    /// Milliseconds a switch between direct and group mode may take [default: 10000]
    #[arg(long, env = "TRANSITION_TIMEOUT_MS", value_name = "MILLISECONDS")]
    pub transition_timeout_ms: Option<String>,
    /// Milliseconds two people must be alone before a call goes back to direct [default: 10000]
    #[arg(long, env = "SFU_TO_P2P_HYSTERESIS_MS", value_name = "MILLISECONDS")]
    pub sfu_to_p2p_hysteresis_ms: Option<String>,
    /// People a call takes [default: 50]
    #[arg(long, env = "MAX_PARTICIPANTS", value_name = "COUNT")]
    pub max_participants: Option<String>,
    /// Multiplies every rate limit, for load tests [default: 1]
    #[arg(long, env = "RATE_LIMIT_FACTOR", value_name = "FACTOR")]
    pub rate_limit_factor: Option<String>,
    /// What is turned on and off.
    #[command(flatten)]
    pub features: FeatureSettings,
}

/// What is turned on and off (contract §8.9).
#[derive(Clone, Default, clap::Args)]
pub struct FeatureSettings {
    /// Calls at all [default: true]
    #[arg(long, env = "FEATURE_VIDEO_CALLS", value_name = "BOOL")]
    pub feature_video_calls: Option<String>,
    /// Group calls through media nodes [default: true]
    #[arg(long, env = "FEATURE_SFU", value_name = "BOOL")]
    pub feature_sfu: Option<String>,
    /// Share of conversations that have them, per cent [default: 100]
    #[arg(long, env = "FEATURE_SFU_PERCENT", value_name = "PER CENT")]
    pub feature_sfu_percent: Option<String>,
    /// Ids of conversations that have them in any case, separated by commas
    #[arg(long, env = "FEATURE_SFU_CONVERSATIONS", value_name = "IDS")]
    pub feature_sfu_conversations: Option<String>,
    /// Sharing screens [default: true]
    #[arg(long, env = "FEATURE_SCREEN_SHARE", value_name = "BOOL")]
    pub feature_screen_share: Option<String>,
    /// Cameras in several sizes at once [default: true]
    #[arg(long, env = "FEATURE_SIMULCAST", value_name = "BOOL")]
    pub feature_simulcast: Option<String>,
    /// Captions made by the speaker's browser [default: true]
    #[arg(long, env = "FEATURE_TRANSCRIPTION_CLIENT", value_name = "BOOL")]
    pub feature_transcription_client: Option<String>,
    /// Seconds between two looks at what operators turned on or off, 1 to 5 [default: 2]
    #[arg(long, env = "FLAGS_POLL_SECS", value_name = "SECONDS")]
    pub flags_poll_secs: Option<String>,
    /// The rented TURN server [default: true]
    #[arg(long, env = "FEATURE_TURN_FALLBACK", value_name = "BOOL")]
    pub feature_turn_fallback: Option<String>,
}

impl Settings {
    /// Checks everything and fills in defaults.
    ///
    /// # Errors
    /// All settings that are wrong or missing.
    pub fn check(&self, shared: &SharedSettings, part: Part) -> Result<GatewayConfig, ConfigErrors> {
        let mut problems = Problems::default();
        let environment = shared.environment(&mut problems);
        let login = shared.login(&mut problems);
        let media = match problems.secret("MEDIA_JWT_SECRET", &self.media_jwt_secret) {
            Some(current) => Secrets {
                current,
                previous: None,
            },
            None => login.clone(),
        };
        let flags = self.features.check(&mut problems);
        let ice = self.ice(&mut problems);
        let config = GatewayConfig {
            environment,
            log_level: given(&shared.log_level)
                .unwrap_or(match environment {
                    Environment::Development => "info,gateway=debug,meeshy=debug",
                    Environment::Production => "info",
                })
                .to_owned(),
            http: shared.http(&mut problems),
            login,
            media,
            nodes: self.nodes(part, &mut problems),
            region: shared.region(&mut problems),
            database: self.database(&mut problems),
            addresses: self.addresses(environment, ice.relay, &mut problems),
            ice,
            calls: self.calls(&mut problems),
            flags,
            flags_poll: Duration::from_secs(problems.number(
                "FLAGS_POLL_SECS",
                &self.features.flags_poll_secs,
                1..=5,
                2,
            )),
            dev_login: self.dev_login(environment, &mut problems),
            rate_limit_factor: count(problems.number(
                "RATE_LIMIT_FACTOR",
                &self.rate_limit_factor,
                1..=100_000,
                1,
            )),
            ip_hash_key: IpHashKey(match problems.secret("IP_HASH_KEY", &self.ip_hash_key) {
                Some(key) => key,
                // Good for this process: hashes of the same address differ after a restart.
                None => edge::random::secret(),
            }),
            video_codecs: shared.video_codecs(&mut problems),
        };
        if problems.0.is_empty() {
            Ok(config)
        } else {
            Err(Wrong(problems.0))
        }
    }

    fn nodes(&self, part: Part, problems: &mut Problems) -> NodesConfig {
        let urls = if given(&self.media_server_url) == Some(REGISTERED) {
            Vec::new()
        } else {
            base_urls("MEDIA_SERVER_URL", &self.media_server_url, problems)
        };
        if part == Part::Alone && given(&self.media_server_url).is_none() {
            problems.note(SettingError::Missing {
                setting: "MEDIA_SERVER_URL",
                reason: "group calls need media nodes; set it to their base URLs, such as http://media-1:3001, \
                         or to `registered` if they say themselves that they are there (GATEWAY_URL of a media node), \
                         or run everything in one process with `meeshy serve`",
            });
        }
        NodesConfig {
            urls,
            public_url: base_urls("MEDIA_PUBLIC_URL", &self.media_public_url, problems)
                .pop()
                .unwrap_or_default(),
        }
    }

    fn database(&self, problems: &mut Problems) -> DatabaseConfig {
        let url = given(&self.database_url).unwrap_or_default().to_owned();
        if url.is_empty() {
            problems.note(SettingError::Missing {
                setting: "DATABASE_URL",
                reason: "set it to sqlite:// and a path, or to postgres://user:password@host/name",
            });
        }
        let caption_key = match given(&self.transcription_encryption_key) {
            Some(text) => problems.take(
                text.parse().map_err(|_| SettingError::Invalid {
                    setting: "TRANSCRIPTION_ENCRYPTION_KEY",
                    value: "(hidden)".to_owned(),
                    expected: "32 bytes as 64 hexadecimal digits, as `openssl rand -hex 32` makes them"
                        .to_owned(),
                }),
                CaptionKey::random(),
            ),
            None => {
                problems.note(SettingError::Missing {
                    setting: "TRANSCRIPTION_ENCRYPTION_KEY",
                    reason: "stored captions are sealed with it; make one with `openssl rand -hex 32` and keep it",
                });
                CaptionKey::random()
            }
        };
        DatabaseConfig { url, caption_key }
    }

    fn ice(&self, problems: &mut Problems) -> IceServersConfig {
        let mut urls = |setting, text: &Option<String>, schemes: [&str; 2]| -> Vec<String> {
            let mut urls = Vec::new();
            for entry in setting::entries(given(text).unwrap_or_default()) {
                if schemes.iter().any(|scheme| entry.starts_with(scheme)) {
                    urls.push(entry.to_owned());
                } else {
                    let expected = format!(
                        "a comma list of URLs that begin with {} or {}",
                        schemes[0], schemes[1]
                    );
                    problems.note(setting::invalid(setting, entry, expected));
                }
            }
            urls
        };
        let stun = urls("STUN_URLS", &self.stun_urls, ["stun:", "stuns:"]);
        let turn = urls("TURN_URLS", &self.turn_urls, ["turn:", "turns:"]);
        let rented = urls(
            "TURN_FALLBACK_URLS",
            &self.turn_fallback_urls,
            ["turn:", "turns:"],
        );
        let turn_secret = given(&self.turn_secret).map(|secret| TurnSecret(secret.to_owned()));
        if turn_secret.is_none() && !turn.is_empty() {
            problems.note(SettingError::Missing {
                setting: "TURN_SECRET",
                reason: "TURN_URLS is set; give the secret those servers know (static-auth-secret of coturn)",
            });
        }
        let relay = if problems.switch("ICE_RELAY_ONLY", &self.ice_relay_only, false) {
            Relay::Only
        } else {
            Relay::IfNeeded
        };
        if relay == Relay::Only && turn.is_empty() && rented.is_empty() {
            problems.note(SettingError::Missing {
                setting: "TURN_URLS",
                reason: "ICE_RELAY_ONLY is on, and without a TURN server nobody could connect",
            });
        }
        let account = given(&self.turn_fallback_username).zip(given(&self.turn_fallback_credential));
        if account.is_none() && !rented.is_empty() {
            problems.note(SettingError::Missing {
                setting: "TURN_FALLBACK_USERNAME",
                reason: "TURN_FALLBACK_URLS is set; give its user name and TURN_FALLBACK_CREDENTIAL",
            });
        }
        let fallback = account
            .filter(|_| !rented.is_empty())
            .map(|(username, credential)| TurnFallback {
                urls: rented,
                username: username.to_owned(),
                credential: credential.to_owned(),
            });
        IceServersConfig {
            stun,
            turn,
            turn_secret,
            fallback,
            relay,
        }
    }

    fn addresses(&self, environment: Environment, relay: Relay, problems: &mut Problems) -> Addresses {
        let default = environment == Environment::Production;
        let setting = "SDP_STRIP_PRIVATE_CANDIDATES";
        let strip = problems.switch(setting, &self.sdp_strip_private_candidates, default);
        match (relay, strip) {
            (Relay::Only, _) => Addresses::Relays,
            (Relay::IfNeeded, true) => Addresses::Public,
            (Relay::IfNeeded, false) => Addresses::All,
        }
    }

    fn dev_login(&self, environment: Environment, problems: &mut Problems) -> DevLogin {
        let default = environment == Environment::Development;
        if problems.switch("DEV_LOGIN", &self.dev_login, default) {
            DevLogin::On
        } else {
            DevLogin::Off
        }
    }

    fn calls(&self, problems: &mut Problems) -> call::Settings {
        let default = call::Settings::default();
        let mut seconds = |setting, text, default: Duration| {
            Duration::from_secs(problems.number(setting, text, 1..=86_400, default.as_secs()))
        };
        let ring_timeout = seconds("RING_TIMEOUT_SECS", &self.ring_timeout_secs, default.ring_timeout);
        let connecting_timeout = seconds(
            "CONNECTING_TIMEOUT_SECS",
            &self.connecting_timeout_secs,
            default.connecting_timeout,
        );
        let reconnect_grace = seconds(
            "RECONNECT_GRACE_SECS",
            &self.reconnect_grace_secs,
            default.reconnect_grace,
        );
        let nobody_timeout = seconds(
            "EMPTY_CALL_TIMEOUT_SECS",
            &self.empty_call_timeout_secs,
            default.nobody_timeout,
        );
        let lone_timeout = seconds(
            "LONE_PARTICIPANT_TIMEOUT_SECS",
            &self.lone_participant_timeout_secs,
            default.lone_timeout,
        );
        let mut millis = |setting, text, range, default: Duration| {
            let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
            Duration::from_millis(problems.number(setting, text, range, default))
        };
        let switch_timeout = millis(
            "TRANSITION_TIMEOUT_MS",
            &self.transition_timeout_ms,
            100..=600_000,
            default.switch_timeout,
        );
        let hysteresis = millis(
            "SFU_TO_P2P_HYSTERESIS_MS",
            &self.sfu_to_p2p_hysteresis_ms,
            0..=3_600_000,
            default.hysteresis,
        );
        let most = u64::from(default.max_participants);
        let max_participants = problems.number("MAX_PARTICIPANTS", &self.max_participants, 2..=10_000, most);
        call::Settings {
            ring_timeout,
            connecting_timeout,
            reconnect_grace,
            nobody_timeout,
            lone_timeout,
            switch_timeout,
            hysteresis,
            max_participants: count(max_participants),
            ..default
        }
    }
}

impl FeatureSettings {
    fn check(&self, problems: &mut Problems) -> FlagsConfig {
        let built = FlagsConfig::default();
        let given_one = |flag: Flag| match flag {
            Flag::VideoCalls => &self.feature_video_calls,
            Flag::Sfu => &self.feature_sfu,
            Flag::ScreenShare => &self.feature_screen_share,
            Flag::Simulcast => &self.feature_simulcast,
            Flag::TranscriptionClient => &self.feature_transcription_client,
            Flag::TurnFallback => &self.feature_turn_fallback,
            Flag::TranscriptionServer | Flag::Translation | Flag::Recording | Flag::AudioEffects => &None,
        };
        let on: BTreeSet<Flag> = Flag::ALL
            .iter()
            .copied()
            .filter(|flag| problems.switch(flag.setting(), given_one(*flag), built.on.contains(flag)))
            .collect();
        let percent = problems.number("FEATURE_SFU_PERCENT", &self.feature_sfu_percent, 0..=100, 100);
        let listed: Result<Vec<ConversationId>, _> = setting::list(
            "FEATURE_SFU_CONVERSATIONS",
            given(&self.feature_sfu_conversations).unwrap_or_default(),
            "a comma list of conversation ids of 24 hexadecimal digits",
        );
        FlagsConfig {
            on,
            sfu_percent: u8::try_from(percent).unwrap_or(100),
            sfu_conversations: problems.take(listed, Vec::new()).into_iter().collect(),
        }
    }
}

impl SharedSettings {
    fn environment(&self, problems: &mut Problems) -> Environment {
        let named = given(&self.app_env).map(|text| ("APP_ENV", text));
        match named.or_else(|| given(&self.node_env).map(|text| ("NODE_ENV", text))) {
            None | Some((_, "development" | "dev" | "test")) => Environment::Development,
            // Anything that is not plainly development gets the strict rules.
            Some((_, "production" | "prod" | "staging")) => Environment::Production,
            Some((setting, other)) => {
                let expected = "`development`, `staging` or `production`";
                problems.note(setting::invalid(setting, other, expected));
                Environment::Production
            }
        }
    }

    fn login(&self, problems: &mut Problems) -> Secrets {
        let current = problems.secret("JWT_SECRET", &self.jwt_secret);
        let previous = problems.secret("JWT_SECRET_PREVIOUS", &self.jwt_secret_previous);
        let current = current.unwrap_or_else(|| {
            problems.note(SettingError::Missing {
                setting: "JWT_SECRET",
                reason: "login tokens are verified with it; make one with `openssl rand -hex 32` \
                         and give the same to the media nodes",
            });
            String::new()
        });
        Secrets { current, previous }
    }

    fn http(&self, problems: &mut Problems) -> HttpConfig {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let bind_ip = match given(&self.bind_ip) {
            Some(text) => problems.take(
                setting::value("BIND_IP", text, "an address of this machine, or 0.0.0.0 for all"),
                any,
            ),
            None => any,
        };
        let port = problems.number("PORT", &self.port, 0..=65_535, 4000);
        HttpConfig {
            listen: SocketAddr::new(bind_ip, u16::try_from(port).unwrap_or_default()),
            allowed_origins: self.allowed_origins(problems),
            trusted_proxies: self.trusted_proxies(problems),
        }
    }

    fn allowed_origins(&self, problems: &mut Problems) -> Vec<Origin> {
        let text = given(&self.frontend_url).unwrap_or_default();
        let expected = "an origin such as https://meet.example.org (no path)";
        problems.take(setting::list("FRONTEND_URL", text, expected), Vec::new())
    }

    fn trusted_proxies(&self, problems: &mut Problems) -> TrustedProxies {
        let text = given(&self.trusted_proxies).unwrap_or_default();
        let expected = "an address or a range such as 10.0.0.0/8";
        TrustedProxies(problems.take(setting::list("TRUSTED_PROXIES", text, expected), Vec::new()))
    }

    fn region(&self, problems: &mut Problems) -> String {
        let name = given(&self.region).unwrap_or_default();
        if Region::new(name).is_none() {
            let expected =
                format!("a name of at most {MAX_REGION} letters, digits, dots and dashes, such as eu-west-1");
            problems.note(setting::invalid("REGION", name, expected));
        }
        name.to_owned()
    }

    fn video_codecs(&self, problems: &mut Problems) -> Vec<String> {
        let expected = "a comma list of opus, vp8, h264, vp9 and av1";
        let choices = match given(&self.codecs) {
            Some(text) => problems.take(setting::list("CODECS", text, expected), Vec::new()),
            None => CodecChoice::DEFAULT.to_vec(),
        };
        let mut types: Vec<String> = Vec::new();
        for codec in ortc::supported::router_capabilities(&choices).codecs {
            let media = codec.kind == ortc::MediaKind::Video && codec.codec() != ortc::Codec::Rtx;
            if media && !types.contains(&codec.mime_type) {
                types.push(codec.mime_type);
            }
        }
        types
    }
}

/// URLs of servers, without a slash at the end.
fn base_urls(setting: &'static str, text: &Option<String>, problems: &mut Problems) -> Vec<String> {
    let mut urls = Vec::new();
    for entry in setting::entries(given(text).unwrap_or_default()) {
        let rest = entry
            .strip_prefix("http://")
            .or_else(|| entry.strip_prefix("https://"));
        if rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) {
            urls.push(entry.trim_end_matches('/').to_owned());
        } else {
            problems.note(setting::invalid(
                setting,
                entry,
                "a URL such as http://media-1:3001",
            ));
        }
    }
    urls
}

/// A number that was checked to be small.
fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
