//! Media through the whole node: signalled by REST, connected by ICE and DTLS, forwarded under the consumer's numbers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Member, PATIENCE, TestNode, service};
use crate::media_client::{MediaClient, Track};
use crate::rtp_json::{audio, dtls};
use crate::socket_client::SocketClient;

const SENT_SSRC: u32 = 4711;

/// A microphone with its level in every packet.
fn microphone() -> Value {
    let mut request = audio(SENT_SSRC);
    let level = json!({
        "uri": "urn:ietf:params:rtp-hdrext:ssrc-audio-level", "id": 7, "encrypt": false, "parameters": {}
    });
    request["rtpParameters"]["headerExtensions"]
        .as_array_mut()
        .expect("a list")
        .push(level);
    request
}

/// Anna's microphone, consumed by Berta and not yet resumed.
struct Call<'n> {
    anna: Member<'n>,
    berta: Member<'n>,
    producer: String,
    consumer: Value,
    sending: Value,
    receiving: Value,
}

impl<'n> Call<'n> {
    async fn set_up(node: &'n TestNode, force_tcp: bool) -> Self {
        node.room("call-1").await;
        let mut anna = Member::new(node, "call-1", "anna");
        let mut berta = Member::new(node, "call-1", "berta");
        let transport = async |member: &Member<'_>, direction: &str| {
            let body = json!({"participantId": member.name, "direction": direction, "forceTcp": force_tcp});
            member.post_json("/transports", &body).await.data().clone()
        };
        let sending = transport(&anna, "send").await;
        let receiving = transport(&berta, "recv").await;
        anna.send = sending["transportId"].as_str().expect("an id").to_owned();
        berta.recv = receiving["transportId"].as_str().expect("an id").to_owned();
        let producer = anna.produce(microphone()).await.text("producerId");
        let capabilities = berta.get("").await.data()["rtpCapabilities"].clone();
        let consumer = berta.consume(&producer, &capabilities).await.data().clone();
        Self {
            anna,
            berta,
            producer,
            consumer,
            sending,
            receiving,
        }
    }

    fn consumed_ssrc(&self) -> u32 {
        let ssrc = self.consumer["rtpParameters"]["encodings"][0]["ssrc"]
            .as_u64()
            .expect("an SSRC");
        u32::try_from(ssrc).expect("32 bits")
    }

    fn payload_type(&self) -> u8 {
        let payload_type = self.consumer["rtpParameters"]["codecs"][0]["payloadType"].as_u64();
        payload_type
            .and_then(|payload_type| u8::try_from(payload_type).ok())
            .expect("a payload type")
    }

    /// Both clients, connected; the consumer still paused.
    async fn connect(&self) -> (MediaClient, MediaClient) {
        let receives = Track::Receives(self.consumed_ssrc(), self.payload_type());
        let receiver = MediaClient::start(&self.berta, &self.receiving, receives).await;
        let sender = MediaClient::start(&self.anna, &self.sending, Track::Sends(SENT_SSRC)).await;
        receiver
            .until("the receiver is connected", |seen| seen.connected)
            .await;
        sender
            .until("the sender is connected", |seen| seen.connected)
            .await;
        (sender, receiver)
    }

    async fn resume(&self) {
        let id = self.consumer["consumerId"].as_str().expect("an id");
        self.berta
            .post(&format!("/consumers/{id}/resume"))
            .await
            .says("Consumer resumed");
    }
}

/// Audio arrives whole, in order, and under the numbers the consumer was promised.
async fn audio_arrives(node: &TestNode, force_tcp: bool) {
    let call = Call::set_up(node, force_tcp).await;
    let (_sender, receiver) = call.connect().await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(
        receiver.seen().packets.is_empty(),
        "a consumer is paused until it is resumed"
    );
    call.resume().await;
    receiver
        .until("audio arrives", |seen| seen.packets.len() >= 10)
        .await;
    let packets = receiver.seen().packets.clone();
    for packet in &packets {
        assert_eq!(
            (packet.ssrc, packet.payload_type),
            (call.consumed_ssrc(), call.payload_type())
        );
        assert_eq!(packet.mid.as_deref(), Some("0"));
    }
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1, "no gap");
        assert!(pair[1].payload > pair[0].payload, "in order");
    }
}

#[tokio::test]
async fn audio_arrives_over_udp() {
    audio_arrives(&TestNode::start().await, false).await;
}

#[tokio::test]
async fn audio_arrives_over_tcp() {
    audio_arrives(&TestNode::start().await, true).await;
}

/// Waits until several packet times have passed without a packet; what was on its way may still arrive before.
async fn silence(receiver: &MediaClient) -> usize {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let before = receiver.seen().packets.len();
        tokio::time::sleep(Duration::from_millis(80)).await;
        if receiver.seen().packets.len() == before {
            return before;
        }
        assert!(tokio::time::Instant::now() < deadline, "packets keep coming");
    }
}

#[tokio::test]
async fn a_paused_producer_is_silent_and_a_closed_one_is_gone() {
    let node = TestNode::start().await;
    let call = Call::set_up(&node, false).await;
    let (_sender, receiver) = call.connect().await;
    call.resume().await;
    receiver
        .until("audio arrives", |seen| seen.packets.len() >= 3)
        .await;
    let path = format!("/producers/{}", call.producer);
    call.anna
        .post(&format!("{path}/pause"))
        .await
        .says("Producer paused");
    let before = silence(&receiver).await;
    call.anna
        .post(&format!("{path}/resume"))
        .await
        .says("Producer resumed");
    receiver
        .until("audio arrives again", |seen| seen.packets.len() > before + 3)
        .await;
    call.anna.delete(&path).await.says("Producer closed");
    silence(&receiver).await;
}

#[tokio::test]
async fn services_follow_the_transports_and_everybody_the_speaker() {
    let node = TestNode::start().await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    let call = Call::set_up(&node, false).await;
    let mut listener = SocketClient::with_token(&node, &call.berta.token).await;
    listener.join("call-1", Some("berta")).await;
    let _clients = call.connect().await;
    let mut secured = Vec::new();
    while secured.len() < 2 {
        let state = gateway.await_event("transport-state").await;
        if state["dtlsState"] == "connected" && !secured.contains(&state["transportId"]) {
            assert!(
                ["connected", "completed"].contains(&state["iceState"].as_str().unwrap_or_default()),
                "{state}"
            );
            secured.push(state["transportId"].clone());
        }
    }
    let speaker = listener.await_event("active-speaker").await;
    assert_eq!(
        (&speaker["callId"], &speaker["participantId"]),
        (&json!("call-1"), &json!("anna"))
    );
    assert!(
        speaker["volume"]
            .as_i64()
            .is_some_and(|volume| (-40..=0).contains(&volume)),
        "{speaker}"
    );
    let text = node
        .get(&service(), "/metrics")
        .await
        .body
        .as_str()
        .expect("text")
        .to_owned();
    let connections = "webrtc_transport_connection_duration_seconds_count";
    for line in [
        format!("{connections}{{direction=\"send\",protocol=\"udp\"}} 1"),
        format!("{connections}{{direction=\"recv\",protocol=\"udp\"}} 1"),
        "dtls_handshake_duration_seconds_count 2".to_owned(),
    ] {
        assert!(
            text.lines().any(|candidate| candidate == line),
            "no {line} in:\n{text}"
        );
    }
    assert!(!text.contains("rtp_packets_total{direction=\"in\"} 0\n"));
    assert!(!text.contains("rtp_forward_latency_seconds_count 0\n"));
}

#[tokio::test]
async fn a_certificate_other_than_the_announced_one_gets_no_media() {
    let node = TestNode::start().await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    let call = Call::set_up(&node, false).await;
    // Somebody else's fingerprint was handed over.
    let connect = format!("/transports/{}/connect", call.anna.send);
    call.anna
        .post_json(&connect, &dtls("client", "AB"))
        .await
        .says("Transport connected");
    let client = MediaClient::start_unannounced(&call.sending, Track::Sends(SENT_SSRC)).await;
    loop {
        let state = gateway.await_event("transport-state").await;
        if state["dtlsState"] == "failed" {
            assert_eq!(state["participantId"], "anna");
            break;
        }
        assert_ne!(state["dtlsState"], "connected");
    }
    drop(client);
}
