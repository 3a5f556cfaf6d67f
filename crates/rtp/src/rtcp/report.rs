//! Sender and receiver reports, source description, goodbye (RFC 3550 §6.4 to §6.6).

use super::{take_ssrc, take_u32};
use crate::Ssrc;

/// Wall clock in 32.32 fixed-point seconds since 1900 (RFC 3550 §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The middle 32 bits, 16.16 seconds, which reports echo.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// What a receiver says about one stream it gets (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// Share lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, 24 bits signed: duplicates make it negative.
    pub cumulative_lost: i32,
    /// Highest sequence number received, its cycles in the upper 16 bits.
    pub highest_sequence: u32,
    /// Interarrival jitter, in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time in the last sender report, 0 if none came.
    pub last_sr: u32,
    /// Time since then, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

/// Length of a report block.
pub(super) const REPORT_BLOCK_LEN: usize = 24;

impl ReportBlock {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (ssrc, rest) = take_ssrc(bytes)?;
        let (loss, rest) = take_u32(rest)?;
        let (highest_sequence, rest) = take_u32(rest)?;
        let (jitter, rest) = take_u32(rest)?;
        let (last_sr, rest) = take_u32(rest)?;
        let (delay_since_last_sr, _) = take_u32(rest)?;
        Some(Self {
            ssrc,
            fraction_lost: (loss >> 24) as u8,
            // Shifted up and back down to extend the sign of 24 bits.
            cumulative_lost: (loss << 8) as i32 >> 8,
            highest_sequence,
            jitter,
            last_sr,
            delay_since_last_sr,
        })
    }
}

fn blocks(bytes: &[u8]) -> impl Iterator<Item = ReportBlock> + use<'_> {
    bytes
        .chunks_exact(REPORT_BLOCK_LEN)
        .filter_map(ReportBlock::parse)
}

/// Sender report, and the report blocks with it.
#[derive(Clone, Copy, Debug)]
pub struct SenderReport<'a> {
    /// Who sends.
    pub ssrc: Ssrc,
    /// Wall clock when the report was made.
    pub ntp: NtpTime,
    /// The same moment in the stream's timestamp units.
    pub rtp_time: u32,
    /// Packets sent since the beginning.
    pub packet_count: u32,
    /// Payload bytes sent since the beginning.
    pub octet_count: u32,
    blocks: &'a [u8],
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let (ssrc, rest) = take_ssrc(body)?;
        let (ntp, rest) = rest.split_first_chunk()?;
        let (rtp_time, rest) = take_u32(rest)?;
        let (packet_count, rest) = take_u32(rest)?;
        let (octet_count, rest) = take_u32(rest)?;
        let ntp = NtpTime(u64::from_be_bytes(*ntp));
        // Behind the blocks may be a profile-specific extension.
        let blocks = rest.get(..usize::from(count) * REPORT_BLOCK_LEN)?;
        Some(Self {
            ssrc,
            ntp,
            rtp_time,
            packet_count,
            octet_count,
            blocks,
        })
    }

    /// What the sender says about streams it receives.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }
}

/// Receiver report.
#[derive(Clone, Copy, Debug)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: Ssrc,
    blocks: &'a [u8],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let (ssrc, rest) = take_ssrc(body)?;
        let blocks = rest.get(..usize::from(count) * REPORT_BLOCK_LEN)?;
        Some(Self { ssrc, blocks })
    }

    /// What it says about each stream.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }
}

/// Source description. Only the canonical name is of interest.
#[derive(Clone, Copy, Debug)]
pub struct Sdes<'a> {
    chunks: &'a [u8],
    count: u8,
}

const SDES_CNAME: u8 = 1;

impl<'a> Sdes<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut rest = body;
        for _ in 0..count {
            rest = sdes_chunk(rest)?.rest;
        }
        Some(Self { chunks: body, count })
    }

    /// Each described stream with its canonical name, streams without one left out.
    pub fn cnames(&self) -> impl Iterator<Item = (Ssrc, &'a [u8])> + use<'a> {
        let mut rest = self.chunks;
        (0..self.count).filter_map(move |_| {
            let chunk = sdes_chunk(rest)?;
            rest = chunk.rest;
            Some((chunk.ssrc, chunk.cname?))
        })
    }
}

struct SdesChunk<'a> {
    ssrc: Ssrc,
    cname: Option<&'a [u8]>,
    rest: &'a [u8],
}

/// One chunk: SSRC, items, and at least one zero up to a multiple of four.
fn sdes_chunk(bytes: &[u8]) -> Option<SdesChunk<'_>> {
    let (ssrc, items) = take_ssrc(bytes)?;
    let mut cname = None;
    let mut at = 0;
    loop {
        let item = *items.get(at)?;
        if item == 0 {
            break;
        }
        let len = usize::from(*items.get(at + 1)?);
        let text = items.get(at + 2..at + 2 + len)?;
        if item == SDES_CNAME {
            cname = Some(text);
        }
        at += 2 + len;
    }
    let rest = items.get((at + 1).next_multiple_of(4)..)?;
    Some(SdesChunk { ssrc, cname, rest })
}

/// Goodbye: streams that end.
#[derive(Clone, Copy, Debug)]
pub struct Bye<'a> {
    ssrcs: &'a [u8],
    reason: Option<&'a [u8]>,
}

impl<'a> Bye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let (ssrcs, rest) = body.split_at_checked(usize::from(count) * 4)?;
        let reason = match rest.split_first() {
            Some((&len, text)) => Some(text.get(..usize::from(len))?),
            None => None,
        };
        Some(Self { ssrcs, reason })
    }

    /// The streams.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        self.ssrcs
            .chunks_exact(4)
            .filter_map(|bytes| take_ssrc(bytes).map(|(ssrc, _)| ssrc))
    }

    /// Why, if the sender says so.
    pub fn reason(&self) -> Option<&'a [u8]> {
        self.reason
    }
}
