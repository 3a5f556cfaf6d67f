//! The call's room on a media node: asked for before it is needed, watched, and replaced when it is lost.

use std::time::Duration;

use signalling::Timestamp;
use signalling::client_gateway::{
    ActiveSpeakerEvent, CallStatus, EndReason, Mode, ServerEvent, SwitchReason,
};
use signalling::client_node::{NewProducer, ProducerSummary, TrackSource, TransportDirection};
use signalling::error::{ErrorBody, ErrorCode};
use signalling::gateway_node::DtlsState;
use signalling::{ParticipantId, ProducerId, TransportId};

use crate::Call;
use crate::input::{NodeEvent, NodeId, RequestId, RoomInfo};
use crate::mode::{Hold, Machine};
use crate::output::{NodeCommand, Notice, Output, Reply, RoomAttempt};
use crate::place::Place;
use crate::record::SfuIds;
use crate::timers::after;

/// How long to wait before a room is asked for again, doubled with each failure up to [`SLOWEST`].
const FIRST_AGAIN: Duration = Duration::from_secs(2);
/// A minute is soon enough for a room nobody waits for.
const SLOWEST: Duration = Duration::from_secs(60);
/// After so many failures in a row those without media are told that the media server failed (contract §3.7).
const FAILURES_TOLD: u32 = 3;

/// What is known of the room.
#[derive(Clone, Debug)]
pub(crate) enum RoomState {
    /// There is none.
    Absent {
        /// How often asking for one failed in a row.
        failures: u32,
        /// When the next is asked for by itself, if one is wanted.
        retry_at: Timestamp,
        /// A node not to use.
        avoid: Option<NodeId>,
    },
    /// One was asked for.
    Opening {
        /// Which try.
        attempt: RoomAttempt,
        /// When it counts as failed.
        deadline: Timestamp,
        /// How often asking for one failed before.
        failures: u32,
        /// A node not to use.
        avoid: Option<NodeId>,
        /// What was asked for.
        place: Place,
    },
    /// There is one that stands by, and a place for its media is being asked for: there, or in a room elsewhere.
    Promoting {
        /// Which try.
        attempt: RoomAttempt,
        /// When it counts as failed.
        deadline: Timestamp,
        /// The room.
        room: RoomInfo,
    },
    /// There was one before the gateway stopped; whether it still is there is being found out.
    Watching {
        /// Which try.
        attempt: RoomAttempt,
        /// When it counts as lost.
        deadline: Timestamp,
        /// Where it is.
        node: NodeId,
        /// What storage knows of it.
        known: Option<RoomInfo>,
    },
    /// It is there.
    Ready(RoomInfo),
}

impl RoomState {
    /// None, and one may be asked for at once.
    pub(crate) const fn none(now: Timestamp) -> Self {
        Self::Absent {
            failures: 0,
            retry_at: now,
            avoid: None,
        }
    }
}

/// Mode `sfu` without a room: nobody has media until another one is found.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    /// Since when.
    pub(crate) since: Timestamp,
    /// When the call fails; known once everybody was told that the media server failed.
    pub(crate) fails_at: Option<Timestamp>,
}

impl Call {
    pub(crate) fn next_attempt(&mut self) -> RoomAttempt {
        self.attempts = self.attempts.wrapping_add(1);
        RoomAttempt(self.attempts)
    }

    /// Whether a room is wanted though nobody has to wait for it.
    fn wants_standby(&self) -> bool {
        let active = self.row.status == CallStatus::Active && self.roster.occupying() >= 2;
        active && self.settings.sfu_enabled && self.can_be_group()
    }

    /// Whether a room is to be asked for, now or when its time has come.
    pub(crate) fn wants_room(&self) -> bool {
        match &self.machine {
            Machine::P2p { .. } => self.wants_room_now() || self.wants_standby(),
            Machine::Sfu => true,
            Machine::SwitchingToSfu(_) | Machine::FailingOver(_) | Machine::SwitchingToP2p(_) => false,
        }
    }

    /// Whether somebody waits for a room.
    pub(crate) fn wants_room_now(&self) -> bool {
        match &self.machine {
            Machine::P2p { retry } => {
                let due = retry.as_ref().is_some_and(|retry| retry.at <= self.now);
                due || !self.queue.is_empty() || self.manual.is_some()
            }
            _ => false,
        }
    }

    /// Asks for a room where one is wanted.
    pub(crate) fn seek_room(&mut self) -> bool {
        let RoomState::Absent {
            failures,
            retry_at,
            avoid,
        } = &self.room
        else {
            return false;
        };
        let due = *retry_at <= self.now && self.wants_room();
        if !due && !self.wants_room_now() {
            return false;
        }
        let (failures, avoid) = (*failures, avoid.clone());
        let attempt = self.next_attempt();
        let standby = self.row.mode == Mode::P2p && !self.wants_room_now();
        self.room = RoomState::Opening {
            attempt,
            deadline: after(self.now, self.settings.switch_timeout),
            failures,
            avoid: avoid.clone(),
            place: if standby { Place::Unasked } else { Place::Held },
        };
        self.out.push(Output::Node(NodeCommand::OpenRoom {
            attempt,
            avoid,
            standby,
        }));
        true
    }

    /// After a restart: hears the room again that storage knows of.
    pub(crate) fn restore_room(&mut self) {
        let Some(node) = self.row.media_server_id.clone() else {
            return;
        };
        let known = match (
            self.row.mode,
            self.row.sfu_room_id,
            &self.row.sfu_rtp_capabilities,
        ) {
            (Mode::Sfu, Some(router_id), Some(capabilities)) => Some(RoomInfo {
                node: node.clone(),
                router_id,
                rtp_capabilities: capabilities.clone(),
                producers: Vec::new(),
            }),
            _ => None,
        };
        let attempt = self.next_attempt();
        self.room = RoomState::Watching {
            attempt,
            deadline: after(self.now, self.settings.switch_timeout),
            node: node.clone(),
            known,
        };
        self.out
            .push(Output::Node(NodeCommand::WatchRoom { attempt, node }));
    }

    /// A room was found.
    pub(crate) fn room_ready(&mut self, attempt: RoomAttempt, room: RoomInfo) {
        let same = match &self.room {
            RoomState::Opening {
                attempt: asked,
                place,
                ..
            } if *asked == attempt => {
                self.place = *place;
                false
            }
            RoomState::Promoting {
                attempt: asked,
                room: before,
                ..
            } if *asked == attempt => {
                let before = before.clone();
                return self.room_promoted(before, room);
            }
            RoomState::Watching {
                attempt: asked,
                known,
                ..
            } if *asked == attempt => {
                let router = known.as_ref().map(|known| known.router_id);
                router.is_some_and(|router| router == room.router_id)
            }
            RoomState::Opening { .. } | RoomState::Promoting { .. } => return,
            _ => return self.room_too_late(room),
        };
        for producer in &room.producers {
            self.note_producer(
                &producer.participant_id,
                producer.producer_id,
                source_of(producer),
            );
        }
        self.room = RoomState::Ready(room);
        if same {
            return;
        }
        if self.row.mode == Mode::Sfu {
            // Everybody has to move there, as soon as no other switch is under way.
            self.begin_outage();
        } else {
            self.room_news = true;
        }
    }

    fn begin_outage(&mut self) {
        let since = self.now;
        self.outage.get_or_insert(Outage {
            since,
            fails_at: None,
        });
    }

    /// A room that came after it was given up is of no use, unless it is on the node that is used now.
    fn room_too_late(&mut self, room: RoomInfo) {
        if self.node() != Some(&room.node) {
            let command = NodeCommand::DestroyRoom { node: room.node };
            self.out.push(Output::Node(command));
        }
    }

    /// No room could be had: whoever waits for one is refused, everybody else hears nothing (contract §3.7).
    pub(crate) fn room_failed(&mut self, attempt: RoomAttempt) {
        let (failures, avoid) = match &self.room {
            RoomState::Opening {
                attempt: asked,
                failures,
                avoid,
                ..
            } if *asked == attempt => (failures + 1, avoid.clone()),
            RoomState::Watching {
                attempt: asked, node, ..
            } if *asked == attempt => {
                let node = node.clone();
                return self.room_lost(&node);
            }
            RoomState::Promoting {
                attempt: asked, room, ..
            } if *asked == attempt => {
                // It goes on standing by: by the time the next one comes there may be a place.
                self.room = RoomState::Ready(room.clone());
                return self.refuse_all_who_wait();
            }
            _ => return,
        };
        // A retry counts on its own, so each of its tries asks at once; with `avoid` nothing else may be left.
        let avoid = avoid.filter(|_| failures < 2);
        self.room = RoomState::Absent {
            failures,
            retry_at: after(self.now, backoff(failures)),
            avoid,
        };
        match &self.machine {
            Machine::P2p { .. } => self.refuse_all_who_wait(),
            Machine::Sfu => self.outage_goes_on(failures),
            _ => {}
        }
    }

    /// No switch can begin: who asked for one is refused, a retry has failed.
    pub(crate) fn refuse_all_who_wait(&mut self) {
        let failed = match &self.machine {
            Machine::P2p { retry: Some(retry) } if retry.at <= self.now => Some(retry.failures + 1),
            _ => None,
        };
        for join in std::mem::take(&mut self.queue) {
            self.refuse_limited(join.request);
        }
        if let Some(manual) = self.manual.take() {
            self.refuse_limited(manual.request);
        }
        if let Some(failures) = failed {
            self.switch_failed(failures, ErrorCode::MediaServerError);
        }
    }

    /// No room for a call that needs one: two people go on directly, others are told after some tries.
    fn outage_goes_on(&mut self, failures: u32) {
        if self.can_be_direct() && self.hold != Hold::Failed {
            return self.begin_switch(Mode::P2p, SwitchReason::MediaServerFailover, 0, None);
        }
        let told = self
            .outage
            .as_ref()
            .is_some_and(|outage| outage.fails_at.is_some());
        if failures < FAILURES_TOLD || told {
            return;
        }
        let fails_at = after(self.now, self.settings.reconnect_grace);
        if let Some(outage) = &mut self.outage {
            outage.fails_at = Some(fails_at);
        }
        let error = ErrorBody::new(ErrorCode::MediaServerError);
        let event = signalling::client_gateway::CallError::new(Some(self.row.id.clone()), error);
        self.tell_all(ServerEvent::Error(event));
    }

    /// Notes since when media has no way, and moves everybody to the new room once there is one.
    pub(crate) fn mind_outage(&mut self) -> bool {
        if !matches!(self.machine, Machine::Sfu) {
            return false;
        }
        match (&self.room, &self.outage) {
            (RoomState::Absent { .. } | RoomState::Opening { .. }, None) => self.begin_outage(),
            (RoomState::Ready(_), Some(_)) => {
                self.begin_switch(Mode::Sfu, SwitchReason::MediaServerFailover, 0, None);
                self.outage = None;
            }
            _ => return false,
        }
        true
    }

    /// The room is gone (contract §3.7).
    pub(crate) fn room_lost(&mut self, node: &NodeId) {
        if self.node() != Some(node) {
            return;
        }
        let wait = match self.machine {
            Machine::P2p { .. } => FIRST_AGAIN,
            _ => Duration::ZERO,
        };
        self.forget_room(after(self.now, wait), Some(node.clone()));
        match &self.machine {
            Machine::SwitchingToSfu(switch) => {
                let failures = switch.failures + 1;
                self.switch_failed(failures, ErrorCode::MediaServerError);
            }
            Machine::FailingOver(_) => self.call_off(ErrorCode::MediaServerError.as_str(), None),
            Machine::P2p { .. } | Machine::Sfu | Machine::SwitchingToP2p(_) => {}
        }
        if self.row.mode == Mode::P2p && !self.is_over() {
            self.tell(self.roster.seats(), Notice::MediaServer(None));
        }
    }

    fn forget_room(&mut self, retry_at: Timestamp, avoid: Option<NodeId>) {
        self.room = RoomState::Absent {
            failures: 0,
            retry_at,
            avoid,
        };
        self.place = Place::Unasked;
        self.room_news = false;
        for who in self.roster.everybody_mut() {
            who.row.sfu = SfuIds::default();
        }
    }

    /// Lets go of a room that may not be used any more.
    pub(crate) fn drop_room(&mut self) {
        if let Some(node) = self.node().cloned() {
            self.out.push(Output::Node(NodeCommand::DestroyRoom { node }));
            self.tell(self.roster.seats(), Notice::MediaServer(None));
        }
        self.forget_room(self.now, None);
    }

    /// The flag changed: calls through a node go on, direct ones lose their standby (contract §8.9).
    pub(crate) fn set_sfu_flag(&mut self, enabled: bool) {
        self.settings.sfu_enabled = enabled;
        if enabled || !matches!(self.machine, Machine::P2p { retry: None }) {
            return;
        }
        for join in std::mem::take(&mut self.queue) {
            self.refuse(join.request, ErrorCode::SfuDisabled);
        }
        if let Some(manual) = self.manual.take() {
            self.refuse(manual.request, ErrorCode::SfuDisabled);
        }
        self.drop_room();
    }

    /// Tells of a new room whoever has not learnt of it by a switch.
    pub(crate) fn announce_room(&mut self) {
        if self.row.mode != Mode::P2p || !std::mem::take(&mut self.room_news) {
            return;
        }
        if let RoomState::Ready(room) = &self.room {
            let notice = Notice::MediaServer(Some(room.clone()));
            self.tell(self.roster.seats(), notice);
        }
    }

    /// The server cannot go on with this call.
    pub(crate) fn fail(&mut self) {
        self.end(EndReason::Error, None);
    }

    /// Somebody found out whether their way to the standby room works.
    pub(crate) fn sfu_proof(&mut self, request: RequestId, proven: bool) {
        if !proven {
            self.metrics.transport_failed(self.now);
        }
        self.reply(request, Reply::Done);
    }

    /// Something happened in the room.
    pub(crate) fn node_event(&mut self, node: &NodeId, event: NodeEvent) {
        if self.node() != Some(node) {
            return;
        }
        match event {
            NodeEvent::NewProducer(event) => self.producer_appeared(node, event),
            NodeEvent::ProducerClosed(event) => {
                self.forget_producer(&event.participant_id, event.producer_id);
                let owner = event.participant_id.clone();
                self.tell_others(&owner, ServerEvent::ProducerClosed(event));
            }
            NodeEvent::ConsumerPaused(event) => {
                let owner = event.participant_id.clone();
                self.tell_one(&owner, ServerEvent::ConsumerPaused(event));
            }
            NodeEvent::ConsumerResumed(event) => {
                let owner = event.participant_id.clone();
                self.tell_one(&owner, ServerEvent::ConsumerResumed(event));
            }
            NodeEvent::ActiveSpeaker(event) if self.row.mode == Mode::Sfu => {
                let speaker = event
                    .participant_id
                    .filter(|id| self.roster.occupant(id).is_some());
                self.tell_all(ServerEvent::ActiveSpeaker(ActiveSpeakerEvent {
                    call_id: self.row.id.clone(),
                    participant_id: speaker,
                }));
            }
            NodeEvent::ActiveSpeaker(_) => {}
            NodeEvent::Transport {
                participant,
                transport,
                direction,
                dtls,
            } => self.transport_changed(node, &participant, (transport, direction), dtls),
        }
    }

    fn tell_one(&mut self, id: &ParticipantId, event: ServerEvent) {
        let seat = self
            .roster
            .occupant(id)
            .and_then(crate::roster::Participant::seat);
        self.tell(seat.into_iter().collect(), Notice::Event(event));
    }

    /// Somebody who holds no seat has no business in the room.
    fn turn_out(&mut self, node: &NodeId, participant: &ParticipantId) {
        self.out.push(Output::Node(NodeCommand::RemoveParticipant {
            node: node.clone(),
            participant: participant.clone(),
        }));
    }

    fn producer_appeared(&mut self, node: &NodeId, event: NewProducer) {
        if self.roster.occupant(&event.participant_id).is_none() {
            return self.turn_out(node, &event.participant_id);
        }
        let summary = ProducerSummary {
            producer_id: event.producer_id,
            participant_id: event.participant_id.clone(),
            kind: event.kind,
            paused: event.paused.unwrap_or(false),
            app_data: event.app_data.clone().unwrap_or_default(),
        };
        self.note_producer(&event.participant_id, event.producer_id, source_of(&summary));
        if let Some(room) = self.room_mut() {
            room.producers
                .retain(|each| each.producer_id != event.producer_id);
            room.producers.push(summary);
        }
        let owner = event.participant_id.clone();
        self.tell_others(&owner, ServerEvent::NewProducer(event));
    }

    fn room_mut(&mut self) -> Option<&mut RoomInfo> {
        match &mut self.room {
            RoomState::Ready(room) | RoomState::Promoting { room, .. } => Some(room),
            RoomState::Watching { known, .. } => known.as_mut(),
            RoomState::Absent { .. } | RoomState::Opening { .. } => None,
        }
    }

    fn note_producer(&mut self, owner: &ParticipantId, producer: ProducerId, source: TrackSource) {
        let Some(who) = self.roster.occupant_mut(owner) else {
            return;
        };
        let place = match source {
            TrackSource::Microphone => &mut who.row.sfu.audio_producer,
            TrackSource::Camera => &mut who.row.sfu.video_producer,
            TrackSource::Screen => &mut who.row.sfu.screen_producer,
        };
        *place = Some(producer);
    }

    fn forget_producer(&mut self, owner: &ParticipantId, producer: ProducerId) {
        if let Some(room) = self.room_mut() {
            room.producers.retain(|each| each.producer_id != producer);
        }
        let Some(who) = self.roster.known_mut(owner) else {
            return;
        };
        let sfu = &mut who.row.sfu;
        for place in [
            &mut sfu.audio_producer,
            &mut sfu.video_producer,
            &mut sfu.screen_producer,
        ] {
            place.take_if(|each| *each == producer);
        }
    }

    /// What somebody sent is no longer there to consume.
    pub(crate) fn forget_producers_of(&mut self, owner: &ParticipantId) {
        if let Some(room) = self.room_mut() {
            room.producers.retain(|each| each.participant_id != *owner);
        }
    }

    fn transport_changed(
        &mut self,
        node: &NodeId,
        owner: &ParticipantId,
        (transport, direction): (TransportId, TransportDirection),
        dtls: DtlsState,
    ) {
        let Some(who) = self.roster.occupant_mut(owner) else {
            if dtls == DtlsState::Connected {
                self.turn_out(node, owner);
            }
            return;
        };
        let place = match direction {
            TransportDirection::Send => &mut who.row.sfu.send_transport,
            TransportDirection::Recv => &mut who.row.sfu.recv_transport,
        };
        match dtls {
            DtlsState::Connected => {
                *place = Some(transport);
                if self.row.mode == Mode::Sfu {
                    self.mark_connected(owner);
                }
            }
            DtlsState::Failed | DtlsState::Closed => {
                place.take_if(|each| *each == transport);
                if dtls == DtlsState::Failed {
                    self.metrics.transport_failed(self.now);
                }
            }
            DtlsState::New | DtlsState::Connecting => {}
        }
    }
}

fn source_of(producer: &ProducerSummary) -> TrackSource {
    producer
        .app_data
        .source
        .unwrap_or_else(|| TrackSource::default_for(producer.kind))
}

fn backoff(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_AGAIN.saturating_mul(doubled).min(SLOWEST)
}
