//! Randomness for sizes, phases and ids: fast, repeatable in tests, and good for no secret.

use std::time::Duration;

/// A SplitMix64 generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator that always gives the same for the same seed.
    #[cfg(test)]
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator with a seed of the system's.
    pub(crate) fn seeded() -> Self {
        let mut seed = [0; 8];
        // Without the system's randomness runs merely resemble each other.
        let _ = aws_lc_rs::rand::fill(&mut seed);
        Self(u64::from_be_bytes(seed))
    }

    /// Another generator, independent of what this one gives next.
    pub(crate) const fn fork(&mut self) -> Self {
        Self(self.word())
    }

    /// 64 random bits.
    pub(crate) const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = self.0;
        let word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number from `low` up to, but not including, `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// A time shorter than `period`.
    pub(crate) fn phase(&mut self, period: Duration) -> Duration {
        period.mul_f64(self.share())
    }

    /// An SSRC: any but the one that probes have (contract §1.8.10), and not 0, which means none in feedback.
    pub(crate) fn ssrc(&mut self) -> u32 {
        loop {
            let ssrc = self.word() as u32;
            if !matches!(ssrc, 0 | 1_234) {
                return ssrc;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fill_their_range() {
        let mut random = Random::new(1);
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let share = random.share();
            assert!((0.0..1.0).contains(&share));
            tenths[(share * 10.0) as usize] += 1;
        }
        assert!(
            tenths.iter().all(|count| (850..1_150).contains(count)),
            "{tenths:?}"
        );
    }

    #[test]
    fn splitmix_of_a_seed_is_known() {
        // The first numbers of the published generator for seed 1234567.
        let mut random = Random::new(1_234_567);
        let words = [random.word(), random.word(), random.word()];
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(words, expected);
    }
}
