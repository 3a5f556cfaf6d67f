//! Which datagrams of a batch travel together.
//!
//! A *train* is a run of datagrams to one destination that the kernel can take as a single segmented datagram (UDP
//! GSO): all of one size, except that the last may be shorter. The fan-out of a burst queues a destination's datagrams side
//! by side; those of other bursts, audio and reports lie between. They are linked here by index and gathered when sent,
//! never copied. Order within a destination and priority is kept.

use std::net::SocketAddr;

use sfu::{Transmit, TransmitClass};

/// The most segments Linux cuts a datagram into (`UDP_MAX_SEGMENTS`).
pub(super) const MAX_SEGMENTS: u16 = 64;
/// The most bytes an IPv4 datagram carries behind its UDP header; IPv6 allows slightly more.
const MAX_BYTES: usize = 65_507;

/// What happens to a datagram that the kernel has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    /// Kept for another try: a path dies without STUN and DTLS, and audio is what a call is about.
    Keep,
    /// Dropped: video repairs itself by retransmission and key frames, and more of it would only make it worse.
    Shed,
}

impl Priority {
    pub(super) fn of(class: TransmitClass) -> Self {
        match class {
            TransmitClass::Control | TransmitClass::Audio => Self::Keep,
            TransmitClass::Video | TransmitClass::Retransmission | TransmitClass::Probe => Self::Shed,
        }
    }
}

/// Datagrams that travel together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Train {
    pub(super) destination: SocketAddr,
    pub(super) priority: Priority,
    /// Number of datagrams.
    pub(super) count: u16,
    /// Size of each but the last, bytes.
    pub(super) segment: u16,
    /// Size of all, bytes.
    pub(super) bytes: usize,
    first: u32,
    last: u32,
    /// Whether another datagram may be coupled on: not behind a short one.
    open: bool,
}

/// The trains of a batch; memory is kept between batches.
#[derive(Debug)]
pub(super) struct Trains {
    trains: Vec<Train>,
    /// By datagram index: the next datagram of the same train.
    next: Vec<u32>,
    /// Open addressing from destination and priority to the last train of those. A slot of an older generation is
    /// empty, so a new batch costs nothing.
    table: Vec<Slot>,
    generation: u32,
    /// Odd and random, so that peers cannot choose addresses that collide.
    multiplier: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    generation: u32,
    train: u32,
}

/// Datagrams of a batch that needs no more memory: a frame for a hundred viewers.
pub(super) const USUAL_BATCH: usize = 1_024;
/// Fewest slots of the table, of which half may be taken; a power of two.
const MIN_SLOTS: usize = 2 * USUAL_BATCH;
/// Ends a train's list of datagrams.
const NONE: u32 = u32::MAX;

impl Trains {
    /// `seed` decides where destinations fall in the table and nothing else.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            trains: Vec::with_capacity(USUAL_BATCH),
            next: Vec::with_capacity(USUAL_BATCH),
            table: vec![Slot::default(); MIN_SLOTS],
            generation: 1,
            multiplier: seed | 1,
        }
    }

    /// Forgets the batch.
    pub(super) fn clear(&mut self) {
        self.trains.clear();
        self.next.clear();
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            // Slots of four thousand million batches ago would come alive.
            self.table.fill(Slot::default());
            self.generation = 1;
        }
    }

    /// Adds the datagram at `index` of the batch; indices must rise. Trains grow to `max_segments` datagrams.
    pub(super) fn push(&mut self, index: usize, transmit: &Transmit<'_>, max_segments: u16) {
        let index =
            u32::try_from(index).expect("a batch is flushed long before four thousand million datagrams");
        self.next.resize(index as usize + 1, NONE);
        let priority = Priority::of(transmit.class);
        let destination = transmit.tuple.remote;
        let size = transmit.bytes.len();
        if max_segments <= 1 {
            self.start(index, destination, priority, size);
            return;
        }
        // Datagrams of a burst come destination by destination.
        if let Some(last) = self.trains.last()
            && last.destination == destination
            && last.priority == priority
            && self.couple(self.trains.len() - 1, index, size, max_segments)
        {
            return;
        }
        let slot = self.slot(destination, priority);
        let known = self.table[slot].generation == self.generation;
        if known && self.couple(self.table[slot].train as usize, index, size, max_segments) {
            return;
        }
        let train = u32::try_from(self.trains.len()).expect("no more trains than datagrams");
        self.start(index, destination, priority, size);
        self.table[slot] = Slot {
            generation: self.generation,
            train,
        };
        if !known && self.trains.len() * 2 > self.table.len() {
            self.grow();
        }
    }

    /// The trains, those to keep before those to shed, each group in order of their first datagram.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Train> {
        let of = |priority| self.trains.iter().filter(move |train| train.priority == priority);
        of(Priority::Keep).chain(of(Priority::Shed))
    }

    /// Indices of a train's datagrams in order.
    pub(super) fn members(&self, train: &Train) -> impl Iterator<Item = usize> + use<'_> {
        let mut at = train.first;
        std::iter::from_fn(move || {
            let index = at as usize;
            at = *self.next.get(index)?;
            Some(index)
        })
    }

    fn start(&mut self, index: u32, destination: SocketAddr, priority: Priority, size: usize) {
        self.trains.push(Train {
            destination,
            priority,
            count: 1,
            segment: u16::try_from(size).unwrap_or(u16::MAX),
            bytes: size,
            first: index,
            last: index,
            // An empty datagram or one too long for UDP travels alone.
            open: (1..=MAX_BYTES).contains(&size),
        });
    }

    /// Couples a datagram to a train if it fits.
    fn couple(&mut self, train: usize, index: u32, size: usize, max_segments: u16) -> bool {
        let Some(train) = self.trains.get_mut(train) else {
            return false;
        };
        let segment = usize::from(train.segment);
        let fits = train.open
            && (1..=segment).contains(&size)
            && train.count < max_segments
            && train.bytes + size <= MAX_BYTES;
        if !fits {
            return false;
        }
        self.next[train.last as usize] = index;
        train.last = index;
        train.count += 1;
        train.bytes += size;
        train.open = size == segment;
        true
    }

    /// The slot that holds, or would hold, a destination's train.
    fn slot(&self, destination: SocketAddr, priority: Priority) -> usize {
        let mask = self.table.len() - 1;
        let mut at = self.hash(destination, priority) & mask;
        loop {
            let slot = self.table[at];
            let train = self.trains.get(slot.train as usize);
            let taken_by_another = slot.generation == self.generation
                && train.is_some_and(|train| train.destination != destination || train.priority != priority);
            if !taken_by_another {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    fn hash(&self, destination: SocketAddr, priority: Priority) -> usize {
        let address = match destination {
            SocketAddr::V4(v4) => u64::from(v4.ip().to_bits()),
            SocketAddr::V6(v6) => {
                let bits = v6.ip().to_bits();
                (bits as u64)
                    ^ ((bits >> 64) as u64)
                        .wrapping_mul(self.multiplier)
                        .rotate_left(32)
            }
        };
        let key = (address << 17) ^ (address >> 47) ^ (u64::from(destination.port()) << 1) ^ priority as u64;
        // The high bits are the well mixed ones.
        (key.wrapping_mul(self.multiplier) >> 32) as usize
    }

    fn grow(&mut self) {
        self.table = vec![Slot::default(); self.table.len() * 2];
        for train in 0..self.trains.len() {
            // Later trains of a destination replace earlier ones, as they did the first time.
            let slot = self.slot(self.trains[train].destination, self.trains[train].priority);
            let train = u32::try_from(train).expect("no more trains than datagrams");
            self.table[slot] = Slot {
                generation: self.generation,
                train,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use link::{FiveTuple, Protocol};
    use proptest::prelude::*;

    use super::*;

    const AUDIO: TransmitClass = TransmitClass::Audio;
    const VIDEO: TransmitClass = TransmitClass::Video;

    fn peer(number: u16) -> SocketAddr {
        if number.is_multiple_of(3) {
            return SocketAddr::from((Ipv6Addr::from(u128::from(number) << 64 | 1), 4000));
        }
        SocketAddr::from((Ipv4Addr::from(0x0A00_0000 + u32::from(number / 7)), 1000 + number))
    }

    fn plan(trains: &mut Trains, batch: &[(u16, TransmitClass, usize)], max_segments: u16) {
        let bytes = vec![0; 70_000];
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        trains.clear();
        for (index, &(to, class, size)) in batch.iter().enumerate() {
            let tuple = FiveTuple {
                protocol: Protocol::Udp,
                local,
                remote: peer(to),
            };
            trains.push(
                index,
                &Transmit {
                    tuple,
                    class,
                    bytes: &bytes[..size],
                },
                max_segments,
            );
        }
    }

    fn indices(trains: &Trains) -> Vec<Vec<usize>> {
        trains
            .in_order()
            .map(|train| trains.members(train).collect())
            .collect()
    }

    #[test]
    fn equal_datagrams_to_one_destination_form_a_train() {
        type Case<'a> = (&'a str, &'a [(u16, TransmitClass, usize)], &'a [&'a [usize]]);
        let table: &[Case<'_>] = &[
            (
                "fan-out of two packets",
                &[(1, VIDEO, 9), (2, VIDEO, 9), (1, VIDEO, 9), (2, VIDEO, 9)],
                &[&[0, 2], &[1, 3]],
            ),
            (
                "a short one ends it",
                &[(1, VIDEO, 9), (1, VIDEO, 5), (1, VIDEO, 5)],
                &[&[0, 1], &[2]],
            ),
            (
                "a longer one starts anew",
                &[(1, VIDEO, 5), (1, VIDEO, 9), (1, VIDEO, 9)],
                &[&[0], &[1, 2]],
            ),
            (
                "audio goes first and apart",
                &[(1, VIDEO, 9), (1, AUDIO, 3), (1, VIDEO, 9)],
                &[&[1], &[0, 2]],
            ),
            (
                "repairs are video, checks are not",
                &[
                    (1, TransmitClass::Retransmission, 9),
                    (1, TransmitClass::Control, 9),
                    (1, VIDEO, 9),
                ],
                &[&[1], &[0, 2]],
            ),
            (
                "empty ones travel alone",
                &[(1, AUDIO, 0), (1, AUDIO, 0)],
                &[&[0], &[1]],
            ),
            (
                "nothing longer than a datagram",
                &[(1, VIDEO, 40_000), (1, VIDEO, 40_000)],
                &[&[0], &[1]],
            ),
        ];
        let mut trains = Trains::new(7);
        for (name, batch, expected) in table {
            plan(&mut trains, batch, MAX_SEGMENTS);
            assert_eq!(indices(&trains), *expected, "{name}");
        }
    }

    #[test]
    fn a_train_ends_at_the_kernels_limit() {
        let mut trains = Trains::new(7);
        plan(&mut trains, &vec![(1, VIDEO, 100); 130], MAX_SEGMENTS);
        assert_eq!(
            indices(&trains).iter().map(Vec::len).collect::<Vec<_>>(),
            [64, 64, 2]
        );
        plan(&mut trains, &vec![(1, VIDEO, 1_200); 64], MAX_SEGMENTS);
        assert_eq!(
            indices(&trains).iter().map(Vec::len).collect::<Vec<_>>(),
            [54, 10],
            "65,507 bytes"
        );
    }

    #[test]
    fn generations_that_wrap_leave_no_old_slot_alive() {
        let mut trains = Trains::new(7);
        plan(&mut trains, &[(1, VIDEO, 9)], MAX_SEGMENTS);
        trains.generation = u32::MAX;
        plan(&mut trains, &[(2, VIDEO, 9), (1, VIDEO, 9)], MAX_SEGMENTS);
        assert_eq!(indices(&trains), [[0], [1]]);
    }

    proptest! {
        #[test]
        fn every_datagram_travels_once_in_order_and_in_a_valid_train(
            batch in prop::collection::vec((prop_oneof![0u16..3, 0u16..400], any::<bool>(), 1usize..6), 0..1500),
            max_segments in prop::sample::select(vec![1u16, 2, 8, MAX_SEGMENTS]),
            seed in any::<u64>(),
        ) {
            let batch: Vec<_> =
                batch.into_iter().map(|(to, audio, size)| (to, if audio { AUDIO } else { VIDEO }, size * 100)).collect();
            let mut trains = Trains::new(seed);
            // A batch before must leave no trace.
            plan(&mut trains, &batch, MAX_SEGMENTS);
            plan(&mut trains, &batch, max_segments);
            let mut seen = vec![false; batch.len()];
            let mut last_of: std::collections::HashMap<(u16, bool), usize> = std::collections::HashMap::new();
            for train in trains.in_order() {
                let members: Vec<usize> = trains.members(train).collect();
                prop_assert_eq!(members.len(), usize::from(train.count));
                prop_assert!(train.count <= max_segments);
                prop_assert_eq!(members.iter().map(|&index| batch[index].2).sum::<usize>(), train.bytes);
                for (position, &index) in members.iter().enumerate() {
                    let (to, class, size) = batch[index];
                    prop_assert!(!std::mem::replace(&mut seen[index], true), "sent twice");
                    prop_assert_eq!(peer(to), train.destination);
                    let is_last = position + 1 == members.len();
                    prop_assert!(size == usize::from(train.segment) || (is_last && size < usize::from(train.segment)));
                    let before = last_of.insert((to, class == AUDIO), index);
                    prop_assert!(before.is_none_or(|before| before < index), "overtaken");
                }
            }
            prop_assert!(seen.into_iter().all(|sent| sent));
        }
    }
}
