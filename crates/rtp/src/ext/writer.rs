//! Building an extension block in a caller's buffer.

use core::fmt;

use super::{Form, ONE_BYTE_PROFILE, TWO_BYTE_PROFILE};

/// The element does not go into the block: no room left, or an identifier or length that the form
/// cannot express.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtFull;

impl fmt::Display for ExtFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("element does not fit the header extension block")
    }
}

impl core::error::Error for ExtFull {}

/// Writes a block: four bytes of header, the elements, zeros up to a multiple of four.
///
/// Setting the X bit of the RTP header is up to the caller, as is leaving the block out when
/// [`ExtWriter::is_empty`].
pub struct ExtWriter<'a> {
    buffer: &'a mut [u8],
    form: Form,
    position: usize,
    limit: usize,
}

/// Four bytes in front of the elements: profile and length.
const BLOCK_HEADER_LEN: usize = 4;

impl<'a> ExtWriter<'a> {
    /// `buffer` begins where the block shall begin, that is right after the CSRC list; what it holds is
    /// overwritten.
    pub fn new(buffer: &'a mut [u8], form: Form) -> Self {
        let largest = BLOCK_HEADER_LEN + usize::from(u16::MAX) * 4;
        let limit = buffer.len().min(largest) & !3;
        Self {
            buffer,
            form,
            position: BLOCK_HEADER_LEN,
            limit,
        }
    }

    /// Appends an element and returns where its data lies, counted from the start of the buffer.
    ///
    /// # Errors
    /// [`ExtFull`] leaves the block as it was.
    pub fn push(&mut self, id: u8, data: &[u8]) -> Result<usize, ExtFull> {
        let (header, header_len) = element_header(self.form, id, data.len()).ok_or(ExtFull)?;
        let start = self.position + header_len;
        let end = start + data.len();
        if end > self.limit {
            return Err(ExtFull);
        }
        let element = self.buffer.get_mut(self.position..end).ok_or(ExtFull)?;
        let (head, body) = element.split_at_mut(header_len);
        head.copy_from_slice(header.get(..header_len).ok_or(ExtFull)?);
        body.copy_from_slice(data);
        self.position = end;
        Ok(start)
    }

    /// Whether nothing has been pushed.
    pub fn is_empty(&self) -> bool {
        self.position == BLOCK_HEADER_LEN
    }

    /// Writes header and padding. Returns the length of the whole block, a multiple of four; zero if the
    /// buffer cannot even hold the block header.
    pub fn finish(self) -> usize {
        let end = self.position.next_multiple_of(4);
        let profile = match self.form {
            Form::OneByte => ONE_BYTE_PROFILE,
            Form::TwoByte => TWO_BYTE_PROFILE,
        };
        let words = ((end - BLOCK_HEADER_LEN) / 4) as u16;
        let Some(block) = self.buffer.get_mut(..end) else {
            return 0;
        };
        let (head, elements) = block.split_at_mut(BLOCK_HEADER_LEN);
        head[..2].copy_from_slice(&profile.to_be_bytes());
        head[2..].copy_from_slice(&words.to_be_bytes());
        if let Some(padding) = elements.get_mut(self.position - BLOCK_HEADER_LEN..) {
            padding.fill(0);
        }
        end
    }
}

/// The header of an element and its length, `None` if the form has no such element.
fn element_header(form: Form, id: u8, len: usize) -> Option<([u8; 2], usize)> {
    match (form, id, len) {
        (Form::OneByte, 1..=14, 1..=16) => Some(([(id << 4) | (len as u8 - 1), 0], 1)),
        (Form::TwoByte, 1..=255, 0..=255) => Some(([id, len as u8], 2)),
        _ => None,
    }
}
