//! Which tokens open the gateway.

use std::time::Duration;

use edge::token::{Lifetime, TokenSigner};
use serde_json::{Value, json};

use crate::face::{Auth, Face, NOBODY, SECRET};

fn signed(secret: &str, claims: &Value) -> Auth {
    let signer = TokenSigner::new(secret);
    let minted = signer.sign(Duration::from_secs(60), |Lifetime { iat, exp }| {
        let mut claims = claims.clone();
        for (name, value) in [
            ("iat", json!(iat)),
            ("exp", json!(exp)),
            ("aud", json!("gateway")),
        ] {
            if claims.get(name).is_none() {
                claims[name] = value;
            }
        }
        claims
    });
    Auth::Token(minted.token.0)
}

#[tokio::test]
async fn the_user_is_named_by_either_claim() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    for claims in [
        json!({"sub": anna.id}),
        json!({"userId": anna.id}),
        json!({"sub": anna.id, "userId": anna.id}),
        json!({"sub": anna.id, "role": "whatever"}),
    ] {
        let me = face
            .get("/api/users/me", &signed(SECRET, &claims))
            .await
            .data(200);
        assert_eq!(me["userId"], json!(anna.id), "{claims}");
    }
}

#[tokio::test]
async fn whom_another_system_vouches_for_is_entered_into_the_directory() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let stranger = signed(SECRET, &json!({"sub": NOBODY, "username": "Zoe"}));
    let me = face.get("/api/users/me", &stranger).await.data(200);
    assert_eq!((&me["userId"], &me["username"]), (&json!(NOBODY), &json!("Zoe")));
    let found = face.get("/api/users?query=zoe", &anna.auth).await.data(200);
    assert_eq!(found[0]["userId"], json!(NOBODY));
    // Nobody gets into somebody else's account by their name.
    let claims = json!({"sub": "65a1b2c3d4e5f60718293a4c", "username": "Anna"});
    face.get("/api/users/me", &signed(SECRET, &claims))
        .await
        .refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn what_proves_nothing_opens_nothing() {
    let face = Face::with(|config| config.rate_limit_factor = 100).await;
    let anna = face.person("Anna").await;
    let media = TokenSigner::new(SECRET).service(None).token.0;
    let none = {
        // {"alg":"none","typ":"JWT"} and the claims of a good token, without a signature.
        let Auth::Token(good) = &anna.auth else {
            panic!("a login has a token");
        };
        let claims = good.split('.').nth(1).expect("claims");
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")
    };
    let table = [
        ("nothing", Auth::Token(String::new())),
        ("no token", Auth::Token("hello".into())),
        ("no signature", Auth::Token(none)),
        (
            "expired",
            signed(SECRET, &json!({"sub": anna.id, "exp": 1_700_000_000})),
        ),
        ("for media nodes", Auth::Token(media)),
        (
            "another secret",
            signed("another secret of more than thirty-two", &json!({"sub": anna.id})),
        ),
        (
            "another audience",
            signed(SECRET, &json!({"sub": anna.id, "aud": "media"})),
        ),
        (
            "two audiences",
            signed(SECRET, &json!({"sub": anna.id, "aud": ["gateway", "media"]})),
        ),
        ("nobody", signed(SECRET, &json!({}))),
        ("no id", signed(SECRET, &json!({"sub": "anna"}))),
        (
            "two ids",
            signed(SECRET, &json!({"sub": anna.id, "userId": NOBODY})),
        ),
        ("somebody unknown", signed(SECRET, &json!({"sub": NOBODY}))),
        ("no session", Auth::Session("guessed".into())),
        ("an empty session", Auth::Session(String::new())),
    ];
    for (what, auth) in table {
        let answer = face.get("/api/users/me", &auth).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{what}");
    }
}

#[tokio::test]
async fn one_way_of_saying_who_one_is_at_a_time() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let group = face.group(&[&anna]).await;
    let guest = face.guest(&group, &anna).await;
    let (Auth::Token(token), Auth::Session(session)) = (&anna.auth, &guest) else {
        panic!("a login has a token and a guest a session");
    };
    let both = reqwest::Client::new()
        .get(format!("{}/api/ice-servers", face.url))
        .bearer_auth(token)
        .header("x-session-token", session)
        .send()
        .await
        .expect("it answers");
    assert_eq!(both.status().as_u16(), 401);
    let cookie = reqwest::Client::new()
        .get(format!("{}/api/ice-servers", face.url))
        .header("cookie", format!("token={token}; sessionToken={session}"))
        .send()
        .await
        .expect("it answers");
    assert_eq!(cookie.status().as_u16(), 401);
}
