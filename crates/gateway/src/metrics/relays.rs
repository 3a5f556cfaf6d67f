//! Whose media goes through a TURN server, by what clients last said of it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use signalling::ParticipantId;

/// Clients report every ten seconds (contract §2.6); who was not heard of for three of these is gone or no longer knows.
const FRESH: Duration = Duration::from_secs(30);

/// The people of one call whose media is relayed.
#[derive(Clone, Debug, Default)]
pub(super) struct Relays(HashMap<ParticipantId, Instant>);

impl Relays {
    /// Somebody said at `now` whether theirs is.
    pub(super) fn report(&mut self, now: Instant, who: &ParticipantId, relayed: bool) {
        // Those who left say nothing any more.
        self.0.retain(|_, seen| now.duration_since(*seen) <= FRESH);
        if relayed {
            self.0.insert(who.clone(), now);
        } else {
            self.0.remove(who);
        }
    }

    /// How many are.
    pub(super) fn count(&self, now: Instant) -> usize {
        self.0
            .values()
            .filter(|seen| now.duration_since(**seen) <= FRESH)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> ParticipantId {
        name.parse().expect("an id")
    }

    #[test]
    fn the_latest_report_counts() {
        let (mut relays, now) = (Relays::default(), Instant::now());
        relays.report(now, &person("a"), true);
        relays.report(now, &person("a"), true);
        relays.report(now, &person("b"), true);
        assert_eq!(relays.count(now), 2);
        relays.report(now, &person("a"), false);
        relays.report(now, &person("c"), false);
        assert_eq!(relays.count(now), 1);
    }

    #[test]
    fn who_is_not_heard_of_is_forgotten() {
        let (mut relays, now) = (Relays::default(), Instant::now());
        relays.report(now, &person("a"), true);
        assert_eq!(relays.count(now + FRESH), 1);
        let later = now + FRESH + Duration::from_millis(1);
        assert_eq!(relays.count(later), 0);
        relays.report(later, &person("b"), true);
        assert_eq!(relays.0.len(), 1, "and takes no room");
    }
}
