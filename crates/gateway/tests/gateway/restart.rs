//! A gateway that is stopped in a call and started again over the same store.

use serde_json::json;
use signalling::client_gateway::ConversationType;

use crate::fake_node::FakeNode;
use crate::harness::{World, text};
use crate::switching::Group;

#[tokio::test]
async fn a_call_goes_on_after_a_restart() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let conversation = world
        .conversation(ConversationType::Direct, &[&alice, &bob])
        .await
        .to_string();
    let gateway = world.gateway(&[]).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let mut at_bob = gateway.device(&bob.auth).await;
    let initiate = json!({"conversationId": conversation, "type": "video"});
    let begun = at_alice.ask("call:initiate", initiate).await;
    let call = text(&begun, "callId");
    let joined = at_bob.ask("call:join", json!({"callId": call})).await;
    gateway.stop().await;

    let gateway = world.gateway(&[]).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let mut at_bob = gateway.device(&bob.auth).await;
    let seat = json!({"callId": call, "participantId": begun["participantId"]});
    let back = at_alice.ask("call:rejoin", seat).await;
    assert_eq!(back["status"], "active");
    assert_eq!(back["participants"].as_array().map(Vec::len), Some(2));
    let seat = json!({"callId": call, "participantId": joined["participantId"]});
    at_bob.ask("call:rejoin", seat).await;
    at_alice.ask("call:leave", json!({"callId": call})).await;
    assert_eq!(at_bob.expect("call:ended").await["reason"], "normal");
}

#[tokio::test]
async fn the_room_of_a_group_call_is_watched_again_after_a_restart() {
    let mut group = Group::talk().await;
    group.standby().await;
    group.three().await;
    let Group {
        world,
        gateway,
        node,
        people,
        participants,
        call,
        ..
    } = group;
    gateway.stop().await;
    let gateway = world.gateway(&[&node.url]).await;
    let mut devices = Vec::new();
    for (person, participant) in people.iter().zip(&participants) {
        let mut device = gateway.device(&person.auth).await;
        let seat = json!({"callId": call, "participantId": participant});
        let back = device.ask("call:rejoin", seat).await;
        assert_eq!(back["mode"], "sfu");
        devices.push(device);
    }
    assert!(node.has_room(&call));
    let producer = json!({
        "participantId": participants[0], "producerId": "6f1ae1f6-0b0d-4d0c-9b2a-3f1f5a0e7a11",
        "kind": "video", "paused": false, "appData": {"source": "camera"},
    });
    node.produce(&call, producer).await;
    devices[1].expect("new-producer").await;
}

#[tokio::test]
async fn a_switch_under_way_is_called_off_by_a_restart() {
    let mut group = Group::talk().await;
    group.standby().await;
    let joined = group.join(2).await;
    let Group {
        world,
        gateway,
        node,
        people,
        participants,
        call,
        ..
    } = group;
    gateway.stop().await;
    let gateway = world.gateway(&[&node.url]).await;
    let mut device = gateway.device(&people[0].auth).await;
    let seat = json!({"callId": call, "participantId": participants[0]});
    let back = device.ask("call:rejoin", seat).await;
    assert_eq!(back["mode"], "p2p", "the committed mode holds");
    let old = json!({
        "callId": call, "transitionId": joined["transition"]["transitionId"], "success": true,
    });
    device.ask("call:mode-switch-ack", old).await;
    device.nothing_of("call:mode-switch").await;
}

#[tokio::test]
async fn a_forgotten_call_does_not_stand_in_the_way_of_a_new_one() {
    let world = World::new();
    let node = FakeNode::start();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let conversation = world
        .conversation(ConversationType::Direct, &[&alice, &bob])
        .await;
    let elsewhere = world.gateway(&[&node.url]).await;
    // Started before the call of the other one, so it knows nothing of it.
    let gateway = world.gateway(&[&node.url]).await;
    let initiate = json!({"conversationId": conversation.to_string(), "type": "video"});
    let mut at_bob = elsewhere.device(&bob.auth).await;
    let mut at_alice = elsewhere.device(&alice.auth).await;
    let forgotten = text(&at_bob.ask("call:initiate", initiate.clone()).await, "callId");
    at_alice.expect("call:incoming").await;
    drop(elsewhere);
    let _bob = gateway.device(&bob.auth).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let begun = at_alice.ask("call:initiate", initiate).await;
    assert_ne!(text(&begun, "callId"), forgotten);
    let stored = world
        .store
        .call(&forgotten.parse().expect("an id"))
        .await
        .expect("stored");
    let stored = stored.expect("it is there").call;
    assert_eq!(stored.status.as_str(), "ended");
    assert_eq!(stored.end_reason.map(|reason| reason.as_str()), Some("timeout"));
}
