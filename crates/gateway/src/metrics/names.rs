//! The table of metrics: name, kind, labels with a fixed set of values, help.

use edge::metrics::{Description, counter, gauge, histogram};

pub(super) const ACTIVE_CALLS: &str = "calls_active_total";
pub(super) const P2P_CALLS: &str = "calls_mode_p2p_total";
pub(super) const SFU_CALLS: &str = "calls_mode_sfu_total";
pub(super) const TRANSITIONS: &str = "calls_mode_transitions_total";
pub(super) const TRANSITION_DURATION: &str = "call_mode_transition_duration_seconds";
pub(super) const CALLS: &str = "meeshy_calls_total";
pub(super) const CALLS_FAILED: &str = "meeshy_calls_failed_total";
pub(super) const CALL_DURATION: &str = "meeshy_call_duration_seconds";
pub(super) const PARTICIPANTS: &str = "meeshy_active_participants";
pub(super) const SOCKETS: &str = "meeshy_socketio_connections";
pub(super) const CALL_PARTICIPANTS: &str = "call_participants";
pub(super) const RECONNECTIONS: &str = "call_reconnections_total";
pub(super) const DROPS: &str = "call_drops_total";
pub(super) const QUALITY_LOSS: &str = "call_quality_packet_loss_ratio";
pub(super) const QUALITY_RTT: &str = "call_quality_rtt_seconds";
pub(super) const QUALITY_JITTER: &str = "call_quality_jitter_seconds";
pub(super) const QUALITY_BITRATE: &str = "call_quality_bitrate_kbps";
pub(super) const RELAYED_REPORTS: &str = "meeshy_quality_reports_relayed_total";
pub(super) const DB_QUERY: &str = "db_query_duration_seconds";
pub(super) const DB_QUERY_OLD: &str = "prisma_query_duration_seconds";
pub(super) const HTTP_REQUESTS: &str = "http_requests_total";
pub(super) const HTTP_DURATION: &str = "http_request_duration_seconds";
pub(super) const RATE_LIMITED: &str = "rate_limit_rejections_total";
pub(super) const AUTH_FAILURES: &str = "auth_failures_total";
pub(super) const SOCKET_EVENTS: &str = "socketio_events_total";
pub(super) const ICE_FAILURES: &str = "ice_failures_total";
pub(super) const CONNECTION_FAILURES: &str = "meeshy_client_connection_failures_total";
pub(super) const TURN_SERVER_UP: &str = "meeshy_turn_server_up";
pub(super) const ICE_ATTEMPTS: &str = "meeshy_ice_attempts_total";
pub(super) const RELAYED: &str = "turn_relay_participants";
pub(super) const RELAY_RATIO: &str = "calls_using_relay_ratio";
pub(super) const JOINS: &str = "meeshy_call_joins_total";
pub(super) const SETUP: &str = "meeshy_call_setup_duration_seconds";
pub(super) const ACCESS_DENIED: &str = "meeshy_access_denied_total";
pub(super) const UNRECORDED: &str = "meeshy_refusals_unrecorded_total";
pub(super) const MEDIA_NODES: &str = "meeshy_media_nodes";
pub(super) const DRAINING: &str = "meeshy_gateway_draining";

const MODES: &[&str] = &["p2p", "sfu"];
/// What a node may be to a gateway.
pub(super) const NODE_STATES: &[&str] = &["ready", "draining", "full", "overloaded", "connecting", "lost"];
const RESULTS: &[&str] = &["success", "failure"];
const REASONS: &[&str] = &[
    "participant-count-changed",
    "manual",
    "quality-fallback",
    "media-server-failover",
];
const SCOPES: &[&str] = &[
    "rest-calls",
    "rest-other",
    "signal",
    "start-call",
    "join",
    "toggle",
    "caption",
    "quality",
    "socket-other",
    "failed-auth",
    "link-lookup",
    "dev-login",
    "bandwidth-test",
];

/// Every metric of the gateway.
pub const ALL: &[Description] = &[
    gauge(ACTIVE_CALLS, "Calls in which people have met and that go on."),
    gauge(
        P2P_CALLS,
        "Of these, those whose media goes directly between two people.",
    ),
    gauge(
        SFU_CALLS,
        "Of these, those whose media goes through a media node.",
    ),
    counter(TRANSITIONS, "Switches of mode, by way, reason and result.").with(&[
        ("from", MODES),
        ("to", MODES),
        ("reason", REASONS),
        ("result", RESULTS),
    ]),
    histogram(
        TRANSITION_DURATION,
        "Time from announcing a switch to the last acknowledgement, of those that succeeded, in seconds.",
    )
    .with(&[("from", MODES), ("to", MODES)]),
    counter(CALLS, "Calls begun, by type and type of conversation.").with(&[
        ("type", &["video", "audio"]),
        ("conversation_type", &["direct", "group"]),
    ]),
    counter(CALLS_FAILED, "Calls that a fault of the server ended, by reason.")
        .with(&[("reason", &["error", "store"])]),
    histogram(CALL_DURATION, "How long people talked, per call, in seconds."),
    gauge(PARTICIPANTS, "People who hold a seat in a live call."),
    gauge(SOCKETS, "Connected Socket.IO clients."),
    histogram(
        CALL_PARTICIPANTS,
        "Most people at a time, per call in which people met.",
    ),
    counter(
        RECONNECTIONS,
        "People whose connection broke: success came back in time, failure did not.",
    )
    .with(&[("result", RESULTS)]),
    counter(
        DROPS,
        "People a call lost because they did not come back in time, by mode.",
    )
    .with(&[("mode", MODES)]),
    histogram(
        QUALITY_LOSS,
        "Share of packets lost as clients report it, 0 to 1.",
    )
    .with(&[("mode", MODES)]),
    histogram(QUALITY_RTT, "Round trip as clients report it, in seconds.").with(&[("mode", MODES)]),
    histogram(QUALITY_JITTER, "Jitter as clients report it, in seconds.").with(&[("mode", MODES)]),
    histogram(
        QUALITY_BITRATE,
        "Received bit rate as clients report it, in kbit/s.",
    )
    .with(&[("mode", MODES)]),
    counter(
        RELAYED_REPORTS,
        "Reports of clients whose media went through a TURN server.",
    )
    .with(&[("mode", MODES)]),
    histogram(DB_QUERY, "Time of one operation of the database, in seconds.").open(&["operation"]),
    histogram(DB_QUERY_OLD, "The same under its older name.").open(&["operation"]),
    counter(HTTP_REQUESTS, "HTTP requests by route, method and status.").open(&["route", "method", "status"]),
    histogram(HTTP_DURATION, "Time to answer an HTTP request, in seconds.").open(&["route", "method"]),
    counter(RATE_LIMITED, "Requests and events refused by a limit, by scope.").with(&[("scope", SCOPES)]),
    counter(
        AUTH_FAILURES,
        "Requests and sockets refused for their token or session.",
    )
    .with(&[("service", &["gateway"])]),
    counter(SOCKET_EVENTS, "Socket.IO events received and sent, by event.").open(&["event"]),
    counter(
        ICE_FAILURES,
        "Connections whose ICE failed, by the side that noticed.",
    )
    .with(&[("side", &["client"])]),
    counter(
        CONNECTION_FAILURES,
        "Connections that clients say failed, by which.",
    )
    .with(&[("transport", &["p2p", "send", "recv", "other"])]),
    gauge(
        TURN_SERVER_UP,
        "Whether a TURN server relays: 1, or 0 if it does not and is not handed out.",
    )
    .open(&["url"]),
    counter(
        ICE_ATTEMPTS,
        "Connections that clients tried to set up, by what became of them.",
    )
    .with(&[("side", &["client"]), ("result", RESULTS)]),
    gauge(
        RELAYED,
        "People in live calls whose media goes through a TURN server, by their latest report.",
    ),
    gauge(
        RELAY_RATIO,
        "Share of active calls in which somebody's media goes through a TURN server, 0 to 1.",
    ),
    counter(
        JOINS,
        "Seats taken in calls, those of calls taken over at the start included.",
    ),
    histogram(
        SETUP,
        "Time from joining to media, the first time of each who joined a call, in seconds.",
    )
    .with(&[("mode", MODES)]),
    counter(
        ACCESS_DENIED,
        "Requests and events of known people for what they have no right to.",
    )
    .with(&[("via", &["http", "socket"])]),
    counter(
        UNRECORDED,
        "Refusals not written to the audit log because there were too many of one kind in a minute.",
    ),
    gauge(MEDIA_NODES, "Media nodes by how this gateway sees them.").with(&[("state", NODE_STATES)]),
    gauge(
        DRAINING,
        "1 while this gateway takes no new calls and waits for the present ones to end.",
    ),
];
