//! Does the application send as much as it may? If not, nothing is learnt from the path's silence, and only a
//! probe can tell what more it carries ("application limited region" in libwebrtc).

/// Length of a bucket, microseconds, and how many make the window of 500 ms.
const BUCKET: i64 = 100_000;
const BUCKETS: usize = 5;

/// Shares of the estimate below which the application is limited, and above which it no longer is.
const BEGIN: f64 = 0.65;
const END: f64 = 0.80;

/// Follows how much is sent.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct ApplicationLimit {
    /// Bytes sent per bucket, the one in use included.
    buckets: [u64; BUCKETS + 1],
    newest: Option<i64>,
    /// Buckets seen, until they are enough.
    filled: usize,
    limited: bool,
}

impl ApplicationLimit {
    /// The newest answer.
    pub(super) const fn limited(&self) -> bool {
        self.limited
    }

    /// A packet was sent, microseconds. `estimate` is what would be allowed, bit/s.
    pub(super) fn on_packet(&mut self, sent: i64, size: usize, estimate: f64) {
        let bucket = sent.div_euclid(BUCKET);
        let newest = *self.newest.get_or_insert(bucket);
        let steps = usize::try_from(bucket.saturating_sub(newest)).unwrap_or(0);
        if steps > 0 {
            for step in 1..=steps.min(self.buckets.len()) {
                let index = (newest + step as i64).rem_euclid(self.buckets.len() as i64);
                self.buckets[index as usize] = 0;
            }
            if steps > self.buckets.len() {
                self.buckets = [0; BUCKETS + 1];
            }
            self.newest = Some(bucket);
            self.filled = self.filled.saturating_add(steps).min(BUCKETS);
            self.judge(bucket, estimate);
        }
        let index = bucket.max(newest).rem_euclid(self.buckets.len() as i64) as usize;
        self.buckets[index] = self.buckets[index].saturating_add(size as u64);
    }

    /// Only complete buckets count: all but the one that `bucket` has just begun.
    fn judge(&mut self, bucket: i64, estimate: f64) {
        if self.filled < BUCKETS {
            return;
        }
        let running = bucket.rem_euclid(self.buckets.len() as i64) as usize;
        let complete = self
            .buckets
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != running);
        let bytes: f64 = complete.map(|(_, bytes)| *bytes as f64).sum();
        let rate = bytes * 8e6 / (BUCKET * BUCKETS as i64) as f64;
        let threshold = if self.limited { END } else { BEGIN };
        self.limited = rate < estimate * threshold;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `bytes` every 10 ms from one time to another, milliseconds.
    fn send(alr: &mut ApplicationLimit, from: i64, to: i64, bytes: usize) {
        for at in (from..to).step_by(10) {
            alr.on_packet(at * 1000, bytes, 1e6);
        }
    }

    #[test]
    fn limited_below_65_percent_and_until_80() {
        let mut alr = ApplicationLimit::default();
        // 1250 bytes in 10 ms are 1 Mbit/s.
        send(&mut alr, 0, 1000, 1250);
        assert!(!alr.limited());
        send(&mut alr, 1000, 2000, 850);
        assert!(!alr.limited(), "68 %");
        send(&mut alr, 2000, 3000, 800);
        assert!(alr.limited(), "64 %");
        send(&mut alr, 3000, 4000, 975);
        assert!(alr.limited(), "78 %");
        send(&mut alr, 4000, 5000, 1025);
        assert!(!alr.limited(), "82 %");
    }

    #[test]
    fn nothing_is_said_before_half_a_second() {
        let mut alr = ApplicationLimit::default();
        send(&mut alr, 0, 490, 1);
        assert!(!alr.limited());
        send(&mut alr, 490, 610, 1);
        assert!(alr.limited());
    }

    #[test]
    fn a_pause_is_a_limit() {
        let mut alr = ApplicationLimit::default();
        send(&mut alr, 0, 1000, 1250);
        alr.on_packet(60_000_000, 1250, 1e6);
        assert!(alr.limited());
        // Time that goes back, or far ahead, is no problem.
        alr.on_packet(0, 1250, 1e6);
        alr.on_packet(i64::MAX, 1250, 1e6);
        alr.on_packet(i64::MIN, 1250, 1e6);
    }
}
