//! A sender, a bottleneck with a queue, and a receiver, in steps of one millisecond of virtual time.

use std::collections::VecDeque;

use super::*;
use crate::twcc::{ArrivalRecorder, SendRegister};
use rtp::Ssrc;
use rtp::rtcp::{RtcpPacket, packets};

const PACKET: usize = 1200;

/// What the path is like; may be changed while it runs.
pub(super) struct Conditions {
    /// bit/s
    pub(super) capacity: f64,
    /// Each way.
    pub(super) delay: Duration,
    /// Longest time a packet may have to wait; what would wait longer is dropped.
    pub(super) queue: Duration,
    /// Share lost whatever is sent.
    pub(super) loss: f64,
    /// What the application has to send, bit/s.
    pub(super) application: f64,
    /// What it cannot send less than: below that it sends nothing, bit/s.
    pub(super) least: f64,
}

impl Conditions {
    pub(super) fn new(kbps: u64) -> Self {
        Self {
            capacity: kbps as f64 * 1000.0,
            delay: ms(25),
            queue: ms(300),
            loss: 0.0,
            application: f64::INFINITY,
            least: 0.0,
        }
    }
}

pub(super) struct Path {
    pub(super) conditions: Conditions,
    pub(super) estimator: Estimator,
    pub(super) now: Instant,
    pub(super) delivered: usize,
    start: Instant,
    register: SendRegister,
    recorder: ArrivalRecorder,
    /// When the bottleneck is free again.
    free: Instant,
    /// `(arrival, number)`, in order.
    flying: VecDeque<(Instant, u16)>,
    feedback: VecDeque<(Instant, Vec<u8>)>,
    /// Bits that may be sent and have not been.
    budget: f64,
    /// Bytes of a probe still to be sent, and its rate.
    probe: (usize, f64),
    random: u64,
}

impl Path {
    pub(super) fn new(conditions: Conditions) -> Self {
        let start = Instant::now();
        Self {
            conditions,
            estimator: Estimator::new(Bitrate::kbps(600), Bitrate::kbps(50), Bitrate::kbps(10_000)),
            now: start,
            delivered: 0,
            start,
            register: SendRegister::new(),
            recorder: ArrivalRecorder::new(start),
            free: start,
            flying: VecDeque::new(),
            feedback: VecDeque::new(),
            budget: 0.0,
            probe: (0, 0.0),
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Runs for some seconds and returns the mean of the estimate, kbit/s.
    pub(super) fn run(&mut self, seconds: u64) -> u64 {
        let end = self.now + Duration::from_secs(seconds);
        let (mut sum, mut count) = (0, 0);
        while self.now < end {
            self.step();
            sum += self.estimator.estimate().0;
            count += 1;
        }
        sum / count / 1000
    }

    /// Seconds of virtual time so far.
    pub(super) fn elapsed(&self) -> f64 {
        self.now.duration_since(self.start).as_secs_f64()
    }

    fn step(&mut self) {
        self.now += ms(1);
        self.hear();
        if let Some(plan) = self.estimator.poll_probe(self.now) {
            self.probe = (plan.bytes, plan.bitrate.as_f64());
        }
        let estimate = self.estimator.estimate();
        assert!(estimate >= Bitrate::kbps(50) && estimate <= Bitrate::kbps(10_000));
        let (probe_left, probe_rate) = self.probe;
        let starved = estimate.as_f64() < self.conditions.least;
        let media = if starved {
            0.0
        } else {
            estimate.as_f64().min(self.conditions.application)
        };
        let rate = if probe_left > 0 {
            probe_rate.max(media)
        } else {
            media
        };
        self.budget = (self.budget + rate / 1000.0).min(rate * 0.02 + 16_000.0);
        // Small packets at low rates, as encoders and padding have them.
        let size = if rate < 1e6 { PACKET / 3 } else { PACKET };
        while self.budget >= (size * 8) as f64 {
            self.budget -= (size * 8) as f64;
            self.probe.0 = self.probe.0.saturating_sub(size);
            self.send(size);
        }
        self.receive();
    }

    fn send(&mut self, size: usize) {
        let number = self.register.stamp(self.now, size);
        let start = self.free.max(self.now);
        if start.duration_since(self.now) > self.conditions.queue {
            return;
        }
        self.free = start + Duration::from_secs_f64((size * 8) as f64 / self.conditions.capacity);
        if self.chance() >= self.conditions.loss {
            self.delivered += size;
            self.flying.push_back((self.free + self.conditions.delay, number));
        }
    }

    fn receive(&mut self) {
        while let Some(&(at, number)) = self.flying.front().filter(|(at, _)| *at <= self.now) {
            self.flying.pop_front();
            self.recorder.on_packet(at, number);
        }
        let mut bytes = Vec::new();
        if self.recorder.build(self.now, Ssrc(1), Ssrc(2), &mut bytes) {
            self.feedback.push_back((self.now + self.conditions.delay, bytes));
        }
    }

    fn hear(&mut self) {
        while self.feedback.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, bytes) = self.feedback.pop_front().expect("it was there");
            for packet in packets(&bytes) {
                let Ok(RtcpPacket::Twcc(feedback)) = packet else {
                    panic!("{packet:?}")
                };
                let acked = self.register.on_feedback(self.now, &feedback);
                self.estimator.on_acked(self.now, acked);
            }
        }
    }

    /// Between 0 and 1, the same in every run (xorshift64*).
    fn chance(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
