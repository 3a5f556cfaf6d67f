//! What the operator can see of requests that were refused.

use serde_json::json;
use signalling::Timestamp;
use store::{AuditEntry, AuditQuery, AuditType};

use crate::face::{Auth, Face};

/// The lines of a kind, oldest first, as soon as there are `many`: they are written in the background.
async fn lines(face: &Face, event: AuditType, many: usize) -> Vec<AuditEntry> {
    let query = AuditQuery {
        event: Some(event),
        from: Timestamp::from_unix_millis(0),
        until: Timestamp::from_unix_millis(u64::MAX),
        limit: 10,
    };
    loop {
        let mut lines = face.store.audit(&query).await.expect("read");
        if lines.len() >= many {
            lines.reverse();
            return lines;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn refusals_are_noted_once_in_a_while_with_whom_and_what() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    let path = format!("/api/calls/{call}");

    face.get(&path, &Auth::Nobody).await.refused(401, "UNAUTHORIZED");
    for _ in 0..2 {
        let answer = face.delete(&path, &berta.auth).await;
        answer.refused(403, "PERMISSION_DENIED");
    }
    // Wrong is not forbidden, nor is what is not there.
    face.get("/api/calls/x", &anna.auth)
        .await
        .refused(400, "INVALID_REQUEST");
    face.get("/api/links/tracked/x", &Auth::Nobody)
        .await
        .refused(404, "NOT_FOUND");
    let again = json!({"conversationId": group, "type": "video"});
    for _ in 0..4 {
        let answer = face.post("/api/calls", &anna.auth, again.clone()).await;
        assert_eq!(answer.status, 409, "{}", answer.body);
    }
    face.post("/api/calls", &anna.auth, again)
        .await
        .refused(429, "RATE_LIMIT_EXCEEDED");

    let many = lines(&face, AuditType::RateLimitExceeded, 1).await;
    assert_eq!(many.len(), 1);
    assert_eq!(many[0].user.map(|user| user.to_string()), Some(anna.id));
    assert_eq!(many[0].metadata, json!({"method": "POST", "path": "/api/calls"}));
    assert_eq!(many[0].call, None);
    // Lines are written in order: there are no more than these.
    let tried = lines(&face, AuditType::UnauthorizedAccessAttempt, 2).await;
    let (users, methods): (Vec<_>, Vec<_>) = tried
        .iter()
        .map(|line| (line.user.map(|user| user.to_string()), &line.metadata["method"]))
        .unzip();
    assert_eq!(users, [None, Some(berta.id)]);
    assert_eq!(methods, [&json!("GET"), &json!("DELETE")]);
    for line in &tried {
        assert_eq!(line.metadata["path"], "/api/calls/{callId}");
        assert_eq!(line.call.as_ref().map(ToString::to_string), Some(call.clone()));
        let hash = line.ip_hash.as_deref().expect("the address is hashed");
        assert_eq!(hash.len(), 64);
    }
}

#[tokio::test]
async fn who_is_refused_for_guessing_is_noted_with_what_the_client_calls_itself() {
    let face = Face::start().await;
    let guess = || {
        reqwest::Client::new()
            .get(format!("{}/api/users/me", face.url))
            .header("user-agent", "guesser/1.0")
            .bearer_auth("a.b.c")
            .send()
    };
    for _ in 0..10 {
        assert_eq!(guess().await.expect("it answers").status().as_u16(), 401);
    }
    assert_eq!(guess().await.expect("it answers").status().as_u16(), 429);
    for event in [AuditType::UnauthorizedAccessAttempt, AuditType::RateLimitExceeded] {
        let noted = lines(&face, event, 1).await;
        assert_eq!(noted.len(), 1, "{event:?}");
        assert_eq!(noted[0].user_agent.as_deref(), Some("guesser/1.0"));
        assert_eq!(noted[0].user, None);
    }
}
