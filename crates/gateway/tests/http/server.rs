//! What the server is like, and what is around every answer.

use reqwest::Method;
use serde_json::json;

use crate::face::{Auth, Face};

#[tokio::test]
async fn the_configuration_tells_clients_what_to_offer() {
    let face = Face::with(|config| config.calls.max_participants = 7).await;
    let config = face.get("/api/config", &Auth::Nobody).await.data(200);
    assert_eq!(config["maxParticipants"], 7);
    assert_eq!(config["devLogin"], true);
    assert_eq!(config["hysteresisMs"], 10_000);
    assert_eq!(config["videoCodecs"], json!(["video/VP8"]));
    assert_eq!(config["flags"]["sfu"], true);
    assert_eq!(config["flags"]["recording"], false);
    assert_eq!(config["protocol"], json!(signalling::version::PROTOCOL));
}

#[tokio::test]
async fn turn_credentials_end_in_an_hour() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    face.get("/api/ice-servers", &Auth::Nobody)
        .await
        .refused(401, "UNAUTHORIZED");
    let data = face.get("/api/ice-servers", &anna.auth).await.data(200);
    let turn = &data["iceServers"][1];
    let name = turn["username"].as_str().expect("a name");
    let (ends, whose) = name.split_once(':').expect("end and user");
    assert_eq!(whose, anna.id);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let ends: u64 = ends.parse().expect("seconds");
    assert!((now + 3590..=now + 3600).contains(&ends));
    assert_eq!(turn["credential"].as_str().map(str::len), Some(28));
}

#[tokio::test]
async fn a_bandwidth_test_is_as_large_as_asked_and_cannot_be_compressed() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    face.get("/api/bandwidth-test", &Auth::Nobody)
        .await
        .refused(401, "UNAUTHORIZED");
    for query in ["bytes=0", "bytes=10000001", "bytes=many"] {
        face.get(&format!("/api/bandwidth-test?{query}"), &anna.auth)
            .await
            .refused(400, "INVALID_REQUEST");
    }
    let Auth::Token(token) = &anna.auth else {
        panic!("a login has a token");
    };
    let answer = reqwest::Client::new()
        .get(format!("{}/api/bandwidth-test?bytes=100001", face.url))
        .bearer_auth(token)
        .send()
        .await
        .expect("it answers");
    assert_eq!(answer.headers()["content-length"], "100001");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let bytes = answer.bytes().await.expect("a body");
    assert_eq!(bytes.len(), 100_001);
    let mut counts = [0_usize; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    assert!(
        counts.iter().all(|count| (200..=600).contains(count)),
        "every byte about as often"
    );
}

#[tokio::test]
async fn probes_are_answered() {
    let face = Face::start().await;
    let health = face.get("/health", &Auth::Nobody).await;
    assert_eq!(health.status, 200);
    assert_eq!(health.body["status"], "healthy");
    assert_eq!(health.body["checks"]["database"], "ok");
    let ready = face.get("/ready", &Auth::Nobody).await;
    assert_eq!((ready.status, &ready.body["status"]), (200, &json!("ready")));
}

#[tokio::test]
async fn metrics_are_for_the_internal_network() {
    let face = Face::with(|config| config.region = "eu-west".to_owned()).await;
    face.get("/api/config", &Auth::Nobody).await.data(200);
    let metrics = face.get("/metrics", &Auth::Nobody).await;
    assert_eq!(metrics.status, 200);
    let text = metrics.body.as_str().expect("text");
    for line in [
        "http_requests_total{route=\"/api/config\",method=\"GET\",status=\"200\"} 1",
        "calls_active_total 0",
    ] {
        assert!(text.lines().any(|candidate| candidate == line), "{line}");
    }
    let build = text.lines().find(|line| line.starts_with("meeshy_build_info{"));
    let build = build.expect("it says what it is");
    assert!(
        build.contains("role=\"gateway\"") && build.contains("region=\"eu-west\""),
        "{build}"
    );
    let outside = reqwest::Client::new()
        .get(format!("{}/metrics", face.url))
        .header("x-forwarded-for", "203.0.113.9")
        .send()
        .await
        .expect("it answers");
    assert_eq!(outside.status().as_u16(), 404);
}

#[tokio::test]
async fn only_listed_origins_may_ask() {
    let face = Face::start().await;
    let ask = |origin: &'static str| {
        reqwest::Client::new()
            .request(Method::OPTIONS, format!("{}/api/calls", face.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,x-session-token")
            .send()
    };
    let allowed = ask("https://meet.example.org").await.expect("it answers");
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://meet.example.org"
    );
    assert_eq!(allowed.headers()["access-control-allow-credentials"], "true");
    let headers = allowed.headers()["access-control-allow-headers"]
        .to_str()
        .expect("text");
    assert!(headers.contains("x-session-token"), "{headers}");
    for origin in [
        "https://evil.example.org",
        "null",
        "https://meet.example.org.evil.org",
    ] {
        let refused = ask(origin).await.expect("it answers");
        assert!(
            !refused.headers().contains_key("access-control-allow-origin"),
            "{origin}"
        );
    }
}

#[tokio::test]
async fn every_answer_has_security_headers_and_an_envelope() {
    let face = Face::start().await;
    let missing = face.get("/api/nothing", &Auth::Nobody).await;
    missing.refused(404, "NOT_FOUND");
    assert_eq!(missing.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(missing.header("x-frame-options"), Some("DENY"));
    let wrong = face.send(Method::PATCH, "/api/calls", &Auth::Nobody, None).await;
    wrong.refused(405, "METHOD_NOT_ALLOWED");
}
