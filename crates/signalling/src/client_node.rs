//! Between a participant's client and the media node: REST bodies and Socket.IO payloads (contract §1.3, §1.7).

mod endpoint;
mod rest;
mod socket;
mod webrtc;

pub use endpoint::{Endpoint, message};
pub use rest::{
    AppData, ConnectTransportRequest, ConsumeRequest, ConsumeResponse, CreateRoomQuery, CreateRoomResponse,
    CreateTransportRequest, CreateTransportResponse, DrainResponse, HealthResponse, HealthStatus,
    PreferredLayersRequest, ProduceRequest, ProduceResponse, ProducerSummary, RestartIceResponse,
    RoomResponse, StatsResponse, TrackSource, TransportDirection, WorkerLoad,
};
pub use socket::{
    Ack, ActiveSpeaker, ConsumerPaused, JoinRoom, LeaveRoom, NewProducer, NodeEvent, PauseReason,
    ProducerClosed, event,
};
pub use webrtc::{
    CandidateProtocol, CandidateType, DtlsFingerprint, DtlsParameters, DtlsRole, IceCandidate, IceParameters,
    TcpType,
};

/// Largest body of a request, bytes (contract §1.1).
pub const MAX_BODY: usize = 256 * 1024;
