//! One call: everything that happens to it comes in here, everything it asks for goes out here.

use signalling::client_gateway::{
    CallInitiated, CallStatus, ConversationType, Incoming, MediaState, Mode, Ongoing, ParticipantRole,
    ParticipantStatus, RejectReason, Rejected, ServerEvent, TransitionState, UserSummary,
};
use signalling::error::{ErrorBody, ErrorCode};
use signalling::{ParticipantId, Timestamp, TransitionId, UserId};

use crate::admission::QueuedJoin;
use crate::input::{Callee, Input, Moment, NewCall, Person, RequestId, Settings};
use crate::manual::PendingManual;
use crate::metrics::Metrics;
use crate::mode::{Hold, Machine, Retry};
use crate::output::{AuditEvent, Measure, Notice, Output, Persist, Recipients, Reply, Seat};
use crate::place::Place;
use crate::record::{CallRecord, StoredCall};
use crate::ring::{BUSY, Ring};
use crate::room::{Outage, RoomState};
use crate::roster::{Participant, Roster, Standing};
use crate::timers::after;
use crate::view::Written;

/// One call.
///
/// Feed it with [`Call::handle`], carry its outputs out in their order, and wake it at [`Call::next_wake`].
#[derive(Clone, Debug)]
pub struct Call {
    /// What is kept of it; mode machine and room are written into copies of this.
    pub(crate) row: CallRecord,
    pub(crate) settings: Settings,
    pub(crate) roster: Roster,
    pub(crate) ring: Ring,
    pub(crate) machine: Machine,
    pub(crate) room: RoomState,
    /// Whether its node has a place for its media; of a direct call.
    pub(crate) place: Place,
    /// Counts the tries to get a room.
    pub(crate) attempts: u32,
    /// A room was found that nobody was told of yet.
    pub(crate) room_news: bool,
    /// Mode `sfu` without a room.
    pub(crate) outage: Option<Outage>,
    /// Joins that wait for a switch or a room, in order.
    pub(crate) queue: Vec<QueuedJoin>,
    /// A switch by hand that waits for a room.
    pub(crate) manual: Option<PendingManual>,
    /// What keeps the call in mode `sfu` though two remain.
    pub(crate) hold: Hold,
    /// Since when nobody is connected.
    pub(crate) nobody_since: Option<Timestamp>,
    /// Since when one person is alone.
    pub(crate) alone_since: Option<Timestamp>,
    /// Since when exactly two are there.
    pub(crate) two_since: Option<Timestamp>,
    pub(crate) metrics: Metrics,
    written: Written,
    said: Option<Ongoing>,
    measured: Option<Measure>,
    /// The time of the present input.
    pub(crate) now: Timestamp,
    entropy: u64,
    pub(crate) out: Vec<Output>,
}

/// Steps after which settling must have come to rest; a call of any size needs a handful.
const MAX_STEPS: usize = 256;

impl Call {
    /// Begins a call: its initiator is in it, everybody else who is online rings (contract §3.1).
    ///
    /// A direct call to somebody without a device is over at once: the caller is answered `CALLEE_UNAVAILABLE` and
    /// the call is kept as missed.
    #[must_use]
    pub fn begin(moment: Moment, new: NewCall, settings: Settings) -> (Self, Vec<Output>) {
        let NewCall {
            participant_id,
            initiator,
            callees,
            request,
            ..
        } = new.clone();
        let ring = Ring::new(callees.clone(), after(moment.now, settings.ring_timeout));
        let mut call = Self::at_rest(moment, first_record(&new, moment.now), ring, settings);
        call.seat_initiator(&new);
        call.audit(AuditEvent::CallInitiated, Some(initiator.person));
        let direct = call.is_direct();
        if direct && !callees.iter().any(|callee| callee.online) {
            call.refuse(request, ErrorCode::CalleeUnavailable);
            call.ring.stop();
            call.end(signalling::client_gateway::EndReason::Missed, None);
            return call.started_with();
        }
        call.reply(
            request,
            Reply::Initiated {
                participant: participant_id,
            },
        );
        call.ring_everybody();
        call.started_with()
    }

    /// A call that lived when the gateway stopped: every seat waits for its device, a switch under way is called
    /// off, the room is watched again. `callees`: every member of the conversation.
    #[must_use]
    pub fn restore(
        moment: Moment,
        stored: StoredCall,
        callees: Vec<Callee>,
        settings: Settings,
    ) -> (Self, Vec<Output>) {
        let StoredCall {
            call: row,
            participants,
            metrics,
        } = stored;
        let written = Written::of(row.clone(), participants.clone());
        let deadline = after(row.created_at, settings.ring_timeout);
        let mut call = Self::at_rest(moment, row, Ring::new(Vec::new(), deadline), settings);
        call.written = written;
        call.metrics = Metrics::restored(metrics);
        let everybody = participants
            .into_iter()
            .map(|row| Participant::stored(row, moment.now))
            .collect();
        call.roster = Roster::new(everybody);
        if call.is_over() {
            call.out.push(Output::Finished);
            let out = std::mem::take(&mut call.out);
            return (call, out);
        }
        let callees = callees.into_iter().filter(|callee| {
            let person = Person::User(callee.user.user_id);
            call.row.initiator_id != Some(callee.user.user_id) && call.participant_of(&person).is_none()
        });
        let callees = if moment.now < deadline {
            callees.collect()
        } else {
            Vec::new()
        };
        call.ring = Ring::new(callees, deadline);
        call.restore_seats();
        call.restore_room();
        call.started_with()
    }

    /// A call with nobody in it yet, and nothing under way.
    fn at_rest(moment: Moment, row: CallRecord, ring: Ring, settings: Settings) -> Self {
        let machine = match row.mode {
            Mode::P2p => Machine::P2p { retry: None },
            Mode::Sfu => Machine::Sfu,
        };
        Self {
            row,
            settings,
            roster: Roster::default(),
            ring,
            machine,
            room: RoomState::none(moment.now),
            place: Place::Unasked,
            attempts: 0,
            room_news: false,
            outage: None,
            queue: Vec::new(),
            manual: None,
            hold: Hold::Free,
            nobody_since: None,
            alone_since: None,
            two_since: None,
            metrics: Metrics::default(),
            written: Written::default(),
            said: None,
            measured: None,
            now: moment.now,
            entropy: moment.entropy.0,
            out: Vec::new(),
        }
    }

    fn started_with(mut self) -> (Self, Vec<Output>) {
        self.settle();
        let out = self.finish();
        (self, out)
    }

    fn seat_initiator(&mut self, new: &NewCall) {
        let mut who = Participant::new(&self.row.id, new.participant_id.clone(), &new.initiator, self.now);
        who.row.role = ParticipantRole::Initiator;
        who.row.status = ParticipantStatus::Connected;
        who.had_media = true;
        who.socket = new.socket;
        let asked = new.settings.unwrap_or_default();
        let pictures = self.row.call_type == signalling::client_gateway::CallType::Video;
        who.row.media = MediaState {
            audio_enabled: asked.audio_enabled.unwrap_or(true),
            video_enabled: asked.video_enabled.unwrap_or(pictures),
            screen_share_enabled: asked.screen_share_enabled.unwrap_or(false),
        };
        self.roster.add(who);
        self.metrics.seen(&self.roster);
    }

    fn ring_everybody(&mut self) {
        let ringing = self.ring.ringing();
        let begun = ServerEvent::Initiated(CallInitiated {
            call_id: self.row.id.clone(),
            conversation_id: self.row.conversation_id,
            mode: self.row.mode,
            call_type: self.row.call_type,
            initiator: self.initiator(),
            participants: self.roster.occupant_dtos(),
            created_at: self.row.created_at,
        });
        self.tell_all(begun.clone());
        if !ringing.is_empty() {
            self.row.status = CallStatus::Ringing;
            self.tell_users(ringing.clone(), None, begun);
            self.tell_users(ringing, None, self.incoming());
        }
        for user in self.ring.busy() {
            self.tell_rejected(user, BUSY);
        }
        self.end_if_declined(None);
    }

    /// What makes a device ring.
    pub(crate) fn incoming(&self) -> ServerEvent {
        ServerEvent::Incoming(Incoming {
            call_id: self.row.id.clone(),
            conversation_id: self.row.conversation_id,
            call_type: self.row.call_type,
            caller: self.initiator(),
            expires_at: self.ring.deadline,
        })
    }

    /// Tells the caller that somebody does not take the call.
    pub(crate) fn tell_rejected(&mut self, user: UserSummary, reason: RejectReason) {
        let initiator = self
            .roster
            .occupants()
            .filter(|each| each.row.role == ParticipantRole::Initiator);
        let seats: Vec<Seat> = initiator.filter_map(Participant::seat).collect();
        let event = ServerEvent::Rejected(Rejected {
            call_id: self.row.id.clone(),
            user_id: user.user_id,
            username: user.username,
            reason,
        });
        self.tell(seats, Notice::Event(event));
    }

    fn restore_seats(&mut self) {
        let called_off = self.row.transition_id.take();
        self.row.transition_state = match self.row.mode {
            Mode::P2p => TransitionState::P2p,
            Mode::Sfu => TransitionState::Sfu,
        };
        let now = self.now;
        for who in self.roster.occupants_mut() {
            who.row.status = ParticipantStatus::Disconnected;
            who.row.disconnected_at = Some(now);
            who.called_off = called_off;
        }
        self.restore_newcomers();
    }

    /// A direct call that more than two hold a seat in was about to switch. Who had no media yet, or came last,
    /// still waits for that.
    fn restore_newcomers(&mut self) {
        let too_many = usize::try_from(self.roster.occupying())
            .unwrap_or(usize::MAX)
            .saturating_sub(2);
        if self.row.mode == Mode::Sfu || too_many == 0 {
            return;
        }
        let mut latest: Vec<_> = self
            .roster
            .occupants()
            .map(|each| {
                (
                    each.had_media,
                    std::cmp::Reverse(each.row.joined_at),
                    each.row.id.clone(),
                )
            })
            .collect();
        latest.sort();
        for (_, _, id) in latest.into_iter().take(too_many) {
            if let Some(who) = self.roster.occupant_mut(&id) {
                who.standing = Standing::Newcomer;
                who.had_media = false;
            }
        }
        let last = TransitionId::mint(self.now, self.entropy);
        self.machine = Machine::P2p {
            retry: Some(Retry {
                failures: 0,
                at: self.now,
                last,
            }),
        };
    }

    /// Takes an input and says what is to be done. What is due by the time of the input happens first.
    pub fn handle(&mut self, moment: Moment, input: Input) -> Vec<Output> {
        if self.is_over() {
            return self.handle_over(input);
        }
        self.now = self.now.max(moment.now);
        self.entropy = moment.entropy.0;
        self.expire();
        self.settle();
        if self.is_over() {
            // What was due ended the call; the input came too late.
            let late = self.handle_over(input);
            let mut out = self.finish();
            let last = out.len().saturating_sub(1);
            out.splice(last..last, late);
            return out;
        }
        self.take(input);
        self.settle();
        self.finish()
    }

    fn handle_over(&self, input: Input) -> Vec<Output> {
        let refusal = |request| Output::Reply {
            request,
            result: Err(ErrorBody::new(ErrorCode::CallEnded)),
        };
        input.request().map(refusal).into_iter().collect()
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Join { .. } => self.join(input),
            Input::Reject {
                request,
                user,
                reason,
                socket,
            } => self.reject(request, user, reason, socket),
            Input::Leave {
                request,
                person,
                socket,
            } => self.leave(request, person, socket),
            Input::Remove {
                request,
                by,
                participant,
            } => self.remove(request, by, &participant),
            Input::End { request, by } => self.end_asked(request, by),
            Input::Rejoin {
                request,
                person,
                participant,
                socket,
            } => self.rejoin(request, person, &participant, socket),
            Input::SocketClosed { socket } => self.socket_closed(socket),
            Input::DeviceOnline { user } => self.device_online(user),
            Input::SetMode { request, by, mode } => self.set_mode(request, by, mode),
            Input::RoomReady { attempt, room } => self.room_ready(attempt, room),
            Input::RoomFailed { attempt } => self.room_failed(attempt),
            Input::RoomLost { node } => self.room_lost(&node),
            Input::Node { node, event } => self.node_event(&node, event),
            Input::SfuFlag { enabled } => self.set_sfu_flag(enabled),
            Input::Quality { person, report } => self.quality(&person, &report),
            Input::Wake => {}
            from_seat => self.take_from_seat(from_seat),
        }
    }

    /// Inputs that only the device of somebody in the call may give.
    fn take_from_seat(&mut self, input: Input) {
        let (Some(socket), Some(request)) = (input.socket(), input.request()) else {
            return;
        };
        let Some(who) = self.roster.of_socket(socket) else {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        };
        let id = who.row.id.clone();
        match input {
            Input::Connected { .. } => self.connected(request, &id),
            Input::Signal { target, signal, .. } => self.signal(request, &id, target, signal),
            Input::SetMedia { change, .. } => self.set_media(request, &id, change),
            Input::SwitchAck {
                transition, success, ..
            } => self.switch_ack(request, &id, transition, success),
            Input::SfuProof { proven, .. } => self.sfu_proof(request, proven),
            Input::Gap { gap, .. } => self.gap(request, &id, &gap),
            Input::RetrySwitch { .. } => self.retry_switch(request),
            Input::Caption { caption, .. } => self.caption(request, &id, caption),
            _ => {}
        }
    }

    /// Draws every conclusion from how things stand now, until none is left.
    fn settle(&mut self) {
        for _ in 0..MAX_STEPS {
            let moved = !self.is_over()
                && (self.settle_newcomers()
                    || self.settle_switch()
                    || self.mind_outage()
                    || self.serve_queue()
                    || self.serve_manual()
                    || self.serve_retry()
                    || self.go_back()
                    || self.seek_place()
                    || self.seek_room());
            if !moved {
                break;
            }
        }
        if self.is_over() {
            return;
        }
        self.forget_place();
        self.announce_room();
        self.watch_presence();
        self.say_ongoing();
    }

    /// Orders the outputs: what was decided is written down before anybody is told.
    fn finish(&mut self) -> Vec<Output> {
        let mut out = std::mem::take(&mut self.out);
        let over = self.is_over();
        let (call, participants) = self.records();
        if let Some(state) = self.written.changes(call, participants, self.now) {
            self.row.updated_at = self.now;
            out.insert(0, Output::Persist(state));
        }
        if let Some(metrics) = self.metrics.take_due(self.now, over) {
            out.push(Output::Persist(Persist::Metrics(Box::new(metrics))));
        }
        let measure = Measure::State {
            status: self.row.status,
            transition: self.transition_state(),
            occupying: self.roster.occupying(),
        };
        if self.measured != Some(measure) {
            self.measured = Some(measure);
            out.push(Output::Measure(measure));
        }
        if over {
            out.push(Output::Finished);
        }
        out
    }

    /// Tells the conversation that there is a call to join, when what they know of it is out of date.
    pub(crate) fn say_ongoing(&mut self) {
        let news = Ongoing {
            call_id: self.row.id.clone(),
            conversation_id: self.row.conversation_id,
            participant_count: self.roster.occupying(),
            started_at: self.row.started_at,
            mode: self.row.mode,
            active: !self.is_over(),
        };
        if self.said.as_ref() != Some(&news) {
            self.said = Some(news.clone());
            self.out.push(Output::Notify {
                to: Recipients::Conversation(self.row.conversation_id),
                notice: Notice::Event(ServerEvent::Ongoing(news)),
            });
        }
    }

    /// Whether exactly two people may ever be in it.
    pub(crate) fn is_direct(&self) -> bool {
        self.row.conversation_type != ConversationType::Group
    }

    /// A fresh id for a switch.
    pub(crate) fn fresh_transition(&mut self) -> TransitionId {
        let id = TransitionId::mint(self.now, self.entropy);
        // Several switches may begin with one input; any other odd step would do as well.
        self.entropy = self.entropy.wrapping_add(0x9E37_79B9_7F4A_7C15);
        id
    }

    pub(crate) fn reply(&mut self, request: RequestId, reply: Reply) {
        self.out.push(Output::Reply {
            request,
            result: Ok(reply),
        });
    }

    pub(crate) fn refuse(&mut self, request: RequestId, code: ErrorCode) {
        self.refuse_with(request, ErrorBody::new(code));
    }

    pub(crate) fn refuse_with(&mut self, request: RequestId, error: ErrorBody) {
        let error = error.about("callId", &self.row.id);
        self.out.push(Output::Reply {
            request,
            result: Err(error),
        });
    }

    /// No room can be had in time.
    pub(crate) fn refuse_limited(&mut self, request: RequestId) {
        let error = ErrorBody::with_message(
            ErrorCode::ServiceUnavailable,
            "Group calls are temporarily limited",
        );
        self.refuse_with(request, error);
    }

    pub(crate) fn tell(&mut self, seats: Vec<Seat>, notice: Notice) {
        if !seats.is_empty() {
            self.out.push(Output::Notify {
                to: Recipients::Seats(seats),
                notice,
            });
        }
    }

    pub(crate) fn tell_all(&mut self, event: ServerEvent) {
        self.tell(self.roster.seats(), Notice::Event(event));
    }

    pub(crate) fn tell_others(&mut self, id: &ParticipantId, event: ServerEvent) {
        self.tell(self.roster.seats_but(id), Notice::Event(event));
    }

    pub(crate) fn tell_users(
        &mut self,
        users: Vec<UserId>,
        except: Option<crate::SocketId>,
        event: ServerEvent,
    ) {
        if !users.is_empty() {
            self.out.push(Output::Notify {
                to: Recipients::Users { users, except },
                notice: Notice::Event(event),
            });
        }
    }

    pub(crate) fn tell_error(&mut self, id: &ParticipantId, error: ErrorBody) {
        let seat = self.roster.occupant(id).and_then(Participant::seat);
        let event = signalling::client_gateway::CallError::new(Some(self.row.id.clone()), error);
        self.tell(
            seat.into_iter().collect(),
            Notice::Event(ServerEvent::Error(event)),
        );
    }

    pub(crate) fn audit(&mut self, event: AuditEvent, person: Option<Person>) {
        self.out.push(Output::Persist(Persist::Audit { event, person }));
    }
}

/// The row of a call that begins now.
fn first_record(new: &NewCall, now: Timestamp) -> CallRecord {
    let initiator_id = match new.initiator.person {
        Person::User(user) => Some(user),
        Person::Guest(_) => None,
    };
    CallRecord {
        id: new.call_id.clone(),
        conversation_id: new.conversation_id,
        conversation_type: new.conversation_type,
        mode: Mode::P2p,
        status: CallStatus::Initiated,
        call_type: new.call_type,
        initiator_id,
        sfu_room_id: None,
        sfu_rtp_capabilities: None,
        last_mode_change: None,
        mode_change_count: 0,
        transition_state: TransitionState::P2p,
        transition_id: None,
        media_server_id: None,
        settings: new.settings,
        created_at: now,
        updated_at: now,
        started_at: None,
        ended_at: None,
        duration: None,
        end_reason: None,
        ended_by: None,
    }
}
