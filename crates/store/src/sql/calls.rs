//! Calls and what was measured of them.

use async_trait::async_trait;
use call::NodeId;
use call::record::{CallRecord, MetricsRecord, ParticipantRecord, QualityRecord, StoredCall};
use signalling::client_gateway::{CallStatus, CallType, ConversationType, EndReason, Mode, TransitionState};
use signalling::{CallId, ConversationId, ParticipantId, Timestamp};

use super::row::{Reader, bind_real, json, long, millis, plain};
use super::{Query, SqlStore, Tx, all, commit, one, participants, run};
use crate::calls::{finite_metrics, is_live};
use crate::secret::random_u64;
use crate::{Calls, DeviceInfo, HistoryEntry, HistoryFilter, HistoryPage, HistoryQuery, StoreError};

/// Live, as the index that allows one such call per conversation says it.
macro_rules! live {
    () => {
        "status IN ('initiated', 'ringing', 'active')"
    };
}
pub(super) use live;

macro_rules! call_columns {
    () => {
        "id, conversation_id, conversation_type, mode, status, type, initiator_id, sfu_room_id, \
         sfu_rtp_capabilities, last_mode_change, mode_change_count, transition_state, transition_id, \
         media_server_id, settings, created_at, updated_at, started_at, ended_at, duration, end_reason, ended_by"
    };
}
pub(super) use call_columns;

macro_rules! metrics_columns {
    () => {
        "call_session_id, mode_transitions, avg_packet_loss, avg_jitter, avg_rtt, avg_bitrate, reports, \
         peak_participants, total_participants, reconnections, ice_failures, transport_errors, total_data_sent, \
         total_data_received"
    };
}

/// People the directory does not know (any more) become nobody.
const INSERT: &str = concat!(
    "INSERT INTO call_sessions (",
    call_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, (SELECT id FROM users WHERE id = $7), $8, $9, $10, $11, $12, $13, $14, \
      $15, $16, $17, $18, $19, $20, $21, (SELECT id FROM users WHERE id = $22)) ON CONFLICT DO NOTHING"
);

const UPDATE: &str = "UPDATE call_sessions SET conversation_id = $2, conversation_type = $3, mode = $4, \
    status = $5, type = $6, initiator_id = (SELECT id FROM users WHERE id = $7), sfu_room_id = $8, \
    sfu_rtp_capabilities = $9, last_mode_change = $10, mode_change_count = $11, transition_state = $12, \
    transition_id = $13, media_server_id = $14, settings = $15, created_at = $16, updated_at = $17, \
    started_at = $18, ended_at = $19, duration = $20, end_reason = $21, \
    ended_by = (SELECT id FROM users WHERE id = $22) WHERE id = $1";

const SAVE_METRICS: &str = concat!(
    "INSERT INTO call_metrics (",
    metrics_columns!(),
    ", id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
     $16, $16) ON CONFLICT (call_session_id) DO UPDATE SET mode_transitions = excluded.mode_transitions, \
     avg_packet_loss = excluded.avg_packet_loss, avg_jitter = excluded.avg_jitter, avg_rtt = excluded.avg_rtt, \
     avg_bitrate = excluded.avg_bitrate, reports = excluded.reports, \
     peak_participants = excluded.peak_participants, total_participants = excluded.total_participants, \
     reconnections = excluded.reconnections, ice_failures = excluded.ice_failures, \
     transport_errors = excluded.transport_errors, total_data_sent = excluded.total_data_sent, \
     total_data_received = excluded.total_data_received, updated_at = excluded.updated_at"
);

/// How often a new call is tried again when the one in its way ended meanwhile.
const CREATE_TRIES: usize = 3;

fn bind(sql: &'static str, call: &CallRecord) -> Query {
    sqlx::query(sql)
        .bind(call.id.to_string())
        .bind(call.conversation_id.to_string())
        .bind(call.conversation_type.as_str())
        .bind(call.mode.as_str())
        .bind(call.status.as_str())
        .bind(call.call_type.as_str())
        .bind(call.initiator_id.map(|id| id.to_string()))
        .bind(call.sfu_room_id.map(|id| id.to_string()))
        .bind(call.sfu_rtp_capabilities.as_ref().map(json))
        .bind(call.last_mode_change.map(millis))
        .bind(i64::from(call.mode_change_count))
        .bind(call.transition_state.as_str())
        .bind(call.transition_id.map(|id| id.to_string()))
        .bind(call.media_server_id.as_ref().map(|node| plain(&node.0)))
        .bind(call.settings.as_ref().map(json))
        .bind(millis(call.created_at))
        .bind(millis(call.updated_at))
        .bind(call.started_at.map(millis))
        .bind(call.ended_at.map(millis))
        .bind(call.duration.map(long))
        .bind(call.end_reason.map(EndReason::as_str))
        .bind(call.ended_by.map(|id| id.to_string()))
}

pub(super) fn read_call(row: &Reader<'_>) -> Result<CallRecord, StoreError> {
    let mode = row.word("mode", Mode::from_word)?;
    // Absent in records from before there was a media node.
    let settled = match mode {
        Mode::P2p => TransitionState::P2p,
        Mode::Sfu => TransitionState::Sfu,
    };
    let transition_state = row.word_opt("transition_state", TransitionState::from_word)?;
    Ok(CallRecord {
        id: row.id("id")?,
        conversation_id: row.id("conversation_id")?,
        conversation_type: row.word("conversation_type", ConversationType::from_word)?,
        mode,
        status: row.word("status", CallStatus::from_word)?,
        call_type: row.word("type", CallType::from_word)?,
        initiator_id: row.id_opt("initiator_id")?,
        sfu_room_id: row.id_opt("sfu_room_id")?,
        sfu_rtp_capabilities: row.json_opt("sfu_rtp_capabilities")?,
        last_mode_change: row.time_opt("last_mode_change")?,
        mode_change_count: row.number("mode_change_count")?,
        transition_state: transition_state.unwrap_or(settled),
        transition_id: row.id_opt("transition_id")?,
        media_server_id: row.text_opt("media_server_id")?.map(NodeId),
        settings: row.json_opt("settings")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        started_at: row.time_opt("started_at")?,
        ended_at: row.time_opt("ended_at")?,
        duration: row.number_opt("duration")?,
        end_reason: row.word_opt("end_reason", EndReason::from_word)?,
        ended_by: row.id_opt("ended_by")?,
    })
}

fn read_metrics(row: &Reader<'_>) -> Result<MetricsRecord, StoreError> {
    let average = row.real_opt("avg_packet_loss")?.map(|packet_loss| {
        Ok(QualityRecord {
            packet_loss,
            jitter: row.real_opt("avg_jitter")?.unwrap_or_default(),
            rtt: row.real_opt("avg_rtt")?.unwrap_or_default(),
            bitrate: row.real_opt("avg_bitrate")?.unwrap_or_default(),
        })
    });
    Ok(MetricsRecord {
        mode_transitions: row.json_opt("mode_transitions")?.unwrap_or_default(),
        average: average.transpose()?,
        reports: row.number("reports")?,
        peak_participants: row.number("peak_participants")?,
        total_participants: row.number("total_participants")?,
        reconnections: row.number("reconnections")?,
        ice_failures: row.number("ice_failures")?,
        transport_errors: row.number("transport_errors")?,
        total_data_sent: row.number("total_data_sent")?,
        total_data_received: row.number("total_data_received")?,
    })
}

async fn live_call_id(tx: &mut Tx, conversation: &ConversationId) -> Result<Option<CallId>, StoreError> {
    const FIND: &str = concat!(
        "SELECT id FROM call_sessions WHERE conversation_id = $1 AND ",
        live!()
    );
    let row = one(tx, sqlx::query(FIND).bind(conversation.to_string())).await?;
    row.map(|row| Reader(&row).id("id")).transpose()
}

/// A call with its participants and measurements.
async fn load(tx: &mut Tx, row: &Reader<'_>) -> Result<StoredCall, StoreError> {
    const METRICS: &str = concat!(
        "SELECT ",
        metrics_columns!(),
        " FROM call_metrics WHERE call_session_id = $1"
    );
    let call = read_call(row)?;
    let metrics = one(tx, sqlx::query(METRICS).bind(call.id.to_string())).await?;
    Ok(StoredCall {
        participants: participants::of_call(tx, &call.id).await?,
        metrics: metrics.map(|row| read_metrics(&Reader(&row))).transpose()?,
        call,
    })
}

impl SqlStore {
    /// One try to insert a call: `None` if it failed on a call that is gone by now.
    async fn try_create(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<Option<()>, StoreError> {
        let mut tx = self.begin_write().await?;
        if run(&mut tx, bind(INSERT, call)).await? == 0 {
            let same = sqlx::query("SELECT id FROM call_sessions WHERE id = $1").bind(call.id.to_string());
            if one(&mut tx, same).await?.is_some() {
                return Err(StoreError::Conflict);
            }
            let live = live_call_id(&mut tx, &call.conversation_id).await?;
            return live.map_or(Ok(None), |call| Err(StoreError::LiveCallExists { call }));
        }
        participants::save(&mut tx, &call.id, participants).await?;
        let touch = sqlx::query("UPDATE conversations SET updated_at = $2 WHERE id = $1 AND updated_at < $2")
            .bind(call.conversation_id.to_string())
            .bind(millis(call.created_at));
        run(&mut tx, touch).await?;
        commit(tx).await.map(Some)
    }
}

#[async_trait]
impl Calls for SqlStore {
    async fn create_call(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError> {
        let _timer = self.timer("create_call");
        for _ in 0..CREATE_TRIES {
            if self.try_create(call, participants).await?.is_some() {
                return Ok(());
            }
        }
        Err(StoreError::Conflict)
    }

    async fn save_state(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError> {
        let _timer = self.timer("save_state");
        let mut tx = self.begin_write().await?;
        if is_live(call.status)
            && let Some(other) = live_call_id(&mut tx, &call.conversation_id).await?
            && other != call.id
        {
            return Err(StoreError::LiveCallExists { call: other });
        }
        if run(&mut tx, bind(UPDATE, call)).await? == 0 {
            return Err(StoreError::NotFound);
        }
        participants::save(&mut tx, &call.id, participants).await?;
        commit(tx).await
    }

    async fn save_metrics(
        &self,
        call: &CallId,
        metrics: &MetricsRecord,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let _timer = self.timer("save_metrics");
        let metrics = finite_metrics(metrics);
        let average = metrics.average;
        let id = ParticipantId::mint(now, random_u64());
        let averages = [
            average.map(|average| average.packet_loss),
            average.map(|average| average.jitter),
            average.map(|average| average.rtt),
            average.map(|average| average.bitrate),
        ];
        let query = sqlx::query(SAVE_METRICS)
            .bind(call.to_string())
            .bind(json(&metrics.mode_transitions));
        let query = averages
            .into_iter()
            .fold(query, bind_real)
            .bind(long(metrics.reports))
            .bind(i64::from(metrics.peak_participants))
            .bind(i64::from(metrics.total_participants))
            .bind(i64::from(metrics.reconnections))
            .bind(i64::from(metrics.ice_failures))
            .bind(i64::from(metrics.transport_errors))
            .bind(long(metrics.total_data_sent))
            .bind(long(metrics.total_data_received))
            .bind(id.to_string())
            .bind(millis(now));
        self.run(query).await.map(drop)
    }

    async fn save_device(&self, participant: &ParticipantId, device: &DeviceInfo) -> Result<(), StoreError> {
        let _timer = self.timer("save_device");
        let query = sqlx::query("UPDATE call_participants SET device_info = $2 WHERE id = $1")
            .bind(participant.to_string())
            .bind(json(device));
        self.change(query).await
    }

    async fn call(&self, call: &CallId) -> Result<Option<StoredCall>, StoreError> {
        const FIND: &str = concat!("SELECT ", call_columns!(), " FROM call_sessions WHERE id = $1");
        let _timer = self.timer("call");
        let mut tx = self.begin_read().await?;
        match one(&mut tx, sqlx::query(FIND).bind(call.to_string())).await? {
            Some(row) => load(&mut tx, &Reader(&row)).await.map(Some),
            None => Ok(None),
        }
    }

    async fn live_calls(&self) -> Result<Vec<StoredCall>, StoreError> {
        const FIND: &str = concat!(
            "SELECT ",
            call_columns!(),
            " FROM call_sessions WHERE ",
            live!(),
            " ORDER BY created_at, id"
        );
        let _timer = self.timer("live_calls");
        let mut tx = self.begin_read().await?;
        let mut calls = Vec::new();
        for row in all(&mut tx, sqlx::query(FIND)).await? {
            match load(&mut tx, &Reader(&row)).await {
                Ok(call) => calls.push(call),
                // One row that cannot be read must not keep every other call from going on.
                Err(StoreError::Corrupt { what }) => tracing::error!(what, "a live call cannot be read"),
                Err(error) => return Err(error),
            }
        }
        Ok(calls)
    }

    async fn live_call_of(&self, conversation: &ConversationId) -> Result<Option<StoredCall>, StoreError> {
        const FIND: &str = concat!(
            "SELECT ",
            call_columns!(),
            " FROM call_sessions WHERE conversation_id = $1 AND ",
            live!()
        );
        let _timer = self.timer("live_call_of");
        let mut tx = self.begin_read().await?;
        match one(&mut tx, sqlx::query(FIND).bind(conversation.to_string())).await? {
            Some(row) => load(&mut tx, &Reader(&row)).await.map(Some),
            None => Ok(None),
        }
    }

    async fn stale_calls(&self, before: Timestamp) -> Result<Vec<CallId>, StoreError> {
        const FIND: &str = concat!(
            "SELECT id FROM call_sessions WHERE updated_at < $1 AND ",
            live!(),
            " ORDER BY updated_at, id"
        );
        let _timer = self.timer("stale_calls");
        let rows = self.all(sqlx::query(FIND).bind(millis(before))).await?;
        rows.iter().map(|row| Reader(row).id("id")).collect()
    }

    async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        macro_rules! wanted {
            () => {
                concat!(
                    " FROM call_sessions c WHERE conversation_id = $1 AND ($2 = 'all' OR ($2 = 'active' AND ",
                    live!(),
                    ") OR ($2 = 'ended' AND NOT ",
                    live!(),
                    "))"
                )
            };
        }
        const COUNT: &str = concat!("SELECT COUNT(*) AS total", wanted!());
        const PAGE: &str = concat!(
            "SELECT ",
            call_columns!(),
            ", (SELECT COUNT(*) FROM call_participants p WHERE p.call_session_id = c.id) AS participants",
            wanted!(),
            " ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
        );
        let _timer = self.timer("history");
        let filter = match query.filter {
            HistoryFilter::Active => "active",
            HistoryFilter::Ended => "ended",
            HistoryFilter::All => "all",
        };
        let of_conversation =
            |sql: &'static str| sqlx::query(sql).bind(query.conversation.to_string()).bind(filter);
        let mut tx = self.begin_read().await?;
        let total = one(&mut tx, of_conversation(COUNT)).await?;
        let total = total.map_or(Ok(0), |row| Reader(&row).number("total"))?;
        let page = of_conversation(PAGE)
            .bind(i64::from(query.limit))
            .bind(long(query.offset));
        let rows = all(&mut tx, page).await?;
        let entries = rows.iter().map(|row| {
            let row = Reader(row);
            Ok(HistoryEntry {
                call: read_call(&row)?,
                participants: row.number("participants")?,
            })
        });
        let calls = entries.collect::<Result<_, StoreError>>()?;
        Ok(HistoryPage { calls, total })
    }

    async fn metrics_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(CallId, MetricsRecord)>, StoreError> {
        const FIND: &str = concat!(
            "SELECT ",
            metrics_columns!(),
            " FROM call_metrics m JOIN (SELECT id AS call_id, created_at AS begun FROM call_sessions \
              WHERE created_at >= $1 AND created_at < $2) c ON c.call_id = m.call_session_id ORDER BY begun, call_id"
        );
        let _timer = self.timer("metrics_between");
        let query = sqlx::query(FIND).bind(millis(from)).bind(millis(until));
        let rows = self.all(query).await?;
        let read = rows.iter().map(|row| {
            let row = Reader(row);
            Ok((row.id("call_session_id")?, read_metrics(&row)?))
        });
        read.collect()
    }
}
