//! Coming in: joining, accepting, coming back (contract §3.1 to §3.5).

use signalling::client_gateway::{
    AnsweredElsewhere, CallStatus, MediaState, Mode, ModeSwitched, ParticipantJoined, ParticipantStatus,
    ServerEvent, SwitchReason,
};
use signalling::error::{ErrorBody, ErrorCode};
use signalling::{ParticipantId, Timestamp};

use crate::Call;
use crate::input::{Identity, Input, Person, RequestId, SocketId};
use crate::mode::{Hold, Machine};
use crate::output::{AuditEvent, Notice, Output, Recipients, Reply, Seat};
use crate::record::SfuIds;
use crate::roster::{Participant, Standing};
use crate::timers::after;

/// A join that waits for a switch to end, or for a room.
#[derive(Clone, Debug)]
pub(crate) struct QueuedJoin {
    pub(crate) request: RequestId,
    pub(crate) who: Identity,
    pub(crate) socket: Option<SocketId>,
    media: MediaState,
    sfu_supported: bool,
    fresh_id: ParticipantId,
    /// When it is refused.
    pub(crate) until: Timestamp,
}

/// What becomes of a join now.
enum Verdict {
    /// Let in; the way media takes.
    Admit(Standing),
    /// Let in, and the call switches for them.
    AdmitAndSwitch,
    /// Not yet.
    Wait,
    /// Not at all.
    Refuse(ErrorBody),
}

fn refused(code: ErrorCode) -> Verdict {
    Verdict::Refuse(ErrorBody::new(code))
}

impl Call {
    /// Somebody wants in.
    pub(crate) fn join(&mut self, input: Input) {
        let Input::Join {
            request,
            who,
            socket,
            mut media,
            sfu_supported,
            fresh_id,
        } = input
        else {
            return;
        };
        let guest = matches!(who.person, Person::Guest(_));
        media.screen_share_enabled &= !guest || self.settings.guests_share_screen;
        let join = QueuedJoin {
            request,
            who,
            socket,
            media,
            sfu_supported,
            fresh_id,
            until: after(self.now, self.settings.switch_timeout),
        };
        if let Some(id) = self.participant_of(&join.who.person).cloned() {
            return self.join_own_seat(&join, &id);
        }
        self.forget_queued(&join.who.person);
        self.queue.push(join);
        self.serve_queue();
    }

    /// The same person asked before; only the newest request counts.
    pub(crate) fn forget_queued(&mut self, person: &Person) -> bool {
        let (same, others) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition::<Vec<_>, _>(|each| each.who.person == *person);
        self.queue = others;
        let any = !same.is_empty();
        for old in same {
            self.refuse(old.request, ErrorCode::Conflict);
        }
        any
    }

    /// Serves joins in the order in which they came, as far as that goes now.
    pub(crate) fn serve_queue(&mut self) -> bool {
        if self.queue.is_empty() || self.is_over() {
            return false;
        }
        match self.verdict(&self.queue[0]) {
            Verdict::Wait => return false,
            Verdict::Refuse(error) => {
                let join = self.queue.remove(0);
                self.refuse_with(join.request, error);
            }
            Verdict::Admit(standing) => {
                let join = self.queue.remove(0);
                self.admit(join, standing);
            }
            Verdict::AdmitAndSwitch => {
                let join = self.queue.remove(0);
                let id = self.admit(join, Standing::Newcomer);
                self.begin_switch(Mode::Sfu, SwitchReason::ParticipantCountChanged, 0, Some(&id));
            }
        }
        true
    }

    /// Whether somebody may come in, by the table of contract §3.3.
    fn verdict(&self, join: &QueuedJoin) -> Verdict {
        let occupying = self.roster.occupying();
        if self.is_direct() {
            return match join.who.person {
                Person::Guest(_) => refused(ErrorCode::PermissionDenied),
                Person::User(_) if occupying >= 2 => refused(ErrorCode::MaxParticipantsReached),
                Person::User(_) => Verdict::Admit(Standing::Member),
            };
        }
        if occupying >= self.settings.max_participants {
            return refused(ErrorCode::MaxParticipantsReached);
        }
        let direct = matches!(self.machine, Machine::P2p { retry: None }) && occupying < 2;
        if direct {
            return Verdict::Admit(Standing::Member);
        }
        if !join.sfu_supported || !self.roster.occupants().all(|each| each.sfu_supported) {
            let text = "A browser in this call does not support group calls and needs an update";
            return Verdict::Refuse(ErrorBody::with_message(ErrorCode::SfuDisabled, text));
        }
        match &self.machine {
            Machine::SwitchingToSfu(_) | Machine::FailingOver(_) => Verdict::Wait,
            // Without a room there is nothing to let them into yet.
            Machine::Sfu if self.room().is_none() => Verdict::Wait,
            Machine::Sfu | Machine::SwitchingToP2p(_) => Verdict::Admit(Standing::Member),
            Machine::P2p { retry: Some(_) } => limited(),
            Machine::P2p { retry: None } if !self.settings.sfu_enabled => refused(ErrorCode::SfuDisabled),
            Machine::P2p { retry: None } if self.has_place() => Verdict::AdmitAndSwitch,
            Machine::P2p { retry: None } => Verdict::Wait,
        }
    }

    /// Gives somebody a seat, their old one if they had one.
    fn admit(&mut self, join: QueuedJoin, standing: Standing) -> ParticipantId {
        if matches!(self.machine, Machine::SwitchingToP2p(_)) {
            self.call_off("participant-joined", None);
        }
        let id = self.seat(&join, standing);
        self.set_changed();
        self.metrics.seen(&self.roster);
        self.stop_ringing(&join.who.person, join.socket);
        self.audit(AuditEvent::CallJoined, Some(join.who.person));
        let begins = self.row.status != CallStatus::Active && self.roster.occupying() >= 2;
        if begins {
            self.row.status = CallStatus::Active;
            self.row.started_at = Some(self.now);
        }
        let joined = self.roster.occupant(&id).map(Participant::dto);
        if let Some(participant) = joined {
            self.tell_others(
                &id,
                ServerEvent::ParticipantJoined(ParticipantJoined {
                    call_id: self.row.id.clone(),
                    participant,
                    total_participants: self.roster.occupying(),
                }),
            );
        }
        self.welcome(join.request, &id, false);
        if begins {
            self.tell(self.roster.seats(), Notice::Started);
        }
        id
    }

    fn seat(&mut self, join: &QueuedJoin, standing: Standing) -> ParticipantId {
        let now = self.now;
        let id = match self.roster.of_person(&join.who.person) {
            Some(before) => before.row.id.clone(),
            None => {
                let new = Participant::new(&self.row.id, join.fresh_id.clone(), &join.who, now);
                self.roster.add(new);
                join.fresh_id.clone()
            }
        };
        let Some(who) = self.roster.known_mut(&id) else {
            return id;
        };
        who.row.username = join.who.username.clone();
        who.row.avatar.clone_from(&join.who.avatar);
        who.row.language.clone_from(&join.who.language);
        who.row.status = ParticipantStatus::Connecting;
        who.row.left_at = None;
        who.row.disconnected_at = None;
        who.row.media = join.media;
        who.row.sfu = SfuIds::default();
        who.socket = join.socket;
        who.unbound_since = now;
        who.connecting_since = now;
        who.had_media = false;
        who.standing = standing;
        who.sfu_supported = join.sfu_supported;
        who.called_off = None;
        id
    }

    /// Whoever came or left changed what the mode depends on.
    pub(crate) fn set_changed(&mut self) {
        self.hold = Hold::Free;
        self.two_since = None;
    }

    /// A person's other devices stop ringing.
    pub(crate) fn stop_ringing(&mut self, person: &Person, answered_on: Option<SocketId>) {
        let Person::User(user) = person else {
            return;
        };
        if self.ring.answer(*user) {
            let event = ServerEvent::AnsweredElsewhere(AnsweredElsewhere {
                call_id: self.row.id.clone(),
            });
            self.tell_users(vec![*user], answered_on, event);
        }
    }

    /// Answers a join or rejoin; the device is told by an event, too.
    fn welcome(&mut self, request: RequestId, id: &ParticipantId, back: bool) {
        self.reply(
            request,
            Reply::Joined {
                participant: id.clone(),
            },
        );
        let seat = self.roster.occupant(id).and_then(Participant::seat);
        self.tell(seat.into_iter().collect(), Notice::Joined { back });
    }

    /// Who holds a seat already joins again.
    fn join_own_seat(&mut self, join: &QueuedJoin, id: &ParticipantId) {
        let bound = self.roster.occupant(id).and_then(|who| who.socket);
        match (bound, join.socket) {
            (Some(bound), Some(asks)) if bound == asks => self.welcome(join.request, id, false),
            (Some(_), _) => self.refuse(join.request, ErrorCode::AlreadyParticipant),
            (None, Some(socket)) => {
                let back = self.bind(id, socket);
                self.stop_ringing(&join.who.person, Some(socket));
                self.welcome(join.request, id, back);
                self.change_media(id, join.media);
            }
            (None, None) => self.welcome(join.request, id, false),
        }
    }

    /// Binds a device to a seat that has none: whether that was a return from being lost.
    fn bind(&mut self, id: &ParticipantId, socket: SocketId) -> bool {
        let now = self.now;
        let Some(who) = self.roster.occupant_mut(id) else {
            return false;
        };
        who.socket = Some(socket);
        let owed = who.called_off.take();
        if who.row.status != ParticipantStatus::Disconnected {
            return false;
        }
        who.row.status = if who.had_media {
            ParticipantStatus::Connected
        } else {
            who.connecting_since = now;
            ParticipantStatus::Connecting
        };
        who.row.disconnected_at = None;
        who.row.reconnect_count = who.row.reconnect_count.saturating_add(1);
        self.metrics.reconnected(true, now, &mut self.out);
        self.tell_presence(id, ParticipantStatus::Connected);
        if let Some(transition_id) = owed {
            let event = ServerEvent::ModeSwitched(ModeSwitched {
                call_id: self.row.id.clone(),
                success: false,
                mode: self.row.mode,
                transition_id,
                error: Some(ErrorCode::ModeSwitchFailed.as_str().to_owned()),
                retry_at: None,
            });
            let participant = id.clone();
            self.tell(vec![Seat { participant, socket }], Notice::Event(event));
        }
        true
    }

    /// A device of somebody who holds a seat is back, or takes the seat over from another one of theirs.
    pub(crate) fn rejoin(
        &mut self,
        request: RequestId,
        person: Person,
        participant: &ParticipantId,
        socket: SocketId,
    ) {
        let own = self.roster.occupant(participant);
        let Some(who) = own.filter(|who| who.row.person == Some(person)) else {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        };
        let before = who.socket;
        if before.is_none() {
            self.bind(participant, socket);
        } else if before != Some(socket) {
            if let Some(who) = self.roster.occupant_mut(participant) {
                who.socket = Some(socket);
            }
            self.out.extend(before.map(|socket| Output::Release { socket }));
            self.tell_presence(participant, ParticipantStatus::Connected);
        }
        self.stop_ringing(&person, Some(socket));
        self.welcome(request, participant, true);
    }

    /// Media is up at somebody's.
    pub(crate) fn connected(&mut self, request: RequestId, id: &ParticipantId) {
        let waits = self.roster.occupant(id).is_some_and(Participant::is_newcomer);
        // A newcomer has no way at all until a switch is under way.
        if !waits || self.switch().is_some() {
            self.mark_connected(id);
        }
        self.reply(request, Reply::Done);
    }

    /// A device came online while the call rings.
    pub(crate) fn device_online(&mut self, user: signalling::UserId) {
        if self.now >= self.ring.deadline || !self.ring.online(user) {
            return;
        }
        if self.row.status == CallStatus::Initiated {
            self.row.status = CallStatus::Ringing;
        }
        let notice = Notice::Event(self.incoming());
        self.out.push(Output::Notify {
            to: Recipients::Users {
                users: vec![user],
                except: None,
            },
            notice,
        });
    }
}

fn limited() -> Verdict {
    let text = "Group calls are temporarily limited";
    Verdict::Refuse(ErrorBody::with_message(ErrorCode::ServiceUnavailable, text))
}
