//! AES counter mode with an 80-bit HMAC-SHA1 tag (RFC 3711 §4.1.1, §4.2.1).

use aws_lc_rs::cipher::EncryptingKey;
use aws_lc_rs::{constant_time, hmac};

use super::keys::{self, BLOCK, MAX_SALT, SessionKeys};
use super::{ENCRYPTED_FLAG, INDEX_WORD, KeyError, RTCP_HEADER, TagMismatch};

/// Length of the truncated tag, for SRTP and SRTCP alike (RFC 5764 §4.1.2).
pub(super) const TAG: usize = 10;

pub(super) struct CmSha1 {
    cipher: EncryptingKey,
    auth: hmac::Key,
    salt: [u8; MAX_SALT],
}

impl CmSha1 {
    pub(super) fn new(keys: &SessionKeys) -> Result<Self, KeyError> {
        Ok(Self {
            cipher: keys::ctr_key(keys.cipher())?,
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, keys.auth()),
            salt: keys.salt().try_into().map_err(|_| KeyError)?,
        })
    }

    /// `(salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16)`, the last two bytes counting blocks.
    fn counter(&self, ssrc: u32, index: u64) -> [u8; BLOCK] {
        let mut counter = [0; BLOCK];
        counter[..MAX_SALT].copy_from_slice(&self.salt);
        let [a, b, c, d] = ssrc.to_be_bytes();
        let [_, _, e, f, g, h, i, j] = index.to_be_bytes();
        for (byte, value) in counter.iter_mut().skip(4).zip([a, b, c, d, e, f, g, h, i, j]) {
            *byte ^= value;
        }
        counter
    }

    fn tag(&self, packet: &[u8], suffix: &[u8]) -> [u8; TAG] {
        let mut context = hmac::Context::with_key(&self.auth);
        context.update(packet);
        context.update(suffix);
        let mut tag = [0; TAG];
        tag.iter_mut()
            .zip(context.sign().as_ref())
            .for_each(|(short, full)| *short = *full);
        tag
    }

    fn apply(&self, bytes: &mut [u8], ssrc: u32, index: u64) -> Result<(), KeyError> {
        keys::apply_keystream(&self.cipher, self.counter(ssrc, index), bytes)
    }

    /// Encrypts `packet[header..len]` in place and writes the tag after it, for which there must be room.
    pub(super) fn seal_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        len: usize,
        id: (u32, u64),
    ) -> Option<usize> {
        packet.get(len..len + TAG)?;
        self.apply(packet.get_mut(header..len)?, id.0, id.1).ok()?;
        let (body, room) = packet.split_at_mut_checked(len)?;
        let tag = self.tag(body, &rollover_counter(id.1));
        room.get_mut(..TAG)?.copy_from_slice(&tag);
        Some(len + TAG)
    }

    /// Checks and decrypts; returns the length without the tag.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        id: (u32, u64),
    ) -> Result<usize, TagMismatch> {
        let len = packet
            .len()
            .checked_sub(TAG)
            .filter(|len| *len >= header)
            .ok_or(TagMismatch)?;
        let (body, claimed) = packet.split_at_mut_checked(len).ok_or(TagMismatch)?;
        let tag = self.tag(body, &rollover_counter(id.1));
        constant_time::verify_slices_are_equal(&tag, claimed).map_err(|_| TagMismatch)?;
        self.apply(body.get_mut(header..).ok_or(TagMismatch)?, id.0, id.1)
            .map_err(|_| TagMismatch)?;
        Ok(len)
    }

    /// Encrypts everything after the first 8 bytes, appends index word and tag (RFC 3711 §3.4).
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) -> Option<()> {
        self.apply(packet.get_mut(RTCP_HEADER..)?, ssrc, u64::from(index))
            .ok()?;
        packet.extend_from_slice(&(index | ENCRYPTED_FLAG).to_be_bytes());
        let tag = self.tag(packet, &[]);
        packet.extend_from_slice(&tag);
        Some(())
    }

    /// Checks and, when the word says so, decrypts; `word` stands before the tag.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, word: u32) -> Result<usize, TagMismatch> {
        let signed = packet.len().checked_sub(TAG).ok_or(TagMismatch)?;
        let len = signed
            .checked_sub(INDEX_WORD)
            .filter(|len| *len >= RTCP_HEADER)
            .ok_or(TagMismatch)?;
        let (body, claimed) = packet.split_at_mut_checked(signed).ok_or(TagMismatch)?;
        constant_time::verify_slices_are_equal(&self.tag(body, &[]), claimed).map_err(|_| TagMismatch)?;
        if word & ENCRYPTED_FLAG != 0 {
            let payload = body.get_mut(RTCP_HEADER..len).ok_or(TagMismatch)?;
            self.apply(payload, ssrc, u64::from(word & !ENCRYPTED_FLAG))
                .map_err(|_| TagMismatch)?;
        }
        Ok(len)
    }
}

fn rollover_counter(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}
