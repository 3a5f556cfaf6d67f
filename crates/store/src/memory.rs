//! Everything in memory: for tests, and for trying the program out. Nothing outlives the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use call::Person;
use call::record::{CallRecord, MetricsRecord, ParticipantRecord, StoredCall};
use signalling::client_gateway::{MemberRole, ParticipantStatus};
use signalling::{
    CallId, ConversationId, GuestId, ParticipantId, ShareLinkId, Timestamp, TranscriptionId, UserId,
};

use crate::calls::is_live;
use crate::{
    AuditEntry, CaptionRecord, Conversation, DeviceInfo, Guest, Retention, SecretHash, ShareLink, StoreError,
    User,
};

mod calls;
mod directory;
mod flags;
mod links;
mod upkeep;

/// A [`crate::Store`] without a database.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    retention: Retention,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            tables: Mutex::default(),
            retention,
        }
    }

    /// Every change is checked before the first table is touched, so a panicking caller leaves nothing half done.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Tables {
    users: BTreeMap<UserId, User>,
    conversations: BTreeMap<ConversationId, Conversation>,
    /// Direct conversations by the pair of their users.
    direct: BTreeMap<String, ConversationId>,
    members: BTreeMap<(ConversationId, UserId), Membership>,
    links: BTreeMap<ShareLinkId, (ShareLink, SecretHash)>,
    guests: BTreeMap<GuestId, (Guest, SecretHash)>,
    calls: BTreeMap<CallId, CallRow>,
    participants: BTreeMap<ParticipantId, ParticipantRow>,
    captions: BTreeMap<TranscriptionId, CaptionRecord>,
    audit: Vec<AuditEntry>,
    flags: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Membership {
    role: MemberRole,
    active: bool,
}

#[derive(Debug)]
struct CallRow {
    record: CallRecord,
    metrics: Option<MetricsRecord>,
}

#[derive(Debug)]
struct ParticipantRow {
    record: ParticipantRecord,
    device: Option<DeviceInfo>,
}

impl Tables {
    fn stored(&self, row: &CallRow) -> StoredCall {
        let mut participants: Vec<ParticipantRecord> = self
            .participants_of(&row.record.id)
            .map(|participant| participant.record.clone())
            .collect();
        participants.sort_by(|a, b| (a.joined_at, &a.id).cmp(&(b.joined_at, &b.id)));
        StoredCall {
            call: row.record.clone(),
            participants,
            metrics: row.metrics.clone(),
        }
    }

    fn participants_of(&self, call: &CallId) -> impl Iterator<Item = &ParticipantRow> {
        self.participants
            .values()
            .filter(move |row| row.record.call_id == *call)
    }

    fn live_call_of(&self, conversation: &ConversationId) -> Option<&CallRow> {
        self.calls
            .values()
            .find(|row| row.record.conversation_id == *conversation && is_live(row.record.status))
    }

    /// A person as kept: nobody, if the directory does not know them.
    fn known(&self, person: Option<Person>) -> Option<Person> {
        person.filter(|person| match person {
            Person::User(user) => self.users.contains_key(user),
            Person::Guest(guest) => self.guests.contains_key(guest),
        })
    }

    /// Writes a call and participants, or changes nothing.
    fn put(&mut self, call: &CallRecord, participants: &[ParticipantRecord]) -> Result<(), StoreError> {
        let mut call = call.clone();
        call.initiator_id = call.initiator_id.filter(|user| self.users.contains_key(user));
        call.ended_by = call.ended_by.filter(|user| self.users.contains_key(user));
        if is_live(call.status)
            && let Some(other) = self.live_call_of(&call.conversation_id)
            && other.record.id != call.id
        {
            return Err(StoreError::LiveCallExists {
                call: other.record.id.clone(),
            });
        }
        let fresh: Vec<ParticipantRecord> = participants
            .iter()
            .map(|participant| ParticipantRecord {
                call_id: call.id.clone(),
                person: self.known(participant.person),
                quality: participant.quality.map(crate::calls::finite),
                ..participant.clone()
            })
            .collect();
        self.check_seats(&call.id, &fresh)?;
        for record in fresh {
            match self.participants.get_mut(&record.id) {
                Some(row) => row.record = record,
                None => {
                    let row = ParticipantRow { record, device: None };
                    self.participants.insert(row.record.id.clone(), row);
                }
            }
        }
        match self.calls.get_mut(&call.id) {
            Some(row) => row.record = call,
            None => {
                let row = CallRow {
                    record: call,
                    metrics: None,
                };
                self.calls.insert(row.record.id.clone(), row);
            }
        }
        Ok(())
    }

    /// That each participant belongs to this call, and nobody is in it twice.
    fn check_seats(&self, call: &CallId, fresh: &[ParticipantRecord]) -> Result<(), StoreError> {
        for (at, record) in fresh.iter().enumerate() {
            let elsewhere = self
                .participants
                .get(&record.id)
                .is_some_and(|row| row.record.call_id != *call);
            let same_person = |other: &ParticipantRecord| {
                other.id != record.id && record.person.is_some() && other.person == record.person
            };
            let replaced = |other: &ParticipantRecord| fresh.iter().any(|record| record.id == other.id);
            let twice = fresh[at + 1..].iter().any(same_person)
                || self
                    .participants_of(call)
                    .any(|row| !replaced(&row.record) && same_person(&row.record));
            if elsewhere || twice {
                return Err(StoreError::Conflict);
            }
        }
        Ok(())
    }

    /// Deletes a call and all that belongs to it.
    fn drop_call(&mut self, call: &CallId) {
        self.calls.remove(call);
        self.captions.retain(|_, caption| caption.call_id != *call);
        self.participants.retain(|_, row| row.record.call_id != *call);
    }

    /// Deletes a guest and the guest's rows in calls.
    fn drop_guest(&mut self, guest: &GuestId) {
        self.guests.remove(guest);
        let person = Some(Person::Guest(*guest));
        self.participants.retain(|_, row| row.record.person != person);
    }

    fn holds_seat(row: &ParticipantRow) -> bool {
        row.record.left_at.is_none() && row.record.status != ParticipantStatus::Failed
    }

    fn touch(&mut self, conversation: &ConversationId, at: Timestamp) {
        if let Some(conversation) = self.conversations.get_mut(conversation) {
            conversation.updated_at = conversation.updated_at.max(at);
        }
    }
}
