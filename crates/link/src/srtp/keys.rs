//! Session keys from the keying material of a DTLS handshake (RFC 5764 §4.2, RFC 3711 §4.3, RFC 7714 §11).

use aws_lc_rs::cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use thiserror::Error;

use super::SrtpProfile;

pub(super) const MAX_KEY: usize = 32;
pub(super) const MAX_SALT: usize = 14;
pub(super) const AUTH_KEY: usize = 20;
pub(super) const BLOCK: usize = 16;

/// Position of the label in the 112-bit value `x` of RFC 3711 §4.3.1: above the 48-bit index, which is zero
/// for a key derivation rate of zero.
const LABEL_BYTE: usize = 7;

/// Keys were of the wrong length, or the crypto library refused them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("unusable SRTP key")]
pub struct KeyError;

/// Which half of a context a session key serves; its number is the first of three labels (RFC 3711 §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Rtp = 0,
    Rtcp = 3,
}

/// Master key and master salt of one direction.
pub struct MasterKey {
    profile: SrtpProfile,
    key: [u8; MAX_KEY],
    /// A salt of 96 bits (AES-GCM) is extended to 112 by zeros on the right (RFC 7714 §11).
    salt: [u8; MAX_SALT],
}

impl MasterKey {
    /// A master key and salt of exactly the profile's lengths.
    ///
    /// # Errors
    /// [`KeyError`] for other lengths.
    pub fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        if key.len() != profile.key_len() || salt.len() != profile.salt_len() {
            return Err(KeyError);
        }
        let mut master = Self {
            profile,
            key: [0; MAX_KEY],
            salt: [0; MAX_SALT],
        };
        master.key[..key.len()].copy_from_slice(key);
        master.salt[..salt.len()].copy_from_slice(salt);
        Ok(master)
    }

    /// Splits exported keying material into the keys the DTLS client and the DTLS server write with:
    /// client key, server key, client salt, server salt (RFC 5764 §4.2).
    ///
    /// # Errors
    /// [`KeyError`] when the material is not of the profile's length.
    pub fn split(profile: SrtpProfile, material: &[u8]) -> Result<(Self, Self), KeyError> {
        if material.len() != profile.keying_material_len() {
            return Err(KeyError);
        }
        let (client_key, rest) = material.split_at(profile.key_len());
        let (server_key, rest) = rest.split_at(profile.key_len());
        let (client_salt, server_salt) = rest.split_at(profile.salt_len());
        Ok((
            Self::new(profile, client_key, client_salt)?,
            Self::new(profile, server_key, server_salt)?,
        ))
    }

    /// The profile the key belongs to.
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    pub(super) fn derive(&self, half: Half) -> Result<SessionKeys, KeyError> {
        let generator = ctr_key(&self.key[..self.profile.key_len()])?;
        let label = half as u8;
        let mut keys = SessionKeys {
            profile: self.profile,
            cipher: [0; MAX_KEY],
            auth: [0; AUTH_KEY],
            salt: [0; MAX_SALT],
        };
        self.fill(&generator, label, &mut keys.cipher[..self.profile.key_len()])?;
        self.fill(&generator, label + 1, &mut keys.auth)?;
        self.fill(&generator, label + 2, &mut keys.salt[..self.profile.salt_len()])?;
        Ok(keys)
    }

    fn fill(&self, generator: &EncryptingKey, label: u8, out: &mut [u8]) -> Result<(), KeyError> {
        let mut counter = [0; BLOCK];
        counter[..MAX_SALT].copy_from_slice(&self.salt);
        counter[LABEL_BYTE] ^= label;
        out.fill(0);
        apply_keystream(generator, counter, out)
    }
}

/// Session keys of one direction and one of RTP or RTCP.
pub struct SessionKeys {
    profile: SrtpProfile,
    cipher: [u8; MAX_KEY],
    auth: [u8; AUTH_KEY],
    salt: [u8; MAX_SALT],
}

impl SessionKeys {
    pub(super) fn cipher(&self) -> &[u8] {
        &self.cipher[..self.profile.key_len()]
    }

    pub(super) fn auth(&self) -> &[u8; AUTH_KEY] {
        &self.auth
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.salt[..self.profile.salt_len()]
    }

    /// Keys given by a test vector rather than derived.
    #[cfg(test)]
    pub(super) fn from_parts(profile: SrtpProfile, cipher: &[u8], auth: &[u8], salt: &[u8]) -> Self {
        let mut keys = Self {
            profile,
            cipher: [0; MAX_KEY],
            auth: [0; AUTH_KEY],
            salt: [0; MAX_SALT],
        };
        keys.cipher[..cipher.len()].copy_from_slice(cipher);
        keys.auth[..auth.len()].copy_from_slice(auth);
        keys.salt[..salt.len()].copy_from_slice(salt);
        keys
    }
}

/// An AES key schedule for counter mode.
pub(super) fn ctr_key(key: &[u8]) -> Result<EncryptingKey, KeyError> {
    let algorithm = match key.len() {
        16 => &cipher::AES_128,
        32 => &cipher::AES_256,
        _ => return Err(KeyError),
    };
    let key = UnboundCipherKey::new(algorithm, key).map_err(|_| KeyError)?;
    EncryptingKey::ctr(key).map_err(|_| KeyError)
}

/// Adds the AES counter-mode keystream starting at `counter` to the bytes.
pub(super) fn apply_keystream(
    key: &EncryptingKey,
    counter: [u8; BLOCK],
    bytes: &mut [u8],
) -> Result<(), KeyError> {
    let context = EncryptionContext::Iv128(FixedLength::from(counter));
    key.less_safe_encrypt(bytes, context)
        .map(drop)
        .map_err(|_| KeyError)
}
