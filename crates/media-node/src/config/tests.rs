use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ortc::supported::CodecChoice;

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Settings as a fleet would give them, changed by one line of a test.
fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings {
        jwt_secret: Some(SECRET.into()),
        announced_ip: Some("203.0.113.5".into()),
        workers: Some("2".into()),
        ..Settings::default()
    };
    change(&mut settings);
    settings
}

fn set(field: &mut Option<String>, value: &str) {
    *field = Some(value.to_owned());
}

#[track_caller]
fn good(settings: &Settings) -> Config {
    settings
        .check(Role::Media)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn defaults_are_the_contracts() {
    let config = good(&settings(|_| ()));
    assert_eq!(config.http.listen.to_string(), "0.0.0.0:3001");
    assert_eq!(
        config.media.ports,
        PortRange {
            min: 10_000,
            max: 10_100
        }
    );
    assert_eq!(config.media.tcp, IceTcp::Enabled);
    assert_eq!(config.media.train_padding, TrainPadding::On);
    assert_eq!(config.media.initial_outgoing_bitrate.0, 1_000_000);
    assert_eq!(config.media.certificate, CertificateSource::Generated);
    assert_eq!(config.media.codecs, CodecChoice::DEFAULT);
    assert_eq!(
        config.media.video_mime_types(),
        ["video/VP8", "video/H264", "video/VP9", "video/AV1"]
    );
    let expected = Capacity {
        rooms: 10,
        participants_per_room: 50,
        transports_per_room: 200,
        producers_per_room: 200,
    };
    assert_eq!(config.capacity, expected);
    assert_eq!(config.drain_timeout, Duration::from_secs(600));
    assert_eq!(config.environment, Environment::Development);
    assert!(!config.server_id.is_empty());
}

#[test]
fn serving_needs_no_settings_at_all() {
    let config = Settings::default().check(Role::Serve).expect("nothing is needed");
    let other = Settings::default().check(Role::Serve).expect("nothing is needed");
    assert_eq!(config.http.listen.port(), 4000);
    assert!(config.secrets.current.len() >= 32);
    assert_ne!(
        config.secrets.current, other.secrets.current,
        "made for this process alone"
    );
    assert_eq!(
        config.media.announced.first(),
        Some(&IpAddr::V4(Ipv4Addr::LOCALHOST))
    );
    assert!(
        config
            .media
            .announced
            .iter()
            .skip(1)
            .all(|address| !address.is_loopback())
    );
}

#[test]
fn empty_text_counts_as_not_given() {
    let config = good(&settings(|settings| {
        set(&mut settings.port, "");
        set(&mut settings.region, " ");
        set(&mut settings.dtls_cert_file, "");
    }));
    assert_eq!(config.http.listen.port(), 3001);
    assert_eq!(config.media.certificate, CertificateSource::Generated);
}

#[test]
fn announced_addresses_may_stand_in_a_file() {
    let folder = std::env::temp_dir().join(format!("announced-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("address");
    let value = format!("192.0.2.1,file:{}", file.display());
    let config = || settings(|settings| set(&mut settings.announced_ip, &value)).check(Role::Media);

    let missing = config().expect_err("the file is not there").to_string();
    assert!(
        missing.contains("ANNOUNCED_IP") && missing.contains("address"),
        "{missing}"
    );
    std::fs::write(&file, "\n").expect("a file");
    assert!(
        config()
            .expect_err("an empty file")
            .to_string()
            .contains("it is empty")
    );
    std::fs::write(&file, "203.0.113.5, 192.0.2.1\n").expect("a file");
    let announced = config().expect("good settings").media.announced;
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let announced: Vec<String> = announced.iter().map(ToString::to_string).collect();
    assert_eq!(announced, ["192.0.2.1", "203.0.113.5"]);
}

#[test]
fn every_setting_reaches_its_place() {
    let config = good(&settings(|settings| {
        set(&mut settings.port, "8080");
        set(&mut settings.bind_ip, "127.0.0.1");
        set(
            &mut settings.jwt_secret_previous,
            "abcdef0123456789abcdef0123456789",
        );
        set(&mut settings.log_level, "warn");
        set(&mut settings.rtc_min_port, "20000");
        set(&mut settings.rtc_max_port, "20001");
        set(&mut settings.announced_ip, "203.0.113.5, localhost,203.0.113.5");
        set(
            &mut settings.frontend_url,
            "https://Meet.example.org/, http://localhost:3000",
        );
        set(&mut settings.max_rooms, "3");
        set(&mut settings.max_participants_per_room, "100");
        set(&mut settings.enable_tcp, "no");
        set(&mut settings.rtc_train_padding, "false");
        set(&mut settings.initial_outgoing_bitrate, "600000");
        set(&mut settings.server_id, "ms-1");
        set(&mut settings.region, "eu");
        set(&mut settings.drain_timeout_secs, "5");
        set(&mut settings.node_env, "production");
        set(&mut settings.trusted_proxies, "10.0.0.0/8,::1");
        set(&mut settings.codecs, "opus,AV1,vp8");
    }));
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        config.secrets.previous.as_deref(),
        Some("abcdef0123456789abcdef0123456789")
    );
    assert_eq!(config.log_level, "warn");
    assert_eq!(
        config.media.ports,
        PortRange {
            min: 20_000,
            max: 20_001
        }
    );
    let announced: Vec<String> = config.media.announced.iter().map(ToString::to_string).collect();
    assert_eq!(
        announced,
        ["203.0.113.5", "127.0.0.1"],
        "a name is resolved, a repeat is dropped"
    );
    let origins: Vec<&str> = config.http.allowed_origins.iter().map(Origin::as_str).collect();
    assert_eq!(origins, ["https://meet.example.org", "http://localhost:3000"]);
    assert_eq!(
        (config.capacity.rooms, config.capacity.participants_per_room),
        (3, 100)
    );
    assert_eq!(
        (
            config.capacity.transports_per_room,
            config.capacity.producers_per_room
        ),
        (400, 400)
    );
    assert_eq!(config.media.tcp, IceTcp::Disabled);
    assert_eq!(config.media.train_padding, TrainPadding::Off);
    assert_eq!(config.media.initial_outgoing_bitrate.0, 600_000);
    assert_eq!(
        (config.server_id.as_str(), config.region.as_str()),
        ("ms-1", "eu")
    );
    assert_eq!(config.drain_timeout, Duration::from_secs(5));
    assert_eq!(config.environment, Environment::Production);
    assert!(config.http.trusted_proxies.contains([10, 1, 2, 3].into()));
    assert_eq!(
        config.media.codecs,
        [CodecChoice::Opus, CodecChoice::Av1, CodecChoice::Vp8]
    );
}

/// What is wrong, and the message a person sees.
type Row = (fn(&mut Settings), &'static str);

#[test]
fn each_mistake_is_named_with_its_setting_and_a_way_out() {
    let rows: [Row; 26] = [
        (
            |s| set(&mut s.port, "http"),
            "PORT: `http` is not a whole number from 0 to 65535; set PORT to",
        ),
        (
            |s| set(&mut s.port, "70000"),
            "PORT: `70000` is not a whole number from 0 to 65535",
        ),
        (
            |s| set(&mut s.bind_ip, "eth0"),
            "BIND_IP: `eth0` is not an address of this machine",
        ),
        (
            |s| s.jwt_secret = None,
            "JWT_SECRET is not set: a media node verifies",
        ),
        (
            |s| set(&mut s.jwt_secret, "short"),
            "JWT_SECRET has 5 bytes; HS256 needs at least 32",
        ),
        (
            |s| set(&mut s.jwt_secret_previous, "short"),
            "JWT_SECRET_PREVIOUS has 5 bytes",
        ),
        (|s| set(&mut s.rtc_min_port, "20000"), ""),
        (
            |s| set(&mut s.rtc_max_port, "9000"),
            "RTC_MIN_PORT (10000) is above RTC_MAX_PORT (9000)",
        ),
        (
            |s| set(&mut s.rtc_max_port, "x"),
            "RTC_MAX_PORT: `x` is not a whole number",
        ),
        (
            |s| set(&mut s.rtc_min_port, "0"),
            "RTC_MIN_PORT: `0` is not a whole number from 1",
        ),
        (
            |s| set(&mut s.rtc_max_port, "10000"),
            "WORKERS is 2 but RTC_MIN_PORT to RTC_MAX_PORT holds only 1 port",
        ),
        (
            |s| set(&mut s.announced_ip, "no.such.name.invalid"),
            "ANNOUNCED_IP: `no.such.name.invalid` cannot be resolved",
        ),
        (
            |s| set(&mut s.announced_ip, "0.0.0.0"),
            "ANNOUNCED_IP: 0.0.0.0 is not an address clients can connect to",
        ),
        (
            |s| set(&mut s.announced_ip, "2001:db8::1"),
            "ANNOUNCED_IP: 2001:db8::1 does not belong to the address family of BIND_IP",
        ),
        (
            |s| set(&mut s.announced_ip, ","),
            "ANNOUNCED_IP: `,` is not a comma list of addresses",
        ),
        (
            |s| set(&mut s.frontend_url, "meet.example.org"),
            "FRONTEND_URL: `meet.example.org` is not an origin",
        ),
        (
            |s| set(&mut s.frontend_url, "*"),
            "FRONTEND_URL: `*` is not an origin",
        ),
        (
            |s| set(&mut s.workers, "0"),
            "WORKERS: `0` is not a whole number from 1 to 256",
        ),
        (
            |s| set(&mut s.max_rooms, "-1"),
            "MAX_ROOMS: `-1` is not a whole number",
        ),
        (
            |s| set(&mut s.max_participants_per_room, "0"),
            "MAX_PARTICIPANTS_PER_ROOM: `0` is not",
        ),
        (
            |s| set(&mut s.enable_tcp, "maybe"),
            "ENABLE_TCP: `maybe` is not `true` or `false`",
        ),
        (
            |s| set(&mut s.initial_outgoing_bitrate, "1"),
            "INITIAL_OUTGOING_BITRATE: `1` is not",
        ),
        (
            |s| set(&mut s.dtls_cert_file, "/no/such/file"),
            "DTLS_KEY_FILE is not set although DTLS_CERT_FILE is",
        ),
        (
            |s| set(&mut s.drain_timeout_secs, "soon"),
            "DRAIN_TIMEOUT_SECS: `soon` is not",
        ),
        (
            |s| set(&mut s.app_env, "home"),
            "APP_ENV: `home` is not `development`, `staging` or `production`",
        ),
        (
            |s| set(&mut s.codecs, "vp8"),
            "CODECS: `vp8` is not a comma list of opus",
        ),
    ];
    for (mistake, expected) in rows {
        let outcome = settings(mistake).check(Role::Media);
        if expected.is_empty() {
            let config = outcome.expect("a higher lower end takes the upper end with it");
            assert_eq!(
                config.media.ports,
                PortRange {
                    min: 20_000,
                    max: 20_100
                }
            );
            continue;
        }
        let errors = outcome.expect_err(expected);
        assert_eq!(errors.0.len(), 1, "{errors}");
        assert!(
            errors.to_string().starts_with(expected),
            "{errors}\nshould start with: {expected}"
        );
    }
}

#[test]
fn more_mistakes_are_all_named() {
    let errors = settings(|settings| {
        set(&mut settings.port, "x");
        set(&mut settings.jwt_secret, "y");
        set(&mut settings.workers, "z");
        set(&mut settings.codecs, "opus,opus");
        set(&mut settings.trusted_proxies, "10.0.0.0/33");
    })
    .check(Role::Media)
    .expect_err("five mistakes");
    let text = errors.to_string();
    for setting in ["PORT", "JWT_SECRET", "WORKERS", "CODECS", "TRUSTED_PROXIES"] {
        assert!(
            text.lines().any(|line| line.starts_with(setting)),
            "{setting} in\n{text}"
        );
    }
    assert_eq!(errors.0.len(), 5);
}

#[test]
fn in_production_the_announced_address_is_not_guessed() {
    let errors = settings(|settings| {
        settings.announced_ip = None;
        set(&mut settings.app_env, "production");
    })
    .check(Role::Media)
    .expect_err("no address");
    assert!(
        errors
            .to_string()
            .starts_with("ANNOUNCED_IP is not set: in production it cannot be guessed")
    );
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let errors = settings(|settings| {
        set(&mut settings.dtls_cert_file, "/no/such/certificate.pem");
        set(&mut settings.dtls_key_file, "/no/such/key.pem");
    })
    .check(Role::Media)
    .expect_err("no such files");
    let text = errors.to_string();
    assert!(
        text.contains("DTLS_CERT_FILE: cannot read `/no/such/certificate.pem`"),
        "{text}"
    );
    assert!(
        text.contains("DTLS_KEY_FILE: cannot read `/no/such/key.pem`"),
        "{text}"
    );
}

#[test]
fn secrets_are_never_shown() {
    let previous = "abcdef0123456789abcdef0123456789";
    let config = good(&settings(|settings| {
        set(&mut settings.jwt_secret_previous, previous)
    }));
    for text in [config.report(), format!("{config:?}")] {
        assert!(!text.contains(SECRET) && !text.contains(previous), "{text}");
    }
    assert!(config.report().contains("JWT_SECRET=(hidden, 32 bytes)\n"));
    assert!(config.report().contains("ANNOUNCED_IP=203.0.113.5\n"));
}

#[test]
fn ranges_contain_what_they_say() {
    let table = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
        ("0.0.0.0/0", "203.0.113.5", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("2001:db8::/32", "2001:db8:1::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("::/0", "2001:db9::1", true),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true),
    ];
    for (range, address, expected) in table {
        let parsed: IpRange = range.parse().expect("a range");
        assert_eq!(
            parsed.contains(address.parse().expect("an address")),
            expected,
            "{range} {address}"
        );
    }
    for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/x", "host"] {
        assert!(text.parse::<IpRange>().is_err(), "{text}");
    }
}

#[test]
fn a_node_registers_if_it_knows_where_and_as_what() {
    let check = |gateway: &str, own: &str, role| {
        let settings = Settings {
            jwt_secret: Some("s".repeat(32)),
            announced_ip: Some("127.0.0.1".to_owned()),
            gateway_url: Some(gateway.to_owned()),
            internal_url: Some(own.to_owned()),
            ..Settings::default()
        };
        settings.check(role)
    };
    let config = check(
        "http://one:4000/, http://two:4000",
        "http://media-1:3001/",
        Role::Media,
    );
    let registration = config
        .expect("nothing is wrong")
        .registration
        .expect("it registers");
    assert_eq!(registration.gateways, ["http://one:4000", "http://two:4000"]);
    assert_eq!(registration.url, "http://media-1:3001");
    assert!(
        check("", "http://media-1:3001", Role::Media)
            .expect("no gateways")
            .registration
            .is_none()
    );
    let together = check("http://one:4000", "http://media-1:3001", Role::Serve);
    assert!(together.expect("it has its gateway").registration.is_none());
    for (gateway, own, named) in [
        ("http://one:4000", "", "INTERNAL_URL is not set"),
        ("https://one:4000", "http://media-1:3001", "GATEWAY_URL"),
        ("one:4000", "http://media-1:3001", "GATEWAY_URL"),
        ("http://one:4000", "http://media-1:3001/api", "INTERNAL_URL"),
    ] {
        let errors = check(gateway, own, Role::Media).expect_err(named).to_string();
        assert!(errors.contains(named), "{errors}");
    }
}
