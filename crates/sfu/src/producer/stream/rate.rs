//! Bits per second over the last second.

use std::time::{Duration, Instant};

use link::bwe::Bitrate;

/// One bucket's span: fine enough that the rate moves smoothly, coarse enough that a meter stays small.
const BUCKET: Duration = Duration::from_millis(50);

/// Buckets of one second.
const BUCKETS: usize = 20;

/// Counts bytes over a sliding window of one second, to within one bucket of 50 ms. Allocates nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateMeter {
    buckets: [u32; BUCKETS],
    total: u64,
    /// Where buckets are counted from.
    epoch: Option<Instant>,
    /// The newest bucket's number since the epoch.
    newest: u64,
}

impl RateMeter {
    /// A meter at zero.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Counts `len` bytes.
    pub(crate) fn add(&mut self, now: Instant, len: usize) {
        self.epoch.get_or_insert(now);
        self.advance(now);
        let bucket = &mut self.buckets[self.newest as usize % BUCKETS];
        let room = (u32::MAX - *bucket) as usize;
        let counted = len.min(room) as u32;
        *bucket += counted;
        self.total += u64::from(counted);
    }

    /// The rate of the last second. During a stream's first second it rises with what has come so far.
    pub(crate) fn bitrate(&mut self, now: Instant) -> Bitrate {
        self.advance(now);
        Bitrate(self.total * 8)
    }

    fn advance(&mut self, now: Instant) {
        let Some(epoch) = self.epoch else { return };
        let bucket = (now.saturating_duration_since(epoch).as_millis() / BUCKET.as_millis()) as u64;
        if bucket.saturating_sub(self.newest) >= BUCKETS as u64 {
            self.buckets.fill(0);
            self.total = 0;
            self.newest = bucket;
        }
        while self.newest < bucket {
            self.newest += 1;
            let bucket = &mut self.buckets[self.newest as usize % BUCKETS];
            self.total -= u64::from(*bucket);
            *bucket = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_a_steady_rate_and_forgets_it_within_a_second() {
        let start = Instant::now();
        let mut meter = RateMeter::new();
        assert_eq!(meter.bitrate(start), Bitrate(0));
        for number in 0..300u32 {
            meter.add(start + Duration::from_millis(10) * number, 1_000);
        }
        let end = start + Duration::from_millis(2_990);
        assert_eq!(meter.bitrate(end), Bitrate(800_000));
        let half = meter.bitrate(end + Duration::from_millis(500));
        assert_eq!(half, Bitrate(400_000));
        assert_eq!(meter.bitrate(end + Duration::from_secs(1)), Bitrate(0));
        assert_eq!(meter.bitrate(end + Duration::from_secs(3_600)), Bitrate(0));
        meter.add(end + Duration::from_secs(3_600), 125);
        assert_eq!(meter.bitrate(end + Duration::from_secs(3_600)), Bitrate(1_000));
    }

    #[test]
    fn an_older_instant_counts_into_the_newest_bucket() {
        let start = Instant::now();
        let mut meter = RateMeter::new();
        meter.add(start + Duration::from_secs(1), 100);
        meter.add(start, 100);
        assert_eq!(meter.bitrate(start), Bitrate(1_600));
    }
}
