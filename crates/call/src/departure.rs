//! Going out: declining, leaving, being lost, being removed, and the end of the call (contract §3.1, §3.2).

use signalling::client_gateway::{
    AnsweredElsewhere, CallStatus, EndReason, Ended, LeaveReason, ParticipantLeft, ParticipantRole,
    ParticipantStatus, RejectReason, ServerEvent,
};
use signalling::error::{ErrorBody, ErrorCode};
use signalling::{ParticipantId, UserId};

use crate::Call;
use crate::input::{Actor, Person, RequestId, SocketId};
use crate::output::{AuditEvent, NodeCommand, Output, Reply};
use crate::roster::{Participant, Standing};

/// How somebody comes to hold no seat any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// By their own wish.
    Left,
    /// Removed by somebody who may.
    Kicked,
    /// Did not come back, or never had media.
    Lost,
    /// The switch that was to let them in failed for good.
    SwitchFailed,
}

impl Departure {
    const fn reason(self) -> LeaveReason {
        match self {
            Self::Left => LeaveReason::Left,
            Self::Kicked => LeaveReason::Kicked,
            Self::Lost | Self::SwitchFailed => LeaveReason::NetworkFailure,
        }
    }

    const fn status(self) -> ParticipantStatus {
        match self {
            Self::Left | Self::Kicked => ParticipantStatus::Disconnected,
            Self::Lost | Self::SwitchFailed => ParticipantStatus::Failed,
        }
    }

    /// How the call ends if it ends by this.
    const fn end(self) -> EndReason {
        match self {
            Self::Left | Self::Kicked => EndReason::Normal,
            Self::Lost | Self::SwitchFailed => EndReason::Timeout,
        }
    }
}

impl Call {
    /// Somebody who is rung declines.
    pub(crate) fn reject(
        &mut self,
        request: RequestId,
        user: UserId,
        reason: RejectReason,
        socket: Option<SocketId>,
    ) {
        let takes_part = self.participant_of(&Person::User(user)).is_some();
        if self.ring.callee(user).is_none() && !takes_part {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        }
        self.reply(request, Reply::Done);
        // Another device took the call a moment ago: it stays taken.
        if !takes_part {
            self.decline(user, reason, socket);
        }
    }

    fn decline(&mut self, user: UserId, reason: RejectReason, socket: Option<SocketId>) {
        let Some(callee) = self.ring.callee(user).cloned() else {
            return;
        };
        if !self.ring.decline(user) {
            return;
        }
        let stop = ServerEvent::AnsweredElsewhere(AnsweredElsewhere {
            call_id: self.row.id.clone(),
        });
        self.tell_users(vec![user], socket, stop);
        self.tell_rejected(callee, reason);
        self.end_if_declined(Some(user));
    }

    /// Nobody who was reached wants the call: it is over.
    pub(crate) fn end_if_declined(&mut self, by: Option<UserId>) {
        if self.row.status != CallStatus::Active && self.ring.is_declined_by_all() {
            self.end(EndReason::Rejected, by);
        }
    }

    /// Somebody leaves; who only rings declines by it. Leaving twice is leaving once.
    pub(crate) fn leave(&mut self, request: Option<RequestId>, person: Person, socket: Option<SocketId>) {
        if let Some(id) = self.participant_of(&person).cloned() {
            self.left(request, Some(id.clone()));
            return self.depart(&id, Departure::Left);
        }
        let waited = self.forget_queued(&person);
        let user = match person {
            Person::User(user) => Some(user),
            Person::Guest(_) => None,
        };
        let rings = user.filter(|user| self.ring.rings(*user));
        let known = self.roster.of_person(&person).map(|each| each.row.id.clone());
        if let Some(user) = rings {
            self.left(request, None);
            self.decline(user, RejectReason::Declined, socket);
        } else if known.is_some() || waited {
            self.left(request, known);
        } else if let Some(request) = request {
            self.refuse(request, ErrorCode::ParticipantNotFound);
        }
    }

    fn left(&mut self, request: Option<RequestId>, participant: Option<ParticipantId>) {
        let before = participant.as_ref().and_then(|id| self.roster.known(id));
        let left_at = before.and_then(|who| who.row.left_at).unwrap_or(self.now);
        if let Some(request) = request {
            self.reply(request, Reply::Left { participant, left_at });
        }
    }

    /// Somebody is removed: by themselves, or by one who may.
    pub(crate) fn remove(&mut self, request: RequestId, by: Actor, participant: &ParticipantId) {
        let Some(who) = self.roster.known(participant) else {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        };
        let own = matches!(by, Actor::Person { person, .. } if who.row.person == Some(person));
        if !own && !self.may_rule(by) {
            return self.refuse(request, ErrorCode::PermissionDenied);
        }
        if !who.occupies() && !own {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        }
        self.left(Some(request), Some(participant.clone()));
        if own {
            return self.depart(participant, Departure::Left);
        }
        self.tell_error(participant, ErrorBody::new(ErrorCode::Kicked));
        self.depart(participant, Departure::Kicked);
    }

    /// Whether somebody may end the call or remove others (contract §2.3).
    fn may_rule(&self, by: Actor) -> bool {
        match by {
            Actor::Service => true,
            Actor::Person { admin: true, .. } => true,
            Actor::Person { person, .. } => self.is_initiator(&person),
        }
    }

    fn is_initiator(&self, person: &Person) -> bool {
        matches!(person, Person::User(user) if self.row.initiator_id == Some(*user))
    }

    /// Somebody wants the call to be over for everybody.
    pub(crate) fn end_asked(&mut self, request: RequestId, by: Actor) {
        if !self.may_rule(by) {
            return self.refuse(request, ErrorCode::PermissionDenied);
        }
        let user = match by {
            Actor::Person {
                person: Person::User(user),
                ..
            } => Some(user),
            _ => None,
        };
        let initiator = matches!(by, Actor::Person { person, .. } if self.is_initiator(&person));
        let reason = match (initiator, self.row.status) {
            (true, CallStatus::Active) => EndReason::Normal,
            (true, _) => EndReason::Cancelled,
            (false, _) => EndReason::Forced,
        };
        self.end(reason, user);
        self.reply(
            request,
            Reply::Ended {
                ended_at: self.now,
                duration: self.duration(self.now),
            },
        );
    }

    /// A device is gone: its seat is kept for a while, its waiting join is not.
    pub(crate) fn socket_closed(&mut self, socket: SocketId) {
        let (gone, waiting) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition::<Vec<_>, _>(|join| join.socket == Some(socket));
        self.queue = waiting;
        for join in gone {
            self.refuse(join.request, ErrorCode::Conflict);
        }
        let Some(id) = self.seat_of_socket(socket).cloned() else {
            return;
        };
        let now = self.now;
        if let Some(who) = self.roster.occupant_mut(&id) {
            who.had_media = who.row.status == ParticipantStatus::Connected;
            who.row.status = ParticipantStatus::Disconnected;
            who.row.disconnected_at = Some(now);
            who.socket = None;
            who.unbound_since = now;
        }
        self.tell_presence(&id, ParticipantStatus::Disconnected);
    }

    /// Somebody holds no seat any more.
    pub(crate) fn depart(&mut self, id: &ParticipantId, how: Departure) {
        let now = self.now;
        let Some(who) = self.roster.occupant_mut(id) else {
            return;
        };
        who.row.status = how.status();
        who.row.left_at = Some(now);
        who.row.sfu = crate::record::SfuIds::default();
        who.standing = Standing::Member;
        let socket = who.socket.take();
        let person = who.row.person;
        let initiator = who.row.role == ParticipantRole::Initiator;
        let dto = who.dto();
        self.set_changed();
        self.tell_others(
            id,
            ServerEvent::ParticipantLeft(ParticipantLeft {
                call_id: self.row.id.clone(),
                participant_id: dto.participant_id,
                user_id: dto.user_id,
                anonymous_user_id: dto.anonymous_user_id,
                username: dto.username,
                left_at: now,
                total_participants: self.roster.occupying(),
                reason: Some(how.reason()),
            }),
        );
        self.out.extend(socket.map(|socket| Output::Release { socket }));
        self.audit(AuditEvent::CallLeft, person);
        if let Some(node) = self.node().cloned() {
            let participant = id.clone();
            self.out
                .push(Output::Node(NodeCommand::RemoveParticipant { node, participant }));
        }
        self.forget_producers_of(id);
        let by = match (how, person) {
            (Departure::Left, Some(Person::User(user))) => Some(user),
            _ => None,
        };
        let last = self.roster.occupying() == 0;
        match self.row.status {
            CallStatus::Active if last || self.is_direct() => self.end(how.end(), by),
            CallStatus::Initiated | CallStatus::Ringing if initiator || last => {
                self.end(EndReason::Cancelled, by);
            }
            _ => {}
        }
    }

    /// The call is over: everybody is told, also those who still ring, and everybody who waits is answered.
    pub(crate) fn end(&mut self, reason: EndReason, by: Option<UserId>) {
        if self.is_over() {
            return;
        }
        let now = self.now;
        let (status, left) = match reason {
            EndReason::Error => (CallStatus::Failed, ParticipantStatus::Failed),
            _ => (CallStatus::Ended, ParticipantStatus::Disconnected),
        };
        self.row.status = status;
        self.row.ended_at = Some(now);
        self.row.end_reason = Some(reason);
        self.row.ended_by = by;
        let duration = self.duration(now);
        self.row.duration = Some(duration);
        for request in std::mem::take(&mut self.queue)
            .into_iter()
            .map(|join| join.request)
        {
            self.refuse(request, ErrorCode::CallEnded);
        }
        if let Some(manual) = self.manual.take() {
            self.refuse(manual.request, ErrorCode::CallEnded);
        }
        let ended = ServerEvent::Ended(Ended {
            call_id: self.row.id.clone(),
            conversation_id: self.row.conversation_id,
            reason,
            ended_by: by,
            ended_at: now,
            duration,
        });
        self.tell_all(ended.clone());
        self.tell_users(self.ring.ringing(), None, ended);
        self.ring.stop();
        if let Some(node) = self.node().cloned() {
            self.out.push(Output::Node(NodeCommand::DestroyRoom { node }));
        }
        let sockets: Vec<_> = self.roster.seats().into_iter().map(|seat| seat.socket).collect();
        for who in self.roster.occupants_mut() {
            who.row.status = left;
            who.row.left_at = Some(now);
            who.socket = None;
        }
        self.out
            .extend(sockets.into_iter().map(|socket| Output::Release { socket }));
        self.audit(AuditEvent::CallEnded { reason }, by.map(Person::User));
        self.machine_stops();
        self.room = crate::room::RoomState::none(now);
        self.say_ongoing();
    }

    /// What others see of whether somebody is there.
    pub(crate) fn tell_presence(&mut self, id: &ParticipantId, status: ParticipantStatus) {
        let Some(event) = self
            .roster
            .occupant(id)
            .map(|who| self.media_state(who, Some(status)))
        else {
            return;
        };
        self.tell_others(id, event);
    }

    /// What somebody sends, as others are told.
    pub(crate) fn media_state(&self, who: &Participant, status: Option<ParticipantStatus>) -> ServerEvent {
        ServerEvent::ParticipantMediaState(signalling::client_gateway::ParticipantMediaState {
            call_id: self.row.id.clone(),
            participant_id: who.row.id.clone(),
            username: who.row.username.clone(),
            media: who.row.media,
            status,
        })
    }
}
