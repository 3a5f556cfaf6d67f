//! The clock that media is stamped with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970 by the system's clock.
///
/// Not the monotonic clock, although latency is a difference: the kernel stamps the arrival of datagrams by this one,
/// and a stamp of the kernel does not contain the time a packet waits until the tester reads it. A step of the system's
/// clock during a run shows as an absurd latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) u64);

impl Stamp {
    /// The present moment.
    pub(crate) fn now() -> Self {
        Self::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// Time passed since `earlier`; nothing if the clock went back.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Whole microseconds since 1970.
    pub(crate) const fn micros(self) -> u64 {
        self.0 / 1_000
    }

    /// As RTCP writes it (RFC 3550 §4): seconds since 1900 in 32.32 fixed point.
    pub(crate) fn ntp(self) -> u64 {
        /// Seconds from 1900 to 1970.
        const EPOCHS: u64 = 2_208_988_800;
        let (seconds, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let fraction = (nanos << 32) / 1_000_000_000;
        ((seconds + EPOCHS) << 32) | fraction
    }
}

impl From<Duration> for Stamp {
    fn from(since_1970: Duration) -> Self {
        // Enough until the year 2554.
        Self(u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_from_1900_in_fixed_point() {
        // RFC 5905 figure 4: the first day of 1970 is second 2,208,988,800 of era 0.
        assert_eq!(Stamp(0).ntp(), 2_208_988_800 << 32);
        assert_eq!(Stamp(1_500_000_000).ntp(), (2_208_988_801 << 32) | 0x8000_0000);
    }

    #[test]
    fn a_clock_that_goes_back_measures_nothing() {
        assert_eq!(Stamp(5).since(Stamp(9)), Duration::ZERO);
        assert_eq!(Stamp(9_000).since(Stamp(5_000)), Duration::from_micros(4));
    }
}
