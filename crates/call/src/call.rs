//! One call.

use signalling::client_gateway::{ActiveCall, CallDto};
use signalling::{CallId, ConversationId, ParticipantId, Timestamp};

use crate::input::{Callee, Input, Moment, NewCall, NodeId, Person, RoomInfo, Settings, SocketId};
use crate::output::{Output, Seat};
use crate::record::{CallRecord, StoredCall};
use crate::view::{JoinView, StartedView};

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    record: CallRecord,
}

#[allow(missing_docs, unused_variables, clippy::unimplemented)]
impl Call {
    pub fn begin(moment: Moment, new: NewCall, settings: Settings) -> (Self, Vec<Output>) {
        unimplemented!()
    }
    /// `callees`: every member of the conversation.
    pub fn restore(
        moment: Moment,
        stored: StoredCall,
        callees: Vec<Callee>,
        settings: Settings,
    ) -> (Self, Vec<Output>) {
        unimplemented!()
    }
    pub fn handle(&mut self, moment: Moment, input: Input) -> Vec<Output> {
        unimplemented!()
    }
    pub fn next_wake(&self) -> Option<Timestamp> {
        unimplemented!()
    }
    pub fn id(&self) -> &CallId {
        &self.record.id
    }
    pub fn conversation_id(&self) -> ConversationId {
        self.record.conversation_id
    }
    pub fn is_over(&self) -> bool {
        unimplemented!()
    }
    pub fn dto(&self, now: Timestamp) -> CallDto {
        unimplemented!()
    }
    /// Of anybody who is or was in the call.
    pub fn join_view(&self, now: Timestamp, participant: &ParticipantId) -> Option<JoinView> {
        unimplemented!()
    }
    pub fn started_view(&self, now: Timestamp) -> StartedView {
        unimplemented!()
    }
    pub fn active_call(&self) -> ActiveCall {
        unimplemented!()
    }
    /// The participant of somebody who holds a seat.
    pub fn participant_of(&self, person: &Person) -> Option<&ParticipantId> {
        unimplemented!()
    }
    /// Whether somebody is or was in it.
    pub fn has_known(&self, person: &Person) -> bool {
        unimplemented!()
    }
    pub fn seat_of_socket(&self, socket: SocketId) -> Option<&ParticipantId> {
        unimplemented!()
    }
    /// Seats with a device.
    pub fn seats(&self) -> Vec<Seat> {
        unimplemented!()
    }
    /// Every person who holds a seat (for "one live call per user").
    pub fn people(&self) -> Vec<Person> {
        unimplemented!()
    }
    pub fn room(&self) -> Option<&RoomInfo> {
        unimplemented!()
    }
    /// Where the proxy is to send requests about the room.
    pub fn node(&self) -> Option<&NodeId> {
        unimplemented!()
    }
}
