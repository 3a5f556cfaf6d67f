//! Erasure and export.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::Value;
use signalling::client_gateway::MemberRole;
use signalling::{CallId, ConversationId, GuestId, ParticipantId, UserId};

use super::calls::{call_columns, read_call};
use super::captions::{caption_columns, read_caption};
use super::directory::{conversation_columns, find_user, read_conversation};
use super::participants::{self, participant_columns};
use super::row::Reader;
use super::{Query, SqlStore, Tx, all, commit, run};
use crate::privacy::{ERASED_NAME, Export, Membership, Participation};
use crate::{CaptionKey, CaptionRecord, Conversation, Erased, Privacy, StoreError};

const MEMBERSHIPS: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    ", m.role AS role, m.is_active AS member_active FROM conversation_members m \
     JOIN conversations c ON c.id = m.conversation_id WHERE m.user_id = $1 ORDER BY c.id"
);
const CONVERSATIONS: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM conversations c WHERE c.id IN (SELECT s.conversation_id FROM call_sessions s \
      JOIN call_participants p ON p.call_session_id = s.id WHERE p.user_id = $1)"
);
const CALLS: &str = concat!(
    "SELECT ",
    call_columns!(),
    " FROM call_sessions WHERE id IN (SELECT call_session_id FROM call_participants WHERE user_id = $1)"
);
const CAPTIONS: &str = concat!(
    "SELECT ",
    caption_columns!(),
    " FROM call_transcriptions WHERE participant_id IN (SELECT id FROM call_participants WHERE user_id = $1) \
     ORDER BY timestamp, id"
);
const PARTICIPANTS: &str = concat!(
    "SELECT ",
    participant_columns!(),
    ", device_info FROM call_participants WHERE user_id = $1 ORDER BY joined_at, id"
);

/// In the order in which a gateway writes: the call before its participants.
const FORGET_INITIATOR: &str = "UPDATE call_sessions SET initiator_id = NULL WHERE initiator_id = $1";
const FORGET_ENDER: &str = "UPDATE call_sessions SET ended_by = NULL WHERE ended_by = $1";
const DELETE_CAPTIONS: &str = "DELETE FROM call_transcriptions \
    WHERE participant_id IN (SELECT id FROM call_participants WHERE user_id = $1)";
const DELETE_RECORDINGS: &str = "DELETE FROM call_recordings WHERE requested_by = $1";
const ERASE_PARTICIPANTS: &str = "UPDATE call_participants SET user_id = NULL, username = $2, avatar = NULL, \
    language = NULL, device_info = NULL, quality_metrics = NULL WHERE user_id = $1";
const ERASE_AUDIT: &str =
    "UPDATE audit_logs SET user_id = NULL, ip_address = NULL, user_agent = NULL WHERE user_id = $1";
const FORGET_PAIRS: &str =
    "UPDATE conversations SET direct_key = NULL WHERE direct_key LIKE $1 OR direct_key LIKE $2";

async fn erase(tx: &mut Tx, user: &UserId) -> Result<Erased, StoreError> {
    let of_user = |sql: &'static str| sqlx::query(sql).bind(user.to_string());
    run(tx, of_user(FORGET_INITIATOR)).await?;
    run(tx, of_user(FORGET_ENDER)).await?;
    let captions = run(tx, of_user(DELETE_CAPTIONS)).await?;
    let recordings = run(tx, of_user(DELETE_RECORDINGS)).await?;
    let participations = run(tx, of_user(ERASE_PARTICIPANTS).bind(ERASED_NAME)).await?;
    run(tx, of_user(ERASE_AUDIT)).await?;
    Ok(Erased {
        participations,
        captions,
        recordings,
    })
}

async fn memberships(tx: &mut Tx, query: Query) -> Result<Vec<Membership>, StoreError> {
    let rows = all(tx, query).await?;
    let read = rows.iter().map(|row| {
        let row = Reader(row);
        Ok(Membership {
            conversation: read_conversation(&row)?,
            role: row.word("role", MemberRole::from_word)?,
            is_active: row.flag("member_active")?,
        })
    });
    read.collect()
}

async fn captions(
    tx: &mut Tx,
    query: Query,
    key: &CaptionKey,
) -> Result<HashMap<ParticipantId, Vec<CaptionRecord>>, StoreError> {
    let mut by_speaker: HashMap<ParticipantId, Vec<CaptionRecord>> = HashMap::new();
    for row in all(tx, query).await? {
        let caption = read_caption(&Reader(&row), key)?;
        by_speaker
            .entry(caption.participant_id.clone())
            .or_default()
            .push(caption);
    }
    Ok(by_speaker)
}

async fn participations(
    tx: &mut Tx,
    user: &UserId,
    key: &CaptionKey,
) -> Result<Vec<Participation>, StoreError> {
    let of_user = |sql: &'static str| sqlx::query(sql).bind(user.to_string());
    let mut calls = HashMap::<CallId, _>::new();
    for row in all(tx, of_user(CALLS)).await? {
        let call = read_call(&Reader(&row))?;
        calls.insert(call.id.clone(), call);
    }
    let mut conversations = HashMap::<ConversationId, Conversation>::new();
    for row in all(tx, of_user(CONVERSATIONS)).await? {
        let conversation = read_conversation(&Reader(&row))?;
        conversations.insert(conversation.id, conversation);
    }
    let mut captions = captions(tx, of_user(CAPTIONS), key).await?;
    let mut participations = Vec::new();
    for row in all(tx, of_user(PARTICIPANTS)).await? {
        let row = Reader(&row);
        let participant = participants::read(&row)?;
        let call = calls
            .get(&participant.call_id)
            .ok_or(StoreError::corrupt("call_session_id"))?;
        let conversation = conversations
            .get(&call.conversation_id)
            .ok_or(StoreError::corrupt("conversation_id"))?;
        participations.push(Participation {
            call: call.clone(),
            conversation: conversation.clone(),
            device: row.json_opt("device_info")?,
            captions: captions.remove(&participant.id).unwrap_or_default(),
            participant,
        });
    }
    Ok(participations)
}

#[async_trait]
impl Privacy for SqlStore {
    async fn export_user(&self, user: &UserId) -> Result<Value, StoreError> {
        let _timer = self.timer("export_user");
        let mut tx = self.begin_read().await?;
        let account = find_user(&mut tx, user).await?.ok_or(StoreError::NotFound)?;
        let export = Export {
            user: account,
            memberships: memberships(&mut tx, sqlx::query(MEMBERSHIPS).bind(user.to_string())).await?,
            participations: participations(&mut tx, user, &self.key).await?,
        };
        Ok(export.to_json())
    }

    async fn erase_user_call_data(&self, user: &UserId) -> Result<Erased, StoreError> {
        let _timer = self.timer("erase_user_call_data");
        let mut tx = self.begin_write().await?;
        let erased = erase(&mut tx, user).await?;
        commit(tx).await?;
        Ok(erased)
    }

    async fn delete_user(&self, user: &UserId) -> Result<Erased, StoreError> {
        let _timer = self.timer("delete_user");
        let mut tx = self.begin_write().await?;
        let erased = erase(&mut tx, user).await?;
        let pairs = sqlx::query(FORGET_PAIRS)
            .bind(format!("{user}:%"))
            .bind(format!("%:{user}"));
        run(&mut tx, pairs).await?;
        let account = sqlx::query("DELETE FROM users WHERE id = $1").bind(user.to_string());
        if run(&mut tx, account).await? == 0 {
            return Err(StoreError::NotFound);
        }
        commit(tx).await?;
        Ok(erased)
    }

    async fn delete_guest(&self, guest: &GuestId) -> Result<(), StoreError> {
        let _timer = self.timer("delete_guest");
        let query = sqlx::query("DELETE FROM anonymous_participants WHERE id = $1");
        self.change(query.bind(guest.to_string())).await
    }

    async fn delete_conversation(&self, conversation: &ConversationId) -> Result<(), StoreError> {
        let _timer = self.timer("delete_conversation");
        let query = sqlx::query("DELETE FROM conversations WHERE id = $1");
        self.change(query.bind(conversation.to_string())).await
    }
}
