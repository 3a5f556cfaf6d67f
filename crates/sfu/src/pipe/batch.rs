//! What travels between two workers in one go: packets, what is to be known about them, and wishes the other way.

use std::ops::Range;
use std::time::Instant;

use rtp::codec::FrameInfo;
use rtp::{RtpTime, SeqNo, Ssrc};

use super::RemoteProducer;
use crate::producer::SenderClock;
use crate::spec::MediaKind;

/// Bytes from which on a waiting batch takes no more video. Batches leave with every turn of the loop, so this is only
/// reached when the other worker does not keep up: half a megabyte is then a third of a second of five good cameras, and
/// what waits longer is of no use to anybody.
const MAX_VIDEO: usize = 512 * 1024;

/// Bytes from which on a waiting batch takes nothing more: beyond the video, a second and a half of a hundred voices.
const MAX_ALL: usize = MAX_VIDEO + 1024 * 1024;

/// Memory a batch keeps for its next use, for bytes and for items; more was needed for a jam that is over.
const KEPT: usize = 256 * 1024;

/// How a packet follows those before it on the same pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Continuity {
    /// Nothing between them was lost in the pipe.
    Unbroken,
    /// Packets of the stream before it were dropped because the pipe was full.
    AfterGap,
    /// The sender started anew: its numbers have nothing to do with those before.
    Restarted,
}

/// A packet of a producer, placed and read; its canonical bytes stand beside it, none if it carries no media.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PipedPacket {
    /// The piped producer.
    pub(crate) to: RemoteProducer,
    pub(crate) encoding: u8,
    /// The SSRC it came with.
    pub(crate) ssrc: Ssrc,
    pub(crate) sequence: SeqNo,
    pub(crate) time: RtpTime,
    pub(crate) frame: FrameInfo,
    pub(crate) continuity: Continuity,
}

/// What a producer's sender reports tell of one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceClock {
    pub(crate) encoding: u8,
    pub(crate) ssrc: Ssrc,
    pub(crate) clock: SenderClock,
    /// When the report came. Both workers read the same monotonic clock.
    pub(crate) arrived: Instant,
}

/// What the producer's worker tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note {
    /// Its packets stop at their router.
    Paused,
    /// Its packets flow.
    Running,
    /// Its path opened or changed: whoever waits for a key frame asks again.
    PathOpened,
    /// A sender report came.
    Clock(SourceClock),
    /// It is gone.
    Closed,
}

/// What the viewers' worker asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A key frame of one encoding.
    KeyFrame { encoding: u8 },
    /// No more packets: the piped producer is closed.
    Nothing { remote: RemoteProducer },
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Packet {
        packet: PipedPacket,
        range: Range<usize>,
    },
    Note {
        to: RemoteProducer,
        note: Note,
    },
    Wish {
        of: RemoteProducer,
        wish: Wish,
    },
}

/// What one worker has for another, in order. Made to be used again: clear it and hand it back.
#[derive(Debug, Default)]
pub struct PipeBatch {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

/// One item of a [`PipeBatch`], for [`Worker::handle_piped`](crate::Worker::handle_piped).
#[derive(Clone, Copy, Debug)]
pub struct Piped<'a> {
    pub(super) item: &'a Item,
    pub(super) bytes: &'a [u8],
}

impl PipeBatch {
    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes of all packets together.
    pub fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The items in the order they were put in.
    pub fn iter(&self) -> impl Iterator<Item = Piped<'_>> {
        self.items.iter().map(|item| {
            let bytes = match item {
                Item::Packet { range, .. } => &self.bytes[range.clone()],
                Item::Note { .. } | Item::Wish { .. } => &[],
            };
            Piped { item, bytes }
        })
    }

    /// Empties the batch for its next use and keeps a sensible amount of its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        if self.bytes.capacity() > KEPT {
            self.bytes.shrink_to(KEPT);
        }
        let items = KEPT / size_of::<Item>();
        if self.items.capacity() > items {
            self.items.shrink_to(items);
        }
    }

    /// Bytes of memory in use: packets without a payload weigh something too.
    fn weight(&self) -> usize {
        self.bytes.len() + self.items.len() * size_of::<Item>()
    }

    /// Adds a packet with its canonical bytes; false when the batch is too full for one of this kind.
    pub(super) fn push_packet(&mut self, kind: MediaKind, packet: PipedPacket, bytes: &[u8]) -> bool {
        let limit = match kind {
            MediaKind::Audio => MAX_ALL,
            MediaKind::Video => MAX_VIDEO,
        };
        if self.weight() + bytes.len() + size_of::<Item>() > limit {
            return false;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let range = start..self.bytes.len();
        self.items.push(Item::Packet { packet, range });
        true
    }

    /// Adds a note. Notes are few (a stream's clock is told a few times a second at most) and never dropped: they are
    /// states, and some are told once.
    pub(super) fn push_note(&mut self, to: RemoteProducer, note: Note) {
        self.items.push(Item::Note { to, note });
    }

    /// Adds a wish. There is at most one per key frame, half a second or gap of a stream.
    pub(super) fn push_wish(&mut self, of: RemoteProducer, wish: Wish) {
        self.items.push(Item::Wish { of, wish });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::ProducerKey;

    fn packet(sequence: u64) -> PipedPacket {
        PipedPacket {
            to: RemoteProducer(ProducerKey::default()),
            encoding: 0,
            ssrc: Ssrc(1),
            sequence: SeqNo(sequence),
            time: RtpTime(0),
            frame: FrameInfo::default(),
            continuity: Continuity::Unbroken,
        }
    }

    #[test]
    fn items_come_out_in_order_with_their_bytes() {
        let mut batch = PipeBatch::default();
        let to = RemoteProducer(ProducerKey::default());
        assert!(batch.push_packet(MediaKind::Video, packet(1), b"one"));
        batch.push_note(to, Note::Paused);
        assert!(batch.push_packet(MediaKind::Audio, packet(2), b""));
        batch.push_wish(to, Wish::KeyFrame { encoding: 2 });
        assert!(batch.push_packet(MediaKind::Audio, packet(3), b"three"));
        let seen: Vec<(String, &[u8])> = batch
            .iter()
            .map(|piped| {
                let name = match piped.item {
                    Item::Packet { packet, .. } => packet.sequence.0.to_string(),
                    Item::Note { note, .. } => format!("{note:?}"),
                    Item::Wish { wish, .. } => format!("{wish:?}"),
                };
                (name, piped.bytes)
            })
            .collect();
        let expected: [(&str, &[u8]); 5] = [
            ("1", b"one"),
            ("Paused", b""),
            ("2", b""),
            ("KeyFrame { encoding: 2 }", b""),
            ("3", b"three"),
        ];
        assert_eq!(seen.len(), batch.len());
        for ((name, bytes), expected) in seen.iter().zip(expected) {
            assert_eq!((name.as_str(), *bytes), expected);
        }
        batch.clear();
        assert!(batch.is_empty() && batch.total_bytes() == 0);
    }

    #[test]
    fn a_full_batch_refuses_video_first_and_notes_never() {
        let mut batch = PipeBatch::default();
        let bytes = [0; 1_400];
        let fill = |batch: &mut PipeBatch, kind| {
            let mut taken = 0;
            while batch.push_packet(kind, packet(taken), &bytes) {
                taken += 1;
            }
            taken
        };
        let video = fill(&mut batch, MediaKind::Video);
        assert_eq!(video, (MAX_VIDEO / (bytes.len() + size_of::<Item>())) as u64);
        let audio = fill(&mut batch, MediaKind::Audio);
        assert!(audio >= 700, "audio goes on where video ends: {audio}");
        batch.push_note(RemoteProducer(ProducerKey::default()), Note::Closed);
        assert_eq!(batch.len() as u64, video + audio + 1);
        batch.clear();
        assert!(
            batch.bytes.capacity() <= KEPT,
            "a jam's memory is given back: {}",
            batch.bytes.capacity()
        );
        assert!(batch.push_packet(MediaKind::Video, packet(0), &bytes));
    }

    #[test]
    fn packets_without_a_payload_fill_a_batch_too() {
        let mut batch = PipeBatch::default();
        let most = MAX_VIDEO / size_of::<Item>();
        let taken =
            (0..=most as u64).filter(|number| batch.push_packet(MediaKind::Video, packet(*number), &[]));
        assert_eq!(taken.count(), most);
        batch.clear();
        assert!(batch.items.capacity() * size_of::<Item>() <= KEPT);
    }
}
