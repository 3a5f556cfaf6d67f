//! A consumer of one of several streams of the same picture; it changes stream only at a key frame.
//!
//! Until the wanted stream's key frame comes, the old stream goes on, so that a switch never shows a gap.

use std::time::Instant;

use rtp::SeqNo;

use super::Rewrite;
use super::layers::TemporalFilter;
use super::numbers::{Numbers, Start};
use crate::packet::Packet;
use crate::producer::Producer;
use crate::spec::Layers;

/// Forwards one encoding at a time.
pub(crate) struct Simulcast {
    numbers: Numbers,
    current: Option<u8>,
    /// The encoding whose clock the numbers follow; outlives `current` over a pause.
    clock: Option<u8>,
    /// The encoding of that clock began anew meanwhile: its present clock is another one.
    restarted: bool,
    target: Option<Layers>,
    temporal: TemporalFilter,
}

impl Simulcast {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            current: None,
            clock: None,
            restarted: false,
            target: None,
            temporal: TemporalFilter::default(),
        }
    }

    pub(crate) fn select(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        producer: &Producer,
    ) -> Option<Rewrite> {
        let target = self.target?;
        if self.current != Some(packet.encoding) {
            if packet.encoding != target.spatial || !packet.frame.key {
                return None;
            }
            let start = match self.clock {
                Some(_) if self.restarted => Start::UNKNOWN_CLOCK,
                Some(clock) if clock != packet.encoding => Start::OtherClock {
                    first: producer.capture_time(packet.encoding, packet.time),
                    previous: self
                        .numbers
                        .newest_input()
                        .and_then(|newest| producer.capture_time(clock, newest)),
                },
                _ => Start::SameClock,
            };
            self.numbers.start(now, packet, start);
            self.current = Some(packet.encoding);
            self.clock = Some(packet.encoding);
            self.restarted = false;
            self.temporal.restart(target.temporal);
        }
        if !self.temporal.admits(&packet.frame, target.temporal) {
            self.numbers.drop_picture(packet);
            return None;
        }
        self.numbers.map(now, packet)
    }

    pub(crate) fn skip(&mut self, sequence: SeqNo, encoding: u8) {
        if self.current == Some(encoding) {
            self.numbers.drop_packet(sequence);
        }
    }

    pub(crate) fn resync(&mut self) {
        self.current = None;
    }

    pub(crate) fn restart(&mut self, encoding: u8) {
        self.restarted |= self.clock == Some(encoding);
        if self.current == Some(encoding) {
            self.resync();
        }
    }

    pub(crate) fn target(&self) -> Option<Layers> {
        self.target
    }

    pub(crate) fn aim(&mut self, target: Option<Layers>) -> Option<u8> {
        self.target = target;
        if target.is_none() {
            self.current = None;
        }
        self.awaited()
    }

    pub(crate) fn current(&self) -> Option<u8> {
        self.current
    }

    /// The encoding whose key frame would let it move to its target.
    pub(crate) fn awaited(&self) -> Option<u8> {
        self.target
            .map(|target| target.spatial)
            .filter(|spatial| self.current != Some(*spatial))
    }

    pub(crate) fn clock_offset(&self) -> Option<(u8, u32)> {
        self.clock.zip(self.numbers.clock_offset())
    }

    pub(crate) fn layers(&self) -> Option<Layers> {
        self.current.map(|spatial| Layers {
            spatial,
            temporal: self.temporal.current(),
        })
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub(crate) fn numbers_mut(&mut self) -> &mut Numbers {
        &mut self.numbers
    }
}
