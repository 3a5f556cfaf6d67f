//! A store that fails for a while.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use call::StoredCall;
use signalling::client_gateway::{
    CallStatus, CallType, ConversationType, MediaState, Mode, ParticipantRole, ParticipantStatus,
    TransitionState,
};
use signalling::text::Text;
use signalling::{CallId, ConversationId};
use store::{DeviceInfo, HistoryPage, HistoryQuery};

use super::*;

/// Fails so many times, then keeps what is written.
#[derive(Default)]
struct Failing {
    times: AtomicU32,
    states: Mutex<Vec<(CallRecord, Vec<ParticipantRecord>)>>,
    metrics: Mutex<Vec<MetricsRecord>>,
}

impl Failing {
    fn times(times: u32) -> Arc<Self> {
        let store = Self::default();
        store.times.store(times, Ordering::Relaxed);
        Arc::new(store)
    }

    fn fail(&self) -> Result<(), StoreError> {
        let left = self.times.load(Ordering::Relaxed);
        if left == 0 {
            return Ok(());
        }
        self.times.store(left - 1, Ordering::Relaxed);
        Err(StoreError::Unavailable("no".into()))
    }
}

fn nothing<T>() -> Result<T, StoreError> {
    Err(StoreError::NotFound)
}

#[async_trait]
impl Calls for Failing {
    async fn create_call(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError> {
        self.save_state(call, participants).await
    }

    async fn save_state(
        &self,
        call: &CallRecord,
        participants: &[ParticipantRecord],
    ) -> Result<(), StoreError> {
        self.fail()?;
        let mut states = self.states.lock().expect("no test panicked");
        states.push((call.clone(), participants.to_vec()));
        Ok(())
    }

    async fn save_metrics(
        &self,
        _: &CallId,
        metrics: &MetricsRecord,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        self.fail()?;
        self.metrics
            .lock()
            .expect("no test panicked")
            .push(metrics.clone());
        Ok(())
    }

    async fn save_device(&self, _: &ParticipantId, _: &DeviceInfo) -> Result<(), StoreError> {
        nothing()
    }

    async fn call(&self, _: &CallId) -> Result<Option<StoredCall>, StoreError> {
        nothing()
    }

    async fn live_calls(&self) -> Result<Vec<StoredCall>, StoreError> {
        nothing()
    }

    async fn live_call_of(&self, _: &ConversationId) -> Result<Option<StoredCall>, StoreError> {
        nothing()
    }

    async fn stale_calls(&self, _: Timestamp) -> Result<Vec<CallId>, StoreError> {
        nothing()
    }

    async fn history(&self, _: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        nothing()
    }

    async fn metrics_between(
        &self,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Vec<(CallId, MetricsRecord)>, StoreError> {
        nothing()
    }
}

fn id() -> CallId {
    "0123456789abcdef01234567".parse().expect("an id")
}

fn call(changes: u32) -> CallRecord {
    let now = Timestamp::from_unix_millis(1);
    CallRecord {
        id: id(),
        conversation_id: ConversationId::mint(now, 1),
        conversation_type: ConversationType::Group,
        mode: Mode::P2p,
        status: CallStatus::Active,
        call_type: CallType::Video,
        initiator_id: None,
        sfu_room_id: None,
        sfu_rtp_capabilities: None,
        last_mode_change: None,
        mode_change_count: changes,
        transition_state: TransitionState::P2p,
        transition_id: None,
        media_server_id: None,
        settings: None,
        created_at: now,
        updated_at: now,
        started_at: None,
        ended_at: None,
        duration: None,
        end_reason: None,
        ended_by: None,
    }
}

fn participant(name: &str, reconnects: u32) -> ParticipantRecord {
    let now = Timestamp::from_unix_millis(1);
    ParticipantRecord {
        id: name.parse().expect("an id"),
        call_id: id(),
        person: None,
        username: Text::new(name).expect("a name"),
        avatar: None,
        language: None,
        role: ParticipantRole::Participant,
        status: ParticipantStatus::Connected,
        joined_at: now,
        left_at: None,
        media: MediaState {
            audio_enabled: true,
            video_enabled: true,
            screen_share_enabled: false,
        },
        sfu: call::record::SfuIds::default(),
        quality: None,
        disconnected_at: None,
        reconnect_count: reconnects,
        updated_at: now,
    }
}

/// Everything that was written, the last of each participant.
fn written(store: &Failing) -> (u32, Vec<(String, u32)>) {
    let states = store.states.lock().expect("no test panicked");
    let (call, participants) = states.last().expect("something was written");
    let participants = participants
        .iter()
        .map(|each| (each.id.to_string(), each.reconnect_count))
        .collect();
    (call.mode_change_count, participants)
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_is_written_later_newer_over_older() {
    let store = Failing::times(2);
    let mut ledger = Ledger::new(store.clone(), id());
    ledger
        .state(call(1), vec![participant("a", 1), participant("b", 1)])
        .await;
    let first = ledger.next_attempt().expect("it failed");
    // Too early for another attempt: the store is left alone, and the call goes on at once.
    ledger.state(call(2), vec![participant("b", 2)]).await;
    assert_eq!(store.times.load(Ordering::Relaxed), 1);
    tokio::time::sleep_until(first).await;
    ledger.write().await;
    let second = ledger.next_attempt().expect("it failed again");
    assert!(second - first > FIRST_PAUSE, "it waits longer each time");
    tokio::time::sleep_until(second).await;
    ledger.write().await;
    assert_eq!(ledger.next_attempt(), None);
    let both = vec![("a".to_owned(), 1), ("b".to_owned(), 2)];
    assert_eq!(written(&store), (2, both));
    // And then only what changes.
    ledger.state(call(3), vec![participant("a", 3)]).await;
    assert_eq!(written(&store), (3, vec![("a".to_owned(), 3)]));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_call_is_tried_again_until_it_is_written() {
    let store = Failing::times(10);
    let mut ledger = Ledger::new(store.clone(), id());
    ledger.state(call(1), Vec::new()).await;
    ledger.metrics(MetricsRecord::default()).await;
    ledger.finish().await;
    assert_eq!(written(&store), (1, Vec::new()));
    assert_eq!(store.metrics.lock().expect("no test panicked").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_call_is_written_or_does_not_begin() {
    let store = Failing::times(1);
    let ledger = Ledger::new(store.clone(), id());
    assert!(ledger.create(&call(1), &[participant("a", 0)]).await.is_err());
    assert!(ledger.create(&call(1), &[participant("a", 0)]).await.is_ok());
    assert_eq!(ledger.next_attempt(), None);
}
