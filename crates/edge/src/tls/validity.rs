//! When a certificate is good.

use std::time::{Duration, SystemTime};

use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use x509_cert::der::Decode;

/// How long before its end a certificate is worth a warning: those who renew by themselves do it a month before.
pub const NEARLY: Duration = Duration::from_secs(14 * 24 * 3600);

/// From when to when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before this.
    pub begins: SystemTime,
    /// Not after this.
    pub ends: SystemTime,
}

/// How a certificate stands at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Good, for this long.
    Good(Duration),
    /// Good, but for less than [`NEARLY`].
    EndsSoon(Duration),
    /// Its end was this long ago.
    Ended(Duration),
    /// It begins in this time: or the clock is wrong.
    NotYet(Duration),
}

impl Validity {
    /// Of a certificate in DER; `None` if it is none.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
        let validity = certificate.tbs_certificate().validity();
        Some(Self {
            begins: validity.not_before.to_system_time(),
            ends: validity.not_after.to_system_time(),
        })
    }

    /// How it stands at that time.
    #[must_use]
    pub fn at(&self, now: SystemTime) -> Standing {
        if let Ok(until) = self.begins.duration_since(now)
            && !until.is_zero()
        {
            return Standing::NotYet(until);
        }
        match self.ends.duration_since(now) {
            Ok(left) if left < NEARLY => Standing::EndsSoon(left),
            Ok(left) => Standing::Good(left),
            Err(past) => Standing::Ended(past.duration()),
        }
    }
}

/// Whether a certificate in DER is for this host name or address.
#[must_use]
pub fn is_for(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']'])) else {
        return false;
    };
    ParsedCertificate::try_from(certificate)
        .is_ok_and(|certificate| verify_server_name(&certificate, &name).is_ok())
}
