//! Endpoints 5 and 9: produce and close; pause and resume.

use serde_json::{Value, json};

use crate::harness::{Member, TestNode};
use crate::rtp_json::{audio, from_source, simulcast, video, with_mid};

#[tokio::test]
async fn tracks_of_different_sources_coexist() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let microphone = anna.produce(audio(1)).await;
    assert_eq!(microphone.data()["kind"], "audio");
    anna.produce(video(10)).await.data();
    anna.produce(with_mid(from_source(video(20), "screen"), "2"))
        .await
        .data();
    anna.produce(with_mid(from_source(audio(30), "screen"), "3"))
        .await
        .data();
    assert_eq!(
        anna.get("").await.data()["producers"].as_array().map(Vec::len),
        Some(4)
    );
}

#[tokio::test]
async fn one_producer_per_participant_and_source() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let first = anna.produce(video(10)).await.text("producerId");
    anna.produce(with_mid(video(20), "2"))
        .await
        .fails(409, "PRODUCER_ALREADY_EXISTS");
    let named = with_mid(from_source(video(20), "camera"), "2");
    anna.produce(named).await.fails(409, "PRODUCER_ALREADY_EXISTS");
    node.member("call-1", "berta")
        .await
        .produce(video(10))
        .await
        .data();
    anna.delete(&format!("/producers/{first}"))
        .await
        .says("Producer closed");
    anna.produce(with_mid(video(20), "2")).await.data();
}

#[tokio::test]
async fn simulcast_and_unknown_extensions_are_accepted() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let mut request = simulcast();
    let unknown = json!({"uri": "urn:example:unknown", "id": 9, "encrypt": false, "parameters": {}});
    request["rtpParameters"]["headerExtensions"]
        .as_array_mut()
        .expect("a list")
        .push(unknown);
    anna.produce(request).await.data();
}

#[tokio::test]
async fn unusable_parameters_have_their_own_code() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let change = |pointer: &str, value: Value| {
        let mut request = video(10);
        *request
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}")) = value;
        request
    };
    let many: Vec<Value> = (0..9).map(|index| json!({"ssrc": 100 + index})).collect();
    let requests = [
        json!({}),
        json!({"kind": "video"}),
        json!({"rtpParameters": {}}),
        change("/kind", json!("smell")),
        change("/kind", json!("audio")),
        change("/rtpParameters", json!("nothing")),
        change("/rtpParameters/codecs", json!([])),
        change("/rtpParameters/codecs/0/mimeType", json!("video/H999")),
        change("/rtpParameters/codecs/0/payloadType", json!(300)),
        change("/rtpParameters/codecs/1/payloadType", json!(96)),
        change("/rtpParameters/encodings", json!(many)),
        change(
            "/rtpParameters/mid",
            json!("a mid far too long for the extension"),
        ),
    ];
    for request in requests {
        let text = request.to_string();
        let answer = anna.produce(request).await;
        assert_eq!(
            answer.body["error"]["code"], "INVALID_RTP_PARAMETERS",
            "{text}: {}",
            answer.body
        );
        assert_eq!(answer.status.as_u16(), 400);
    }
    assert_eq!(anna.get("").await.data()["producers"], json!([]));
}

#[tokio::test]
async fn a_stream_that_is_taken_cannot_be_announced_again() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    anna.produce(video(10)).await.data();
    let twin = with_mid(from_source(video(10), "screen"), "2");
    anna.produce(twin).await.fails(400, "INVALID_RTP_PARAMETERS");
}

#[tokio::test]
async fn a_source_that_cannot_give_the_kind_is_refused() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    anna.produce(from_source(video(1), "microphone"))
        .await
        .fails(400, "INVALID_REQUEST");
    anna.produce(from_source(audio(1), "camera"))
        .await
        .fails(400, "INVALID_REQUEST");
    anna.produce(from_source(video(1), "telescope"))
        .await
        .fails(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn producing_needs_a_send_transport_of_ones_own() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let mut request = audio(1);
    request["participantId"] = json!("anna");
    let receiving = format!("/transports/{}/produce", anna.recv);
    anna.post_json(&receiving, &request)
        .await
        .fails(400, "INVALID_REQUEST");
    for id in ["00000000-0000-4000-8000-000000000000", "nonsense"] {
        let unknown = format!("/transports/{id}/produce");
        anna.post_json(&unknown, &request)
            .await
            .fails(404, "TRANSPORT_NOT_FOUND");
    }
    request["participantId"] = json!("berta");
    let own = format!("/transports/{}/produce", anna.send);
    anna.post_json(&own, &request).await.fails(403, "FORBIDDEN");
}

#[tokio::test]
async fn closing_is_final() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let path = format!("/producers/{}", anna.produce(audio(1)).await.text("producerId"));
    anna.delete(&path).await.says("Producer closed");
    anna.delete(&path).await.fails(404, "PRODUCER_NOT_FOUND");
    anna.post(&format!("{path}/pause"))
        .await
        .fails(404, "PRODUCER_NOT_FOUND");
    anna.post(&format!("{path}/resume"))
        .await
        .fails(404, "PRODUCER_NOT_FOUND");
    anna.delete("/producers/nonsense")
        .await
        .fails(404, "PRODUCER_NOT_FOUND");
}

#[tokio::test]
async fn pausing_and_resuming_may_be_repeated_and_shows_in_the_room() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let path = format!("/producers/{}", anna.produce(audio(1)).await.text("producerId"));
    let paused = async |anna: &Member<'_>| anna.get("").await.data()["producers"][0]["paused"].clone();
    for _ in 0..2 {
        anna.post(&format!("{path}/pause")).await.says("Producer paused");
        assert_eq!(paused(&anna).await, json!(true));
    }
    for _ in 0..2 {
        anna.post(&format!("{path}/resume"))
            .await
            .says("Producer resumed");
        assert_eq!(paused(&anna).await, json!(false));
    }
}

#[tokio::test]
async fn a_track_may_start_paused() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let mut request = audio(1);
    request["paused"] = json!(true);
    anna.produce(request).await.data();
    assert_eq!(anna.get("").await.data()["producers"][0]["paused"], json!(true));
}

#[tokio::test]
async fn what_a_track_says_of_itself_is_bounded() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let named = |length: usize| {
        let mut request = video(10);
        request["appData"] = json!({"source": "camera", "displayName": "x".repeat(length)});
        request
    };
    anna.produce(named(5_000)).await.fails(400, "INVALID_REQUEST");
    anna.produce(named(3_000)).await.data();
}
