//! Contract §3.8: above 70 % of the node's processors cameras are lowered in every room, wherever it lives and whenever it opens.

use std::num::NonZeroUsize;

use media_node::config::Percent;
use serde_json::Value;

use crate::caps::{Load, settles};
use crate::harness::{Member, TestNode, eventually, service};
use crate::media_client::{MediaClient, Track};
use crate::rtp_json::{video, with_mid};

/// What a client without transport feedback may send otherwise.
const USUAL: u64 = 10_000_000;
/// What a camera of one layer may send above 70 % and above 80 %.
const REDUCED: u64 = 1_500_000;
const LOWEST: u64 = 1_000_000;

/// Somebody with a camera, the client that sends for it, and the port of the worker that serves it.
async fn join<'n>(node: &'n TestNode, call: &str, name: &str) -> (Member<'n>, MediaClient, u64) {
    let mut member = Member::new(node, call, name);
    let sending: Value = member.transport("send").await.data().clone();
    let port = sending["iceCandidates"][0]["port"].as_u64().expect("a port");
    member.send = sending["transportId"].as_str().expect("an id").to_owned();
    member.produce(with_mid(video(4_711), "0")).await.data();
    let client = MediaClient::start(&member, &sending, Track::Films(4_711)).await;
    (member, client, port)
}

/// Waits until the last ceiling told is this one; it travels with the reports of each second.
async fn is_told(client: &MediaClient, ceiling: u64) {
    client
        .until(&format!("a ceiling of {ceiling}"), |seen| {
            // Eighteen bits of mantissa round a little.
            seen.ceilings
                .last()
                .is_some_and(|told| told.abs_diff(ceiling) < ceiling / 100)
        })
        .await;
}

#[tokio::test]
async fn a_busy_node_lowers_cameras_on_every_worker_and_raises_them_again() {
    let load = Load::default();
    let node = TestNode::with(|config, options| {
        // A room goes to the next worker with the next participant.
        config.media.workers = NonZeroUsize::new(2).expect("not zero");
        config.media.spread_at = Percent(0);
        load.burden(options);
    })
    .await;
    node.room("call-1").await;
    let (_anna, at_home, home) = join(&node, "call-1", "anna").await;
    let (_berta, at_branch, branch) = join(&node, "call-1", "berta").await;
    assert_ne!(home, branch, "one of them is served by the other worker");
    for client in [&at_home, &at_branch] {
        is_told(client, USUAL).await;
    }
    load.set(75);
    settles(&node, 1).await;
    node.room("call-2").await;
    let (_carla, later, _) = join(&node, "call-2", "carla").await;
    let everybody = [&at_home, &at_branch, &later];
    for client in everybody {
        is_told(client, REDUCED).await;
    }
    assert!(!later.seen().ceilings.contains(&USUAL), "low from the start");
    load.set(85);
    settles(&node, 2).await;
    for client in everybody {
        is_told(client, LOWEST).await;
    }
    // Within the margin, which keeps a load near the limit from flapping, it stays lowered.
    load.set(68);
    settles(&node, 1).await;
    for client in everybody {
        is_told(client, REDUCED).await;
    }
    load.set(10);
    settles(&node, 0).await;
    for client in everybody {
        is_told(client, USUAL).await;
    }
}

#[tokio::test]
async fn a_worker_that_replaces_a_dead_one_is_as_careful() {
    let load = Load::default();
    let node = TestNode::with(|config, options| {
        config.media.workers = NonZeroUsize::MIN;
        load.burden(options);
    })
    .await;
    load.set(75);
    settles(&node, 1).await;
    node.room("call-1").await;
    node.node.panic_worker_for_test(0);
    eventually("the room is gone with its worker", async || {
        let room = node.get(&service(), "/api/rooms/call-1").await;
        room.status.as_u16() == 404
    })
    .await;
    node.room("call-2").await;
    let (_anna, client, _) = join(&node, "call-2", "anna").await;
    is_told(&client, REDUCED).await;
    assert!(!client.seen().ceilings.contains(&USUAL), "low from the start");
}
