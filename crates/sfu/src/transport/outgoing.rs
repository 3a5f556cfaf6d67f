//! Writing packets for one endpoint: header from the template, payload from the store, protected in the batch.

use std::time::Instant;

use link::SRTP_OVERHEAD;
use rtp::SeqNo;
use rtp::codec::vp8;

use super::Transport;
use crate::consumer::Rewrite;
use crate::packet::{HEADER, HeaderTemplate, Stamp};
use crate::transmit::{TransmitBatch, TransmitClass};

/// Bytes of the original sequence number in front of a retransmission's payload (RFC 4588 §4).
const OSN: usize = 2;

/// Turns the worker's monotonic time into the wire's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    /// A clock that starts at `epoch`.
    pub(crate) fn new(epoch: Instant) -> Self {
        Self { epoch }
    }

    /// 24-bit 6.18 fixed-point seconds of the abs-send-time extension; only differences matter to receivers.
    pub(crate) fn abs_send_time(&self, now: Instant) -> u32 {
        let micros = now.saturating_duration_since(self.epoch).as_micros();
        ((micros << 18) / 1_000_000) as u32 & 0x00ff_ffff
    }
}

/// One packet to write: where its bytes come from and what is new about them.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    /// The header's constant part.
    pub(crate) template: &'a HeaderTemplate,
    /// The canonical packet.
    pub(crate) source: &'a [u8],
    /// What to change.
    pub(crate) rewrite: Rewrite,
    /// What it is sent as.
    pub(crate) class: TransmitClass,
}

/// The number a datagram is protected under and, for a retransmission, the number of what it repeats.
#[derive(Clone, Copy)]
struct Place {
    sequence: SeqNo,
    original: Option<u16>,
}

impl Transport {
    /// Sends a packet as part of its consumer's stream; false when there is no way to send it now.
    pub(crate) fn send_media(
        &mut self,
        now: Instant,
        clock: Clock,
        out: Outgoing<'_>,
        batch: &mut TransmitBatch,
    ) -> bool {
        let place = Place {
            sequence: out.rewrite.sequence,
            original: None,
        };
        self.send(now, clock, place, out, batch)
    }

    /// Sends a packet again as RTX number `sequence` of the consumer's retransmission stream (RFC 4588).
    ///
    /// The bytes are protected under an index of their own: the original index is never used twice.
    pub(crate) fn send_rtx(
        &mut self,
        now: Instant,
        clock: Clock,
        sequence: SeqNo,
        out: Outgoing<'_>,
        batch: &mut TransmitBatch,
    ) -> bool {
        let place = Place {
            sequence,
            original: Some(out.rewrite.sequence.wire()),
        };
        self.send(now, clock, place, out, batch)
    }

    fn send(
        &mut self,
        now: Instant,
        clock: Clock,
        Place { sequence, original }: Place,
        out: Outgoing<'_>,
        batch: &mut TransmitBatch,
    ) -> bool {
        let Some(tuple) = self.link.route() else {
            return false;
        };
        let payload = &out.source[HEADER..];
        let start = HEADER + if original.is_some() { OSN } else { 0 };
        let len = start + payload.len();
        let transport_sequence = if out.template.stamps_transport_sequence() {
            self.register.stamp(now, len + SRTP_OVERHEAD)
        } else {
            0
        };
        let stamp = Stamp {
            sequence: sequence.wire(),
            timestamp: out.rewrite.timestamp,
            marker: out.rewrite.marker,
            abs_send_time: clock.abs_send_time(now),
            transport_sequence,
        };
        let link = &mut self.link;
        let sent = batch.push_with(tuple, out.class, len + SRTP_OVERHEAD, |datagram| {
            out.template.write(datagram, out.source, stamp);
            if let Some(original) = original {
                datagram[HEADER..start].copy_from_slice(&original.to_be_bytes());
            }
            datagram[start..len].copy_from_slice(payload);
            if let Some(picture) = out.rewrite.picture {
                vp8::patch_picture(&mut datagram[start..len], picture.picture_id, picture.tl0_pic_idx);
            }
            link.protect_rtp(datagram, len, sequence).ok()
        });
        if sent {
            self.rtp_sent += 1;
        } else if out.template.stamps_transport_sequence() {
            // A number that never leaves would look like a loss to congestion control.
            self.register.take_back(transport_sequence);
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn wire_clocks_count_from_the_workers_start() {
        let epoch = Instant::now();
        let clock = Clock::new(epoch);
        assert_eq!(clock.abs_send_time(epoch), 0);
        assert_eq!(clock.abs_send_time(epoch + Duration::from_secs(1)), 1 << 18);
        assert_eq!(
            clock.abs_send_time(epoch + Duration::from_secs(64)),
            0,
            "24 bits wrap at 64 s"
        );
    }
}
