//! Transport-wide congestion control, both ends (draft-holmer-rmcat-transport-wide-cc-extensions-01):
//! [`ArrivalRecorder`] tells a sender when its packets came, [`SendRegister`] hears the same about ours.
//! What to conclude from it is [`crate::bwe`]'s business.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtp::rtcp::{TwccFeedback, TwccReport, write};
use rtp::{SeqNo, Ssrc};

/// How long arrivals are gathered before they are reported. Browsers' own receivers report every 50 to
/// 250 ms, and 100 ms where the bitrate does not say otherwise.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(100);

/// Arrivals after which feedback is due at once: what surely fits one packet of [`MAX_FEEDBACK_LEN`].
const FEEDBACK_COUNT: usize = 400;

/// Sequence numbers remembered behind the newest one: 100 ms of 160 Mbit/s.
const WINDOW: usize = 2048;

/// How far behind the last feedback a late packet may lie for its report to be repeated with it.
const MAX_REORDERING: i64 = 512;

/// Longest feedback packet before SRTCP adds to it, so that it passes wherever media does.
const MAX_FEEDBACK_LEN: usize = 1100;

/// Bytes of a feedback packet in front of its status chunks, and the padding at its end.
const FEEDBACK_OVERHEAD: usize = 20 + 3;

/// Unit of receive deltas.
const TICK: Duration = Duration::from_micros(250);
/// Ticks in the unit of reference times, 64 ms.
const TICKS_PER_REFERENCE: i64 = 256;

/// Stands for "not received" in the ring of arrivals.
const NOT_RECEIVED: i64 = i64::MIN;

/// Receive side: notes when packets arrive and writes feedback about them.
///
/// Holds 2048 arrivals whatever comes. A packet that arrives after its absence was reported makes the
/// next feedback begin with it again, as libwebrtc's receiver does.
#[derive(Debug)]
pub struct ArrivalRecorder {
    /// Arrival of each number of the window in ticks since `epoch`, at the number modulo [`WINDOW`].
    arrivals: Box<[i64]>,
    epoch: Instant,
    newest: Option<SeqNo>,
    /// First number that the next feedback speaks of.
    begin: SeqNo,
    /// Arrivals that no feedback has spoken of.
    pending: usize,
    due: Option<Instant>,
    feedback_count: u8,
    statuses: Vec<Option<i16>>,
}

impl ArrivalRecorder {
    /// A recorder whose times count from `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            arrivals: vec![NOT_RECEIVED; WINDOW].into_boxed_slice(),
            epoch: now,
            newest: None,
            begin: SeqNo(0),
            pending: 0,
            due: None,
            feedback_count: 0,
            statuses: Vec::with_capacity(FEEDBACK_COUNT),
        }
    }

    /// A packet with this transport sequence number arrived. Duplicates and packets far too late are ignored.
    pub fn on_packet(&mut self, now: Instant, transport_sequence: u16) {
        let number = match self.newest {
            Some(newest) => SeqNo::expand(newest, transport_sequence),
            None => SeqNo::first(transport_sequence),
        };
        if !self.admit(number) {
            return;
        }
        let ticks = now.saturating_duration_since(self.epoch).as_micros() / TICK.as_micros();
        let slot = self.slot(number);
        if *slot != NOT_RECEIVED {
            return;
        }
        *slot = i64::try_from(ticks).unwrap_or(i64::MAX);
        self.begin = self.begin.min(number);
        self.pending += 1;
        self.due.get_or_insert(now + FEEDBACK_INTERVAL);
        if self.pending >= FEEDBACK_COUNT {
            self.due = Some(now);
        }
    }

    /// When [`Self::build`] has something to say; `None` while nothing arrives.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Appends feedback packets for everything not yet reported, if it is time to; returns whether it did.
    /// `sender` reports; `media` is any stream of the transport.
    pub fn build(&mut self, now: Instant, sender: Ssrc, media: Ssrc, out: &mut Vec<u8>) -> bool {
        if self.due.is_none_or(|due| now < due) {
            return false;
        }
        let Some(newest) = self.newest else {
            return false;
        };
        while self.begin <= newest {
            let base = self.begin;
            let reference_time = self.gather(newest);
            write::twcc(
                out,
                &TwccReport {
                    sender,
                    media,
                    base: base.wire(),
                    reference_time,
                    feedback_count: self.feedback_count,
                    statuses: &self.statuses,
                },
            );
            self.feedback_count = self.feedback_count.wrapping_add(1);
        }
        self.pending = 0;
        self.due = None;
        true
    }

    /// Makes the window reach up to `number`; whether the number is in it then.
    fn admit(&mut self, number: SeqNo) -> bool {
        let Some(newest) = self.newest else {
            self.newest = Some(number);
            self.begin = number;
            return true;
        };
        let ahead = number.distance(newest);
        if ahead <= 0 {
            return -ahead < WINDOW as i64 && number.distance(self.begin) >= -MAX_REORDERING;
        }
        if ahead >= WINDOW as i64 {
            // Not a loss but a sender that starts again: nothing is said about what lies between.
            self.arrivals.fill(NOT_RECEIVED);
            self.begin = number;
        } else {
            for step in 1..=ahead {
                *self.slot(newest.offset(step)) = NOT_RECEIVED;
            }
            self.begin = self.begin.max(number.offset(1 - WINDOW as i64));
        }
        self.newest = Some(number);
        true
    }

    fn slot(&mut self, number: SeqNo) -> &mut i64 {
        &mut self.arrivals[number.0 as usize % WINDOW]
    }

    /// Fills `statuses` with as many numbers from `begin` on as one packet can speak of, moves `begin` past
    /// them, and returns the reference time they count from.
    fn gather(&mut self, newest: SeqNo) -> i32 {
        self.statuses.clear();
        let mut reference_time = None;
        let mut previous = 0;
        let mut deltas_len = 0;
        while self.begin <= newest {
            // Chunks cover seven statuses each, except for the last.
            let chunks_len = (self.statuses.len() / 7 + 1) * 2;
            if FEEDBACK_OVERHEAD + chunks_len + deltas_len + 2 > MAX_FEEDBACK_LEN {
                break;
            }
            let arrival = *self.slot(self.begin);
            if arrival == NOT_RECEIVED {
                self.statuses.push(None);
            } else {
                if reference_time.is_none() {
                    let reference = arrival / TICKS_PER_REFERENCE;
                    reference_time = Some(reference as i32);
                    previous = reference * TICKS_PER_REFERENCE;
                }
                let Ok(delta) = i16::try_from(arrival - previous) else {
                    break;
                };
                self.statuses.push(Some(delta));
                previous = arrival;
                deltas_len += 2;
            }
            self.begin = self.begin.next();
        }
        reference_time.unwrap_or_default()
    }
}

/// A moment on the receiver's clock, microseconds from an origin of its own. Only differences mean anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ArrivalTime(pub i64);

/// What became of a packet we sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acked {
    /// Transport sequence number.
    pub seq: SeqNo,
    /// Bytes, as given to [`SendRegister::stamp`].
    pub size: usize,
    /// When it was sent, on our clock.
    pub sent: Instant,
    /// When it arrived; `None` if the receiver says it did not.
    pub received: Option<ArrivalTime>,
    /// It had been reported lost before and has come after all.
    pub late: bool,
}

/// Packets that are remembered at most: 8 s of 1000 packets per second.
const MAX_HISTORY: usize = 8192;

/// How long a packet is remembered for feedback to come; more than any usable round trip.
const MAX_HISTORY_AGE: Duration = Duration::from_secs(10);

/// Units of 64 ms between a 24-bit reference time and itself.
const REFERENCE_CYCLE: i64 = 1 << 24;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Unknown,
    Lost,
    Received,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    size: u32,
    fate: Fate,
}

/// Send side: numbers packets and turns feedback into what became of them.
#[derive(Debug)]
pub struct SendRegister {
    history: VecDeque<Sent>,
    /// Number of the next packet; the history ends right before it.
    next: SeqNo,
    /// When old packets were last forgotten.
    swept: Option<Instant>,
    /// Newest reference time, counted on past 24 bits.
    reference_time: Option<i64>,
    acked: Vec<Acked>,
}

impl Default for SendRegister {
    fn default() -> Self {
        Self::new()
    }
}

impl SendRegister {
    /// Nothing sent yet; the first number is 1.
    pub fn new() -> Self {
        Self {
            history: VecDeque::new(),
            next: SeqNo::first(1),
            swept: None,
            reference_time: None,
            acked: Vec::new(),
        }
    }

    /// Notes a packet of `size` bytes that is sent now and returns its number. Every number given out must
    /// be sent, in this order.
    pub fn stamp(&mut self, now: Instant, size: usize) -> u16 {
        // The packets of a frame leave at one time, at which nothing more grows old; the oldest packet lies far from the
        // newest in memory.
        if self.swept != Some(now) || self.history.len() >= MAX_HISTORY {
            self.forget_old(now);
            self.swept = Some(now);
        }
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.history.push_back(Sent {
            at: now,
            size,
            fate: Fate::Unknown,
        });
        let number = self.next;
        self.next = number.next();
        number.wire()
    }

    /// Takes the newest number back, because its packet was not sent after all; a number left unsent would be
    /// taken for a loss. Any but the newest stays.
    pub fn take_back(&mut self, number: u16) {
        let newest = self.next.offset(-1);
        if newest.wire() == number && self.history.pop_back().is_some() {
            self.next = newest;
        }
    }

    /// What feedback says about packets whose fate it changes, in the order they were sent. Numbers never
    /// sent, long forgotten or known to have arrived are passed over.
    pub fn on_feedback(&mut self, _now: Instant, feedback: &TwccFeedback<'_>) -> &[Acked] {
        self.acked.clear();
        let reference = self.unwrap_reference(feedback.reference_time);
        let mut arrival = reference
            .wrapping_mul(TICKS_PER_REFERENCE)
            .wrapping_mul(TICK.as_micros() as i64);
        let oldest = self.next.offset(-(self.history.len() as i64));
        let base = SeqNo::expand(self.next, feedback.base);
        for (index, (_, delta)) in (0..).zip(feedback.statuses()) {
            if let Some(delta) = delta {
                arrival = arrival.wrapping_add(i64::from(delta) * TICK.as_micros() as i64);
            }
            let seq = base.offset(index);
            let position = usize::try_from(seq.distance(oldest)).ok();
            let Some(sent) = position.and_then(|position| self.history.get_mut(position)) else {
                continue;
            };
            let fate = if delta.is_some() {
                Fate::Received
            } else {
                Fate::Lost
            };
            if sent.fate == Fate::Received || sent.fate == fate {
                continue;
            }
            self.acked.push(Acked {
                seq,
                size: sent.size as usize,
                sent: sent.at,
                received: delta.map(|_| ArrivalTime(arrival)),
                late: sent.fate == Fate::Lost,
            });
            sent.fate = fate;
        }
        &self.acked
    }

    /// The reference time closest to the newest one seen.
    fn unwrap_reference(&mut self, wire: i32) -> i64 {
        let wire = i64::from(wire);
        let unwrapped = match self.reference_time {
            None => wire + REFERENCE_CYCLE,
            Some(newest) => {
                let step = wire.wrapping_sub(newest).rem_euclid(REFERENCE_CYCLE);
                let step = if step >= REFERENCE_CYCLE / 2 {
                    step - REFERENCE_CYCLE
                } else {
                    step
                };
                newest.wrapping_add(step)
            }
        };
        self.reference_time = Some(
            self.reference_time
                .map_or(unwrapped, |newest| newest.max(unwrapped)),
        );
        unwrapped
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.history.front() {
            let stale = now.saturating_duration_since(oldest.at) > MAX_HISTORY_AGE;
            if oldest.fate != Fate::Received && !stale && self.history.len() < MAX_HISTORY {
                return;
            }
            self.history.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
