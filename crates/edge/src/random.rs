//! What is drawn by lot, all from the system's randomness.

use std::fmt::Write as _;

/// So many random bytes.
///
/// # Panics
/// If the system has no randomness to give: nothing would be safe then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source works, or nothing here is safe");
    bytes
}

/// A random number.
#[must_use]
pub fn number() -> u64 {
    u64::from_ne_bytes(bytes())
}

/// Bytes as text: two lower-case digits each.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        })
}

/// A secret: 256 bits as text.
#[must_use]
pub fn secret() -> String {
    hex(&bytes::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_with_two_digits_each() {
        assert_eq!(hex(&[0, 9, 0xab, 0xff]), "0009abff");
        assert_eq!(hex(&[]), "");
    }

    #[test]
    fn no_two_secrets_are_the_same() {
        let (one, other) = (secret(), secret());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
