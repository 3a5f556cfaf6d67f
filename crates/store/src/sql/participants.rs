//! Who is in a call.

use call::Person;
use call::record::{ParticipantRecord, SfuIds};
use signalling::CallId;
use signalling::client_gateway::{MediaState, ParticipantRole, ParticipantStatus};

use super::row::{Reader, json, millis, plain};
use super::{Tx, all, run};
use crate::StoreError;
use crate::calls::finite;

macro_rules! participant_columns {
    () => {
        "id, call_session_id, user_id, anonymous_user_id, username, avatar, language, role, status, joined_at, \
         left_at, audio_enabled, video_enabled, screen_share_enabled, sfu_send_transport_id, \
         sfu_recv_transport_id, sfu_audio_producer_id, sfu_video_producer_id, sfu_screen_producer_id, \
         quality_metrics, disconnected_at, reconnect_count, updated_at"
    };
}
pub(super) use participant_columns;

/// A row of another call with the same id is left alone, which shows in the count. The device is noted elsewhere.
const SAVE: &str = concat!(
    "INSERT INTO call_participants (",
    participant_columns!(),
    ") VALUES ($1, $2, (SELECT id FROM users WHERE id = $3), \
      (SELECT id FROM anonymous_participants WHERE id = $4), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
      $16, $17, $18, $19, $20, $21, $22, $23) ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, \
      anonymous_user_id = excluded.anonymous_user_id, username = excluded.username, avatar = excluded.avatar, \
      language = excluded.language, role = excluded.role, status = excluded.status, \
      joined_at = excluded.joined_at, left_at = excluded.left_at, audio_enabled = excluded.audio_enabled, \
      video_enabled = excluded.video_enabled, screen_share_enabled = excluded.screen_share_enabled, \
      sfu_send_transport_id = excluded.sfu_send_transport_id, \
      sfu_recv_transport_id = excluded.sfu_recv_transport_id, \
      sfu_audio_producer_id = excluded.sfu_audio_producer_id, \
      sfu_video_producer_id = excluded.sfu_video_producer_id, \
      sfu_screen_producer_id = excluded.sfu_screen_producer_id, quality_metrics = excluded.quality_metrics, \
      disconnected_at = excluded.disconnected_at, reconnect_count = excluded.reconnect_count, \
      updated_at = excluded.updated_at WHERE call_participants.call_session_id = excluded.call_session_id"
);

/// Writes participants of a call.
pub(super) async fn save(
    tx: &mut Tx,
    call: &CallId,
    participants: &[ParticipantRecord],
) -> Result<(), StoreError> {
    for record in participants {
        let (user, guest) = match record.person {
            Some(Person::User(user)) => (Some(user.to_string()), None),
            Some(Person::Guest(guest)) => (None, Some(guest.to_string())),
            None => (None, None),
        };
        let sfu = &record.sfu;
        let query = sqlx::query(SAVE)
            .bind(record.id.to_string())
            .bind(call.to_string())
            .bind(user)
            .bind(guest)
            .bind(record.username.as_str().to_owned())
            .bind(record.avatar.as_deref().map(plain))
            .bind(record.language.as_deref().map(plain))
            .bind(record.role.as_str())
            .bind(record.status.as_str())
            .bind(millis(record.joined_at))
            .bind(record.left_at.map(millis))
            .bind(i64::from(record.media.audio_enabled))
            .bind(i64::from(record.media.video_enabled))
            .bind(i64::from(record.media.screen_share_enabled))
            .bind(sfu.send_transport.map(|id| id.to_string()))
            .bind(sfu.recv_transport.map(|id| id.to_string()))
            .bind(sfu.audio_producer.map(|id| id.to_string()))
            .bind(sfu.video_producer.map(|id| id.to_string()))
            .bind(sfu.screen_producer.map(|id| id.to_string()))
            .bind(record.quality.map(finite).as_ref().map(json))
            .bind(record.disconnected_at.map(millis))
            .bind(i64::from(record.reconnect_count))
            .bind(millis(record.updated_at));
        if run(tx, query).await? == 0 {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

/// All participants of a call in the order of their joining.
pub(super) async fn of_call(tx: &mut Tx, call: &CallId) -> Result<Vec<ParticipantRecord>, StoreError> {
    const FIND: &str = concat!(
        "SELECT ",
        participant_columns!(),
        " FROM call_participants WHERE call_session_id = $1 ORDER BY joined_at, id"
    );
    let rows = all(tx, sqlx::query(FIND).bind(call.to_string())).await?;
    rows.iter().map(|row| read(&Reader(row))).collect()
}

pub(super) fn read(row: &Reader<'_>) -> Result<ParticipantRecord, StoreError> {
    let user = row.id_opt("user_id")?.map(Person::User);
    let guest = row.id_opt("anonymous_user_id")?.map(Person::Guest);
    Ok(ParticipantRecord {
        id: row.id("id")?,
        call_id: row.id("call_session_id")?,
        person: user.or(guest),
        username: row.name("username")?,
        avatar: row.text_opt("avatar")?,
        language: row.text_opt("language")?,
        role: row.word("role", ParticipantRole::from_word)?,
        status: row.word("status", ParticipantStatus::from_word)?,
        joined_at: row.time("joined_at")?,
        left_at: row.time_opt("left_at")?,
        media: MediaState {
            audio_enabled: row.flag("audio_enabled")?,
            video_enabled: row.flag("video_enabled")?,
            screen_share_enabled: row.flag("screen_share_enabled")?,
        },
        sfu: SfuIds {
            send_transport: row.id_opt("sfu_send_transport_id")?,
            recv_transport: row.id_opt("sfu_recv_transport_id")?,
            audio_producer: row.id_opt("sfu_audio_producer_id")?,
            video_producer: row.id_opt("sfu_video_producer_id")?,
            screen_producer: row.id_opt("sfu_screen_producer_id")?,
        },
        quality: row.json_opt("quality_metrics")?,
        disconnected_at: row.time_opt("disconnected_at")?,
        reconnect_count: row.number("reconnect_count")?,
        updated_at: row.time("updated_at")?,
    })
}
