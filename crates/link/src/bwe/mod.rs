//! How much a path carries: congestion control at the sender, after draft-ietf-rmcat-gcc-02, fed with
//! [transport-wide feedback](crate::twcc).
//!
//! ```text
//! acknowledged packets
//!   arrival       groups of packets, and the time between them
//!   trendline     the queue grows, keeps its length, or drains
//!   acked         how much gets through
//!   rate_control  the delay-based estimate   <- probe: what bursts have shown
//!   loss          the loss-based bound
//!   alr           whether the application sends less than it may (then probe asks from time to time)
//! estimate = min(delay-based, loss-based, receiver's limit), within the configured range
//! ```

mod acked;
mod alr;
mod arrival;
mod bitrate;
#[doc(hidden)]
pub mod fuzz;
mod loss;
mod probe;
mod rate_control;
mod trendline;

use std::time::{Duration, Instant};

use acked::AckedRate;
use alr::ApplicationLimit;
use arrival::ArrivalGroups;
use loss::LossBound;
use probe::{Conditions, Prober};
use rate_control::RateControl;
use trendline::{Trendline, Usage};

use crate::twcc::Acked;

pub use bitrate::Bitrate;
pub use probe::ProbePlan;

/// No configuration lowers the estimate below this: one audio stream must always be tried.
const LEAST: f64 = 5_000.0;

/// Without feedback for this long, delays of before and after have nothing to do with each other.
const PAUSE: Duration = Duration::from_secs(2);

/// Without feedback for this long, nothing is being sent, and what was last said of the path is out of date.
const IDLE: Duration = Duration::from_secs(1);

/// Round trip assumed until one is measured.
const INITIAL_RTT: Duration = Duration::from_millis(200);

/// Without transport-wide feedback, receiver reports steer: the shares of loss below which the estimate
/// grows and above which it falls, and by how much it grows per report (draft-ietf-rmcat-gcc-02 §6).
const LOW_LOSS: f64 = 0.02;
const HIGH_LOSS: f64 = 0.10;
const GROWTH: f64 = 1.05;

/// Estimates what may be sent to one remote endpoint.
#[derive(Clone, Debug)]
pub struct Estimator {
    min: f64,
    max: f64,
    /// What the application could make use of, bit/s.
    desired: f64,
    /// Start of our time scale: the first packet that was acknowledged.
    epoch: Option<Instant>,
    latest_feedback: Option<Instant>,
    rtt: Duration,
    receiver_limit: Option<f64>,
    groups: ArrivalGroups,
    trendline: Trendline,
    acked: AckedRate,
    control: RateControl,
    loss: LossBound,
    application: ApplicationLimit,
    prober: Prober,
}

impl Estimator {
    /// An estimator that allows `initial` at first and never less than `min` or more than `max`.
    pub fn new(initial: Bitrate, min: Bitrate, max: Bitrate) -> Self {
        let min = min.as_f64().max(LEAST);
        let max = max.as_f64().max(min);
        let initial = initial.as_f64().clamp(min, max);
        Self {
            min,
            max,
            desired: max,
            epoch: None,
            latest_feedback: None,
            rtt: INITIAL_RTT,
            receiver_limit: None,
            groups: ArrivalGroups::default(),
            trendline: Trendline::default(),
            acked: AckedRate::default(),
            control: RateControl::new(initial),
            loss: LossBound::default(),
            application: ApplicationLimit::default(),
            prober: Prober::new(initial),
        }
    }

    /// What may be sent, retransmissions and padding included.
    pub fn estimate(&self) -> Bitrate {
        Bitrate::from_f64(self.bits())
    }

    /// Round trip as feedback shows it, 200 ms before the first.
    pub fn rtt(&self) -> Duration {
        self.rtt
    }

    /// What gets through at present; `None` in the first half second.
    pub fn acked_bitrate(&self) -> Option<Bitrate> {
        self.acked.bitrate().map(Bitrate::from_f64)
    }

    /// Tells how much the application could make use of, which nothing above is probed for. Until it is
    /// told, that is the maximum.
    pub fn set_desired(&mut self, desired: Bitrate) {
        self.desired = desired.as_f64();
    }

    /// Takes in what [`crate::twcc::SendRegister::on_feedback`] made of a feedback message.
    pub fn on_acked(&mut self, now: Instant, acked: &[Acked]) {
        let Some(first) = acked.first() else {
            return;
        };
        let epoch = *self.epoch.get_or_insert(first.sent);
        if self
            .latest_feedback
            .is_some_and(|latest| now.saturating_duration_since(latest) > PAUSE)
        {
            self.groups = ArrivalGroups::default();
            self.trendline = Trendline::default();
        }
        self.latest_feedback = Some(now);
        self.measure_rtt(now, acked);
        let mut observed = false;
        for packet in acked {
            let sent = micros(packet.sent.saturating_duration_since(epoch));
            observed |= self.on_packet(packet, sent);
        }
        self.adjust(now);
        if observed {
            self.loss.update(self.control.estimate(), self.acked.bitrate());
        }
        self.prober.on_estimate(now, self.bits());
    }

    /// Takes in the fate of one packet, sent `sent` microseconds after the epoch; whether the loss-based
    /// bound is to be looked at again.
    fn on_packet(&mut self, packet: &Acked, sent: i64) -> bool {
        if !packet.late {
            self.application.on_packet(sent, packet.size, self.bits());
        }
        if let Some(arrival) = packet.received {
            self.acked.on_packet(arrival.0, packet.size);
            self.prober.on_packet(packet.sent, arrival.0, packet.size);
            if let Some(deltas) = self.groups.on_packet(sent, arrival.0) {
                self.trendline.update(deltas);
            }
        }
        if packet.late {
            self.loss.on_recovered();
            return false;
        }
        self.loss.on_packet(sent, packet.size, packet.received.is_none())
    }

    fn adjust(&mut self, now: Instant) {
        let usage = self.trendline.usage();
        let probed = self.prober.result(now, self.rtt);
        match probed {
            Some(rate) if usage != Usage::Over => {
                self.control.raise(now, rate);
                self.loss.on_probe(rate);
            }
            _ => self.control.update(now, usage, self.acked.bitrate(), self.rtt),
        }
        self.control.clamp(self.min, self.max);
    }

    fn measure_rtt(&mut self, now: Instant, acked: &[Acked]) {
        let newest = acked
            .iter()
            .filter(|packet| packet.received.is_some())
            .map(|packet| packet.sent)
            .max();
        if let Some(sent) = newest {
            self.smooth_rtt(now.saturating_duration_since(sent));
        }
    }

    /// RFC 6298's weights.
    fn smooth_rtt(&mut self, sample: Duration) {
        self.rtt = (self.rtt * 7 + sample.min(Duration::from_secs(10))) / 8;
    }

    /// The receiver's own limit (REMB). Without transport-wide feedback it is also the estimate.
    pub fn on_remb(&mut self, now: Instant, limit: Bitrate) {
        let limit = limit.as_f64();
        self.receiver_limit = Some(limit);
        if self.latest_feedback.is_none() {
            self.control.raise(now, limit);
            self.control.clamp(self.min, self.max);
        }
    }

    /// A receiver report: share of packets lost since the one before, and the round trip if it is known.
    /// Steers only as long as there is no transport-wide feedback, which says all this sooner.
    pub fn on_report(&mut self, now: Instant, loss: f64, rtt: Option<Duration>) {
        if let Some(rtt) = rtt {
            self.smooth_rtt(rtt);
        }
        if self.latest_feedback.is_some() || !loss.is_finite() {
            return;
        }
        let estimate = self.control.estimate();
        if loss > HIGH_LOSS {
            let fallen = estimate * (1.0 - 0.5 * loss.min(1.0));
            self.control.clamp(self.min, fallen.max(self.min));
        } else if loss < LOW_LOSS {
            self.control.raise(now, estimate * GROWTH);
            self.control.clamp(self.min, self.max);
        }
    }

    /// A burst to be sent now to find out whether the path carries more. Everything sent while it lasts
    /// counts; if less is sent than it asks for, nothing is learnt and nothing lost.
    pub fn poll_probe(&mut self, now: Instant) -> Option<ProbePlan> {
        self.prober.poll(now, self.conditions(now))
    }

    /// When [`Self::poll_probe`] has something, as things stand at `now`.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.prober.next(now, self.conditions(now))
    }

    /// A loss-based bound is no ceiling: an application that sends nothing below it, and so gets no feedback,
    /// would never learn that the loss has ended.
    fn conditions(&self, now: Instant) -> Conditions {
        let idle = self
            .latest_feedback
            .is_some_and(|latest| now.saturating_duration_since(latest) > IDLE);
        Conditions {
            estimate: self.bits(),
            ceiling: self
                .desired
                .min(self.max)
                .min(self.receiver_limit.unwrap_or(f64::INFINITY)),
            usage: if idle {
                Usage::Normal
            } else {
                self.trendline.usage()
            },
            application_limited: idle || self.application.limited(),
        }
    }

    fn bits(&self) -> f64 {
        let mut bits = self.control.estimate();
        for limit in [self.loss.limit(), self.receiver_limit].into_iter().flatten() {
            bits = bits.min(limit);
        }
        bits.clamp(self.min, self.max)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
