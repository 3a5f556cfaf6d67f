//! Endpoints 6, 7 and 8: consume, resume, pause; preferred layers and key frames.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Member, TestNode};
use crate::rtp_json::{audio, audio_only, from_source, simulcast, video, with_mid};

/// What every browser of today can receive: all the router offers.
async fn capabilities(member: &Member<'_>) -> Value {
    member.get("").await.data()["rtpCapabilities"].clone()
}

#[tokio::test]
async fn a_consumer_is_described_in_the_routers_numbers() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(video(10)).await.text("producerId");
    let router = capabilities(&berta).await;
    let consumed = berta.consume(&producer, &router).await;
    let data = consumed.data();
    assert_eq!(data["producerId"], json!(producer));
    assert_eq!(
        (&data["kind"], &data["type"]),
        (&json!("video"), &json!("simple"))
    );
    assert_eq!(data["producerPaused"], json!(false));
    let parameters = &data["rtpParameters"];
    let offered = |index: usize| &router["codecs"][index]["preferredPayloadType"];
    assert_eq!(parameters["codecs"][0]["mimeType"], "video/VP8");
    assert_eq!(&parameters["codecs"][0]["payloadType"], offered(1));
    assert_eq!(&parameters["codecs"][1]["payloadType"], offered(2));
    assert_eq!(&parameters["codecs"][1]["parameters"]["apt"], offered(1));
    assert_eq!(parameters["mid"], "0");
    assert_eq!(parameters["rtcp"]["reducedSize"], true);
    let encodings = parameters["encodings"].as_array().expect("encodings");
    assert_eq!(encodings.len(), 1);
    assert_ne!(encodings[0]["ssrc"], json!(10), "not the producer's");
    assert_ne!(encodings[0]["rtx"]["ssrc"], json!(11));
}

#[tokio::test]
async fn numbers_of_a_transport_are_unique_and_one_sender_has_one_cname() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let carla = node.member("call-1", "carla").await;
    let berta = node.member("call-1", "berta").await;
    let router = capabilities(&berta).await;
    let requests = [
        audio(1),
        video(10),
        with_mid(from_source(video(20), "screen"), "2"),
    ];
    let (mut mids, mut ssrcs, mut cnames) = (Vec::new(), BTreeSet::new(), Vec::new());
    for sender in [&anna, &carla] {
        for request in &requests {
            let producer = sender.produce(request.clone()).await.text("producerId");
            let consumed = berta.consume(&producer, &router).await;
            let parameters = &consumed.data()["rtpParameters"];
            mids.push(parameters["mid"].as_str().expect("a mid").to_owned());
            let encoding = &parameters["encodings"][0];
            ssrcs.extend(
                [encoding["ssrc"].as_u64(), encoding["rtx"]["ssrc"].as_u64()]
                    .into_iter()
                    .flatten(),
            );
            cnames.push(parameters["rtcp"]["cname"].as_str().expect("a cname").to_owned());
        }
    }
    assert_eq!(mids, ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(
        ssrcs.len(),
        10,
        "two audio and four video streams with retransmissions"
    );
    assert!(
        cnames[..3].iter().all(|name| *name == cnames[0])
            && cnames[3..].iter().all(|name| *name == cnames[3])
    );
    assert_ne!(cnames[0], cnames[3]);
    assert!(!cnames.contains(&"client-chosen".to_owned()));
}

#[tokio::test]
async fn a_mid_is_never_used_again() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let router = capabilities(&berta).await;
    for expected in ["0", "1", "2"] {
        let producer = anna.produce(audio(1)).await.text("producerId");
        let consumed = berta.consume(&producer, &router).await;
        assert_eq!(consumed.data()["rtpParameters"]["mid"], expected);
        anna.delete(&format!("/producers/{producer}"))
            .await
            .says("Producer closed");
    }
}

#[tokio::test]
async fn consuming_again_finds_the_same_consumer() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let router = capabilities(&berta).await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    let first = berta.consume(&producer, &router).await;
    anna.post(&format!("/producers/{producer}/pause"))
        .await
        .says("Producer paused");
    let again = berta.consume(&producer, &router).await;
    assert_eq!(first.text("consumerId"), again.text("consumerId"));
    assert_eq!(first.data()["rtpParameters"], again.data()["rtpParameters"]);
    assert_eq!(
        again.data()["producerPaused"],
        json!(true),
        "but tells how it is now"
    );
}

#[tokio::test]
async fn a_new_receive_transport_means_new_consumers() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let router = capabilities(&berta).await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    let old = berta.consume(&producer, &router).await.text("consumerId");
    berta.transport("recv").await.data();
    berta
        .post(&format!("/consumers/{old}/resume"))
        .await
        .fails(404, "CONSUMER_NOT_FOUND");
    let new = berta.consume(&producer, &router).await;
    assert_ne!(new.text("consumerId"), old);
    assert_eq!(new.data()["rtpParameters"]["mid"], "0");
}

#[tokio::test]
async fn simulcast_is_consumed_as_one_stream_with_layers() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(simulcast()).await.text("producerId");
    let consumed = berta.consume(&producer, &capabilities(&berta).await).await;
    assert_eq!(consumed.data()["type"], "simulcast");
    let encodings = consumed.data()["rtpParameters"]["encodings"]
        .as_array()
        .expect("encodings")
        .clone();
    assert_eq!(encodings.len(), 1);
    assert_eq!(encodings[0]["scalabilityMode"], "L3T3");
    let path = format!("/consumers/{}/preferred-layers", consumed.text("consumerId"));
    let message = "Preferred layers set";
    berta
        .post_json(&path, &json!({"spatialLayer": 1, "temporalLayer": 0}))
        .await
        .says(message);
    berta
        .post_json(&path, &json!({"spatialLayer": 0}))
        .await
        .says(message);
    for body in [
        json!({}),
        json!({"spatialLayer": "high"}),
        json!({"spatialLayer": -1}),
    ] {
        berta.post_json(&path, &body).await.fails(400, "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn what_cannot_be_consumed_is_refused() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let router = capabilities(&berta).await;
    let producer = anna.produce(video(10)).await.text("producerId");
    anna.consume(&producer, &router)
        .await
        .fails(400, "INVALID_REQUEST");
    berta
        .consume("nonsense", &router)
        .await
        .fails(400, "INVALID_REQUEST");
    let unknown = "00000000-0000-4000-8000-000000000000";
    berta
        .consume(unknown, &router)
        .await
        .fails(404, "PRODUCER_NOT_FOUND");
    berta
        .consume(&producer, &audio_only(&router))
        .await
        .fails(422, "UNSUPPORTED_CODEC");
    for bad in [
        json!(null),
        json!("all"),
        json!({}),
        json!({"codecs": []}),
        json!({"codecs": [{}]}),
    ] {
        berta
            .consume(&producer, &bad)
            .await
            .fails(400, "INVALID_RTP_CAPABILITIES");
    }
    let transportless = Member::new(&node, "call-1", "carla");
    transportless
        .consume(&producer, &router)
        .await
        .fails(404, "TRANSPORT_NOT_FOUND");
    transportless.transport("send").await.data();
    transportless
        .consume(&producer, &router)
        .await
        .fails(404, "TRANSPORT_NOT_FOUND");
}

#[tokio::test]
async fn flow_controls_may_be_repeated() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(video(10)).await.text("producerId");
    let consumer = berta
        .consume(&producer, &capabilities(&berta).await)
        .await
        .text("consumerId");
    let path = format!("/consumers/{consumer}");
    for _ in 0..2 {
        berta
            .post(&format!("{path}/resume"))
            .await
            .says("Consumer resumed");
    }
    berta
        .post(&format!("{path}/request-key-frame"))
        .await
        .says("Key frame requested");
    for _ in 0..2 {
        berta.post(&format!("{path}/pause")).await.says("Consumer paused");
    }
}

#[tokio::test]
async fn consumers_end_with_their_producer() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    let consumer = berta
        .consume(&producer, &capabilities(&berta).await)
        .await
        .text("consumerId");
    anna.delete(&format!("/producers/{producer}"))
        .await
        .says("Producer closed");
    for action in ["resume", "pause", "request-key-frame"] {
        berta
            .post(&format!("/consumers/{consumer}/{action}"))
            .await
            .fails(404, "CONSUMER_NOT_FOUND");
    }
    berta
        .post("/consumers/nonsense/pause")
        .await
        .fails(404, "CONSUMER_NOT_FOUND");
}
