//! The bounded table of paths on which the peer has proven to know the password.

use std::time::{Duration, Instant};

use crate::tuple::FiveTuple;

/// Paths remembered per link. A browser with several interfaces, IPv4 and IPv6, UDP and TCP stays below; a peer
/// that sends valid checks from ever new ports pushes out its own oldest ones.
pub(super) const MAX_TUPLES: usize = 16;

/// Counts ICE restarts of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Generation(pub(super) u32);

struct Entry {
    tuple: FiveTuple,
    last_check: Instant,
    generation: Generation,
}

#[derive(Default)]
pub(super) struct Tuples(Vec<Entry>);

impl Tuples {
    pub(super) fn contains(&self, tuple: FiveTuple) -> bool {
        self.0.iter().any(|entry| entry.tuple == tuple)
    }

    /// Notes an authenticated check; the oldest path but the selected one makes room for a new one.
    pub(super) fn prove(
        &mut self,
        now: Instant,
        tuple: FiveTuple,
        generation: Generation,
        selected: Option<FiveTuple>,
    ) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.tuple == tuple) {
            entry.last_check = now;
            entry.generation = entry.generation.max(generation);
            return;
        }
        if self.0.len() >= MAX_TUPLES {
            let unselected = self
                .0
                .iter()
                .enumerate()
                .filter(|(_, entry)| Some(entry.tuple) != selected);
            let oldest = unselected
                .min_by_key(|(_, entry)| entry.last_check)
                .map(|(position, _)| position);
            if let Some(oldest) = oldest {
                self.0.swap_remove(oldest);
            }
        }
        self.0.push(Entry {
            tuple,
            last_check: now,
            generation,
        });
    }

    pub(super) fn remove(&mut self, tuple: FiveTuple) {
        self.0.retain(|entry| entry.tuple != tuple);
    }

    /// Forgets the paths proven only with older credentials.
    pub(super) fn retain_generation(&mut self, generation: Generation) {
        self.0.retain(|entry| entry.generation >= generation);
    }

    pub(super) fn expire(&mut self, now: Instant, after: Duration) {
        self.0
            .retain(|entry| now.saturating_duration_since(entry.last_check) < after);
    }

    pub(super) fn next_expiry(&self, after: Duration) -> Option<Instant> {
        self.0.iter().map(|entry| entry.last_check + after).min()
    }

    /// The path with the latest check.
    pub(super) fn freshest(&self) -> Option<FiveTuple> {
        self.0
            .iter()
            .max_by_key(|entry| entry.last_check)
            .map(|entry| entry.tuple)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
