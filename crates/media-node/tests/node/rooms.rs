//! Endpoints 1, 2, 10 and 11: create, get, leave, destroy.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Member, TestNode, eventually, participant, service};
use crate::rtp_json::{audio, video};

#[tokio::test]
async fn a_created_room_has_the_calls_id_a_router_and_capabilities() {
    let node = TestNode::start().await;
    let created = node.post(&service(), "/api/rooms/call-1/create").await;
    assert_eq!(created.text("roomId"), "call-1");
    assert_eq!(created.text("routerId").len(), 36);
    let codecs = created.data()["rtpCapabilities"]["codecs"]
        .as_array()
        .expect("codecs")
        .clone();
    let types: Vec<&str> = codecs
        .iter()
        .filter_map(|codec| codec["mimeType"].as_str())
        .collect();
    assert_eq!(types[..3], ["audio/opus", "video/VP8", "video/rtx"]);
    assert_eq!(codecs[2]["parameters"]["apt"], codecs[1]["preferredPayloadType"]);
}

#[tokio::test]
async fn a_room_cannot_be_created_twice_at_once_or_in_a_row() {
    let node = TestNode::start().await;
    let token = service();
    let create = || node.post(&token, "/api/rooms/call-1/create");
    let (one, other) = tokio::join!(create(), create());
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let third = create().await;
    third.fails(409, "ROOM_ALREADY_EXISTS");
    assert_eq!(third.body["error"]["details"]["callId"], "call-1");
}

#[tokio::test]
async fn an_id_outside_the_alphabet_is_no_call() {
    let node = TestNode::start().await;
    let long = "x".repeat(65);
    for call in ["a.b", "a%20b", "%C3%A9", long.as_str()] {
        node.post(&service(), &format!("/api/rooms/{call}/create"))
            .await
            .fails(400, "INVALID_REQUEST");
        node.get(&service(), &format!("/api/rooms/{call}"))
            .await
            .fails(400, "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn getting_a_room_lists_what_there_is_to_consume() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let mut microphone = audio(1);
    microphone["appData"] = json!({"displayName": "Anna", "extra": 7});
    let audio = anna.produce(microphone).await.text("producerId");
    let video = anna.produce(video(2)).await.text("producerId");
    let room = node
        .get(&participant("call-1", "berta"), "/api/rooms/call-1")
        .await;
    let data = room.data();
    assert_eq!(data["roomId"], "call-1");
    assert_eq!(data["participantCount"], 1);
    assert!(data["createdAt"].as_str().is_some_and(|time| time.ends_with('Z')));
    let expected = json!([
        {"producerId": audio, "participantId": "anna", "kind": "audio", "paused": false,
         "appData": {"source": "microphone", "displayName": "Anna", "extra": 7}},
        {"producerId": video, "participantId": "anna", "kind": "video", "paused": false,
         "appData": {"source": "camera"}},
    ]);
    assert_eq!(data["producers"], expected);
}

#[tokio::test]
async fn a_room_that_does_not_exist_is_not_found_by_any_endpoint() {
    let node = TestNode::start().await;
    let anna = Member::new(&node, "nowhere", "anna");
    anna.get("").await.fails(404, "ROOM_NOT_FOUND");
    anna.transport("send").await.fails(404, "ROOM_NOT_FOUND");
    anna.leave().await.fails(404, "ROOM_NOT_FOUND");
    anna.post("/transports/not-a-uuid/restart-ice")
        .await
        .fails(404, "ROOM_NOT_FOUND");
    anna.delete("/producers/not-a-uuid")
        .await
        .fails(404, "ROOM_NOT_FOUND");
    anna.post("/consumers/not-a-uuid/resume")
        .await
        .fails(404, "ROOM_NOT_FOUND");
    node.delete(&service(), "/api/rooms/nowhere")
        .await
        .fails(404, "ROOM_NOT_FOUND");
}

#[tokio::test]
async fn leaving_closes_everything_and_may_be_repeated() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    anna.leave().await.says("Participant left room");
    anna.leave().await.says("Participant left room");
    let room = berta.get("").await;
    assert_eq!(room.data()["participantCount"], 1);
    assert_eq!(room.data()["producers"], json!([]));
    berta
        .delete(&format!("/producers/{producer}"))
        .await
        .fails(404, "PRODUCER_NOT_FOUND");
    let stats = node.get(&service(), "/api/stats").await;
    assert_eq!(stats.data()["transports"], 2);
    assert_eq!(stats.data()["producers"], 0);
}

#[tokio::test]
async fn somebody_who_never_came_may_leave() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    Member::new(&node, "call-1", "nobody")
        .leave()
        .await
        .says("Participant left room");
    node.get(&service(), "/api/rooms/call-1").await.data();
}

#[tokio::test]
async fn the_room_ends_with_the_last_participant() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    anna.leave().await.says("Participant left room");
    node.get(&service(), "/api/rooms/call-1")
        .await
        .fails(404, "ROOM_NOT_FOUND");
    let stats = node.get(&service(), "/api/stats").await;
    assert_eq!(
        (&stats.data()["rooms"], &stats.data()["participants"]),
        (&json!(0), &json!(0))
    );
    node.room("call-1").await;
}

#[tokio::test]
async fn a_destroyed_room_takes_everything_with_it() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    anna.produce(audio(1)).await.data();
    node.delete(&service(), "/api/rooms/call-1")
        .await
        .says("Room destroyed");
    node.delete(&service(), "/api/rooms/call-1")
        .await
        .fails(404, "ROOM_NOT_FOUND");
    anna.get("").await.fails(404, "ROOM_NOT_FOUND");
    let stats = node.get(&service(), "/api/stats").await;
    assert_eq!(stats.data()["transports"], 0);
    // A new room of the same name knows nothing of the old one.
    node.room("call-1").await;
    assert_eq!(anna.get("").await.data()["participantCount"], 0);
}

#[tokio::test]
async fn a_room_nobody_joins_destroys_itself() {
    let node = TestNode::with_timings(|timings| timings.unjoined = Duration::from_millis(40)).await;
    node.room("empty").await;
    node.room("joined").await;
    let anna = node.member("joined", "anna").await;
    let token = service();
    eventually("the empty room is gone", async || {
        node.get(&token, "/api/rooms/empty").await.status.as_u16() == 404
    })
    .await;
    anna.get("").await.data();
}
