//! The numbering of one consumer: sequence, time and VP8 pictures together, always continuous for the viewer.

use std::time::Instant;

use rtp::codec::CodecKind;
use rtp::rtcp::NtpTime;
use rtp::{RtpTime, SeqNo};

use super::Rewrite;
use super::picture::{Picture, PictureMap};
use super::seq_map::{Sent, SequenceMap};
use super::timestamp::{Capture, TimestampMap};
use crate::packet::Packet;
use crate::spec::ProducerCodec;

/// Whose clock the packets that follow carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The same stream's as before: its clock ran on.
    SameClock,
    /// Another stream's. Both times are the sender's wall clock, where its reports told it.
    OtherClock {
        /// When the first packet was captured.
        first: Option<NtpTime>,
        /// When the newest frame sent was captured.
        previous: Option<NtpTime>,
    },
}

impl Start {
    /// A clock of which nothing is known but the time that passed here.
    pub(crate) const UNKNOWN_CLOCK: Self = Self::OtherClock {
        first: None,
        previous: None,
    };
}

/// Where a consumer's numbers begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    /// The first outgoing sequence number, below 2^15.
    pub(crate) sequence: SeqNo,
    /// The first outgoing timestamp.
    pub(crate) timestamp: u32,
}

/// A consumer's maps from incoming to outgoing numbers.
pub(crate) struct Numbers {
    sequence: SequenceMap,
    timestamps: TimestampMap,
    /// Only VP8 has picture numbers that a decoder takes gaps in for losses.
    pictures: Option<PictureMap>,
    started: bool,
}

impl Numbers {
    /// Nothing sent yet.
    pub(crate) fn new(first: First, codec: &ProducerCodec) -> Self {
        let picture = Picture {
            picture_id: first.timestamp as u16 & 0x7fff,
            tl0_pic_idx: first.sequence.0 as u8,
        };
        Self {
            sequence: SequenceMap::new(first.sequence),
            timestamps: TimestampMap::new(codec.clock_rate, RtpTime::first(first.timestamp)),
            pictures: (codec.codec == CodecKind::Vp8).then(|| PictureMap::new(picture)),
            started: false,
        }
    }

    /// The next packet is `packet`, following directly on the newest one sent.
    pub(crate) fn start(&mut self, now: Instant, packet: &Packet<'_>, start: Start) {
        self.sequence.sync(packet.sequence);
        if let Start::OtherClock { first, previous } = start {
            self.timestamps.switch(
                now,
                Capture {
                    time: packet.time,
                    ntp: first,
                },
                previous,
            );
        }
        if let (Some(pictures), Some(ids)) = (&mut self.pictures, packet.frame.picture) {
            pictures.sync(ids);
        }
        self.started = true;
    }

    /// What a packet goes out as; `None` when its place is gone.
    pub(crate) fn map(&mut self, now: Instant, packet: &Packet<'_>) -> Option<Rewrite> {
        let picture = match (&mut self.pictures, packet.frame.picture) {
            (Some(pictures), Some(ids)) => Some(pictures.map(ids)?),
            _ => None,
        };
        let sequence = self.sequence.map(packet.sequence)?;
        let timestamp = self.timestamps.map(now, packet.time).wire();
        Some(Rewrite {
            sequence,
            timestamp,
            marker: packet.marker(),
            picture,
        })
    }

    /// Leaves out a packet on purpose.
    pub(crate) fn drop_packet(&mut self, sequence: SeqNo) {
        self.sequence.drop(sequence);
    }

    /// Leaves out a packet whose whole picture is left out.
    pub(crate) fn drop_picture(&mut self, packet: &Packet<'_>) {
        self.sequence.drop(packet.sequence);
        if let (Some(pictures), Some(ids)) = (&mut self.pictures, packet.frame.picture) {
            pictures.drop(ids);
        }
    }

    /// Remembers a packet that left, so that it can be sent again.
    pub(crate) fn record(&mut self, packet: &Packet<'_>, rewrite: Rewrite) {
        let picture = rewrite.picture.unwrap_or_default();
        let sent = Sent {
            stream: packet.encoding,
            input: packet.sequence,
            timestamp_offset: rewrite.timestamp.wrapping_sub(packet.time.wire()),
            picture_id: picture.picture_id,
            tl0_pic_idx: picture.tl0_pic_idx,
            marker: rewrite.marker,
        };
        self.sequence.record(rewrite.sequence, sent);
    }

    /// What went out under a number that a NACK names, if it is still known.
    pub(crate) fn source(&self, wire: u16) -> Option<Sent> {
        self.sequence.source(wire)
    }

    /// Whether a picture number must be patched when sending again.
    pub(crate) fn numbers_pictures(&self) -> bool {
        self.pictures.is_some()
    }

    /// Outgoing less incoming timestamp, once something was sent.
    pub(crate) fn clock_offset(&self) -> Option<u32> {
        self.started.then(|| self.timestamps.offset())
    }

    /// The incoming timestamp of the newest frame sent.
    pub(crate) fn newest_input(&self) -> Option<RtpTime> {
        self.timestamps.newest_input()
    }
}
