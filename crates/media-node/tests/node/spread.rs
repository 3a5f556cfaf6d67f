//! A room that outgrows its worker lives on several: everybody gets everybody's media, wherever they are served, and a
//! worker that dies takes only those with it whom it served.

use std::num::NonZeroUsize;

use media_node::config::Percent;
use serde_json::{Value, json};

use crate::harness::{Member, TestNode, eventually, service};
use crate::media_client::{MediaClient, Track};
use crate::rtp_json::audio;
use crate::socket_client::SocketClient;

/// Two workers, and a room goes to the next one with the next participant.
async fn node() -> TestNode {
    let two = NonZeroUsize::new(2).expect("not zero");
    TestNode::with(|config, _| {
        config.media.workers = two;
        config.media.spread_at = Percent(0);
    })
    .await
}

/// A track with its level in every packet.
fn loud(ssrc: u32) -> Value {
    let mut request = audio(ssrc);
    let level = json!({
        "uri": "urn:ietf:params:rtp-hdrext:ssrc-audio-level", "id": 7, "encrypt": false, "parameters": {}
    });
    let extensions = request["rtpParameters"]["headerExtensions"].as_array_mut();
    extensions.expect("a list").push(level);
    request
}

/// Somebody who sends and receives audio.
struct Person<'n> {
    member: Member<'n>,
    sending: Value,
    receiving: Value,
    ssrc: u32,
    producer: String,
    /// SSRC of each consumer, in the order they were asked for.
    heard: Vec<u32>,
    clients: Vec<MediaClient>,
}

impl<'n> Person<'n> {
    async fn join(node: &'n TestNode, name: &str, track: Value) -> Self {
        let mut member = Member::new(node, "call-1", name);
        let sending = member.transport("send").await.data().clone();
        let receiving = member.transport("recv").await.data().clone();
        member.send = sending["transportId"].as_str().expect("an id").to_owned();
        member.recv = receiving["transportId"].as_str().expect("an id").to_owned();
        let ssrc = track["rtpParameters"]["encodings"][0]["ssrc"].as_u64();
        let producer = member.produce(track).await.text("producerId");
        Self {
            member,
            sending,
            receiving,
            ssrc: ssrc.and_then(|ssrc| u32::try_from(ssrc).ok()).expect("an SSRC"),
            producer,
            heard: Vec::new(),
            clients: Vec::new(),
        }
    }

    /// The port of the worker that serves them, the same for both transports.
    fn port(&self) -> u64 {
        let port = |transport: &Value| transport["iceCandidates"][0]["port"].as_u64();
        assert_eq!(port(&self.sending), port(&self.receiving));
        port(&self.sending).expect("a port")
    }

    /// Consumes these producers and lets them flow.
    async fn listen_to(&mut self, producers: &[&str]) {
        let capabilities = self.member.get("").await.data()["rtpCapabilities"].clone();
        for producer in producers {
            let consumer = self.member.consume(producer, &capabilities).await.data().clone();
            let ssrc = consumer["rtpParameters"]["encodings"][0]["ssrc"].as_u64();
            self.heard
                .push(ssrc.and_then(|ssrc| u32::try_from(ssrc).ok()).expect("an SSRC"));
            let id = consumer["consumerId"].as_str().expect("an id");
            let resume = format!("/consumers/{id}/resume");
            self.member.post(&resume).await.says("Consumer resumed");
        }
    }

    /// Connects both transports.
    async fn connect(&mut self) {
        let track = match *self.heard.as_slice() {
            [one] => Track::Receives(one, 100),
            [one, other] => Track::ReceivesBoth([one, other], 100),
            _ => panic!("one or two are listened to"),
        };
        let receiver = MediaClient::start(&self.member, &self.receiving, track).await;
        let sender = MediaClient::start(&self.member, &self.sending, Track::Sends(self.ssrc)).await;
        self.clients = vec![receiver, sender];
    }

    fn packets(&self, ssrc: u32) -> usize {
        let seen = self.clients[0].seen();
        seen.packets.iter().filter(|packet| packet.ssrc == ssrc).count()
    }

    /// Waits until all they listen to has come for a while, and checks that nothing is missing.
    async fn hears_all(&self) {
        for ssrc in &self.heard {
            self.hears(*ssrc).await;
        }
    }

    /// Waits for some more packets of one stream and checks that the stream has no gap.
    async fn hears(&self, ssrc: u32) {
        let before = self.packets(ssrc);
        self.clients[0]
            .until("audio arrives", |seen| {
                let own = seen.packets.iter().filter(|packet| packet.ssrc == ssrc);
                own.count() >= before + 10
            })
            .await;
        let seen = self.clients[0].seen();
        let packets: Vec<_> = seen.packets.iter().filter(|packet| packet.ssrc == ssrc).collect();
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence + 1, "no gap");
            assert!(pair[1].payload > pair[0].payload, "in order");
        }
    }
}

/// Anna and Carla on the home, Berta on the other worker; everybody hears everybody.
async fn three(node: &TestNode) -> [Person<'_>; 3] {
    node.room("call-1").await;
    let mut people = [
        Person::join(node, "anna", audio(1_001)).await,
        Person::join(node, "berta", loud(1_002)).await,
        Person::join(node, "carla", audio(1_003)).await,
    ];
    let [anna, berta, carla] = people.each_ref().map(Person::port);
    assert!(anna == carla && anna != berta, "{anna} {berta} {carla}");
    let producers = people.each_ref().map(|person| person.producer.clone());
    for (index, person) in people.iter_mut().enumerate() {
        let others: Vec<&str> = (0..3)
            .filter(|other| *other != index)
            .map(|other| producers[other].as_str())
            .collect();
        person.listen_to(&others).await;
        person.connect().await;
    }
    for person in &people {
        person.hears_all().await;
    }
    people
}

async fn metric(node: &TestNode, line: &str) -> bool {
    let text = node.get(&service(), "/metrics").await;
    let text = text.body.as_str().expect("text");
    text.lines().any(|candidate| candidate == line)
}

#[tokio::test]
async fn everybody_hears_everybody_across_workers() {
    let node = node().await;
    let [anna, berta, carla] = three(&node).await;
    // Hers alone has levels, and the home watches: it hears her through the pipe.
    let mut listener = SocketClient::with_token(&node, &anna.member.token).await;
    listener.join("call-1", Some("anna")).await;
    let berta_pauses = format!("/producers/{}/pause", berta.producer);
    let berta_resumes = format!("/producers/{}/resume", berta.producer);
    berta.member.post(&berta_pauses).await.says("Producer paused");
    let silent = listener.await_event("active-speaker").await;
    assert_eq!(silent["participantId"], Value::Null);
    berta.member.post(&berta_resumes).await.says("Producer resumed");
    let speaker = listener.await_event("active-speaker").await;
    assert_eq!(speaker["participantId"], "berta");
    berta.hears_all().await;

    // Berta's track has a twin at home; Anna's and Carla's each have one with her.
    assert!(metric(&node, "meeshy_piped_producers 3").await);
    assert!(metric(&node, "mediasoup_routers_total 2").await);
    assert!(metric(&node, "mediasoup_producers_total{kind=\"audio\"} 3").await);
    assert!(metric(&node, "meeshy_worker_participants{worker=\"0\"} 2").await);
    assert!(metric(&node, "meeshy_worker_consumers{worker=\"1\"} 2").await);
    assert!(!metric(&node, "meeshy_piped_packets_total{direction=\"out\"} 0").await);
    assert!(
        metric(
            &node,
            "meeshy_packets_dropped_total{reason=\"pipe_full_audio\"} 0"
        )
        .await
    );
    let stats = node.get(&service(), "/api/stats").await;
    let loads = stats.data()["workerLoads"].as_array().expect("a list").clone();
    let of = |field: &str| -> Vec<_> { loads.iter().map(|load| load[field].clone()).collect() };
    assert_eq!(of("participants"), [json!(2), json!(1)]);
    assert_eq!(of("consumers"), [json!(4), json!(2)]);

    // The room leaves the worker on which nobody is left.
    berta.member.leave().await.says("Participant left room");
    eventually("the other worker is given up", async || {
        metric(&node, "mediasoup_routers_total 1").await && metric(&node, "meeshy_piped_producers 0").await
    })
    .await;
    carla.hears(carla.heard[0]).await;
    assert!(metric(&node, "meeshy_worker_consumers{worker=\"1\"} 0").await);
    assert!(metric(&node, "meeshy_worker_participants{worker=\"1\"} 0").await);
}

#[tokio::test]
async fn a_dead_worker_takes_only_those_it_served() {
    let node = node().await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    let [anna, berta, carla] = three(&node).await;
    let mut witness = SocketClient::with_token(&node, &anna.member.token).await;
    witness.join("call-1", Some("anna")).await;
    node.node.panic_worker_for_test(1);
    let died = gateway.await_event("worker-died").await;
    assert_eq!(died, json!({"worker": 1, "callIds": []}), "no call lost its room");
    let mut lost = Vec::new();
    while lost.len() < 2 {
        let state = gateway.await_event("transport-state").await;
        if state["dtlsState"] == "closed" {
            assert_eq!(
                (&state["participantId"], &state["iceState"]),
                (&json!("berta"), &json!("failed"))
            );
            lost.push(state["transportId"].clone());
        }
    }
    let closed = witness.await_event("producer-closed").await;
    assert_eq!(closed["participantId"], "berta");
    // The others go on; Berta is told to join anew, and can.
    anna.hears(anna.heard[1]).await;
    carla.hears(carla.heard[0]).await;
    assert_eq!(anna.member.get("").await.data()["participantCount"], 2);
    let restart = format!("/transports/{}/restart-ice", berta.member.recv);
    berta
        .member
        .post(&restart)
        .await
        .fails(404, "TRANSPORT_NOT_FOUND");
    drop(berta);
    let mut berta = Person::join(&node, "berta", loud(1_002)).await;
    assert_ne!(
        berta.port(),
        anna.port(),
        "the successor answers at the same address"
    );
    berta.listen_to(&[&anna.producer, &carla.producer]).await;
    berta.connect().await;
    berta.hears_all().await;
    assert!(metric(&node, "meeshy_piped_producers 3").await);
}

#[tokio::test]
async fn a_room_ends_with_its_home() {
    let node = node().await;
    let mut gateway = SocketClient::with_token(&node, &service()).await;
    let [_anna, berta, _carla] = three(&node).await;
    node.node.panic_worker_for_test(0);
    let died = gateway.await_event("worker-died").await;
    assert_eq!(died, json!({"worker": 0, "callIds": ["call-1"]}));
    let destroyed = gateway.await_event("room-destroyed").await;
    assert_eq!(destroyed, json!({"callId": "call-1", "reason": "worker-died"}));
    berta.member.get("").await.fails(404, "ROOM_NOT_FOUND");
    eventually("the branch is closed", async || {
        metric(&node, "mediasoup_routers_total 0").await && metric(&node, "meeshy_piped_producers 0").await
    })
    .await;
    for line in [
        "meeshy_worker_participants{worker=\"1\"} 0",
        "meeshy_worker_consumers{worker=\"1\"} 0",
    ] {
        assert!(metric(&node, line).await, "{line}");
    }
}
