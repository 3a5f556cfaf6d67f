//! Packets of one producer that came together and leave together.
//!
//! A video frame arrives as a handful of packets at once. Offered one by one, each would have to bring every
//! consumer's state and keys back into the cache, and a consumer's datagrams would lie far apart in the batch.
//! Held until the last of them is there, they go to one consumer after the other, each time as a whole: the state is
//! fetched once, and the datagrams to one destination lie side by side, as the kernel wants them for a train. Nothing
//! waits for time to pass: the IO side says when it has no more ([`Worker::end_burst`](crate::Worker::end_burst)).

use std::time::Instant;

use rtp::codec::{FrameInfo, PictureFields};
use rtp::{RtpTime, SeqNo};

use crate::key::ProducerKey;
use crate::packet::{MAX_PACKET, Packet};

/// Packets held at most: the packets of a large frame. Their bytes and one consumer's state stay in a second-level
/// cache, and beyond it there is nothing left to save.
const MAX_HELD: usize = 16;

/// What is known of a packet on its way to the consumers, its bytes aside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// Extended sequence number of the producer's stream.
    pub(crate) sequence: SeqNo,
    /// RTP timestamp of the producer's stream.
    pub(crate) time: RtpTime,
    /// What the payload descriptor says.
    pub(crate) frame: FrameInfo,
    /// Index of the producer's encoding.
    pub(crate) encoding: u8,
    /// Bytes of the canonical form.
    pub(crate) len: usize,
    /// Bytes of RTP padding behind it.
    pub(crate) padding: u8,
    /// Where consumers' picture numbers go.
    pub(crate) pictures: Option<PictureFields>,
}

impl Held {
    /// Bytes of canonical form and padding together.
    pub(crate) fn total(&self) -> usize {
        self.len + usize::from(self.padding)
    }

    /// The packet as consumers see it. Its picture numbers may be another consumer's by now: they are read from
    /// `frame` alone.
    pub(crate) fn packet<'a>(&self, bytes: &'a [u8]) -> Packet<'a> {
        Packet {
            bytes: &bytes[..self.len],
            sequence: self.sequence,
            time: self.time,
            frame: self.frame,
            encoding: self.encoding,
        }
    }
}

/// Packets that wait for the rest of their burst.
pub(crate) struct Burst {
    packets: Vec<Held>,
    bytes: Box<[u8]>,
    used: usize,
    /// Whose they are and when they came; `None` while there are none.
    of: Option<(ProducerKey, Instant)>,
    is_open: bool,
}

impl Burst {
    pub(crate) fn new() -> Self {
        Self {
            packets: Vec::with_capacity(MAX_HELD),
            bytes: vec![0; MAX_HELD * MAX_PACKET].into_boxed_slice(),
            used: 0,
            of: None,
            is_open: false,
        }
    }

    /// More packets are coming at once.
    pub(crate) fn open(&mut self) {
        self.is_open = true;
    }

    /// Nothing more is coming.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
    }

    /// Whether packets may wait at all.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether a packet of `producer` may join those that wait.
    pub(crate) fn admits(&self, now: Instant, producer: ProducerKey, held: &Held) -> bool {
        self.of.is_none_or(|of| of == (producer, now))
            && self.packets.len() < MAX_HELD
            && self.used + held.total() <= self.bytes.len()
    }

    /// Adds a packet that [`Self::admits`]; `bytes` are canonical form and padding.
    pub(crate) fn push(&mut self, now: Instant, producer: ProducerKey, held: Held, bytes: &[u8]) {
        self.of = Some((producer, now));
        let end = self.used + bytes.len();
        self.bytes[self.used..end].copy_from_slice(bytes);
        self.used = end;
        self.packets.push(held);
    }

    /// Whose packets wait, and when they came; they are no longer waiting then.
    pub(crate) fn take(&mut self) -> Option<(ProducerKey, Instant)> {
        self.of.take()
    }

    /// The packets in order of arrival, with their bytes.
    pub(crate) fn packets(&mut self) -> impl Iterator<Item = (&Held, &mut [u8])> {
        let mut rest = &mut self.bytes[..self.used];
        self.packets.iter().map(move |held| {
            let (bytes, after) = std::mem::take(&mut rest).split_at_mut(held.total());
            rest = after;
            (held, bytes)
        })
    }

    /// Forgets them.
    pub(crate) fn clear(&mut self) {
        self.packets.clear();
        self.used = 0;
    }
}
