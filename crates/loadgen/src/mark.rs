//! What a sent packet says about itself: the last bytes of its payload, which a server passes on untouched.

use crate::clock::Stamp;

/// Bytes of a mark.
pub(crate) const MARK: usize = 16;
const MAGIC: [u8; 4] = *b"mld1";

/// Who sent a packet, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The track's number in this run; 24 bits.
    pub(crate) track: u32,
    /// The simulcast layer, 0 the smallest.
    pub(crate) layer: u8,
    /// When it was handed to the system.
    pub(crate) sent: Stamp,
}

impl Mark {
    pub(crate) fn to_bytes(self) -> [u8; MARK] {
        let mut bytes = [0; MARK];
        let [_, track @ ..] = self.track.to_be_bytes();
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..7].copy_from_slice(&track);
        bytes[7] = self.layer;
        bytes[8..].copy_from_slice(&self.sent.0.to_be_bytes());
        bytes
    }

    /// The mark at the end of a payload without padding.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let bytes: &[u8; MARK] = payload.last_chunk()?;
        let [a, b, c, d, high, middle, low, layer, sent @ ..] = *bytes;
        ([a, b, c, d] == MAGIC).then_some(Self {
            track: u32::from_be_bytes([0, high, middle, low]),
            layer,
            sent: Stamp(u64::from_be_bytes(sent)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_at_the_end_and_nowhere_else() {
        let mark = Mark {
            track: 0x0012_3456,
            layer: 2,
            sent: Stamp(0x0102_0304_0506_0708),
        };
        let mut payload = b"frame".to_vec();
        payload.extend_from_slice(&mark.to_bytes());
        assert_eq!(Mark::read(&payload), Some(mark));
        payload.push(0);
        assert_eq!(Mark::read(&payload), None);
        assert_eq!(Mark::read(b"short"), None);
    }
}
