//! Transport-wide congestion control feedback, reading
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
//!
//! ```text
//! | base sequence number (16)     | packet status count (16)      |
//! | reference time (24, 64 ms)                    | fb pkt. count |
//! | packet chunk (16)             | packet chunk (16) ...         |
//! | recv delta (8 or 16, 250 us) ...
//!
//! run length   |0| S |  run length (13)        |   S: status of each
//! status vector|1|0| 14 statuses of one bit    |   0 lost, 1 small delta
//!              |1|1| 7 statuses of two bits    |
//! ```

use super::{take_u16, take_u32};
use crate::Ssrc;

/// How a packet fared; the wire value of two-bit statuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    NotReceived = 0,
    /// Delta of one byte, unsigned.
    SmallDelta = 1,
    /// Delta of two bytes, signed.
    LargeDelta = 2,
}

impl Status {
    const fn from_bits(bits: u16) -> Option<Self> {
        match bits & 3 {
            0 => Some(Self::NotReceived),
            1 => Some(Self::SmallDelta),
            2 => Some(Self::LargeDelta),
            // Reserved by the draft, and sent by nobody.
            _ => None,
        }
    }

    const fn delta_len(self) -> usize {
        self as usize
    }
}

/// A chunk of statuses that is being taken apart.
#[derive(Clone, Copy, Debug)]
enum Chunk {
    Run { status: u16, left: u16 },
    Vector { bits: u16, width: u16, left: u16 },
}

impl Chunk {
    const EMPTY: Self = Self::Run { status: 0, left: 0 };

    const fn new(word: u16) -> Self {
        match word >> 14 {
            0 | 1 => Self::Run {
                status: (word >> 13) & 3,
                left: word & 0x1fff,
            },
            2 => Self::Vector {
                bits: word,
                width: 1,
                left: 14,
            },
            _ => Self::Vector {
                bits: word,
                width: 2,
                left: 7,
            },
        }
    }

    fn next(&mut self) -> Option<u16> {
        match self {
            Self::Run { status, left } => {
                *left = left.checked_sub(1)?;
                Some(*status)
            }
            Self::Vector { bits, width, left } => {
                *left = left.checked_sub(1)?;
                let mask = (1 << *width) - 1;
                Some((*bits >> (*left * *width)) & mask)
            }
        }
    }
}

/// Statuses in order, from chunks that may hold anything.
#[derive(Clone, Debug)]
struct Walk<'a> {
    chunks: &'a [u8],
    chunk: Chunk,
}

impl<'a> Walk<'a> {
    const fn new(chunks: &'a [u8]) -> Self {
        Self {
            chunks,
            chunk: Chunk::EMPTY,
        }
    }

    /// `None` where the chunks end or hold a reserved status.
    fn next(&mut self) -> Option<Status> {
        loop {
            if let Some(bits) = self.chunk.next() {
                return Status::from_bits(bits);
            }
            let (word, rest) = take_u16(self.chunks)?;
            self.chunks = rest;
            self.chunk = Chunk::new(word);
        }
    }
}

/// When the packets of a transport arrived.
#[derive(Clone, Copy, Debug)]
pub struct TwccFeedback<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// Some stream of the transport; without meaning here.
    pub media: Ssrc,
    /// Transport sequence number of the first status.
    pub base: u16,
    /// Number of statuses, at least one.
    pub count: u16,
    /// Start of the time scale, in 64 ms; 24 bits signed, wrapping.
    pub reference_time: i32,
    /// Number of this message, wrapping.
    pub feedback_count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> TwccFeedback<'a> {
    /// Walks the whole message once, so that [`Self::statuses`] cannot run short.
    pub(super) fn parse(sender: Ssrc, media: Ssrc, information: &'a [u8]) -> Option<Self> {
        let (base, rest) = take_u16(information)?;
        let (count, rest) = take_u16(rest)?;
        let (reference, rest) = take_u32(rest)?;
        if count == 0 {
            return None;
        }
        let mut walk = Walk::new(rest);
        let mut deltas_len = 0;
        for _ in 0..count {
            deltas_len += walk.next()?.delta_len();
        }
        let (chunks, deltas) = rest.split_at_checked(rest.len() - walk.chunks.len())?;
        Some(Self {
            sender,
            media,
            base,
            count,
            reference_time: reference as i32 >> 8,
            feedback_count: reference as u8,
            chunks,
            deltas: deltas.get(..deltas_len)?,
        })
    }

    /// Every packet the message speaks of with its receive delta in 250 us: the first counts from the
    /// reference time, each other from the received packet before it. `None` is not received.
    pub fn statuses(&self) -> impl Iterator<Item = (u16, Option<i32>)> + use<'a> {
        let mut walk = Walk::new(self.chunks);
        let mut deltas = self.deltas;
        let base = self.base;
        (0..self.count).map_while(move |index| {
            let delta = match walk.next()? {
                Status::NotReceived => None,
                Status::SmallDelta => {
                    let (&delta, rest) = deltas.split_first()?;
                    deltas = rest;
                    Some(i32::from(delta))
                }
                Status::LargeDelta => {
                    let (delta, rest) = take_u16(deltas)?;
                    deltas = rest;
                    Some(i32::from(delta as i16))
                }
            };
            Some((base.wrapping_add(index), delta))
        })
    }
}
