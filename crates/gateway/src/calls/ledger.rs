//! Writes a call down as it goes on. A store that fails delays nothing but the writing: what is not written yet is
//! kept, newer over older, and tried again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use call::{CallRecord, MetricsRecord, ParticipantRecord};
use signalling::{ParticipantId, Timestamp};
use store::{Calls, StoreError};
use tokio::time::{Instant, timeout};

/// How long one attempt may take; a call waits for it, so it is short.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Pause after the first failure; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Attempts for a call that is over. With the pauses above that is about five minutes.
const LAST_ATTEMPTS: u32 = 35;

/// What of one call is written, and what is not yet.
pub(super) struct Ledger {
    store: Arc<dyn Calls>,
    state: Option<(CallRecord, BTreeMap<ParticipantId, ParticipantRecord>)>,
    metrics: Option<MetricsRecord>,
    call: signalling::CallId,
    failures: u32,
    next_attempt: Instant,
}

/// How an attempt went.
enum Attempt {
    Written,
    /// Will never be possible.
    Refused(StoreError),
    /// May be possible later.
    Failed,
}

impl Ledger {
    pub(super) fn new(store: Arc<dyn Calls>, call: signalling::CallId) -> Self {
        Self {
            store,
            state: None,
            metrics: None,
            call,
            failures: 0,
            next_attempt: Instant::now(),
        }
    }

    /// Writes a new call. Unlike later changes, it either is written or the call does not begin.
    pub(super) async fn create(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError> {
        timeout(ATTEMPT, self.store.create_call(call, participants))
            .await
            .unwrap_or_else(|late| Err(StoreError::Unavailable(Box::new(late))))
    }

    /// Writes the call as it is now.
    pub(super) async fn state(&mut self, call: CallRecord, participants: Vec<ParticipantRecord>) {
        let mut changed = self
            .state
            .take()
            .map(|(_, participants)| participants)
            .unwrap_or_default();
        changed.extend(
            participants
                .into_iter()
                .map(|participant| (participant.id.clone(), participant)),
        );
        self.state = Some((call, changed));
        self.write().await;
    }

    /// Writes what was measured.
    pub(super) async fn metrics(&mut self, metrics: MetricsRecord) {
        self.metrics = Some(metrics);
        self.write().await;
    }

    /// When to call [`Self::write`], if something is not written yet.
    pub(super) fn next_attempt(&self) -> Option<Instant> {
        (self.state.is_some() || self.metrics.is_some()).then_some(self.next_attempt)
    }

    /// Tries to write what is not written yet, unless it is too early for that.
    pub(super) async fn write(&mut self) {
        if Instant::now() < self.next_attempt {
            return;
        }
        if let Some((call, participants)) = &self.state {
            let participants: Vec<_> = participants.values().cloned().collect();
            match attempt(self.store.save_state(call, &participants)).await {
                Attempt::Written => self.state = None,
                Attempt::Refused(error) => {
                    tracing::error!(call = %self.call, %error, "the call's state cannot be written");
                    self.state = None;
                }
                Attempt::Failed => return self.failed(),
            }
        }
        if let Some(metrics) = &self.metrics {
            let now = Timestamp::from(std::time::SystemTime::now());
            match attempt(self.store.save_metrics(&self.call, metrics, now)).await {
                Attempt::Written => self.metrics = None,
                Attempt::Refused(error) => {
                    tracing::warn!(call = %self.call, %error, "the call's metrics cannot be written");
                    self.metrics = None;
                }
                Attempt::Failed => return self.failed(),
            }
        }
        if self.failures > 0 {
            tracing::info!(call = %self.call, "the store works again");
            self.failures = 0;
        }
    }

    /// For a call that is over: tries until everything is written, or for some minutes.
    pub(super) async fn finish(mut self) {
        for _ in 0..LAST_ATTEMPTS {
            let Some(next) = self.next_attempt() else {
                return;
            };
            tokio::time::sleep_until(next).await;
            self.write().await;
        }
        if self.next_attempt().is_some() {
            tracing::error!(call = %self.call, "the end of the call could not be written");
        }
    }

    fn failed(&mut self) {
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.next_attempt = Instant::now() + pause;
        tracing::warn!(call = %self.call, failures = self.failures, "the store fails; trying again");
    }
}

async fn attempt(write: impl Future<Output = Result<(), StoreError>>) -> Attempt {
    match timeout(ATTEMPT, write).await {
        Ok(Ok(())) => Attempt::Written,
        Ok(Err(StoreError::Unavailable(_))) | Err(_) => Attempt::Failed,
        Ok(Err(error)) => Attempt::Refused(error),
    }
}

#[cfg(test)]
mod tests;
