//! What operators turned on or off.

use std::collections::BTreeMap;

use store::FlagChanges;

use crate::World;
use crate::sample::*;

fn changes<const N: usize>(rows: [(&str, Option<&str>); N]) -> FlagChanges {
    rows.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
        .into()
}

fn rows<const N: usize>(rows: [(&str, &str); N]) -> BTreeMap<String, String> {
    rows.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

pub(crate) async fn what_one_stores_another_reads(world: World) {
    // Memory has one owner; a database is opened by another process.
    let other = if world.url == "memory:" {
        std::sync::Arc::clone(&world.store)
    } else {
        world.again().await
    };
    assert_eq!(other.stored_flags().await.unwrap(), rows([]));
    let listed = r#"["65a1b2c3d4e5f60718293a4b"]"#;
    let first = changes([("sfu", Some("false")), ("sfu_conversations", Some(listed))]);
    world.store.change_flags(&first, at(1)).await.unwrap();
    let expected = rows([("sfu", "false"), ("sfu_conversations", listed)]);
    assert_eq!(other.stored_flags().await.unwrap(), expected);
    // The other way round, and what is not named stays.
    let second = changes([("sfu", Some("true"))]);
    other.change_flags(&second, at(2)).await.unwrap();
    let expected = rows([("sfu", "true"), ("sfu_conversations", listed)]);
    assert_eq!(world.store.stored_flags().await.unwrap(), expected);
}

pub(crate) async fn several_are_changed_together(world: World) {
    let store = &world.store;
    let set = changes([("a", Some("1")), ("b", Some("2")), ("c", None)]);
    store.change_flags(&set, at(1)).await.unwrap();
    let changed = changes([("a", None), ("b", Some("3")), ("d", Some(""))]);
    store.change_flags(&changed, at(2)).await.unwrap();
    assert_eq!(store.stored_flags().await.unwrap(), rows([("b", "3"), ("d", "")]));
    store.change_flags(&changes([]), at(3)).await.unwrap();
    let gone = changes([("b", None), ("d", None), ("never", None)]);
    store.change_flags(&gone, at(4)).await.unwrap();
    assert_eq!(store.stored_flags().await.unwrap(), rows([]));
}
