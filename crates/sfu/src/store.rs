//! Packets of one producer stream, kept for retransmission: plaintext, in the router's form, once for all consumers.
//!
//! A byte ring holds the packets back to back and an index finds them by sequence number. Both start empty, grow by
//! doubling while the traffic needs it and never shrink, so the steady state allocates nothing:
//!
//! | stream | bytes | index | together |
//! |---|---|---|---|
//! | never sent | 0 | 0 | 0 |
//! | Opus, 50 packets/s of 100 B, kept 1 s | 8 KiB | 64 x 40 B | 11 KiB |
//! | video, 2.5 Mbit/s, kept 1 s | 512 KiB | 512 x 40 B | 532 KiB |
//! | the bound, at a capacity of 1024 packets | 1 MiB | 1024 x 40 B | 1.04 MiB |
//!
//! The bound is 1 KiB per packet of capacity: at 1024 packets it holds 1.6 s of the 5 Mbit/s a producer may send
//! (contract §1.9) and about 700 packets of full size, more than the 1 s or 500 packets that contract §5.3 asks for.
//! Video just above a power of two rests in a ring twice its need; the bound holds all the same.

use std::time::{Duration, Instant};

use rtp::SeqNo;

/// The largest packet kept; no path carries a larger RTP packet unfragmented.
const MAX_PACKET: usize = 1500;

/// Where the byte ring starts. A quarter of it must hold the largest packet.
const FIRST_BYTES: usize = 8 * 1024;

/// Where the index starts: a second of audio.
const FIRST_SLOTS: usize = 64;

/// Bytes of the ring per packet of capacity, at most.
const BYTES_PER_PACKET: usize = 1024;

/// The ring's parts whose last write is remembered, to know whether what lies ahead is still wanted.
const QUARTERS: usize = 4;

/// One packet's place. `len` 0 marks a slot never used.
#[derive(Clone, Copy)]
struct Slot {
    seq: SeqNo,
    /// Count of ring bytes ever written before this packet; modulo the ring's size its position.
    at: u64,
    inserted: Instant,
    len: u16,
}

/// The retransmission store of one stream.
pub(crate) struct PacketStore {
    /// Ring of packet bytes; its length is zero or a power of two.
    bytes: Vec<u8>,
    /// Index by the sequence number's low bits; its length is zero or a power of two.
    slots: Vec<Slot>,
    /// Count of ring bytes ever written, gaps at the ring's end included.
    head: u64,
    /// When each quarter of the ring was last written.
    written: [Option<Instant>; QUARTERS],
    newest: Option<SeqNo>,
    capacity_packets: usize,
    max_age: Duration,
}

impl PacketStore {
    /// A store of at most `capacity_packets` (rounded up to a power of two of 64 or more) that forgets packets older
    /// than `max_age`. Allocates nothing before the first packet.
    pub(crate) fn new(capacity_packets: usize, max_age: Duration) -> Self {
        Self {
            bytes: Vec::new(),
            slots: Vec::new(),
            head: 0,
            written: [None; QUARTERS],
            newest: None,
            capacity_packets: capacity_packets.next_power_of_two().max(FIRST_SLOTS),
            max_age,
        }
    }

    /// Keeps a copy of `packet`. Ignored: empty packets, packets over 1500 bytes, a number already held, and a number
    /// so old that its place belongs to a newer packet.
    pub(crate) fn insert(&mut self, now: Instant, seq: SeqNo, packet: &[u8]) {
        let Ok(len) = u16::try_from(packet.len()) else {
            return;
        };
        if packet.is_empty() || packet.len() > MAX_PACKET {
            return;
        }
        let Some(index) = self.slot_for(now, seq) else {
            return;
        };
        let at = self.room_for(now, packet.len());
        let start = position(at, self.bytes.len());
        self.bytes[start..start + packet.len()].copy_from_slice(packet);
        self.head = at + u64::from(len);
        let quarter = self.bytes.len() / QUARTERS;
        for end in [at, self.head - 1] {
            self.written[position(end, self.bytes.len()) / quarter] = Some(now);
        }
        let slot = Slot {
            seq,
            at,
            inserted: now,
            len,
        };
        // The index's first slots are made of the first packet: an `Instant` has no neutral value.
        if self.slots.is_empty() {
            self.slots.resize(FIRST_SLOTS, Slot { len: 0, ..slot });
        }
        self.slots[index] = slot;
        self.newest = self.newest.max(Some(seq));
    }

    /// The packet numbered `seq`, unless it is missing, overwritten or too old.
    pub(crate) fn packet(&self, now: Instant, seq: SeqNo) -> Option<&[u8]> {
        let slot = self.slots.get(slot_index(seq, self.slots.len()))?;
        if slot.seq != seq || !self.is_wanted(now, slot) {
            return None;
        }
        let start = position(slot.at, self.bytes.len());
        self.bytes.get(start..start + usize::from(slot.len))
    }

    /// The highest number kept so far.
    #[cfg(test)]
    pub(crate) fn newest(&self) -> Option<SeqNo> {
        self.newest
    }

    /// Bytes of memory held, used or not.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.slots.capacity() * size_of::<Slot>()
    }

    /// Forgets all packets and keeps the memory.
    pub(crate) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.len = 0;
        }
        self.written = [None; QUARTERS];
        self.newest = None;
    }

    /// Whether a slot's packet is whole and young enough.
    fn is_wanted(&self, now: Instant, slot: &Slot) -> bool {
        slot.len > 0
            && self.head - slot.at <= self.bytes.len() as u64
            && now.saturating_duration_since(slot.inserted) <= self.max_age
    }

    /// The index slot for a new packet, after growing the index if a wanted packet sits there.
    fn slot_for(&mut self, now: Instant, seq: SeqNo) -> Option<usize> {
        loop {
            let index = slot_index(seq, self.slots.len().max(FIRST_SLOTS));
            let Some(slot) = self.slots.get(index) else {
                return Some(index);
            };
            if !self.is_wanted(now, slot) {
                return Some(index);
            }
            if slot.seq == seq {
                return None;
            }
            if self.slots.len() >= self.capacity_packets {
                return (slot.seq < seq).then_some(index);
            }
            self.grow_slots();
        }
    }

    /// Doubles the index. Slots apart in the low bits stay apart with one bit more.
    fn grow_slots(&mut self) {
        let size = self.slots.len();
        let empty = Slot {
            len: 0,
            ..self.slots[0]
        };
        self.slots.reserve_exact(size);
        self.slots.resize(2 * size, empty);
        for index in 0..size {
            let slot = self.slots[index];
            let target = slot_index(slot.seq, 2 * size);
            if slot.len > 0 && target != index {
                self.slots[target] = slot;
                self.slots[index].len = 0;
            }
        }
    }

    /// Where the next `len` bytes go, after growing the ring if that would overwrite wanted packets.
    fn room_for(&mut self, now: Instant, len: usize) -> u64 {
        if self.bytes.is_empty() {
            self.bytes.resize(FIRST_BYTES, 0);
        }
        loop {
            let size = self.bytes.len();
            let start = position(self.head, size);
            // A packet is never split: the ring's last bytes stay unused when it does not fit there.
            let at = if start + len > size {
                self.head + (size - start) as u64
            } else {
                self.head
            };
            let quarter = size / QUARTERS;
            let ahead = position(at + len as u64 - 1, size) / quarter;
            let entering = self.head == 0 || ahead != position(self.head - 1, size) / quarter;
            let young = self.written[ahead]
                .is_some_and(|written| now.saturating_duration_since(written) <= self.max_age);
            if !(entering && young) || size >= self.capacity_packets * BYTES_PER_PACKET {
                return at;
            }
            self.grow_bytes();
        }
    }

    /// Doubles the ring. Positions are counts modulo the size, so every packet moves by zero or one old size.
    fn grow_bytes(&mut self) {
        let old = self.bytes.len();
        let quarter = (old / QUARTERS) as u64;
        self.bytes.reserve_exact(old);
        self.bytes.resize(2 * old, 0);
        let live = self.head.saturating_sub(old as u64);
        for slot in &self.slots {
            if slot.len > 0 && slot.at >= live {
                let (from, to) = (position(slot.at, old), position(slot.at, 2 * old));
                self.bytes.copy_within(from..from + usize::from(slot.len), to);
            }
        }
        let mut written = [None; QUARTERS];
        let newest = self.head.saturating_sub(1) / quarter;
        for number in newest.saturating_sub(QUARTERS as u64 - 1)..=newest {
            let part = &mut written[(number / 2) as usize % QUARTERS];
            *part = (*part).max(self.written[number as usize % QUARTERS]);
        }
        self.written = written;
    }
}

/// The position of a byte count in a ring of `size` bytes, a power of two.
fn position(count: u64, size: usize) -> usize {
    (count & (size as u64 - 1)) as usize
}

/// The slot of a sequence number in an index of `size` slots, a power of two or zero.
fn slot_index(seq: SeqNo, size: usize) -> usize {
    (seq.0 & (size as u64).wrapping_sub(1)) as usize
}

#[cfg(test)]
mod tests;
