//! Socket.IO events of the media node (contract §1.7).

use ortc::MediaKind;
use serde::{Deserialize, Serialize};

use super::rest::AppData;
use crate::error::ErrorBody;
use crate::id::{CallId, ConsumerId, ParticipantId, ProducerId};

/// Names of the events.
pub mod event {
    /// To the server: [`super::JoinRoom`], acknowledged with [`super::Ack`].
    pub const JOIN_ROOM: &str = "join-room";
    /// To the server: [`super::LeaveRoom`], acknowledged with [`super::Ack`].
    pub const LEAVE_ROOM: &str = "leave-room";
    /// To all in the room but the owner: [`super::NewProducer`].
    pub const NEW_PRODUCER: &str = "new-producer";
    /// To all in the room but the owner: [`super::ProducerClosed`].
    pub const PRODUCER_CLOSED: &str = "producer-closed";
    /// To the consumer's owner: [`super::ConsumerPaused`].
    pub const CONSUMER_PAUSED: &str = "consumer-paused";
    /// To the consumer's owner: [`super::ConsumerPaused`].
    pub const CONSUMER_RESUMED: &str = "consumer-resumed";
    /// To all in the room: [`super::ActiveSpeaker`].
    pub const ACTIVE_SPEAKER: &str = "active-speaker";

    /// All of them.
    pub const ALL: [&str; 7] = [
        JOIN_ROOM,
        LEAVE_ROOM,
        NEW_PRODUCER,
        PRODUCER_CLOSED,
        CONSUMER_PAUSED,
        CONSUMER_RESUMED,
        ACTIVE_SPEAKER,
    ];
}

/// Asks for the events of a room. What is there already is announced at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct JoinRoom {
    /// The room's call.
    pub call_id: CallId,
    /// Who asks; a service leaves it out and hears everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<ParticipantId>,
}

/// Asks for no more events of a room; transports stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct LeaveRoom {
    /// The room's call.
    pub call_id: CallId,
    /// Who asks; absent for a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<ParticipantId>,
}

/// Acknowledges an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct Ack {
    /// Whether it was done.
    pub success: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

impl Ack {
    /// It was done.
    pub const DONE: Self = Self {
        success: true,
        error: None,
    };
}

impl From<ErrorBody> for Ack {
    fn from(error: ErrorBody) -> Self {
        Self {
            success: false,
            error: Some(error),
        }
    }
}

/// There is a track to consume. May come twice for one track; the id tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct NewProducer {
    /// The room's call.
    pub call_id: CallId,
    /// The track's owner.
    pub participant_id: ParticipantId,
    /// The track's producer.
    pub producer_id: ProducerId,
    /// Audio or video.
    pub kind: MediaKind,
    /// Whether the owner has paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// What the owner says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_data: Option<AppData>,
}

/// A track is gone, and its consumers with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ProducerClosed {
    /// The room's call.
    pub call_id: CallId,
    /// The track's owner.
    pub participant_id: ParticipantId,
    /// The track's producer.
    pub producer_id: ProducerId,
    /// Audio or video.
    pub kind: MediaKind,
}

/// A consumer no longer receives, or receives again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConsumerPaused {
    /// The room's call.
    pub call_id: CallId,
    /// The consumer's owner.
    pub participant_id: ParticipantId,
    /// The consumer.
    pub consumer_id: ConsumerId,
    /// The track's producer.
    pub producer_id: ProducerId,
    /// Why it stopped, or what no longer stops it.
    pub reason: PauseReason,
}

/// Why a consumer does not receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum PauseReason {
    /// The track's owner paused it.
    Producer,
    /// There is not enough bandwidth to the receiver.
    Bandwidth,
    /// The receiver itself asked for it.
    Client,
    /// The server is overloaded.
    ServerLoad,
}

/// Who is speaking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ActiveSpeaker {
    /// The room's call.
    pub call_id: CallId,
    /// The speaker, or `null` for silence.
    pub participant_id: Option<ParticipantId>,
    /// How loud, dBov: 0 is the loudest, -127 silence (RFC 6464).
    pub volume: i8,
}

/// Any event of the node to its clients.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NodeEvent {
    /// A track appeared.
    NewProducer(NewProducer),
    /// A track is gone.
    ProducerClosed(ProducerClosed),
    /// A consumer no longer receives.
    ConsumerPaused(ConsumerPaused),
    /// A consumer receives again.
    ConsumerResumed(ConsumerPaused),
    /// Another participant speaks.
    ActiveSpeaker(ActiveSpeaker),
}

impl NodeEvent {
    /// The event's name, see [`event`].
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NewProducer(_) => event::NEW_PRODUCER,
            Self::ProducerClosed(_) => event::PRODUCER_CLOSED,
            Self::ConsumerPaused(_) => event::CONSUMER_PAUSED,
            Self::ConsumerResumed(_) => event::CONSUMER_RESUMED,
            Self::ActiveSpeaker(_) => event::ACTIVE_SPEAKER,
        }
    }

    /// The call of the room it happened in.
    #[must_use]
    pub const fn call_id(&self) -> &CallId {
        match self {
            Self::NewProducer(event) => &event.call_id,
            Self::ProducerClosed(event) => &event.call_id,
            Self::ConsumerPaused(event) | Self::ConsumerResumed(event) => &event.call_id,
            Self::ActiveSpeaker(event) => &event.call_id,
        }
    }
}
