//! Calls, captions and the audit log.

use async_trait::async_trait;
use call::Person;
use call::record::{CallRecord, MetricsRecord, ParticipantRecord, StoredCall};
use signalling::{CallId, ConversationId, ParticipantId, Timestamp};

use super::MemoryStore;
use crate::calls::{finite_metrics, is_live};
use crate::{
    AuditEntry, AuditLog, AuditQuery, Calls, CaptionRecord, Captions, DeviceInfo, HistoryEntry,
    HistoryFilter, HistoryPage, HistoryQuery, StoreError,
};

#[async_trait]
impl Calls for MemoryStore {
    async fn create_call(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.conversations.contains_key(&call.conversation_id) {
            return Err(StoreError::NotFound);
        }
        if tables.calls.contains_key(&call.id) {
            return Err(StoreError::Conflict);
        }
        tables.put(call, participants)?;
        tables.touch(&call.conversation_id, call.created_at);
        Ok(())
    }

    async fn save_state(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.calls.contains_key(&call.id) {
            return Err(StoreError::NotFound);
        }
        tables.put(call, participants)
    }

    async fn save_metrics(
        &self,
        call: &CallId,
        metrics: &MetricsRecord,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = tables.calls.get_mut(call).ok_or(StoreError::NotFound)?;
        row.metrics = Some(finite_metrics(metrics));
        Ok(())
    }

    async fn save_device(&self, participant: &ParticipantId, device: &DeviceInfo) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = tables.participants.get_mut(participant);
        row.ok_or(StoreError::NotFound)?.device = Some(device.clone());
        Ok(())
    }

    async fn call(&self, call: &CallId) -> Result<Option<StoredCall>, StoreError> {
        let tables = self.tables();
        Ok(tables.calls.get(call).map(|row| tables.stored(row)))
    }

    async fn live_calls(&self) -> Result<Vec<StoredCall>, StoreError> {
        let tables = self.tables();
        let live = tables.calls.values().filter(|row| is_live(row.record.status));
        let mut calls: Vec<StoredCall> = live.map(|row| tables.stored(row)).collect();
        calls.sort_by(|a, b| (a.call.created_at, &a.call.id).cmp(&(b.call.created_at, &b.call.id)));
        Ok(calls)
    }

    async fn live_call_of(&self, conversation: &ConversationId) -> Result<Option<StoredCall>, StoreError> {
        let tables = self.tables();
        Ok(tables.live_call_of(conversation).map(|row| tables.stored(row)))
    }

    async fn stale_calls(&self, before: Timestamp) -> Result<Vec<CallId>, StoreError> {
        let tables = self.tables();
        let calls = tables.calls.values().map(|row| &row.record);
        let mut stale: Vec<&CallRecord> = calls
            .filter(|call| is_live(call.status) && call.updated_at < before)
            .collect();
        stale.sort_by(|a, b| (a.updated_at, &a.id).cmp(&(b.updated_at, &b.id)));
        Ok(stale.into_iter().map(|call| call.id.clone()).collect())
    }

    async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        let tables = self.tables();
        let wanted = |call: &&CallRecord| {
            call.conversation_id == query.conversation
                && match query.filter {
                    HistoryFilter::Active => is_live(call.status),
                    HistoryFilter::Ended => !is_live(call.status),
                    HistoryFilter::All => true,
                }
        };
        let mut calls: Vec<&CallRecord> = tables
            .calls
            .values()
            .map(|row| &row.record)
            .filter(wanted)
            .collect();
        calls.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        let total = calls.len() as u64;
        let page = calls
            .into_iter()
            .skip(usize::try_from(query.offset).unwrap_or(usize::MAX))
            .take(query.limit as usize);
        let entry = |call: &CallRecord| HistoryEntry {
            call: call.clone(),
            participants: u32::try_from(tables.participants_of(&call.id).count()).unwrap_or(u32::MAX),
        };
        Ok(HistoryPage {
            calls: page.map(entry).collect(),
            total,
        })
    }

    async fn metrics_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(CallId, MetricsRecord)>, StoreError> {
        let tables = self.tables();
        let mut rows: Vec<_> = tables
            .calls
            .values()
            .filter(|row| (from..until).contains(&row.record.created_at))
            .collect();
        rows.sort_by_key(|row| (row.record.created_at, row.record.id.clone()));
        let measured = rows
            .into_iter()
            .filter_map(|row| Some((row.record.id.clone(), row.metrics.clone()?)));
        Ok(measured.collect())
    }
}

#[async_trait]
impl Captions for MemoryStore {
    async fn add_caption(&self, caption: &CaptionRecord) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let speaker = tables.participants.get(&caption.participant_id);
        speaker
            .filter(|row| row.record.call_id == caption.call_id)
            .filter(|row| matches!(row.record.person, Some(Person::User(_))))
            .ok_or(StoreError::NotFound)?;
        if tables.captions.contains_key(&caption.id) {
            return Err(StoreError::Conflict);
        }
        let mut caption = caption.clone();
        caption.confidence = caption.confidence.filter(|value| value.is_finite());
        tables.captions.insert(caption.id, caption);
        Ok(())
    }

    async fn captions_of(&self, call: &CallId) -> Result<Vec<CaptionRecord>, StoreError> {
        let tables = self.tables();
        let captions = tables.captions.values();
        let mut captions: Vec<_> = captions
            .filter(|caption| caption.call_id == *call)
            .cloned()
            .collect();
        captions.sort_by_key(|caption| (caption.timestamp, caption.id));
        Ok(captions)
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.tables().audit.push(entry.clone());
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let tables = self.tables();
        let wanted = |entry: &&AuditEntry| {
            query.event.is_none_or(|event| event == entry.event)
                && (query.from..query.until).contains(&entry.timestamp)
        };
        let mut entries: Vec<AuditEntry> = tables.audit.iter().rev().filter(wanted).cloned().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.timestamp));
        entries.truncate(query.limit as usize);
        Ok(entries)
    }
}
