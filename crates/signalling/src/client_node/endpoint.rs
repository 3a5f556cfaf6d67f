//! Methods and paths (contract §1.3).

use crate::declare::endpoints;

endpoints! {
    /// An endpoint of the media node.
    Endpoint {
        /// Creates a room: services only.
        CreateRoom = "POST" "/api/rooms/{callId}/create";
        /// Fetches a room.
        FetchRoom = "GET" "/api/rooms/{callId}";
        /// Destroys a room: services only.
        DestroyRoom = "DELETE" "/api/rooms/{callId}";
        /// Creates a transport.
        CreateTransport = "POST" "/api/rooms/{callId}/transports";
        /// Hands over the client's certificate.
        ConnectTransport = "POST" "/api/rooms/{callId}/transports/{transportId}/connect";
        /// Gives a transport new ICE credentials.
        RestartIce = "POST" "/api/rooms/{callId}/transports/{transportId}/restart-ice";
        /// Announces a track.
        Produce = "POST" "/api/rooms/{callId}/transports/{transportId}/produce";
        /// Closes a producer.
        CloseProducer = "DELETE" "/api/rooms/{callId}/producers/{producerId}";
        /// Pauses a producer.
        PauseProducer = "POST" "/api/rooms/{callId}/producers/{producerId}/pause";
        /// Resumes a producer.
        ResumeProducer = "POST" "/api/rooms/{callId}/producers/{producerId}/resume";
        /// Asks to receive a track.
        Consume = "POST" "/api/rooms/{callId}/consume";
        /// Starts the flow to a consumer.
        ResumeConsumer = "POST" "/api/rooms/{callId}/consumers/{consumerId}/resume";
        /// Stops the flow to a consumer.
        PauseConsumer = "POST" "/api/rooms/{callId}/consumers/{consumerId}/pause";
        /// Says which layers a consumer wants.
        PreferredLayers = "POST" "/api/rooms/{callId}/consumers/{consumerId}/preferred-layers";
        /// Asks for a key frame for a consumer.
        RequestKeyFrame = "POST" "/api/rooms/{callId}/consumers/{consumerId}/request-key-frame";
        /// Closes everything of a participant.
        Leave = "POST" "/api/rooms/{callId}/participants/{participantId}/leave";
        /// Stops taking rooms: services only.
        Drain = "POST" "/api/drain";
        /// Takes rooms again: services only.
        EndDrain = "DELETE" "/api/drain";
        /// What the node is busy with; internal.
        Stats = "GET" "/api/stats";
        /// Whether the server lives.
        Health = "GET" "/health";
        /// Whether the server is ready for calls.
        Ready = "GET" "/ready";
        /// Prometheus metrics; internal.
        Metrics = "GET" "/metrics";
    }
}

/// What the endpoints without data answer.
pub mod message {
    /// To [`super::Endpoint::ConnectTransport`].
    pub const TRANSPORT_CONNECTED: &str = "Transport connected";
    /// To [`super::Endpoint::ResumeConsumer`].
    pub const CONSUMER_RESUMED: &str = "Consumer resumed";
    /// To [`super::Endpoint::PauseConsumer`].
    pub const CONSUMER_PAUSED: &str = "Consumer paused";
    /// To [`super::Endpoint::CloseProducer`].
    pub const PRODUCER_CLOSED: &str = "Producer closed";
    /// To [`super::Endpoint::PauseProducer`].
    pub const PRODUCER_PAUSED: &str = "Producer paused";
    /// To [`super::Endpoint::ResumeProducer`].
    pub const PRODUCER_RESUMED: &str = "Producer resumed";
    /// To [`super::Endpoint::PreferredLayers`].
    pub const PREFERRED_LAYERS_SET: &str = "Preferred layers set";
    /// To [`super::Endpoint::RequestKeyFrame`].
    pub const KEY_FRAME_REQUESTED: &str = "Key frame requested";
    /// To [`super::Endpoint::Leave`].
    pub const PARTICIPANT_LEFT: &str = "Participant left room";
    /// To [`super::Endpoint::DestroyRoom`].
    pub const ROOM_DESTROYED: &str = "Room destroyed";

    /// All of them.
    pub const ALL: [&str; 10] = [
        TRANSPORT_CONNECTED,
        CONSUMER_RESUMED,
        CONSUMER_PAUSED,
        PRODUCER_CLOSED,
        PRODUCER_PAUSED,
        PRODUCER_RESUMED,
        PREFERRED_LAYERS_SET,
        KEY_FRAME_REQUESTED,
        PARTICIPANT_LEFT,
        ROOM_DESTROYED,
    ];
}
