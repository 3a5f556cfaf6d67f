//! Finds out whether a node is alive, and whether it takes new rooms.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::Report;
use super::node::Node;
use super::rest::Rest;

/// Probes without an answer after which a node whose connection broke, too, is lost.
const MISSES_UNCONNECTED: u32 = 2;
/// The same for a node whose connection is there but may only not have been noticed to be dead.
const MISSES_CONNECTED: u32 = 4;

/// Starts probing a node. It ends when nobody listens to reports any more.
pub(super) fn spawn(node: Arc<Node>, rest: Rest, interval: Duration, reports: mpsc::Sender<Report>) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut misses = 0;
        while !reports.is_closed() {
            ticks.tick().await;
            misses = if alive(&node, &rest).await { 0 } else { misses + 1 };
            if is_lost(misses, node.state().connected) {
                lose(&node, &reports).await;
            } else if misses == 0 && node.state().lost {
                tracing::info!(node = %node.id.0, "the media node is back");
                node.change(|state| state.lost = false);
            }
        }
    });
}

const fn is_lost(misses: u32, connected: bool) -> bool {
    let enough = if connected {
        MISSES_CONNECTED
    } else {
        MISSES_UNCONNECTED
    };
    misses >= enough
}

/// Whether it answers at all; notes on the way how busy it is.
async fn alive(node: &Node, rest: &Rest) -> bool {
    let Ok(ready) = rest.probe(node, "/ready").await else {
        return false;
    };
    let stats = rest.stats(node).await.ok();
    node.change(|state| {
        state.ready = ready;
        if let Some(stats) = stats {
            state.rooms = stats.rooms;
            state.cpu = stats.cpu;
        }
    });
    true
}

/// Notes that a node is lost, and tells every call that had its room there.
async fn lose(node: &Node, reports: &mpsc::Sender<Report>) {
    let calls = std::mem::take(&mut *node.watched());
    if !node.state().lost {
        tracing::error!(node = %node.id.0, calls = calls.len(), "the media node is lost");
    }
    node.change(|state| {
        state.lost = true;
        state.ready = false;
    });
    for call in calls {
        let node = node.id.clone();
        // Nobody listens when the gateway stops.
        drop(reports.send(Report::RoomLost { call, node }).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_lost_within_five_probes_and_sooner_without_a_connection() {
        let rows = [
            (0, true, false),
            (3, true, false),
            (4, true, true),
            (0, false, false),
            (1, false, false),
            (2, false, true),
        ];
        for (misses, connected, lost) in rows {
            assert_eq!(is_lost(misses, connected), lost, "{misses} {connected}");
        }
    }
}
