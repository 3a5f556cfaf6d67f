//! A media node that speaks as a real one does and forwards nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A node in a runtime of its own, so that killing it breaks its connections as the end of a process does.
pub(crate) struct FakeNode {
    pub(crate) url: String,
    state: Arc<NodeState>,
    io: SocketIo,
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct NodeState {
    rooms: Mutex<BTreeMap<String, Room>>,
    /// Every request about rooms, as `METHOD path`.
    asked: Mutex<Vec<String>>,
    /// The last request that a participant made through the gateway.
    passed_on: Mutex<Option<(HeaderMap, Bytes)>>,
    full: AtomicBool,
    /// Whether it refuses new rooms without having said that it would.
    closed: AtomicBool,
    draining: AtomicBool,
    /// Whether nobody may hear of what happens in its rooms.
    mute: AtomicBool,
    /// What it says its process is.
    instance: Mutex<String>,
    /// Where it says it stands.
    region: Mutex<String>,
}

#[derive(Clone)]
struct Room {
    router: String,
    producers: Vec<Value>,
}

impl NodeState {
    fn rooms(&self) -> MutexGuard<'_, BTreeMap<String, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeNode {
    pub(crate) fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    pub(crate) fn start_at(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let state = Arc::new(NodeState::default());
        let (layer, io) = SocketIo::new_layer();
        let joined = Arc::clone(&state);
        io.ns("/", move |socket: SocketRef| async move {
            listen(&socket, &joined);
        });
        let router = Router::new()
            .route(
                "/ready",
                get(|| async { Json(json!({"status": "ok", "version": "0"})) }),
            )
            .route("/api/stats", get(stats))
            .route("/api/drain", post(drain).delete(end_drain))
            .route("/api/rooms/{call}/create", post(create))
            .route("/api/rooms/{call}", get(fetch).delete(destroy))
            .route("/api/rooms/{call}/{*below}", any(below))
            .layer(layer)
            .with_state(Arc::clone(&state));
        let address = address.to_owned();
        let (bound, listening) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.expect("loopback has this port");
            bound
                .send(listener.local_addr().expect("bound"))
                .expect("awaited");
            axum::serve(listener, router).await.expect("it serves");
        });
        let address = listening.recv().expect("it listens");
        Self {
            url: format!("http://{address}"),
            state,
            io,
            runtime: Some(runtime),
        }
    }

    /// Ends it at once, with everything it holds.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Whether it refuses new rooms.
    pub(crate) fn set_full(&self, full: bool) {
        self.state.full.store(full, Ordering::Relaxed);
    }

    /// Refuses rooms from now on though it looks as if it took them, as one that has just become full.
    pub(crate) fn close(&self) {
        self.state.closed.store(true, Ordering::Relaxed);
    }

    /// Lets nobody hear of its rooms from now on.
    pub(crate) fn mute(&self) {
        self.state.mute.store(true, Ordering::Relaxed);
    }

    /// Says from now on that this is its process.
    pub(crate) fn be(&self, instance: &str) {
        let mut own = self.state.instance.lock().unwrap_or_else(PoisonError::into_inner);
        instance.clone_into(&mut own);
    }

    /// Says from now on that it stands there.
    pub(crate) fn move_to(&self, region: &str) {
        let mut own = self.state.region.lock().unwrap_or_else(PoisonError::into_inner);
        region.clone_into(&mut own);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.state.draining.load(Ordering::Relaxed)
    }

    /// What the gateway calls it.
    pub(crate) fn name(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn has_room(&self, call: &str) -> bool {
        self.state.rooms().contains_key(call)
    }

    /// A participant begins to send.
    pub(crate) async fn produce(&self, call: &str, producer: Value) {
        {
            let mut rooms = self.state.rooms();
            let room = rooms.get_mut(call).expect("there is a room");
            room.producers.push(producer.clone());
        }
        let mut event = producer;
        event["callId"] = json!(call);
        self.emit("new-producer", event).await;
    }

    /// Tells every gateway.
    pub(crate) async fn emit(&self, name: &'static str, payload: Value) {
        self.io
            .emit(name, &payload)
            .await
            .expect("gateways are connected");
    }

    /// Whether a request `METHOD path` came.
    pub(crate) fn was_asked(&self, what: &str) -> bool {
        let asked = self.state.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().any(|each| each == what)
    }

    pub(crate) fn passed_on(&self) -> Option<(HeaderMap, Bytes)> {
        let mut passed_on = self
            .state
            .passed_on
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        passed_on.take()
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listen(socket: &SocketRef, state: &Arc<NodeState>) {
    let state = Arc::clone(state);
    socket.on(
        "join-room",
        move |TryData(request): TryData<Value>, ack: AckSender| {
            let call = request
                .ok()
                .and_then(|request| request["callId"].as_str().map(str::to_owned));
            let known = call.is_some_and(|call| state.rooms().contains_key(&call));
            let answer = if state.mute.load(Ordering::Relaxed) {
                json!({"success": false, "error": {"code": "INTERNAL_SERVER_ERROR", "message": "no"}})
            } else if known {
                json!({"success": true})
            } else {
                json!({"success": false, "error": {"code": "ROOM_NOT_FOUND", "message": "no"}})
            };
            drop(ack.send(&answer));
            async {}
        },
    );
}

type Shared = State<Arc<NodeState>>;

fn note(state: &NodeState, method: &Method, uri: &Uri) {
    let mut asked = state.asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.push(format!("{method} {}", uri.path()));
}

fn fail(status: StatusCode, code: &str) -> Response {
    let body = json!({"success": false, "error": {"code": code, "message": "no"}});
    (status, Json(body)).into_response()
}

fn data(data: Value) -> Response {
    Json(json!({"success": true, "data": data})).into_response()
}

fn done() -> Response {
    Json(json!({"success": true, "message": "done"})).into_response()
}

async fn stats(State(state): Shared) -> Response {
    let rooms = state.rooms().len();
    let occupied = if state.full.load(Ordering::Relaxed) { 10 } else { 0 };
    let region = state
        .region
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let instance = state
        .instance
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    data(json!({
        "workers": 1, "rooms": rooms, "participants": 0, "transports": 0, "producers": 0, "consumers": 0,
        "cpu": 0.0, "memory": 0, "draining": state.draining.load(Ordering::Relaxed),
        "occupiedRooms": occupied, "maxRooms": 10, "region": region, "instance": instance,
    }))
}

async fn drain(State(state): Shared) -> Response {
    drained(&state, true)
}

async fn end_drain(State(state): Shared) -> Response {
    drained(&state, false)
}

fn drained(state: &NodeState, draining: bool) -> Response {
    state.draining.store(draining, Ordering::Relaxed);
    data(json!({"draining": draining, "rooms": 0}))
}

async fn create(State(state): Shared, Path(call): Path<String>, method: Method, uri: Uri) -> Response {
    note(&state, &method, &uri);
    let mut rooms = state.rooms();
    let refuses = [&state.full, &state.closed, &state.draining];
    let stays = rooms.contains_key(&call) && uri.query() == Some("standby=true");
    if !stays && refuses.iter().any(|each| each.load(Ordering::Relaxed)) {
        return fail(StatusCode::SERVICE_UNAVAILABLE, "SERVER_AT_CAPACITY");
    }
    if rooms.contains_key(&call) {
        return fail(StatusCode::CONFLICT, "ROOM_ALREADY_EXISTS");
    }
    let number = rooms.len() + 1;
    let room = Room {
        router: format!("00000000-0000-4000-8000-{number:012}"),
        producers: Vec::new(),
    };
    rooms.insert(call.clone(), room.clone());
    data(described(&call, &room))
}

async fn fetch(State(state): Shared, Path(call): Path<String>, method: Method, uri: Uri) -> Response {
    note(&state, &method, &uri);
    match state.rooms().get(&call) {
        Some(room) => data(described(&call, room)),
        None => fail(StatusCode::NOT_FOUND, "ROOM_NOT_FOUND"),
    }
}

async fn destroy(State(state): Shared, Path(call): Path<String>, method: Method, uri: Uri) -> Response {
    note(&state, &method, &uri);
    match state.rooms().remove(&call) {
        Some(_) => done(),
        None => fail(StatusCode::NOT_FOUND, "ROOM_NOT_FOUND"),
    }
}

async fn below(State(state): Shared, headers: HeaderMap, method: Method, uri: Uri, body: Bytes) -> Response {
    note(&state, &method, &uri);
    // As a real node does with a token that nobody signed.
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    if token.is_some_and(|token| token.matches('.').count() != 2 || token.ends_with(".forged")) {
        return fail(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    }
    let mut passed_on = state.passed_on.lock().unwrap_or_else(PoisonError::into_inner);
    *passed_on = Some((headers, body));
    let limits = [
        ("x-ratelimit-limit", "50"),
        ("x-ratelimit-remaining", "49"),
        ("x-secret", "1"),
    ];
    (limits, done()).into_response()
}

fn described(call: &str, room: &Room) -> Value {
    json!({
        "roomId": call,
        "routerId": room.router,
        "rtpCapabilities": {"codecs": [], "headerExtensions": []},
        "participantCount": 0,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "producers": room.producers,
    })
}
