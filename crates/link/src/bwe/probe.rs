//! Probing: short bursts above the estimate that show whether the path carries more. Without them a fresh
//! path takes half a minute to be found, and one whose application sends little is never found.
//!
//! A plan says what to send; whatever leaves while it lasts belongs to the burst, media included. The burst's
//! rate is the lower of how fast it left and how fast it arrived.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Bitrate;
use super::trendline::Usage;

/// How long a burst takes at least: several of a sender's 5 ms steps, and no queue worth mentioning if it is
/// too much.
const DURATION: Duration = Duration::from_millis(25);
/// Smallest burst: enough packets to measure a rate by, be they as large as they may.
const MIN_BYTES: usize = 6 * 1200;
const MIN_PACKETS: usize = 5;
/// How late a sender's timer may be.
const SLACK: Duration = Duration::from_millis(10);

/// The first two bursts, as multiples of the initial estimate.
const INITIAL: [f64; 2] = [3.0, 6.0];
/// The burst after one that came through, as a multiple of what it showed ...
const FURTHER: f64 = 2.0;
/// ... if it showed at least this share of what was tried.
const FURTHER_THRESHOLD: f64 = 0.7;
/// ... and this much more than was known, or a series would never end where the ceiling is near.
const PROGRESS: f64 = 1.1;
/// The burst while the application is limited, and how often.
const PERIODIC: f64 = 2.0;
const PERIOD: Duration = Duration::from_secs(5);

/// A drop to less than this share within this time is tried to be undone ...
const DROP: f64 = 0.66;
const FALL_TIME: Duration = Duration::from_secs(3);
/// ... up to this share of what was before, first after this time, then after twice as much, a few times.
const RECOVERY: f64 = 0.85;
const RECOVERY_DELAY: Duration = Duration::from_secs(3);
const RECOVERY_ATTEMPTS: u32 = 3;

/// Share of a planned burst that must have been sent and acknowledged to count.
const MIN_SHARE: f64 = 0.8;
/// No path delivers faster than it is sent to; up to this it may have been a queue letting go.
const MAX_COMPRESSION: f64 = 2.0;
/// A burst that arrives slower than this share of how it was sent filled the path; then the estimate stays a
/// little below what arrived, so that the queue drains.
const UNSATURATED: f64 = 0.9;
const UTILISATION: f64 = 0.95;
/// How long results are waited for beyond a round trip.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Bursts whose results may be out at once.
const MAX_CLUSTERS: usize = 4;

/// A burst to be sent now: `bytes` at `rate`, media included, filled up with padding or retransmissions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProbePlan {
    /// How fast.
    pub bitrate: Bitrate,
    /// For how long.
    pub duration: Duration,
    /// How much in all.
    pub bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Cluster {
    plan: ProbePlan,
    start: Instant,
    /// Packets sent until here belong to the burst.
    end: Instant,
    /// Something sent later has been acknowledged.
    passed: bool,
    packets: usize,
    bytes: usize,
    first: (Instant, i64, usize),
    last: (Instant, i64, usize),
}

impl Cluster {
    fn new(now: Instant, plan: ProbePlan) -> Self {
        let nothing = (now, 0, 0);
        Self {
            plan,
            start: now,
            end: now + plan.duration + SLACK,
            passed: false,
            packets: 0,
            bytes: 0,
            first: nothing,
            last: nothing,
        }
    }

    /// All that was asked for has arrived; what else leaves now is not part of the burst.
    fn enough(&self) -> bool {
        self.bytes >= self.plan.bytes && self.packets >= MIN_PACKETS
    }

    fn complete(&self, now: Instant, rtt: Duration) -> bool {
        self.enough() || self.passed || now.saturating_duration_since(self.end) > TIMEOUT + rtt
    }

    fn add(&mut self, sent: Instant, arrival: i64, size: usize) {
        if self.packets == 0 {
            self.first = (sent, arrival, size);
            self.last = self.first;
        }
        self.packets += 1;
        self.bytes = self.bytes.saturating_add(size);
        if sent >= self.last.0 {
            self.last = (sent, arrival.max(self.last.1), size);
        }
        self.first.1 = self.first.1.min(arrival);
    }

    /// bit/s; `None` if too little was sent or came.
    fn result(&self) -> Option<f64> {
        if self.packets < MIN_PACKETS || (self.bytes as f64) < self.plan.bytes as f64 * MIN_SHARE {
            return None;
        }
        let arriving = self.last.1.saturating_sub(self.first.1);
        if arriving <= 0 || arriving > 1_000_000 {
            return None;
        }
        let received = (self.bytes - self.first.2) as f64 * 8e6 / arriving as f64;
        let leaving = self.last.0.saturating_duration_since(self.first.0).as_secs_f64();
        // All at once: only the arrival measures anything.
        let sent = if leaving > 0.0 {
            (self.bytes - self.last.2) as f64 * 8.0 / leaving
        } else {
            f64::INFINITY
        };
        let sent = sent.min(self.plan.bitrate.as_f64() * MAX_COMPRESSION);
        if received > sent * MAX_COMPRESSION {
            return None;
        }
        Some(if received < sent * UNSATURATED {
            received * UTILISATION
        } else {
            received.min(sent)
        })
    }
}

/// The burst planned last, and the estimate then, bit/s.
#[derive(Clone, Copy, Debug)]
struct Latest {
    at: Instant,
    plan: ProbePlan,
    estimate: f64,
}

/// A fall of the estimate that may have been for a moment only.
#[derive(Clone, Copy, Debug)]
struct Fall {
    before: f64,
    retry: Instant,
    attempts: u32,
}

/// The burst at a rate in bit/s.
fn plan(bitrate: f64) -> ProbePlan {
    let bitrate = Bitrate::from_f64(bitrate);
    let bytes = bitrate.bytes_in(DURATION).max(MIN_BYTES);
    let seconds = bytes as f64 * 8.0 / bitrate.as_f64().max(1000.0);
    ProbePlan {
        bitrate,
        duration: Duration::from_secs_f64(seconds),
        bytes,
    }
}

/// What a plan depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    /// bit/s
    pub(super) estimate: f64,
    /// Nothing above this is of use, bit/s.
    pub(super) ceiling: f64,
    pub(super) usage: Usage,
    pub(super) application_limited: bool,
}

/// Decides when to probe and reads the results.
#[derive(Clone, Debug)]
pub(super) struct Prober {
    initial: f64,
    /// Initial bursts that were planned.
    begun: usize,
    /// Next burst of a series that has come through so far, bit/s.
    further: Option<f64>,
    fall: Option<Fall>,
    /// Highest estimate of late, bit/s, and when it was.
    peak: (f64, Option<Instant>),
    latest: Option<Latest>,
    clusters: VecDeque<Cluster>,
}

impl Prober {
    pub(super) fn new(initial: f64) -> Self {
        let clusters = VecDeque::with_capacity(MAX_CLUSTERS);
        Self {
            initial,
            begun: 0,
            further: None,
            fall: None,
            peak: (0.0, None),
            latest: None,
            clusters,
        }
    }

    /// A burst to be sent now, if it is time for one.
    pub(super) fn poll(&mut self, now: Instant, conditions: Conditions) -> Option<ProbePlan> {
        if self.next(now, conditions)? > now {
            return None;
        }
        let plan = plan(self.choose(now, conditions)?.min(conditions.ceiling));
        if self.clusters.len() == MAX_CLUSTERS {
            self.clusters.pop_front();
        }
        self.clusters.push_back(Cluster::new(now, plan));
        self.latest = Some(Latest {
            at: now,
            plan,
            estimate: conditions.estimate,
        });
        Some(plan)
    }

    /// When a burst is due, `now` if it already is. `None` while nothing is to be found out.
    pub(super) fn next(&self, now: Instant, conditions: Conditions) -> Option<Instant> {
        if conditions.estimate >= conditions.ceiling * 0.98 || conditions.usage == Usage::Over {
            return None;
        }
        let Some(Latest { at, plan, .. }) = self.latest else {
            return Some(now);
        };
        let free = at + plan.duration + SLACK;
        if self.begun < INITIAL.len() || self.further.is_some() {
            return Some(now.max(free));
        }
        let periodic = conditions.application_limited.then(|| at + PERIOD);
        let recovery = self.fall.map(|fall| fall.retry.max(free));
        let due = match (periodic, recovery) {
            (Some(periodic), Some(recovery)) => periodic.min(recovery),
            (periodic, recovery) => periodic.or(recovery)?,
        };
        Some(now.max(due))
    }

    /// The rate of the burst that is due, bit/s.
    fn choose(&mut self, now: Instant, conditions: Conditions) -> Option<f64> {
        if let Some(multiple) = INITIAL.get(self.begun) {
            self.begun += 1;
            return Some(self.initial * multiple);
        }
        if let Some(further) = self.further.take() {
            return Some(further);
        }
        if let Some(fall) = self.fall.filter(|fall| fall.retry <= now) {
            let retry = now + RECOVERY_DELAY * 2_u32.pow(fall.attempts + 1);
            let attempts = fall.attempts + 1;
            self.fall = (attempts < RECOVERY_ATTEMPTS).then_some(Fall {
                attempts,
                retry,
                ..fall
            });
            return Some(fall.before * RECOVERY);
        }
        Some(conditions.estimate * PERIODIC)
    }

    /// What is estimated now, bit/s.
    pub(super) fn on_estimate(&mut self, now: Instant, estimate: f64) {
        let (peak, at) = self.peak;
        if estimate >= peak || at.is_none_or(|at| now.saturating_duration_since(at) > FALL_TIME) {
            self.peak = (estimate, Some(now));
        }
        if self.fall.is_some_and(|fall| estimate >= fall.before * RECOVERY) {
            self.fall = None;
        }
        if estimate < self.peak.0 * DROP {
            let before = self.fall.map_or(self.peak.0, |fall| fall.before.max(self.peak.0));
            self.fall = Some(Fall {
                before,
                retry: now + RECOVERY_DELAY,
                attempts: 0,
            });
            self.peak = (estimate, Some(now));
        }
    }

    /// A packet arrived, microseconds on the receiver's clock.
    pub(super) fn on_packet(&mut self, sent: Instant, arrival: i64, size: usize) {
        for cluster in &mut self.clusters {
            if sent > cluster.end {
                cluster.passed = true;
            } else if sent >= cluster.start && !cluster.enough() {
                cluster.add(sent, arrival, size);
            }
        }
    }

    /// The highest rate that bursts have shown since last asked, bit/s.
    pub(super) fn result(&mut self, now: Instant, rtt: Duration) -> Option<f64> {
        let mut best: Option<f64> = None;
        self.clusters.retain(|cluster| {
            let complete = cluster.complete(now, rtt);
            if let Some(result) = cluster.result().filter(|_| complete) {
                best = Some(best.map_or(result, |best| best.max(result)));
            }
            !complete
        });
        if let (Some(result), Some(Latest { plan, estimate, .. })) = (best, self.latest)
            && result >= plan.bitrate.as_f64() * FURTHER_THRESHOLD
            && result >= estimate * PROGRESS
        {
            self.further = Some(result * FURTHER);
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONDITIONS: Conditions = Conditions {
        estimate: 3e5,
        ceiling: 5e6,
        usage: Usage::Normal,
        application_limited: false,
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Sends what a plan asks for in packets of 500 bytes, which arrive at `capacity` bit/s.
    fn deliver(prober: &mut Prober, now: Instant, plan: ProbePlan, capacity: f64) {
        let count = plan.bytes.div_ceil(500);
        let spacing = 500.0 * 8.0 / plan.bitrate.as_f64();
        let mut arrival: f64 = 0.0;
        for packet in 0..count {
            let sent = spacing * packet as f64;
            arrival = (arrival + 500.0 * 8.0 / capacity).max(sent);
            prober.on_packet(
                now + Duration::from_secs_f64(sent.min(0.0249)),
                (arrival * 1e6) as i64,
                500,
            );
        }
    }

    #[test]
    fn ramp_up_doubles_until_the_path_is_full() {
        let mut now = Instant::now();
        let mut prober = Prober::new(300_000.0);
        let mut conditions = CONDITIONS;
        let mut tried = Vec::new();
        let mut results = Vec::new();
        while let Some(plan) = prober.poll(now, conditions) {
            tried.push(plan.bitrate.0 / 1000);
            assert_eq!(prober.poll(now, conditions), None, "one burst at a time");
            deliver(&mut prober, now, plan, 4e6);
            now += ms(500);
            if let Some(result) = prober.result(now, ms(100)) {
                conditions.estimate = conditions.estimate.max(result);
                results.push((result / 1000.0).round() as u64);
            }
        }
        assert_eq!(tried[..2], [900, 1800]);
        assert_eq!(tried.len(), 4, "{tried:?} {results:?}");
        assert!(results[3] > 3400 && results[3] < 4000, "{results:?}");
    }

    #[test]
    fn golden_results() {
        let now = Instant::now();
        let plan = ProbePlan {
            bitrate: Bitrate::kbps(2000),
            duration: DURATION,
            bytes: 5000,
        };
        let result = |packets: &[(u64, i64)]| {
            let mut cluster = Cluster::new(now, plan);
            for (sent, arrival) in packets {
                cluster.add(now + ms(*sent), arrival * 1000, 1000);
            }
            cluster.result().map(|rate| rate as u64)
        };
        // 4000 bytes in 16 ms both ways; arriving in 20 ms: 95 % of 1.6 Mbit/s.
        assert_eq!(
            result(&[(0, 50), (4, 54), (8, 58), (12, 62), (16, 66)]),
            Some(2_000_000)
        );
        assert_eq!(
            result(&[(0, 50), (4, 55), (8, 60), (12, 65), (16, 70)]),
            Some(1_520_000)
        );
        // A little faster than sent counts as sent; much faster is impossible.
        assert_eq!(
            result(&[(0, 50), (4, 53), (8, 56), (12, 60), (16, 64)]),
            Some(2_000_000)
        );
        assert_eq!(result(&[(0, 50), (4, 51), (8, 52), (12, 53), (16, 54)]), None);
        // All sent at once: what arrives counts, up to twice the plan.
        assert_eq!(
            result(&[(0, 50), (0, 54), (0, 58), (0, 62), (0, 66)]),
            Some(1_900_000)
        );
        // Too few, and all at the same time.
        assert_eq!(result(&[(0, 50), (4, 54), (8, 58), (12, 62)]), None);
        assert_eq!(result(&[(0, 50), (4, 50), (8, 50), (12, 50), (16, 50)]), None);
    }

    #[test]
    fn a_burst_that_was_not_sent_says_nothing() {
        let now = Instant::now();
        let mut prober = Prober::new(300_000.0);
        let plan = prober.poll(now, CONDITIONS).unwrap();
        assert_eq!(
            plan,
            ProbePlan {
                bitrate: Bitrate::kbps(900),
                duration: ms(64),
                bytes: 7200
            }
        );
        prober.on_packet(now, 0, 100);
        assert_eq!(prober.result(now + ms(500), ms(100)), None);
        assert_eq!(prober.clusters.len(), 1);
        assert_eq!(prober.result(now + ms(1200), ms(100)), None);
        assert_eq!(prober.clusters.len(), 0);
    }

    /// A prober that has its initial bursts behind it, without results.
    fn settled(now: Instant) -> Prober {
        let mut prober = Prober::new(300_000.0);
        assert!(prober.poll(now, CONDITIONS).is_some());
        assert!(prober.poll(now + ms(74), CONDITIONS).is_some());
        assert_eq!(prober.poll(now + ms(1000), CONDITIONS), None);
        prober
    }

    #[test]
    fn a_limited_application_is_probed_for_every_five_seconds() {
        let start = Instant::now();
        let mut prober = settled(start);
        let limited = Conditions {
            application_limited: true,
            ..CONDITIONS
        };
        assert_eq!(prober.poll(start + ms(5073), limited), None);
        assert_eq!(prober.next(start, limited), Some(start + ms(5074)));
        assert_eq!(
            prober.poll(start + ms(5074), limited).unwrap().bitrate,
            Bitrate::kbps(600)
        );
        assert_eq!(prober.poll(start + ms(9000), limited), None);
        let capped = Conditions {
            ceiling: 500_000.0,
            ..limited
        };
        assert_eq!(
            prober.poll(start + ms(11_000), capped).unwrap().bitrate,
            Bitrate::kbps(500)
        );
    }

    #[test]
    fn nothing_is_probed_that_is_not_needed_or_while_the_path_is_full() {
        let start = Instant::now();
        for conditions in [
            Conditions {
                ceiling: 300_000.0,
                ..CONDITIONS
            },
            Conditions {
                usage: Usage::Over,
                ..CONDITIONS
            },
        ] {
            let mut prober = Prober::new(300_000.0);
            assert_eq!(prober.poll(start, conditions), None);
            assert_eq!(prober.next(start, conditions), None);
        }
    }

    #[test]
    fn a_fall_is_tried_to_be_undone_a_few_times() {
        let start = Instant::now();
        let mut prober = settled(start);
        let at = start + ms(10_000);
        prober.on_estimate(at, 2e6);
        prober.on_estimate(at + ms(100), 1.4e6);
        assert_eq!(prober.next(at, CONDITIONS), None);
        // In two steps, but within three seconds.
        let at = at + ms(2000);
        prober.on_estimate(at, 1.2e6);
        let mut tried = Vec::new();
        for step in 0..600 {
            if let Some(plan) = prober.poll(at + ms(step * 100), CONDITIONS) {
                tried.push((step / 10, plan.bitrate.0 / 1000));
            }
        }
        assert_eq!(tried, [(3, 1700), (9, 1700), (21, 1700)]);

        let at = at + ms(60_000);
        for estimate in [2e6, 1e6] {
            prober.on_estimate(at, estimate);
        }
        assert_eq!(prober.next(at, CONDITIONS), Some(at + RECOVERY_DELAY));
        prober.on_estimate(at, 1.8e6);
        assert_eq!(prober.next(at, CONDITIONS), None, "it is undone");
        // Slowly is no fall.
        for step in 0..20 {
            prober.on_estimate(at + ms(step * 1000), 2e6 * 0.9_f64.powi(step as i32));
        }
        assert_eq!(prober.next(at + ms(20_000), CONDITIONS), None);
    }
}
