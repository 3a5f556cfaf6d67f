//! Calls and participants as clients see them (contract §2.4, §3).

use std::fmt;

use ortc::RtpCapabilities;
use serde::{Deserialize, Serialize};

use crate::client_node::ProducerSummary;
use crate::declare::words;
use crate::id::{CallId, ConversationId, GuestId, ParticipantId, RouterId, UserId};
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::token::Token;

words! {
    /// With pictures, or voices only.
    CallType {
        /// Voices and pictures.
        Video = "video",
        /// Voices only.
        Audio = "audio",
    }
}
words! {
    /// Which way media takes (contract §3.3).
    Mode {
        /// Directly between two browsers.
        P2p = "p2p",
        /// Through a media node.
        Sfu = "sfu",
    }
}
words! {
    /// Where the mode machine stands (contract §3.4); differs from the mode only during a switch.
    TransitionState {
        /// Direct.
        P2p = "p2p",
        /// Direct still, the way through the media node is being built.
        SwitchingToSfu = "switching_to_sfu",
        /// Through a media node.
        Sfu = "sfu",
        /// Through the media node still, the direct way is being built.
        SwitchingToP2p = "switching_to_p2p",
    }
}
words! {
    /// How far a call is (contract §3.1).
    CallStatus {
        /// Begun; nobody's device has rung yet.
        Initiated = "initiated",
        /// At least one device rings.
        Ringing = "ringing",
        /// Two or more have met.
        Active = "active",
        /// Over.
        Ended = "ended",
        /// Over by a fault of the server.
        Failed = "failed",
    }
}
words! {
    /// Why a call is over (contract §3.1).
    EndReason {
        /// People hung up.
        Normal = "normal",
        /// Nobody was left connected.
        Timeout = "timeout",
        /// A fault of the server.
        Error = "error",
        /// Ended by an administrator or a service.
        Forced = "forced",
        /// Nobody answered.
        Missed = "missed",
        /// Everybody who was called declined.
        Rejected = "rejected",
        /// The caller hung up before anybody answered.
        Cancelled = "cancelled",
    }
}
words! {
    /// How a past call reads in a history (contract §3.1).
    Outcome {
        /// People talked.
        Completed = "completed",
        /// Nobody answered.
        Missed = "missed",
        /// Declined.
        Rejected = "rejected",
        /// The caller gave up.
        Cancelled = "cancelled",
        /// A fault of the server.
        Failed = "failed",
    }
}
words! {
    /// How far a participant is (contract §3.2).
    ParticipantStatus {
        /// Admitted, no media yet.
        Connecting = "connecting",
        /// Media is up.
        Connected = "connected",
        /// Without `leftAt`: gone for a moment, keeps the seat. With it: left.
        Disconnected = "disconnected",
        /// Gave up or was given up.
        Failed = "failed",
    }
}
words! {
    /// What a participant is in a call.
    ParticipantRole {
        /// Began the call.
        Initiator = "initiator",
        /// Joined it.
        Participant = "participant",
    }
}
words! {
    /// Why somebody is no longer in a call.
    LeaveReason {
        /// By their own wish.
        Left = "left",
        /// Did not come back in time.
        NetworkFailure = "network-failure",
        /// Removed.
        Kicked = "kicked",
    }
}
words! {
    /// Why a call changes its mode.
    SwitchReason {
        /// A third came, or two remained.
        ParticipantCountChanged = "participant-count-changed",
        /// Somebody who may asked for it.
        Manual = "manual",
        /// The present way is too bad.
        QualityFallback = "quality-fallback",
        /// The media node died.
        MediaServerFailover = "media-server-failover",
    }
}
words! {
    /// Who offers when a direct connection is built.
    PeerRole {
        /// Makes the offer: joined earlier.
        Initiator = "initiator",
        /// Answers.
        Receiver = "receiver",
    }
}
words! {
    /// Why somebody does not take a call.
    RejectReason {
        /// In another call.
        Busy = "busy",
        /// Does not want to.
        Declined = "declined",
        /// Cannot.
        Unavailable = "unavailable",
    }
}
words! {
    /// What a participant turns on and off.
    MediaType {
        /// The microphone.
        Audio = "audio",
        /// The camera.
        Video = "video",
        /// The screen.
        Screen = "screen",
    }
}

/// What a call begins with (contract §2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct CallSettings {
    /// Whether the caller's microphone is on; yes if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_enabled: Option<bool>,
    /// Whether the caller's camera is on; by the type of the call if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_enabled: Option<bool>,
    /// Whether the caller shares the screen; no if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_share_enabled: Option<bool>,
}

/// What a participant sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MediaState {
    /// The microphone is on.
    pub audio_enabled: bool,
    /// The camera is on.
    pub video_enabled: bool,
    /// The screen is shared.
    pub screen_share_enabled: bool,
}

/// A registered user as others see one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    /// Who.
    pub user_id: UserId,
    /// The name others see.
    pub username: Text,
    /// Where the picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// One person in a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct ParticipantDto {
    /// Who, within the call.
    pub participant_id: ParticipantId,
    /// The user; absent for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The guest; absent for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_user_id: Option<GuestId>,
    /// The name others see.
    pub username: Text,
    /// Where the picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Whether this is a guest.
    pub is_anonymous: bool,
    /// The language of captions, ISO 639-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Began the call, or joined it.
    pub role: ParticipantRole,
    /// How far.
    pub status: ParticipantStatus,
    /// Since when; kept when the same person comes back.
    pub joined_at: Timestamp,
    /// Until when; absent for those who hold a seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// What they send.
    #[serde(flatten)]
    pub media: MediaState,
}

/// How to reach the call's room on its media node. Made for one participant and sent to nobody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MediaServerConfig {
    /// The room's router.
    pub router_id: RouterId,
    /// What to load the device with.
    pub rtp_capabilities: RtpCapabilities,
    /// Base of the node's REST paths; empty for the gateway's own origin.
    pub url: String,
    /// Opens the node for this participant.
    pub token: Token,
    /// When the token ends.
    pub token_expires_at: Timestamp,
    /// What there is to consume already.
    pub producers: Vec<ProducerSummary>,
}

/// A whole call (contract §2.4 `CallDTO`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct CallDto {
    /// Which call.
    pub call_id: CallId,
    /// Where it takes place.
    pub conversation_id: ConversationId,
    /// With pictures or without.
    #[serde(rename = "type")]
    pub call_type: CallType,
    /// The committed mode.
    pub mode: Mode,
    /// How far it is.
    pub status: CallStatus,
    /// Who began it.
    pub initiator: UserSummary,
    /// Everybody who was ever in it, in order of joining.
    pub participants: Vec<ParticipantDto>,
    /// The way to the media node; `null` unless the reader is in it and it is needed.
    #[cfg_attr(feature = "ts", ts(optional = false))]
    pub media_server_config: Option<MediaServerConfig>,
    /// What it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<CallSettings>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When the second person came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended; `null` while it lives.
    #[cfg_attr(feature = "ts", ts(optional = false))]
    pub ended_at: Option<Timestamp>,
    /// Whole seconds since the start, or of the whole call.
    pub duration: u64,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<UserId>,
    /// When the credentials in the same answer end.
    pub expires_at: Timestamp,
}

/// What somebody needs who is now in a call (contract §2.4 `JoinDTO`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct JoinDto {
    /// Who one is in the call.
    pub participant_id: ParticipantId,
    /// Which call.
    pub call_id: CallId,
    /// Where it takes place.
    pub conversation_id: ConversationId,
    /// With pictures or without.
    #[serde(rename = "type")]
    pub call_type: CallType,
    /// Which way media is to take for the one who joins: the target while a switch for them is under way.
    pub mode: Mode,
    /// How far the call is.
    pub status: CallStatus,
    /// Those who hold a seat, in order of joining.
    pub participants: Vec<ParticipantDto>,
    /// Since when one is in it.
    pub joined_at: Timestamp,
    /// When the call became active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// When the credentials of these servers end.
    pub expires_at: Timestamp,
    /// The same as within `mediaServerConfig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtp_capabilities: Option<RtpCapabilities>,
    /// The way to the media node, where it is known already: also while the call is direct, to prove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_server_config: Option<MediaServerConfig>,
    /// The switch to acknowledge, if one is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<PendingTransition>,
}

/// A switch that waits for acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PendingTransition {
    /// Which; goes into the acknowledgement.
    pub transition_id: crate::id::TransitionId,
    /// Where it leads.
    pub new_mode: Mode,
    /// When it is given up.
    pub switch_deadline: Timestamp,
}

/// A STUN or TURN server, as `RTCPeerConnection` takes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// Its URLs.
    pub urls: Vec<String>,
    /// The user name, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}
