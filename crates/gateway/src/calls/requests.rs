//! Beginning, joining and leaving a call.

use std::sync::Arc;
use std::time::Duration;

use call::{Actor, Call, Callee, Identity, Input, NewCall, Person, SocketId};
use signalling::client_gateway::{
    CallType, ConversationType, EndAck, Initiate, Initiated, Join, JoinDto, Leave, MediaServerConfig,
    MediaState, Mode, ParticipantRef, Reject, RejectReason, SetModeResponse, UserSummary,
};
use signalling::error::ErrorBody;
use signalling::{CallId, ConversationId, ErrorCode, ParticipantId, UserId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::Instrument;

use super::access::denied;
use super::mailbox::{Answer, CAPACITY, Left};
use super::registry::{InAnotherCall, Running};
use super::task::{CallTask, Start};
use super::{Calls, unexpected};
use crate::auth::Caller;
use crate::cluster::Lock;
use crate::fault::fault;
use crate::flags::Flag;
use crate::footprint::Footprint;
use crate::region::{CallRegion, Region};
use edge::random;

/// How long the beginning of a call may hold its conversation.
const BEGINNING: Duration = Duration::from_secs(10);
/// How long the second of two waits for the first; then it looks whether there is a call.
const PATIENCE: Duration = Duration::from_secs(3);

impl Calls {
    /// Begins a call, from this region.
    pub(crate) async fn initiate(
        &self,
        caller: &Caller,
        socket: Option<SocketId>,
        region: Region,
        request: Initiate,
    ) -> Result<Initiated, ErrorBody> {
        if !self.0.flags.is_on(Flag::VideoCalls) {
            let off = "Calls are turned off";
            return Err(ErrorBody::with_message(ErrorCode::ServiceUnavailable, off));
        }
        let conversation = self.conversation(&request.conversation_id).await?;
        let member = self.member(caller, &conversation.id).await?;
        let suits = matches!(
            conversation.conversation_type,
            ConversationType::Direct | ConversationType::Group
        );
        if !suits || !conversation.is_active {
            return Err(ErrorBody::new(ErrorCode::InvalidConversationType));
        }
        let (calls, initiator) = (self.clone(), member.identity);
        let begun = Beginning {
            conversation_type: conversation.conversation_type,
            initiator,
            socket,
            region,
            request,
        };
        // In a task of its own: a client that hangs up half-way leaves no half-begun call behind.
        let from = Footprint::current();
        let work = Footprint::carried(from, async move { calls.begin_locked(begun).await });
        let begun = tokio::spawn(work.in_current_span()).await;
        let initiated = begun.unwrap_or_else(|_| Err(ErrorBody::new(ErrorCode::InternalServerError)))?;
        self.still_there(socket, &initiated.call_id).await;
        Ok(initiated)
    }

    async fn begin_locked(&self, beginning: Beginning) -> Result<Initiated, ErrorBody> {
        let conversation = beginning.request.conversation_id;
        let lock = Lock::Conversation(conversation);
        let Ok(lease) = self.0.cluster.lease(lock, BEGINNING, PATIENCE).await else {
            return Err(self.already_active(&conversation).await);
        };
        let begun = self.begin(beginning).await;
        self.0.cluster.release(lease).await;
        begun
    }

    async fn begin(&self, beginning: Beginning) -> Result<Initiated, ErrorBody> {
        let Beginning {
            conversation_type,
            initiator,
            socket,
            region,
            request,
        } = beginning;
        let conversation = request.conversation_id;
        self.sweep_conversation(&conversation).await;
        if let Some(running) = self.0.registry.call_in(&conversation)
            && !self.is_ending(&running).await
        {
            return Err(self.already_active(&conversation).await);
        }
        let callees = self.callees(&conversation, &initiator.person).await?;
        let now = self.0.now();
        let call_id = CallId::mint(now, random::number());
        let person = initiator.person;
        self.0.registry.ask(person, &call_id).map_err(in_another_call)?;
        let (mailbox, mail) = mpsc::channel(CAPACITY);
        let running = Running {
            call: call_id.clone(),
            conversation,
            conversation_type,
            region: CallRegion::of(region),
            mailbox,
        };
        let settings = || self.0.settings_for(&conversation);
        let settings = self.0.registry.enter(running.clone(), settings);
        let (answered, answer) = oneshot::channel();
        let waits = self.0.request();
        let (call, outputs) = Call::begin(
            self.0.moment(),
            NewCall {
                call_id: call_id.clone(),
                participant_id: ParticipantId::mint(now, random::number()),
                conversation_id: conversation,
                conversation_type,
                call_type: request.call_type,
                settings: request.settings,
                initiator,
                callees,
                socket,
                request: waits,
            },
            settings,
        );
        let start = Start {
            call,
            outputs,
            running,
            mail,
            waiting: Some((waits, answered)),
        };
        CallTask::spawn(Arc::clone(&self.0), start);
        let answer = answer.await;
        self.0.registry.asked(&person, &call_id);
        match answer.unwrap_or_else(|_| Err(ErrorBody::new(ErrorCode::ServiceUnavailable)))? {
            Answer::Initiated(initiated) => {
                self.0
                    .metrics
                    .call_begun(initiated.call.call_type, conversation_type);
                Ok(*initiated)
            }
            _ => Err(unexpected()),
        }
    }

    /// Whether a call is over and only not put away yet; waits until it is. Who hangs up may call again at once.
    async fn is_ending(&self, running: &Running) -> bool {
        let live = self.look(running, |call, _| !call.is_over()).await;
        !live.unwrap_or(false) && timeout(PATIENCE, running.mailbox.closed()).await.is_ok()
    }

    /// The conversation has a call; which one lets the client join it instead (contract §3.1).
    async fn already_active(&self, conversation: &ConversationId) -> ErrorBody {
        let error = ErrorBody::new(ErrorCode::CallAlreadyActive);
        match self.0.registry.call_in(conversation) {
            Some(running) => error.about("callId", &running.call),
            None => error,
        }
    }

    /// Every member but the caller.
    async fn callees(
        &self,
        conversation: &ConversationId,
        caller: &Person,
    ) -> Result<Vec<Callee>, ErrorBody> {
        let members = self.0.store.members(conversation).await;
        let members = members.map_err(|error| fault(&error))?;
        let others = members
            .into_iter()
            .filter(|member| Person::User(member.user.id) != *caller)
            .map(|member| Callee {
                online: self.0.sockets.is_online(&member.user.id),
                busy: self.0.registry.call_of(&Person::User(member.user.id)).is_some(),
                user: UserSummary {
                    user_id: member.user.id,
                    username: member.user.username,
                    avatar: member.user.avatar,
                },
            });
        Ok(others.collect())
    }

    /// All members, for a call that is taken up again.
    pub(super) async fn everybody(&self, conversation: &ConversationId) -> Result<Vec<Callee>, ErrorBody> {
        // Nobody has this id, so nobody is left out.
        let nobody = Person::User(UserId::mint(self.0.now(), random::number()));
        self.callees(conversation, &nobody).await
    }

    /// Enters a call, or accepts it, from this region.
    pub(crate) async fn join(
        &self,
        caller: &Caller,
        (socket, region): (Option<SocketId>, Region),
        request: Join,
    ) -> Result<JoinDto, ErrorBody> {
        let running = self.running(&request.call_id).await?;
        let who = self.coming_in(caller, &running).await?;
        let person = who.person;
        let video = match request.video_enabled {
            Some(video) => video,
            None => self.look(&running, |call, now| call.dto(now).call_type).await? == CallType::Video,
        };
        let media = MediaState {
            audio_enabled: request.audio_enabled.unwrap_or(true),
            video_enabled: video,
            screen_share_enabled: false,
        };
        self.0
            .registry
            .ask(person, &running.call)
            .map_err(in_another_call)?;
        let asking = Asking {
            calls: self,
            person,
            call: &running.call,
        };
        let answer = self
            .ask(&running, |request_id| Input::Join {
                request: request_id,
                who,
                socket,
                media,
                sfu_supported: request.sfu_supported.unwrap_or(true),
                fresh_id: ParticipantId::mint(self.0.now(), random::number()),
            })
            .await;
        drop(asking);
        self.still_there(socket, &running.call).await;
        let joined = joined(answer?)?;
        running.region.learn(region);
        Ok(joined)
    }

    /// A device of somebody who holds a seat is back.
    pub(crate) async fn rejoin(
        &self,
        caller: &Caller,
        (socket, region): (SocketId, Region),
        request: ParticipantRef,
    ) -> Result<JoinDto, ErrorBody> {
        let running = self.running(&request.call_id).await?;
        let who = self.taking_part(caller, &running).await?;
        let seat = self.0.registry.seat(&running.call, &who.person);
        // Who is still there but somebody else is refused; whose time was over hears that from the call.
        if seat.is_some_and(|own| own != request.participant_id) {
            return Err(denied());
        }
        let answer = self
            .ask(&running, |request_id| Input::Rejoin {
                request: request_id,
                person: who.person,
                participant: request.participant_id,
                socket,
            })
            .await;
        self.still_there(Some(socket), &running.call).await;
        let joined = joined(answer?)?;
        running.region.learn(region);
        Ok(joined)
    }

    /// Does not take a call.
    pub(crate) async fn reject(
        &self,
        caller: &Caller,
        socket: Option<SocketId>,
        request: Reject,
    ) -> Result<(), ErrorBody> {
        let running = self.running(&request.call_id).await?;
        let member = self.member(caller, &running.conversation).await?;
        let Person::User(user) = member.identity.person else {
            return Err(denied());
        };
        let reason = request.reason.unwrap_or(RejectReason::Declined);
        let answer = self
            .ask(&running, |request| Input::Reject {
                request,
                user,
                reason,
                socket,
            })
            .await?;
        match answer {
            Answer::Done | Answer::Left(_) => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Leaves a call, or declines it. One may always leave, whatever has become of one's membership.
    pub(crate) async fn leave(
        &self,
        caller: &Caller,
        socket: Option<SocketId>,
        request: Leave,
    ) -> Result<Left, ErrorBody> {
        let running = self.running(&request.call_id).await?;
        let person = caller.person().ok_or_else(denied)?;
        if self.0.registry.seat(&running.call, &person).is_none() {
            self.taking_part(caller, &running).await?;
        }
        self.only_oneself(caller, &running, request.participant_id.as_ref())?;
        let answer = self
            .ask(&running, |request| Input::Leave {
                request: Some(request),
                person,
                socket,
            })
            .await?;
        match answer {
            Answer::Left(left) => Ok(left),
            Answer::Done => Ok(Left {
                participant: None,
                left_at: self.0.now(),
            }),
            _ => Err(unexpected()),
        }
    }

    /// Removes a participant: oneself, or another if one may.
    pub(crate) async fn remove(
        &self,
        caller: &Caller,
        call: &CallId,
        participant: &ParticipantId,
    ) -> Result<Left, ErrorBody> {
        let running = self.running(call).await?;
        let by = self.actor(caller, &running.conversation).await?;
        let participant = participant.clone();
        let answer = self
            .ask(&running, |request| Input::Remove {
                request,
                by,
                participant: participant.clone(),
            })
            .await?;
        match answer {
            Answer::Left(left) => Ok(left),
            Answer::Done => Ok(Left {
                participant: Some(participant),
                left_at: self.0.now(),
            }),
            _ => Err(unexpected()),
        }
    }

    /// Ends a call for everybody.
    pub(crate) async fn end(&self, caller: &Caller, call: &CallId) -> Result<EndAck, ErrorBody> {
        let running = self.running(call).await?;
        let by = self.actor(caller, &running.conversation).await?;
        match self.ask(&running, |request| Input::End { request, by }).await? {
            Answer::Ended { ended_at, duration } => Ok(EndAck { ended_at, duration }),
            _ => Err(unexpected()),
        }
    }

    /// Changes the mode by hand.
    pub(crate) async fn set_mode(
        &self,
        caller: &Caller,
        call: &CallId,
        mode: Mode,
    ) -> Result<SetModeResponse, ErrorBody> {
        let running = self.running(call).await?;
        if !caller.rules_everything() {
            return Err(denied());
        }
        let by = Actor::Service;
        let config = self.own_room(caller, &running).await?;
        match self
            .ask(&running, |request| Input::SetMode { request, by, mode })
            .await?
        {
            Answer::ModeSet { mode, switched_at } => Ok(SetModeResponse {
                call_id: running.call,
                mode,
                switched_at,
                media_server_config: config.filter(|_| mode == Mode::Sfu),
            }),
            _ => Err(unexpected()),
        }
    }

    /// The way to the room for a caller who is in the call.
    async fn own_room(
        &self,
        caller: &Caller,
        running: &Running,
    ) -> Result<Option<MediaServerConfig>, ErrorBody> {
        let Some(person) = caller.person() else {
            return Ok(None);
        };
        let room = self.look(running, |call, _| call.room().cloned()).await?;
        let seat = self.0.registry.seat(&running.call, &person);
        Ok(room.zip(seat).map(|(room, participant)| {
            let holder = super::credentials::Holder {
                call: &running.call,
                participant: &participant,
                person: &person,
            };
            self.0.issuer.media_server(self.0.now(), &holder, room)
        }))
    }

    /// A device whose connection went while it was being bound was overlooked when it went.
    async fn still_there(&self, socket: Option<SocketId>, call: &CallId) {
        let Some(socket) = socket.filter(|socket| !self.0.sockets.is_connected(*socket)) else {
            return;
        };
        if let Some(running) = self.0.registry.call(call) {
            self.tell(&running, Input::SocketClosed { socket }).await;
        }
    }
}

/// A call whose beginning was allowed.
struct Beginning {
    conversation_type: ConversationType,
    initiator: Identity,
    socket: Option<SocketId>,
    region: Region,
    request: Initiate,
}

/// Somebody waits to be let in; also when they stop waiting, it is noted that they do not any more.
struct Asking<'a> {
    calls: &'a Calls,
    person: Person,
    call: &'a CallId,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.calls.0.registry.asked(&self.person, self.call);
    }
}

fn joined(answer: Answer) -> Result<JoinDto, ErrorBody> {
    match answer {
        Answer::Joined(joined) => Ok(*joined),
        _ => Err(unexpected()),
    }
}

fn in_another_call(InAnotherCall(call): InAnotherCall) -> ErrorBody {
    ErrorBody::new(ErrorCode::AlreadyInCall).about("callId", call)
}
