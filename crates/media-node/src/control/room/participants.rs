//! Participants: admitted with their first transport, gone with everything they had.

use signalling::error::ErrorBody;
use signalling::gateway_node::RoomEnd;
use signalling::{ErrorCode, ParticipantId};
use tokio::time::Instant;

use super::Room;
use super::objects::Participant;
use crate::control::admission::Admission;
use crate::control::presence::Change;
use crate::control::workers::WorkerNumber;
use crate::random;

impl Room {
    /// Whether `participant` may have a transport: it is here already, or there is room for one more.
    pub(super) fn admit(&self, participant: &ParticipantId) -> Result<(), ErrorBody> {
        if self.participants.contains_key(participant) {
            return Ok(());
        }
        if self.participants.len() >= self.context.capacity.participants_per_room {
            return Err(ErrorBody::new(ErrorCode::RoomFull).about("callId", &self.call));
        }
        if self.context.admission.level() >= Admission::Closed {
            let message = "The server is overloaded and takes no more participants";
            return Err(ErrorBody::with_message(ErrorCode::ServerAtCapacity, message));
        }
        Ok(())
    }

    /// The participant, registered if it is new as one that `worker` serves.
    pub(super) fn register(&mut self, participant: &ParticipantId, worker: WorkerNumber) -> &mut Participant {
        if !self.participants.contains_key(participant) {
            tracing::info!(call = %self.call, %participant, "participant joined");
            self.unjoined_until = None;
            self.context.registry.count_participants(1);
            self.count_participant(worker, 1);
        }
        let unseen = !self.context.presence.is_present(&self.call, participant);
        self.participants
            .entry(participant.clone())
            .or_insert_with(|| Participant {
                unseen_since: unseen.then(Instant::now),
                ..Participant::new(worker, random::cname())
            })
    }

    /// Closes everything of a participant; the room ends with the last one. Unknown ones have left already.
    pub(crate) async fn leave(&mut self, participant: &ParticipantId) {
        let Some(left) = self.participants.remove(participant) else {
            return;
        };
        tracing::info!(call = %self.call, %participant, "participant left");
        self.context.registry.count_participants(-1);
        self.count_participant(left.worker, -1);
        for transport in left.transports() {
            self.close_transport(transport).await;
        }
        self.close_empty_branches();
        if self.participants.is_empty() {
            return self.finish(RoomEnd::Empty);
        }
        self.give_place_back();
    }

    /// The participant's first socket came or its last one went.
    pub(crate) fn presence_changed(&mut self, participant: &ParticipantId, change: Change) {
        if let Some(participant) = self.participants.get_mut(participant) {
            participant.unseen_since = None;
            participant.orphaned_since = match change {
                Change::Came => None,
                Change::Gone => Some(Instant::now()),
            };
        }
    }
}
