//! What calls look like to those who may look: the present one, and those that are over.

use call::{Person, StoredCall};
use signalling::client_gateway::{
    ActiveCall, CallDto, CallHistory, CallStatus, CallSummary, EndReason, MemberRole, Outcome,
    ParticipantDto, ParticipantRole, UserSummary,
};
use signalling::error::ErrorBody;
use signalling::{CallId, ConversationId, ErrorCode, ParticipantId, Timestamp, UserId};
use store::{HistoryEntry, HistoryQuery};

use super::Calls;
use super::access::denied;
use super::credentials::Holder;
use crate::auth::Caller;
use crate::fault::fault;

impl Calls {
    /// A whole call, for who was ever in it, an administrator of its conversation or a service.
    pub(crate) async fn view(&self, caller: &Caller, call: &CallId) -> Result<CallDto, ErrorBody> {
        if let Some(running) = self.0.registry.call(call) {
            let person = caller.person();
            let seen = self.look(&running, move |call, now| {
                let known = person.is_some_and(|person| call.has_known(&person));
                (call.dto(now), call.room().cloned(), known)
            });
            if let Ok((mut dto, room, known)) = seen.await {
                self.may_view(caller, &running.conversation, known).await?;
                let seat = person.and_then(|person| {
                    let participant = self.0.registry.seat(call, &person)?;
                    Some((person, participant))
                });
                self.add_credentials(&mut dto, seat, room);
                return Ok(dto);
            }
        }
        let stored = self.0.store.call(call).await.map_err(|error| fault(&error))?;
        let not_found = || ErrorBody::new(ErrorCode::CallNotFound).about("callId", call);
        let stored = stored.ok_or_else(not_found)?;
        let person = caller.person();
        let mut participants = stored.participants.iter();
        let known = person.is_some() && participants.any(|participant| participant.person == person);
        self.may_view(caller, &stored.call.conversation_id, known).await?;
        Ok(past(self.0.now(), stored))
    }

    fn add_credentials(
        &self,
        dto: &mut CallDto,
        seat: Option<(Person, ParticipantId)>,
        room: Option<call::RoomInfo>,
    ) {
        let Some((person, participant)) = seat else {
            return;
        };
        let now = self.0.now();
        dto.expires_at = self.0.issuer.ice(now, &person).1;
        dto.media_server_config = room.map(|room| {
            let holder = Holder {
                call: &dto.call_id,
                participant: &participant,
                person: &person,
            };
            self.0.issuer.media_server(now, &holder, room)
        });
    }

    async fn may_view(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
        known: bool,
    ) -> Result<(), ErrorBody> {
        if caller.rules_everything() || (known && matches!(caller, Caller::Guest { .. })) {
            return Ok(());
        }
        let member = self.member(caller, conversation).await?;
        if known || member.role == MemberRole::Admin {
            Ok(())
        } else {
            Err(denied())
        }
    }

    /// The live call of a conversation, for its members and guests.
    pub(crate) async fn active(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
    ) -> Result<Option<ActiveCall>, ErrorBody> {
        let guest_here = matches!(caller, Caller::Guest { conversation: own, .. } if own == conversation);
        if !guest_here && !caller.rules_everything() {
            self.member(caller, conversation).await?;
        }
        Ok(self.active_in(conversation).await)
    }

    /// The live call of a conversation; for who was let see it already.
    pub(crate) async fn active_in(&self, conversation: &ConversationId) -> Option<ActiveCall> {
        let running = self.0.registry.call_in(conversation)?;
        let active = self.look(&running, |call, _| (!call.is_over()).then(|| call.active_call()));
        active.await.ok().flatten()
    }

    /// One page of a conversation's calls, for its members.
    pub(crate) async fn history(
        &self,
        caller: &Caller,
        query: HistoryQuery,
    ) -> Result<CallHistory, ErrorBody> {
        if !caller.rules_everything() {
            self.member(caller, &query.conversation).await?;
        }
        let page = self
            .0
            .store
            .history(&query)
            .await
            .map_err(|error| fault(&error))?;
        let now = self.0.now();
        Ok(CallHistory {
            calls: page.calls.into_iter().map(|entry| summary(now, entry)).collect(),
            total: page.total,
            limit: query.limit,
            offset: query.offset,
        })
    }
}

fn summary(now: Timestamp, entry: HistoryEntry) -> CallSummary {
    let call = entry.call;
    CallSummary {
        mode: call.mode,
        status: call.status,
        outcome: outcome(&call),
        participant_count: entry.participants,
        created_at: call.created_at,
        ended_at: call.ended_at,
        duration: duration(now, &call),
        call_id: call.id,
    }
}

/// How a call went (contract §3.1); nothing while it goes on.
fn outcome(call: &call::CallRecord) -> Option<Outcome> {
    let over = match call.status {
        CallStatus::Initiated | CallStatus::Ringing | CallStatus::Active => return None,
        CallStatus::Failed => return Some(Outcome::Failed),
        CallStatus::Ended if call.started_at.is_some() => return Some(Outcome::Completed),
        CallStatus::Ended => call.end_reason,
    };
    Some(match over {
        Some(EndReason::Rejected) => Outcome::Rejected,
        Some(EndReason::Cancelled | EndReason::Forced) => Outcome::Cancelled,
        Some(EndReason::Error) => Outcome::Failed,
        Some(EndReason::Missed | EndReason::Timeout | EndReason::Normal) | None => Outcome::Missed,
    })
}

fn duration(now: Timestamp, call: &call::CallRecord) -> u64 {
    let seconds =
        |from: Timestamp, until: Timestamp| until.unix_millis().saturating_sub(from.unix_millis()) / 1000;
    match (call.duration, call.started_at) {
        (Some(duration), _) => duration,
        (None, Some(started)) => seconds(started, call.ended_at.unwrap_or(now)),
        (None, None) => 0,
    }
}

/// A call that is over, or that no task serves at the moment.
fn past(now: Timestamp, stored: StoredCall) -> CallDto {
    let StoredCall {
        call, participants, ..
    } = stored;
    let began = participants
        .iter()
        .find(|participant| participant.role == ParticipantRole::Initiator);
    // Somebody whose data was erased has no id any more; the page shows the name the store has left for them.
    let nobody = || UserId::mint(Timestamp::from_unix_millis(0), 0);
    let initiator = UserSummary {
        user_id: call.initiator_id.unwrap_or_else(nobody),
        username: began.map_or_else(unnamed, |participant| participant.username.clone()),
        avatar: began.and_then(|participant| participant.avatar.clone()),
    };
    let duration = duration(now, &call);
    CallDto {
        conversation_id: call.conversation_id,
        call_type: call.call_type,
        mode: call.mode,
        status: call.status,
        initiator,
        participants: participants.into_iter().map(participant).collect(),
        media_server_config: None,
        settings: call.settings,
        created_at: call.created_at,
        started_at: call.started_at,
        ended_at: call.ended_at,
        duration,
        end_reason: call.end_reason,
        ended_by: call.ended_by,
        expires_at: now,
        call_id: call.id,
    }
}

fn participant(record: call::ParticipantRecord) -> ParticipantDto {
    let (user_id, anonymous_user_id) = match record.person {
        Some(Person::User(user)) => (Some(user), None),
        Some(Person::Guest(guest)) => (None, Some(guest)),
        None => (None, None),
    };
    ParticipantDto {
        participant_id: record.id,
        user_id,
        anonymous_user_id,
        username: record.username,
        avatar: record.avatar,
        is_anonymous: anonymous_user_id.is_some(),
        language: record.language,
        role: record.role,
        status: record.status,
        joined_at: record.joined_at,
        left_at: record.left_at,
        media: record.media,
    }
}

fn unnamed() -> signalling::text::Text {
    signalling::text::Text::new("?").expect("a printable character")
}
