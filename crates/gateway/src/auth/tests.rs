use store::{MemoryStore, Retention};

use super::*;

const SECRET: &str = "a secret of more than thirty-two bytes";
const OTHER: &str = "the media secret, also of thirty-two bytes";

fn secrets(current: &str) -> Secrets {
    Secrets {
        current: current.to_owned(),
        previous: None,
    }
}

fn authenticator() -> (Authenticator, Arc<Tokens>, Arc<dyn Store>) {
    let tokens = Arc::new(Tokens::new(&secrets(SECRET), &secrets(OTHER)));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Retention::default()));
    (
        Authenticator::new(Arc::clone(&tokens), Arc::clone(&store)),
        tokens,
        store,
    )
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

async fn anna(store: &dyn Store) -> User {
    let user = User {
        id: UserId::mint(now(), 1),
        username: Text::new("Anna").expect("a name"),
        avatar: Some("/anna.png".to_owned()),
        language: "de".to_owned(),
        created_at: now(),
    };
    store.ensure_user(&user).await.expect("stored").into_inner()
}

#[tokio::test]
async fn a_login_stands_for_the_user_as_the_directory_knows_them() {
    let (authenticator, tokens, store) = authenticator();
    let anna = anna(&*store).await;
    let minted = tokens.login(now(), anna.id);
    let proven = authenticator.user(&minted.token.0).await.expect("a good token");
    assert_eq!(proven.until, Some(minted.expires_at));
    let caller = proven.caller;
    assert_eq!(caller.person(), Some(Person::User(anna.id)));
    assert!(!caller.rules_everything());
    let identity = caller.identity().expect("a person");
    assert_eq!(
        (identity.avatar, identity.language),
        (anna.avatar, Some(anna.language))
    );
    let admin = login_token(SECRET, LoginSubject::Admin(anna.id), Duration::from_secs(60));
    let caller = authenticator.user(&admin.0).await.expect("a good token").caller;
    assert!(caller.rules_everything());
    assert_eq!(caller.user(), Some(anna.id));
    let service = login_token(SECRET, LoginSubject::Service, Duration::from_secs(60));
    let proven = authenticator.user(&service.0).await.expect("a good token");
    assert_eq!(proven.caller, Caller::Service);
    assert!(proven.until.is_some_and(|until| until > now()));
}

#[tokio::test]
async fn who_was_deleted_is_out_at_once() {
    let (authenticator, tokens, store) = authenticator();
    let anna = anna(&*store).await;
    let token = tokens.login(now(), anna.id).token;
    assert!(authenticator.user(&token.0).await.is_ok());
    store.delete_user(&anna.id).await.expect("deleted");
    let refused = authenticator.user(&token.0).await.map_err(|error| error.code);
    assert_eq!(refused, Err(ErrorCode::Unauthorized));
}

#[test]
fn media_tokens_are_for_media_nodes_and_one_participant() {
    let tokens = Tokens::new(&secrets(SECRET), &secrets(OTHER));
    let call: CallId = "65a1b2c3d4e5f60718293a4b".parse().expect("an id");
    let participant: ParticipantId = "65a1b2c3d4e5f60718293a4c".parse().expect("an id");
    let guest = Person::Guest(GuestId::mint(now(), 2));
    let minted = tokens.media(now(), &guest, &call, &participant);
    let node = Verifier::new(&secrets(OTHER), Audience::Media, &["sub"]);
    let claims: Claims = node.verify(&minted.token.0).expect("the node takes it");
    assert_eq!(
        (claims.call_id, claims.participant_id),
        (Some(call), Some(participant))
    );
    assert_eq!((claims.role, claims.exp - claims.iat), (Role::Participant, 3600));
    assert!(
        tokens.verify(&minted.token.0).is_err(),
        "it does not open the gateway"
    );
    let service: Claims = node.verify(&tokens.service_media().0).expect("the node takes it");
    assert_eq!((service.role, service.exp - service.iat), (Role::Service, 60));
    let login = tokens.login(now(), UserId::mint(now(), 3)).token;
    assert!(
        node.verify::<Claims>(&login.0).is_err(),
        "a login does not open the node"
    );
}

#[test]
fn languages_are_codes() {
    for good in ["en", "fr", "pt-BR", "zh-Hant-TW"] {
        assert!(is_language(good), "{good}");
    }
    for bad in [
        "",
        "e",
        "english please",
        "<b>",
        "en_GB!",
        "x-very-long-language-tag",
    ] {
        assert!(!is_language(bad), "{bad}");
    }
}
