//! Participants who vanish: by their socket where nobody else watches, by their transports everywhere.

use std::time::Duration;

use serde_json::json;

use crate::harness::{TestNode, eventually, service};
use crate::rtp_json::{audio, dtls};
use crate::socket_client::SocketClient;

const GRACE: Duration = Duration::from_millis(50);

async fn count(node: &TestNode, call: &str) -> Option<u64> {
    let room = node.get(&service(), &format!("/api/rooms/{call}")).await;
    room.body["data"]["participantCount"].as_u64()
}

#[tokio::test]
async fn a_participant_whose_socket_is_gone_is_removed() {
    let node = TestNode::with_timings(|timings| timings.orphan_grace = Some(GRACE)).await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let mut watching = SocketClient::with_token(&node, &berta.token).await;
    watching.join("call-1", Some("berta")).await;
    let mut vanishing = SocketClient::with_token(&node, &anna.token).await;
    vanishing.join("call-1", Some("anna")).await;
    anna.produce(audio(1)).await.data();
    watching.expect("new-producer").await;
    vanishing.vanish().await;
    assert_eq!(watching.expect("producer-closed").await["participantId"], "anna");
    eventually("anna is gone", async || count(&node, "call-1").await == Some(1)).await;
}

#[tokio::test]
async fn one_of_two_sockets_may_go_and_one_may_come_back() {
    let node = TestNode::with_timings(|timings| timings.orphan_grace = Some(GRACE)).await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    node.member("call-1", "berta").await;
    let join = async || {
        let mut socket = SocketClient::with_token(&node, &anna.token).await;
        socket.join("call-1", Some("anna")).await;
        socket
    };
    let (first, second) = (join().await, join().await);
    first.vanish().await;
    let third = join().await;
    second.vanish().await;
    tokio::time::sleep(GRACE * 2).await;
    assert_eq!(count(&node, "call-1").await, Some(2));
    third.vanish().await;
    eventually("anna is gone", async || count(&node, "call-1").await == Some(1)).await;
}

#[tokio::test]
async fn without_the_option_membership_is_the_gateways_business() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let mut socket = SocketClient::with_token(&node, &anna.token).await;
    socket.join("call-1", Some("anna")).await;
    socket.vanish().await;
    tokio::time::sleep(GRACE).await;
    assert_eq!(count(&node, "call-1").await, Some(1));
}

#[tokio::test]
async fn a_client_that_is_never_reached_fails_and_is_removed_later() {
    let node = TestNode::with_timings(|timings| {
        timings.connect = Duration::from_millis(20);
        timings.failed = Duration::from_millis(60);
    })
    .await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    for transport in [&anna.send, &anna.recv] {
        let path = format!("/transports/{transport}/connect");
        anna.post_json(&path, &dtls("client", "AA"))
            .await
            .says("Transport connected");
    }
    let mut failed = Vec::new();
    while failed.len() < 2 {
        let state = gateway.await_event("transport-state").await;
        assert_eq!(
            (&state["callId"], &state["participantId"]),
            (&json!("call-1"), &json!("anna"))
        );
        if state["iceState"] == "new" {
            continue;
        }
        assert_eq!(state["iceState"], "failed");
        failed.push((state["direction"].clone(), state["transportId"].clone()));
    }
    failed.sort_by_key(|(direction, _)| direction.to_string());
    assert_eq!(
        failed,
        [
            (json!("recv"), json!(anna.recv)),
            (json!("send"), json!(anna.send))
        ]
    );
    let destroyed = gateway.await_event("room-destroyed").await;
    assert_eq!(destroyed, json!({"callId": "call-1", "reason": "empty"}));
}

#[tokio::test]
async fn one_working_transport_keeps_a_participant() {
    let node = TestNode::with_timings(|timings| {
        timings.connect = Duration::from_millis(10);
        timings.failed = Duration::from_millis(10);
    })
    .await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let path = format!("/transports/{}/connect", anna.send);
    anna.post_json(&path, &dtls("client", "AA"))
        .await
        .says("Transport connected");
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(
        count(&node, "call-1").await,
        Some(1),
        "the other one was not even asked to connect"
    );
}
