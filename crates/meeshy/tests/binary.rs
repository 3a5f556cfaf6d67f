//! The binary as a person runs it.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
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

/// A running server that ends with the test, and its data with it.
struct Server {
    child: Child,
    url: String,
    data: Scratch,
}

/// A directory of one test's own.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("meeshy-binary-{}-{number}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Never made is as good.
        let _ = std::fs::remove_dir_all(&self.0);
    }
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
        Self::start_in(Scratch::new(), mode, settings)
    }

    fn start_in(data: Scratch, mode: &str, settings: &[(&str, &str)]) -> Self {
        let mut command = meeshy(&[mode]);
        if mode == "serve" {
            command.env("DATA_DIR", data.path());
        }
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
        Self { child, url, data }
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

    /// Logs in by name; gives the token and who it is.
    async fn login(&self, name: &str) -> (String, Value) {
        let body = json!({ "username": name });
        let (status, answer) = self.post("/api/auth/dev-login", None, body).await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
        let token = answer["data"]["token"].as_str().expect("a token").to_owned();
        (token, answer["data"]["user"].clone())
    }

    /// A call between two people in a group; gives its id.
    async fn call(&self, token: &str, others: Value) -> String {
        let body = json!({"type": "group", "title": "Team", "memberIds": others});
        let (status, group) = self.post("/api/conversations", Some(token), body).await;
        assert_eq!(status, 201, "{group}");
        let body = json!({"conversationId": group["data"]["conversationId"], "type": "video"});
        let (status, call) = self.post("/api/calls", Some(token), body).await;
        assert_eq!(status, 201, "{call}");
        call["data"]["callId"].as_str().expect("an id").to_owned()
    }
}

#[tokio::test]
async fn two_people_log_in_and_call_each_other_without_any_setting() {
    let server = Server::start("serve", &[]);
    let (anna, _) = server.login("Anna").await;
    let (berta, account) = server.login("Berta").await;
    let call = server.call(&anna, json!([account["userId"]])).await;
    let path = format!("/api/calls/{call}/participants");
    let (status, joined) = server.post(&path, Some(&berta), json!({})).await;
    assert_eq!(
        (status, &joined["data"]["callId"]),
        (200, &json!(call)),
        "{joined}"
    );
    assert_eq!(
        joined["data"]["participants"].as_array().map(Vec::len),
        Some(2),
        "{joined}"
    );
}

#[tokio::test]
async fn logins_and_calls_survive_a_restart_and_secrets_are_kept_for_oneself() {
    let mut server = Server::start("serve", &[]);
    let (token, account) = server.login("Anna").await;
    let (_, berta) = server.login("Berta").await;
    let call = server.call(&token, json!([berta["userId"]])).await;
    for name in [
        "jwt-secret",
        "media-jwt-secret",
        "transcription-encryption-key",
        "ip-hash-key",
    ] {
        let metadata = std::fs::metadata(server.data.0.join(name)).expect("it is kept");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    // Nothing prepares it for this end.
    server.child.kill().expect("our own child");
    server.child.wait().expect("our own child");
    let data = Scratch(std::mem::take(&mut server.data.0));
    drop(server);
    let server = Server::start_in(data, "serve", &[]);
    let request = reqwest::Client::new()
        .get(format!("{}/api/calls/{call}", server.url))
        .bearer_auth(&token);
    let answer = request.send().await.expect("the server answers");
    let answer: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    assert_eq!(answer["data"]["callId"], json!(call), "{answer}");
    assert_eq!(answer["data"]["initiator"]["userId"], account["userId"]);
    assert_eq!(answer["data"]["endedAt"], Value::Null, "it goes on");
}

#[tokio::test]
async fn socket_io_keeps_its_sessions_from_one_request_to_the_next() {
    // Behind proxies that let no WebSocket through, a client has nothing but requests.
    let server = Server::start("serve", &[]);
    let (token, _) = server.login("anna").await;
    let http = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .expect("a client");
    let path = format!("{}/socket.io/?EIO=4&transport=polling", server.url);
    let body = |answer: reqwest::Response| async move {
        let status = answer.status().as_u16();
        let body = answer.text().await.expect("a body");
        assert_eq!(status, 200, "{body}");
        body
    };
    let open = body(http.get(&path).send().await.expect("an answer")).await;
    let open: Value = serde_json::from_str(open.trim_start_matches('0')).expect("JSON");
    let path = format!("{path}&sid={}", open["sid"].as_str().expect("a session"));
    let connect = format!("40{}", json!({ "token": token }));
    let taken = body(http.post(&path).body(connect).send().await.expect("an answer")).await;
    assert_eq!(taken, "ok");
    // A poll may be answered before there is anything to say but a ping.
    let mut said = String::new();
    for _ in 0..3 {
        said.push_str(&body(http.get(&path).send().await.expect("an answer")).await);
        if said.contains("40{\"sid\":") {
            return;
        }
    }
    panic!("{said}");
}

#[tokio::test]
async fn the_page_is_served_for_conversations_and_for_links() {
    let server = Server::start("serve", &[]);
    let host = server.url.trim_start_matches("http://");
    let connect = format!("connect-src 'self' ws://{host} wss://{host}");
    for path in ["/", "/c/65a1b2c3d4e5f60718293a4b", "/join/token"] {
        let page = server.get(path).await;
        assert_eq!(page.status().as_u16(), 200, "{path}");
        let header = |name: &str| page.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("cache-control"), "no-cache");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        assert!(policy.ends_with(&format!("; {connect}")), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("permissions-policy").contains("display-capture=(self)"));
        assert!(page.text().await.expect("a page").starts_with("<!doctype html>"));
    }
    for path in [
        "/assets/none.js",
        "/api/none",
        "/c/a/b",
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
    assert_eq!(config["data"]["videoCodecs"][0], "video/VP8");
    assert_eq!(config["data"]["devLogin"], true);
}

#[tokio::test]
async fn an_idle_server_ends_on_sigterm_with_success() {
    let mut server = Server::start("serve", &[]);
    assert_eq!(server.get("/ready").await.status().as_u16(), 200);
    server.terminate();
    assert_eq!(server.exit(), Some(0));
}

#[tokio::test]
async fn a_node_with_a_room_waits_for_it_until_told_twice() {
    let mut server = Server::start("media", &[("JWT_SECRET", SECRET)]);
    let minted = run(meeshy(&["token", "--role", "service"]).env("JWT_SECRET", SECRET));
    let token = text(&minted.stdout).trim().to_owned();
    let (status, _) = server
        .post("/api/rooms/call-1/create", Some(&token), Value::Null)
        .await;
    assert_eq!(status, 200);
    server.terminate();
    let deadline = Instant::now() + PATIENCE;
    while server.get("/ready").await.status().as_u16() != 503 {
        assert!(Instant::now() < deadline, "still ready");
    }
    let (status, answer) = server
        .post("/api/rooms/call-2/create", Some(&token), Value::Null)
        .await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (503, &json!("SERVER_AT_CAPACITY"))
    );
    assert!(
        server.child.try_wait().expect("our own child").is_none(),
        "the room goes on"
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
async fn the_node_alone_has_no_page_and_no_people() {
    let server = Server::start("media", &[("JWT_SECRET", SECRET)]);
    assert_eq!(server.get("/").await.status().as_u16(), 404);
    let (status, _) = server
        .post("/api/auth/dev-login", None, json!({"username": "Anna"}))
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
    assert!(text(&well.stdout).contains("\"status\":\"healthy\""));
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
    let data = Scratch::new();
    let refused = run(meeshy(&["serve"])
        .env("PORT", &port)
        .env("BIND_IP", "127.0.0.1")
        .env("DATA_DIR", data.path()));
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
        ("DATA_DIR", data.path()),
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

#[test]
fn the_gateway_alone_needs_to_be_told_what_it_shares() {
    let refused = run(meeshy(&["gateway"]).env("PORT", "0"));
    assert_eq!(refused.status.code(), Some(78));
    let said = text(&refused.stderr);
    for setting in [
        "JWT_SECRET",
        "DATABASE_URL",
        "MEDIA_SERVER_URL",
        "TRANSCRIPTION_ENCRYPTION_KEY",
    ] {
        assert!(
            said.contains(&format!("{setting} is not set")),
            "{setting} in\n{said}"
        );
    }
}

#[test]
fn looking_at_the_configuration_of_everything_writes_nothing() {
    let data = Scratch::new();
    let checked = run(meeshy(&["serve", "--check-config"]).env("DATA_DIR", data.path()));
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let shown = text(&checked.stdout);
    for line in [
        "PORT=4000",
        "RTC_MAX_PORT=10100",
        "RING_TIMEOUT_SECS=30",
        "DEV_LOGIN=true",
    ] {
        assert!(
            shown.lines().any(|candidate| candidate == line),
            "{line} in\n{shown}"
        );
    }
    assert!(!data.0.exists());
}

#[test]
fn the_schema_is_looked_at_and_brought_up_to_date() {
    let data = Scratch::new();
    let migrate = |words: &[&str]| {
        let words: Vec<&str> = ["migrate"].iter().chain(words).copied().collect();
        let done = run(meeshy(&words).env("DATA_DIR", data.path()));
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stdout)
    };
    assert!(migrate(&["up", "--dry-run"]).contains("would run"));
    assert!(!data.0.exists(), "a dry run makes nothing");
    assert!(migrate(&["up"]).contains("ran now"));
    let status = migrate(&["status"]);
    assert!(
        status.contains("ran at") && !status.contains("pending"),
        "{status}"
    );
    assert_eq!(migrate(&["up"]), status, "a second time changes nothing");
    for command in ["repair", "purge"] {
        let done = run(meeshy(&[command]).env("DATA_DIR", data.path()));
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert!(text(&done.stdout).contains(": 0"), "{}", text(&done.stdout));
    }
}

#[test]
fn a_users_token_needs_the_user() {
    let incomplete = run(meeshy(&["token", "--role", "user"]).env("JWT_SECRET", SECRET));
    assert!(text(&incomplete.stderr).contains("--user-id"));
    for role in ["user", "admin"] {
        let words = ["token", "--role", role, "--user-id", "65a1b2c3d4e5f60718293a4b"];
        let minted = run(meeshy(&words).env("JWT_SECRET", SECRET));
        assert_eq!(text(&minted.stdout).trim().split('.').count(), 3, "{role}");
    }
}
