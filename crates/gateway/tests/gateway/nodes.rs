//! Media nodes that fail, and requests that are passed on to them.

use serde_json::{Value, json};

use crate::fake_node::FakeNode;
use crate::harness::{World, text};
use crate::switching::Group;

#[tokio::test]
async fn a_call_moves_to_another_node_when_its_own_dies() {
    let mut nodes = [FakeNode::start(), FakeNode::start()];
    let world = World::new();
    let mut people = Vec::new();
    for name in ["Alice", "Bob", "Carol"] {
        people.push(world.person(name).await);
    }
    let members: Vec<_> = people.iter().collect();
    let conversation = world.group(&members).await.to_string();
    let gateway = world.gateway(&[&nodes[0].url, &nodes[1].url]).await;
    let mut devices = Vec::new();
    for person in &people {
        devices.push(gateway.device(&person.auth).await);
    }
    let initiate = json!({"conversationId": conversation, "type": "video"});
    let begun = devices[0].ask("call:initiate", initiate).await;
    let call = text(&begun, "callId");
    let mut participants = vec![text(&begun, "participantId")];
    let mut transition = Value::Null;
    for device in &mut devices[1..] {
        let joined = device.ask("call:join", json!({"callId": call})).await;
        participants.push(text(&joined, "participantId"));
        transition = joined["transition"]["transitionId"].clone();
    }
    let ack = |participant: &String, transition: &Value| json!({"callId": call, "participantId": participant, "transitionId": transition, "success": true});
    for (device, participant) in devices.iter_mut().zip(&participants) {
        device
            .ask("call:mode-switch-ack", ack(participant, &transition))
            .await;
    }
    for device in &mut devices {
        device.expect("call:mode-switched").await;
        device.forget().await;
    }
    let dying = nodes
        .iter()
        .position(|node| node.has_room(&call))
        .expect("one has the room");
    nodes[dying].kill();
    for (device, participant) in devices.iter_mut().zip(&participants) {
        let switch = device.expect("call:mode-switch").await;
        assert_eq!(switch["reason"], "media-server-failover");
        assert_eq!(
            (&switch["oldMode"], &switch["newMode"]),
            (&json!("sfu"), &json!("sfu"))
        );
        device
            .ask("call:mode-switch-ack", ack(participant, &switch["transitionId"]))
            .await;
    }
    assert!(nodes[1 - dying].has_room(&call));
    assert_eq!(devices[0].expect("call:mode-switched").await["success"], true);
}

#[tokio::test]
async fn a_node_that_dies_during_a_switch_costs_nobody_the_call() {
    let mut group = Group::talk().await;
    group.standby().await;
    let joined = group.join(2).await;
    let transition = joined["transition"]["transitionId"].clone();
    group.ack(0, &transition, true).await;
    group.node.kill();
    for device in &mut group.devices[..2] {
        let switched = device.expect("call:mode-switched").await;
        assert_eq!(
            (&switched["success"], &switched["mode"]),
            (&json!(false), &json!("p2p"))
        );
        device.nothing_of("call:ended").await;
    }
}

#[tokio::test]
async fn participants_reach_their_room_through_the_gateway() {
    let mut group = Group::talk().await;
    let [alice, _] = group.standby().await;
    assert_eq!(alice["url"], "", "the gateway's own origin");
    let http = reqwest::Client::new();
    let token = text(&alice, "token");
    let path = format!("{}/api/rooms/{}/transports?x=1", group.gateway.url, group.call);
    let request = http.post(&path).bearer_auth(&token).header("cookie", "secret");
    let answer = request
        .json(&json!({"direction": "send"}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "49");
    assert!(!answer.headers().contains_key("x-secret"));
    let (headers, body) = group.node.passed_on().expect("it was passed on");
    assert_eq!(headers["authorization"], format!("Bearer {token}"));
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert!(!headers.contains_key("cookie"));
    assert_eq!(&body[..], br#"{"direction":"send"}"#);

    let unknown = format!(
        "{}/api/rooms/0123456789abcdef01234567/transports",
        group.gateway.url
    );
    let answer = http.post(&unknown).send().await.expect("an answer");
    assert_eq!(answer.status(), 404);
    let huge = http
        .post(&path)
        .body(vec![b'x'; 300 * 1024])
        .send()
        .await
        .expect("an answer");
    assert_eq!(huge.status(), 413);
    group.node.kill();
    let answer = http.post(&path).send().await.expect("an answer");
    assert!(
        [502, 503].contains(&answer.status().as_u16()),
        "{}",
        answer.status()
    );
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["success"], false);
}

#[tokio::test]
async fn a_room_is_destroyed_with_its_call() {
    let mut group = Group::talk().await;
    group.standby().await;
    assert!(group.node.has_room(&group.call));
    group.devices[0]
        .ask("call:end", json!({"callId": group.call}))
        .await;
    group.devices[1].expect("call:ended").await;
    let destroyed = async {
        while group.node.has_room(&group.call) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let patience = std::time::Duration::from_secs(10);
    tokio::time::timeout(patience, destroyed)
        .await
        .expect("it is destroyed");
}
