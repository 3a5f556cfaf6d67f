//! One stream of RTP on its way out.

use aws_lc_rs::error::Unspecified;

use crate::clock::Stamp;
use crate::random::Random;
use crate::rtcp::SenderInfo;
use crate::rtp::{Header, HeaderWriter};
use crate::srtp::{Session, TAG};

/// What a transport has for all streams it sends.
pub(crate) struct Sender<'a> {
    pub(crate) keys: &'a Session,
    /// The transport-wide number of the next packet.
    pub(crate) transport_number: &'a mut u16,
    /// Packets of one burst, one after another.
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) now: Stamp,
}

/// Ids of the header extensions that were agreed; none where the server does not want one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionIds {
    pub(crate) mid: Option<u8>,
    pub(crate) rid: Option<u8>,
    pub(crate) repaired_rid: Option<u8>,
    pub(crate) transport_number: Option<u8>,
    pub(crate) audio_level: Option<u8>,
}

/// Extension values of a packet beside the transport-wide number: id and value.
pub(crate) type Extension<'a> = (Option<u8>, &'a [u8]);

/// An SSRC with its counters.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    payload_type: u8,
    /// Roll-overs times 65536 plus sequence number of the next packet.
    next: u64,
    packets: u32,
    octets: u32,
    timestamp: u32,
    offset: u32,
    /// Whether the server has reported on it. Until then its packets say whose they are, as a browser's do.
    known: bool,
}

impl Stream {
    pub(crate) fn new(payload_type: u8, random: &mut Random) -> Self {
        Self {
            ssrc: random.ssrc(),
            payload_type,
            // RFC 3711 §3.3.1: the first sequence number should lie below 2^15.
            next: random.word() & 0x7FFF,
            packets: 0,
            octets: 0,
            timestamp: 0,
            offset: random.word() as u32,
            known: false,
        }
    }

    /// The same with the payload type that was agreed.
    pub(crate) const fn with_payload_type(mut self, payload_type: u8) -> Self {
        self.payload_type = payload_type;
        self
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.known
    }

    /// Notes that the server knows `ssrc`.
    pub(crate) fn known(&mut self, ssrc: u32) {
        self.known |= ssrc == self.ssrc;
    }

    /// The sequence number of the next packet.
    pub(crate) const fn sequence(&self) -> u16 {
        self.next as u16
    }

    /// The time of media `units` of the clock rate after the beginning.
    pub(crate) const fn at(&self, units: u32) -> u32 {
        self.offset.wrapping_add(units)
    }

    /// Appends one protected packet whose payload `write` writes.
    ///
    /// # Errors
    /// If it cannot be encrypted.
    pub(crate) fn packet(
        &mut self,
        sender: &mut Sender<'_>,
        (timestamp, marker): (u32, bool),
        extensions: &[Extension<'_>],
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Unspecified> {
        let header = Header {
            payload_type: self.payload_type,
            marker,
            sequence: self.sequence(),
            timestamp,
            ssrc: self.ssrc,
        };
        let start = sender.out.len();
        let mut writer = HeaderWriter::begin(sender.out, &header);
        for (id, value) in extensions {
            writer.extension(*id, value);
        }
        let length = writer.finish();
        write(sender.out);
        let payload = sender.out.len() - start - length;
        sender.out.extend_from_slice(&[0; TAG]);
        sender.keys.seal(&mut sender.out[start..], length, self.next)?;
        self.next += 1;
        self.timestamp = timestamp;
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload as u32);
        Ok(())
    }

    /// What a sender report says now; nothing before the first packet.
    pub(crate) fn report(&self, now: Stamp) -> Option<SenderInfo> {
        (self.packets > 0).then_some(SenderInfo {
            ssrc: self.ssrc,
            ntp: now.ntp(),
            timestamp: self.timestamp,
            packets: self.packets,
            octets: self.octets,
        })
    }
}

impl Sender<'_> {
    /// The next transport-wide number.
    pub(crate) fn number(&mut self) -> [u8; 2] {
        *self.transport_number = self.transport_number.wrapping_add(1);
        self.transport_number.to_be_bytes()
    }
}

/// Appends `bytes` bytes that compress badly, as media does.
pub(crate) fn fill(out: &mut Vec<u8>, mut bytes: usize) {
    /// Squares modulo 251, so that neither a byte nor a step repeats soon.
    const PATTERN: [u8; 251] = {
        let mut pattern = [0; 251];
        let mut at = 0;
        while at < 251 {
            pattern[at] = (at * at * 3 % 251) as u8 ^ at as u8;
            at += 1;
        }
        pattern
    };
    while bytes > 0 {
        let part = bytes.min(PATTERN.len());
        out.extend_from_slice(&PATTERN[..part]);
        bytes -= part;
    }
}
