//! Notifications of contract §1.7.

use std::time::Duration;

use media_node::api::auth::TokenSigner;
use serde_json::{Value, json};
use signalling::token::Subject;

use crate::harness::{SECRET, TestNode, participant, service};
use crate::rtp_json::{audio, video};
use crate::socket_client::SocketClient;

#[tokio::test]
async fn a_socket_without_a_valid_token_is_refused_with_the_contracts_word() {
    let node = TestNode::start().await;
    let handshakes = [
        json!({}),
        json!({"token": ""}),
        json!({"token": "nonsense"}),
        json!({"token": 7}),
        json!("token"),
        json!([service()]),
        json!({"jwt": service()}),
    ];
    for handshake in handshakes {
        let refused = SocketClient::connect(&node, &handshake).await.err();
        assert_eq!(refused.as_deref(), Some("UNAUTHORIZED"), "{handshake}");
    }
    SocketClient::connect(&node, &json!({"token": service()}))
        .await
        .map(drop)
        .expect("a good token");
}

#[tokio::test]
async fn a_participants_socket_ends_with_its_token_and_a_services_does_not() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let signer = TokenSigner::new(SECRET);
    let (call, name) = ("call-1".parse().expect("an id"), "anna".parse().expect("an id"));
    let subject = Subject("somebody".to_owned());
    let short = Duration::from_secs(2);
    let anna = signer.participant(subject, call, name, short).token.0;
    let service = signer.service_for(None, short).token.0;
    let mut of_anna = SocketClient::with_token(&node, &anna).await;
    let mut of_service = SocketClient::with_token(&node, &service).await;
    of_anna.join("call-1", Some("anna")).await;
    of_service.join("call-1", None).await;
    of_anna.closed().await;
    // Its events still come.
    node.member("call-1", "berta")
        .await
        .produce(audio(1))
        .await
        .data();
    of_service.await_event("new-producer").await;
    let again = SocketClient::connect(&node, &json!({"token": anna})).await.err();
    assert_eq!(again.as_deref(), Some("UNAUTHORIZED"));
}

#[tokio::test]
async fn joining_announces_what_there_is_but_not_ones_own() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let mut request = audio(1);
    request["appData"] = json!({"source": "microphone", "displayName": "Anna"});
    let first = anna.produce(request).await.text("producerId");
    let second = anna.produce(video(10)).await.text("producerId");
    berta.produce(audio(1)).await.data();
    let mut socket = SocketClient::with_token(&node, &berta.token).await;
    socket.join("call-1", Some("berta")).await;
    let expected = json!({
        "callId": "call-1", "participantId": "anna", "producerId": first, "kind": "audio", "paused": false,
        "appData": {"source": "microphone", "displayName": "Anna"}
    });
    assert_eq!(socket.expect("new-producer").await, expected);
    assert_eq!(socket.expect("new-producer").await["producerId"], json!(second));
    socket.expect_silence().await;
}

#[tokio::test]
async fn producers_are_announced_to_all_but_their_owner() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    node.room("call-2").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let mut own = SocketClient::with_token(&node, &anna.token).await;
    let mut other = SocketClient::with_token(&node, &berta.token).await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    let mut elsewhere = SocketClient::with_token(&node, &participant("call-2", "carla")).await;
    own.join("call-1", Some("anna")).await;
    other.join("call-1", Some("berta")).await;
    gateway.join("call-1", None).await;
    elsewhere.join("call-2", Some("carla")).await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    anna.delete(&format!("/producers/{producer}"))
        .await
        .says("Producer closed");
    let closed =
        json!({"callId": "call-1", "participantId": "anna", "producerId": producer, "kind": "audio"});
    for socket in [&mut other, &mut gateway] {
        assert_eq!(socket.expect("new-producer").await["producerId"], json!(producer));
        assert_eq!(socket.expect("producer-closed").await, closed);
    }
    own.expect_silence().await;
    elsewhere.expect_silence().await;
}

#[tokio::test]
async fn a_pause_reaches_the_consuming_participant_and_services_only() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let carla = node.member("call-1", "carla").await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    let capabilities = berta.get("").await.data()["rtpCapabilities"].clone();
    let consumer = berta.consume(&producer, &capabilities).await.text("consumerId");
    let mut consuming = SocketClient::with_token(&node, &berta.token).await;
    let mut idle = SocketClient::with_token(&node, &carla.token).await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    consuming.join("call-1", Some("berta")).await;
    idle.join("call-1", Some("carla")).await;
    gateway.join("call-1", None).await;
    for socket in [&mut consuming, &mut idle, &mut gateway] {
        socket.expect("new-producer").await;
    }
    anna.post(&format!("/producers/{producer}/pause"))
        .await
        .says("Producer paused");
    anna.post(&format!("/producers/{producer}/pause"))
        .await
        .says("Producer paused");
    anna.post(&format!("/producers/{producer}/resume"))
        .await
        .says("Producer resumed");
    berta
        .post(&format!("/consumers/{consumer}/resume"))
        .await
        .says("Consumer resumed");
    berta
        .post(&format!("/consumers/{consumer}/resume"))
        .await
        .says("Consumer resumed");
    berta
        .post(&format!("/consumers/{consumer}/pause"))
        .await
        .says("Consumer paused");
    let told = |reason: &str| {
        json!({
            "callId": "call-1", "participantId": "berta", "consumerId": consumer, "producerId": producer,
            "reason": reason
        })
    };
    for socket in [&mut consuming, &mut gateway] {
        assert_eq!(socket.expect("consumer-paused").await, told("producer"));
        assert_eq!(socket.expect("consumer-resumed").await, told("producer"));
        assert_eq!(socket.expect("consumer-resumed").await, told("client"));
        assert_eq!(socket.expect("consumer-paused").await, told("client"));
        socket.expect_silence().await;
    }
    idle.expect_silence().await;
}

#[tokio::test]
async fn leaving_takes_ones_tracks_from_the_others() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let mut socket = SocketClient::with_token(&node, &berta.token).await;
    socket.join("call-1", Some("berta")).await;
    let producers = [anna.produce(audio(1)).await, anna.produce(video(10)).await];
    let mut produced: Vec<Value> = producers
        .iter()
        .map(|answer| answer.data()["producerId"].clone())
        .collect();
    socket.expect("new-producer").await;
    socket.expect("new-producer").await;
    anna.leave().await.says("Participant left room");
    let mut closed = Vec::new();
    for _ in 0..2 {
        closed.push(socket.expect("producer-closed").await["producerId"].clone());
    }
    produced.sort_by_key(Value::to_string);
    closed.sort_by_key(Value::to_string);
    assert_eq!(closed, produced);
    socket.expect_silence().await;
}

#[tokio::test]
async fn services_hear_of_destroyed_rooms_without_joining_them() {
    let node = TestNode::start().await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    node.room("call-1").await;
    node.room("call-2").await;
    let anna = node.member("call-1", "anna").await;
    let mut socket = SocketClient::with_token(&node, &participant("call-2", "berta")).await;
    socket.join("call-2", Some("berta")).await;
    anna.leave().await.says("Participant left room");
    let expected = json!({"callId": "call-1", "reason": "empty"});
    assert_eq!(gateway.expect("room-destroyed").await, expected);
    node.delete(&service(), "/api/rooms/call-2")
        .await
        .says("Room destroyed");
    let expected = json!({"callId": "call-2", "reason": "requested"});
    assert_eq!(gateway.expect("room-destroyed").await, expected);
    socket.expect_silence().await;
}

#[tokio::test]
async fn nobody_joins_for_another_call_or_participant() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    node.room("call-2").await;
    let mut socket = SocketClient::with_token(&node, &participant("call-1", "anna")).await;
    let table = [
        (json!({"callId": "call-2", "participantId": "anna"}), "FORBIDDEN"),
        (json!({"callId": "call-1", "participantId": "berta"}), "FORBIDDEN"),
        (json!({"callId": "call-1"}), "INVALID_REQUEST"),
        (json!({"participantId": "anna"}), "INVALID_REQUEST"),
        (
            json!({"callId": "no such call!", "participantId": "anna"}),
            "INVALID_REQUEST",
        ),
        (json!("call-1"), "INVALID_REQUEST"),
        (json!(["call-1", "anna"]), "INVALID_REQUEST"),
        (json!(null), "INVALID_REQUEST"),
    ];
    for (payload, code) in table {
        let answer = socket.ask("join-room", payload.clone()).await;
        assert_eq!(
            (&answer["success"], &answer["error"]["code"]),
            (&json!(false), &json!(code)),
            "{payload}"
        );
    }
    let anna = node.member("call-1", "anna").await;
    node.member("call-1", "berta")
        .await
        .produce(audio(1))
        .await
        .data();
    drop(anna);
    socket.expect_silence().await;
    let mut lost = SocketClient::with_token(&node, &participant("nowhere", "anna")).await;
    let answer = lost
        .ask("join-room", json!({"callId": "nowhere", "participantId": "anna"}))
        .await;
    assert_eq!(answer["error"]["code"], "ROOM_NOT_FOUND");
}

#[tokio::test]
async fn a_socket_that_left_hears_nothing_more() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let mut socket = SocketClient::with_token(&node, &berta.token).await;
    socket.join("call-1", Some("berta")).await;
    let payload = json!({"callId": "call-1", "participantId": "berta"});
    assert_eq!(socket.ask("leave-room", payload).await, json!({"success": true}));
    anna.produce(audio(1)).await.data();
    socket.expect_silence().await;
    // Its transports are still there.
    assert_eq!(berta.get("").await.data()["participantCount"], 2);
}

#[tokio::test]
async fn joining_is_limited_like_any_request() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let mut socket = SocketClient::with_token(&node, &participant("call-1", "anna")).await;
    let payload = json!({"callId": "call-1", "participantId": "anna"});
    for _ in 0..200 {
        assert_eq!(socket.ask("join-room", payload.clone()).await["success"], true);
    }
    let refused = socket.ask("join-room", payload).await;
    assert_eq!(refused["error"]["code"], "RATE_LIMIT_EXCEEDED");
    assert!(
        refused["error"]["retryAfter"]
            .as_u64()
            .is_some_and(|seconds| seconds <= 60)
    );
}
