//! Big-endian bit reader.

/// Reads up to 32 bits at a time, most significant first.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// The next `count` bits, at most 32; `None` past the end.
    pub(super) fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.data.get(self.position / 8)?;
            let bit = (byte >> (7 - self.position % 8)) & 1;
            value = (value << 1) | u32::from(bit);
            self.position += 1;
        }
        Some(value)
    }

    /// As [`Self::bits`] for at most eight of them.
    pub(super) fn byte(&mut self, count: u32) -> Option<u8> {
        self.bits(count).map(|value| value as u8)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        self.bits(1).map(|bit| bit == 1)
    }

    /// A value below `n` in the fewest bits, "ns(n)" of the AV1 specification §4.10.7.
    pub(super) fn non_symmetric(&mut self, n: u32) -> Option<u32> {
        let width = u32::BITS - n.leading_zeros();
        let short = (1_u32 << width) - n;
        let value = self.bits(width.saturating_sub(1))?;
        if value < short {
            return Some(value);
        }
        let extra = self.bits(1)?;
        Some((value << 1) - short + extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_cross_bytes_and_end() {
        let mut reader = BitReader::new(&[0b1010_0101, 0b1100_0011]);
        assert_eq!(reader.bits(3), Some(0b101));
        assert_eq!(reader.bits(7), Some(0b001_0111));
        assert_eq!(reader.flag(), Some(false));
        assert_eq!(reader.byte(5), Some(0b0_0011));
        assert_eq!(reader.bits(1), None);
    }

    #[test]
    fn non_symmetric_matches_the_table_for_five_values() {
        // AV1 specification §4.10.7: n = 5 codes 0, 1, 2 in two bits and 3, 4 in three.
        for (bits, expected) in [
            (0b0000_0000, 0),
            (0b0100_0000, 1),
            (0b1000_0000, 2),
            (0b1100_0000, 3),
            (0b1110_0000, 4),
        ] {
            assert_eq!(BitReader::new(&[bits]).non_symmetric(5), Some(expected));
        }
        assert_eq!(BitReader::new(&[]).non_symmetric(1), Some(0));
    }
}
