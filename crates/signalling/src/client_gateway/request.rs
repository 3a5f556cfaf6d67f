//! Events a client sends to the gateway, and what it is acknowledged with (contract §2.6).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{CallDto, CallSettings, CallType, IceServer, MediaType, Mode, RejectReason};
use crate::declare::object;
use crate::error::ErrorBody;
use crate::id::{CallId, ConsumerId, ConversationId, ParticipantId, TransitionId};
use crate::timestamp::Timestamp;
use crate::token::Token;

macro_rules! names {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)+) => {
        $($(#[$doc])* pub const $constant: &str = $name;)+

        /// All of them.
        pub const ALL: &[&str] = &[$($name),+];
    };
}

/// Names of events to the gateway.
pub mod request_name {
    names! {
        /// [`super::Authenticate`]; answered by the event `authenticated`.
        AUTHENTICATE = "authenticate";
        /// [`super::Initiate`], acknowledged with [`super::Initiated`].
        INITIATE = "call:initiate";
        /// [`super::Join`], acknowledged with [`super::super::JoinDto`].
        JOIN = "call:join";
        /// As `call:join`, by a device that rings.
        ACCEPT = "call:accept";
        /// [`super::Reject`].
        REJECT = "call:reject";
        /// [`super::Leave`], acknowledged with [`super::LeaveAck`].
        LEAVE = "call:leave";
        /// [`super::CallRef`], acknowledged with [`super::EndAck`].
        END = "call:end";
        /// [`super::SignalRequest`].
        SIGNAL = "call:signal";
        /// [`super::Toggle`] of the microphone.
        TOGGLE_AUDIO = "call:toggle-audio";
        /// [`super::Toggle`] of the camera.
        TOGGLE_VIDEO = "call:toggle-video";
        /// [`super::Toggle`] of the screen.
        TOGGLE_SCREEN_SHARE = "call:toggle-screen-share";
        /// [`super::MediaStateChange`].
        MEDIA_STATE_CHANGE = "call:media-state-change";
        /// [`super::ParticipantRef`]: media is up.
        CONNECTED = "call:connected";
        /// [`super::ModeSwitchAck`].
        MODE_SWITCH_ACK = "call:mode-switch-ack";
        /// From a client the same as `call:mode-switch-ack`.
        MODE_SWITCHED = "call:mode-switched";
        /// [`super::CallRef`]: tries a failed switch again now.
        RETRY_SWITCH = "call:retry-switch";
        /// [`super::SfuProof`]: whether the way through the node was proven while the call is direct.
        SFU_PROOF = "call:sfu-proof";
        /// [`super::SwitchGap`]: what a switch did to picture and sound here.
        SWITCH_GAP = "call:switch-gap";
        /// [`super::ParticipantRef`], acknowledged with [`super::super::JoinDto`].
        REJOIN = "call:rejoin";
        /// [`super::ConsumerRef`]: relayed to the node.
        RESUME_CONSUMER = "resume-consumer";
        /// [`super::ConsumerRef`]: relayed to the node.
        PAUSE_CONSUMER = "pause-consumer";
        /// [`super::Caption`].
        TRANSCRIPTION = "call:transcription";
        /// [`super::QualityReport`].
        QUALITY_REPORT = "call:quality-report";
        /// [`super::Diagnostics`].
        DIAGNOSTICS = "call:diagnostics";
        /// [`super::CallRef`], acknowledged with [`super::Credentials`].
        REFRESH_CREDENTIALS = "call:refresh-credentials";
        /// [`super::ParticipantRef`]: removes that participant.
        KICK = "call:kick";
        /// Alias of `call:signal`: [`super::OfferAlias`].
        WEBRTC_OFFER = "webrtc:offer";
        /// Alias of `call:signal`: [`super::AnswerAlias`].
        WEBRTC_ANSWER = "webrtc:answer";
        /// Alias of `call:signal`: [`super::CandidateAlias`].
        WEBRTC_ICE_CANDIDATE = "webrtc:ice-candidate";
        /// Alias of `call:toggle-audio`: [`super::MuteAlias`].
        MUTE = "call:mute";
        /// Alias of `call:toggle-video`: [`super::Toggle`].
        VIDEO_TOGGLE = "call:video-toggle";
    }
}

object! {
    /// Says who one is, on a socket that did not say so in its handshake. Exactly one of the two tokens.
    Authenticate {
        /// Of a registered user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub token: Option<Token>,
        /// Of a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub session_token: Option<Token>,
        /// The language of captions, ISO 639-1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub language: Option<String>,
    }
}
object! {
    /// Begins a call.
    Initiate {
        /// Where.
        pub conversation_id: ConversationId,
        /// With pictures or without.
        #[serde(rename = "type")]
        pub call_type: CallType,
        /// What it begins with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub settings: Option<CallSettings>,
    }
}
object! {
    /// The call was begun.
    Initiated {
        /// Which call.
        pub call_id: CallId,
        /// The committed mode.
        pub mode: Mode,
        /// Who one is in it.
        pub participant_id: ParticipantId,
        /// STUN and TURN servers.
        pub ice_servers: Vec<IceServer>,
        /// When the credentials end.
        pub expires_at: Timestamp,
        /// The whole call.
        pub call: CallDto,
    }
}
object! {
    /// Enters a call, or accepts it.
    Join {
        /// Which call.
        pub call_id: CallId,
        /// Whether the microphone is on; yes if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub audio_enabled: Option<bool>,
        /// Whether the camera is on; by the type of the call if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub video_enabled: Option<bool>,
        /// Whether this client can use a media node; yes if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sfu_supported: Option<bool>,
    }
}
object! {
    /// Does not take a call.
    Reject {
        /// Which call.
        pub call_id: CallId,
        /// Why not; declined if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<RejectReason>,
    }
}
object! {
    /// Leaves a call; from somebody who only rings it counts as declining.
    Leave {
        /// Which call.
        pub call_id: CallId,
        /// Who one is in it; only one's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub participant_id: Option<ParticipantId>,
    }
}
object! {
    /// One has left.
    LeaveAck {
        /// When.
        pub left_at: Timestamp,
    }
}
object! {
    /// The call is over.
    EndAck {
        /// When it ended.
        pub ended_at: Timestamp,
        /// Whole seconds it lasted.
        pub duration: u64,
    }
}
object! {
    /// Names a call.
    CallRef {
        /// Which call.
        pub call_id: CallId,
    }
}
object! {
    /// Names a participant.
    ParticipantRef {
        /// Which call.
        pub call_id: CallId,
        /// Who.
        pub participant_id: ParticipantId,
    }
}
object! {
    /// Names a consumer.
    ConsumerRef {
        /// Which.
        pub consumer_id: ConsumerId,
        /// In which call; one's only one if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call_id: Option<CallId>,
    }
}
object! {
    /// A step of the negotiation between two browsers, for one other participant.
    SignalRequest {
        /// Which call.
        pub call_id: CallId,
        /// For whom.
        pub target_participant_id: ParticipantId,
        /// The step.
        pub signal: Signal,
    }
}
object! {
    /// A session description or a candidate, for `RTCPeerConnection`.
    Signal {
        /// Which of the three.
        #[serde(rename = "type")]
        pub signal_type: SignalType,
        /// The session description of an offer or answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sdp: Option<String>,
        /// The candidate (`RTCIceCandidateInit`), or `null` for the end of candidates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(type = "RTCIceCandidateInit | null"))]
        pub candidate: Option<Value>,
        /// Which negotiation it belongs to; late steps of an older one are dropped. The transition's id during a switch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub negotiation_id: Option<String>,
    }
}

/// What a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum SignalType {
    /// A session description that offers.
    Offer,
    /// A session description that answers.
    Answer,
    /// A candidate.
    IceCandidate,
}

object! {
    /// Turns something on or off.
    Toggle {
        /// Which call.
        pub call_id: CallId,
        /// Whether it is on.
        pub enabled: bool,
    }
}
object! {
    /// What one sends now, all at once.
    MediaStateChange {
        /// Which call.
        pub call_id: CallId,
        /// Who one is; only one's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub participant_id: Option<ParticipantId>,
        /// The microphone is on.
        pub audio_enabled: bool,
        /// The camera is on.
        pub video_enabled: bool,
        /// The screen is shared.
        pub screen_share_enabled: bool,
    }
}
object! {
    /// The new way works here, or does not.
    ModeSwitchAck {
        /// Which call.
        pub call_id: CallId,
        /// Who one is; only one's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub participant_id: Option<ParticipantId>,
        /// Which switch; the present one if absent. Another one is ignored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub transition_id: Option<TransitionId>,
        /// Whether it works.
        pub success: bool,
        /// What does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<String>,
    }
}
object! {
    /// Whether this client's way through the media node works, found out while the call is direct.
    SfuProof {
        /// Which call.
        pub call_id: CallId,
        /// Whether both transports are connected.
        pub proven: bool,
        /// By which protocol: `udp`, `tcp` or `relay`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub protocol: Option<String>,
        /// What does not work.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<String>,
    }
}
object! {
    /// What one switch did to what one sees and hears of one other participant. Milliseconds.
    SwitchGap {
        /// Which call.
        pub call_id: CallId,
        /// Which switch.
        pub transition_id: TransitionId,
        /// Whom one watched.
        pub remote_participant_id: ParticipantId,
        /// Largest time between two presented pictures around the switch; absent without pictures.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub video_gap_ms: Option<f64>,
        /// The same over the seconds before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub video_baseline_ms: Option<f64>,
        /// Largest hole in the sound around the switch; absent without sound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub audio_gap_ms: Option<f64>,
        /// The same over the seconds before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub audio_baseline_ms: Option<f64>,
    }
}
object! {
    /// Something somebody said, as text.
    Caption {
        /// Which call.
        pub call_id: CallId,
        /// Who one is; only one's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub participant_id: Option<ParticipantId>,
        /// The words, at most [`super::MAX_CAPTION`] characters.
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
        /// How sure the recogniser is, 0 to 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub confidence_score: Option<f64>,
    }
}
object! {
    /// How well media arrives, over the last seconds.
    QualityReport {
        /// Which call; from the path over HTTP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call_id: Option<CallId>,
        /// Who one is; only one's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub participant_id: Option<ParticipantId>,
        /// Share of packets lost, 0 to 1.
        #[serde(default)]
        pub packet_loss: f64,
        /// Milliseconds.
        #[serde(default)]
        pub jitter: f64,
        /// Round trip, milliseconds.
        #[serde(default)]
        pub rtt: f64,
        /// Received, kbit/s.
        #[serde(default)]
        pub bitrate: f64,
        /// Since the call began.
        #[serde(default)]
        pub packets_lost: u64,
        /// Since the call began.
        #[serde(default)]
        pub packets_received: u64,
        /// Since the call began.
        #[serde(default)]
        pub bytes_sent: u64,
        /// Since the call began.
        #[serde(default)]
        pub bytes_received: u64,
        /// Since the call began.
        #[serde(default)]
        pub frames_decoded: u64,
        /// Of the largest picture, pixels.
        #[serde(default)]
        pub frame_width: u32,
        /// Of the largest picture, pixels.
        #[serde(default)]
        pub frame_height: u32,
        /// Whether media goes through a TURN server.
        #[serde(default)]
        pub using_relay: bool,
    }
}
object! {
    /// What a client saw when a connection failed. No addresses.
    Diagnostics {
        /// Which call.
        pub call_id: CallId,
        /// Which connection: `p2p`, `send` or `recv`.
        pub transport: String,
        /// Its ICE state.
        pub ice_state: String,
        /// Types of the candidates tried.
        #[serde(default)]
        pub candidate_types: Vec<String>,
        /// What went wrong.
        #[serde(default)]
        pub error: String,
    }
}
object! {
    /// Fresh credentials.
    Credentials {
        /// STUN and TURN servers.
        pub ice_servers: Vec<IceServer>,
        /// When their credentials end.
        pub expires_at: Timestamp,
        /// The token for the media node, if the call uses one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub media_token: Option<Token>,
        /// When it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub token_expires_at: Option<Timestamp>,
    }
}
object! {
    /// `webrtc:offer`.
    OfferAlias {
        /// `RTCSessionDescriptionInit`, or the session description alone.
        #[cfg_attr(feature = "ts", ts(type = "RTCSessionDescriptionInit | string"))]
        pub offer: Value,
        /// One's only call if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call_id: Option<CallId>,
        /// One's only peer if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub target_participant_id: Option<ParticipantId>,
    }
}
object! {
    /// `webrtc:answer`.
    AnswerAlias {
        /// `RTCSessionDescriptionInit`, or the session description alone.
        #[cfg_attr(feature = "ts", ts(type = "RTCSessionDescriptionInit | string"))]
        pub answer: Value,
        /// One's only call if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call_id: Option<CallId>,
        /// One's only peer if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub target_participant_id: Option<ParticipantId>,
    }
}
object! {
    /// `webrtc:ice-candidate`.
    CandidateAlias {
        /// `RTCIceCandidateInit`, or `null`.
        #[cfg_attr(feature = "ts", ts(type = "RTCIceCandidateInit | null"))]
        pub candidate: Value,
        /// One's only call if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub call_id: Option<CallId>,
        /// One's only peer if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub target_participant_id: Option<ParticipantId>,
    }
}
object! {
    /// `call:mute`.
    MuteAlias {
        /// Which call.
        pub call_id: CallId,
        /// Whether the microphone is off.
        pub muted: bool,
    }
}

/// What one toggle event turns on and off.
#[must_use]
pub fn toggled_by(name: &str) -> Option<MediaType> {
    match name {
        request_name::TOGGLE_AUDIO => Some(MediaType::Audio),
        request_name::TOGGLE_VIDEO | request_name::VIDEO_TOGGLE => Some(MediaType::Video),
        request_name::TOGGLE_SCREEN_SHARE => Some(MediaType::Screen),
        _ => None,
    }
}

/// Acknowledges an event: `{"success":true,"data"?:…}` or `{"success":false,"error":…}` (contract §2.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct CallAck<T> {
    /// Whether it was done.
    pub success: bool,
    /// What came of it.
    #[serde(default = "nothing", skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// Spares [`CallAck`] a bound on `T`.
const fn nothing<T>() -> Option<T> {
    None
}

impl<T> CallAck<T> {
    /// It was done, with this result.
    #[must_use]
    pub const fn done(data: T) -> Self {
        Self {
            success: true,
            data: Some(data),
            error: None,
        }
    }
}

impl<T> From<ErrorBody> for CallAck<T> {
    fn from(error: ErrorBody) -> Self {
        Self {
            success: false,
            data: None,
            error: Some(error),
        }
    }
}
