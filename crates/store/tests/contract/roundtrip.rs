//! Whatever a call may hold is read back as it was written.

use std::sync::atomic::{AtomicU64, Ordering};

use call::record::{
    CallRecord, GapRecord, MetricsRecord, ModeTransition, ParticipantRecord, QualityRecord, SfuIds,
    StoredCall, TransitionReason,
};
use call::{NodeId, Person};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use signalling::client_gateway::{
    CallSettings, CallStatus, CallType, EndReason, MediaState, Mode, ParticipantRole, ParticipantStatus,
    TransitionState,
};
use signalling::text::Text;
use signalling::{ParticipantId, ProducerId, RouterId, Timestamp, TransitionId, TransportId, UserId};
use tokio::runtime::Handle;

use crate::World;
use crate::sample::{call, conversation, guests, participant, people, room};

/// Milliseconds of the year 9999, the latest there is.
const LAST: u64 = 253_402_300_799_999;

fn time() -> impl Strategy<Value = Timestamp> {
    (0..=LAST).prop_map(Timestamp::from_unix_millis)
}

/// Numbers that decimal digits hold exactly.
fn number() -> impl Strategy<Value = f64> {
    (0..8_000_000_u32).prop_map(|eighths| f64::from(eighths) / 8.0)
}

fn word() -> impl Strategy<Value = String> {
    "[^\u{0}]{0,20}"
}

fn name() -> impl Strategy<Value = Text> {
    "[a-zA-Zé🎧'\"% _-]{1,64}".prop_filter_map("a name", |text| Text::new(&text).ok())
}

fn quality() -> impl Strategy<Value = QualityRecord> {
    (number(), number(), number(), number()).prop_map(|(packet_loss, jitter, rtt, bitrate)| QualityRecord {
        packet_loss,
        jitter,
        rtt,
        bitrate,
    })
}

fn mode() -> impl Strategy<Value = Mode> {
    select(Mode::ALL)
}

/// A call of a conversation that is there; its ids and people are filled in where it is written.
fn record() -> impl Strategy<Value = CallRecord> {
    let capabilities = json!({
        "codecs": [{
            "kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 96, "clockRate": 90000,
            "parameters": { "x-google-start-bitrate": 1000 }, "rtcpFeedback": [{ "type": "nack", "parameter": "pli" }],
        }],
        "headerExtensions": [],
    });
    let room = (
        any::<bool>(),
        any::<bool>(),
        option::of(word()),
        option::of(any::<u64>()),
    );
    let words = (
        mode(),
        select(CallStatus::ALL),
        select(CallType::ALL),
        select(TransitionState::ALL),
    );
    let end = (
        option::of(any::<u32>()),
        option::of(select(EndReason::ALL)),
        any::<bool>(),
    );
    let settings = option::of((
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
    ));
    let times = (
        time(),
        time(),
        option::of(time()),
        option::of(time()),
        option::of(time()),
    );
    (words, room, end, settings, times, any::<u32>()).prop_map(
        move |(words, room, end, settings, times, count)| {
            let (created_at, updated_at, started_at, ended_at, last_mode_change) = times;
            let settings =
                settings.map(
                    |(audio_enabled, video_enabled, screen_share_enabled)| CallSettings {
                        audio_enabled,
                        video_enabled,
                        screen_share_enabled,
                    },
                );
            let capabilities = || serde_json::from_value(capabilities.clone()).expect("capabilities");
            CallRecord {
                mode: words.0,
                status: words.1,
                call_type: words.2,
                transition_state: words.3,
                sfu_room_id: room.0.then(RouterId::random),
                sfu_rtp_capabilities: room.1.then(capabilities),
                media_server_id: room.2.map(NodeId),
                transition_id: room.3.map(|random| TransitionId::mint(created_at, random)),
                initiator_id: end.2.then(|| crate::sample::user(1, "ann").id),
                duration: end.0.map(u64::from),
                end_reason: end.1,
                mode_change_count: count,
                last_mode_change,
                settings,
                created_at,
                updated_at,
                started_at,
                ended_at,
                ..call(0, &conversation(0))
            }
        },
    )
}

fn seat() -> impl Strategy<Value = ParticipantRecord> {
    let shown = (name(), option::of(word()), option::of(word()));
    let words = (select(ParticipantRole::ALL), select(ParticipantStatus::ALL));
    let media = (any::<bool>(), any::<bool>(), any::<bool>());
    let times = (time(), time(), option::of(time()), option::of(time()));
    let sfu = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (
        shown,
        words,
        media,
        times,
        sfu,
        option::of(quality()),
        any::<u32>(),
    )
        .prop_map(
            |(shown, words, media, times, sfu, quality, reconnect_count)| ParticipantRecord {
                username: shown.0,
                avatar: shown.1,
                language: shown.2,
                role: words.0,
                status: words.1,
                media: MediaState {
                    audio_enabled: media.0,
                    video_enabled: media.1,
                    screen_share_enabled: media.2,
                },
                joined_at: times.0,
                updated_at: times.1,
                left_at: times.2,
                disconnected_at: times.3,
                sfu: SfuIds {
                    send_transport: sfu.0.then(TransportId::random),
                    recv_transport: sfu.1.then(TransportId::random),
                    audio_producer: sfu.2.then(ProducerId::random),
                    video_producer: sfu.3.then(ProducerId::random),
                    screen_producer: sfu.4.then(ProducerId::random),
                },
                quality,
                reconnect_count,
                ..participant(
                    0,
                    &call(0, &conversation(0)),
                    Person::User(UserId::mint(times.0, 0)),
                )
            },
        )
}

fn transition() -> impl Strategy<Value = ModeTransition> {
    let gap = (
        option::of(number()),
        option::of(number()),
        option::of(number()),
        option::of(number()),
    )
        .prop_map(
            |(video_gap_ms, video_baseline_ms, audio_gap_ms, audio_baseline_ms)| GapRecord {
                participant_id: crate::sample::participant_id(1),
                remote_participant_id: crate::sample::participant_id(2),
                video_gap_ms,
                video_baseline_ms,
                audio_gap_ms,
                audio_baseline_ms,
            },
        );
    let reasons = [
        TransitionReason::ParticipantJoined,
        TransitionReason::ParticipantLeft,
        TransitionReason::Manual,
        TransitionReason::Failover,
    ];
    let gaps = proptest::collection::vec(gap, 0..3);
    (
        any::<u64>(),
        mode(),
        mode(),
        time(),
        number(),
        select(reasons.to_vec()),
        any::<bool>(),
        gaps,
    )
        .prop_map(
            |(random, from, to, timestamp, duration, reason, success, gaps)| ModeTransition {
                id: TransitionId::mint(timestamp, random),
                from,
                to,
                timestamp,
                duration,
                reason,
                success,
                gaps,
            },
        )
}

fn metrics() -> impl Strategy<Value = MetricsRecord> {
    let transitions = proptest::collection::vec(transition(), 0..4);
    let bytes = || 0..=i64::MAX as u64;
    (
        transitions,
        option::of(quality()),
        any::<[u32; 6]>(),
        bytes(),
        bytes(),
    )
        .prop_map(
            |(mode_transitions, average, counts, total_data_sent, total_data_received)| MetricsRecord {
                mode_transitions,
                average,
                reports: u64::from(counts[0]),
                peak_participants: counts[1],
                total_participants: counts[2],
                reconnections: counts[3],
                ice_failures: counts[4],
                transport_errors: counts[5],
                total_data_sent,
                total_data_received,
            },
        )
}

/// Two states of the same call: what is created, and what is written over it.
fn history() -> impl Strategy<Value = [StoredCall; 2]> {
    let state = || {
        let seats = proptest::collection::vec(seat(), 4);
        (record(), seats, option::of(metrics())).prop_map(|(call, participants, metrics)| StoredCall {
            call,
            participants,
            metrics,
        })
    };
    [state(), state()]
}

async fn write_and_read(world: &World, number: u64, mut states: [StoredCall; 2]) {
    let room = room(&world.store, number, &[]).await;
    let (_, guests) = guests(&world.store, &room, number * 10, 2).await;
    let users = ["ann", "bob"]
        .iter()
        .zip(1..)
        .map(|(name, n)| crate::sample::user(n, name));
    let people: Vec<Person> = users
        .map(|user| Person::User(user.id))
        .chain(guests.iter().map(|guest| Person::Guest(guest.id)))
        .collect();
    for state in &mut states {
        state.call.id = crate::sample::call_id(number);
        (state.call.conversation_id, state.call.conversation_type) = (room.id, room.conversation_type);
        for ((seat, person), place) in state.participants.iter_mut().zip(&people).zip(0..) {
            seat.id = ParticipantId::mint(Timestamp::from_unix_millis(0), number * 10 + place);
            seat.call_id = state.call.id.clone();
            seat.person = Some(*person);
        }
        state
            .participants
            .sort_by_key(|seat| (seat.joined_at, seat.id.clone()));
    }
    let [first, second] = states;
    world
        .store
        .create_call(&first.call, &first.participants)
        .await
        .unwrap();
    check(world, &first).await;
    world
        .store
        .save_state(&second.call, &second.participants)
        .await
        .unwrap();
    let metrics = second.metrics.clone().or(first.metrics.clone());
    check(world, &StoredCall { metrics, ..second }).await;
}

async fn check(world: &World, expected: &StoredCall) {
    if let Some(metrics) = &expected.metrics {
        world
            .store
            .save_metrics(&expected.call.id, metrics, expected.call.updated_at)
            .await
            .unwrap();
    }
    let read = world.store.call(&expected.call.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(expected));
}

pub(crate) async fn any_record_comes_back_as_it_was_written(world: World) {
    people(&world.store, &["ann", "bob"]).await;
    let runtime = Handle::current();
    let next = AtomicU64::new(1);
    let search = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config {
            cases: 48,
            failure_persistence: None,
            ..Config::default()
        });
        let result = runner.run(&history(), |states| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            runtime.block_on(write_and_read(&world, number, states));
            Ok(())
        });
        result.err().map(|failure| failure.to_string())
    });
    if let Some(failure) = search.await.unwrap() {
        panic!("{failure}");
    }
}
