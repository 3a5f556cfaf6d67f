//! The Socket.IO face (contract §2.5 to §2.8): devices connect, say who they are, ask and are told.
//!
//! * `session`: one device from its connection to its end.
//! * `dispatch`: an event's JSON becomes a typed request, and the answer an acknowledgement or `call:error`.
//! * `deliver`: who is told what.
//! * `presence`: who is online.

mod deliver;
mod dispatch;
mod presence;
mod session;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use signalling::client_gateway::MAX_MESSAGE;
use socketioxide::SocketIo;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::layer::SocketIoLayer;

use crate::gateway::Shared;

pub(crate) use deliver::Sockets;

/// A device that vanished is noticed after these two: within ten seconds (contract §2.5).
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may stay without joining the namespace (contract §6.7).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Packets waiting for one device: a full room's producers are told in one go (contract §1.9: 200).
const BUFFERED_PACKETS: usize = 1024;

/// The Socket.IO side of the gateway.
pub(crate) fn layer(shared: &Arc<Shared>) -> (SocketIoLayer, SocketIo) {
    let (layer, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .max_payload(MAX_MESSAGE as u64)
        .ws_max_message_size(MAX_MESSAGE)
        .max_buffer_size(BUFFERED_PACKETS)
        .build_layer();
    let connected = {
        let shared = Arc::clone(shared);
        move |socket: SocketRef, TryData(auth): TryData<Value>| {
            // Before anything can come from the device, so in this call and not in the task.
            session::begin(&shared, socket, auth.ok());
            async {}
        }
    };
    io.ns("/", connected);
    (layer, io)
}
