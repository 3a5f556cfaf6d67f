//! SRTP with AES-GCM (RFC 3711 for the key derivation, RFC 7714 for the rest), in place and without an allocation per
//! packet. Written for the tester alone, so that a mistake of the server's own SRTP cannot cancel itself out.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;

/// Bytes of the authentication tag.
pub(crate) const TAG: usize = 16;
/// Bytes of a master or session salt.
pub(crate) const SALT: usize = 12;
/// Bytes of the index after an SRTCP packet (RFC 7714 §9.1).
const RTCP_INDEX: usize = 4;
/// Bytes of an RTCP packet that stay readable: the first header and the sender's SSRC.
const RTCP_CLEAR: usize = 8;
/// The bit that says an SRTCP packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// A protection profile (RFC 7714 §14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Aes128Gcm,
    Aes256Gcm,
}

impl Profile {
    /// Bytes of a master or session key.
    pub(crate) const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm => 32,
        }
    }

    fn cipher(self, key: &[u8]) -> Result<LessSafeKey, Unspecified> {
        let algorithm = match self {
            Self::Aes128Gcm => &AES_128_GCM,
            Self::Aes256Gcm => &AES_256_GCM,
        };
        UnboundKey::new(algorithm, key).map(LessSafeKey::new)
    }
}

/// What a key is derived for (RFC 3711 §4.3.2).
#[derive(Clone, Copy)]
enum Label {
    RtpKey = 0,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpSalt = 5,
}

/// A master key and salt, from which those of a session are derived.
pub(crate) struct Master<'a> {
    pub(crate) profile: Profile,
    pub(crate) key: &'a [u8],
    pub(crate) salt: &'a [u8],
}

impl Master<'_> {
    /// RFC 3711 §4.3.1 with a derivation rate of zero; a salt of 96 bits counts as one of 112 with zeros behind it.
    fn derive(&self, label: Label, bytes: &mut [u8]) -> Result<(), Unspecified> {
        let algorithm = match self.profile {
            Profile::Aes128Gcm => &AES_128,
            Profile::Aes256Gcm => &AES_256,
        };
        let mut block = [0; 16];
        block
            .get_mut(..self.salt.len())
            .ok_or(Unspecified)?
            .copy_from_slice(self.salt);
        block[7] ^= label as u8;
        bytes.fill(0);
        let key = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, self.key)?)?;
        key.less_safe_encrypt(bytes, EncryptionContext::Iv128(FixedLength::from(block)))?;
        Ok(())
    }

    fn half(&self, key_label: Label, salt_label: Label) -> Result<Half, Unspecified> {
        let mut key = [0; 32];
        let key = &mut key[..self.profile.key_bytes()];
        let mut salt = [0; SALT];
        self.derive(key_label, key)?;
        self.derive(salt_label, &mut salt)?;
        Half::new(self.profile, key, salt)
    }

    /// The keys of one direction.
    ///
    /// # Errors
    /// If a length is not the profile's.
    pub(crate) fn session(&self) -> Result<Session, Unspecified> {
        if self.salt.len() != SALT {
            return Err(Unspecified);
        }
        Ok(Session {
            rtp: self.half(Label::RtpKey, Label::RtpSalt)?,
            rtcp: self.half(Label::RtcpKey, Label::RtcpSalt)?,
            next_rtcp: 0,
        })
    }
}

/// The key of RTP or RTCP in one direction.
struct Half {
    key: LessSafeKey,
    salt: [u8; SALT],
}

impl Half {
    fn new(profile: Profile, key: &[u8], salt: [u8; SALT]) -> Result<Self, Unspecified> {
        let key = profile.cipher(key)?;
        Ok(Self { key, salt })
    }

    /// RFC 7714 §8.1 and §9.1: SSRC at 2, a 48-bit index at 6, over the salt.
    fn nonce(&self, ssrc: [u8; 4], index: u64) -> Nonce {
        let mut bytes = self.salt;
        let [_, _, index @ ..] = index.to_be_bytes();
        let own = ssrc.iter().chain(&index);
        bytes[2..]
            .iter_mut()
            .zip(own)
            .for_each(|(byte, own)| *byte ^= own);
        Nonce::assume_unique_for_key(bytes)
    }
}

/// The keys of one direction of a transport.
pub(crate) struct Session {
    rtp: Half,
    rtcp: Half,
    next_rtcp: u32,
}

impl Session {
    /// Encrypts what follows the header of a packet and writes the tag into the packet's last [`TAG`] bytes. `index` is
    /// the packet's own: roll-overs times 65536 plus sequence number.
    ///
    /// # Errors
    /// If the packet is too short for its header and a tag.
    pub(crate) fn seal(&self, packet: &mut [u8], header: usize, index: u64) -> Result<(), Unspecified> {
        let (packet, tag) = packet.split_last_chunk_mut::<TAG>().ok_or(Unspecified)?;
        let (header, payload) = packet.split_at_mut_checked(header).ok_or(Unspecified)?;
        let nonce = self.rtp.nonce(ssrc(header, 8)?, index);
        let made = self
            .rtp
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&*header), payload)?;
        tag.copy_from_slice(made.as_ref());
        Ok(())
    }

    /// Checks and decrypts a packet in place; its payload with padding.
    ///
    /// # Errors
    /// If the packet is not authentic.
    pub(crate) fn open<'p>(
        &self,
        packet: &'p mut [u8],
        header: usize,
        index: u64,
    ) -> Result<&'p [u8], Unspecified> {
        let (header, sealed) = packet.split_at_mut_checked(header).ok_or(Unspecified)?;
        let nonce = self.rtp.nonce(ssrc(header, 8)?, index);
        let opened = self.rtp.key.open_in_place(nonce, Aad::from(&*header), sealed)?;
        Ok(opened)
    }

    /// Encrypts a compound RTCP packet and appends tag and index.
    ///
    /// # Errors
    /// If it is shorter than a header.
    pub(crate) fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Unspecified> {
        let index = self.next_rtcp;
        let (clear, payload) = packet.split_at_mut_checked(RTCP_CLEAR).ok_or(Unspecified)?;
        let nonce = self.rtcp.nonce(ssrc(clear, 4)?, u64::from(index));
        let word = (ENCRYPTED | index).to_be_bytes();
        let tag =
            self.rtcp
                .key
                .seal_in_place_separate_tag(nonce, Aad::from(rtcp_aad(clear, word)), payload)?;
        packet.extend_from_slice(tag.as_ref());
        packet.extend_from_slice(&word);
        self.next_rtcp = (index + 1) & !ENCRYPTED;
        Ok(())
    }

    /// Checks and decrypts a compound RTCP packet in place; its plaintext.
    ///
    /// # Errors
    /// If it is not authentic, or not encrypted.
    pub(crate) fn open_rtcp<'p>(&self, packet: &'p mut [u8]) -> Result<&'p [u8], Unspecified> {
        let (body, word) = packet.split_last_chunk_mut::<RTCP_INDEX>().ok_or(Unspecified)?;
        let word = *word;
        let index = u32::from_be_bytes(word);
        if index & ENCRYPTED == 0 {
            return Err(Unspecified);
        }
        let (clear, sealed) = body.split_at_mut_checked(RTCP_CLEAR).ok_or(Unspecified)?;
        let nonce = self.rtcp.nonce(ssrc(clear, 4)?, u64::from(index & !ENCRYPTED));
        let opened = self
            .rtcp
            .key
            .open_in_place(nonce, Aad::from(rtcp_aad(clear, word)), sealed)?
            .len();
        Ok(&packet[..RTCP_CLEAR + opened])
    }
}

fn ssrc(header: &[u8], at: usize) -> Result<[u8; 4], Unspecified> {
    header
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(Unspecified)
}

fn rtcp_aad(clear: &[u8], word: [u8; 4]) -> [u8; RTCP_CLEAR + RTCP_INDEX] {
    let mut aad = [0; RTCP_CLEAR + RTCP_INDEX];
    aad[..RTCP_CLEAR].copy_from_slice(clear);
    aad[RTCP_CLEAR..].copy_from_slice(&word);
    aad
}

/// Both directions of a transport.
pub(crate) struct Keys {
    pub(crate) outbound: Session,
    pub(crate) inbound: Session,
}

impl Keys {
    /// Cuts what DTLS exported (RFC 5764 §4.2): client's key, server's key, client's salt, server's salt. We are the
    /// client.
    ///
    /// # Errors
    /// If there is not enough of it.
    pub(crate) fn of_client(profile: Profile, material: &[u8]) -> Result<Self, Unspecified> {
        let bytes = profile.key_bytes();
        let (keys, salts) = material.split_at_checked(2 * bytes).ok_or(Unspecified)?;
        let side = |number: usize| {
            let key = keys
                .get(number * bytes..(number + 1) * bytes)
                .ok_or(Unspecified)?;
            let salt = salts.get(number * SALT..(number + 1) * SALT).ok_or(Unspecified)?;
            Master { profile, key, salt }.session()
        };
        Ok(Self {
            outbound: side(0)?,
            inbound: side(1)?,
        })
    }
}

#[cfg(test)]
mod tests;
