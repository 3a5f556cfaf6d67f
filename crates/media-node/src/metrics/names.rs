//! The table of metrics: name, kind, labels with a fixed set of values, help.

use edge::metrics::{Description, counter, gauge, histogram};

pub(super) const WORKERS: &str = "mediasoup_workers_total";
pub(super) const ROUTERS: &str = "mediasoup_routers_total";
pub(super) const TRANSPORTS: &str = "mediasoup_transports_total";
pub(super) const PRODUCERS: &str = "mediasoup_producers_total";
pub(super) const CONSUMERS: &str = "mediasoup_consumers_total";
pub(super) const TRANSPORT_CONNECTION: &str = "webrtc_transport_connection_duration_seconds";
pub(super) const PRODUCER_CREATION: &str = "producer_creation_duration_seconds";
pub(super) const CONSUMER_CREATION: &str = "consumer_creation_duration_seconds";
pub(super) const PACKET_LOSS: &str = "packet_loss_percentage";
pub(super) const ICE_FAILURES: &str = "ice_failures_total";
pub(super) const ICE_ATTEMPTS: &str = "meeshy_ice_attempts_total";
pub(super) const TRANSPORT_ERRORS: &str = "transport_errors_total";
pub(super) const DTLS_HANDSHAKE: &str = "dtls_handshake_duration_seconds";
pub(super) const RTP_PACKETS: &str = "rtp_packets_total";
pub(super) const RTP_BYTES: &str = "rtp_bytes_total";
pub(super) const RTP_LOST: &str = "rtp_packets_lost_total";
pub(super) const NACK: &str = "nack_total";
pub(super) const PLI: &str = "pli_total";
pub(super) const RTX: &str = "rtx_packets_total";
pub(super) const FORWARD_LATENCY: &str = "rtp_forward_latency_seconds";
pub(super) const HTTP_REQUESTS: &str = "http_requests_total";
pub(super) const HTTP_DURATION: &str = "http_request_duration_seconds";
pub(super) const RATE_LIMITED: &str = "rate_limit_rejections_total";
pub(super) const AUTH_FAILURES: &str = "auth_failures_total";
pub(super) const ACCESS_DENIED: &str = "meeshy_access_denied_total";
pub(super) const SOCKET_EVENTS: &str = "socketio_events_total";
pub(super) const CAPACITY_RATIO: &str = "media_server_capacity_ratio";
pub(super) const ADMISSION_STATE: &str = "admission_state";
pub(super) const SOCKETS: &str = "meeshy_node_sockets";
pub(super) const ROOMS: &str = "meeshy_node_rooms";
pub(super) const PARTICIPANTS: &str = "meeshy_node_participants";
pub(super) const DRAINING: &str = "meeshy_node_draining";
pub(super) const WORKER_BUSY: &str = "meeshy_worker_busy_ratio";
pub(super) const WORKER_PACKETS: &str = "meeshy_worker_packets_per_second";
pub(super) const WORKER_QUEUE_DELAY: &str = "meeshy_worker_queue_delay_seconds";
pub(super) const WORKER_QUEUE_DELAY_MAX: &str = "meeshy_worker_queue_delay_max_seconds";
pub(super) const WORKER_COMMANDS: &str = "meeshy_worker_waiting_commands";
pub(super) const WORKER_PARTICIPANTS: &str = "meeshy_worker_participants";
pub(super) const WORKER_CONSUMERS: &str = "meeshy_worker_consumers";
pub(super) const PIPED_PACKETS: &str = "meeshy_piped_packets_total";
pub(super) const PIPED_PRODUCERS: &str = "meeshy_piped_producers";
pub(super) const WORKER_DEATHS: &str = "meeshy_worker_deaths_total";
pub(super) const DROPPED: &str = "meeshy_packets_dropped_total";
pub(super) const TCP_CONNECTIONS: &str = "meeshy_tcp_connections_total";
pub(super) const PROBES: &str = "meeshy_probe_packets_total";

/// Rendered beside the recorder; see [`super::beside`].
pub(super) const BESIDE: [&str; 1] = [FORWARD_LATENCY];

/// The client's view, as in the contract's `direction`.
const DIRECTIONS: &[&str] = &["send", "recv"];
/// The server's view of packets.
const FLOWS: &[&str] = &["in", "out"];
const KINDS: &[&str] = &["audio", "video"];
const PROTOCOLS: &[&str] = &["udp", "tcp"];
pub(super) const TCP_OUTCOMES: &[&str] = &[
    "accepted",
    "turned_away",
    "unproven",
    "silent",
    "stalled",
    "malformed",
];
const SCOPES: &[&str] = &[
    "create-room",
    "create-transport",
    "connect-transport",
    "consume",
    "other",
];

/// Every metric this node owns.
pub const ALL: &[Description] = &[
    gauge(WORKERS, "Worker threads alive."),
    gauge(ROUTERS, "Open routers; one per room and worker it lives on."),
    gauge(TRANSPORTS, "Open WebRTC transports by direction as the client sees it.")
        .with(&[("direction", DIRECTIONS)]),
    gauge(PRODUCERS, "Open producers by kind.").with(&[("kind", KINDS)]),
    gauge(CONSUMERS, "Open consumers by kind.").with(&[("kind", KINDS)]),
    histogram(TRANSPORT_CONNECTION, "Time from creating a transport to its secured path, in seconds.")
        .with(&[("direction", DIRECTIONS), ("protocol", PROTOCOLS)]),
    histogram(PRODUCER_CREATION, "Time to create a producer, in seconds.").with(&[("kind", KINDS)]),
    histogram(CONSUMER_CREATION, "Time to create a consumer, in seconds.").with(&[("kind", KINDS)]),
    gauge(PACKET_LOSS, "Packets lost in the last interval, in percent: in is what producers sent and never arrived, out is what consumers asked for again.")
        .with(&[("direction", FLOWS)]),
    counter(ICE_FAILURES, "Transports whose ICE failed, by the side that noticed.").with(&[("side", &["server"])]),
    counter(
        ICE_ATTEMPTS,
        "Transports that clients tried to reach this node over, by what became of them.",
    )
    .with(&[("side", &["server"]), ("result", &["success", "failure"])]),
    counter(TRANSPORT_ERRORS, "Transports that failed, by layer.").with(&[("kind", &["ice", "dtls"])]),
    histogram(DTLS_HANDSHAKE, "Time from reaching a client to the end of its DTLS handshake, in seconds."),
    counter(RTP_PACKETS, "RTP packets received from producers and sent to consumers.").with(&[("direction", FLOWS)]),
    counter(RTP_BYTES, "Bytes of those packets.").with(&[("direction", FLOWS)]),
    counter(RTP_LOST, "RTP packets of producers that never arrived."),
    counter(NACK, "Generic NACK packets received from consumers and sent to producers.").with(&[("direction", FLOWS)]),
    counter(PLI, "Key frame requests received from consumers and sent to producers.").with(&[("direction", FLOWS)]),
    counter(RTX, "Retransmissions sent to consumers."),
    histogram(
        FORWARD_LATENCY,
        "Time from waking up for received packets to having sent what they led to, per packet sent, in seconds.",
    ),
    counter(HTTP_REQUESTS, "HTTP requests by route, method and status.").open(&["route", "method", "status"]),
    histogram(HTTP_DURATION, "Time to answer an HTTP request, in seconds.").open(&["route", "method"]),
    counter(RATE_LIMITED, "Requests refused by a rate limit, by scope.").with(&[("scope", SCOPES)]),
    counter(AUTH_FAILURES, "Requests and sockets refused for their token.").with(&[("service", &["media"])]),
    counter(
        ACCESS_DENIED,
        "Requests with a good token for what it gives no right to.",
    )
    .with(&[("via", &["media"])]),
    counter(SOCKET_EVENTS, "Socket.IO events received and sent, by event.").open(&["event"]),
    gauge(CAPACITY_RATIO, "How full this node is, 0 to 1: rooms or CPU, whichever is nearer its limit."),
    gauge(ADMISSION_STATE, "Admission under load: 0 normal, 1 quality reduced, 2 no screen share, 3 nobody new."),
    gauge(SOCKETS, "Connected Socket.IO clients."),
    gauge(ROOMS, "Rooms on this node."),
    gauge(PARTICIPANTS, "Participants in the rooms of this node."),
    gauge(DRAINING, "1 while this node refuses new rooms and waits for the present ones to end."),
    gauge(WORKER_BUSY, "Share of time a worker thread is busy, 0 to 1.").open(&["worker"]),
    gauge(WORKER_PACKETS, "Packets a worker thread receives and sends per second.").open(&["worker", "direction"]),
    gauge(
        WORKER_QUEUE_DELAY,
        "Time received packets waited until the worker thread got to them, on average, in seconds.",
    )
    .open(&["worker"]),
    gauge(WORKER_QUEUE_DELAY_MAX, "The longest such time since the last reading, in seconds.").open(&["worker"]),
    gauge(WORKER_COMMANDS, "Commands waiting for a worker thread.").open(&["worker"]),
    gauge(WORKER_PARTICIPANTS, "Participants served by a worker thread.").open(&["worker"]),
    gauge(WORKER_CONSUMERS, "Consumers that flow from a worker thread.").open(&["worker"]),
    counter(PIPED_PACKETS, "Packets of rooms that live on several workers, taken from and handed on to other workers.")
        .with(&[("direction", FLOWS)]),
    gauge(PIPED_PRODUCERS, "Producers that are piped to another worker, once for each of them."),
    counter(WORKER_DEATHS, "Worker threads that died and were replaced."),
    counter(DROPPED, "Packets dropped, by reason.").open(&["reason"]),
    counter(
        TCP_CONNECTIONS,
        "ICE-TCP connections by what became of them: accepted, or turned away or closed for a reason.",
    )
    .with(&[("outcome", TCP_OUTCOMES)]),
    counter(PROBES, "Padding packets sent to probe for bandwidth."),
];
