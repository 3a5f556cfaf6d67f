//! Events of the media node for services: bookkeeping and failover of a gateway (contract §1.7).

use serde::{Deserialize, Serialize};

use crate::client_node::TransportDirection;
use crate::id::{CallId, ParticipantId, TransportId};

/// Where a node registers with a gateway.
pub const REGISTER_PATH: &str = "/api/nodes/register";

/// A node tells a gateway that it is there, every few seconds (contract §8.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RegisterNode {
    /// Its name, for people.
    pub server_id: String,
    /// Its base URL as gateways reach it; host and port are its name for programs.
    pub url: String,
    /// Where it stands; empty if it was not told.
    #[serde(default)]
    pub region: String,
    /// How many places for rooms it has.
    pub max_rooms: u32,
    /// How many of them are taken.
    pub rooms: u32,
    /// Share of its cores in use, 0 to 1.
    pub cpu: f64,
    /// Whether it refuses new rooms.
    pub draining: bool,
    /// The software's version.
    pub version: String,
    /// Its process, drawn by lot: the same at whatever address it is reached. An older node does not tell.
    #[serde(default)]
    pub instance: String,
}

/// The answer to a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// What the gateway calls the node: its host and port.
    pub node_id: String,
    /// Seconds of silence after which a node that does not answer is forgotten.
    pub expires_in: u64,
}

/// Names of the events.
pub mod event {
    /// [`super::RoomDestroyed`].
    pub const ROOM_DESTROYED: &str = "room-destroyed";
    /// [`super::TransportState`].
    pub const TRANSPORT_STATE: &str = "transport-state";
    /// [`super::WorkerDied`].
    pub const WORKER_DIED: &str = "worker-died";

    /// All of them.
    pub const ALL: [&str; 3] = [ROOM_DESTROYED, TRANSPORT_STATE, WORKER_DIED];
}

/// A room is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomDestroyed {
    /// The room's call.
    pub call_id: CallId,
    /// Why.
    pub reason: RoomEnd,
}

/// Why a room is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum RoomEnd {
    /// A service asked for it.
    Requested,
    /// The last participant left.
    Empty,
    /// Nobody came within a minute of its creation.
    Unjoined,
    /// The worker that served it died.
    WorkerDied,
    /// The server stopped.
    Shutdown,
}

/// A transport's connection changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TransportState {
    /// The room's call.
    pub call_id: CallId,
    /// The transport's owner.
    pub participant_id: ParticipantId,
    /// The transport.
    pub transport_id: TransportId,
    /// Which way media flows, as the client sees it.
    pub direction: TransportDirection,
    /// How reachable the client is.
    pub ice_state: IceState,
    /// How far the handshake is.
    pub dtls_state: DtlsState,
}

/// How reachable the client of a transport is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum IceState {
    /// Nothing came yet.
    #[default]
    New,
    /// Checks succeed.
    Connected,
    /// The client has chosen a path.
    Completed,
    /// Nothing has come for a while.
    Disconnected,
    /// Nothing came for so long that the path is given up.
    Failed,
    /// The transport is closed.
    Closed,
}

/// How far the DTLS handshake of a transport is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum DtlsState {
    /// Not begun.
    #[default]
    New,
    /// Under way.
    Connecting,
    /// Done; the certificate is the announced one.
    Connected,
    /// It failed, or the certificate was another one.
    Failed,
    /// Closed by either side.
    Closed,
}

/// A worker died, and the rooms it served with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct WorkerDied {
    /// Which worker, counted from 0.
    pub worker: u32,
    /// The calls that lost their room.
    pub call_ids: Vec<CallId>,
}

/// Any event of the node for services only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ServiceEvent {
    /// A room is gone.
    RoomDestroyed(RoomDestroyed),
    /// A transport's connection changed.
    TransportState(TransportState),
    /// A worker died.
    WorkerDied(WorkerDied),
}

impl ServiceEvent {
    /// The event's name, see [`event`].
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RoomDestroyed(_) => event::ROOM_DESTROYED,
            Self::TransportState(_) => event::TRANSPORT_STATE,
            Self::WorkerDied(_) => event::WORKER_DIED,
        }
    }
}
