//! When which transport or router wants to be called: a heap with lazy deletion.
//!
//! Each owner keeps the earliest instant it is queued for. An entry that no longer matches is stale and is skipped,
//! so that moving a deadline forward costs one push and moving it back costs nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::key::{RouterKey, TransportKey};

/// Whom a timer calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A transport: link, feedback, reports, NACKs and probes.
    Transport(TransportKey),
    /// A router: its observers.
    Router(RouterKey),
}

/// The earliest instant at which an owner is queued, kept by the owner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Queued(Option<Instant>);

/// Deadlines of all owners.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Owner)>>,
}

impl Timers {
    /// Makes sure `owner` is called at `at` or earlier.
    pub(crate) fn schedule(&mut self, owner: Owner, queued: &mut Queued, at: Instant) {
        if queued.0.is_some_and(|earlier| earlier <= at) {
            return;
        }
        queued.0 = Some(at);
        self.heap.push(Reverse((at, owner)));
    }

    /// The instant of the next entry, stale ones included (a spurious wake-up is harmless and rare).
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the next entry that is due. The caller must confirm it with [`Timers::fire`].
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, Owner)> {
        let Reverse((at, owner)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some((at, owner))
    }

    /// Whether an entry popped for `at` is the owner's current one; if so the owner is no longer queued.
    pub(crate) fn fire(queued: &mut Queued, at: Instant) -> bool {
        if queued.0 != Some(at) {
            return false;
        }
        queued.0 = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_earliest_deadline_of_an_owner_fires() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let owner = Owner::Router(RouterKey::default());
        let (mut timers, mut queued) = (Timers::default(), Queued::default());
        timers.schedule(owner, &mut queued, at(30));
        timers.schedule(owner, &mut queued, at(10));
        timers.schedule(owner, &mut queued, at(20));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop_due(at(9)), None);
        let mut fired = Vec::new();
        while let Some((due, _)) = timers.pop_due(at(100)) {
            if Timers::fire(&mut queued, due) {
                fired.push(due);
            }
        }
        assert_eq!(
            fired,
            [at(10)],
            "the entry of 30 ms is stale, the one of 20 ms was never queued"
        );
        timers.schedule(owner, &mut queued, at(40));
        assert_eq!(timers.next(), Some(at(40)));
    }
}
