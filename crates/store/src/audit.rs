//! What happened that somebody may have to account for.

use async_trait::async_trait;
use serde_json::Value;
use signalling::{CallId, Timestamp, UserId};

use crate::StoreError;

/// The audit log (contract §4.6).
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds a line.
    async fn append_audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Lines that match, newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// What happened.
    pub event: AuditType,
    /// To or by which user.
    pub user: Option<UserId>,
    /// In which call.
    pub call: Option<CallId>,
    /// What else is known, as a JSON object; no names, addresses or words said.
    pub metadata: Value,
    /// Keyed hash of the address, never the address.
    pub ip_hash: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// When.
    pub timestamp: Timestamp,
}

/// Which lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this type only.
    pub event: Option<AuditType>,
    /// Not before.
    pub from: Timestamp,
    /// Before.
    pub until: Timestamp,
    /// Most lines to give.
    pub limit: u32,
}

crate::words! {
    /// What a line of the audit log tells.
    AuditType {
        /// A call was begun.
        CallInitiated = "call_initiated",
        /// Somebody joined.
        CallJoined = "call_joined",
        /// Somebody left.
        CallLeft = "call_left",
        /// A call ended.
        CallEnded = "call_ended",
        /// A switch of the mode was committed.
        ModeSwitched = "mode_switched",
        /// Somebody asked for what is not theirs.
        UnauthorizedAccessAttempt = "unauthorized_access_attempt",
        /// Somebody asked too often.
        RateLimitExceeded = "rate_limit_exceeded",
    }
}
