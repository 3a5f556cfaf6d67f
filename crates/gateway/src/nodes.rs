//! The media nodes: which there are, which of them work, where a call's room is, and what they have to say.
//!
//! * `list`: which are known. `node`: one of them as it is known here.
//! * `placement`: where a new room goes.
//! * `registration`: nodes that come by themselves.
//! * `rest`: requests to it.
//! * `link`: the connection that brings its events.
//! * `probe`: whether it is alive and takes rooms.
//! * `proxy`: participants' requests, passed on to the node that holds their call.
//! * [`socket`]: the Socket.IO client below `link`.

mod link;
mod list;
mod node;
mod placement;
mod probe;
pub(crate) mod proxy;
pub(crate) mod registration;
mod rest;
pub mod socket;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use call::{NodeEvent, NodeId, RoomInfo};
use signalling::client_gateway::{AdminDrain, AdminNode, NodeOrigin};
use signalling::error::ErrorBody;
use signalling::token::Token;
use signalling::{CallId, ConsumerId, ErrorCode, ParticipantId, ProducerId};
use tokio::sync::mpsc;

use crate::auth::Tokens;
use crate::cluster::Cluster;
use crate::region::Region;
use list::{Added, NodeList};
use node::{Node, Reservation, Watched};
use placement::Candidate;
use rest::{Created, Rest, RestError};

/// News that may wait for the calls; a node is read no further while they are full.
const REPORTS: usize = 1024;
/// How long a room is waited for that is watched again right after a start, before its node is connected.
const FIRST_CONTACT: Duration = Duration::from_secs(3);
/// How long a node is waited for that holds a room but is not known right after a start: it registers every five
/// seconds.
const FIRST_REGISTRATION: Duration = Duration::from_secs(8);
/// Tries to get a room: one, and one more on another node if there is one (contract §3.5). A node that says at once that
/// it takes no more rooms costs no try.
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

/// What a node is told about new rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    /// To take none.
    Begin,
    /// To take them again.
    End,
}

/// What a new room is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// A node that is the last resort, because it failed.
    pub(crate) avoid: Option<&'a NodeId>,
    /// Whether the room only stands by.
    pub(crate) standby: bool,
    /// Where those in the call are.
    pub(crate) region: &'a Region,
}

/// Nodes that were asked for a room in vain.
#[derive(Default)]
struct Asked {
    /// Failed: the last resort.
    poor: Vec<NodeId>,
    /// Take no more rooms, and are not asked again.
    full: Vec<NodeId>,
}

/// All media nodes.
pub(crate) struct Nodes {
    list: Arc<NodeList>,
    rest: Rest,
    tokens: Arc<Tokens>,
    cluster: Arc<dyn Cluster>,
    patience: Patience,
    reports: mpsc::Sender<Report>,
    /// Held while a node is chosen and the room counted there, which never waits.
    placing: Mutex<()>,
}

impl Nodes {
    /// Connects to the nodes with these base URLs (`http://host:port`), and gives what they and those that register
    /// later will have to say. Must be called within the runtime; the connections end when the receiver is gone.
    pub(crate) fn start(
        urls: &[String],
        tokens: Arc<Tokens>,
        cluster: Arc<dyn Cluster>,
        patience: Patience,
    ) -> (Arc<Self>, mpsc::Receiver<Report>) {
        let (reports, received) = mpsc::channel(REPORTS);
        let nodes = Self {
            list: Arc::default(),
            rest: Rest::new(Arc::clone(&tokens), patience.request),
            tokens,
            cluster,
            patience,
            reports,
            placing: Mutex::default(),
        };
        for url in urls {
            nodes.know(url, NodeOrigin::Static, usize::MAX);
        }
        (Arc::new(nodes), received)
    }

    /// The node with this URL, looked after from now on if it is new; none, if there are `most` already.
    fn know(&self, url: &str, origin: NodeOrigin, most: usize) -> Option<Arc<Node>> {
        let (node, watches) = Node::new(url, origin);
        let (node, added) = self.list.add(Arc::new(node), most)?;
        if added == Added::Now {
            let (tokens, reports) = (Arc::clone(&self.tokens), self.reports.clone());
            link::spawn(Arc::clone(&node), tokens, watches, reports.clone());
            let told = (reports, Arc::clone(&self.list));
            probe::spawn(Arc::clone(&node), self.rest.clone(), self.patience.probe, told);
        }
        Some(node)
    }

    /// How many nodes there are.
    pub(crate) fn count(&self) -> usize {
        self.list.all().len()
    }

    /// How many of them work and take new rooms.
    pub(crate) fn usable(&self) -> usize {
        let all = self.list.all();
        all.iter()
            .filter(|node| node.is(node::State::takes_rooms))
            .count()
    }

    /// What operators are shown of them.
    pub(crate) fn shown(&self) -> Vec<AdminNode> {
        self.list.all().iter().map(|node| node.shown()).collect()
    }

    /// A node that is not known to be lost: asking another one would only take time.
    fn living(&self, id: &NodeId) -> Option<Arc<Node>> {
        self.list.find(id).filter(|node| !node.is(|state| state.lost))
    }

    /// Has a node take no new rooms, or take them again.
    ///
    /// # Errors
    /// `NOT_FOUND` if no such node is known; `MEDIA_SERVER_ERROR` if it does not answer, or what it refuses with.
    pub(crate) async fn drain(&self, id: &NodeId, drain: Drain) -> Result<AdminDrain, ErrorBody> {
        let unknown = || ErrorBody::with_message(ErrorCode::NotFound, "There is no such media node");
        let node = self.list.find(id).ok_or_else(unknown)?;
        let before = node.is(|state| state.draining);
        match self.rest.drain(&node, drain).await {
            Ok(answer) => {
                // Without waiting for the next probe: no room comes in between.
                node.change(|state| {
                    state.draining = answer.draining;
                    state.occupied = answer.rooms;
                });
                if before != answer.draining {
                    tracing::info!(node = %id.0, draining = answer.draining, "an operator drains a media node");
                }
                Ok(AdminDrain {
                    node_id: id.0.clone(),
                    draining: answer.draining,
                    rooms: answer.rooms,
                })
            }
            Err(RestError::Refused(error)) => Err(error),
            Err(error) => {
                tracing::warn!(node = %id.0, %error, "a media node cannot be drained");
                Err(ErrorBody::new(ErrorCode::MediaServerError))
            }
        }
    }

    /// Gets a room for the call: the one it has, or a new one on the node with the least to do. A room that stood by until
    /// now is the one it has only if its node has a place for it.
    pub(crate) async fn open(&self, call: &CallId, wish: Wish<'_>) -> Option<RoomInfo> {
        let mut asked = Asked {
            poor: wish.avoid.into_iter().cloned().collect(),
            full: Vec::new(),
        };
        let mut tries = TRIES;
        while tries > 0 {
            let present = self.cluster.node_of(call).await;
            let (node, reservation) = self.reserve(present.as_ref(), &asked, wish)?;
            match self.open_on(&node, call, reservation).await {
                Ok(room) => {
                    self.cluster.place(call, &node.id).await;
                    return Some(room);
                }
                Err(error) if error.is_capacity() => {
                    tracing::info!(%call, node = %node.id.0, %error, "this node takes no more rooms");
                    asked.full.push(node.id.clone());
                }
                Err(error) => {
                    tracing::warn!(%call, node = %node.id.0, %error, "no room on this node");
                    asked.poor.push(node.id.clone());
                    tries -= 1;
                }
            }
        }
        None
    }

    /// Chooses a node and counts the room there, before anybody else chooses.
    fn reserve(
        &self,
        present: Option<&NodeId>,
        asked: &Asked,
        wish: Wish<'_>,
    ) -> Option<(Arc<Node>, Reservation)> {
        let _alone = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let node = self.choose(present, asked, wish.region)?;
        let reservation = Reservation::new(&node, wish.standby);
        Some((node, reservation))
    }

    fn choose(&self, present: Option<&NodeId>, asked: &Asked, region: &Region) -> Option<Arc<Node>> {
        let Asked { poor, full } = asked;
        // A node that is full or drains still keeps the rooms it has.
        let keeps = |node: &Arc<Node>| {
            node.is(|state| state.connected) && !poor.contains(&node.id) && !full.contains(&node.id)
        };
        if let Some(same) = present.and_then(|id| self.list.find(id)).filter(keeps) {
            return Some(same);
        }
        let nodes = self.list.all();
        let states: Vec<_> = nodes.iter().map(|node| node.state()).collect();
        let candidates: Vec<Candidate<'_>> = nodes
            .iter()
            .zip(&states)
            .filter(|(node, _)| !full.contains(&node.id))
            .map(|(node, state)| Candidate {
                id: &node.id,
                state,
                avoided: poor.contains(&node.id),
            })
            .collect();
        let chosen = placement::choose(&candidates, region.name())?;
        self.list.find(chosen)
    }

    async fn open_on(
        &self,
        node: &Node,
        call: &CallId,
        reservation: Reservation,
    ) -> Result<RoomInfo, RestError> {
        let created = self.rest.create_room(node, call, reservation.standby).await?;
        // Once is enough: each time it is told of all that is sent there.
        let heard = matches!(created, Created::Existed) && node.watched().contains(call);
        if !heard && node.watch(call, self.rest.timeout()).await != Watched::Yes {
            if matches!(created, Created::New(_)) {
                // The call goes elsewhere: nobody would ever use this one.
                note(call, self.rest.destroy_room(node, call).await);
            }
            return Err(RestError::Unwatched);
        }
        match created {
            Created::New(room) => {
                reservation.keep();
                Ok(RoomInfo {
                    node: node.id.clone(),
                    router_id: room.router_id,
                    rtp_capabilities: room.rtp_capabilities,
                    producers: Vec::new(),
                })
            }
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
        let node = self.list.find_within(node, FIRST_REGISTRATION).await?;
        node.connected_within(FIRST_CONTACT).await;
        let found = match node.watch(call, self.rest.timeout()).await {
            Watched::Yes => self.fetch(&node, call).await,
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
            note(call, self.rest.leave(&node, call, participant).await);
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
            note(call, self.rest.post(&node, call, &path, None).await);
        }
    }

    /// Destroys the call's room, and hears no more of it.
    pub(crate) async fn destroy(&self, call: &CallId, node: &NodeId) {
        if let Some(node) = self.list.find(node) {
            node.unwatch(call);
        }
        if self.cluster.node_of(call).await.as_ref() == Some(node) {
            self.cluster.displace(call).await;
        }
        if let Some(node) = self.living(node) {
            note(call, self.rest.destroy_room(&node, call).await);
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
        match self.rest.post(&node, call, &path, Some(token)).await {
            Ok(()) => Ok(()),
            Err(RestError::Refused(error)) => Err(error),
            Err(_) => Err(ErrorBody::new(ErrorCode::MediaServerError)),
        }
    }

    /// The call is over: forgets where its room was.
    pub(crate) async fn forget(&self, call: &CallId) {
        for node in self.list.all() {
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
