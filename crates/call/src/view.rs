//! What a call looks like to those in it and to those who may look at it.

use signalling::client_gateway::{CallStatus, CallType, Mode, ParticipantDto, PendingTransition};
use signalling::{CallId, ConversationId, ParticipantId, Timestamp};

use crate::input::RoomInfo;

/// What somebody needs who is now in a call: a `JoinDto` without credentials, which the gateway adds.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinView {
    /// Who one is in the call.
    pub participant_id: ParticipantId,
    /// Which call.
    pub call_id: CallId,
    /// Where it takes place.
    pub conversation_id: ConversationId,
    /// With pictures or without.
    pub call_type: CallType,
    /// Which way media is to take for this participant: `sfu` also for one who waits for the switch there.
    pub mode: Mode,
    /// How far the call is.
    pub status: CallStatus,
    /// Those who hold a seat, in order of joining.
    pub participants: Vec<ParticipantDto>,
    /// Since when one is in it.
    pub joined_at: Timestamp,
    /// When the call became active.
    pub started_at: Option<Timestamp>,
    /// The switch to acknowledge, if one is under way.
    pub transition: Option<PendingTransition>,
    /// The room, where there is one: also while the call is direct, to prove the way there.
    pub room: Option<RoomInfo>,
}

/// What `call:started` is made of; the gateway adds the way to the media node.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedView {
    /// The committed mode.
    pub mode: Mode,
    /// Since when.
    pub started_at: Timestamp,
    /// Those who hold a seat, in order of joining.
    pub participants: Vec<ParticipantDto>,
    /// The room, where there is one.
    pub room: Option<RoomInfo>,
}
