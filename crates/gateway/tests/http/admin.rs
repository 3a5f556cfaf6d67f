//! What operators see and do, and that nobody else does.

use std::time::Duration;

use gateway::auth::{LoginSubject, login_token};
use reqwest::Method;
use serde_json::{Value, json};
use signalling::{Timestamp, UserId};
use store::{AuditQuery, AuditType};

use crate::face::{Auth, Face, NOBODY, SECRET, admin, service};

/// Every endpoint of operators with something it takes, and what it answers if all is well.
fn endpoints() -> Vec<(Method, &'static str, Option<Value>, u16)> {
    vec![
        (Method::GET, "/api/admin/overview", None, 200),
        (Method::GET, "/api/admin/flags", None, 200),
        (
            Method::PUT,
            "/api/admin/flags",
            Some(json!({"sfuPercent": 50})),
            200,
        ),
        // No such node: found out behind the gate.
        (Method::POST, "/api/admin/nodes/nowhere:1/drain", None, 404),
        (Method::DELETE, "/api/admin/nodes/nowhere:1/drain", None, 404),
    ]
}

#[tokio::test]
async fn operators_pass_and_nobody_else() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let group = face.group(&[&anna]).await;
    let guest = face.guest(&group, &anna).await;
    for (method, path, body, status) in endpoints() {
        let send = async |who: &Auth| {
            let body = body.as_ref().map(ToString::to_string);
            face.send(method.clone(), path, who, body).await
        };
        send(&Auth::Nobody).await.refused(401, "UNAUTHORIZED");
        send(&anna.auth).await.refused(403, "PERMISSION_DENIED");
        send(&guest).await.refused(403, "PERMISSION_DENIED");
        for operator in [admin(&anna), service()] {
            assert_eq!(send(&operator).await.status, status, "{method} {path}");
        }
    }
    let query = AuditQuery {
        event: Some(AuditType::UnauthorizedAccessAttempt),
        from: Timestamp::from_unix_millis(0),
        until: Timestamp::from_unix_millis(u64::MAX),
        limit: 100,
    };
    // Written in the background; one line for each of the three, however often they try.
    loop {
        let lines = face.store.audit(&query).await.expect("read");
        if lines.len() >= 3 {
            assert!(
                lines
                    .iter()
                    .all(|line| line.metadata["path"] == "/api/admin/overview")
            );
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_good_token_of_an_unknown_account_is_told_what_is_wrong() {
    let face = Face::start().await;
    let nobody = |subject: fn(UserId) -> LoginSubject| {
        let id = NOBODY.parse().expect("an id");
        Auth::Token(login_token(SECRET, subject(id), Duration::from_secs(60)).0)
    };
    let ask = async |auth: &Auth| {
        let answer = face.get("/api/admin/overview", auth).await;
        answer.refused(401, "UNAUTHORIZED");
        answer.body["error"].clone()
    };
    let error = ask(&nobody(LoginSubject::Admin)).await;
    assert_eq!(error["details"], json!({"reason": "account-unknown"}));
    let message = error["message"].as_str().expect("text");
    assert!(
        message.contains("unknown") && message.contains("--role gateway-service"),
        "{message}"
    );
    let error = ask(&nobody(LoginSubject::User)).await;
    assert_eq!(error["details"], json!({"reason": "account-unknown"}));
    assert!(
        !error["message"].as_str().expect("text").contains("--role"),
        "{error}"
    );
    // Who only guesses learns nothing.
    let error = ask(&Auth::Token("a.b.c".into())).await;
    assert_eq!(error["details"], Value::Null);
}

#[tokio::test]
async fn operators_are_counted_as_everybody() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let operator = admin(&anna);
    let first = face.get("/api/admin/flags", &operator).await;
    assert_eq!(first.header("x-ratelimit-limit"), Some("600"));
    for _ in 0..599 {
        face.get("/api/admin/flags", &operator).await;
    }
    let over = face.get("/api/admin/flags", &operator).await;
    over.refused(429, "RATE_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn flags_are_stored_shown_and_given_back() {
    let face = Face::start().await;
    let put = async |body: Value| face.put("/api/admin/flags", &service(), body).await.data(200);
    let config = async || face.get("/api/config", &Auth::Nobody).await.data(200);
    assert_eq!(config().await["flags"]["sfu"], true);
    let change = json!({"flags": {"sfu": false}, "sfuPercent": 25, "sfuConversations": [NOBODY]});
    let flags = put(change).await;
    assert_eq!(flags["flags"]["sfu"], json!({"on": false, "source": "stored"}));
    assert_eq!(
        flags["flags"]["simulcast"],
        json!({"on": true, "source": "setting"})
    );
    assert_eq!(
        (&flags["sfuPercent"], &flags["sfuConversations"]),
        (&json!(25), &json!([NOBODY]))
    );
    assert_eq!(face.get("/api/admin/flags", &service()).await.data(200), flags);
    assert_eq!(
        face.get("/api/admin/overview", &service()).await.data(200)["flags"],
        flags
    );
    assert_eq!(config().await["flags"]["sfu"], false);
    assert_eq!(face.store.stored_flags().await.expect("read").len(), 3);
    // Nothing said, nothing changed.
    assert_eq!(put(json!({})).await, flags);
    let back = put(json!({"flags": {"sfu": null}, "sfuPercent": null, "sfuConversations": null})).await;
    assert_eq!(back["flags"]["sfu"], json!({"on": true, "source": "setting"}));
    assert_eq!(
        (&back["sfuPercent"], &back["sfuConversations"]),
        (&json!(100), &json!([]))
    );
    assert!(face.store.stored_flags().await.expect("read").is_empty());
}

#[tokio::test]
async fn what_flags_cannot_be_is_refused_and_changes_nothing() {
    let face = Face::start().await;
    for wrong in [
        json!({"flags": {"sfuu": true}}),
        json!({"flags": {"recording": true}}),
        json!({"flags": {"sfu": "off"}}),
        json!({"flags": {"sfu": false, "nothing": false}}),
        json!({"sfuPercent": 101}),
        json!({"sfuPercent": -1}),
        json!({"sfuPercent": 1.5}),
        json!({"sfuConversations": ["x"]}),
        json!({"sfuPercents": 10}),
        json!([]),
    ] {
        let answer = face.put("/api/admin/flags", &service(), wrong.clone()).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.body);
        answer.refused(400, "INVALID_REQUEST");
    }
    assert!(face.store.stored_flags().await.expect("read").is_empty());
}

#[tokio::test]
async fn calls_are_turned_off_at_once() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let off = json!({"flags": {"video_calls": false}});
    face.put("/api/admin/flags", &service(), off).await.data(200);
    let body = json!({"conversationId": group, "type": "video"});
    let refused = face.post("/api/calls", &anna.auth, body).await;
    refused.refused(503, "SERVICE_UNAVAILABLE");
}

#[tokio::test]
async fn the_overview_tells_of_calls_and_turn_servers() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let empty = face.get("/api/admin/overview", &service()).await.data(200);
    assert_eq!((&empty["calls"], &empty["participants"]), (&json!([]), &json!(0)));
    assert_eq!(
        empty["turn"],
        json!([{"url": "turn:turn.example.org", "state": "unknown"}])
    );
    assert_eq!(
        empty["switches"],
        json!({"total": 0, "succeeded": 0, "medianMs": null, "p95Ms": null, "recent": []})
    );
    assert_eq!((&empty["draining"], &empty["nodes"]), (&json!(false), &json!([])));
    assert!(empty["startedAt"].as_str() <= empty["at"].as_str());
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    face.join(&call, &berta.auth).await.data(200);
    let seen = face.get("/api/admin/overview", &service()).await.data(200);
    assert_eq!(seen["participants"], 2);
    let shown = &seen["calls"][0];
    assert_eq!(
        (&shown["callId"], &shown["conversationId"]),
        (&json!(call), &json!(group))
    );
    assert_eq!(
        (&shown["type"], &shown["mode"], &shown["participants"]),
        (&json!("video"), &json!("p2p"), &json!(2))
    );
    assert_eq!(
        (&shown["transition"], &shown["nodeId"]),
        (&Value::Null, &Value::Null)
    );
    // Nobody's name is told.
    assert!(!seen.to_string().contains("Anna"), "{seen}");
    face.delete(&format!("/api/calls/{call}"), &anna.auth)
        .await
        .data(200);
    let over = face.get("/api/admin/overview", &service()).await.data(200);
    assert_eq!(over["calls"], json!([]));
}
