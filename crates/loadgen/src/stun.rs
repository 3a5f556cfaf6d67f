//! STUN as a controlling ICE agent needs it: it asks and reads answers (RFC 8489, RFC 8445 §7.1).

use aws_lc_rs::hmac;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const HEADER: usize = 20;
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLING: u16 = 0x802A;
/// Bytes of MESSAGE-INTEGRITY and FINGERPRINT with their headers.
const INTEGRITY_BYTES: usize = 24;
const FINGERPRINT_BYTES: usize = 8;
/// What the CRC of a fingerprint is mixed with (RFC 8489 §14.7).
const FINGERPRINT_MASK: u32 = 0x5354_554E;

/// Tells an answer to one request from answers to others.
pub(crate) type Transaction = [u8; 12];

/// A password as the key of integrity checks (RFC 8489 §9.1.1: short-term credentials).
pub(crate) struct Password(hmac::Key);

impl Password {
    pub(crate) fn new(password: &str) -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            password.as_bytes(),
        ))
    }
}

/// What a connectivity check says.
pub(crate) struct Check<'a> {
    pub(crate) transaction: Transaction,
    pub(crate) username: &'a str,
    pub(crate) priority: u32,
    pub(crate) tie_breaker: u64,
}

impl Check<'_> {
    /// Writes the check, which nominates its path, as a browser's does before a server that is ICE-lite.
    pub(crate) fn write(&self, password: &Password) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(&REQUEST.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&COOKIE);
        out.extend_from_slice(&self.transaction);
        attribute(&mut out, USERNAME, self.username.as_bytes());
        attribute(&mut out, PRIORITY, &self.priority.to_be_bytes());
        attribute(&mut out, ICE_CONTROLLING, &self.tie_breaker.to_be_bytes());
        attribute(&mut out, USE_CANDIDATE, &[]);
        seal(&mut out, password);
        out
    }
}

fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    // Attributes of ours are short.
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
    while !out.len().is_multiple_of(4) {
        out.push(0);
    }
}

/// Writes the length that the message will have with `more` bytes behind it.
fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() - HEADER + more) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

pub(crate) fn seal(out: &mut Vec<u8>, password: &Password) {
    set_length(out, INTEGRITY_BYTES);
    let tag = hmac::sign(&password.0, out);
    attribute(out, MESSAGE_INTEGRITY, tag.as_ref());
    set_length(out, FINGERPRINT_BYTES);
    let fingerprint = crc32(out) ^ FINGERPRINT_MASK;
    attribute(out, FINGERPRINT, &fingerprint.to_be_bytes());
}

/// What a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The path works.
    Success,
    /// The server refused the check.
    Refused,
}

/// Reads an answer; nothing if it is none, or one that the server did not write.
pub(crate) fn read_answer(message: &[u8], password: &Password) -> Option<(Transaction, Verdict)> {
    let header: &[u8; HEADER] = message.first_chunk()?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[4..8] != COOKIE || HEADER + length != message.len() {
        return None;
    }
    let transaction = *header[8..].first_chunk()?;
    match kind {
        SUCCESS => is_authentic(message, password).then_some((transaction, Verdict::Success)),
        // A refusal may come from one who does not know the password.
        ERROR => Some((transaction, Verdict::Refused)),
        _ => None,
    }
}

/// Finds MESSAGE-INTEGRITY and checks what is before it.
fn is_authentic(message: &[u8], password: &Password) -> bool {
    let mut at = HEADER;
    while let Some([a, b, c, d]) = message.get(at..).and_then(|rest| rest.first_chunk()) {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let Some(value) = message.get(at + 4..at + 4 + length) else {
            return false;
        };
        if u16::from_be_bytes([*a, *b]) == MESSAGE_INTEGRITY {
            let mut covered = message[..at].to_vec();
            set_length(&mut covered, INTEGRITY_BYTES);
            return hmac::verify(&password.0, &covered, value).is_ok();
        }
        at += 4 + length.next_multiple_of(4);
    }
    false
}

/// The CRC of ISO 3309; checks are rare, so it needs no table.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let mask = (crc & 1).wrapping_neg();
            crc >> 1 ^ (0xEDB8_8320 & mask)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
    /// RFC 5769 §2.2.
    const ANSWER: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0btest vector \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
        \x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
        \x80\x28\x00\x04\xc0\x7d\x4c\x96";
    /// RFC 5769 §2.1 up to where the integrity begins, and the rest.
    const REQUEST_BODY: &[u8] =
        b"\x00\x01\x00\x00\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\
        \x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09evtj:h6vY   ";
    const REQUEST_SEAL: &[u8] =
        b"\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
        \x80\x28\x00\x04\xe5\x7a\x3b\xcf";

    #[test]
    fn rfc_5769_2_1_is_sealed_as_there() {
        let mut message = REQUEST_BODY.to_vec();
        seal(&mut message, &Password::new(PASSWORD));
        assert_eq!(message[REQUEST_BODY.len()..], *REQUEST_SEAL);
        assert_eq!(message[2..4], [0, 0x58]);
    }

    #[test]
    fn rfc_5769_2_2_is_read() {
        let transaction = *ANSWER[8..].first_chunk().expect("long enough");
        let password = Password::new(PASSWORD);
        assert_eq!(
            read_answer(ANSWER, &password),
            Some((transaction, Verdict::Success))
        );
        assert_eq!(read_answer(ANSWER, &Password::new("another")), None);
        for position in 20..ANSWER.len() - FINGERPRINT_BYTES {
            let mut changed = ANSWER.to_vec();
            changed[position] ^= 1;
            assert_eq!(read_answer(&changed, &password), None, "byte {position}");
        }
        for length in 0..ANSWER.len() {
            assert_eq!(read_answer(&ANSWER[..length], &password), None);
        }
    }

    #[test]
    fn a_check_has_what_ice_wants() {
        let check = Check {
            transaction: [9; 12],
            username: "server:me",
            priority: 1,
            tie_breaker: 2,
        };
        let message = check.write(&Password::new(PASSWORD));
        let mut kinds = Vec::new();
        let mut rest = &message[HEADER..];
        while let [a, b, c, d, behind @ ..] = rest {
            kinds.push(u16::from_be_bytes([*a, *b]));
            rest = &behind[usize::from(u16::from_be_bytes([*c, *d])).next_multiple_of(4)..];
        }
        let expected = [
            USERNAME,
            PRIORITY,
            ICE_CONTROLLING,
            USE_CANDIDATE,
            MESSAGE_INTEGRITY,
            FINGERPRINT,
        ];
        assert_eq!(kinds, expected);
        assert!(is_authentic(&message, &Password::new(PASSWORD)));
        assert_eq!(
            read_answer(&message, &Password::new(PASSWORD)),
            None,
            "not an answer"
        );
    }
}
