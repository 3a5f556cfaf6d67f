//! The task of one call: feeds what happens into [`Call`] and carries out, in order, what it asks for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use call::{Call, Input, Measure, MetricsRecord, NodeCommand, Output, Persist, Person, Reply, RequestId};
use signalling::client_gateway::{EndReason, Initiated, TransitionState};
use signalling::error::ErrorBody;
use signalling::{ErrorCode, ParticipantId, Timestamp};
use store::{AuditEntry, AuditType, CaptionRecord, CaptionSource, StoreError};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};

use super::credentials::Holder;
use super::journal::Line;
use super::ledger::Ledger;
use super::mailbox::{Answer, Answered, Happened, Left, Mail};
use super::registry::Running;
use super::{Inner, rooms};
use crate::footprint::Footprint;

/// How often it is noted again where the room is, so that the note outlives its time (contract §2.10).
const PLACE_AGAIN: Duration = Duration::from_secs(600);

/// Whether the call is in the store already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    NotYet,
    Once,
}

/// One call, with everything its task holds.
pub(super) struct CallTask {
    pub(super) call: Call,
    pub(super) inner: Arc<Inner>,
    /// Who holds a seat, as of the last input.
    pub(super) seats: Vec<(Person, ParticipantId)>,
    running: Running,
    mail: mpsc::Receiver<Mail>,
    waiting: HashMap<RequestId, Answered>,
    /// Where each person's last request came from.
    whence: HashMap<Person, Footprint>,
    ledger: Ledger,
    written: Written,
    rooms: mpsc::UnboundedSender<(NodeCommand, Span)>,
    /// The switch that is under way, for traces.
    switch: Option<Span>,
    over: bool,
}

/// Takes the call out of the registry when its task ends, also by a panic.
struct Registered(Arc<Inner>, Running);

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.registry.remove(&self.1.call);
    }
}

/// Where a call's task starts from.
pub(super) struct Start {
    pub(super) call: Call,
    pub(super) outputs: Vec<Output>,
    pub(super) running: Running,
    pub(super) mail: mpsc::Receiver<Mail>,
    /// Who waits for the call to begin; nobody, if it is restored.
    pub(super) waiting: Option<(RequestId, Answered)>,
}

impl CallTask {
    /// Starts the task. The call must be in the registry already.
    pub(super) fn spawn(inner: Arc<Inner>, start: Start) {
        let registered = Registered(Arc::clone(&inner), start.running.clone());
        let rooms = rooms::spawn(Arc::clone(&inner), &start.running);
        let mut task = Self {
            ledger: Ledger::new(inner.store.clone(), start.running.call.clone()),
            written: if start.waiting.is_some() {
                Written::NotYet
            } else {
                Written::Once
            },
            call: start.call,
            inner,
            seats: Vec::new(),
            running: start.running,
            mail: start.mail,
            waiting: start.waiting.into_iter().collect(),
            rooms,
            switch: None,
            whence: HashMap::new(),
            over: false,
        };
        task.note_whence(Footprint::current());
        let span = edge::span!("call", call = %task.running.call);
        let cause = Span::current();
        let work = async move {
            task.carry_out(start.outputs).instrument(cause).await;
            task.run().await;
            let Self { ledger, mut mail, .. } = task;
            // Whoever still knocks hears that it is over, and not before the registry does.
            drop(registered);
            mail.close();
            while let Some(mail) = mail.recv().await {
                if let Mail::Input(happened) = mail
                    && let Some((_, answered)) = happened.waiting
                {
                    // Nobody waits any more, or is told.
                    drop(answered.send(Err(ErrorBody::new(ErrorCode::CallEnded))));
                }
            }
            ledger.finish().await;
        };
        tokio::spawn(work.instrument(span));
    }

    async fn run(&mut self) {
        let mut place_again = tokio::time::interval(PLACE_AGAIN);
        while !self.over {
            let wake = self.call.next_wake().map(until);
            let retry = self.ledger.next_attempt();
            tokio::select! {
                mail = self.mail.recv() => match mail {
                    Some(mail) => self.take(mail).await,
                    None => return,
                },
                () = at(wake) => self.feed(Input::Wake).await,
                () = at(retry) => self.ledger.write().await,
                _ = place_again.tick() => self.place().await,
            }
        }
    }

    async fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Input(happened) => {
                let Happened {
                    input,
                    waiting,
                    from,
                    span,
                } = *happened;
                self.waiting.extend(waiting);
                self.note_whence(from);
                self.feed(input).instrument(span).await;
            }
            Mail::Look(look) => look(&self.call, self.inner.now()),
        }
    }

    /// Remembers where somebody's last request came from: what becomes of it may be written down later.
    fn note_whence(&mut self, from: Option<Footprint>) {
        if let Some(from) = from
            && let Some(person) = from.person
        {
            self.whence.insert(person, from);
        }
    }

    async fn feed(&mut self, input: Input) {
        let outputs = self.call.handle(self.inner.moment(), input);
        self.carry_out(outputs).await;
    }

    async fn carry_out(&mut self, outputs: Vec<Output>) {
        self.take_seats();
        for output in outputs {
            match output {
                Output::Reply { request, result } => self.answer(request, result),
                Output::Notify { to, notice } => self.notify(to, notice).await,
                Output::Persist(persist) => self.persist(persist).await,
                Output::Node(command) => {
                    // Its task ends after this one.
                    let cause = self.switch.clone().unwrap_or_else(Span::current);
                    drop(self.rooms.send((command, cause)));
                }
                Output::Measure(measure) => {
                    let call = &self.running.call;
                    self.inner.switches.note(self.inner.now(), call, &measure);
                    self.inner.metrics.measured(call, &measure);
                    self.trace_switch(&measure);
                }
                Output::Release { socket } => {
                    tracing::debug!(call = %self.running.call, socket = socket.0, "a device is released");
                }
                Output::Finished => self.finished(),
            }
            if self.over {
                return;
            }
        }
        self.over = self.call.is_over();
    }

    /// Follows a switch from its first step to its last, in the trace of whatever caused it.
    fn trace_switch(&mut self, measure: &Measure) {
        match measure {
            Measure::State {
                transition: TransitionState::P2p | TransitionState::Sfu,
                ..
            } => self.switch = None,
            Measure::State { .. } => {
                let begin = || {
                    edge::span!(
                        "mode switch",
                        call = %self.running.call,
                        from = Empty,
                        to = Empty,
                        reason = Empty,
                        success = Empty
                    )
                };
                self.switch.get_or_insert_with(begin);
            }
            Measure::Transition {
                from,
                to,
                reason,
                success,
                ..
            } => {
                let (from, to, reason) = (from.as_str(), to.as_str(), reason.as_str());
                if let Some(span) = self.switch.take() {
                    span.record("from", from).record("to", to);
                    span.record("reason", reason).record("success", success);
                }
                tracing::info!(
                    call = display(&self.running.call),
                    from,
                    to,
                    reason,
                    success,
                    "mode switched"
                );
            }
            Measure::Connected { .. } | Measure::Reconnection { .. } => {}
        }
    }

    fn finished(&mut self) {
        self.over = true;
        if self.call.dto(self.inner.now()).end_reason == Some(EndReason::Error) {
            self.inner.metrics.call_failed("error");
        }
    }

    /// Notes who holds a seat, before anybody is told that they do.
    fn take_seats(&mut self) {
        let participants = self.call.active_call().participants;
        self.seats = participants
            .into_iter()
            .filter_map(|participant| {
                let user = participant.user_id.map(Person::User);
                let person = user.or(participant.anonymous_user_id.map(Person::Guest))?;
                Some((person, participant.participant_id))
            })
            .collect();
        self.inner.registry.seated(&self.running.call, &self.seats);
        self.inner.registry.show(self.call.admin_view());
    }

    fn answer(&mut self, request: RequestId, result: Result<Reply, ErrorBody>) {
        let Some(answered) = self.waiting.remove(&request) else {
            return;
        };
        let answer = result.and_then(|reply| {
            self.complete(reply)
                .ok_or_else(|| ErrorBody::new(ErrorCode::InternalServerError))
        });
        // Who does not wait any more needs no answer.
        drop(answered.send(answer));
    }

    /// Adds what only the one who asked may see.
    fn complete(&self, reply: Reply) -> Option<Answer> {
        let now = self.inner.now();
        let answer = match reply {
            Reply::Done => Answer::Done,
            Reply::Initiated { participant } => {
                let person = self.person(&participant)?;
                let (ice_servers, expires_at) = self.inner.issuer.ice(now, &person);
                let mut call = self.call.dto(now);
                call.expires_at = expires_at;
                Answer::Initiated(Box::new(Initiated {
                    call_id: call.call_id.clone(),
                    mode: call.mode,
                    participant_id: participant,
                    ice_servers,
                    expires_at,
                    call,
                }))
            }
            Reply::Joined { participant } => {
                let person = self.person(&participant)?;
                let view = self.call.join_view(now, &participant)?;
                Answer::Joined(Box::new(self.inner.issuer.join(now, &person, view)))
            }
            Reply::Left { participant, left_at } => Answer::Left(Left { participant, left_at }),
            Reply::Ended { ended_at, duration } => Answer::Ended { ended_at, duration },
            Reply::ModeSet { mode, switched_at } => Answer::ModeSet { mode, switched_at },
        };
        Some(answer)
    }

    pub(super) fn person(&self, participant: &ParticipantId) -> Option<Person> {
        let mut seats = self.seats.iter();
        seats.find(|(_, id)| id == participant).map(|(person, _)| *person)
    }

    async fn persist(&mut self, persist: Persist) {
        match persist {
            Persist::State { call, participants } if self.written == Written::NotYet => {
                match self.ledger.create(&call, &participants).await {
                    Ok(()) => self.written = Written::Once,
                    Err(error) => self.refuse(&error),
                }
            }
            Persist::State { call, participants } => self.ledger.state(*call, participants).await,
            Persist::Metrics(metrics) => self.measured(*metrics).await,
            Persist::Caption { participant, caption } => {
                let now = self.inner.now();
                self.inner.journal.add(Line::Caption(CaptionRecord {
                    id: signalling::TranscriptionId::mint(now, self.inner.moment().entropy.0),
                    call_id: self.running.call.clone(),
                    participant_id: participant,
                    text: caption.text.clone(),
                    language: caption.language.clone(),
                    translations: caption
                        .target_language
                        .clone()
                        .zip(caption.translation.clone())
                        .into_iter()
                        .collect(),
                    timestamp: caption.timestamp,
                    duration: None,
                    confidence: caption.confidence_score,
                    source: CaptionSource::Client,
                    processing_time: None,
                    created_at: now,
                }));
            }
            Persist::Audit { event, person } => {
                let (event, metadata) = audit(event);
                let seat = person.and_then(|person| self.seats.iter().find(|(seated, _)| *seated == person));
                let participant = seat.map(|(_, participant)| display(participant));
                tracing::info!(call = %self.running.call, participant, "{}", event.as_str());
                let from = person.and_then(|person| self.whence.get(&person));
                self.inner.journal.add(Line::Audit(AuditEntry {
                    event,
                    user: person.and_then(|person| match person {
                        Person::User(user) => Some(user),
                        Person::Guest(_) => None,
                    }),
                    call: Some(self.running.call.clone()),
                    metadata,
                    ip_hash: from.map(|from| from.ip_hash.clone()),
                    user_agent: from.and_then(|from| from.user_agent.clone()),
                    timestamp: self.inner.now(),
                }));
            }
        }
    }

    async fn measured(&mut self, metrics: MetricsRecord) {
        if self.written == Written::Once {
            self.ledger.metrics(metrics).await;
        }
    }

    /// A call that cannot be written does not begin.
    fn refuse(&mut self, error: &StoreError) {
        let error = match error {
            StoreError::LiveCallExists { call } => {
                ErrorBody::new(ErrorCode::CallAlreadyActive).about("callId", call)
            }
            error => {
                tracing::error!(call = %self.running.call, %error, "the call cannot begin");
                self.inner.metrics.call_failed("store");
                ErrorBody::new(ErrorCode::ServiceUnavailable)
            }
        };
        for (_, answered) in self.waiting.drain() {
            // Who does not wait any more needs no answer.
            drop(answered.send(Err(error.clone())));
        }
        self.over = true;
    }

    async fn place(&self) {
        if let Some(node) = self.call.node() {
            self.inner.cluster.place(&self.running.call, node).await;
        }
    }

    pub(super) fn holder<'a>(&'a self, participant: &'a ParticipantId, person: &'a Person) -> Holder<'a> {
        Holder {
            call: &self.running.call,
            participant,
            person,
        }
    }
}

/// The audit log's words for what happened.
fn audit(event: call::AuditEvent) -> (AuditType, serde_json::Value) {
    use call::AuditEvent as Event;
    match event {
        Event::CallInitiated => (AuditType::CallInitiated, serde_json::json!({})),
        Event::CallJoined => (AuditType::CallJoined, serde_json::json!({})),
        Event::CallLeft => (AuditType::CallLeft, serde_json::json!({})),
        Event::CallEnded { reason } => (AuditType::CallEnded, serde_json::json!({ "reason": reason })),
        Event::ModeSwitched { to } => (AuditType::ModeSwitched, serde_json::json!({ "to": to })),
    }
}

/// The instant of a time of day. A millisecond later rather than earlier: times are cut to whole ones.
fn until(time: Timestamp) -> Instant {
    let now = Timestamp::from(std::time::SystemTime::now());
    let rest = time.unix_millis().saturating_sub(now.unix_millis());
    Instant::now() + Duration::from_millis(rest + 1)
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
