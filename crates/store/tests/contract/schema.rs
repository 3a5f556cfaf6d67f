//! What only a database can do: migrate, be read by others, be torn down at any moment.

use std::os::unix::fs::PermissionsExt;
use std::slice::from_ref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use call::Person;
use call::record::MetricsRecord;
use signalling::client_gateway::{CallStatus, MemberRole, Mode, TransitionState};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row};
use store::{
    CaptionKey, OpenError, OpenOptions, QueryObserver, SchemaStatus, StoreError, open, schema_status,
};
use tokio::task::JoinSet;

use crate::World;
use crate::captions::caption;
use crate::sample::*;

const FIRST_SCHEMA: &str = include_str!("../../src/sql/migrations/0001_people_calls_links.sql");
const ROWS: &str = include_str!("fixtures/schema-1-rows.sql");

/// The URL of a database beside the world's that no program has touched. In PostgreSQL it is the same one, emptied.
async fn untouched(world: &World) -> String {
    match world.files() {
        Some((folder, _)) => format!("sqlite://{}", folder.join("other.db").display()),
        None => {
            run(&world.url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
            world.url.clone()
        }
    }
}

/// Runs statements past the store.
async fn run(url: &str, statements: &str) {
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let file = SqliteConnectOptions::new().filename(path).create_if_missing(true);
            let mut connection = file.connect().await.unwrap();
            connection.execute(statements).await.unwrap();
            connection.close().await.unwrap();
        }
        None => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            connection.execute(statements).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

fn versions(status: &SchemaStatus) -> (Vec<u32>, Vec<u32>) {
    let applied = status
        .applied
        .iter()
        .map(|(migration, _)| migration.version)
        .collect();
    (
        applied,
        status.pending.iter().map(|migration| migration.version).collect(),
    )
}

pub(crate) async fn migrations_run_once(world: World) {
    let first = world.store.schema().await.unwrap();
    assert_eq!(versions(&first), (vec![1, 2, 3], vec![]));
    for _ in 0..2 {
        assert_eq!(world.again().await.schema().await.unwrap(), first);
    }
}

pub(crate) async fn racing_starts_migrate_once(world: World) {
    let url = untouched(&world).await;
    let dry = schema_status(&url, world.options()).await.unwrap();
    assert_eq!(
        versions(&dry),
        (vec![], vec![1, 2, 3]),
        "a dry run changes nothing"
    );
    let mut starts = JoinSet::new();
    for _ in 0..6 {
        let (url, options) = (url.clone(), world.options());
        starts.spawn(async move { open(&url, options).await.unwrap().schema().await.unwrap() });
    }
    for status in starts.join_all().await {
        assert_eq!(versions(&status), (vec![1, 2, 3], vec![]));
    }
    assert_eq!(
        versions(&schema_status(&url, world.options()).await.unwrap()),
        (vec![1, 2, 3], vec![])
    );
}

pub(crate) async fn the_first_schema_is_still_read(world: World) {
    let url = untouched(&world).await;
    let words = if world.files().is_some() {
        [("{bytes}", "BLOB"), ("{real}", "REAL"), ("{binary}", "")]
    } else {
        [
            ("{bytes}", "BYTEA"),
            ("{real}", "DOUBLE PRECISION"),
            ("{binary}", "COLLATE \"C\""),
        ]
    };
    let schema = words
        .iter()
        .fold(FIRST_SCHEMA.to_owned(), |sql, (word, its)| sql.replace(word, its));
    run(&url, &format!("{schema}{ROWS}")).await;
    assert_eq!(
        versions(&schema_status(&url, world.options()).await.unwrap()),
        (vec![1], vec![2, 3])
    );

    let store = open(&url, world.options()).await.unwrap();
    assert_eq!(versions(&store.schema().await.unwrap()), (vec![1, 2, 3], vec![]));
    let ann = store.user_by_name(&text("ann")).await.unwrap().unwrap();
    let live = store.live_calls().await.unwrap().remove(0);
    assert_eq!(
        (live.call.status, live.call.mode),
        (CallStatus::Active, Mode::Sfu)
    );
    assert_eq!(
        (live.call.transition_state, live.call.mode_change_count),
        (TransitionState::Sfu, 0)
    );
    assert_eq!(
        (live.call.initiator_id, live.participants[0].person),
        (Some(ann.id), Some(Person::User(ann.id)))
    );
    assert!(live.participants[0].media.audio_enabled && !live.participants[0].media.screen_share_enabled);
    assert_eq!(live.metrics, Some(MetricsRecord::default()));
    let role = store
        .membership(&live.call.conversation_id, &ann.id)
        .await
        .unwrap();
    assert_eq!(role, Some(MemberRole::Admin));
    store
        .save_state(&over(&live.call, at(0)), &live.participants)
        .await
        .unwrap();
}

pub(crate) async fn captions_are_unreadable_in_the_table(world: World) {
    let users = people(&world.store, &["ann"]).await;
    let room = room(&world.store, 1, &users).await;
    let call = call(1, &room);
    let seat = participant(1, &call, Person::User(users[0].id));
    world.store.create_call(&call, from_ref(&seat)).await.unwrap();
    for number in [1, 2] {
        let mut caption = caption(number, &seat, number);
        caption.text = "rendez-vous".to_owned();
        caption.translations = [("en".to_owned(), "appointment".to_owned())].into();
        world.store.add_caption(&caption).await.unwrap();
    }
    let raw = match world.files() {
        Some((folder, _)) => {
            let files = std::fs::read_dir(folder).unwrap();
            files
                .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
                .collect()
        }
        None => {
            let mut connection = PgConnection::connect(&world.url).await.unwrap();
            let dump = "SELECT string_agg(encode(text, 'escape') || encode(translations, 'escape') || t::TEXT, ' ') \
                FROM call_transcriptions t";
            let row = connection.fetch_one(dump).await.unwrap();
            row.get::<String, _>(0).into_bytes()
        }
    };
    let holds = |words: &str| raw.windows(words.len()).any(|window| window == words.as_bytes());
    assert!(holds(&call.id.to_string()), "what is looked at is the table");
    assert!(!holds("rendez-vous") && !holds("appointment"));

    let stranger = open(&world.url, OpenOptions::new(CaptionKey::random()))
        .await
        .unwrap();
    let read = stranger.captions_of(&call.id).await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");

    // Words put into another row do not open there.
    assert_eq!(world.store.captions_of(&call.id).await.unwrap().len(), 2);
    let swap = "UPDATE call_transcriptions SET text = (SELECT o.text FROM call_transcriptions o \
        WHERE o.id <> call_transcriptions.id)";
    match world.files() {
        Some((_, file)) => run(&format!("sqlite://{}", file.display()), swap).await,
        None => run(&world.url, swap).await,
    }
    let read = world.store.captions_of(&call.id).await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
}

pub(crate) async fn one_unreadable_call_does_not_hide_the_others(world: World) {
    let users = people(&world.store, &["ann"]).await;
    for number in [1, 2] {
        let call = call(number, &room(&world.store, number, &users).await);
        world.store.create_call(&call, &[]).await.unwrap();
    }
    let spoil = format!(
        "UPDATE call_sessions SET mode = 'carrier-pigeon' WHERE id = '{}'",
        call_id(1)
    );
    match world.files() {
        Some((_, file)) => run(&format!("sqlite://{}", file.display()), &spoil).await,
        None => run(&world.url, &spoil).await,
    }
    let live = world.store.live_calls().await.unwrap();
    assert_eq!(
        live.iter().map(|each| &each.call.id).collect::<Vec<_>>(),
        [&call_id(2)]
    );
    let read = world.store.call(&call_id(1)).await;
    assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
}

#[derive(Default)]
struct Operations(Mutex<Vec<&'static str>>);

impl QueryObserver for Operations {
    fn observe(&self, operation: &'static str, took: Duration) {
        assert!(took < Duration::from_secs(60));
        self.0.lock().unwrap().push(operation);
    }
}

pub(crate) async fn operations_are_timed(world: World) {
    let operations = Arc::new(Operations::default());
    let options = OpenOptions {
        observer: Some(operations.clone()),
        ..world.options()
    };
    let store = open(&world.url, options).await.unwrap();
    let room = room(&store, 1, &[]).await;
    store.create_call(&call(1, &room), &[]).await.unwrap();
    live_call_exists(store.create_call(&call(2, &room), &[]).await, &call(1, &room));
    store.ping().await.unwrap();
    let timed = operations.0.lock().unwrap().clone();
    assert_eq!(
        timed,
        ["create_conversation", "create_call", "create_call", "ping"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_its_live_calls() {
    let world = World::sqlite().await;
    let users = people(&world.store, &["ann"]).await;
    let room = room(&world.store, 1, &users).await;
    let mut call = call(1, &room);
    let seat = participant(1, &call, Person::User(users[0].id));
    world.store.create_call(&call, &[seat]).await.unwrap();
    call.status = CallStatus::Active;
    world.store.save_state(&call, &[]).await.unwrap();
    let live = world.store.live_calls().await.unwrap();

    // The files as they are while the store is open: what a kill leaves on the disk.
    let (folder, file) = world.files().unwrap();
    let left = folder.join("left");
    std::fs::create_dir(&left).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_file())
    {
        std::fs::copy(entry.path(), left.join(entry.file_name())).unwrap();
        names.push(entry.file_name().into_string().unwrap());
    }
    assert!(names.iter().any(|name| name.ends_with("-wal")), "{names:?}");
    let url = format!("sqlite://{}", left.join(file.file_name().unwrap()).display());
    let restarted = open(&url, world.options()).await.unwrap();
    assert_eq!(restarted.live_calls().await.unwrap(), live);
    assert_eq!(live[0].call.status, CallStatus::Active);
    live_call_exists(
        restarted.create_call(&crate::sample::call(2, &room), &[]).await,
        &call,
    );
}

#[tokio::test]
async fn files_are_private_and_made_only_when_opened() {
    let world = World::sqlite().await;
    let (folder, file) = world.files().unwrap();
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
    }
    assert!(file.exists());
    let absent = folder.join("absent.db");
    let url = format!("sqlite://{}", absent.display());
    let status = schema_status(&url, world.options()).await.unwrap();
    assert_eq!(versions(&status), (vec![], vec![1, 2, 3]));
    assert!(!absent.exists());
}

#[tokio::test]
async fn other_urls_are_refused() {
    let options = || OpenOptions::new(CaptionKey::random());
    for (url, expected) in [
        (
            "mongodb://user:secret@host/meeshy",
            "no store for 'mongodb:', use sqlite://, postgres:// or memory:",
        ),
        ("meeshy.db", "not a database: no scheme, like sqlite://"),
        ("sqlite://", "not a database: sqlite:// needs the path of a file"),
        (
            "sqlite::memory:",
            "not a database: use memory: for a store without a file",
        ),
    ] {
        let error = open(url, options()).await.map(drop).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let mongo = open("mongodb://host/", options()).await.map(drop);
    assert!(matches!(mongo, Err(OpenError::UnknownScheme { scheme }) if scheme == "mongodb"));
    let impatient = OpenOptions {
        patience: Duration::from_millis(200),
        ..options()
    };
    let nobody = open("postgres://meeshy@127.0.0.1:1/meeshy", impatient)
        .await
        .map(drop);
    assert!(
        matches!(nobody, Err(OpenError::Store(StoreError::Unavailable(_)))),
        "{nobody:?}"
    );
}
