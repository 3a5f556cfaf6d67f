//! Whether one of several streams of the same picture stopped while the others go on.
//!
//! Browsers encode all layers of a picture at once and stop an upper one without a word when their uplink or processor
//! cannot feed it. Silence alone takes long to mean anything, for a still screen is silent, too; pictures of the other
//! layers that this one has no part in mean it soon.

use std::time::{Duration, Instant};

/// The shortest silence that counts: encoders drop some pictures of one layer, and networks lose some.
const MIN_SILENCE: Duration = Duration::from_millis(300);

/// Silence counts from so many of the layer's own picture intervals on: it may be meant to be slower than the others.
const INTERVALS: u32 = 5;

/// Pictures the others must have sent meanwhile. After a break of the whole uplink the first packets to come are not
/// those of every layer.
const PICTURES: u8 = 6;

/// A longer time between two pictures was a pause, not a pace.
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);

/// The pace of one stream beside the others of its producer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// When its newest picture began.
    newest: Option<Instant>,
    /// When its newest packet came.
    heard: Option<Instant>,
    /// Between two of its pictures, smoothed; nothing is concluded before it is known.
    interval: Option<Duration>,
    /// Pictures the others began since.
    behind: u8,
    stopped: bool,
}

impl Pace {
    /// A packet of this stream came: a large picture over a narrow uplink takes its time, and is no silence.
    pub(crate) fn on_own_packet(&mut self, now: Instant) {
        self.heard = Some(now);
        self.behind = 0;
    }

    /// A picture of this stream began.
    pub(crate) fn on_own_picture(&mut self, now: Instant) {
        if self.stopped {
            // It may come back at another pace, and the time in between belongs to neither.
            *self = Self::default();
        }
        if let Some(newest) = self.newest {
            let sample = now.saturating_duration_since(newest).min(LONGEST_INTERVAL);
            self.interval = Some(self.interval.map_or(sample, |smooth| (smooth * 7 + sample) / 8));
        }
        self.newest = Some(now);
        self.on_own_packet(now);
    }

    /// A picture of another stream began; true when this one is seen thereby to have stopped.
    pub(crate) fn on_other_picture(&mut self, now: Instant) -> bool {
        let (Some(heard), Some(interval), false) = (self.heard, self.interval, self.stopped) else {
            return false;
        };
        self.behind = self.behind.saturating_add(1);
        let silence = now.saturating_duration_since(heard);
        self.stopped = self.behind >= PICTURES && silence >= MIN_SILENCE.max(interval * INTERVALS);
        self.stopped
    }

    /// Whether it stopped and has not come back.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a stream that sends a picture each `own` ms for three seconds and then no more is seen to have stopped, in ms
    /// after its last, beside one that sends each `other` ms.
    fn noticed(own: u64, other: u64) -> Option<u64> {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut last = 0;
        for ms in 0..10_000 {
            let now = start + Duration::from_millis(ms);
            if ms % own == 0 && ms < 3_000 {
                pace.on_own_picture(now);
                last = ms;
            }
            if ms % other == 0 && pace.on_other_picture(now) {
                return Some(ms - last);
            }
        }
        None
    }

    #[test]
    fn a_stream_that_stops_is_noticed_by_the_pictures_of_another() {
        // (own interval, the other's, noticed after)
        let rows = [
            (33, 33, 300..=340),
            (40, 40, 300..=340),
            (100, 100, 500..=610),
            // Slower on purpose: a layer of 5 pictures a second beside one of 30.
            (200, 33, 800..=1_100),
            // Faster than what is left: six pictures of it.
            (33, 200, 1_000..=1_200),
        ];
        for (own, other, expected) in rows {
            let after = noticed(own, other);
            assert!(
                after.is_some_and(|after| expected.contains(&after)),
                "{own} and {other}: {after:?}"
            );
        }
    }

    #[test]
    fn one_that_goes_on_is_never_taken_for_stopped() {
        for (own, other) in [(33, 33), (200, 33), (500, 33), (1_000, 40), (33, 1_000)] {
            let start = Instant::now();
            let mut pace = Pace::default();
            for ms in 0..20_000 {
                let now = start + Duration::from_millis(ms);
                // Two pictures in three, and a break of the whole uplink.
                let is_sent = ms / own % 3 != 2 && !(9_100..9_900).contains(&ms);
                if ms % other == 0 && !(9_100..9_900).contains(&ms) {
                    assert!(!pace.on_other_picture(now), "{own} beside {other} at {ms}");
                }
                if ms % own == 0 && is_sent {
                    pace.on_own_picture(now);
                }
            }
        }
    }

    #[test]
    fn one_that_comes_back_slower_has_not_stopped_again() {
        let start = Instant::now();
        for own in [200, 500, 900] {
            let mut pace = Pace::default();
            for ms in (0..3_000).step_by(33) {
                pace.on_own_picture(start + Duration::from_millis(ms));
            }
            let mut stops = 0;
            for ms in 3_000..12_000 {
                let now = start + Duration::from_millis(ms);
                if ms % 33 == 0 {
                    stops += usize::from(pace.on_other_picture(now));
                }
                // Silent for half a second, then there again, each `own` ms.
                if ms >= 3_500 && (ms - 3_500) % own == 0 {
                    pace.on_own_picture(now);
                }
            }
            assert_eq!(stops, 1, "back with a picture each {own} ms");
        }
    }

    #[test]
    fn a_second_stop_is_noticed_as_soon_as_the_first() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut noticed = Vec::new();
        for ms in 0..20_000_u64 {
            let now = start + Duration::from_millis(ms);
            // Three seconds, ten seconds of silence, four pictures, silence.
            let runs = ms < 3_000 || (13_000..13_100).contains(&ms);
            if ms % 33 == 0 {
                if runs {
                    pace.on_own_picture(now);
                }
                if pace.on_other_picture(now) {
                    noticed.push(ms);
                }
            }
        }
        let [first, second] = noticed[..] else {
            panic!("{noticed:?}")
        };
        assert!(first - 2_970 < 350, "{first}");
        assert!(second - 13_068 < 400, "{second}");
    }

    #[test]
    fn a_large_picture_that_takes_long_is_no_silence() {
        let start = Instant::now();
        let mut pace = Pace::default();
        for ms in (0..3_000).step_by(40) {
            pace.on_own_picture(start + Duration::from_millis(ms));
        }
        for ms in (3_000..4_000).step_by(20) {
            let now = start + Duration::from_millis(ms);
            pace.on_own_packet(now);
            assert!(!pace.on_other_picture(now), "at {ms}");
        }
    }

    #[test]
    fn it_is_there_again_with_its_next_picture() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.on_own_picture(start);
        pace.on_own_picture(start + Duration::from_millis(40));
        let later = start + Duration::from_secs(1);
        assert_eq!(
            (0..20).filter(|_| pace.on_other_picture(later)).count(),
            1,
            "told once"
        );
        assert!(pace.is_stopped());
        pace.on_own_picture(later);
        assert!(!pace.is_stopped());
    }
}
