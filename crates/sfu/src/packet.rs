//! The router's canonical packet: one layout for every producer, so that a consumer's copy is a template, a few
//! patches at fixed offsets and the payload.
//!
//! ```text
//!  0                   1                   2                   3
//!  |V=2|P|X|  CC=0 |M|     PT      |       sequence number         |   0
//!  |                           timestamp                           |   4
//!  |                             SSRC                              |   8
//!  |            0xBEDE             |          length = 4           |  12
//!  | id, len=2 |              abs-send-time                        |  16
//!  | id, len=1 |     transport sequence        | id, len | mid[0]  |  20
//!  | mid[1]    | mid[2]        | id, len=0 | level or orientation  |  24   (byte 27 is the last element's header)
//!  | value     |                 padding                           |  28
//!  |                            payload ...                        |  32
//! ```
//!
//! An element that a packet or a consumer lacks is zero, which is padding (RFC 8285 §4.1.1). Contributing sources and
//! RTP padding are not carried over: the router mixes nothing and pads by itself ([`crate::padding`]).

use rtp::codec::FrameInfo;
use rtp::ext::{AudioLevel, ExtKind, ExtMap, HeaderExtensions};
use rtp::{Mid, PayloadType, RtpTime, RtpView, SeqNo, Ssrc};

use crate::spec::MediaKind;

/// Bytes before the payload of every canonical packet.
pub(crate) const HEADER: usize = 32;

/// The largest canonical packet kept or forwarded. A producer's packet of a full Ethernet frame (1,500 bytes less IP,
/// UDP and SRTP) still fits after its header grew to [`HEADER`].
pub(crate) const MAX_PACKET: usize = 1_500;

/// Bytes of the original sequence number in front of a retransmission's payload (RFC 4588 §4).
pub(crate) const OSN: usize = 2;

/// The largest canonical packet once it is wrapped for retransmission.
pub(crate) const MAX_REPEAT: usize = MAX_PACKET + OSN;

const ABS_SEND_TIME: usize = 16;
const TRANSPORT_SEQUENCE: usize = 20;
const MID: usize = 23;
const MID_CAPACITY: usize = 3;
const VARIABLE: usize = 27;

/// A canonical packet on its way through the router.
#[derive(Clone, Copy)]
pub(crate) struct Packet<'a> {
    /// Header and payload.
    pub(crate) bytes: &'a [u8],
    /// Extended sequence number of the producer's stream.
    pub(crate) sequence: SeqNo,
    /// RTP timestamp of the producer's stream.
    pub(crate) time: RtpTime,
    /// What the payload descriptor says.
    pub(crate) frame: FrameInfo,
    /// Index of the producer's encoding.
    pub(crate) encoding: u8,
}

impl Packet<'_> {
    /// Bytes after the header.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[HEADER..]
    }

    /// The timestamp as the producer sent it.
    pub(crate) fn timestamp(&self) -> u32 {
        u32::from_be_bytes([self.bytes[4], self.bytes[5], self.bytes[6], self.bytes[7]])
    }

    /// The marker bit as the producer sent it.
    pub(crate) fn marker(&self) -> bool {
        self.bytes[1] & 0x80 != 0
    }
}

/// Writes the canonical form of a producer's packet and returns its length; `None` when it does not fit `out`.
pub(crate) fn canonicalise(
    out: &mut [u8],
    view: &RtpView<'_>,
    payload_type: PayloadType,
    received: &HeaderExtensions,
) -> Option<usize> {
    let payload = view.payload();
    let len = HEADER + payload.len();
    let out = out.get_mut(..len)?;
    out[..HEADER].fill(0);
    out[0] = 0x90;
    out[1] = u8::from(view.marker()) << 7 | (payload_type.0 & 0x7f);
    out[2..4].copy_from_slice(&view.sequence().to_be_bytes());
    out[4..8].copy_from_slice(&view.timestamp().to_be_bytes());
    out[8..12].copy_from_slice(&view.ssrc().0.to_be_bytes());
    out[12..16].copy_from_slice(&[0xbe, 0xde, 0, 4]);
    // The id is the consumer's business; here any non-zero header byte says "present".
    if let Some(value) = received
        .audio_level
        .map(AudioLevel::to_byte)
        .or(received.video_orientation)
    {
        out[VARIABLE] = 0x10;
        out[VARIABLE + 1] = value;
    }
    out[HEADER..].copy_from_slice(payload);
    Some(len)
}

/// The audio level in a canonical packet of an audio producer, if it came with one.
pub(crate) fn audio_level(packet: &[u8]) -> Option<AudioLevel> {
    match packet.get(VARIABLE..VARIABLE + 2)? {
        [0, _] => None,
        element => Some(AudioLevel::from_byte(element[1])),
    }
}

/// Everything about a consumer's header that no packet changes.
#[derive(Clone)]
pub(crate) struct HeaderTemplate {
    bytes: [u8; HEADER],
    variable_id: u8,
    stamps_transport_sequence: bool,
    stamps_abs_send_time: bool,
}

/// What changes from packet to packet in a consumer's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Outgoing sequence number.
    pub(crate) sequence: u16,
    /// Outgoing timestamp.
    pub(crate) timestamp: u32,
    /// Marker bit.
    pub(crate) marker: bool,
    /// Whether the payload ends with RTP padding.
    pub(crate) is_padded: bool,
    /// 24-bit 6.18 fixed-point seconds.
    pub(crate) abs_send_time: u32,
    /// Transport-wide sequence number.
    pub(crate) transport_sequence: u16,
}

impl HeaderTemplate {
    /// The header of a consumer's stream (media, or retransmissions with their own SSRC and payload type).
    pub(crate) fn new(
        kind: MediaKind,
        ssrc: Ssrc,
        payload_type: PayloadType,
        mid: &Mid,
        ids: &ExtMap,
    ) -> Self {
        let one_byte = |kind| ids.id(kind).filter(|id| (1..=14).contains(id));
        let mut bytes = [0; HEADER];
        bytes[0] = 0x90;
        bytes[1] = payload_type.0 & 0x7f;
        bytes[8..12].copy_from_slice(&ssrc.0.to_be_bytes());
        bytes[12..16].copy_from_slice(&[0xbe, 0xde, 0, 4]);
        let abs_send_time = one_byte(ExtKind::AbsSendTime);
        if let Some(id) = abs_send_time {
            bytes[ABS_SEND_TIME] = id << 4 | 2;
        }
        let transport_sequence = one_byte(ExtKind::TransportSequence);
        if let Some(id) = transport_sequence {
            bytes[TRANSPORT_SEQUENCE] = id << 4 | 1;
        }
        let name = mid.as_bytes();
        // A longer MID is left out: the client knows the stream by its SSRC (contract §1.8.5).
        if let Some(id) = one_byte(ExtKind::Mid).filter(|_| (1..=MID_CAPACITY).contains(&name.len())) {
            bytes[MID] = id << 4 | (name.len() as u8 - 1);
            bytes[MID + 1..MID + 1 + name.len()].copy_from_slice(name);
        }
        let variable = match kind {
            MediaKind::Audio => ExtKind::AudioLevel,
            MediaKind::Video => ExtKind::VideoOrientation,
        };
        Self {
            bytes,
            variable_id: one_byte(variable).unwrap_or(0),
            stamps_transport_sequence: transport_sequence.is_some(),
            stamps_abs_send_time: abs_send_time.is_some(),
        }
    }

    /// Whether packets of this template count in transport-wide congestion control.
    pub(crate) fn stamps_transport_sequence(&self) -> bool {
        self.stamps_transport_sequence
    }

    /// Writes the header for one packet into the first [`HEADER`] bytes of `out`; `source` is its canonical packet.
    pub(crate) fn write(&self, out: &mut [u8], source: &[u8], stamp: Stamp) {
        let out = &mut out[..HEADER];
        out.copy_from_slice(&self.bytes);
        out[0] |= u8::from(stamp.is_padded) << 5;
        out[1] |= u8::from(stamp.marker) << 7;
        out[2..4].copy_from_slice(&stamp.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&stamp.timestamp.to_be_bytes());
        if self.stamps_abs_send_time {
            out[ABS_SEND_TIME + 1..ABS_SEND_TIME + 4]
                .copy_from_slice(&stamp.abs_send_time.to_be_bytes()[1..]);
        }
        if self.stamps_transport_sequence {
            out[TRANSPORT_SEQUENCE + 1..TRANSPORT_SEQUENCE + 3]
                .copy_from_slice(&stamp.transport_sequence.to_be_bytes());
        }
        if self.variable_id != 0 && source[VARIABLE] != 0 {
            out[VARIABLE] = self.variable_id << 4;
            out[VARIABLE + 1] = source[VARIABLE + 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> ExtMap {
        let mut ids = ExtMap::new();
        ids.set(ExtKind::Mid, 1);
        ids.set(ExtKind::AbsSendTime, 4);
        ids.set(ExtKind::TransportSequence, 5);
        ids.set(ExtKind::AudioLevel, 10);
        ids.set(ExtKind::VideoOrientation, 11);
        ids
    }

    /// One-byte extensions under ids 7 (level) and 3 (transport sequence), marker set, padding of two bytes.
    const INPUT: [u8; 29] = [
        0xb0,
        0x80 | 111,
        0x12,
        0x34,
        0,
        0,
        0,
        9,
        1,
        2,
        3,
        4,
        0xbe,
        0xde,
        0,
        2,
        0x70,
        0xaa,
        0x31,
        0x55,
        0x66,
        0,
        0,
        0,
        b'a',
        b'b',
        b'c',
        0,
        2,
    ];

    fn canonical(input: &[u8], own: &ExtMap) -> Vec<u8> {
        let view = RtpView::parse(input).expect("a valid packet");
        let mut out = [0; MAX_PACKET];
        let len = canonicalise(&mut out, &view, PayloadType(100), &own.read(&view)).expect("it fits");
        out[..len].to_vec()
    }

    #[test]
    fn a_producers_packet_takes_the_canonical_layout() {
        let mut own = ExtMap::new();
        own.set(ExtKind::AudioLevel, 7);
        own.set(ExtKind::TransportSequence, 3);
        let out = canonical(&INPUT, &own);
        let view = RtpView::parse(&out).expect("canonical packets are valid RTP");
        assert_eq!(
            (view.payload_type(), view.marker(), view.sequence()),
            (PayloadType(100), true, 0x1234)
        );
        assert_eq!((view.timestamp(), view.ssrc()), (9, Ssrc(0x0102_0304)));
        assert_eq!(audio_level(&out), Some(AudioLevel::from_byte(0xaa)));
        assert_eq!(audio_level(&canonical(&INPUT, &ExtMap::new())), None);
        assert_eq!(
            (view.header_len(), view.payload()),
            (HEADER, &b"abc"[..]),
            "padding is not carried over"
        );
    }

    #[test]
    fn a_consumers_header_carries_its_own_numbers() {
        let mut own = ExtMap::new();
        own.set(ExtKind::AudioLevel, 7);
        let source = canonical(&INPUT, &own);
        let mid = Mid::new(b"42").expect("a short MID");
        let template = HeaderTemplate::new(MediaKind::Audio, Ssrc(77), PayloadType(101), &mid, &ids());
        let mut out = source.clone();
        let stamp = Stamp {
            sequence: 5,
            timestamp: 6,
            marker: false,
            is_padded: false,
            abs_send_time: 0x00ab_cdef,
            transport_sequence: 0x0102,
        };
        template.write(&mut out, &source, stamp);
        let view = RtpView::parse(&out).expect("valid");
        let read = ids().read(&view);
        assert_eq!(
            (view.ssrc(), view.payload_type(), view.marker()),
            (Ssrc(77), PayloadType(101), false)
        );
        assert_eq!((view.sequence(), view.timestamp()), (5, 6));
        assert_eq!(read.mid, Some(mid));
        assert_eq!(read.abs_send_time, Some(0x00ab_cdef));
        assert_eq!(read.transport_sequence, Some(0x0102));
        assert_eq!(
            read.audio_level,
            Some(AudioLevel {
                voice: true,
                level: 0x2a
            })
        );
        assert_eq!(view.payload(), b"abc");
    }

    #[test]
    fn extensions_a_consumer_did_not_negotiate_are_padding() {
        let mut own = ExtMap::new();
        own.set(ExtKind::AudioLevel, 7);
        let source = canonical(&INPUT, &own);
        let mid = Mid::new(b"0").expect("a short MID");
        let template =
            HeaderTemplate::new(MediaKind::Audio, Ssrc(77), PayloadType(101), &mid, &ExtMap::new());
        let mut out = source.clone();
        let stamp = Stamp {
            sequence: 5,
            timestamp: 6,
            marker: false,
            is_padded: false,
            abs_send_time: 0xffff,
            transport_sequence: 0xffff,
        };
        template.write(&mut out, &source, stamp);
        let view = RtpView::parse(&out).expect("valid");
        let block = view
            .extension_block()
            .expect("the block stays, so that the layout does");
        assert!(block.data.iter().all(|byte| *byte == 0));
        assert!(!template.stamps_transport_sequence());
    }

    #[test]
    fn too_large_a_packet_is_refused() {
        let mut input = vec![0; MAX_PACKET];
        input[0] = 0x80;
        let view = RtpView::parse(&input).expect("valid");
        let mut out = [0; MAX_PACKET];
        assert_eq!(
            canonicalise(&mut out, &view, PayloadType(100), &ExtMap::new().read(&view)),
            None
        );
    }
}
