//! How long packets stay in a worker, as a histogram that one thread writes and others read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper ends of the buckets; what is longer falls into one more.
pub const FORWARD_BOUNDS: [Duration; 11] = [
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
];

const BUCKETS: usize = FORWARD_BOUNDS.len() + 1;

/// Times from waking up for packets to having sent what they led to, weighted by the packets sent. A packet's own time
/// is at most its cycle's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForwardLatency {
    /// Packets per bucket, in the order of [`FORWARD_BOUNDS`], and those beyond the last.
    pub buckets: [u64; BUCKETS],
    /// All times together.
    pub sum: Duration,
}

impl ForwardLatency {
    /// Adds another worker's.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += count;
        }
        self.sum += other.sum;
    }
}

/// Where a worker's thread keeps its histogram.
#[derive(Debug, Default)]
pub(super) struct LatencyBoard {
    buckets: [AtomicU64; BUCKETS],
    sum_nanos: AtomicU64,
}

impl LatencyBoard {
    /// Notes that a cycle of length `cycle` sent `packets`. Called by one thread only.
    pub(super) fn note(&self, cycle: Duration, packets: u64) {
        if packets == 0 {
            return;
        }
        let index = FORWARD_BOUNDS.partition_point(|bound| *bound < cycle);
        if let Some(bucket) = self.buckets.get(index) {
            bucket.fetch_add(packets, Relaxed);
        }
        let nanos = u64::try_from(cycle.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos.saturating_mul(packets), Relaxed);
    }

    pub(super) fn read(&self) -> ForwardLatency {
        ForwardLatency {
            buckets: std::array::from_fn(|index| self.buckets[index].load(Relaxed)),
            sum: Duration::from_nanos(self.sum_nanos.load(Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_counts_once_per_packet_in_its_bucket() {
        let board = LatencyBoard::default();
        board.note(Duration::from_micros(10), 3);
        board.note(Duration::from_micros(25), 1);
        board.note(Duration::from_micros(26), 2);
        board.note(Duration::from_secs(1), 5);
        board.note(Duration::from_secs(9), 0);
        let mut expected = ForwardLatency::default();
        expected.buckets[0] = 4;
        expected.buckets[1] = 2;
        expected.buckets[BUCKETS - 1] = 5;
        expected.sum = Duration::from_micros(3 * 10 + 25 + 2 * 26) + Duration::from_secs(5);
        assert_eq!(board.read(), expected);
        let mut doubled = expected;
        doubled.add(&expected);
        assert_eq!(doubled.buckets[0], 8);
        assert_eq!(doubled.sum, expected.sum * 2);
    }
}
