//! What the simulated clients send: frames whose every byte is known, so that a receiver can tell whether it got
//! exactly what was sent.

use std::time::Duration;

/// Bytes of the VP8 payload descriptor this sender writes, the payload header's first byte included.
const VP8_PREFIX: usize = 7;

/// Bytes that name a packet's place.
const STAMP: usize = 8;

/// Which packet of which frame of which stream a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The stream, as the test numbers it.
    pub stream: u8,
    /// The frame, counted from 0.
    pub frame: u32,
    /// The packet within the frame.
    pub index: u8,
    /// Packets of the frame.
    pub count: u8,
    /// Whether the frame is a key frame.
    pub key: bool,
}

/// The VP8 numbers in front of a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp8 {
    pub picture_id: u16,
    pub tl0_pic_idx: u8,
    pub temporal: u8,
    pub sync: bool,
}

impl Stamp {
    /// A payload of `len` bytes behind the stamp's own.
    fn write(self, out: &mut Vec<u8>, len: usize) {
        out.push(self.stream);
        out.extend_from_slice(&self.frame.to_be_bytes());
        out.extend_from_slice(&[self.index, self.count, u8::from(self.key)]);
        out.extend((0..len).map(|at| self.filler(at)));
    }

    fn filler(self, at: usize) -> u8 {
        (at as u32)
            .wrapping_mul(31)
            .wrapping_add(self.frame.wrapping_mul(7))
            .wrapping_add(u32::from(self.index)) as u8
    }

    /// Reads a payload back; `None` unless every byte is as it was written.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (head, rest) = payload.split_at_checked(STAMP)?;
        let stamp = Self {
            stream: head[0],
            frame: u32::from_be_bytes(head[1..5].try_into().ok()?),
            index: head[5],
            count: head[6],
            key: head[7] == 1,
        };
        rest.iter()
            .enumerate()
            .all(|(at, &byte)| byte == stamp.filler(at))
            .then_some(stamp)
    }

    /// An Opus payload.
    pub fn opus(self, len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(STAMP + len);
        self.write(&mut out, len);
        out
    }

    /// A VP8 payload (RFC 7741 §4.2): X, I with 15 bits, L and T present.
    pub fn vp8(self, numbers: Vp8, len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(VP8_PREFIX + STAMP + len);
        let start = if self.index == 0 { 0x10 } else { 0 };
        out.extend_from_slice(&[0x80 | start, 0xe0]);
        out.extend_from_slice(&(numbers.picture_id | 0x8000).to_be_bytes());
        out.push(numbers.tl0_pic_idx);
        out.push(numbers.temporal << 6 | u8::from(numbers.sync) << 5);
        out.push(u8::from(!self.key));
        self.write(&mut out, len);
        out
    }

    /// Reads a VP8 payload written by [`Self::vp8`].
    pub fn read_vp8(payload: &[u8]) -> Option<(Self, Vp8)> {
        let (head, rest) = payload.split_at_checked(VP8_PREFIX)?;
        let numbers = Vp8 {
            picture_id: u16::from_be_bytes([head[2], head[3]]) & 0x7fff,
            tl0_pic_idx: head[4],
            temporal: head[5] >> 6,
            sync: head[5] & 0x20 != 0,
        };
        let stamp = Self::read(rest)?;
        let intact =
            head[1] == 0xe0 && (head[0] == 0x90) == (stamp.index == 0) && head[6] == u8::from(!stamp.key);
        intact.then_some((stamp, numbers))
    }
}

/// A packet to send.
pub struct Outgoing {
    pub stamp: Stamp,
    pub payload: Vec<u8>,
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
}

/// A simulated microphone or camera track, or one simulcast layer of a camera.
pub struct Source {
    pub stream: u8,
    pub kind: Kind,
    /// From one frame to the next.
    pub interval: Duration,
    /// What it sends next.
    frame: u32,
    sequence: u64,
    timestamp: u32,
    picture_id: u16,
    tl0_pic_idx: u8,
    since_key: u32,
    key_wanted: bool,
    pub paused: bool,
    /// Frames that were key frames.
    pub key_frames: Vec<u32>,
    /// Frames sent, with their number of packets.
    pub sent: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 20 ms frames of one packet; the level is in -dBov.
    Audio { level: u8 },
    /// VP8 with this many packets per frame and temporal layers (1, 2 or 3).
    Video { packets: u8, temporal_layers: u8 },
}

/// Payload bytes behind the stamp.
const AUDIO_BODY: usize = 80;
const VIDEO_BODY: usize = 1000;

impl Source {
    /// A stream that starts near the wraps of all its numbers, where mistakes show.
    pub fn new(stream: u8, kind: Kind, interval: Duration) -> Self {
        Self {
            stream,
            kind,
            interval,
            frame: 0,
            sequence: 65_400 - u64::from(stream) * 100,
            timestamp: u32::MAX - 200_000 - u32::from(stream) * 1_000_000,
            picture_id: 0x7ff0 - u16::from(stream) * 64,
            tl0_pic_idx: 250 - stream,
            since_key: 0,
            key_wanted: true,
            paused: false,
            key_frames: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// A key frame was asked for.
    pub fn want_key(&mut self) {
        self.key_wanted = true;
    }

    /// The packets of the next frame.
    pub fn next_frame(&mut self) -> Vec<Outgoing> {
        let packets = match self.kind {
            Kind::Audio { .. } => 1,
            // A key frame is three times the size of others.
            Kind::Video { packets, .. } if self.key_wanted => packets.saturating_mul(3),
            Kind::Video { packets, .. } => packets,
        };
        let key = std::mem::take(&mut self.key_wanted);
        if key {
            self.since_key = 0;
            self.key_frames.push(self.frame);
        }
        let numbers = self.next_picture();
        let out = (0..packets)
            .map(|index| {
                let stamp = Stamp {
                    stream: self.stream,
                    frame: self.frame,
                    index,
                    count: packets,
                    key,
                };
                let payload = match self.kind {
                    Kind::Audio { .. } => stamp.opus(AUDIO_BODY),
                    // Browsers cut frames into packets equal but for a byte, the longer ones last.
                    Kind::Video { .. } => stamp.vp8(numbers, VIDEO_BODY + usize::from(index > packets / 2)),
                };
                self.sequence += 1;
                let (sequence, timestamp) = (self.sequence, self.timestamp);
                Outgoing {
                    stamp,
                    payload,
                    sequence,
                    timestamp,
                    marker: index + 1 == packets,
                }
            })
            .collect();
        let clock_rate = if matches!(self.kind, Kind::Audio { .. }) {
            48_000
        } else {
            90_000
        };
        self.timestamp = self
            .timestamp
            .wrapping_add((self.interval.as_millis() as u32) * (clock_rate / 1_000));
        self.sent.push(packets);
        self.frame += 1;
        self.since_key += 1;
        out
    }

    /// The VP8 numbers of the next frame; layers as libvpx orders them: 0 2 1 2 for three, 0 1 for two.
    fn next_picture(&mut self) -> Vp8 {
        let layers = match self.kind {
            Kind::Video { temporal_layers, .. } => temporal_layers,
            Kind::Audio { .. } => 1,
        };
        let (temporal, sync) = match (layers, self.since_key % 4) {
            (3, 0) | (2, 0 | 2) | (..=1, _) => (0, false),
            (3, 2) => (1, true),
            (3, at) => (2, at == 1),
            (_, at) => (1, at == 1),
        };
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        if temporal == 0 {
            self.tl0_pic_idx = self.tl0_pic_idx.wrapping_add(1);
        }
        Vp8 {
            picture_id: self.picture_id,
            tl0_pic_idx: self.tl0_pic_idx,
            temporal,
            sync,
        }
    }
}
