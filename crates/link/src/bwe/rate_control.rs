//! What to send, given what the detector says: additive increase near the known capacity, multiplicative
//! increase elsewhere, multiplicative decrease on overuse (draft-ietf-rmcat-gcc-02 §5.5).

use std::time::{Duration, Instant};

use super::trendline::Usage;

/// Growth per second far from the capacity (§5.5, "eta").
const INCREASE: f64 = 1.08;
/// What remains of the acknowledged rate on overuse (§5.5, "beta").
const DECREASE: f64 = 0.85;
/// The estimate grows no further than this above what is acknowledged, or an application that sends little
/// would raise it without end (§5.5).
const MAX_OVER_ACKED: f64 = 1.5;
const OVER_ACKED_OFFSET: f64 = 10_000.0;
/// Packet size that the additive increase reckons with, bits (§5.5).
const PACKET_BITS: f64 = 1200.0 * 8.0;
/// Frames per second that the additive increase reckons with (§5.5).
const FRAMES_PER_SECOND: f64 = 30.0;
/// The least additive increase, bit/s per second.
const MIN_ADDITIVE: f64 = 4000.0;
/// Feedback comes this long after arrival at most; added to the round trip.
const FEEDBACK_DELAY: Duration = Duration::from_millis(100);
/// How soon a decrease may follow another: about a round trip, within these limits.
const MIN_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_millis(200);

/// §5.5, the table of states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Hold,
    Increase,
}

/// The rate at which overuse showed, learnt over decreases (§5.5, "average max bit-rate").
#[derive(Clone, Copy, Default, Debug)]
struct Capacity {
    /// kbit/s.
    mean: Option<f64>,
    /// Relative to the mean.
    variance: f64,
}

impl Capacity {
    const WEIGHT: f64 = 0.05;

    fn on_overuse(&mut self, acked: f64) {
        let sample = acked / 1000.0;
        let mean = self
            .mean
            .map_or(sample, |mean| (1.0 - Self::WEIGHT) * mean + Self::WEIGHT * sample);
        let error = mean - sample;
        let variance = (1.0 - Self::WEIGHT) * self.variance + Self::WEIGHT * error * error / mean.max(1.0);
        self.mean = Some(mean);
        self.variance = variance.clamp(0.4, 2.5);
    }

    /// Three standard deviations around the mean, bit/s.
    fn bounds(&self) -> Option<(f64, f64)> {
        let mean = self.mean?;
        let deviation = 3.0 * (self.variance * mean).sqrt();
        Some(((mean - deviation) * 1000.0, (mean + deviation) * 1000.0))
    }
}

/// The delay-based estimate.
#[derive(Clone, Debug)]
pub(super) struct RateControl {
    /// bit/s.
    estimate: f64,
    state: State,
    capacity: Capacity,
    changed: Option<Instant>,
    decreased: Option<Instant>,
}

impl RateControl {
    pub(super) const fn new(initial: f64) -> Self {
        Self {
            estimate: initial,
            state: State::Hold,
            capacity: Capacity {
                mean: None,
                variance: 0.4,
            },
            changed: None,
            decreased: None,
        }
    }

    /// bit/s.
    pub(super) const fn estimate(&self) -> f64 {
        self.estimate
    }

    /// Takes over a measured rate, if it is higher.
    pub(super) fn raise(&mut self, now: Instant, bitrate: f64) {
        if bitrate > self.estimate {
            self.estimate = bitrate;
            self.changed = Some(now);
        }
    }

    /// Keeps the estimate in the range that is allowed.
    pub(super) fn clamp(&mut self, min: f64, max: f64) {
        self.estimate = self.estimate.clamp(min, max);
    }

    /// Draws the conclusion from a verdict. `acked` in bit/s.
    pub(super) fn update(&mut self, now: Instant, usage: Usage, acked: Option<f64>, rtt: Duration) {
        match usage {
            Usage::Over => {
                if self.may_decrease(now, acked, rtt) {
                    self.decrease(now, acked);
                }
                self.state = State::Hold;
                self.changed = Some(now);
            }
            // The queue drains; growing now would keep it full (§5.5).
            Usage::Under => {
                self.state = State::Hold;
                self.changed = Some(now);
            }
            Usage::Normal if self.state == State::Hold => {
                self.state = State::Increase;
                self.changed = Some(now);
            }
            Usage::Normal => self.increase(now, acked, rtt),
        }
    }

    fn may_decrease(&self, now: Instant, acked: Option<f64>, rtt: Duration) -> bool {
        let Some(decreased) = self.decreased else {
            return true;
        };
        let patience = rtt.clamp(MIN_BACKOFF, MAX_BACKOFF);
        now.saturating_duration_since(decreased) >= patience
            || acked.is_some_and(|acked| acked < self.estimate / 2.0)
    }

    fn decrease(&mut self, now: Instant, acked: Option<f64>) {
        match acked {
            Some(acked) => {
                if self.capacity.bounds().is_some_and(|(low, _)| acked < low) {
                    self.capacity.mean = None;
                }
                self.capacity.on_overuse(acked);
                self.estimate = self.estimate.min(acked * DECREASE);
            }
            // Overuse before anything is known to get through: far too much.
            None => self.estimate /= 2.0,
        }
        self.decreased = Some(now);
    }

    fn increase(&mut self, now: Instant, acked: Option<f64>, rtt: Duration) {
        let elapsed = self
            .changed
            .map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64())
            .min(1.0);
        self.changed = Some(now);
        if let (Some(acked), Some((_, high))) = (acked, self.capacity.bounds())
            && acked > high
        {
            // More gets through than ever: what was learnt is out of date.
            self.capacity.mean = None;
        }
        let step = if self.capacity.mean.is_some() {
            additive_rate(self.estimate, rtt) * elapsed
        } else {
            (self.estimate * (INCREASE.powf(elapsed) - 1.0)).max(1000.0 * elapsed)
        };
        let limit = acked.map_or(f64::INFINITY, |acked| acked * MAX_OVER_ACKED + OVER_ACKED_OFFSET);
        if self.estimate < limit {
            self.estimate = (self.estimate + step).min(limit);
        }
    }
}

/// About one packet per response time, bit/s per second (§5.5).
fn additive_rate(estimate: f64, rtt: Duration) -> f64 {
    let frame = estimate / FRAMES_PER_SECOND;
    let packet = frame / (frame / PACKET_BITS).ceil().max(1.0);
    (packet / (rtt + FEEDBACK_DELAY).as_secs_f64()).max(MIN_ADDITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(100);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn about(value: f64, expected: f64) {
        assert!(
            (value - expected).abs() < expected * 1e-6,
            "{value} is not {expected}"
        );
    }

    #[test]
    fn eight_percent_per_second_far_from_the_capacity() {
        let start = Instant::now();
        let mut control = RateControl::new(500_000.0);
        for step in 0..=100 {
            control.update(start + ms(step * 100), Usage::Normal, None, RTT);
        }
        // The first verdict only leaves the hold state.
        about(control.estimate(), 500_000.0 * INCREASE.powi(10));
    }

    #[test]
    fn growth_ends_at_half_above_the_acknowledged_rate() {
        let start = Instant::now();
        let mut control = RateControl::new(500_000.0);
        for step in 0..=1000 {
            control.update(start + ms(step * 100), Usage::Normal, Some(400_000.0), RTT);
        }
        about(control.estimate(), 610_000.0);
        // An application that sends less does not lower it.
        control.update(start + ms(200_000), Usage::Normal, Some(10_000.0), RTT);
        about(control.estimate(), 610_000.0);
    }

    #[test]
    fn overuse_falls_below_the_acknowledged_rate_and_then_holds() {
        let start = Instant::now();
        let mut control = RateControl::new(1_000_000.0);
        control.update(start, Usage::Over, Some(800_000.0), RTT);
        about(control.estimate(), 680_000.0);
        assert_eq!(control.decreased, Some(start));
        // Within a round trip the same congestion is not answered twice, unless it is far worse.
        control.update(start + ms(50), Usage::Over, Some(700_000.0), RTT);
        about(control.estimate(), 680_000.0);
        control.update(start + ms(60), Usage::Over, Some(300_000.0), RTT);
        about(control.estimate(), 255_000.0);
        control.update(start + ms(100), Usage::Under, Some(300_000.0), RTT);
        control.update(start + ms(5000), Usage::Normal, Some(300_000.0), RTT);
        about(control.estimate(), 255_000.0);
    }

    #[test]
    fn a_decrease_never_raises() {
        let start = Instant::now();
        let mut control = RateControl::new(100_000.0);
        control.update(start, Usage::Over, Some(1_000_000.0), RTT);
        about(control.estimate(), 100_000.0);
        let mut control = RateControl::new(100_000.0);
        control.update(start, Usage::Over, None, RTT);
        about(control.estimate(), 50_000.0);
    }

    #[test]
    fn near_the_capacity_growth_is_a_packet_per_response_time() {
        // 1 Mbit/s: frames of 33.3 kbit in four packets of 8333 bits, per 200 ms.
        about(additive_rate(1_000_000.0, RTT), 1_000_000.0 / 30.0 / 4.0 / 0.2);
        about(additive_rate(10_000.0, RTT), MIN_ADDITIVE);
        about(additive_rate(0.0, RTT), MIN_ADDITIVE);

        let start = Instant::now();
        let mut control = RateControl::new(1_200_000.0);
        control.update(start, Usage::Over, Some(1_000_000.0), RTT);
        control.update(start + ms(1000), Usage::Normal, Some(850_000.0), RTT);
        control.update(start + ms(2000), Usage::Normal, Some(850_000.0), RTT);
        about(control.estimate(), 850_000.0 + additive_rate(850_000.0, RTT));
        // Much more gets through than where overuse was seen: back to multiplying.
        control.raise(start + ms(2000), 1_500_000.0);
        control.update(start + ms(3000), Usage::Normal, Some(1_500_000.0), RTT);
        about(control.estimate(), 1_500_000.0 * INCREASE);
    }

    #[test]
    fn capacity_bounds() {
        let mut capacity = Capacity {
            mean: None,
            variance: 0.4,
        };
        assert_eq!(capacity.bounds(), None);
        capacity.on_overuse(1_000_000.0);
        let (low, high) = capacity.bounds().unwrap();
        about(low, 940_000.0);
        about(high, 1_060_000.0);
    }

    #[test]
    fn raising_and_clamping() {
        let now = Instant::now();
        let mut control = RateControl::new(100_000.0);
        control.raise(now, 50_000.0);
        about(control.estimate(), 100_000.0);
        control.raise(now, 900_000.0);
        control.clamp(5_000.0, 700_000.0);
        about(control.estimate(), 700_000.0);
    }
}
