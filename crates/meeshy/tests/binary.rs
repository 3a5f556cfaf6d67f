//! The binary as a person runs it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const SECRET: &str = "a secret of more than thirty-two bytes";
const PATIENCE: Duration = Duration::from_secs(20);

/// The binary without any setting of the machine the tests run on.
fn meeshy(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meeshy"));
    command.env_clear().args(words).stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running server that ends with the test.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(mode: &str, settings: &[(&str, &str)]) -> Self {
        let mut command = meeshy(&[mode]);
        command
            .env("PORT", "0")
            .env("RTC_MIN_PORT", "0")
            .env("RTC_MAX_PORT", "0")
            .env("BIND_IP", "127.0.0.1");
        command
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it is");
        let url = line
            .trim()
            .rsplit_once(' ')
            .map(|(_, url)| url.to_owned())
            .expect("a URL ends the line");
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        assert!(line.starts_with("Meeshy Calls"), "{line}");
        Self { child, url }
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .expect("kill runs")
                .success()
        );
    }

    /// The exit status, if the server ends by itself in time.
    fn exit(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .body(body.to_string());
        let request = token
            .into_iter()
            .fold(request, |request, token| request.bearer_auth(token));
        let response = request.send().await.expect("the server answers");
        let status = response.status().as_u16();
        (
            status,
            serde_json::from_str(&response.text().await.expect("a body")).expect("JSON"),
        )
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("{}{path}", self.url))
            .await
            .expect("the server answers")
    }

    async fn join(&self, room: &str, name: &str) -> Value {
        let (status, answer) = self
            .post("/api/lobby/join", None, json!({"room": room, "name": name}))
            .await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
        answer["data"].clone()
    }
}

#[tokio::test]
async fn people_who_name_the_same_room_meet() {
    let server = Server::start("serve", &[]);
    let anna = server.join("Team Standup", "Anna").await;
    let berta = server.join("team-standup", "Berta").await;
    assert_eq!(anna["callId"], berta["callId"]);
    assert_ne!(anna["participantId"], berta["participantId"]);
    assert_eq!((&anna["url"], &anna["iceServers"]), (&json!(""), &json!([])));
    let expires = anna["tokenExpiresAt"].as_str().expect("a time");
    assert!(expires.ends_with('Z') && expires.len() == 24, "{expires}");
    // The token opens the room that the lobby made.
    let token = anna["token"].as_str().expect("a token");
    let call = anna["callId"].as_str().expect("a call");
    let request = json!({"participantId": anna["participantId"], "direction": "send"});
    let (status, answer) = server
        .post(&format!("/api/rooms/{call}/transports"), Some(token), request)
        .await;
    assert_eq!(status, 200, "{answer}");
    let (status, refreshed) = server.post("/api/lobby/refresh", Some(token), Value::Null).await;
    assert_eq!(status, 200, "{refreshed}");
    let fresh = refreshed["data"]["token"].as_str().expect("a token");
    let request = json!({"participantId": anna["participantId"], "direction": "recv"});
    let (status, _) = server
        .post(&format!("/api/rooms/{call}/transports"), Some(fresh), request)
        .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_lobby_refuses_what_is_no_name_and_no_token() {
    let server = Server::start("serve", &[]);
    let long = "x".repeat(65);
    let bodies = [
        json!({}),
        json!({"room": "daily"}),
        json!({"room": "daily", "name": ""}),
        json!({"room": "  ", "name": "Anna"}),
        json!({"room": long, "name": "Anna"}),
        json!({"room": "daily", "name": long}),
        json!({"room": "daily", "name": "a\u{7}b"}),
        json!({"room": 1, "name": "Anna"}),
        json!("daily"),
    ];
    for body in bodies {
        let (status, answer) = server.post("/api/lobby/join", None, body.clone()).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!("INVALID_REQUEST")),
            "{body}"
        );
    }
    for token in [None, Some("nonsense")] {
        let (status, answer) = server.post("/api/lobby/refresh", token, Value::Null).await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!("UNAUTHORIZED")));
    }
}

#[tokio::test]
async fn joining_is_limited_and_a_full_room_says_so() {
    let server = Server::start("serve", &[("MAX_PARTICIPANTS_PER_ROOM", "1"), ("MAX_ROOMS", "2")]);
    let anna = server.join("small", "Anna").await;
    let token = anna["token"].as_str().expect("a token");
    let request = json!({"participantId": anna["participantId"], "direction": "send"});
    let (status, _) = server
        .post("/api/rooms/small/transports", Some(token), request)
        .await;
    assert_eq!(status, 200);
    let (status, answer) = server
        .post("/api/lobby/join", None, json!({"room": "small", "name": "Berta"}))
        .await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("ROOM_FULL")));
    server.join("other", "Berta").await;
    let (status, answer) = server
        .post("/api/lobby/join", None, json!({"room": "third", "name": "Carla"}))
        .await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (503, &json!("SERVER_AT_CAPACITY"))
    );
    let mut refused = None;
    for _ in 0..130 {
        let (status, answer) = server
            .post("/api/lobby/join", None, json!({"room": "other", "name": "Berta"}))
            .await;
        if status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("nobody joins so often");
    assert_eq!(refused["error"]["code"], "RATE_LIMIT_EXCEEDED");
    assert!(
        refused["error"]["retryAfter"]
            .as_u64()
            .is_some_and(|seconds| (1..=60).contains(&seconds))
    );
}

#[tokio::test]
async fn the_page_is_served_for_the_lobby_and_for_links_to_rooms() {
    let server = Server::start("serve", &[]);
    for path in ["/", "/r/team-standup", "/r/Caf%C3%A9"] {
        let page = server.get(path).await;
        assert_eq!(page.status().as_u16(), 200, "{path}");
        let header = |name: &str| page.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("cache-control"), "no-cache");
        assert!(
            header("content-security-policy").starts_with("default-src 'self'; connect-src 'self' ws: wss:;")
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("permissions-policy").contains("display-capture=(self)"));
        assert!(page.text().await.expect("a page").starts_with("<!doctype html>"));
    }
    for path in [
        "/assets/none.js",
        "/api/none",
        "/r/a/b",
        "/.git/config",
        "/../Cargo.toml",
    ] {
        let missing = server.get(path).await;
        assert_eq!(missing.status().as_u16(), 404, "{path}");
        let answer: Value = serde_json::from_str(&missing.text().await.expect("a body")).expect("JSON");
        assert_eq!(answer["error"]["code"], "NOT_FOUND");
    }
    let config: Value =
        serde_json::from_str(&server.get("/api/config").await.text().await.expect("a body")).expect("JSON");
    assert_eq!(config["data"]["maxParticipants"], 50);
    assert_eq!(config["data"]["features"]["videoCodecs"][0], "video/VP8");
}

#[tokio::test]
async fn an_idle_server_ends_on_sigterm_with_success() {
    let mut server = Server::start("serve", &[]);
    assert_eq!(server.get("/ready").await.status().as_u16(), 200);
    server.terminate();
    assert_eq!(server.exit(), Some(0));
}

#[tokio::test]
async fn a_server_with_a_call_waits_for_it_until_told_twice() {
    let mut server = Server::start("serve", &[]);
    server.join("daily", "Anna").await;
    server.terminate();
    let deadline = Instant::now() + PATIENCE;
    while server.get("/ready").await.status().as_u16() != 503 {
        assert!(Instant::now() < deadline, "still ready");
    }
    let (status, answer) = server
        .post("/api/lobby/join", None, json!({"room": "new", "name": "Berta"}))
        .await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (503, &json!("SERVER_AT_CAPACITY"))
    );
    assert!(
        server.child.try_wait().expect("our own child").is_none(),
        "the call goes on"
    );
    server.terminate();
    assert_eq!(server.exit(), Some(0));
    let mut said = String::new();
    server
        .child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut said)
        .expect("text");
    assert!(
        said.contains("waiting for 1 call(s) to end; stop again to end them now"),
        "{said}"
    );
}

#[tokio::test]
async fn the_node_alone_has_no_page_and_no_lobby() {
    let server = Server::start("media", &[("JWT_SECRET", SECRET)]);
    assert_eq!(server.get("/").await.status().as_u16(), 404);
    let (status, _) = server
        .post("/api/lobby/join", None, json!({"room": "daily", "name": "Anna"}))
        .await;
    assert_eq!(status, 404);
    let minted = run(meeshy(&["token", "--role", "service"]).env("JWT_SECRET", SECRET));
    let token = text(&minted.stdout);
    let (status, answer) = server
        .post("/api/rooms/call-1/create", Some(token.trim()), Value::Null)
        .await;
    assert_eq!((status, &answer["data"]["roomId"]), (200, &json!("call-1")));
}

#[tokio::test]
async fn health_is_an_exit_status() {
    let server = Server::start("serve", &[]);
    let well = run(&mut meeshy(&["health", "--url", &server.url]));
    assert!(well.status.success());
    assert!(text(&well.stdout).contains("\"status\":\"ok\""));
    assert!(
        run(&mut meeshy(&["health", "--ready", "--url", &server.url]))
            .status
            .success()
    );
    let port = server.url.rsplit_once(':').expect("a port").1.to_owned();
    assert!(run(meeshy(&["health"]).env("PORT", &port)).status.success());
    drop(server);
    let gone = run(&mut meeshy(&["health", "--port", &port]));
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("does not answer"));
}

#[test]
fn wrong_settings_are_named_and_nothing_starts() {
    let rows: [(&[(&str, &str)], &str); 6] = [
        (&[], "JWT_SECRET is not set"),
        (
            &[("JWT_SECRET", "weak")],
            "JWT_SECRET has 4 bytes; HS256 needs at least 32",
        ),
        (
            &[("JWT_SECRET", SECRET), ("ANNOUNCED_IP", "no.such.name.invalid")],
            "ANNOUNCED_IP: `no.such.name.invalid` cannot be resolved",
        ),
        (
            &[("JWT_SECRET", SECRET), ("WORKERS", "none")],
            "WORKERS: `none` is not a whole number",
        ),
        (
            &[("JWT_SECRET", SECRET), ("LOG_LEVEL", "a=b=c")],
            "LOG_LEVEL: `a=b=c` is not a log level",
        ),
        (
            &[
                ("JWT_SECRET", SECRET),
                ("DTLS_CERT_FILE", "/none.pem"),
                ("DTLS_KEY_FILE", "/none.pem"),
            ],
            "DTLS_CERT_FILE: cannot read `/none.pem`",
        ),
    ];
    for (settings, expected) in rows {
        let refused = run(meeshy(&["media"]).envs(settings.iter().copied()).env("PORT", "0"));
        assert!(!refused.status.success());
        assert!(
            text(&refused.stderr).contains(expected),
            "{}",
            text(&refused.stderr)
        );
        assert!(!text(&refused.stderr).contains(SECRET));
    }
}

#[test]
fn ports_that_are_taken_are_named_with_their_setting() {
    let http = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = http.local_addr().expect("bound").port().to_string();
    let refused = run(meeshy(&["serve"]).env("PORT", &port).env("BIND_IP", "127.0.0.1"));
    assert_eq!(refused.status.code(), Some(78));
    assert!(
        text(&refused.stderr).contains("PORT: cannot listen on 127.0.0.1:"),
        "{}",
        text(&refused.stderr)
    );

    let media = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = media.local_addr().expect("bound").port().to_string();
    let settings = [
        ("PORT", "0"),
        ("BIND_IP", "127.0.0.1"),
        ("WORKERS", "1"),
        ("RTC_MIN_PORT", port.as_str()),
        ("RTC_MAX_PORT", port.as_str()),
    ];
    let refused = run(meeshy(&["serve"]).envs(settings));
    assert_eq!(refused.status.code(), Some(78));
    assert!(
        text(&refused.stderr).contains("RTC_MIN_PORT-RTC_MAX_PORT"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn checking_the_configuration_shows_it_without_secrets() {
    let checked = run(meeshy(&["media", "--check-config", "--workers", "3"]).env("JWT_SECRET", SECRET));
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let shown = text(&checked.stdout);
    for line in ["PORT=3001", "WORKERS=3", "RTC_MAX_PORT=10100", "MAX_ROOMS=10"] {
        assert!(
            shown.lines().any(|candidate| candidate == line),
            "{line} in\n{shown}"
        );
    }
    assert!(!shown.contains(SECRET));
}

#[test]
fn a_token_needs_what_it_is_for() {
    let incomplete = run(meeshy(&["token", "--call-id", "call-1"]).env("JWT_SECRET", SECRET));
    assert_eq!(incomplete.status.code(), Some(1));
    assert!(text(&incomplete.stderr).contains("--participant-id"));
    let words = [
        "token",
        "--call-id",
        "call-1",
        "--participant-id",
        "anna",
        "--ttl",
        "5",
    ];
    let minted = run(meeshy(&words).env("JWT_SECRET", SECRET));
    assert_eq!(text(&minted.stdout).trim().split('.').count(), 3);
    let bad =
        run(meeshy(&["token", "--call-id", "no call", "--participant-id", "anna"]).env("JWT_SECRET", SECRET));
    assert!(!bad.status.success());
}
