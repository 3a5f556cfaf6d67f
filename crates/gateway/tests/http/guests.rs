//! Links, and what guests may and may not.

use reqwest::Method;
use serde_json::{Value, json};

use crate::face::{Auth, Face, NOBODY, Person, id};

async fn link(face: &Face, conversation: &str, by: &Person, body: Value) -> Value {
    let path = format!("/api/conversations/{conversation}/links");
    face.post(&path, &by.auth, body).await.data(201)
}

fn joining(link: &Value) -> Value {
    json!({"firstName": "Gus", "lastName": "Guest", "language": "en", "shareLinkId": link["linkId"]})
}

#[tokio::test]
async fn a_link_leads_a_guest_into_a_call() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let link = link(&face, &group, &berta, json!({})).await;
    let token = id(&link, "token");
    assert_eq!(link["path"], json!(format!("/join/{token}")));
    let tracked = face
        .get(&format!("/api/links/tracked/{token}"), &Auth::Nobody)
        .await
        .data(200);
    assert_eq!(tracked["conversationId"], json!(group));
    assert_eq!(tracked["linkId"], link["linkId"]);
    assert_eq!(tracked["title"], "Team");
    assert_eq!(
        tracked["permissions"],
        json!({"joinCalls": true, "shareScreen": false})
    );
    assert!(tracked.get("activeCall").is_none());

    let path = format!("/api/conversations/{group}/join-anonymous");
    let guest = face.post(&path, &Auth::Nobody, joining(&link)).await.data(201);
    assert_eq!(guest["username"], "Guest_Gus");
    let auth = Auth::Session(id(&guest, "sessionToken"));
    let call = face.call(&group, &anna).await;
    let tracked = face
        .get(&format!("/api/links/tracked/{token}"), &Auth::Nobody)
        .await
        .data(200);
    assert_eq!(tracked["activeCall"], json!(call));
    let joined = face.join(&call, &auth).await.data(200);
    let own = joined["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|participant| participant["participantId"] == joined["participantId"]);
    let own = own.expect("the guest is there");
    assert_eq!(
        (&own["isAnonymous"], &own["username"]),
        (&json!(true), &json!("Guest_Gus"))
    );
    assert_eq!(own["anonymousUserId"], guest["anonymousUserId"]);
    let servers = face.get("/api/ice-servers", &auth).await.data(200);
    assert!(
        servers["iceServers"]
            .as_array()
            .is_some_and(|servers| !servers.is_empty())
    );
}

#[tokio::test]
async fn guests_may_join_and_leave_and_little_else() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let other = face.group(&[&anna, &berta]).await;
    let guest = face.guest(&group, &anna).await;
    let call = face.call(&group, &anna).await;
    let path = format!("/api/calls/{call}");
    face.get(&path, &guest).await.refused(403, "PERMISSION_DENIED");
    let joined = face.join(&call, &guest).await.data(200);
    assert_eq!(face.get(&path, &guest).await.data(200)["callId"], json!(call));
    face.delete(&path, &guest).await.refused(403, "PERMISSION_DENIED");
    let seat = format!(
        "{path}/participants/{}",
        id(&joined["participants"][0], "participantId")
    );
    face.delete(&seat, &guest).await.refused(403, "PERMISSION_DENIED");
    face.put(&format!("{path}/mode"), &guest, json!({"mode": "p2p"}))
        .await
        .refused(403, "PERMISSION_DENIED");
    let active = format!("/api/conversations/{group}/active-call");
    assert_eq!(face.get(&active, &guest).await.data(200)["callId"], json!(call));
    face.get(&format!("/api/conversations/{group}/calls"), &guest)
        .await
        .refused(403, "PERMISSION_DENIED");
    face.get(&format!("/api/conversations/{other}/active-call"), &guest)
        .await
        .refused(403, "PERMISSION_DENIED");
    let links = format!("/api/conversations/{group}/links");
    face.post(&links, &guest, json!({}))
        .await
        .refused(403, "PERMISSION_DENIED");
    face.send(Method::POST, &format!("{path}/leave"), &guest, None)
        .await
        .data(200);
}

#[tokio::test]
async fn a_guest_stays_in_the_conversation_of_the_link() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let group = face.group(&[&anna, &berta]).await;
    let other = face.group(&[&anna, &berta]).await;
    let guest = face.guest(&group, &anna).await;
    let call = face.call(&other, &anna).await;
    face.join(&call, &guest).await.refused(403, "PERMISSION_DENIED");
    let path = format!("/api/conversations/{other}/join-anonymous");
    let link = link(&face, &group, &anna, json!({})).await;
    face.post(&path, &Auth::Nobody, joining(&link))
        .await
        .refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn links_end_by_time_and_by_use() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let group = face.group(&[&anna]).await;
    let path = format!("/api/conversations/{group}/join-anonymous");
    let once = link(&face, &group, &anna, json!({"maxUses": 1})).await;
    let guest = face.post(&path, &Auth::Nobody, joining(&once)).await.data(201);
    face.post(&path, &Auth::Nobody, joining(&once))
        .await
        .refused(403, "PERMISSION_DENIED");
    let tracked = format!("/api/links/tracked/{}", id(&once, "token"));
    face.get(&tracked, &Auth::Nobody)
        .await
        .refused(410, "LINK_EXPIRED");
    // Who was let in by the last use stays in.
    let call = face.call(&group, &anna).await;
    let session = Auth::Session(id(&guest, "sessionToken"));
    face.join(&call, &session).await.data(200);
    // An ended link takes those with it who came by it.
    let link: signalling::ShareLinkId = id(&once, "linkId").parse().expect("an id");
    face.store.deactivate_link(&link).await.expect("it is there");
    face.get("/api/ice-servers", &session)
        .await
        .refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_link_lets_in_so_many_at_a_time() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let group = face.group(&[&anna]).await;
    let link = link(&face, &group, &anna, json!({"maxConcurrentUsers": 1})).await;
    let path = format!("/api/conversations/{group}/join-anonymous");
    let call = face.call(&group, &anna).await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let guest = face.post(&path, &Auth::Nobody, joining(&link)).await.data(201);
        sessions.push(Auth::Session(id(&guest, "sessionToken")));
    }
    face.join(&call, &sessions[0]).await.data(200);
    face.join(&call, &sessions[1])
        .await
        .refused(403, "PERMISSION_DENIED");
    let leave = format!("/api/calls/{call}/leave");
    face.send(Method::POST, &leave, &sessions[0], None)
        .await
        .data(200);
    face.join(&call, &sessions[1]).await.data(200);
}

#[tokio::test]
async fn links_and_guests_that_are_none_are_refused() {
    let face = Face::start().await;
    let (anna, berta) = (face.person("Anna").await, face.person("Berta").await);
    let carla = face.person("Carla").await;
    let group = face.group(&[&anna, &berta]).await;
    let direct = face.direct(&anna, &berta).await;
    let links = format!("/api/conversations/{group}/links");
    face.post(&links, &carla.auth, json!({}))
        .await
        .refused(403, "PERMISSION_DENIED");
    face.post(&links, &Auth::Nobody, json!({}))
        .await
        .refused(401, "UNAUTHORIZED");
    for body in [
        json!({"maxUses": 0}),
        json!({"maxUses": -1}),
        json!({"maxUses": "one"}),
        json!({"expiresAt": "2001-01-01T00:00:00.000Z"}),
        json!({"expiresAt": "soon"}),
    ] {
        face.post(&links, &anna.auth, body)
            .await
            .refused(400, "INVALID_REQUEST");
    }
    let links = format!("/api/conversations/{direct}/links");
    face.post(&links, &anna.auth, json!({}))
        .await
        .refused(422, "INVALID_CONVERSATION_TYPE");
    let links = format!("/api/conversations/{NOBODY}/links");
    face.post(&links, &anna.auth, json!({}))
        .await
        .refused(404, "NOT_FOUND");
    face.get("/api/links/tracked/guessed", &Auth::Nobody)
        .await
        .refused(404, "NOT_FOUND");
    let long = format!("/api/links/tracked/{}", "x".repeat(129));
    face.get(&long, &Auth::Nobody).await.refused(404, "NOT_FOUND");
    let good = link(&face, &group, &anna, json!({})).await;
    let path = format!("/api/conversations/{group}/join-anonymous");
    for (field, value) in [
        ("firstName", json!("")),
        ("firstName", json!("x".repeat(65))),
        ("firstName", json!({"$ne": null})),
        ("language", json!("not a language")),
        ("shareLinkId", json!("x")),
        ("shareLinkId", Value::Null),
    ] {
        let mut body = joining(&good);
        body[field] = value;
        face.post(&path, &Auth::Nobody, body)
            .await
            .refused(400, "INVALID_REQUEST");
    }
    let mut body = joining(&good);
    body["shareLinkId"] = json!(NOBODY);
    face.post(&path, &Auth::Nobody, body)
        .await
        .refused(404, "NOT_FOUND");
}
