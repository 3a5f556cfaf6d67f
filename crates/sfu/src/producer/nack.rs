//! Which packets of a stream are missing, and when to ask for them again (RFC 4585 §6.2.1).
//!
//! A gap is asked for after a short wait for mere reordering, then once per round trip, ten times or for half a second,
//! whichever is more. The round trip is measured on the answers. When too many packets are missing, those before the newest
//! key frame are given up; if that is not enough, all are. Whatever is given up and not mended by a key frame that came
//! later is made up for by asking for one: viewers would wait for seconds before they do so themselves.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtp::SeqNo;

/// How long a gap may be plain reordering. Packets of one frame overtake each other by a millisecond or two.
const REORDER_DELAY: Duration = Duration::from_millis(5);

/// The shortest time between two requests of one packet, for paths whose round trip is shorter than timers are fine.
const MIN_RETRY: Duration = Duration::from_millis(20);

/// Requests of one packet before it is given up.
const MAX_RETRIES: u8 = 10;

/// A packet is asked for at least this long: on a short path ten requests are over before a burst of loss is.
const MIN_PERSISTENCE: Duration = Duration::from_millis(500);

/// Packets missing at a time; more are not worth a request each.
const MAX_MISSING: usize = 1000;

/// Packets this far behind the newest are forgotten: no sender keeps that many.
const MAX_PACKET_AGE: u64 = 10_000;

/// Key frames remembered as points to give up to. Older ones help nobody.
const MAX_KEY_FRAMES: usize = 32;

/// What a packet was to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Newer than all before.
    New,
    /// It filled a gap.
    Recovered,
    /// Neither newer nor missing: seen before, or given up.
    Duplicate,
}

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NackAction {
    /// Nothing.
    None,
    /// A generic NACK of the numbers written to the output.
    Nack,
    /// A key frame request, because something was given up; and a NACK of the numbers written to the output, if any.
    KeyFrame,
}

struct Missing {
    seq: SeqNo,
    /// When it was found missing.
    noticed: Instant,
    /// When to ask (again).
    due: Instant,
    /// When it was last asked for.
    asked: Instant,
    requests: u8,
}

/// The list of missing packets of one stream.
pub(crate) struct NackGenerator {
    newest: Option<SeqNo>,
    /// Ascending; at most [`MAX_MISSING`].
    missing: VecDeque<Missing>,
    /// First packets of key frames, ascending; at most [`MAX_KEY_FRAMES`].
    key_frames: VecDeque<SeqNo>,
    /// From a request to its answer, smoothed; `None` before the first answer.
    round_trip: Option<Duration>,
    /// Not later than the earliest `due`.
    next_due: Option<Instant>,
    key_frame_wanted: bool,
}

impl NackGenerator {
    /// Nothing received, nothing missing; allocates on the first gap.
    pub(crate) fn new() -> Self {
        Self {
            newest: None,
            missing: VecDeque::new(),
            key_frames: VecDeque::new(),
            round_trip: None,
            next_due: None,
            key_frame_wanted: false,
        }
    }

    /// Notes a packet, original or retransmitted. `is_key_start` marks the first packet of a key frame.
    pub(crate) fn on_packet(&mut self, now: Instant, seq: SeqNo, is_key_start: bool) -> Arrival {
        let Some(newest) = self.newest else {
            self.newest = Some(seq);
            self.note_key_frame(seq, is_key_start);
            return Arrival::New;
        };
        if seq > newest {
            self.note_key_frame(seq, is_key_start);
            self.newest = Some(seq);
            self.forget_old(seq);
            self.add_gap(now, newest.0 + 1..seq.0);
            return Arrival::New;
        }
        match self.missing.binary_search_by_key(&seq, |missing| missing.seq) {
            Ok(index) => {
                if let Some(missing) = self.missing.remove(index) {
                    self.measure(now, &missing);
                }
                self.note_key_frame(seq, is_key_start);
                Arrival::Recovered
            }
            Err(_) => Arrival::Duplicate,
        }
    }

    /// Says what to send now. `out` is cleared; with [`NackAction::Nack`] it holds the missing numbers in the order
    /// they were sent. `rtt` is the round trip to the sender, which spaces the requests of one packet, until answers
    /// tell it better.
    pub(crate) fn poll(&mut self, now: Instant, rtt: Duration, out: &mut Vec<u16>) -> NackAction {
        out.clear();
        if self.next_due.is_some_and(|due| now >= due) {
            self.ask(now, rtt, out);
        }
        if std::mem::take(&mut self.key_frame_wanted) {
            NackAction::KeyFrame
        } else if out.is_empty() {
            NackAction::None
        } else {
            NackAction::Nack
        }
    }

    /// Writes what is due to `out`, and gives up what was asked for often enough.
    fn ask(&mut self, now: Instant, rtt: Duration, out: &mut Vec<u16>) {
        // A quarter more than the mean: an answer that takes a little longer is not asked for twice.
        let spacing = self.round_trip.map_or(rtt, |measured| measured + measured / 4);
        let retry = now + spacing.max(MIN_RETRY);
        let mut next_due: Option<Instant> = None;
        let mut given_up: Option<SeqNo> = None;
        self.missing.retain_mut(|missing| {
            if missing.due <= now {
                // Only now that the last request had the time to be answered.
                if missing.requests >= MAX_RETRIES && now >= missing.noticed + MIN_PERSISTENCE {
                    given_up = Some(missing.seq);
                    return false;
                }
                out.push(missing.seq.wire());
                missing.requests = missing.requests.saturating_add(1);
                missing.asked = now;
                missing.due = retry;
            }
            next_due = Some(next_due.map_or(missing.due, |due| due.min(missing.due)));
            true
        });
        self.next_due = next_due;
        self.key_frame_wanted |= given_up.is_some_and(|seq| !self.has_key_frame_after(seq));
    }

    fn has_key_frame_after(&self, seq: SeqNo) -> bool {
        self.key_frames.back().is_some_and(|key| *key > seq)
    }

    /// When to call [`Self::poll`] next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.missing.is_empty() && !self.key_frame_wanted {
            None
        } else {
            self.next_due
        }
    }

    /// Packets asked for or about to be.
    #[cfg(test)]
    pub(crate) fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Forgets everything: the stream was paused or starts anew.
    pub(crate) fn reset(&mut self) {
        self.newest = None;
        self.missing.clear();
        self.key_frames.clear();
        self.next_due = None;
        self.key_frame_wanted = false;
    }

    /// Takes the round trip from the answer to a first request; after a second one nobody knows which was answered
    /// (Karn's rule).
    fn measure(&mut self, now: Instant, answered: &Missing) {
        if answered.requests == 1 {
            let sample = now.saturating_duration_since(answered.asked);
            self.round_trip = Some(self.round_trip.map_or(sample, |smooth| (smooth * 7 + sample) / 8));
        }
    }

    fn note_key_frame(&mut self, seq: SeqNo, is_key_start: bool) {
        if !is_key_start {
            return;
        }
        if self.key_frames.len() == MAX_KEY_FRAMES {
            self.key_frames.pop_front();
        }
        let index = self.key_frames.partition_point(|&key| key < seq);
        self.key_frames.insert(index, seq);
    }

    fn forget_old(&mut self, newest: SeqNo) {
        let floor = newest.0.saturating_sub(MAX_PACKET_AGE);
        while self.missing.front().is_some_and(|missing| missing.seq.0 < floor) {
            self.missing.pop_front();
        }
        while self.key_frames.front().is_some_and(|key| key.0 < floor) {
            self.key_frames.pop_front();
        }
    }

    fn add_gap(&mut self, now: Instant, gap: std::ops::Range<u64>) {
        let count = usize::try_from(gap.end.saturating_sub(gap.start)).unwrap_or(usize::MAX);
        if count == 0 {
            return;
        }
        while self.missing.len().saturating_add(count) > MAX_MISSING {
            if !self.give_up_to_a_key_frame() {
                self.missing.clear();
                // What comes before a key frame that is already here needs no repair.
                self.key_frame_wanted = !self.has_key_frame_after(SeqNo(gap.end - 1));
                self.next_due = Some(now);
                return;
            }
        }
        let due = now + REORDER_DELAY;
        self.missing.extend(gap.map(|seq| Missing {
            seq: SeqNo(seq),
            noticed: now,
            due,
            asked: now,
            requests: 0,
        }));
        self.next_due = Some(self.next_due.map_or(due, |next| next.min(due)));
    }

    /// Drops what is missing before the oldest key frame that helps; false when none does.
    fn give_up_to_a_key_frame(&mut self) -> bool {
        let before = self
            .key_frames
            .iter()
            .map(|&key| self.missing.partition_point(|missing| missing.seq < key));
        let Some(count) = before.into_iter().find(|&count| count > 0) else {
            return false;
        };
        self.missing.drain(..count);
        true
    }
}

#[cfg(test)]
mod tests;
