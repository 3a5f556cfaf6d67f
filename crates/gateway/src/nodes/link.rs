//! The connection that brings a node's events (contract §1.7), made again for ever.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use call::NodeEvent;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use signalling::client_node::{Ack, JoinRoom, event as node_event};
use signalling::gateway_node::{RoomDestroyed, TransportState, WorkerDied, event as service_event};
use signalling::{CallId, ErrorCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::Report;
use super::node::{Node, Watch, Watched};
use super::socket::{Incoming, SocketClient, SocketError};
use crate::auth::Tokens;

/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(2);
/// Pauses between attempts to connect, the last one for ever: a node that comes back is of use at once.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// Starts the link to a node. It ends when nobody listens to reports any more, or the node is forgotten.
pub(super) fn spawn(
    node: Arc<Node>,
    tokens: Arc<Tokens>,
    watches: mpsc::Receiver<Watch>,
    reports: mpsc::Sender<Report>,
) {
    let link = Link {
        node,
        tokens,
        watches,
        reports,
    };
    tokio::spawn(async move {
        let node = Arc::clone(&link.node);
        tokio::select! {
            () = link.run() => {}
            () = node.forgotten() => {}
        }
    });
}

struct Link {
    node: Arc<Node>,
    tokens: Arc<Tokens>,
    watches: mpsc::Receiver<Watch>,
    reports: mpsc::Sender<Report>,
}

/// Subscriptions that wait for the node's word.
type Pending = HashMap<u64, (CallId, Option<oneshot::Sender<Watched>>)>;

impl Link {
    async fn run(mut self) {
        let mut failures = 0;
        while !self.reports.is_closed() {
            let auth = json!({ "token": self.tokens.service_media() });
            let connecting = SocketClient::connect(&self.node.url, &auth);
            match timeout(CONNECTING, connecting).await {
                Ok(Ok(client)) => {
                    failures = 0;
                    tracing::info!(node = %self.node.id.0, "connected to the media node");
                    self.node.change(|state| {
                        state.connected = true;
                        // Until it says otherwise, at the next probe.
                        state.ready = true;
                        state.lost = false;
                    });
                    let end = self.serve(client).await;
                    self.node.change(|state| state.connected = false);
                    tracing::warn!(node = %self.node.id.0, error = %end, "the connection to the media node ended");
                }
                Ok(Err(error)) => {
                    tracing::debug!(node = %self.node.id.0, %error, "the media node cannot be connected to");
                }
                Err(_) => tracing::debug!(node = %self.node.id.0, "the media node does not answer"),
            }
            let pause = PAUSES
                .get(failures)
                .or(PAUSES.last())
                .copied()
                .unwrap_or(CONNECTING);
            failures += 1;
            self.pause(pause).await;
        }
    }

    /// Waits, and tells whoever wants to watch a room meanwhile that it is not possible.
    async fn pause(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                watch = self.watches.recv() => match watch {
                    // Who does not wait any more needs no answer.
                    Some(watch) => drop(watch.done.send(Watched::NoConnection)),
                    None => return tokio::time::sleep_until(until).await,
                },
            }
        }
    }

    /// Serves a connection until it ends.
    async fn serve(&mut self, mut client: SocketClient) -> SocketError {
        let mut pending = Pending::new();
        let again: Vec<CallId> = self.node.watched().iter().cloned().collect();
        for call in again {
            if let Err(error) = join(&mut client, &mut pending, call, None).await {
                return error;
            }
        }
        loop {
            let done = tokio::select! {
                incoming = client.next() => match incoming {
                    Ok(incoming) => {
                        self.take(incoming, &mut pending).await;
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                watch = self.watches.recv() => match watch {
                    Some(watch) => join(&mut client, &mut pending, watch.call, Some(watch.done)).await,
                    None => Err(SocketError::Closed),
                },
                () = self.reports.closed() => Err(SocketError::Closed),
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    async fn take(&self, incoming: Incoming, pending: &mut Pending) {
        match incoming {
            Incoming::Event { name, payload } => self.event(&name, payload).await,
            Incoming::Acknowledgement { request, payload } => {
                let Some((call, done)) = pending.remove(&request) else {
                    return;
                };
                let watched = watched(payload);
                if watched == Watched::Yes {
                    self.node.watched().insert(call.clone());
                }
                match done {
                    // Who does not wait any more needs no answer.
                    Some(done) => drop(done.send(watched)),
                    None if watched != Watched::Yes => self.room_lost(call).await,
                    None => {}
                }
            }
        }
    }

    async fn event(&self, name: &str, payload: Value) {
        match name {
            service_event::ROOM_DESTROYED => {
                if let Some(RoomDestroyed { call_id, .. }) = read(name, payload) {
                    self.room_lost(call_id).await;
                }
            }
            service_event::WORKER_DIED => {
                if let Some(WorkerDied { call_ids, .. }) = read(name, payload) {
                    for call in call_ids {
                        self.room_lost(call).await;
                    }
                }
            }
            _ => {
                if let Some((call, event)) = room_event(name, payload) {
                    self.report_event(call, event).await;
                }
            }
        }
    }

    async fn report_event(&self, call: CallId, event: NodeEvent) {
        if !self.node.watched().contains(&call) {
            return;
        }
        let node = self.node.id.clone();
        // Nobody listens when the gateway stops.
        drop(self.reports.send(Report::Event { call, node, event }).await);
    }

    /// A room that nobody here watches may be another gateway's, or one that was destroyed on purpose.
    async fn room_lost(&self, call: CallId) {
        if !self.node.watched().remove(&call) {
            return;
        }
        let node = self.node.id.clone();
        // Nobody listens when the gateway stops.
        drop(self.reports.send(Report::RoomLost { call, node }).await);
    }
}

async fn join(
    client: &mut SocketClient,
    pending: &mut Pending,
    call: CallId,
    done: Option<oneshot::Sender<Watched>>,
) -> Result<(), SocketError> {
    let payload = json!(JoinRoom {
        call_id: call.clone(),
        participant_id: None,
    });
    let request = client.request(node_event::JOIN_ROOM, &payload).await?;
    pending.insert(request, (call, done));
    Ok(())
}

fn watched(payload: Value) -> Watched {
    match serde_json::from_value::<Ack>(payload) {
        Ok(Ack { success: true, .. }) => Watched::Yes,
        Ok(Ack {
            error: Some(error), ..
        }) if error.code == ErrorCode::RoomNotFound => Watched::NoRoom,
        _ => Watched::NoConnection,
    }
}

/// What happened in a room; nothing, if it is of no interest.
fn room_event(name: &str, payload: Value) -> Option<(CallId, NodeEvent)> {
    let event = match name {
        node_event::NEW_PRODUCER => NodeEvent::NewProducer(read(name, payload)?),
        node_event::PRODUCER_CLOSED => NodeEvent::ProducerClosed(read(name, payload)?),
        node_event::CONSUMER_PAUSED => NodeEvent::ConsumerPaused(read(name, payload)?),
        node_event::CONSUMER_RESUMED => NodeEvent::ConsumerResumed(read(name, payload)?),
        node_event::ACTIVE_SPEAKER => NodeEvent::ActiveSpeaker(read(name, payload)?),
        service_event::TRANSPORT_STATE => {
            let state: TransportState = read(name, payload)?;
            let event = NodeEvent::Transport {
                participant: state.participant_id,
                transport: state.transport_id,
                direction: state.direction,
                dtls: state.dtls_state,
            };
            return Some((state.call_id, event));
        }
        _ => return None,
    };
    let call = match &event {
        NodeEvent::NewProducer(event) => event.call_id.clone(),
        NodeEvent::ProducerClosed(event) => event.call_id.clone(),
        NodeEvent::ConsumerPaused(event) | NodeEvent::ConsumerResumed(event) => event.call_id.clone(),
        NodeEvent::ActiveSpeaker(event) => event.call_id.clone(),
        NodeEvent::Transport { .. } => return None,
    };
    Some((call, event))
}

fn read<T: DeserializeOwned>(name: &str, payload: Value) -> Option<T> {
    match serde_json::from_value(payload) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::warn!(event = name, %error, "an event of the media node cannot be read");
            None
        }
    }
}
