//! Extended reports: receiver reference time and its answer (RFC 3611 §4.4, §4.5). They let a pure receiver
//! learn the round-trip time.

use super::{EXTENDED_REPORT, NtpTime, RtcpError, RtcpPacket, take_ssrc, take_u32};
use crate::Ssrc;

pub(super) const BLOCK_RRTR: u8 = 4;
pub(super) const BLOCK_DLRR: u8 = 5;
const DLRR_ENTRY_LEN: usize = 12;

/// The blocks of one extended report.
#[derive(Clone, Debug)]
pub(super) struct Blocks<'a> {
    sender: Ssrc,
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    pub(super) fn new(body: &'a [u8]) -> Option<Self> {
        let (sender, rest) = take_ssrc(body)?;
        Some(Self { sender, rest })
    }

    fn advance(&mut self) -> Option<RtcpPacket<'a>> {
        let (&[block_type, _, high, low], rest) = self.rest.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([high, low])) * 4;
        let (block, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        match block_type {
            BLOCK_RRTR => {
                let ntp = NtpTime(u64::from_be_bytes(*block.first_chunk()?));
                Some(RtcpPacket::XrRrtr {
                    sender: self.sender,
                    ntp,
                })
            }
            BLOCK_DLRR if len.is_multiple_of(DLRR_ENTRY_LEN) => Some(RtcpPacket::XrDlrr(XrDlrr {
                sender: self.sender,
                entries: block,
            })),
            BLOCK_DLRR => None,
            _ => Some(RtcpPacket::Other {
                packet_type: EXTENDED_REPORT,
            }),
        }
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<RtcpPacket<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.advance().ok_or(RtcpError::Content {
            packet_type: EXTENDED_REPORT,
        }))
    }
}

/// Answer to one receiver's reference time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DlrrBlock {
    /// The receiver that sent the reference time.
    pub ssrc: Ssrc,
    /// Middle 32 bits of its reference time.
    pub last_rr: u32,
    /// Time since it came, in 1/65536 s.
    pub delay_since_last_rr: u32,
}

/// Answers to receivers' reference times.
#[derive(Clone, Copy, Debug)]
pub struct XrDlrr<'a> {
    /// Who answers.
    pub sender: Ssrc,
    entries: &'a [u8],
}

impl<'a> XrDlrr<'a> {
    /// One answer per receiver.
    pub fn blocks(&self) -> impl Iterator<Item = DlrrBlock> + use<'a> {
        self.entries.chunks_exact(DLRR_ENTRY_LEN).filter_map(|entry| {
            let (ssrc, rest) = take_ssrc(entry)?;
            let (last_rr, rest) = take_u32(rest)?;
            let (delay_since_last_rr, _) = take_u32(rest)?;
            Some(DlrrBlock {
                ssrc,
                last_rr,
                delay_since_last_rr,
            })
        })
    }
}
