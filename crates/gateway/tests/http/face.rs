//! A gateway for one test, and people who ask it over HTTP.

use std::sync::Arc;
use std::time::Duration;

use edge::TrustedProxies;
use edge::token::Secrets;
use gateway::Gateway;
use gateway::auth::{LoginSubject, login_token};
use gateway::config::{
    DatabaseConfig, DevLogin, Environment, GatewayConfig, HttpConfig, IpHashKey, NodesConfig,
};
use gateway::flags::FlagsConfig;
use gateway::ice_servers::{IceServersConfig, TurnSecret};
use gateway::sdp::Addresses;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use store::{CaptionKey, MemoryStore, Retention, Store};
use tokio::task::JoinHandle;

pub(crate) const SECRET: &str = "a secret of more than thirty-two bytes";
/// An id that belongs to nothing.
pub(crate) const NOBODY: &str = "65a1b2c3d4e5f60718293a4b";

/// A running gateway that ends with the test.
pub(crate) struct Face {
    pub(crate) url: String,
    pub(crate) store: Arc<dyn Store>,
    http: Client,
    _gateway: Gateway,
    server: JoinHandle<()>,
}

impl Drop for Face {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// How somebody says who they are.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    Nobody,
    Token(String),
    Session(String),
}

/// Somebody with a login.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) auth: Auth,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The data of a success with this status.
    #[track_caller]
    pub(crate) fn data(self, status: u16) -> Value {
        assert_eq!(
            (self.status, &self.body["success"]),
            (status, &json!(true)),
            "{}",
            self.body
        );
        self.body["data"].clone()
    }

    /// Checks status and code of a failure, and that the envelope holds nothing else.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        let seen = (self.status, self.body["error"]["code"].as_str());
        assert_eq!(seen, (status, Some(code)), "{}", self.body);
        assert_eq!(self.body["success"], json!(false));
        assert!(
            self.body["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
        assert_eq!(self.body.as_object().map(serde_json::Map::len), Some(2));
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Face {
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Retention::default()));
        let gateway = Gateway::start(config, Arc::clone(&store))
            .await
            .expect("it starts");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let router = gateway.router(None);
        let server = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
            axum::serve(listener, service).await.expect("it serves");
        });
        Self {
            url,
            store,
            http: Client::new(),
            _gateway: gateway,
            server,
        }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, auth: &Auth, body: Option<String>) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = match auth {
            Auth::Nobody => request,
            Auth::Token(token) => request.bearer_auth(token),
            Auth::Session(session) => request.header("x-session-token", session),
        };
        let request = body.into_iter().fold(request, reqwest::RequestBuilder::body);
        let response = request.send().await.expect("it answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    pub(crate) async fn get(&self, path: &str, auth: &Auth) -> Answer {
        self.send(Method::GET, path, auth, None).await
    }

    pub(crate) async fn post(&self, path: &str, auth: &Auth, body: Value) -> Answer {
        self.send(Method::POST, path, auth, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, auth: &Auth, body: Value) -> Answer {
        self.send(Method::PUT, path, auth, Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str, auth: &Auth) -> Answer {
        self.send(Method::DELETE, path, auth, None).await
    }

    /// Somebody who has just logged in by name.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let answer = self
            .post("/api/auth/dev-login", &Auth::Nobody, json!({ "username": name }))
            .await;
        let data = answer.data(200);
        Person {
            id: data["user"]["userId"].as_str().expect("an id").to_owned(),
            auth: Auth::Token(data["token"].as_str().expect("a token").to_owned()),
        }
    }

    /// A group made by the first of these.
    pub(crate) async fn group(&self, members: &[&Person]) -> String {
        let ids: Vec<&str> = members.iter().skip(1).map(|member| member.id.as_str()).collect();
        let body = json!({"type": "group", "title": "Team", "memberIds": ids});
        let answer = self.post("/api/conversations", &members[0].auth, body).await;
        id(&answer.data(201), "conversationId")
    }

    pub(crate) async fn direct(&self, one: &Person, other: &Person) -> String {
        let body = json!({"type": "direct", "memberIds": [other.id]});
        let answer = self.post("/api/conversations", &one.auth, body).await;
        id(&answer.data(201), "conversationId")
    }

    /// A call in the conversation; gives its id.
    pub(crate) async fn call(&self, conversation: &str, by: &Person) -> String {
        let body = json!({"conversationId": conversation, "type": "video"});
        id(&self.post("/api/calls", &by.auth, body).await.data(201), "callId")
    }

    pub(crate) async fn join(&self, call: &str, who: &Auth) -> Answer {
        self.post(&format!("/api/calls/{call}/participants"), who, json!({}))
            .await
    }

    /// A guest of a group, by a fresh link of one of its members.
    pub(crate) async fn guest(&self, conversation: &str, member: &Person) -> Auth {
        let path = format!("/api/conversations/{conversation}/links");
        let link = self.post(&path, &member.auth, json!({})).await.data(201);
        let body = json!({"firstName": "Gus", "language": "en", "shareLinkId": link["linkId"]});
        let path = format!("/api/conversations/{conversation}/join-anonymous");
        let guest = self.post(&path, &Auth::Nobody, body).await.data(201);
        Auth::Session(guest["sessionToken"].as_str().expect("a session").to_owned())
    }
}

pub(crate) fn service() -> Auth {
    Auth::Token(login_token(SECRET, LoginSubject::Service, Duration::from_secs(60)).0)
}

pub(crate) fn admin(person: &Person) -> Auth {
    let id = person.id.parse().expect("an id");
    Auth::Token(login_token(SECRET, LoginSubject::Admin(id), Duration::from_secs(60)).0)
}

/// A text field of some data.
#[track_caller]
pub(crate) fn id(data: &Value, field: &str) -> String {
    data[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {data}"))
        .to_owned()
}

fn config() -> GatewayConfig {
    let secrets = Secrets {
        current: SECRET.to_owned(),
        previous: None,
    };
    GatewayConfig {
        environment: Environment::Development,
        log_level: String::new(),
        http: HttpConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            allowed_origins: vec!["https://meet.example.org".parse().expect("an origin")],
            trusted_proxies: TrustedProxies(vec!["127.0.0.1".parse().expect("an address")]),
        },
        login: secrets.clone(),
        media: secrets,
        nodes: NodesConfig {
            urls: Vec::new(),
            public_url: String::new(),
        },
        region: String::new(),
        database: DatabaseConfig {
            url: "memory:".to_owned(),
            caption_key: CaptionKey::random(),
        },
        ice: IceServersConfig {
            stun: vec!["stun:stun.example.org".into()],
            turn: vec!["turn:turn.example.org".into()],
            turn_secret: Some(TurnSecret("north".into())),
            ..IceServersConfig::default()
        },
        addresses: Addresses::All,
        calls: call::Settings::default(),
        flags: FlagsConfig::default(),
        flags_poll: Duration::from_secs(2),
        dev_login: DevLogin::On,
        rate_limit_factor: 1,
        ip_hash_key: IpHashKey("another secret of more than thirty-two bytes".to_owned()),
        video_codecs: vec!["video/VP8".into()],
    }
}
