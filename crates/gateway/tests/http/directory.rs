//! People and conversations.

use gateway::config::DevLogin;
use serde_json::{Value, json};

use crate::face::{Auth, Face, NOBODY, id};

#[tokio::test]
async fn a_name_is_enough_to_log_in_and_is_the_same_person_again() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    assert_eq!(
        face.person("anna").await.id,
        anna.id,
        "names differ by more than case"
    );
    let me = face.get("/api/users/me", &anna.auth).await.data(200);
    assert_eq!(
        me,
        json!({"userId": anna.id, "username": "Anna", "language": "en"})
    );
    let body = json!({"username": "Anna", "language": "de"});
    let again = face
        .post("/api/auth/dev-login", &Auth::Nobody, body)
        .await
        .data(200);
    assert_eq!(again["user"]["language"], "de");
}

#[tokio::test]
async fn logging_in_by_name_can_be_turned_off() {
    let face = Face::with(|config| config.dev_login = DevLogin::Off).await;
    let answer = face
        .post("/api/auth/dev-login", &Auth::Nobody, json!({"username": "Anna"}))
        .await;
    answer.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let face = Face::start().await;
    for username in [
        json!(""),
        json!("  "),
        json!("x".repeat(65)),
        json!(7),
        json!({"$ne": ""}),
        Value::Null,
    ] {
        let body = json!({ "username": username });
        let answer = face.post("/api/auth/dev-login", &Auth::Nobody, body).await;
        answer.refused(400, "INVALID_REQUEST");
    }
    let body = json!({"username": "Anna", "language": "not a language"});
    let answer = face.post("/api/auth/dev-login", &Auth::Nobody, body).await;
    answer.refused(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn people_are_found_by_how_their_name_begins() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let berta = face.person("Berta").await;
    face.person("Bertram").await;
    let found = face.get("/api/users?query=bert", &anna.auth).await.data(200);
    let names: Vec<&str> = found
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|person| person["username"].as_str())
        .collect();
    assert_eq!(names, ["Berta", "Bertram"]);
    assert_eq!(found[0]["userId"], json!(berta.id));
    assert_eq!(found[0]["online"], json!(false));
    let oneself = face.get("/api/users?query=anna", &anna.auth).await.data(200);
    assert_eq!(oneself, json!([]));
    let long = format!("/api/users?query={}", "x".repeat(65));
    face.get(&long, &anna.auth).await.refused(400, "INVALID_REQUEST");
    face.get("/api/users?query=a&query=b", &anna.auth)
        .await
        .refused(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_direct_conversation_is_made_once_and_named_after_the_other() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let conversation = face.direct(&anna, &berta).await;
    let body = json!({"type": "direct", "memberIds": [anna.id, anna.id]});
    let again = face.post("/api/conversations", &berta.auth, body).await.data(200);
    assert_eq!(id(&again, "conversationId"), conversation);
    assert_eq!(again["title"], "Anna");
    let listed = face.get("/api/conversations", &anna.auth).await.data(200);
    assert_eq!(listed[0]["title"], "Berta");
    assert_eq!(listed[0]["type"], "direct");
    assert_eq!(listed[0]["members"].as_array().map(Vec::len), Some(2));
    assert!(listed[0].get("activeCall").is_none());
}

#[tokio::test]
async fn a_group_has_a_title_and_its_maker_as_administrator() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let theirs = |list: Value| {
        (
            id(&list[0], "conversationId"),
            id(&list[0], "role"),
            id(&list[0], "title"),
        )
    };
    let listed = face.get("/api/conversations", &anna.auth).await.data(200);
    assert_eq!(theirs(listed), (group.clone(), "admin".into(), "Team".into()));
    let listed = face.get("/api/conversations", &berta.auth).await.data(200);
    assert_eq!(theirs(listed), (group.clone(), "member".into(), "Team".into()));
    face.call(&group, &anna).await;
    let listed = face.get("/api/conversations", &berta.auth).await.data(200);
    assert_eq!(listed[0]["activeCall"]["participantCount"], 1);
}

#[tokio::test]
async fn conversations_that_cannot_be_are_refused() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let table = [
        (json!({"type": "direct", "memberIds": []}), 400, "INVALID_REQUEST"),
        (
            json!({"type": "direct", "memberIds": [anna.id]}),
            400,
            "INVALID_REQUEST",
        ),
        (
            json!({"type": "direct", "memberIds": [berta.id, NOBODY]}),
            400,
            "INVALID_REQUEST",
        ),
        (
            json!({"type": "direct", "memberIds": [NOBODY]}),
            400,
            "INVALID_REQUEST",
        ),
        (
            json!({"type": "group", "memberIds": [berta.id]}),
            400,
            "INVALID_REQUEST",
        ),
        (
            json!({"type": "group", "title": "Team", "memberIds": [NOBODY]}),
            400,
            "INVALID_REQUEST",
        ),
        (
            json!({"type": "group", "title": "Team", "memberIds": ["x"]}),
            400,
            "INVALID_REQUEST",
        ),
        (
            json!({"type": "group", "title": "Team", "memberIds": {"$gt": ""}}),
            400,
            "INVALID_REQUEST",
        ),
        (
            json!({"type": "party", "title": "Team", "memberIds": []}),
            400,
            "INVALID_REQUEST",
        ),
        (json!({"title": "Team", "memberIds": []}), 400, "INVALID_REQUEST"),
        (
            json!({"type": "public", "title": "All", "memberIds": []}),
            422,
            "INVALID_CONVERSATION_TYPE",
        ),
    ];
    for (body, status, code) in table {
        face.post("/api/conversations", &anna.auth, body)
            .await
            .refused(status, code);
    }
}

#[tokio::test]
async fn who_is_not_known_sees_nothing_of_the_directory() {
    let face = Face::start().await;
    for path in [
        "/api/users/me",
        "/api/users",
        "/api/conversations",
        "/api/users/me/call-data",
    ] {
        face.get(path, &Auth::Nobody).await.refused(401, "UNAUTHORIZED");
    }
    let anna = face.person("Anna").await;
    let group = face.group(&[&anna]).await;
    let guest = face.guest(&group, &anna).await;
    for path in [
        "/api/users/me",
        "/api/users",
        "/api/conversations",
        "/api/users/me/call-data",
    ] {
        face.get(path, &guest).await.refused(403, "PERMISSION_DENIED");
    }
}

#[tokio::test]
async fn what_is_kept_of_ones_calls_can_be_had_and_erased() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    let answer = face.get("/api/users/me/call-data", &anna.auth).await;
    assert!(
        answer
            .header("content-disposition")
            .is_some_and(|value| value.starts_with("attachment"))
    );
    let exported = answer.data(200);
    assert_eq!(exported["participations"][0]["call"]["callId"], json!(call));
    let erased = face.delete("/api/users/me/call-data", &anna.auth).await.data(200);
    assert_eq!(erased["participations"], 1);
    let exported = face.get("/api/users/me/call-data", &anna.auth).await.data(200);
    assert_eq!(exported["participations"], json!([]));
    // Their part in the live call ended with it.
    let path = format!("/api/conversations/{group}/active-call");
    assert_eq!(face.get(&path, &berta.auth).await.data(200), Value::Null);
}
