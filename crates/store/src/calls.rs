//! Calls, who is in them, and what was measured.

use async_trait::async_trait;
use call::record::{CallRecord, MetricsRecord, ParticipantRecord, QualityRecord, StoredCall};
use serde::{Deserialize, Serialize};
use signalling::client_gateway::CallStatus;
use signalling::{CallId, ConversationId, ParticipantId, Timestamp};

use crate::StoreError;

/// Calls and their participants (contract §4.1 to §4.3).
///
/// People who are not, or no longer, in the directory are kept as nobody (`None`): a live call can be saved
/// while an account is being deleted.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Writes a new call with its first participants.
    ///
    /// # Errors
    /// [`StoreError::LiveCallExists`] if this call is live and the conversation has a live one: of any number of
    /// racing callers one wins. [`StoreError::NotFound`] without such a conversation, [`StoreError::Conflict`]
    /// if an id is taken.
    async fn create_call(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError>;

    /// Writes the call as it is now, and those of its participants that are new or changed, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the call was not created or is deleted; [`StoreError::LiveCallExists`] if it
    /// would become live beside another one; [`StoreError::Conflict`] if a participant's id belongs to another
    /// call or a person would be in the call twice.
    async fn save_state(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError>;

    /// Writes what was measured, whether or not something was written before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a call.
    async fn save_metrics(
        &self,
        call: &CallId,
        metrics: &MetricsRecord,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes what a participant uses.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a participant.
    async fn save_device(&self, participant: &ParticipantId, device: &DeviceInfo) -> Result<(), StoreError>;

    /// Everything kept of a call.
    async fn call(&self, call: &CallId) -> Result<Option<StoredCall>, StoreError>;

    /// All live calls, oldest first; what a restarted gateway begins with.
    async fn live_calls(&self) -> Result<Vec<StoredCall>, StoreError>;

    /// The live call of a conversation.
    async fn live_call_of(&self, conversation: &ConversationId) -> Result<Option<StoredCall>, StoreError>;

    /// Live calls last written before `before`, oldest first: candidates for being ended as forgotten.
    async fn stale_calls(&self, before: Timestamp) -> Result<Vec<CallId>, StoreError>;

    /// One page of a conversation's calls, newest first.
    async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError>;

    /// Measurements of all calls begun in `from..until`, oldest first, for figures over many calls.
    async fn metrics_between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(CallId, MetricsRecord)>, StoreError>;
}

/// Whether a call still goes on and so counts for "one live call per conversation".
pub(crate) const fn is_live(status: CallStatus) -> bool {
    matches!(
        status,
        CallStatus::Initiated | CallStatus::Ringing | CallStatus::Active
    )
}

/// What a participant uses. Addresses do not belong here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// Name and major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// `desktop`, `mobile`, `tablet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_type: Option<String>,
}

/// Which calls of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Live, over, or both.
    pub filter: HistoryFilter,
    /// Most calls to give.
    pub limit: u32,
    /// Calls to skip.
    pub offset: u64,
}

/// Live calls, past calls, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryFilter {
    /// That go on.
    Active,
    /// That are over, failed ones included.
    Ended,
    /// Both.
    #[default]
    All,
}

/// One page of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPage {
    /// The calls, newest first.
    pub calls: Vec<HistoryEntry>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A call of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEntry {
    /// The call.
    pub call: CallRecord,
    /// How many people were ever in it.
    pub participants: u32,
}

/// Measurements as they can be kept: what is no number, as a division by zero gives, becomes zero.
pub(crate) fn finite(quality: QualityRecord) -> QualityRecord {
    let number = |value: f64| if value.is_finite() { value } else { 0.0 };
    QualityRecord {
        packet_loss: number(quality.packet_loss),
        jitter: number(quality.jitter),
        rtt: number(quality.rtt),
        bitrate: number(quality.bitrate),
    }
}

/// The same for all that was measured of a call.
pub(crate) fn finite_metrics(metrics: &MetricsRecord) -> MetricsRecord {
    let mut metrics = metrics.clone();
    metrics.average = metrics.average.map(finite);
    for transition in &mut metrics.mode_transitions {
        if !transition.duration.is_finite() {
            transition.duration = 0.0;
        }
        for gap in &mut transition.gaps {
            for value in [
                &mut gap.video_gap_ms,
                &mut gap.video_baseline_ms,
                &mut gap.audio_gap_ms,
                &mut gap.audio_baseline_ms,
            ] {
                *value = value.filter(|value| value.is_finite());
            }
        }
    }
    metrics
}
