//! Names of streams: SSRC, payload type, MID and RID.

use core::fmt;

/// Synchronisation source: the name of one RTP stream inside a session (RFC 3550 §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// RTP payload type, `0..=127`; what it means is negotiated (RFC 3550 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PayloadType(pub u8);

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Up to [`ShortText::CAPACITY`] bytes of visible ASCII, stored inline so that the types over it are `Copy`.
/// Bytes behind `len` are always zero, which makes the derived comparisons right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ShortText {
    bytes: [u8; Self::CAPACITY],
    len: u8,
}

impl ShortText {
    /// What fits in one element of a one-byte-form header extension (RFC 8285 §4.2).
    const CAPACITY: usize = 16;

    fn new(text: &[u8]) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= Self::CAPACITY;
        if !fits || !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut bytes = [0; Self::CAPACITY];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self {
            bytes,
            len: text.len() as u8,
        })
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

macro_rules! short_text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ShortText);

        impl $name {
            /// The longest accepted value, in bytes.
            pub const MAX_LEN: usize = ShortText::CAPACITY;

            /// `None` unless `text` is 1 to 16 bytes of visible ASCII.
            pub fn new(text: &[u8]) -> Option<Self> {
                ShortText::new(text).map(Self)
            }

            /// The bytes as they stand in the header extension.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            /// The same as text; always valid because only ASCII is accepted.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    };
}

short_text_id! {
    /// Media identification: which `m=` section a packet belongs to (RFC 9143 §15).
    Mid
}

short_text_id! {
    /// RTP stream id: which encoding of a simulcast a packet belongs to (RFC 8852).
    Rid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ids_accept_one_to_sixteen_visible_ascii_bytes() {
        let rows: [(&[u8], Option<&str>); 7] = [
            (b"0", Some("0")),
            (b"audio-1", Some("audio-1")),
            (b"0123456789abcdef", Some("0123456789abcdef")),
            (b"0123456789abcdefg", None),
            (b"", None),
            (b"a b", None),
            ("é".as_bytes(), None),
        ];
        for (text, expected) in rows {
            assert_eq!(Mid::new(text).as_ref().map(Mid::as_str), expected);
            assert_eq!(
                Rid::new(text).as_ref().map(Rid::as_bytes),
                expected.map(str::as_bytes)
            );
        }
    }

    #[test]
    fn text_ids_compare_and_print_as_their_text() {
        assert_eq!(Mid::new(b"v1"), Mid::new(b"v1"));
        assert!(Mid::new(b"a").unwrap() < Mid::new(b"ab").unwrap());
        assert_eq!(Rid::new(b"r0").unwrap().to_string(), "r0");
        assert_eq!(format!("{:?}", Rid::new(b"r0").unwrap()), "Rid(r0)");
    }
}
