use axum::http::{HeaderMap, HeaderValue};

use super::*;

const SECRET: &str = "a secret of more than thirty-two bytes";

fn secrets(previous: Option<&str>) -> Secrets {
    Secrets {
        current: SECRET.to_owned(),
        previous: previous.map(str::to_owned),
    }
}

fn call() -> CallId {
    "call-1".parse().expect("an id")
}

#[test]
fn a_minted_token_says_whom_it_is_for() {
    let verifier = TokenVerifier::new(&secrets(None));
    let signer = TokenSigner::new(SECRET);
    let anna: ParticipantId = "anna".parse().expect("an id");
    let minted = signer.participant(
        Subject("u1".into()),
        call(),
        anna.clone(),
        Duration::from_secs(3600),
    );
    let claims = verifier.verify(&minted.token.0).expect("our own token");
    assert_eq!(claims.sub, Subject("u1".into()));
    assert_eq!(Timestamp::from_unix_seconds(claims.exp), minted.expires_at);
    assert_eq!(claims.exp - claims.iat, 3600);
    let caller = verifier.caller(&minted.token.0);
    assert_eq!(
        caller,
        Ok(Caller::Participant {
            call: call(),
            participant: anna
        })
    );
    let service = signer.service(Some(call())).token;
    assert_eq!(
        verifier.caller(&service.0),
        Ok(Caller::Service { call: Some(call()) })
    );
    assert_eq!(
        verifier.verify(&service.0).map(|claims| claims.exp - claims.iat),
        Ok(60)
    );
}

#[test]
fn an_expired_token_is_refused_without_grace() {
    let verifier = TokenVerifier::new(&secrets(None));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let token = |exp| {
        let claims = Claims {
            sub: Subject("u1".into()),
            call_id: None,
            participant_id: None,
            role: Role::Service,
            iat: now - 100,
            exp,
            aud: Audience::Media,
        };
        encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &EncodingKey::from_secret(SECRET.as_bytes()),
        )
        .expect("it can be signed")
    };
    assert!(verifier.verify(&token(now + 30)).is_ok());
    assert_eq!(verifier.verify(&token(now - 1)).map(drop), Err(InvalidToken));
}

#[test]
fn both_secrets_of_a_rotation_verify_and_one_signs() {
    let old = "the former secret, also of thirty-two bytes";
    let rotating = TokenVerifier::new(&secrets(Some(old)));
    let done = TokenVerifier::new(&secrets(None));
    let token = TokenSigner::new(old).service(None).token;
    assert!(rotating.verify(&token.0).is_ok());
    assert_eq!(done.verify(&token.0).map(drop), Err(InvalidToken));
}

#[test]
fn the_bearer_scheme_is_read_as_http_writes_it() {
    let table = [
        ("Bearer abc", Some("abc")),
        ("bearer abc", Some("abc")),
        ("BEARER   abc ", Some("abc")),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
    ];
    for (value, expected) in table {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static(value));
        assert_eq!(bearer(&headers), expected, "{value}");
    }
    assert_eq!(bearer(&HeaderMap::new()), None);
}
