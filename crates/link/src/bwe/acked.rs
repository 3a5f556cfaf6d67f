//! How much gets through: the bitrate of acknowledged packets, smoothed by how much each sample surprises
//! (after libwebrtc's Bayesian estimator; draft-ietf-rmcat-gcc-02 §5.5 only asks for a window).

/// Length of a sample, microseconds; the first is longer because there is nothing to compare it with.
const FIRST_WINDOW: i64 = 500_000;
const WINDOW: i64 = 150_000;

/// How little a sample is trusted for each share it differs from the estimate by.
const UNCERTAINTY: f64 = 10.0;
/// A sample of few packets is trusted less.
const SMALL_SAMPLE_UNCERTAINTY: f64 = 25.0;
const SMALL_SAMPLE: usize = 2000;
/// What the estimate may drift between samples, (kbit/s)².
const DRIFT: f64 = 5.0;
/// Variance of the very first estimate, (kbit/s)².
const INITIAL_VARIANCE: f64 = 50.0;

/// Bitrate of what arrives.
#[derive(Clone, Debug)]
pub(super) struct AckedRate {
    /// Start of the running sample, microseconds on the receiver's clock, and its bytes so far.
    window: Option<(i64, usize)>,
    newest: i64,
    /// kbit/s.
    estimate: Option<f64>,
    variance: f64,
}

impl Default for AckedRate {
    fn default() -> Self {
        Self {
            window: None,
            newest: i64::MIN,
            estimate: None,
            variance: INITIAL_VARIANCE,
        }
    }
}

impl AckedRate {
    /// In bit/s; `None` before the first sample is complete.
    pub(super) fn bitrate(&self) -> Option<f64> {
        self.estimate.map(|kbps| kbps * 1000.0)
    }

    /// A packet arrived, microseconds on the receiver's clock. Packets out of order count as if in order.
    pub(super) fn on_packet(&mut self, arrival: i64, size: usize) {
        let arrival = arrival.max(self.newest);
        let pause = arrival.saturating_sub(self.newest);
        let length = if self.estimate.is_none() {
            FIRST_WINDOW
        } else {
            WINDOW
        };
        self.newest = arrival;
        let (start, bytes) = match self.window {
            // That nothing was sent says nothing about what gets through.
            Some(window) if pause < FIRST_WINDOW => window,
            _ => (arrival, 0),
        };
        let elapsed = arrival.saturating_sub(start);
        if elapsed < length {
            self.window = Some((start, bytes.saturating_add(size)));
            return;
        }
        let kbps = bytes as f64 * 8000.0 / elapsed as f64;
        self.update(kbps, bytes < SMALL_SAMPLE);
        self.window = Some((arrival, size));
    }

    fn update(&mut self, sample: f64, small: bool) {
        let Some(estimate) = self.estimate else {
            self.estimate = Some(sample);
            return;
        };
        let scale = if small {
            SMALL_SAMPLE_UNCERTAINTY
        } else {
            UNCERTAINTY
        };
        let uncertainty = scale * (estimate - sample).abs() / estimate.max(1.0);
        let sample_variance = uncertainty * uncertainty;
        let predicted = self.variance + DRIFT;
        let total = sample_variance + predicted;
        self.estimate = Some((sample_variance * estimate + predicted * sample) / total);
        self.variance = sample_variance * predicted / total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(rate: &mut AckedRate, from: i64, to: i64, bytes_per_10_ms: usize) {
        let mut at = from;
        while at < to {
            rate.on_packet(at * 1000, bytes_per_10_ms);
            at += 10;
        }
    }

    #[test]
    fn the_first_sample_takes_half_a_second() {
        let mut rate = AckedRate::default();
        feed(&mut rate, 0, 500, 1250);
        assert_eq!(rate.bitrate(), None);
        rate.on_packet(500_000, 1250);
        assert_eq!(rate.bitrate(), Some(1_000_000.0));
    }

    #[test]
    fn a_steady_rate_is_found_and_followed() {
        let mut rate = AckedRate::default();
        feed(&mut rate, 0, 5000, 1250);
        assert!((rate.bitrate().unwrap() - 1e6).abs() < 1.0);
        feed(&mut rate, 5000, 5300, 2500);
        let after = rate.bitrate().unwrap();
        assert!(
            (1.0e6..1.6e6).contains(&after),
            "one surprise is not believed at once: {after}"
        );
        feed(&mut rate, 5300, 8000, 2500);
        let after = rate.bitrate().unwrap();
        assert!((1.9e6..2.01e6).contains(&after), "{after}");
    }

    #[test]
    fn a_pause_is_no_sample() {
        let mut rate = AckedRate::default();
        feed(&mut rate, 0, 2000, 1250);
        feed(&mut rate, 60_000, 62_000, 1250);
        assert!((rate.bitrate().unwrap() - 1e6).abs() < 1.0);
    }

    #[test]
    fn golden_values() {
        let mut rate = AckedRate {
            estimate: Some(1000.0),
            ..AckedRate::default()
        };
        rate.update(1100.0, false);
        // Uncertainty 10 * 0.1 = 1, predicted 55: (1000 + 55 * 1100) / 56.
        assert!((rate.estimate.unwrap() - 61_500.0 / 56.0).abs() < 1e-9);
        assert!((rate.variance - 55.0 / 56.0).abs() < 1e-9);
    }

    #[test]
    fn impossible_arrivals_yield_finite_rates() {
        let mut rate = AckedRate::default();
        for arrival in [0, i64::MAX, i64::MIN, 5, i64::MAX, i64::MIN + 1] {
            rate.on_packet(arrival, usize::MAX);
            assert!(rate.bitrate().is_none_or(f64::is_finite));
        }
    }
}
