//! Mutation of byte strings: small edits, lengths and numbers at their limits, pieces of other seeds.

/// Inputs stay below this; no datagram is longer than its MTU, and JSON bodies are capped far below.
const LONGEST: usize = 4096;

/// Values at which 16-bit lengths and counters tend to break.
const EDGES: [u16; 9] = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff];

/// JSON values at the edges of what a field may hold.
const VALUES: [&[u8]; 12] = [
    b"null",
    b"true",
    b"-1",
    b"0",
    b"256",
    b"4294967296",
    b"1e999",
    b"0.5",
    b"\"\"",
    b"\"\\u0000\"",
    b"[]",
    b"{}",
];

/// An endless, deterministic stream of mutated seeds.
#[derive(Debug)]
pub struct Mutator<'a> {
    seeds: &'a [Vec<u8>],
    state: u64,
    input: Vec<u8>,
}

impl<'a> Mutator<'a> {
    /// Starts the stream that belongs to `name`.
    #[must_use]
    pub fn new(name: &str, seeds: &'a [Vec<u8>]) -> Self {
        Self {
            seeds,
            state: hash(name.as_bytes()),
            input: Vec::new(),
        }
    }

    /// The next input: a seed, or the previous input, after a handful of edits.
    pub fn next_input(&mut self) -> &[u8] {
        // Now and then edits pile up on the previous input, to get further from the seeds.
        let fresh = self.input.is_empty() || self.below(4) != 0;
        if fresh && !self.seeds.is_empty() {
            let seed = self.below(self.seeds.len());
            self.input.clear();
            self.input.extend_from_slice(&self.seeds[seed]);
        }
        for _ in 0..=self.below(5) {
            self.edit();
        }
        self.input.truncate(LONGEST);
        &self.input
    }

    fn edit(&mut self) {
        let length = self.input.len();
        let at = self.below(length + 1);
        let byte = self.next() as u8;
        if matches!(self.input.first(), Some(b'{' | b'[')) && byte & 3 != 0 {
            return self.edit_value(at);
        }
        match self.below(9) {
            0 if at < length => self.input[at] ^= 1 << (byte & 7),
            1 if at < length => self.input[at] = byte,
            2 if at + 1 < length => {
                let edge = EDGES[self.below(EDGES.len())];
                self.input[at..at + 2].copy_from_slice(&edge.to_be_bytes());
            }
            3 if at < length => self.input[at] = self.input[at].wrapping_add(byte % 9).wrapping_sub(4),
            4 => self.input.truncate(at),
            5 => {
                let end = (at + self.below(8)).min(length);
                self.input.drain(at..end);
            }
            6 => {
                let end = (at + self.below(64)).min(length);
                let copied = self.input[at..end].to_vec();
                self.insert(at, &copied);
            }
            7 => {
                let seeds = self.seeds;
                let other = self.below(seeds.len());
                if let Some(seed) = seeds.get(other) {
                    let from = self.below(seed.len() + 1);
                    let to = (from + self.below(64)).min(seed.len());
                    self.insert(at, &seed[from..to]);
                }
            }
            _ => self.insert(at, &[byte]),
        }
    }

    /// Replaces the next value of a JSON object, so that the outcome is still JSON more often than not.
    fn edit_value(&mut self, at: usize) {
        let after = |start: usize, wanted: &[u8], input: &[u8]| {
            let found = input[start..].iter().position(|byte| wanted.contains(byte));
            found.map(|offset| start + offset)
        };
        let Some(colon) = after(at, b":", &self.input) else {
            return;
        };
        let end = after(colon, b",]}", &self.input).unwrap_or(self.input.len());
        let value = VALUES[self.below(VALUES.len())];
        self.input.splice(colon + 1..end, value.iter().copied());
    }

    fn insert(&mut self, at: usize, bytes: &[u8]) {
        self.input.splice(at..at, bytes.iter().copied());
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// SplitMix64: short, and good enough to choose edits.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// FNV-1a, to name files and to start streams.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_stream_is_deterministic_and_varied() {
        let seeds = vec![
            vec![0_u8; 40],
            b"{\"callId\":\"a\",\"kind\":1,\"layers\":[1,2]}".to_vec(),
        ];
        let stream = |name| {
            let mut mutator = Mutator::new(name, &seeds);
            (0..1000)
                .map(|_| mutator.next_input().to_vec())
                .collect::<Vec<_>>()
        };
        let first = stream("rtcp");
        assert_eq!(first, stream("rtcp"));
        assert_ne!(first, stream("stun"));
        let distinct: HashSet<&Vec<u8>> = first.iter().collect();
        assert!(distinct.len() > 800, "{} distinct inputs of 1000", distinct.len());
        assert!(first.iter().all(|input| input.len() <= LONGEST));
        assert!(first.iter().any(|input| input.len() > 60) && first.iter().any(|input| input.len() < 5));
    }

    #[test]
    fn without_seeds_it_starts_from_nothing() {
        let mut mutator = Mutator::new("x", &[]);
        assert!((0..200).any(|_| mutator.next_input().len() > 3));
    }
}
