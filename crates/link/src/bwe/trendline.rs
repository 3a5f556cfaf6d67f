//! Is the queue growing? A line through the recent delay variations, and a detector that compares its slope
//! with a threshold of its own (draft-ietf-rmcat-gcc-02 §5.3 to §5.4; the line instead of the draft's Kalman
//! filter, and the constants, as libwebrtc has them since 2016).

use std::collections::VecDeque;

use super::arrival::Deltas;

/// Groups the line goes through.
const WINDOW: usize = 20;
/// Weight of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// Makes a slope comparable with thresholds the draft gives for delays.
const GAIN: f64 = 4.0;
/// Few groups make a weak statement; from this many on it is not growing stronger.
const MAX_COUNT: f64 = 60.0;

/// Threshold at the beginning, milliseconds (§5.4, "del_var_th(0)").
const INITIAL_THRESHOLD: f64 = 12.5;
/// How fast the threshold follows the slope up and down, per millisecond (§5.4, "K_u" and "K_d").
const THRESHOLD_UP: f64 = 0.0087;
const THRESHOLD_DOWN: f64 = 0.039;
/// The threshold stays in this range (§5.4).
const THRESHOLD_RANGE: (f64, f64) = (6.0, 600.0);
/// A slope this far above the threshold is an outlier that it does not follow (§5.4).
const MAX_ADAPT: f64 = 15.0;
/// Overuse must last this long to count, milliseconds (§5.4, "overuse_time_th").
const OVERUSE_TIME: f64 = 10.0;

/// What the detector says about the path.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Usage {
    /// The queue keeps its length.
    #[default]
    Normal,
    /// The queue grows: more is sent than gets through.
    Over,
    /// The queue drains.
    Under,
}

/// Slope of the queueing delay and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Trendline {
    /// Arrival, milliseconds since the first, and smoothed delay, milliseconds.
    points: VecDeque<(f64, f64)>,
    count: f64,
    elapsed: f64,
    delay: f64,
    smoothed: f64,
    slope: f64,
    threshold: f64,
    over_for: Option<f64>,
    over_count: u32,
    usage: Usage,
}

impl Default for Trendline {
    fn default() -> Self {
        Self {
            points: VecDeque::with_capacity(WINDOW),
            count: 0.0,
            elapsed: 0.0,
            delay: 0.0,
            smoothed: 0.0,
            slope: 0.0,
            threshold: INITIAL_THRESHOLD,
            over_for: None,
            over_count: 0,
            usage: Usage::Normal,
        }
    }
}

impl Trendline {
    /// The newest verdict.
    pub(super) const fn usage(&self) -> Usage {
        self.usage
    }

    /// Takes in the time between two groups.
    pub(super) fn update(&mut self, deltas: Deltas) {
        let send = deltas.send as f64 / 1000.0;
        let arrival = deltas.arrival as f64 / 1000.0;
        self.count = (self.count + 1.0).min(1000.0);
        self.elapsed += arrival;
        self.delay += arrival - send;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        if self.points.len() == WINDOW {
            self.points.pop_front();
        }
        self.points.push_back((self.elapsed, self.smoothed));
        let previous = self.slope;
        if self.points.len() == WINDOW {
            self.slope = fit(&self.points).unwrap_or(self.slope);
        }
        self.detect(previous, send, arrival);
    }

    fn detect(&mut self, previous_slope: f64, send: f64, arrival: f64) {
        if self.count < 2.0 {
            return;
        }
        let trend = self.count.min(MAX_COUNT) * self.slope * GAIN;
        if trend > self.threshold {
            // The first group above may have crossed at any time since the one before it.
            let over_for = self.over_for.map_or(send / 2.0, |over_for| over_for + send);
            self.over_for = Some(over_for);
            self.over_count += 1;
            if over_for > OVERUSE_TIME && self.over_count > 1 && self.slope >= previous_slope {
                self.over_for = Some(0.0);
                self.over_count = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_for = None;
            self.over_count = 0;
            self.usage = if trend < -self.threshold {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
        self.adapt(trend.abs(), arrival);
    }

    /// Follows the slope, so that a flow does not starve beside one that fills the queue (§5.4).
    fn adapt(&mut self, trend: f64, elapsed: f64) {
        if trend > self.threshold + MAX_ADAPT {
            return;
        }
        let speed = if trend < self.threshold {
            THRESHOLD_DOWN
        } else {
            THRESHOLD_UP
        };
        self.threshold += speed * (trend - self.threshold) * elapsed.clamp(0.0, 100.0);
        self.threshold = self.threshold.clamp(THRESHOLD_RANGE.0, THRESHOLD_RANGE.1);
    }
}

/// Slope of the least-squares line; `None` if all arrived at once.
fn fit(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(trendline: &mut Trendline, groups: usize, send: i64, arrival: i64) {
        for _ in 0..groups {
            trendline.update(Deltas {
                send: send * 1000,
                arrival: arrival * 1000,
            });
        }
    }

    #[test]
    fn the_line_through_a_line_is_that_line() {
        let points = (0..20)
            .map(|n| (f64::from(n) * 10.0, f64::from(n) * 2.5 - 7.0))
            .collect();
        assert!((fit(&points).unwrap() - 0.25).abs() < 1e-12);
        assert_eq!(fit(&std::iter::repeat_n((5.0, 1.0), 20).collect()), None);
    }

    #[test]
    fn a_steady_queue_is_normal() {
        let mut trendline = Trendline::default();
        feed(&mut trendline, 200, 10, 10);
        assert_eq!((trendline.usage(), trendline.slope), (Usage::Normal, 0.0));
        // The threshold has come down to its lowest.
        assert_eq!(trendline.threshold, THRESHOLD_RANGE.0);
    }

    #[test]
    fn a_growing_queue_is_overuse_and_a_draining_one_underuse() {
        let mut trendline = Trendline::default();
        feed(&mut trendline, 60, 10, 10);
        let mut groups = 0;
        while trendline.usage() != Usage::Over {
            feed(&mut trendline, 1, 10, 12);
            groups += 1;
            assert!(groups < 20, "a fifth too much shows within 200 ms");
        }
        assert_eq!(groups, 10, "golden: groups of 10 ms until overuse");
        feed(&mut trendline, 25, 10, 6);
        assert_eq!(trendline.usage(), Usage::Under);
        feed(&mut trendline, 60, 10, 10);
        assert_eq!(trendline.usage(), Usage::Normal);
    }

    #[test]
    fn noise_is_not_overuse() {
        let mut trendline = Trendline::default();
        for round in 0..200 {
            let noise = [3, -3, 1, -1, 2, -2][round % 6];
            feed(&mut trendline, 1, 10, 10 + noise);
            assert_ne!(trendline.usage(), Usage::Over, "group {round}");
        }
    }

    #[test]
    fn the_threshold_follows_but_not_outliers() {
        let mut trendline = Trendline::default();
        trendline.adapt(20.0, 10.0);
        assert!((trendline.threshold - (12.5 + 0.0087 * 7.5 * 10.0)).abs() < 1e-9);
        let before = trendline.threshold;
        trendline.adapt(before + 15.1, 10.0);
        assert_eq!(trendline.threshold, before);
        trendline.adapt(0.0, 1e9);
        assert_eq!(trendline.threshold, THRESHOLD_RANGE.0);
    }
}
