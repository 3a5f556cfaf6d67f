//! The outside of VP8 frames: payload descriptors (RFC 7741 §4.2) and frame headers (RFC 6386 §9.1).

/// Bytes of the descriptor that every packet has.
pub(crate) const DESCRIPTOR: usize = 6;
/// Bytes of a key frame's header, the longer of the two.
pub(crate) const KEY_HEADER: usize = 10;

/// What kind of frame it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Decodes without others; says how large the picture is.
    Key { width: u16, height: u16 },
    /// Needs others.
    Delta,
}

/// Where a frame stands in the sequence of its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// 15 bits.
    pub(crate) picture: u16,
    /// Counts frames of the base temporal layer.
    pub(crate) base: u8,
    /// Temporal layer, 0 to 2.
    pub(crate) temporal: u8,
    /// Whether it depends on the base layer alone.
    pub(crate) sync: bool,
}

/// Temporal layers in the order of L1T3, and which of them depend on the base layer alone.
const PATTERN: [(u8, bool); 4] = [(0, false), (2, true), (1, true), (2, false)];

/// The places of one layer's frames.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    picture: u16,
    base: u8,
    step: usize,
}

impl Sequence {
    pub(crate) const fn new(picture: u16, base: u8) -> Self {
        Self {
            picture: picture & 0x7FFF,
            base,
            step: 0,
        }
    }

    /// The place of the next frame; a key frame begins the pattern anew.
    pub(crate) fn next(&mut self, frame: Frame) -> Place {
        if frame != Frame::Delta {
            self.step = 0;
        }
        let (temporal, sync) = PATTERN[self.step % PATTERN.len()];
        self.step = (self.step + 1) % PATTERN.len();
        self.picture = (self.picture + 1) & 0x7FFF;
        if temporal == 0 {
            self.base = self.base.wrapping_add(1);
        }
        Place {
            picture: self.picture,
            base: self.base,
            temporal,
            sync,
        }
    }
}

/// Appends the descriptor of a packet, which is the frame's first or not.
pub(crate) fn descriptor(out: &mut Vec<u8>, place: Place, first: bool) {
    /// Extended, and start of the (only) partition.
    const EXTENDED: u8 = 0x80;
    const START: u8 = 0x10;
    /// Nothing refers to frames of the highest layer.
    const NON_REFERENCE: u8 = 0x20;
    /// Picture id, base layer's counter and temporal layer are present.
    const PRESENT: u8 = 0xE0;
    let start = if first { START } else { 0 };
    let free = if place.temporal == 2 { NON_REFERENCE } else { 0 };
    let [high, low] = place.picture.to_be_bytes();
    let layer = place.temporal << 6 | u8::from(place.sync) << 5;
    out.extend_from_slice(&[
        EXTENDED | free | start,
        PRESENT,
        0x80 | high,
        low,
        place.base,
        layer,
    ]);
}

/// Appends the header of a frame of `bytes` bytes.
pub(crate) fn header(out: &mut Vec<u8>, frame: Frame, bytes: usize) {
    /// The frame is shown.
    const SHOWN: u32 = 1 << 4;
    // About a tenth of a frame is its first partition; the field has 19 bits.
    let partition = (bytes / 10).min(0x7_FFFF) as u32;
    let delta = u32::from(frame == Frame::Delta);
    let [a, b, c, _] = (partition << 5 | SHOWN | delta).to_le_bytes();
    out.extend_from_slice(&[a, b, c]);
    if let Frame::Key { width, height } = frame {
        out.extend_from_slice(&[0x9D, 0x01, 0x2A]);
        out.extend_from_slice(&width.to_le_bytes());
        out.extend_from_slice(&height.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_those_of_rfc_7741() {
        let place = Place {
            picture: 0x1234,
            base: 0x56,
            temporal: 1,
            sync: true,
        };
        let mut out = Vec::new();
        descriptor(&mut out, place, true);
        assert_eq!(out, [0x90, 0xE0, 0x92, 0x34, 0x56, 0x60]);
        out.clear();
        let highest = Place {
            temporal: 2,
            sync: false,
            ..place
        };
        descriptor(&mut out, highest, false);
        assert_eq!(out, [0xA0, 0xE0, 0x92, 0x34, 0x56, 0x80]);
        assert_eq!(out.len(), DESCRIPTOR);
    }

    #[test]
    fn headers_are_those_of_rfc_6386() {
        let mut out = Vec::new();
        let key = Frame::Key {
            width: 1_280,
            height: 720,
        };
        header(&mut out, key, 10_000);
        assert_eq!(out.len(), KEY_HEADER);
        assert_eq!(out[0] & 1, 0, "a key frame");
        assert_eq!(out[3..], [0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02]);
        let tag = u32::from_le_bytes([out[0], out[1], out[2], 0]);
        assert_eq!((tag >> 4 & 1, tag >> 5), (1, 1_000));
        out.clear();
        header(&mut out, Frame::Delta, 1_000);
        assert_eq!((out.len(), out[0] & 1), (3, 1));
    }

    #[test]
    fn temporal_layers_follow_l1t3_and_begin_anew_with_a_key_frame() {
        let mut sequence = Sequence::new(0x7FFE, 255);
        let key = Frame::Key { width: 1, height: 1 };
        let frames = [
            key,
            Frame::Delta,
            Frame::Delta,
            Frame::Delta,
            Frame::Delta,
            Frame::Delta,
            key,
        ];
        let places: Vec<Place> = frames.into_iter().map(|frame| sequence.next(frame)).collect();
        let temporal: Vec<u8> = places.iter().map(|place| place.temporal).collect();
        assert_eq!(temporal, [0, 2, 1, 2, 0, 2, 0]);
        let pictures: Vec<u16> = places.iter().map(|place| place.picture).collect();
        assert_eq!(pictures, [0x7FFF, 0, 1, 2, 3, 4, 5], "fifteen bits");
        let bases: Vec<u8> = places.iter().map(|place| place.base).collect();
        assert_eq!(bases, [0, 0, 0, 0, 1, 1, 2], "eight bits");
        assert!(places[1].sync && places[2].sync && !places[3].sync);
    }
}
