//! Who is connected, and telling them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call::SocketId;
use serde::Serialize;
use signalling::client_gateway::ServerEvent;
use signalling::{ConversationId, UserId};
use socketioxide::SocketError;
use socketioxide::extract::SocketRef;
use store::Store;

use crate::auth::Caller;
use crate::cluster::{Audience, Cluster, Message};

/// All devices that are connected here and have said who they are.
pub(crate) struct Sockets {
    connected: Mutex<Connected>,
    store: Arc<dyn Store>,
    cluster: Arc<dyn Cluster>,
}

#[derive(Default)]
struct Connected {
    sockets: HashMap<SocketId, SocketRef>,
    users: HashMap<UserId, BTreeSet<SocketId>>,
    guests: HashMap<ConversationId, BTreeSet<SocketId>>,
    last: u64,
}

/// How many devices of a person are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Devices {
    /// The first one came, or the last one went.
    Edge,
    /// There are others.
    Others,
}

impl Sockets {
    pub(crate) fn new(store: Arc<dyn Store>, cluster: Arc<dyn Cluster>) -> Self {
        Self {
            connected: Mutex::default(),
            store,
            cluster,
        }
    }

    fn connected(&self) -> MutexGuard<'_, Connected> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a device that has said who it is.
    pub(super) fn add(&self, caller: &Caller, socket: SocketRef) -> (SocketId, Devices) {
        let mut connected = self.connected();
        connected.last += 1;
        let id = SocketId(connected.last);
        connected.sockets.insert(id, socket);
        let devices = match caller {
            Caller::User { id: user, .. } => connected.users.entry(*user).or_default(),
            Caller::Guest { conversation, .. } => connected.guests.entry(*conversation).or_default(),
            Caller::Service => return (id, Devices::Others),
        };
        let first = devices.is_empty();
        devices.insert(id);
        (id, if first { Devices::Edge } else { Devices::Others })
    }

    /// Removes a device.
    pub(super) fn remove(&self, caller: &Caller, id: SocketId) -> Devices {
        fn remove<K: Eq + std::hash::Hash>(
            map: &mut HashMap<K, BTreeSet<SocketId>>,
            key: &K,
            id: SocketId,
        ) -> Devices {
            let Some(devices) = map.get_mut(key) else {
                return Devices::Others;
            };
            devices.remove(&id);
            if !devices.is_empty() {
                return Devices::Others;
            }
            map.remove(key);
            Devices::Edge
        }
        let mut connected = self.connected();
        connected.sockets.remove(&id);
        match caller {
            Caller::User { id: user, .. } => remove(&mut connected.users, user, id),
            Caller::Guest { conversation, .. } => remove(&mut connected.guests, conversation, id),
            Caller::Service => Devices::Others,
        }
    }

    /// Whether a device of the user is connected.
    pub(crate) fn is_online(&self, user: &UserId) -> bool {
        self.connected().users.contains_key(user)
    }

    /// Whether a device is still connected.
    pub(crate) fn is_connected(&self, socket: SocketId) -> bool {
        self.connected().sockets.contains_key(&socket)
    }

    /// Tells one device.
    pub(crate) fn to_socket(&self, socket: SocketId, event: &ServerEvent) {
        let found = self.connected().sockets.get(&socket).cloned();
        if let Some(found) = found {
            emit(&found, event.name(), event);
        }
    }

    /// Tells all devices of these users but one.
    pub(crate) async fn to_users(&self, users: &[UserId], except: Option<SocketId>, event: &ServerEvent) {
        self.to_users_here(users, except, event.name(), event);
        self.publish(Audience::Users(users.to_vec()), event).await;
    }

    /// Tells all devices of the conversation's members, and of guests who came to it.
    pub(crate) async fn to_conversation(&self, conversation: &ConversationId, event: &ServerEvent) {
        match self.store.members(conversation).await {
            Ok(members) => {
                let users: Vec<_> = members.into_iter().map(|member| member.user.id).collect();
                self.to_users(&users, None, event).await;
            }
            Err(error) => tracing::warn!(%error, event = event.name(), "nobody knows whom to tell"),
        }
        self.to_guests_here(conversation, event.name(), event);
        self.publish(Audience::GuestsOf(*conversation), event).await;
    }

    async fn publish(&self, to: Audience, event: &ServerEvent) {
        match serde_json::to_value(event) {
            Ok(payload) => {
                let name = event.name();
                self.cluster.publish(Message { to, name, payload }).await;
            }
            Err(error) => tracing::error!(%error, "an event cannot be written"),
        }
    }

    /// Tells those connected here what other gateways have to say, for ever.
    pub(crate) async fn relay(&self) {
        loop {
            let Message { to, name, payload } = self.cluster.receive().await;
            match to {
                Audience::Users(users) => self.to_users_here(&users, None, name, &payload),
                Audience::GuestsOf(conversation) => self.to_guests_here(&conversation, name, &payload),
            }
        }
    }

    fn to_users_here<T: Serialize>(
        &self,
        users: &[UserId],
        except: Option<SocketId>,
        name: &'static str,
        payload: &T,
    ) {
        let sockets: Vec<SocketRef> = {
            let connected = self.connected();
            let devices = users.iter().filter_map(|user| connected.users.get(user));
            let ids = devices.flatten().filter(|id| Some(**id) != except);
            ids.filter_map(|id| connected.sockets.get(id).cloned()).collect()
        };
        for socket in sockets {
            emit(&socket, name, payload);
        }
    }

    fn to_guests_here<T: Serialize>(&self, conversation: &ConversationId, name: &'static str, payload: &T) {
        let sockets: Vec<SocketRef> = {
            let connected = self.connected();
            let ids = connected.guests.get(conversation).into_iter().flatten();
            ids.filter_map(|id| connected.sockets.get(id).cloned()).collect()
        };
        for socket in sockets {
            emit(&socket, name, payload);
        }
    }
}

/// Sends to one device. One that does not keep up has missed something: it is disconnected, so that it comes back and
/// asks how things are.
pub(super) fn emit<T: Serialize>(socket: &SocketRef, name: &'static str, payload: &T) {
    let Err(error) = socket.emit(name, payload) else {
        return;
    };
    if matches!(
        error,
        socketioxide::SendError::Socket(SocketError::InternalChannelFull)
    ) {
        tracing::warn!(event = name, "a device does not keep up");
        // Gone either way.
        drop(socket.clone().disconnect());
    }
}
