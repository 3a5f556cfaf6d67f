//! How much one producer may send (contract §1.9).

use std::time::{Duration, Instant};

/// 5 Mbit/s in bytes per second.
const BYTES_PER_SECOND: u64 = 5_000_000 / 8;

/// What may come at once: two seconds' worth. Key frames of a shared screen are several hundred kilobytes, and browsers
/// overshoot while their estimate settles; neither is abuse.
const BURST: u64 = 2 * BYTES_PER_SECOND;

/// A token bucket of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IngressBudget {
    bytes: u64,
    filled: Instant,
}

impl IngressBudget {
    /// A full bucket.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            bytes: BURST,
            filled: now,
        }
    }

    /// Whether `len` bytes fit; if so they are taken.
    pub(crate) fn admits(&mut self, now: Instant, len: usize) -> bool {
        let elapsed = now.saturating_duration_since(self.filled);
        let refill = elapsed.as_micros() as u64 * BYTES_PER_SECOND / 1_000_000;
        if refill > 0 {
            self.bytes = (self.bytes + refill).min(BURST);
            // What integer division left over stays for the next packet.
            self.filled += Duration::from_micros(refill * 1_000_000 / BYTES_PER_SECOND);
        }
        let len = len as u64;
        if self.bytes < len {
            return false;
        }
        self.bytes -= len;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_megabits_pass_and_twenty_do_not() {
        let start = Instant::now();
        let admitted = |bits_per_second: u64| {
            let mut budget = IngressBudget::new(start);
            let packets = bits_per_second * 20 / 8 / 1_000;
            let sent = |n: u64| start + Duration::from_micros(n * 20_000_000 / packets);
            (0..packets).filter(|n| budget.admits(sent(*n), 1_000)).count() as u64 * 1_000 * 8 / 20
        };
        assert_eq!(admitted(5_000_000), 5_000_000);
        let capped = admitted(20_000_000);
        assert!(
            (5_000_000..=5_600_000).contains(&capped),
            "20 s with a burst of 2 s let {capped} bit/s through"
        );
    }
}
