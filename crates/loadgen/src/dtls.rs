//! The DTLS handshake of one transport: we are the client, the server is whom its REST answer said it is.

use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest;
use dimpl::{Dtls, DtlsCertificate, Output, SrtpProfile};

use crate::srtp::{Keys, Profile};

/// Bytes of the largest output: a record of a flight.
const RECORD: usize = 4_096;

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// The protocol's own reason.
    #[error("DTLS failed: {0}")]
    Protocol(String),
    /// The server has another certificate than it announced.
    #[error("the server's DTLS certificate is not the announced one")]
    Impostor,
    /// No common profile that the tester knows.
    #[error("the server chose an SRTP profile other than AES-GCM")]
    Profile,
}

/// A certificate's hash, as signalling announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// `sha-256` and its kin.
    pub(crate) algorithm: String,
    /// Hexadecimal bytes with colons.
    pub(crate) value: String,
}

impl Fingerprint {
    /// The SHA-256 of a certificate.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        Self {
            algorithm: "sha-256".to_owned(),
            value: colons(digest::digest(&digest::SHA256, certificate).as_ref()),
        }
    }

    fn is_of(&self, certificate: &[u8]) -> bool {
        let algorithm = match self.algorithm.to_ascii_lowercase().as_str() {
            "sha-256" => &digest::SHA256,
            "sha-384" => &digest::SHA384,
            "sha-512" => &digest::SHA512,
            _ => return false,
        };
        let own = colons(digest::digest(algorithm, certificate).as_ref());
        own.eq_ignore_ascii_case(&self.value)
    }
}

fn colons(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// What all transports of a run share: a certificate, and how they shake hands.
#[derive(Clone)]
pub(crate) struct Identity {
    config: Arc<dimpl::Config>,
    certificate: DtlsCertificate,
}

impl Identity {
    /// A new identity.
    ///
    /// # Errors
    /// If no certificate can be made.
    pub(crate) fn new() -> Result<Self, HandshakeError> {
        let failed = |error: &dyn std::fmt::Display| HandshakeError::Protocol(error.to_string());
        let config = dimpl::Config::builder().build().map_err(|error| failed(&error))?;
        let certificate =
            dimpl::certificate::generate_self_signed_certificate().map_err(|error| failed(&error))?;
        Ok(Self {
            config: Arc::new(config),
            certificate,
        })
    }

    /// What to announce.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate.certificate)
    }
}

/// A handshake, and what comes after it: retransmissions and the goodbye.
pub(crate) struct Handshake {
    dtls: Dtls,
    announced: Vec<Fingerprint>,
    verified: bool,
    due: Option<Instant>,
    buffer: Vec<u8>,
    keys: Option<Keys>,
    closed: bool,
}

impl Handshake {
    /// A handshake with a server that announced these fingerprints.
    pub(crate) fn new(identity: &Identity, announced: Vec<Fingerprint>, now: Instant) -> Self {
        let mut dtls = Dtls::new_12(Arc::clone(&identity.config), identity.certificate.clone(), now);
        dtls.set_active(true);
        Self {
            dtls,
            announced,
            verified: false,
            due: Some(now),
            buffer: vec![0; RECORD],
            keys: None,
            closed: false,
        }
    }

    /// When to call [`Self::run`] again, if ever.
    pub(crate) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether the server said goodbye.
    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// The keys, once, when the handshake has made them.
    pub(crate) fn take_keys(&mut self) -> Option<Keys> {
        self.keys.take()
    }

    /// Does what is due and hands records to `send`.
    ///
    /// # Errors
    /// If the handshake failed.
    pub(crate) fn run(&mut self, now: Instant, send: impl FnMut(&[u8])) -> Result<(), HandshakeError> {
        self.dtls.handle_timeout(now).map_err(protocol)?;
        self.drain(send)
    }

    /// Takes a record of the server.
    ///
    /// # Errors
    /// If the handshake failed.
    pub(crate) fn record(
        &mut self,
        now: Instant,
        record: &[u8],
        send: impl FnMut(&[u8]),
    ) -> Result<(), HandshakeError> {
        self.dtls.handle_timeout(now).map_err(protocol)?;
        self.dtls.handle_packet(record).map_err(protocol)?;
        self.drain(send)
    }

    fn drain(&mut self, mut send: impl FnMut(&[u8])) -> Result<(), HandshakeError> {
        loop {
            match self.dtls.poll_output(&mut self.buffer) {
                Output::Packet(record) => send(record),
                Output::BufferTooSmall { needed } => self.buffer.resize(needed, 0),
                Output::PeerCert(certificate) => {
                    if !self.announced.iter().any(|print| print.is_of(certificate)) {
                        return Err(HandshakeError::Impostor);
                    }
                    self.verified = true;
                }
                Output::KeyingMaterial(material, profile) => {
                    if !self.verified {
                        return Err(HandshakeError::Impostor);
                    }
                    self.keys = Some(cut(&material, profile)?);
                }
                Output::CloseNotify => self.closed = true,
                Output::Timeout(due) => {
                    self.due = Some(due);
                    return Ok(());
                }
                Output::Connected | Output::ApplicationData(_) => {}
                _ => {}
            }
        }
    }
}

fn protocol(error: dimpl::Error) -> HandshakeError {
    HandshakeError::Protocol(error.to_string())
}

fn cut(material: &[u8], profile: SrtpProfile) -> Result<Keys, HandshakeError> {
    let profile = match profile {
        SrtpProfile::AEAD_AES_128_GCM => Profile::Aes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => Profile::Aes256Gcm,
        _ => return Err(HandshakeError::Profile),
    };
    Keys::of_client(profile, material).map_err(|_| HandshakeError::Profile)
}

#[cfg(test)]
mod tests;
