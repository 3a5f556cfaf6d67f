//! How much loss allows: the bandwidth that best explains which of the recent packets were lost.
//!
//! The draft's rule (draft-ietf-rmcat-gcc-02 §6) takes all loss for congestion and starves on paths that
//! lose packets at any rate, as radio does. Like libwebrtc's second loss-based estimator, this asks for each
//! candidate bandwidth B how likely the observed losses are, when a share p is lost whatever is sent and of
//! what exceeds B everything:
//!
//! ```text
//! q = 1 - (1 - p) min(1, B / rate)        share of packets lost in an observation
//! sum of weight * (lost ln q + received ln(1 - q) + packets * preference * ln B)
//! ```
//!
//! Where candidates explain the losses equally well, the preference decides for the higher.

use std::collections::VecDeque;

/// Least duration of an observation, microseconds.
const OBSERVATION: i64 = 250_000;
/// Fewer packets than this say nothing about a share.
const MIN_PACKETS: f64 = 10.0;
/// Observations that count, and how much less each does than the one after it.
const OBSERVATIONS: usize = 20;
const AGING: f64 = 0.9;
/// Nor does any count for longer than this, microseconds.
const MAX_AGE: i64 = 10_000_000;

/// Loss that no path can be denied, and the most it may be called its own: more at low rates, where there
/// is little to win by sending even less. Above, an estimate cannot stay (bit/s and shares).
const MIN_INHERENT: f64 = 0.001;
const MAX_INHERENT: f64 = 0.05;
const BALANCE: f64 = 75_000.0;

/// How far below that bound a preference for less may lead: loss that less does not cure is not congestion.
const FLOOR: f64 = 0.5;

/// How much a higher bandwidth is preferred, until loss is so high that a lower one is.
const PREFERENCE: f64 = 0.2;
const PREFER_LOW_ABOVE: f64 = 0.15;

/// Steps from one estimate to the next, per observation.
const STEP_UP: f64 = 1.02;
const STEP_DOWN: f64 = 0.95;
/// How fast a limit is lifted that is no longer needed.
const MAX_STEP_UP: f64 = 1.05;

#[derive(Clone, Copy, Default, Debug)]
struct Observation {
    /// When its last packet was sent, microseconds.
    at: i64,
    packets: f64,
    lost: f64,
    /// bit/s
    rate: f64,
}

/// Packets of the observation that is going on.
#[derive(Clone, Copy, Debug)]
struct Partial {
    since: i64,
    bytes: usize,
    packets: f64,
    lost: f64,
}

/// The loss-based bound.
#[derive(Clone, Debug)]
pub(super) struct LossBound {
    /// Oldest first.
    observations: VecDeque<Observation>,
    partial: Option<Partial>,
    newest: i64,
    limit: Option<f64>,
}

impl Default for LossBound {
    fn default() -> Self {
        Self {
            observations: VecDeque::with_capacity(OBSERVATIONS),
            partial: None,
            newest: i64::MIN,
            limit: None,
        }
    }
}

impl LossBound {
    /// bit/s; `None` while loss limits nothing.
    pub(super) const fn limit(&self) -> Option<f64> {
        self.limit
    }

    /// A burst came through at this rate, bit/s: what loss said before is out of date.
    pub(super) fn on_probe(&mut self, rate: f64) {
        if let Some(limit) = self.limit.as_mut().filter(|limit| **limit < rate) {
            *limit = rate;
            self.observations.clear();
        }
    }

    /// A packet that had been reported lost has come.
    pub(super) fn on_recovered(&mut self) {
        if let Some(partial) = self.partial.as_mut().filter(|partial| partial.lost > 0.0) {
            partial.lost -= 1.0;
        } else if let Some(newest) = self.observations.iter_mut().rev().find(|o| o.lost > 0.0) {
            newest.lost -= 1.0;
        }
    }

    /// A packet's fate is known: when it was sent, microseconds, how large it was, and whether it was lost.
    /// Returns whether an observation is complete, so that [`Self::update`] has something to go by.
    pub(super) fn on_packet(&mut self, sent: i64, size: usize, lost: bool) -> bool {
        self.newest = self.newest.max(sent);
        let newest = self.newest;
        let partial = self.partial.get_or_insert(Partial {
            since: newest,
            bytes: 0,
            packets: 0.0,
            lost: 0.0,
        });
        let elapsed = newest - partial.since;
        let complete = elapsed >= OBSERVATION && partial.packets >= MIN_PACKETS;
        if complete {
            let done = *partial;
            *partial = Partial {
                since: newest,
                bytes: 0,
                packets: 0.0,
                lost: 0.0,
            };
            self.observe(Observation {
                at: newest,
                packets: done.packets,
                lost: done.lost,
                rate: done.bytes as f64 * 8e6 / elapsed as f64,
            });
        }
        if let Some(partial) = &mut self.partial {
            partial.bytes = partial.bytes.saturating_add(size);
            partial.packets += 1.0;
            partial.lost += f64::from(u8::from(lost));
        }
        complete
    }

    fn observe(&mut self, observation: Observation) {
        // Nothing at all came through: the path was gone, which no rate would have changed.
        if observation.lost >= observation.packets {
            return;
        }
        let fresh = |oldest: &Observation| observation.at.saturating_sub(oldest.at) <= MAX_AGE;
        while self.observations.len() == OBSERVATIONS || self.observations.front().is_some_and(|o| !fresh(o))
        {
            self.observations.pop_front();
        }
        self.observations.push_back(observation);
    }

    /// Chooses among bandwidths up to `ceiling`, which the delay allows. Both in bit/s.
    pub(super) fn update(&mut self, ceiling: f64, acked: Option<f64>) {
        let average = self.average_loss();
        let bound = if average > MAX_INHERENT {
            BALANCE / (average - MAX_INHERENT)
        } else {
            f64::INFINITY
        };
        let current = self.limit.unwrap_or(ceiling).min(ceiling);
        let floor = (bound * FLOOR).min(ceiling);
        let less = (current * STEP_DOWN).max(floor.min(current));
        let received = acked.map_or(current, |acked| acked.clamp(less.min(current), current));
        let candidates = [current, current * STEP_UP, current * MAX_STEP_UP, less, received];
        let mut best = (f64::NEG_INFINITY, current);
        for candidate in candidates {
            let candidate = candidate.min(ceiling);
            let value = self.objective(candidate, average);
            if value > best.0 {
                best = (value, candidate);
            }
        }
        let bandwidth = best.1.max(floor.min(current * MAX_STEP_UP)).min(bound);
        self.limit = (bandwidth < ceiling * 0.999).then_some(bandwidth);
    }

    fn weighted(&self) -> impl Iterator<Item = (f64, &Observation)> {
        let mut weight = 1.0;
        self.observations.iter().rev().map(move |observation| {
            let this = weight;
            weight *= AGING;
            (this, observation)
        })
    }

    fn average_loss(&self) -> f64 {
        let (mut lost, mut packets) = (0.0, 0.0);
        for (weight, observation) in self.weighted() {
            lost += weight * observation.lost;
            packets += weight * observation.packets;
        }
        if packets > 0.0 { lost / packets } else { 0.0 }
    }

    fn objective(&self, bandwidth: f64, average_loss: f64) -> f64 {
        let inherent = self.inherent_loss(bandwidth);
        // Turns over smoothly, so that noise around the limit does not.
        let sign = ((PREFER_LOW_ABOVE - average_loss) / 0.02).clamp(-1.0, 1.0);
        let preference = PREFERENCE * sign * bandwidth.max(1.0).ln();
        self.weighted()
            .map(|(weight, o)| weight * (likelihood(o, bandwidth, inherent) + o.packets * preference))
            .sum()
    }

    /// The inherent loss that makes the observations likeliest, by halving: the slope falls with p.
    fn inherent_loss(&self, bandwidth: f64) -> f64 {
        let (mut low, mut high) = (
            MIN_INHERENT,
            (MAX_INHERENT + BALANCE / bandwidth.max(1.0)).min(0.9),
        );
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            let slope: f64 = self
                .weighted()
                .map(|(weight, o)| {
                    let through = passing_share(o, bandwidth);
                    let q = 1.0 - (1.0 - middle) * through;
                    weight * (o.lost * through / q - (o.packets - o.lost) / (1.0 - middle))
                })
                .sum();
            if slope > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    }
}

/// Share of packets below the bandwidth.
fn passing_share(observation: &Observation, bandwidth: f64) -> f64 {
    (bandwidth / observation.rate.max(1.0)).clamp(0.001, 1.0)
}

fn likelihood(observation: &Observation, bandwidth: f64, inherent: f64) -> f64 {
    let q = 1.0 - (1.0 - inherent) * passing_share(observation, bandwidth);
    observation.lost * q.ln() + (observation.packets - observation.lost) * (1.0 - q).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Observations of `rate` bit/s in packets of 1000 bytes, of which a share is lost.
    fn observe(bound: &mut LossBound, rounds: usize, rate: f64, loss: f64, ceiling: f64) {
        for _ in 0..rounds {
            let packets = rate / 8000.0 * 0.25;
            bound.observe(Observation {
                at: 0,
                packets,
                lost: packets * loss,
                rate,
            });
            bound.update(ceiling, Some(rate * (1.0 - loss)));
        }
    }

    #[test]
    fn without_loss_nothing_is_limited() {
        let mut bound = LossBound::default();
        observe(&mut bound, 30, 1e6, 0.0, 1e6);
        assert_eq!(bound.limit(), None);
    }

    #[test]
    fn a_little_loss_at_any_rate_limits_nothing() {
        for loss in [0.01, 0.03, 0.05] {
            let mut bound = LossBound::default();
            for round in 0..40 {
                observe(&mut bound, 1, 5e5 + 2e4 * f64::from(round), loss, 1.5e6);
            }
            assert_eq!(bound.limit(), None, "{loss}");
        }
    }

    #[test]
    fn heavy_loss_limits_to_what_is_worth_it() {
        // Golden: 75 kbit/s over what exceeds 5 %.
        for (loss, expected) in [(0.1, 1_500_000.0), (0.2, 500_000.0), (0.5, 166_666.0)] {
            let mut bound = LossBound::default();
            bound.observe(Observation {
                at: 0,
                packets: 100.0,
                lost: 100.0 * loss,
                rate: 3e6,
            });
            bound.update(3e6, None);
            let limit = bound.limit().unwrap();
            assert!((limit - expected).abs() < 1.0, "{loss}: {limit}");
        }
    }

    #[test]
    fn loss_that_grows_with_the_rate_finds_the_bandwidth() {
        // What exceeds 1 Mbit/s is lost; the sender follows the limit.
        let mut bound = LossBound::default();
        let mut rate: f64 = 8e5;
        let mut seen = Vec::new();
        for round in 0..200 {
            let loss = (1.0 - 1e6 / rate).max(0.0);
            observe(&mut bound, 1, rate, loss, 2e6);
            rate = bound.limit().unwrap_or(2e6).min(rate * 1.08);
            if round > 50 {
                seen.push(rate);
            }
        }
        let mean = seen.iter().sum::<f64>() / seen.len() as f64;
        assert!((0.85e6..1.15e6).contains(&mean), "{mean}");
    }

    #[test]
    fn a_limit_goes_when_loss_does() {
        let mut bound = LossBound::default();
        observe(&mut bound, 10, 2e6, 0.3, 2e6);
        let limit = bound.limit().unwrap();
        assert!(limit <= 300_001.0, "{limit}");
        let mut rounds = 0;
        while let Some(limit) = bound.limit() {
            observe(&mut bound, 1, limit, 0.0, 2e6);
            rounds += 1;
            assert!(rounds < 80, "20 s are too long");
        }
    }

    #[test]
    fn a_burst_that_comes_through_lifts_the_limit() {
        let mut bound = LossBound::default();
        observe(&mut bound, 10, 2e6, 0.3, 2e6);
        bound.on_probe(1e5);
        assert!(bound.limit().unwrap() < 300_001.0);
        bound.on_probe(1e6);
        assert_eq!(bound.limit(), Some(1e6));
        observe(&mut bound, 1, 1e6, 0.0, 2e6);
        assert!(bound.limit().unwrap() > 1e6);
    }

    #[test]
    fn old_observations_and_outages_do_not_count() {
        let mut bound = LossBound::default();
        let observation = Observation {
            at: 0,
            packets: 50.0,
            lost: 25.0,
            rate: 1e6,
        };
        bound.observe(observation);
        bound.observe(Observation {
            at: 5_000_000,
            lost: 50.0,
            ..observation
        });
        assert_eq!(bound.observations.len(), 1);
        bound.observe(Observation {
            at: 10_000_001,
            lost: 0.0,
            ..observation
        });
        assert_eq!(bound.observations.len(), 1);
        assert!(bound.average_loss() < 1e-9);
    }

    #[test]
    fn observations_take_a_quarter_second_and_ten_packets() {
        let mut bound = LossBound::default();
        let mut complete = Vec::new();
        for step in 0..40 {
            if bound.on_packet(step * 20_000, 1000, step % 4 == 0) {
                complete.push(step);
            }
        }
        assert_eq!(complete, [13, 26, 39]);
        let first = bound.observations[0];
        assert_eq!((first.packets, first.lost), (13.0, 4.0));
        assert!((first.rate - 400_000.0).abs() < 1.0);
        bound.on_recovered();
        assert_eq!(bound.observations[2].lost + bound.observations[1].lost, 5.0);
    }

    #[test]
    fn recoveries_never_make_less_than_no_loss() {
        let mut bound = LossBound::default();
        for _ in 0..100 {
            bound.on_recovered();
            bound.on_packet(0, 1, false);
        }
        assert!(bound.partial.unwrap().lost >= 0.0);
    }
}
