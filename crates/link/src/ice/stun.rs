//! STUN Binding messages (RFC 8489) with the attributes ICE adds (RFC 8445 §16.1), and no more.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |0 0|  class and method (14)    |  length of the attributes     |
//! |                  magic cookie 0x2112A442                      |
//! |                  transaction id (96 bits)                     |
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aws_lc_rs::{constant_time, hmac};
use thiserror::Error;

mod crc32;

const HEADER: usize = 20;
const MAGIC_COOKIE: u32 = 0x2112_A442;
const FINGERPRINT_XOR: u32 = 0x5354_554E;
const INTEGRITY_LENGTH: usize = 20;

/// Longest user name accepted, bytes (RFC 8489 §14.3).
const MAX_USERNAME: usize = 513;

/// Unknown comprehension-required attributes reported back; more than a few is an attack or a bug.
pub const MAX_UNKNOWN: usize = 4;

mod attribute {
    pub(super) const USERNAME: u16 = 0x0006;
    pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(super) const ERROR_CODE: u16 = 0x0009;
    pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(super) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(super) const PRIORITY: u16 = 0x0024;
    pub(super) const USE_CANDIDATE: u16 = 0x0025;
    pub(super) const FINGERPRINT: u16 = 0x8028;
    pub(super) const ICE_CONTROLLED: u16 = 0x8029;
    pub(super) const ICE_CONTROLLING: u16 = 0x802A;
    /// libwebrtc's renomination counter (draft-thatcher-ice-renomination), comprehension-optional.
    pub(super) const NOMINATION: u16 = 0xC001;
}

/// Class of a message (RFC 8489 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Expects an answer.
    Request,
    /// Expects none.
    Indication,
    /// Answers a request.
    Success,
    /// Refuses a request.
    Error,
}

/// The role the sender believes to have, with its tie breaker (RFC 8445 §16.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It nominates.
    Controlling(u64),
    /// It follows nominations.
    Controlled(u64),
}

/// Chosen by the sender of a request, repeated in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// Error codes this server answers with (RFC 8489 §14.8, RFC 8445 §16.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// 400: the request lacks what it must have.
    BadRequest,
    /// 401: user name or integrity wrong.
    Unauthenticated,
    /// 420: a comprehension-required attribute is unknown.
    UnknownAttribute,
    /// 487: both sides claim the controlled role.
    RoleConflict,
}

impl ErrorCode {
    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::UnknownAttribute => 420,
            Self::RoleConflict => 487,
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::Unauthenticated => "Unauthenticated",
            Self::UnknownAttribute => "Unknown Attribute",
            Self::RoleConflict => "Role Conflict",
        }
    }
}

/// Why a datagram is not an acceptable Binding message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StunError {
    /// Shorter than a header or than an attribute says.
    #[error("truncated")]
    Truncated,
    /// The first two bits, the cookie or the length field are not STUN's.
    #[error("not a STUN header")]
    Header,
    /// A method other than Binding.
    #[error("not a Binding message")]
    Method,
    /// An attribute of impossible length or content.
    #[error("malformed attribute")]
    Attribute,
    /// FINGERPRINT present and wrong, or not the last attribute.
    #[error("wrong fingerprint")]
    Fingerprint,
}

/// The comprehension-required attributes of a message that were not understood, at most [`MAX_UNKNOWN`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnknownAttributes {
    types: [u16; MAX_UNKNOWN],
    count: usize,
}

impl UnknownAttributes {
    fn push(&mut self, kind: u16) {
        if let Some(slot) = self.types.get_mut(self.count) {
            *slot = kind;
            self.count += 1;
        }
    }

    /// Their types, in the order of the message.
    pub fn as_slice(&self) -> &[u16] {
        self.types.get(..self.count).unwrap_or(&[])
    }
}

/// A parsed Binding message; borrowed from the datagram, which was read once from front to back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    bytes: &'a [u8],
    integrity: Option<usize>,
    /// Request, indication or answer.
    pub class: Class,
    /// Transaction the message belongs to.
    pub transaction: TransactionId,
    /// USERNAME: of an ICE check `<receiver's ufrag>:<sender's ufrag>`.
    pub username: Option<&'a str>,
    /// PRIORITY of the peer-reflexive candidate this check would create.
    pub priority: Option<u32>,
    /// Whether USE-CANDIDATE is present.
    pub use_candidate: bool,
    /// ICE-CONTROLLING or ICE-CONTROLLED.
    pub role: Option<Role>,
    /// libwebrtc's renomination counter.
    pub nomination: Option<u32>,
    /// XOR-MAPPED-ADDRESS, decoded.
    pub mapped_address: Option<SocketAddr>,
    /// ERROR-CODE, the number.
    pub error: Option<u16>,
    /// Whether FINGERPRINT is present (a wrong one does not parse).
    pub fingerprint: bool,
    /// Comprehension-required attributes not understood.
    pub unknown: UnknownAttributes,
}

impl<'a> Message<'a> {
    /// Parses a whole datagram.
    ///
    /// Attributes after MESSAGE-INTEGRITY are ignored save FINGERPRINT (RFC 8489 §14.5), of attributes given
    /// twice the first counts (RFC 8489 §14).
    ///
    /// # Errors
    /// See [`StunError`]. The integrity is not checked here: see [`Message::verify_integrity`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, StunError> {
        let (class, transaction) = parse_header(bytes)?;
        let mut message = Self {
            bytes,
            integrity: None,
            class,
            transaction,
            username: None,
            priority: None,
            use_candidate: false,
            role: None,
            nomination: None,
            mapped_address: None,
            error: None,
            fingerprint: false,
            unknown: UnknownAttributes::default(),
        };
        for attribute in Attributes::new(bytes) {
            let (kind, offset, value) = attribute?;
            if message.fingerprint {
                return Err(StunError::Fingerprint);
            }
            match kind {
                attribute::FINGERPRINT => {
                    let expected = crc32::crc32(bytes.get(..offset).ok_or(StunError::Truncated)?);
                    if u32_of(value)? != expected ^ FINGERPRINT_XOR {
                        return Err(StunError::Fingerprint);
                    }
                    message.fingerprint = true;
                }
                _ if message.integrity.is_some() => {}
                attribute::MESSAGE_INTEGRITY => {
                    if value.len() != INTEGRITY_LENGTH {
                        return Err(StunError::Attribute);
                    }
                    message.integrity = Some(offset);
                }
                _ => message.read(kind, value)?,
            }
        }
        Ok(message)
    }

    fn read(&mut self, kind: u16, value: &'a [u8]) -> Result<(), StunError> {
        match kind {
            attribute::USERNAME => {
                if value.len() > MAX_USERNAME {
                    return Err(StunError::Attribute);
                }
                let text = std::str::from_utf8(value).map_err(|_| StunError::Attribute)?;
                self.username.get_or_insert(text);
            }
            attribute::PRIORITY => {
                self.priority.get_or_insert(u32_of(value)?);
            }
            attribute::USE_CANDIDATE => self.use_candidate = true,
            attribute::ICE_CONTROLLING => {
                self.role.get_or_insert(Role::Controlling(u64_of(value)?));
            }
            attribute::ICE_CONTROLLED => {
                self.role.get_or_insert(Role::Controlled(u64_of(value)?));
            }
            attribute::NOMINATION => {
                self.nomination.get_or_insert(u32_of(value)?);
            }
            attribute::XOR_MAPPED_ADDRESS => {
                self.mapped_address
                    .get_or_insert(unmask(value, self.transaction)?);
            }
            attribute::ERROR_CODE => {
                let [_, _, hundreds, rest, ..] = value else {
                    return Err(StunError::Attribute);
                };
                self.error
                    .get_or_insert(u16::from(hundreds & 7) * 100 + u16::from(*rest));
            }
            // Only ever read by people.
            attribute::UNKNOWN_ATTRIBUTES => {}
            // Sent beside MESSAGE-INTEGRITY by agents that do not know what we support; ICE settles on SHA-1.
            attribute::MESSAGE_INTEGRITY_SHA256 => {}
            required @ ..0x8000 => self.unknown.push(required),
            _ => {}
        }
        Ok(())
    }

    /// Whether MESSAGE-INTEGRITY is present.
    pub fn has_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Checks MESSAGE-INTEGRITY with a short-term key (RFC 8489 §9.1.2); `false` when absent or wrong.
    pub fn verify_integrity(&self, key: &IntegrityKey) -> bool {
        let Some(offset) = self.integrity else {
            return false;
        };
        let Some(claimed) = self.bytes.get(offset + 4..offset + 4 + INTEGRITY_LENGTH) else {
            return false;
        };
        let Some(covered) = self.bytes.get(..offset) else {
            return false;
        };
        let actual = key.sign(covered);
        constant_time::verify_slices_are_equal(actual.as_ref(), claimed).is_ok()
    }

    /// The receiver's fragment of USERNAME: what stands before the colon.
    pub fn local_ufrag(&self) -> Option<&'a str> {
        self.username
            .and_then(|username| username.split_once(':'))
            .map(|(local, _)| local)
    }
}

/// The receiver's user name fragment in a Binding request, found without checking integrity or fingerprint.
///
/// For the worker, which finds with it the link a yet unknown address belongs to; [`Message::parse`] and
/// [`Message::verify_integrity`] decide afterwards whether to believe it.
pub fn stun_username_local_ufrag(datagram: &[u8]) -> Option<&str> {
    let (Class::Request, _) = parse_header(datagram).ok()? else {
        return None;
    };
    let (_, _, value) = Attributes::new(datagram)
        .map_while(Result::ok)
        .find(|(kind, ..)| *kind == attribute::USERNAME)?;
    let username = std::str::from_utf8(value.get(..value.len().min(MAX_USERNAME))?).ok()?;
    username.split_once(':').map(|(local, _)| local)
}

fn parse_header(bytes: &[u8]) -> Result<(Class, TransactionId), StunError> {
    let header: &[u8; HEADER] = bytes.first_chunk().ok_or(StunError::Truncated)?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let cookie = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    if kind & 0xC000 != 0 || cookie != MAGIC_COOKIE || length % 4 != 0 {
        return Err(StunError::Header);
    }
    match bytes.len().checked_sub(HEADER) {
        Some(present) if present < length => return Err(StunError::Truncated),
        Some(present) if present > length => return Err(StunError::Header),
        _ => {}
    }
    // Class bits are bit 4 and bit 8, the method is the rest (RFC 8489 §5).
    if kind & !0x0110 != 0x0001 {
        return Err(StunError::Method);
    }
    let class = match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    };
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&header[8..]);
    Ok((class, TransactionId(transaction)))
}

/// Walks the attributes of a message whose header is valid: `(type, offset of the attribute, value)`.
struct Attributes<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Attributes<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            offset: HEADER,
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, usize, &'a [u8]), StunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let offset = self.offset;
        let Some((&[t0, t1, l0, l1], body)) = rest.split_first_chunk() else {
            self.offset = self.bytes.len();
            return Some(Err(StunError::Truncated));
        };
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let Some(value) = body
            .get(..length)
            .filter(|_| body.len() >= length.next_multiple_of(4))
        else {
            self.offset = self.bytes.len();
            return Some(Err(StunError::Truncated));
        };
        self.offset += 4 + length.next_multiple_of(4);
        Some(Ok((u16::from_be_bytes([t0, t1]), offset, value)))
    }
}

fn u32_of(value: &[u8]) -> Result<u32, StunError> {
    value
        .try_into()
        .map(u32::from_be_bytes)
        .map_err(|_| StunError::Attribute)
}

fn u64_of(value: &[u8]) -> Result<u64, StunError> {
    value
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StunError::Attribute)
}

/// The mask of XOR-MAPPED-ADDRESS: cookie, then transaction (RFC 8489 §14.2).
fn address_mask(transaction: TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(&transaction.0);
    mask
}

fn unmask(value: &[u8], transaction: TransactionId) -> Result<SocketAddr, StunError> {
    let Some((&[_, family, p0, p1], masked)) = value.split_first_chunk() else {
        return Err(StunError::Attribute);
    };
    let mask = address_mask(transaction);
    let port = u16::from_be_bytes([p0 ^ mask[0], p1 ^ mask[1]]);
    let ip = match (family, masked.len()) {
        (1, 4) => {
            let mut octets = [0; 4];
            octets
                .iter_mut()
                .zip(masked.iter().zip(mask))
                .for_each(|(o, (m, x))| *o = m ^ x);
            IpAddr::V4(Ipv4Addr::from(octets))
        }
        (2, 16) => {
            let mut octets = [0; 16];
            octets
                .iter_mut()
                .zip(masked.iter().zip(mask))
                .for_each(|(o, (m, x))| *o = m ^ x);
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return Err(StunError::Attribute),
    };
    Ok(SocketAddr::new(ip, port))
}

/// HMAC-SHA1 keyed with an ICE password (RFC 8489 §9.1.1: the password itself, it is ASCII).
pub struct IntegrityKey(hmac::Key);

impl IntegrityKey {
    /// Prepares the key of one password.
    pub fn new(password: &str) -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            password.as_bytes(),
        ))
    }

    /// The tag over a message up to MESSAGE-INTEGRITY, its length field counted as ending with that attribute.
    fn sign(&self, covered: &[u8]) -> hmac::Tag {
        let length = (covered.len() + 4 + INTEGRITY_LENGTH - HEADER) as u16;
        let mut context = hmac::Context::with_key(&self.0);
        context.update(covered.get(..2).unwrap_or_default());
        context.update(&length.to_be_bytes());
        context.update(covered.get(4..).unwrap_or_default());
        context.sign()
    }
}

/// Writes one Binding message at the end of a buffer, which keeps its capacity from message to message.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    transaction: TransactionId,
}

impl<'a> Writer<'a> {
    /// Starts a message.
    pub fn new(out: &'a mut Vec<u8>, class: Class, transaction: TransactionId) -> Self {
        let start = out.len();
        let kind: u16 = match class {
            Class::Request => 0x0001,
            Class::Indication => 0x0011,
            Class::Success => 0x0101,
            Class::Error => 0x0111,
        };
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        out.extend_from_slice(&transaction.0);
        Self {
            out,
            start,
            transaction,
        }
    }

    /// Appends any attribute, padded to four bytes.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.out.extend_from_slice(value);
        let padded = self.out.len() + value.len().next_multiple_of(4) - value.len();
        self.out.resize(padded, 0);
    }

    /// USERNAME
    pub fn username(&mut self, username: &str) {
        self.attribute(attribute::USERNAME, username.as_bytes());
    }

    /// PRIORITY
    pub fn priority(&mut self, priority: u32) {
        self.attribute(attribute::PRIORITY, &priority.to_be_bytes());
    }

    /// USE-CANDIDATE
    pub fn use_candidate(&mut self) {
        self.attribute(attribute::USE_CANDIDATE, &[]);
    }

    /// ICE-CONTROLLING or ICE-CONTROLLED
    pub fn role(&mut self, role: Role) {
        match role {
            Role::Controlling(tie) => self.attribute(attribute::ICE_CONTROLLING, &tie.to_be_bytes()),
            Role::Controlled(tie) => self.attribute(attribute::ICE_CONTROLLED, &tie.to_be_bytes()),
        }
    }

    /// libwebrtc's renomination counter
    pub fn nomination(&mut self, nomination: u32) {
        self.attribute(attribute::NOMINATION, &nomination.to_be_bytes());
    }

    /// XOR-MAPPED-ADDRESS
    pub fn mapped_address(&mut self, address: SocketAddr) {
        let mask = address_mask(self.transaction);
        let port = address.port() ^ u16::from_be_bytes([mask[0], mask[1]]);
        let mut value = [0; 20];
        value[2..4].copy_from_slice(&port.to_be_bytes());
        let octets: &mut [u8] = match address.ip() {
            IpAddr::V4(ip) => {
                value[1] = 1;
                value[4..8].copy_from_slice(&ip.octets());
                &mut value[..8]
            }
            IpAddr::V6(ip) => {
                value[1] = 2;
                value[4..20].copy_from_slice(&ip.octets());
                &mut value[..]
            }
        };
        octets
            .iter_mut()
            .skip(4)
            .zip(mask)
            .for_each(|(octet, mask)| *octet ^= mask);
        let length = octets.len();
        self.attribute(attribute::XOR_MAPPED_ADDRESS, &value[..length]);
    }

    /// ERROR-CODE with its customary text
    pub fn error(&mut self, code: ErrorCode) {
        let mut value = [0; 4 + 32];
        let reason = code.reason().as_bytes();
        value[2] = (code.number() / 100) as u8;
        value[3] = (code.number() % 100) as u8;
        let length = 4 + reason.len();
        value[4..length].copy_from_slice(reason);
        self.attribute(attribute::ERROR_CODE, &value[..length]);
    }

    /// UNKNOWN-ATTRIBUTES
    pub fn unknown_attributes(&mut self, unknown: &UnknownAttributes) {
        let mut value = [0; 2 * MAX_UNKNOWN];
        for (slot, kind) in value.chunks_exact_mut(2).zip(unknown.as_slice()) {
            slot.copy_from_slice(&kind.to_be_bytes());
        }
        self.attribute(
            attribute::UNKNOWN_ATTRIBUTES,
            &value[..2 * unknown.as_slice().len()],
        );
    }

    /// Ends the message: MESSAGE-INTEGRITY when a key is given, then FINGERPRINT.
    pub fn finish(mut self, key: Option<&IntegrityKey>) {
        if let Some(key) = key {
            let tag = key.sign(&self.out[self.start..]);
            self.attribute(attribute::MESSAGE_INTEGRITY, tag.as_ref());
        }
        // FINGERPRINT covers the length field as it will be sent, itself included (RFC 8489 §14.7).
        self.set_length(8);
        let crc = crc32::crc32(&self.out[self.start..]) ^ FINGERPRINT_XOR;
        self.attribute(attribute::FINGERPRINT, &crc.to_be_bytes());
    }

    fn set_length(&mut self, still_to_come: usize) {
        let length = (self.out.len() - self.start - HEADER + still_to_come) as u16;
        self.out[self.start + 2..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
