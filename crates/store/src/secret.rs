//! Tokens that are kept as hashes only.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;

/// Bytes of a fresh secret: 256 bits, which nobody guesses, so that one unsalted hash protects it enough.
const SECRET_LEN: usize = 32;

/// A link's token or a guest's session: a random text that opens something. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A fresh one, 64 hexadecimal digits.
    ///
    /// # Panics
    /// If the operating system has no randomness, without which nothing is safe.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; SECRET_LEN];
        rand::fill(&mut bytes).expect("the operating system gives randomness");
        Self(hex(&bytes))
    }

    /// What somebody showed; any text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text to hand out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up. The time a look-up takes tells about the hash only, not about the secret.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(hex(digest(&SHA256, self.0.as_bytes()).as_ref()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// SHA-256 of a [`Secret`], hexadecimal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Randomness for an id made here.
pub(crate) fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).expect("the operating system gives randomness");
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_again_by_its_text_and_by_nothing_else() {
        let secret = Secret::random();
        assert_eq!(secret.as_str().len(), 64);
        assert_eq!(Secret::from_text(secret.as_str()).hash(), secret.hash());
        assert_ne!(Secret::random().hash(), secret.hash());
        assert_ne!(secret.hash().as_str(), secret.as_str());
    }

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            Secret::from_text("abc").hash().as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn neither_shows_itself() {
        let secret = Secret::random();
        let shown = format!("{secret:?} {:?}", secret.hash());
        assert_eq!(shown, "Secret(..) SecretHash(..)");
    }
}
