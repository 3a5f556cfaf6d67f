//! Several media nodes: which come by themselves, which get rooms, and which are drained.

use std::time::Duration;

use edge::token::{Lifetime, TokenSigner};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fake_node::FakeNode;
use crate::harness::{Device, Person, SECRET, TestGateway, World, text};

/// A token as media nodes make it, but for what is changed.
fn node_token(secret: &str, change: impl Fn(&mut Value)) -> String {
    let signer = TokenSigner::new(secret);
    let minted = signer.sign(Duration::from_secs(60), |Lifetime { iat, exp }| {
        let mut claims =
            json!({"sub": "media-node", "role": "service", "iat": iat, "exp": exp, "aud": "gateway"});
        change(&mut claims);
        claims
    });
    minted.token.0
}

fn registration(url: &str, region: &str) -> Value {
    json!({"serverId": "media", "url": url, "region": region, "maxRooms": 10, "rooms": 0, "cpu": 0.0,
           "draining": false, "version": "0.1.0"})
}

async fn register(gateway: &TestGateway, node: &FakeNode, region: &str) {
    node.move_to(region);
    let token = node_token(SECRET, |_| ());
    let request = (Method::POST, "/api/nodes/register");
    let (status, body) = gateway
        .http_as(&token, request, Some(registration(&node.url, region)))
        .await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["data"], json!({"nodeId": node.name(), "expiresIn": 15}));
}

/// Three people who may call each other.
async fn people(world: &World) -> (Vec<Person>, String) {
    let mut people = Vec::new();
    for name in ["Alice", "Bob", "Carol"] {
        people.push(world.person(name).await);
    }
    let members: Vec<_> = people.iter().collect();
    let conversation = world.group(&members).await.to_string();
    (people, conversation)
}

/// All three try to be in a call; gives it, their devices, and what the third was answered.
async fn call(gateway: &TestGateway, people: &[Person], conversation: &str) -> (String, Vec<Device>, Value) {
    let mut devices = Vec::new();
    for person in people {
        devices.push(gateway.device(&person.auth).await);
    }
    let initiate = json!({"conversationId": conversation, "type": "video"});
    let call = text(&devices[0].ask("call:initiate", initiate).await, "callId");
    devices[1].ask("call:join", json!({"callId": call})).await;
    let third = devices[2]
        .acknowledged("call:join", json!({"callId": call}))
        .await;
    (call, devices, third)
}

#[tokio::test]
async fn nodes_that_register_get_rooms_where_the_caller_is() {
    let nodes = [FakeNode::start(), FakeNode::start()];
    let world = World::new();
    let (people, conversation) = people(&world).await;
    let gateway = world
        .gateway_with(&[], |config| "us".clone_into(&mut config.region))
        .await;
    assert!(gateway.nodes().await.is_empty());
    register(&gateway, &nodes[0], "eu").await;
    register(&gateway, &nodes[1], "us").await;
    gateway
        .sees(&[(nodes[0].name(), "ready"), (nodes[1].name(), "ready")])
        .await;
    let seen = gateway.nodes().await;
    let us = seen
        .iter()
        .find(|node| node["nodeId"] == nodes[1].name())
        .expect("it registered");
    assert_eq!(
        (&us["origin"], &us["region"], &us["maxRooms"]),
        (&json!("registered"), &json!("us"), &json!(10))
    );
    let (call, _devices, third) = call(&gateway, &people, &conversation).await;
    assert_eq!(third["success"], true, "{third}");
    assert!(nodes[1].has_room(&call) && !nodes[0].has_room(&call));
    // Once more is no second node.
    register(&gateway, &nodes[0], "eu").await;
    assert_eq!(gateway.nodes().await.len(), 2);
}

#[tokio::test]
async fn a_trusted_proxy_says_where_the_caller_is() {
    let nodes = [FakeNode::start(), FakeNode::start()];
    nodes[0].move_to("eu");
    nodes[1].move_to("us");
    for (trusted, expected) in [("127.0.0.1", 1), ("192.0.2.1", 0)] {
        let world = World::new();
        let (people, conversation) = people(&world).await;
        let gateway = world
            .gateway_with(&[&nodes[0].url, &nodes[1].url], |config| {
                "eu".clone_into(&mut config.region);
                config
                    .http
                    .trusted_proxies
                    .0
                    .push(trusted.parse().expect("an address"));
            })
            .await;
        gateway
            .sees(&[(nodes[0].name(), "ready"), (nodes[1].name(), "ready")])
            .await;
        let mut others = Vec::new();
        for person in &people[1..] {
            others.push(gateway.device(&person.auth).await);
        }
        let _ringing = gateway.device(&people[0].auth).await;
        let answer = reqwest::Client::new()
            .post(format!("{}/api/calls", gateway.url))
            .bearer_auth(text(&people[0].auth, "token"))
            .header("x-region", "us")
            .json(&json!({"conversationId": conversation, "type": "video"}))
            .send()
            .await
            .expect("it answers");
        let body: Value = answer.json().await.expect("JSON");
        let call = text(&body["data"], "callId");
        for device in &mut others {
            device.ask("call:join", json!({"callId": call})).await;
        }
        assert!(nodes[expected].has_room(&call), "{trusted}");
        assert!(!nodes[1 - expected].has_room(&call), "{trusted}");
    }
}

#[tokio::test]
async fn a_drained_node_keeps_its_call_and_the_next_goes_elsewhere() {
    let nodes = [FakeNode::start(), FakeNode::start()];
    let world = World::new();
    let gateway = world.gateway(&[&nodes[0].url, &nodes[1].url]).await;
    gateway
        .sees(&[(nodes[0].name(), "ready"), (nodes[1].name(), "ready")])
        .await;
    let (first, conversation) = people(&world).await;
    let (call_one, mut devices, _) = call(&gateway, &first, &conversation).await;
    let holder = nodes
        .iter()
        .position(|node| node.has_room(&call_one))
        .expect("one has it");
    let path = format!("/api/admin/nodes/{}/drain", nodes[holder].name());
    let (status, body) = gateway.http(Method::POST, &path, None).await;
    assert_eq!((status, &body["data"]["draining"]), (200, &json!(true)), "{body}");
    assert!(nodes[holder].is_draining());
    let mut second = Vec::new();
    for name in ["Dave", "Erin", "Frank"] {
        second.push(world.person(name).await);
    }
    let members: Vec<_> = second.iter().collect();
    let conversation = world.group(&members).await.to_string();
    let (call_two, _others, third) = call(&gateway, &second, &conversation).await;
    assert_eq!(third["success"], true, "{third}");
    assert!(nodes[1 - holder].has_room(&call_two) && !nodes[holder].has_room(&call_two));
    assert!(nodes[holder].has_room(&call_one));
    devices[0].nothing_of("call:ended").await;
    let (status, body) = gateway.http(Method::DELETE, &path, None).await;
    assert_eq!(
        (status, &body["data"]["draining"]),
        (200, &json!(false)),
        "{body}"
    );
    gateway
        .sees(&[(nodes[0].name(), "ready"), (nodes[1].name(), "ready")])
        .await;
}

#[tokio::test]
async fn when_every_node_is_full_or_draining_the_third_is_told_and_two_talk_on() {
    let nodes = [FakeNode::start(), FakeNode::start()];
    nodes[0].set_full(true);
    let world = World::new();
    let (people, conversation) = people(&world).await;
    let gateway = world.gateway(&[&nodes[0].url, &nodes[1].url]).await;
    let path = format!("/api/admin/nodes/{}/drain", nodes[1].name());
    gateway
        .sees(&[(nodes[0].name(), "full"), (nodes[1].name(), "ready")])
        .await;
    gateway.http(Method::POST, &path, None).await;
    gateway
        .sees(&[(nodes[0].name(), "full"), (nodes[1].name(), "draining")])
        .await;
    let (call, mut devices, third) = call(&gateway, &people, &conversation).await;
    assert_eq!(third["error"]["code"], "SERVICE_UNAVAILABLE", "{third}");
    assert!(nodes.iter().all(|node| !node.has_room(&call)));
    devices[0].nothing_of("call:mode-switch").await;
    devices[1].nothing_of("call:ended").await;
}

/// Whether the room on standby of a direct call moves on as the third comes, once this was done to its node.
async fn moves_when_the_third_comes(refuses: impl AsyncFnOnce(&TestGateway, &FakeNode, &FakeNode)) {
    let nodes = [FakeNode::start(), FakeNode::start()];
    let world = World::new();
    let (people, conversation) = people(&world).await;
    let gateway = world.gateway(&[&nodes[0].url, &nodes[1].url]).await;
    gateway
        .sees(&[(nodes[0].name(), "ready"), (nodes[1].name(), "ready")])
        .await;
    let mut devices = Vec::new();
    for person in &people {
        devices.push(gateway.device(&person.auth).await);
    }
    let initiate = json!({"conversationId": conversation, "type": "video"});
    let call = text(&devices[0].ask("call:initiate", initiate).await, "callId");
    devices[1].ask("call:join", json!({"callId": call})).await;
    devices[0].expect("call:media-server").await;
    let holder = nodes
        .iter()
        .position(|node| node.has_room(&call))
        .expect("one has it");
    refuses(&gateway, &nodes[holder], &nodes[1 - holder]).await;
    let third = devices[2]
        .acknowledged("call:join", json!({"callId": call}))
        .await;
    assert_eq!(third["success"], true, "{third}");
    assert!(nodes[1 - holder].has_room(&call), "the other one has it now");
    for device in &mut devices[..2] {
        assert_eq!(device.expect("call:mode-switch").await["newMode"], "sfu");
        device.nothing_of("call:mode-switched").await;
    }
    // The gateway destroys the old room beside what it tells people.
    let mut tries = 0;
    while nodes[holder].has_room(&call) {
        assert!(tries < 100, "nothing is left behind");
        tries += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_room_on_standby_leaves_a_node_that_has_filled_up() {
    moves_when_the_third_comes(async |gateway, node, other| {
        node.set_full(true);
        gateway
            .sees(&[(node.name(), "full"), (other.name(), "ready")])
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_room_on_standby_leaves_a_node_that_filled_up_unnoticed() {
    moves_when_the_third_comes(async |_, node, _| node.close()).await;
}

#[tokio::test]
async fn a_room_on_standby_leaves_a_node_that_drains() {
    moves_when_the_third_comes(async |gateway, node, _| {
        let path = format!("/api/admin/nodes/{}/drain", node.name());
        gateway.http(Method::POST, &path, None).await;
    })
    .await;
}

#[tokio::test]
async fn nodes_that_turn_out_to_be_full_cost_no_try() {
    let nodes: Vec<FakeNode> = (0..4).map(|_| FakeNode::start()).collect();
    let world = World::new();
    let (people, conversation) = people(&world).await;
    let urls: Vec<&str> = nodes.iter().map(|node| node.url.as_str()).collect();
    let gateway = world.gateway(&urls).await;
    let mut names: Vec<&str> = nodes.iter().map(FakeNode::name).collect();
    names.sort_unstable();
    let ready: Vec<_> = names.iter().map(|name| (*name, "ready")).collect();
    gateway.sees(&ready).await;
    // Of equals the first by name is asked first, so the one with a place is asked last.
    for node in nodes.iter().filter(|node| node.name() != names[3]) {
        node.close();
    }
    let (call, _devices, third) = call(&gateway, &people, &conversation).await;
    assert_eq!(third["success"], true, "{third}");
    let holders = nodes.iter().filter(|node| node.has_room(&call));
    assert_eq!(holders.map(FakeNode::name).collect::<Vec<_>>(), [names[3]]);
}

#[tokio::test]
async fn a_room_whose_events_do_not_come_is_not_left_behind() {
    let mut nodes = [FakeNode::start(), FakeNode::start()];
    nodes.sort_by(|a, b| a.name().cmp(b.name()));
    let world = World::new();
    let (people, conversation) = people(&world).await;
    let gateway = world.gateway(&[&nodes[0].url, &nodes[1].url]).await;
    gateway
        .sees(&[(nodes[0].name(), "ready"), (nodes[1].name(), "ready")])
        .await;
    nodes[0].mute();
    let (call, _devices, third) = call(&gateway, &people, &conversation).await;
    assert_eq!(third["success"], true, "{third}");
    assert!(nodes[1].has_room(&call));
    assert!(nodes[0].was_asked(&format!("POST /api/rooms/{call}/create")));
    assert!(!nodes[0].has_room(&call), "it was destroyed");
}

#[tokio::test]
async fn after_a_restart_rooms_are_near_the_first_who_is_back() {
    let nodes = [FakeNode::start(), FakeNode::start(), FakeNode::start()];
    for (node, region) in nodes.iter().zip(["eu", "eu", "us"]) {
        node.move_to(region);
    }
    let urls: Vec<&str> = nodes.iter().map(|node| node.url.as_str()).collect();
    let ready: Vec<_> = nodes.iter().map(|node| (node.name(), "ready")).collect();
    let world = World::new();
    let (people, conversation) = people(&world).await;
    let start = async || {
        let gateway = world
            .gateway_with(&urls, |config| {
                "eu".clone_into(&mut config.region);
                let proxy = "127.0.0.1".parse().expect("an address");
                config.http.trusted_proxies.0.push(proxy);
            })
            .await;
        gateway.sees(&ready).await;
        gateway
    };
    let gateway = start().await;
    let mut devices = Vec::new();
    for person in &people[..2] {
        devices.push(gateway.device(&person.auth).await);
    }
    let initiate = json!({"conversationId": conversation, "type": "video"});
    let call = text(&devices[0].ask("call:initiate", initiate).await, "callId");
    devices[1].ask("call:join", json!({"callId": call})).await;
    devices[0].expect("call:media-server").await;
    let holder = nodes
        .iter()
        .position(|node| node.has_room(&call))
        .expect("one has it");
    assert!(holder < 2, "where the gateway stands");
    gateway.stop().await;

    let gateway = start().await;
    let answer = reqwest::Client::new()
        .post(format!("{}/api/calls/{call}/participants", gateway.url))
        .bearer_auth(text(&people[0].auth, "token"))
        .header("x-region", "us")
        .json(&json!({}))
        .send()
        .await
        .expect("it answers");
    assert_eq!(answer.status(), 200);
    // Again and again, as the gateway may not listen to the room yet; after the first time it does not any more.
    let lost = json!({"callId": call, "reason": "requested"});
    let moved = || {
        let others = nodes.iter().enumerate().filter(|(index, _)| *index != holder);
        others
            .filter(|(_, node)| node.has_room(&call))
            .map(|(index, _)| index)
            .next()
    };
    let mut tries = 0;
    let moved = loop {
        if let Some(moved) = moved() {
            break moved;
        }
        assert!(tries < 100, "no other node gets the room");
        tries += 1;
        nodes[holder].emit("room-destroyed", lost.clone()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(moved, 2, "where the first who is back is");
}

#[tokio::test]
async fn a_node_of_the_settings_that_registers_under_another_name_is_one_node() {
    let node = FakeNode::start();
    let world = World::new();
    let gateway = world.gateway(&[&node.url]).await;
    gateway.sees(&[(node.name(), "ready")]).await;
    let other = node.url.replace("127.0.0.1", "localhost");
    let token = node_token(SECRET, |_| ());
    let register = async |instance: &str| {
        let mut body = registration(&other, "");
        body["instance"] = json!(instance);
        let request = (Method::POST, "/api/nodes/register");
        let (status, body) = gateway.http_as(&token, request, Some(body)).await;
        assert_eq!(status, 200, "{body}");
        text(&body["data"], "nodeId")
    };
    // It registers before the gateway has heard from the listed address which process is there.
    assert_ne!(register("one").await, node.name());
    assert_eq!(gateway.nodes().await.len(), 2);
    node.be("one");
    let mut tries = 0;
    while register("one").await != node.name() {
        assert!(tries < 100, "it is not recognised");
        tries += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gateway.sees(&[(node.name(), "ready")]).await;
    assert_ne!(
        register("two").await,
        node.name(),
        "another process is another node"
    );
}

#[tokio::test]
async fn only_nodes_register() {
    let world = World::new();
    let gateway = world.gateway(&[]).await;
    let body = registration("http://127.0.0.1:9", "");
    let person = text(&world.person("Alice").await.auth, "token");
    let rows = [
        (
            401,
            node_token("another secret of more than thirty-two bytes", |_| ()),
        ),
        (401, node_token(SECRET, |claims| claims["aud"] = json!("media"))),
        (
            401,
            node_token(SECRET, |claims| claims["role"] = json!("participant")),
        ),
        (401, node_token(SECRET, |claims| claims["exp"] = json!(1))),
        (403, person),
        (200, node_token(SECRET, |_| ())),
    ];
    for (status, token) in rows {
        let request = (Method::POST, "/api/nodes/register");
        let (answered, said) = gateway.http_as(&token, request, Some(body.clone())).await;
        assert_eq!(answered, status, "{said}");
        assert_eq!(gateway.nodes().await.len(), usize::from(status == 200));
    }
    let token = node_token(SECRET, |_| ());
    for (member, wrong) in [
        ("url", json!("https://127.0.0.1:9")),
        ("url", json!("http://127.0.0.1:9/x")),
        ("maxRooms", json!(0)),
        ("maxRooms", json!(-1)),
        ("cpu", json!(2)),
        ("region", json!("e u")),
        ("serverId", json!("")),
        ("draining", json!("no")),
    ] {
        let mut body = body.clone();
        body[member] = wrong;
        let (status, said) = gateway
            .http_as(&token, (Method::POST, "/api/nodes/register"), Some(body.clone()))
            .await;
        assert_eq!(
            (status, &said["error"]["code"]),
            (400, &json!("INVALID_REQUEST")),
            "{body}"
        );
    }
}
