//! VP8 payload descriptor (RFC 7741 §4.2) and the one bit of the payload header that matters (§4.3).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     |X|R|N|S|R| PID |   S: start of a partition, PID: which
//! X:  |I|L|T|K|  RSV  |
//! I:  |M| PictureID   |   M: another byte of picture id follows
//! L:  |   TL0PICIDX   |
//! T/K:|TID|Y| KEYIDX  |   Y: depends on the base temporal layer only
//! ```

use super::{FrameInfo, PictureFields, PictureIds};

/// The descriptor in front of every VP8 payload.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Descriptor {
    /// The packet begins a partition (S).
    pub partition_start: bool,
    /// Partition index (PID), 0 holds the frame header.
    pub partition: u8,
    /// No other frame refers to this one (N).
    pub non_reference: bool,
    /// Picture numbering.
    pub picture: PictureIds,
    /// Temporal layer, 0 to 3; `None` if the stream does not say.
    pub temporal: Option<u8>,
    /// The frame depends on base layer frames only (Y).
    pub layer_sync: bool,
    /// Temporal key frame index, 5 bits.
    pub key_index: Option<u8>,
    /// The frame is a key frame; known only on its first packet.
    pub key: bool,
    /// Length of the descriptor.
    pub len: usize,
    /// Where its picture numbers lie.
    pub fields: PictureFields,
}

/// Reads the descriptor; `None` if it runs past the end of the payload.
pub fn parse(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let mut descriptor = Descriptor {
        partition_start: first & 0x10 != 0,
        partition: first & 0x07,
        non_reference: first & 0x20 != 0,
        len: 1,
        ..Descriptor::default()
    };
    if first & 0x80 != 0 {
        let present = *payload.get(1)?;
        descriptor.len = 2;
        descriptor.read_optional(payload, present)?;
    }
    if descriptor.is_frame_start() {
        // P, the inverse key frame flag, is the lowest bit of the payload header (RFC 7741 §4.3).
        descriptor.key = payload.get(descriptor.len).is_some_and(|byte| byte & 1 == 0);
    }
    Some(descriptor)
}

impl Descriptor {
    fn read_optional(&mut self, payload: &[u8], present: u8) -> Option<()> {
        if present & 0x80 != 0 {
            self.fields.picture_id = Some(self.len);
            let high = *payload.get(self.len)?;
            self.picture.long = high & 0x80 != 0;
            let mut id = u16::from(high & 0x7f);
            if self.picture.long {
                id = (id << 8) | u16::from(*payload.get(self.len + 1)?);
            }
            self.picture.picture_id = Some(id);
            self.len += 1 + usize::from(self.picture.long);
        }
        if present & 0x40 != 0 {
            self.fields.tl0_pic_idx = Some(self.len);
            self.picture.tl0_pic_idx = Some(*payload.get(self.len)?);
            self.len += 1;
        }
        if present & 0x30 != 0 {
            let byte = *payload.get(self.len)?;
            if present & 0x20 != 0 {
                self.temporal = Some(byte >> 6);
                self.layer_sync = byte & 0x20 != 0;
            }
            if present & 0x10 != 0 {
                self.key_index = Some(byte & 0x1f);
            }
            self.len += 1;
        }
        Some(())
    }

    /// The packet begins a frame.
    pub const fn is_frame_start(&self) -> bool {
        self.partition_start && self.partition == 0
    }

    pub(super) const fn frame_info(&self, marker: bool) -> FrameInfo {
        FrameInfo {
            key: self.key,
            start: self.is_frame_start(),
            end: marker,
            spatial: 0,
            temporal: match self.temporal {
                Some(temporal) => temporal,
                None => 0,
            },
            switch_up: self.layer_sync || self.key,
            inter_layer: false,
            inter_picture: false,
            picture: Some(self.picture),
        }
    }
}

#[cfg(test)]
mod tests;
