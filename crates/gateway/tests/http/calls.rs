//! Calls: what each endpoint does, refuses, and to whom.

use reqwest::Method;
use serde_json::{Value, json};

use crate::face::{Auth, Face, NOBODY, admin, id, service};

#[tokio::test]
async fn a_call_is_begun_joined_left_and_over() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let body = json!({"conversationId": group, "type": "audio"});
    let begun = face.post("/api/calls", &anna.auth, body).await.data(201);
    let call = id(&begun, "callId");
    assert_eq!(
        (begun["type"].as_str(), begun["mode"].as_str()),
        (Some("audio"), Some("p2p"))
    );
    assert_eq!(begun["initiator"]["username"], "Anna");
    assert_eq!(begun["participants"][0]["participantId"], begun["participantId"]);
    assert_eq!(
        begun["participants"][0]["videoEnabled"], false,
        "an audio call begins without pictures"
    );
    assert_eq!(begun["mediaServerConfig"], Value::Null);
    assert!(
        begun["iceServers"][1]["username"]
            .as_str()
            .is_some_and(|name| name.ends_with(&anna.id))
    );
    let path = format!("/api/conversations/{group}/active-call");
    let active = face.get(&path, &berta.auth).await.data(200);
    assert_eq!(
        (id(&active, "callId"), &active["participantCount"]),
        (call.clone(), &json!(1))
    );

    let joined = face.join(&call, &berta.auth).await.data(200);
    assert_eq!(joined["participants"].as_array().map(Vec::len), Some(2));
    assert_eq!(joined["callId"], json!(call));
    let seen = face
        .get(&format!("/api/calls/{call}"), &berta.auth)
        .await
        .data(200);
    assert_eq!((&seen["callId"], &seen["endedAt"]), (&json!(call), &Value::Null));

    let left = face
        .send(
            Method::POST,
            &format!("/api/calls/{call}/leave"),
            &berta.auth,
            None,
        )
        .await;
    let left = left.data(200);
    assert_eq!(left["participantId"], joined["participantId"]);
    assert!(left["leftAt"].is_string() && left["message"].is_string());
    let ended = face
        .delete(&format!("/api/calls/{call}"), &anna.auth)
        .await
        .data(200);
    assert_eq!(ended["callId"], json!(call));
    assert!(ended["duration"].is_u64() && ended["endedAt"].is_string());

    assert_eq!(face.get(&path, &anna.auth).await.data(200), Value::Null);
    let over = face
        .get(&format!("/api/calls/{call}"), &anna.auth)
        .await
        .data(200);
    assert_eq!(over["status"], "ended");
    face.join(&call, &berta.auth).await.refused(400, "CALL_ENDED");
}

#[tokio::test]
async fn what_is_no_call_to_begin_is_refused_before_any_work() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let group = face.group(&[&anna]).await;
    let table = [
        json!({}),
        json!([]),
        json!({"conversationId": group}),
        json!({"type": "video"}),
        json!({"conversationId": group, "type": "hologram"}),
        json!({"conversationId": 7, "type": "video"}),
        json!({"conversationId": {"$ne": null}, "type": "video"}),
        json!({"conversationId": "not an id", "type": "video"}),
        json!({"conversationId": group, "type": "video", "settings": {"audioEnabled": "yes"}}),
    ];
    let strict = Face::with(|config| config.rate_limit_factor = 100).await;
    for body in table {
        let anna = strict.person("Anna").await;
        let answer = strict.post("/api/calls", &anna.auth, body).await;
        answer.refused(400, "INVALID_REQUEST");
    }
    let answer = face
        .send(Method::POST, "/api/calls", &anna.auth, Some("{".into()))
        .await;
    answer.refused(400, "INVALID_REQUEST");
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(128 * 1024));
    let answer = face
        .send(Method::POST, "/api/calls", &anna.auth, Some(large))
        .await;
    answer.refused(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn only_members_begin_calls_and_one_at_a_time() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let carla = face.person("Carla").await;
    let group = face.group(&[&anna, &berta]).await;
    let body = |conversation: &str| json!({"conversationId": conversation, "type": "video"});
    face.post("/api/calls", &Auth::Nobody, body(&group))
        .await
        .refused(401, "UNAUTHORIZED");
    face.post("/api/calls", &carla.auth, body(&group))
        .await
        .refused(403, "PERMISSION_DENIED");
    face.post("/api/calls", &service(), body(&group))
        .await
        .refused(403, "PERMISSION_DENIED");
    face.post("/api/calls", &anna.auth, body(NOBODY))
        .await
        .refused(404, "NOT_FOUND");
    let guest = face.guest(&group, &anna).await;
    face.post("/api/calls", &guest, body(&group))
        .await
        .refused(403, "PERMISSION_DENIED");
    let call = face.call(&group, &anna).await;
    let answer = face.post("/api/calls", &berta.auth, body(&group)).await;
    answer.refused(409, "CALL_ALREADY_ACTIVE");
    assert_eq!(answer.body["error"]["details"]["callId"], json!(call));
}

#[tokio::test]
async fn ids_in_paths_are_checked() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    for path in [
        "/api/calls/x",
        "/api/calls/65a1b2c3d4e5f60718293a4z",
        "/api/calls/%7B%22$ne%22:1%7D",
    ] {
        face.get(path, &anna.auth).await.refused(400, "INVALID_REQUEST");
        face.delete(path, &anna.auth)
            .await
            .refused(400, "INVALID_REQUEST");
    }
    let path = format!("/api/calls/{NOBODY}/participants/x");
    face.delete(&path, &anna.auth)
        .await
        .refused(400, "INVALID_REQUEST");
    face.get("/api/conversations/x/calls", &anna.auth)
        .await
        .refused(400, "INVALID_REQUEST");
    face.get("/api/conversations/x/active-call", &anna.auth)
        .await
        .refused(400, "INVALID_REQUEST");
    let none = format!("/api/calls/{NOBODY}");
    face.get(&none, &anna.auth).await.refused(404, "CALL_NOT_FOUND");
    face.delete(&none, &anna.auth)
        .await
        .refused(404, "CALL_NOT_FOUND");
    face.join(NOBODY, &anna.auth).await.refused(404, "CALL_NOT_FOUND");
    let leave = format!("{none}/leave");
    face.send(Method::POST, &leave, &anna.auth, None)
        .await
        .refused(404, "CALL_NOT_FOUND");
    let body = json!({"mode": "sfu"});
    let mode = format!("{none}/mode");
    let boss = admin(&anna);
    face.put(&mode, &boss, body).await.refused(404, "CALL_NOT_FOUND");
}

#[tokio::test]
async fn knowing_a_calls_id_grants_nothing() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let carla = face.person("Carla").await;
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    let path = format!("/api/calls/{call}");
    for stranger in [&carla.auth] {
        face.get(&path, stranger).await.refused(403, "PERMISSION_DENIED");
        face.delete(&path, stranger)
            .await
            .refused(403, "PERMISSION_DENIED");
        face.join(&call, stranger).await.refused(403, "PERMISSION_DENIED");
        let history = format!("/api/conversations/{group}/calls");
        face.get(&history, stranger)
            .await
            .refused(403, "PERMISSION_DENIED");
        let active = format!("/api/conversations/{group}/active-call");
        face.get(&active, stranger)
            .await
            .refused(403, "PERMISSION_DENIED");
        let history = format!("/api/calls?conversationId={group}");
        face.get(&history, stranger)
            .await
            .refused(403, "PERMISSION_DENIED");
    }
    // A member who was never in it may know of it, but not see it whole.
    face.get(&path, &berta.auth)
        .await
        .refused(403, "PERMISSION_DENIED");
    face.delete(&path, &berta.auth)
        .await
        .refused(403, "PERMISSION_DENIED");
    assert_eq!(face.get(&path, &service()).await.data(200)["callId"], json!(call));
    assert_eq!(
        face.get(&path, &admin(&carla)).await.data(200)["callId"],
        json!(call)
    );
    face.delete(&path, &service()).await.data(200);
}

#[tokio::test]
async fn initiator_administrator_and_service_remove_others_and_nobody_else() {
    let face = Face::start().await;
    let (boss, anna) = (face.person("Boss").await, face.person("Anna").await);
    let (berta, carla) = (face.person("Berta").await, face.person("Carla").await);
    let group = face.group(&[&boss, &anna, &berta, &carla]).await;
    let call = face.call(&group, &anna).await;
    let seat = |data: &Value| format!("/api/calls/{call}/participants/{}", id(data, "participantId"));
    let berta_seat = seat(&face.join(&call, &berta.auth).await.data(200));
    // Carla is a member like any other.
    face.delete(&berta_seat, &carla.auth)
        .await
        .refused(403, "PERMISSION_DENIED");
    let removed = face.delete(&berta_seat, &anna.auth).await.data(200);
    assert!(berta_seat.ends_with(&id(&removed, "participantId")));
    let gone = face.delete(&berta_seat, &anna.auth).await;
    gone.refused(404, "PARTICIPANT_NOT_FOUND");
    // The conversation's administrator, a program, and everybody themselves.
    for remover in [&boss.auth, &service(), &berta.auth] {
        let berta_seat = seat(&face.join(&call, &berta.auth).await.data(200));
        face.delete(&berta_seat, remover).await.data(200);
    }
    face.delete(&format!("/api/calls/{call}"), &boss.auth)
        .await
        .data(200);
}

#[tokio::test]
async fn only_platform_administrators_and_services_set_the_mode() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    let path = format!("/api/calls/{call}/mode");
    face.put(&path, &anna.auth, json!({"mode": "p2p"}))
        .await
        .refused(403, "PERMISSION_DENIED");
    face.put(&path, &service(), json!({"mode": "both"}))
        .await
        .refused(400, "INVALID_REQUEST");
    let set = face
        .put(&path, &service(), json!({"mode": "p2p"}))
        .await
        .data(200);
    assert_eq!((&set["mode"], &set["callId"]), (&json!("p2p"), &json!(call)));
    let set = face
        .put(&path, &admin(&berta), json!({"mode": "p2p"}))
        .await
        .data(200);
    assert_eq!(set["mode"], "p2p");
}

#[tokio::test]
async fn services_alone_add_transcriptions() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    let seen = face
        .get(&format!("/api/calls/{call}"), &anna.auth)
        .await
        .data(200);
    let speaker = id(&seen["participants"][0], "participantId");
    let path = format!("/api/calls/{call}/transcriptions");
    let body = |change: fn(&mut Value)| {
        let mut body = json!({"participantId": speaker, "text": "Hello", "language": "en",
                              "timestamp": "2026-01-31T23:59:59.999Z", "confidenceScore": 0.9});
        change(&mut body);
        body
    };
    face.post(&path, &anna.auth, body(|_| ()))
        .await
        .refused(403, "PERMISSION_DENIED");
    let taken = face.post(&path, &service(), body(|_| ())).await.data(201);
    assert_eq!(
        (id(&taken, "transcriptionId").len(), &taken["translations"]),
        (24, &json!({}))
    );
    let changes: [fn(&mut Value); 5] = [
        |body| body["text"] = json!(""),
        |body| body["text"] = json!("x".repeat(2001)),
        |body| body["language"] = json!("no language"),
        |body| body["confidenceScore"] = json!(1.5),
        |body| body["timestamp"] = json!("yesterday"),
    ];
    for change in changes {
        face.post(&path, &service(), body(change))
            .await
            .refused(400, "INVALID_REQUEST");
    }
    let unknown = body(|body| body["participantId"] = json!(NOBODY));
    face.post(&path, &service(), unknown)
        .await
        .refused(404, "PARTICIPANT_NOT_FOUND");
    let nowhere = format!("/api/calls/{NOBODY}/transcriptions");
    face.post(&nowhere, &service(), body(|_| ()))
        .await
        .refused(404, "CALL_NOT_FOUND");
    let kept = face
        .store
        .captions_of(&call.parse().expect("an id"))
        .await
        .expect("they can be read");
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn quality_is_reported_by_who_is_in_the_call() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    let path = format!("/api/calls/{call}/quality-metrics");
    let report = json!({"packetLoss": 0.01, "jitter": 3, "rtt": 40, "bitrate": 900});
    let taken = face.post(&path, &anna.auth, report.clone()).await;
    assert_eq!(
        (taken.status, &taken.body["success"]),
        (202, &json!(true)),
        "{}",
        taken.body
    );
    face.post(&path, &berta.auth, report)
        .await
        .refused(403, "PERMISSION_DENIED");
    let nonsense = face.post(&path, &anna.auth, json!({"packetLoss": "much"})).await;
    nonsense.refused(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_body_is_an_object_even_where_all_of_it_is_optional() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let call = face.call(&group, &anna).await;
    let paths = [
        format!("/api/calls/{call}/participants"),
        format!("/api/calls/{call}/quality-metrics"),
        format!("/api/conversations/{group}/links"),
    ];
    for path in &paths {
        for body in [json!([]), json!([true]), json!("x"), json!(1), json!(null)] {
            face.post(path, &berta.auth, body)
                .await
                .refused(400, "INVALID_REQUEST");
        }
    }
    face.join(&call, &berta.auth).await.data(200);
}

#[tokio::test]
async fn a_history_has_pages_newest_first() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        let call = face.call(&group, &anna).await;
        face.delete(&format!("/api/calls/{call}"), &anna.auth)
            .await
            .data(200);
        calls.push(call);
    }
    calls.push(face.call(&group, &anna).await);
    let path = format!("/api/conversations/{group}/calls");
    let page = face
        .get(&format!("{path}?limit=2&offset=1"), &berta.auth)
        .await
        .data(200);
    let ids: Vec<String> = page["calls"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|call| id(call, "callId"))
        .collect();
    assert_eq!(
        (&page["total"], &page["limit"], &page["offset"]),
        (&json!(4), &json!(2), &json!(1))
    );
    assert_eq!(ids.len(), 2);
    let active = face
        .get(&format!("{path}?status=active"), &berta.auth)
        .await
        .data(200);
    assert_eq!(
        (&active["total"], &active["calls"][0]["callId"]),
        (&json!(1), &json!(calls[3]))
    );
    let ended = face
        .get(
            &format!("/api/calls?conversationId={group}&status=ended"),
            &anna.auth,
        )
        .await;
    let ended = ended.data(200);
    assert_eq!(ended["total"], 3);
    assert_eq!(ended["calls"][0]["outcome"], "cancelled");
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "offset=-1",
        "status=late",
        "limit=1&limit=2",
    ] {
        face.get(&format!("{path}?{query}"), &anna.auth)
            .await
            .refused(400, "INVALID_REQUEST");
    }
    face.get("/api/calls", &anna.auth)
        .await
        .refused(400, "INVALID_REQUEST");
    face.get("/api/calls?conversationId=x", &anna.auth)
        .await
        .refused(400, "INVALID_REQUEST");
}
