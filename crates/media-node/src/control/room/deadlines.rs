//! What happens to a room when nothing happens for too long (contract §1.9).

use signalling::gateway_node::{IceState, RoomEnd};
use signalling::{ParticipantId, TransportId};
use tokio::time::Instant;

use super::Room;
use super::objects::Participant;

impl Room {
    /// When [`Self::handle_deadline`] is due; `None` while there is nothing to wait for.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let connects = self
            .transports
            .values()
            .filter_map(|transport| transport.connect_by);
        let removals = self
            .participants
            .values()
            .filter_map(|participant| self.removal(participant));
        self.unjoined_until
            .into_iter()
            .chain(connects)
            .chain(removals)
            .min()
    }

    /// Does what is due at `now`.
    pub(super) async fn handle_deadline(&mut self, now: Instant) {
        if self.unjoined_until.is_some_and(|deadline| deadline <= now) {
            self.finish(RoomEnd::Unjoined);
            return;
        }
        let late = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        let unreached: Vec<TransportId> = self
            .transports
            .iter()
            .filter(|(_, transport)| late(transport.connect_by))
            .map(|(id, _)| *id)
            .collect();
        for id in unreached {
            self.ice_changed(id, IceState::Failed);
            if let Some(transport) = self.transports.get_mut(&id) {
                transport.connect_by = None;
            }
        }
        let gone: Vec<ParticipantId> = self
            .participants
            .iter()
            .filter(|(_, participant)| late(self.removal(participant)))
            .map(|(id, _)| id.clone())
            .collect();
        for participant in gone {
            tracing::info!(call = %self.call, %participant, "participant is unreachable");
            self.leave(&participant).await;
        }
    }

    /// When a participant is removed unless it comes back: its socket has gone, or all its transports have failed. Where
    /// nobody else watches over participants, also when there never was a sign of it.
    fn removal(&self, participant: &Participant) -> Option<Instant> {
        let timings = &self.context.timings;
        let orphaned = participant
            .orphaned_since
            .zip(timings.orphan_grace)
            .map(|(since, grace)| since + grace);
        let unseen = participant.unseen_since.zip(timings.orphan_grace);
        let unseen = unseen.map(|(since, grace)| since + timings.connect + grace);
        let transports = || participant.transports().filter_map(|id| self.transports.get(&id));
        let all_failed =
            transports().count() > 0 && transports().all(|transport| transport.failed_since.is_some());
        let failed = transports()
            .filter_map(|transport| transport.failed_since)
            .max()
            .filter(|_| all_failed);
        orphaned
            .into_iter()
            .chain(unseen)
            .chain(failed.map(|since| since + timings.failed))
            .min()
    }
}
