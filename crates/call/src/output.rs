//! Everything a call can ask for.

use signalling::client_gateway::{CallStatus, Caption, EndReason, Mode};
use signalling::client_gateway::{
    JoinDto, MediaServer, ModeSwitch, PeerRole, ServerEvent, Started, SwitchReason, TransitionState,
};
use signalling::error::ErrorBody;
use signalling::{ConversationId, ParticipantId, ProducerId, Timestamp, TransitionId, UserId};

use crate::input::{NodeId, Person, RequestId, RoomInfo, SocketId};
use crate::record::{CallRecord, MetricsRecord, ParticipantRecord};

/// One try to get a room; answers to an older one are of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomAttempt(pub u32);

/// A participant with the device it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub participant: ParticipantId,
    /// On which device.
    pub socket: SocketId,
}

/// Who is told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// Participants, on the devices they are bound to.
    Seats(Vec<Seat>),
    /// All devices of these users, but not these sockets.
    Users {
        /// Whose devices.
        users: Vec<UserId>,
        /// Which are left out.
        except: Option<SocketId>,
    },
    /// All devices of the conversation's members.
    Conversation(ConversationId),
    /// One device, whoever it belongs to.
    Socket(SocketId),
}

/// What is told. Those with credentials are completed by the gateway for each recipient: it adds ICE servers,
/// expiry, and turns the room into a `MediaServerConfig` with the recipient's own token.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Ready to be sent as it is.
    Event(ServerEvent),
    /// `call:joined` or, if `back`, `call:rejoined`: [`JoinDto`] of the recipient.
    Joined {
        /// Whether they were in it before.
        back: bool,
    },
    /// `call:started`: [`Started`].
    Started,
    /// `call:media-server`: [`MediaServer`]; `None` takes it back.
    MediaServer(Option<RoomInfo>),
    /// `call:mode-switch`: [`ModeSwitch`].
    ModeSwitch(Box<SwitchOrder>),
}

/// What `call:mode-switch` is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct SwitchOrder {
    /// What the mode was.
    pub old_mode: Mode,
    /// What it is to become.
    pub new_mode: Mode,
    /// Why.
    pub reason: SwitchReason,
    /// The room, towards `sfu`.
    pub room: Option<RoomInfo>,
    /// Who offers and to whom, towards `p2p`.
    pub peer: Option<(PeerRole, ParticipantId)>,
    /// When it is given up.
    pub deadline: Timestamp,
    /// Which switch.
    pub transition: TransitionId,
}

/// What somebody who waits is answered. The gateway completes credentials as for [`Notice`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Done, nothing to say.
    Done,
    /// The call was begun: `call:initiate`'s acknowledgement or `POST /api/calls`.
    Initiated {
        /// The caller's participant.
        participant: ParticipantId,
    },
    /// In the call: a [`JoinDto`] of this participant.
    Joined {
        /// Who they are.
        participant: ParticipantId,
    },
    /// No longer in the call.
    Left {
        /// Who it was; `None` for one who only rang.
        participant: Option<ParticipantId>,
        /// When.
        left_at: Timestamp,
    },
    /// The call is over.
    Ended {
        /// When.
        ended_at: Timestamp,
        /// Whole seconds it lasted.
        duration: u64,
    },
    /// The mode was set, or is being set.
    ModeSet {
        /// The mode asked for.
        mode: Mode,
        /// Since when.
        switched_at: Timestamp,
    },
}

/// What the media nodes are asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeCommand {
    /// Get a room for the call: create it, or use the one that exists, unless that stands by and its node has no place
    /// for media; answered by `RoomReady` or `RoomFailed`. What becomes of a room that is not used is said apart.
    OpenRoom {
        /// Which attempt.
        attempt: RoomAttempt,
        /// A node not to use, because it just failed.
        avoid: Option<NodeId>,
        /// Whether it is only to be proven for now, and so takes none of a node's places until media flows in it.
        standby: bool,
    },
    /// Hear the events of a room again after a restart of the gateway; answered by `RoomReady` or `RoomLost`.
    WatchRoom {
        /// Which attempt.
        attempt: RoomAttempt,
        /// Where it is.
        node: NodeId,
    },
    /// Close everything of a participant.
    RemoveParticipant {
        /// Where.
        node: NodeId,
        /// Whom.
        participant: ParticipantId,
    },
    /// Pause or resume a producer, as its owner muted or unmuted.
    SetProducerPaused {
        /// Where.
        node: NodeId,
        /// Which.
        producer: ProducerId,
        /// Whether it is to be paused.
        paused: bool,
    },
    /// Destroy the room.
    DestroyRoom {
        /// Where.
        node: NodeId,
    },
}

/// What is to be written down. In order, and before anybody is told of it where [`Output`]s say so by their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Persist {
    /// The call and those of its participants that changed, in one transaction.
    State {
        /// The call.
        call: Box<CallRecord>,
        /// Participants that changed.
        participants: Vec<ParticipantRecord>,
    },
    /// What was measured; may be written later.
    Metrics(Box<MetricsRecord>),
    /// A caption that will not change any more; of users only.
    Caption {
        /// Who said it.
        participant: ParticipantId,
        /// The caption.
        caption: Box<Caption>,
    },
    /// A line in the audit log.
    Audit {
        /// What happened.
        event: AuditEvent,
        /// By whom.
        person: Option<Person>,
    },
}

/// What the audit log tells (contract §4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditEvent {
    /// A call was begun.
    CallInitiated,
    /// Somebody joined.
    CallJoined,
    /// Somebody left.
    CallLeft,
    /// A call ended.
    CallEnded {
        /// Why.
        reason: EndReason,
    },
    /// A switch was committed.
    ModeSwitched {
        /// To which mode.
        to: Mode,
    },
}

/// Something the operator's figures count (contract §8.5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// A switch was finished.
    Transition {
        /// From.
        from: Mode,
        /// To.
        to: Mode,
        /// Why.
        reason: SwitchReason,
        /// Whether it was committed.
        success: bool,
        /// From the first event to the last acknowledgement, seconds.
        seconds: f64,
    },
    /// The call's status or mode changed.
    State {
        /// How far it is.
        status: CallStatus,
        /// Where the mode machine stands.
        transition: TransitionState,
        /// How many hold a seat.
        occupying: u32,
    },
    /// Somebody's media is up for the first time.
    Connected {
        /// Since they joined, seconds.
        seconds: f64,
    },
    /// Somebody came back, or did not in time.
    Reconnection {
        /// Whether they came back.
        back: bool,
    },
}

/// Everything a call can ask for, in the order in which it is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Answer somebody who waits.
    Reply {
        /// Who.
        request: RequestId,
        /// What.
        result: Result<Reply, ErrorBody>,
    },
    /// Tell somebody.
    Notify {
        /// Whom.
        to: Recipients,
        /// What.
        notice: Notice,
    },
    /// Write down.
    Persist(Persist),
    /// Ask a media node.
    Node(NodeCommand),
    /// Count.
    Measure(Measure),
    /// A device is no longer part of the call: its seat was taken over, it left or was removed.
    Release {
        /// Which.
        socket: SocketId,
    },
    /// The call is over, and everything about it was said; nothing more will come.
    Finished,
}

// The shapes that notices are completed into, named so that links in these comments are checked.
const _: fn(JoinDto, Started, MediaServer, ModeSwitch) = |_, _, _, _| {};
