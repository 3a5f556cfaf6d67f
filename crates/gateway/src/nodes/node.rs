//! One media node as it is known here.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use call::NodeId;
use signalling::CallId;
use signalling::client_gateway::{AdminNode, NodeOrigin, NodeState};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// Rooms that may wait to be watched.
const WATCHES: usize = 256;

/// One media node.
pub(super) struct Node {
    /// Its host and port: known before it ever answered, and the same after a restart of the gateway.
    pub(super) id: NodeId,
    /// Base of its paths, without a slash at the end.
    pub(super) url: String,
    state: watch::Sender<State>,
    /// Calls whose rooms are watched.
    watched: Mutex<BTreeSet<CallId>>,
    watches: mpsc::Sender<Watch>,
}

/// How a node is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Whether its events come.
    pub(super) connected: bool,
    /// Whether it said that it takes new rooms.
    pub(super) ready: bool,
    /// Whether it is taken for dead.
    pub(super) lost: bool,
    /// How many rooms it holds.
    pub(super) rooms: u32,
    /// Share of its cores in use, 0 to 1.
    pub(super) cpu: f64,
}

impl State {
    pub(super) const fn takes_rooms(&self) -> bool {
        self.connected && self.ready && !self.lost
    }

    /// What placement compares: a room weighs as much as a tenth of all cores, as ten are a node's usual limit.
    pub(super) fn load(&self) -> f64 {
        f64::from(self.rooms) / 10.0 + self.cpu
    }
}

/// Asks the link to subscribe to a room.
pub(super) struct Watch {
    pub(super) call: CallId,
    pub(super) done: oneshot::Sender<Watched>,
}

/// Whether a room's events will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    Yes,
    NoRoom,
    NoConnection,
}

impl Node {
    /// A node nothing is known of yet, and what its link is asked.
    pub(super) fn new(url: &str) -> (Self, mpsc::Receiver<Watch>) {
        let url = url.trim_end_matches('/');
        let (_, authority) = url.split_once("://").unwrap_or(("", url));
        let (watches, asked) = mpsc::channel(WATCHES);
        let node = Self {
            id: NodeId(authority.to_owned()),
            url: url.to_owned(),
            state: watch::Sender::new(State::default()),
            watched: Mutex::default(),
            watches,
        };
        (node, asked)
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }

    /// What operators are shown of it.
    pub(super) fn shown(&self) -> AdminNode {
        let state = self.state();
        AdminNode {
            node_id: self.id.0.clone(),
            url: self.url.clone(),
            region: String::new(),
            origin: NodeOrigin::Static,
            state: match state {
                State { lost: true, .. } => NodeState::Lost,
                State { connected: false, .. } => NodeState::Connecting,
                State { ready: false, .. } => NodeState::Overloaded,
                _ => NodeState::Ready,
            },
            rooms: state.rooms,
            max_rooms: 0,
            participants: 0,
            cpu: state.cpu,
            memory: 0,
            packets_in: 0.0,
            packets_out: 0.0,
        }
    }

    /// Waits until its events come, or for so long.
    pub(super) async fn connected_within(&self, patience: Duration) {
        let mut state = self.state.subscribe();
        // Whether they do is seen by what is done next.
        drop(timeout(patience, state.wait_for(|state| state.connected)).await);
    }

    pub(super) fn watched(&self) -> MutexGuard<'_, BTreeSet<CallId>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of a room from now on.
    pub(super) async fn watch(&self, call: &CallId, patience: Duration) -> Watched {
        let (done, watched) = oneshot::channel();
        let watch = Watch {
            call: call.clone(),
            done,
        };
        if !self.state().connected || self.watches.send(watch).await.is_err() {
            return Watched::NoConnection;
        }
        match timeout(patience, watched).await {
            Ok(Ok(watched)) => watched,
            _ => Watched::NoConnection,
        }
    }

    /// Does not care about a room any more. Its events may still come; nobody is told of them.
    pub(super) fn unwatch(&self, call: &CallId) {
        self.watched().remove(call);
    }
}
