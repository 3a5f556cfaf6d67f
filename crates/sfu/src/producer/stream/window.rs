//! Which of a stream's latest packets have been seen.

use rtp::SeqNo;

/// Packets remembered: more than any sender keeps for retransmission within its useful life.
const SIZE: u64 = 2048;

/// A number this far behind the newest will not come any more: its retransmissions were given up long before.
const SETTLED: u64 = 512;

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

    /// Notes `seq`, newer than all before. Returns how many numbers from `first` on are lost for good by now: never
    /// seen, and [`SETTLED`] behind.
    pub(super) fn advance(&mut self, first: SeqNo, seq: SeqNo) -> u64 {
        let begin = first.0.max(self.newest.0.saturating_sub(SETTLED - 1));
        let lost = (begin..(seq.0 + 1).saturating_sub(SETTLED))
            .filter(|&number| !self.saw(number))
            .count();
        if seq.0 - self.newest.0 >= SIZE {
            self.bits.fill(0);
        } else {
            for skipped in self.newest.0 + 1..seq.0 {
                self.bits[word(skipped)] &= !mask(skipped);
            }
        }
        self.bits[word(seq.0)] |= mask(seq.0);
        self.newest = seq;
        lost as u64
    }

    /// Numbers from `first` on that are missing and not yet counted as lost for good.
    pub(super) fn unsettled(&self, first: SeqNo) -> u64 {
        let begin = first.0.max(self.newest.0.saturating_sub(SETTLED - 1));
        (begin..self.newest.0).filter(|&number| !self.saw(number)).count() as u64
    }

    /// Whether a number of the window was seen.
    fn saw(&self, number: u64) -> bool {
        number <= self.newest.0 && self.bits[word(number)] & mask(number) != 0
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
