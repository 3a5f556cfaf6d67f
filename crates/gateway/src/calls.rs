//! All calls: one task per call, and one function per request, for REST and Socket.IO alike.
//!
//! Every request is checked against the store before the call hears of it (contract §2.3); knowing a call's id grants
//! nothing.
//!
//! * `requests`, `in_call`, `past`: the functions.
//! * `access`: who may do what. `checks`: whether what they say can be.
//! * `task`, `notices`, `rooms`: what one call asks for is carried out.
//! * `ledger`, `journal`: writing down.
//! * `registry`: which calls run here, and who is in which.
//! * `upkeep`: restoring, sweeping, and what comes from nodes and devices.

mod access;
mod checks;
mod credentials;
mod in_call;
mod journal;
mod ledger;
mod mailbox;
mod notices;
mod past;
mod registry;
mod requests;
mod rooms;
mod task;
mod upkeep;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use call::{Call, Entropy, Input, Moment, Person, RequestId, Settings};
use signalling::client_gateway::{AdminCall, AdminSwitches};
use signalling::error::ErrorBody;
use signalling::{CallId, ConversationId, ErrorCode, Timestamp};
use store::{AuditEntry, Store};
use tokio::sync::oneshot;

use crate::auth::{Authenticator, Tokens};
use crate::cluster::Cluster;
use crate::fault::fault;
use crate::flags::Flags;
use crate::ice_servers::IceServers;
use crate::metrics::Metrics;
use crate::nodes::Nodes;
use crate::region::Region;
use crate::socket::Sockets;
use crate::switches::SwitchLog;
use credentials::Issuer;
use journal::{Journal, Line};
use mailbox::{Answer, Mail};
use registry::{Registry, Running};

pub(crate) use mailbox::Left;

/// What calls work with.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) authenticator: Authenticator,
    pub(crate) ice: Arc<IceServers>,
    pub(crate) flags: Arc<Flags>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) nodes: Arc<Nodes>,
    pub(crate) cluster: Arc<dyn Cluster>,
    /// Where this gateway stands, and with it those whose place nobody knows.
    pub(crate) region: Region,
    /// The rules' numbers; whether a media node may be used is asked for each conversation.
    pub(crate) settings: Settings,
    /// Base of the node's REST paths as browsers see it; empty for the gateway's own origin.
    pub(crate) media_url: String,
}

/// All calls.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: Arc<dyn Store>,
    authenticator: Authenticator,
    sockets: Arc<Sockets>,
    nodes: Arc<Nodes>,
    cluster: Arc<dyn Cluster>,
    flags: Arc<Flags>,
    metrics: Arc<Metrics>,
    issuer: Issuer,
    switches: SwitchLog,
    region: Region,
    journal: Journal,
    settings: Settings,
    requests: AtomicU64,
}

impl Inner {
    fn now(&self) -> Timestamp {
        Timestamp::from(SystemTime::now())
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.now(),
            entropy: Entropy(edge::random::number()),
        }
    }

    fn request(&self) -> RequestId {
        RequestId(self.requests.fetch_add(1, Ordering::Relaxed))
    }

    fn settings_for(&self, conversation: &ConversationId) -> Settings {
        Settings {
            sfu_enabled: self.flags.sfu_for(conversation),
            ..self.settings
        }
    }
}

impl Calls {
    /// No calls yet. Must be made within the runtime.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            registry: Registry::default(),
            journal: Journal::start(Arc::clone(&parts.store)),
            store: parts.store,
            authenticator: parts.authenticator,
            sockets: parts.sockets,
            nodes: parts.nodes,
            cluster: parts.cluster,
            flags: parts.flags,
            metrics: parts.metrics,
            issuer: Issuer {
                tokens: parts.tokens,
                ice: parts.ice,
                media_url: parts.media_url,
            },
            switches: SwitchLog::default(),
            region: parts.region,
            settings: parts.settings,
            requests: AtomicU64::new(0),
        }))
    }

    /// Adds a line to the audit log, some time soon.
    pub(crate) fn note(&self, entry: AuditEntry) {
        self.0.journal.add(Line::Audit(entry));
    }

    /// How many calls run here.
    pub(crate) fn count(&self) -> usize {
        self.0.registry.len()
    }

    /// What operators are shown of the calls that run here, oldest first.
    pub(crate) fn shown(&self) -> Vec<AdminCall> {
        self.0.registry.shown()
    }

    /// What operators are shown of switches.
    pub(crate) fn switches(&self) -> AdminSwitches {
        self.0.switches.summary()
    }

    /// Who somebody is in this call.
    pub(crate) fn seat_of(&self, call: &CallId, person: &Person) -> Option<signalling::ParticipantId> {
        self.0.registry.seat(call, person)
    }

    /// The call somebody is in, or asks to be let into.
    pub(crate) fn call_of(&self, person: &Person) -> Option<CallId> {
        self.0.registry.call_of(person).map(|running| running.call)
    }

    /// The call, if it runs here.
    ///
    /// # Errors
    /// `CALL_ENDED` if it is over, `CALL_NOT_FOUND` if there never was one.
    async fn running(&self, call: &CallId) -> Result<Running, ErrorBody> {
        if let Some(running) = self.0.registry.call(call) {
            return Ok(running);
        }
        let code = match self.0.store.call(call).await {
            Ok(Some(_)) => ErrorCode::CallEnded,
            Ok(None) => ErrorCode::CallNotFound,
            Err(error) => return Err(fault(&error)),
        };
        Err(ErrorBody::new(code).about("callId", call))
    }

    /// Puts a request before the call and awaits its answer.
    async fn ask(
        &self,
        running: &Running,
        input: impl FnOnce(RequestId) -> Input,
    ) -> Result<Answer, ErrorBody> {
        let request = self.0.request();
        let (answered, answer) = oneshot::channel();
        let mail = Mail::input(input(request), Some((request, answered)));
        let ended = || ErrorBody::new(ErrorCode::CallEnded).about("callId", &running.call);
        running.mailbox.send(mail).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// As [`Self::ask`], of a request that is just done.
    async fn demand(
        &self,
        running: &Running,
        input: impl FnOnce(RequestId) -> Input,
    ) -> Result<(), ErrorBody> {
        match self.ask(running, input).await? {
            Answer::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Looks something up in the call.
    async fn look<T: Send + 'static>(
        &self,
        running: &Running,
        look: impl FnOnce(&Call, Timestamp) -> T + Send + 'static,
    ) -> Result<T, ErrorBody> {
        let (seen, result) = oneshot::channel();
        let mail = Mail::Look(Box::new(move |call, now| {
            // Who does not wait any more needs no answer.
            drop(seen.send(look(call, now)));
        }));
        let ended = || ErrorBody::new(ErrorCode::CallEnded).about("callId", &running.call);
        running.mailbox.send(mail).await.map_err(|_| ended())?;
        result.await.map_err(|_| ended())
    }

    /// Tells the call something that nobody waits for.
    async fn tell(&self, running: &Running, input: Input) {
        // A call that is over has no use for it.
        drop(running.mailbox.send(Mail::input(input, None)).await);
    }
}

/// The call answered something that does not belong to the request.
fn unexpected() -> ErrorBody {
    tracing::error!("a call answered another question than was asked");
    ErrorBody::new(ErrorCode::InternalServerError)
}
