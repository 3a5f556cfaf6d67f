//! What the receiver knows of one SSRC: numbering, loss, jitter, the sender's clock and the bit rate (RFC 3550 §6.4.1
//! and appendix A).
//!
//! The stream decides which packets are new; it does not ask for missing ones (`nack`) nor keep any (`store`).

use std::time::Instant;

use link::bwe::Bitrate;
use rtp::rtcp::{NtpTime, ReportBlock};
use rtp::{RtpTime, SeqNo, Ssrc};

pub(crate) use self::rate::RateMeter;
use self::window::Window;

mod rate;
mod window;

/// A forward step from here on is a jump, not loss (RFC 3550 §A.1).
const MAX_DROPOUT: u16 = 3000;

/// A backward step up to here is reordering, not a jump. RFC 3550 §A.1 has 100; retransmissions under the original
/// sequence number come later than that.
const MAX_MISORDER: u16 = 1500;

/// How a packet relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Newer than all before.
    New,
    /// Older than the newest, and not seen before.
    Late,
    /// Seen before, or too old to tell.
    Duplicate,
}

/// A packet's place in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Its number. A sender that starts anew keeps counting upwards here.
    pub(crate) seq: SeqNo,
    /// Its timestamp.
    pub(crate) time: RtpTime,
    /// Its relation to the packets before.
    pub(crate) order: Order,
}

/// What happened since the previous [`ReceiveStream::take_interval`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    /// Packets that were sent, going by their numbers.
    pub(crate) expected: u32,
    /// Of these, packets that came by themselves.
    pub(crate) received: u32,
    /// Packets that came by retransmission, also those lost in an earlier interval.
    pub(crate) repaired: u32,
}

/// The sender's clock as seen here now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderClock {
    /// The sender's wall clock.
    pub(crate) ntp: NtpTime,
    /// The timestamp that media captured at that moment carries.
    pub(crate) time: RtpTime,
}

/// The last sender report.
#[derive(Clone, Copy)]
struct LastReport {
    clock: SenderClock,
    arrived: Instant,
}

/// Counts since the stream's first packet or its last jump, and their values at earlier moments.
#[derive(Clone, Copy, Default)]
struct Counts {
    expected: u64,
    received: u64,
    repaired: u64,
}

/// The receive state of one SSRC.
pub(crate) struct ReceiveStream {
    ssrc: Ssrc,
    clock_rate: u32,
    first: SeqNo,
    newest: Option<SeqNo>,
    time: Option<RtpTime>,
    /// The number that would confirm a jump.
    after_jump: Option<u16>,
    window: Window,
    received: u64,
    repaired: u64,
    /// Packets lost for good.
    lost: u64,
    at_report: Counts,
    at_interval: Counts,
    /// Where arrival times are measured from.
    epoch: Option<Instant>,
    /// Arrival minus timestamp of the last packet that counted, clock units.
    transit: Option<i64>,
    /// Jitter in 1/16 of a clock unit.
    jitter: u64,
    report: Option<LastReport>,
    rate: RateMeter,
}

impl ReceiveStream {
    /// A stream that has not sent yet. `clock_rate` is in ticks per second and not 0.
    pub(crate) fn new(ssrc: Ssrc, clock_rate: u32) -> Self {
        Self {
            ssrc,
            clock_rate: clock_rate.max(1),
            first: SeqNo(0),
            newest: None,
            time: None,
            after_jump: None,
            window: Window::new(),
            received: 0,
            repaired: 0,
            lost: 0,
            at_report: Counts::default(),
            at_interval: Counts::default(),
            epoch: None,
            transit: None,
            jitter: 0,
            report: None,
            rate: RateMeter::new(),
        }
    }

    /// Places a packet of this SSRC; `len` is its RTP length in bytes. `None` when it jumps so far that it may be a
    /// stray: the next one after it confirms that the sender started anew.
    ///
    /// There is no probation at the start (RFC 3550 §A.1 `MIN_SEQUENTIAL`): SRTP has authenticated the packet and the
    /// SSRC, or the MID and RID, were announced, so the first packet is as good as any.
    pub(crate) fn on_packet(
        &mut self,
        now: Instant,
        sequence: u16,
        timestamp: u32,
        len: usize,
    ) -> Option<Received> {
        let Some(newest) = self.newest else {
            let seq = SeqNo::first(sequence);
            self.begin(seq);
            return Some(self.take_new(now, seq, timestamp, len));
        };
        let step = sequence.wrapping_sub(newest.wire());
        if (1..MAX_DROPOUT).contains(&step) {
            self.after_jump = None;
            let seq = newest.offset(i64::from(step));
            return Some(self.take_new(now, seq, timestamp, len));
        }
        if step == 0 || step > u16::MAX - MAX_MISORDER {
            self.count(now, len);
            let received = self.take_late(SeqNo::expand(newest, sequence), timestamp);
            self.received += u64::from(received.order == Order::Late);
            return Some(received);
        }
        if self.after_jump != Some(sequence) {
            self.after_jump = Some(sequence.wrapping_add(1));
            return None;
        }
        self.lost += self.window.unsettled(self.first);
        let seq = newest.offset(i64::from(step));
        self.begin(seq);
        Some(self.take_new(now, seq, timestamp, len))
    }

    /// Places a packet that came by retransmission on another SSRC, by its original number. `None` before the
    /// stream's first packet, and for numbers ahead of it (probing senders repeat packets that are still on the way).
    pub(crate) fn on_repair(
        &mut self,
        now: Instant,
        sequence: u16,
        timestamp: u32,
        len: usize,
    ) -> Option<Received> {
        let newest = self.newest?;
        let seq = SeqNo::expand(newest, sequence);
        if seq > newest {
            return None;
        }
        self.count(now, len);
        let received = self.take_late(seq, timestamp);
        self.repaired += u64::from(received.order == Order::Late);
        Some(received)
    }

    /// Notes the sender's clock (RFC 3550 §6.4.1).
    pub(crate) fn on_sender_report(&mut self, now: Instant, ntp: NtpTime, rtp_time: u32) {
        let time = self.expand_time(rtp_time);
        self.report = Some(LastReport {
            clock: SenderClock { ntp, time },
            arrived: now,
        });
    }

    /// Follows a stream that another worker receives and has placed already.
    pub(crate) fn follow(&mut self, now: Instant, seq: SeqNo, time: RtpTime, len: usize) {
        self.count(now, len);
        if self.newest.is_none_or(|newest| seq > newest) {
            self.newest = Some(seq);
            self.time = Some(time);
        }
    }

    /// Follows the sender's clock as another worker learnt it.
    pub(crate) fn follow_clock(&mut self, clock: SenderClock, arrived: Instant) {
        self.report = Some(LastReport { clock, arrived });
    }

    /// What the last sender report told, and when it came.
    pub(crate) fn last_report(&self) -> Option<(SenderClock, Instant)> {
        self.report.map(|report| (report.clock, report.arrived))
    }

    /// The block about this stream for a report sent now; closes the interval its fraction is counted over.
    ///
    /// Loss is that of the network: retransmissions on another SSRC do not make it smaller, so that the sender sees
    /// what its path does. `None` before the first packet.
    pub(crate) fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        let newest = self.newest?;
        let counts = self.counts();
        let expected = counts.expected - self.at_report.expected;
        let received = counts.received - self.at_report.received;
        self.at_report = counts;
        let lost = expected.saturating_sub(received);
        let fraction = (lost * 256).checked_div(expected).unwrap_or(0).min(255);
        let cumulative = counts.expected as i64 - counts.received as i64;
        let (last_sr, delay) = self.report.map_or((0, 0), |report| {
            let waited = now.saturating_duration_since(report.arrived).as_micros() * 65_536 / 1_000_000;
            (
                (report.clock.ntp.0 >> 16) as u32,
                waited.min(u128::from(u32::MAX)) as u32,
            )
        });
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction as u8,
            cumulative_lost: cumulative.clamp(-0x80_0000, 0x7f_ffff) as i32,
            // `SeqNo` starts one cycle up.
            highest_sequence: newest.0.wrapping_sub(1 << 16) as u32,
            jitter: self.jitter(),
            last_sr,
            delay_since_last_sr: delay,
        })
    }

    /// What happened since the last call; for the score.
    pub(crate) fn take_interval(&mut self) -> Interval {
        let counts = self.counts();
        let since = |now: u64, then: u64| u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX);
        let interval = Interval {
            expected: since(counts.expected, self.at_interval.expected),
            received: since(counts.received, self.at_interval.received),
            repaired: since(counts.repaired, self.at_interval.repaired),
        };
        self.at_interval = counts;
        interval
    }

    /// The sender's wall clock when media of this timestamp was captured; `None` before its first report.
    pub(crate) fn rtp_to_ntp(&self, time: RtpTime) -> Option<NtpTime> {
        let clock = self.report?.clock;
        let elapsed = i128::from(time.distance(clock.time)) * (1 << 32) / i128::from(self.clock_rate);
        Some(NtpTime(clock.ntp.0.wrapping_add(elapsed as u64)))
    }

    /// The sender's clock carried on to `now` from its last report.
    pub(crate) fn sender_clock(&self, now: Instant) -> Option<SenderClock> {
        let report = self.report?;
        let micros = now.saturating_duration_since(report.arrived).as_micros();
        let ticks = micros * u128::from(self.clock_rate) / 1_000_000;
        Some(SenderClock {
            ntp: NtpTime(
                report
                    .clock
                    .ntp
                    .0
                    .wrapping_add(((micros << 32) / 1_000_000) as u64),
            ),
            time: report.clock.time.offset(ticks as i64),
        })
    }

    /// The stream's SSRC.
    pub(crate) fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// The highest number so far.
    pub(crate) fn newest(&self) -> Option<SeqNo> {
        self.newest
    }

    /// Interarrival jitter, clock units (RFC 3550 §6.4.1).
    pub(crate) fn jitter(&self) -> u32 {
        u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX)
    }

    /// What the stream carried in the last second.
    pub(crate) fn bitrate(&mut self, now: Instant) -> Bitrate {
        self.rate.bitrate(now)
    }

    /// Packets that came neither by themselves nor by retransmission and will not come any more. A gap counts once it
    /// lies some hundred packets back.
    pub(crate) fn lost_after_repair(&self) -> u64 {
        self.lost
    }

    fn counts(&self) -> Counts {
        let expected = self.newest.map_or(0, |newest| newest.0 + 1 - self.first.0);
        Counts {
            expected,
            received: self.received,
            repaired: self.repaired,
        }
    }

    /// Starts counting at `seq`.
    fn begin(&mut self, seq: SeqNo) {
        self.first = seq;
        self.after_jump = None;
        self.window.clear();
        self.received = 0;
        self.repaired = 0;
        self.at_report = Counts::default();
        self.at_interval = Counts::default();
        self.transit = None;
    }

    fn take_new(&mut self, now: Instant, seq: SeqNo, timestamp: u32, len: usize) -> Received {
        self.count(now, len);
        let time = self.expand_time(timestamp);
        self.lost += self.window.advance(self.first, seq);
        self.newest = Some(seq);
        self.received += 1;
        if self.time != Some(time) || self.transit.is_none() {
            self.update_jitter(now, time);
        }
        self.time = Some(time);
        Received {
            seq,
            time,
            order: Order::New,
        }
    }

    fn take_late(&mut self, seq: SeqNo, timestamp: u32) -> Received {
        // Older than the first packet is as good as never sent: `expected` does not count it.
        let fresh = seq >= self.first && self.window.insert(seq);
        let order = if fresh { Order::Late } else { Order::Duplicate };
        Received {
            seq,
            time: self.expand_time(timestamp),
            order,
        }
    }

    fn expand_time(&self, timestamp: u32) -> RtpTime {
        let near = self.time.or(self.report.map(|report| report.clock.time));
        near.map_or(RtpTime::first(timestamp), |near| RtpTime::expand(near, timestamp))
    }

    fn count(&mut self, now: Instant, len: usize) {
        self.rate.add(now, len);
    }

    /// RFC 3550 §A.8, over packets that begin a new timestamp: the packets of one video frame are sent over time by
    /// design, and counting that as jitter would show a bad path where there is none.
    fn update_jitter(&mut self, now: Instant, time: RtpTime) {
        let epoch = *self.epoch.get_or_insert(now);
        let micros = now.saturating_duration_since(epoch).as_micros();
        let arrival = (micros * u128::from(self.clock_rate) / 1_000_000) as i64;
        let transit = arrival.wrapping_sub(time.0 as i64);
        if let Some(previous) = self.transit.replace(transit) {
            let moved = transit.abs_diff(previous);
            self.jitter = (self.jitter + moved).saturating_sub((self.jitter + 8) >> 4);
        }
    }
}

#[cfg(test)]
mod tests;
