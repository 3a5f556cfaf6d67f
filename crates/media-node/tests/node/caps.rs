//! Caps of contract §1.9 and admission under load of §3.8.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use media_node::NodeOptions;
use serde_json::{Value, json};

use crate::harness::{Member, TestNode, eventually, service};
use crate::rtp_json::{audio, from_source, video, with_mid};

#[tokio::test]
async fn the_eleventh_room_is_refused() {
    let node = TestNode::start().await;
    for index in 0..10 {
        node.room(&format!("call-{index}")).await;
    }
    node.post(&service(), "/api/rooms/call-10/create")
        .await
        .fails(503, "SERVER_AT_CAPACITY");
    node.post(&service(), "/api/rooms/call-3/create")
        .await
        .fails(409, "ROOM_ALREADY_EXISTS");
    node.delete(&service(), "/api/rooms/call-3")
        .await
        .says("Room destroyed");
    node.room("call-10").await;
}

#[tokio::test]
async fn rooms_on_standby_take_a_place_only_while_media_flows() {
    let node = TestNode::with(|config, _| config.capacity.rooms = 1).await;
    for call in ["call-1", "call-2"] {
        node.post(&service(), &format!("/api/rooms/{call}/create?standby=true"))
            .await
            .data();
    }
    let (anna, berta) = (
        node.member("call-1", "anna").await,
        node.member("call-2", "berta").await,
    );
    let anna_track = anna.produce(quiet()).await.text("producerId");
    let berta_track = berta.produce(quiet()).await.text("producerId");
    let anna_flow = async |flow: &str| anna.post(&format!("/producers/{anna_track}/{flow}")).await;
    let berta_flow = async |flow: &str| berta.post(&format!("/producers/{berta_track}/{flow}")).await;

    // Nothing flows yet, so an ordinary room still finds its place, and then nobody else does.
    node.room("call-3").await;
    anna_flow("resume").await.fails(503, "SERVER_AT_CAPACITY");
    node.delete(&service(), "/api/rooms/call-3")
        .await
        .says("Room destroyed");
    anna_flow("resume").await.says("Producer resumed");
    berta_flow("resume").await.fails(503, "SERVER_AT_CAPACITY");
    node.post(&service(), "/api/rooms/call-3/create")
        .await
        .fails(503, "SERVER_AT_CAPACITY");

    // What stands by again gives its place to the next.
    anna_flow("pause").await.says("Producer paused");
    berta_flow("resume").await.says("Producer resumed");
    node.post(&service(), "/api/rooms/call-3/create?standby=maybe")
        .await
        .fails(400, "INVALID_REQUEST");
}

/// A track that is not to flow yet.
fn quiet() -> Value {
    let mut request = audio(1);
    request["paused"] = json!(true);
    request
}

#[tokio::test]
async fn a_room_on_standby_is_given_a_place_when_asked_for_as_an_ordinary_one_if_there_is_one() {
    let node = TestNode::with(|config, _| config.capacity.rooms = 1).await;
    let create = async |call: &str| node.post(&service(), &format!("/api/rooms/{call}/create")).await;
    let stand_by = async |call: &str| {
        let path = format!("/api/rooms/{call}/create?standby=true");
        node.post(&service(), &path).await
    };
    let occupied = async || {
        let stats = node.get(&service(), "/api/stats").await;
        stats.data()["occupiedRooms"].as_u64()
    };
    stand_by("call-1").await.data();
    create("call-2").await.data();
    create("call-1").await.fails(503, "SERVER_AT_CAPACITY");
    stand_by("call-1").await.fails(409, "ROOM_ALREADY_EXISTS");
    node.delete(&service(), "/api/rooms/call-2")
        .await
        .says("Room destroyed");
    assert_eq!(occupied().await, Some(0));
    for _ in 0..2 {
        create("call-1").await.fails(409, "ROOM_ALREADY_EXISTS");
        assert_eq!(occupied().await, Some(1));
    }
    create("call-2").await.fails(503, "SERVER_AT_CAPACITY");
}

#[tokio::test]
async fn a_node_that_drains_or_is_overloaded_gives_no_place_to_a_room_on_standby() {
    let load = Load::default();
    let node = loaded_node(&load).await;
    node.post(&service(), "/api/rooms/call-1/create?standby=true")
        .await
        .data();
    let anna = node.member("call-1", "anna").await;
    let track = anna.produce(quiet()).await.text("producerId");
    let refuses = async || {
        node.post(&service(), "/api/rooms/call-1/create")
            .await
            .fails(503, "SERVER_AT_CAPACITY");
        anna.post(&format!("/producers/{track}/resume"))
            .await
            .fails(503, "SERVER_AT_CAPACITY");
    };
    load.set(95);
    settles(&node, 3).await;
    refuses().await;
    load.set(10);
    settles(&node, 0).await;
    node.post(&service(), "/api/drain").await.data();
    refuses().await;
    node.delete(&service(), "/api/drain").await.data();
    anna.post(&format!("/producers/{track}/resume"))
        .await
        .says("Producer resumed");
    // What has carried media may be silent for a moment, and goes on.
    node.post(&service(), "/api/drain").await.data();
    for flow in ["pause", "resume"] {
        let done = anna.post(&format!("/producers/{track}/{flow}")).await;
        done.says(&format!("Producer {flow}d"));
    }
}

#[tokio::test]
async fn a_group_that_is_silent_for_a_moment_keeps_its_place_until_two_are_left() {
    let node = TestNode::with(|config, _| config.capacity.rooms = 1).await;
    node.post(&service(), "/api/rooms/call-1/create?standby=true")
        .await
        .data();
    let mut members = Vec::new();
    for name in ["anna", "berta", "cleo"] {
        members.push(node.member("call-1", name).await);
    }
    let track = members[0].produce(audio(1)).await.text("producerId");
    members[0]
        .post(&format!("/producers/{track}/pause"))
        .await
        .says("Producer paused");
    let other = async || node.post(&service(), "/api/rooms/call-2/create").await;
    other().await.fails(503, "SERVER_AT_CAPACITY");
    members[2].leave().await.says("Participant left room");
    other().await.data();
}

#[tokio::test]
async fn the_fifty_first_participant_is_refused() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    for index in 0..50 {
        Member::new(&node, "call-1", &format!("p{index}"))
            .transport("recv")
            .await
            .data();
    }
    let late = Member::new(&node, "call-1", "late");
    late.transport("recv").await.fails(409, "ROOM_FULL");
    let first = Member::new(&node, "call-1", "p0");
    first.transport("send").await.data();
    first.transport("recv").await.data();
    first.leave().await.says("Participant left room");
    late.transport("recv").await.data();
}

#[tokio::test]
async fn a_room_has_so_many_transports_and_producers() {
    let node = TestNode::with(|config, _| {
        config.capacity.transports_per_room = 3;
        config.capacity.producers_per_room = 2;
    })
    .await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = Member::new(&node, "call-1", "berta");
    berta.transport("send").await.data();
    berta.transport("recv").await.fails(429, "RESOURCE_LIMIT_REACHED");
    // Replacing one needs no further room.
    berta.transport("send").await.data();
    anna.produce(audio(1)).await.data();
    anna.produce(video(10)).await.data();
    let third = with_mid(from_source(video(20), "screen"), "2");
    anna.produce(third).await.fails(429, "RESOURCE_LIMIT_REACHED");
}

/// A load that a test sets, in percent.
#[derive(Clone, Default)]
pub(crate) struct Load(Arc<AtomicU64>);

impl Load {
    pub(crate) fn set(&self, percent: u64) {
        self.0.store(percent, Ordering::Relaxed);
    }

    /// Puts it in place of the machine's.
    pub(crate) fn burden(&self, options: &mut NodeOptions) {
        let load = self.clone();
        options.load_probe = Some(Arc::new(move || load.0.load(Ordering::Relaxed) as f64 / 100.0));
        options.load_interval = Duration::from_millis(1);
    }
}

async fn loaded_node(load: &Load) -> TestNode {
    TestNode::with(|_, options| load.burden(options)).await
}

/// Waits until the node's admission is in this state.
pub(crate) async fn settles(node: &TestNode, state: u8) {
    let expected = format!("admission_state {state}\n");
    let token = service();
    eventually("the load is noticed", async || {
        let metrics = node.get(&token, "/metrics").await;
        metrics.body.as_str().is_some_and(|text| text.contains(&expected))
    })
    .await;
}

#[tokio::test]
async fn an_overloaded_node_takes_nobody_new_and_serves_those_it_has() {
    let load = Load::default();
    let node = loaded_node(&load).await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    load.set(95);
    settles(&node, 3).await;
    node.post(&service(), "/api/rooms/call-2/create")
        .await
        .fails(503, "SERVER_AT_CAPACITY");
    Member::new(&node, "call-1", "berta")
        .transport("send")
        .await
        .fails(503, "SERVER_AT_CAPACITY");
    let ready = node.get(&service(), "/ready").await;
    assert_eq!(
        (ready.status.as_u16(), &ready.body["status"]),
        (503, &json!("overloaded"))
    );
    assert_eq!(node.get(&service(), "/health").await.status.as_u16(), 200);
    // Reconnecting and talking go on.
    anna.transport("recv").await.data();
    anna.produce(audio(1)).await.data();
    load.set(10);
    settles(&node, 0).await;
    Member::new(&node, "call-1", "berta")
        .transport("send")
        .await
        .data();
    assert_eq!(node.get(&service(), "/ready").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_busy_node_refuses_screens_but_no_cameras() {
    let load = Load::default();
    let node = loaded_node(&load).await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    load.set(85);
    settles(&node, 2).await;
    let screen = || with_mid(from_source(video(20), "screen"), "2");
    anna.produce(screen()).await.fails(503, "SERVER_AT_CAPACITY");
    anna.produce(video(10)).await.data();
    Member::new(&node, "call-1", "berta")
        .transport("send")
        .await
        .data();
    load.set(10);
    settles(&node, 0).await;
    anna.produce(screen()).await.data();
}
