//! One media node as it is known here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use call::NodeId;
use signalling::CallId;
use signalling::client_gateway::{AdminNode, NodeOrigin, NodeState};
use signalling::client_node::StatsResponse;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

/// Silence after which a node that registered may be forgotten: three registrations (contract §8.4).
pub(super) const EXPIRY: Duration = Duration::from_secs(15);
/// Rooms that may wait to be watched.
const WATCHES: usize = 256;

/// One media node.
pub(super) struct Node {
    /// Its host and port: known before it ever answered, and the same after a restart of the gateway.
    pub(super) id: NodeId,
    /// Base of its paths, without a slash at the end.
    pub(super) url: String,
    /// How it came to be known.
    pub(super) origin: NodeOrigin,
    /// When it registered the last time.
    heard_of: Mutex<Instant>,
    state: watch::Sender<State>,
    /// Calls whose rooms are watched.
    watched: Mutex<BTreeSet<CallId>>,
    watches: mpsc::Sender<Watch>,
}

/// How a node is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Whether its events come.
    pub(super) connected: bool,
    /// Whether it said that it takes new rooms.
    pub(super) ready: bool,
    /// Whether it is taken for dead.
    pub(super) lost: bool,
    /// Whether it was told to take no new rooms.
    pub(super) draining: bool,
    /// Whether it is not known any more, and whoever looks after it may go.
    pub(super) forgotten: bool,
    /// Its process; empty if it does not say.
    pub(super) instance: String,
    /// What it registered as, if not under this name.
    pub(super) alias: String,
    /// Whether the settings name it by another address: then it gets its rooms there.
    pub(super) listed_elsewhere: bool,
    /// Where it stands; empty if it does not say.
    pub(super) region: String,
    /// How many rooms it holds.
    pub(super) rooms: u32,
    /// How many of them take one of its places.
    pub(super) occupied: u32,
    /// How many places it has; 0 if it does not say.
    pub(super) max_rooms: u32,
    /// Rooms it was asked for and has not answered yet.
    pub(super) asked_rooms: u32,
    /// How many of them will take one of its places.
    pub(super) asked_places: u32,
    /// Participants of all rooms.
    pub(super) participants: u32,
    /// Share of its cores in use, 0 to 1.
    pub(super) cpu: f64,
    /// Resident memory, bytes.
    pub(super) memory: u64,
    /// Packets received per second.
    pub(super) packets_in: f64,
    /// Packets sent per second.
    pub(super) packets_out: f64,
}

impl State {
    /// Whether all its places are taken.
    pub(super) const fn is_full(&self) -> bool {
        self.max_rooms > 0 && self.occupied.saturating_add(self.asked_places) >= self.max_rooms
    }

    pub(super) const fn takes_rooms(&self) -> bool {
        let well = self.connected && self.ready && !self.lost;
        well && !self.draining && !self.listed_elsewhere && !self.is_full()
    }

    /// Whether it takes rooms or why not, in one word.
    pub(super) const fn word(&self) -> NodeState {
        if self.lost {
            NodeState::Lost
        } else if !self.connected {
            NodeState::Connecting
        } else if self.draining || self.listed_elsewhere {
            NodeState::Draining
        } else if !self.ready {
            NodeState::Overloaded
        } else if self.is_full() {
            NodeState::Full
        } else {
            NodeState::Ready
        }
    }

    /// Takes over what it says of itself.
    pub(super) fn learn(&mut self, stats: &StatsResponse) {
        self.rooms = stats.rooms;
        // An older node knows no places: every room counts.
        self.occupied = if stats.max_rooms == 0 {
            stats.rooms
        } else {
            stats.occupied_rooms
        };
        self.max_rooms = stats.max_rooms;
        self.participants = stats.participants;
        self.cpu = stats.cpu;
        self.memory = stats.memory;
        self.draining = stats.draining;
        self.packets_in = stats.worker_loads.iter().map(|load| load.packets_in).sum();
        self.packets_out = stats.worker_loads.iter().map(|load| load.packets_out).sum();
        self.region.clone_from(&stats.region);
        self.instance.clone_from(&stats.instance);
    }
}

/// A room that a node was asked for, counted before it is there: others who look for a node at the same moment are not
/// all to take it for idle. Given back when dropped.
pub(super) struct Reservation {
    node: Arc<Node>,
    /// Whether it only stands by.
    pub(super) standby: bool,
}

impl Reservation {
    pub(super) fn new(node: &Arc<Node>, standby: bool) -> Self {
        node.change(|state| {
            state.asked_rooms += 1;
            state.asked_places += u32::from(!standby);
        });
        Self {
            node: Arc::clone(node),
            standby,
        }
    }

    /// The room is there: it counts until the node says so itself, at the next probe.
    pub(super) fn keep(self) {
        self.node.change(|state| {
            state.rooms = state.rooms.saturating_add(1);
            state.occupied = state.occupied.saturating_add(u32::from(!self.standby));
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.node.change(|state| {
            state.asked_rooms = state.asked_rooms.saturating_sub(1);
            state.asked_places = state.asked_places.saturating_sub(u32::from(!self.standby));
        });
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
    pub(super) fn new(url: &str, origin: NodeOrigin) -> (Self, mpsc::Receiver<Watch>) {
        let url = url.trim_end_matches('/');
        let (_, authority) = url.split_once("://").unwrap_or(("", url));
        let (watches, asked) = mpsc::channel(WATCHES);
        let node = Self {
            id: NodeId(authority.to_owned()),
            url: url.to_owned(),
            origin,
            heard_of: Mutex::new(Instant::now()),
            state: watch::Sender::new(State::default()),
            watched: Mutex::default(),
            watches,
        };
        (node, asked)
    }

    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Whether its state is such; without a copy of it.
    pub(super) fn is(&self, such: impl FnOnce(&State) -> bool) -> bool {
        such(&self.state.borrow())
    }

    /// Notes that it registered.
    pub(super) fn hear_of(&self, now: Instant) {
        *self.heard_of.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Whether it may be forgotten: it came by itself, is silent and lost, and nobody waits for a room on it.
    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        let heard_of = *self.heard_of.lock().unwrap_or_else(PoisonError::into_inner);
        self.origin == NodeOrigin::Registered
            && now.saturating_duration_since(heard_of) >= EXPIRY
            && self.is(|state| state.lost)
            && self.watched().is_empty()
    }

    /// Waits until it is forgotten.
    pub(super) async fn forgotten(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as this.
        drop(state.wait_for(|state| state.forgotten).await);
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
            region: state.region.clone(),
            origin: self.origin,
            state: state.word(),
            rooms: state.occupied,
            max_rooms: state.max_rooms,
            participants: state.participants,
            cpu: state.cpu,
            memory: state.memory,
            packets_in: state.packets_in,
            packets_out: state.packets_out,
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
        if !self.is(|state| state.connected) || self.watches.send(watch).await.is_err() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> State {
        State {
            connected: true,
            ready: true,
            max_rooms: 2,
            ..State::default()
        }
    }

    /// What makes a node different from one that is well.
    type Change = fn(&mut State);

    #[test]
    fn one_word_says_whether_rooms_are_taken_or_why_not() {
        let rows: [(Change, NodeState); 8] = [
            (|_| (), NodeState::Ready),
            (|state| state.occupied = 2, NodeState::Full),
            (|state| state.ready = false, NodeState::Overloaded),
            (
                |state| (state.draining, state.ready) = (true, false),
                NodeState::Draining,
            ),
            (|state| state.listed_elsewhere = true, NodeState::Draining),
            (|state| state.connected = false, NodeState::Connecting),
            (
                |state| (state.lost, state.connected) = (true, false),
                NodeState::Lost,
            ),
            (
                |state| (state.max_rooms, state.occupied) = (0, 9),
                NodeState::Ready,
            ),
        ];
        for (change, word) in rows {
            let mut state = ready();
            change(&mut state);
            assert_eq!(state.word(), word, "{state:?}");
            assert_eq!(state.takes_rooms(), word == NodeState::Ready, "{state:?}");
        }
    }

    #[test]
    fn a_room_that_was_asked_for_counts_until_it_is_given_back_or_there() {
        let node = Arc::new(Node::new("http://a:1", NodeOrigin::Static).0);
        node.change(|state| *state = ready());
        let first = Reservation::new(&node, false);
        let second = Reservation::new(&node, false);
        assert!(node.is(State::is_full), "both places are spoken for");
        drop(second);
        assert!(!node.is(State::is_full), "one was given back");
        // What it says of itself meanwhile does not know of it.
        let stats = StatsResponse {
            max_rooms: 2,
            ..StatsResponse::default()
        };
        node.change(|state| state.learn(&stats));
        assert_eq!((node.state().occupied, node.state().asked_places), (0, 1));
        first.keep();
        let standby = Reservation::new(&node, true);
        let state = node.state();
        assert_eq!((state.rooms, state.occupied), (1, 1));
        assert_eq!((state.asked_rooms, state.asked_places), (1, 0));
        standby.keep();
        let state = node.state();
        assert_eq!((state.rooms, state.occupied, state.asked_rooms), (2, 1, 0));
    }

    #[test]
    fn places_are_counted_by_who_knows_them() {
        let mut state = State::default();
        let mut stats = StatsResponse {
            rooms: 7,
            occupied_rooms: 3,
            max_rooms: 10,
            ..StatsResponse::default()
        };
        state.learn(&stats);
        assert_eq!((state.rooms, state.occupied, state.max_rooms), (7, 3, 10));
        (stats.max_rooms, stats.occupied_rooms) = (0, 0);
        state.learn(&stats);
        assert_eq!((state.occupied, state.max_rooms), (7, 0), "an older node");
    }

    #[test]
    fn who_registered_is_forgotten_when_silent_lost_and_empty() {
        let now = Instant::now();
        let late = now + EXPIRY;
        let node = |origin| Node::new("http://a:1", origin).0;
        let registered = node(NodeOrigin::Registered);
        registered.hear_of(now);
        assert!(!registered.is_forgettable(late), "it answers");
        registered.change(|state| state.lost = true);
        assert!(registered.is_forgettable(late));
        assert!(
            !registered.is_forgettable(late - Duration::from_millis(1)),
            "not silent for long"
        );
        registered.watched().insert("a-call".parse().expect("an id"));
        assert!(!registered.is_forgettable(late), "it holds a call");
        let fixed = node(NodeOrigin::Static);
        fixed.change(|state| state.lost = true);
        assert!(!fixed.is_forgettable(late), "it is in the settings");
    }
}
