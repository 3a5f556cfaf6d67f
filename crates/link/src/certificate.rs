//! The server's DTLS certificate and the fingerprints exchanged by signalling (RFC 8122 §5).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use thiserror::Error;

use crate::dtls::Identity;

/// Why a certificate could not be made or loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The random source or the key generator failed.
    #[error("a certificate could not be generated")]
    Generate,
    /// A PEM file lacks the section named, or its base64 text is broken.
    #[error("no readable PEM section {0}")]
    Pem(&'static str),
    /// The private key is not an ECDSA key on P-256 or P-384 (PKCS #8 or SEC 1).
    #[error("the private key is not an ECDSA key on P-256 or P-384")]
    Key,
    /// The certificate does not parse or does not belong to the private key.
    #[error("the certificate does not match the private key")]
    Mismatch,
    /// The DTLS engine refused to start with it.
    #[error("the DTLS engine refused the certificate")]
    Engine,
}

/// A certificate with its private key; a clone shares both.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    identity: Identity,
    fingerprint: Fingerprint,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.0.fingerprint).finish()
    }
}

impl Certificate {
    /// Makes a self-signed ECDSA P-256 certificate, valid one year, from the operating system's randomness.
    ///
    /// # Errors
    /// [`CertificateError::Generate`] when that randomness is not to be had.
    pub fn generate() -> Result<Self, CertificateError> {
        Identity::generate().map(Self::from_identity)
    }

    /// Loads a DER certificate and its DER private key (PKCS #8 or SEC 1), and checks that they belong together.
    ///
    /// # Errors
    /// See [`CertificateError`]. RSA keys are refused: browsers accept ECDSA everywhere.
    pub fn from_der(certificate: Vec<u8>, private_key: Vec<u8>) -> Result<Self, CertificateError> {
        Identity::new(certificate, private_key).map(Self::from_identity)
    }

    /// Loads a PEM certificate (the first of a chain) and its PEM private key.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn from_pem(certificate: &str, private_key: &str) -> Result<Self, CertificateError> {
        let certificate =
            pem_section(certificate, "CERTIFICATE").ok_or(CertificateError::Pem("CERTIFICATE"))?;
        let key = pem_section(private_key, "PRIVATE KEY")
            .or_else(|| pem_section(private_key, "EC PRIVATE KEY"))
            .ok_or(CertificateError::Pem("PRIVATE KEY"))?;
        Self::from_der(certificate, key)
    }

    fn from_identity(identity: Identity) -> Self {
        let fingerprint = Fingerprint::of(FingerprintAlgorithm::Sha256, identity.certificate());
        Self(Arc::new(Inner {
            identity,
            fingerprint,
        }))
    }

    /// The SHA-256 fingerprint to announce.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint.clone()
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        self.0.identity.certificate()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }
}

/// The bytes of the first PEM section with this label (RFC 7468 §2, lax about white space).
fn pem_section(text: &str, label: &str) -> Option<Vec<u8>> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let (_, rest) = text.split_once(&begin)?;
    let (body, _) = rest.split_once(&end)?;
    base64(body)
}

/// Standard alphabet, padding required, white space skipped; `None` on anything else.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count, mut symbols, mut padding) = (0_u32, 0_u32, 0_usize, 0_usize);
    for character in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        symbols += 1;
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (symbols % 4 == 0 && padding <= 2 && bits == 0).then_some(bytes)
}

/// A hash function a fingerprint may be made with (RFC 8122 §5, the SHA family).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FingerprintAlgorithm {
    /// `sha-1`; accepted from peers that announce nothing better.
    Sha1,
    /// `sha-224`
    Sha224,
    /// `sha-256`, what every browser announces and what this server announces.
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

impl FingerprintAlgorithm {
    const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name used on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// Why a fingerprint was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FingerprintError {
    /// A hash function this server does not accept (or does not know).
    #[error("unsupported fingerprint algorithm")]
    Algorithm,
    /// The value is not colon-separated pairs of hexadecimal digits.
    #[error("malformed fingerprint value")]
    Value,
    /// The value has not the length of the hash function's output.
    #[error("fingerprint of wrong length")]
    Length,
}

/// The hash of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    algorithm: FingerprintAlgorithm,
    bytes: Vec<u8>,
}

impl Fingerprint {
    /// Reads the algorithm's name (any case) and the value `AB:CD:...` (any case).
    ///
    /// # Errors
    /// See [`FingerprintError`].
    pub fn parse(algorithm: &str, value: &str) -> Result<Self, FingerprintError> {
        let algorithm = FingerprintAlgorithm::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(algorithm))
            .ok_or(FingerprintError::Algorithm)?;
        let mut bytes = Vec::with_capacity(algorithm.digest().output_len());
        for pair in value.split(':') {
            if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(FingerprintError::Value);
            }
            bytes.push(u8::from_str_radix(pair, 16).map_err(|_| FingerprintError::Value)?);
        }
        if bytes.len() != algorithm.digest().output_len() {
            return Err(FingerprintError::Length);
        }
        Ok(Self { algorithm, bytes })
    }

    /// The fingerprint of a DER certificate.
    pub fn of(algorithm: FingerprintAlgorithm, certificate: &[u8]) -> Self {
        Self {
            algorithm,
            bytes: digest::digest(algorithm.digest(), certificate).as_ref().to_vec(),
        }
    }

    /// The hash function it was made with.
    pub fn algorithm(&self) -> FingerprintAlgorithm {
        self.algorithm
    }

    /// The hash.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a DER certificate has this fingerprint.
    pub fn matches(&self, certificate: &[u8]) -> bool {
        let actual = digest::digest(self.algorithm.digest(), certificate);
        constant_time::verify_slices_are_equal(actual.as_ref(), &self.bytes).is_ok()
    }
}

/// The value as signalled: upper-case pairs separated by colons, without the algorithm's name.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.bytes.iter().enumerate() {
            if position > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
