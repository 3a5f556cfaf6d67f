//! Calls that become group calls and back.

use std::time::Duration;

use gateway::config::GatewayConfig;
use serde_json::{Value, json};

use crate::fake_node::FakeNode;
use crate::harness::{Device, Person, TestGateway, World, text};

/// A group call of Alice and Bob, with Carol connected and a node.
pub(crate) struct Group {
    pub(crate) world: World,
    pub(crate) gateway: TestGateway,
    pub(crate) node: FakeNode,
    pub(crate) people: Vec<Person>,
    pub(crate) devices: Vec<Device>,
    pub(crate) participants: Vec<String>,
    pub(crate) call: String,
}

impl Group {
    pub(crate) async fn talk() -> Self {
        Self::talk_with(|_| ()).await
    }

    pub(crate) async fn talk_with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let node = FakeNode::start();
        let world = World::new();
        let mut people = Vec::new();
        for name in ["Alice", "Bob", "Carol", "Dave"] {
            people.push(world.person(name).await);
        }
        let members: Vec<_> = people.iter().collect();
        let conversation = world.group(&members).await.to_string();
        let gateway = world.gateway_with(&[&node.url], change).await;
        let mut devices = Vec::new();
        for person in &people {
            devices.push(gateway.device(&person.auth).await);
        }
        let initiate = json!({"conversationId": conversation, "type": "video"});
        let begun = devices[0].ask("call:initiate", initiate).await;
        let call = text(&begun, "callId");
        let joined = devices[1].ask("call:join", json!({"callId": call})).await;
        let participants = vec![text(&begun, "participantId"), text(&joined, "participantId")];
        let mut group = Self {
            world,
            gateway,
            node,
            people,
            devices,
            participants,
            call,
        };
        for member in 0..2 {
            group.connected(member).await;
        }
        group
    }

    pub(crate) async fn connected(&mut self, member: usize) {
        let connected = json!({"callId": self.call, "participantId": self.participants[member]});
        self.devices[member].ask("call:connected", connected).await;
    }

    /// The way to the node, as each of the two is told while the call is direct.
    pub(crate) async fn standby(&mut self) -> [Value; 2] {
        let mut configs = [Value::Null, Value::Null];
        for (device, config) in self.devices.iter_mut().zip(&mut configs) {
            let told = device.expect("call:media-server").await;
            *config = told["mediaServerConfig"].clone();
        }
        configs
    }

    pub(crate) async fn join(&mut self, member: usize) -> Value {
        let joined = self.devices[member]
            .ask("call:join", json!({"callId": self.call}))
            .await;
        self.participants.push(text(&joined, "participantId"));
        joined
    }

    pub(crate) async fn ack(&mut self, member: usize, transition: &Value, success: bool) {
        let ack = json!({
            "callId": self.call, "participantId": self.participants[member],
            "transitionId": transition, "success": success,
        });
        self.devices[member].ask("call:mode-switch-ack", ack).await;
    }

    /// Carol comes, and all three are in group mode.
    pub(crate) async fn three(&mut self) {
        let joined = self.join(2).await;
        let transition = joined["transition"]["transitionId"].clone();
        for member in 0..3 {
            self.ack(member, &transition, true).await;
        }
        for device in &mut self.devices[..3] {
            assert_eq!(device.expect("call:mode-switched").await["success"], true);
        }
    }
}

#[tokio::test]
async fn the_way_to_the_node_is_known_before_a_third_person_comes() {
    let mut group = Group::talk().await;
    let [alice, bob] = group.standby().await;
    assert!(group.node.has_room(&group.call));
    assert_eq!(alice["routerId"], bob["routerId"]);
    assert_ne!(alice["token"], bob["token"], "each has a token of their own");
    let proof = json!({"callId": group.call, "proven": true, "protocol": "udp"});
    group.devices[0].ask("call:sfu-proof", proof).await;
}

#[tokio::test]
async fn a_switch_is_committed_when_everybody_has_acknowledged() {
    let mut group = Group::talk().await;
    group.standby().await;
    let joined = group.join(2).await;
    assert_eq!(joined["mode"], "sfu");
    assert_eq!(
        joined["rtpCapabilities"],
        joined["mediaServerConfig"]["rtpCapabilities"]
    );
    let transition = joined["transition"]["transitionId"].clone();
    for member in 0..2 {
        group.devices[member].expect("call:participant-joined").await;
        let switch = group.devices[member].expect("call:mode-switch").await;
        assert_eq!(switch["transitionId"], transition);
        assert_eq!(
            (&switch["oldMode"], &switch["newMode"]),
            (&json!("p2p"), &json!("sfu"))
        );
        assert!(switch["mediaServerConfig"]["token"].is_string());
        group.ack(member, &transition, true).await;
    }
    group.devices[0].nothing_of("call:mode-switched").await;
    group.ack(2, &transition, true).await;
    for device in &mut group.devices[..3] {
        let switched = device.expect("call:mode-switched").await;
        assert_eq!(
            (&switched["success"], &switched["mode"]),
            (&json!(true), &json!("sfu"))
        );
        assert_eq!(switched["transitionId"], transition);
    }
    let gap = json!({
        "callId": group.call, "transitionId": transition,
        "remoteParticipantId": group.participants[1], "videoGapMs": 40.0, "videoBaselineMs": 34.0,
    });
    group.devices[0].ask("call:switch-gap", gap).await;
    let fresh = json!({"callId": group.call});
    let fresh = group.devices[2].ask("call:refresh-credentials", fresh).await;
    assert!(fresh["mediaToken"].is_string(), "{fresh}");
}

#[tokio::test]
async fn producers_are_told_to_the_others_in_the_call() {
    let mut group = Group::talk().await;
    group.standby().await;
    group.three().await;
    let producer = json!({
        "participantId": group.participants[0], "producerId": "6f1ae1f6-0b0d-4d0c-9b2a-3f1f5a0e7a11",
        "kind": "audio", "paused": false, "appData": {"source": "microphone"},
    });
    group.node.produce(&group.call, producer.clone()).await;
    for device in &mut group.devices[1..3] {
        let told = device.expect("new-producer").await;
        assert_eq!(told["producerId"], producer["producerId"]);
    }
    group.devices[0].nothing_of("new-producer").await;
    group.devices[3].nothing_of("new-producer").await;
}

#[tokio::test]
async fn a_switch_nobody_finishes_is_rolled_back() {
    let timeout = Duration::from_millis(800);
    let mut group = Group::talk_with(|config| config.calls.switch_timeout = timeout).await;
    group.standby().await;
    let joined = group.join(2).await;
    let transition = joined["transition"]["transitionId"].clone();
    for member in 0..2 {
        group.ack(member, &transition, true).await;
    }
    for device in &mut group.devices[..2] {
        let switched = device.expect("call:mode-switched").await;
        assert_eq!(
            (&switched["success"], &switched["mode"]),
            (&json!(false), &json!("p2p"))
        );
        assert_eq!(switched["transitionId"], transition);
        device.expect("call:participant-left").await;
    }
    let error = group.devices[2].expect("call:error").await;
    assert_eq!(error["code"], "MODE_SWITCH_FAILED");
    // The two go on.
    let call = json!({"callId": group.call});
    group.devices[0].ask("call:refresh-credentials", call).await;
}

#[tokio::test]
async fn who_comes_during_a_switch_waits_for_its_end_and_may_leave_meanwhile() {
    let mut group = Group::talk().await;
    group.standby().await;
    let joined = group.join(2).await;
    let transition = joined["transition"]["transitionId"].clone();
    let join = json!({"callId": group.call});
    let mut dave = group.devices.pop().expect("Dave");
    let waiting = tokio::spawn(async move {
        let joined = dave.ask("call:join", join).await;
        (dave, joined)
    });
    for member in 0..3 {
        group.devices[member].nothing_of("call:mode-switched").await;
    }
    assert!(!waiting.is_finished());
    for member in 0..3 {
        group.ack(member, &transition, true).await;
    }
    let (mut dave, joined) = waiting.await.expect("Dave is in");
    assert_eq!(joined["mode"], "sfu");
    assert_eq!(joined["participants"].as_array().map(Vec::len), Some(4));
    dave.ask("call:leave", json!({"callId": group.call})).await;
    let left = group.devices[0].expect("call:participant-left").await;
    assert_eq!(left["participantId"], joined["participantId"]);
}

#[tokio::test]
async fn two_who_remain_go_back_to_direct() {
    let hysteresis = Duration::from_millis(200);
    let mut group = Group::talk_with(|config| config.calls.hysteresis = hysteresis).await;
    group.standby().await;
    group.three().await;
    for device in &mut group.devices {
        device.forget().await;
    }
    group.devices[2]
        .ask("call:leave", json!({"callId": group.call}))
        .await;
    let mut transition = Value::Null;
    for (member, role) in [(0, "initiator"), (1, "receiver")] {
        let switch = group.devices[member].expect("call:mode-switch").await;
        assert_eq!(
            (&switch["newMode"], &switch["role"]),
            (&json!("p2p"), &json!(role))
        );
        assert_eq!(
            switch["peerParticipantId"],
            group.participants[1 - member].as_str()
        );
        assert!(switch["iceServers"].is_array());
        transition = switch["transitionId"].clone();
    }
    for member in 0..2 {
        group.ack(member, &transition, true).await;
    }
    let switched = group.devices[0].expect("call:mode-switched").await;
    assert_eq!(
        (&switched["success"], &switched["mode"]),
        (&json!(true), &json!("p2p"))
    );
    let path = format!(
        "POST /api/rooms/{}/participants/{}/leave",
        group.call, group.participants[2]
    );
    assert!(group.node.was_asked(&path));
}

#[tokio::test]
async fn without_a_room_a_third_person_is_refused_and_the_two_go_on() {
    let world = World::new();
    let node = FakeNode::start();
    node.set_full(true);
    let people = [
        world.person("Alice").await,
        world.person("Bob").await,
        world.person("Carol").await,
    ];
    let conversation = world
        .group(&[&people[0], &people[1], &people[2]])
        .await
        .to_string();
    let gateway = world.gateway(&[&node.url]).await;
    let mut alice = gateway.device(&people[0].auth).await;
    let mut bob = gateway.device(&people[1].auth).await;
    let mut carol = gateway.device(&people[2].auth).await;
    let initiate = json!({"conversationId": conversation, "type": "video"});
    let call = text(&alice.ask("call:initiate", initiate).await, "callId");
    bob.ask("call:join", json!({"callId": call})).await;
    carol
        .denied("call:join", json!({"callId": call}), "SERVICE_UNAVAILABLE")
        .await;
    alice.nothing_of("call:mode-switch").await;
    alice
        .ask("call:refresh-credentials", json!({"callId": call}))
        .await;
}

#[tokio::test]
async fn with_group_mode_turned_off_a_third_person_is_refused() {
    let mut group = Group::talk().await;
    group.standby().await;
    group.gateway.turn_off_group_mode().await;
    let join = json!({"callId": group.call});
    group.devices[2].denied("call:join", join, "SFU_DISABLED").await;
    group.devices[0].nothing_of("call:mode-switch").await;
}
