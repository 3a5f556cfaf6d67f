//! AV1 aggregation header (AV1 RTP specification §4.4) and the layer of the first OBU, for streams without
//! a [dependency descriptor](super::dependency_descriptor).
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! |Z|Y| W |N|-|-|-|
//! ```

use super::FrameInfo;

/// The first byte of every AV1 payload, and the layer where it is to be had cheaply.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Aggregation {
    /// The first OBU continues one of the previous packet (Z).
    pub continues_previous: bool,
    /// The last OBU goes on in the next packet (Y).
    pub continued_in_next: bool,
    /// Number of OBU elements, 1 to 3; `None` if each has a length instead (W).
    pub elements: Option<u8>,
    /// First packet of a coded video sequence (N): decoding can start here.
    pub new_sequence: bool,
    /// Temporal and spatial layer in the extension header of the first OBU, if it begins here and has one.
    pub layer: Option<Layer>,
}

/// Layer of an OBU (AV1 specification §5.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Layer {
    /// Temporal layer, 0 to 7.
    pub temporal: u8,
    /// Spatial layer, 0 to 3.
    pub spatial: u8,
}

/// Reads the header; `None` for an empty payload, or a new sequence that begins in the middle of an OBU,
/// which the format forbids.
pub fn parse(payload: &[u8]) -> Option<Aggregation> {
    let (&header, rest) = payload.split_first()?;
    let mut aggregation = Aggregation {
        continues_previous: header & 0x80 != 0,
        continued_in_next: header & 0x40 != 0,
        elements: match (header >> 4) & 0x03 {
            0 => None,
            count => Some(count),
        },
        new_sequence: header & 0x08 != 0,
        layer: None,
    };
    if aggregation.new_sequence && aggregation.continues_previous {
        return None;
    }
    if !aggregation.continues_previous {
        aggregation.layer = layer(rest, aggregation.elements);
    }
    Some(aggregation)
}

/// The layer of the first OBU. Temporal delimiters are not sent over RTP, so the first OBU of a frame is a
/// sequence header or a frame, and either has the extension if the stream has layers.
fn layer(elements: &[u8], count: Option<u8>) -> Option<Layer> {
    let obu = if count == Some(1) {
        elements
    } else {
        skip_leb128(elements)?
    };
    let &[header, extension, ..] = obu else {
        return None;
    };
    (header & 0x04 != 0).then_some(Layer {
        temporal: extension >> 5,
        spatial: (extension >> 3) & 0x03,
    })
}

/// What follows a number in LEB128, which has at most eight bytes (AV1 specification §4.10.5).
fn skip_leb128(bytes: &[u8]) -> Option<&[u8]> {
    let len = bytes.iter().take(8).position(|byte| byte & 0x80 == 0)? + 1;
    bytes.get(len..)
}

impl Aggregation {
    pub(super) fn frame_info(&self, first: bool) -> FrameInfo {
        let layer = self.layer.unwrap_or_default();
        FrameInfo {
            key: self.new_sequence,
            start: self.new_sequence || (first && !self.continues_previous),
            spatial: layer.spatial,
            temporal: layer.temporal,
            switch_up: self.new_sequence,
            ..FrameInfo::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let rows: [(&[u8], Option<Aggregation>); 8] = [
            (&[], None),
            (
                &[0x18, 0x0a, 0x01],
                Some(Aggregation {
                    elements: Some(1),
                    new_sequence: true,
                    ..Aggregation::default()
                }),
            ),
            (
                &[0x90, 0xff],
                Some(Aggregation {
                    continues_previous: true,
                    elements: Some(1),
                    ..Aggregation::default()
                }),
            ),
            (&[0x88, 0xff], None),
            (
                &[0x50, 0x34, 0x48],
                Some(Aggregation {
                    continued_in_next: true,
                    elements: Some(1),
                    layer: Some(Layer {
                        temporal: 2,
                        spatial: 1,
                    }),
                    ..Aggregation::default()
                }),
            ),
            (
                &[0x20, 0x02, 0x34, 0x20, 0x30],
                Some(Aggregation {
                    elements: Some(2),
                    layer: Some(Layer {
                        temporal: 1,
                        spatial: 0,
                    }),
                    ..Aggregation::default()
                }),
            ),
            (
                &[0x00, 0x82, 0x01, 0x34, 0x20],
                Some(Aggregation {
                    layer: Some(Layer {
                        temporal: 1,
                        spatial: 0,
                    }),
                    ..Aggregation::default()
                }),
            ),
            (&[0x00, 0x80, 0x80], Some(Aggregation::default())),
        ];
        for (payload, expected) in rows {
            assert_eq!(parse(payload), expected, "{payload:02x?}");
        }
    }
}
