//! The certificate of the public port: settings, start, and following the files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use edge::serve::Scheme;
use edge::setting::{SettingError, given};
use edge::tls::{self, Files, Identity, Tls};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::run::Unsuitable;

/// Where the certificate is.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "TlsSettings")]
pub(crate) struct TlsSettings {
    /// PEM file of the certificate (and its chain) for HTTPS; read anew when it changes [default: plain HTTP]
    #[arg(long, env = "TLS_CERT_FILE", value_name = "FILE")]
    pub(crate) tls_cert_file: Option<String>,
    /// PEM file of its private key
    #[arg(long, env = "TLS_KEY_FILE", value_name = "FILE")]
    pub(crate) tls_key_file: Option<String>,
}

/// What serves the public port.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    files: Files,
    tls: Tls,
}

impl TlsSettings {
    /// The files, if the port is to speak HTTPS.
    pub(crate) fn files(&self) -> Result<Option<Files>, Unsuitable> {
        let missing = |setting, reason| Unsuitable::new(SettingError::Missing { setting, reason });
        match (given(&self.tls_cert_file), given(&self.tls_key_file)) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Files {
                certificate: PathBuf::from(certificate),
                key: PathBuf::from(key),
                settings: tls::SETTINGS,
            })),
            (Some(_), None) => Err(missing(
                tls::SETTINGS.key,
                "TLS_CERT_FILE is set; give the file of its private key",
            )),
            (None, Some(_)) => Err(missing(
                tls::SETTINGS.certificate,
                "TLS_KEY_FILE is set; give the file of its certificate",
            )),
        }
    }

    /// The certificate, if the port is to speak HTTPS.
    pub(crate) fn check(&self) -> Result<Option<Certificate>, Unsuitable> {
        self.files()?.map(Certificate::load).transpose()
    }

    /// What `--check-config` prints of them.
    pub(crate) fn report(&self) -> String {
        let show = |value| given(value).unwrap_or_default().to_owned();
        let (certificate, key) = (show(&self.tls_cert_file), show(&self.tls_key_file));
        format!("TLS_CERT_FILE={certificate}\nTLS_KEY_FILE={key}")
    }
}

impl Certificate {
    /// Reads the files.
    pub(crate) fn load(files: Files) -> Result<Self, Unsuitable> {
        let identity = Identity::load(&files).map_err(Unsuitable::new)?;
        let tls = Tls::new(identity);
        Ok(Self { files, tls })
    }

    /// What connections are greeted with.
    pub(crate) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Follows the files from now on; SIGHUP has them read at once. Ends with the runtime.
    pub(crate) fn follow(&self) -> Result<()> {
        tls::warn_of(&self.tls.identity(), SystemTime::now());
        let mut hangup = signal(SignalKind::hangup()).context("signals cannot be received")?;
        let asked = Arc::new(Notify::new());
        let ask = Arc::clone(&asked);
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                ask.notify_one();
            }
        });
        tokio::spawn(tls::keep_fresh(self.tls.clone(), self.files.clone(), asked));
        Ok(())
    }
}

/// How the public port is served.
pub(crate) fn scheme(certificate: Option<&Certificate>) -> Result<Scheme> {
    let Some(certificate) = certificate else {
        return Ok(Scheme::Http);
    };
    certificate.follow()?;
    Ok(Scheme::Https(certificate.tls().clone()))
}
