//! Calls, participants and measurements.

use std::collections::BTreeSet;
use std::slice::from_ref;

use call::Person;
use call::record::{MetricsRecord, ModeTransition, QualityRecord, StoredCall, TransitionReason};
use signalling::client_gateway::{CallStatus, EndReason, Mode, ParticipantStatus};
use signalling::{TransitionId, UserId};
use store::{HistoryFilter, HistoryQuery, StoreError};
use tokio::task::JoinSet;

use crate::World;
use crate::sample::*;

pub(crate) async fn of_racing_calls_one_wins(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let room = room(&world.store, 1, &users).await;
    let mut racers = JoinSet::new();
    for number in 0..16 {
        let (store, call) = (world.store.clone(), call(number, &room));
        let caller = participant(number, &call, Person::User(users[0].id));
        racers.spawn(async move { (call.id.clone(), store.create_call(&call, &[caller]).await) });
    }
    let (mut winners, mut told) = (Vec::new(), BTreeSet::new());
    for (id, result) in racers.join_all().await {
        match result {
            Ok(()) => winners.push(id),
            Err(StoreError::LiveCallExists { call }) => {
                told.insert(call);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "one wins");
    assert_eq!(
        told.into_iter().collect::<Vec<_>>(),
        winners,
        "the others are told which"
    );
    let live = world.store.live_call_of(&room.id).await.unwrap().unwrap();
    assert_eq!((live.call.id, live.participants.len()), (winners[0].clone(), 1));
}

pub(crate) async fn a_call_that_is_over_makes_room(world: World) {
    let room = room(&world.store, 1, &[]).await;
    let (first, second) = (call(1, &room), call(2, &room));
    world.store.create_call(&first, &[]).await.unwrap();
    live_call_exists(world.store.create_call(&second, &[]).await, &first);
    world.store.save_state(&over(&first, at(9)), &[]).await.unwrap();
    assert_eq!(world.store.live_call_of(&room.id).await.unwrap(), None);
    world.store.create_call(&second, &[]).await.unwrap();
    live_call_exists(world.store.save_state(&first, &[]).await, &second);
    assert_eq!(
        world.store.call(&first.id).await.unwrap().unwrap().call,
        over(&first, at(9))
    );
}

pub(crate) async fn a_call_can_be_over_from_the_start(world: World) {
    let room = room(&world.store, 1, &[]).await;
    let live = call(1, &room);
    world.store.create_call(&live, &[]).await.unwrap();
    for (number, reason) in [(2, EndReason::Missed), (3, EndReason::Rejected)] {
        let mut missed = over(&call(number, &room), at(number));
        missed.end_reason = Some(reason);
        world.store.create_call(&missed, &[]).await.unwrap();
        assert_eq!(world.store.call(&missed.id).await.unwrap().unwrap().call, missed);
    }
    assert_eq!(world.store.live_calls().await.unwrap().len(), 1);
}

pub(crate) async fn ids_are_taken_once_and_parents_must_exist(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let (here, there) = (room(&world.store, 1, &[]).await, room(&world.store, 2, &[]).await);
    let first = call(1, &here);
    let seat = participant(1, &first, Person::User(users[0].id));
    not_found(world.store.create_call(&call(1, &conversation(9)), &[]).await);
    not_found(world.store.save_state(&first, &[]).await);
    world.store.create_call(&first, from_ref(&seat)).await.unwrap();
    conflict(world.store.create_call(&call(1, &there), &[]).await);
    conflict(world.store.create_call(&call(2, &there), &[seat]).await);
    assert_eq!(
        world.store.call(&call_id(2)).await.unwrap(),
        None,
        "nothing is left of a failed call"
    );
    assert_eq!(world.store.call(&call_id(3)).await.unwrap(), None);
    not_found(
        world
            .store
            .save_device(&participant_id(3), &store::DeviceInfo::default())
            .await,
    );
}

pub(crate) async fn two_guests_sit_in_one_call(world: World) {
    let room = room(&world.store, 1, &[]).await;
    let (_, guests) = guests(&world.store, &room, 1, 2).await;
    let call = call(1, &room);
    let seats: Vec<_> = (1..)
        .zip(&guests)
        .map(|(n, guest)| participant(n, &call, Person::Guest(guest.id)))
        .collect();
    world.store.create_call(&call, &seats[..1]).await.unwrap();
    world.store.save_state(&call, &seats[1..]).await.unwrap();
    let stored = world.store.call(&call.id).await.unwrap().unwrap();
    assert_eq!(
        stored,
        StoredCall {
            call,
            participants: seats,
            metrics: None
        }
    );
}

pub(crate) async fn nobody_sits_twice(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let room = room(&world.store, 1, &users).await;
    let (_, guests) = guests(&world.store, &room, 1, 1).await;
    let call = call(1, &room);
    world.store.create_call(&call, &[]).await.unwrap();
    for person in [Person::User(users[0].id), Person::Guest(guests[0].id)] {
        let (first, second) = (participant(1, &call, person), participant(2, &call, person));
        conflict(world.store.save_state(&call, &[first, second]).await);
    }
    assert!(
        world
            .store
            .call(&call.id)
            .await
            .unwrap()
            .unwrap()
            .participants
            .is_empty()
    );
}

pub(crate) async fn who_comes_back_keeps_the_row(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let room = room(&world.store, 1, &users).await;
    let call = call(1, &room);
    let mut seat = participant(1, &call, Person::User(users[0].id));
    world.store.create_call(&call, from_ref(&seat)).await.unwrap();
    (seat.status, seat.left_at, seat.disconnected_at) =
        (ParticipantStatus::Disconnected, Some(at(5)), Some(at(4)));
    world.store.save_state(&call, from_ref(&seat)).await.unwrap();
    (seat.status, seat.left_at, seat.disconnected_at) = (ParticipantStatus::Connected, None, None);
    (seat.reconnect_count, seat.updated_at) = (1, at(6));
    world.store.save_state(&call, from_ref(&seat)).await.unwrap();
    assert_eq!(
        world.store.call(&call.id).await.unwrap().unwrap().participants,
        [seat]
    );
}

pub(crate) async fn what_cannot_be_written_whole_is_not_written(world: World) {
    let users = people(&world.store, &["ann", "bob"]).await;
    let (here, there) = (
        room(&world.store, 1, &users).await,
        room(&world.store, 2, &users).await,
    );
    let (mine, other) = (call(1, &here), call(2, &there));
    let (ann, bob) = (Person::User(users[0].id), Person::User(users[1].id));
    let elsewhere = participant(1, &other, bob);
    world.store.create_call(&mine, &[]).await.unwrap();
    world
        .store
        .create_call(&other, from_ref(&elsewhere))
        .await
        .unwrap();

    let mut later = mine.clone();
    (later.status, later.updated_at) = (CallStatus::Active, at(50));
    let seats = [participant(3, &mine, ann), participant(1, &mine, bob)];
    conflict(world.store.save_state(&later, &seats).await);
    let kept = world.store.call(&mine.id).await.unwrap().unwrap();
    assert_eq!(
        kept,
        StoredCall {
            call: mine,
            participants: Vec::new(),
            metrics: None
        }
    );
    assert_eq!(
        world.store.call(&other.id).await.unwrap().unwrap().participants,
        [elsewhere]
    );
}

fn measured(number: u32) -> MetricsRecord {
    MetricsRecord {
        mode_transitions: vec![ModeTransition {
            id: TransitionId::mint(at(0), u64::from(number)),
            from: Mode::Sfu,
            to: Mode::P2p,
            timestamp: at(3),
            duration: 1.25,
            reason: TransitionReason::ParticipantLeft,
            success: true,
            gaps: Vec::new(),
        }],
        average: Some(QualityRecord {
            packet_loss: 0.015625,
            jitter: 3.5,
            rtt: 40.0,
            bitrate: 1200.0,
        }),
        reports: 3,
        peak_participants: number,
        total_participants: number + 1,
        reconnections: 1,
        ice_failures: 2,
        transport_errors: 3,
        total_data_sent: 1 << 40,
        total_data_received: 1 << 41,
    }
}

pub(crate) async fn the_first_measurement_may_be_the_last(world: World) {
    let room = room(&world.store, 1, &[]).await;
    let call = call(1, &room);
    not_found(world.store.save_metrics(&call.id, &measured(2), at(2)).await);
    world.store.create_call(&call, &[]).await.unwrap();
    for metrics in [
        MetricsRecord::default(),
        measured(3),
        measured(4),
        MetricsRecord::default(),
    ] {
        world.store.save_metrics(&call.id, &metrics, at(5)).await.unwrap();
        assert_eq!(
            world.store.call(&call.id).await.unwrap().unwrap().metrics,
            Some(metrics)
        );
    }
}

pub(crate) async fn measurements_are_found_by_the_calls_beginning(world: World) {
    let room = room(&world.store, 1, &[]).await;
    for number in 1..=4 {
        let call = over(&call(number, &room), at(100));
        world.store.create_call(&call, &[]).await.unwrap();
        if number != 3 {
            world
                .store
                .save_metrics(&call.id, &measured(number as u32), at(100))
                .await
                .unwrap();
        }
    }
    let found = world.store.metrics_between(at(2), at(5)).await.unwrap();
    assert_eq!(found, [(call_id(2), measured(2)), (call_id(4), measured(4))]);
    assert!(
        world
            .store
            .metrics_between(at(0), at(1))
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn history_is_paged_newest_first(world: World) {
    let users = people(&world.store, &["ann", "bob"]).await;
    let (here, there) = (
        room(&world.store, 1, &users).await,
        room(&world.store, 2, &users).await,
    );
    for number in [3, 1, 4, 2] {
        let mut call = over(&call(number, &here), at(100));
        if number == 4 {
            call.status = CallStatus::Failed;
        }
        let seats: Vec<_> = users
            .iter()
            .take(number as usize % 3)
            .zip(number * 10..)
            .map(|(user, n)| participant(n, &call, Person::User(user.id)))
            .collect();
        world.store.create_call(&call, &seats).await.unwrap();
    }
    // Begun in the same moment as the third: the order must still be the same on every page.
    let mut twin = over(&call(7, &here), at(100));
    twin.created_at = at(3);
    world.store.create_call(&twin, &[]).await.unwrap();
    world.store.create_call(&call(5, &here), &[]).await.unwrap();
    world.store.create_call(&call(6, &there), &[]).await.unwrap();

    let page = async |filter, limit, offset| {
        let query = HistoryQuery {
            conversation: here.id,
            filter,
            limit,
            offset,
        };
        let page = world.store.history(&query).await.unwrap();
        let calls: Vec<_> = page
            .calls
            .iter()
            .map(|entry| (entry.call.id.clone(), entry.participants))
            .collect();
        (calls, page.total)
    };
    let all =
        [(5, 0), (4, 1), (7, 0), (3, 0), (2, 2), (1, 1)].map(|(number, seats)| (call_id(number), seats));
    assert_eq!(page(HistoryFilter::All, 50, 0).await, (all.to_vec(), 6));
    assert_eq!(page(HistoryFilter::All, 2, 1).await, (all[1..3].to_vec(), 6));
    assert_eq!(page(HistoryFilter::All, 2, 5).await, (all[5..].to_vec(), 6));
    assert_eq!(page(HistoryFilter::All, 2, 6).await, (vec![], 6));
    assert_eq!(page(HistoryFilter::All, 0, u64::MAX).await, (vec![], 6));
    assert_eq!(page(HistoryFilter::Active, 9, 0).await, (all[..1].to_vec(), 1));
    assert_eq!(page(HistoryFilter::Ended, 9, 0).await, (all[1..].to_vec(), 5));
}

pub(crate) async fn forgotten_calls_are_found(world: World) {
    let mut calls = Vec::new();
    for number in 1..=4 {
        let room = room(&world.store, number, &[]).await;
        let mut call = call(number, &room);
        call.updated_at = at(100 - number * 10);
        world.store.create_call(&call, &[]).await.unwrap();
        calls.push(call);
    }
    world
        .store
        .save_state(&over(&calls[3], at(1)), &[])
        .await
        .unwrap();
    let stale = world.store.stale_calls(at(90)).await.unwrap();
    assert_eq!(stale, [call_id(3), call_id(2)]);
}

pub(crate) async fn live_calls_are_all_there_oldest_first(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let mut expected = Vec::new();
    for (number, status) in [
        (3, CallStatus::Active),
        (1, CallStatus::Initiated),
        (2, CallStatus::Ringing),
        (4, CallStatus::Ended),
        (5, CallStatus::Failed),
    ] {
        let room = room(&world.store, number, &users).await;
        let mut call = call(number, &room);
        call.status = status;
        let seats = vec![participant(number, &call, Person::User(users[0].id))];
        world.store.create_call(&call, &seats).await.unwrap();
        let metrics = (number == 2).then(|| measured(2));
        if let Some(metrics) = &metrics {
            world.store.save_metrics(&call.id, metrics, at(9)).await.unwrap();
        }
        if number < 4 {
            expected.push(StoredCall {
                call,
                participants: seats,
                metrics,
            });
        }
    }
    expected.sort_by_key(|stored| stored.call.created_at);
    assert_eq!(world.store.live_calls().await.unwrap(), expected);
}

pub(crate) async fn strangers_and_odd_values_do_no_harm(world: World) {
    let room = room(&world.store, 1, &[]).await;
    let mut call = call(1, &room);
    let stranger = UserId::mint(at(0), 99);
    (call.initiator_id, call.ended_by) = (Some(stranger), Some(stranger));
    let mut seat = participant(1, &call, Person::User(stranger));
    seat.quality = Some(QualityRecord {
        packet_loss: f64::NAN,
        jitter: f64::INFINITY,
        rtt: 1.5,
        bitrate: 0.0,
    });
    world.store.create_call(&call, from_ref(&seat)).await.unwrap();
    let mut metrics = measured(1);
    metrics.mode_transitions[0].duration = f64::INFINITY;
    metrics.average = seat.quality;
    world.store.save_metrics(&call.id, &metrics, at(2)).await.unwrap();

    (call.initiator_id, call.ended_by, seat.person) = (None, None, None);
    let kept = QualityRecord {
        packet_loss: 0.0,
        jitter: 0.0,
        rtt: 1.5,
        bitrate: 0.0,
    };
    (
        seat.quality,
        metrics.average,
        metrics.mode_transitions[0].duration,
    ) = (Some(kept), Some(kept), 0.0);
    let stored = world.store.live_calls().await.unwrap();
    assert_eq!(
        stored,
        [StoredCall {
            call,
            participants: vec![seat],
            metrics: Some(metrics)
        }]
    );
}
