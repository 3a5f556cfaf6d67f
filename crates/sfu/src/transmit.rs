//! The batch of datagrams a worker wants sent.
//!
//! One growing byte arena and one list of entries, both kept between batches, so that a busy worker allocates
//! nothing. The IO side walks [`TransmitBatch::iter`], groups by destination as it likes, and clears the batch.

use std::ops::Range;

use link::FiveTuple;

/// What a datagram carries; decides what is dropped first when a send buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransmitClass {
    /// STUN and DTLS: without them the path dies.
    Control,
    /// RTP audio and RTCP.
    Audio,
    /// RTP video.
    Video,
    /// Retransmissions (RFC 4588).
    Retransmission,
    /// Padding sent to probe for bandwidth.
    Probe,
}

/// One datagram of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'a> {
    /// Where it goes.
    pub tuple: FiveTuple,
    /// What it carries.
    pub class: TransmitClass,
    /// The protected datagram, without RFC 4571 framing.
    pub bytes: &'a [u8],
}

#[derive(Clone, Debug)]
struct Entry {
    tuple: FiveTuple,
    class: TransmitClass,
    range: Range<usize>,
}

/// Datagrams waiting to be sent, in order.
#[derive(Debug, Default)]
pub struct TransmitBatch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl TransmitBatch {
    /// Number of datagrams.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all datagrams together.
    pub fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The datagrams in the order they were queued.
    pub fn iter(&self) -> impl Iterator<Item = Transmit<'_>> {
        self.entries.iter().map(|entry| Transmit {
            tuple: entry.tuple,
            class: entry.class,
            bytes: &self.bytes[entry.range.clone()],
        })
    }

    /// The datagram at `index` of the order of queueing.
    pub fn at(&self, index: usize) -> Option<Transmit<'_>> {
        let entry = self.entries.get(index)?;
        Some(Transmit {
            tuple: entry.tuple,
            class: entry.class,
            bytes: &self.bytes[entry.range.clone()],
        })
    }

    /// Forgets all datagrams and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Queues a datagram written in place: `write` gets `capacity` zeroed bytes and returns how many it used,
    /// or `None` to queue nothing.
    pub(crate) fn push_with(
        &mut self,
        tuple: FiveTuple,
        class: TransmitClass,
        capacity: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        let start = self.bytes.len();
        self.bytes.resize(start + capacity, 0);
        let Some(used) = write(&mut self.bytes[start..]) else {
            self.bytes.truncate(start);
            return false;
        };
        debug_assert!(used <= capacity, "a writer reported more than it was given");
        self.bytes.truncate(start + used);
        self.entries.push(Entry {
            tuple,
            class,
            range: start..start + used,
        });
        true
    }

    /// Queues a datagram that exists already.
    pub(crate) fn push(&mut self, tuple: FiveTuple, class: TransmitClass, datagram: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(datagram);
        self.entries.push(Entry {
            tuple,
            class,
            range: start..start + datagram.len(),
        });
    }
}
