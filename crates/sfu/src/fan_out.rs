//! The fan-out: from one packet to every consumer that is to have it.

use std::collections::VecDeque;
use std::time::Instant;

use link::SRTP_OVERHEAD;
use rtp::codec::FrameReader;
use rtp::{RtpTime, SeqNo};
use slotmap::SlotMap;

use crate::consumer::Consumer;
use crate::event::Event;
use crate::key::{ConsumerKey, TransportKey};
use crate::packet::Packet;
use crate::producer::Producer;
use crate::router::Placed;
use crate::stats::Counters;
use crate::transmit::TransmitBatch;
use crate::transport::{Clock, Outgoing, Transport};
use crate::worker::{Worker, push_event};

/// Packets sent after a key frame that began late, at most: a key frame and the second until its first packet was sent
/// again, at the rate of a high simulcast layer. More would be a burst that hurts the viewer's path.
const MAX_CATCH_UP: u64 = 256;

/// What forwarding changes.
struct FanOut<'a> {
    now: Instant,
    clock: Clock,
    consumers: &'a mut SlotMap<ConsumerKey, Consumer>,
    transports: &'a mut SlotMap<TransportKey, Transport>,
    transmits: &'a mut TransmitBatch,
    counters: &'a mut Counters,
    events: &'a mut VecDeque<Event>,
}

impl FanOut<'_> {
    /// Offers a packet to one consumer; whether it began its stream with it.
    fn offer(&mut self, key: ConsumerKey, packet: &Packet<'_>, producer: &Producer) -> bool {
        let Some(consumer) = self.consumers.get_mut(key).filter(|own| own.is_active()) else {
            return false;
        };
        let Some(transport) = self.transports.get_mut(consumer.transport) else {
            return false;
        };
        if transport.link.route().is_none() {
            return false;
        }
        let awaited = packet.frame.key && consumer.awaited_key_frame() == Some(packet.encoding);
        let Some(rewrite) = consumer.select(self.now, packet, producer) else {
            return false;
        };
        let out = Outgoing {
            template: consumer.template(),
            source: packet.bytes,
            rewrite,
            class: consumer.class(),
        };
        if transport.send_media(self.now, self.clock, out, self.transmits) {
            consumer.on_sent(packet, rewrite);
            self.counters.rtp_sent += 1;
            self.counters.rtp_sent_bytes += (packet.bytes.len() + SRTP_OVERHEAD) as u64;
        }
        if packet.frame.key
            && let Some(layers) = consumer.poll_layers()
        {
            push_event(
                self.events,
                Event::ConsumerLayers {
                    consumer: key,
                    layers,
                },
            );
        }
        awaited && consumer.awaited_key_frame() != Some(packet.encoding)
    }
}

impl Worker {
    /// Forwards the packet in the scratch buffer: one template, some patches and one encryption per consumer.
    pub(crate) fn forward(&mut self, now: Instant, placed: Placed) {
        let Some(producer) = self.producers.get(placed.producer) else {
            return;
        };
        let mut fan_out = FanOut {
            now,
            clock: self.clock,
            consumers: &mut self.consumers,
            transports: &mut self.transports,
            transmits: &mut self.transmits,
            counters: &mut self.counters,
            events: &mut self.events,
        };
        let packet = Packet {
            bytes: &self.scratch.packet[..placed.len],
            sequence: placed.sequence,
            time: placed.time,
            frame: placed.frame,
            encoding: placed.encoding,
        };
        self.scratch.began.clear();
        for key in &producer.consumers {
            if fan_out.offer(*key, &packet, producer) {
                self.scratch.began.push(*key);
            }
        }
        if !self.scratch.began.is_empty() {
            catch_up(&mut fan_out, &packet, producer, &self.scratch.began);
        }
    }
}

/// Sends what came after `first` to the consumers that began with it just now.
///
/// The first packet of a key frame may come last, when it was lost and sent again. Until then its consumers could not
/// use the rest, which lies in the store; without it their picture would stay broken until the next key frame.
fn catch_up(fan_out: &mut FanOut<'_>, first: &Packet<'_>, producer: &Producer, began: &[ConsumerKey]) {
    let Some(stream) = producer.streams.get(usize::from(first.encoding)) else {
        return;
    };
    let newest = stream.receive.as_ref().and_then(|receive| receive.newest());
    let Some(newest) = newest.filter(|newest| *newest > first.sequence) else {
        return;
    };
    // The store keeps packets, not what was read of them.
    let mut frames = FrameReader::new(producer.codec().codec);
    frames.read(first.payload(), first.marker(), None);
    for number in first.sequence.0 + 1..=newest.0.min(first.sequence.0 + MAX_CATCH_UP) {
        let Some(bytes) = stream.store.packet(fan_out.now, SeqNo(number)) else {
            continue;
        };
        let mut packet = Packet {
            bytes,
            sequence: SeqNo(number),
            ..*first
        };
        packet.time = RtpTime::expand(first.time, packet.timestamp());
        packet.frame = frames.read(packet.payload(), packet.marker(), None);
        for key in began {
            fan_out.offer(*key, &packet, producer);
        }
    }
}
