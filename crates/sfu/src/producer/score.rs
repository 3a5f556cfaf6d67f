//! How well a producer's stream arrives: 0 when nothing comes, 10 when flawless (mediasoup's scale).
//!
//! Each report interval gives a raw score: the share of packets that arrived, to the fourth power, since a picture
//! suffers more than in proportion to its loss. Repaired packets count as arrived, less the more of them there are:
//! a repair costs a round trip. The score is the mean of the last intervals, newer ones weighing more.

use std::collections::VecDeque;

use crate::producer::stream::Interval;

/// A flawless stream's score.
const BEST: u8 = 10;

/// Intervals remembered.
const HISTORY: usize = 24;

/// The score of one received stream.
pub(crate) struct Score {
    /// Raw scores, oldest first; at most [`HISTORY`].
    history: VecDeque<u8>,
    value: u8,
}

impl Score {
    /// A stream that has not sent yet: 0.
    pub(crate) fn new() -> Self {
        Self {
            history: VecDeque::with_capacity(HISTORY),
            value: 0,
        }
    }

    /// The score, 0 to 10.
    pub(crate) fn value(&self) -> u8 {
        self.value
    }

    /// The stream's first packet came, or its first after a silence. `Some` with the score if it changed.
    pub(crate) fn on_active(&mut self) -> Option<u8> {
        if self.value > 0 {
            return None;
        }
        self.history.clear();
        self.push(BEST)
    }

    /// The stream stopped sending (for longer than its pauses last). `Some` with the score if it changed.
    pub(crate) fn on_silence(&mut self) -> Option<u8> {
        self.history.clear();
        self.replace(0)
    }

    /// A report interval ended. `Some` with the score if it changed. An interval without packets says nothing: a
    /// paused or discontinuous sender is not a bad one, and a dead one is told by [`Self::on_silence`].
    pub(crate) fn on_interval(&mut self, interval: Interval) -> Option<u8> {
        if interval.expected == 0 && interval.received == 0 {
            return None;
        }
        self.push(raw_score(interval))
    }

    fn push(&mut self, raw: u8) -> Option<u8> {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(raw);
        let weighted: u32 = (1..)
            .zip(&self.history)
            .map(|(weight, &raw)| weight * u32::from(raw))
            .sum();
        let weights: u32 = (1..=self.history.len() as u32).sum();
        // 0 is reserved for silence: something did arrive.
        let mean = ((weighted + weights / 2) / weights).max(1);
        self.replace(mean as u8)
    }

    fn replace(&mut self, value: u8) -> Option<u8> {
        let changed = self.value != value;
        self.value = value;
        changed.then_some(value)
    }
}

/// The score of one interval alone.
fn raw_score(interval: Interval) -> u8 {
    let expected = f64::from(interval.expected.max(1));
    let lost = f64::from(interval.expected.saturating_sub(interval.received));
    // Repairs beyond this interval's loss belong to an earlier one.
    let repaired = f64::from(interval.repaired).min(lost);
    let worth = (1.0 / (1.0 + repaired / expected)).powi(4);
    let arrived = (expected - lost + repaired * worth) / expected;
    (arrived.clamp(0.0, 1.0).powi(4) * f64::from(BEST)).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(expected: u32, received: u32, repaired: u32) -> Interval {
        Interval {
            expected,
            received,
            repaired,
        }
    }

    #[test]
    fn raw_scores_fall_with_loss_and_less_with_repaired_loss() {
        let rows = [
            (interval(100, 100, 0), 10),
            (interval(100, 99, 0), 10),
            (interval(100, 95, 0), 8),
            (interval(100, 90, 0), 7),
            (interval(100, 80, 0), 4),
            (interval(100, 50, 0), 1),
            (interval(100, 0, 0), 0),
            (interval(100, 95, 5), 10),
            (interval(100, 80, 20), 6),
            (interval(100, 80, 10), 6),
            (interval(100, 100, 50), 10),
            (interval(10, 30, 0), 10),
            (interval(0, 3, 0), 10),
        ];
        for (interval, expected) in rows {
            assert_eq!(raw_score(interval), expected, "{interval:?}");
        }
    }

    #[test]
    fn the_score_starts_at_ten_and_moves_smoothly() {
        let mut score = Score::new();
        assert_eq!(score.value(), 0);
        assert_eq!(score.on_active(), Some(10));
        assert_eq!(score.on_active(), None);
        assert_eq!(score.on_interval(interval(100, 100, 0)), None);
        assert_eq!(score.on_interval(interval(0, 0, 0)), None);
        let mut falling = Vec::new();
        for _ in 0..60 {
            falling.extend(score.on_interval(interval(100, 80, 0)));
        }
        assert_eq!(
            falling,
            [7, 6, 5, 4],
            "down to the raw score, through all between"
        );
        for _ in 0..60 {
            score.on_interval(interval(100, 100, 0));
        }
        assert_eq!(score.value(), 10);
    }

    #[test]
    fn silence_is_zero_and_an_awful_stream_is_not() {
        let mut score = Score::new();
        score.on_active();
        for _ in 0..100 {
            score.on_interval(interval(100, 5, 0));
        }
        assert_eq!(score.value(), 1);
        assert_eq!(score.on_silence(), Some(0));
        assert_eq!(score.on_silence(), None);
        assert_eq!(score.on_active(), Some(10), "old troubles are forgotten");
    }
}
