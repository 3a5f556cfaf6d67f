//! The RTP packet, checked once and then read or changed in place (RFC 3550 §5.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |                             SSRC                              |
//! |                   CSRC, CC times (0 to 15)                    |
//! |      profile (if X)           |  length in 32-bit words       |
//! |                     header extension data                     |
//! |                payload ... padding, padding length (if P)     |
//! ```

use core::fmt;
use core::ops::Range;

use crate::ext::ExtBlock;
use crate::patch::{self, FIXED_HEADER_LEN};
use crate::{PayloadType, Ssrc};

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RtpError {
    /// Shorter than the fixed header.
    TooShort,
    /// The version is not 2.
    Version,
    /// The CSRC list runs past the end.
    Csrc,
    /// The header extension runs past the end.
    Extension,
    /// The padding length is zero or larger than what follows the header.
    Padding,
}

impl fmt::Display for RtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "shorter than an RTP header",
            Self::Version => "RTP version is not 2",
            Self::Csrc => "CSRC list longer than the packet",
            Self::Extension => "header extension longer than the packet",
            Self::Padding => "padding length impossible",
        })
    }
}

impl core::error::Error for RtpError {}

/// Whether a packet on a multiplexed port is RTCP: its second byte is 192 to 223 (RFC 5761 §4).
/// Too short a slice is not.
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [_, 192..=223, ..])
}

/// Where the parts of a checked packet lie; the fixed header apart, so that reads need no further check.
#[derive(Clone, Copy, Debug)]
struct Layout {
    fixed: [u8; FIXED_HEADER_LEN],
    csrc_end: usize,
    header_len: usize,
    padding_len: usize,
}

impl Layout {
    fn check(bytes: &[u8]) -> Result<Self, RtpError> {
        let fixed = *bytes
            .first_chunk::<FIXED_HEADER_LEN>()
            .ok_or(RtpError::TooShort)?;
        if fixed[0] >> 6 != 2 {
            return Err(RtpError::Version);
        }
        let csrc_end = FIXED_HEADER_LEN + usize::from(fixed[0] & 0x0f) * 4;
        if csrc_end > bytes.len() {
            return Err(RtpError::Csrc);
        }
        let mut header_len = csrc_end;
        if fixed[0] & 0x10 != 0 {
            let Some(&[_, _, high, low]) = bytes.get(csrc_end..csrc_end + 4) else {
                return Err(RtpError::Extension);
            };
            header_len += 4 + usize::from(u16::from_be_bytes([high, low])) * 4;
            if header_len > bytes.len() {
                return Err(RtpError::Extension);
            }
        }
        let mut padding_len = 0;
        if fixed[0] & 0x20 != 0 {
            padding_len = bytes.last().copied().map_or(0, usize::from);
            if padding_len == 0 || padding_len > bytes.len() - header_len {
                return Err(RtpError::Padding);
            }
        }
        Ok(Self {
            fixed,
            csrc_end,
            header_len,
            padding_len,
        })
    }
}

/// A valid RTP packet, borrowed.
#[derive(Clone, Copy)]
pub struct RtpView<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

impl<'a> RtpView<'a> {
    /// Checks every length in the packet.
    ///
    /// # Errors
    /// The first thing wrong, in the order of the packet. What the extension block holds is not looked at.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RtpError> {
        Ok(Self {
            bytes,
            layout: Layout::check(bytes)?,
        })
    }

    /// The whole packet.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Seven bits that name the format of the payload.
    pub fn payload_type(&self) -> PayloadType {
        PayloadType(self.layout.fixed[1] & 0x7f)
    }

    /// The marker bit; for video, the last packet of a frame.
    pub fn marker(&self) -> bool {
        self.layout.fixed[1] & 0x80 != 0
    }

    /// The sequence number as sent.
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.layout.fixed[2], self.layout.fixed[3]])
    }

    /// The timestamp as sent, in units of the payload type's clock rate.
    pub fn timestamp(&self) -> u32 {
        let [_, _, _, _, a, b, c, d, ..] = self.layout.fixed;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The stream the packet belongs to.
    pub fn ssrc(&self) -> Ssrc {
        let [.., a, b, c, d] = self.layout.fixed;
        Ssrc(u32::from_be_bytes([a, b, c, d]))
    }

    /// Number of contributing sources, `0..=15`.
    pub fn csrc_count(&self) -> u8 {
        self.layout.fixed[0] & 0x0f
    }

    /// Whether an extension block follows the CSRC list.
    pub fn has_extension(&self) -> bool {
        self.layout.fixed[0] & 0x10 != 0
    }

    /// Bytes before the payload: fixed header, CSRC list and extension block.
    pub fn header_len(&self) -> usize {
        self.layout.header_len
    }

    /// Bytes of padding at the end, its length byte included; zero without padding.
    pub fn padding_len(&self) -> usize {
        self.layout.padding_len
    }

    /// Where the payload lies in the packet, padding excluded.
    pub fn payload_range(&self) -> Range<usize> {
        self.layout.header_len..self.bytes.len() - self.layout.padding_len
    }

    /// The payload, padding excluded.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.payload_range()).unwrap_or_default()
    }

    /// The header extension block, `None` without one.
    pub fn extension_block(&self) -> Option<ExtBlock<'a>> {
        if !self.has_extension() {
            return None;
        }
        let data_offset = self.layout.csrc_end + 4;
        let profile = self.bytes.get(self.layout.csrc_end..)?.first_chunk().copied()?;
        let data = self.bytes.get(data_offset..self.layout.header_len)?;
        Some(ExtBlock {
            profile: u16::from_be_bytes(profile),
            data,
            data_offset,
        })
    }
}

impl fmt::Debug for RtpView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpView")
            .field("ssrc", &self.ssrc())
            .field("payload_type", &self.payload_type())
            .field("sequence", &self.sequence())
            .field("timestamp", &self.timestamp())
            .field("marker", &self.marker())
            .field("payload", &self.payload_range())
            .finish_non_exhaustive()
    }
}

/// A valid RTP packet, borrowed for changing. Nothing here changes a length.
pub struct RtpViewMut<'a> {
    bytes: &'a mut [u8],
    layout: Layout,
}

impl<'a> RtpViewMut<'a> {
    /// As [`RtpView::parse`].
    ///
    /// # Errors
    /// As [`RtpView::parse`].
    pub fn parse(bytes: &'a mut [u8]) -> Result<Self, RtpError> {
        let layout = Layout::check(bytes)?;
        Ok(Self { bytes, layout })
    }

    /// The packet for reading, with the changes made so far.
    pub fn view(&self) -> RtpView<'_> {
        let fixed = self.bytes.first_chunk().copied().unwrap_or(self.layout.fixed);
        RtpView {
            bytes: self.bytes,
            layout: Layout { fixed, ..self.layout },
        }
    }

    /// Replaces the payload type and keeps the marker.
    pub fn set_payload_type(&mut self, payload_type: PayloadType) {
        patch::payload_type(self.bytes, payload_type);
    }

    /// Sets or clears the marker.
    pub fn set_marker(&mut self, marker: bool) {
        patch::marker(self.bytes, marker);
    }

    /// Replaces the sequence number.
    pub fn set_sequence(&mut self, sequence: u16) {
        patch::sequence(self.bytes, sequence);
    }

    /// Replaces the timestamp.
    pub fn set_timestamp(&mut self, timestamp: u32) {
        patch::timestamp(self.bytes, timestamp);
    }

    /// Replaces the SSRC.
    pub fn set_ssrc(&mut self, ssrc: Ssrc) {
        patch::ssrc(self.bytes, ssrc);
    }

    /// The payload, padding excluded.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        let end = self.bytes.len() - self.layout.padding_len;
        self.bytes
            .get_mut(self.layout.header_len..end)
            .unwrap_or_default()
    }

    /// The buffer back, with the changes.
    pub fn into_bytes(self) -> &'a mut [u8] {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
