//! Which of a stream's latest packets have been seen.

use rtp::SeqNo;

/// Packets remembered: more than any sender keeps for retransmission within its useful life.
const SIZE: u64 = 2048;

/// Bits of the last [`SIZE`] numbers, a set bit for each one seen.
pub(super) struct Window {
    bits: [u64; (SIZE / 64) as usize],
    newest: SeqNo,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            bits: [0; (SIZE / 64) as usize],
            newest: SeqNo(0),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Notes `seq`, newer than all before.
    pub(super) fn advance(&mut self, seq: SeqNo) {
        if seq.0 - self.newest.0 >= SIZE {
            self.bits.fill(0);
        } else {
            for skipped in self.newest.0 + 1..seq.0 {
                self.bits[word(skipped)] &= !mask(skipped);
            }
        }
        self.bits[word(seq.0)] |= mask(seq.0);
        self.newest = seq;
    }

    /// Notes `seq`, not newer than the newest; false if it was seen before or is older than the window.
    pub(super) fn insert(&mut self, seq: SeqNo) -> bool {
        if self.newest.0 - seq.0 >= SIZE {
            return false;
        }
        let bits = &mut self.bits[word(seq.0)];
        let fresh = *bits & mask(seq.0) == 0;
        *bits |= mask(seq.0);
        fresh
    }
}

fn word(number: u64) -> usize {
    (number % SIZE / 64) as usize
}

fn mask(number: u64) -> u64 {
    1 << (number % 64)
}
