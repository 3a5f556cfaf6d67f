//! A consumer's timestamps: one clock that never runs backwards, whichever of the producer's streams feeds it.
//!
//! Each stream of a simulcast has its own random timestamp base. At a switch the new stream's first frame is placed
//! after the newest frame sent by the time that lies between the two captures, taken from the sender reports of both
//! streams (RFC 3550 §6.4.1), or, where a report is missing, by the time that passed here.

use std::time::{Duration, Instant};

use rtp::RtpTime;
use rtp::rtcp::NtpTime;

/// How far the sender's reports may contradict the time passed here. Beyond it they are wrong: queues on the way
/// explain less.
const MAX_CONTRADICTION: Duration = Duration::from_millis(1000);

/// A capture time on both clocks of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capture {
    /// The stream's timestamp.
    pub(crate) time: RtpTime,
    /// The sender's wall clock at that timestamp, if the stream's reports told it.
    pub(crate) ntp: Option<NtpTime>,
}

/// The newest frame sent.
#[derive(Clone, Copy, Debug)]
struct Newest {
    input: RtpTime,
    output: RtpTime,
    at: Instant,
}

/// The timestamps of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct TimestampMap {
    clock_rate: u32,
    first_output: RtpTime,
    /// Outgoing less incoming timestamp.
    offset: i64,
    newest: Option<Newest>,
}

impl TimestampMap {
    /// Nothing sent; the first packet will carry `first_output`. `clock_rate` is in ticks per second.
    pub(crate) fn new(clock_rate: u32, first_output: RtpTime) -> Self {
        Self {
            clock_rate,
            first_output,
            offset: 0,
            newest: None,
        }
    }

    /// Begins another stream with its frame `first`. `previous` is the sender's wall clock at [`Self::newest_input`]
    /// on the old stream. A stream that merely paused needs no call: its own clock ran on.
    pub(crate) fn switch(&mut self, now: Instant, first: Capture, previous: Option<NtpTime>) {
        let output = match self.newest {
            None => self.first_output,
            Some(newest) => {
                let here = now.saturating_duration_since(newest.at);
                let elapsed = first
                    .ntp
                    .zip(previous)
                    .map(|(ntp, previous)| ntp.0.wrapping_sub(previous.0) as i64)
                    .filter(|&elapsed| is_plausible(elapsed, here))
                    .unwrap_or_else(|| to_ntp(here));
                let ticks = (i128::from(elapsed) * i128::from(self.clock_rate)) >> 32;
                // At least one tick: equal timestamps would merge two pictures into one frame.
                newest.output.offset((ticks as i64).max(1))
            }
        };
        self.offset = output.distance(first.time);
    }

    /// The outgoing timestamp of a packet of the current stream. The first call without a [`Self::switch`] before it
    /// begins the stream.
    pub(crate) fn map(&mut self, now: Instant, input: RtpTime) -> RtpTime {
        if self.newest.is_none() && self.offset == 0 {
            self.offset = self.first_output.distance(input);
        }
        let output = input.offset(self.offset);
        if self.newest.is_none_or(|newest| output > newest.output) {
            self.newest = Some(Newest {
                input,
                output,
                at: now,
            });
        }
        output
    }

    /// Outgoing less incoming timestamp, wrapping.
    pub(crate) fn offset(&self) -> u32 {
        self.offset as u32
    }

    /// The timestamp of the newest frame sent, as its stream had it.
    pub(crate) fn newest_input(&self) -> Option<RtpTime> {
        self.newest.map(|newest| newest.input)
    }

    /// The timestamp of the newest frame sent, as it went out.
    #[cfg(test)]
    pub(crate) fn newest_output(&self) -> Option<RtpTime> {
        self.newest.map(|newest| newest.output)
    }
}

/// Whether a distance on the sender's clock (2^-32 s) may be one of `here` on ours.
fn is_plausible(elapsed: i64, here: Duration) -> bool {
    elapsed.abs_diff(to_ntp(here)) <= to_ntp(MAX_CONTRADICTION) as u64
}

/// A duration in units of 2^-32 s.
fn to_ntp(duration: Duration) -> i64 {
    i64::try_from((duration.as_nanos() << 32) / 1_000_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: u32 = 90_000;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The sender's wall clock at a number of milliseconds.
    fn ntp(millis: i64) -> Option<NtpTime> {
        Some(NtpTime(((1_000_000 + millis) as u64) * (1 << 32) / 1_000))
    }

    fn map_at(start: Instant) -> TimestampMap {
        let mut map = TimestampMap::new(RATE, RtpTime(500_000));
        assert_eq!(map.map(start, RtpTime(90_000)), RtpTime(500_000));
        map
    }

    #[test]
    fn one_stream_keeps_its_intervals() {
        let start = Instant::now();
        let mut map = map_at(start);
        assert_eq!(map.map(start + ms(33), RtpTime(93_000)), RtpTime(503_000));
        assert_eq!(
            map.map(start + ms(34), RtpTime(90_000)),
            RtpTime(500_000),
            "a late packet"
        );
        assert_eq!(
            (map.newest_input(), map.newest_output()),
            (Some(RtpTime(93_000)), Some(RtpTime(503_000)))
        );
        assert_eq!(map.offset(), 410_000);
    }

    #[test]
    fn a_switch_is_placed_by_capture_time_where_known() {
        // New capture, old capture and time passed here (ms); ticks between the two frames.
        let rows = [
            (ntp(33), ntp(0), 50, 2_970),
            (ntp(33), None, 50, 4_500),
            (None, ntp(0), 50, 4_500),
            (None, None, 50, 4_500),
            // Captured before the newest frame, or with it.
            (ntp(-10), ntp(0), 50, 1),
            (ntp(0), ntp(0), 50, 1),
            (None, None, 0, 1),
            // Clocks that contradict the time passed by more than a second.
            (ntp(5_000), ntp(0), 50, 4_500),
            (ntp(-5_000), ntp(0), 50, 4_500),
            (ntp(4_500), ntp(0), 5_000, 405_000),
        ];
        for (index, (new, old, here, ticks)) in rows.into_iter().enumerate() {
            let start = Instant::now();
            let mut map = map_at(start);
            let now = start + ms(here);
            let first = Capture {
                time: RtpTime(0xffff_ff00),
                ntp: new,
            };
            map.switch(now, first, old);
            let output = map.map(now, first.time);
            let moved = output.distance(RtpTime(500_000));
            assert!(
                (moved - ticks).abs() <= 1 && moved >= 1,
                "row {index}: {moved} ticks"
            );
            assert_eq!(
                map.map(now + ms(33), RtpTime(0xffff_ff00 + 3_000)),
                output.offset(3_000),
                "row {index}"
            );
        }
    }

    #[test]
    fn a_switch_before_the_first_packet_only_sets_the_start() {
        let start = Instant::now();
        let mut map = TimestampMap::new(RATE, RtpTime(700));
        let first = Capture {
            time: RtpTime(5),
            ntp: None,
        };
        map.switch(start, first, None);
        assert_eq!(map.map(start, RtpTime(5)), RtpTime(700));
        assert_eq!(map.map(start, RtpTime(6)), RtpTime(701));
    }

    proptest! {
        /// Whatever streams and reports come, a switch moves forward, and by at most a second more than really passed.
        #[test]
        fn switches_never_run_backwards(
            steps in prop::collection::vec((0u64..3_000, any::<u32>(), prop::option::of(any::<u64>()), any::<bool>()), 1..100),
        ) {
            let mut now = Instant::now();
            let mut map = map_at(now);
            let mut highest = map.newest_output().unwrap();
            for (passed, base, clock, same) in steps {
                now += ms(passed);
                let first = Capture { time: RtpTime::first(base), ntp: clock.map(NtpTime) };
                map.switch(now, first, if same { first.ntp } else { clock.map(|clock| NtpTime(clock ^ 0xffff_0000)) });
                let output = map.map(now, first.time);
                prop_assert!(output > highest);
                prop_assert!(output.distance(highest) <= ((passed + 1_001) * 90) as i64);
                highest = output;
            }
        }
    }
}
