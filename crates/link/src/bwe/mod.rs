//! PLACEHOLDER so that `sfu` compiles; to be replaced by the real estimator.
#![allow(missing_docs)]
use std::time::{Duration, Instant};
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bitrate(pub u64);
pub struct Estimator(Bitrate);
pub struct ProbePlan {
    pub bitrate: Bitrate,
    pub duration: Duration,
}
impl Estimator {
    pub fn new(initial: Bitrate, _min: Bitrate, _max: Bitrate) -> Self {
        Self(initial)
    }
    pub fn on_acked(&mut self, _now: Instant, _acked: &[crate::twcc::Acked]) {}
    pub fn on_remb(&mut self, _now: Instant, _bitrate: Bitrate) {}
    pub fn on_report(&mut self, _now: Instant, _loss: f64, _rtt: Duration) {}
    pub fn estimate(&self) -> Bitrate {
        self.0
    }
    pub fn poll_probe(&mut self, _now: Instant) -> Option<ProbePlan> {
        None
    }
}
