use std::time::UNIX_EPOCH;

use axum::http::HeaderValue;

use super::*;

const SECRET: &str = "a secret of more than thirty-two bytes";

fn secrets(previous: Option<&str>) -> Secrets {
    Secrets {
        current: SECRET.to_owned(),
        previous: previous.map(str::to_owned),
    }
}

fn verifier(previous: Option<&str>) -> Verifier {
    Verifier::new(&secrets(previous), Audience::Media, &["sub"])
}

fn call() -> CallId {
    "call-1".parse().expect("an id")
}

#[test]
fn a_minted_token_says_whom_it_is_for() {
    let verifier = verifier(None);
    let signer = TokenSigner::new(SECRET);
    let anna: ParticipantId = "anna".parse().expect("an id");
    let minted = signer.participant(
        Subject("u1".into()),
        call(),
        anna.clone(),
        Duration::from_secs(3600),
    );
    let claims: Claims = verifier.verify(&minted.token.0).expect("our own token");
    assert_eq!(claims.sub, Subject("u1".into()));
    assert_eq!(Timestamp::from_unix_seconds(claims.exp), minted.expires_at);
    assert_eq!(claims.exp - claims.iat, 3600);
    assert_eq!(
        (claims.role, claims.call_id, claims.participant_id),
        (Role::Participant, Some(call()), Some(anna))
    );
    let service = signer.service(Some(call())).token;
    let claims: Claims = verifier.verify(&service.0).expect("our own token");
    assert_eq!((claims.exp - claims.iat, claims.role), (60, Role::Service));
    assert_eq!((claims.call_id, claims.participant_id), (Some(call()), None));
}

#[test]
fn an_expired_token_is_refused_without_grace() {
    let verifier = verifier(None);
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
    assert!(verifier.verify::<Claims>(&token(now + 30)).is_ok());
    assert_eq!(
        verifier.verify::<Claims>(&token(now - 1)).map(drop),
        Err(InvalidToken)
    );
}

#[test]
fn who_comes_late_is_told_from_who_guesses() {
    let verifier = verifier(Some("the former secret, also of thirty-two bytes"));
    let late = |secret| {
        let long_ago = Timestamp::from_unix_seconds(1_700_000_000);
        let minted = TokenSigner::new(secret).sign_from(
            long_ago,
            Duration::from_secs(60),
            |Lifetime { exp, .. }| serde_json::json!({ "exp": exp, "aud": "elsewhere" }),
        );
        minted.token.0
    };
    assert!(verifier.signed(&late(SECRET)));
    assert!(verifier.signed(&late("the former secret, also of thirty-two bytes")));
    assert!(!verifier.signed(&late("another secret of more than thirty-two bytes")));
    assert!(!verifier.signed("a.b.c"));
    assert_eq!(
        verifier.verify::<Claims>(&late(SECRET)).map(drop),
        Err(InvalidToken)
    );
}

#[test]
fn other_algorithms_than_hs256_prove_nothing() {
    let verifier = verifier(None);
    let claims = |exp| {
        serde_json::json!({
            "sub": "u1", "callId": "call-1", "participantId": "p", "role": "service", "iat": 1, "exp": exp, "aud": "media",
        })
    };
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let sign = |algorithm, kid: Option<&str>| {
        let mut header = Header::new(algorithm);
        header.kid = kid.map(str::to_owned);
        encode(&header, &claims(4_000_000_000_u64), &key).expect("it can be signed")
    };
    // Which key is meant is not for the token to say: a file, a statement of SQL or another's name changes nothing.
    for kid in [None, Some("/dev/null"), Some("' OR 1=1 --"), Some("previous")] {
        assert!(
            verifier.verify::<Claims>(&sign(Algorithm::HS256, kid)).is_ok(),
            "{kid:?}"
        );
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = sign(algorithm, None);
        assert_eq!(
            verifier.verify::<Claims>(&token).map(drop),
            Err(InvalidToken),
            "{algorithm:?}"
        );
    }
    // The header says another algorithm; the signature is that of HS256 over just this.
    let good = sign(Algorithm::HS256, None);
    let claims = good.split('.').nth(1).expect("claims");
    for (algorithm, header) in [
        ("none", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"),
        ("RS256", "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"),
    ] {
        let signature =
            jsonwebtoken::crypto::sign(format!("{header}.{claims}").as_bytes(), &key, Algorithm::HS256);
        let signature = signature.expect("it can be signed");
        for token in [
            format!("{header}.{claims}.{signature}"),
            format!("{header}.{claims}."),
        ] {
            assert_eq!(
                verifier.verify::<Claims>(&token).map(drop),
                Err(InvalidToken),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn both_secrets_of_a_rotation_verify_and_one_signs() {
    let old = "the former secret, also of thirty-two bytes";
    let rotating = verifier(Some(old));
    let done = verifier(None);
    let token = TokenSigner::new(old).service(None).token;
    assert!(rotating.verify::<Claims>(&token.0).is_ok());
    assert_eq!(done.verify::<Claims>(&token.0).map(drop), Err(InvalidToken));
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

#[test]
fn a_token_for_the_other_server_opens_nothing() {
    let token = TokenSigner::new(SECRET).service(None).token;
    let gateway = Verifier::new(&secrets(None), Audience::Gateway, &[]);
    assert_eq!(gateway.verify::<Claims>(&token.0).map(drop), Err(InvalidToken));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", secrets(Some("former")));
    assert!(!shown.contains(SECRET) && !shown.contains("former"), "{shown}");
}
