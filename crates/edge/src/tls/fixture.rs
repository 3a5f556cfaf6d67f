//! Certificates for tests, and files that hold them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};

use super::{Files, Identity, SETTINGS};

/// A self-signed certificate as PEM.
pub(crate) struct Made {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Made {
    pub(crate) fn new(name: &str) -> Self {
        let now = SystemTime::now();
        let day = Duration::from_secs(86_400);
        Self::between(name, now - day, now + 90 * day)
    }

    pub(crate) fn between(name: &str, begins: SystemTime, ends: SystemTime) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        parameters.not_before = begins.into();
        parameters.not_after = ends.into();
        let certificate = parameters.self_signed(&key).expect("a certificate");
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        let folder = Folder::new();
        folder.put(self);
        Identity::load(&folder.files()).expect("both are well")
    }
}

/// A folder with a pair of files, removed with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("meeshy-tls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder of our own");
        Self(path)
    }

    pub(crate) fn files(&self) -> Files {
        Files {
            certificate: self.0.join("certificate.pem"),
            key: self.0.join("key.pem"),
            settings: SETTINGS,
        }
    }

    pub(crate) fn put(&self, made: &Made) {
        self.write("certificate.pem", &made.certificate);
        self.write("key.pem", &made.key);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("our own file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
