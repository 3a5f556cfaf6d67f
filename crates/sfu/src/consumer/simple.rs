//! A consumer of one stream, forwarded whole.

use std::time::Instant;

use rtp::SeqNo;

use super::Rewrite;
use super::numbers::{Numbers, Start};
use crate::packet::Packet;

/// Forwards everything from a packet on that a decoder can start with.
pub(crate) struct Simple {
    numbers: Numbers,
    needs_key_frame: bool,
    synced: bool,
    /// The stream began anew: its clock has nothing to do with what was sent.
    restarted: bool,
}

impl Simple {
    /// `needs_key_frame`: whether decoding must start with a key frame.
    pub(crate) fn new(numbers: Numbers, needs_key_frame: bool) -> Self {
        Self {
            numbers,
            needs_key_frame,
            synced: false,
            restarted: false,
        }
    }

    pub(crate) fn select(&mut self, now: Instant, packet: &Packet<'_>) -> Option<Rewrite> {
        if !self.synced {
            if self.needs_key_frame && !packet.frame.key {
                return None;
            }
            let start = if std::mem::take(&mut self.restarted) {
                Start::UNKNOWN_CLOCK
            } else {
                Start::SameClock
            };
            self.numbers.start(now, packet, start);
            self.synced = true;
        }
        self.numbers.map(now, packet)
    }

    pub(crate) fn skip(&mut self, sequence: SeqNo) {
        if self.synced {
            self.numbers.drop_packet(sequence);
        }
    }

    pub(crate) fn resync(&mut self) {
        self.synced = false;
    }

    pub(crate) fn restart(&mut self) {
        self.restarted = true;
        self.resync();
    }

    pub(crate) fn waits(&self) -> bool {
        self.needs_key_frame && !self.synced
    }

    pub(crate) fn clock_offset(&self) -> Option<u32> {
        self.numbers.clock_offset()
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub(crate) fn numbers_mut(&mut self) -> &mut Numbers {
        &mut self.numbers
    }
}
