//! One track forwarded to one endpoint: which packets it gets, and under which numbers.
//!
//! A consumer never stores packets. It decides ([`Flow`]), remembers what it sent under which number ([`Numbers`]), and
//! counts for its sender reports.

mod layers;
mod numbers;
mod picture;
mod resends;
mod seq_map;
mod simple;
mod simulcast;
mod svc;
mod timestamp;

use std::time::{Duration, Instant};

use rtp::codec::CodecKind;
use rtp::{SeqNo, Ssrc};

pub(crate) use self::layers::{Available, choose};
use self::numbers::{First, Numbers};
pub(crate) use self::picture::Picture;
use self::resends::Resends;
use self::simple::Simple;
use self::simulcast::Simulcast;
use self::svc::Svc;
use crate::key::{ProducerKey, TransportKey};
use crate::packet::{HeaderTemplate, Packet};
use crate::producer::Producer;
use crate::spec::{ConsumerSpec, Layers, MediaKind, Scalability, Source, VideoQuality};
use crate::transmit::TransmitClass;

/// Sender reports whose send time is remembered to compute the round trip (RFC 3550 §6.4.1): at one a second, four
/// cover any path worth a call.
const REPORT_MEMORY: usize = 4;

/// The number a packet is sent under and what its payload descriptor becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rewrite {
    /// Outgoing sequence number.
    pub(crate) sequence: SeqNo,
    /// Outgoing timestamp.
    pub(crate) timestamp: u32,
    /// Marker bit.
    pub(crate) marker: bool,
    /// New VP8 picture numbers where they differ from the packet's own.
    pub(crate) picture: Option<Picture>,
}

/// How a consumer picks packets.
enum Flow {
    Simple(Simple),
    Simulcast(Simulcast),
    Svc(Svc),
}

/// Retransmission stream (RFC 4588): its header and its own numbering.
struct Rtx {
    template: HeaderTemplate,
    next: SeqNo,
}

/// A packet to send again: where it is stored, and what it was sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resend {
    /// Sequence number in the producer's stream.
    pub(crate) input: SeqNo,
    /// The producer's encoding.
    pub(crate) encoding: u8,
    /// The outgoing sequence number it had.
    pub(crate) original: u16,
    /// Outgoing less incoming timestamp.
    pub(crate) timestamp_offset: u32,
    /// Outgoing marker bit.
    pub(crate) marker: bool,
    /// Outgoing picture numbers.
    pub(crate) picture: Option<Picture>,
}

/// What the last sender reports said and when they left.
#[derive(Clone, Copy, Debug, Default)]
struct SentReport {
    middle_ntp: u32,
    at: Option<Instant>,
}

/// A consumer of a router.
pub(crate) struct Consumer {
    pub(crate) transport: TransportKey,
    pub(crate) producer: ProducerKey,
    pub(crate) kind: MediaKind,
    pub(crate) source: Source,
    pub(crate) ssrc: Ssrc,
    pub(crate) cname: String,
    pub(crate) paused: bool,
    /// Stopped by the allocator, not by anybody's wish.
    pub(crate) starved: bool,
    pub(crate) preferred: Option<Layers>,
    /// The best layers its downlink carries; `None` when it carries all.
    pub(crate) limit: Option<Layers>,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    pub(crate) fraction_lost: u8,
    template: HeaderTemplate,
    rtx: Option<Rtx>,
    nack: bool,
    flow: Flow,
    resends: Resends,
    reports: [SentReport; REPORT_MEMORY],
    announced: Option<Layers>,
}

impl Consumer {
    /// A consumer of `producer` as negotiated; `seed` starts its numbering.
    pub(crate) fn new(
        transport: TransportKey,
        key: ProducerKey,
        producer: &Producer,
        spec: ConsumerSpec,
        seed: u64,
    ) -> Self {
        let codec = producer.codec();
        // RFC 3711 §3.3.1: an initial sequence number below 2^15 keeps the first rollover unambiguous.
        let first = First {
            sequence: SeqNo(seed & 0x7fff),
            timestamp: (seed >> 16) as u32,
        };
        let numbers = Numbers::new(first, codec);
        let template = HeaderTemplate::new(
            producer.kind,
            spec.ssrc,
            spec.payload_type,
            &spec.mid,
            &spec.extensions,
        );
        let rtx = spec.rtx.map(|rtx| Rtx {
            template: HeaderTemplate::new(
                producer.kind,
                rtx.ssrc,
                rtx.payload_type,
                &spec.mid,
                &spec.extensions,
            ),
            next: SeqNo(seed >> 48 & 0x7fff),
        });
        let flow = match producer.scalability {
            Scalability::Simple => Flow::Simple(Simple::new(numbers, waits_for_key_frame(codec.codec))),
            Scalability::Simulcast => Flow::Simulcast(Simulcast::new(numbers)),
            Scalability::Svc => Flow::Svc(Svc::new(numbers)),
        };
        Self {
            transport,
            producer: key,
            kind: producer.kind,
            source: producer.source,
            ssrc: spec.ssrc,
            cname: spec.cname,
            paused: spec.paused,
            starved: false,
            preferred: spec.preferred,
            limit: None,
            packets: 0,
            octets: 0,
            fraction_lost: 0,
            template,
            rtx,
            nack: spec.nack,
            flow,
            resends: Resends::default(),
            reports: [SentReport::default(); REPORT_MEMORY],
            announced: None,
        }
    }

    /// Whether packets may flow to it at all.
    pub(crate) fn is_active(&self) -> bool {
        !self.paused && !self.starved
    }

    /// Decides about one packet. `producer` is the packet's producer, for the clocks of its streams.
    pub(crate) fn select(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        producer: &Producer,
    ) -> Option<Rewrite> {
        match &mut self.flow {
            Flow::Simple(simple) => simple.select(now, packet),
            Flow::Simulcast(simulcast) => simulcast.select(now, packet, producer),
            Flow::Svc(svc) => svc.select(now, packet),
        }
    }

    /// A sequence number of the producer that carries nothing worth forwarding (padding).
    pub(crate) fn skip(&mut self, sequence: SeqNo, encoding: u8) {
        match &mut self.flow {
            Flow::Simple(simple) => simple.skip(sequence),
            Flow::Simulcast(simulcast) => simulcast.skip(sequence, encoding),
            Flow::Svc(svc) => svc.skip(sequence),
        }
    }

    /// Starts anew at the next packet a decoder can start with; numbering goes on where it stopped.
    pub(crate) fn resync(&mut self) {
        match &mut self.flow {
            Flow::Simple(simple) => simple.resync(),
            Flow::Simulcast(simulcast) => simulcast.resync(),
            Flow::Svc(svc) => svc.resync(),
        }
    }

    /// One of the producer's streams began anew, with other numbers: whoever receives it starts anew too.
    pub(crate) fn restart(&mut self, encoding: u8) {
        match &mut self.flow {
            Flow::Simple(simple) => simple.restart(),
            Flow::Simulcast(simulcast) => simulcast.restart(encoding),
            Flow::Svc(svc) => svc.restart(),
        }
    }

    /// What it is to get of a producer's layers: no more than its viewer wishes, its path carries and the worker's load
    /// allows.
    pub(crate) fn wanted(
        &self,
        quality: VideoQuality,
        producer: &Producer,
        available: &Available,
    ) -> Option<Layers> {
        let allowed = quality.bound(producer, self.preferred, available);
        choose([self.preferred, self.limit, allowed], available)
    }

    /// What it would get if its path carried everything.
    pub(crate) fn ceiling(
        &self,
        quality: VideoQuality,
        producer: &Producer,
        available: &Available,
    ) -> Option<Layers> {
        let allowed = quality.bound(producer, self.preferred, available);
        choose([self.preferred, None, allowed], available)
    }

    /// Whether it aims for other layers than `wanted`; one that is forwarded whole aims for none.
    pub(crate) fn aims_elsewhere(&self, wanted: Layers) -> bool {
        match &self.flow {
            Flow::Simple(_) => false,
            Flow::Simulcast(simulcast) => simulcast.target() != Some(wanted),
            Flow::Svc(svc) => svc.target() != Some(wanted),
        }
    }

    /// Sets what to aim for among `available` layers; returns the encoding that needs a key frame for it.
    pub(crate) fn aim(&mut self, target: Option<Layers>) -> Option<u8> {
        match &mut self.flow {
            Flow::Simple(_) => None,
            Flow::Simulcast(simulcast) => simulcast.aim(target),
            Flow::Svc(svc) => svc.aim(target).then_some(0),
        }
    }

    /// The encoding this consumer needs a key frame of, if it is waiting for one.
    pub(crate) fn awaited_key_frame(&self) -> Option<u8> {
        if self.kind == MediaKind::Audio || !self.is_active() {
            return None;
        }
        match &self.flow {
            Flow::Simple(simple) => simple.waits().then_some(0),
            Flow::Simulcast(simulcast) => simulcast.awaited(),
            Flow::Svc(svc) => svc.waits().then_some(0),
        }
    }

    /// The encoding a decoder's PLI is about.
    pub(crate) fn current_encoding(&self) -> u8 {
        match &self.flow {
            Flow::Simple(_) | Flow::Svc(_) => 0,
            Flow::Simulcast(simulcast) => simulcast.current().or(simulcast.awaited()).unwrap_or(0),
        }
    }

    /// The encoding whose clock the outgoing timestamps follow and the offset between the two.
    pub(crate) fn clock_offset(&self) -> Option<(u8, u32)> {
        match &self.flow {
            Flow::Simple(simple) => simple.clock_offset().map(|offset| (0, offset)),
            Flow::Simulcast(simulcast) => simulcast.clock_offset(),
            Flow::Svc(svc) => svc.clock_offset().map(|offset| (0, offset)),
        }
    }

    /// The layers now received, when they changed since the last call; simple consumers have none to tell.
    pub(crate) fn poll_layers(&mut self) -> Option<Option<Layers>> {
        let layers = match &self.flow {
            Flow::Simple(_) => return None,
            Flow::Simulcast(simulcast) => simulcast.layers(),
            Flow::Svc(svc) => svc.layers(),
        };
        if layers == self.announced {
            return None;
        }
        self.announced = layers;
        Some(layers)
    }

    /// Remembers a packet that left.
    pub(crate) fn on_sent(&mut self, packet: &Packet<'_>, rewrite: Rewrite) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(packet.payload().len() as u32);
        if self.nack && self.rtx.is_some() {
            self.numbers_mut().record(packet, rewrite);
        }
    }

    fn numbers(&self) -> &Numbers {
        match &self.flow {
            Flow::Simple(simple) => simple.numbers(),
            Flow::Simulcast(simulcast) => simulcast.numbers(),
            Flow::Svc(svc) => svc.numbers(),
        }
    }

    fn numbers_mut(&mut self) -> &mut Numbers {
        match &mut self.flow {
            Flow::Simple(simple) => simple.numbers_mut(),
            Flow::Simulcast(simulcast) => simulcast.numbers_mut(),
            Flow::Svc(svc) => svc.numbers_mut(),
        }
    }

    /// The header of its media packets.
    pub(crate) fn template(&self) -> &HeaderTemplate {
        &self.template
    }

    /// What it is sent as.
    pub(crate) fn class(&self) -> TransmitClass {
        match self.kind {
            MediaKind::Audio => TransmitClass::Audio,
            MediaKind::Video => TransmitClass::Video,
        }
    }

    /// What was sent as `wire`, if it is known and may be sent again now.
    pub(crate) fn resend(&mut self, now: Instant, wire: u16, spacing: Duration) -> Option<Resend> {
        self.rtx.as_ref()?;
        let sent = self.numbers().source(wire)?;
        if !self.resends.admit(now, wire, spacing) {
            return None;
        }
        let picture = self.numbers().numbers_pictures().then_some(Picture {
            picture_id: sent.picture_id,
            tl0_pic_idx: sent.tl0_pic_idx,
        });
        Some(Resend {
            input: sent.input,
            encoding: sent.stream,
            original: wire,
            timestamp_offset: sent.timestamp_offset,
            marker: sent.marker,
            picture,
        })
    }

    /// Header and number of the next retransmission; `None` without RTX.
    pub(crate) fn next_rtx(&mut self) -> Option<(&HeaderTemplate, SeqNo)> {
        let rtx = self.rtx.as_mut()?;
        let sequence = rtx.next;
        rtx.next = SeqNo(sequence.0 + 1);
        Some((&rtx.template, sequence))
    }

    /// Remembers when a sender report left, by the middle 32 bits of its NTP time.
    pub(crate) fn on_report_sent(&mut self, now: Instant, middle_ntp: u32) {
        self.reports.rotate_right(1);
        self.reports[0] = SentReport {
            middle_ntp,
            at: Some(now),
        };
    }

    /// Round trip from a report block: `last_sr` names one of our reports, `delay` is in 1/65536 s (RFC 3550 §6.4.1).
    pub(crate) fn round_trip(&self, now: Instant, last_sr: u32, delay: u32) -> Option<Duration> {
        let report = self
            .reports
            .iter()
            .find(|report| report.at.is_some() && report.middle_ntp == last_sr)?;
        let held = Duration::from_nanos(u64::from(delay) * 1_000_000_000 / 65_536);
        now.saturating_duration_since(report.at?).checked_sub(held)
    }
}

/// Whether a decoder of this codec must start with a key frame that the parsers can tell.
fn waits_for_key_frame(codec: CodecKind) -> bool {
    match codec {
        CodecKind::Vp8 | CodecKind::H264 | CodecKind::Vp9 | CodecKind::Av1 => true,
        CodecKind::Opus | CodecKind::Other => false,
    }
}

#[cfg(test)]
mod tests;
