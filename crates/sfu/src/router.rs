//! The router: from one producer's packet to its consumers.

use std::time::Instant;

use rtp::codec::FrameInfo;
use rtp::ext::{AudioLevel, HeaderExtensions};
use rtp::{PayloadType, RtpTime, RtpView, SeqNo, rtx};

use crate::key::{ProducerKey, TransportKey};
use crate::observer::ActiveSpeaker;
use crate::packet::canonicalise;
use crate::pipe::Progress;
use crate::producer::Via;
use crate::spec::MediaKind;
use crate::timers::{Owner, Queued};
use crate::transport::{Route, StreamSlot};
use crate::worker::Worker;

/// One call: where producers meet consumers.
pub(crate) struct Router {
    pub(crate) transports: Vec<TransportKey>,
    /// Twins of other workers' producers.
    pub(crate) piped: Vec<ProducerKey>,
    /// Who speaks; watched for by the call's home alone, which hears everybody.
    pub(crate) speaker: Option<ActiveSpeaker>,
    pub(crate) queued: Queued,
}

impl Router {
    /// The router of a call, or the first of several.
    pub(crate) fn home(now: Instant) -> Self {
        Self {
            speaker: Some(ActiveSpeaker::new(now)),
            ..Self::branch()
        }
    }

    /// The router of a part of a call whose home is elsewhere.
    pub(crate) fn branch() -> Self {
        Self {
            transports: Vec::new(),
            piped: Vec::new(),
            speaker: None,
            queued: Queued::default(),
        }
    }

    /// Forgets a producer that closed or paused.
    pub(crate) fn silence(&mut self, producer: ProducerKey) {
        if let Some(speaker) = &mut self.speaker {
            speaker.remove(producer);
        }
    }
}

/// A producer's packet after it was placed: what the fan-out needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) producer: ProducerKey,
    pub(crate) encoding: u8,
    pub(crate) sequence: SeqNo,
    pub(crate) time: RtpTime,
    pub(crate) frame: FrameInfo,
    /// Bytes of its canonical form.
    pub(crate) len: usize,
}

impl Worker {
    /// Takes a decrypted RTP packet of a transport.
    pub(crate) fn handle_rtp(&mut self, now: Instant, key: TransportKey, datagram: &mut [u8]) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        let Ok(view) = RtpView::parse(datagram) else {
            self.counters.malformed_rtp += 1;
            return;
        };
        let extensions = transport.extensions.read(&view);
        transport.rtp_received += 1;
        self.counters.rtp_received += 1;
        self.counters.rtp_received_bytes += view.as_bytes().len() as u64;
        if let Some(number) = extensions.transport_sequence {
            transport.arrivals.on_packet(now, number);
            transport.feedback_media = view.ssrc();
            if let Some(at) = transport.arrivals.poll_timeout() {
                self.timers
                    .schedule(Owner::Transport(key), &mut transport.queued, at);
            }
        }
        let listener = &mut transport.listener;
        let slot = listener
            .by_ssrc(view.ssrc())
            .or_else(|| listener.learn(view.ssrc(), view.payload_type(), &extensions));
        let Some(slot) = slot else {
            self.counters.unknown_ssrc += 1;
            return;
        };
        self.handle_stream_packet(now, slot, datagram, &extensions);
    }

    /// Takes a packet of a known stream: unwraps, places, stores and forwards it.
    fn handle_stream_packet(
        &mut self,
        now: Instant,
        slot: StreamSlot,
        datagram: &mut [u8],
        extensions: &HeaderExtensions,
    ) {
        let Some(producer) = self.producers.get_mut(slot.producer) else {
            return;
        };
        if !producer.admits(now, datagram.len()) {
            self.counters.over_bitrate += 1;
            return;
        }
        let payload_type = PayloadType(datagram[1] & 0x7f);
        let (via, len, mapped) = match slot.route {
            Route::Media => {
                let Some(codec) = producer.codec_of(payload_type) else {
                    self.counters.malformed_rtp += 1;
                    return;
                };
                (Via::Media, datagram.len(), codec.mapped_payload_type)
            }
            Route::Rtx => {
                let Some(codec) = producer.codec_of_rtx(payload_type).copied() else {
                    self.counters.malformed_rtp += 1;
                    return;
                };
                // Senders probe with padding on this stream: nothing to unwrap, and nothing wrong with it.
                let ssrc = producer
                    .streams
                    .get(usize::from(slot.encoding))
                    .and_then(|stream| stream.ssrc());
                let unwrapped = ssrc.and_then(|ssrc| rtx::unwrap(datagram, ssrc, codec.payload_type));
                let Some(len) = unwrapped else { return };
                (Via::Rtx, len, codec.mapped_payload_type)
            }
        };
        let Some(packet) = datagram.get(..len) else { return };
        let Ok(view) = RtpView::parse(packet) else {
            self.counters.malformed_rtp += 1;
            return;
        };
        let descriptor = extensions
            .dependency_descriptor
            .clone()
            .and_then(|range| packet.get(range));
        let Some(accepted) = producer.accept(now, slot.encoding, via, &view, descriptor) else {
            return;
        };
        if let Some(at) = producer.nack_timeout(slot.encoding)
            && let Some(key) = producer.origin.transport()
            && let Some(transport) = self.transports.get_mut(key)
        {
            self.timers
                .schedule(Owner::Transport(key), &mut transport.queued, at);
        }
        if producer.paused {
            return;
        }
        let placed = Placed {
            producer: slot.producer,
            encoding: slot.encoding,
            sequence: accepted.sequence,
            time: accepted.time,
            frame: accepted.frame,
            len: 0,
        };
        let carries_media = !view.payload().is_empty();
        let is_tapped = !producer.taps.is_empty();
        let written = canonicalise(&mut self.scratch.packet[..], &view, mapped, extensions);
        if accepted.restarted {
            self.restart_consumers(slot);
        }
        if accepted.woke || accepted.outlived || accepted.restarted {
            self.retarget_consumers(now, slot.producer);
        }
        let len = written.filter(|_| carries_media).unwrap_or(0);
        let placed = Placed { len, ..placed };
        if is_tapped {
            let progress = if accepted.restarted {
                Progress::BeganAnew
            } else {
                Progress::WentOn
            };
            self.tap(placed, progress);
        }
        if len > 0 {
            self.observe(now, slot.producer, extensions.audio_level);
            self.store(now, placed);
            self.forward(now, placed);
        } else {
            // Nothing to forward, but its number must not look like a loss to viewers.
            self.skip(placed);
        }
    }

    /// Tells the router's observers.
    pub(crate) fn observe(&mut self, now: Instant, key: ProducerKey, level: Option<AudioLevel>) {
        let Some(level) = level else {
            return;
        };
        let Some(router_key) = self.producers.get(key).map(|producer| producer.router) else {
            return;
        };
        let Some(router) = self.routers.get_mut(router_key) else {
            return;
        };
        let Some(speaker) = &mut router.speaker else {
            return;
        };
        speaker.on_level(key, level);
        if let Some(at) = speaker.poll_timeout() {
            self.timers
                .schedule(Owner::Router(router_key), &mut router.queued, at.max(now));
        }
    }

    /// Keeps a video packet for retransmission.
    pub(crate) fn store(&mut self, now: Instant, placed: Placed) {
        let Some(producer) = self.producers.get_mut(placed.producer) else {
            return;
        };
        if producer.kind != MediaKind::Video {
            return;
        }
        if let Some(stream) = producer.streams.get_mut(usize::from(placed.encoding)) {
            stream
                .store
                .insert(now, placed.sequence, &self.scratch.packet[..placed.len]);
        }
    }

    pub(crate) fn skip(&mut self, placed: Placed) {
        self.settle();
        let Some(producer) = self.producers.get(placed.producer) else {
            return;
        };
        for key in &producer.consumers {
            if let Some(consumer) = self.consumers.get_mut(*key) {
                consumer.skip(placed.sequence, placed.encoding);
            }
        }
    }

    /// A stream of the producer began anew: who receives it goes on at its next key frame.
    pub(crate) fn restart_consumers(&mut self, slot: StreamSlot) {
        self.settle();
        let Some(producer) = self.producers.get(slot.producer) else {
            return;
        };
        for key in &producer.consumers {
            if let Some(consumer) = self.consumers.get_mut(*key) {
                consumer.restart(slot.encoding);
            }
        }
    }
}
