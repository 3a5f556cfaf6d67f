//! Protection of what this side sends.

use rtp::SeqNo;
use thiserror::Error;

use super::keys::{Half, KeyError, MasterKey};
use super::replay::{Stale, Window};
use super::streams::Streams;
use super::{Cipher, RTCP_HEADER, SrtpProfile, read_u32, rtp_header_len};

/// Sources one link may send in its life. A consumer has two, so this is thousands of consumers; a table that
/// size holds 0.5 MB, in the one link that gets there.
const MAX_STREAMS: usize = 8192;

/// The SRTCP index has 31 bits and must not wrap (RFC 3711 §9.2).
const MAX_RTCP_INDEX: u32 = (1 << 31) - 1;

/// Rollover counters have 32 bits.
const MAX_RTP_INDEX: u64 = (1 << 48) - 1;

/// Why a packet was not protected. It must not be sent then: part of it may be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProtectError {
    /// No verified DTLS handshake has provided keys yet, or the link is closed.
    #[error("no SRTP keys")]
    NotReady,
    /// Not an RTP or RTCP packet.
    #[error("not an RTP or RTCP packet")]
    Malformed,
    /// The buffer has no room for the authentication tag.
    #[error("no room for the authentication tag")]
    NoRoom,
    /// The index does not end in the sequence number the packet carries.
    #[error("index and sequence number disagree")]
    WrongIndex,
    /// A packet with this SSRC and index was protected before. Doing it twice would reuse a nonce, which breaks
    /// AES-GCM for good.
    #[error("this index was used before")]
    Reused,
    /// The index is so far behind that it may have been used before, or before the first of its SSRC.
    #[error("the index is too old to prove unused")]
    TooOld,
    /// All indexes of the key are used up.
    #[error("all indexes of the key are used up")]
    Exhausted,
    /// More sources than a link keeps state for.
    #[error("too many synchronization sources")]
    TooManyStreams,
    /// The crypto library failed, which it does not do for keys and lengths it has accepted before.
    #[error("the crypto library failed")]
    Cipher,
}

impl From<Stale> for ProtectError {
    fn from(stale: Stale) -> Self {
        match stale {
            Stale::Repeated => Self::Reused,
            Stale::TooOld => Self::TooOld,
        }
    }
}

struct Stream {
    /// Subtracted from every index: the rollover counter of the first packet times 2^16.
    base: u64,
    used: Window<2>,
}

/// The sending half of an SRTP session.
pub struct Outbound {
    profile: SrtpProfile,
    rtp: Cipher,
    rtcp: Cipher,
    streams: Streams<Stream>,
    next_rtcp_index: u32,
}

impl Outbound {
    /// Derives the session keys; `seed` spreads the table of sources.
    ///
    /// # Errors
    /// [`KeyError`] when the crypto library refuses the keys.
    pub fn new(master: &MasterKey, seed: u64) -> Result<Self, KeyError> {
        let profile = master.profile();
        Ok(Self {
            profile,
            rtp: Cipher::new(profile, &master.derive(Half::Rtp)?)?,
            rtcp: Cipher::new(profile, &master.derive(Half::Rtcp)?)?,
            streams: Streams::new(MAX_STREAMS, seed),
            // Any start will do, RFC 3711 §3.4 names 0; 1 is what libsrtp's receivers are used to.
            next_rtcp_index: 1,
        })
    }

    /// The profile negotiated.
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Encrypts the RTP packet `packet[..len]` in place and appends the tag; returns the new length.
    ///
    /// `index` is the sequence number of the packet's SSRC extended to 64 bits. Of the part above 16 bits only
    /// the difference to the first packet of that SSRC counts, as a receiver assumes a rollover counter of zero
    /// for the first packet it sees (RFC 3711 §3.3.1): sequences may start at any multiple of 2^16.
    ///
    /// # Errors
    /// See [`ProtectError`]; among others, an index is accepted once, within 128 of the highest of its SSRC.
    pub fn protect(&mut self, packet: &mut [u8], len: usize, index: SeqNo) -> Result<usize, ProtectError> {
        let plain = packet.get(..len).ok_or(ProtectError::NoRoom)?;
        let header = rtp_header_len(plain).ok_or(ProtectError::Malformed)?;
        let ssrc = read_u32(plain, 8).ok_or(ProtectError::Malformed)?;
        if packet.len() < len + self.profile.tag_len() {
            return Err(ProtectError::NoRoom);
        }
        if plain.get(2..4) != Some(&(index.0 as u16).to_be_bytes()) {
            return Err(ProtectError::WrongIndex);
        }
        // The index counts as used from here on, even if sealing should fail half-way.
        let index = self.claim(ssrc, index.0)?;
        let sealed = match &self.rtp {
            Cipher::Gcm(gcm) => gcm.seal_rtp(packet, header, len, (ssrc, index)),
            Cipher::CmSha1(cm) => cm.seal_rtp(packet, header, len, (ssrc, index)),
        };
        sealed.ok_or(ProtectError::Cipher)
    }

    /// The same for a packet whose payload lies elsewhere: `packet` begins with a whole header of `header` bytes, and
    /// the payload is encrypted to behind it. Saves copying what goes to many; `payload` may end with RTP padding.
    ///
    /// # Errors
    /// As [`Self::protect`].
    pub fn protect_from(
        &mut self,
        packet: &mut [u8],
        header: usize,
        payload: &[u8],
        index: SeqNo,
    ) -> Result<usize, ProtectError> {
        let clear = packet.get(..header).ok_or(ProtectError::NoRoom)?;
        if rtp_header_len(clear) != Some(header) {
            return Err(ProtectError::Malformed);
        }
        let ssrc = read_u32(clear, 8).ok_or(ProtectError::Malformed)?;
        let len = header + payload.len();
        if packet.len() < len + self.profile.tag_len() {
            return Err(ProtectError::NoRoom);
        }
        if clear.get(2..4) != Some(&(index.0 as u16).to_be_bytes()) {
            return Err(ProtectError::WrongIndex);
        }
        let index = self.claim(ssrc, index.0)?;
        let sealed = match &self.rtp {
            Cipher::Gcm(gcm) => gcm.seal_rtp_from(packet, header, payload, (ssrc, index)),
            Cipher::CmSha1(cm) => {
                packet[header..len].copy_from_slice(payload);
                cm.seal_rtp(packet, header, len, (ssrc, index))
            }
        };
        sealed.ok_or(ProtectError::Cipher)
    }

    /// The 48-bit index to use, marked as used.
    fn claim(&mut self, ssrc: u32, index: u64) -> Result<u64, ProtectError> {
        let Some(stream) = self.streams.find(ssrc) else {
            let base = index & !0xFFFF;
            let used = Window::starting_at(index - base);
            self.streams
                .insert(ssrc, Stream { base, used })
                .map_err(|_| ProtectError::TooManyStreams)?;
            return Ok(index - base);
        };
        let index = index.checked_sub(stream.base).ok_or(ProtectError::TooOld)?;
        if index > MAX_RTP_INDEX {
            return Err(ProtectError::Exhausted);
        }
        stream.used.check(index)?;
        stream.used.accept(index);
        Ok(index)
    }

    /// Encrypts a compound RTCP packet in place and appends index and tag.
    ///
    /// One index counts for all sources of this link: unique per key, and increasing for each source.
    ///
    /// # Errors
    /// See [`ProtectError`].
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), ProtectError> {
        if packet.len() < RTCP_HEADER || packet.first().is_none_or(|first| first >> 6 != 2) {
            return Err(ProtectError::Malformed);
        }
        let ssrc = read_u32(packet, 4).ok_or(ProtectError::Malformed)?;
        let index = self.next_rtcp_index;
        if index > MAX_RTCP_INDEX {
            return Err(ProtectError::Exhausted);
        }
        self.next_rtcp_index += 1;
        let sealed = match &self.rtcp {
            Cipher::Gcm(gcm) => gcm.seal_rtcp(packet, ssrc, index),
            Cipher::CmSha1(cm) => cm.seal_rtcp(packet, ssrc, index),
        };
        sealed.ok_or(ProtectError::Cipher)
    }

    #[cfg(test)]
    pub(super) fn from_session_keys(profile: SrtpProfile, keys: &super::SessionKeys) -> Self {
        Self {
            profile,
            rtp: Cipher::new(profile, keys).expect("test vector"),
            rtcp: Cipher::new(profile, keys).expect("test vector"),
            streams: Streams::new(MAX_STREAMS, 1),
            next_rtcp_index: 1,
        }
    }

    #[cfg(test)]
    pub(super) fn set_next_rtcp_index(&mut self, index: u32) {
        self.next_rtcp_index = index;
    }
}
