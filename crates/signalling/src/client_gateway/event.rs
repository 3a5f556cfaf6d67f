//! Events the gateway sends (contract §2.7).

use ortc::RtpCapabilities;
use serde::Serialize;

use super::call::{
    CallType, EndReason, IceServer, JoinDto, LeaveReason, MediaServerConfig, MediaState, MediaType, Mode,
    ParticipantDto, ParticipantStatus, PeerRole, RejectReason, SwitchReason, UserSummary,
};
use super::request::Signal;
use crate::client_node::{ConsumerPaused, NewProducer, ProducerClosed};
use crate::declare::object;
use crate::error::{Details, ErrorBody, ErrorCode};
use crate::id::{CallId, ConversationId, GuestId, ParticipantId, TransitionId, UserId};
use crate::text::Text;
use crate::timestamp::Timestamp;

macro_rules! server_events {
    ($($(#[$doc:meta])* $variant:ident($payload:ty) = $name:literal;)+) => {
        /// Any event of the gateway, with its name on the wire.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum ServerEvent {
            $($(#[$doc])* $variant($payload),)+
        }

        impl ServerEvent {
            /// Every name, with the name of its payload's type.
            pub const NAMES: &[(&str, &str)] = &[$(($name, stringify!($payload))),+];

            /// The event's name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)+ }
            }
        }
    };
}

server_events! {
    /// The answer to `authenticate`, and to a handshake that carried a token.
    Authenticated(Authenticated) = "authenticated";
    /// To the caller and to those who are called: a call was begun.
    Initiated(CallInitiated) = "call:initiated";
    /// To every device of every other member: ring.
    Incoming(Incoming) = "call:incoming";
    /// To who has joined.
    Joined(Box<JoinDto>) = "call:joined";
    /// To the others in the call.
    ParticipantJoined(ParticipantJoined) = "call:participant-joined";
    /// To all in the call, when it becomes active.
    Started(Box<Started>) = "call:started";
    /// To the caller: somebody does not take the call.
    Rejected(Rejected) = "call:rejected";
    /// To a person's other devices: stop ringing.
    AnsweredElsewhere(AnsweredElsewhere) = "call:answered-elsewhere";
    /// To the addressed participant only.
    Signal(SignalEvent) = "call:signal";
    /// To the others in the call.
    MediaToggled(MediaToggled) = "call:media-toggled";
    /// To the others in the call.
    ParticipantMediaState(ParticipantMediaState) = "call:participant-media-state";
    /// To each in the call while it is direct: the way through a media node to be proven, quietly.
    MediaServer(Box<MediaServer>) = "call:media-server";
    /// To all in the call: build the new way beside the old one.
    ModeSwitch(Box<ModeSwitch>) = "call:mode-switch";
    /// To all in the call: committed, or back to what it was.
    ModeSwitched(ModeSwitched) = "call:mode-switched";
    /// Relayed from the media node.
    NewProducer(NewProducer) = "new-producer";
    /// Relayed from the media node.
    ProducerClosed(ProducerClosed) = "producer-closed";
    /// Relayed from the media node.
    ConsumerPaused(ConsumerPaused) = "consumer-paused";
    /// Relayed from the media node.
    ConsumerResumed(ConsumerPaused) = "consumer-resumed";
    /// To the others in the call.
    ParticipantLeft(ParticipantLeft) = "call:participant-left";
    /// To who has come back.
    Rejoined(Box<JoinDto>) = "call:rejoined";
    /// To the others in the call.
    Transcription(TranscriptionEvent) = "call:transcription";
    /// To all in a call with a media node.
    ActiveSpeaker(ActiveSpeakerEvent) = "call:active-speaker";
    /// To the conversation's members: there is a call one can join, or no longer.
    Ongoing(Ongoing) = "call:ongoing";
    /// To the call and to everybody who rings.
    Ended(Ended) = "call:ended";
    /// To whoever did something that failed and asked for no acknowledgement.
    Error(CallError) = "call:error";
    /// To a person's devices: conversations have changed; fetch them again.
    DirectoryChanged(DirectoryChanged) = "directory:changed";
    /// To members of one's conversations: somebody came online or went.
    Presence(Presence) = "directory:presence";
}

object! {
    /// Whether the socket may speak.
    Authenticated {
        /// Whether it may.
        pub success: bool,
        /// As whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user: Option<AuthenticatedUser>,
        /// Why not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<ErrorBody>,
    }
}
object! {
    /// Who a socket speaks for.
    AuthenticatedUser {
        /// A `UserId` or a `GuestId`.
        pub id: String,
        /// The name others see.
        pub username: Text,
        /// Whether this is a guest.
        pub is_anonymous: bool,
    }
}
object! {
    /// A call was begun.
    CallInitiated {
        /// Which call.
        pub call_id: CallId,
        /// Where.
        pub conversation_id: ConversationId,
        /// The committed mode.
        pub mode: Mode,
        /// With pictures or without.
        #[serde(rename = "type")]
        pub call_type: CallType,
        /// By whom.
        pub initiator: UserSummary,
        /// Who is in it.
        pub participants: Vec<ParticipantDto>,
        /// When.
        pub created_at: Timestamp,
    }
}
object! {
    /// A device is to ring.
    Incoming {
        /// Which call.
        pub call_id: CallId,
        /// Where.
        pub conversation_id: ConversationId,
        /// With pictures or without.
        #[serde(rename = "type")]
        pub call_type: CallType,
        /// Who calls.
        pub caller: UserSummary,
        /// When ringing ends.
        pub expires_at: Timestamp,
    }
}
object! {
    /// Somebody came.
    ParticipantJoined {
        /// Which call.
        pub call_id: CallId,
        /// Who.
        pub participant: ParticipantDto,
        /// How many hold a seat now.
        pub total_participants: u32,
    }
}
object! {
    /// The call is active.
    Started {
        /// Which call.
        pub call_id: CallId,
        /// The committed mode.
        pub mode: Mode,
        /// Since when.
        pub started_at: Timestamp,
        /// Who holds a seat.
        pub participants: Vec<ParticipantDto>,
        /// The way to the media node, where it is known already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub media_server_config: Option<MediaServerConfig>,
    }
}
object! {
    /// Somebody does not take the call.
    Rejected {
        /// Which call.
        pub call_id: CallId,
        /// Who.
        pub user_id: UserId,
        /// The name others see.
        pub username: Text,
        /// Why not.
        pub reason: RejectReason,
    }
}
object! {
    /// Another device of the same person took or declined the call.
    AnsweredElsewhere {
        /// Which call.
        pub call_id: CallId,
    }
}
object! {
    /// A step of the negotiation between two browsers.
    SignalEvent {
        /// Which call.
        pub call_id: CallId,
        /// From whom; written by the gateway.
        pub from_participant_id: ParticipantId,
        /// The step.
        pub signal: Signal,
    }
}
object! {
    /// Somebody turned something on or off.
    MediaToggled {
        /// Which call.
        pub call_id: CallId,
        /// Who.
        pub participant_id: ParticipantId,
        /// What.
        pub media_type: MediaType,
        /// Whether it is on.
        pub enabled: bool,
    }
}
object! {
    /// What somebody sends, and whether they are there.
    ParticipantMediaState {
        /// Which call.
        pub call_id: CallId,
        /// Who.
        pub participant_id: ParticipantId,
        /// The name others see.
        pub username: Text,
        /// What they send.
        #[serde(flatten)]
        pub media: MediaState,
        /// Connected or gone for a moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub status: Option<ParticipantStatus>,
    }
}
object! {
    /// The way through the media node, to be built and proven while the call stays direct.
    MediaServer {
        /// Which call.
        pub call_id: CallId,
        /// The way there; `null` when there is none any more and what was built is to be let go.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub media_server_config: Option<MediaServerConfig>,
    }
}
object! {
    /// Build the new way beside the old one, then acknowledge.
    ModeSwitch {
        /// Which call.
        pub call_id: CallId,
        /// What it was.
        pub old_mode: Mode,
        /// What it is to become.
        pub new_mode: Mode,
        /// The same as `newMode`.
        pub mode: Mode,
        /// Why.
        pub reason: SwitchReason,
        /// The same as within `mediaServerConfig`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub rtp_capabilities: Option<RtpCapabilities>,
        /// The way to the media node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub media_server_config: Option<MediaServerConfig>,
        /// Whether one makes the offer; towards `p2p` only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub initiator: Option<bool>,
        /// The same as a word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub role: Option<PeerRole>,
        /// Whom one connects to; towards `p2p` only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub peer_participant_id: Option<ParticipantId>,
        /// STUN and TURN servers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ice_servers: Option<Vec<IceServer>>,
        /// When the switch is given up.
        pub switch_deadline: Timestamp,
        /// Which switch.
        pub transition_id: TransitionId,
    }
}
object! {
    /// A switch was committed, or given up.
    ModeSwitched {
        /// Which call.
        pub call_id: CallId,
        /// Whether it was committed.
        pub success: bool,
        /// The mode now.
        pub mode: Mode,
        /// Which switch.
        pub transition_id: TransitionId,
        /// Why it was given up: a code, or `participant-joined`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<String>,
        /// When it will be tried again by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retry_at: Option<Timestamp>,
    }
}
object! {
    /// Somebody is no longer in the call.
    ParticipantLeft {
        /// Which call.
        pub call_id: CallId,
        /// Who.
        pub participant_id: ParticipantId,
        /// The user; absent for guests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user_id: Option<UserId>,
        /// The guest; absent for users.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub anonymous_user_id: Option<GuestId>,
        /// The name others see.
        pub username: Text,
        /// When.
        pub left_at: Timestamp,
        /// How many hold a seat now.
        pub total_participants: u32,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<LeaveReason>,
    }
}
object! {
    /// Something somebody said, as text.
    TranscriptionEvent {
        /// Which call.
        pub call_id: CallId,
        /// Who.
        pub participant_id: ParticipantId,
        /// The name others see.
        pub username: Text,
        /// The words.
        pub text: String,
        /// Their language, ISO 639-1.
        pub language: String,
        /// The same in another language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub translation: Option<String>,
        /// The language of the translation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub target_language: Option<String>,
        /// When it was said.
        pub timestamp: Timestamp,
        /// Whether the words will not change any more.
        pub is_final: bool,
    }
}
object! {
    /// Who is speaking.
    ActiveSpeakerEvent {
        /// Which call.
        pub call_id: CallId,
        /// The speaker, or `null` for silence.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub participant_id: Option<ParticipantId>,
    }
}
object! {
    /// There is a call in the conversation, or no longer.
    Ongoing {
        /// Which call.
        pub call_id: CallId,
        /// Where.
        pub conversation_id: ConversationId,
        /// How many hold a seat.
        pub participant_count: u32,
        /// When it became active.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub started_at: Option<Timestamp>,
        /// The committed mode.
        pub mode: Mode,
        /// Whether it can be joined.
        pub active: bool,
    }
}
object! {
    /// The call is over.
    Ended {
        /// Which call.
        pub call_id: CallId,
        /// Where it was.
        pub conversation_id: ConversationId,
        /// Why.
        pub reason: EndReason,
        /// By whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ended_by: Option<UserId>,
        /// When.
        pub ended_at: Timestamp,
        /// Whole seconds it lasted.
        pub duration: u64,
    }
}
object! {
    /// Something failed, and nobody asked for an acknowledgement.
    CallError {
        /// Which call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call_id: Option<CallId>,
        /// For programs.
        pub code: ErrorCode,
        /// For people.
        pub message: String,
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub details: Option<Details>,
        /// Seconds after which it may succeed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retry_after: Option<u32>,
    }
}
object! {
    /// One's conversations have changed.
    DirectoryChanged {
        /// Which one; all of them if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub conversation_id: Option<ConversationId>,
    }
}
object! {
    /// Somebody came online or went.
    Presence {
        /// Who.
        pub user_id: UserId,
        /// Whether a device is connected.
        pub online: bool,
    }
}

impl CallError {
    /// The event for a failure.
    #[must_use]
    pub fn new(call_id: Option<CallId>, error: ErrorBody) -> Self {
        Self {
            call_id,
            code: error.code,
            message: error.message,
            details: error.details,
            retry_after: error.retry_after,
        }
    }
}
