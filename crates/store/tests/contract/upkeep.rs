//! Retention and repair.

use std::slice::from_ref;

use call::Person;
use call::record::SfuIds;
use serde_json::json;
use signalling::client_gateway::{CallStatus, Mode, ParticipantStatus, TransitionState};
use signalling::{ProducerId, RouterId, TransportId};
use store::{AuditEntry, AuditQuery, AuditType, Purged, Repaired, Secret, ShareLink};

use crate::World;
use crate::captions::caption;
use crate::sample::*;

pub(crate) async fn old_things_go_and_young_ones_stay(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let now = 200 * DAY;
    // Number, status, and days since the end; the middle one of each pair is on the edge.
    let rows = [
        (1, CallStatus::Ended, Some(91), false),
        (2, CallStatus::Ended, Some(90), false),
        (3, CallStatus::Ended, Some(89), true),
        (4, CallStatus::Failed, Some(91), false),
        (5, CallStatus::Failed, Some(1), true),
        (6, CallStatus::Active, None, true),
    ];
    for (number, status, days, _) in rows {
        let room = room(&world.store, number, &users).await;
        let mut call = call(number, &room);
        (call.status, call.ended_at) = (status, days.map(|days| at(now - days * DAY)));
        let seat = participant(number, &call, Person::User(users[0].id));
        world.store.create_call(&call, from_ref(&seat)).await.unwrap();
        world
            .store
            .save_metrics(&call.id, &Default::default(), at(0))
            .await
            .unwrap();
        let days = if number == 3 { 30 } else { 29 };
        world
            .store
            .add_caption(&caption(number, &seat, now - days * DAY))
            .await
            .unwrap();
    }
    for days in [91, 90, 89] {
        let entry = AuditEntry {
            event: AuditType::CallEnded,
            user: None,
            call: None,
            metadata: json!({ "days": days }),
            ip_hash: None,
            user_agent: None,
            timestamp: at(now - days * DAY),
        };
        world.store.append_audit(&entry).await.unwrap();
    }
    let purged = world.store.purge_expired(at(now)).await.unwrap();
    assert_eq!(
        purged,
        Purged {
            calls: 3,
            captions: 1,
            audit: 2,
            guests: 0,
            links: 0
        }
    );
    for (number, _, _, stays) in rows {
        let kept = world.store.call(&call_id(number)).await.unwrap();
        assert_eq!(
            kept.as_ref().map(|stored| stored.participants.len()),
            stays.then_some(1),
            "call {number}"
        );
        let captions = world.store.captions_of(&call_id(number)).await.unwrap().len();
        assert_eq!(
            captions,
            usize::from(stays && number != 3),
            "captions of call {number}"
        );
    }
    assert_eq!(world.store.metrics_between(at(0), at(99)).await.unwrap().len(), 3);
    let query = AuditQuery {
        event: None,
        from: at(0),
        until: at(now),
        limit: 9,
    };
    let log = world.store.audit(&query).await.unwrap();
    assert_eq!(
        log.iter().map(|entry| entry.metadata.clone()).collect::<Vec<_>>(),
        [json!({ "days": 89 })]
    );
    assert_eq!(
        world.store.purge_expired(at(now)).await.unwrap(),
        Purged::default()
    );
}

pub(crate) async fn guests_and_links_go_when_nothing_needs_them(world: World) {
    let here = room(&world.store, 1, &[]).await;
    let (_, mut came) = guests(&world.store, &here, 1, 2).await;
    let ended = ShareLink {
        expires_at: Some(at(10)),
        ..link(20, &here)
    };
    let empty = ShareLink {
        expires_at: Some(at(10)),
        ..link(21, &here)
    };
    for link in [&ended, &empty] {
        world
            .store
            .create_link(link, &Secret::random().hash())
            .await
            .unwrap();
    }
    let mut late = guest(30, &ended);
    late.created_at = at(5 * DAY);
    world
        .store
        .create_guest(&late, &Secret::random().hash())
        .await
        .unwrap();
    came.push(late);
    // The first guest was in a call that is still kept.
    let call = over(&call(1, &here), at(80 * DAY));
    let seat = participant(1, &call, Person::Guest(came[0].id));
    world.store.create_call(&call, &[seat]).await.unwrap();

    let there = async || {
        let mut there = Vec::new();
        for guest in &came {
            there.push(world.store.guest(&guest.id).await.unwrap().is_some());
        }
        for link in [&ended, &empty] {
            there.push(world.store.link(&link.id).await.unwrap().is_some());
        }
        there
    };
    let purged = world.store.purge_expired(at(91 * DAY)).await.unwrap();
    assert_eq!((purged.guests, purged.links), (1, 1));
    assert_eq!(there().await, [true, false, true, true, false]);
    let purged = world.store.purge_expired(at(171 * DAY)).await.unwrap();
    assert_eq!((purged.calls, purged.guests, purged.links), (1, 2, 1));
    assert_eq!(there().await, [false; 5]);
}

pub(crate) async fn what_a_crash_left_is_put_right(world: World) {
    let users = people(&world.store, &["ann", "bob", "cid"]).await;
    let (here, there) = (
        room(&world.store, 1, &users).await,
        room(&world.store, 2, &users).await,
    );
    let sfu = SfuIds {
        send_transport: Some(TransportId::random()),
        audio_producer: Some(ProducerId::random()),
        ..SfuIds::default()
    };
    // A direct call with a room, and one through the node, which is as it should be.
    let mut wrong = call(1, &here);
    (wrong.sfu_room_id, wrong.transition_state) = (Some(RouterId::random()), TransitionState::SwitchingToSfu);
    wrong.sfu_rtp_capabilities = Some(Default::default());
    let mut right = call(2, &there);
    (right.mode, right.transition_state) = (Mode::Sfu, TransitionState::Sfu);
    right.sfu_room_id = Some(RouterId::random());
    let seat = |number, call: &_| call::record::ParticipantRecord {
        sfu,
        ..participant(number, call, Person::User(users[0].id))
    };
    let (in_wrong, in_right) = (seat(1, &wrong), seat(2, &right));
    world
        .store
        .create_call(&wrong, from_ref(&in_wrong))
        .await
        .unwrap();
    world
        .store
        .create_call(&right, from_ref(&in_right))
        .await
        .unwrap();
    // A call that is over, with one present, one away, one gone and one failed.
    let ended = over(&call(3, &here), at(40));
    let seat = |number: u64, status, left_at| call::record::ParticipantRecord {
        status,
        left_at,
        ..participant(number, &ended, Person::User(users[number as usize - 10].id))
    };
    let gone = seat(12, ParticipantStatus::Disconnected, Some(at(20)));
    let seats = [
        seat(10, ParticipantStatus::Connected, None),
        seat(11, ParticipantStatus::Disconnected, None),
        gone.clone(),
    ];
    world.store.create_call(&ended, &seats).await.unwrap();

    let repaired = world.store.repair(at(50)).await.unwrap();
    assert_eq!(
        repaired,
        Repaired {
            rooms_cleared: 1,
            participants_closed: 2
        }
    );
    let kept = world.store.call(&wrong.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.call.sfu_room_id, kept.call.sfu_rtp_capabilities),
        (None, None)
    );
    assert_eq!(
        (kept.call.transition_state, kept.call.updated_at),
        (TransitionState::P2p, at(50))
    );
    assert_eq!(kept.participants[0].sfu, SfuIds::default());
    let kept = world.store.call(&right.id).await.unwrap().unwrap();
    assert_eq!((kept.call, kept.participants), (right, vec![in_right]));
    let kept = world.store.call(&ended.id).await.unwrap().unwrap().participants;
    for seat in &kept[..2] {
        assert_eq!(
            (seat.status, seat.left_at),
            (ParticipantStatus::Disconnected, Some(at(40)))
        );
    }
    assert_eq!(kept[2], gone);
    assert_eq!(world.store.repair(at(60)).await.unwrap(), Repaired::default());
}

pub(crate) async fn the_store_answers(world: World) {
    world.store.ping().await.unwrap();
    assert!(world.store.schema().await.unwrap().pending.is_empty());
}
