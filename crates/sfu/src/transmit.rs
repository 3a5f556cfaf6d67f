//! The batch of datagrams a worker wants sent.
//!
//! One growing byte arena and one list of entries, both kept between batches, so that a busy worker allocates
//! nothing and cleans nothing: what a batch leaves in the arena is overwritten by the next. The IO side walks [`TransmitBatch::iter`], groups by destination as it likes, and clears the batch.

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
    /// All of it initialised; bytes from `used` on are what earlier batches left.
    arena: Vec<u8>,
    used: usize,
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
        self.used
    }

    /// The datagrams in the order they were queued.
    pub fn iter(&self) -> impl Iterator<Item = Transmit<'_>> {
        self.entries.iter().map(|entry| Transmit {
            tuple: entry.tuple,
            class: entry.class,
            bytes: &self.arena[entry.range.clone()],
        })
    }

    /// The datagram at `index` of the order of queueing.
    pub fn at(&self, index: usize) -> Option<Transmit<'_>> {
        let entry = self.entries.get(index)?;
        Some(Transmit {
            tuple: entry.tuple,
            class: entry.class,
            bytes: &self.arena[entry.range.clone()],
        })
    }

    /// Forgets all datagrams and keeps the memory.
    pub fn clear(&mut self) {
        self.used = 0;
        self.entries.clear();
    }

    /// Queues a datagram written in place: `write` gets `capacity` bytes of any content and returns how many of them it
    /// overwrote from the start on, or `None` to queue nothing.
    pub(crate) fn push_with(
        &mut self,
        tuple: FiveTuple,
        class: TransmitClass,
        capacity: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        let start = self.used;
        let room = self.room(capacity);
        let used = write(room)?;
        debug_assert!(used <= capacity, "a writer reported more than it was given");
        self.used = start + used;
        self.entries.push(Entry {
            tuple,
            class,
            range: start..start + used,
        });
        Some(used)
    }

    /// Queues a datagram that exists already.
    pub(crate) fn push(&mut self, tuple: FiveTuple, class: TransmitClass, datagram: &[u8]) {
        self.push_with(tuple, class, datagram.len(), |room| {
            room.copy_from_slice(datagram);
            Some(datagram.len())
        });
    }

    /// The next `capacity` bytes of the arena.
    fn room(&mut self, capacity: usize) -> &mut [u8] {
        let end = self.used + capacity;
        if self.arena.len() < end {
            // By halves more than needed, as vectors grow.
            self.arena.resize(end + end / 2, 0);
        }
        &mut self.arena[self.used..end]
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use link::Protocol;

    use super::*;

    fn tuple() -> FiveTuple {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        FiveTuple {
            protocol: Protocol::Udp,
            local: address,
            remote: address,
        }
    }

    #[test]
    fn datagrams_lie_one_after_the_other_whatever_was_there_before() {
        let mut batch = TransmitBatch::default();
        for round in 0..3_u8 {
            batch.push(tuple(), TransmitClass::Control, &[round; 700]);
            let refused = batch.push_with(tuple(), TransmitClass::Video, 900, |room| {
                room.fill(0xee);
                None
            });
            assert_eq!(refused, None);
            let queued = batch.push_with(tuple(), TransmitClass::Video, 900, |room| {
                room[..20].fill(round + 100);
                Some(20)
            });
            assert_eq!(queued, Some(20));
            batch.push(tuple(), TransmitClass::Audio, &[round + 50; 3]);
            let found: Vec<_> = batch
                .iter()
                .map(|transmit| (transmit.class, transmit.bytes.to_vec()))
                .collect();
            let expected = [
                (TransmitClass::Control, vec![round; 700]),
                (TransmitClass::Video, vec![round + 100; 20]),
                (TransmitClass::Audio, vec![round + 50; 3]),
            ];
            assert_eq!(found, expected);
            assert_eq!((batch.len(), batch.total_bytes()), (3, 723));
            batch.clear();
            assert!(batch.is_empty() && batch.at(0).is_none() && batch.total_bytes() == 0);
        }
    }
}
