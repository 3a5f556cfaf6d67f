//! Export and erasure.

use call::Person;
use call::record::{CallRecord, ParticipantRecord, QualityRecord};
use serde_json::json;
use store::{AuditEntry, AuditQuery, AuditType, Conversation, DeviceInfo, Erased, Guest, User};

use crate::World;
use crate::captions::caption;
use crate::sample::*;

/// Ann, who began and ended it, Bob and a guest in one call; Ann and Bob said something.
struct Scene {
    ann: User,
    bob: User,
    ada: Guest,
    room: Conversation,
    call: CallRecord,
    seats: Vec<ParticipantRecord>,
}

async fn scene(world: &World) -> Scene {
    let store = &world.store;
    let users = people(store, &["ann", "bob"]).await;
    let room = room(store, 1, &users).await;
    let (_, guests) = guests(store, &room, 1, 1).await;
    let mut call = over(&call(1, &room), at(30));
    (call.initiator_id, call.ended_by) = (Some(users[0].id), Some(users[0].id));
    let people = [
        Person::User(users[0].id),
        Person::User(users[1].id),
        Person::Guest(guests[0].id),
    ];
    let seats: Vec<_> = (1..)
        .zip(people)
        .map(|(number, person)| ParticipantRecord {
            avatar: Some(format!("/faces/{number}.png")),
            language: Some("fr".to_owned()),
            quality: Some(QualityRecord {
                packet_loss: 0.5,
                jitter: 1.0,
                rtt: 2.0,
                bitrate: 3.0,
            }),
            left_at: Some(at(30)),
            ..participant(number, &call, person)
        })
        .collect();
    store.create_call(&call, &seats).await.unwrap();
    for (number, seat) in (1..).zip(&seats[..2]) {
        store.add_caption(&caption(number, seat, 20)).await.unwrap();
    }
    let device = DeviceInfo {
        browser: Some("Firefox 140".to_owned()),
        ..DeviceInfo::default()
    };
    store.save_device(&seats[0].id, &device).await.unwrap();
    let entry = AuditEntry {
        event: AuditType::CallInitiated,
        user: Some(users[0].id),
        call: Some(call.id.clone()),
        metadata: json!({}),
        ip_hash: Some("5f1c".to_owned()),
        user_agent: Some("Mozilla/5.0".to_owned()),
        timestamp: at(1),
    };
    store.append_audit(&entry).await.unwrap();
    let [ann, bob] = [users[0].clone(), users[1].clone()];
    Scene {
        ann,
        bob,
        ada: guests[0].clone(),
        room,
        call,
        seats,
    }
}

/// A seat after its person was erased.
fn nameless(seat: &ParticipantRecord) -> ParticipantRecord {
    ParticipantRecord {
        person: None,
        username: text("Deleted user"),
        avatar: None,
        language: None,
        quality: None,
        ..seat.clone()
    }
}

pub(crate) async fn an_export_holds_what_is_kept_of_a_person(world: World) {
    let Scene {
        ann, bob, room, call, ..
    } = scene(&world).await;
    let conversation = json!({
        "conversationId": room.id, "identifier": "room-1", "type": "group", "title": "Room 1",
    });
    let expected = json!({
        "user": {
            "userId": ann.id, "username": "ann", "avatar": "/faces/1.png", "systemLanguage": "fr",
            "createdAt": at(0),
        },
        "conversations": [{ "conversation": conversation, "role": "member", "isActive": true }],
        "participations": [{
            "participantId": participant_id(1), "role": "participant", "status": "connected",
            "username": "Somebody", "joinedAt": at(1), "leftAt": at(30), "audioEnabled": true,
            "videoEnabled": false, "screenShareEnabled": false, "reconnectCount": 0,
            "qualityMetrics": { "packetLoss": 0.5, "jitter": 1.0, "rtt": 2.0, "bitrate": 3.0 },
            "deviceInfo": { "browser": "Firefox 140" },
            "call": {
                "callId": call.id, "type": "video", "mode": "p2p", "status": "ended", "createdAt": at(1),
                "startedAt": null, "endedAt": at(30), "duration": 0, "endReason": "normal",
            },
            "conversation": conversation,
            "transcriptions": [{
                "transcriptionId": caption(1, &participant(1, &call, Person::User(ann.id)), 20).id,
                "text": "the 1. élan 🎙 word", "language": "en", "translations": {}, "timestamp": at(20),
                "confidenceScore": null, "source": "client",
            }],
        }],
    });
    let export = world.store.export_user(&ann.id).await.unwrap();
    assert_eq!(export, expected);
    assert!(
        !export.to_string().contains(&bob.id.to_string()),
        "nothing of other people"
    );
    let of_bob = world.store.export_user(&bob.id).await.unwrap();
    assert_eq!(of_bob["participations"][0]["deviceInfo"], json!(null));
    not_found(world.store.export_user(&user(9, "x").id).await);
}

pub(crate) async fn erasure_leaves_rows_without_a_name(world: World) {
    let Scene {
        ann,
        bob,
        call,
        seats,
        ..
    } = scene(&world).await;
    let erased = world.store.erase_user_call_data(&ann.id).await.unwrap();
    assert_eq!(
        erased,
        Erased {
            participations: 1,
            captions: 1,
            recordings: 0
        }
    );
    let kept = world.store.call(&call.id).await.unwrap().unwrap();
    assert_eq!((kept.call.initiator_id, kept.call.ended_by), (None, None));
    assert_eq!(
        kept.participants,
        [nameless(&seats[0]), seats[1].clone(), seats[2].clone()]
    );
    let captions = world.store.captions_of(&call.id).await.unwrap();
    assert_eq!(captions, [caption(2, &seats[1], 20)]);
    let query = AuditQuery {
        event: None,
        from: at(0),
        until: at(99),
        limit: 9,
    };
    let log = world.store.audit(&query).await.unwrap();
    assert_eq!(
        (log[0].user, &log[0].ip_hash, &log[0].user_agent),
        (None, &None, &None)
    );

    assert_eq!(
        world.store.user(&ann.id).await.unwrap(),
        Some(ann.clone()),
        "the account stays"
    );
    let export = world.store.export_user(&ann.id).await.unwrap();
    assert_eq!(export["participations"], json!([]));
    assert_eq!(
        world.store.erase_user_call_data(&ann.id).await.unwrap(),
        Erased::default()
    );
    assert_eq!(
        world.store.export_user(&bob.id).await.unwrap()["participations"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

pub(crate) async fn a_deleted_user_is_nowhere(world: World) {
    let Scene {
        ann,
        bob,
        room,
        call,
        seats,
        ..
    } = scene(&world).await;
    let direct = conversation(2);
    world
        .store
        .direct_conversation(&direct, &ann.id, &bob.id)
        .await
        .unwrap();
    let erased = world.store.delete_user(&ann.id).await.unwrap();
    assert_eq!((erased.participations, erased.captions), (1, 1));
    assert_eq!(world.store.user(&ann.id).await.unwrap(), None);
    assert_eq!(world.store.membership(&room.id, &ann.id).await.unwrap(), None);
    assert_eq!(world.store.members(&room.id).await.unwrap().len(), 1);
    let mut kept = world.store.call(&call.id).await.unwrap().unwrap();
    assert_eq!(kept.participants.remove(0), nameless(&seats[0]));
    not_found(world.store.delete_user(&ann.id).await);

    // A gateway that still has the user in a live call can go on writing it.
    world.store.save_state(&call, &seats).await.unwrap();
    let kept = world.store.call(&call.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.call.initiator_id, kept.participants[0].person),
        (None, None)
    );
    let again = world
        .store
        .ensure_user(&user(9, "ann"))
        .await
        .unwrap()
        .into_inner();
    let fresh = conversation(3);
    let made = world
        .store
        .direct_conversation(&fresh, &again.id, &bob.id)
        .await
        .unwrap();
    assert_eq!(
        made.into_inner(),
        fresh,
        "another account does not inherit the conversation"
    );
}

pub(crate) async fn a_deleted_guest_leaves_no_row(world: World) {
    let Scene { ada, call, seats, .. } = scene(&world).await;
    world.store.delete_guest(&ada.id).await.unwrap();
    assert_eq!(world.store.guest(&ada.id).await.unwrap(), None);
    let kept = world.store.call(&call.id).await.unwrap().unwrap();
    assert_eq!(kept.participants, seats[..2]);
    not_found(world.store.delete_guest(&ada.id).await);
}

pub(crate) async fn a_deleted_conversation_takes_all_with_it(world: World) {
    let Scene {
        ann, ada, room, call, ..
    } = scene(&world).await;
    world
        .store
        .save_metrics(&call.id, &Default::default(), at(2))
        .await
        .unwrap();
    world.store.delete_conversation(&room.id).await.unwrap();
    assert_eq!(world.store.conversation(&room.id).await.unwrap(), None);
    assert_eq!(world.store.call(&call.id).await.unwrap(), None);
    assert_eq!(world.store.captions_of(&call.id).await.unwrap(), []);
    assert_eq!(world.store.guest(&ada.id).await.unwrap(), None);
    assert_eq!(world.store.link(&ada.share_link_id).await.unwrap(), None);
    assert!(world.store.conversations_of(&ann.id).await.unwrap().is_empty());
    assert_eq!(world.store.metrics_between(at(0), at(99)).await.unwrap(), []);
    not_found(world.store.delete_conversation(&room.id).await);
    not_found(world.store.save_state(&call, &[]).await);
}
