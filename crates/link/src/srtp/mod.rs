//! SRTP and SRTCP in place: RFC 3711 (AES-CM with HMAC-SHA1) and RFC 7714 (AES-GCM).
//!
//! [`Outbound`] protects what this side sends, [`Inbound`] checks and decrypts what the peer sends. Both keep
//! their key schedules, neither allocates once every synchronization source has been seen.

mod cm_sha1;
mod gcm;
mod inbound;
mod keys;
mod outbound;
mod replay;
mod streams;

use thiserror::Error;

pub use inbound::{Inbound, UnprotectError};
pub use keys::{KeyError, MasterKey, SessionKeys};
pub use outbound::{Outbound, ProtectError};

/// Most bytes SRTP adds to an RTP packet: the 16-byte tag of AES-GCM.
pub const SRTP_OVERHEAD: usize = 16;

/// Most bytes SRTCP adds to an RTCP packet: the tag and the 4-byte word of the encryption flag and the index.
pub const SRTCP_OVERHEAD: usize = SRTP_OVERHEAD + INDEX_WORD;

/// The E flag and the SRTCP index (RFC 3711 §3.4).
const INDEX_WORD: usize = 4;
const ENCRYPTED_FLAG: u32 = 1 << 31;

/// RTCP's unencrypted part: first header word and the sender's SSRC.
const RTCP_HEADER: usize = 8;
const RTP_FIXED_HEADER: usize = 12;

/// A protection profile negotiated by DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SrtpProfile {
    /// `SRTP_AEAD_AES_128_GCM`
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`
    AeadAes256Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`
    AesCm128HmacSha1_80,
}

impl SrtpProfile {
    /// Every profile, in this server's order of preference (contract §1.8 number 8).
    pub const ALL: [Self; 3] = [
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
        Self::AesCm128HmacSha1_80,
    ];

    /// Length of master and session key, bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AesCm128HmacSha1_80 => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Length of master and session salt, bytes.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            Self::AesCm128HmacSha1_80 => 14,
        }
    }

    /// Length of the authentication tag, bytes.
    pub const fn tag_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
            Self::AesCm128HmacSha1_80 => 10,
        }
    }

    /// Bytes of keying material a DTLS-SRTP handshake exports for it: two keys and two salts.
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }
}

/// An authentication tag did not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("authentication tag does not match")]
struct TagMismatch;

/// The transform of one direction and one of RTP or RTCP, with its key schedule.
enum Cipher {
    Gcm(gcm::Gcm),
    /// Boxed: its HMAC key is forty times the size of the other variant.
    CmSha1(Box<cm_sha1::CmSha1>),
}

impl Cipher {
    fn new(profile: SrtpProfile, keys: &SessionKeys) -> Result<Self, KeyError> {
        match profile {
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => gcm::Gcm::new(keys).map(Self::Gcm),
            SrtpProfile::AesCm128HmacSha1_80 => cm_sha1::CmSha1::new(keys).map(Box::new).map(Self::CmSha1),
        }
    }
}

/// Length of an RTP packet's unencrypted part: fixed header, contributing sources, extension (RFC 3711 §3.1).
fn rtp_header_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut length = RTP_FIXED_HEADER + 4 * usize::from(first & 0x0F);
    if first & 0x10 != 0 {
        let words = packet.get(length + 2..length + 4)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (length <= packet.len()).then_some(length)
}

fn read_u32(packet: &[u8], offset: usize) -> Option<u32> {
    packet
        .get(offset..)?
        .first_chunk()
        .copied()
        .map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests;
