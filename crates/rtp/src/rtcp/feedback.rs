//! Feedback with a list behind it: lost packets, key frame requests, bitrate limits.

use super::{take_ssrc, take_u16, take_u32};
use crate::Ssrc;

/// Packets a receiver misses (RFC 4585 §6.2.1).
#[derive(Clone, Copy, Debug)]
pub struct Nack<'a> {
    /// Who misses them.
    pub sender: Ssrc,
    /// The stream they belong to.
    pub media: Ssrc,
    entries: &'a [u8],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(sender: Ssrc, media: Ssrc, entries: &'a [u8]) -> Option<Self> {
        entries.len().is_multiple_of(4).then_some(Self {
            sender,
            media,
            entries,
        })
    }

    /// Sequence numbers of the missing packets, in the order of the message.
    pub fn lost(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.entries.chunks_exact(4).flat_map(|entry| {
            let (first, rest) = take_u16(entry).unwrap_or_default();
            let (following, _) = take_u16(rest).unwrap_or_default();
            let others = (0..16).filter(move |bit| following >> bit & 1 == 1);
            core::iter::once(first).chain(others.map(move |bit| first.wrapping_add(bit + 1)))
        })
    }
}

/// Requests for a key frame that must not be answered by anything less (RFC 5104 §4.3.1).
#[derive(Clone, Copy, Debug)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender: Ssrc,
    entries: &'a [u8],
}

impl<'a> Fir<'a> {
    pub(super) fn parse(sender: Ssrc, entries: &'a [u8]) -> Option<Self> {
        entries
            .len()
            .is_multiple_of(8)
            .then_some(Self { sender, entries })
    }

    /// Each stream asked for and the number of the request: a repeated number is a repeated request.
    pub fn entries(&self) -> impl Iterator<Item = (Ssrc, u8)> + use<'a> {
        self.entries.chunks_exact(8).filter_map(|entry| {
            let (ssrc, rest) = take_ssrc(entry)?;
            Some((ssrc, *rest.first()?))
        })
    }
}

/// How an application-layer feedback message is told to be REMB.
pub(super) const REMB_NAME: &[u8; 4] = b"REMB";

/// The most a receiver can take in, over all the listed streams (draft-alvestrand-rmcat-remb §2.2).
#[derive(Clone, Copy, Debug)]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender: Ssrc,
    /// Bits per second; `u64::MAX` for what 64 bits cannot hold.
    pub bitrate: u64,
    ssrcs: &'a [u8],
}

impl<'a> Remb<'a> {
    pub(super) fn parse(sender: Ssrc, information: &'a [u8]) -> Option<Self> {
        let rest = information.strip_prefix(REMB_NAME.as_slice())?;
        let (head, rest) = take_u32(rest)?;
        let count = (head >> 24) as usize;
        let exponent = (head >> 18) & 0x3f;
        let mantissa = u64::from(head & 0x3_ffff);
        let bitrate = if mantissa.leading_zeros() < exponent {
            u64::MAX
        } else {
            mantissa << exponent
        };
        Some(Self {
            sender,
            bitrate,
            ssrcs: rest.get(..count * 4)?,
        })
    }

    /// The streams.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        self.ssrcs
            .chunks_exact(4)
            .filter_map(|bytes| take_ssrc(bytes).map(|(ssrc, _)| ssrc))
    }
}
