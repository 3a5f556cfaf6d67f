//! One device, from its connection to its end. What it says is served in order.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ConnectInfo;
use call::SocketId;
use edge::ClientAddress;
use serde_json::{Value, json};
use signalling::ErrorCode;
use signalling::client_gateway::{
    Authenticate, Authenticated, AuthenticatedUser, CallAck, CallError, ServerEvent, request_name,
};
use signalling::error::ErrorBody;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::FromMessageParts;
use socketioxide::socket::Socket;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::deliver::{Devices, emit};
use super::{dispatch, presence};
use crate::auth::Caller;
use crate::gateway::Shared;
use crate::limits::OpenSocket;
use crate::refusals::Refusal;
use crate::region::Region;

/// How long a device may take to say who it is (contract §2.2).
const AUTHENTICATION: Duration = Duration::from_secs(10);
/// Events of one device that may wait. More than a page that has just joined sends at once.
const QUEUE: usize = 256;
/// What takes longer than this, as joining during a switch does, no longer holds up what the device says next.
const IN_ORDER: Duration = Duration::from_millis(300);

/// Something from the device.
enum Said {
    Event(Event),
    /// Its connection is gone.
    Gone,
}

/// An event, and how to answer it.
pub(super) struct Event {
    pub(super) name: &'static str,
    /// Nothing, if it is not JSON.
    pub(super) payload: Option<Value>,
    /// Only if the device asked for it.
    ack: Option<AckSender>,
}

/// Whether the device asked for an acknowledgement.
struct AckWanted(bool);

impl FromMessageParts<socketioxide::adapter::LocalAdapter> for AckWanted {
    type Error = Infallible;

    fn from_message_parts(
        _: &Arc<Socket>,
        _: &mut socketioxide::handler::Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        Ok(Self(ack.is_some()))
    }
}

/// Listens to a device that has just connected.
pub(super) fn begin(shared: &Arc<Shared>, socket: SocketRef, auth: Option<Value>) {
    let (queue, said) = mpsc::channel(QUEUE);
    for name in request_name::ALL {
        listen(&socket, name, queue.clone());
    }
    let unknown = queue.clone();
    socket.on_fallback(
        move |TryData(payload): TryData<Value>, AckWanted(wanted): AckWanted, ack: AckSender| {
            enqueue(&unknown, "unknown", payload.ok(), wanted.then_some(ack));
            async {}
        },
    );
    socket.on_disconnect(move || async move {
        // The session ends by this word only; it is there to hear it.
        drop(queue.send(Said::Gone).await);
    });
    let session = Session {
        shared: Arc::clone(shared),
        address: address(&socket, shared),
        region: {
            let request = socket.req_parts();
            shared.region_of(request.extensions.get(), &request.headers)
        },
        socket,
        said,
    };
    tokio::spawn(session.run(auth));
}

fn listen(socket: &SocketRef, name: &'static str, queue: mpsc::Sender<Said>) {
    socket.on(
        name,
        move |TryData(payload): TryData<Value>, AckWanted(wanted): AckWanted, ack: AckSender| {
            // In the order of the connection; the answers are given elsewhere.
            enqueue(&queue, name, payload.ok(), wanted.then_some(ack));
            async {}
        },
    );
}

fn enqueue(queue: &mpsc::Sender<Said>, name: &'static str, payload: Option<Value>, ack: Option<AckSender>) {
    let event = Event { name, payload, ack };
    if let Err(mpsc::error::TrySendError::Full(Said::Event(event))) = queue.try_send(Said::Event(event))
        && let Some(ack) = event.ack
    {
        let error = ErrorBody::new(ErrorCode::RateLimitExceeded);
        // A device that floods us need not be told more than this.
        drop(ack.send(&CallAck::<Value>::from(error)));
    }
}

/// The address a device connects from, for counting.
fn address(socket: &SocketRef, shared: &Shared) -> String {
    let request = socket.req_parts();
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    let unknown = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let peer = peer.map_or(unknown, |peer| peer.0);
    ClientAddress::of(peer, &request.headers, &shared.config.http.trusted_proxies).key()
}

struct Session {
    shared: Arc<Shared>,
    socket: SocketRef,
    address: String,
    /// Where it connects from.
    region: Region,
    said: mpsc::Receiver<Said>,
}

impl Session {
    async fn run(mut self, auth: Option<Value>) {
        let limits = &self.shared.limits;
        // Until it has said who it is, it counts for its address.
        let nameless = limits.open_socket(&format!("nameless {}", self.socket.id), &self.address);
        let admitted = match nameless {
            Ok(nameless) => self.admit(auth, nameless).await,
            Err(error) => Err(Some(error)),
        };
        match admitted {
            Ok((caller, counted)) => self.serve(caller, counted).await,
            Err(Some(error)) => self.turn_away(error),
            Err(None) => {}
        }
    }

    /// Finds out who it is: by the handshake, or by `authenticate`. Fails without a reason if it is gone.
    async fn admit(
        &mut self,
        auth: Option<Value>,
        nameless: OpenSocket,
    ) -> Result<(Caller, OpenSocket), Option<ErrorBody>> {
        let handshake = auth
            .and_then(|auth| dispatch::read::<Authenticate>(auth).ok())
            .filter(|auth| auth.token.is_some() || auth.session_token.is_some());
        let (credentials, ack) = match handshake {
            Some(credentials) => (credentials, None),
            None => self.ask_who().await?,
        };
        let caller = self.who(credentials).await;
        drop(nameless);
        let counted = caller.and_then(|caller| {
            let counted = self.shared.limits.open_socket(&caller.key(), &self.address)?;
            Ok((caller, counted))
        });
        if let Some(ack) = ack {
            let answer = match &counted {
                Ok(_) => CallAck::<Value> {
                    success: true,
                    data: None,
                    error: None,
                },
                Err(error) => CallAck::from(error.clone()),
            };
            // A device that is gone is noticed by its missing pongs.
            drop(ack.send(&answer));
        }
        counted.map_err(Some)
    }

    /// Waits for `authenticate`; everything else is refused meanwhile.
    async fn ask_who(&mut self) -> Result<(Authenticate, Option<AckSender>), Option<ErrorBody>> {
        let deadline = tokio::time::Instant::now() + AUTHENTICATION;
        loop {
            let said = tokio::select! {
                said = self.said.recv() => said,
                () = sleep_until(deadline) => return Err(Some(unauthorized())),
            };
            match said {
                Some(Said::Event(event)) if event.name == request_name::AUTHENTICATE => {
                    let credentials = event
                        .payload
                        .and_then(|payload| dispatch::read(payload).ok())
                        .ok_or_else(|| Some(unauthorized()))?;
                    return Ok((credentials, event.ack));
                }
                Some(Said::Event(event)) => answer(&self.socket, event.ack, None, Err(unauthorized())),
                Some(Said::Gone) | None => return Err(None),
            }
        }
    }

    async fn who(&self, credentials: Authenticate) -> Result<Caller, ErrorBody> {
        let shared = &self.shared;
        shared.limits.may_try(Instant::now(), &self.address)?;
        let caller = match (credentials.token, credentials.session_token) {
            (Some(token), None) => shared.auth.user(&token.0).await,
            (None, Some(session)) => shared.auth.guest(&session.0).await,
            _ => Err(unauthorized()),
        };
        match caller {
            // A program has nobody's calls to take.
            Ok(Caller::Service) => Err(unauthorized()),
            Ok(caller) => Ok(speaking(caller, credentials.language)),
            Err(error) => {
                if error.code == ErrorCode::Unauthorized {
                    shared.limits.auth_failed(Instant::now(), &self.address);
                    shared.metrics.auth_failed();
                }
                Err(error)
            }
        }
    }

    /// Says that it may not speak, and closes.
    fn turn_away(self, error: ErrorBody) {
        let refused = ServerEvent::Authenticated(Authenticated {
            success: false,
            user: None,
            error: Some(error),
        });
        emit(&self.socket, refused.name(), &refused);
        // Gone either way.
        drop(self.socket.disconnect());
    }

    async fn serve(mut self, caller: Caller, _counted: OpenSocket) {
        let shared = Arc::clone(&self.shared);
        let (id, devices) = shared.sockets.add(&caller, self.socket.clone());
        shared.metrics.socket_count(1);
        let accepted = ServerEvent::Authenticated(Authenticated {
            success: true,
            user: Some(user(&caller)),
            error: None,
        });
        emit(&self.socket, accepted.name(), &accepted);
        if let Caller::User { id: user, .. } = caller {
            presence::came(&shared, user, devices == Devices::Edge).await;
        }
        while let Some(Said::Event(event)) = self.said.recv().await {
            self.hear((&caller, id), event).await;
        }
        let devices = shared.sockets.remove(&caller, id);
        shared.metrics.socket_count(-1);
        if let Some(person) = caller.person() {
            shared.calls.socket_closed(&person, id).await;
        }
        if let (Caller::User { id: user, .. }, Devices::Edge) = (&caller, devices) {
            presence::went(&shared, *user).await;
        }
    }

    async fn hear(&self, (caller, id): (&Caller, SocketId), event: Event) {
        self.shared.metrics.socket_event(event.name);
        if event.name == request_name::AUTHENTICATE {
            // Who one is does not change in the life of a connection (contract §2.2).
            return answer(&self.socket, event.ack, None, Err(unauthorized()));
        }
        let (shared, socket, caller) = (Arc::clone(&self.shared), self.socket.clone(), caller.clone());
        let (address, region) = (self.address.clone(), self.region.clone());
        let mut work = Box::pin(async move {
            let Event { name, payload, ack } = event;
            let call = call_of(payload.as_ref());
            let outcome = dispatch::serve(&shared, (&caller, id, region), name, payload).await;
            if let Err(error) = &outcome {
                tracing::debug!(event = name, code = %error.code, "refused");
                if error.code.status() == 403 {
                    shared.metrics.access_denied("socket");
                }
                let refusal = Refusal {
                    status: error.code.status(),
                    caller: Some(&caller),
                    address: &address,
                    call: call.clone(),
                    user_agent: None,
                };
                let what = json!({ "event": name });
                if let Some(entry) = shared.refusals.entry(Instant::now(), refusal, what) {
                    shared.calls.note(entry);
                }
            }
            answer(&socket, ack, call, outcome);
        });
        if timeout(IN_ORDER, &mut work).await.is_err() {
            tokio::spawn(work);
        }
    }
}

/// Acknowledges, or sends `call:error` to a device that asked for no acknowledgement and failed; never both.
fn answer(
    socket: &SocketRef,
    ack: Option<AckSender>,
    call: Option<signalling::CallId>,
    outcome: Result<Option<Value>, ErrorBody>,
) {
    match (ack, outcome) {
        (Some(ack), outcome) => {
            let answer = match outcome {
                Ok(data) => CallAck {
                    success: true,
                    data,
                    error: None,
                },
                Err(error) => CallAck::from(error),
            };
            // A device that is gone is noticed by its missing pongs.
            drop(ack.send(&answer));
        }
        (None, Err(error)) => {
            let event = ServerEvent::Error(CallError::new(call, error));
            emit(socket, event.name(), &event);
        }
        (None, Ok(_)) => {}
    }
}

/// The call an event is about, as far as it says so.
fn call_of(payload: Option<&Value>) -> Option<signalling::CallId> {
    payload?.get("callId")?.as_str()?.parse().ok()
}

/// The same caller with the language they have just asked for.
fn speaking(caller: Caller, asked: Option<String>) -> Caller {
    let Some(asked) = asked.filter(|asked| is_language(asked)) else {
        return caller;
    };
    match caller {
        Caller::User {
            id,
            username,
            avatar,
            platform_admin,
            ..
        } => Caller::User {
            id,
            username,
            avatar,
            language: Some(asked),
            platform_admin,
        },
        Caller::Guest {
            id,
            username,
            conversation,
            link,
            ..
        } => Caller::Guest {
            id,
            username,
            language: Some(asked),
            conversation,
            link,
        },
        Caller::Service => caller,
    }
}

/// ISO 639-1, perhaps with a region.
fn is_language(text: &str) -> bool {
    (2..=10).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn user(caller: &Caller) -> AuthenticatedUser {
    match caller {
        Caller::User { id, username, .. } => AuthenticatedUser {
            id: id.to_string(),
            username: username.clone(),
            is_anonymous: false,
        },
        Caller::Guest { id, username, .. } => AuthenticatedUser {
            id: id.to_string(),
            username: username.clone(),
            is_anonymous: true,
        },
        Caller::Service => unreachable!("programs are turned away"),
    }
}

fn unauthorized() -> ErrorBody {
    ErrorBody::new(ErrorCode::Unauthorized)
}
