//! Operational endpoints, drain, headers, placement.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use edge::metrics::PROCESS;
use media_node::metrics::{ALL, Kind};
use reqwest::Method;
use serde_json::json;

use crate::harness::{TestNode, eventually, participant, service};
use crate::rtp_json::{audio, video};
use crate::socket_client::SocketClient;

#[tokio::test]
async fn a_fresh_node_is_well_and_ready() {
    let node = TestNode::start().await;
    for path in ["/health", "/ready"] {
        let answer = node.send(node.request(Method::GET, path)).await;
        assert_eq!(answer.status.as_u16(), 200);
        assert_eq!(answer.body["status"], "ok");
        assert!(answer.body["version"].is_string());
    }
}

#[tokio::test]
async fn stats_count_what_there_is() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(video(10)).await.text("producerId");
    let capabilities = berta.get("").await.data()["rtpCapabilities"].clone();
    berta.consume(&producer, &capabilities).await.data();
    let stats = node.send(node.request(Method::GET, "/api/stats")).await;
    let data = stats.data();
    let counts = [
        "workers",
        "rooms",
        "participants",
        "transports",
        "producers",
        "consumers",
    ];
    let counted: Vec<u64> = counts.iter().filter_map(|name| data[*name].as_u64()).collect();
    assert_eq!(counted, [1, 1, 2, 4, 1, 1]);
    assert_eq!(data["draining"], false);
    assert!(data["memory"].as_u64().is_some_and(|bytes| bytes > 1 << 20));
    assert!(
        data["cpu"]
            .as_f64()
            .is_some_and(|share| (0.0..=1.0).contains(&share))
    );
}

#[tokio::test]
async fn figures_are_for_the_internal_network_and_services() {
    let node = TestNode::with(|config, _| {
        config
            .http
            .trusted_proxies
            .0
            .push("127.0.0.1".parse().expect("an address"));
    })
    .await;
    for path in ["/metrics", "/api/stats"] {
        let from = async |address: &str, token: Option<String>| {
            let request = node.request(Method::GET, path).header("x-forwarded-for", address);
            let request = token
                .into_iter()
                .fold(request, |request, token| request.bearer_auth(token));
            node.send(request).await
        };
        from("203.0.113.1", None).await.fails(403, "FORBIDDEN");
        from("203.0.113.1", Some(participant("call-1", "anna")))
            .await
            .fails(403, "FORBIDDEN");
        assert_eq!(from("203.0.113.1", Some(service())).await.status.as_u16(), 200);
        assert_eq!(from("10.1.2.3", None).await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn every_metric_is_there_from_the_start_with_type_and_help() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let answer = node.send(node.request(Method::GET, "/metrics")).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = answer.body.as_str().expect("text").to_owned();
    let after = |prefix: &str| -> BTreeMap<String, String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
        lines
            .filter_map(|line| line.split_once(' '))
            .map(|(name, rest)| (name.into(), rest.into()))
            .collect()
    };
    let (helps, types) = (after("# HELP "), after("# TYPE "));
    for metric in ALL {
        // Nothing was received by a socket, so this one has no series yet.
        if metric.name == "socketio_events_total" {
            continue;
        }
        assert_eq!(
            helps.get(metric.name).map(String::as_str),
            Some(metric.help),
            "{}",
            metric.name
        );
        assert_eq!(
            types.get(metric.name).map(String::as_str),
            Some(metric.kind.as_str()),
            "{}",
            metric.name
        );
    }
    let undescribed: Vec<&String> = types.keys().filter(|name| !helps.contains_key(*name)).collect();
    assert!(undescribed.is_empty(), "{undescribed:?}");
    let series = |line: &str| text.lines().any(|candidate| candidate == line);
    assert!(series("mediasoup_workers_total 1"));
    assert!(series("mediasoup_routers_total 1"));
    assert!(series("mediasoup_transports_total{direction=\"send\"} 0"));
    assert!(series("meeshy_node_rooms 1"));
    assert!(text.contains(
        "http_requests_total{route=\"/api/rooms/{callId}/create\",method=\"POST\",status=\"200\"} 1"
    ));
}

#[tokio::test]
async fn names_of_the_contract_are_kept_to_the_letter() {
    let literal = [
        ("mediasoup_workers_total", Kind::Gauge),
        ("mediasoup_routers_total", Kind::Gauge),
        ("mediasoup_transports_total", Kind::Gauge),
        ("mediasoup_producers_total", Kind::Gauge),
        ("mediasoup_consumers_total", Kind::Gauge),
        ("webrtc_transport_connection_duration_seconds", Kind::Histogram),
        ("producer_creation_duration_seconds", Kind::Histogram),
        ("consumer_creation_duration_seconds", Kind::Histogram),
        ("process_cpu_seconds_total", Kind::Counter),
        ("process_resident_memory_bytes", Kind::Gauge),
        ("nodejs_heap_size_total_bytes", Kind::Gauge),
        ("packet_loss_percentage", Kind::Gauge),
        ("ice_failures_total", Kind::Counter),
        ("transport_errors_total", Kind::Counter),
        ("dtls_handshake_duration_seconds", Kind::Histogram),
        ("rtp_packets_total", Kind::Counter),
        ("rtp_bytes_total", Kind::Counter),
        ("rtp_packets_lost_total", Kind::Counter),
        ("nack_total", Kind::Counter),
        ("pli_total", Kind::Counter),
        ("rtx_packets_total", Kind::Counter),
        ("rtp_forward_latency_seconds", Kind::Histogram),
        ("http_requests_total", Kind::Counter),
        ("http_request_duration_seconds", Kind::Histogram),
        ("rate_limit_rejections_total", Kind::Counter),
        ("auth_failures_total", Kind::Counter),
        ("socketio_events_total", Kind::Counter),
        ("media_server_capacity_ratio", Kind::Gauge),
        ("admission_state", Kind::Gauge),
    ];
    // The node's own, and those that it has in common with the gateway.
    let exported = || ALL.iter().chain(PROCESS);
    for (name, kind) in literal {
        let found = exported()
            .find(|metric| metric.name == name)
            .unwrap_or_else(|| panic!("{name} is gone"));
        assert_eq!(found.kind, kind, "{name}");
    }
    let names: BTreeSet<&str> = exported().map(|metric| metric.name).collect();
    assert_eq!(names.len(), exported().count(), "no name twice");
}

#[tokio::test]
async fn metrics_follow_what_happens() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    anna.produce(audio(1)).await.data();
    node.get("nonsense", "/api/rooms/call-1")
        .await
        .fails(401, "UNAUTHORIZED");
    node.send(node.request(Method::GET, "/no/such/path"))
        .await
        .fails(404, "NOT_FOUND");
    let text = node
        .get(&service(), "/metrics")
        .await
        .body
        .as_str()
        .expect("text")
        .to_owned();
    for line in [
        "mediasoup_transports_total{direction=\"send\"} 1",
        "mediasoup_producers_total{kind=\"audio\"} 1",
        "producer_creation_duration_seconds_count{kind=\"audio\"} 1",
        "auth_failures_total{service=\"media\"} 1",
        "meeshy_node_participants 1",
        "http_requests_total{route=\"unmatched\",method=\"GET\",status=\"404\"} 1",
    ] {
        assert!(
            text.lines().any(|candidate| candidate == line),
            "no {line} in:\n{text}"
        );
    }
}

#[tokio::test]
async fn a_draining_node_keeps_its_rooms_and_takes_no_others() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    node.send(node.request(Method::POST, "/api/drain"))
        .await
        .fails(401, "UNAUTHORIZED");
    for _ in 0..2 {
        let held = node.post(&service(), "/api/drain").await;
        assert_eq!(*held.data(), json!({"draining": true, "rooms": 1}));
    }
    let ready = node.get(&service(), "/ready").await;
    assert_eq!(
        (ready.status.as_u16(), &ready.body["status"]),
        (503, &json!("draining"))
    );
    assert_eq!(node.get(&service(), "/health").await.status.as_u16(), 200);
    assert_eq!(node.get(&service(), "/api/stats").await.data()["draining"], true);
    node.post(&service(), "/api/rooms/call-2/create")
        .await
        .fails(503, "SERVER_AT_CAPACITY");
    anna.produce(audio(1)).await.data();
    // Undone, it takes rooms again; until the process is told to stop, nothing ends by itself.
    let resumed = node.delete(&service(), "/api/drain").await;
    assert_eq!(*resumed.data(), json!({"draining": false, "rooms": 1}));
    assert_eq!(node.get(&service(), "/ready").await.status.as_u16(), 200);
    node.room("call-2").await;
    node.delete(&service(), "/api/rooms/call-2")
        .await
        .says("Room destroyed");
    node.node.drain().begin();
    let late = node.delete(&service(), "/api/drain").await;
    late.fails(409, "CONFLICT");
    assert_eq!(node.get(&service(), "/api/stats").await.data()["draining"], true);
    node.member("call-1", "berta")
        .await
        .leave()
        .await
        .says("Participant left room");
    anna.leave().await.says("Participant left room");
    let finished = tokio::time::timeout(Duration::from_secs(10), node.node.drain().finished()).await;
    finished.expect("the drain ends with the last room");
}

#[tokio::test]
async fn the_end_of_a_node_waits_for_no_room_that_only_stands_by() {
    let node = TestNode::start().await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    for call in ["call-1", "call-2"] {
        node.post(&service(), &format!("/api/rooms/{call}/create?standby=true"))
            .await
            .data();
    }
    // Somebody is in each; media flows in the second one.
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-2", "berta").await;
    berta.produce(audio(1)).await.data();
    node.node.drain().begin();
    let ended = gateway.await_event("room-destroyed").await;
    assert_eq!(
        (&ended["callId"], &ended["reason"]),
        (&json!("call-1"), &json!("shutdown"))
    );
    anna.get("").await.fails(404, "ROOM_NOT_FOUND");
    berta.get("").await.data();
    assert_eq!(node.node.drain().rooms_left(), 1);
    berta.leave().await.says("Participant left room");
    let finished = tokio::time::timeout(Duration::from_secs(10), node.node.drain().finished()).await;
    finished.expect("the drain ends with the last room that carries media");
}

#[tokio::test]
async fn a_drain_ends_rooms_when_its_grace_is_over() {
    let node = TestNode::with(|config, _| config.drain_timeout = Duration::from_millis(30)).await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    node.node.drain().begin();
    let finished = tokio::time::timeout(Duration::from_secs(10), node.node.drain().finished()).await;
    finished.expect("the drain ends");
    anna.get("").await.fails(404, "ROOM_NOT_FOUND");
}

#[tokio::test]
async fn rooms_are_spread_over_the_workers() {
    let workers = NonZeroUsize::new(3).expect("not zero");
    let node = TestNode::with(|config, _| config.media.workers = workers).await;
    let mut ports = BTreeMap::<u64, usize>::new();
    for index in 0..6 {
        let call = format!("call-{index}");
        node.room(&call).await;
        let anna = crate::harness::Member::new(&node, &call, "anna");
        let port = anna.transport("send").await.data()["iceCandidates"][0]["port"]
            .as_u64()
            .expect("a port");
        *ports.entry(port).or_default() += 1;
    }
    assert_eq!(ports.into_values().collect::<Vec<_>>(), [2, 2, 2]);
    eventually("all workers are counted", async || {
        node.get(&service(), "/api/stats").await.data()["workers"] == 3
    })
    .await;
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_the_envelope() {
    let node = TestNode::start().await;
    let token = service();
    node.get(&token, "/api/nonsense").await.fails(404, "NOT_FOUND");
    node.get(&token, "/").await.fails(404, "NOT_FOUND");
    node.get(&token, "/api/rooms/call-1/create")
        .await
        .fails(405, "METHOD_NOT_ALLOWED");
    node.post(&token, "/health")
        .await
        .fails(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn answers_carry_security_headers() {
    let node =
        TestNode::with(|config, _| config.environment = media_node::config::Environment::Production).await;
    for path in ["/health", "/api/rooms/call-1", "/nonsense"] {
        let answer = node.send(node.request(Method::GET, path)).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("'none'"))
        );
        assert!(answer.header("strict-transport-security").is_some());
    }
}

#[tokio::test]
async fn only_configured_origins_are_allowed() {
    let node = TestNode::with(|config, _| {
        config
            .http
            .allowed_origins
            .push("https://meet.example.org".parse().expect("an origin"));
    })
    .await;
    let preflight = async |origin: &str| {
        let request = node
            .request(Method::OPTIONS, "/api/rooms/call-1/transports")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        node.send(request).await
    };
    let allowed = preflight("https://meet.example.org").await;
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://meet.example.org")
    );
    assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
    for stranger in [
        "https://evil.example.org",
        "https://meet.example.org.evil.example",
        "null",
    ] {
        assert_eq!(
            preflight(stranger).await.header("access-control-allow-origin"),
            None,
            "{stranger}"
        );
    }
    let request = node
        .request(Method::GET, "/health")
        .header("origin", "https://meet.example.org");
    let exposed = node.send(request).await;
    assert!(
        exposed
            .header("access-control-expose-headers")
            .is_some_and(|names| names.contains("retry-after"))
    );
}
