//! Captions at rest: AES-256-GCM, bound to their row (contract §6.12).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;

use crate::StoreError;

/// Bytes of the key.
const KEY_LEN: usize = 32;
/// First byte of everything sealed; another one would mean another way of sealing.
const VERSION: u8 = 1;

/// The key that captions are sealed with (`TRANSCRIPTION_ENCRYPTION_KEY`). Losing it means losing the captions.
#[derive(Clone, PartialEq, Eq)]
pub struct CaptionKey([u8; KEY_LEN]);

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 random bytes, written as 64 hexadecimal digits or as base64")]
pub struct CaptionKeyError;

impl CaptionKey {
    /// A fresh one.
    ///
    /// # Panics
    /// If the operating system has no randomness, without which nothing is safe.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; KEY_LEN];
        rand::fill(&mut bytes).expect("the operating system gives randomness");
        Self(bytes)
    }

    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    fn aead(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.0).expect("the key has the algorithm's length");
        LessSafeKey::new(key)
    }

    /// Seals `text` for one column of one row; it opens nowhere else.
    ///
    /// ```text
    /// | version 1 | nonce 12 | ciphertext | tag 16 |
    /// ```
    pub(crate) fn seal(&self, place: &Place<'_>, text: &str) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).expect("the operating system gives randomness");
        let mut body = text.as_bytes().to_vec();
        self.aead()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.bytes()),
                &mut body,
            )
            .expect("captions are shorter than the algorithm's 64 GiB");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        sealed
    }

    /// Opens what [`Self::seal`] gave for the same place.
    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<String, StoreError> {
        let corrupt = || StoreError::corrupt("sealed caption");
        let (&version, rest) = sealed.split_first().ok_or_else(corrupt)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(corrupt)?;
        if version != VERSION {
            return Err(corrupt());
        }
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .aead()
            .open_in_place(nonce, Aad::from(place.bytes()), &mut body)
            .map_err(|_| corrupt())?;
        String::from_utf8(opened.to_vec()).map_err(|_| corrupt())
    }
}

impl fmt::Debug for CaptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaptionKey(..)")
    }
}

impl FromStr for CaptionKey {
    type Err = CaptionKeyError;

    fn from_str(text: &str) -> Result<Self, CaptionKeyError> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => digits(text, 4, |byte| char::from(byte).to_digit(16)),
            _ => digits(text.trim_end_matches('='), 6, base64_digit),
        };
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(CaptionKeyError)
    }
}

/// Reads digits of `bits` bits each into whole bytes; bits that are left over must be zero.
fn digits(text: &str, bits: u32, digit: impl Fn(u8) -> Option<u32>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(KEY_LEN);
    let (mut held, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        held = held << bits | digit(byte)?;
        count += bits;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(held >> count).ok()?);
            held &= (1 << count) - 1;
        }
    }
    (held == 0 && count < bits).then_some(bytes)
}

/// The value of a base64 digit, of the usual alphabet or the one for URLs (RFC 4648 §4, §5).
fn base64_digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Where something sealed belongs.
pub(crate) struct Place<'a> {
    /// Which column.
    pub(crate) column: &'static str,
    /// Id of the row.
    pub(crate) row: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        format!("{}:{}", self.column, self.row).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Place<'static> = Place {
        column: "text",
        row: "6561686f00000000000000aa",
    };

    #[test]
    fn opens_only_in_its_place_and_with_its_key() {
        let key = CaptionKey::random();
        let sealed = key.seal(&TEXT, "bonjour à tous");
        assert_eq!(key.open(&TEXT, &sealed).unwrap(), "bonjour à tous");

        let other_row = Place {
            column: "text",
            row: "6561686f00000000000000ab",
        };
        let other_column = Place {
            column: "translations",
            row: TEXT.row,
        };
        assert!(key.open(&other_row, &sealed).is_err());
        assert!(key.open(&other_column, &sealed).is_err());
        assert!(CaptionKey::random().open(&TEXT, &sealed).is_err());
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let key = CaptionKey::random();
        let sealed = key.seal(&TEXT, "hello");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(&TEXT, &changed).is_err(), "byte {at}");
            assert!(key.open(&TEXT, &sealed[..at]).is_err(), "first {at} bytes");
        }
    }

    #[test]
    fn the_same_words_are_sealed_differently_each_time() {
        let key = CaptionKey::random();
        assert_ne!(key.seal(&TEXT, "hello"), key.seal(&TEXT, "hello"));
    }

    #[test]
    fn keys_are_read_from_digits_and_base64() {
        let mut bytes = [0; KEY_LEN];
        for (byte, value) in bytes.iter_mut().zip(0..) {
            *byte = value;
        }
        let expected = Ok(CaptionKey::from_bytes(bytes));
        let texts = [
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
        ];
        for text in texts {
            assert_eq!(text.parse(), expected, "{text}");
        }
        let wrong = [
            "",
            "secret",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
            "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        ];
        for text in wrong {
            assert_eq!(text.parse::<CaptionKey>(), Err(CaptionKeyError), "{text}");
        }
        assert_eq!(format!("{:?}", CaptionKey::random()), "CaptionKey(..)");
    }
}
