//! Who is or was in the call, and on which device.

use signalling::client_gateway::{MediaState, ParticipantDto, ParticipantRole, ParticipantStatus};
use signalling::{CallId, ParticipantId, Timestamp, TransitionId};

use crate::input::{Identity, Person, SocketId};
use crate::output::Seat;
use crate::record::{ParticipantRecord, SfuIds};

/// What way media has to a participant before the next switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Part of the committed mode.
    Member,
    /// Came as the third to a direct call: has no way at all until the switch to a media node is committed.
    Newcomer,
}

/// One participant: what is kept in storage, and what lives only as long as this process.
#[derive(Clone, Debug)]
pub(crate) struct Participant {
    /// What is kept. Its media node ids are those of the standby room, too; storage gets them in mode `sfu` only.
    pub(crate) row: ParticipantRecord,
    /// The device.
    pub(crate) socket: Option<SocketId>,
    /// Since when there is none; the seat is kept for the grace from here.
    pub(crate) unbound_since: Timestamp,
    /// Since when `connecting`.
    pub(crate) connecting_since: Timestamp,
    /// Whether media was up when the device was lost.
    pub(crate) had_media: bool,
    /// Part of the committed mode or waiting to be.
    pub(crate) standing: Standing,
    /// Whether the client can use a media node.
    pub(crate) sfu_supported: bool,
    /// Bytes sent and received as last reported; `None` when what was counted before is not known.
    pub(crate) reported: Option<(u64, u64)>,
    /// A switch that was called off while no device was there to be told.
    pub(crate) called_off: Option<TransitionId>,
}

impl Participant {
    /// Somebody who was never in the call before.
    pub(crate) fn new(call: &CallId, id: ParticipantId, who: &Identity, now: Timestamp) -> Self {
        let off = MediaState {
            audio_enabled: false,
            video_enabled: false,
            screen_share_enabled: false,
        };
        let row = ParticipantRecord {
            id,
            call_id: call.clone(),
            person: Some(who.person),
            username: who.username.clone(),
            avatar: who.avatar.clone(),
            language: who.language.clone(),
            role: ParticipantRole::Participant,
            status: ParticipantStatus::Connecting,
            joined_at: now,
            left_at: None,
            media: off,
            sfu: SfuIds::default(),
            quality: None,
            disconnected_at: None,
            reconnect_count: 0,
            updated_at: now,
        };
        Self {
            reported: Some((0, 0)),
            ..Self::stored(row, now)
        }
    }

    /// Somebody as storage knows them: without a device.
    pub(crate) fn stored(row: ParticipantRecord, now: Timestamp) -> Self {
        Self {
            had_media: row.status != ParticipantStatus::Connecting,
            row,
            socket: None,
            unbound_since: now,
            connecting_since: now,
            standing: Standing::Member,
            sfu_supported: true,
            reported: None,
            called_off: None,
        }
    }

    /// Whether they hold a seat (contract §3.2).
    pub(crate) fn occupies(&self) -> bool {
        self.row.left_at.is_none()
    }

    /// Whether media is up and a device is there.
    pub(crate) fn is_present(&self) -> bool {
        self.occupies() && self.row.status == ParticipantStatus::Connected && self.socket.is_some()
    }

    /// Whether they wait for the switch to a media node.
    pub(crate) fn is_newcomer(&self) -> bool {
        self.occupies() && self.standing == Standing::Newcomer
    }

    /// Whether a guest.
    pub(crate) fn is_guest(&self) -> bool {
        matches!(self.row.person, Some(Person::Guest(_)))
    }

    /// The seat with its device.
    pub(crate) fn seat(&self) -> Option<Seat> {
        let socket = self.socket.filter(|_| self.occupies())?;
        Some(Seat {
            participant: self.row.id.clone(),
            socket,
        })
    }

    /// As others see them.
    pub(crate) fn dto(&self) -> ParticipantDto {
        let row = &self.row;
        let (user_id, anonymous_user_id) = match row.person {
            Some(Person::User(user)) => (Some(user), None),
            Some(Person::Guest(guest)) => (None, Some(guest)),
            None => (None, None),
        };
        ParticipantDto {
            participant_id: row.id.clone(),
            user_id,
            anonymous_user_id,
            username: row.username.clone(),
            avatar: row.avatar.clone(),
            is_anonymous: self.is_guest(),
            language: row.language.clone(),
            role: row.role,
            status: row.status,
            joined_at: row.joined_at,
            left_at: row.left_at,
            media: row.media,
        }
    }
}

/// Everybody who is or was in the call, in order of joining.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    everybody: Vec<Participant>,
}

impl Roster {
    /// As storage knows them.
    pub(crate) fn new(everybody: Vec<Participant>) -> Self {
        Self { everybody }
    }

    /// Everybody, also those who left.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = &Participant> {
        self.everybody.iter()
    }

    /// Everybody, also those who left.
    pub(crate) fn everybody_mut(&mut self) -> impl Iterator<Item = &mut Participant> {
        self.everybody.iter_mut()
    }

    /// Those who hold a seat.
    pub(crate) fn occupants(&self) -> impl Iterator<Item = &Participant> {
        self.everybody.iter().filter(|each| each.occupies())
    }

    /// Those who hold a seat.
    pub(crate) fn occupants_mut(&mut self) -> impl Iterator<Item = &mut Participant> {
        self.everybody.iter_mut().filter(|each| each.occupies())
    }

    /// How many hold a seat.
    pub(crate) fn occupying(&self) -> u32 {
        u32::try_from(self.occupants().count()).unwrap_or(u32::MAX)
    }

    /// How many are there with media.
    pub(crate) fn present(&self) -> usize {
        self.occupants().filter(|each| each.is_present()).count()
    }

    /// Whether anybody waits for the switch to a media node.
    pub(crate) fn has_newcomer(&self) -> bool {
        self.everybody.iter().any(Participant::is_newcomer)
    }

    /// Anybody, also one who left.
    pub(crate) fn known(&self, id: &ParticipantId) -> Option<&Participant> {
        self.everybody.iter().find(|each| each.row.id == *id)
    }

    /// Anybody, also one who left.
    pub(crate) fn known_mut(&mut self, id: &ParticipantId) -> Option<&mut Participant> {
        self.everybody.iter_mut().find(|each| each.row.id == *id)
    }

    /// One who holds a seat.
    pub(crate) fn occupant(&self, id: &ParticipantId) -> Option<&Participant> {
        self.known(id).filter(|each| each.occupies())
    }

    /// One who holds a seat.
    pub(crate) fn occupant_mut(&mut self, id: &ParticipantId) -> Option<&mut Participant> {
        self.known_mut(id).filter(|each| each.occupies())
    }

    /// The row of a person, also of one who left.
    pub(crate) fn of_person(&self, person: &Person) -> Option<&Participant> {
        self.everybody
            .iter()
            .find(|each| each.row.person.as_ref() == Some(person))
    }

    /// The one a device is bound to.
    pub(crate) fn of_socket(&self, socket: SocketId) -> Option<&Participant> {
        self.occupants().find(|each| each.socket == Some(socket))
    }

    /// Seats with a device.
    pub(crate) fn seats(&self) -> Vec<Seat> {
        self.everybody.iter().filter_map(Participant::seat).collect()
    }

    /// Seats with a device, but not this one.
    pub(crate) fn seats_but(&self, id: &ParticipantId) -> Vec<Seat> {
        let mut seats = self.seats();
        seats.retain(|seat| seat.participant != *id);
        seats
    }

    /// Those who hold a seat, as others see them.
    pub(crate) fn occupant_dtos(&self) -> Vec<ParticipantDto> {
        self.occupants().map(Participant::dto).collect()
    }

    /// Adds somebody who was never in the call.
    pub(crate) fn add(&mut self, participant: Participant) {
        self.everybody.push(participant);
    }
}
