//! Which participants have a socket in their room, so that those who vanish can be told from those who never came.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use signalling::{CallId, ParticipantId};

/// Open sockets per participant.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    sockets: Mutex<HashMap<(CallId, ParticipantId), usize>>,
}

/// How a participant's presence changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The first socket came.
    Came,
    /// The last socket went.
    Gone,
}

impl Presence {
    /// A socket joined; `announce` is told of a change before any other change can happen.
    pub(crate) fn joined(&self, call: &CallId, participant: &ParticipantId, announce: impl FnOnce(Change)) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sockets.entry((call.clone(), participant.clone())).or_default();
        *count += 1;
        if *count == 1 {
            announce(Change::Came);
        }
    }

    /// Whether the participant has a socket.
    pub(crate) fn is_present(&self, call: &CallId, participant: &ParticipantId) -> bool {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.contains_key(&(call.clone(), participant.clone()))
    }

    /// A socket left or disconnected.
    pub(crate) fn left(&self, call: &CallId, participant: &ParticipantId, announce: impl FnOnce(Change)) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (call.clone(), participant.clone());
        let Some(count) = sockets.get_mut(&key) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            sockets.remove(&key);
            announce(Change::Gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_and_the_last_socket_change_anything() {
        let presence = Presence::default();
        let call: CallId = "call".parse().expect("an id");
        let anna: ParticipantId = "anna".parse().expect("an id");
        let mut changes = Vec::new();
        presence.left(&call, &anna, |change| changes.push(change));
        presence.joined(&call, &anna, |change| changes.push(change));
        presence.joined(&call, &anna, |change| changes.push(change));
        presence.left(&call, &anna, |change| changes.push(change));
        assert!(presence.is_present(&call, &anna), "one of two sockets is left");
        presence.left(&call, &anna, |change| changes.push(change));
        assert!(!presence.is_present(&call, &anna));
        presence.left(&call, &anna, |change| changes.push(change));
        assert_eq!(changes, [Change::Came, Change::Gone]);
    }
}
