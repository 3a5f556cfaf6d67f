//! Packet indexes: the sliding window of those seen (RFC 3711 §3.3.2) and the guess of the rollover counter
//! (§3.3.1, appendix A).

/// An index is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    /// Seen before.
    Repeated,
    /// So far behind the highest that nobody knows whether it was seen.
    TooOld,
}

/// A window of `64 * WORDS` indexes ending at the highest accepted one.
///
/// The bits form a ring indexed by the index itself, so that moving forward clears only what is passed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<const WORDS: usize> {
    highest: u64,
    bits: [u64; WORDS],
}

impl<const WORDS: usize> Window<WORDS> {
    const SIZE: u64 = 64 * WORDS as u64;

    /// A window that has accepted one index.
    pub(super) fn starting_at(index: u64) -> Self {
        let mut window = Self {
            highest: index,
            bits: [0; WORDS],
        };
        window.set(index);
        window
    }

    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    pub(super) fn check(&self, index: u64) -> Result<(), Stale> {
        match self.highest.checked_sub(index) {
            None => Ok(()),
            Some(behind) if behind >= Self::SIZE => Err(Stale::TooOld),
            Some(_) if self.bits[Self::word(index)] & Self::bit(index) != 0 => Err(Stale::Repeated),
            Some(_) => Ok(()),
        }
    }

    /// Marks an index that [`Self::check`] has passed.
    pub(super) fn accept(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.highest)
            && ahead > 0
        {
            self.clear_ahead(ahead);
            self.highest = index;
        }
        self.set(index);
    }

    /// Clears the bits of the indexes `highest + 1 ..= highest + ahead`.
    fn clear_ahead(&mut self, ahead: u64) {
        if ahead >= Self::SIZE {
            self.bits = [0; WORDS];
            return;
        }
        for index in self.highest + 1..=self.highest + ahead {
            self.bits[Self::word(index)] &= !Self::bit(index);
        }
    }

    fn set(&mut self, index: u64) {
        self.bits[Self::word(index)] |= Self::bit(index);
    }

    fn word(index: u64) -> usize {
        (index / 64) as usize % WORDS
    }

    fn bit(index: u64) -> u64 {
        1 << (index % 64)
    }
}

/// The 48-bit index most likely meant by a sequence number, given the highest index accepted so far.
///
/// `None` when it would lie before the first packet of the first cycle, or after the last one (2^48 packets).
pub(super) fn guess_index(highest: u64, sequence: u16) -> Option<u64> {
    const HALF: u16 = 1 << 15;
    let rollover = highest >> 16;
    let last = highest as u16;
    let rollover = if last < HALF && sequence > last && sequence - last > HALF {
        rollover.checked_sub(1)?
    } else if last >= HALF && last - HALF > sequence {
        rollover + 1
    } else {
        rollover
    };
    (rollover <= u64::from(u32::MAX)).then_some((rollover << 16) | u64::from(sequence))
}

#[cfg(test)]
mod tests;
