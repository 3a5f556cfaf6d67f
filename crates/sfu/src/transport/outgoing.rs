//! Writing packets for one endpoint: header from the template, payload encrypted straight into the batch.

use std::time::Instant;

use link::{Protocol, SRTP_OVERHEAD};
use rtp::SeqNo;

use super::Transport;
use crate::consumer::Rewrite;
use crate::packet::{HEADER, HeaderTemplate, Stamp};
use crate::transmit::{TransmitBatch, TransmitClass};

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

    /// A moment as packets state it; worked out once for all packets that leave at it.
    pub(crate) fn moment(&self, now: Instant) -> Moment {
        let elapsed = now.saturating_duration_since(self.epoch);
        // 24-bit 6.18 fixed-point seconds; only differences matter to receivers.
        let fraction = (u64::from(elapsed.subsec_nanos()) << 18) / 1_000_000_000;
        Moment {
            now,
            abs_send_time: ((elapsed.as_secs() & 0x3f) << 18 | fraction) as u32,
        }
    }
}

/// When packets leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// On the worker's clock.
    pub(crate) now: Instant,
    /// In the abs-send-time extension.
    pub(crate) abs_send_time: u32,
}

/// One packet to write: where its bytes come from and what is new about them.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    /// The header's constant part.
    pub(crate) template: &'a HeaderTemplate,
    /// Canonical header, payload and RTP padding; the payload as it is to be sent.
    pub(crate) bytes: &'a [u8],
    /// Bytes of padding at the end of `bytes`; left out where they are of no use.
    pub(crate) padding: u8,
    /// What to change in the header.
    pub(crate) rewrite: Rewrite,
    /// What it is sent as.
    pub(crate) class: TransmitClass,
}

impl Transport {
    /// Sends a packet under `sequence`; the bytes of the datagram, or `None` when there is no way to send it now.
    ///
    /// A retransmission has a sequence of its own (RFC 4588), so that no index is ever used twice; `rewrite` then
    /// gives only timestamp and marker. The payload is encrypted from where it lies straight into the batch.
    pub(crate) fn send_rtp(
        &mut self,
        at: Moment,
        sequence: SeqNo,
        out: Outgoing<'_>,
        batch: &mut TransmitBatch,
    ) -> Option<usize> {
        let tuple = self.link.route()?;
        let is_padded = out.padding > 0 && tuple.protocol == Protocol::Udp;
        let unpadded = out.bytes.len() - usize::from(out.padding);
        let payload = if is_padded {
            &out.bytes[HEADER..]
        } else {
            // On a stream of bytes there are no trains.
            &out.bytes[HEADER..unpadded]
        };
        let room = HEADER + payload.len() + SRTP_OVERHEAD;
        let transport_sequence = if out.template.stamps_transport_sequence() {
            self.register.stamp(at.now, room)
        } else {
            0
        };
        let stamp = Stamp {
            sequence: sequence.wire(),
            timestamp: out.rewrite.timestamp,
            marker: out.rewrite.marker,
            is_padded,
            abs_send_time: at.abs_send_time,
            transport_sequence,
        };
        let link = &mut self.link;
        let sent = batch.push_with(tuple, out.class, room, |datagram| {
            out.template.write(datagram, out.bytes, stamp);
            link.protect_rtp_from(datagram, HEADER, payload, sequence).ok()
        });
        if sent.is_some() {
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
        let rows = [
            (0, 0),
            (500, 1 << 17),
            (1_000, 1 << 18),
            (63_500, (63 << 18) + (1 << 17)),
            (64_000, 0),
        ];
        for (millis, wire) in rows {
            let moment = clock.moment(epoch + Duration::from_millis(millis));
            assert_eq!(moment.abs_send_time, wire, "{millis} ms");
        }
    }
}
