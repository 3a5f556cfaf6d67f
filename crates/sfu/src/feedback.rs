//! RTCP received from endpoints: what senders say of their clocks, and what viewers say of what reached them.

use std::time::{Duration, Instant};

use link::bwe::Bitrate;
use rtp::Ssrc;
use rtp::codec::vp8;
use rtp::rtcp::{Nack, NtpTime, ReportBlock, RtcpPacket, TwccFeedback, packets};

use crate::consumer::Rewrite;
use crate::key::{ConsumerKey, TransportKey};
use crate::packet::{HEADER, OSN};
use crate::transmit::TransmitClass;
use crate::transport::Outgoing;
use crate::worker::Worker;

/// A packet is sent again at most once in this time even on the fastest path: a receiver's next request is under way
/// before the answer to the first can be (its own timers are 20 ms and up).
const MIN_RESEND_SPACING: Duration = Duration::from_millis(20);

/// Loss from which on a path cannot carry what it is given, in 1/256: the 10 % above which congestion control backs
/// off whatever the delay (draft-ietf-rmcat-gcc-02 §6).
const HEAVY_LOSS: u8 = 26;

/// How long heavy loss counts. A viewer whose pictures were stopped reports no more loss, so they are tried again
/// after this.
const LOSS_MEMORY: Duration = Duration::from_secs(10);

/// Round trip assumed until reports tell.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(100);

/// A clock reading of a sender.
#[derive(Clone, Copy)]
struct ClockReading {
    ssrc: Ssrc,
    ntp: NtpTime,
    rtp_time: u32,
}

impl Worker {
    /// Takes a decrypted compound packet of a transport.
    pub(crate) fn handle_rtcp(&mut self, now: Instant, key: TransportKey, compound: &[u8]) {
        for packet in packets(compound) {
            let Ok(packet) = packet else {
                self.counters.malformed_rtcp += 1;
                return;
            };
            match packet {
                RtcpPacket::SenderReport(report) => {
                    let reading = ClockReading {
                        ssrc: report.ssrc,
                        ntp: report.ntp,
                        rtp_time: report.rtp_time,
                    };
                    self.on_sender_report(now, key, reading);
                    report
                        .blocks()
                        .for_each(|block| self.on_report_block(now, key, &block));
                }
                RtcpPacket::ReceiverReport(report) => {
                    report
                        .blocks()
                        .for_each(|block| self.on_report_block(now, key, &block));
                }
                RtcpPacket::Nack(nack) => self.on_nack(now, key, &nack),
                RtcpPacket::Pli { media, .. } => self.on_picture_loss(now, key, media),
                RtcpPacket::Fir(fir) => {
                    fir.entries()
                        .for_each(|(media, _)| self.on_picture_loss(now, key, media));
                }
                RtcpPacket::Remb(remb) => {
                    if let Some(transport) = self.transports.get_mut(key) {
                        transport.estimator.on_remb(now, Bitrate(remb.bitrate));
                        transport.feedback_seen = true;
                    }
                }
                RtcpPacket::Twcc(feedback) => self.on_transport_feedback(now, key, &feedback),
                // A stream that says goodbye also falls silent, and silence is noticed anyway.
                RtcpPacket::Bye(_)
                | RtcpPacket::Sdes(_)
                | RtcpPacket::XrRrtr { .. }
                | RtcpPacket::XrDlrr(_)
                | RtcpPacket::Other { .. } => {}
            }
        }
    }

    fn on_sender_report(&mut self, now: Instant, key: TransportKey, reading: ClockReading) {
        let Some(slot) = self
            .transports
            .get(key)
            .and_then(|transport| transport.listener.by_ssrc(reading.ssrc))
        else {
            return;
        };
        let stream = self
            .producers
            .get_mut(slot.producer)
            .and_then(|own| own.streams.get_mut(usize::from(slot.encoding)));
        // A retransmission stream's report has a clock of its own that nothing follows.
        if let Some(receive) = stream.and_then(|stream| stream.receive.as_mut())
            && receive.ssrc() == reading.ssrc
        {
            receive.on_sender_report(now, reading.ntp, reading.rtp_time);
            self.tell_twins_clock(now, slot.producer, slot.encoding);
        }
    }

    fn on_report_block(&mut self, now: Instant, key: TransportKey, block: &ReportBlock) {
        let Some(consumer) = self.consumer_of(key, block.ssrc) else {
            return;
        };
        let (Some(consumer), Some(transport)) =
            (self.consumers.get_mut(consumer), self.transports.get_mut(key))
        else {
            return;
        };
        consumer.fraction_lost = block.fraction_lost;
        transport.fraction_lost = block.fraction_lost;
        if block.fraction_lost >= HEAVY_LOSS {
            transport.lossy_until = Some(now + LOSS_MEMORY);
        }
        if let Some(sample) = consumer.round_trip(now, block.last_sr, block.delay_since_last_sr) {
            // RFC 6298's smoothing: one late report does not make a path slow.
            transport.round_trip = Some(
                transport
                    .round_trip
                    .map_or(sample, |smooth| (smooth * 7 + sample) / 8),
            );
        }
        let loss = f64::from(block.fraction_lost) / 256.0;
        transport.estimator.on_report(now, loss, transport.round_trip);
    }

    /// Answers a generic NACK from the producer's store (RFC 4588).
    fn on_nack(&mut self, now: Instant, key: TransportKey, nack: &Nack<'_>) {
        self.counters.nack_received += 1;
        let Some(consumer_key) = self.consumer_of(key, nack.media) else {
            return;
        };
        for wire in nack.lost() {
            self.resend(now, key, consumer_key, wire);
        }
    }

    fn resend(&mut self, now: Instant, key: TransportKey, consumer_key: ConsumerKey, wire: u16) {
        let Self {
            transports,
            consumers,
            producers,
            transmits,
            counters,
            clock,
            scratch,
            ..
        } = self;
        let (Some(transport), Some(consumer)) = (transports.get_mut(key), consumers.get_mut(consumer_key))
        else {
            return;
        };
        // Nobody waits for what was stopped, and where it was stopped for want of bandwidth, repairs of it would be all the
        // more in the way of audio.
        if transport.link.route().is_none() || !consumer.is_active() {
            return;
        }
        let spacing = transport
            .round_trip
            .unwrap_or(DEFAULT_ROUND_TRIP)
            .max(MIN_RESEND_SPACING);
        let Some(resend) = consumer.resend(now, wire, spacing) else {
            return;
        };
        let stream = producers
            .get(consumer.producer)
            .and_then(|own| own.streams.get(usize::from(resend.encoding)));
        let Some(stream) = stream else { return };
        let Some(source) = stream.store.packet(now, resend.input) else {
            // Too old to be had. A viewer waits for three seconds before it asks for a key frame by itself.
            let is_needed =
                resend.encoding == consumer.current_encoding() && !stream.has_key_frame_after(resend.input);
            let producer = consumer.producer;
            if is_needed {
                self.request_key_frame(now, producer, resend.encoding);
            }
            return;
        };
        let Some(timestamp) = source
            .get(4..8)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u32::from_be_bytes)
        else {
            return;
        };
        debug_assert!(source.len() >= HEADER, "only canonical packets are stored");
        let Some(repeat) = scratch.repeat.get_mut(..source.len() + OSN) else {
            return;
        };
        let (header, payload) = source.split_at(HEADER);
        repeat[..HEADER].copy_from_slice(header);
        repeat[HEADER..HEADER + OSN].copy_from_slice(&resend.original.to_be_bytes());
        repeat[HEADER + OSN..].copy_from_slice(payload);
        if let Some(picture) = resend.picture
            && let Some(descriptor) = vp8::parse(payload)
        {
            let payload = &mut repeat[HEADER + OSN..];
            descriptor
                .fields
                .write(payload, picture.picture_id, picture.tl0_pic_idx);
        }
        let Some((template, sequence)) = consumer.next_rtx() else {
            return;
        };
        let rewrite = Rewrite {
            sequence,
            timestamp: timestamp.wrapping_add(resend.timestamp_offset),
            marker: resend.marker,
            picture: resend.picture,
        };
        let out = Outgoing {
            template,
            bytes: repeat,
            padding: 0,
            rewrite,
            class: TransmitClass::Retransmission,
        };
        if transport
            .send_rtp(clock.moment(now), sequence, out, transmits)
            .is_some()
        {
            counters.rtx_sent += 1;
        }
    }

    fn on_picture_loss(&mut self, now: Instant, key: TransportKey, media: Ssrc) {
        self.counters.pli_received += 1;
        let consumer = self
            .consumer_of(key, media)
            .and_then(|consumer| self.consumers.get(consumer));
        let Some(consumer) = consumer.filter(|consumer| consumer.is_active()) else {
            return;
        };
        self.request_key_frame(now, consumer.producer, consumer.current_encoding());
    }

    fn on_transport_feedback(&mut self, now: Instant, key: TransportKey, feedback: &TwccFeedback<'_>) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        let acked = transport.register.on_feedback(now, feedback);
        transport.estimator.on_acked(now, acked);
        transport.feedback_seen = true;
    }

    fn consumer_of(&self, key: TransportKey, ssrc: Ssrc) -> Option<ConsumerKey> {
        let of_ssrc =
            |consumer: &&ConsumerKey| self.consumers.get(**consumer).is_some_and(|own| own.ssrc == ssrc);
        self.transports.get(key)?.consumers.iter().find(of_ssrc).copied()
    }
}
