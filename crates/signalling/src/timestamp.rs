//! Points in time on the wire: ISO 8601, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time between the years 1970 and 9999, to the millisecond; written `2026-01-31T23:59:59.999Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
    unix_millis: u64,
}

/// A text that is no timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time like 2026-01-31T23:59:59.999Z")]
pub struct TimestampError;

const MILLIS_PER_DAY: u64 = 86_400_000;
/// The last millisecond of the year 9999, which four digits still hold.
const LAST: u64 = 253_402_300_799_999;

impl Timestamp {
    /// From milliseconds since the beginning of 1970; later than 9999 becomes the end of 9999.
    #[must_use]
    pub const fn from_unix_millis(unix_millis: u64) -> Self {
        Self {
            unix_millis: if unix_millis > LAST { LAST } else { unix_millis },
        }
    }

    /// From seconds since the beginning of 1970, as tokens count.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self::from_unix_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the beginning of 1970.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.unix_millis
    }
}

impl From<SystemTime> for Timestamp {
    /// A clock before 1970 counts as 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self::from_unix_millis(u64::try_from(since.as_millis()).unwrap_or(LAST))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.unix_millis / MILLIS_PER_DAY);
        let rest = self.unix_millis % MILLIS_PER_DAY;
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1000 % 60, rest % 1000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

/// Days in the 400 years after which the Gregorian calendar repeats.
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01. Years that begin in March have their leap day at the end.
const DAYS_TO_EPOCH: u64 = 719_468;

/// Year, month and day of a day counted from 1970-01-01.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + DAYS_TO_EPOCH;
    let (era, day_of_era) = (day / DAYS_PER_ERA, day % DAYS_PER_ERA);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on take 153 days in each group of five.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_month)
}

/// The day counted from 1970-01-01 of a date not before it.
fn day(year: u64, month: u64, day_of_month: u64) -> Option<u64> {
    let year_from_march = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year_from_march / 400, year_from_march % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day_of_month.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * DAYS_PER_ERA + day_of_era).checked_sub(DAYS_TO_EPOCH)
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        read(text).ok_or(TimestampError)
    }
}

fn read(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse::<u64>().ok())?
    };
    let (year, month, day_of_month) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second, milli) = (number(11..13)?, number(14..16)?, number(17..19)?, number(20..23)?);
    let within_day = ((hour * 60 + minute) * 60 + second) * 1000 + milli;
    let time = Timestamp::from_unix_millis(day(year, month, day_of_month)? * MILLIS_PER_DAY + within_day);
    // Separators, and fields that are out of range, come out differently when written again.
    (time.to_string() == text).then_some(time)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_instants_are_written_and_read() {
        let rows = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
        ];
        for (unix_millis, text) in rows {
            assert_eq!(Timestamp::from_unix_millis(unix_millis).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp::from_unix_millis(unix_millis)));
        }
        assert_eq!(Timestamp::from_unix_seconds(u64::MAX).unix_millis(), LAST);
    }

    #[test]
    fn other_texts_are_refused() {
        let texts = [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20Z",
            "2023-11-14 22:13:20.123Z",
            "2023-11-14T22:13:20.123+00:00",
            "2023-02-29T00:00:00.000Z",
            "2023-13-01T00:00:00.000Z",
            "2023-00-01T00:00:00.000Z",
            "2023-01-00T00:00:00.000Z",
            "2023-01-01T24:00:00.000Z",
            "2023-01-01T00:60:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "0000-01-01T00:00:00.000Z",
            "+023-01-01T00:00:00.000Z",
            "２023-01-01T00:00:00.000Z",
        ];
        for text in texts {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_survives_writing(unix_millis in 0..=LAST) {
            let time = Timestamp::from_unix_millis(unix_millis);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn later_is_written_later(a in 0..=LAST, b in 0..=LAST) {
            let (a, b) = (Timestamp::from_unix_millis(a), Timestamp::from_unix_millis(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
