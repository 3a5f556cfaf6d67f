//! What a payload says about the video frame it carries a part of, without decoding it.
//!
//! [`FrameReader`] gives one answer for every codec; the modules beneath read each payload format.

pub mod av1;
mod bits;
pub mod dependency_descriptor;
pub mod h264;
pub mod opus;
pub mod vp8;
pub mod vp9;

use dependency_descriptor::DescriptorReader;
use h264::AccessUnits;

/// The codecs whose payload format is understood.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CodecKind {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 6184, packetization modes 0 and 1.
    H264,
    /// RFC 9628.
    Vp9,
    /// AV1 RTP specification.
    Av1,
    /// Anything else: a frame is what the marker delimits, and each is taken to stand alone.
    Other,
}

/// Picture numbering of VP8 and VP9, which a forwarder keeps continuous when it leaves frames out.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PictureIds {
    /// Number of the picture, 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// Whether the picture id has 15 bits.
    pub long: bool,
    /// Running number of base temporal layer pictures.
    pub tl0_pic_idx: Option<u8>,
}

/// What one packet says about its frame.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FrameInfo {
    /// Decoding can start with this packet's frame; set on the frame's first packet only.
    pub key: bool,
    /// First packet of a frame; with spatial layers, of the frame of this layer.
    pub start: bool,
    /// Last packet of a frame; with spatial layers, of the frame of this layer.
    pub end: bool,
    /// Spatial layer, 0 is the base.
    pub spatial: u8,
    /// Temporal layer, 0 is the base.
    pub temporal: u8,
    /// A receiver that has had only lower temporal layers may be given this layer from this frame on.
    pub switch_up: bool,
    /// The frame refers to a lower spatial layer of the same picture.
    pub inter_layer: bool,
    /// The frame refers to earlier pictures. A spatial layer may be switched to where this is clear and
    /// its lower layers have been received. Known for VP9 and with a dependency descriptor.
    pub inter_picture: bool,
    /// Picture numbering, for codecs that have one.
    pub picture: Option<PictureIds>,
}

/// Reads [`FrameInfo`] out of the packets of one stream. Packets should come in order; those that do not
/// are still answered, the boundaries of frames then being less certain for H.264 and unknown codecs.
#[derive(Clone, Debug)]
pub struct FrameReader {
    codec: CodecKind,
    /// The previous packet ended a picture, so the next one begins one.
    between_frames: bool,
    access_units: AccessUnits,
    descriptors: DescriptorReader,
}

impl FrameReader {
    /// A reader that has seen nothing yet.
    pub fn new(codec: CodecKind) -> Self {
        Self {
            codec,
            between_frames: true,
            access_units: AccessUnits::default(),
            descriptors: DescriptorReader::default(),
        }
    }

    /// The codec given to [`Self::new`].
    pub fn codec(&self) -> CodecKind {
        self.codec
    }

    /// What the packet says. `dd` is the dependency descriptor, if the packet has one; it is believed over
    /// the payload for AV1 and H.264, whose payloads tell less. A malformed payload yields the defaults
    /// with start and end after the marker; an empty one (padding) changes nothing.
    pub fn read(&mut self, payload: &[u8], marker: bool, dd: Option<&[u8]>) -> FrameInfo {
        if payload.is_empty() {
            return FrameInfo {
                end: marker,
                ..FrameInfo::default()
            };
        }
        let first = core::mem::replace(&mut self.between_frames, marker);
        let unknown = FrameInfo {
            start: first,
            end: marker,
            ..FrameInfo::default()
        };
        let read = match self.codec {
            CodecKind::Opus => Some(FrameInfo {
                key: true,
                start: true,
                end: true,
                ..unknown
            }),
            CodecKind::Vp8 => vp8::parse(payload).map(|d| d.frame_info(marker)),
            CodecKind::Vp9 => vp9::parse(payload).map(|d| d.frame_info()),
            CodecKind::H264 => {
                let frame = self
                    .access_units
                    .read(payload, first)
                    .map(|info| FrameInfo { end: marker, ..info });
                self.described(dd).or(frame)
            }
            CodecKind::Av1 => self.described(dd).or_else(|| {
                av1::parse(payload).map(|a| FrameInfo {
                    end: marker,
                    ..a.frame_info(first)
                })
            }),
            CodecKind::Other => Some(FrameInfo {
                key: first,
                ..unknown
            }),
        };
        read.unwrap_or(unknown)
    }

    fn described(&mut self, dd: Option<&[u8]>) -> Option<FrameInfo> {
        self.descriptors
            .read(dd?)
            .map(|descriptor| descriptor.frame_info())
    }
}

/// Where a VP8 or VP9 descriptor has its picture numbers, so that they can be replaced without reading it again.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PictureFields {
    picture_id: Option<usize>,
    tl0_pic_idx: Option<usize>,
}

impl PictureFields {
    /// Replaces picture id and TL0PICIDX in the payload they were found in, each only if the descriptor has one. The
    /// picture id keeps its size of 7 or 15 bits. Returns whether there was a picture id.
    pub fn write(&self, payload: &mut [u8], picture_id: u16, tl0_pic_idx: u8) -> bool {
        if let Some(byte) = self.tl0_pic_idx.and_then(|at| payload.get_mut(at)) {
            *byte = tl0_pic_idx;
        }
        let [high, low] = picture_id.to_be_bytes();
        // The field's first bit says that it has 15 bits instead of 7; both codecs share the layout.
        match self.picture_id.and_then(|at| payload.get_mut(at..)) {
            Some([first, second, ..]) if *first & 0x80 != 0 => {
                *first = 0x80 | high;
                *second = low;
                true
            }
            Some([first, ..]) if *first & 0x80 == 0 => {
                *first = low & 0x7f;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
