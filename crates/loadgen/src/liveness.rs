//! Whether a stream flowed.

use std::time::{Duration, Instant};

/// The longest silence of a live stream. Opus comes every 20 ms and pictures every 33 ms; a browser shows a frozen
/// picture as such after about this time.
pub const SILENCE: Duration = Duration::from_secs(1);

/// When packets of one stream came, as far as its liveness needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Liveness {
    /// The last packet, or the beginning of the measurement.
    last: Instant,
    longest: Duration,
}

impl Liveness {
    /// A measurement that begins now.
    pub(crate) const fn begin(now: Instant) -> Self {
        Self {
            last: now,
            longest: Duration::ZERO,
        }
    }

    /// A packet came.
    pub(crate) fn packet(&mut self, now: Instant) {
        self.longest = self.longest.max(now.saturating_duration_since(self.last));
        self.last = now;
    }

    /// The longest time without a packet, from the beginning to `end`.
    pub(crate) fn longest_silence(&self, end: Instant) -> Duration {
        self.longest.max(end.saturating_duration_since(self.last))
    }

    /// Whether there was never more than [`SILENCE`] without a packet, neither at the beginning, nor at the end.
    pub(crate) fn is_live(&self, end: Instant) -> bool {
        self.longest_silence(end) <= SILENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets at these milliseconds of a run of ten seconds.
    fn live(packets: impl IntoIterator<Item = u64>) -> bool {
        let start = Instant::now();
        let mut stream = Liveness::begin(start);
        for at in packets {
            stream.packet(start + Duration::from_millis(at));
        }
        stream.is_live(start + Duration::from_secs(10))
    }

    #[test]
    fn a_live_stream_flows_from_beginning_to_end() {
        assert!(live((0..10_000).step_by(20)));
        assert!(live((0..10_000).step_by(1_000)));
    }

    #[test]
    fn silence_anywhere_is_noticed() {
        assert!(!live([]));
        assert!(!live((1_001..10_000).step_by(20)), "begins late");
        assert!(!live((0..8_999).step_by(20)), "ends early");
        let interrupted = (0..4_000).chain(5_100..10_000).step_by(20);
        assert!(!live(interrupted), "is interrupted");
    }
}
