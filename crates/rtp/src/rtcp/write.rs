//! RTCP packets appended to a buffer that the caller reuses. Calling several of these in a row makes a
//! compound packet; RFC 3550 §6.1 wants a report first, which RFC 5506 relaxes.

use super::report::{NtpTime, ReportBlock};
use super::twcc::Status;
use super::xr::{BLOCK_DLRR, BLOCK_RRTR, DlrrBlock};
use super::{
    EXTENDED_REPORT, FMT_APPLICATION, FMT_FIR, FMT_NACK, FMT_PLI, FMT_TRANSPORT_CC, GOODBYE,
    PAYLOAD_FEEDBACK, RECEIVER_REPORT, SENDER_REPORT, SOURCE_DESCRIPTION, TRANSPORT_FEEDBACK, feedback,
};
use crate::Ssrc;

/// The count field has five bits.
const MAX_COUNT: usize = 31;

/// Entries per packet where a list may be long: 256 of four bytes leave a packet below any path's MTU.
const MAX_ENTRIES: usize = 256;

/// What a sender report says about its own stream; see [`super::SenderReport`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderInfo {
    /// The stream.
    pub ssrc: Ssrc,
    /// Wall clock now.
    pub ntp: NtpTime,
    /// The same moment in timestamp units.
    pub rtp_time: u32,
    /// Packets sent, wrapping.
    pub packet_count: u32,
    /// Payload bytes sent, wrapping.
    pub octet_count: u32,
}

/// Appends one packet: header, then what `body` writes, which must come to a multiple of four bytes.
fn packet(out: &mut Vec<u8>, packet_type: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, packet_type, 0, 0]);
    body(out);
    debug_assert!((out.len() - start).is_multiple_of(4), "RTCP counts in words");
    let words = ((out.len() - start) / 4 - 1) as u16;
    if let Some(length) = out.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn put(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put_blocks(out: &mut Vec<u8>, blocks: &[ReportBlock]) {
    for block in blocks {
        let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        put(out, block.ssrc.0);
        put(out, u32::from(block.fraction_lost) << 24 | lost);
        put(out, block.highest_sequence);
        put(out, block.jitter);
        put(out, block.last_sr);
        put(out, block.delay_since_last_sr);
    }
}

/// Sender report (RFC 3550 §6.4.1). More than 31 blocks go on in receiver reports behind it.
pub fn sender_report(out: &mut Vec<u8>, info: &SenderInfo, blocks: &[ReportBlock]) {
    let (first, rest) = blocks.split_at(blocks.len().min(MAX_COUNT));
    packet(out, SENDER_REPORT, first.len() as u8, |out| {
        put(out, info.ssrc.0);
        out.extend_from_slice(&info.ntp.0.to_be_bytes());
        put(out, info.rtp_time);
        put(out, info.packet_count);
        put(out, info.octet_count);
        put_blocks(out, first);
    });
    if !rest.is_empty() {
        receiver_report(out, info.ssrc, rest);
    }
}

/// Receiver reports (RFC 3550 §6.4.2): one per 31 blocks, and an empty one for no blocks.
pub fn receiver_report(out: &mut Vec<u8>, sender: Ssrc, blocks: &[ReportBlock]) {
    let mut rest = blocks;
    loop {
        let (some, more) = rest.split_at(rest.len().min(MAX_COUNT));
        packet(out, RECEIVER_REPORT, some.len() as u8, |out| {
            put(out, sender.0);
            put_blocks(out, some);
        });
        rest = more;
        if rest.is_empty() {
            return;
        }
    }
}

/// Source description with the canonical name (RFC 3550 §6.5.1), cut at 255 bytes.
pub fn sdes_cname(out: &mut Vec<u8>, ssrc: Ssrc, cname: &str) {
    let name = cname.as_bytes();
    let name = name.get(..name.len().min(255)).unwrap_or_default();
    packet(out, SOURCE_DESCRIPTION, 1, |out| {
        put(out, ssrc.0);
        out.extend_from_slice(&[1, name.len() as u8]);
        out.extend_from_slice(name);
        // At least one zero ends the list of items.
        let zeros = 4 - (2 + name.len()) % 4;
        out.extend_from_slice([0; 4].get(..zeros).unwrap_or_default());
    });
}

/// Goodbye for some streams, one packet per 31 (RFC 3550 §6.6). Nothing for none.
pub fn bye(out: &mut Vec<u8>, ssrcs: &[Ssrc]) {
    for some in ssrcs.chunks(MAX_COUNT) {
        packet(out, GOODBYE, some.len() as u8, |out| {
            some.iter().for_each(|ssrc| put(out, ssrc.0))
        });
    }
}

/// Generic NACK (RFC 4585 §6.2.1). `lost` should be in sequence order (it may wrap) to be packed best;
/// nothing is written for none.
pub fn nack(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc, lost: &[u16]) {
    let mut lost = lost.iter().copied().peekable();
    while lost.peek().is_some() {
        packet(out, TRANSPORT_FEEDBACK, FMT_NACK, |out| {
            put(out, sender.0);
            put(out, media.0);
            for _ in 0..MAX_ENTRIES {
                let Some(first) = lost.next() else {
                    break;
                };
                let mut following = 0_u16;
                while let Some(bit) = lost.peek().and_then(|next| following_bit(first, *next)) {
                    following |= bit;
                    lost.next();
                }
                out.extend_from_slice(&first.to_be_bytes());
                out.extend_from_slice(&following.to_be_bytes());
            }
        });
    }
}

/// The bit that stands for `next` in the mask behind `first`. A repeated `first` needs none.
fn following_bit(first: u16, next: u16) -> Option<u16> {
    match next.wrapping_sub(first) {
        0 => Some(0),
        distance @ 1..=16 => Some(1 << (distance - 1)),
        _ => None,
    }
}

/// Picture loss indication (RFC 4585 §6.3.1).
pub fn pli(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc) {
    packet(out, PAYLOAD_FEEDBACK, FMT_PLI, |out| {
        put(out, sender.0);
        put(out, media.0);
    });
}

/// Full intra request for one stream; `number` goes up by one with every new request (RFC 5104 §4.3.1).
pub fn fir(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc, number: u8) {
    packet(out, PAYLOAD_FEEDBACK, FMT_FIR, |out| {
        put(out, sender.0);
        // "SSRC of media source" is not used and shall be 0 (RFC 5104 §4.3.1.2).
        put(out, 0);
        put(out, media.0);
        put(out, u32::from(number) << 24);
    });
}

/// Receiver estimated maximum bitrate in bit/s, rounded down to 18 significant bits. At most 255 streams
/// are named.
pub fn remb(out: &mut Vec<u8>, sender: Ssrc, bitrate: u64, ssrcs: &[Ssrc]) {
    let ssrcs = ssrcs.get(..ssrcs.len().min(255)).unwrap_or_default();
    let exponent = (u64::BITS - bitrate.leading_zeros()).saturating_sub(18);
    let mantissa = (bitrate >> exponent) as u32;
    packet(out, PAYLOAD_FEEDBACK, FMT_APPLICATION, |out| {
        put(out, sender.0);
        put(out, 0);
        out.extend_from_slice(feedback::REMB_NAME);
        put(out, (ssrcs.len() as u32) << 24 | exponent << 18 | mantissa);
        ssrcs.iter().for_each(|ssrc| put(out, ssrc.0));
    });
}

/// Receiver reference time (RFC 3611 §4.4).
pub fn xr_rrtr(out: &mut Vec<u8>, sender: Ssrc, ntp: NtpTime) {
    packet(out, EXTENDED_REPORT, 0, |out| {
        put(out, sender.0);
        out.extend_from_slice(&[BLOCK_RRTR, 0, 0, 2]);
        out.extend_from_slice(&ntp.0.to_be_bytes());
    });
}

/// Answers to reference times (RFC 3611 §4.5), one packet per 31. Nothing for none.
pub fn xr_dlrr(out: &mut Vec<u8>, sender: Ssrc, blocks: &[DlrrBlock]) {
    for some in blocks.chunks(MAX_COUNT) {
        packet(out, EXTENDED_REPORT, 0, |out| {
            put(out, sender.0);
            out.extend_from_slice(&[BLOCK_DLRR, 0, 0, some.len() as u8 * 3]);
            for block in some {
                put(out, block.ssrc.0);
                put(out, block.last_rr);
                put(out, block.delay_since_last_rr);
            }
        });
    }
}

/// What to say about a run of transport sequence numbers; see [`super::TwccFeedback`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TwccReport<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// Some stream of the transport.
    pub media: Ssrc,
    /// Transport sequence number of the first status.
    pub base: u16,
    /// Start of the time scale in 64 ms; the low 24 bits are sent.
    pub reference_time: i32,
    /// Number of this message, wrapping.
    pub feedback_count: u8,
    /// One per number: the receive delta in 250 us as the format counts it, or `None` for not received.
    /// At most 65535 are sent.
    pub statuses: &'a [Option<i16>],
}

/// Transport-wide feedback; nothing for no statuses.
pub fn twcc(out: &mut Vec<u8>, report: &TwccReport<'_>) {
    let statuses = report
        .statuses
        .get(..report.statuses.len().min(0xffff))
        .unwrap_or_default();
    if statuses.is_empty() {
        return;
    }
    let start = out.len();
    packet(out, TRANSPORT_FEEDBACK, FMT_TRANSPORT_CC, |out| {
        put(out, report.sender.0);
        put(out, report.media.0);
        out.extend_from_slice(&report.base.to_be_bytes());
        out.extend_from_slice(&(statuses.len() as u16).to_be_bytes());
        put(
            out,
            (report.reference_time as u32) << 8 | u32::from(report.feedback_count),
        );
        put_chunks(out, statuses);
        for delta in statuses.iter().flatten() {
            match u8::try_from(*delta) {
                Ok(small) => out.push(small),
                Err(_) => out.extend_from_slice(&delta.to_be_bytes()),
            }
        }
        pad(out, start);
    });
}

/// Pads to a whole word, saying so in the header, as libwebrtc does and expects.
fn pad(out: &mut Vec<u8>, start: usize) {
    let padding = (out.len() - start).next_multiple_of(4) - (out.len() - start);
    if padding == 0 {
        return;
    }
    out.extend_from_slice([0; 3].get(1..padding).unwrap_or_default());
    out.push(padding as u8);
    if let Some(first) = out.get_mut(start) {
        *first |= 0x20;
    }
}

fn status(delta: Option<i16>) -> Status {
    match delta {
        None => Status::NotReceived,
        Some(0..=255) => Status::SmallDelta,
        Some(_) => Status::LargeDelta,
    }
}

/// Statuses per chunk: a run counts in 13 bits, a vector has 14 bits for 14 or 7 statuses.
const MAX_RUN: usize = 0x1fff;
const ONE_BIT_STATUSES: usize = 14;
const TWO_BIT_STATUSES: usize = 7;

/// Takes whichever chunk covers most statuses next.
fn put_chunks(out: &mut Vec<u8>, statuses: &[Option<i16>]) {
    let mut rest = statuses;
    while let Some(&first) = rest.first() {
        let kind = status(first);
        let run = rest
            .iter()
            .take(MAX_RUN)
            .take_while(|delta| status(**delta) == kind)
            .count();
        let narrow = rest
            .iter()
            .take(ONE_BIT_STATUSES)
            .take_while(|delta| status(**delta) != Status::LargeDelta)
            .count();
        // A vector is always full, except for the end of the list.
        let (width, fits) = if narrow == rest.len().min(ONE_BIT_STATUSES) {
            (1, narrow)
        } else {
            (2, rest.len().min(TWO_BIT_STATUSES))
        };
        let (chunk, covered) = if run >= fits {
            ((kind as u16) << 13 | run as u16, run)
        } else {
            (vector(rest, fits, width), fits)
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        rest = rest.get(covered..).unwrap_or_default();
    }
}

/// A status vector of the first `count` statuses, `width` bits each, unused ones zero.
fn vector(statuses: &[Option<i16>], count: usize, width: u16) -> u16 {
    let head = if width == 1 { 0x8000 } else { 0xc000 };
    let mut shift = 14;
    statuses.iter().take(count).fold(head, |word, delta| {
        shift -= width;
        word | (status(*delta) as u16) << shift
    })
}
