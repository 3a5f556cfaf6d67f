//! Nothing stays behind of those who go away at an awkward moment.

use std::time::Duration;

use signalling::CallId;

use crate::harness::{Member, TestNode, eventually, service};
use crate::rtp_json::dtls;

const MOMENT: Duration = Duration::from_millis(100);

async fn count(node: &TestNode, call: &str) -> Option<u64> {
    let room = node.get(&service(), &format!("/api/rooms/{call}")).await;
    room.body["data"]["participantCount"].as_u64()
}

#[tokio::test]
async fn a_room_whose_creator_does_not_wait_for_it_opens_all_the_same() {
    let node = TestNode::start().await;
    for attempt in 0..5 {
        let call: CallId = format!("call-{attempt}").parse().expect("an id");
        // What becomes of a request's future when its connection is closed.
        tokio::select! {
            biased;
            created = node.node.ensure_room(&call) => panic!("a worker was asked and answered at once: {created:?}"),
            () = std::future::ready(()) => {}
        }
        eventually("the room is there", async || {
            count(&node, call.as_str()).await == Some(0)
        })
        .await;
        node.node.ensure_room(&call).await.expect("it can be joined");
    }
}

#[tokio::test]
async fn who_restarts_ice_and_never_comes_back_is_removed() {
    let node = TestNode::with_timings(|timings| {
        timings.connect = MOMENT;
        timings.failed = MOMENT * 3;
    })
    .await;
    node.room("call-1").await;
    let mut anna = Member::new(&node, "call-1", "anna");
    anna.send = anna.transport("send").await.text("transportId");
    let connect = format!("/transports/{}/connect", anna.send);
    anna.post_json(&connect, &dtls("client", "AA"))
        .await
        .says("Transport connected");
    // Given up by now, and not yet removed.
    tokio::time::sleep(MOMENT * 2).await;
    assert_eq!(count(&node, "call-1").await, Some(1));
    anna.post(&format!("/transports/{}/restart-ice", anna.send))
        .await
        .data();
    eventually("anna is gone, and the room with her", async || {
        count(&node, "call-1").await.is_none()
    })
    .await;
}

#[tokio::test]
async fn who_never_shows_a_sign_of_life_is_removed_where_nobody_else_watches() {
    let node = TestNode::with_timings(|timings| {
        timings.connect = MOMENT;
        timings.orphan_grace = Some(MOMENT);
    })
    .await;
    node.room("call-1").await;
    Member::new(&node, "call-1", "anna")
        .transport("send")
        .await
        .data();
    assert_eq!(count(&node, "call-1").await, Some(1));
    eventually("anna is gone, and the room with her", async || {
        count(&node, "call-1").await.is_none()
    })
    .await;
}
