//! Bodies and answers of the gateway's REST paths (contract §2.4). What is the same as an event's is in
//! [`super::request`].

use std::collections::BTreeMap;

use super::call::{CallDto, CallStatus, IceServer, MediaServerConfig, Mode, Outcome, ParticipantDto};
use crate::declare::object;
use crate::id::{CallId, ConversationId, GuestId, ParticipantId, ShareLinkId, TranscriptionId};
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::token::Token;

object! {
    /// The answer to `POST /api/calls`.
    StartCallResponse {
        /// The call.
        #[serde(flatten)]
        pub call: CallDto,
        /// STUN and TURN servers.
        pub ice_servers: Vec<IceServer>,
        /// Who one is in it.
        pub participant_id: ParticipantId,
    }
}
object! {
    /// `POST /api/calls/:callId/participants`.
    JoinCallRequest {
        /// Whether the microphone is on; yes if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub audio_enabled: Option<bool>,
        /// Whether the camera is on; by the type of the call if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub video_enabled: Option<bool>,
    }
}
object! {
    /// Somebody is no longer in the call.
    LeftResponse {
        /// One fixed sentence.
        pub message: String,
        /// Who.
        pub participant_id: ParticipantId,
        /// When.
        pub left_at: Timestamp,
    }
}
object! {
    /// The call is over.
    EndedResponse {
        /// One fixed sentence.
        pub message: String,
        /// Which.
        pub call_id: CallId,
        /// When it ended.
        pub ended_at: Timestamp,
        /// Whole seconds it lasted.
        pub duration: u64,
    }
}
object! {
    /// One page of past and present calls, newest first.
    CallHistory {
        /// The page.
        pub calls: Vec<CallSummary>,
        /// How many there are altogether.
        pub total: u64,
        /// How many a page holds.
        pub limit: u32,
        /// How many were skipped.
        pub offset: u64,
    }
}
object! {
    /// A call in a history.
    CallSummary {
        /// Which.
        pub call_id: CallId,
        /// The committed mode, or the last one.
        pub mode: Mode,
        /// How far it is.
        pub status: CallStatus,
        /// How it went; absent while it lives.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub outcome: Option<Outcome>,
        /// How many were in it, ever.
        pub participant_count: u32,
        /// When it was begun.
        pub created_at: Timestamp,
        /// When it ended.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub ended_at: Option<Timestamp>,
        /// Whole seconds.
        pub duration: u64,
    }
}
object! {
    /// The live call of a conversation.
    ActiveCall {
        /// Which.
        pub call_id: CallId,
        /// The committed mode.
        pub mode: Mode,
        /// How far it is.
        pub status: CallStatus,
        /// How many hold a seat.
        pub participant_count: u32,
        /// Who holds a seat.
        pub participants: Vec<ParticipantDto>,
        /// When it became active.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub started_at: Option<Timestamp>,
    }
}
object! {
    /// `PUT /api/calls/:callId/mode`.
    SetModeRequest {
        /// The mode to switch to.
        pub mode: Mode,
    }
}
object! {
    /// The call has the asked mode, or is on its way there.
    SetModeResponse {
        /// Which call.
        pub call_id: CallId,
        /// The asked mode.
        pub mode: Mode,
        /// When the switch began.
        pub switched_at: Timestamp,
        /// The way to the media node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub media_server_config: Option<MediaServerConfig>,
    }
}
object! {
    /// `POST /api/calls/:callId/transcriptions`, by a service.
    TranscriptionRequest {
        /// Who said it.
        pub participant_id: ParticipantId,
        /// The words.
        pub text: String,
        /// Their language.
        pub language: String,
        /// When.
        pub timestamp: Timestamp,
        /// How sure the recogniser is, 0 to 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub confidence_score: Option<f64>,
    }
}
object! {
    /// A caption was taken.
    TranscriptionResponse {
        /// Its id.
        pub transcription_id: TranscriptionId,
        /// The same in other languages.
        pub translations: BTreeMap<String, String>,
    }
}
object! {
    /// `GET /api/ice-servers`.
    IceServersResponse {
        /// STUN and TURN servers.
        pub ice_servers: Vec<IceServer>,
        /// When their credentials end.
        pub expires_at: Timestamp,
    }
}
object! {
    /// `GET /api/links/tracked/:token`.
    TrackedLink {
        /// Where the link leads.
        pub conversation_id: ConversationId,
        /// Which link.
        pub link_id: ShareLinkId,
        /// The conversation's title.
        pub title: Text,
        /// What guests may do.
        pub permissions: GuestPermissions,
        /// A live call, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub active_call: Option<CallId>,
    }
}
object! {
    /// What guests may do.
    GuestPermissions {
        /// Take part in calls.
        pub join_calls: bool,
        /// Share the screen.
        pub share_screen: bool,
    }
}
object! {
    /// `POST /api/conversations/:id/join-anonymous`.
    JoinAnonymousRequest {
        /// The guest's first name.
        pub first_name: Text,
        /// The guest's last name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_name: Option<Text>,
        /// The language of captions, ISO 639-1.
        pub language: String,
        /// Which link lets the guest in.
        pub share_link_id: ShareLinkId,
    }
}
object! {
    /// A guest was let in.
    JoinAnonymousResponse {
        /// Who the guest is.
        pub anonymous_user_id: GuestId,
        /// Opens the gateway for the guest.
        pub session_token: Token,
        /// The name others see.
        pub username: Text,
    }
}
object! {
    /// `GET /api/config`.
    GatewayConfig {
        /// The software's version.
        pub version: String,
        /// The version of the messages.
        pub protocol: u32,
        /// Most people in a call.
        pub max_participants: u32,
        /// Whether a name is enough to log in.
        pub dev_login: bool,
        /// Whether clients may connect through TURN servers only, so that nobody learns anybody's address.
        pub relay_only: bool,
        /// Languages captions can be translated into; empty without a translator.
        pub translation_languages: Vec<String>,
        /// Switches (contract §8.9), by name.
        pub flags: BTreeMap<String, bool>,
        /// What the media nodes offer.
        pub video_codecs: Vec<String>,
        /// Milliseconds two people must be alone before a call goes back to direct.
        pub hysteresis_ms: u64,
    }
}
