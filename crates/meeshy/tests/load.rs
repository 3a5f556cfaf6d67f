//! `meeshy load` against a real media node, both as a person runs them.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const SECRET: &str = "a secret of more than thirty-two bytes";

/// The binary without any setting of the machine the tests run on.
fn meeshy(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meeshy"));
    command.env_clear().args(words).stdin(Stdio::null());
    command
}

/// A running media node, or everything, that ends with the test.
struct Server {
    child: Child,
    url: String,
    data: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already, or never made, is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

impl Server {
    fn start(mode: &str, name: &str) -> Self {
        let data = scratch(name);
        let mut child = meeshy(&[mode])
            .env("JWT_SECRET", SECRET)
            .env("MEDIA_JWT_SECRET", SECRET)
            .env("DATA_DIR", &data)
            .env("BIND_IP", "127.0.0.1")
            .env("PORT", "0")
            .env("RTC_MIN_PORT", "0")
            .env("RTC_MAX_PORT", "0")
            .env("WORKERS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it is");
        let url = line.trim().rsplit_once(' ').map(|(_, url)| url.to_owned());
        Self {
            child,
            url: url.expect("a URL ends the line"),
            data,
        }
    }

    /// Rooms it has.
    fn rooms(&self) -> u64 {
        let host = self.url.strip_prefix("http://").expect("plain HTTP");
        let mut stream = TcpStream::connect(host).expect("it listens");
        let request = format!("GET /api/stats HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let stats: Value = serde_json::from_str(body).expect("JSON");
        stats["data"]["rooms"].as_u64().expect("a number")
    }

    /// The load that tests put on it: one call of three who all see and hear each other.
    fn load(&self, secret: &str, more: &[&str]) -> Command {
        let mut command = meeshy(&["load", "--url", &self.url, "--participants", "3", "--settle", "1"]);
        command.env("MEDIA_JWT_SECRET", secret).args(more);
        command
    }
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("meeshy-load-{}-{name}", std::process::id()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A load whose measurement of this many seconds has begun.
fn measuring(server: &Server, seconds: &str) -> Child {
    let mut load = server
        .load(SECRET, &["--duration", seconds])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tester starts");
    // Without a terminal it says a line per phase.
    let phases = BufReader::new(load.stderr.take().expect("piped")).lines();
    let began = phases.map_while(Result::ok).any(|line| line == "measuring");
    assert!(began, "the measurement began");
    load
}

#[track_caller]
fn expect_code(output: &Output, code: i32) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
}

#[test]
fn a_good_run_says_so_in_text_and_json() {
    let server = Server::start("media", "good");
    let file = scratch("good.json");
    let pid = server.child.id().to_string();
    let path = file.to_str().expect("a plain path");
    let options = [
        "--duration",
        "3",
        "--verify",
        "all",
        "--server-pid",
        &pid,
        "--json",
        path,
    ];
    let output = server.load(SECRET, &options).output().expect("the tester runs");
    expect_code(&output, 0);
    let said = text(&output.stdout);
    assert!(said.contains("12 of 12 live"), "{said}");
    let json = std::fs::read_to_string(&file).expect("the report was written");
    std::fs::remove_file(&file).expect("it was there");
    let report: Value = serde_json::from_str(&json).expect("JSON");
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).expect("a number");
    assert_eq!(number("/streams/requested"), 12.0);
    assert_eq!(number("/streams/live"), 12.0);
    for nothing in ["failed", "misrouted", "strange"] {
        assert_eq!(number(&format!("/authentication/{nothing}")), 0.0, "{nothing}");
    }
    // Every packet was checked, audio alone being 6 streams of 50 packets a second for 3 seconds.
    assert!(number("/authentication/verified") > 600.0, "{json}");
    assert!(
        number("/authentication/verified") >= number("/traffic/forwarded"),
        "{json}"
    );
    assert!(number("/latency/samples") > 600.0, "{json}");
    assert!(
        number("/latency/max") > 0.0 && number("/join/firstPacketP95") > 0.0,
        "{json}"
    );
    assert!(number("/server/memory") > 1.0, "{json}");
}

#[test]
fn a_server_that_dies_leaves_streams_that_are_not_live() {
    let mut server = Server::start("media", "dies");
    let load = measuring(&server, "4");
    server.child.kill().expect("our own child");
    let output = load.wait_with_output().expect("the tester ends");
    expect_code(&output, 2);
    assert!(
        text(&output.stdout).contains("0 of 12 live"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn an_interrupted_run_leaves_its_rooms_and_reports_what_it_has() {
    let server = Server::start("media", "interrupted");
    let load = measuring(&server, "600");
    assert_eq!(server.rooms(), 1);
    let pid = load.id().to_string();
    let told = Command::new("kill").args(["-INT", &pid]).status();
    assert!(told.expect("kill runs").success());
    let output = load.wait_with_output().expect("the tester ends");
    let said = text(&output.stdout);
    // So soon, a stream may not have flowed yet in the measurement; it was not silent for too long either.
    expect_code(&output, 4);
    assert!(
        said.contains("of 12 live") && said.contains("stopped early"),
        "{said}"
    );
    assert_eq!(server.rooms(), 0, "the room was destroyed");
}

#[test]
fn a_wrong_secret_is_told_and_nothing_is_measured() {
    let server = Server::start("media", "secret");
    let output = server
        .load("another secret of more than thirty-two bytes", &[])
        .output()
        .expect("the tester runs");
    expect_code(&output, 1);
    assert!(
        text(&output.stderr).contains("UNAUTHORIZED"),
        "{}",
        text(&output.stderr)
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_gateway_is_not_a_node_and_nobody_is_neither() {
    let gateway = Server::start("serve", "gateway");
    let output = gateway.load(SECRET, &[]).output().expect("the tester runs");
    expect_code(&output, 1);
    assert!(
        text(&output.stderr).contains("media node"),
        "{}",
        text(&output.stderr)
    );
    let url = gateway.url.clone();
    drop(gateway);
    let output = meeshy(&["load", "--secret", SECRET, "--url", &url])
        .output()
        .expect("the tester runs");
    expect_code(&output, 1);
    assert!(
        text(&output.stderr).contains("does not answer"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn wrong_options_are_usage_errors_and_help_is_none() {
    for wrong in [
        ["load", "--secret", SECRET, "--verify", "2/3"],
        ["load", "--secret", SECRET, "--participants", "many"],
        ["load", "--secret", SECRET, "--ramp", "0"],
    ] {
        let output = meeshy(&wrong).output().expect("the tester runs");
        expect_code(&output, 1);
        assert!(!output.stderr.is_empty(), "{wrong:?}");
    }
    let output = meeshy(&["load", "--help"]).output().expect("the tester runs");
    expect_code(&output, 0);
    assert!(text(&output.stdout).contains("Exit codes"), "they are documented");
}
