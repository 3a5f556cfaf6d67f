//! A camera: VP8 at 30 frames a second, as one stream or as simulcast of three.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use aws_lc_rs::error::Unspecified;

use super::stream::{Extension, ExtensionIds, Sender, Stream, fill};
use super::vp8::{self, Frame, Place, Sequence};
use crate::clock::Stamp;
use crate::mark::{MARK, Mark};
use crate::plan::Simulcast;
use crate::random::Random;
use crate::rtcp::SenderInfo;

/// Frames per second.
const FRAME_RATE: u32 = 30;
/// Time between two frames.
pub(crate) const FRAME_PERIOD: Duration = Duration::from_nanos(1_000_000_000 / FRAME_RATE as u64);
/// Media time of a frame at 90 kHz.
const TICKS: u32 = 90_000 / FRAME_RATE;
/// The largest payload: libwebrtc keeps packets below 1,200 bytes, of which headers, extensions and tag are taken off.
const MAX_PAYLOAD: usize = 1_140;
/// How much larger than the mean a key frame is. Encoders spend about this on a talking head.
const KEY_FACTOR: f64 = 6.0;
/// A layer makes at most one key frame in this time, as libwebrtc does.
const KEY_PAUSE: Duration = Duration::from_millis(300);
/// Packets of a layer that can be sent again: more than a second of the largest.
const KEPT: usize = 256;

/// One stream of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) rid: &'static str,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Bits per second without headers.
    pub(crate) bitrate: u32,
    /// How much smaller than the camera's the picture is.
    pub(crate) scale: u8,
}

/// A 720p camera's streams, the smallest first; rates as Chrome spends them at these sizes.
const SIMULCAST: [Encoding; 3] = [
    Encoding {
        rid: "r0",
        width: 320,
        height: 180,
        bitrate: 100_000,
        scale: 4,
    },
    Encoding {
        rid: "r1",
        width: 640,
        height: 360,
        bitrate: 500_000,
        scale: 2,
    },
    Encoding {
        rid: "r2",
        width: 1_280,
        height: 720,
        bitrate: 1_500_000,
        scale: 1,
    },
];

/// What a camera sends.
pub(crate) const fn encodings(simulcast: Simulcast) -> &'static [Encoding] {
    match simulcast {
        Simulcast::On => &SIMULCAST,
        Simulcast::Off => SIMULCAST.split_at(2).1,
    }
}

/// A packet that may be asked for again; its bytes follow from this.
#[derive(Clone, Copy, Debug)]
struct Sent {
    sequence: u16,
    timestamp: u32,
    marker: bool,
    piece: Piece,
    at: Stamp,
}

/// One packet's part of a frame.
#[derive(Clone, Copy, Debug)]
struct Piece {
    frame: Frame,
    place: Place,
    first: bool,
    /// Bytes of the payload.
    size: usize,
    /// Bytes of the whole frame.
    frame_bytes: usize,
}

impl Piece {
    fn write(self, out: &mut Vec<u8>, mark: Mark) {
        let start = out.len();
        vp8::descriptor(out, self.place, self.first);
        if self.first {
            vp8::header(out, self.frame, self.frame_bytes);
        }
        let rest = self.size.saturating_sub(out.len() - start + MARK);
        fill(out, rest);
        out.extend_from_slice(&mark.to_bytes());
    }
}

/// One stream of a track with its retransmissions.
struct Layer {
    encoding: Encoding,
    stream: Stream,
    repairs: Stream,
    sequence: Sequence,
    sent: VecDeque<Sent>,
    key_wanted: bool,
    last_key: Option<Instant>,
}

/// A camera's track.
pub(crate) struct VideoTrack {
    number: u32,
    mid: String,
    ids: ExtensionIds,
    simulcast: Simulcast,
    layers: Vec<Layer>,
    random: Random,
}

impl VideoTrack {
    pub(crate) fn new(number: u32, mid: &str, simulcast: Simulcast, mut random: Random) -> Self {
        let layers = encodings(simulcast).iter().map(|encoding| Layer {
            encoding: *encoding,
            stream: Stream::new(0, &mut random),
            repairs: Stream::new(0, &mut random),
            sequence: Sequence::new(random.word() as u16, random.word() as u8),
            sent: VecDeque::with_capacity(KEPT),
            key_wanted: true,
            last_key: None,
        });
        Self {
            number,
            mid: mid.to_owned(),
            ids: ExtensionIds::default(),
            simulcast,
            layers: layers.collect(),
            random,
        }
    }

    /// Takes over what was agreed with the server: payload types of VP8 and of its retransmissions, extensions.
    pub(crate) fn agree(mut self, (media, repairs): (u8, u8), ids: ExtensionIds) -> Self {
        for layer in &mut self.layers {
            layer.stream = layer.stream.clone().with_payload_type(media);
            layer.repairs = layer.repairs.clone().with_payload_type(repairs);
        }
        self.ids = ids;
        self
    }

    /// SSRCs of the first layer and of its retransmissions; what a track without simulcast announces.
    pub(crate) fn ssrcs(&self) -> (u32, u32) {
        (self.layers[0].stream.ssrc, self.layers[0].repairs.ssrc)
    }

    /// Number of layers.
    pub(crate) const fn layers(&self) -> usize {
        self.layers.len()
    }

    /// The server knows a stream.
    pub(crate) fn known(&mut self, ssrc: u32) {
        for layer in &mut self.layers {
            layer.stream.known(ssrc);
            layer.repairs.known(ssrc);
        }
    }

    /// The server wants a key frame of a stream.
    pub(crate) fn want_key_frame(&mut self, ssrc: u32) {
        let layer = self.layers.iter_mut().find(|layer| layer.stream.ssrc == ssrc);
        if let Some(layer) = layer {
            layer.key_wanted = true;
        }
    }

    /// What sender reports say about streams that flow.
    pub(crate) fn reports(&self, now: Stamp) -> impl Iterator<Item = SenderInfo> {
        let streams = self
            .layers
            .iter()
            .flat_map(|layer| [&layer.stream, &layer.repairs]);
        streams.filter_map(move |stream| stream.report(now))
    }

    /// Appends frame `beat` of a layer to an empty burst: the number of packets, and the size of each but the last,
    /// which may be shorter.
    ///
    /// # Errors
    /// If a packet cannot be encrypted.
    pub(crate) fn frame(
        &mut self,
        sender: &mut Sender<'_>,
        layer: usize,
        (beat, now): (u32, Instant),
    ) -> Result<(usize, usize), Unspecified> {
        let state = self.layers.get_mut(layer).ok_or(Unspecified)?;
        let frame = state.next_frame(now);
        let place = state.sequence.next(frame);
        let frame_bytes = state
            .encoding
            .frame_bytes(frame, place.temporal, &mut self.random);
        let timestamp = state.stream.at(beat.wrapping_mul(TICKS));
        let named = !state.stream.is_known();
        let (packets, share) = cut(frame_bytes);
        let mut burst_size = 0;
        for packet in 0..packets {
            let left = frame_bytes - share * packet;
            let sent = Sent {
                sequence: state.stream.sequence(),
                timestamp,
                marker: packet + 1 == packets,
                piece: Piece {
                    frame,
                    place,
                    first: packet == 0,
                    size: left.min(share),
                    frame_bytes,
                },
                at: sender.now,
            };
            let number = sender.number();
            let extensions = [
                (self.ids.transport_number, &number[..]),
                (self.ids.mid.filter(|_| named), self.mid.as_bytes()),
                self.simulcast
                    .rid(self.ids.rid.filter(|_| named), state.encoding.rid),
            ];
            let mark = mark(self.number, layer, sent.at);
            let header = (timestamp, sent.marker);
            state.stream.packet(sender, header, &extensions, |out| {
                sent.piece.write(out, mark);
            })?;
            state.keep(sent);
            if packet == 0 {
                burst_size = sender.out.len();
            }
        }
        Ok((packets, burst_size))
    }

    /// Appends a packet again, as a retransmission (RFC 4588 §4); whether it was still known.
    ///
    /// # Errors
    /// If it cannot be encrypted.
    pub(crate) fn repair(
        &mut self,
        sender: &mut Sender<'_>,
        ssrc: u32,
        sequence: u16,
    ) -> Result<bool, Unspecified> {
        let found = self.layers.iter_mut().enumerate();
        let Some((number, layer)) = found.into_iter().find(|(_, layer)| layer.stream.ssrc == ssrc) else {
            return Ok(false);
        };
        let Some(sent) = layer
            .sent
            .iter()
            .rev()
            .find(|sent| sent.sequence == sequence)
            .copied()
        else {
            return Ok(false);
        };
        let named = !layer.repairs.is_known();
        let transport = sender.number();
        let extensions = [
            (self.ids.transport_number, &transport[..]),
            (self.ids.mid.filter(|_| named), self.mid.as_bytes()),
            self.simulcast
                .rid(self.ids.repaired_rid.filter(|_| named), layer.encoding.rid),
        ];
        let mark = mark(self.number, number, sent.at);
        let header = (sent.timestamp, sent.marker);
        layer.repairs.packet(sender, header, &extensions, |out| {
            out.extend_from_slice(&sequence.to_be_bytes());
            sent.piece.write(out, mark);
        })?;
        Ok(true)
    }
}

impl Simulcast {
    /// The extension that names a simulcast stream; one stream needs none.
    fn rid(self, id: Option<u8>, rid: &str) -> Extension<'_> {
        (id.filter(|_| self == Self::On), rid.as_bytes())
    }
}

impl Layer {
    fn next_frame(&mut self, now: Instant) -> Frame {
        let rested = |last: Instant| now.duration_since(last) >= KEY_PAUSE;
        if !self.key_wanted || !self.last_key.is_none_or(rested) {
            return Frame::Delta;
        }
        self.key_wanted = false;
        self.last_key = Some(now);
        Frame::Key {
            width: self.encoding.width,
            height: self.encoding.height,
        }
    }

    fn keep(&mut self, sent: Sent) {
        if self.sent.len() == KEPT {
            self.sent.pop_front();
        }
        self.sent.push_back(sent);
    }
}

impl Encoding {
    /// Bytes of a frame. The base temporal layer takes 40 % of the rate in a quarter of the frames, the second 20 % in
    /// another quarter, the third the rest, as libwebrtc divides it.
    fn frame_bytes(self, frame: Frame, temporal: u8, random: &mut Random) -> usize {
        let mean = f64::from(self.bitrate) / 8.0 / f64::from(FRAME_RATE);
        let weight = match (frame, temporal) {
            (Frame::Key { .. }, _) => KEY_FACTOR,
            (Frame::Delta, 0) => 1.6,
            (Frame::Delta, _) => 0.8,
        };
        let bytes = mean * weight * random.between(0.85, 1.15);
        (bytes as usize).max(vp8::DESCRIPTOR + vp8::KEY_HEADER + MARK)
    }
}

fn mark(track: u32, layer: usize, sent: Stamp) -> Mark {
    Mark {
        track,
        layer: layer as u8,
        sent,
    }
}

/// How many packets a frame takes, and the payload of each but the last.
const fn cut(bytes: usize) -> (usize, usize) {
    let packets = bytes.div_ceil(MAX_PAYLOAD);
    (packets, bytes.div_ceil(packets))
}

#[cfg(test)]
mod tests;
