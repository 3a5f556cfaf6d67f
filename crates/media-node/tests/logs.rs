//! What a node writes to its log at `info`: what happened to which call, and nothing that opens or locates anything.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use media_node::api::auth::TokenSigner;
use media_node::config::Config;
use media_node::{Node, NodeOptions};
use serde_json::{Value, json};
use signalling::token::Subject;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

const SECRET: &str = "a secret of more than thirty-two bytes";
const ANNOUNCED: &str = "192.0.2.77";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        let text = request
            .body(body.to_string())
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a body");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// One test in this file: the subscriber is the whole process's.
#[tokio::test]
async fn neither_secrets_nor_addresses_are_logged_at_info() {
    let log = Log::default();
    let filter = EnvFilter::new("info");
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(log.clone());
    subscriber
        .try_init()
        .expect("the first subscriber of this process");

    let mut config = Config::for_loopback(SECRET);
    config.media.announced = vec![ANNOUNCED.parse().expect("an address")];
    let listener = media_node::listen(&config).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let node = Node::start(&config, NodeOptions::default()).expect("the node starts");
    let router = node.router(None);
    tokio::spawn(media_node::serve(listener, router, std::future::pending()));

    let signer = TokenSigner::new(SECRET);
    let call = || "call-1".parse().expect("an id");
    let http = reqwest::Client::new();
    let service = signer.service(None).token.0;
    let gateway = Client {
        http: http.clone(),
        url: url.clone(),
        token: service.clone(),
    };
    gateway.post("/api/rooms/call-1/create", json!(null)).await;
    let subject = Subject("user-4711".to_owned());
    let anna = "anna".parse().expect("an id");
    let token = signer
        .participant(subject, call(), anna, Duration::from_secs(60))
        .token
        .0;
    let client = Client {
        http,
        url,
        token: token.clone(),
    };
    let request = json!({"participantId": "anna", "direction": "send"});
    let created = client.post("/api/rooms/call-1/transports", request).await;
    let transport = created["data"]["transportId"]
        .as_str()
        .expect("a transport")
        .to_owned();
    let value = ["AB"; 32].join(":");
    let dtls = json!({"dtlsParameters": {"role": "client", "fingerprints": [
        {"algorithm": "sha-256", "value": value}
    ]}});
    client
        .post(&format!("/api/rooms/call-1/transports/{transport}/connect"), dtls)
        .await;
    let restarted = client
        .post(
            &format!("/api/rooms/call-1/transports/{transport}/restart-ice"),
            json!(null),
        )
        .await;
    let produced = client
        .post(&format!("/api/rooms/call-1/transports/{transport}/produce"), json!({
            "participantId": "anna", "kind": "audio", "appData": {"displayName": "Anna Secretly"},
            "rtpParameters": {
                "codecs": [{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}],
                "encodings": [{"ssrc": 7}]
            }
        }))
        .await;
    assert_eq!(produced["success"], true, "{produced}");
    client
        .post("/api/rooms/call-1/participants/anna/leave", json!(null))
        .await;
    node.drain().begin();
    node.drain().finished().await;
    node.stop();

    let text = log.text();
    for event in [
        "media node started",
        "room created",
        "transport created",
        "producer created",
        "room destroyed",
    ] {
        assert!(text.contains(event), "no `{event}` in:\n{text}");
    }
    assert!(
        text.contains(&format!("\"transport\":\"{transport}\"")),
        "ids are fields:\n{text}"
    );
    let field = |answer: &Value, name: &str| {
        answer["data"]["iceParameters"][name]
            .as_str()
            .expect("an ICE parameter")
            .to_owned()
    };
    let secrets = [
        SECRET.to_owned(),
        service,
        token,
        field(&created, "password"),
        field(&created, "usernameFragment"),
        field(&restarted, "password"),
        field(&restarted, "usernameFragment"),
        ANNOUNCED.to_owned(),
        "127.0.0.1".to_owned(),
        "user-4711".to_owned(),
        "Anna Secretly".to_owned(),
    ];
    for secret in secrets {
        assert!(!text.contains(&secret), "`{secret}` in:\n{text}");
    }
}
