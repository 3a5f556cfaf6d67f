//! A gateway for one test, and devices that talk to it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use edge::TrustedProxies;
use edge::token::Secrets;
use gateway::auth::{LoginSubject, login_token};
use gateway::config::{
    DatabaseConfig, DevLogin, Environment, GatewayConfig, HttpConfig, IpHashKey, NodesConfig,
};
use gateway::flags::{Flag, FlagsConfig};
use gateway::nodes::socket::{Incoming, SocketClient, SocketError};
use gateway::{Gateway, sdp};
use reqwest::Method;
use serde_json::{Value, json};
use signalling::client_gateway::{ConversationType, MemberRole};
use signalling::text::Text;
use signalling::{ConversationId, GuestId, ShareLinkId, Timestamp, UserId};
use store::{
    CaptionKey, Conversation, Guest, GuestRights, MemoryStore, Retention, Secret, ShareLink, Store, User,
};
use tokio::task::JoinHandle;

pub(crate) const SECRET: &str = "a secret of more than thirty-two bytes";
/// Longer than anything on loopback takes, shorter than anybody wants to wait for a failing test.
const PATIENCE: Duration = Duration::from_secs(10);

/// People and conversations that outlive a gateway.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    next: std::sync::atomic::AtomicU64,
}

/// A running gateway that ends with the test.
pub(crate) struct TestGateway {
    pub(crate) url: String,
    gateway: Option<Gateway>,
    server: JoinHandle<()>,
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Somebody with a login.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) auth: Value,
}

impl Person {
    /// What the handshake carries, good for so long.
    pub(crate) fn auth_for(&self, lifetime: Duration) -> Value {
        json!({ "token": login_token(SECRET, LoginSubject::User(self.id), lifetime) })
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new(Retention::default())),
            next: 1.into(),
        }
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    pub(crate) async fn person(&self, name: &str) -> Person {
        let id = UserId::mint(now(), self.number());
        let user = User {
            id,
            username: Text::new(name).expect("a name"),
            avatar: None,
            language: "en".to_owned(),
            created_at: now(),
        };
        self.store.ensure_user(&user).await.expect("stored");
        let token = login_token(SECRET, LoginSubject::User(id), Duration::from_secs(60));
        Person {
            id,
            auth: json!({ "token": token }),
        }
    }

    /// A conversation; the first member is its administrator.
    pub(crate) async fn conversation(&self, kind: ConversationType, members: &[&Person]) -> ConversationId {
        let id = ConversationId::mint(now(), self.number());
        let conversation = Conversation {
            id,
            identifier: format!("conversation-{id}"),
            conversation_type: kind,
            title: None,
            is_active: true,
            created_at: now(),
            updated_at: now(),
        };
        let roles = [MemberRole::Admin]
            .into_iter()
            .chain(std::iter::repeat(MemberRole::Member));
        let members: Vec<_> = members.iter().map(|person| person.id).zip(roles).collect();
        let created = self.store.create_conversation(&conversation, &members).await;
        created.expect("stored");
        id
    }

    pub(crate) async fn group(&self, members: &[&Person]) -> ConversationId {
        self.conversation(ConversationType::Group, members).await
    }

    /// A link that lets in so many guests at a time.
    pub(crate) async fn link(&self, conversation: ConversationId, most: Option<u32>) -> ShareLinkId {
        self.link_until(conversation, most, None).await
    }

    /// A link that ends.
    pub(crate) async fn link_until(
        &self,
        conversation: ConversationId,
        most: Option<u32>,
        expires_at: Option<Timestamp>,
    ) -> ShareLinkId {
        let id = ShareLinkId::mint(now(), self.number());
        let link = ShareLink {
            id,
            conversation_id: conversation,
            is_active: true,
            expires_at,
            max_uses: None,
            current_uses: 0,
            max_concurrent_users: most,
            allow_anonymous_messages: false,
            created_at: now(),
        };
        let created = self.store.create_link(&link, &Secret::random().hash()).await;
        created.expect("stored");
        id
    }

    /// A guest who came by a link; gives what the handshake carries.
    pub(crate) async fn guest(&self, conversation: ConversationId, link: ShareLinkId, name: &str) -> Value {
        let session = Secret::random();
        let guest = Guest {
            id: GuestId::mint(now(), self.number()),
            conversation_id: conversation,
            share_link_id: link,
            first_name: Text::new(name).expect("a name"),
            last_name: None,
            username: Text::new(&format!("Guest_{name}")).expect("a name"),
            language: "en".to_owned(),
            is_active: true,
            rights: GuestRights::default(),
            created_at: now(),
        };
        let created = self.store.create_guest(&guest, &session.hash()).await;
        created.expect("stored");
        json!({ "sessionToken": session.as_str() })
    }

    pub(crate) async fn gateway(&self, nodes: &[&str]) -> TestGateway {
        self.gateway_with(nodes, |_| ()).await
    }

    pub(crate) async fn gateway_with(
        &self,
        nodes: &[&str],
        change: impl FnOnce(&mut GatewayConfig),
    ) -> TestGateway {
        let mut config = config(nodes);
        change(&mut config);
        let gateway = Gateway::start(config, Arc::clone(&self.store)).await;
        let gateway = gateway.expect("the gateway starts");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let router = gateway.router(None);
        let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        let server = tokio::spawn(async move {
            axum::serve(listener, service).await.expect("it serves");
        });
        TestGateway {
            url,
            gateway: Some(gateway),
            server,
        }
    }
}

fn config(nodes: &[&str]) -> GatewayConfig {
    let secrets = Secrets {
        current: SECRET.to_owned(),
        previous: None,
    };
    GatewayConfig {
        environment: Environment::Development,
        log_level: String::new(),
        http: HttpConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            allowed_origins: Vec::new(),
            trusted_proxies: TrustedProxies(Vec::new()),
        },
        login: secrets.clone(),
        media: secrets,
        nodes: NodesConfig {
            urls: nodes.iter().map(|node| (*node).to_owned()).collect(),
            public_url: String::new(),
        },
        region: String::new(),
        database: DatabaseConfig {
            url: "memory:".to_owned(),
            caption_key: CaptionKey::random(),
        },
        ice: gateway::ice_servers::IceServersConfig::default(),
        addresses: sdp::Addresses::All,
        calls: call::Settings::default(),
        flags: FlagsConfig::default(),
        flags_poll: Duration::from_secs(2),
        dev_login: DevLogin::Off,
        rate_limit_factor: 1,
        ip_hash_key: IpHashKey("another secret of more than thirty-two bytes".to_owned()),
        video_codecs: Vec::new(),
    }
}

impl TestGateway {
    /// Connects a device and waits until it may speak.
    pub(crate) async fn device(&self, auth: &Value) -> Device {
        let mut device = self.nameless(auth).await;
        let authenticated = device.expect("authenticated").await;
        assert_eq!(authenticated["success"], true, "{authenticated}");
        device
    }

    /// Connects a device.
    pub(crate) async fn nameless(&self, auth: &Value) -> Device {
        let client = SocketClient::connect(&self.url, auth).await.expect("it connects");
        Device {
            client,
            events: VecDeque::new(),
        }
    }

    /// Asks over HTTP as a program of the installation; gives status and body.
    pub(crate) async fn http(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let token = login_token(SECRET, LoginSubject::Service, Duration::from_secs(60));
        self.http_as(&token.0, (method, path), body).await
    }

    /// As [`Self::http`], with this token.
    pub(crate) async fn http_as(
        &self,
        token: &str,
        (method, path): (Method, &str),
        body: Option<Value>,
    ) -> (u16, Value) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.url));
        let request = body
            .iter()
            .fold(request.bearer_auth(token), reqwest::RequestBuilder::json);
        let answer = request.send().await.expect("it answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    }

    /// The nodes as operators see them.
    pub(crate) async fn nodes(&self) -> Vec<Value> {
        let (status, body) = self.http(Method::GET, "/api/admin/overview", None).await;
        assert_eq!(status, 200, "{body}");
        body["data"]["nodes"].as_array().expect("a list").clone()
    }

    /// Waits until each node is seen in this state; a node says how it is once a second.
    pub(crate) async fn sees(&self, expected: &[(&str, &str)]) {
        let seen = async {
            loop {
                let nodes = self.nodes().await;
                let in_state = |(name, state): &(&str, &str)| {
                    nodes
                        .iter()
                        .any(|node| node["nodeId"] == *name && node["state"] == *state)
                };
                if nodes.len() == expected.len() && expected.iter().all(in_state) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            panic!("{expected:?} is not seen but {:?}", self.nodes().await);
        }
    }

    pub(crate) async fn turn_off_group_mode(&self) {
        let mut flags = FlagsConfig::default();
        flags.on.remove(&Flag::Sfu);
        let gateway = self.gateway.as_ref().expect("it runs");
        gateway.set_flags(flags).await;
    }

    /// Stops as by a signal; calls stay in the store.
    pub(crate) async fn stop(mut self) {
        let gateway = self.gateway.take().expect("it runs");
        self.server.abort();
        gateway.stop().await;
    }
}

/// A connection of somebody.
pub(crate) struct Device {
    client: SocketClient,
    events: VecDeque<(String, Value)>,
}

impl Device {
    /// Asks and gives the whole acknowledgement. Events that come meanwhile are kept.
    pub(crate) async fn acknowledged(&mut self, name: &str, payload: Value) -> Value {
        let request = self
            .client
            .request(name, &payload)
            .await
            .expect("it is connected");
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            let incoming = tokio::time::timeout_at(patience, self.client.next()).await;
            let incoming = incoming.unwrap_or_else(|_| panic!("{name} is not acknowledged"));
            match incoming.expect("it is connected") {
                Incoming::Acknowledgement {
                    request: answered,
                    payload,
                } if answered == request => {
                    return payload;
                }
                Incoming::Acknowledgement { .. } => {}
                Incoming::Event { name, payload } => self.events.push_back((name, payload)),
            }
        }
    }

    /// Asks for something that is done; gives the data.
    pub(crate) async fn ask(&mut self, name: &str, payload: Value) -> Value {
        let answer = self.acknowledged(name, payload).await;
        assert_eq!(answer["success"], true, "{name}: {answer}");
        answer["data"].clone()
    }

    /// Asks for something that is refused; gives the error.
    pub(crate) async fn refused(&mut self, name: &str, payload: Value) -> Value {
        let answer = self.acknowledged(name, payload).await;
        assert_eq!(answer["success"], false, "{name}: {answer}");
        answer["error"].clone()
    }

    /// Checks that something is refused with this code.
    pub(crate) async fn denied(&mut self, name: &str, payload: Value, code: &str) {
        let error = self.refused(name, payload).await;
        assert_eq!(error["code"], code, "{name}: {error}");
    }

    /// Says something without asking for an acknowledgement.
    pub(crate) async fn say(&mut self, name: &str, payload: Value) {
        self.client.emit(name, &payload).await.expect("it is connected");
    }

    /// The payload of the first event of this name that was not taken yet; others are kept.
    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        if let Some(at) = self.events.iter().position(|(event, _)| event == name) {
            return self.events.remove(at).expect("it is there").1;
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let incoming = tokio::time::timeout_at(deadline, self.client.next()).await;
            let Ok(incoming) = incoming else {
                let names: Vec<_> = self.events.iter().map(|(name, _)| name).collect();
                panic!("{name} does not come; these did: {names:?}");
            };
            match incoming.expect("it is connected") {
                Incoming::Event { name: event, payload } if event == name => return payload,
                Incoming::Event { name, payload } => self.events.push_back((name, payload)),
                Incoming::Acknowledgement { .. } => {}
            }
        }
    }

    /// Checks that no event of this name came: whatever was sent would have come before the answer to a question.
    pub(crate) async fn nothing_of(&mut self, name: &str) {
        self.acknowledged("call:retry-switch", json!({})).await;
        let found = self.events.iter().find(|(event, _)| event == name);
        assert_eq!(found, None, "{name} came");
    }

    /// Forgets what came so far.
    pub(crate) async fn forget(&mut self) {
        self.acknowledged("call:retry-switch", json!({})).await;
        self.events.clear();
    }

    /// Waits until the gateway has closed the connection.
    pub(crate) async fn closed(self) {
        self.closed_within(PATIENCE).await;
    }

    /// Waits so long until the gateway has closed the connection.
    pub(crate) async fn closed_within(mut self, patience: Duration) {
        let closed = async {
            loop {
                match self.client.next().await {
                    Ok(_) => {}
                    Err(SocketError::Closed | SocketError::Connection(_)) => return,
                    Err(error) => panic!("closed otherwise: {error}"),
                }
            }
        };
        tokio::time::timeout(patience, closed)
            .await
            .expect("it is closed");
    }

    /// Goes away.
    pub(crate) async fn vanish(self) {
        self.client.close().await;
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(std::time::SystemTime::now())
}

/// A text in some JSON.
#[track_caller]
pub(crate) fn text(json: &Value, field: &str) -> String {
    let text = json[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {json}")).to_owned()
}
