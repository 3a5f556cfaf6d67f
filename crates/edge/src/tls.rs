//! HTTPS: a certificate from files that may change while the server runs.
//!
//! TLS 1.2 and 1.3 by rustls on aws-lc, as all other cryptography here. Connections that are open keep the certificate
//! they began with; new ones get the one that is there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::setting::SettingError;

pub mod client;
#[cfg(test)]
pub(crate) mod fixture;
mod validity;
mod watch;

#[cfg(test)]
mod tests;

pub use validity::{NEARLY, Standing, Validity, is_for};
pub use watch::{Occasion, Seen, Watch, keep_fresh, warn_of};

/// What is spoken inside: Socket.IO's WebSockets need HTTP/1.1, and nothing here gains by HTTP/2.
const PROTOCOL: &[u8] = b"http/1.1";

/// A pair of PEM files, and which settings named them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and those that lead from it to a root, in this order.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
    /// How the two settings are called.
    pub settings: Settings,
}

/// Names of the two settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Of the certificate's file.
    pub certificate: &'static str,
    /// Of the key's file.
    pub key: &'static str,
}

/// Names of the settings of a server's certificate.
pub const SETTINGS: Settings = Settings {
    certificate: "TLS_CERT_FILE",
    key: "TLS_KEY_FILE",
};

/// Why an identity cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] SettingError),
    /// There is no certificate in the file, or one that cannot be read.
    #[error(
        "{setting}: `{path}` holds no certificate in PEM ({reason}); set {setting} to a file that begins with BEGIN CERTIFICATE"
    )]
    NoCertificate {
        /// The setting's name.
        setting: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no private key in the file, or one that cannot be used.
    #[error(
        "{setting}: `{path}` holds no usable private key in PEM ({reason}); set {setting} to the key that belongs to the certificate, without a pass phrase"
    )]
    NoKey {
        /// The setting's name.
        setting: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it; never the key itself.
        reason: String,
    },
    /// Both are well, but not of one another.
    #[error("{}: the key in `{key}` does not belong to the certificate in `{certificate}`; set {} and {} to files of one certificate", .settings.key, .settings.certificate, .settings.key)]
    Mismatch {
        /// The settings' names.
        settings: Settings,
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
}

/// A certificate with its private key.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    validity: Validity,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let validity = &self.validity;
        formatter
            .debug_struct("Identity")
            .field("validity", validity)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`], which names the file and its setting.
    pub fn load(files: &Files) -> Result<Self, TlsError> {
        Self::from_pem(&Contents::read(files)?, files)
    }

    /// From what the files hold.
    fn from_pem(contents: &Contents, files: &Files) -> Result<Self, TlsError> {
        let no_certificate = |reason: String| TlsError::NoCertificate {
            setting: files.settings.certificate,
            path: files.certificate.display().to_string(),
            reason,
        };
        let no_key = |reason: String| TlsError::NoKey {
            setting: files.settings.key,
            path: files.key.display().to_string(),
            reason,
        };
        let chain = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| no_certificate(error.to_string()))?;
        let leaf = chain
            .first()
            .ok_or_else(|| no_certificate("it has no such section".to_owned()))?;
        let validity = Validity::of(leaf).ok_or_else(|| no_certificate("it is not X.509".to_owned()))?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|error| no_key(error.to_string()))?;
        let certified = match CertifiedKey::from_der(chain, key, &provider()) {
            Ok(certified) => certified,
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(TlsError::Mismatch {
                    settings: files.settings,
                    certificate: files.certificate.display().to_string(),
                    key: files.key.display().to_string(),
                });
            }
            Err(rustls::Error::InvalidCertificate(error)) => return Err(no_certificate(error.to_string())),
            Err(error) => return Err(no_key(error.to_string())),
        };
        let certified = Arc::new(certified);
        Ok(Self { certified, validity })
    }

    /// When the certificate is good.
    #[must_use]
    pub fn validity(&self) -> &Validity {
        &self.validity
    }

    /// The certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certified.cert[0]
    }
}

/// What is in a pair of files.
#[derive(Clone, PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Contents {
    fn read(files: &Files) -> Result<Self, TlsError> {
        let read = |setting, path: &Path| {
            std::fs::read(path).map_err(|error| SettingError::UnreadableFile {
                setting,
                path: path.display().to_string(),
                reason: error.kind().to_string(),
            })
        };
        Ok(Self {
            certificate: read(files.settings.certificate, &files.certificate)?,
            key: read(files.settings.key, &files.key)?,
        })
    }
}

/// The server's side of TLS, with an identity that can be replaced. Clones are the same.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    present: Arc<Present>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Tls").field(&self.identity()).finish()
    }
}

/// The identity that new connections see.
#[derive(Debug)]
struct Present(RwLock<Identity>);

impl ResolvesServerCert for Present {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let identity = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&identity.certified))
    }
}

impl Tls {
    /// With this identity to begin with.
    ///
    /// # Panics
    /// Never: the protocol versions named are aws-lc's.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let present = Arc::new(Present(RwLock::new(identity)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&present) as _;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("aws-lc has cipher suites for both versions")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            present,
        }
    }

    /// Shows this identity to whoever connects from now on.
    pub fn replace(&self, identity: Identity) {
        *self.present.0.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// The identity shown now.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.present
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<Box<tokio_rustls::server::TlsStream<TcpStream>>> {
        self.acceptor.accept(stream).await.map(Box::new)
    }
}

/// All cryptography is aws-lc's.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
