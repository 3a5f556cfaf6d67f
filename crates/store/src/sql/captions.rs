//! Captions, sealed, and the audit log.

use async_trait::async_trait;
use signalling::{CallId, ParticipantId};

use super::SqlStore;
use super::row::{Reader, bind_real, json, millis, plain};
use crate::seal::Place;
use crate::secret::random_u64;
use crate::{
    AuditEntry, AuditLog, AuditQuery, AuditType, CaptionKey, CaptionRecord, CaptionSource, Captions,
    StoreError,
};

macro_rules! caption_columns {
    () => {
        "id, call_session_id, participant_id, text, translations, language, timestamp, duration, \
         confidence_score, source, processing_time, created_at"
    };
}
pub(super) use caption_columns;

/// Only of a registered user who is in the call.
const ADD: &str = concat!(
    "INSERT INTO call_transcriptions (",
    caption_columns!(),
    ", is_final) SELECT $1, call_session_id, id, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1 \
     FROM call_participants WHERE id = $3 AND call_session_id = $2 AND user_id IS NOT NULL"
);

const TEXT: &str = "text";
const TRANSLATIONS: &str = "translations";

pub(super) fn read_caption(row: &Reader<'_>, key: &CaptionKey) -> Result<CaptionRecord, StoreError> {
    let id = row.text("id")?;
    let open = |column, sealed: &[u8]| key.open(&Place { column, row: &id }, sealed);
    let translations = match row.bytes_opt(TRANSLATIONS)? {
        Some(sealed) => serde_json::from_str(&open(TRANSLATIONS, &sealed)?)
            .map_err(|_| StoreError::corrupt(TRANSLATIONS))?,
        None => Default::default(),
    };
    Ok(CaptionRecord {
        id: row.id("id")?,
        call_id: row.id("call_session_id")?,
        participant_id: row.id("participant_id")?,
        text: open(TEXT, &row.bytes(TEXT)?)?,
        translations,
        language: row.text("language")?,
        timestamp: row.time("timestamp")?,
        duration: row.number_opt("duration")?,
        confidence: row.real_opt("confidence_score")?,
        source: row.word("source", CaptionSource::from_word)?,
        processing_time: row.number_opt("processing_time")?,
        created_at: row.time("created_at")?,
    })
}

#[async_trait]
impl Captions for SqlStore {
    async fn add_caption(&self, caption: &CaptionRecord) -> Result<(), StoreError> {
        let _timer = self.timer("add_caption");
        let id = caption.id.to_string();
        let seal = |column, text: &str| self.key.seal(&Place { column, row: &id }, text);
        let translations = &caption.translations;
        let query = sqlx::query(ADD)
            .bind(id.clone())
            .bind(caption.call_id.to_string())
            .bind(caption.participant_id.to_string())
            .bind(seal(TEXT, &caption.text))
            .bind((!translations.is_empty()).then(|| seal(TRANSLATIONS, &json(translations))))
            .bind(plain(&caption.language))
            .bind(millis(caption.timestamp))
            .bind(caption.duration.map(i64::from));
        let query = bind_real(query, caption.confidence.filter(|value| value.is_finite()))
            .bind(caption.source.as_str())
            .bind(caption.processing_time.map(i64::from))
            .bind(millis(caption.created_at));
        self.change(query).await
    }

    async fn captions_of(&self, call: &CallId) -> Result<Vec<CaptionRecord>, StoreError> {
        const FIND: &str = concat!(
            "SELECT ",
            caption_columns!(),
            " FROM call_transcriptions WHERE call_session_id = $1 ORDER BY timestamp, id"
        );
        let _timer = self.timer("captions_of");
        let rows = self.all(sqlx::query(FIND).bind(call.to_string())).await?;
        rows.iter()
            .map(|row| read_caption(&Reader(row), &self.key))
            .collect()
    }
}

#[async_trait]
impl AuditLog for SqlStore {
    async fn append_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        const ADD: &str = "INSERT INTO audit_logs (id, event_type, user_id, call_id, metadata, ip_address, \
            user_agent, timestamp) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let _timer = self.timer("append_audit");
        let query = sqlx::query(ADD)
            .bind(ParticipantId::mint(entry.timestamp, random_u64()).to_string())
            .bind(entry.event.as_str())
            .bind(entry.user.map(|user| user.to_string()))
            .bind(entry.call.as_ref().map(CallId::to_string))
            .bind(json(&entry.metadata))
            .bind(entry.ip_hash.as_deref().map(plain))
            .bind(entry.user_agent.as_deref().map(plain))
            .bind(millis(entry.timestamp));
        self.run(query).await.map(drop)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        const FIND: &str = "SELECT event_type, user_id, call_id, metadata, ip_address, user_agent, timestamp \
            FROM audit_logs WHERE timestamp >= $1 AND timestamp < $2 AND ($3 = '' OR event_type = $3) \
            ORDER BY timestamp DESC, id DESC LIMIT $4";
        let _timer = self.timer("audit");
        let query = sqlx::query(FIND)
            .bind(millis(query.from))
            .bind(millis(query.until))
            .bind(query.event.map_or("", AuditType::as_str))
            .bind(i64::from(query.limit));
        let rows = self.all(query).await?;
        let read = rows.iter().map(|row| {
            let row = Reader(row);
            Ok(AuditEntry {
                event: row.word("event_type", AuditType::from_word)?,
                user: row.id_opt("user_id")?,
                call: row.id_opt("call_id")?,
                metadata: row.json_opt("metadata")?.unwrap_or_default(),
                ip_hash: row.text_opt("ip_address")?,
                user_agent: row.text_opt("user_agent")?,
                timestamp: row.time("timestamp")?,
            })
        });
        read.collect()
    }
}
