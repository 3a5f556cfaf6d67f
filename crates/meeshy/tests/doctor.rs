//! `meeshy doctor` as a person runs it.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

const SECRET: &str = "a secret of more than thirty-two bytes";

/// A directory of one test's own.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("meeshy-doctor-{}-{number}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Never made is as good.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The binary without any setting of the machine the tests run on.
fn meeshy(words: &[&str], data: &Scratch, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meeshy"));
    command
        .env_clear()
        .args(words)
        .env("DATA_DIR", &data.0)
        .stdin(Stdio::null());
    command.env("BIND_IP", "127.0.0.1").env("WORKERS", "1");
    command
        .env("RTC_MIN_PORT", "0")
        .env("RTC_MAX_PORT", "0")
        .env("PORT", "0");
    command.envs(settings.iter().copied());
    command
}

/// What the doctor says with these settings, and its exit status.
struct Said {
    status: Option<i32>,
    report: Value,
}

impl Said {
    fn of(output: &Output) -> Self {
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|error| {
            let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
            panic!("{error}: {out}{err}")
        });
        Self {
            status: output.status.code(),
            report,
        }
    }

    /// The findings of this name: verdict, message and remedy in one line each.
    fn found(&self, name: &str) -> Vec<String> {
        let findings = self.report["findings"].as_array().expect("a list");
        let of_name = findings.iter().filter(|finding| finding["name"] == name);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        of_name
            .map(|finding| {
                format!(
                    "{}: {} -> {}",
                    text(&finding["verdict"]),
                    text(&finding["message"]),
                    text(&finding["remedy"])
                )
            })
            .collect()
    }

    fn one(&self, name: &str) -> String {
        let found = self.found(name);
        assert_eq!(found.len(), 1, "{name}: {:#}", self.report);
        found[0].clone()
    }
}

fn doctor(data: &Scratch, words: &[&str], settings: &[(&str, &str)]) -> Said {
    let words: Vec<&str> = ["doctor", "--json"].iter().chain(words).copied().collect();
    Said::of(&meeshy(&words, data, settings).output().expect("the binary runs"))
}

/// A port that is free for datagrams and streams.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        if UdpSocket::bind(address).is_ok() {
            return address.port();
        }
    }
}

#[test]
fn a_machine_that_is_well_gets_0_and_1_only_where_warnings_count() {
    let data = Scratch::new();
    let said = doctor(&data, &[], &[]);
    assert_eq!(said.status, Some(0), "{:#}", said.report);
    assert_eq!(said.report["role"], "serve");
    assert_eq!(
        said.report["verdict"], "warning",
        "ports that nobody can open: {:#}",
        said.report
    );
    assert!(said.one("settings").starts_with("ok"), "{:#}", said.report);
    assert!(said.one("http.port").starts_with("ok"), "{:#}", said.report);
    assert!(said.one("database").starts_with("ok"), "{:#}", said.report);
    assert!(
        said.one("media.ports").contains("set RTC_MIN_PORT"),
        "{:#}",
        said.report
    );
    assert!(!data.0.exists(), "looking changes nothing");
    assert_eq!(doctor(&data, &["--strict"], &[]).status, Some(1));
}

#[test]
fn wrong_settings_are_78_as_when_starting_with_them() {
    let data = Scratch::new();
    let said = doctor(&data, &["--role", "media"], &[("WORKERS", "many")]);
    assert_eq!(said.status, Some(78), "{:#}", said.report);
    let settings = said.found("settings").join("\n");
    assert!(
        settings.contains("WORKERS") && settings.contains("JWT_SECRET"),
        "{settings}"
    );
}

#[test]
fn what_is_taken_closed_or_broken_is_a_problem() {
    let data = Scratch::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let silent = std::thread::spawn(move || {
        // Whoever comes is not spoken to.
        drop(taken.accept());
        drop(taken.accept());
    });
    let media = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let range = media.local_addr().expect("bound").port().to_string();
    let closed = free_port();
    let database = format!("postgres://meeshy:sesame@127.0.0.1:{closed}/meeshy");
    let turn = format!("turn:127.0.0.1:{closed}?transport=tcp");
    let stun = format!("stun:127.0.0.1:{closed}");
    let certificate = data.0.with_extension("pem");
    std::fs::write(&certificate, "rubbish").expect("our own file");
    let file = certificate.to_str().expect("a plain path");
    let settings = [
        ("PORT", port.as_str()),
        ("RTC_MIN_PORT", &range),
        ("RTC_MAX_PORT", &range),
        ("DATABASE_URL", &database),
        ("TURN_URLS", &turn),
        ("TURN_SECRET", SECRET),
        ("STUN_URLS", &stun),
        ("TLS_CERT_FILE", file),
        ("TLS_KEY_FILE", file),
        ("DTLS_CERT_FILE", file),
        ("DTLS_KEY_FILE", file),
        ("REDIS_URL", "redis://127.0.0.1:1"),
    ];
    let said = doctor(
        &data,
        &["--url", &format!("http://127.0.0.1:{closed}")],
        &settings,
    );
    std::fs::remove_file(&certificate).expect("our own file");
    assert_eq!(said.status, Some(2), "{:#}", said.report);
    let expected = [
        ("http.port", "problem", "set PORT"),
        ("media.ports", "problem", "set RTC_MIN_PORT"),
        ("database", "problem", "set DATABASE_URL"),
        ("turn", "problem", "TURN_URLS"),
        ("stun", "problem", "set STUN_URLS"),
        ("tls.certificate", "problem", "TLS_CERT_FILE"),
        ("dtls.certificate", "problem", "DTLS_CERT_FILE"),
        ("redis", "warning", "unset it"),
        ("site", "problem", "start the server"),
    ];
    for (name, verdict, remedy) in expected {
        let one = said.one(name);
        assert!(one.starts_with(verdict) && one.contains(remedy), "{name}: {one}");
    }
    assert!(!said.report.to_string().contains("sesame"), "{:#}", said.report);
    silent.join().expect("no panic");
}

/// A running server that ends with the test.
struct Server(Child);

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it is");
        assert!(line.contains("is ready"), "{line}");
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_media_ports_of_a_running_server_are_asked() {
    let data = Scratch::new();
    let (port, media) = (free_port().to_string(), free_port().to_string());
    let settings = [
        ("PORT", port.as_str()),
        ("RTC_MIN_PORT", &media),
        ("RTC_MAX_PORT", &media),
    ];
    let server = Server::start(meeshy(&["serve"], &data, &settings));
    let url = format!("http://127.0.0.1:{port}");
    let said = doctor(&data, &["--url", &url], &settings);
    assert_ne!(said.report["verdict"], "problem", "{:#}", said.report);
    assert!(
        said.one("http.port").contains("a server of ours answers"),
        "{:#}",
        said.report
    );
    assert!(
        said.one("media.ports")
            .contains("the running server has its 1 port(s)"),
        "{:#}",
        said.report
    );
    let answers = said.found("media.answer");
    for transport in ["UDP", "TCP"] {
        let expected = format!("ok: {transport} 127.0.0.1:{media} answers");
        assert!(
            answers.iter().any(|answer| answer.starts_with(&expected)),
            "{expected}: {answers:?}"
        );
    }
    assert!(
        said.one("site").contains("is ready for calls"),
        "{:#}",
        said.report
    );
    assert!(
        said.found("clock").iter().all(|clock| clock.starts_with("ok")),
        "{:#}",
        said.report
    );
    drop(server);
    let said = doctor(&data, &[], &settings);
    assert!(
        said.one("media.answer").contains("does not run"),
        "{:#}",
        said.report
    );
    assert!(
        said.one("database").contains("migrations ran"),
        "{:#}",
        said.report
    );
}

#[test]
fn a_gateway_is_told_of_nodes_that_are_away_or_know_another_secret() {
    let data = Scratch::new();
    let (port, away) = (free_port().to_string(), free_port());
    let own = [("PORT", port.as_str()), ("JWT_SECRET", SECRET)];
    let node = Server::start(meeshy(&["media"], &data, &own));
    let look = |nodes: &str, secret: &str| {
        let database = format!("sqlite://{}/x.db", data.0.display());
        let key = "0123456789abcdef".repeat(4);
        let settings = [
            ("MEDIA_SERVER_URL", nodes),
            ("JWT_SECRET", SECRET),
            ("MEDIA_JWT_SECRET", secret),
            ("DATABASE_URL", &database),
            ("TRANSCRIPTION_ENCRYPTION_KEY", &key),
        ];
        doctor(&data, &["--role", "gateway"], &settings)
    };
    let here = format!("http://127.0.0.1:{port}");
    let good = look(&here, SECRET);
    assert_eq!(good.status, Some(0), "{:#}", good.report);
    assert!(
        good.found("media.answer")
            .iter()
            .all(|answer| answer.contains("answers in")),
        "{:#}",
        good.report
    );
    assert!(good.found("media.ports").is_empty(), "a gateway has none");

    let wrong = look(&here, "another secret of more than thirty-two bytes");
    assert_eq!(wrong.status, Some(2));
    assert!(
        wrong.one("media.answer").contains("set MEDIA_JWT_SECRET"),
        "{:#}",
        wrong.report
    );

    let both = look(&format!("{here},http://127.0.0.1:{away}"), SECRET);
    assert_eq!(both.status, Some(2));
    assert!(
        both.found("media.answer")
            .iter()
            .any(|answer| answer.starts_with("problem")),
        "{:#}",
        both.report
    );
    drop(node);
}
