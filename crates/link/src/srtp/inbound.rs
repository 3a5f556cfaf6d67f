//! Checking and decryption of what the peer sends.

use thiserror::Error;

use super::keys::{Half, KeyError, MasterKey};
use super::replay::{Stale, Window, guess_index};
use super::streams::Streams;
use super::{
    Cipher, ENCRYPTED_FLAG, INDEX_WORD, RTCP_HEADER, SrtpProfile, cm_sha1, read_u32, rtp_header_len,
};

/// Sources one peer may send in its life. A simulcast camera has six (three encodings, each with
/// retransmissions), so this is more than a hundred times switching it on; each costs 160 bytes.
const MAX_STREAMS: usize = 1024;

/// Indexes of RTP remembered behind the highest, in words of 64: retransmissions without RFC 4588 come with
/// their old sequence number, and 1024 packets are about a second of good video.
const RTP_WINDOW: usize = 16;

/// As [`RTP_WINDOW`]; RTCP is sparse and not retransmitted.
const RTCP_WINDOW: usize = 2;

/// Why a received packet is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnprotectError {
    /// Not an RTP or RTCP packet, or too short to be protected.
    #[error("not a protected RTP or RTCP packet")]
    Malformed,
    /// The tag does not match: forged, corrupted, or made with other keys.
    #[error("authentication failed")]
    Authentication,
    /// Seen before, or too old to tell.
    #[error("replayed")]
    Replay,
    /// Authentic, but of one source too many.
    #[error("too many synchronization sources")]
    TooManyStreams,
}

impl From<Stale> for UnprotectError {
    fn from(_: Stale) -> Self {
        Self::Replay
    }
}

/// The receiving half of an SRTP session.
///
/// State changes only for packets whose authentication succeeded.
pub struct Inbound {
    profile: SrtpProfile,
    rtp: Cipher,
    rtcp: Cipher,
    streams: Streams<Window<RTP_WINDOW>>,
    rtcp_streams: Streams<Window<RTCP_WINDOW>>,
}

impl Inbound {
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
            rtcp_streams: Streams::new(MAX_STREAMS, seed),
        })
    }

    /// The profile negotiated.
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Checks and decrypts an SRTP packet in place; returns the length of the RTP packet left at its start.
    ///
    /// # Errors
    /// See [`UnprotectError`]; the bytes are then undefined.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let header = rtp_header_len(packet).ok_or(UnprotectError::Malformed)?;
        if packet.len() < header + self.profile.tag_len() {
            return Err(UnprotectError::Malformed);
        }
        let ssrc = read_u32(packet, 8).ok_or(UnprotectError::Malformed)?;
        let sequence = (read_u32(packet, 0).ok_or(UnprotectError::Malformed)? & 0xFFFF) as u16;
        let window = self.streams.find(ssrc);
        let index = match &window {
            Some(window) => {
                let index = guess_index(window.highest(), sequence).ok_or(UnprotectError::Replay)?;
                window.check(index)?;
                index
            }
            None => u64::from(sequence),
        };
        let opened = match &self.rtp {
            Cipher::Gcm(gcm) => gcm.open_rtp(packet, header, (ssrc, index)),
            Cipher::CmSha1(cm) => cm.open_rtp(packet, header, (ssrc, index)),
        };
        let len = opened.map_err(|_| UnprotectError::Authentication)?;
        match window {
            Some(window) => window.accept(index),
            None => self
                .streams
                .insert(ssrc, Window::starting_at(index))
                .map_err(|_| UnprotectError::TooManyStreams)?,
        }
        Ok(len)
    }

    /// Checks and decrypts an SRTCP packet in place; returns the length of the compound packet at its start.
    ///
    /// # Errors
    /// See [`UnprotectError`]; the bytes are then undefined.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let overhead = self.profile.tag_len() + INDEX_WORD;
        if packet.len() < RTCP_HEADER + overhead || packet.first().is_none_or(|first| first >> 6 != 2) {
            return Err(UnprotectError::Malformed);
        }
        let ssrc = read_u32(packet, 4).ok_or(UnprotectError::Malformed)?;
        // AES-GCM puts the word last (RFC 7714 §9), HMAC-SHA1 before the tag (RFC 3711 §3.4).
        let word_offset = match &self.rtcp {
            Cipher::Gcm(_) => packet.len() - INDEX_WORD,
            Cipher::CmSha1(_) => packet.len() - cm_sha1::TAG - INDEX_WORD,
        };
        let word = read_u32(packet, word_offset).ok_or(UnprotectError::Malformed)?;
        let index = u64::from(word & !ENCRYPTED_FLAG);
        let window = self.rtcp_streams.find(ssrc);
        if let Some(window) = &window {
            window.check(index)?;
        }
        let opened = match &self.rtcp {
            Cipher::Gcm(gcm) => gcm.open_rtcp(packet, ssrc, word),
            Cipher::CmSha1(cm) => cm.open_rtcp(packet, ssrc, word),
        };
        let len = opened.map_err(|_| UnprotectError::Authentication)?;
        match window {
            Some(window) => window.accept(index),
            None => self
                .rtcp_streams
                .insert(ssrc, Window::starting_at(index))
                .map_err(|_| UnprotectError::TooManyStreams)?,
        }
        Ok(len)
    }

    #[cfg(test)]
    pub(super) fn from_session_keys(profile: SrtpProfile, keys: &super::SessionKeys) -> Self {
        Self {
            profile,
            rtp: Cipher::new(profile, keys).expect("test vector"),
            rtcp: Cipher::new(profile, keys).expect("test vector"),
            streams: Streams::new(MAX_STREAMS, 1),
            rtcp_streams: Streams::new(MAX_STREAMS, 1),
        }
    }

    /// Sources seen so far, of RTP and of RTCP.
    pub(crate) fn stream_count(&self) -> usize {
        self.streams.len() + self.rtcp_streams.len()
    }
}
