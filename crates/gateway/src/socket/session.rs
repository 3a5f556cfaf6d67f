//! One device, from its connection to its end. What it says is served in order.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::ConnectInfo;
use axum::http::header::USER_AGENT;
use call::SocketId;
use edge::ClientAddress;
use serde_json::{Value, json};
use signalling::client_gateway::{
    Authenticate, Authenticated, AuthenticatedUser, CallAck, CallError, ServerEvent, request_name,
};
use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode, Timestamp};
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::FromMessageParts;
use socketioxide::socket::Socket;
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, timeout};
use tracing::Instrument;

use super::deliver::{Devices, emit};
use super::{dispatch, presence};
use crate::auth::{Caller, Proven, is_language};
use crate::gateway::Shared;
use crate::limits::{OpenSocket, Scope};
use crate::refusals::Refusal;
use crate::region::Region;

/// How long a device may take to say who it is (contract §2.2).
const AUTHENTICATION: Duration = Duration::from_secs(10);
/// Events of one device that may wait. More than a page that has just joined sends at once.
const QUEUE: usize = 256;
/// What takes longer than this, as joining during a switch does, no longer holds up what the device says next.
const IN_ORDER: Duration = Duration::from_millis(300);
/// How often the clock is looked at until a proof ends: it may be set, and a machine may sleep.
const LONGEST: Duration = Duration::from_secs(60);
/// How often it is looked whether somebody whose proof has ended is still in their call.
const SEAT_CHECK: Duration = Duration::from_secs(20);
/// How long somebody may stay in a call after their proof has ended: no meeting is longer.
const LONGEST_CALL: Duration = Duration::from_secs(12 * 60 * 60);

/// Something from the device.
enum Said {
    Event(Event),
    /// Its connection is gone.
    Gone,
}

/// How a device's session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It went.
    Gone,
    /// What proved who it is is no longer good.
    Expired,
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
        device: Device {
            shared: Arc::clone(shared),
            address: address(&socket, shared),
            region: {
                let request = socket.req_parts();
                shared.region_of(request.extensions.get(), &request.headers)
            },
            user_agent: user_agent(&socket),
            socket,
        },
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

/// What the device's program calls itself.
fn user_agent(socket: &SocketRef) -> Option<String> {
    let agent = socket.req_parts().headers.get(USER_AGENT)?;
    agent.to_str().ok().map(str::to_owned)
}

struct Session {
    device: Device,
    said: mpsc::Receiver<Said>,
}

/// A device as it is known before and after it has said who it is. Clones are the same device.
#[derive(Clone)]
struct Device {
    shared: Arc<Shared>,
    socket: SocketRef,
    address: String,
    /// Where it connects from.
    region: Region,
    user_agent: Option<String>,
}

impl Session {
    async fn run(mut self, auth: Option<Value>) {
        let limits = &self.device.shared.limits;
        // Until it has said who it is, it counts for its address.
        let nameless = limits.open_socket(
            &format!("nameless {}", self.device.socket.id),
            &self.device.address,
        );
        let admitted = match nameless {
            Ok(nameless) => self.admit(auth, nameless).await,
            Err(error) => Err(Some(error)),
        };
        match admitted {
            Ok((proven, counted)) => self.serve(proven, counted).await,
            Err(Some(error)) => {
                self.device.note(None, &error, None, request_name::AUTHENTICATE);
                self.turn_away(error);
            }
            Err(None) => {}
        }
    }

    /// Finds out who it is: by the handshake, or by `authenticate`. Fails without a reason if it is gone.
    async fn admit(
        &mut self,
        auth: Option<Value>,
        nameless: OpenSocket,
    ) -> Result<(Proven, OpenSocket), Option<ErrorBody>> {
        let handshake = auth
            .and_then(|auth| dispatch::read::<Authenticate>(auth).ok())
            .filter(|auth| auth.token.is_some() || auth.session_token.is_some());
        let (credentials, ack) = match handshake {
            Some(credentials) => (credentials, None),
            None => self.ask_who().await?,
        };
        let proven = self.who(credentials).await;
        drop(nameless);
        let counted = proven.and_then(|proven| {
            let key = proven.caller.key();
            let counted = self
                .device
                .shared
                .limits
                .open_socket(&key, &self.device.address)?;
            Ok((proven, counted))
        });
        acknowledge(ack, counted.as_ref().map(drop).map_err(Clone::clone));
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
                Some(Said::Event(event)) => answer(&self.device.socket, event.ack, None, Err(unauthorized())),
                Some(Said::Gone) | None => return Err(None),
            }
        }
    }

    async fn who(&self, credentials: Authenticate) -> Result<Proven, ErrorBody> {
        let shared = &self.device.shared;
        shared.limits.may_try(Instant::now(), &self.device.address)?;
        let (proven, guessed) = match (credentials.token, credentials.session_token) {
            (Some(token), None) => {
                let proven = shared.auth.user(&token.0).await;
                let guessed = proven.is_err() && shared.auth.is_guessed_token(&token.0);
                (proven, guessed)
            }
            (None, Some(session)) => {
                let proven = shared.auth.guest(&session.0).await;
                let guessed = proven.is_err() && shared.auth.is_guessed_session(&session.0).await;
                (proven, guessed)
            }
            _ => (Err(unauthorized()), true),
        };
        match proven {
            // A program has nobody's calls to take.
            Ok(proven) if proven.caller == Caller::Service => Err(unauthorized()),
            Ok(Proven { caller, until }) => Ok(Proven {
                caller: speaking(caller, credentials.language),
                until,
            }),
            Err(error) => {
                if error.code == ErrorCode::Unauthorized {
                    if guessed {
                        shared.limits.auth_failed(Instant::now(), &self.device.address);
                    }
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
        emit(&self.device.socket, refused.name(), &refused);
        // Gone either way.
        drop(self.device.socket.disconnect());
    }

    async fn serve(mut self, proven: Proven, _counted: OpenSocket) {
        let shared = Arc::clone(&self.device.shared);
        let Proven { caller, until } = proven;
        let (id, devices) = shared.sockets.add(&caller, self.device.socket.clone());
        shared.metrics.socket_count(1);
        self.welcome(&caller);
        if let Caller::User { id: user, .. } = caller {
            presence::came(&shared, user, devices == Devices::Edge).await;
        }
        let end = self.listen((&caller, id), until).await;
        let devices = shared.sockets.remove(&caller, id);
        shared.metrics.socket_count(-1);
        if let Some(person) = caller.person() {
            shared.calls.socket_closed(&person, id).await;
        }
        if let (Caller::User { id: user, .. }, Devices::Edge) = (&caller, devices) {
            presence::went(&shared, *user).await;
        }
        if end == End::Expired {
            self.turn_away(unauthorized());
        }
    }

    /// Says that it may speak.
    fn welcome(&self, caller: &Caller) {
        let accepted = ServerEvent::Authenticated(Authenticated {
            success: true,
            user: Some(user(caller)),
            error: None,
        });
        emit(&self.device.socket, accepted.name(), &accepted);
    }

    /// Hears what it says until it goes, or what proved who it is ends: a connection that is open for days is worth no
    /// more than a request with the same token.
    ///
    /// Nobody is cut off in the middle of a call, though: who holds a seat stays until the call is over for them.
    async fn listen(&mut self, (caller, id): (&Caller, SocketId), mut until: Option<Timestamp>) -> End {
        let mut ended = None;
        loop {
            let said = tokio::select! {
                said = self.said.recv() => said,
                () = ends(until) => {
                    let ended = *ended.get_or_insert(until);
                    until = self.respite(caller, ended);
                    if until.is_none() {
                        return End::Expired;
                    }
                    continue;
                }
            };
            match said {
                Some(Said::Event(event)) if event.name == request_name::AUTHENTICATE => {
                    self.device.shared.metrics.socket_event(event.name);
                    if let Some(renewed) = self.renew(caller, event).await {
                        (until, ended) = (renewed, None);
                    }
                }
                Some(Said::Event(event)) => self.hear((caller, id), event).await,
                Some(Said::Gone) | None => return End::Gone,
            }
        }
    }

    /// Until when somebody may stay whose proof ended then: for a while more as long as they are in a call.
    fn respite(&self, caller: &Caller, ended: Option<Timestamp>) -> Option<Timestamp> {
        let person = caller.person()?;
        self.device.shared.calls.call_of(&person)?;
        let now = Timestamp::from(SystemTime::now()).unix_millis();
        let last = ended?.unix_millis().saturating_add(of_millis(LONGEST_CALL));
        let next = now.saturating_add(of_millis(SEAT_CHECK)).min(last);
        (next > now).then(|| Timestamp::from_unix_millis(next))
    }

    /// Takes a newer proof of the same person; who one is does not change in the life of a connection (contract §2.2).
    /// Gives when the new one ends, or nothing if it was not taken.
    async fn renew(&self, caller: &Caller, event: Event) -> Option<Option<Timestamp>> {
        let credentials = event.payload.and_then(|payload| dispatch::read(payload).ok());
        let counted = self.device.shared.limits.count(Scope::Join, &caller.key());
        let proven = match (counted, credentials) {
            (Err(error), _) => Err(error),
            (Ok(_), Some(credentials)) => self.who(credentials).await,
            (Ok(_), None) => Err(unauthorized()),
        };
        let same = |proven: &Proven| proven.caller.person() == caller.person();
        let renewed = proven.and_then(|proven| same(&proven).then_some(proven).ok_or_else(unauthorized));
        match renewed {
            Ok(proven) => {
                acknowledge(event.ack, Ok(()));
                self.welcome(caller);
                Some(proven.until)
            }
            Err(error) => {
                self.device
                    .note(Some(caller), &error, None, request_name::AUTHENTICATE);
                answer(&self.device.socket, event.ack, None, Err(error));
                None
            }
        }
    }

    async fn hear(&self, (caller, id): (&Caller, SocketId), event: Event) {
        self.device.shared.metrics.socket_event(event.name);
        let mut work = Box::pin(self.device.clone().serve((caller.clone(), id), event));
        if timeout(IN_ORDER, &mut work).await.is_err() {
            tokio::spawn(work);
        }
    }
}

impl Device {
    /// Does what the device asks, and answers.
    async fn serve(self, (caller, id): (Caller, SocketId), event: Event) {
        let Event { name, payload, ack } = event;
        let shared = &self.shared;
        let call = call_of(payload.as_ref());
        let seat = || shared.calls.seat_of(call.as_ref()?, &caller.person()?);
        let span = edge::span!(
            "socket event",
            event = name,
            call = call.as_ref().map(tracing::field::display),
            participant = seat().map(tracing::field::display),
        );
        let from = shared
            .refusals
            .footprint(Some(&caller), &self.address, self.user_agent.as_deref());
        let work = async {
            let outcome = dispatch::serve(shared, (&caller, id, self.region.clone()), name, payload).await;
            if let Err(error) = &outcome {
                tracing::debug!(code = %error.code, "refused");
                if error.code.status() == 403 {
                    shared.metrics.access_denied("socket");
                }
                self.note(Some(&caller), error, call.clone(), name);
            }
            outcome
        };
        let outcome = from.scope(work).instrument(span).await;
        answer(&self.socket, ack, call, outcome);
    }

    /// Writes a refusal down if it is one for the audit log.
    fn note(&self, caller: Option<&Caller>, error: &ErrorBody, call: Option<CallId>, event: &str) {
        let shared = &self.shared;
        let refusal = Refusal {
            status: error.code.status(),
            caller,
            address: &self.address,
            call,
            user_agent: self.user_agent.as_deref(),
        };
        let what = json!({ "event": event });
        if let Some(entry) = shared.refusals.entry(Instant::now(), refusal, what) {
            shared.calls.note(entry);
        }
    }
}

/// Acknowledges a proof of who one is, if that is wanted.
fn acknowledge(ack: Option<AckSender>, outcome: Result<(), ErrorBody>) {
    let answer = match outcome {
        Ok(()) => CallAck::<Value> {
            success: true,
            data: None,
            error: None,
        },
        Err(error) => CallAck::from(error),
    };
    if let Some(ack) = ack {
        // A device that is gone is noticed by its missing pongs.
        drop(ack.send(&answer));
    }
}

/// Waits for the end of a proof; for ever, if it has none.
const fn of_millis(span: Duration) -> u64 {
    span.as_secs() * 1000
}

async fn ends(until: Option<Timestamp>) {
    let Some(until) = until else {
        return std::future::pending().await;
    };
    loop {
        let now = Timestamp::from(SystemTime::now());
        let rest = until.unix_millis().saturating_sub(now.unix_millis());
        if rest == 0 {
            return;
        }
        sleep(Duration::from_millis(rest).min(LONGEST)).await;
    }
}

/// Acknowledges, or sends `call:error` to a device that asked for no acknowledgement and failed; never both.
fn answer(
    socket: &SocketRef,
    ack: Option<AckSender>,
    call: Option<CallId>,
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
fn call_of(payload: Option<&Value>) -> Option<CallId> {
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
