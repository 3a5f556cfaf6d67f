//! Which worker takes a new room.

/// How loaded a worker is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// The worker's number.
    pub(crate) index: usize,
    /// Share of time its thread is busy, 0 to 1.
    pub(crate) busy: f64,
    /// Participants in its rooms.
    pub(crate) participants: usize,
    /// Its rooms.
    pub(crate) rooms: usize,
}

/// Differences in busy time below this are noise; the head counts decide then.
const BUSY_STEP: f64 = 0.1;

/// The least loaded worker: by busy time first, because heads differ in what they cost; then by participants and
/// rooms, because a room just created has not cost anything yet.
pub(crate) fn least_loaded(candidates: &[Candidate]) -> Option<usize> {
    let rank = |candidate: &Candidate| {
        let busy = (candidate.busy.clamp(0.0, 1.0) / BUSY_STEP) as u32;
        (busy, candidate.participants, candidate.rooms, candidate.index)
    };
    candidates
        .iter()
        .min_by_key(|candidate| rank(candidate))
        .map(|candidate| candidate.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(index: usize, busy: f64, participants: usize, rooms: usize) -> Candidate {
        Candidate {
            index,
            busy,
            participants,
            rooms,
        }
    }

    #[test]
    fn busy_time_counts_before_heads_and_heads_before_rooms() {
        let table = [
            (vec![worker(0, 0.0, 0, 0), worker(1, 0.0, 0, 0)], Some(0)),
            (vec![worker(0, 0.0, 0, 1), worker(1, 0.0, 0, 0)], Some(1)),
            (vec![worker(0, 0.0, 5, 1), worker(1, 0.0, 3, 2)], Some(1)),
            (vec![worker(0, 0.55, 3, 1), worker(1, 0.15, 30, 4)], Some(1)),
            // A difference within a step is noise.
            (vec![worker(0, 0.12, 3, 1), worker(1, 0.18, 1, 1)], Some(1)),
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
}
