//! State per synchronization source: a bounded open-addressing table, found with one multiplication.

/// No room for another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Maps an SSRC to its state. Nothing is ever removed: forgetting the indexes used with a key would allow them
/// to be used again.
pub(super) struct Streams<T> {
    slots: Vec<Option<(u32, T)>>,
    count: usize,
    limit: usize,
    /// Odd; keeps a peer from choosing SSRCs that collide.
    multiplier: u64,
}

const INITIAL_SLOTS: usize = 16;

impl<T> Streams<T> {
    pub(super) fn new(limit: usize, seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            count: 0,
            limit,
            multiplier: spread(seed) | 1,
        }
    }

    pub(super) fn find(&mut self, ssrc: u32) -> Option<&mut T> {
        let position = self.position(ssrc)?;
        self.slots
            .get_mut(position)?
            .as_mut()
            .filter(|(key, _)| *key == ssrc)
            .map(|(_, state)| state)
    }

    pub(super) fn has_room(&self) -> bool {
        self.count < self.limit
    }

    /// Adds the state of a source that [`Self::find`] did not know.
    pub(super) fn insert(&mut self, ssrc: u32, state: T) -> Result<(), Full> {
        if !self.has_room() {
            return Err(Full);
        }
        // At most half full, so that a search is short and always ends at a free slot.
        if (self.count + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let position = self.position(ssrc).ok_or(Full)?;
        let slot = self.slots.get_mut(position).ok_or(Full)?;
        if slot.replace((ssrc, state)).is_none() {
            self.count += 1;
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The slot holding the source, or the free one where it belongs.
    fn position(&self, ssrc: u32) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut position = (u64::from(ssrc).wrapping_mul(self.multiplier) >> 32) as usize & mask;
        for _ in 0..self.slots.len() {
            match self.slots.get(position)? {
                Some((key, _)) if *key != ssrc => position = (position + 1) & mask,
                _ => return Some(position),
            }
        }
        None
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(INITIAL_SLOTS);
        let larger = std::iter::repeat_with(|| None).take(size).collect();
        for (ssrc, state) in std::mem::replace(&mut self.slots, larger).into_iter().flatten() {
            if let Some(position) = self.position(ssrc)
                && let Some(slot) = self.slots.get_mut(position)
            {
                *slot = Some((ssrc, state));
            }
        }
    }
}

/// One round of SplitMix64, so that small seeds give unrelated multipliers.
fn spread(seed: u64) -> u64 {
    let mut value = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_inserted_up_to_the_limit() {
        for seed in 0..50 {
            let mut streams = Streams::new(300, seed);
            assert_eq!(streams.find(7), None, "an empty table");
            for ssrc in 0..300_u32 {
                let key = ssrc.wrapping_mul(0x0100_0000).wrapping_add(ssrc);
                assert_eq!(streams.find(key), None);
                streams.insert(key, ssrc).expect("room");
            }
            assert_eq!(streams.insert(0xFFFF_FFFF, 0), Err(Full));
            assert_eq!(streams.len(), 300);
            for ssrc in 0..300_u32 {
                let key = ssrc.wrapping_mul(0x0100_0000).wrapping_add(ssrc);
                assert_eq!(streams.find(key).copied(), Some(ssrc), "seed {seed}");
            }
            assert_eq!(streams.find(0xFFFF_FFFF), None);
        }
    }
}
