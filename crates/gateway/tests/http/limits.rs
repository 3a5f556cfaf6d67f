//! How often things may be asked.

use serde_json::json;

use crate::face::{Auth, Face, NOBODY, service};

#[tokio::test]
async fn calls_are_asked_about_a_hundred_times_in_a_quarter_of_an_hour() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let path = format!("/api/calls/{NOBODY}");
    for left in (0..100).rev() {
        let answer = face.get(&path, &anna.auth).await;
        answer.refused(404, "CALL_NOT_FOUND");
        assert_eq!(answer.header("x-ratelimit-limit"), Some("100"));
        assert_eq!(
            answer.header("x-ratelimit-remaining"),
            Some(left.to_string().as_str())
        );
        assert!(answer.header("x-ratelimit-reset").is_some());
    }
    let answer = face.get(&path, &anna.auth).await;
    answer.refused(429, "RATE_LIMIT_EXCEEDED");
    let retry = answer.body["error"]["retryAfter"].as_u64().expect("seconds");
    assert!((800..=900).contains(&retry), "{retry}");
    assert_eq!(answer.header("retry-after"), Some(retry.to_string().as_str()));
    // Others at the same address, other paths and programs have limits of their own.
    face.get(&path, &berta.auth).await.refused(404, "CALL_NOT_FOUND");
    face.get("/api/users/me", &anna.auth).await.data(200);
    for _ in 0..101 {
        face.get(&path, &service()).await.refused(404, "CALL_NOT_FOUND");
    }
}

#[tokio::test]
async fn five_calls_are_begun_in_a_minute() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let body = json!({"conversationId": NOBODY, "type": "video"});
    for _ in 0..5 {
        let answer = face.post("/api/calls", &anna.auth, body.clone()).await;
        answer.refused(404, "NOT_FOUND");
    }
    let answer = face.post("/api/calls", &anna.auth, body).await;
    answer.refused(429, "RATE_LIMIT_EXCEEDED");
    assert!(
        answer.body["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("one minute"))
    );
}

#[tokio::test]
async fn links_are_not_guessed() {
    let face = Face::start().await;
    for guess in 0..20 {
        let path = format!("/api/links/tracked/guess-{guess}");
        face.get(&path, &Auth::Nobody).await.refused(404, "NOT_FOUND");
    }
    face.get("/api/links/tracked/guess", &Auth::Nobody)
        .await
        .refused(429, "RATE_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn who_shows_bad_tokens_is_refused_for_a_while() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    for guess in 0..10 {
        let bad = Auth::Token(format!("a.b.{guess}"));
        face.get("/api/users/me", &bad).await.refused(401, "UNAUTHORIZED");
    }
    let answer = face.get("/api/users/me", &anna.auth).await;
    answer.refused(429, "RATE_LIMIT_EXCEEDED");
    let retry = answer.body["error"]["retryAfter"].as_u64().expect("seconds");
    assert!((890..=900).contains(&retry), "{retry}");
    // No token at all is no guess, and another address is another guesser.
    let elsewhere = reqwest::Client::new()
        .get(format!("{}/api/users/me", face.url))
        .header("x-forwarded-for", "203.0.113.9");
    let Auth::Token(token) = &anna.auth else {
        panic!("a login has a token");
    };
    let answer = elsewhere.bearer_auth(token).send().await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 200);
}
