//! Against coturn, as Debian ships it, and against servers that are none.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::hmac;
use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use turn_check::{Asking, Credentials, Fault, Loop, ServerUrl, Step, binding, relay};

const SECRET: &str = "shared with the relay, 0123456789abcdef";
/// On a busy machine a relay takes its time.
const PATIENCE: Duration = Duration::from_secs(20);
/// For what never comes.
const SHORT: Duration = Duration::from_millis(1200);

/// A relay on loopback that ends with the test.
struct Relay {
    child: Child,
    folder: PathBuf,
    port: u16,
    tls_port: u16,
    authority: CertificateDer<'static>,
}

impl Relay {
    async fn start(more: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("meeshy-turn-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let (certificate_file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&certificate_file, certificate.pem()).expect("our own file");
        std::fs::write(&key_file, key.serialize_pem()).expect("our own file");
        let (port, tls_port) = (free_port(), free_port());
        let log = std::fs::File::create(folder.join("log")).expect("our own file");
        let mut command = Command::new("turnserver");
        command
            .args(["-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"])
            .args([
                "--listening-port",
                &port.to_string(),
                "--tls-listening-port",
                &tls_port.to_string(),
            ])
            .args([
                "--min-port",
                "49152",
                "--max-port",
                "65535",
                "--realm",
                "meeshy.test",
            ])
            .args([
                "--use-auth-secret",
                "--static-auth-secret",
                SECRET,
                "--fingerprint",
                "--stale-nonce=600",
            ])
            .args([
                "--no-cli",
                "--no-dtls",
                "--log-file",
                "stdout",
                "--simple-log",
                "--verbose",
            ])
            .arg("--cert")
            .arg(&certificate_file)
            .arg("--pkey")
            .arg(&key_file)
            .arg("--pidfile")
            .arg(folder.join("pid"))
            .arg("--userdb")
            .arg(folder.join("db"))
            .args(more)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("our own file"))
            .stderr(log);
        let child = command
            .spawn()
            .expect("coturn is installed: apt-get install coturn");
        let relay = Self {
            child,
            folder,
            port,
            tls_port,
            authority: certificate.der().clone(),
        };
        relay.ready().await;
        relay
    }

    async fn ready(&self) {
        let begun = Instant::now();
        let url: ServerUrl = format!("stun:127.0.0.1:{}", self.port).parse().expect("a URL");
        let asking = Asking {
            patience: SHORT,
            ..self.asking()
        };
        while let Err(fault) = binding::stun(&url, &asking).await {
            let mut log = String::new();
            let mut file = std::fs::File::open(self.folder.join("log")).expect("our own file");
            file.read_to_string(&mut log).expect("text");
            assert!(begun.elapsed() < Duration::from_secs(60), "{fault}: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn url(&self, way: &str) -> ServerUrl {
        let text = match way {
            "tls" => format!("turns:localhost:{}", self.tls_port),
            _ => format!("turn:127.0.0.1:{}?transport={way}", self.port),
        };
        text.parse().expect("a URL")
    }

    /// Believes this relay's certificate and no other.
    fn asking(&self) -> Asking {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).expect("a certificate");
        let tls = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Asking {
            patience: PATIENCE,
            tls: tls.into(),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
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

/// Credentials as the gateway hands them out.
fn credentials(secret: &str, lifetime: Duration) -> Credentials {
    let ends = SystemTime::now() + lifetime;
    let ends = ends
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let username = format!("{ends}:check");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let password = base64(hmac::sign(&key, username.as_bytes()).as_ref());
    Credentials { username, password }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|group| {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let symbol = |place: usize| match place <= group.len() {
            true => char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]),
            false => '=',
        };
        [symbol(0), symbol(1), symbol(2), symbol(3)]
    });
    groups.flatten().collect()
}

fn good() -> Credentials {
    credentials(SECRET, Duration::from_secs(3600))
}

#[tokio::test]
async fn a_relay_relays_over_every_transport() {
    let relay = Relay::start(&["--allow-loopback-peers"]).await;
    for way in ["udp", "tcp", "tls"] {
        let outcome = relay::check(&relay.url(way), &good(), &relay.asking()).await;
        let relayed = outcome.unwrap_or_else(|fault| panic!("{way}: {fault}"));
        assert!(
            relayed.relayed.ip().is_loopback() && relayed.relayed.port() >= 49152,
            "{way}: {relayed:?}"
        );
        assert!(
            relayed.mapped.is_some_and(|mapped| mapped.ip().is_loopback()),
            "{way}: {relayed:?}"
        );
        assert!(matches!(relayed.back, Loop::Back(_)), "{way}: {relayed:?}");
    }
}

#[tokio::test]
async fn wrong_and_old_credentials_are_told_from_a_dead_relay() {
    let relay = Relay::start(&["--allow-loopback-peers"]).await;
    let asking = relay.asking();
    let hour = Duration::from_secs(3600);
    let mut old = good();
    old.username = "1000000000:check".to_owned();
    for wrong in [credentials("another secret", hour), old] {
        let outcome = relay::check(&relay.url("udp"), &wrong, &asking).await;
        assert_eq!(outcome, Err(Fault::Unauthorized));
    }
    let dead: ServerUrl = format!("turn:127.0.0.1:{}?transport=tcp", free_port())
        .parse()
        .expect("a URL");
    let outcome = relay::check(&dead, &good(), &asking).await;
    assert!(matches!(outcome, Err(Fault::Unreachable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_relay_that_may_not_relay_to_itself_is_up() {
    let relay = Relay::start(&[]).await;
    let outcome = relay::check(&relay.url("udp"), &good(), &relay.asking()).await;
    assert_eq!(outcome.map(|relayed| relayed.back), Ok(Loop::Forbidden));
}

#[tokio::test]
async fn allocations_are_given_back() {
    // One at a time: a check that kept its own would keep the next one out for ten minutes, coturn's least lifetime.
    let relay = Relay::start(&["--allow-loopback-peers", "--user-quota=1"]).await;
    let credentials = good();
    for round in 0..3 {
        let begun = Instant::now();
        // coturn closes a session a moment after it was given back.
        while let Err(fault) = relay::check(&relay.url("udp"), &credentials, &relay.asking()).await {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "round {round}: {fault}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_a_fault() {
    let relay = Relay::start(&["--allow-loopback-peers"]).await;
    let other = Relay::start(&[]).await;
    let outcome = relay::check(&relay.url("tls"), &good(), &other.asking()).await;
    assert!(matches!(outcome, Err(Fault::Tls { .. })), "{outcome:?}");
}

#[tokio::test]
async fn whoever_says_nothing_or_rubbish_is_found_out() {
    let relay = Relay::start(&[]).await;
    let asking = Asking {
        patience: SHORT,
        ..relay.asking()
    };
    // Bound, and never read.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("bound").port();
    let url: ServerUrl = format!("turn:127.0.0.1:{port}").parse().expect("a URL");
    let outcome = relay::check(&url, &good(), &asking).await;
    assert!(
        matches!(
            outcome,
            Err(Fault::Silent {
                step: Step::Allocate,
                ..
            })
        ),
        "{outcome:?}"
    );
    let stun: ServerUrl = format!("stun:127.0.0.1:{port}").parse().expect("a URL");
    let outcome = binding::stun(&stun, &asking).await;
    assert!(
        matches!(
            outcome,
            Err(Fault::Silent {
                step: Step::Binding,
                ..
            })
        ),
        "{outcome:?}"
    );

    // A web server where a relay should be.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let web = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody comes");
        std::io::Write::write_all(
            &mut stream,
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        )
        .expect("sent");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    let url: ServerUrl = format!("turn:127.0.0.1:{port}?transport=tcp")
        .parse()
        .expect("a URL");
    let outcome = relay::check(&url, &good(), &relay.asking()).await;
    assert_eq!(outcome, Err(Fault::BadAnswer { step: Step::Allocate }));
    web.join().expect("no panic");
}

#[tokio::test]
async fn a_stun_server_says_where_we_are() {
    let relay = Relay::start(&[]).await;
    let url: ServerUrl = format!("stun:127.0.0.1:{}", relay.port).parse().expect("a URL");
    let bound = binding::stun(&url, &relay.asking()).await.expect("it answers");
    let ip = SocketAddr::from(([127, 0, 0, 1], 0)).ip();
    assert_eq!(bound.mapped.ip(), ip);
}
