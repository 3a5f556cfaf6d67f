//! SRTP keys agreed upon beforehand, and sealing with nothing around it.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use link::SrtpProfile;
use link::srtp::MasterKey;
use rtc_srtp::protection_profile::ProtectionProfile;

/// Bytes of an authentication tag.
pub(super) const TAG: usize = 16;
const SALT: usize = 12;

/// A master key and salt.
pub(super) struct Key {
    profile: ProtectionProfile,
    bytes: Vec<u8>,
}

impl Key {
    /// Different for every number.
    pub(super) fn numbered(profile: ProtectionProfile, number: usize) -> Self {
        let length = match profile {
            ProtectionProfile::AeadAes128Gcm => 16,
            ProtectionProfile::AeadAes256Gcm => 32,
            other => panic!("the floor seals with AES-GCM, not {other:?}"),
        };
        let mut bytes = vec![0x5A; length + SALT];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        Self { profile, bytes }
    }

    pub(super) fn master(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - SALT]
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.bytes[self.bytes.len() - SALT..]
    }

    /// As the receiving side of a link takes it.
    pub(super) fn for_link(&self) -> MasterKey {
        let profile = match self.profile {
            ProtectionProfile::AeadAes128Gcm => SrtpProfile::AeadAes128Gcm,
            _ => SrtpProfile::AeadAes256Gcm,
        };
        MasterKey::new(profile, self.master(), self.salt()).expect("right lengths")
    }

    /// The session's key schedule and salt.
    pub(super) fn sealer(&self) -> Sealer {
        let (algorithm, length) = match self.profile {
            ProtectionProfile::AeadAes128Gcm => (&AES_128_GCM, 16),
            _ => (&AES_256_GCM, 32),
        };
        let key = UnboundKey::new(algorithm, &self.derive(0, length)).expect("a key");
        Sealer {
            key: LessSafeKey::new(key),
            salt: self.derive(2, SALT).try_into().expect("twelve bytes"),
        }
    }

    /// RFC 3711 §4.3.3, with a key derivation rate of zero and the salt extended as RFC 7714 §11 says.
    fn derive(&self, label: u8, length: usize) -> Vec<u8> {
        let cipher = if self.master().len() == 16 {
            &AES_128
        } else {
            &AES_256
        };
        let key = UnboundCipherKey::new(cipher, self.master()).expect("a key");
        let mut counter = [0; 16];
        counter[..SALT].copy_from_slice(self.salt());
        counter[7] ^= label;
        let mut out = vec![0; length];
        EncryptingKey::ctr(key)
            .expect("a key")
            .less_safe_encrypt(&mut out, EncryptionContext::Iv128(FixedLength::from(counter)))
            .expect("encrypted");
        out
    }
}

/// A kept key schedule.
pub(super) struct Sealer {
    key: LessSafeKey,
    salt: [u8; SALT],
}

impl Sealer {
    /// Encrypts all behind `header` bytes and writes the tag into the last bytes (RFC 7714 §8).
    pub(super) fn seal(&self, datagram: &mut [u8], header: usize, ssrc: u32, index: u64) {
        let mut nonce = self.salt;
        let [a, b, c, d] = ssrc.to_be_bytes();
        let [_, _, e, f, g, h, i, j] = index.to_be_bytes();
        for (byte, value) in nonce[2..].iter_mut().zip([a, b, c, d, e, f, g, h, i, j]) {
            *byte ^= value;
        }
        let (packet, room) = datagram.split_at_mut(datagram.len() - TAG);
        let (clear, payload) = packet.split_at_mut(header);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&*clear), payload)
            .expect("sealed");
        room.copy_from_slice(tag.as_ref());
    }
}
