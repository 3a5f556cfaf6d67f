//! `meeshy serve --lan`: HTTPS for the phones and laptops of one network, without anybody's domain.
//!
//! Browsers give camera and microphone to secure pages only. So this machine makes a certificate for its own addresses
//! and keeps it; browsers, which cannot know it, warn once.

use std::net::IpAddr;
use std::time::Duration;

use edge::tls::{self, Files};
use tokio::time::interval;

use crate::data::DataDirectory;
use crate::run::Unsuitable;
use crate::tls::Certificate;
use crate::{complain, say};

mod addresses;
mod issue;
mod qr;

pub(crate) use addresses::own as own_addresses;
use addresses::{Addresses, of_this_machine};

/// Where certificate and key are kept in the data directory.
const FILES: (&str, &str) = ("lan-certificate.pem", "lan-key.pem");

/// How often the machine's addresses are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// A server on the LAN.
#[derive(Clone, Debug)]
pub(crate) struct Lan {
    data: DataDirectory,
    addresses: Addresses,
    certificate: Certificate,
    issuer: Issuer,
}

/// Whose certificate is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Issuer {
    /// Our own, renewed as need be.
    Ourselves,
    /// One from files of the operator's.
    Operator,
}

impl Lan {
    /// Looks at this machine and sees to the certificate: the operator's if there is one, or our own.
    pub(crate) fn prepare(
        data: &DataDirectory,
        bind: Option<&str>,
        given: Option<Certificate>,
    ) -> Result<Self, Unsuitable> {
        let addresses = of_this_machine(bind);
        let issuer = if given.is_some() {
            Issuer::Operator
        } else {
            Issuer::Ourselves
        };
        let certificate = match given {
            Some(certificate) => certificate,
            None => {
                let files = kept(data);
                issue::keep(data, &files, &addresses)?;
                Certificate::load(files)?
            }
        };
        Ok(Self {
            data: data.clone(),
            addresses,
            certificate,
            issuer,
        })
    }

    /// What connections are greeted with.
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whether the certificate is our own, to be renewed by [`Self::keep_up`].
    pub(crate) fn makes_its_own(&self) -> bool {
        self.issuer == Issuer::Ourselves
    }

    /// What media is announced at unless somebody said otherwise.
    pub(crate) fn announced(&self) -> String {
        self.addresses.primary.to_string()
    }

    /// Says where the server is, for people with phones.
    pub(crate) fn announce(&self, port: u16) {
        let url = self.url(port);
        say(&format!("Meeshy Calls is ready: {url}"));
        if let Some(code) = qr::code(&url) {
            say(&format!("\n{code}"));
        }
        if self.issuer == Issuer::Ourselves {
            say(
                "Scan the code or type the address on a device in the same network. The browser will warn once,\n\
                 because this machine made the certificate itself: choose to go on (\"Advanced\", \"Proceed\").",
            );
        }
        if self.addresses.primary.is_loopback() {
            complain("meeshy: this machine is in no network; only itself can reach that address");
        }
    }

    fn url(&self, port: u16) -> String {
        match self.addresses.primary {
            IpAddr::V4(address) => format!("https://{address}:{port}/"),
            IpAddr::V6(address) => format!("https://[{address}]:{port}/"),
        }
    }

    /// Renews the certificate for new addresses and before its end, for ever.
    pub(crate) async fn keep_up(self) {
        let mut ticks = interval(LOOK);
        let mut known = self.addresses.clone();
        loop {
            ticks.tick().await;
            let present = of_this_machine(None);
            if present != known {
                tracing::warn!(
                    primary = %present.primary,
                    "the addresses of this machine changed; start again to announce them for media"
                );
                known = present;
            }
            let (data, addresses) = (self.data.clone(), known.clone());
            let renewed = tokio::task::spawn_blocking(move || {
                let files = kept(&data);
                issue::keep(&data, &files, &addresses)?;
                tls::Identity::load(&files).map_err(Unsuitable::new)
            });
            match renewed.await {
                Ok(Ok(identity)) => self.certificate.tls().replace(identity),
                Ok(Err(error)) => tracing::error!(%error, "the certificate could not be renewed"),
                Err(_) => return,
            }
        }
    }
}

fn kept(data: &DataDirectory) -> Files {
    Files {
        certificate: data.file(FILES.0),
        key: data.file(FILES.1),
        settings: tls::SETTINGS,
    }
}
