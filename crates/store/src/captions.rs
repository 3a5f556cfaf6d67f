//! What was said, as text.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use signalling::{CallId, ParticipantId, Timestamp, TranscriptionId};

use crate::StoreError;

/// Captions (contract §4.4). Words and translations are sealed before they are written.
#[async_trait]
pub trait Captions: Send + Sync {
    /// Keeps a final caption of a registered user.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the participant is not in this call or is a guest, whose captions are never
    /// kept; [`StoreError::Conflict`] if the id is taken.
    async fn add_caption(&self, caption: &CaptionRecord) -> Result<(), StoreError>;

    /// All captions of a call in the order in which they were said.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if one was sealed with another key or was changed.
    async fn captions_of(&self, call: &CallId) -> Result<Vec<CaptionRecord>, StoreError>;
}

/// One row of `CallTranscription`; only final results are kept.
#[derive(Clone, PartialEq)]
pub struct CaptionRecord {
    /// Its id.
    pub id: TranscriptionId,
    /// In which call.
    pub call_id: CallId,
    /// Who said it.
    pub participant_id: ParticipantId,
    /// The words.
    pub text: String,
    /// Their language, ISO 639-1.
    pub language: String,
    /// The same in other languages.
    pub translations: BTreeMap<String, String>,
    /// When it was said.
    pub timestamp: Timestamp,
    /// How long it took to say, milliseconds.
    pub duration: Option<u32>,
    /// How sure the recogniser is, 0 to 1.
    pub confidence: Option<f64>,
    /// Who recognised it.
    pub source: CaptionSource,
    /// How long the recogniser took, milliseconds.
    pub processing_time: Option<u32>,
    /// When it was written; it is deleted 30 days later.
    pub created_at: Timestamp,
}

impl fmt::Debug for CaptionRecord {
    /// What people said stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptionRecord")
            .field("id", &self.id)
            .field("call_id", &self.call_id)
            .finish_non_exhaustive()
    }
}

crate::words! {
    /// Who recognised a caption.
    CaptionSource {
        /// The speaker's own browser.
        Client = "client",
        /// A service.
        Server = "server",
    }
}
