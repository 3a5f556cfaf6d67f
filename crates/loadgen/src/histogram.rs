//! Durations counted in buckets that grow with their value.

use std::time::Duration;

/// Buckets per doubling: a percentile is at most 1/32 too high.
const STEPS: usize = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Doublings covered: up to 2^36 ns, more than a minute; anything longer counts as that.
const DOUBLINGS: usize = 32;
const BUCKETS: usize = (DOUBLINGS + 1) * STEPS;

/// A histogram of durations from a nanosecond to a minute, of fixed size.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    samples: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            samples: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.samples += 1;
        self.max = self.max.max(nanos);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.samples += other.samples;
        self.max = self.max.max(other.max);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.samples = 0;
        self.max = 0;
    }

    /// Durations counted.
    #[must_use]
    pub const fn samples(&self) -> u64 {
        self.samples
    }

    /// The longest duration, exactly.
    #[must_use]
    pub const fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// A duration that `share` (0 to 1) of all do not exceed: never too low, too high by a bucket's width at most.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        // A share of a count is a count.
        let wanted = ((share.clamp(0.0, 1.0) * self.samples as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(upper_bound(index).min(self.max));
            }
        }
        Duration::from_nanos(self.max)
    }
}

/// The first buckets hold one value each, then each doubling is cut in [`STEPS`].
fn bucket(nanos: u64) -> usize {
    let doubling = (u64::BITS - nanos.leading_zeros()).saturating_sub(STEP_BITS + 1);
    let step = (nanos >> doubling) as usize;
    (doubling as usize * STEPS + step).min(BUCKETS - 1)
}

/// The highest value of a bucket.
fn upper_bound(index: usize) -> u64 {
    let doubling = (index / STEPS).saturating_sub(1);
    let step = (index - doubling * STEPS) as u64;
    ((step + 1) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_histogram_says_nothing() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        assert_eq!(histogram.max(), Duration::ZERO);
    }

    #[test]
    fn every_value_lies_below_its_buckets_bound_and_above_the_one_before() {
        for nanos in (0..5_000).chain([1 << 20, (1 << 20) + 1, 123_456_789, (1 << 36) - 1]) {
            let index = bucket(nanos);
            assert!(nanos <= upper_bound(index), "{nanos}");
            assert!(index == 0 || nanos > upper_bound(index - 1), "{nanos}");
        }
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_secs(1_000));
        assert_eq!(
            histogram.quantile(0.5),
            Duration::from_nanos(upper_bound(BUCKETS - 1))
        );
        assert_eq!(histogram.max(), Duration::from_secs(1_000));
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_list(
            mut values in prop::collection::vec(0u64..1 << 36, 1..200),
            share in 0.0..=1.0f64,
            split in any::<prop::sample::Index>(),
        ) {
            let (mut one, mut other) = (Histogram::default(), Histogram::default());
            let split = split.index(values.len());
            for (index, value) in values.iter().enumerate() {
                let histogram = if index < split { &mut one } else { &mut other };
                histogram.record(Duration::from_nanos(*value));
            }
            one.merge(&other);
            values.sort_unstable();
            let rank = ((share * values.len() as f64).ceil() as usize).max(1);
            let exact = values[rank - 1];
            let told = one.quantile(share).as_nanos() as u64;
            prop_assert!(told >= exact && told <= exact + exact / STEPS as u64 + 1, "{told} for {exact}");
            prop_assert_eq!(one.max(), Duration::from_nanos(values[values.len() - 1]));
            prop_assert_eq!(one.samples(), values.len() as u64);
        }
    }
}
