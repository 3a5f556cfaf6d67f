//! RTCP that a transport sends: reports, loss and key frame requests, transport feedback.
//!
//! Everything is written into one reused buffer and leaves as one compound packet where possible (RFC 3550 §6.1,
//! reduced size as RFC 5506 allows for feedback alone).

use std::time::Instant;

use rtp::rtcp::{NtpTime, SenderInfo, write};
use rtp::{RtpTime, Ssrc};

use super::Transport;
use crate::transmit::{TransmitBatch, TransmitClass};

/// A consumer's report, ready to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConsumerReport<'a> {
    /// The consumer's SSRC.
    pub(crate) ssrc: Ssrc,
    /// The producing participant's CNAME: what lip-syncs its audio and video (contract §1.8.5).
    pub(crate) cname: &'a str,
    /// The producer's wall clock now. All tracks of a participant share it, so they stay in step at the viewer.
    pub(crate) ntp: NtpTime,
    /// The producer's timestamp at that moment.
    pub(crate) time: RtpTime,
    /// What to add to it for this consumer.
    pub(crate) offset: u32,
    /// Packets sent.
    pub(crate) packets: u32,
    /// Payload bytes sent.
    pub(crate) octets: u32,
}

impl ConsumerReport<'_> {
    /// Appends a sender report and the CNAME (RFC 3550 §6.4.1, §6.5.1).
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let info = SenderInfo {
            ssrc: self.ssrc,
            ntp: self.ntp,
            rtp_time: self.time.wire().wrapping_add(self.offset),
            packet_count: self.packets,
            octet_count: self.octets,
        };
        write::sender_report(out, &info, &[]);
        write::sdes_cname(out, self.ssrc, self.cname);
    }
}

/// Compounds are kept below this, so that protected they still fit any path's MTU.
const MAX_COMPOUND: usize = 1_150;

impl Transport {
    /// Sends `compound` protected and empties it; false when there is no way to send it now.
    pub(crate) fn send_rtcp(&mut self, compound: &mut Vec<u8>, batch: &mut TransmitBatch) -> bool {
        let sent = match self.link.route() {
            Some(tuple) if !compound.is_empty() && self.link.protect_rtcp(compound).is_ok() => {
                batch.push(tuple, TransmitClass::Audio, compound);
                true
            }
            _ => false,
        };
        compound.clear();
        sent
    }

    /// Sends `compound` early when another packet of `next` bytes would make it too large.
    pub(crate) fn make_room(&mut self, next: usize, compound: &mut Vec<u8>, batch: &mut TransmitBatch) {
        if compound.len() + next > MAX_COMPOUND {
            self.send_rtcp(compound, batch);
        }
    }

    /// Sends transport feedback that is due (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    pub(crate) fn send_feedback(&mut self, now: Instant, compound: &mut Vec<u8>, batch: &mut TransmitBatch) {
        compound.clear();
        while self.arrivals.poll_timeout().is_some_and(|at| at <= now) {
            if !self
                .arrivals
                .build(now, self.feedback_sender, self.feedback_media, compound)
            {
                return;
            }
            self.send_rtcp(compound, batch);
        }
    }
}
