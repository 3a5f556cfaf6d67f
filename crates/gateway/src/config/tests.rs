use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn shared() -> SharedSettings {
    SharedSettings {
        jwt_secret: Some(SECRET.into()),
        ..SharedSettings::default()
    }
}

fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings {
        database_url: Some("memory:".into()),
        transcription_encryption_key: Some(KEY.into()),
        media_server_url: Some("http://media-1:3001/, http://media-2:3001".into()),
        ..Settings::default()
    };
    change(&mut settings);
    settings
}

fn set(field: &mut Option<String>, value: &str) {
    *field = Some(value.to_owned());
}

#[track_caller]
fn good(settings: &Settings) -> GatewayConfig {
    settings
        .check(&shared(), Part::Alone)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn defaults_are_the_contracts() {
    let config = good(&settings(|_| ()));
    assert_eq!(config.http.listen.to_string(), "0.0.0.0:4000");
    assert_eq!(config.nodes.urls, ["http://media-1:3001", "http://media-2:3001"]);
    assert_eq!(config.nodes.public_url, "");
    assert_eq!(config.calls, call::Settings::default());
    assert_eq!(config.flags, FlagsConfig::default());
    assert_eq!(config.media.current, SECRET, "one secret unless there are two");
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.dev_login, DevLogin::On);
    assert_eq!(config.addresses, Addresses::All);
    assert_eq!(
        config.video_codecs,
        ["video/VP8", "video/H264", "video/VP9", "video/AV1"]
    );
}

#[test]
fn production_is_stricter() {
    let shared = SharedSettings {
        app_env: Some("production".into()),
        ..shared()
    };
    let config = settings(|_| ())
        .check(&shared, Part::Alone)
        .expect("a good configuration");
    assert_eq!(config.dev_login, DevLogin::Off);
    assert_eq!(config.addresses, Addresses::Public);
    let open = settings(|settings| set(&mut settings.dev_login, "yes"));
    let config = open.check(&shared, Part::Alone).expect("a good configuration");
    assert_eq!(config.dev_login, DevLogin::On);
}

#[test]
fn every_setting_reaches_its_place() {
    let config = good(&settings(|settings| {
        set(&mut settings.media_jwt_secret, "fedcba9876543210fedcba9876543210");
        set(&mut settings.ring_timeout_secs, "5");
        set(&mut settings.connecting_timeout_secs, "6");
        set(&mut settings.reconnect_grace_secs, "7");
        set(&mut settings.empty_call_timeout_secs, "8");
        set(&mut settings.lone_participant_timeout_secs, "9");
        set(&mut settings.transition_timeout_ms, "1500");
        set(&mut settings.sfu_to_p2p_hysteresis_ms, "2500");
        set(&mut settings.max_participants, "12");
        set(&mut settings.rate_limit_factor, "3");
        set(&mut settings.stun_urls, "stun:a, stun:b");
        set(&mut settings.turn_urls, "turn:c,turns:d");
        set(&mut settings.turn_secret, "north");
        set(&mut settings.turn_fallback_urls, "turn:e");
        set(&mut settings.turn_fallback_username, "u");
        set(&mut settings.turn_fallback_credential, "p");
        set(&mut settings.ice_relay_only, "true");
        set(&mut settings.sdp_strip_private_candidates, "true");
        set(&mut settings.media_public_url, "https://media.example.org/");
        set(&mut settings.features.feature_sfu_percent, "25");
        set(&mut settings.features.feature_screen_share, "off");
        set(
            &mut settings.features.feature_sfu_conversations,
            "65a1b2c3d4e5f60718293a4b",
        );
    }));
    let seconds = Duration::from_secs;
    let expected = call::Settings {
        ring_timeout: seconds(5),
        connecting_timeout: seconds(6),
        reconnect_grace: seconds(7),
        nobody_timeout: seconds(8),
        lone_timeout: seconds(9),
        switch_timeout: Duration::from_millis(1500),
        hysteresis: Duration::from_millis(2500),
        max_participants: 12,
        ..call::Settings::default()
    };
    assert_eq!(config.calls, expected);
    assert_eq!(config.media.current, "fedcba9876543210fedcba9876543210");
    assert_eq!(config.rate_limit_factor, 3);
    assert_eq!(config.ice.stun, ["stun:a", "stun:b"]);
    assert_eq!(config.ice.turn, ["turn:c", "turns:d"]);
    assert_eq!(config.ice.relay, Relay::Only);
    assert!(config.ice.fallback.is_some());
    assert_eq!(config.addresses, Addresses::Relays);
    assert_eq!(config.nodes.public_url, "https://media.example.org");
    assert_eq!(config.flags.sfu_percent, 25);
    assert_eq!(config.flags.sfu_conversations.len(), 1);
    assert!(!config.flags.on.contains(&Flag::ScreenShare));
    assert!(config.flags.on.contains(&Flag::Sfu));
}

#[test]
fn all_problems_are_told_at_once_and_without_secrets() {
    let settings = Settings {
        transcription_encryption_key: Some("my secret key".into()),
        turn_urls: Some("turn:a".into()),
        stun_urls: Some("http://a".into()),
        ring_timeout_secs: Some("soon".into()),
        media_server_url: Some("media-1".into()),
        ..Settings::default()
    };
    let shared = SharedSettings {
        jwt_secret: Some("weak".into()),
        frontend_url: Some("*".into()),
        ..SharedSettings::default()
    };
    let errors = settings
        .check(&shared, Part::Alone)
        .expect_err("much is wrong")
        .to_string();
    for expected in [
        "JWT_SECRET has 4 bytes",
        "FRONTEND_URL: `*` is not",
        "MEDIA_SERVER_URL: `media-1` is not",
        "DATABASE_URL is not set",
        "TRANSCRIPTION_ENCRYPTION_KEY: `(hidden)` is not",
        "TURN_SECRET is not set",
        "STUN_URLS: `http://a` is not",
        "RING_TIMEOUT_SECS: `soon` is not",
    ] {
        assert!(errors.contains(expected), "{expected} in\n{errors}");
    }
    assert!(!errors.contains("my secret key"), "{errors}");
}

#[test]
fn alone_it_needs_nodes_and_together_it_has_one() {
    let settings = settings(|settings| settings.media_server_url = None);
    let errors = settings
        .check(&shared(), Part::Alone)
        .expect_err("no nodes")
        .to_string();
    assert!(errors.contains("MEDIA_SERVER_URL is not set"), "{errors}");
    assert!(settings.check(&shared(), Part::Together).is_ok());
}

#[test]
fn nodes_that_register_need_not_be_listed() {
    let settings = settings(|settings| set(&mut settings.media_server_url, "registered"));
    let config = settings.check(&shared(), Part::Alone).expect("nothing is wrong");
    assert!(config.nodes.urls.is_empty());
}

#[test]
fn regions_are_short_names() {
    let mut shared = shared();
    set(&mut shared.region, "eu-west-1");
    let config = settings(|_| ())
        .check(&shared, Part::Alone)
        .expect("nothing is wrong");
    assert_eq!(config.region, "eu-west-1");
    set(&mut shared.region, "eu west");
    let errors = settings(|_| ()).check(&shared, Part::Alone).expect_err("no name");
    assert!(errors.to_string().contains("REGION"), "{errors}");
}

#[test]
fn flags_are_looked_at_every_one_to_five_seconds() {
    for (text, expected) in [
        (None, Some(2)),
        (Some("1"), Some(1)),
        (Some("5"), Some(5)),
        (Some("6"), None),
        (Some("0"), None),
    ] {
        let settings = settings(|settings| settings.features.flags_poll_secs = text.map(str::to_owned));
        let polled = settings
            .check(&shared(), Part::Alone)
            .ok()
            .map(|config| config.flags_poll.as_secs());
        assert_eq!(polled, expected, "{text:?}");
    }
}

#[test]
fn relay_only_needs_a_relay() {
    let settings = settings(|settings| set(&mut settings.ice_relay_only, "true"));
    let errors = settings
        .check(&shared(), Part::Alone)
        .expect_err("no relay")
        .to_string();
    assert!(errors.contains("TURN_URLS is not set"), "{errors}");
}

#[test]
fn the_report_hides_secrets() {
    let config = good(&settings(|settings| {
        set(&mut settings.database_url, "postgres://meeshy:word@db/meeshy");
        set(&mut settings.turn_urls, "turn:c");
        set(&mut settings.turn_secret, "north");
    }));
    let report = config.report();
    for line in [
        "PORT=4000",
        "DATABASE_URL=postgres://meeshy:(hidden)@db/meeshy",
        "JWT_SECRET=(hidden, 32 bytes)",
        "TURN_SECRET=(hidden)",
        "RING_TIMEOUT_SECS=30",
        "FEATURE_SFU=true",
        "FEATURE_RECORDING=false",
    ] {
        assert!(
            report.lines().any(|candidate| candidate == line),
            "{line} in\n{report}"
        );
    }
    let shown = format!("{report}{config:?}");
    for secret in [SECRET, KEY, "north", "word@"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
