//! When a track sends: as regularly as a camera or a microphone, each with a phase of its own.

use std::time::{Duration, Instant};

/// How late a track may be and still catch up. Beyond it, what was missed is left out, as a camera leaves out frames,
/// because a burst of them would load the server in a way no browser does.
const MAX_LATE: Duration = Duration::from_millis(250);

/// The moments of one track.
#[derive(Clone, Debug)]
pub(crate) struct Cadence {
    first: Instant,
    period: Duration,
    count: u32,
}

/// A moment that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// Its number, from 0: media time is this times the period.
    pub(crate) number: u32,
    /// How much later than planned it is.
    pub(crate) late: Duration,
    /// Moments before it that were left out.
    pub(crate) skipped: u32,
}

impl Cadence {
    /// Moments `period` apart, the first at `first`.
    pub(crate) const fn new(first: Instant, period: Duration) -> Self {
        Self {
            first,
            period,
            count: 0,
        }
    }

    /// The next moment.
    pub(crate) fn due(&self) -> Instant {
        self.first + self.period * self.count
    }

    /// Takes the next moment, if it has come.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Beat> {
        let late = now.checked_duration_since(self.due())?;
        let skipped = if late > MAX_LATE {
            (late.as_nanos() / self.period.as_nanos()) as u32
        } else {
            0
        };
        let number = self.count + skipped;
        self.count = number + 1;
        Some(Beat {
            number,
            late,
            skipped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERIOD: Duration = Duration::from_nanos(33_333_333);

    #[test]
    fn nothing_is_due_before_its_time() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start + PERIOD, PERIOD);
        assert_eq!(cadence.take(start), None);
        let beat = cadence.take(start + PERIOD).expect("due");
        assert_eq!((beat.number, beat.late, beat.skipped), (0, Duration::ZERO, 0));
        assert_eq!(cadence.due(), start + 2 * PERIOD);
    }

    #[test]
    fn a_long_pause_leaves_out_what_was_missed_and_keeps_the_phase() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start, PERIOD);
        let beat = cadence.take(start + 30 * PERIOD + PERIOD / 2).expect("due");
        assert_eq!((beat.number, beat.skipped), (30, 30));
        assert_eq!(cadence.due(), start + 31 * PERIOD);
    }

    proptest! {
        #[test]
        fn being_a_little_late_loses_nothing_and_does_not_drift(delays in prop::collection::vec(0u64..200_000, 1..200)) {
            let start = Instant::now();
            let mut cadence = Cadence::new(start, PERIOD);
            for (number, delay) in delays.iter().enumerate() {
                let due = cadence.due();
                prop_assert_eq!(due, start + PERIOD * number as u32);
                let beat = cadence.take(due + Duration::from_micros(*delay)).expect("due");
                prop_assert_eq!(beat.number as usize, number);
                prop_assert_eq!(beat.skipped, 0);
            }
        }
    }
}
