//! Erasure, export, retention and repair.

use async_trait::async_trait;
use call::Person;
use call::record::SfuIds;
use serde_json::Value;
use signalling::client_gateway::{Mode, ParticipantStatus, TransitionState};
use signalling::{CallId, ConversationId, GuestId, Timestamp, UserId};

use super::{MemoryStore, Tables};
use crate::calls::is_live;
use crate::privacy::{Export, Membership, Participation, erased_name};
use crate::{Erased, Privacy, Purged, Repaired, Retention, SchemaStatus, StoreError, Upkeep};

impl Tables {
    fn erase(&mut self, user: &UserId) -> Erased {
        let person = Some(Person::User(*user));
        let (before, mut erased) = (self.captions.len(), Erased::default());
        let participants = &self.participants;
        self.captions.retain(|_, caption| {
            let speaker = participants.get(&caption.participant_id);
            speaker.is_none_or(|row| row.record.person != person)
        });
        erased.captions = (before - self.captions.len()) as u64;
        for row in self.participants.values_mut() {
            if row.record.person == person {
                row.device = None;
                let record = &mut row.record;
                (record.person, record.username) = (None, erased_name());
                (record.avatar, record.language, record.quality) = (None, None, None);
                erased.participations += 1;
            }
        }
        for row in self.calls.values_mut() {
            let call = &mut row.record;
            call.initiator_id = call.initiator_id.filter(|id| id != user);
            call.ended_by = call.ended_by.filter(|id| id != user);
        }
        for entry in &mut self.audit {
            if entry.user.is_some_and(|id| id == *user) {
                (entry.user, entry.ip_hash, entry.user_agent) = (None, None, None);
            }
        }
        erased
    }
}

#[async_trait]
impl Privacy for MemoryStore {
    async fn export_user(&self, user: &UserId) -> Result<Value, StoreError> {
        let tables = self.tables();
        let account = tables.users.get(user).ok_or(StoreError::NotFound)?;
        let memberships = tables.members.iter().filter(|((_, member), _)| member == user);
        let memberships = memberships.filter_map(|((id, _), membership)| {
            Some(Membership {
                conversation: tables.conversations.get(id)?.clone(),
                role: membership.role,
                is_active: membership.active,
            })
        });
        let mine = tables.participants.values();
        let mine = mine.filter(|row| row.record.person == Some(Person::User(*user)));
        let mut participations: Vec<Participation> = mine
            .filter_map(|row| {
                let call = tables.calls.get(&row.record.call_id)?.record.clone();
                let captions = tables.captions.values();
                let said = captions.filter(|caption| caption.participant_id == row.record.id);
                Some(Participation {
                    conversation: tables.conversations.get(&call.conversation_id)?.clone(),
                    call,
                    participant: row.record.clone(),
                    device: row.device.clone(),
                    captions: said.cloned().collect(),
                })
            })
            .collect();
        participations.sort_by_key(|part| (part.participant.joined_at, part.participant.id.clone()));
        let export = Export {
            user: account.clone(),
            memberships: memberships.collect(),
            participations,
        };
        Ok(export.to_json())
    }

    async fn erase_user_call_data(&self, user: &UserId) -> Result<Erased, StoreError> {
        Ok(self.tables().erase(user))
    }

    async fn delete_user(&self, user: &UserId) -> Result<Erased, StoreError> {
        let mut tables = self.tables();
        if tables.users.remove(user).is_none() {
            return Err(StoreError::NotFound);
        }
        tables.members.retain(|(_, member), _| member != user);
        let id = user.to_string();
        tables
            .direct
            .retain(|pair, _| !pair.split(':').any(|each| each == id));
        Ok(tables.erase(user))
    }

    async fn delete_guest(&self, guest: &GuestId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.guests.contains_key(guest) {
            return Err(StoreError::NotFound);
        }
        tables.drop_guest(guest);
        Ok(())
    }

    async fn delete_conversation(&self, conversation: &ConversationId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables.conversations.remove(conversation).is_none() {
            return Err(StoreError::NotFound);
        }
        tables.members.retain(|(id, _), _| id != conversation);
        tables.direct.retain(|_, id| id != conversation);
        let calls = tables.calls.values().map(|row| &row.record);
        let calls = calls.filter(|call| call.conversation_id == *conversation);
        for call in calls.map(|call| call.id.clone()).collect::<Vec<CallId>>() {
            tables.drop_call(&call);
        }
        tables
            .guests
            .retain(|_, (guest, _)| guest.conversation_id != *conversation);
        tables
            .links
            .retain(|_, (link, _)| link.conversation_id != *conversation);
        Ok(())
    }
}

/// Takes out of a table what does not stay, and counts it.
fn purge<T>(rows: &mut T, len: impl Fn(&T) -> usize, retain: impl FnOnce(&mut T)) -> u64 {
    let before = len(rows);
    retain(rows);
    (before - len(rows)) as u64
}

#[async_trait]
impl Upkeep for MemoryStore {
    async fn purge_expired(&self, now: Timestamp) -> Result<Purged, StoreError> {
        let before = |period| Retention::cutoff(now, period);
        let (calls, captions) = (before(self.retention.calls), before(self.retention.captions));
        let (audit, guests) = (before(self.retention.audit), before(self.retention.guests));
        let mut tables = self.tables();
        let rows = tables.calls.values().map(|row| &row.record);
        let old: Vec<CallId> = rows
            .filter(|call| !is_live(call.status) && call.ended_at.is_some_and(|end| end <= calls))
            .map(|call| call.id.clone())
            .collect();
        for call in &old {
            tables.drop_call(call);
        }
        let Tables {
            participants,
            guests: known,
            links,
            ..
        } = &mut *tables;
        let called = |guest: GuestId| {
            let mut people = participants.values().map(|row| row.record.person);
            people.any(|person| person == Some(Person::Guest(guest)))
        };
        let guests_gone = purge(
            known,
            |rows| rows.len(),
            |rows| {
                rows.retain(|id, (guest, _)| guest.created_at > guests || called(*id));
            },
        );
        let links_gone = purge(
            links,
            |rows| rows.len(),
            |rows| {
                rows.retain(|id, (link, _)| {
                    let ended = link.expires_at.is_some_and(|end| end <= guests);
                    !ended || known.values().any(|(guest, _)| guest.share_link_id == *id)
                });
            },
        );
        Ok(Purged {
            calls: old.len() as u64,
            captions: purge(
                &mut tables.captions,
                |rows| rows.len(),
                |rows| {
                    rows.retain(|_, caption| caption.created_at > captions);
                },
            ),
            audit: purge(&mut tables.audit, Vec::len, |rows| {
                rows.retain(|entry| entry.timestamp > audit)
            }),
            guests: guests_gone,
            links: links_gone,
        })
    }

    async fn repair(&self, now: Timestamp) -> Result<Repaired, StoreError> {
        let mut tables = self.tables();
        let Tables {
            calls, participants, ..
        } = &mut *tables;
        let mut repaired = Repaired::default();
        for row in calls.values_mut() {
            let call = &mut row.record;
            if call.mode == Mode::P2p && call.sfu_room_id.is_some() {
                (call.sfu_room_id, call.sfu_rtp_capabilities) = (None, None);
                call.transition_state = TransitionState::P2p;
                call.updated_at = now;
                repaired.rooms_cleared += 1;
                let of_call = participants
                    .values_mut()
                    .filter(|row| row.record.call_id == call.id);
                of_call.for_each(|row| row.record.sfu = SfuIds::default());
            }
        }
        for row in participants.values_mut().filter(|row| Tables::holds_seat(row)) {
            let Some(call) = calls.get(&row.record.call_id) else {
                continue;
            };
            if !is_live(call.record.status) {
                row.record.status = ParticipantStatus::Disconnected;
                row.record.left_at = Some(call.record.ended_at.unwrap_or(now));
                row.record.updated_at = now;
                repaired.participants_closed += 1;
            }
        }
        Ok(repaired)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn schema(&self) -> Result<SchemaStatus, StoreError> {
        Ok(SchemaStatus::default())
    }
}
