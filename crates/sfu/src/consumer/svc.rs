//! A consumer of one stream with layers inside (VP9, AV1, or temporal layers alone).
//!
//! Upper spatial layers may be left out from any picture on; they come back at a key frame only, because what they
//! are predicted from was not forwarded. The last packet of the highest layer sent gets the marker bit
//! (RFC 9628 §4.1: it ends the picture for this receiver).

use std::time::Instant;

use rtp::SeqNo;

use super::Rewrite;
use super::layers::TemporalFilter;
use super::numbers::{Numbers, Start};
use crate::packet::Packet;
use crate::spec::Layers;

/// Forwards the lower layers of one stream.
pub(crate) struct Svc {
    numbers: Numbers,
    target: Option<Layers>,
    /// The highest spatial layer now forwarded; `None` until a key frame.
    spatial: Option<u8>,
    temporal: TemporalFilter,
    /// The stream began anew: its clock has nothing to do with what was sent.
    restarted: bool,
}

impl Svc {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            target: None,
            spatial: None,
            temporal: TemporalFilter::default(),
            restarted: false,
        }
    }

    pub(crate) fn select(&mut self, now: Instant, packet: &Packet<'_>) -> Option<Rewrite> {
        let target = self.target?;
        let frame = &packet.frame;
        let starts_picture = frame.start && frame.spatial == 0;
        let spatial = match self.spatial {
            None if !frame.key => return None,
            None => {
                let start = if std::mem::take(&mut self.restarted) {
                    Start::UNKNOWN_CLOCK
                } else {
                    Start::SameClock
                };
                self.numbers.start(now, packet, start);
                self.temporal.restart(target.temporal);
                target.spatial
            }
            Some(_) if frame.key && starts_picture => target.spatial,
            Some(spatial) if starts_picture => spatial.min(target.spatial),
            Some(spatial) => spatial,
        };
        self.spatial = Some(spatial);
        let admitted = self.temporal.admits(frame, target.temporal);
        if frame.spatial > spatial || !admitted {
            self.numbers.drop_packet(packet.sequence);
            return None;
        }
        let mut rewrite = self.numbers.map(now, packet)?;
        rewrite.marker |= frame.end && frame.spatial == spatial;
        Some(rewrite)
    }

    pub(crate) fn skip(&mut self, sequence: SeqNo) {
        if self.spatial.is_some() {
            self.numbers.drop_packet(sequence);
        }
    }

    pub(crate) fn resync(&mut self) {
        self.spatial = None;
    }

    pub(crate) fn restart(&mut self) {
        self.restarted = true;
        self.resync();
    }

    /// Sets the target; whether a key frame is needed to reach it.
    pub(crate) fn aim(&mut self, target: Option<Layers>) -> bool {
        self.target = target;
        if target.is_none() {
            self.spatial = None;
        }
        self.waits()
    }

    pub(crate) fn target(&self) -> Option<Layers> {
        self.target
    }

    pub(crate) fn waits(&self) -> bool {
        self.target
            .is_some_and(|target| self.spatial.is_none_or(|spatial| spatial < target.spatial))
    }

    pub(crate) fn clock_offset(&self) -> Option<u32> {
        self.numbers.clock_offset()
    }

    pub(crate) fn layers(&self) -> Option<Layers> {
        self.spatial.map(|spatial| Layers {
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
