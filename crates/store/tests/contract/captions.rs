//! Captions.

use std::collections::BTreeMap;
use std::slice::from_ref;

use call::Person;
use signalling::TranscriptionId;
use store::{CaptionRecord, CaptionSource};

use crate::World;
use crate::sample::*;

/// What somebody says at `seconds`, written at once.
pub(crate) fn caption(
    number: u64,
    participant: &call::record::ParticipantRecord,
    seconds: u64,
) -> CaptionRecord {
    CaptionRecord {
        id: TranscriptionId::mint(at(0), number),
        call_id: participant.call_id.clone(),
        participant_id: participant.id.clone(),
        text: format!("the {number}. élan 🎙 word"),
        language: "en".to_owned(),
        translations: BTreeMap::new(),
        timestamp: at(seconds),
        duration: None,
        confidence: None,
        source: CaptionSource::Client,
        processing_time: None,
        created_at: at(seconds),
    }
}

pub(crate) async fn words_come_back_in_the_order_of_speech(world: World) {
    let users = people(&world.store, &["ann", "bob"]).await;
    let room = room(&world.store, 1, &users).await;
    let call = call(1, &room);
    let seats: Vec<_> = (1..)
        .zip(&users)
        .map(|(n, user)| participant(n, &call, Person::User(user.id)))
        .collect();
    world.store.create_call(&call, &seats).await.unwrap();
    assert!(world.store.captions_of(&call.id).await.unwrap().is_empty());

    let mut second = caption(1, &seats[0], 20);
    second.translations = [("fr", "deux\u{0}"), ("de", "zwei")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    (second.duration, second.confidence, second.processing_time) = (Some(1500), Some(0.75), Some(80));
    second.source = CaptionSource::Server;
    let first = caption(2, &seats[1], 10);
    let third = CaptionRecord {
        text: String::new(),
        ..caption(3, &seats[0], 20)
    };
    for caption in [&second, &first, &third] {
        world.store.add_caption(caption).await.unwrap();
    }
    assert_eq!(
        world.store.captions_of(&call.id).await.unwrap(),
        [first, second, third]
    );
}

pub(crate) async fn only_users_in_the_call_are_kept(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let (here, there) = (
        room(&world.store, 1, &users).await,
        room(&world.store, 2, &users).await,
    );
    let (_, guests) = guests(&world.store, &here, 1, 1).await;
    let (call, other) = (call(1, &here), call(2, &there));
    let ann = participant(1, &call, Person::User(users[0].id));
    let ada = participant(2, &call, Person::Guest(guests[0].id));
    let ann_elsewhere = participant(3, &other, Person::User(users[0].id));
    world
        .store
        .create_call(&call, &[ann.clone(), ada.clone()])
        .await
        .unwrap();
    world
        .store
        .create_call(&other, from_ref(&ann_elsewhere))
        .await
        .unwrap();

    not_found(world.store.add_caption(&caption(1, &ada, 1)).await);
    let mut elsewhere = caption(1, &ann_elsewhere, 1);
    elsewhere.call_id = call.id.clone();
    not_found(world.store.add_caption(&elsewhere).await);
    world.store.add_caption(&caption(1, &ann, 1)).await.unwrap();
    conflict(world.store.add_caption(&caption(1, &ann, 2)).await);
    assert_eq!(
        world.store.captions_of(&call.id).await.unwrap(),
        [caption(1, &ann, 1)]
    );
}
