//! People and conversations.

use signalling::client_gateway::{ConversationType, MemberRole};
use store::{Conversation, Made, User};
use tokio::task::JoinSet;

use crate::World;
use crate::sample::*;

pub(crate) async fn a_name_is_given_once(world: World) {
    let mut racers = JoinSet::new();
    for number in 1..=8 {
        let store = world.store.clone();
        racers.spawn(async move { store.ensure_user(&user(number, "Zoë")).await.unwrap() });
    }
    let made = racers.join_all().await;
    let fresh: Vec<&User> = made
        .iter()
        .filter_map(|made| match made {
            Made::New(user) => Some(user),
            Made::Existing(_) => None,
        })
        .collect();
    assert_eq!(fresh.len(), 1);
    assert!(made.iter().all(|each| each.clone().into_inner() == *fresh[0]));

    let shouted = world.store.ensure_user(&user(20, "ZOË")).await.unwrap();
    assert_eq!(shouted, Made::Existing(fresh[0].clone()));
    assert_eq!(
        world.store.user_by_name(&text("zoë")).await.unwrap().as_ref(),
        Some(fresh[0])
    );
    assert_eq!(
        world.store.user(&fresh[0].id).await.unwrap().as_ref(),
        Some(fresh[0])
    );
    assert_eq!(world.store.user(&user(99, "x").id).await.unwrap(), None);
    let same_id = User {
        username: text("other"),
        ..fresh[0].clone()
    };
    conflict(world.store.ensure_user(&same_id).await);
}

pub(crate) async fn people_are_found_by_the_beginning_of_their_names(world: World) {
    people(
        &world.store,
        &["bob", "Ann_1", "annabel", "ANN", "ann%x", "Émile", "an!a"],
    )
    .await;
    let find = async |prefix: &str, limit| {
        let found = world.store.search_users(prefix, limit).await.unwrap();
        found
            .into_iter()
            .map(|user| user.username.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(find("aNn", 10).await, ["ANN", "ann%x", "Ann_1", "annabel"]);
    assert_eq!(find("ann", 2).await, ["ANN", "ann%x"]);
    assert_eq!(find("ann_", 10).await, ["Ann_1"]);
    assert_eq!(find("ann%", 10).await, ["ann%x"]);
    assert_eq!(find("an!", 10).await, ["an!a"]);
    assert_eq!(find("é", 10).await, ["Émile"]);
    assert_eq!(find("", 10).await.len(), 7);
    assert!(find("nn", 10).await.is_empty());
}

pub(crate) async fn accounts_change(world: World) {
    let users = people(&world.store, &["ann", "bob"]).await;
    let mut ann = users[0].clone();
    (ann.username, ann.avatar, ann.language) = (text("Anna"), None, "de".to_owned());
    world
        .store
        .save_user(&User {
            created_at: at(77),
            ..ann.clone()
        })
        .await
        .unwrap();
    assert_eq!(
        world.store.user(&ann.id).await.unwrap(),
        Some(ann.clone()),
        "it is as old as before"
    );
    assert_eq!(world.store.user_by_name(&text("ann")).await.unwrap(), None);
    conflict(
        world
            .store
            .save_user(&User {
                username: text("BOB"),
                ..ann.clone()
            })
            .await,
    );
    not_found(world.store.save_user(&user(9, "nobody")).await);
    world
        .store
        .save_user(&User {
            username: text("ANNA"),
            ..ann
        })
        .await
        .unwrap();
}

pub(crate) async fn members_are_told_by_role(world: World) {
    let users = people(&world.store, &["cid", "ann", "Bob"]).await;
    let [cid, ann, bob] = [users[0].id, users[1].id, users[2].id];
    let here = conversation(1);
    let members = [(cid, MemberRole::Admin), (ann, MemberRole::Member)];
    not_found(
        world
            .store
            .create_conversation(&here, &[(user(9, "x").id, MemberRole::Member)])
            .await,
    );
    assert_eq!(world.store.conversation(&here.id).await.unwrap(), None);
    world.store.create_conversation(&here, &members).await.unwrap();
    conflict(world.store.create_conversation(&here, &[]).await);
    let same_identifier = Conversation {
        identifier: here.identifier.clone(),
        ..conversation(2)
    };
    conflict(world.store.create_conversation(&same_identifier, &[]).await);
    conflict(
        world
            .store
            .create_conversation(&conversation(2), &[members[0], members[0]])
            .await,
    );
    assert_eq!(
        world.store.conversation(&here.id).await.unwrap(),
        Some(here.clone())
    );

    let role = async |user| world.store.membership(&here.id, &user).await.unwrap();
    assert_eq!(
        (role(cid).await, role(ann).await, role(bob).await),
        (Some(MemberRole::Admin), Some(MemberRole::Member), None)
    );
    world
        .store
        .set_member(&here.id, &bob, MemberRole::Member)
        .await
        .unwrap();
    world
        .store
        .set_member(&here.id, &ann, MemberRole::Admin)
        .await
        .unwrap();
    world.store.remove_member(&here.id, &cid).await.unwrap();
    assert_eq!(
        (role(cid).await, role(ann).await),
        (None, Some(MemberRole::Admin))
    );
    let members = world.store.members(&here.id).await.unwrap();
    let names: Vec<_> = members
        .iter()
        .map(|member| (member.user.id, member.role))
        .collect();
    assert_eq!(names, [(ann, MemberRole::Admin), (bob, MemberRole::Member)]);
    world
        .store
        .set_member(&here.id, &cid, MemberRole::Member)
        .await
        .unwrap();
    assert_eq!(role(cid).await, Some(MemberRole::Member));

    not_found(
        world
            .store
            .set_member(&conversation(9).id, &cid, MemberRole::Member)
            .await,
    );
    not_found(
        world
            .store
            .set_member(&here.id, &user(9, "x").id, MemberRole::Member)
            .await,
    );
    let closed = Conversation {
        is_active: false,
        ..conversation(3)
    };
    world
        .store
        .create_conversation(&closed, &[(ann, MemberRole::Admin)])
        .await
        .unwrap();
    assert_eq!(world.store.membership(&closed.id, &ann).await.unwrap(), None);
    assert_eq!(world.store.conversations_of(&ann).await.unwrap().len(), 1);
}

pub(crate) async fn two_people_have_one_direct_conversation(world: World) {
    let users = people(&world.store, &["ann", "bob", "cid"]).await;
    let [ann, bob, cid] = [users[0].id, users[1].id, users[2].id];
    let direct = |number| Conversation {
        conversation_type: ConversationType::Direct,
        title: None,
        ..conversation(number)
    };
    let mut racers = JoinSet::new();
    for number in 1..=8 {
        let store = world.store.clone();
        let (one, other) = if number % 2 == 0 { (ann, bob) } else { (bob, ann) };
        racers.spawn(async move {
            store
                .direct_conversation(&direct(number), &one, &other)
                .await
                .unwrap()
        });
    }
    let made = racers.join_all().await;
    let fresh = made.iter().filter(|made| matches!(made, Made::New(_))).count();
    assert_eq!(fresh, 1);
    let first = made[0].clone().into_inner();
    assert!(made.iter().all(|each| each.clone().into_inner() == first));
    assert_eq!(
        world.store.membership(&first.id, &bob).await.unwrap(),
        Some(MemberRole::Member)
    );
    assert_eq!(world.store.members(&first.id).await.unwrap().len(), 2);

    let other = world
        .store
        .direct_conversation(&direct(20), &ann, &cid)
        .await
        .unwrap();
    assert_eq!(other, Made::New(direct(20)));
    not_found(
        world
            .store
            .direct_conversation(&direct(21), &ann, &user(9, "x").id)
            .await,
    );
    conflict(world.store.direct_conversation(&direct(22), &ann, &ann).await);
    assert_eq!(world.store.conversations_of(&ann).await.unwrap().len(), 2);
}

pub(crate) async fn conversations_come_by_what_happened_last(world: World) {
    let users = people(&world.store, &["ann"]).await;
    for number in 1..=3 {
        room(&world.store, number, &users).await;
    }
    let order = async || {
        let found = world.store.conversations_of(&users[0].id).await.unwrap();
        found
            .into_iter()
            .map(|(conversation, _)| conversation.identifier)
            .collect::<Vec<_>>()
    };
    assert_eq!(order().await, ["room-3", "room-2", "room-1"]);
    world
        .store
        .create_call(&call(50, &conversation(1)), &[])
        .await
        .unwrap();
    world
        .store
        .create_call(&call(40, &conversation(2)), &[])
        .await
        .unwrap();
    assert_eq!(order().await, ["room-1", "room-2", "room-3"]);
    let kept = world
        .store
        .conversation(&conversation(1).id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.updated_at, at(50));
}
