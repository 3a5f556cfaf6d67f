//! Which worker takes a new room, and which one a newcomer of a room whose home is loaded.

use std::time::Duration;

/// How loaded a worker is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// The worker's number.
    pub(crate) index: usize,
    /// Share of time its thread is busy, 0 to 1.
    pub(crate) busy: f64,
    /// How long received packets wait for it, on average.
    pub(crate) queue_delay: Duration,
    /// Participants served by it.
    pub(crate) participants: usize,
    /// Consumers that flow from it.
    pub(crate) consumers: usize,
    /// Rooms that live on it, whole or in part.
    pub(crate) rooms: usize,
    /// What it is to the room in question.
    pub(crate) standpoint: Standpoint,
}

/// What a worker is to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standpoint {
    /// The room lives there.
    Home,
    /// A part of the room lives there.
    Branch,
    /// Nothing.
    Stranger,
}

/// Consumers that somebody who joins will probably have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Newcomer {
    pub(crate) consumers: usize,
}

impl Newcomer {
    /// The consumers that flow to somebody who joins `others`: nobody looks at more people than a screen shows
    /// (contract §5.3: 16), and each is seen and heard.
    pub(crate) fn among(others: usize) -> Self {
        const VISIBLE: usize = 16;
        Self {
            consumers: 2 * others.min(VISIBLE),
        }
    }
}

/// Differences in load below this are noise; the head counts decide then.
const STEP: f64 = 0.1;

/// A worker that lets packets wait this long on average is full, however busy its thread looks: where others compete for
/// its processor, what it does not get does not count as busy. An idle worker's packets wait some microseconds; a
/// person hears nothing of what a jitter buffer of 20 ms and more hides.
const FULL_DELAY: Duration = Duration::from_millis(5);

/// Consumers that fill a worker, as long as nothing is known of what they really cost: at 50 packets/s, between a voice
/// and a small picture, they take 100,000 packets/s, which a core carries (docs/capacity.md). The thread's busy time
/// tells the truth a second later.
const CONSUMERS_PER_WORKER: f64 = 2_000.0;

impl Candidate {
    /// The share of the worker that is taken, 0 to 1 and more, once `newcomer` has come.
    fn load(&self, newcomer: Newcomer) -> f64 {
        let predicted = (self.consumers + newcomer.consumers) as f64 / CONSUMERS_PER_WORKER;
        let delayed = self.queue_delay.as_secs_f64() / FULL_DELAY.as_secs_f64();
        self.busy.max(delayed).clamp(0.0, 1.0).max(predicted)
    }

    /// The lower, the better for a newcomer.
    fn rank(&self, newcomer: Newcomer) -> impl Ord + use<> {
        let steps = (self.load(newcomer) / STEP) as u32;
        (steps, self.participants, self.standpoint, self.rooms, self.index)
    }
}

/// The least loaded worker for a new room: by load first, because heads differ in what they cost; then by participants
/// and rooms, because a room just created has not cost anything yet.
pub(crate) fn least_loaded(candidates: &[Candidate]) -> Option<usize> {
    best(candidates.iter(), Newcomer { consumers: 0 })
}

/// The worker for a newcomer of a room. While the room's home has less load than `threshold` (0 to 1) that is the home:
/// nothing is cheaper than to have everybody in one place. Then a branch that the room has anyway, on the same condition;
/// then whoever has least to do.
pub(crate) fn for_newcomer(candidates: &[Candidate], newcomer: Newcomer, threshold: f64) -> Option<usize> {
    let cool = |standpoint: Standpoint| {
        candidates
            .iter()
            .filter(move |one| one.standpoint == standpoint && one.load(newcomer) < threshold)
    };
    best(cool(Standpoint::Home), newcomer)
        .or_else(|| best(cool(Standpoint::Branch), newcomer))
        .or_else(|| best(candidates.iter(), newcomer))
}

fn best<'a>(candidates: impl Iterator<Item = &'a Candidate>, newcomer: Newcomer) -> Option<usize> {
    candidates
        .min_by_key(|candidate| candidate.rank(newcomer))
        .map(|candidate| candidate.index)
}

#[cfg(test)]
mod tests {
    use super::Standpoint::{Branch, Home, Stranger};
    use super::*;

    fn worker(index: usize, busy: f64, participants: usize, rooms: usize) -> Candidate {
        Candidate {
            index,
            busy,
            queue_delay: Duration::ZERO,
            participants,
            consumers: 0,
            rooms,
            standpoint: Stranger,
        }
    }

    #[test]
    fn load_counts_before_heads_and_heads_before_rooms() {
        let eager = |index, consumers| Candidate {
            consumers,
            ..worker(index, 0.0, 1, 1)
        };
        let waits = |index, micros| Candidate {
            queue_delay: Duration::from_micros(micros),
            ..worker(index, 0.1, 1, 1)
        };
        let table = [
            (vec![worker(0, 0.0, 0, 0), worker(1, 0.0, 0, 0)], Some(0)),
            (vec![worker(0, 0.0, 0, 1), worker(1, 0.0, 0, 0)], Some(1)),
            (vec![worker(0, 0.0, 5, 1), worker(1, 0.0, 3, 2)], Some(1)),
            (vec![worker(0, 0.55, 3, 1), worker(1, 0.15, 30, 4)], Some(1)),
            // A difference within a step is noise.
            (vec![worker(0, 0.12, 3, 1), worker(1, 0.18, 1, 1)], Some(1)),
            // Consumers that began to flow within the second cost as much as others, though nobody measured it yet.
            (vec![eager(0, 1_000), worker(1, 0.3, 9, 9)], Some(1)),
            (vec![eager(0, 300), worker(1, 0.3, 9, 9)], Some(0)),
            // Whose packets wait is full, though it is not busy all the time.
            (vec![waits(0, 2_500), worker(1, 0.4, 9, 9)], Some(1)),
            (vec![waits(0, 200), worker(1, 0.4, 9, 9)], Some(0)),
            (Vec::new(), None),
        ];
        for (workers, expected) in table {
            assert_eq!(least_loaded(&workers), expected, "{workers:?}");
        }
    }

    #[test]
    fn rooms_created_at_once_spread_over_all_workers() {
        let mut rooms = [0_usize; 4];
        for _ in 0..8 {
            let workers: Vec<_> = (0..4).map(|index| worker(index, 0.0, 0, rooms[index])).collect();
            rooms[least_loaded(&workers).expect("four workers")] += 1;
        }
        assert_eq!(rooms, [2; 4]);
    }

    #[test]
    fn a_room_stays_in_one_place_until_that_is_loaded() {
        let one = |index, standpoint, busy, consumers| Candidate {
            index,
            busy,
            queue_delay: Duration::ZERO,
            participants: 5,
            consumers,
            rooms: 1,
            standpoint,
        };
        let table = [
            // (home, branch, stranger) by (busy, consumers), who gets the newcomer.
            ([(0.69, 0), (0.0, 0), (0.0, 0)], 0),
            ([(0.70, 0), (0.6, 0), (0.0, 0)], 1),
            ([(0.70, 0), (0.8, 0), (0.5, 0)], 2),
            // The prediction counts with the newcomer's own consumers: 1,368 + 32 of 2,000.
            ([(0.1, 1_367), (0.0, 0), (0.0, 0)], 0),
            ([(0.1, 1_368), (0.0, 0), (0.0, 0)], 1),
            // All are hot and alike: nothing is gained by going elsewhere.
            ([(0.91, 0), (0.92, 0), (0.93, 0)], 0),
            ([(0.91, 0), (0.85, 0), (0.93, 0)], 1),
        ];
        for (row, expected) in table {
            let [home, branch, stranger] = row;
            let workers = [
                one(0, Home, home.0, home.1),
                one(1, Branch, branch.0, branch.1),
                one(2, Stranger, stranger.0, stranger.1),
            ];
            let newcomer = Newcomer::among(40);
            assert_eq!(newcomer.consumers, 32);
            assert_eq!(for_newcomer(&workers, newcomer, 0.7), Some(expected), "{row:?}");
        }
        assert_eq!(for_newcomer(&[], Newcomer::among(1), 0.7), None);
    }

    #[test]
    fn with_no_threshold_newcomers_take_turns() {
        let mut participants = [0_usize; 3];
        for _ in 0..9 {
            let workers: Vec<_> = (0..3)
                .map(|index| Candidate {
                    standpoint: if index == 0 { Home } else { Branch },
                    ..worker(index, 0.0, participants[index], 1)
                })
                .collect();
            let seat = for_newcomer(&workers, Newcomer::among(9), 0.0).expect("three workers");
            participants[seat] += 1;
        }
        assert_eq!(participants, [3; 3]);
    }
}
