//! What a call looks like to those in it and to those who may look at it.

use std::collections::BTreeMap;

use signalling::client_gateway::{
    ActiveCall, AdminCall, CallDto, CallStatus, CallType, Mode, ParticipantDto, ParticipantRole,
    PendingTransition, TransitionState, UserSummary,
};
use signalling::text::Text;
use signalling::{CallId, ConversationId, ParticipantId, Timestamp, UserId};

use crate::Call;
use crate::input::{NodeId, Person, RoomInfo, SocketId};
use crate::mode::Machine;
use crate::output::{Persist, Seat};
use crate::record::{CallRecord, ParticipantRecord, SfuIds};
use crate::room::RoomState;
use crate::roster::Participant;

/// What somebody needs who is now in a call: a `JoinDto` without credentials, which the gateway adds.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinView {
    /// Who one is in the call.
    pub participant_id: ParticipantId,
    /// Which call.
    pub call_id: CallId,
    /// Where it takes place.
    pub conversation_id: ConversationId,
    /// With pictures or without.
    pub call_type: CallType,
    /// Which way media is to take for this participant: `sfu` also for one who waits for the switch there.
    pub mode: Mode,
    /// How far the call is.
    pub status: CallStatus,
    /// Those who hold a seat, in order of joining.
    pub participants: Vec<ParticipantDto>,
    /// Since when one is in it.
    pub joined_at: Timestamp,
    /// When the call became active.
    pub started_at: Option<Timestamp>,
    /// The switch to acknowledge, if one is under way.
    pub transition: Option<PendingTransition>,
    /// The room, where there is one: also while the call is direct, to prove the way there.
    pub room: Option<RoomInfo>,
}

/// What `call:started` is made of; the gateway adds the way to the media node.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedView {
    /// The committed mode.
    pub mode: Mode,
    /// Since when.
    pub started_at: Timestamp,
    /// Those who hold a seat, in order of joining.
    pub participants: Vec<ParticipantDto>,
    /// The room, where there is one.
    pub room: Option<RoomInfo>,
}

/// What storage was told last, so that only what changed is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    call: Option<CallRecord>,
    participants: BTreeMap<ParticipantId, ParticipantRecord>,
}

impl Written {
    /// What storage holds already.
    pub(crate) fn of(call: CallRecord, participants: Vec<ParticipantRecord>) -> Self {
        Self {
            call: Some(call),
            participants: participants
                .into_iter()
                .map(|row| (row.id.clone(), row))
                .collect(),
        }
    }

    /// What has changed since the last time. A new quality figure alone is no reason to write.
    pub(crate) fn changes(
        &mut self,
        mut call: CallRecord,
        rows: Vec<ParticipantRecord>,
        now: Timestamp,
    ) -> Option<Persist> {
        let mut changed = Vec::new();
        for mut row in rows {
            let before = self.participants.get(&row.id);
            if let Some(before) = before {
                let now_measured = row.quality;
                row.quality = before.quality;
                row.updated_at = before.updated_at;
                if row == *before {
                    continue;
                }
                row.quality = now_measured;
            }
            row.updated_at = now;
            self.participants.insert(row.id.clone(), row.clone());
            changed.push(row);
        }
        if let Some(before) = &self.call {
            call.updated_at = before.updated_at;
            if changed.is_empty() && call == *before {
                return None;
            }
        }
        call.updated_at = now;
        self.call = Some(call.clone());
        Some(Persist::State {
            call: Box::new(call),
            participants: changed,
        })
    }
}

impl Call {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &CallId {
        &self.row.id
    }

    /// Where it takes place.
    #[must_use]
    pub fn conversation_id(&self) -> ConversationId {
        self.row.conversation_id
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.row.status, CallStatus::Ended | CallStatus::Failed)
    }

    /// The whole call. `media_server_config` is absent and `expires_at` is `now`; whoever hands out credentials
    /// with it fills them in.
    #[must_use]
    pub fn dto(&self, now: Timestamp) -> CallDto {
        CallDto {
            call_id: self.row.id.clone(),
            conversation_id: self.row.conversation_id,
            call_type: self.row.call_type,
            mode: self.row.mode,
            status: self.row.status,
            initiator: self.initiator(),
            participants: self.roster.everybody().map(Participant::dto).collect(),
            media_server_config: None,
            settings: self.row.settings,
            created_at: self.row.created_at,
            started_at: self.row.started_at,
            ended_at: self.row.ended_at,
            duration: self.duration(now),
            end_reason: self.row.end_reason,
            ended_by: self.row.ended_by,
            expires_at: now,
        }
    }

    /// Whole seconds since the call became active, or that it lasted.
    pub(crate) fn duration(&self, now: Timestamp) -> u64 {
        let until = self.row.ended_at.unwrap_or(now);
        self.row.started_at.map_or(0, |since| {
            until.unix_millis().saturating_sub(since.unix_millis()) / 1000
        })
    }

    /// Who began it. A user whose data was erased since has the id of zeros.
    pub(crate) fn initiator(&self) -> UserSummary {
        let row = self
            .roster
            .everybody()
            .map(|each| &each.row)
            .find(|row| row.role == ParticipantRole::Initiator);
        let nobody = UserId::mint(Timestamp::from_unix_millis(0), 0);
        UserSummary {
            user_id: self.row.initiator_id.unwrap_or(nobody),
            username: row.map_or_else(unnamed, |row| row.username.clone()),
            avatar: row.and_then(|row| row.avatar.clone()),
        }
    }

    /// What a participant needs to take part; of anybody who is or was in the call.
    #[must_use]
    pub fn join_view(&self, _now: Timestamp, participant: &ParticipantId) -> Option<JoinView> {
        let who = self.roster.known(participant)?;
        let mode = if who.is_newcomer() {
            Mode::Sfu
        } else {
            self.row.mode
        };
        Some(JoinView {
            participant_id: who.row.id.clone(),
            call_id: self.row.id.clone(),
            conversation_id: self.row.conversation_id,
            call_type: self.row.call_type,
            mode,
            status: self.row.status,
            participants: self.roster.occupant_dtos(),
            joined_at: who.row.joined_at,
            started_at: self.row.started_at,
            transition: self.switch().map(|switch| PendingTransition {
                transition_id: switch.id,
                new_mode: self.machine.target(),
                switch_deadline: switch.deadline,
            }),
            room: self.room().cloned(),
        })
    }

    /// What those in it are told when it becomes active.
    #[must_use]
    pub fn started_view(&self, now: Timestamp) -> StartedView {
        StartedView {
            mode: self.row.mode,
            started_at: self.row.started_at.unwrap_or(now),
            participants: self.roster.occupant_dtos(),
            room: self.room().cloned(),
        }
    }

    /// What members who are not in it may know.
    #[must_use]
    pub fn active_call(&self) -> ActiveCall {
        ActiveCall {
            call_id: self.row.id.clone(),
            mode: self.row.mode,
            status: self.row.status,
            participant_count: self.roster.occupying(),
            participants: self.roster.occupant_dtos(),
            started_at: self.row.started_at,
        }
    }

    /// What operators may know: no names, no words.
    #[must_use]
    pub fn admin_view(&self) -> AdminCall {
        let transition = Some(self.transition_state());
        AdminCall {
            call_id: self.row.id.clone(),
            conversation_id: self.row.conversation_id,
            call_type: self.row.call_type,
            status: self.row.status,
            mode: self.row.mode,
            transition: transition.filter(|state| {
                matches!(
                    state,
                    TransitionState::SwitchingToSfu | TransitionState::SwitchingToP2p
                )
            }),
            participants: self.roster.occupying(),
            started_at: self.row.started_at.unwrap_or(self.row.created_at),
            node_id: self.node().map(|node| node.0.clone()),
        }
    }

    /// The participant of somebody who holds a seat.
    #[must_use]
    pub fn participant_of(&self, person: &Person) -> Option<&ParticipantId> {
        let who = self.roster.of_person(person).filter(|each| each.occupies())?;
        Some(&who.row.id)
    }

    /// Whether somebody is or was in it.
    #[must_use]
    pub fn has_known(&self, person: &Person) -> bool {
        self.roster.of_person(person).is_some()
    }

    /// The participant a device is bound to.
    #[must_use]
    pub fn seat_of_socket(&self, socket: SocketId) -> Option<&ParticipantId> {
        self.roster.of_socket(socket).map(|each| &each.row.id)
    }

    /// Seats with a device.
    #[must_use]
    pub fn seats(&self) -> Vec<Seat> {
        self.roster.seats()
    }

    /// Everybody who holds a seat; nobody may hold one in two calls.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.roster
            .occupants()
            .filter_map(|each| each.row.person)
            .collect()
    }

    /// The room as far as it is known, also a standby one.
    #[must_use]
    pub fn room(&self) -> Option<&RoomInfo> {
        match &self.room {
            RoomState::Ready(room) | RoomState::Promoting { room, .. } => Some(room),
            RoomState::Watching { known, .. } => known.as_ref(),
            RoomState::Absent { .. } | RoomState::Opening { .. } => None,
        }
    }

    /// The node that holds the room: where requests about it are to be sent.
    #[must_use]
    pub fn node(&self) -> Option<&NodeId> {
        match &self.room {
            RoomState::Ready(room) | RoomState::Promoting { room, .. } => Some(&room.node),
            RoomState::Watching { node, .. } => Some(node),
            RoomState::Absent { .. } | RoomState::Opening { .. } => None,
        }
    }

    /// Where the mode machine stands, in storage's words.
    pub(crate) fn transition_state(&self) -> TransitionState {
        match self.machine {
            Machine::P2p { .. } => TransitionState::P2p,
            Machine::SwitchingToSfu(_) => TransitionState::SwitchingToSfu,
            Machine::Sfu | Machine::FailingOver(_) => TransitionState::Sfu,
            Machine::SwitchingToP2p(_) => TransitionState::SwitchingToP2p,
        }
    }

    /// Everything as storage is to hold it.
    pub(crate) fn records(&self) -> (CallRecord, Vec<ParticipantRecord>) {
        let room = self.room().filter(|_| self.row.mode == Mode::Sfu);
        let call = CallRecord {
            sfu_room_id: room.map(|room| room.router_id),
            sfu_rtp_capabilities: room.map(|room| room.rtp_capabilities.clone()),
            transition_state: self.transition_state(),
            transition_id: match &self.machine {
                Machine::SwitchingToSfu(switch) | Machine::SwitchingToP2p(switch) => Some(switch.id),
                _ => None,
            },
            media_server_id: self.node().cloned(),
            ..self.row.clone()
        };
        let participants = self.roster.everybody().map(|each| {
            let mut row = each.row.clone();
            if self.row.mode == Mode::P2p {
                row.sfu = SfuIds::default();
            }
            row
        });
        (call, participants.collect())
    }
}

fn unnamed() -> Text {
    Text::new("?").expect("one printable character is a text")
}
