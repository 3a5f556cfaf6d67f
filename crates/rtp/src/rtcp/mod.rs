//! RTCP: a compound packet read by borrowing (RFC 3550 §6, 4585, 5104, 3611), and written into a caller's
//! buffer by [`mod@write`].
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P| count/FMT |  packet type  | length in words, less one  |
//! ```

mod feedback;
mod report;
mod twcc;
pub mod write;
mod xr;

use core::fmt;

use crate::Ssrc;

pub use feedback::{Fir, Nack, Remb};
pub use report::{Bye, NtpTime, ReceiverReport, ReportBlock, Sdes, SenderReport};
pub use twcc::TwccFeedback;
pub use write::{SenderInfo, TwccReport};
pub use xr::{DlrrBlock, XrDlrr};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
/// Transport-layer feedback, RTPFB (RFC 4585 §6.2).
const TRANSPORT_FEEDBACK: u8 = 205;
/// Payload-specific feedback, PSFB (RFC 4585 §6.3).
const PAYLOAD_FEEDBACK: u8 = 206;
const EXTENDED_REPORT: u8 = 207;

const FMT_NACK: u8 = 1;
const FMT_TRANSPORT_CC: u8 = 15;
const FMT_PLI: u8 = 1;
const FMT_FIR: u8 = 4;
const FMT_APPLICATION: u8 = 15;

/// Why bytes are not RTCP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RtcpError {
    /// Fewer than four bytes are left.
    TooShort,
    /// The version is not 2.
    Version,
    /// A packet runs past the end.
    Length,
    /// The padding length is impossible.
    Padding,
    /// What a packet of this type holds contradicts its length.
    Content {
        /// The packet type.
        packet_type: u8,
    },
}

impl fmt::Display for RtcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("shorter than an RTCP header"),
            Self::Version => f.write_str("RTCP version is not 2"),
            Self::Length => f.write_str("RTCP length past the end"),
            Self::Padding => f.write_str("RTCP padding length impossible"),
            Self::Content { packet_type } => write!(f, "malformed RTCP packet of type {packet_type}"),
        }
    }
}

impl core::error::Error for RtcpError {}

/// One RTCP packet, or one block of an extended report.
#[derive(Clone, Debug)]
pub enum RtcpPacket<'a> {
    /// RFC 3550 §6.4.1.
    SenderReport(SenderReport<'a>),
    /// RFC 3550 §6.4.2.
    ReceiverReport(ReceiverReport<'a>),
    /// RFC 3550 §6.5.
    Sdes(Sdes<'a>),
    /// RFC 3550 §6.6.
    Bye(Bye<'a>),
    /// Packets reported lost (RFC 4585 §6.2.1).
    Nack(Nack<'a>),
    /// Picture loss indication: a key frame is wanted (RFC 4585 §6.3.1).
    Pli {
        /// Who asks.
        sender: Ssrc,
        /// The stream that shall have a key frame.
        media: Ssrc,
    },
    /// Full intra request (RFC 5104 §4.3.1).
    Fir(Fir<'a>),
    /// Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb).
    Remb(Remb<'a>),
    /// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
    Twcc(TwccFeedback<'a>),
    /// Receiver reference time (RFC 3611 §4.4).
    XrRrtr {
        /// Who reports.
        sender: Ssrc,
        /// Its clock.
        ntp: NtpTime,
    },
    /// Delay since the last receiver reference time (RFC 3611 §4.5).
    XrDlrr(XrDlrr<'a>),
    /// A packet, or block of an extended report, that is not looked into.
    Other {
        /// The packet type; 207 for a block of an extended report.
        packet_type: u8,
    },
}

/// The packets of a compound in order. Stops at the first malformed one.
pub fn packets(compound: &[u8]) -> Packets<'_> {
    Packets {
        rest: compound,
        blocks: None,
    }
}

/// Iterator made by [`packets`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
    /// What is left of an extended report.
    blocks: Option<xr::Blocks<'a>>,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = loop {
            if let Some(block) = self.blocks.as_mut().and_then(Iterator::next) {
                break block;
            }
            self.blocks = None;
            if self.rest.is_empty() {
                return None;
            }
            match self.advance() {
                Ok(Some(packet)) => break Ok(packet),
                Ok(None) => {}
                Err(error) => break Err(error),
            }
        };
        if result.is_err() {
            self.rest = &[];
            self.blocks = None;
        }
        Some(result)
    }
}

impl<'a> Packets<'a> {
    /// The next packet; `None` if it is an extended report, whose blocks come next.
    fn advance(&mut self) -> Result<Option<RtcpPacket<'a>>, RtcpError> {
        let &[first, packet_type, high, low] = self.rest.first_chunk().ok_or(RtcpError::TooShort)?;
        if first >> 6 != 2 {
            return Err(RtcpError::Version);
        }
        let len = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let (packet, rest) = self.rest.split_at_checked(len).ok_or(RtcpError::Length)?;
        self.rest = rest;
        let mut body = packet.get(4..).unwrap_or_default();
        if first & 0x20 != 0 {
            body = strip_padding(body)?;
        }
        let content = RtcpError::Content { packet_type };
        if packet_type == EXTENDED_REPORT {
            self.blocks = Some(xr::Blocks::new(body).ok_or(content)?);
            return Ok(None);
        }
        parse_body(packet_type, first & 0x1f, body)
            .map(Some)
            .ok_or(content)
    }
}

/// RFC 3550 allows padding on the last packet of a compound only; browsers pad any.
fn strip_padding(body: &[u8]) -> Result<&[u8], RtcpError> {
    let padding = body.last().copied().map_or(0, usize::from);
    if padding == 0 {
        return Err(RtcpError::Padding);
    }
    body.len()
        .checked_sub(padding)
        .and_then(|len| body.get(..len))
        .ok_or(RtcpError::Padding)
}

fn parse_body(packet_type: u8, count: u8, body: &[u8]) -> Option<RtcpPacket<'_>> {
    match packet_type {
        SENDER_REPORT => SenderReport::parse(count, body).map(RtcpPacket::SenderReport),
        RECEIVER_REPORT => ReceiverReport::parse(count, body).map(RtcpPacket::ReceiverReport),
        SOURCE_DESCRIPTION => Sdes::parse(count, body).map(RtcpPacket::Sdes),
        GOODBYE => Bye::parse(count, body).map(RtcpPacket::Bye),
        TRANSPORT_FEEDBACK | PAYLOAD_FEEDBACK => parse_feedback(packet_type, count, body),
        _ => Some(RtcpPacket::Other { packet_type }),
    }
}

fn parse_feedback(packet_type: u8, format: u8, body: &[u8]) -> Option<RtcpPacket<'_>> {
    let (sender, rest) = take_ssrc(body)?;
    let (media, information) = take_ssrc(rest)?;
    match (packet_type, format) {
        (TRANSPORT_FEEDBACK, FMT_NACK) => Nack::parse(sender, media, information).map(RtcpPacket::Nack),
        (TRANSPORT_FEEDBACK, FMT_TRANSPORT_CC) => {
            TwccFeedback::parse(sender, media, information).map(RtcpPacket::Twcc)
        }
        (PAYLOAD_FEEDBACK, FMT_PLI) => Some(RtcpPacket::Pli { sender, media }),
        (PAYLOAD_FEEDBACK, FMT_FIR) => Fir::parse(sender, information).map(RtcpPacket::Fir),
        (PAYLOAD_FEEDBACK, FMT_APPLICATION) if information.starts_with(feedback::REMB_NAME) => {
            Remb::parse(sender, information).map(RtcpPacket::Remb)
        }
        _ => Some(RtcpPacket::Other { packet_type }),
    }
}

fn take_ssrc(bytes: &[u8]) -> Option<(Ssrc, &[u8])> {
    let (ssrc, rest) = bytes.split_first_chunk()?;
    Some((Ssrc(u32::from_be_bytes(*ssrc)), rest))
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (value, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*value), rest))
}

fn take_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (value, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*value), rest))
}

#[cfg(test)]
mod tests;
