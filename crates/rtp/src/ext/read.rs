//! Walk over the elements of a block, and the values in them.

use core::ops::Range;

use super::{AudioLevel, ExtBlock, ExtKind, ExtMap, Form, HeaderExtensions};
use crate::{Mid, Rid, RtpView};

/// The elements of an [`ExtBlock`] in order. A malformed element ends the walk.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    data: &'a [u8],
    data_offset: usize,
    position: usize,
    form: Option<Form>,
}

impl<'a> Elements<'a> {
    pub(super) const fn new(block: &ExtBlock<'a>) -> Self {
        Self {
            data: block.data,
            data_offset: block.data_offset,
            position: 0,
            form: block.form(),
        }
    }

    /// Identifier of the next element and where its data lies in the packet.
    pub fn next_range(&mut self) -> Option<(u8, Range<usize>)> {
        let (id, range) = self.advance()?;
        Some((id, self.data_offset + range.start..self.data_offset + range.end))
    }

    /// As [`Self::next_range`], but inside the block's data.
    fn advance(&mut self) -> Option<(u8, Range<usize>)> {
        let element = match self.form? {
            Form::OneByte => self.one_byte_header(),
            Form::TwoByte => self.two_byte_header(),
        };
        let Some((id, start, len)) = element.filter(|&(_, start, len)| start + len <= self.data.len()) else {
            self.form = None;
            return None;
        };
        self.position = start + len;
        Some((id, start..start + len))
    }

    /// Identifier, start and length of the next element (RFC 8285 §4.2).
    fn one_byte_header(&mut self) -> Option<(u8, usize, usize)> {
        while self.data.get(self.position) == Some(&0) {
            self.position += 1;
        }
        let header = *self.data.get(self.position)?;
        match header >> 4 {
            // Padding with a length, and the reserved 15: everything from here on is to be ignored.
            0 | 15 => None,
            id => Some((id, self.position + 1, usize::from(header & 0x0f) + 1)),
        }
    }

    /// Identifier, start and length of the next element (RFC 8285 §4.3).
    fn two_byte_header(&mut self) -> Option<(u8, usize, usize)> {
        while self.data.get(self.position) == Some(&0) {
            self.position += 1;
        }
        let id = *self.data.get(self.position)?;
        let len = *self.data.get(self.position + 1)?;
        Some((id, self.position + 2, usize::from(len)))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, range) = self.advance()?;
        Some((id, self.data.get(range)?))
    }
}

impl ExtMap {
    /// The values of the negotiated extensions in a packet. Unknown identifiers are skipped, values of the
    /// wrong length are left out, and a repeated element counts the last time it occurs.
    pub fn read(&self, packet: &RtpView<'_>) -> HeaderExtensions {
        let mut values = HeaderExtensions::default();
        let Some(block) = packet.extension_block() else {
            return values;
        };
        let bytes = packet.as_bytes();
        let mut elements = block.elements();
        while let Some((id, range)) = elements.next_range() {
            if let (Some(kind), Some(data)) = (self.kind(id), bytes.get(range.clone())) {
                values.take(kind, data, range);
            }
        }
        values
    }
}

impl HeaderExtensions {
    fn take(&mut self, kind: ExtKind, data: &[u8], range: Range<usize>) {
        match (kind, data) {
            (ExtKind::Mid, _) => self.mid = Mid::new(data).or(self.mid),
            (ExtKind::Rid, _) => self.rid = Rid::new(data).or(self.rid),
            (ExtKind::RepairedRid, _) => self.repaired_rid = Rid::new(data).or(self.repaired_rid),
            (ExtKind::AbsSendTime, &[a, b, c]) => {
                self.abs_send_time = Some(u32::from_be_bytes([0, a, b, c]));
            }
            // Version 2 of the extension appends a feedback request, which does not concern the number.
            (ExtKind::TransportSequence, &[high, low] | &[high, low, _, _]) => {
                self.transport_sequence = Some(u16::from_be_bytes([high, low]));
            }
            // RFC 6464 §3 allows a second byte of padding in the two-byte form.
            (ExtKind::AudioLevel, &[byte] | &[byte, 0]) => {
                self.audio_level = Some(AudioLevel::from_byte(byte));
            }
            (ExtKind::VideoOrientation, &[byte]) => self.video_orientation = Some(byte),
            (ExtKind::DependencyDescriptor, &[_, _, _, ..]) => self.dependency_descriptor = Some(range),
            _ => {}
        }
    }
}
