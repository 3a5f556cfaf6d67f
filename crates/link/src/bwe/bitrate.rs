//! Bits per second.

use std::fmt;
use std::time::Duration;

/// A bitrate in bit/s.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bitrate(pub u64);

impl Bitrate {
    /// No bits.
    pub const ZERO: Self = Self(0);
    /// More than any path carries.
    pub const MAX: Self = Self(u64::MAX);

    /// From kbit/s.
    pub const fn kbps(kbps: u64) -> Self {
        Self(kbps * 1000)
    }

    /// In bit/s.
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// Rounded to whole bits; zero for what is no number or below zero, the maximum for what is too large.
    pub const fn from_f64(bits_per_second: f64) -> Self {
        Self(bits_per_second as u64)
    }

    /// `self` times a factor, as [`Self::from_f64`].
    pub const fn scale(self, factor: f64) -> Self {
        Self::from_f64(self.as_f64() * factor)
    }

    /// Bytes that fit into a time at this rate.
    pub fn bytes_in(self, time: Duration) -> usize {
        (self.as_f64() * time.as_secs_f64() / 8.0) as usize
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbit/s", self.0 / 1000)
    }
}

impl fmt::Debug for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_do_not_leave_the_range() {
        let rows = [
            (f64::NAN, 0),
            (-1.0, 0),
            (f64::INFINITY, u64::MAX),
            (1234.9, 1234),
        ];
        for (value, expected) in rows {
            assert_eq!(Bitrate::from_f64(value), Bitrate(expected));
        }
        assert_eq!(Bitrate::kbps(800).bytes_in(Duration::from_millis(10)), 1000);
        assert_eq!(Bitrate::kbps(100).scale(1.5), Bitrate::kbps(150));
        assert_eq!(Bitrate::kbps(64).to_string(), "64 kbit/s");
    }
}
