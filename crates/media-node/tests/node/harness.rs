//! A node for one test, and a client to talk to it.

use std::time::Duration;

use media_node::api::auth::TokenSigner;
use media_node::config::Config;
use media_node::{Node, NodeOptions, Timings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use signalling::token::Subject;
use tokio_util::sync::CancellationToken;

pub(crate) const SECRET: &str = "a secret of more than thirty-two bytes";

/// Longer than anything on loopback takes, shorter than anybody wants to wait for a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A running node that ends with the test.
pub(crate) struct TestNode {
    pub(crate) node: Node,
    pub(crate) url: String,
    http: reqwest::Client,
    end: CancellationToken,
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.end.cancel();
        self.node.stop();
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The data of a successful answer.
    #[track_caller]
    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.body["success"], true, "{}", self.body);
        &self.body["data"]
    }

    /// Checks a successful answer that only says what was done.
    #[track_caller]
    pub(crate) fn says(&self, message: &str) {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.body, json!({"success": true, "message": message}));
    }

    /// Checks status, envelope and code of a failure.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.body["success"], false, "{}", self.body);
        assert_eq!(self.body["error"]["code"], code, "{}", self.body);
        assert!(
            self.body["error"]["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{}",
            self.body
        );
    }

    /// A string field of the data.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        self.data()[field]
            .as_str()
            .unwrap_or_else(|| panic!("no {field} in {}", self.body))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl TestNode {
    pub(crate) async fn start() -> Self {
        Self::with(|_, _| ()).await
    }

    /// A node with settings changed by `change`.
    pub(crate) async fn with(change: impl FnOnce(&mut Config, &mut NodeOptions)) -> Self {
        let mut config = Config::for_loopback(SECRET);
        let mut options = NodeOptions::default();
        change(&mut config, &mut options);
        let listener = media_node::listen(&config)
            .await
            .expect("loopback has free ports");
        let address = listener.local_addr().expect("bound");
        let node = Node::start(&config, options).expect("the node starts");
        let end = CancellationToken::new();
        let ended = end.clone();
        let router = node.router(None);
        tokio::spawn(media_node::serve(listener, router, async move {
            ended.cancelled().await
        }));
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .expect("a client");
        Self {
            node,
            url: format!("http://{address}"),
            http,
            end,
        }
    }

    /// A node whose rooms are watched by these timings.
    pub(crate) async fn with_timings(change: impl FnOnce(&mut Timings)) -> Self {
        Self::with(|_, options| change(&mut options.timings)).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the node answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(token))
            .await
    }

    pub(crate) async fn post(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::POST, path).bearer_auth(token))
            .await
    }

    pub(crate) async fn post_json(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(
            self.request(Method::POST, path)
                .bearer_auth(token)
                .body(body.to_string()),
        )
        .await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).bearer_auth(token))
            .await
    }

    /// Creates a room.
    #[track_caller]
    pub(crate) fn room(&self, call: &str) -> impl Future<Output = ()> {
        let (token, path) = (service(), format!("/api/rooms/{call}/create"));
        async move {
            self.post(&token, &path).await.data();
        }
    }

    /// A participant with a transport each way.
    pub(crate) async fn member(&self, call: &str, name: &str) -> Member<'_> {
        let mut member = Member::new(self, call, name);
        member.send = member.transport("send").await.text("transportId");
        member.recv = member.transport("recv").await.text("transportId");
        member
    }
}

/// Somebody in a call.
pub(crate) struct Member<'n> {
    node: &'n TestNode,
    pub(crate) call: String,
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) send: String,
    pub(crate) recv: String,
}

impl<'n> Member<'n> {
    pub(crate) fn new(node: &'n TestNode, call: &str, name: &str) -> Self {
        let token = participant(call, name);
        let (call, name) = (call.to_owned(), name.to_owned());
        Self {
            node,
            call,
            name,
            token,
            send: String::new(),
            recv: String::new(),
        }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/rooms/{}{rest}", self.call)
    }

    pub(crate) async fn post(&self, rest: &str) -> Answer {
        self.node.post(&self.token, &self.path(rest)).await
    }

    pub(crate) async fn post_json(&self, rest: &str, body: &Value) -> Answer {
        self.node.post_json(&self.token, &self.path(rest), body).await
    }

    pub(crate) async fn get(&self, rest: &str) -> Answer {
        self.node.get(&self.token, &self.path(rest)).await
    }

    pub(crate) async fn delete(&self, rest: &str) -> Answer {
        self.node.delete(&self.token, &self.path(rest)).await
    }

    pub(crate) async fn transport(&self, direction: &str) -> Answer {
        let body = json!({"participantId": self.name, "direction": direction});
        self.post_json("/transports", &body).await
    }

    /// Produces with this request on top of the participant's id.
    pub(crate) async fn produce(&self, request: Value) -> Answer {
        let rest = format!("/transports/{}/produce", self.send);
        self.post_json(&rest, &self.own(request)).await
    }

    pub(crate) async fn consume(&self, producer: &str, capabilities: &Value) -> Answer {
        let request = json!({"producerId": producer, "rtpCapabilities": capabilities});
        self.post_json("/consume", &self.own(request)).await
    }

    pub(crate) async fn leave(&self) -> Answer {
        self.post(&format!("/participants/{}/leave", self.name)).await
    }

    fn own(&self, mut request: Value) -> Value {
        request["participantId"] = json!(self.name);
        request
    }
}

/// A service's token for all calls.
pub(crate) fn service() -> String {
    TokenSigner::new(SECRET).service(None).token.0
}

/// A participant's token.
pub(crate) fn participant(call: &str, name: &str) -> String {
    let subject = Subject("somebody".to_owned());
    let (call, name) = (
        call.parse().expect("a call id"),
        name.parse().expect("a participant id"),
    );
    TokenSigner::new(SECRET)
        .participant(subject, call, name, Duration::from_secs(60))
        .token
        .0
}

/// Waits for something that happens by itself soon.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
