//! PostgreSQL over TLS, by the words its own programs use in a URL: `sslmode`, `sslrootcert`.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use store::{CaptionKey, OpenOptions};

use crate::backend::Folder;
use crate::postgres::{Encrypted, Own};

/// A certificate for this name and its key, PEM.
fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

async fn opens(url: &str) -> Result<(), String> {
    let mut options = OpenOptions::new(CaptionKey::random());
    options.patience = Duration::from_secs(5);
    let store = store::open(url, options)
        .await
        .map_err(|error| format!("{error:?}"))?;
    store.ping().await.map_err(|error| format!("{error:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_wants_tls_is_reached_and_its_certificate_checked() {
    let (certificate_pem, key) = certificate("localhost");
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let folder = Folder::new();
    let known = folder.0.join("known.pem");
    let strange = folder.0.join("strange.pem");
    std::fs::write(&known, &certificate_pem).expect("our own file");
    std::fs::write(&strange, certificate("localhost").0).expect("our own file");
    let server = Own::start(&Encrypted::Only {
        port,
        certificate: certificate_pem,
        key,
    });
    let url = |host: &str, options: &str| format!("postgres://meeshy@{host}:{port}/postgres?{options}");
    let begun = Instant::now();
    while let Err(error) = opens(&url("127.0.0.1", "sslmode=require")).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let verified = |file: &std::path::Path| format!("sslmode=verify-full&sslrootcert={}", file.display());
    opens(&url("localhost", &verified(&known)))
        .await
        .expect("it is whom the file names");
    let refused = [
        ("plain", url("localhost", "sslmode=disable")),
        ("by another authority", url("localhost", &verified(&strange))),
        ("for another name", url("127.0.0.1", &verified(&known))),
        (
            "by an authority nobody named",
            url("localhost", "sslmode=verify-full"),
        ),
    ];
    for (why, url) in refused {
        assert!(opens(&url).await.is_err(), "{why}");
    }
    drop(server);
}
