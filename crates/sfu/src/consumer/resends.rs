//! Retransmissions a consumer had lately: the same packet is not sent twice within a round trip, however often the
//! receiver asks, because its next request was on the way before the first answer came.

use std::time::{Duration, Instant};

/// Retransmissions remembered. A receiver that asks for more within one round trip has lost a whole burst, and a
/// second copy of its first packets is cheaper than a larger table.
const CAPACITY: usize = 64;

/// The last retransmissions of one consumer, by outgoing sequence number.
#[derive(Debug, Default)]
pub(crate) struct Resends {
    /// Empty until the first retransmission.
    recent: Vec<(u16, Instant)>,
    next: usize,
}

impl Resends {
    /// Whether `wire` may be sent again now; if so it counts as sent.
    pub(crate) fn admit(&mut self, now: Instant, wire: u16, spacing: Duration) -> bool {
        let blocked =
            |(known, at): &(u16, Instant)| *known == wire && now.saturating_duration_since(*at) < spacing;
        if self.recent.iter().any(blocked) {
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
        for wire in 0..10_000 {
            assert!(resends.admit(start, wire, Duration::from_secs(1)));
        }
        assert_eq!(resends.recent.len(), CAPACITY);
        assert!(!resends.admit(start, 9_999, Duration::from_secs(1)));
        assert!(
            resends.admit(start, 1, Duration::from_secs(1)),
            "forgotten meanwhile"
        );
    }
}
