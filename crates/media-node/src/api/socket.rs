//! Notifications over Socket.IO (contract §1.7).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalling::client_node::{Ack, JoinRoom, LeaveRoom, MAX_BODY, NodeEvent, event};
use signalling::error::ErrorBody;
use signalling::token::Token;
use signalling::{CallId, ErrorCode, ParticipantId};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Extension, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::layer::SocketIoLayer;
use tokio::task::AbortHandle;

use super::Api;
use super::auth::whose;
use super::gate::participant_key;
use super::limits::Scope;
use crate::control::caller::Caller;
use crate::control::notice::{Notice, NoticeReceiver};

/// A client that vanished is noticed after these two: within ten seconds.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may stay without a token (contract §6.7).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the clock is looked at until a token ends.
const CLOCK_INTERVAL: Duration = Duration::from_secs(60);

/// Packets waiting for one client: a full room's producers are told in one go (contract §1.9: 200).
const BUFFERED_PACKETS: usize = 1024;

/// The socket room of all services.
const SERVICES: &str = "services";

/// The handshake's `auth`.
#[derive(Deserialize)]
struct Handshake {
    token: Token,
}

/// The task that closes a participant's socket when its token ends.
#[derive(Clone)]
struct Expiry(AbortHandle);

/// What a refused socket is told, and no more.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(ErrorCode::Unauthorized.as_str())
    }
}

/// The calls a participant's socket has joined and so is present in.
#[derive(Clone, Debug, Default)]
struct Joined(Arc<Mutex<BTreeSet<CallId>>>);

/// The Socket.IO side, with a task that delivers what rooms have to say.
pub(super) fn layer(api: Arc<Api>, notices: NoticeReceiver) -> SocketIoLayer {
    let (layer, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .max_payload(MAX_BODY as u64)
        .ws_max_message_size(MAX_BODY)
        .max_buffer_size(BUFFERED_PACKETS)
        .build_layer();
    let guard = {
        let api = Arc::clone(&api);
        move |socket: SocketRef, TryData(handshake): TryData<Value>| {
            let admitted = admit(&api, &socket, read(handshake).ok());
            async move { admitted }
        }
    };
    let connected = {
        let api = Arc::clone(&api);
        move |socket: SocketRef| {
            let api = Arc::clone(&api);
            async move { connected(&api, &socket) }
        }
    };
    io.ns("/", connected.with(guard));
    tokio::spawn(deliver(io, api, notices));
    layer
}

fn admit(api: &Api, socket: &SocketRef, handshake: Option<Handshake>) -> Result<(), Refused> {
    let claims = handshake.and_then(|handshake| api.verifier.verify(&handshake.token.0).ok());
    let until = claims.as_ref().map(|claims| claims.exp);
    match claims.map(whose) {
        Some(Ok(caller)) => {
            // A service's token ends within a minute, but its connection is the only one that brings it a room's
            // events, and it could be made again at any time: it stays.
            if let Some(until) = until.filter(|_| !caller.is_service()) {
                socket.extensions.insert(Expiry(close_at(until, socket.clone())));
            }
            socket.extensions.insert(caller);
            socket.extensions.insert(Joined::default());
            Ok(())
        }
        _ => {
            api.metrics.auth_failed();
            Err(Refused)
        }
    }
}

/// Closes a socket when its token ends, so that it is worth no more than a request; its client comes back with a new
/// token.
fn close_at(until: u64, socket: SocketRef) -> AbortHandle {
    let task = tokio::spawn(async move {
        let end = UNIX_EPOCH + Duration::from_secs(until);
        while let Ok(rest) = end.duration_since(SystemTime::now()) {
            // Looked at again then: clocks are set, machines sleep.
            tokio::time::sleep(rest.min(CLOCK_INTERVAL)).await;
        }
        // Gone either way.
        drop(socket.disconnect());
    });
    task.abort_handle()
}

/// A payload as `T`.
fn read<T: DeserializeOwned, E>(payload: Result<Value, E>) -> Result<T, ErrorBody> {
    let invalid = || ErrorBody::new(ErrorCode::InvalidRequest);
    edge::json::from_value(payload.map_err(|_| invalid())?).map_err(|_| invalid())
}

fn connected(api: &Arc<Api>, socket: &SocketRef) {
    api.metrics.socket_count(1);
    if let Some(caller) = socket.extensions.get::<Caller>()
        && caller.is_service()
    {
        socket.join(SERVICES);
    }
    let join = {
        let api = Arc::clone(api);
        move |socket: SocketRef,
              TryData(request): TryData<Value>,
              Extension(caller): Extension<Caller>,
              Extension(joined): Extension<Joined>,
              ack: AckSender| {
            let api = Arc::clone(&api);
            async move {
                api.metrics.socket_event(event::JOIN_ROOM);
                match read(request) {
                    Ok(request) => join(&api, &socket, (&caller, &joined), request, ack).await,
                    Err(error) => answer(ack, Err(error)),
                }
            }
        }
    };
    socket.on(event::JOIN_ROOM, join);
    let leave = {
        let api = Arc::clone(api);
        move |socket: SocketRef,
              TryData(request): TryData<Value>,
              Extension(caller): Extension<Caller>,
              ack: AckSender| {
            api.metrics.socket_event(event::LEAVE_ROOM);
            let outcome = read::<LeaveRoom, _>(request).and_then(|request| leave(&socket, &caller, &request));
            async move { answer(ack, outcome) }
        }
    };
    socket.on(event::LEAVE_ROOM, leave);
    let gone = {
        let api = Arc::clone(api);
        move |socket: SocketRef,
              Extension(caller): Extension<Caller>,
              Extension(joined): Extension<Joined>| {
            api.metrics.socket_count(-1);
            if let Some(Expiry(task)) = socket.extensions.get::<Expiry>() {
                task.abort();
            }
            absent(&api, &caller, &joined);
            async {}
        }
    };
    socket.on_disconnect(gone);
}

/// Subscribes a socket to a room and tells it what is there already. The subscription comes first, so that nothing
/// falls in between; receivers recognise what they are told twice.
async fn join(
    api: &Api,
    socket: &SocketRef,
    (caller, joined): (&Caller, &Joined),
    request: JoinRoom,
    ack: AckSender,
) {
    let JoinRoom {
        call_id: call,
        participant_id: claimed,
    } = request;
    let participant = match authorise(api, caller, &call, claimed.as_ref()) {
        Ok(participant) => participant,
        Err(error) => return answer(ack, Err(error)),
    };
    socket.join(subscriptions(&call, participant.as_ref()));
    let listener = participant.clone();
    let replay = api
        .rooms
        .with(&call, move |room| {
            Box::pin(async move { room.replay(listener.as_ref()) })
        })
        .await;
    let producers = match replay {
        Ok(producers) => producers,
        Err(error) => {
            socket.leave(subscriptions(&call, participant.as_ref()));
            return answer(ack, Err(error));
        }
    };
    if let Some(participant) = &participant {
        present(api, &call, participant, joined);
        if !socket.connected() {
            // It went while the room was asked, and its going found nothing to undo.
            absent(api, caller, joined);
            socket.leave_all();
            return;
        }
    }
    answer(ack, Ok(()));
    for producer in &producers {
        api.metrics.socket_event(event::NEW_PRODUCER);
        // A socket that is gone or does not read is noticed by its missing pongs.
        drop(socket.emit(event::NEW_PRODUCER, producer));
    }
}

fn leave(socket: &SocketRef, caller: &Caller, request: &LeaveRoom) -> Result<(), ErrorBody> {
    caller.require_call(&request.call_id)?;
    let participant = listener(caller, request.participant_id.as_ref())?;
    socket.leave(subscriptions(&request.call_id, participant.as_ref()));
    Ok(())
}

fn authorise(
    api: &Api,
    caller: &Caller,
    call: &CallId,
    claimed: Option<&ParticipantId>,
) -> Result<Option<ParticipantId>, ErrorBody> {
    if !caller.is_service() {
        let quota = Scope::Other.quota();
        let standing = api
            .limiter
            .count(Instant::now(), Scope::Other, &participant_key(caller), quota);
        if !standing.admitted {
            api.metrics.rate_limited(Scope::Other.name());
            let mut error = ErrorBody::new(ErrorCode::RateLimitExceeded);
            error.retry_after = u32::try_from(standing.retry_after()).ok();
            return Err(error);
        }
    }
    caller.require_call(call)?;
    listener(caller, claimed)
}

/// On whose behalf a socket listens: a participant's own, or nobody's for a service.
fn listener(caller: &Caller, claimed: Option<&ParticipantId>) -> Result<Option<ParticipantId>, ErrorBody> {
    match (caller, claimed) {
        (Caller::Service { .. }, _) => Ok(None),
        (Caller::Participant { .. }, None) => Err(ErrorBody::with_message(
            ErrorCode::InvalidRequest,
            "participantId: missing",
        )),
        (Caller::Participant { participant, .. }, Some(claimed)) => {
            caller.require_participant(claimed)?;
            Ok(Some(participant.clone()))
        }
    }
}

/// Notes that a participant has a socket in its room.
fn present(api: &Api, call: &CallId, participant: &ParticipantId, joined: &Joined) {
    // Held to the end: a socket that goes away meanwhile must find itself present, or would never be absent.
    let mut calls = joined.0.lock().unwrap_or_else(PoisonError::into_inner);
    if calls.insert(call.clone()) {
        let rooms = &api.rooms;
        let announce = |change| rooms.presence_changed(call, participant, change);
        rooms.0.presence.joined(call, participant, announce);
    }
}

/// Notes that a socket is gone from wherever it was present.
fn absent(api: &Api, caller: &Caller, joined: &Joined) {
    let Caller::Participant { participant, .. } = caller else {
        return;
    };
    let calls = std::mem::take(&mut *joined.0.lock().unwrap_or_else(PoisonError::into_inner));
    for call in calls {
        let rooms = &api.rooms;
        let announce = |change| rooms.presence_changed(&call, participant, change);
        rooms.0.presence.left(&call, participant, announce);
    }
}

fn answer(ack: AckSender, outcome: Result<(), ErrorBody>) {
    let outcome = match outcome {
        Ok(()) => Ack::DONE,
        Err(error) => Ack::from(error),
    };
    // A client that asked for no acknowledgement gets none, and one that is gone needs none.
    drop(ack.send(&outcome));
}

/// Socket rooms of a participant or, without one, of a service.
fn subscriptions(call: &CallId, participant: Option<&ParticipantId>) -> Vec<String> {
    let own = participant.map_or_else(
        || services_of(call),
        |participant| participant_of(call, participant),
    );
    vec![all_of(call), own]
}

fn all_of(call: &CallId) -> String {
    format!("call/{call}")
}

fn services_of(call: &CallId) -> String {
    format!("services/{call}")
}

fn participant_of(call: &CallId, participant: &ParticipantId) -> String {
    format!("participant/{call}/{participant}")
}

/// Delivers notices in their order until the node is gone.
async fn deliver(io: SocketIo, api: Arc<Api>, mut notices: NoticeReceiver) {
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Clients(event) => {
                api.metrics.socket_event(event.name());
                deliver_to_clients(&io, &event).await;
            }
            Notice::Services(event) => {
                api.metrics.socket_event(event.name());
                emit(&io, (vec![SERVICES.to_owned()], None), event.name(), &event).await;
            }
        }
    }
}

/// Whom an event reaches is contract §1.7's rule for it; services in the room hear everything.
async fn deliver_to_clients(io: &SocketIo, event: &NodeEvent) {
    let call = event.call_id();
    let audience = match event {
        NodeEvent::NewProducer(producer) => (
            vec![all_of(call)],
            Some(participant_of(call, &producer.participant_id)),
        ),
        NodeEvent::ProducerClosed(producer) => (
            vec![all_of(call)],
            Some(participant_of(call, &producer.participant_id)),
        ),
        NodeEvent::ConsumerPaused(consumer) | NodeEvent::ConsumerResumed(consumer) => (
            vec![participant_of(call, &consumer.participant_id), services_of(call)],
            None,
        ),
        NodeEvent::ActiveSpeaker(_) => (vec![all_of(call)], None),
    };
    emit(io, audience, event.name(), event).await;
}

async fn emit<T: Serialize>(
    io: &SocketIo,
    (rooms, except): (Vec<String>, Option<String>),
    name: &'static str,
    payload: &T,
) {
    let audience = io.to(rooms);
    let audience = match except {
        Some(except) => audience.except(except),
        None => audience,
    };
    if let Err(error) = audience.emit(name, payload).await {
        // Single sockets that do not keep up; each is disconnected by its missing pongs.
        tracing::debug!(event = name, %error, "not everybody could be told");
    }
}
