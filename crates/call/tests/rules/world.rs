//! A call in virtual time, with everything that must always hold checked after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use call::{
    Call, CallRecord, Callee, Entropy, Identity, Input, Moment, NewCall, NodeCommand, NodeId, Notice, Output,
    ParticipantRecord, Person, Recipients, Reply, RequestId, RoomAttempt, RoomInfo, Settings, SocketId,
    StoredCall,
};
use ortc::RtpCapabilities;
use signalling::client_gateway::{
    CallDto, CallStatus, CallType, ConversationType, MediaState, Mode, ParticipantStatus, ServerEvent,
    TransitionState, UserSummary,
};
use signalling::error::ErrorCode;
use signalling::text::Text;
use signalling::{ConversationId, GuestId, ParticipantId, RouterId, Timestamp, TransitionId, UserId};

/// What everybody sends unless a test says otherwise.
pub(crate) const MEDIA: MediaState = MediaState {
    audio_enabled: true,
    video_enabled: true,
    screen_share_enabled: false,
};

/// What becomes of a room that stands by when its place is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promotion {
    /// Its node has a place, at once.
    Granted,
    /// The test answers.
    Asked,
}

pub(crate) struct World {
    pub(crate) call: Call,
    pub(crate) promotion: Promotion,
    pub(crate) settings: Settings,
    pub(crate) millis: u64,
    /// What the last step asked for.
    pub(crate) out: Vec<Output>,
    pub(crate) answers: BTreeMap<RequestId, Result<Reply, ErrorCode>>,
    pub(crate) metrics: Option<call::MetricsRecord>,
    pub(crate) waiting: BTreeMap<RequestId, u64>,
    entropy: u64,
    requests: u64,
    /// Devices with a connection.
    pub(crate) open: BTreeSet<SocketId>,
    /// Devices that were bound to a seat after the last step.
    pub(crate) bound: BTreeSet<SocketId>,
    /// Devices let go in this step.
    pub(crate) released: BTreeSet<SocketId>,
    pub(crate) call_row: Option<CallRecord>,
    pub(crate) rows: Vec<ParticipantRecord>,
    pub(crate) finished: bool,
    pub(crate) last_mode: Mode,
}

pub(crate) fn user(n: u8) -> UserId {
    format!("{n:024x}").parse().expect("24 digits")
}

pub(crate) fn guest(n: u8) -> GuestId {
    format!("{n:024x}").parse().expect("24 digits")
}

pub(crate) fn person(n: u8) -> Person {
    if n >= 100 {
        Person::Guest(guest(n))
    } else {
        Person::User(user(n))
    }
}

pub(crate) fn participant(n: u8) -> ParticipantId {
    format!("p{n}").parse().expect("a short name")
}

pub(crate) fn socket(n: u8) -> SocketId {
    SocketId(u64::from(n))
}

pub(crate) fn identity(n: u8) -> Identity {
    Identity {
        person: person(n),
        username: Text::new(&format!("Person {n}")).expect("a text"),
        avatar: None,
        language: None,
    }
}

pub(crate) fn callee(n: u8) -> Callee {
    Callee {
        user: UserSummary {
            user_id: user(n),
            username: identity(n).username,
            avatar: None,
        },
        online: true,
        busy: false,
    }
}

pub(crate) fn node(name: &str) -> NodeId {
    NodeId(name.to_owned())
}

pub(crate) fn room(name: &str, router: u128) -> RoomInfo {
    let router_id: RouterId = format!("{router:032x}").parse().expect("a UUID");
    RoomInfo {
        node: node(name),
        router_id,
        rtp_capabilities: RtpCapabilities::default(),
        producers: Vec::new(),
    }
}

pub(crate) fn new_call(kind: ConversationType, callees: Vec<Callee>) -> NewCall {
    NewCall {
        call_id: "call".parse().expect("a short name"),
        participant_id: participant(1),
        conversation_id: ConversationId::mint(Timestamp::from_unix_millis(0), 7),
        conversation_type: kind,
        call_type: CallType::Video,
        settings: None,
        initiator: identity(1),
        callees,
        socket: Some(socket(1)),
        request: RequestId(0),
    }
}

impl World {
    pub(crate) fn begin(new: NewCall, settings: Settings) -> Self {
        let millis = 1_700_000_000_000;
        let now = Timestamp::from_unix_millis(millis);
        let open: BTreeSet<_> = new.socket.into_iter().collect();
        let waiting = [(new.request, millis)].into();
        let entropy = Entropy(1);
        let (call, out) = Call::begin(Moment { now, entropy }, new, settings);
        let mut world = Self {
            call,
            promotion: Promotion::Granted,
            settings,
            millis,
            out: Vec::new(),
            answers: BTreeMap::new(),
            metrics: None,
            waiting,
            entropy: 1,
            requests: 0,
            bound: open.clone(),
            open,
            released: BTreeSet::new(),
            call_row: None,
            rows: Vec::new(),
            finished: false,
            last_mode: Mode::P2p,
        };
        world.check(out);
        world
    }

    /// A group call by 1, ringing at 2 to 9.
    pub(crate) fn group() -> Self {
        Self::begin(
            new_call(ConversationType::Group, (2..=9).map(callee).collect()),
            Settings::default(),
        )
    }

    /// A direct call by 1, ringing at 2.
    pub(crate) fn direct() -> Self {
        Self::begin(
            new_call(ConversationType::Direct, vec![callee(2)]),
            Settings::default(),
        )
    }

    /// A group call of 1 and 2, both with media, and a standby room.
    pub(crate) fn pair() -> Self {
        let mut world = Self::group();
        world.join(2);
        world.open_room("a");
        world.connected(2);
        world
    }

    /// A group call of 1, 2 and 3 through a node.
    pub(crate) fn trio() -> Self {
        let mut world = Self::pair();
        world.join(3);
        world.ack_all(&[1, 2, 3]);
        assert_eq!(world.mode(), Mode::Sfu);
        world
    }

    /// A direct call of 1 and 2, both with media.
    pub(crate) fn direct_pair() -> Self {
        let mut world = Self::direct();
        world.join(2);
        world.connected(2);
        world
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.millis)
    }

    pub(crate) fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    /// Feeds one input and checks everything.
    pub(crate) fn step(&mut self, input: Input) {
        if let Some(request) = input.request() {
            self.waiting.insert(request, self.millis);
        }
        if let Input::SocketClosed { socket } = &input {
            self.open.remove(socket);
            self.bound.remove(socket);
        }
        match &input {
            Input::Join {
                socket: Some(socket), ..
            }
            | Input::Rejoin { socket, .. } => {
                self.open.insert(*socket);
            }
            _ => {}
        }
        let moment = self.moment();
        let out = self.call.handle(moment, input);
        self.check(out);
        if self.promotion == Promotion::Granted {
            self.grant_place();
        }
    }

    /// The node of the room that stands by has a place for its media, so that the test sees one step of two.
    fn grant_place(&mut self) {
        let Some(room) = self.call.room().cloned() else {
            return;
        };
        let asks = |output: &Output| matches!(output, Output::Node(NodeCommand::OpenRoom { .. }));
        let Some(index) = self.out.iter().position(asks) else {
            return;
        };
        let mut before = std::mem::take(&mut self.out);
        if let Output::Node(NodeCommand::OpenRoom { attempt, .. }) = before.remove(index) {
            let moment = self.moment();
            let out = self.call.handle(moment, Input::RoomReady { attempt, room });
            self.check(out);
        }
        before.append(&mut self.out);
        self.out = before;
    }

    fn moment(&mut self) -> Moment {
        self.entropy += 1;
        Moment {
            now: self.now(),
            entropy: Entropy(self.entropy),
        }
    }

    /// Lets time pass, waking the call whenever it asks for it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.millis + u64::try_from(time.as_millis()).expect("a short time");
        let mut at_once = 0;
        while let Some(wake) = self.call.next_wake() {
            if wake.unix_millis() > until {
                break;
            }
            at_once = if wake.unix_millis() <= self.millis {
                at_once + 1
            } else {
                0
            };
            assert!(at_once < 3, "asks to be woken at once, again and again");
            self.millis = self.millis.max(wake.unix_millis());
            self.step(Input::Wake);
        }
        self.millis = until;
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    // What people do.

    pub(crate) fn join(&mut self, n: u8) -> RequestId {
        self.join_on(n, Some(socket(n)))
    }

    pub(crate) fn join_on(&mut self, n: u8, socket: Option<SocketId>) -> RequestId {
        self.join_with(n, socket, true)
    }

    pub(crate) fn join_with(&mut self, n: u8, socket: Option<SocketId>, sfu_supported: bool) -> RequestId {
        let request = self.request();
        self.step(Input::Join {
            request,
            who: identity(n),
            socket,
            media: MEDIA,
            sfu_supported,
            fresh_id: participant(n),
        });
        request
    }

    pub(crate) fn leave(&mut self, n: u8) -> RequestId {
        let request = self.request();
        self.step(Input::Leave {
            request: Some(request),
            person: person(n),
            socket: Some(socket(n)),
        });
        request
    }

    pub(crate) fn lose(&mut self, n: u8) {
        self.step(Input::SocketClosed { socket: socket(n) });
    }

    pub(crate) fn rejoin(&mut self, n: u8) -> RequestId {
        self.rejoin_on(n, socket(n))
    }

    pub(crate) fn rejoin_on(&mut self, n: u8, socket: SocketId) -> RequestId {
        let request = self.request();
        self.step(Input::Rejoin {
            request,
            person: person(n),
            participant: participant(n),
            socket,
        });
        request
    }

    pub(crate) fn connected(&mut self, n: u8) -> RequestId {
        let request = self.request();
        let socket = socket(n);
        self.step(Input::Connected { request, socket });
        request
    }

    pub(crate) fn ack(&mut self, n: u8, success: bool) -> RequestId {
        self.ack_of(n, success, None)
    }

    pub(crate) fn ack_of(&mut self, n: u8, success: bool, transition: Option<TransitionId>) -> RequestId {
        let request = self.request();
        self.step(Input::SwitchAck {
            request,
            socket: socket(n),
            transition,
            success,
            error: None,
        });
        request
    }

    pub(crate) fn ack_all(&mut self, all: &[u8]) {
        for n in all {
            self.ack(*n, true);
        }
    }

    // What nodes do.

    /// The try to get a room that was asked for last, in the last step.
    pub(crate) fn asked_room(&self) -> Option<RoomAttempt> {
        self.out.iter().rev().find_map(|output| match output {
            Output::Node(NodeCommand::OpenRoom { attempt, .. }) => Some(*attempt),
            _ => None,
        })
    }

    pub(crate) fn open_room(&mut self, name: &str) {
        let attempt = self.asked_room().expect("a room was asked for");
        let router = u128::from(attempt.0);
        self.step(Input::RoomReady {
            attempt,
            room: room(name, router),
        });
    }

    pub(crate) fn fail_room(&mut self) {
        let attempt = self.asked_room().expect("a room was asked for");
        self.step(Input::RoomFailed { attempt });
    }

    pub(crate) fn lose_room(&mut self, name: &str) {
        self.step(Input::RoomLost { node: node(name) });
    }

    /// The gateway stops and starts again.
    pub(crate) fn restart(&mut self) {
        let stored = self.stored();
        let moment = self.moment();
        let (call, out) = Call::restore(moment, stored, (2..=9).map(callee).collect(), self.settings);
        self.call = call;
        self.finished = false;
        self.open.clear();
        self.bound.clear();
        self.waiting.clear();
        self.check(out);
    }

    pub(crate) fn stored(&self) -> StoredCall {
        StoredCall {
            call: self.call_row.clone().expect("written at once"),
            participants: self.rows.clone(),
            metrics: self.metrics.clone(),
        }
    }

    // What is seen.

    pub(crate) fn mode(&self) -> Mode {
        self.call.dto(self.now()).mode
    }

    pub(crate) fn dto(&self) -> CallDto {
        self.call.dto(self.now())
    }

    pub(crate) fn status(&self) -> CallStatus {
        self.dto().status
    }

    pub(crate) fn transition(&self) -> TransitionState {
        self.call_row.as_ref().expect("written at once").transition_state
    }

    pub(crate) fn transition_id(&self) -> Option<TransitionId> {
        self.call_row.as_ref().expect("written at once").transition_id
    }

    /// The status of somebody, and whether they hold a seat.
    pub(crate) fn of(&self, n: u8) -> (ParticipantStatus, bool) {
        let all = self.dto().participants;
        let found = all.iter().find(|each| each.participant_id == participant(n));
        let found = found.expect("was in the call");
        (found.status, found.left_at.is_none())
    }

    pub(crate) fn occupying(&self) -> usize {
        self.dto()
            .participants
            .iter()
            .filter(|each| each.left_at.is_none())
            .count()
    }

    pub(crate) fn answer(&self, request: RequestId) -> Option<Result<Reply, ErrorCode>> {
        self.answers.get(&request).cloned()
    }

    pub(crate) fn refusal(&self, request: RequestId) -> Option<ErrorCode> {
        self.answer(request)?.err()
    }

    pub(crate) fn is_done(&self, request: RequestId) -> bool {
        matches!(self.answer(request), Some(Ok(_)))
    }

    /// Names of what somebody's device was told in the last step.
    pub(crate) fn told(&self, n: u8) -> Vec<String> {
        self.notices(n).into_iter().map(name).collect()
    }

    /// What somebody's device was told in the last step.
    pub(crate) fn notices(&self, n: u8) -> Vec<&Notice> {
        let to_seat = |to: &Recipients| match to {
            Recipients::Seats(seats) => seats.iter().any(|seat| seat.socket == socket(n)),
            Recipients::Users { users, except } => {
                n < 100 && users.contains(&user(n)) && *except != Some(socket(n))
            }
            Recipients::Socket(to) => *to == socket(n),
            Recipients::Conversation(_) => false,
        };
        self.out
            .iter()
            .filter_map(|output| match output {
                Output::Notify { to, notice } if to_seat(to) => Some(notice),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn commands(&self) -> Vec<NodeCommand> {
        self.out
            .iter()
            .filter_map(|output| match output {
                Output::Node(command) => Some(command.clone()),
                _ => None,
            })
            .collect()
    }
}

fn name(notice: &Notice) -> String {
    match notice {
        Notice::Event(ServerEvent::ModeSwitched(event)) => {
            let what = if event.success { "committed" } else { "called off" };
            format!("call:mode-switched {what} {}", event.mode)
        }
        Notice::Event(ServerEvent::Error(event)) => format!("call:error {}", event.code),
        Notice::Event(ServerEvent::ParticipantMediaState(event)) => match event.status {
            Some(status) => format!("call:participant-media-state {status}"),
            None => "call:participant-media-state".to_owned(),
        },
        Notice::Event(event) => event.name().to_owned(),
        Notice::Joined { back: true } => "call:rejoined".to_owned(),
        Notice::Joined { back: false } => "call:joined".to_owned(),
        Notice::Started => "call:started".to_owned(),
        Notice::MediaServer(Some(_)) => "call:media-server".to_owned(),
        Notice::MediaServer(None) => "call:media-server none".to_owned(),
        Notice::ModeSwitch(order) => format!("call:mode-switch {} {}", order.old_mode, order.new_mode),
    }
}
