//! What protects the gateway whoever asks: headers, origins, sizes, shapes, and what answers must not tell.

use edge::TrustedProxies;
use gateway::config::Environment;
use reqwest::Method;
use serde_json::{Value, json};

use crate::face::{Auth, Face, NOBODY};

/// The first request of a Socket.IO client that polls.
const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
/// One origin is allowed; these are not it.
const FOREIGN: [&str; 9] = [
    "https://evil.example.org",
    "null",
    "*",
    "http://meet.example.org",
    "https://meet.example.org:8443",
    "https://meet.example.org.evil.org",
    "https://evilmeet.example.org",
    "https://evil.org/https://meet.example.org",
    "https://meet.example.org@evil.org",
];
const ALLOWED: &str = "https://meet.example.org";

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_browsers() {
    for (environment, https) in [(Environment::Production, true), (Environment::Development, false)] {
        let face = Face::with(|config| config.environment = environment).await;
        let anna = face.person("Anna").await;
        let large = "x".repeat(200 * 1024);
        let answers = [
            ("data", face.get("/api/users/me", &anna.auth).await, 200),
            ("no token", face.get("/api/users/me", &Auth::Nobody).await, 401),
            ("no such path", face.get("/api/nothing", &Auth::Nobody).await, 404),
            (
                "no such method",
                face.send(Method::PATCH, "/api/calls", &Auth::Nobody, None).await,
                405,
            ),
            (
                "too large",
                face.send(Method::POST, "/api/calls", &anna.auth, Some(large))
                    .await,
                413,
            ),
            (
                "a media node's room",
                face.get("/api/rooms/x", &Auth::Nobody).await,
                404,
            ),
            (
                "a socket's handshake",
                face.get(HANDSHAKE, &Auth::Nobody).await,
                200,
            ),
            (
                "a socket that is none",
                face.get("/socket.io/?EIO=4&transport=polling&sid=x", &Auth::Nobody)
                    .await,
                400,
            ),
            ("health", face.get("/health", &Auth::Nobody).await, 200),
        ];
        for (what, answer, status) in answers {
            assert_eq!(answer.status, status, "{what}: {}", answer.body);
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{what}");
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{what}");
            let policy = answer.header("content-security-policy").expect("a policy");
            assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{what}");
            let strict = answer.header("strict-transport-security");
            assert_eq!(strict.is_some(), https, "{what}: {strict:?}");
            assert!(strict.is_none_or(|value| value.starts_with("max-age=63072000")));
            assert_eq!(answer.header("set-cookie"), None, "{what}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_read_nothing_also_not_of_sockets() {
    let face = Face::start().await;
    let ask = async |method: Method, path: &str, origin: &str| {
        let request = reqwest::Client::new()
            .request(method, format!("{}{path}", face.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let answer = request.send().await.expect("it answers");
        let allowed = answer.headers().get("access-control-allow-origin");
        allowed.map(|value| value.to_str().expect("text").to_owned())
    };
    for path in [
        "/api/config",
        "/api/users/me",
        "/api/nothing",
        "/api/rooms/x",
        HANDSHAKE,
        "/health",
    ] {
        for method in [Method::OPTIONS, Method::GET] {
            for origin in FOREIGN {
                let allowed = ask(method.clone(), path, origin).await;
                assert_eq!(allowed, None, "{method} {path} from {origin}");
            }
            let allowed = ask(method.clone(), path, ALLOWED).await;
            assert_eq!(allowed.as_deref(), Some(ALLOWED), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn without_a_list_no_other_origin_is_allowed_at_all() {
    let face = Face::with(|config| config.http.allowed_origins.clear()).await;
    for origin in FOREIGN.iter().chain([&ALLOWED]) {
        let request = reqwest::Client::new().get(format!("{}{HANDSHAKE}", face.url));
        let answer = request
            .header("origin", *origin)
            .send()
            .await
            .expect("it answers");
        assert!(
            !answer.headers().contains_key("access-control-allow-origin"),
            "{origin}"
        );
    }
}

#[tokio::test]
async fn a_message_has_its_size() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let body = |size: usize| {
        Some(json!({"conversationId": NOBODY, "type": "video", "x": "x".repeat(size)}).to_string())
    };
    let fits = face
        .send(Method::POST, "/api/calls", &anna.auth, body(100 * 1024))
        .await;
    fits.refused(404, "NOT_FOUND");
    let large = face
        .send(Method::POST, "/api/calls", &anna.auth, body(128 * 1024))
        .await;
    large.refused(413, "PAYLOAD_TOO_LARGE");
    // Over a socket likewise, whoever it is.
    let open = face.get(HANDSHAKE, &Auth::Nobody).await;
    let open = open
        .body
        .as_str()
        .and_then(|text| text.strip_prefix('0'))
        .map(str::to_owned);
    let open: Value = serde_json::from_str(&open.expect("an open packet")).expect("JSON");
    assert_eq!(open["maxPayload"], 128 * 1024);
    let path = format!("{HANDSHAKE}&sid={}", open["sid"].as_str().expect("a session"));
    let packet = format!("40{}", json!({"token": "x".repeat(128 * 1024)}));
    let answer = face.send(Method::POST, &path, &Auth::Nobody, Some(packet)).await;
    assert_eq!(answer.status, 413, "{}", answer.body);
}

#[tokio::test]
async fn objects_are_no_scalars_and_operators_are_nothing() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let operator = json!({"$ne": null});
    let bodies = [
        ("/api/auth/dev-login", json!({"username": operator})),
        ("/api/auth/dev-login", json!({"username": ["Anna"]})),
        ("/api/calls", json!({"conversationId": operator, "type": "video"})),
        ("/api/calls", json!({"conversationId": NOBODY, "type": operator})),
        (
            "/api/calls",
            json!({"conversationId": NOBODY, "type": {"$gt": ""}}),
        ),
        (
            "/api/conversations",
            json!({"type": "direct", "memberIds": [operator]}),
        ),
        (
            "/api/conversations",
            json!({"type": "direct", "memberIds": operator}),
        ),
        (
            "/api/conversations",
            json!({"type": "group", "title": operator, "memberIds": []}),
        ),
        ("/api/calls", json!([NOBODY, "video"])),
    ];
    for (path, body) in bodies {
        let answer = face.post(path, &anna.auth, body.clone()).await;
        answer.refused(400, "INVALID_REQUEST");
    }
    for path in [
        "/api/calls/%7B%22$ne%22:null%7D",
        "/api/calls/65a1b2c3d4e5f60718293a4b%00",
        "/api/calls/..%2F..%2Fetc%2Fpasswd",
    ] {
        let answer = face.get(path, &anna.auth).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    }
    // Search for people takes text as text.
    for query in ["%25", "_", ".*", "[$ne]=", "'%20OR%201=1--"] {
        let found = face.get(&format!("/api/users?query={query}"), &anna.auth).await;
        assert!(
            found.status == 200 || found.status == 400,
            "{query}: {}",
            found.body
        );
        assert!(
            !found.body.to_string().contains("Anna"),
            "{query}: {}",
            found.body
        );
    }
}

#[tokio::test]
async fn answers_tell_nothing_of_the_inside() {
    let face = Face::start().await;
    let anna = face.person("Anna").await;
    let bodies = [
        "{",
        "{\"type\":1e999}",
        "\u{0}",
        "[[[[",
        "{\"conversationId\":\"\\ud800\"}",
        "nul",
    ];
    for body in bodies {
        let answer = face
            .send(Method::POST, "/api/calls", &anna.auth, Some(body.to_owned()))
            .await;
        let told = answer.body.to_string();
        answer.refused(400, "INVALID_REQUEST");
        for inside in [
            "gateway::",
            "signalling::",
            "serde",
            "panicked",
            ".rs",
            "/root",
            "/work",
            "127.0.0.1",
            "sqlite",
        ] {
            assert!(!told.contains(inside), "{body:?} is answered with {told}");
        }
    }
    let answer = face.get("/api/nothing", &anna.auth).await;
    assert_eq!(answer.header("server"), None);
    assert_eq!(answer.header("x-powered-by"), None);
}

#[tokio::test]
async fn no_header_leads_around_a_ban() {
    // Nobody is trusted: every claim about an address is ignored.
    let face = Face::with(|config| config.http.trusted_proxies = TrustedProxies(Vec::new())).await;
    assert_eq!(guess(&face, |guess| format!("203.0.113.{guess}")).await, 429);
    // The proxy is trusted: what stands to the left of its own word is the client's claim.
    let face = Face::start().await;
    assert_eq!(
        guess(&face, |guess| format!("203.0.113.{guess}, 198.51.100.7")).await,
        429
    );
    // A subscriber has a whole network.
    let face = Face::start().await;
    assert_eq!(
        guess(&face, |guess| format!("2001:db8:1:2:{guess}::{guess}")).await,
        429
    );
    // Different clients behind the proxy are different clients.
    let face = Face::start().await;
    assert_eq!(guess(&face, |guess| format!("203.0.113.{guess}")).await, 401);
}

/// Guesses ten times, each with the address that is claimed for it; gives what the eleventh is answered.
async fn guess(face: &Face, claimed: impl Fn(u8) -> String) -> u16 {
    let mut status = 0;
    for guess in 1..=11 {
        let request = reqwest::Client::new()
            .get(format!("{}/api/users/me", face.url))
            .header("x-forwarded-for", claimed(guess))
            .bearer_auth("a.b.c");
        status = request.send().await.expect("it answers").status().as_u16();
        if guess <= 10 {
            assert_eq!(status, 401, "{guess}");
        }
    }
    status
}

#[tokio::test]
async fn a_connection_that_never_says_anything_is_dropped() {
    let face = Face::start().await;
    let open = face.get(HANDSHAKE, &Auth::Nobody).await;
    let open = open
        .body
        .as_str()
        .and_then(|text| text.strip_prefix('0'))
        .map(str::to_owned);
    let open: Value = serde_json::from_str(&open.expect("an open packet")).expect("JSON");
    let path = format!("{HANDSHAKE}&sid={}", open["sid"].as_str().expect("a session"));
    let dropped = async {
        loop {
            // It answers pings as a living client does, and joins nothing.
            let answer = face.get(&path, &Auth::Nobody).await;
            if answer.status != 200 || answer.body.to_string().contains('1') {
                return;
            }
            face.send(Method::POST, &path, &Auth::Nobody, Some("3".to_owned()))
                .await;
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, dropped)
        .await
        .expect("it is dropped");
}
