//! The public port over HTTPS, as a person runs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use edge::tls::client::{self, Trust};
use edge::tls::is_for;
use rcgen::{CertificateParams, KeyPair};

const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of one test's own.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("meeshy-https-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory of our own");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Puts a certificate for this name and its key there.
    fn issue(&self, name: &str) {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        std::fs::write(self.file("key.pem"), key.serialize_pem()).expect("our own file");
        std::fs::write(self.file("certificate.pem"), certificate.pem()).expect("our own file");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The binary without any setting of the machine the tests run on.
fn meeshy(words: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meeshy"));
    command
        .env_clear()
        .args(words)
        .env("DATA_DIR", data)
        .stdin(Stdio::null());
    command
        .env("PORT", "0")
        .env("RTC_MIN_PORT", "0")
        .env("RTC_MAX_PORT", "0")
        .env("BIND_IP", "127.0.0.1");
    command
}

/// A running server that ends with the test.
struct Server {
    child: Child,
    /// What it said when it was ready.
    said: String,
    port: u16,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut said)
            .expect("it says where it is");
        let place = said
            .trim()
            .trim_end_matches('/')
            .rsplit_once(':')
            .expect("a URL ends the line")
            .1;
        let port = place.parse().expect("a port ends the URL");
        Self { child, said, port }
    }

    fn connect(&self) -> client::TlsStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it accepts");
        client::connect(stream, "meeshy.test", Trust::Anybody).expect("a handshake")
    }

    /// Whether new connections are shown a certificate for this name.
    fn shows(&self, name: &str) -> bool {
        client::shown(&self.connect()).is_some_and(|certificate| is_for(&certificate, name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(stream: &mut client::TlsStream, path: &str) -> String {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: meeshy.test\r\nConnection: close\r\n\r\n"
    )
    .expect("it reads");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn certificates_from_files_are_shown_and_followed() {
    let scratch = Scratch::new();
    scratch.issue("first.test");
    let mut command = meeshy(&["serve"], &scratch.file("data"));
    command
        .env("TLS_CERT_FILE", scratch.file("certificate.pem"))
        .env("TLS_KEY_FILE", scratch.file("key.pem"));
    let server = Server::start(command);
    assert!(
        server
            .said
            .starts_with("Meeshy Calls is ready: https://127.0.0.1:"),
        "{}",
        server.said
    );
    let mut before = server.connect();
    assert!(server.shows("first.test"));

    // Half a change, and rubbish, change nothing.
    std::fs::write(scratch.file("key.pem"), "rubbish").expect("our own file");
    hang_up(&server);
    assert!(server.shows("first.test"));

    scratch.issue("second.test");
    hang_up(&server);
    let begun = Instant::now();
    while !server.shows("second.test") {
        assert!(begun.elapsed() < PATIENCE, "the new certificate is not shown");
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = get(&mut before, "/health");
    assert!(
        answer.starts_with("HTTP/1.1 200 OK"),
        "connections outlive a change: {answer}"
    );

    let mut health = meeshy(&["health"], &scratch.file("data"));
    health
        .env("PORT", server.port.to_string())
        .env("TLS_CERT_FILE", scratch.file("certificate.pem"));
    let health = health.output().expect("the binary runs");
    assert_eq!(
        health.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&health.stderr)
    );
}

fn hang_up(server: &Server) {
    let pid = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-HUP", &pid])
            .status()
            .expect("kill runs")
            .success()
    );
}

#[test]
fn files_that_do_not_fit_stop_the_start() {
    let scratch = Scratch::new();
    scratch.issue("first.test");
    let key = std::fs::read(scratch.file("key.pem")).expect("our own file");
    scratch.issue("second.test");
    std::fs::write(scratch.file("key.pem"), key).expect("our own file");
    let (certificate, key) = (scratch.file("certificate.pem"), scratch.file("key.pem"));
    let nowhere = scratch.file("nowhere.pem");
    let table: [(&[(&str, &Path)], &str); 3] = [
        (&[("TLS_CERT_FILE", &certificate)], "TLS_KEY_FILE is not set"),
        (
            &[("TLS_CERT_FILE", &nowhere), ("TLS_KEY_FILE", &key)],
            "TLS_CERT_FILE: cannot read",
        ),
        (
            &[("TLS_CERT_FILE", &certificate), ("TLS_KEY_FILE", &key)],
            "does not belong to the certificate",
        ),
    ];
    for (settings, expected) in table {
        let mut command = meeshy(&["serve"], &scratch.file("data"));
        command.envs(settings.iter().copied());
        let output = command.output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn on_the_lan_it_makes_its_own_certificate_and_keeps_it() {
    let scratch = Scratch::new();
    let shown = || {
        let server = Server::start(meeshy(&["serve", "--lan"], &scratch.file("data")));
        assert!(
            server
                .said
                .starts_with("Meeshy Calls is ready: https://127.0.0.1:"),
            "{}",
            server.said
        );
        let mut stream = server.connect();
        let shown = client::shown(&stream).expect("a certificate");
        for name in ["127.0.0.1", "localhost"] {
            assert!(is_for(&shown, name), "{name}");
        }
        assert!(get(&mut stream, "/health").starts_with("HTTP/1.1 200 OK"));
        shown
    };
    let first = shown();
    assert_eq!(
        first,
        shown(),
        "browsers that were told to go on need not be told again"
    );
}
