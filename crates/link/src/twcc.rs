//! PLACEHOLDER so that `sfu` compiles; to be replaced by the real registers.
#![allow(missing_docs)]
use rtp::Ssrc;
use rtp::rtcp::TwccFeedback;
use std::time::Instant;
pub struct Acked;
#[derive(Default)]
pub struct ArrivalRecorder;
impl ArrivalRecorder {
    pub fn new() -> Self {
        Self
    }
    pub fn on_packet(&mut self, _now: Instant, _seq: u16) {}
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    pub fn build(&mut self, _now: Instant, _sender: Ssrc, _media: Ssrc, _out: &mut Vec<u8>) -> bool {
        false
    }
}
#[derive(Default)]
pub struct SendRegister(u16);
impl SendRegister {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn stamp(&mut self, _now: Instant, _size: usize) -> u16 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
    pub fn on_feedback(&mut self, _now: Instant, _feedback: &TwccFeedback<'_>) -> &[Acked] {
        &[]
    }
}
