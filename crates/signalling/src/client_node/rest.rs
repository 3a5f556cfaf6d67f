//! Bodies of requests, and the data of answers.

use ortc::{Checked, ConsumerType, MediaKind, RtpCapabilities, RtpParameters};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::webrtc::{DtlsParameters, IceCandidate, IceParameters};
use crate::id::{CallId, ConsumerId, ParticipantId, ProducerId, RouterId, TransportId};
use crate::timestamp::Timestamp;

/// The query of creating a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateRoomQuery {
    /// Whether the room is only to be proven for now: it takes none of the node's places until media flows in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<bool>,
}

/// The answer to creating a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CreateRoomResponse {
    /// The same as the call's id.
    pub room_id: CallId,
    /// The room's router.
    pub router_id: RouterId,
    /// What the router offers; what a client loads its device with.
    pub rtp_capabilities: RtpCapabilities,
}

/// The answer to fetching a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomResponse {
    /// The same as the call's id.
    pub room_id: CallId,
    /// The room's router.
    pub router_id: RouterId,
    /// What the router offers; what a client loads its device with.
    pub rtp_capabilities: RtpCapabilities,
    /// Participants with at least one transport.
    pub participant_count: u32,
    /// When the room was created.
    pub created_at: Timestamp,
    /// What there is to consume, so that late joiners need not await events.
    pub producers: Vec<ProducerSummary>,
}

/// A producer, to those who may consume it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ProducerSummary {
    /// Its id.
    pub producer_id: ProducerId,
    /// Its owner.
    pub participant_id: ParticipantId,
    /// Audio or video.
    pub kind: MediaKind,
    /// Whether its owner has paused it.
    pub paused: bool,
    /// What its owner says about it.
    pub app_data: AppData,
}

/// What a producer's owner says about it. Members beyond those named here are passed on as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct AppData {
    /// What the track shows or carries; by default microphone for audio and camera for video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<TrackSource>,
    /// The owner's name as others see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    #[cfg_attr(feature = "ts", ts(skip))]
    pub rest: Map<String, Value>,
}

/// Where a track comes from. A participant has at most one producer of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum TrackSource {
    /// A microphone.
    Microphone,
    /// A camera.
    Camera,
    /// A shared screen.
    Screen,
}

impl TrackSource {
    /// What a track of this kind is taken for unless its owner says otherwise.
    #[must_use]
    pub const fn default_for(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Audio => Self::Microphone,
            MediaKind::Video => Self::Camera,
        }
    }

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Camera => "camera",
            Self::Screen => "screen",
        }
    }
}

/// Asks for a transport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct CreateTransportRequest {
    /// Who will own it.
    pub participant_id: ParticipantId,
    /// Which way media will flow.
    pub direction: TransportDirection,
    /// Whether to be given TCP candidates only; `false` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_tcp: Option<bool>,
    /// Of no effect; `direction` decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producing: Option<bool>,
    /// Of no effect; `direction` decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consuming: Option<bool>,
}

/// Which way media flows on a transport, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum TransportDirection {
    /// From the client to the server.
    Send,
    /// From the server to the client.
    Recv,
}

/// A new transport; the fields are those of mediasoup-client's transport options, `transportId` apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CreateTransportResponse {
    /// Its id.
    pub transport_id: TransportId,
    /// The server's ICE credentials.
    pub ice_parameters: IceParameters,
    /// Where the server can be reached.
    pub ice_candidates: Vec<IceCandidate>,
    /// The server's certificate.
    pub dtls_parameters: DtlsParameters,
    /// Always `null`: there are no data channels.
    #[serde(default)]
    #[cfg_attr(feature = "ts", ts(type = "null"))]
    pub sctp_parameters: (),
}

/// Hands over the client's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConnectTransportRequest {
    /// The client's certificate and role.
    pub dtls_parameters: DtlsParameters,
}

/// Announces a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct ProduceRequest {
    /// Who sends it.
    pub participant_id: ParticipantId,
    /// Audio or video; unusable is answered with `INVALID_RTP_PARAMETERS`.
    #[serde(default)]
    pub kind: Checked<MediaKind>,
    /// How it is sent; unusable is answered with `INVALID_RTP_PARAMETERS`.
    #[serde(default)]
    pub rtp_parameters: Checked<RtpParameters>,
    /// What to tell others about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_data: Option<AppData>,
    /// Whether it starts paused; `false` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// A new producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ProduceResponse {
    /// Its id.
    pub producer_id: ProducerId,
    /// Audio or video.
    pub kind: MediaKind,
}

/// Asks to receive a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConsumeRequest {
    /// Who wants to receive it.
    pub participant_id: ParticipantId,
    /// Which track.
    pub producer_id: ProducerId,
    /// What the client is able to receive; unusable is answered with `INVALID_RTP_CAPABILITIES`.
    #[serde(default)]
    pub rtp_capabilities: Checked<RtpCapabilities>,
}

/// A new consumer; it is paused until resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConsumeResponse {
    /// Its id.
    pub consumer_id: ConsumerId,
    /// The track's producer.
    pub producer_id: ProducerId,
    /// Audio or video.
    pub kind: MediaKind,
    /// How the track will be received.
    pub rtp_parameters: RtpParameters,
    /// What there is to choose from.
    #[serde(rename = "type")]
    pub consumer_type: ConsumerType,
    /// Whether the owner has paused the producer.
    pub producer_paused: bool,
}

/// New ICE credentials after a change of network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RestartIceResponse {
    /// The server's new ICE credentials.
    pub ice_parameters: IceParameters,
}

/// The best layers a consumer wants to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct PreferredLayersRequest {
    /// Spatial layer or simulcast stream; 0 is the smallest picture.
    pub spatial_layer: u8,
    /// Temporal layer; 0 is the lowest frame rate. All of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporal_layer: Option<u8>,
}

/// What a node is busy with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StatsResponse {
    /// Worker threads that are alive.
    pub workers: u32,
    /// Rooms.
    pub rooms: u32,
    /// Participants of all rooms.
    pub participants: u32,
    /// Transports of all participants.
    pub transports: u32,
    /// Producers of all participants.
    pub producers: u32,
    /// Consumers of all participants.
    pub consumers: u32,
    /// Share of all cores in use, 0 to 1.
    pub cpu: f64,
    /// Resident memory, bytes.
    pub memory: u64,
    /// Whether new rooms are refused until the server stops.
    pub draining: bool,
    /// Rooms that take one of the node's places; those that only stand by do not.
    #[serde(default)]
    pub occupied_rooms: u32,
    /// How many places there are; an older node does not tell, and says 0.
    #[serde(default)]
    pub max_rooms: u32,
    /// Where the node stands; empty if it was not told.
    #[serde(default)]
    pub region: String,
    /// Its process, drawn by lot, as it registers with; an older node does not tell.
    #[serde(default)]
    pub instance: String,
    /// How busy each living worker is; an older node does not tell.
    #[serde(default)]
    pub worker_loads: Vec<WorkerLoad>,
}

/// The answer to `POST` and `DELETE /api/drain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DrainResponse {
    /// Whether new rooms are refused now.
    pub draining: bool,
    /// Rooms that take one of the node's places.
    pub rooms: u32,
}

/// How busy a worker thread is, over at least the last second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct WorkerLoad {
    /// Which worker, counted from 0.
    pub worker: u32,
    /// Share of the time it was not waiting, 0 to 1.
    pub busy: f64,
    /// Packets received per second.
    pub packets_in: f64,
    /// Packets sent per second.
    pub packets_out: f64,
    /// How long received packets waited for it, on average, milliseconds.
    pub queue_delay_ms: f64,
    /// Participants it serves.
    pub participants: u32,
    /// Consumers that flow from it.
    pub consumers: u32,
}

/// Whether the server lives, or is ready for calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HealthResponse {
    /// `ok`, or why not.
    pub status: HealthStatus,
    /// The version of the software.
    pub version: String,
}

/// How a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All is well: 200. Every other one is answered with 503.
    Ok,
    /// Not yet ready.
    Starting,
    /// Stopping once its calls have ended.
    Draining,
    /// Too busy for more calls.
    Overloaded,
    /// Broken: no worker is alive.
    Failed,
}
