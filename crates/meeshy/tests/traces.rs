//! Traces as a collector sees them: one request through gateway and media node, with ids and without secrets; and what
//! becomes of a call when there is no collector.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use gateway::auth::{LoginSubject, login_token};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

const LOGIN: &str = "the login secret of more than thirty-two bytes";
const MEDIA: &str = "the media secret, also of thirty-two bytes";
/// Longer than starting and ending take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was collected: each span with the service that sent it.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<(String, Span)>>>);

impl Collected {
    fn spans(&self) -> Vec<(String, Span)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn collect(State(collected): State<Collected>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let batch = ExportTraceServiceRequest::decode(body).expect("what a collector reads");
    let mut spans = collected.0.lock().unwrap_or_else(PoisonError::into_inner);
    for resource in batch.resource_spans {
        let about = resource.resource.unwrap_or_default().attributes;
        let service = about.iter().find(|pair| pair.key == "service.name");
        let service = service
            .and_then(|pair| text(pair.value.as_ref()?.value.as_ref()))
            .unwrap_or_default();
        let sent = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(sent.map(|span| (service.clone(), span)));
    }
}

fn text(value: Option<&Any>) -> Option<String> {
    match value? {
        Any::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let pair = span.attributes.iter().find(|pair| pair.key == key)?;
    text(pair.value.as_ref()?.value.as_ref())
}

/// A collector on loopback; its base URL.
async fn collector(collected: &Collected) -> String {
    let routes = Router::new()
        .route("/v1/traces", post(collect))
        .with_state(collected.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
    base
}

/// A process of ours that ends with the test.
struct Process {
    child: Child,
    url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn start(word: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meeshy"))
            .arg(word)
            .env_clear()
            .envs([
                ("PORT", "0"),
                ("RTC_MIN_PORT", "0"),
                ("RTC_MAX_PORT", "0"),
                ("BIND_IP", "127.0.0.1"),
            ])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out)
            .read_line(&mut line)
            .expect("it says where it is");
        let url = line.trim().rsplit_once(' ').map(|(_, url)| url.to_owned());
        Self {
            child,
            url: url.unwrap_or_else(|| panic!("no URL in {line:?}")),
        }
    }

    fn tell_to_stop(&self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs");
        assert!(told.success());
    }

    /// Ends it as an operator does who does not wait for rooms, and waits for its last words.
    fn stop(&mut self) {
        self.tell_to_stop();
        let begun = Instant::now();
        let mut told = 1;
        while begun.elapsed() < PATIENCE {
            if begun.elapsed() > Duration::from_secs(told) {
                // The first word asks for the rooms to end by themselves, another one ends them.
                self.tell_to_stop();
                told += 1;
            }
            if let Some(status) = self.child.try_wait().expect("our own child") {
                assert_eq!(status.code(), Some(0));
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

/// A gateway and a node that send every trace to this collector.
fn installation(collector: &str) -> (Process, Process) {
    let traces = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
        ("OTEL_TRACES_SAMPLER_ARG", "1"),
    ];
    let mut settings = vec![("JWT_SECRET", MEDIA)];
    settings.extend(traces);
    let node = Process::start("media", &settings);
    let mut settings = vec![
        ("JWT_SECRET", LOGIN),
        ("MEDIA_JWT_SECRET", MEDIA),
        ("DATABASE_URL", "memory:"),
        ("MEDIA_SERVER_URL", node.url.as_str()),
        (
            "TRANSCRIPTION_ENCRYPTION_KEY",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ),
    ];
    settings.extend(traces);
    let gateway = Process::start("gateway", &settings);
    (gateway, node)
}

async fn ask(gateway: &Process, path: &str, token: Option<&str>, body: Value) -> Value {
    let request = reqwest::Client::new().post(format!("{}{path}", gateway.url));
    let request = token
        .into_iter()
        .fold(request, |request, token| request.bearer_auth(token));
    let answer = request.body(body.to_string()).send().await.expect("it answers");
    let answer: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    assert_eq!(answer["success"], true, "{path}: {answer}");
    answer["data"].clone()
}

/// A call of a group whose room is on the node; gives its id and what must not be in any trace.
async fn call(gateway: &Process) -> (String, Vec<String>) {
    let mut secrets = vec![LOGIN.to_owned(), MEDIA.to_owned()];
    let mut people = Vec::new();
    for name in ["Anna", "Berta"] {
        let login = ask(gateway, "/api/auth/dev-login", None, json!({ "username": name })).await;
        let token = login["token"].as_str().expect("a token").to_owned();
        secrets.push(token.clone());
        people.push((token, login["user"]["userId"].clone()));
    }
    let (anna, berta) = (people[0].0.as_str(), people[1].0.as_str());
    let group = json!({"type": "group", "title": "Team", "memberIds": [people[1].1]});
    let group = ask(gateway, "/api/conversations", Some(anna), group).await;
    let begin = json!({"conversationId": group["conversationId"], "type": "video"});
    let call = ask(gateway, "/api/calls", Some(anna), begin).await["callId"].clone();
    let call = call.as_str().expect("an id").to_owned();
    let path = format!("/api/calls/{call}/participants");
    ask(gateway, &path, Some(berta), json!({})).await;
    (call, secrets)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_from_the_gateway_to_the_node_with_the_calls_id_and_no_secret() {
    let collected = Collected::default();
    let base = collector(&collected).await;
    let (mut gateway, mut node) = installation(&base);
    let (call, secrets) = call(&gateway).await;
    // Set by hand, the mode needs the node. Nobody's browser is there to switch: what counts is that the node is asked.
    let service_token = login_token(LOGIN, LoginSubject::Service, Duration::from_secs(600)).0;
    let mode = reqwest::Client::new()
        .put(format!("{}/api/calls/{call}/mode", gateway.url))
        .bearer_auth(&service_token)
        .timeout(PATIENCE)
        .body(json!({"mode": "sfu"}).to_string())
        .send();
    drop(mode.await.expect("it answers"));
    let create = "POST /api/rooms/{callId}/create";
    let deadline = Instant::now() + PATIENCE;
    while !collected.spans().iter().any(|(_, span)| span.name == create) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What is left is sent at the end.
    gateway.stop();
    node.stop();

    let spans = collected.spans();
    let of = |service: &str| -> Vec<Span> {
        let own = spans.iter().filter(|(from, _)| from == service);
        own.map(|(_, span)| span.clone()).collect()
    };
    let (at_gateway, at_node) = (of("meeshy-gateway"), of("meeshy-media"));
    let names: Vec<&str> = spans.iter().map(|(_, span)| span.name.as_str()).collect();
    let room = at_node
        .iter()
        .find(|span| span.name == "POST /api/rooms/{callId}/create");
    let room = room.unwrap_or_else(|| panic!("the node made no room: {names:?}"));
    assert_eq!(attribute(room, "call").as_ref(), Some(&call));
    let parent = at_gateway.iter().find(|span| span.span_id == room.parent_span_id);
    let parent = parent.unwrap_or_else(|| panic!("nobody at the gateway asked for the room: {names:?}"));
    assert_eq!(parent.trace_id, room.trace_id);
    assert_eq!(attribute(parent, "call").as_ref(), Some(&call));
    let join = "POST /api/calls/{callId}/participants";
    let joined = at_gateway
        .iter()
        .find(|span| span.name == join)
        .expect("a request");
    assert_eq!(attribute(joined, "call").as_ref(), Some(&call));
    for (service, span) in &spans {
        let shown = format!("{span:?}");
        for secret in secrets.iter().chain(std::iter::once(&service_token)) {
            assert!(
                !shown.contains(secret.as_str()),
                "a secret in a span of {service}: {}",
                span.name
            );
        }
        for word in ["eyJ", "v=0", "candidate:", "127.0.0.1", "Anna"] {
            assert!(!shown.contains(word), "{word} in a span of {service}: {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_collector_calls_go_on_and_the_end_does_not_wait_for_it() {
    // A port that was free a moment ago, and one that takes connections and never answers.
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("bound")
    };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    for address in [gone, silent.local_addr().expect("bound")] {
        let (mut gateway, mut node) = installation(&format!("http://{address}"));
        call(&gateway).await;
        gateway.stop();
        node.stop();
    }
}
