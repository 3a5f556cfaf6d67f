//! Retransmissions a consumer had lately: the same packet is not sent twice within a round trip, however often the
//! receiver asks, because its next request was on the way before the first answer came. And not more of them than a
//! stream has packets, because one small request may name all that is stored.

use std::time::{Duration, Instant};

/// Retransmissions remembered. A receiver that asks for more within one round trip has lost a whole burst, and a
/// second copy of its first packets is cheaper than a larger table.
const CAPACITY: usize = 64;

/// Retransmissions per second in the long run, and at once: what a producer at its cap (contract §1.9: 5 Mbit/s) sends
/// in a second in packets of full size. A viewer that lost more is better served by a key frame, and one that asks for
/// more is not a viewer.
const PER_SECOND: u32 = 512;

/// The last retransmissions of one consumer, by outgoing sequence number.
#[derive(Debug, Default)]
pub(crate) struct Resends {
    /// Empty until the first retransmission.
    recent: Vec<(u16, Instant)>,
    next: usize,
    budget: Option<Budget>,
}

/// A token bucket of packets.
#[derive(Clone, Copy, Debug)]
struct Budget {
    packets: u32,
    filled: Instant,
}

impl Budget {
    fn take(&mut self, now: Instant) -> bool {
        let elapsed = now
            .saturating_duration_since(self.filled)
            .min(Duration::from_secs(1));
        let refill = (elapsed.as_micros() as u64 * u64::from(PER_SECOND) / 1_000_000) as u32;
        if refill > 0 {
            self.packets = (self.packets + refill).min(PER_SECOND);
            self.filled = now;
        }
        let admitted = self.packets > 0;
        self.packets = self.packets.saturating_sub(1);
        admitted
    }
}

impl Resends {
    /// Whether `wire` may be sent again now; if so it counts as sent.
    pub(crate) fn admit(&mut self, now: Instant, wire: u16, spacing: Duration) -> bool {
        let blocked =
            |(known, at): &(u16, Instant)| *known == wire && now.saturating_duration_since(*at) < spacing;
        if self.recent.iter().any(blocked) {
            return false;
        }
        let full = Budget {
            packets: PER_SECOND,
            filled: now,
        };
        if !self.budget.get_or_insert(full).take(now) {
            return false;
        }
        if self.recent.len() < CAPACITY {
            self.recent.reserve_exact(CAPACITY - self.recent.len());
            self.recent.push((wire, now));
        } else {
            self.recent[self.next] = (wire, now);
        }
        self.next = (self.next + 1) % CAPACITY;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_sent_again_once_a_round_trip() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let spacing = Duration::from_millis(100);
        let mut resends = Resends::default();
        // (number, milliseconds, admitted)
        let rows = [
            (7, 0, true),
            (7, 99, false),
            (8, 99, true),
            (7, 100, true),
            (7, 150, false),
            (8, 199, true),
        ];
        for (wire, ms, admitted) in rows {
            assert_eq!(
                resends.admit(at(ms), wire, spacing),
                admitted,
                "{wire} at {ms} ms"
            );
        }
    }

    #[test]
    fn the_table_stays_small() {
        let start = Instant::now();
        let mut resends = Resends::default();
        for wire in 0..500 {
            assert!(resends.admit(start, wire, Duration::from_secs(1)));
        }
        assert_eq!(resends.recent.len(), CAPACITY);
        assert!(!resends.admit(start, 499, Duration::from_secs(1)));
        assert!(
            resends.admit(start, 1, Duration::from_secs(1)),
            "forgotten meanwhile"
        );
    }

    #[test]
    fn a_receiver_that_asks_for_everything_all_the_time_gets_a_stream_s_worth() {
        let start = Instant::now();
        let mut resends = Resends::default();
        let mut sent = 0;
        // Ten seconds of a request each 10 ms that names a thousand packets.
        for request in 0..1_000 {
            let now = start + Duration::from_millis(10) * request;
            sent += (0..1_000)
                .filter(|wire| resends.admit(now, *wire, Duration::from_millis(20)))
                .count();
        }
        assert!((5_000..=5_700).contains(&sent), "{sent} in ten seconds");
    }
}
