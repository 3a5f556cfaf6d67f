//! Finds out whether a node is alive, and whether it takes new rooms.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::Report;
use super::list::NodeList;
use super::node::Node;
use super::rest::Rest;

/// Probes without an answer after which a node whose connection broke, too, is lost.
const MISSES_UNCONNECTED: u32 = 2;
/// The same for a node whose connection is there but may only not have been noticed to be dead.
const MISSES_CONNECTED: u32 = 4;

/// Starts probing a node. It ends when nobody listens to reports any more, or the node is forgotten.
pub(super) fn spawn(
    node: Arc<Node>,
    rest: Rest,
    interval: Duration,
    (reports, list): (mpsc::Sender<Report>, Arc<NodeList>),
) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut misses = 0;
        while !reports.is_closed() {
            ticks.tick().await;
            misses = if alive(&node, &rest).await { 0 } else { misses + 1 };
            let (connected, lost) = (node.is(|state| state.connected), node.is(|state| state.lost));
            if is_lost(misses, connected) {
                lose(&node, &reports).await;
            } else if misses == 0 && lost {
                tracing::info!(node = %node.id.0, "the media node is back");
                node.change(|state| state.lost = false);
            }
            if node.is_forgettable(Instant::now()) {
                tracing::info!(node = %node.id.0, "the media node is forgotten until it registers again");
                list.remove(&node.id);
                node.change(|state| state.forgotten = true);
                return;
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
        if let Some(stats) = &stats {
            state.learn(stats);
        }
    });
    true
}

/// Notes that a node is lost, and tells every call that had its room there.
async fn lose(node: &Node, reports: &mpsc::Sender<Report>) {
    let calls = std::mem::take(&mut *node.watched());
    if !node.is(|state| state.lost) {
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
    use edge::token::Secrets;
    use signalling::client_gateway::NodeOrigin;

    use super::*;
    use crate::auth::Tokens;
    use crate::nodes::node::EXPIRY;

    fn rest() -> Rest {
        let secrets = Secrets {
            current: "s".repeat(32),
            previous: None,
        };
        Rest::new(
            Arc::new(Tokens::new(&secrets, &secrets)),
            Duration::from_millis(100),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_registered_and_is_gone_is_forgotten_and_one_of_the_settings_is_not() {
        let (reports, mut heard) = mpsc::channel(8);
        let list = Arc::new(NodeList::default());
        let mut nodes = Vec::new();
        // Nobody listens on these ports.
        for (url, origin) in [
            ("http://127.0.0.1:1", NodeOrigin::Registered),
            ("http://127.0.0.1:2", NodeOrigin::Static),
        ] {
            let node = Arc::new(Node::new(url, origin).0);
            list.add(Arc::clone(&node), 2);
            let told = (reports.clone(), Arc::clone(&list));
            spawn(Arc::clone(&node), rest(), Duration::from_secs(1), told);
            nodes.push(node);
        }
        let call: signalling::CallId = "a-call".parse().expect("an id");
        nodes[0].watched().insert(call.clone());
        let lost = heard.recv().await.expect("it is missed");
        assert!(matches!(lost, Report::RoomLost { call: of, .. } if of == call));
        assert_eq!(list.all().len(), 2, "it may come back");
        nodes[0].forgotten().await;
        assert!(nodes[0].is_forgettable(Instant::now()));
        tokio::time::sleep(EXPIRY).await;
        let names: Vec<String> = list.all().iter().map(|node| node.id.0.clone()).collect();
        assert_eq!(names, ["127.0.0.1:2"]);
    }

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
