//! Everything that can happen to a call.

use std::time::Duration;

use ortc::RtpCapabilities;
use signalling::client_gateway::{
    CallSettings, CallType, Caption, ConversationType, MediaState, Mode, QualityReport, RejectReason, Signal,
    SwitchGap, UserSummary,
};
use signalling::client_node::{
    ActiveSpeaker, ConsumerPaused, NewProducer, ProducerClosed, ProducerSummary, TransportDirection,
};
use signalling::gateway_node::DtlsState;
use signalling::text::Text;
use signalling::{
    CallId, ConversationId, GuestId, ParticipantId, RouterId, Timestamp, TransitionId, TransportId, UserId,
};

use crate::output::RoomAttempt;

/// A connection of one device, as the gateway numbers them. One participant is bound to one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// Something that waits for an answer, as the gateway numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// A media node (`SERVER_ID`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub String);

/// Who somebody is, whatever device they use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Person {
    /// A registered user.
    User(UserId),
    /// A guest who came by a link.
    Guest(GuestId),
}

/// A person whose right to be in the conversation was checked just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub person: Person,
    /// The name others see.
    pub username: Text,
    /// Where the picture is.
    pub avatar: Option<String>,
    /// The language of captions.
    pub language: Option<String>,
}

/// Who asks for something that not everybody may (contract §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person; `admin` of the conversation or not.
    Person {
        /// Who.
        person: Person,
        /// Whether an administrator of the conversation.
        admin: bool,
    },
    /// An administrator of the whole installation, or a service.
    Service,
}

/// Somebody to ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callee {
    /// Who.
    pub user: UserSummary,
    /// Whether at least one device is connected.
    pub online: bool,
    /// Whether already in another call; such devices do not ring, but the caller hears `busy`.
    pub busy: bool,
}

/// The rules' numbers (contract §2.10, §3). All configurable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long devices ring: 30 s.
    pub ring_timeout: Duration,
    /// How long somebody may be `connecting`: 30 s.
    pub connecting_timeout: Duration,
    /// How long a seat is kept for somebody whose socket is gone: 60 s.
    pub reconnect_grace: Duration,
    /// How long a call lives with nobody connected: 30 s.
    pub nobody_timeout: Duration,
    /// How long a call lives with one person in it: 5 min.
    pub lone_timeout: Duration,
    /// How long a switch may take: 10 s.
    pub switch_timeout: Duration,
    /// How long two must be alone before the call goes back to direct: 10 s.
    pub hysteresis: Duration,
    /// Most people who may hold a seat: 50.
    pub max_participants: u32,
    /// Whether calls may use a media node (flag `sfu`).
    pub sfu_enabled: bool,
    /// Whether guests may share their screen; no by default (contract §2.3).
    pub guests_share_screen: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_timeout: Duration::from_secs(30),
            connecting_timeout: Duration::from_secs(30),
            reconnect_grace: Duration::from_secs(60),
            nobody_timeout: Duration::from_secs(30),
            lone_timeout: Duration::from_secs(300),
            switch_timeout: Duration::from_secs(10),
            hysteresis: Duration::from_secs(10),
            max_participants: 50,
            sfu_enabled: true,
            guests_share_screen: false,
        }
    }
}

/// A call to begin. The caller's membership and the conversation's type were checked by the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCall {
    /// Its fresh id.
    pub call_id: CallId,
    /// The fresh id of the caller's participant.
    pub participant_id: ParticipantId,
    /// Where.
    pub conversation_id: ConversationId,
    /// Direct or group; others are refused before.
    pub conversation_type: ConversationType,
    /// With pictures or without.
    pub call_type: CallType,
    /// As asked.
    pub settings: Option<CallSettings>,
    /// Who begins it; always a user.
    pub initiator: Identity,
    /// Every other member of the conversation.
    pub callees: Vec<Callee>,
    /// The caller's device; `None` when begun over REST (bound by `call:rejoin` or `call:join` of the same person).
    pub socket: Option<SocketId>,
    /// What waits for the answer.
    pub request: RequestId,
}

/// A part of what a participant sends that changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaChange {
    /// The microphone.
    pub audio: Option<bool>,
    /// The camera.
    pub video: Option<bool>,
    /// The screen.
    pub screen: Option<bool>,
}

/// The room of a call on a media node.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomInfo {
    /// Which node.
    pub node: NodeId,
    /// The room's router.
    pub router_id: RouterId,
    /// What the router offers.
    pub rtp_capabilities: RtpCapabilities,
    /// What there is to consume.
    pub producers: Vec<ProducerSummary>,
}

/// Something that happened to the call's room.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeEvent {
    /// A track appeared. May come twice.
    NewProducer(NewProducer),
    /// A track is gone.
    ProducerClosed(ProducerClosed),
    /// A consumer was paused.
    ConsumerPaused(ConsumerPaused),
    /// A consumer flows again.
    ConsumerResumed(ConsumerPaused),
    /// Somebody else speaks.
    ActiveSpeaker(ActiveSpeaker),
    /// A participant's transport changed.
    Transport {
        /// Whose.
        participant: ParticipantId,
        /// Which.
        transport: TransportId,
        /// Which way media flows.
        direction: TransportDirection,
        /// How far its handshake is.
        dtls: DtlsState,
    },
}

/// Everything that can happen to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Somebody joins or accepts. Answered with [`crate::Reply::Joined`].
    Join {
        /// What waits for the answer; held while a switch is under way.
        request: RequestId,
        /// Who.
        who: Identity,
        /// The device to be bound; `None` over REST.
        socket: Option<SocketId>,
        /// What they send.
        media: MediaState,
        /// Whether their client can use a media node.
        sfu_supported: bool,
        /// The id to use if they were never in the call.
        fresh_id: ParticipantId,
    },
    /// Somebody who is rung declines.
    Reject {
        /// What waits for the answer.
        request: RequestId,
        /// Who.
        user: UserId,
        /// Why.
        reason: RejectReason,
        /// On which device; the others stop ringing.
        socket: Option<SocketId>,
    },
    /// Somebody leaves; from one who only rings it declines. Answered with [`crate::Reply::Left`].
    Leave {
        /// What waits for the answer, if anything does.
        request: Option<RequestId>,
        /// Who.
        person: Person,
        /// From which device.
        socket: Option<SocketId>,
    },
    /// A participant is removed: by themselves, the initiator, an administrator or a service.
    Remove {
        /// What waits for the answer.
        request: RequestId,
        /// Who asks.
        by: Actor,
        /// Whom.
        participant: ParticipantId,
    },
    /// The call is ended for everybody. Answered with [`crate::Reply::Ended`].
    End {
        /// What waits for the answer.
        request: RequestId,
        /// Who asks.
        by: Actor,
    },
    /// A device of somebody who holds a seat is back. Answered with [`crate::Reply::Joined`].
    Rejoin {
        /// What waits for the answer.
        request: RequestId,
        /// Who.
        person: Person,
        /// Which participant they say they are.
        participant: ParticipantId,
        /// The device to be bound.
        socket: SocketId,
    },
    /// A device's connection is gone.
    SocketClosed {
        /// Which.
        socket: SocketId,
    },
    /// A person's device came online while the call rings.
    DeviceOnline {
        /// Whose.
        user: UserId,
    },
    /// Media is up at a participant.
    Connected {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device says so.
        socket: SocketId,
    },
    /// A step of the negotiation between two browsers.
    Signal {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device sends it.
        socket: SocketId,
        /// For whom; the only peer of a two-party call if absent.
        target: Option<ParticipantId>,
        /// The step, its sizes checked.
        signal: Signal,
    },
    /// A participant turned something on or off.
    SetMedia {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device says so.
        socket: SocketId,
        /// What.
        change: MediaChange,
    },
    /// A participant acknowledges a switch.
    SwitchAck {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device says so.
        socket: SocketId,
        /// Which switch; the present one if absent.
        transition: Option<TransitionId>,
        /// Whether it works there.
        success: bool,
        /// What does not.
        error: Option<String>,
    },
    /// A participant tells whether the way through the node works, while the call is direct.
    SfuProof {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device says so.
        socket: SocketId,
        /// Whether it works.
        proven: bool,
    },
    /// A participant tells what a switch did to picture and sound.
    Gap {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device says so.
        socket: SocketId,
        /// What it measured.
        gap: SwitchGap,
    },
    /// A participant asks for a failed switch to be tried again now.
    RetrySwitch {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device asks.
        socket: SocketId,
    },
    /// A caption.
    Caption {
        /// What waits for the answer.
        request: RequestId,
        /// Whose device sends it.
        socket: SocketId,
        /// The caption, its sizes checked.
        caption: Caption,
    },
    /// How well media arrives somewhere.
    Quality {
        /// Whose.
        person: Person,
        /// What was measured, its ranges checked.
        report: QualityReport,
    },
    /// The mode is changed by hand. Answered with [`crate::Reply::ModeSet`].
    SetMode {
        /// What waits for the answer.
        request: RequestId,
        /// Who asks; must be a service or an administrator of the installation.
        by: Actor,
        /// Which mode.
        mode: Mode,
    },
    /// A room that was asked for exists.
    RoomReady {
        /// Which attempt.
        attempt: RoomAttempt,
        /// The room.
        room: RoomInfo,
    },
    /// A room that was asked for could not be had on any node.
    RoomFailed {
        /// Which attempt.
        attempt: RoomAttempt,
    },
    /// The call's room is gone: its node or worker died, or the room was destroyed there.
    RoomLost {
        /// On which node it was.
        node: NodeId,
    },
    /// Something happened in the room.
    Node {
        /// On which node.
        node: NodeId,
        /// What.
        event: NodeEvent,
    },
    /// The flag `sfu` changed for this conversation.
    SfuFlag {
        /// Whether a media node may be used.
        enabled: bool,
    },
    /// The time asked for by [`crate::Call::next_wake`] has come.
    Wake,
}

impl Input {
    /// What waits for an answer to this, if anything does.
    #[must_use]
    pub const fn request(&self) -> Option<RequestId> {
        match self {
            Self::Join { request, .. }
            | Self::Reject { request, .. }
            | Self::Remove { request, .. }
            | Self::End { request, .. }
            | Self::Rejoin { request, .. }
            | Self::Connected { request, .. }
            | Self::Signal { request, .. }
            | Self::SetMedia { request, .. }
            | Self::SwitchAck { request, .. }
            | Self::SfuProof { request, .. }
            | Self::Gap { request, .. }
            | Self::RetrySwitch { request, .. }
            | Self::Caption { request, .. }
            | Self::SetMode { request, .. } => Some(*request),
            Self::Leave { request, .. } => *request,
            _ => None,
        }
    }

    /// The device it comes from, where only one that is bound to a seat may say it.
    #[must_use]
    pub(crate) const fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Connected { socket, .. }
            | Self::Signal { socket, .. }
            | Self::SetMedia { socket, .. }
            | Self::SwitchAck { socket, .. }
            | Self::SfuProof { socket, .. }
            | Self::Gap { socket, .. }
            | Self::RetrySwitch { socket, .. }
            | Self::Caption { socket, .. } => Some(*socket),
            _ => None,
        }
    }
}

/// Randomness for ids a call makes itself: transitions. Eight fresh bytes come with each input that may need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entropy(pub u64);

/// When and with which randomness an input happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// Fresh for each input.
    pub entropy: Entropy,
}
