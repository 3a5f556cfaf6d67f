//! The bounded table of paths on which the peer has proven to know the password.

use std::time::{Duration, Instant};

use crate::tuple::FiveTuple;

/// Paths remembered per link. A browser with several interfaces, IPv4 and IPv6, UDP and TCP stays below; a peer
/// that sends valid checks from ever new ports pushes out its own oldest ones.
pub(super) const MAX_TUPLES: usize = 16;

/// Counts ICE restarts of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Generation(pub(super) u32);

/// An authenticated check.
#[derive(Clone, Copy)]
pub(super) struct ProvenCheck {
    pub(super) tuple: FiveTuple,
    pub(super) generation: Generation,
    /// PRIORITY; zero when the peer did not say.
    pub(super) priority: u32,
    pub(super) nominates: bool,
}

/// Whether the path of a check becomes the selected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Select,
}

struct Entry {
    last: ProvenCheck,
    last_check: Instant,
    /// Nominations of this path since the selected one was last nominated.
    nominations: u32,
}

/// So many nominations of another path, and none of the selected one between them, mean that the peer has left
/// the selected one, whatever the priorities say.
const ABANDONED_AFTER: u32 = 2;

#[derive(Default)]
pub(super) struct Tuples(Vec<Entry>);

impl Tuples {
    pub(super) fn contains(&self, tuple: FiveTuple) -> bool {
        self.find(tuple).is_some()
    }

    fn find(&self, tuple: FiveTuple) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.last.tuple == tuple)
    }

    /// Notes a check and weighs its nomination.
    ///
    /// Some peers nominate one path and move the nomination when they change their mind (libwebrtc, Firefox);
    /// others keep nominating every path that was ever their best and use the one of highest priority
    /// (str0m, aggressive nomination of RFC 5245). Following each nomination would alternate for the latter,
    /// following priority alone would keep the former on a path they have left. So a path is selected when its
    /// nomination is news, when it is the better one, or when the selected one is no longer nominated.
    pub(super) fn prove(&mut self, now: Instant, check: ProvenCheck, selected: Option<FiveTuple>) -> Verdict {
        let selected_priority = selected
            .and_then(|tuple| self.find(tuple))
            .map(|entry| entry.last.priority);
        let (previous, nominations) = self.note(now, check, selected);
        if !check.nominates {
            return Verdict::Keep;
        }
        let is_selected = selected == Some(check.tuple);
        let news = !previous.is_some_and(|last| last.nominates && last.generation == check.generation);
        let better = selected_priority.is_none_or(|priority| check.priority > priority);
        let selects = !is_selected && (news || better || nominations >= ABANDONED_AFTER);
        if is_selected || selects {
            self.0.iter_mut().for_each(|entry| entry.nominations = 0);
        }
        if selects { Verdict::Select } else { Verdict::Keep }
    }

    /// Updates or adds the entry; returns the path's previous check and its nominations including this one.
    fn note(
        &mut self,
        now: Instant,
        check: ProvenCheck,
        selected: Option<FiveTuple>,
    ) -> (Option<ProvenCheck>, u32) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.last.tuple == check.tuple) {
            let previous = std::mem::replace(&mut entry.last, check);
            entry.last.generation = check.generation.max(previous.generation);
            entry.last_check = now;
            entry.nominations += u32::from(check.nominates);
            return (Some(previous), entry.nominations);
        }
        if self.0.len() >= MAX_TUPLES {
            self.evict(selected);
        }
        self.0.push(Entry {
            last: check,
            last_check: now,
            nominations: u32::from(check.nominates),
        });
        (None, u32::from(check.nominates))
    }

    /// The oldest path but the selected one makes room for a new one.
    fn evict(&mut self, selected: Option<FiveTuple>) {
        let unselected = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, entry)| Some(entry.last.tuple) != selected);
        let oldest = unselected
            .min_by_key(|(_, entry)| entry.last_check)
            .map(|(position, _)| position);
        if let Some(oldest) = oldest {
            self.0.swap_remove(oldest);
        }
    }

    pub(super) fn remove(&mut self, tuple: FiveTuple) {
        self.0.retain(|entry| entry.last.tuple != tuple);
    }

    /// Forgets the paths proven only with older credentials.
    pub(super) fn retain_generation(&mut self, generation: Generation) {
        self.0.retain(|entry| entry.last.generation >= generation);
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
            .map(|entry| entry.last.tuple)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
