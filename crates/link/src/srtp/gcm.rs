//! AES-GCM for SRTP and SRTCP (RFC 7714).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::keys::SessionKeys;
use super::{ENCRYPTED_FLAG, INDEX_WORD, KeyError, RTCP_HEADER, TagMismatch};

pub(super) const TAG: usize = 16;

pub(super) struct Gcm {
    key: LessSafeKey,
    salt: [u8; NONCE_LEN],
}

impl Gcm {
    pub(super) fn new(keys: &SessionKeys) -> Result<Self, KeyError> {
        let algorithm = match keys.cipher().len() {
            16 => &AES_128_GCM,
            32 => &AES_256_GCM,
            _ => return Err(KeyError),
        };
        let key = UnboundKey::new(algorithm, keys.cipher()).map_err(|_| KeyError)?;
        let salt = keys.salt().try_into().map_err(|_| KeyError)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            salt,
        })
    }

    /// Two zero bytes, SSRC, rollover counter, sequence number; XOR salt (RFC 7714 §8.1).
    ///
    /// The SRTCP form, two zero bytes, SSRC, two zero bytes, 31-bit index (§9.1), is the same with the index in
    /// the place of the 48-bit one.
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut nonce = self.salt;
        let [a, b, c, d] = ssrc.to_be_bytes();
        let [_, _, e, f, g, h, i, j] = index.to_be_bytes();
        for (byte, value) in nonce.iter_mut().skip(2).zip([a, b, c, d, e, f, g, h, i, j]) {
            *byte ^= value;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// Encrypts `packet[header..len]` in place and writes the tag after it, for which there must be room.
    pub(super) fn seal_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        len: usize,
        id: (u32, u64),
    ) -> Option<usize> {
        let (clear, rest) = packet.split_at_mut_checked(header)?;
        let (payload, room) = rest.split_at_mut_checked(len.checked_sub(header)?)?;
        let room = room.get_mut(..TAG)?;
        let nonce = self.nonce(id.0, id.1);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&*clear), payload)
            .ok()?;
        room.copy_from_slice(tag.as_ref());
        Some(len + TAG)
    }

    /// Encrypts `payload` to behind the first `header` bytes of `packet` and writes the tag after it.
    pub(super) fn seal_rtp_from(
        &self,
        packet: &mut [u8],
        header: usize,
        payload: &[u8],
        id: (u32, u64),
    ) -> Option<usize> {
        let (clear, rest) = packet.split_at_mut_checked(header)?;
        let (sealed, room) = rest.split_at_mut_checked(payload.len())?;
        let tag = room.get_mut(..TAG)?;
        let nonce = self.nonce(id.0, id.1);
        self.key
            .seal_out_of_place_scatter(nonce, Aad::from(&*clear), payload, sealed, &[], tag)
            .ok()?;
        Some(header + payload.len() + TAG)
    }

    /// Checks and decrypts; returns the length without the tag.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        id: (u32, u64),
    ) -> Result<usize, TagMismatch> {
        let len = packet.len().checked_sub(TAG).ok_or(TagMismatch)?;
        let (clear, sealed) = packet.split_at_mut_checked(header).ok_or(TagMismatch)?;
        let nonce = self.nonce(id.0, id.1);
        self.key
            .open_in_place(nonce, Aad::from(&*clear), sealed)
            .map_err(|_| TagMismatch)?;
        Ok(len)
    }

    /// Encrypts everything after the first 8 bytes, appends tag and index word (RFC 7714 §9.2).
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) -> Option<()> {
        let word = (index | ENCRYPTED_FLAG).to_be_bytes();
        let (clear, payload) = packet.split_at_mut_checked(RTCP_HEADER)?;
        let aad = rtcp_aad(clear, word)?;
        let nonce = self.nonce(ssrc, u64::from(index));
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), payload)
            .ok()?;
        packet.extend_from_slice(tag.as_ref());
        packet.extend_from_slice(&word);
        Some(())
    }

    /// Checks and, when the word says so, decrypts; `word` is the packet's last four bytes.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, word: u32) -> Result<usize, TagMismatch> {
        let len = packet.len().checked_sub(TAG + INDEX_WORD).ok_or(TagMismatch)?;
        let nonce = self.nonce(ssrc, u64::from(word & !ENCRYPTED_FLAG));
        if word & ENCRYPTED_FLAG == 0 {
            return self.open_clear_rtcp(packet, len, nonce, word);
        }
        let sealed_end = packet.len() - INDEX_WORD;
        let (clear, rest) = packet.split_at_mut_checked(RTCP_HEADER).ok_or(TagMismatch)?;
        let sealed = rest.get_mut(..sealed_end - RTCP_HEADER).ok_or(TagMismatch)?;
        let aad = rtcp_aad(clear, word.to_be_bytes()).ok_or(TagMismatch)?;
        self.key
            .open_in_place(nonce, Aad::from(aad), sealed)
            .map_err(|_| TagMismatch)?;
        Ok(len)
    }

    /// An authenticated but unencrypted packet: the whole of it and the index word are associated data
    /// (RFC 7714 §9.3). The word is moved next to the packet, over the tag, to have them in one piece.
    fn open_clear_rtcp(
        &self,
        packet: &mut [u8],
        len: usize,
        nonce: Nonce,
        word: u32,
    ) -> Result<usize, TagMismatch> {
        let mut tag = [0; TAG];
        tag.copy_from_slice(packet.get(len..len + TAG).ok_or(TagMismatch)?);
        packet
            .get_mut(len..len + INDEX_WORD)
            .ok_or(TagMismatch)?
            .copy_from_slice(&word.to_be_bytes());
        let aad = packet.get(..len + INDEX_WORD).ok_or(TagMismatch)?;
        self.key
            .open_in_place(nonce, Aad::from(aad), &mut tag)
            .map_err(|_| TagMismatch)?;
        Ok(len)
    }
}

fn rtcp_aad(clear: &[u8], word: [u8; INDEX_WORD]) -> Option<[u8; RTCP_HEADER + INDEX_WORD]> {
    let mut aad = [0; RTCP_HEADER + INDEX_WORD];
    aad[..RTCP_HEADER].copy_from_slice(clear.get(..RTCP_HEADER)?);
    aad[RTCP_HEADER..].copy_from_slice(&word);
    Some(aad)
}
