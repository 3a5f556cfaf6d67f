//! The nodes that are known: those of the settings for ever, those that registered until they are forgotten.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use call::NodeId;
use signalling::client_gateway::NodeOrigin;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::node::Node;

/// The nodes that are known.
#[derive(Default)]
pub(super) struct NodeList {
    nodes: RwLock<Vec<Arc<Node>>>,
    /// Told whenever one more is known.
    added: Notify,
}

impl NodeList {
    /// All of them, by name.
    pub(super) fn all(&self) -> Vec<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The node of this name.
    pub(super) fn find(&self, id: &NodeId) -> Option<Arc<Node>> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes.iter().find(|node| node.id == *id).cloned()
    }

    /// The node of the settings that is this process and answers, if it is known by another name there.
    pub(super) fn listed(&self, instance: &str, id: &NodeId) -> Option<Arc<Node>> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let same = |node: &&Arc<Node>| {
            node.origin == NodeOrigin::Static
                && node.id != *id
                && node.is(|state| !state.lost && state.instance == instance)
        };
        nodes.iter().find(same).cloned().filter(|_| !instance.is_empty())
    }

    /// As [`Self::find`], and waits for so long for one that is not known yet.
    pub(super) async fn find_within(&self, id: &NodeId, patience: Duration) -> Option<Arc<Node>> {
        let known = async {
            loop {
                let added = self.added.notified();
                tokio::pin!(added);
                // Listens before it looks, so that none is missed in between.
                added.as_mut().enable();
                if let Some(node) = self.find(id) {
                    return node;
                }
                added.await;
            }
        };
        timeout(patience, known).await.ok()
    }

    /// Adds a node unless there is one of its name, or `most` in all; gives the one that is there then.
    pub(super) fn add(&self, node: Arc<Node>, most: usize) -> Option<(Arc<Node>, Added)> {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = nodes.iter().find(|known| known.id == node.id) {
            return Some((Arc::clone(known), Added::Before));
        }
        if nodes.len() >= most {
            return None;
        }
        nodes.push(Arc::clone(&node));
        nodes.sort_by(|a, b| a.id.0.cmp(&b.id.0));
        drop(nodes);
        self.added.notify_waiters();
        Some((node, Added::Now))
    }

    /// Forgets a node.
    pub(super) fn remove(&self, id: &NodeId) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        nodes.retain(|node| node.id != *id);
    }
}

/// Since when a node is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It is new.
    Now,
    /// It was there.
    Before,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(url: &str) -> Arc<Node> {
        Arc::new(Node::new(url, NodeOrigin::Registered).0)
    }

    fn id(name: &str) -> NodeId {
        NodeId(name.to_owned())
    }

    #[test]
    fn one_name_is_one_node_and_there_are_not_more_than_may_be() {
        let list = NodeList::default();
        let (first, added) = list.add(node("http://b:1"), 2).expect("there is room");
        assert_eq!(added, Added::Now);
        let (again, added) = list.add(node("http://b:1/"), 2).expect("it is there");
        assert_eq!(added, Added::Before);
        assert!(Arc::ptr_eq(&first, &again));
        assert!(list.add(node("http://a:1"), 2).is_some());
        assert!(list.add(node("http://c:1"), 2).is_none());
        let names: Vec<String> = list.all().iter().map(|node| node.id.0.clone()).collect();
        assert_eq!(names, ["a:1", "b:1"]);
        list.remove(&id("b:1"));
        assert!(list.find(&id("b:1")).is_none() && list.find(&id("a:1")).is_some());
        assert!(list.add(node("http://c:1"), 2).is_some());
    }

    #[test]
    fn a_process_of_the_settings_is_recognised_at_another_address_while_it_answers() {
        let list = NodeList::default();
        let listed = Arc::new(Node::new("http://media-1:1", NodeOrigin::Static).0);
        listed.change(|state| "one".clone_into(&mut state.instance));
        list.add(Arc::clone(&listed), 9);
        list.add(Arc::new(Node::new("http://old:1", NodeOrigin::Static).0), 9);
        let other = node("http://10.0.0.2:1");
        other.change(|state| "two".clone_into(&mut state.instance));
        list.add(other, 9);
        let found = |instance, name| list.listed(instance, &id(name)).map(|node| node.id.clone());
        assert_eq!(found("one", "10.0.0.1:1"), Some(id("media-1:1")));
        assert_eq!(found("one", "media-1:1"), None, "that is its name");
        assert_eq!(found("two", "10.0.0.1:1"), None, "not in the settings");
        assert_eq!(found("", "10.0.0.1:1"), None, "older nodes do not tell");
        listed.change(|state| state.lost = true);
        assert_eq!(
            found("one", "10.0.0.1:1"),
            None,
            "its other address is of more use"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_not_known_yet_is_waited_for() {
        let list = NodeList::default();
        assert!(
            list.find_within(&id("a:1"), Duration::from_secs(8))
                .await
                .is_none()
        );
        let registers = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            list.add(node("http://other:1"), 9);
            list.add(node("http://a:1"), 9);
        };
        let name = id("a:1");
        let waits = list.find_within(&name, Duration::from_secs(8));
        let (found, ()) = tokio::join!(waits, registers);
        assert_eq!(found.map(|node| node.url.clone()), Some("http://a:1".to_owned()));
    }
}
