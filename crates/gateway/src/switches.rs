//! The latest switches between direct and group mode, for operators.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use call::Measure;
use signalling::client_gateway::{AdminSwitch, AdminSwitches};
use signalling::{CallId, Timestamp};

/// Switches that are shown one by one: a page.
const RECENT: usize = 50;
/// Switches whose times are summed up: enough for a steady 95th percentile, a few kilobytes.
const SUMMED_UP: usize = 1000;

/// What was finished since the gateway was started.
#[derive(Debug, Default)]
pub(crate) struct SwitchLog(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    total: u64,
    succeeded: u64,
    /// Newest first.
    recent: VecDeque<AdminSwitch>,
    /// Of committed ones, milliseconds, newest first.
    durations: VecDeque<u64>,
}

impl SwitchLog {
    /// Notes a measure, if it is that of a switch.
    pub(crate) fn note(&self, at: Timestamp, call: &CallId, measure: &Measure) {
        let Measure::Transition {
            from,
            to,
            reason,
            success,
            seconds,
        } = *measure
        else {
            return;
        };
        let duration_ms = milliseconds(seconds);
        let mut log = self.log();
        log.total += 1;
        if success {
            log.succeeded += 1;
            if let Some(duration) = duration_ms {
                log.durations.push_front(duration);
            }
            log.durations.truncate(SUMMED_UP);
        }
        log.recent.push_front(AdminSwitch {
            at,
            call_id: call.clone(),
            from,
            to,
            reason,
            success,
            duration_ms,
        });
        log.recent.truncate(RECENT);
    }

    /// What operators are shown.
    pub(crate) fn summary(&self) -> AdminSwitches {
        let log = self.log();
        let mut durations: Vec<u64> = log.durations.iter().copied().collect();
        durations.sort_unstable();
        AdminSwitches {
            total: log.total,
            succeeded: log.succeeded,
            median_ms: rank(&durations, 50),
            p95_ms: rank(&durations, 95),
            recent: log.recent.iter().cloned().collect(),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole milliseconds; nothing of a time that is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a small number that is not negative"
)]
fn milliseconds(seconds: f64) -> Option<u64> {
    let millis = (seconds * 1000.0).round();
    (0.0..1e12).contains(&millis).then_some(millis as u64)
}

/// The smallest value that so many per cent are not above (nearest rank).
fn rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let place = (sorted.len() * percent).div_ceil(100);
    sorted.get(place.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use signalling::client_gateway::{Mode, SwitchReason};

    use super::*;

    fn log(durations: impl IntoIterator<Item = (f64, bool)>) -> AdminSwitches {
        let log = SwitchLog::default();
        for (number, (seconds, success)) in (0..).zip(durations) {
            let measure = Measure::Transition {
                from: Mode::P2p,
                to: Mode::Sfu,
                reason: SwitchReason::ParticipantCountChanged,
                success,
                seconds,
            };
            let at = Timestamp::from_unix_millis(number);
            log.note(at, &CallId::mint(at, number), &measure);
        }
        log.summary()
    }

    #[test]
    fn nothing_is_said_of_no_switches() {
        let nothing = log([]);
        assert_eq!(
            (nothing.total, nothing.median_ms, nothing.p95_ms),
            (0, None, None)
        );
        let failed = log([(10.0, false)]);
        assert_eq!((failed.total, failed.succeeded, failed.median_ms), (1, 0, None));
        assert_eq!(failed.recent[0].duration_ms, Some(10_000));
    }

    #[test]
    fn the_middle_and_the_95th_are_of_committed_ones_alone() {
        let hundred = (1..=100).map(|number| (f64::from(number) / 1000.0, true));
        let summary = log(hundred.chain([(9.0, false)]));
        assert_eq!((summary.total, summary.succeeded), (101, 100));
        assert_eq!((summary.median_ms, summary.p95_ms), (Some(50), Some(95)));
        assert_eq!(log([(0.25, true)]).p95_ms, Some(250));
    }

    #[test]
    fn the_newest_are_shown_and_the_oldest_forgotten() {
        let many = log((0..2000).map(|number| (f64::from(number), true)));
        assert_eq!((many.total, many.recent.len()), (2000, RECENT));
        assert_eq!(many.recent[0].duration_ms, Some(1_999_000));
        assert_eq!(many.median_ms, Some(1_499_000), "of the latest thousand");
    }

    #[test]
    fn what_is_no_time_is_not_shown() {
        for odd in [f64::NAN, -1.0, f64::INFINITY] {
            assert_eq!(log([(odd, true)]).recent[0].duration_ms, None);
        }
    }
}
