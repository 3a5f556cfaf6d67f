//! The fan-out: from one packet to every consumer that is to have it.

use std::collections::VecDeque;
use std::time::Instant;

use rtp::codec::{CodecKind, FrameReader, PictureFields, vp8};
use rtp::{RtpTime, SeqNo};
use slotmap::SlotMap;

use crate::burst::Held;
use crate::consumer::Consumer;
use crate::event::Event;
use crate::key::{ConsumerKey, TransportKey};
use crate::packet::HEADER;
use crate::producer::Producer;
use crate::router::Placed;
use crate::spec::TrainPadding;
use crate::stats::Counters;
use crate::transmit::TransmitBatch;
use crate::transport::{Moment, Outgoing, Transport};
use crate::worker::{Worker, push_event};

/// Packets sent after a key frame that began late, at most: a key frame and the second until its first packet was sent
/// again, at the rate of a high simulcast layer. More would be a burst that hurts the viewer's path.
const MAX_CATCH_UP: u64 = 256;

/// Where packets may go.
struct Audience<'a> {
    consumers: &'a mut SlotMap<ConsumerKey, Consumer>,
    transports: &'a mut SlotMap<TransportKey, Transport>,
}

impl Audience<'_> {
    /// A consumer and its transport, if packets may flow there now.
    fn listener(&mut self, key: ConsumerKey) -> Option<Listener<'_>> {
        let consumer = self.consumers.get_mut(key).filter(|own| own.is_active())?;
        let transport = self.transports.get_mut(consumer.transport)?;
        transport.link.route()?;
        Some(Listener {
            key,
            consumer,
            transport,
        })
    }
}

/// What forwarding leaves behind.
struct Outcome<'a> {
    at: Moment,
    transmits: &'a mut TransmitBatch,
    counters: &'a mut Counters,
    events: &'a mut VecDeque<Event>,
}

/// One consumer while packets are offered to it.
struct Listener<'a> {
    key: ConsumerKey,
    consumer: &'a mut Consumer,
    transport: &'a mut Transport,
}

impl Listener<'_> {
    /// Offers a packet; whether the consumer began its stream with it. `bytes` are its canonical form and padding; the
    /// picture numbers in them become this consumer's.
    fn offer(
        &mut self,
        held: &Held,
        bytes: &mut [u8],
        producer: &Producer,
        outcome: &mut Outcome<'_>,
    ) -> bool {
        let Self {
            key,
            consumer,
            transport,
        } = self;
        let awaited = held.frame.key && consumer.awaited_key_frame() == Some(held.encoding);
        let Some(rewrite) = consumer.select(outcome.at.now, &held.packet(bytes), producer) else {
            return false;
        };
        if let (Some(picture), Some(fields)) = (rewrite.picture, held.pictures) {
            fields.write(&mut bytes[HEADER..], picture.picture_id, picture.tl0_pic_idx);
        }
        let out = Outgoing {
            template: consumer.template(),
            bytes,
            padding: held.padding,
            rewrite,
            class: consumer.class(),
        };
        if let Some(len) = transport.send_rtp(outcome.at, rewrite.sequence, out, outcome.transmits) {
            consumer.on_sent(&held.packet(bytes), rewrite);
            outcome.counters.rtp_sent += 1;
            outcome.counters.rtp_sent_bytes += len as u64;
        }
        if held.frame.key
            && let Some(layers) = consumer.poll_layers()
        {
            push_event(
                outcome.events,
                Event::ConsumerLayers {
                    consumer: *key,
                    layers,
                },
            );
        }
        awaited && consumer.awaited_key_frame() != Some(held.encoding)
    }
}

impl Worker {
    /// Forwards the packet in the scratch buffer, at once or with the rest of its burst.
    pub(crate) fn forward(&mut self, now: Instant, placed: Placed) {
        let Some(producer) = self.producers.get_mut(placed.producer) else {
            return;
        };
        if producer.consumers.is_empty() {
            return;
        }
        let is_last = self.scratch.packet[1] & 0x80 != 0;
        let padding = match self.config.train_padding {
            TrainPadding::On => producer.pad(placed.encoding, placed.time, placed.len, is_last),
            TrainPadding::Off => 0,
        };
        let payload = &self.scratch.packet[HEADER..placed.len];
        let pictures = picture_fields(producer, payload);
        let held = Held {
            sequence: placed.sequence,
            time: placed.time,
            frame: placed.frame,
            encoding: placed.encoding,
            len: placed.len,
            padding,
            pictures,
        };
        // The last byte of the padding counts it, itself included (RFC 3550 §5.1).
        self.scratch.packet[placed.len..held.total()].fill(0);
        if padding > 0 {
            self.scratch.packet[held.total() - 1] = padding;
        }
        let is_late = producer.newest(placed.encoding) > Some(placed.sequence);
        if is_late || !self.burst.is_open() {
            self.settle();
            self.forward_at_once(now, placed, &held);
            return;
        }
        if !self.burst.admits(now, placed.producer, &held) {
            self.settle();
        }
        self.burst
            .push(now, placed.producer, held, &self.scratch.packet[..held.total()]);
    }

    /// Sends what waits for the rest of its burst: all of it to one consumer after the other.
    pub(crate) fn settle(&mut self) {
        let Some((key, now)) = self.burst.take() else {
            return;
        };
        if let Some(producer) = self.producers.get(key) {
            let mut audience = Audience {
                consumers: &mut self.consumers,
                transports: &mut self.transports,
            };
            let mut outcome = Outcome {
                at: self.clock.moment(now),
                transmits: &mut self.transmits,
                counters: &mut self.counters,
                events: &mut self.events,
            };
            for key in &producer.consumers {
                let Some(mut listener) = audience.listener(*key) else {
                    continue;
                };
                for (held, bytes) in self.burst.packets() {
                    listener.offer(held, bytes, producer, &mut outcome);
                }
            }
        }
        self.burst.clear();
    }

    /// Sends the packet in the scratch buffer, and what consumers that begin with it have missed.
    fn forward_at_once(&mut self, now: Instant, placed: Placed, held: &Held) {
        let Some(producer) = self.producers.get(placed.producer) else {
            return;
        };
        let mut audience = Audience {
            consumers: &mut self.consumers,
            transports: &mut self.transports,
        };
        let mut outcome = Outcome {
            at: self.clock.moment(now),
            transmits: &mut self.transmits,
            counters: &mut self.counters,
            events: &mut self.events,
        };
        let bytes = &mut self.scratch.packet[..held.total()];
        self.scratch.began.clear();
        for key in &producer.consumers {
            if let Some(mut listener) = audience.listener(*key)
                && listener.offer(held, bytes, producer, &mut outcome)
            {
                self.scratch.began.push(*key);
            }
        }
        if !self.scratch.began.is_empty() {
            catch_up(
                (held, bytes),
                producer,
                &mut self.scratch.repeat[..],
                &self.scratch.began,
                (&mut audience, &mut outcome),
            );
        }
    }
}

/// Sends what came after `first` to the consumers that began with it just now.
///
/// The first packet of a key frame may come last, when it was lost and sent again. Until then its consumers could not
/// use the rest, which lies in the store; without it their picture would stay broken until the next key frame.
fn catch_up(
    (first, bytes): (&Held, &[u8]),
    producer: &Producer,
    scratch: &mut [u8],
    began: &[ConsumerKey],
    (audience, outcome): (&mut Audience<'_>, &mut Outcome<'_>),
) {
    let Some(stream) = producer.streams.get(usize::from(first.encoding)) else {
        return;
    };
    let Some(newest) = producer
        .newest(first.encoding)
        .filter(|newest| *newest > first.sequence)
    else {
        return;
    };
    // The store keeps packets, not what was read of them.
    let mut frames = FrameReader::new(producer.codec().codec);
    let first_packet = first.packet(bytes);
    frames.read(first_packet.payload(), first_packet.marker(), None);
    for number in first.sequence.0 + 1..=newest.0.min(first.sequence.0 + MAX_CATCH_UP) {
        let Some(stored) = stream.store.packet(outcome.at.now, SeqNo(number)) else {
            continue;
        };
        let Some(bytes) = scratch.get_mut(..stored.len()) else {
            continue;
        };
        bytes.copy_from_slice(stored);
        let mut held = Held {
            sequence: SeqNo(number),
            len: stored.len(),
            padding: 0,
            ..*first
        };
        let packet = held.packet(stored);
        held.time = RtpTime::expand(first.time, packet.timestamp());
        held.frame = frames.read(packet.payload(), packet.marker(), None);
        held.pictures = picture_fields(producer, packet.payload());
        for key in began {
            if let Some(mut listener) = audience.listener(*key) {
                listener.offer(&held, bytes, producer, outcome);
            }
        }
    }
}

/// Where the picture numbers lie that consumers number anew.
fn picture_fields(producer: &Producer, payload: &[u8]) -> Option<PictureFields> {
    if producer.codec().codec != CodecKind::Vp8 {
        return None;
    }
    vp8::parse(payload).map(|descriptor| descriptor.fields)
}
