//! Groups of packets and the time between them (draft-ietf-rmcat-gcc-02 §5.2 and §5.3).
//!
//! Packets that leave within a few milliseconds are one group: comparing single packets would measure the
//! sender's bursts instead of the path's queues.

/// Packets sent within this of a group's first belong to it, microseconds (§5.2, "burst_time").
const BURST_TIME: i64 = 5_000;

/// A group that a queue let go at once may span this much on arrival, microseconds.
const MAX_BURST: i64 = 100_000;

/// Groups in a row that arrive in the wrong order before it is taken for a new path.
const MAX_REORDERED: u32 = 3;

/// A jump of arrival against departure that no queue explains, microseconds: a clock was set.
const MAX_JUMP: i64 = 3_000_000;

/// Time from one group to the next, microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Deltas {
    pub(super) send: i64,
    pub(super) arrival: i64,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    first_arrival: i64,
    last_arrival: i64,
}

impl Group {
    const fn new(sent: i64, arrival: i64) -> Self {
        Self {
            first_sent: sent,
            last_sent: sent,
            first_arrival: arrival,
            last_arrival: arrival,
        }
    }

    fn includes(&self, sent: i64, arrival: i64) -> bool {
        if sent - self.first_sent <= BURST_TIME {
            return true;
        }
        let send = sent - self.last_sent;
        let gap = arrival.saturating_sub(self.last_arrival);
        // Sent apart but arrived together: they waited in the same queue, which tells nothing new.
        (0..=BURST_TIME).contains(&gap)
            && gap < send
            && arrival.saturating_sub(self.first_arrival) < MAX_BURST
    }
}

/// Sorts packets into groups.
#[derive(Clone, Debug, Default)]
pub(super) struct ArrivalGroups {
    previous: Option<Group>,
    current: Option<Group>,
    reordered: u32,
}

impl ArrivalGroups {
    /// Takes a packet in: when it was sent on our clock and when it arrived on the receiver's, microseconds.
    /// Answers with the time between the last two complete groups when the packet begins another.
    pub(super) fn on_packet(&mut self, sent: i64, arrival: i64) -> Option<Deltas> {
        let Some(current) = &mut self.current else {
            self.current = Some(Group::new(sent, arrival));
            return None;
        };
        if sent < current.first_sent {
            return None;
        }
        if current.includes(sent, arrival) {
            current.last_sent = current.last_sent.max(sent);
            current.last_arrival = current.last_arrival.max(arrival);
            return None;
        }
        let complete = *current;
        self.current = Some(Group::new(sent, arrival));
        let previous = self.previous.replace(complete)?;
        let deltas = Deltas {
            send: complete.last_sent - previous.last_sent,
            arrival: complete.last_arrival.saturating_sub(previous.last_arrival),
        };
        if deltas.arrival.saturating_sub(deltas.send).unsigned_abs() > MAX_JUMP.unsigned_abs() {
            *self = Self::default();
            return None;
        }
        if deltas.arrival < 0 {
            self.reordered += 1;
            if self.reordered >= MAX_REORDERED {
                *self = Self::default();
            }
            return None;
        }
        self.reordered = 0;
        Some(deltas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets as `(sent, arrival)` in milliseconds; the deltas that come out, in milliseconds.
    fn run(packets: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let mut groups = ArrivalGroups::default();
        let deltas = packets
            .iter()
            .filter_map(|(sent, arrival)| groups.on_packet(sent * 1000, arrival * 1000));
        deltas
            .map(|deltas| (deltas.send / 1000, deltas.arrival / 1000))
            .collect()
    }

    #[test]
    fn packets_sent_within_five_milliseconds_are_one_group() {
        let packets = [(0, 50), (5, 52), (20, 70), (24, 77), (40, 90), (60, 115)];
        // Groups end at (5, 52), (24, 77), (40, 90).
        assert_eq!(run(&packets), [(19, 25), (16, 13)]);
    }

    #[test]
    fn packets_that_arrive_together_are_one_group() {
        let packets = [(0, 50), (20, 100), (30, 101), (40, 102), (60, 120), (80, 140)];
        assert_eq!(run(&packets), [(40, 52), (20, 18)]);
    }

    #[test]
    fn a_burst_has_an_end() {
        // Sent every 6 ms, arriving every 5 ms for good.
        let packets: Vec<_> = (0..100).map(|n| (n * 6, 1000 + n * 5)).collect();
        let deltas = run(&packets);
        assert_eq!(deltas.len(), 100 / 20 - 2);
        assert!(
            deltas
                .iter()
                .all(|&(send, arrival)| (send, arrival) == (120, 100))
        );
    }

    #[test]
    fn late_packets_do_not_count() {
        assert_eq!(
            run(&[(0, 50), (20, 70), (10, 95), (40, 90), (60, 110)]),
            [(20, 20), (20, 20)]
        );
    }

    #[test]
    fn jumps_and_lasting_reorder_start_again() {
        let jump = [
            (0, 50),
            (20, 70),
            (40, 5000),
            (60, 5020),
            (80, 5040),
            (100, 5060),
            (120, 5080),
        ];
        assert_eq!(run(&jump), [(20, 20), (20, 20)]);
        let mut reordered: Vec<_> = (0..6).map(|n| (n * 20, 1000 - n * 30)).collect();
        assert_eq!(run(&reordered), []);
        reordered.extend((6..12).map(|n| (n * 20, n * 20)));
        assert!(run(&reordered).ends_with(&[(20, 20)]));
    }

    #[test]
    fn impossible_times_do_not_overflow() {
        let mut groups = ArrivalGroups::default();
        for arrival in [i64::MIN, i64::MAX, 0, i64::MIN, i64::MAX] {
            for sent in [0, 10_000, 20_000, 30_000] {
                groups.on_packet(sent, arrival);
            }
        }
    }
}
