//! A worker that dies takes its rooms with it, and nothing else.

use std::num::NonZeroUsize;

use serde_json::json;

use crate::harness::{TestNode, eventually, service};
use crate::rtp_json::audio;
use crate::socket_client::SocketClient;

#[tokio::test]
async fn a_dead_worker_is_reported_with_its_rooms_and_replaced() {
    let workers = NonZeroUsize::new(2).expect("not zero");
    let node = TestNode::with(|config, _| config.media.workers = workers).await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    // The first room is placed on the first worker, the second on the other one.
    node.room("lost").await;
    node.room("kept").await;
    let anna = node.member("lost", "anna").await;
    let berta = node.member("kept", "berta").await;
    anna.produce(audio(1)).await.data();
    berta.produce(audio(1)).await.data();
    let mut witness = SocketClient::with_token(&node, &anna.token).await;
    witness.join("lost", Some("anna")).await;
    node.node.panic_worker_for_test(0);
    assert_eq!(
        gateway.expect("worker-died").await,
        json!({"worker": 0, "callIds": ["lost"]})
    );
    let destroyed = json!({"callId": "lost", "reason": "worker-died"});
    assert_eq!(gateway.expect("room-destroyed").await, destroyed);
    anna.get("").await.fails(404, "ROOM_NOT_FOUND");
    assert_eq!(
        berta.get("").await.data()["producers"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(node.get(&service(), "/health").await.status.as_u16(), 200);
    // The successor answers at the same address.
    let before = node.node.worker_addresses();
    node.room("lost").await;
    let again = node.member("lost", "anna").await;
    again.produce(audio(1)).await.data();
    assert_eq!(node.node.worker_addresses(), before);
    eventually("both workers are counted", async || {
        node.get(&service(), "/api/stats").await.data()["workers"] == 2
    })
    .await;
    let metrics = node.get(&service(), "/metrics").await;
    assert!(
        metrics
            .body
            .as_str()
            .is_some_and(|text| text.contains("meeshy_worker_deaths_total 1\n"))
    );
}

#[tokio::test]
async fn requests_that_a_dying_worker_leaves_unanswered_fail_cleanly() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    node.node.panic_worker_for_test(0);
    let answer = anna.produce(audio(1)).await;
    let expected = ["PRODUCER_CREATION_FAILED", "ROOM_NOT_FOUND"];
    let code = answer.body["error"]["code"].as_str().expect("an error");
    assert!(expected.contains(&code), "{}", answer.body);
    eventually("a room can be had again", async || {
        node.post(&service(), "/api/rooms/call-2/create")
            .await
            .status
            .as_u16()
            == 200
    })
    .await;
}
