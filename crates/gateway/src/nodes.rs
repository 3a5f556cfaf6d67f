//! The media nodes: which there are, which of them work, where a call's room is, and what they have to say.
//!
//! * `node`: one node as it is known here.
//! * `rest`: requests to it.
//! * `link`: the connection that brings its events.
//! * `probe`: whether it is alive and takes rooms.
//! * `proxy`: participants' requests, passed on to the node that holds their call.
//! * [`socket`]: the Socket.IO client below `link`.

mod link;
mod node;
mod probe;
pub(crate) mod proxy;
mod rest;
pub mod socket;

use std::sync::Arc;
use std::time::Duration;

use call::{NodeEvent, NodeId, RoomInfo};
use signalling::client_gateway::AdminNode;
use signalling::error::ErrorBody;
use signalling::token::Token;
use signalling::{CallId, ConsumerId, ErrorCode, ParticipantId, ProducerId};
use tokio::sync::mpsc;

use crate::auth::Tokens;
use crate::cluster::Cluster;
use node::{Node, Watched};
use rest::{Created, Rest, RestError};

/// News that may wait for the calls; a node is read no further while they are full.
const REPORTS: usize = 1024;
/// How long a room is waited for that is watched again right after a start, before its node is connected.
const FIRST_CONTACT: Duration = Duration::from_secs(3);
/// Tries to get a room: one, and one more on another node if there is one (contract §3.5).
const TRIES: usize = 2;

/// How patient the gateway is with nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one request.
    pub request: Duration,
    /// Between two looks at whether a node is alive.
    pub probe: Duration,
}

impl Default for Patience {
    /// A request may take a second (contract §3.5). Lost nodes must be noticed within five (contract §3.7): that is
    /// twice this interval and the time of a request, or four times without a broken connection.
    fn default() -> Self {
        Self {
            request: Duration::from_secs(1),
            probe: Duration::from_secs(1),
        }
    }
}

/// What a node has to say about a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Report {
    /// Something happened in the call's room.
    Event {
        /// Which call.
        call: CallId,
        /// On which node.
        node: NodeId,
        /// What.
        event: NodeEvent,
    },
    /// The call's room is gone.
    RoomLost {
        /// Which call.
        call: CallId,
        /// From which node.
        node: NodeId,
    },
}

/// All media nodes.
pub(crate) struct Nodes {
    nodes: Vec<Arc<Node>>,
    rest: Rest,
    cluster: Arc<dyn Cluster>,
}

impl Nodes {
    /// Connects to the nodes with these base URLs (`http://host:port`), and gives what they will have to say. Must be
    /// called within the runtime; the connections end when the receiver is gone.
    pub(crate) fn start(
        urls: &[String],
        tokens: Arc<Tokens>,
        cluster: Arc<dyn Cluster>,
        patience: Patience,
    ) -> (Arc<Self>, mpsc::Receiver<Report>) {
        let (reports, received) = mpsc::channel(REPORTS);
        let rest = Rest::new(Arc::clone(&tokens), patience.request);
        let nodes: Vec<_> = urls
            .iter()
            .map(|url| {
                let (node, watches) = Node::new(url);
                let node = Arc::new(node);
                link::spawn(Arc::clone(&node), Arc::clone(&tokens), watches, reports.clone());
                probe::spawn(Arc::clone(&node), rest.clone(), patience.probe, reports.clone());
                node
            })
            .collect();
        let nodes = Arc::new(Self { nodes, rest, cluster });
        (nodes, received)
    }

    /// How many nodes there are.
    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// How many of them work and take new rooms.
    pub(crate) fn usable(&self) -> usize {
        self.nodes
            .iter()
            .filter(|node| node.state().takes_rooms())
            .count()
    }

    /// What operators are shown of them.
    pub(crate) fn shown(&self) -> Vec<AdminNode> {
        self.nodes.iter().map(|node| node.shown()).collect()
    }

    fn node(&self, id: &NodeId) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|node| node.id == *id)
    }

    /// A node that is not known to be lost: asking another one would only take time.
    fn living(&self, id: &NodeId) -> Option<&Arc<Node>> {
        self.node(id).filter(|node| !node.state().lost)
    }

    /// Gets a room for the call: the one it has, or a new one on the node with the least to do. A node to be avoided
    /// is the last resort.
    pub(crate) async fn open(
        &self,
        call: &CallId,
        avoid: Option<&NodeId>,
        standby: bool,
    ) -> Option<RoomInfo> {
        let mut poor: Vec<NodeId> = avoid.into_iter().cloned().collect();
        for _ in 0..TRIES {
            let present = self.cluster.node_of(call).await;
            let node = self.choose(present.as_ref(), &poor)?;
            match self.open_on(node, call, standby).await {
                Ok(room) => {
                    self.cluster.place(call, &node.id).await;
                    return Some(room);
                }
                Err(error) => tracing::warn!(%call, node = %node.id.0, %error, "no room on this node"),
            }
            poor.push(node.id.clone());
        }
        None
    }

    fn choose(&self, present: Option<&NodeId>, poor: &[NodeId]) -> Option<&Arc<Node>> {
        let usable = || self.nodes.iter().filter(|node| node.state().takes_rooms());
        let good = || usable().filter(|node| !poor.contains(&node.id));
        // A node that is full or drains still keeps the rooms it has.
        let same = self
            .nodes
            .iter()
            .find(|node| Some(&node.id) == present && node.state().connected && !poor.contains(&node.id));
        let least = good().min_by(|a, b| a.state().load().total_cmp(&b.state().load()));
        same.or(least).or_else(|| usable().next())
    }

    async fn open_on(&self, node: &Node, call: &CallId, standby: bool) -> Result<RoomInfo, RestError> {
        let created = self.rest.create_room(node, call, standby).await?;
        match node.watch(call, self.rest.timeout()).await {
            Watched::Yes => {}
            Watched::NoRoom | Watched::NoConnection => return Err(RestError::Unwatched),
        }
        match created {
            Created::New(room) => Ok(RoomInfo {
                node: node.id.clone(),
                router_id: room.router_id,
                rtp_capabilities: room.rtp_capabilities,
                producers: Vec::new(),
            }),
            // Only after it is watched, so that no producer falls in between.
            Created::Existed => self.fetch(node, call).await,
        }
    }

    async fn fetch(&self, node: &Node, call: &CallId) -> Result<RoomInfo, RestError> {
        let room = self.rest.room(node, call).await?;
        Ok(RoomInfo {
            node: node.id.clone(),
            router_id: room.router_id,
            rtp_capabilities: room.rtp_capabilities,
            producers: room.producers,
        })
    }

    /// Hears of a room again that existed before a restart. Nothing, if it does not any more.
    pub(crate) async fn watch(&self, call: &CallId, node: &NodeId) -> Option<RoomInfo> {
        let node = self.node(node)?;
        node.connected_within(FIRST_CONTACT).await;
        let found = match node.watch(call, self.rest.timeout()).await {
            Watched::Yes => self.fetch(node, call).await,
            Watched::NoRoom | Watched::NoConnection => Err(RestError::Unwatched),
        };
        match found {
            Ok(room) => {
                self.cluster.place(call, &node.id).await;
                Some(room)
            }
            Err(error) => {
                tracing::warn!(%call, node = %node.id.0, %error, "the room is gone");
                node.unwatch(call);
                None
            }
        }
    }

    /// Closes everything of a participant.
    pub(crate) async fn remove_participant(&self, call: &CallId, node: &NodeId, participant: &ParticipantId) {
        if let Some(node) = self.living(node) {
            note(call, self.rest.leave(node, call, participant).await);
        }
    }

    /// Pauses or resumes a producer.
    pub(crate) async fn set_producer_paused(
        &self,
        call: &CallId,
        node: &NodeId,
        producer: ProducerId,
        paused: bool,
    ) {
        if let Some(node) = self.living(node) {
            let path = format!("producers/{producer}/{}", verb(paused));
            note(call, self.rest.post(node, call, &path, None).await);
        }
    }

    /// Destroys the call's room, and hears no more of it.
    pub(crate) async fn destroy(&self, call: &CallId, node: &NodeId) {
        if let Some(node) = self.node(node) {
            node.unwatch(call);
        }
        if self.cluster.node_of(call).await.as_ref() == Some(node) {
            self.cluster.displace(call).await;
        }
        if let Some(node) = self.living(node) {
            note(call, self.rest.destroy_room(node, call).await);
        }
    }

    /// Pauses or resumes a consumer on behalf of the participant with this token.
    pub(crate) async fn set_consumer_paused(
        &self,
        call: &CallId,
        consumer: ConsumerId,
        paused: bool,
        token: &Token,
    ) -> Result<(), ErrorBody> {
        let node = self.cluster.node_of(call).await;
        let node = node.as_ref().and_then(|node| self.living(node));
        let node = node.ok_or_else(|| ErrorBody::new(ErrorCode::ConsumerNotFound))?;
        let path = format!("consumers/{consumer}/{}", verb(paused));
        match self.rest.post(node, call, &path, Some(token)).await {
            Ok(()) => Ok(()),
            Err(RestError::Refused(error)) => Err(error),
            Err(_) => Err(ErrorBody::new(ErrorCode::MediaServerError)),
        }
    }

    /// The call is over: forgets where its room was.
    pub(crate) async fn forget(&self, call: &CallId) {
        for node in &self.nodes {
            node.unwatch(call);
        }
        self.cluster.displace(call).await;
    }
}

const fn verb(paused: bool) -> &'static str {
    if paused { "pause" } else { "resume" }
}

/// What was to be done is done anyway when the room or the participant is gone already.
fn note(call: &CallId, outcome: Result<(), RestError>) {
    match outcome {
        Ok(()) => {}
        Err(RestError::Refused(error)) if error.code.status() == 404 => {}
        Err(error) => tracing::warn!(%call, %error, "a media node did not do as asked"),
    }
}
