//! RTP header extensions: names, numbers, elements and their values (RFC 8285).
//!
//! [`ExtMap`] is what one transport negotiated; [`ExtMap::read`] takes the values out of a packet;
//! [`ExtWriter`] builds a new block. Neither looks at SDP.

mod read;
mod writer;

use core::ops::Range;

use crate::{Mid, Rid};

pub use read::Elements;
pub use writer::{ExtFull, ExtWriter};

/// Profile of a block of one-byte-header elements (RFC 8285 §4.2).
pub const ONE_BYTE_PROFILE: u16 = 0xbede;

/// Profile of a block of two-byte-header elements, with zero "appbits" (RFC 8285 §4.3).
pub const TWO_BYTE_PROFILE: u16 = 0x1000;

/// How elements are framed: identifiers 1 to 14 and 1 to 16 bytes, or 1 to 255 and 0 to 255 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// One byte of header per element (RFC 8285 §4.2).
    OneByte,
    /// Two bytes of header per element (RFC 8285 §4.3).
    TwoByte,
}

/// The header extensions this system knows by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ExtKind {
    /// Media identification (RFC 9143).
    Mid,
    /// Name of a simulcast encoding (RFC 8852).
    Rid,
    /// Name of the encoding a retransmission repairs (RFC 8852).
    RepairedRid,
    /// Departure time from the sender, 24 bits of 6.18 fixed-point seconds.
    AbsSendTime,
    /// Transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions).
    TransportSequence,
    /// Client-to-mixer audio level (RFC 6464).
    AudioLevel,
    /// Coordination of video orientation (3GPP TS 26.114 §7.4.5).
    VideoOrientation,
    /// AV1 dependency descriptor (AV1 RTP specification, appendix A); also used with VP8, VP9 and H.264.
    DependencyDescriptor,
    /// Limits for the receiver's playout delay.
    PlayoutDelay,
    /// Capture time of the frame at its origin.
    AbsCaptureTime,
    /// Target bitrates and sizes of a sender's layers.
    VideoLayersAllocation,
}

impl ExtKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 11] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::AbsSendTime,
        Self::TransportSequence,
        Self::AudioLevel,
        Self::VideoOrientation,
        Self::DependencyDescriptor,
        Self::PlayoutDelay,
        Self::AbsCaptureTime,
        Self::VideoLayersAllocation,
    ];

    /// The URI that names the extension in signalling.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::TransportSequence => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::AbsCaptureTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
            Self::VideoLayersAllocation => {
                "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
            }
        }
    }

    /// The kind a URI names; `None` for one that is not known here.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.uri() == uri)
    }
}

/// Which identifier stands for which extension on one transport.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ExtMap {
    /// By kind; zero is "not negotiated", because no element has the identifier zero.
    ids: [u8; ExtKind::ALL.len()],
}

impl ExtMap {
    /// Nothing negotiated.
    pub const fn new() -> Self {
        Self {
            ids: [0; ExtKind::ALL.len()],
        }
    }

    /// Binds `kind` to `id`: 1 to 14 in the one-byte form, 1 to 255 in the two-byte form. Zero unbinds.
    /// An identifier means one thing only: whatever had it before is unbound.
    pub fn set(&mut self, kind: ExtKind, id: u8) {
        if let Some(previous) = self.kind(id) {
            self.ids[previous as usize] = 0;
        }
        self.ids[kind as usize] = id;
    }

    /// The identifier of `kind`, `None` if not negotiated.
    pub const fn id(&self, kind: ExtKind) -> Option<u8> {
        match self.ids[kind as usize] {
            0 => None,
            id => Some(id),
        }
    }

    /// The kind an identifier stands for.
    pub fn kind(&self, id: u8) -> Option<ExtKind> {
        if id == 0 {
            return None;
        }
        ExtKind::ALL
            .into_iter()
            .find(|&kind| self.ids[kind as usize] == id)
    }
}

/// Loudness of the audio in a packet (RFC 6464).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AudioLevel {
    /// The sender believes that somebody speaks.
    pub voice: bool,
    /// Level below overload, -dBov: 0 is the loudest, 127 is silence.
    pub level: u8,
}

impl AudioLevel {
    /// From the element's only byte.
    pub const fn from_byte(byte: u8) -> Self {
        Self {
            voice: byte & 0x80 != 0,
            level: byte & 0x7f,
        }
    }

    /// The element's only byte.
    pub const fn to_byte(self) -> u8 {
        ((self.voice as u8) << 7) | (self.level & 0x7f)
    }
}

/// The extension values of one packet that a forwarder acts on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HeaderExtensions {
    /// Media section of the packet.
    pub mid: Option<Mid>,
    /// Encoding of the packet.
    pub rid: Option<Rid>,
    /// Encoding that a retransmission repairs.
    pub repaired_rid: Option<Rid>,
    /// Departure time at the sender, 6.18 fixed-point seconds (24 bits, wraps every 64 s).
    pub abs_send_time: Option<u32>,
    /// Transport-wide sequence number.
    pub transport_sequence: Option<u16>,
    /// Loudness.
    pub audio_level: Option<AudioLevel>,
    /// The orientation byte as sent.
    pub video_orientation: Option<u8>,
    /// Where the dependency descriptor lies in the packet.
    pub dependency_descriptor: Option<Range<usize>>,
}

/// A header extension block as it stands in a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtBlock<'a> {
    /// "Defined by profile": says which form the elements have.
    pub profile: u16,
    /// The elements and their padding, without the four-byte block header.
    pub data: &'a [u8],
    /// Where `data` begins in the packet.
    pub data_offset: usize,
}

impl<'a> ExtBlock<'a> {
    /// How the elements are framed; `None` for a profile that RFC 8285 does not define.
    pub const fn form(&self) -> Option<Form> {
        match self.profile {
            ONE_BYTE_PROFILE => Some(Form::OneByte),
            // The low four bits are "appbits", which receivers ignore (RFC 8285 §4.3).
            profile if profile & 0xfff0 == TWO_BYTE_PROFILE => Some(Form::TwoByte),
            _ => None,
        }
    }

    /// The elements in order; none for an unknown profile.
    pub const fn elements(&self) -> Elements<'a> {
        Elements::new(self)
    }
}

#[cfg(test)]
mod tests;
