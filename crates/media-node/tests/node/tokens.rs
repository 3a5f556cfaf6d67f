//! Who may do what: every endpoint against every kind of wrong token (contract §1.2).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use media_node::api::auth::TokenSigner;
use reqwest::Method;
use serde_json::{Value, json};
use signalling::client_node::Endpoint;

use crate::harness::{Member, SECRET, TestNode, participant, service};
use crate::rtp_json::{audio, dtls};

const OTHER_SECRET: &str = "another secret of more than thirty-two bytes";

/// The endpoints behind a token, with the ids of real objects in their paths.
fn guarded(call: &str, objects: &Objects) -> Vec<(Method, String)> {
    let open = [
        Endpoint::Health,
        Endpoint::Ready,
        Endpoint::Metrics,
        Endpoint::Stats,
    ];
    let endpoints = Endpoint::ALL.iter().filter(|endpoint| !open.contains(endpoint));
    let path = |endpoint: &Endpoint| {
        endpoint
            .path()
            .replace("{callId}", call)
            .replace("{transportId}", &objects.transport)
            .replace("{producerId}", &objects.producer)
            .replace("{consumerId}", &objects.consumer)
            .replace("{participantId}", "anna")
    };
    endpoints
        .map(|endpoint| (endpoint.method().parse().expect("a method"), path(endpoint)))
        .collect()
}

struct Objects {
    transport: String,
    producer: String,
    consumer: String,
}

/// A room with anna, who produces, and berta, whom she consumes.
async fn room_with_objects(node: &TestNode) -> Objects {
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    let producer = anna.produce(audio(1)).await.text("producerId");
    let other = berta.produce(audio(1)).await.text("producerId");
    let capabilities = anna.get("").await.data()["rtpCapabilities"].clone();
    let consumer = anna.consume(&other, &capabilities).await.text("consumerId");
    Objects {
        transport: anna.send.clone(),
        producer,
        consumer,
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

fn claims() -> Value {
    json!({
        "sub": "somebody", "callId": "call-1", "participantId": "anna", "role": "participant",
        "iat": now(), "exp": now() + 60, "aud": "media"
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

fn without(field: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(field);
    claims
}

fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), claims, &key).expect("it can be signed")
}

/// `{"alg":"none"}` in base64url, the claims of a good token, no signature.
fn unsigned() -> Vec<String> {
    let good = signed(&claims(), Algorithm::HS256, SECRET);
    let payload = good.split('.').nth(1).expect("three parts").to_owned();
    let headers = ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0"];
    headers
        .iter()
        .map(|header| format!("{header}.{payload}."))
        .collect()
}

#[tokio::test]
async fn tokens_that_prove_nothing_are_refused_everywhere() {
    let node = TestNode::start().await;
    let objects = room_with_objects(&node).await;
    let good = signed(&claims(), Algorithm::HS256, SECRET);
    let mut tampered = good.clone();
    tampered.replace_range(good.len() - 2.., if good.ends_with("AA") { "BB" } else { "AA" });
    let mut tokens = vec![
        (
            "expired",
            signed(&with("exp", json!(now() - 1)), Algorithm::HS256, SECRET),
        ),
        ("no expiry", signed(&without("exp"), Algorithm::HS256, SECRET)),
        (
            "for the gateway",
            signed(&with("aud", json!("gateway")), Algorithm::HS256, SECRET),
        ),
        ("for nobody", signed(&without("aud"), Algorithm::HS256, SECRET)),
        (
            "for both",
            signed(
                &with("aud", json!(["media", "gateway"])),
                Algorithm::HS256,
                SECRET,
            ),
        ),
        ("of nobody", signed(&without("sub"), Algorithm::HS256, SECRET)),
        (
            "without a call",
            signed(&without("callId"), Algorithm::HS256, SECRET),
        ),
        (
            "without a participant",
            signed(&without("participantId"), Algorithm::HS256, SECRET),
        ),
        (
            "of another role",
            signed(&with("role", json!("admin")), Algorithm::HS256, SECRET),
        ),
        (
            "of another key",
            signed(&claims(), Algorithm::HS256, OTHER_SECRET),
        ),
        ("HS384", signed(&claims(), Algorithm::HS384, SECRET)),
        ("HS512", signed(&claims(), Algorithm::HS512, SECRET)),
        ("tampered", tampered),
        ("empty", String::new()),
        ("nonsense", "a.b.c".to_owned()),
    ];
    tokens.extend(unsigned().into_iter().map(|token| ("alg none", token)));
    for (what, token) in &tokens {
        let answer = node.get(token, "/api/rooms/call-1").await;
        assert_eq!(answer.status.as_u16(), 401, "{what}: {}", answer.body);
        answer.fails(401, "UNAUTHORIZED");
    }
    // Any one of them is refused by all endpoints alike, before anything else is looked at.
    for (method, path) in guarded("call-1", &objects) {
        let answer = node
            .send(node.request(method.clone(), &path).bearer_auth(&tokens[0].1))
            .await;
        assert_eq!(answer.status.as_u16(), 401, "{method} {path}: {}", answer.body);
        let answer = node.send(node.request(method.clone(), &path)).await;
        answer.fails(401, "UNAUTHORIZED");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn other_schemes_than_bearer_are_no_token() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let good = participant("call-1", "anna");
    for (value, status) in [
        (format!("Bearer {good}"), 200),
        (format!("bearer {good}"), 200),
        (format!("Basic {good}"), 401),
        (good.clone(), 401),
        ("Bearer".to_owned(), 401),
    ] {
        let request = node
            .request(Method::GET, "/api/rooms/call-1")
            .header("authorization", &value);
        assert_eq!(node.send(request).await.status.as_u16(), status);
    }
}

#[tokio::test]
async fn a_token_opens_its_own_call_only() {
    let node = TestNode::start().await;
    let objects = room_with_objects(&node).await;
    let other = participant("call-2", "anna");
    let scoped = TokenSigner::new(SECRET)
        .service(Some("call-2".parse().expect("an id")))
        .token
        .0;
    for (method, path) in guarded("call-1", &objects) {
        if path == Endpoint::Drain.path() {
            continue;
        }
        for token in [&other, &scoped] {
            let answer = node
                .send(node.request(method.clone(), &path).bearer_auth(token))
                .await;
            assert_eq!(answer.status.as_u16(), 403, "{method} {path}: {}", answer.body);
            answer.fails(403, "FORBIDDEN");
        }
    }
}

#[tokio::test]
async fn a_participant_speaks_for_itself_only() {
    let node = TestNode::start().await;
    let objects = room_with_objects(&node).await;
    let berta = Member::new(&node, "call-1", "berta");
    let Objects {
        transport,
        producer,
        consumer,
    } = &objects;
    let (transport, producer, consumer) = (
        format!("/transports/{transport}"),
        format!("/producers/{producer}"),
        format!("/consumers/{consumer}"),
    );
    // For somebody else.
    let body = json!({"participantId": "anna", "direction": "send"});
    berta
        .post_json("/transports", &body)
        .await
        .fails(403, "FORBIDDEN");
    let capabilities = berta.get("").await.data()["rtpCapabilities"].clone();
    let body =
        json!({"participantId": "anna", "producerId": objects.producer, "rtpCapabilities": capabilities});
    berta.post_json("/consume", &body).await.fails(403, "FORBIDDEN");
    berta
        .post("/participants/anna/leave")
        .await
        .fails(403, "FORBIDDEN");
    // On somebody else's objects, also where the request names nobody.
    berta
        .post_json(&format!("{transport}/connect"), &dtls("client", "AA"))
        .await
        .fails(403, "FORBIDDEN");
    berta
        .post(&format!("{transport}/restart-ice"))
        .await
        .fails(403, "FORBIDDEN");
    let mut request = audio(7);
    request["participantId"] = json!("berta");
    berta
        .post_json(&format!("{transport}/produce"), &request)
        .await
        .fails(403, "FORBIDDEN");
    request["participantId"] = json!("anna");
    berta
        .post_json(&format!("{transport}/produce"), &request)
        .await
        .fails(403, "FORBIDDEN");
    berta.delete(&producer).await.fails(403, "FORBIDDEN");
    berta
        .post(&format!("{producer}/pause"))
        .await
        .fails(403, "FORBIDDEN");
    berta
        .post(&format!("{producer}/resume"))
        .await
        .fails(403, "FORBIDDEN");
    for action in ["resume", "pause", "request-key-frame"] {
        berta
            .post(&format!("{consumer}/{action}"))
            .await
            .fails(403, "FORBIDDEN");
    }
    let layers = json!({"spatialLayer": 0});
    berta
        .post_json(&format!("{consumer}/preferred-layers"), &layers)
        .await
        .fails(403, "FORBIDDEN");
    // Nothing happened to anna.
    assert_eq!(berta.get("").await.data()["participantCount"], 2);
    assert_eq!(
        berta.get("").await.data()["producers"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn only_services_create_destroy_and_drain() {
    let node = TestNode::start().await;
    let anna = participant("call-1", "anna");
    node.post(&anna, "/api/rooms/call-1/create")
        .await
        .fails(403, "FORBIDDEN");
    node.room("call-1").await;
    node.delete(&anna, "/api/rooms/call-1")
        .await
        .fails(403, "FORBIDDEN");
    node.post(&anna, "/api/drain").await.fails(403, "FORBIDDEN");
    node.delete(&anna, "/api/drain").await.fails(403, "FORBIDDEN");
    node.get(&anna, "/api/rooms/call-1").await.data();
}

#[tokio::test]
async fn a_service_passes_every_check_of_ownership() {
    let node = TestNode::start().await;
    let objects = room_with_objects(&node).await;
    let token = service();
    let path = |rest: String| format!("/api/rooms/call-1{rest}");
    let Objects {
        transport,
        producer,
        consumer,
    } = &objects;
    let body = dtls("client", "AA");
    node.post_json(&token, &path(format!("/transports/{transport}/connect")), &body)
        .await
        .says("Transport connected");
    node.post(&token, &path(format!("/producers/{producer}/pause")))
        .await
        .says("Producer paused");
    node.post(&token, &path(format!("/consumers/{consumer}/resume")))
        .await
        .says("Consumer resumed");
    node.delete(&token, &path(format!("/producers/{producer}")))
        .await
        .says("Producer closed");
    node.post(&token, &path("/participants/anna/leave".to_owned()))
        .await
        .says("Participant left room");
}

#[tokio::test]
async fn a_former_secret_is_good_while_it_is_rotated_out() {
    let node = TestNode::with(|config, _| {
        config.secrets.current = OTHER_SECRET.to_owned();
        config.secrets.previous = Some(SECRET.to_owned());
    })
    .await;
    let new = TokenSigner::new(OTHER_SECRET)
        .service_for(None, Duration::from_secs(9))
        .token
        .0;
    node.post(&new, "/api/rooms/call-1/create").await.data();
    node.get(&service(), "/api/rooms/call-1").await.data();
    let unknown = TokenSigner::new("a third secret of more than thirty-two bytes")
        .service(None)
        .token
        .0;
    node.get(&unknown, "/api/rooms/call-1")
        .await
        .fails(401, "UNAUTHORIZED");
}
