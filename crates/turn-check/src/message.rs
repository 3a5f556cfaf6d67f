//! STUN messages, built and read (RFC 8489 §5, §14; RFC 8656 §18).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0|       message type        |   length without this header  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    magic cookie 0x2112A442                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  transaction id, 96 bits                      |
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aws_lc_rs::hmac;
use md5::{Digest, Md5};

/// Bytes of the header.
pub const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_A442;
/// Bytes of HMAC-SHA1.
const INTEGRITY_BYTES: usize = 20;
/// What a fingerprint is xored with (RFC 8489 §14.7).
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Message types: method and class in one (RFC 8489 §5, RFC 8656 §17).
pub mod kind {
    /// Request for our address.
    pub const BINDING: u16 = 0x0001;
    /// Request for a relayed address.
    pub const ALLOCATE: u16 = 0x0003;
    /// Request to keep or give back a relayed address.
    pub const REFRESH: u16 = 0x0004;
    /// Request that a peer may send.
    pub const CREATE_PERMISSION: u16 = 0x0008;
    /// To a peer.
    pub const SEND: u16 = 0x0016;
    /// From a peer.
    pub const DATA: u16 = 0x0017;
    /// Set in the answer to a request that was done.
    pub const SUCCESS: u16 = 0x0100;
    /// Set in the answer to a request that was refused.
    pub const ERROR: u16 = 0x0110;
}

/// Attribute types.
pub mod attribute {
    /// Who asks.
    pub const USERNAME: u16 = 0x0006;
    /// HMAC-SHA1 over what is before.
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    /// Code and words of a refusal.
    pub const ERROR_CODE: u16 = 0x0009;
    /// Seconds.
    pub const LIFETIME: u16 = 0x000D;
    /// A peer.
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    /// What is relayed.
    pub const DATA: u16 = 0x0013;
    /// Whose users these are.
    pub const REALM: u16 = 0x0014;
    /// What makes a request fresh.
    pub const NONCE: u16 = 0x0015;
    /// The address on the server.
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    /// The family of the address on the server (RFC 8656 §18.6).
    pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    /// What peers speak: 17 for UDP.
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    /// Our address as the server sees it.
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    /// Of a candidate pair (RFC 8445 §7.1.1).
    pub const PRIORITY: u16 = 0x0024;
    /// CRC-32 of the message.
    pub const FINGERPRINT: u16 = 0x8028;
    /// We decide (RFC 8445 §7.1.3).
    pub const ICE_CONTROLLING: u16 = 0x802A;
}

/// Says which answer belongs to which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionId(pub [u8; 12]);

impl TransactionId {
    /// A new one, which nobody can guess.
    ///
    /// # Panics
    /// If the operating system has no randomness.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Self(bytes)
    }
}

/// Signs and verifies messages.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    /// Of a user of a realm (RFC 8489 §9.2.2).
    #[must_use]
    pub fn long_term(username: &str, realm: &str, password: &str) -> Self {
        let digest = Md5::digest(format!("{username}:{realm}:{password}"));
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &digest))
    }

    /// Of one ICE session (RFC 8489 §9.1.1).
    #[must_use]
    pub fn short_term(password: &str) -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            password.as_bytes(),
        ))
    }
}

/// A message under construction.
#[derive(Clone, Debug)]
pub struct Builder(Vec<u8>);

impl Builder {
    /// Of this kind.
    #[must_use]
    pub fn new(kind: u16, id: TransactionId) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE.to_be_bytes());
        bytes.extend_from_slice(&id.0);
        Self(bytes)
    }

    /// With an attribute; what is longer than an attribute can be is cut.
    #[must_use]
    pub fn with(mut self, attribute: u16, value: &[u8]) -> Self {
        let value = &value[..value.len().min(usize::from(u16::MAX) / 2)];
        let length = u16::try_from(value.len()).expect("cut above");
        self.0.extend_from_slice(&attribute.to_be_bytes());
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self.count(0);
        self
    }

    /// With an address that is not rewritten on the way (RFC 8489 §14.2).
    #[must_use]
    pub fn with_address(self, attribute: u16, address: SocketAddr) -> Self {
        let mut value = vec![0, 1];
        let mask = self.mask();
        value.extend_from_slice(&(address.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
        match address.ip() {
            IpAddr::V4(ip) => value.extend(ip.octets().iter().zip(mask).map(|(byte, mask)| byte ^ mask)),
            IpAddr::V6(ip) => {
                value[1] = 2;
                value.extend(ip.octets().iter().zip(mask).map(|(byte, mask)| byte ^ mask));
            }
        }
        self.with(attribute, &value)
    }

    /// Signed; only a fingerprint may follow.
    #[must_use]
    pub fn signed(mut self, key: &Key) -> Self {
        self.count(4 + INTEGRITY_BYTES);
        let tag = hmac::sign(&key.0, &self.0);
        self.with(attribute::MESSAGE_INTEGRITY, tag.as_ref())
    }

    /// With a fingerprint, the last attribute.
    #[must_use]
    pub fn fingerprinted(mut self) -> Self {
        self.count(8);
        let value = crc32(&self.0) ^ FINGERPRINT_XOR;
        self.with(attribute::FINGERPRINT, &value.to_be_bytes())
    }

    /// The message.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// Writes the length, with so much that is yet to come.
    fn count(&mut self, to_come: usize) {
        let length = u16::try_from(self.0.len() - HEADER + to_come).unwrap_or(u16::MAX);
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
    }

    fn mask(&self) -> [u8; 16] {
        let mut mask = [0; 16];
        mask.copy_from_slice(&self.0[4..HEADER]);
        mask
    }
}

/// A message that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    /// Exactly one message; `None` if it is none.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let length = Self::length(bytes)?;
        let is_whole = bytes.len() == length && length.is_multiple_of(4);
        let message = Self(bytes);
        // Every attribute must lie within.
        (is_whole && message.attributes().all(|attribute| attribute.is_some())).then_some(message)
    }

    /// How long the message is that begins like this; `None` if none does, or too little is there to tell.
    #[must_use]
    pub fn length(bytes: &[u8]) -> Option<usize> {
        let header = bytes.get(..HEADER)?;
        let is_stun = header[0] & 0xC0 == 0 && header[4..8] == COOKIE.to_be_bytes();
        is_stun.then(|| HEADER + usize::from(u16::from_be_bytes([header[2], header[3]])))
    }

    /// Method and class.
    #[must_use]
    pub fn kind(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// Whose answer it is.
    #[must_use]
    pub fn id(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.0[8..HEADER]);
        TransactionId(id)
    }

    /// The value of an attribute.
    #[must_use]
    pub fn value(&self, attribute: u16) -> Option<&'a [u8]> {
        self.attributes()
            .flatten()
            .find(|found| found.kind == attribute)
            .map(|found| found.value)
    }

    /// The value of an attribute that is text.
    #[must_use]
    pub fn text(&self, attribute: u16) -> Option<&'a str> {
        std::str::from_utf8(self.value(attribute)?).ok()
    }

    /// An address (RFC 8489 §14.2).
    #[must_use]
    pub fn address(&self, attribute: u16) -> Option<SocketAddr> {
        let value = self.value(attribute)?;
        let mask = &self.0[4..HEADER];
        let port = u16::from_be_bytes([*value.get(2)?, *value.get(3)?]) ^ (COOKIE >> 16) as u16;
        let plain = |bytes: &[u8]| {
            bytes
                .iter()
                .zip(mask)
                .map(|(byte, mask)| byte ^ mask)
                .collect::<Vec<u8>>()
        };
        let ip = match (value.get(1)?, value.get(4..)?) {
            (1, bytes) => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(plain(bytes)).ok()?)),
            (2, bytes) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(plain(bytes)).ok()?)),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// Code and words of a refusal (RFC 8489 §14.8).
    #[must_use]
    pub fn error(&self) -> Option<(u16, String)> {
        let value = self.value(attribute::ERROR_CODE)?;
        let code = u16::from(value.get(2)? & 7) * 100 + u16::from(*value.get(3)?);
        let words: String = String::from_utf8_lossy(&value[4..])
            .chars()
            .filter(|c| !c.is_control())
            .take(128)
            .collect();
        Some((code, words))
    }

    /// Whether it is signed with this key.
    #[must_use]
    pub fn is_signed_by(&self, key: &Key) -> bool {
        let Some(found) = self
            .attributes()
            .flatten()
            .find(|found| found.kind == attribute::MESSAGE_INTEGRITY)
        else {
            return false;
        };
        let mut signed = self.0[..found.at].to_vec();
        let length = u16::try_from(found.at + 4 + INTEGRITY_BYTES - HEADER).unwrap_or(u16::MAX);
        signed[2..4].copy_from_slice(&length.to_be_bytes());
        hmac::verify(&key.0, &signed, found.value).is_ok()
    }

    /// Every attribute; the last is `None` if the message ends within it.
    fn attributes(&self) -> impl Iterator<Item = Option<Attribute<'a>>> + use<'a> {
        let bytes = self.0;
        let mut at = HEADER;
        std::iter::from_fn(move || {
            let head = bytes.get(at..).filter(|rest| !rest.is_empty())?;
            let begun = at;
            let found = head.get(..4).and_then(|head| {
                let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
                let value = bytes.get(begun + 4..begun + 4 + length)?;
                at = begun + 4 + length.next_multiple_of(4);
                let kind = u16::from_be_bytes([head[0], head[1]]);
                Some(Attribute {
                    kind,
                    value,
                    at: begun,
                })
            });
            if found.is_none() {
                at = usize::MAX;
            }
            Some(found)
        })
    }
}

struct Attribute<'a> {
    kind: u16,
    value: &'a [u8],
    /// Where it begins in the message.
    at: usize,
}

/// CRC-32 of ISO 3309, bit by bit: a message is short, and there are a few of them.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = 0_u32.wrapping_sub(crc & 1);
            crc = (crc >> 1) ^ (0xEDB8_8320 & mask);
        }
    }
    !crc
}

#[cfg(test)]
mod tests;
