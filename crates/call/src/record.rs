//! What is kept of a call in storage (contract §4.1 to §4.3), and what it is restored from.

use ortc::RtpCapabilities;
use serde::{Deserialize, Serialize};
use signalling::client_gateway::{
    CallSettings, CallStatus, CallType, ConversationType, EndReason, MediaState, Mode, ParticipantRole,
    ParticipantStatus, TransitionState,
};
use signalling::text::Text;
use signalling::{
    CallId, ConversationId, ParticipantId, ProducerId, RouterId, Timestamp, TransitionId, TransportId, UserId,
};

use crate::input::{NodeId, Person};

/// One row of `CallSession`.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// Its id.
    pub id: CallId,
    /// Where it takes place.
    pub conversation_id: ConversationId,
    /// What the conversation is.
    pub conversation_type: ConversationType,
    /// The committed mode.
    pub mode: Mode,
    /// How far it is.
    pub status: CallStatus,
    /// With pictures or without.
    pub call_type: CallType,
    /// Who began it; `None` once that user's data was erased.
    pub initiator_id: Option<UserId>,
    /// The router, only while the mode is `sfu`.
    pub sfu_room_id: Option<RouterId>,
    /// What the router offers, only while the mode is `sfu`.
    pub sfu_rtp_capabilities: Option<RtpCapabilities>,
    /// When the mode last changed.
    pub last_mode_change: Option<Timestamp>,
    /// How often it changed.
    pub mode_change_count: u32,
    /// Where the mode machine stands.
    pub transition_state: TransitionState,
    /// The switch under way; told again when it is called off after a restart.
    pub transition_id: Option<TransitionId>,
    /// Which node holds the room, also one that is only being proven.
    pub media_server_id: Option<NodeId>,
    /// What it began with.
    pub settings: Option<CallSettings>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When this row was last written.
    pub updated_at: Timestamp,
    /// When the second person came.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whole seconds, once it ended.
    pub duration: Option<u64>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Who ended it.
    pub ended_by: Option<UserId>,
}

/// One row of `CallParticipant`.
#[derive(Clone, Debug, PartialEq)]
pub struct ParticipantRecord {
    /// Its id.
    pub id: ParticipantId,
    /// Of which call.
    pub call_id: CallId,
    /// Who; `None` once that user's data was erased.
    pub person: Option<Person>,
    /// The name others see.
    pub username: Text,
    /// Where the picture is.
    pub avatar: Option<String>,
    /// The language of captions.
    pub language: Option<String>,
    /// Began the call, or joined it.
    pub role: ParticipantRole,
    /// How far.
    pub status: ParticipantStatus,
    /// Since when.
    pub joined_at: Timestamp,
    /// Until when.
    pub left_at: Option<Timestamp>,
    /// What they send.
    pub media: MediaState,
    /// Only while the mode is `sfu`.
    pub sfu: SfuIds,
    /// The last report.
    pub quality: Option<QualityRecord>,
    /// When the device was lost.
    pub disconnected_at: Option<Timestamp>,
    /// How often they came back.
    pub reconnect_count: u32,
    /// When this row was last written.
    pub updated_at: Timestamp,
}

/// A participant's objects on the media node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SfuIds {
    /// Sends.
    pub send_transport: Option<TransportId>,
    /// Receives.
    pub recv_transport: Option<TransportId>,
    /// The microphone.
    pub audio_producer: Option<ProducerId>,
    /// The camera.
    pub video_producer: Option<ProducerId>,
    /// The screen.
    pub screen_producer: Option<ProducerId>,
}

/// How well media last arrived somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QualityRecord {
    /// Share of packets lost, 0 to 1.
    pub packet_loss: f64,
    /// Milliseconds.
    pub jitter: f64,
    /// Milliseconds.
    pub rtt: f64,
    /// kbit/s.
    pub bitrate: f64,
}

/// One row of `CallMetrics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsRecord {
    /// Every switch, finished or given up.
    pub mode_transitions: Vec<ModeTransition>,
    /// Means over all reports.
    pub average: Option<QualityRecord>,
    /// How many reports that was.
    pub reports: u64,
    /// Most people at a time.
    pub peak_participants: u32,
    /// People who were ever in it.
    pub total_participants: u32,
    /// How often somebody came back.
    pub reconnections: u32,
    /// How often a direct connection failed.
    pub ice_failures: u32,
    /// How often a transport to a node failed.
    pub transport_errors: u32,
    /// Bytes sent by all participants, as they reported.
    pub total_data_sent: u64,
    /// Bytes received by all participants, as they reported.
    pub total_data_received: u64,
}

/// One switch of the mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModeTransition {
    /// Which.
    pub id: TransitionId,
    /// From which mode.
    pub from: Mode,
    /// To which mode.
    pub to: Mode,
    /// When it began.
    pub timestamp: Timestamp,
    /// From the first event to the last acknowledgement, seconds.
    pub duration: f64,
    /// Why.
    pub reason: TransitionReason,
    /// Whether it was committed.
    pub success: bool,
    /// What it did to pictures and sound, as each participant measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<GapRecord>,
}

/// Why a switch was made, in storage's words (contract §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionReason {
    /// A third came.
    ParticipantJoined,
    /// Two remained.
    ParticipantLeft,
    /// Somebody who may asked for it.
    Manual,
    /// The media node died.
    Failover,
}

/// What one switch did to what one participant saw and heard of another. Milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GapRecord {
    /// Who measured.
    pub participant_id: ParticipantId,
    /// Whom they watched.
    pub remote_participant_id: ParticipantId,
    /// Largest time between two presented pictures around the switch.
    pub video_gap_ms: Option<f64>,
    /// The same over the seconds before.
    pub video_baseline_ms: Option<f64>,
    /// Largest hole in the sound around the switch.
    pub audio_gap_ms: Option<f64>,
    /// The same over the seconds before.
    pub audio_baseline_ms: Option<f64>,
}

/// A call with everything that is kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCall {
    /// The call.
    pub call: CallRecord,
    /// Everybody who was ever in it, in order of joining.
    pub participants: Vec<ParticipantRecord>,
    /// What was measured.
    pub metrics: Option<MetricsRecord>,
}
