//! VP9 payload descriptor (RFC 9628 §4.2).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     |I|P|L|F|B|E|V|Z|
//! I:  |M| PICTURE ID  |   M: another byte of picture id follows
//! L:  | TID |U| SID |D|
//!     |   TL0PICIDX   |   only without F
//! P,F:|   P_DIFF    |N|   up to three, N: another follows
//! V:  | scalability structure ..., §4.2.1
//! ```

use super::{FrameInfo, PictureFields, PictureIds};

/// Layer of the frame a packet belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Layer {
    /// Temporal layer (TID).
    pub temporal: u8,
    /// Switching up point (U).
    pub switch_up: bool,
    /// Spatial layer (SID).
    pub spatial: u8,
    /// The frame refers to the next lower spatial layer of its picture (D).
    pub inter_layer: bool,
}

/// What is kept of a scalability structure.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Structure {
    /// Number of spatial layers, 1 to 8.
    pub spatial_layers: u8,
    /// Pictures in the announced group, 0 if none is announced.
    pub pictures: u8,
}

/// The descriptor in front of every VP9 payload.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Descriptor {
    /// The frame refers to earlier pictures (P).
    pub inter_picture: bool,
    /// Flexible mode: references are given per frame (F).
    pub flexible: bool,
    /// First packet of the layer's frame (B).
    pub start: bool,
    /// Last packet of the layer's frame (E).
    pub end: bool,
    /// The frame is not used by higher spatial layers (Z).
    pub not_reference: bool,
    /// Picture numbering; TL0PICIDX exists outside the flexible mode only.
    pub picture: PictureIds,
    /// Layer indices; `None` for a stream without layers.
    pub layer: Option<Layer>,
    /// Scalability structure, on key pictures.
    pub structure: Option<Structure>,
    /// Length of the descriptor.
    pub len: usize,
    /// Where its picture numbers lie.
    pub fields: PictureFields,
}

/// Reads the descriptor; `None` if it runs past the end of the payload or names more references than
/// the format allows.
pub fn parse(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let mut descriptor = Descriptor {
        inter_picture: first & 0x40 != 0,
        flexible: first & 0x10 != 0,
        start: first & 0x08 != 0,
        end: first & 0x04 != 0,
        not_reference: first & 0x01 != 0,
        len: 1,
        ..Descriptor::default()
    };
    if first & 0x80 != 0 {
        descriptor.read_picture_id(payload)?;
    }
    if first & 0x20 != 0 {
        descriptor.read_layer(payload)?;
    }
    if descriptor.flexible && descriptor.inter_picture {
        descriptor.skip_references(payload)?;
    }
    if first & 0x02 != 0 {
        descriptor.read_structure(payload)?;
    }
    Some(descriptor)
}

impl Descriptor {
    fn take(&mut self, payload: &[u8]) -> Option<u8> {
        let byte = *payload.get(self.len)?;
        self.len += 1;
        Some(byte)
    }

    fn read_picture_id(&mut self, payload: &[u8]) -> Option<()> {
        self.fields.picture_id = Some(self.len);
        let high = self.take(payload)?;
        self.picture.long = high & 0x80 != 0;
        let mut id = u16::from(high & 0x7f);
        if self.picture.long {
            id = (id << 8) | u16::from(self.take(payload)?);
        }
        self.picture.picture_id = Some(id);
        Some(())
    }

    fn read_layer(&mut self, payload: &[u8]) -> Option<()> {
        let byte = self.take(payload)?;
        self.layer = Some(Layer {
            temporal: byte >> 5,
            switch_up: byte & 0x10 != 0,
            spatial: (byte >> 1) & 0x07,
            inter_layer: byte & 0x01 != 0,
        });
        if !self.flexible {
            self.fields.tl0_pic_idx = Some(self.len);
            self.picture.tl0_pic_idx = Some(self.take(payload)?);
        }
        Some(())
    }

    fn skip_references(&mut self, payload: &[u8]) -> Option<()> {
        for _ in 0..3 {
            if self.take(payload)? & 0x01 == 0 {
                return Some(());
            }
        }
        None
    }

    fn read_structure(&mut self, payload: &[u8]) -> Option<()> {
        let head = self.take(payload)?;
        let mut structure = Structure {
            spatial_layers: (head >> 5) + 1,
            pictures: 0,
        };
        if head & 0x10 != 0 {
            // Width and height of every spatial layer, 16 bits each.
            self.len += usize::from(structure.spatial_layers) * 4;
        }
        if head & 0x08 != 0 {
            structure.pictures = self.take(payload)?;
            for _ in 0..structure.pictures {
                let references = (self.take(payload)? >> 2) & 0x03;
                self.len += usize::from(references);
            }
        }
        self.structure = Some(structure);
        (self.len <= payload.len()).then_some(())
    }

    pub(super) fn frame_info(&self) -> FrameInfo {
        let layer = self.layer.unwrap_or_default();
        let independent = !self.inter_picture && !layer.inter_layer;
        FrameInfo {
            key: self.start && independent,
            start: self.start,
            end: self.end,
            spatial: layer.spatial,
            temporal: layer.temporal,
            switch_up: layer.switch_up || independent,
            inter_layer: layer.inter_layer,
            inter_picture: self.inter_picture,
            picture: Some(self.picture),
        }
    }
}

#[cfg(test)]
mod tests;
