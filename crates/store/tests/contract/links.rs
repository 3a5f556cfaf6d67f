//! Links and guests.

use call::Person;
use signalling::client_gateway::ParticipantStatus;
use store::{Guest, Redemption, Secret, ShareLink};
use tokio::task::JoinSet;

use crate::World;
use crate::sample::*;

pub(crate) async fn tokens_open_links_and_sessions_guests(world: World) {
    let here = room(&world.store, 1, &[]).await;
    let (token, session) = (Secret::random(), Secret::random());
    let link = ShareLink {
        expires_at: Some(at(60)),
        max_uses: Some(3),
        max_concurrent_users: Some(2),
        allow_anonymous_messages: true,
        ..link(1, &here)
    };
    not_found(
        world
            .store
            .create_link(
                &ShareLink {
                    conversation_id: conversation(9).id,
                    ..link.clone()
                },
                &token.hash(),
            )
            .await,
    );
    not_found(world.store.create_guest(&guest(1, &link), &session.hash()).await);
    world.store.create_link(&link, &token.hash()).await.unwrap();
    conflict(world.store.create_link(&link, &Secret::random().hash()).await);
    conflict(
        world
            .store
            .create_link(
                &ShareLink {
                    id: crate::sample::link(2, &here).id,
                    ..link.clone()
                },
                &token.hash(),
            )
            .await,
    );
    assert_eq!(world.store.link(&link.id).await.unwrap(), Some(link.clone()));
    let shown = Secret::from_text(token.as_str());
    assert_eq!(
        world.store.link_by_token(&shown.hash()).await.unwrap(),
        Some(link.clone())
    );
    assert_eq!(
        world.store.link_by_token(&Secret::random().hash()).await.unwrap(),
        None
    );

    let ada = guest(1, &link);
    world.store.create_guest(&ada, &session.hash()).await.unwrap();
    conflict(world.store.create_guest(&ada, &Secret::random().hash()).await);
    conflict(world.store.create_guest(&guest(2, &link), &session.hash()).await);
    assert_eq!(world.store.guest(&ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(
        world.store.guest_by_session(&session.hash()).await.unwrap(),
        Some(ada.clone())
    );
    assert_eq!(world.store.guest_by_session(&token.hash()).await.unwrap(), None);

    world.store.deactivate_guest(&ada.id).await.unwrap();
    let gone = Guest {
        is_active: false,
        ..ada
    };
    assert_eq!(
        world.store.guest_by_session(&session.hash()).await.unwrap(),
        Some(gone)
    );
    not_found(world.store.deactivate_guest(&guest(2, &link).id).await);
}

pub(crate) async fn a_link_is_redeemed_as_often_as_it_may(world: World) {
    let here = room(&world.store, 1, &[]).await;
    let link = ShareLink {
        expires_at: Some(at(60)),
        max_uses: Some(2),
        ..link(1, &here)
    };
    not_found(world.store.redeem_link(&link.id, at(1)).await);
    world
        .store
        .create_link(&link, &Secret::random().hash())
        .await
        .unwrap();
    let redeem = async |seconds| world.store.redeem_link(&link.id, at(seconds)).await.unwrap();
    assert_eq!(redeem(60).await, Redemption::Expired);
    for uses in [1, 2] {
        assert_eq!(
            redeem(59).await,
            Redemption::Redeemed(ShareLink {
                current_uses: uses,
                ..link.clone()
            })
        );
    }
    assert_eq!(redeem(59).await, Redemption::UsedUp);
    world.store.deactivate_link(&link.id).await.unwrap();
    assert_eq!(redeem(59).await, Redemption::Inactive);
    let kept = world.store.link(&link.id).await.unwrap().unwrap();
    assert_eq!((kept.current_uses, kept.is_open(at(59))), (2, false));
    not_found(
        world
            .store
            .deactivate_link(&crate::sample::link(2, &here).id)
            .await,
    );
}

pub(crate) async fn racing_guests_do_not_overdraw_a_link(world: World) {
    let here = room(&world.store, 1, &[]).await;
    let link = ShareLink {
        max_uses: Some(5),
        ..link(1, &here)
    };
    world
        .store
        .create_link(&link, &Secret::random().hash())
        .await
        .unwrap();
    let mut racers = JoinSet::new();
    for _ in 0..16 {
        let store = world.store.clone();
        racers.spawn(async move { store.redeem_link(&link.id, at(1)).await.unwrap() });
    }
    let mut uses: Vec<u32> = Vec::new();
    for redemption in racers.join_all().await {
        match redemption {
            Redemption::Redeemed(link) => uses.push(link.current_uses),
            other => assert_eq!(other, Redemption::UsedUp),
        }
    }
    uses.sort_unstable();
    assert_eq!(uses, [1, 2, 3, 4, 5]);
}

pub(crate) async fn guests_who_sit_in_calls_are_counted(world: World) {
    let here = room(&world.store, 1, &[]).await;
    let (link, came) = guests(&world.store, &here, 1, 4).await;
    let (other, strangers) = guests(&world.store, &here, 11, 1).await;
    let call = call(1, &here);
    let seat = |number: u64, guest: &Guest| participant(number, &call, Person::Guest(guest.id));
    let mut away = seat(2, &came[1]);
    away.status = ParticipantStatus::Disconnected;
    let mut left = seat(3, &came[2]);
    (left.status, left.left_at) = (ParticipantStatus::Disconnected, Some(at(5)));
    let mut failed = seat(4, &came[3]);
    failed.status = ParticipantStatus::Failed;
    let seats = [seat(1, &came[0]), away, left, failed, seat(5, &strangers[0])];
    let count = async |link: &ShareLink| world.store.guests_in_calls(&link.id).await.unwrap();
    assert_eq!(count(&link).await, 0);
    world.store.create_call(&call, &seats).await.unwrap();
    assert_eq!((count(&link).await, count(&other).await), (2, 1));
    world.store.save_state(&over(&call, at(9)), &[]).await.unwrap();
    assert_eq!((count(&link).await, count(&other).await), (0, 0));
}
