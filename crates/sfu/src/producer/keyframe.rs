//! When to ask a producer's stream for a key frame: the requests of all its consumers, bundled.
//!
//! At most one request leaves per debounce interval (contract §5.3: 500 ms). A request inside the interval is not
//! forgotten: it leaves when the interval ends, unless a key frame came after it. A key frame that does not come is
//! asked for again.

use std::time::{Duration, Instant};

/// An unanswered request is repeated after the debounce interval, once more after another, then after twice as long, and so
/// on up to this many doublings: a picture stands still meanwhile, and a request may be lost or come while the sender ignores it (libwebrtc
/// answers once in 300 ms, whatever the layer). A slow path is not asked the more often for it.
const DOUBLINGS: u8 = 3;

/// Repetitions of an unanswered request: some 24 s. A sender that ignores this many has no picture to send.
const MAX_RETRIES: u8 = 8;

/// A request on its way.
#[derive(Clone, Copy)]
struct Sent {
    at: Instant,
    retries: u8,
}

/// The key frame requests of one received stream.
pub(crate) struct KeyFrameRequests {
    debounce: Duration,
    /// When a request last left, answered or not.
    last: Option<Instant>,
    /// The request that no key frame has answered.
    unanswered: Option<Sent>,
    /// Somebody asked while the interval ran, and no key frame came since.
    deferred: bool,
}

impl KeyFrameRequests {
    /// No request yet; `debounce` is the shortest time between two of them.
    pub(crate) fn new(debounce: Duration) -> Self {
        Self {
            debounce,
            last: None,
            unanswered: None,
            deferred: false,
        }
    }

    /// A consumer needs a key frame. True when a request must be sent now.
    pub(crate) fn request(&mut self, now: Instant) -> bool {
        if self.debounced_until().is_some_and(|until| now < until) {
            self.deferred = true;
            return false;
        }
        self.send(now, 0)
    }

    /// A key frame began to arrive: every request so far is answered.
    pub(crate) fn on_key_frame(&mut self, _now: Instant) {
        self.unanswered = None;
        self.deferred = false;
    }

    /// The stream ends or pauses: nobody waits any more.
    pub(crate) fn cancel(&mut self) {
        self.unanswered = None;
        self.deferred = false;
    }

    /// Whether [`Self::poll`] has something to do.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.poll_timeout().is_some_and(|at| now >= at)
    }

    /// True when a deferred or unanswered request must be sent now.
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        if self.deferred {
            return self.debounced_until().is_none_or(|until| now >= until) && self.send(now, 0);
        }
        match self.unanswered {
            Some(sent @ Sent { retries, .. }) if now >= self.repeated_at(sent) => {
                if retries >= MAX_RETRIES {
                    self.unanswered = None;
                    return false;
                }
                self.send(now, retries + 1)
            }
            _ => false,
        }
    }

    /// When to call [`Self::poll`] next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.deferred {
            return self.debounced_until();
        }
        self.unanswered.map(|sent| self.repeated_at(sent))
    }

    /// Whether a request is unanswered or waits to leave.
    #[cfg(test)]
    pub(crate) fn is_waiting(&self) -> bool {
        self.deferred || self.unanswered.is_some()
    }

    fn debounced_until(&self) -> Option<Instant> {
        self.last.map(|last| last + self.debounce)
    }

    fn repeated_at(&self, sent: Sent) -> Instant {
        sent.at + self.debounce * (1 << sent.retries.saturating_sub(1).min(DOUBLINGS))
    }

    fn send(&mut self, now: Instant, retries: u8) -> bool {
        self.last = Some(now);
        self.deferred = false;
        self.unanswered = Some(Sent { at: now, retries });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Row {
        /// A consumer asks at this time; whether a request leaves.
        Ask(u64, bool),
        /// A key frame arrives.
        Key(u64),
        /// The timer fires; whether a request leaves, and when it wants to fire next.
        Poll(u64, bool, Option<u64>),
    }

    fn run(rows: &[Row]) {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut requests = KeyFrameRequests::new(Duration::from_millis(500));
        for (index, row) in rows.iter().enumerate() {
            match *row {
                Row::Ask(ms, sent) => assert_eq!(requests.request(at(ms)), sent, "row {index}"),
                Row::Key(ms) => requests.on_key_frame(at(ms)),
                Row::Poll(ms, sent, next) => {
                    assert_eq!(requests.poll(at(ms)), sent, "row {index}");
                    assert_eq!(requests.poll_timeout(), next.map(at), "row {index}");
                }
            }
        }
    }

    #[test]
    fn the_first_request_leaves_at_once_and_an_answer_ends_it() {
        run(&[
            Row::Poll(0, false, None),
            Row::Ask(0, true),
            Row::Key(80),
            Row::Poll(2_000, false, None),
        ]);
    }

    #[test]
    fn a_request_within_the_interval_leaves_when_it_ends() {
        run(&[
            Row::Ask(0, true),
            Row::Key(80),
            Row::Ask(100, false),
            Row::Poll(499, false, Some(500)),
            Row::Poll(500, true, Some(1_000)),
            Row::Ask(999, false),
            Row::Poll(1_000, true, Some(1_500)),
        ]);
    }

    #[test]
    fn a_key_frame_answers_deferred_requests_too() {
        run(&[
            Row::Ask(0, true),
            Row::Ask(100, false),
            Row::Key(200),
            Row::Poll(500, false, None),
            Row::Ask(500, true),
        ]);
    }

    #[test]
    fn an_unanswered_request_is_repeated_ever_more_slowly_and_at_last_given_up() {
        run(&[
            Row::Ask(0, true),
            Row::Poll(499, false, Some(500)),
            Row::Poll(500, true, Some(1_000)),
            Row::Poll(1_000, true, Some(2_000)),
            Row::Poll(2_000, true, Some(4_000)),
            Row::Poll(4_000, true, Some(8_000)),
            Row::Poll(8_000, true, Some(12_000)),
            Row::Poll(12_000, true, Some(16_000)),
            Row::Poll(16_000, true, Some(20_000)),
            Row::Poll(20_000, true, Some(24_000)),
            Row::Poll(24_000, false, None),
            Row::Ask(28_000, true),
        ]);
    }

    #[test]
    fn a_storm_of_requests_is_bounded() {
        let start = Instant::now();
        let mut requests = KeyFrameRequests::new(Duration::from_millis(500));
        let mut sent = Vec::new();
        for ms in 0..3_000 {
            let now = start + Duration::from_millis(ms);
            // Fifty consumers ask every 10 ms; every request is answered 60 ms later.
            let asked = if ms % 10 == 0 {
                (0..50).filter(|_| requests.request(now)).count()
            } else {
                0
            };
            let polled = usize::from(requests.poll(now));
            sent.extend(std::iter::repeat_n(ms, asked + polled));
            if sent.last().is_some_and(|at| at + 60 == ms) {
                requests.on_key_frame(now);
            }
        }
        assert_eq!(sent, [0, 500, 1_000, 1_500, 2_000, 2_500]);
    }

    #[test]
    fn a_cancelled_request_is_not_repeated() {
        let start = Instant::now();
        let mut requests = KeyFrameRequests::new(Duration::from_millis(500));
        assert!(requests.request(start));
        assert!(requests.is_waiting());
        requests.cancel();
        assert!(!requests.is_waiting());
        assert_eq!(requests.poll_timeout(), None);
        assert!(
            !requests.request(start + Duration::from_millis(499)),
            "the interval still runs"
        );
    }
}
