//! Rate limits of contract §1.6 with their headers; sizes of bodies.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Member, TestNode, participant, service};
use crate::rtp_json::{audio, dtls};

/// The three headers as numbers.
#[track_caller]
fn standing(answer: &Answer) -> (u64, u64, u64) {
    let number = |name: &str| {
        let value = answer
            .header(name)
            .unwrap_or_else(|| panic!("no {name} on {}", answer.status));
        value.parse::<u64>().expect("a number")
    };
    (
        number("x-ratelimit-limit"),
        number("x-ratelimit-remaining"),
        number("x-ratelimit-reset"),
    )
}

/// Checks the refusal that follows `limit` requests.
#[track_caller]
fn refused(answer: &Answer, limit: u64) {
    answer.fails(429, "RATE_LIMIT_EXCEEDED");
    let retry_after = answer.body["error"]["retryAfter"]
        .as_u64()
        .expect("seconds beside the code");
    assert!((1..=60).contains(&retry_after), "{retry_after}");
    assert_eq!(
        answer.header("retry-after"),
        Some(retry_after.to_string().as_str())
    );
    let (stated, remaining, reset) = standing(answer);
    assert_eq!((stated, remaining), (limit, 0));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    assert!(
        (now..=now + 61).contains(&reset),
        "{reset} is not within a minute of {now}"
    );
}

#[tokio::test]
async fn creating_a_room_is_limited_per_call() {
    let node = TestNode::start().await;
    let token = service();
    for used in 1..=10 {
        let answer = node.post(&token, "/api/rooms/call-1/create").await;
        assert_eq!(answer.status.as_u16(), if used == 1 { 200 } else { 409 });
        let (limit, remaining, _) = standing(&answer);
        assert_eq!((limit, remaining), (10, 10 - used));
    }
    refused(&node.post(&token, "/api/rooms/call-1/create").await, 10);
    node.post(&token, "/api/rooms/call-2/create").await.data();
}

#[tokio::test]
async fn participants_cannot_use_up_a_calls_limit() {
    let node = TestNode::start().await;
    let anna = participant("call-1", "anna");
    for _ in 0..11 {
        node.post(&anna, "/api/rooms/call-1/create")
            .await
            .fails(403, "FORBIDDEN");
    }
    node.room("call-1").await;
}

#[tokio::test]
async fn creating_transports_is_limited_per_participant() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = Member::new(&node, "call-1", "anna");
    for used in 1..=50 {
        let answer = anna.transport("send").await;
        answer.data();
        assert_eq!(standing(&answer).1, 50 - used);
    }
    refused(&anna.transport("send").await, 50);
    Member::new(&node, "call-1", "berta")
        .transport("send")
        .await
        .data();
    anna.get("").await.data();
}

#[tokio::test]
async fn the_same_name_in_another_call_is_another_participant() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    node.room("call-2").await;
    let anna = Member::new(&node, "call-1", "anna");
    for _ in 0..50 {
        anna.transport("send").await.data();
    }
    refused(&anna.transport("send").await, 50);
    Member::new(&node, "call-2", "anna")
        .transport("send")
        .await
        .data();
}

#[tokio::test]
async fn connecting_is_limited_per_participant() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let path = format!("/transports/{}/connect", anna.send);
    let body = dtls("client", "AA");
    for _ in 0..50 {
        anna.post_json(&path, &body).await.says("Transport connected");
    }
    refused(&anna.post_json(&path, &body).await, 50);
}

#[tokio::test]
async fn consuming_is_limited_per_participant() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    let capabilities = berta.get("").await.data()["rtpCapabilities"].clone();
    for _ in 0..100 {
        berta.consume(&producer, &capabilities).await.data();
    }
    refused(&berta.consume(&producer, &capabilities).await, 100);
}

#[tokio::test]
async fn everything_else_is_limited_per_participant() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = Member::new(&node, "call-1", "anna");
    for used in 1..=200 {
        let answer = anna.get("").await;
        answer.data();
        assert_eq!(standing(&answer).1, 200 - used);
    }
    refused(&anna.get("").await, 200);
    refused(&anna.leave().await, 200);
    Member::new(&node, "call-1", "berta").get("").await.data();
}

#[tokio::test]
async fn requests_without_a_valid_token_are_limited_per_address() {
    let node = TestNode::with(|config, _| {
        config
            .http
            .trusted_proxies
            .0
            .push("127.0.0.1".parse().expect("an address"));
    })
    .await;
    let try_from = async |address: &str| {
        let request = node
            .request(Method::GET, "/api/rooms/call-1")
            .header("x-forwarded-for", address);
        node.send(request.bearer_auth("nonsense")).await
    };
    for _ in 0..200 {
        try_from("203.0.113.1").await.fails(401, "UNAUTHORIZED");
    }
    refused(&try_from("203.0.113.1").await, 200);
    // What a client writes in front of what the proxy saw changes nothing.
    refused(&try_from("198.51.100.9, 203.0.113.1").await, 200);
    try_from("203.0.113.2").await.fails(401, "UNAUTHORIZED");
    // Somebody with a token is not held back by others behind the same address.
    node.room("call-1").await;
    let token = participant("call-1", "anna");
    let request = node
        .request(Method::GET, "/api/rooms/call-1")
        .header("x-forwarded-for", "203.0.113.1");
    node.send(request.bearer_auth(token)).await.data();
}

#[tokio::test]
async fn services_are_exempt_from_the_limit_on_everything_else() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let token = service();
    for _ in 0..205 {
        let answer = node.get(&token, "/api/rooms/call-1").await;
        answer.data();
        assert_eq!(answer.header("x-ratelimit-limit"), None);
    }
}

#[tokio::test]
async fn a_limit_is_lifted_when_its_window_ends() {
    let window = Duration::from_millis(300);
    let node = TestNode::with_timings(|timings| timings.rate_window = window).await;
    let token = service();
    let create = async || {
        node.post(&token, "/api/rooms/call-1/create")
            .await
            .status
            .as_u16()
    };
    while create().await != 429 {}
    crate::harness::eventually("another request is admitted", async || create().await == 409).await;
}

#[tokio::test]
async fn a_body_is_limited_in_size() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = Member::new(&node, "call-1", "anna");
    let mut body = json!({"participantId": "anna", "direction": "send", "padding": ""});
    body["padding"] = json!("x".repeat(200 * 1024));
    anna.post_json("/transports", &body).await.data();
    body["padding"] = json!("x".repeat(256 * 1024));
    anna.post_json("/transports", &body)
        .await
        .fails(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn deep_and_broken_json_is_refused_and_harms_nothing() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let token = participant("call-1", "anna");
    let bodies = [
        "[".repeat(100_000),
        "{\"participantId\":".to_owned(),
        "\u{0}".to_owned(),
        "{\"participantId\":\"anna\",\"participantId\":\"anna\",\"direction\":\"send\"}".to_owned(),
    ];
    for body in bodies {
        let request = node
            .request(Method::POST, "/api/rooms/call-1/transports")
            .bearer_auth(&token);
        node.send(request.body(body)).await.fails(400, "INVALID_REQUEST");
    }
    node.get(&token, "/api/rooms/call-1").await.data();
}
