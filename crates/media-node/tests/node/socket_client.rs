//! A Socket.IO client of the smallest kind: Engine.IO 4 over long polling, namespace `/`.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::harness::{PATIENCE, TestNode};

/// Separates packets in one HTTP body (Engine.IO protocol 4).
const SEPARATOR: char = '\u{1e}';

pub(crate) struct SocketClient {
    http: reqwest::Client,
    url: String,
    events: VecDeque<(String, Value)>,
    next_ack: u64,
}

impl SocketClient {
    /// Connects; fails with the message of `connect_error`.
    pub(crate) async fn connect(node: &TestNode, auth: &Value) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .expect("a client");
        let url = format!("{}/socket.io/?EIO=4&transport=polling", node.url);
        let text = http
            .get(&url)
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a body");
        let open: Value =
            serde_json::from_str(text.strip_prefix('0').expect("an open packet")).expect("JSON");
        assert_eq!(
            (&open["pingInterval"], &open["pingTimeout"]),
            (&json!(5000), &json!(5000))
        );
        let sid = open["sid"].as_str().expect("a session").to_owned();
        let url = format!("{url}&sid={sid}");
        let client = Self {
            http,
            url,
            events: VecDeque::new(),
            next_ack: 0,
        };
        client.write(format!("40{auth}")).await;
        loop {
            for packet in client.read().await {
                if packet.starts_with("40") {
                    return Ok(client);
                }
                if let Some(error) = packet.strip_prefix("44") {
                    let error: Value = serde_json::from_str(error).expect("JSON");
                    return Err(error["message"].as_str().expect("a message").to_owned());
                }
            }
        }
    }

    /// Connects with a token.
    pub(crate) async fn with_token(node: &TestNode, token: &str) -> Self {
        Self::connect(node, &json!({"token": token}))
            .await
            .expect("the token is good")
    }

    /// Emits and waits for the acknowledgement. Events that come meanwhile are kept.
    pub(crate) async fn ask(&mut self, event: &str, payload: Value) -> Value {
        let id = self.next_ack;
        self.next_ack += 1;
        self.write(format!("42{id}{}", json!([event, payload]))).await;
        let prefix = format!("43{id}");
        loop {
            let mut answer = None;
            for packet in self.read().await {
                match packet.strip_prefix(&prefix) {
                    Some(arguments) => answer = Some(arguments.to_owned()),
                    None => self.keep(&packet),
                }
            }
            if let Some(arguments) = answer {
                let arguments: Value = serde_json::from_str(&arguments).expect("JSON");
                return arguments[0].clone();
            }
        }
    }

    /// Joins a room and expects to succeed.
    pub(crate) async fn join(&mut self, call: &str, participant: Option<&str>) {
        let mut payload = json!({"callId": call});
        if let Some(participant) = participant {
            payload["participantId"] = json!(participant);
        }
        assert_eq!(self.ask("join-room", payload).await, json!({"success": true}));
    }

    /// The next event and its payload.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            for packet in self.read().await {
                self.keep(&packet);
            }
        }
    }

    /// The payload of the next event, which must have this name.
    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        let (event, payload) = self.event().await;
        assert_eq!(event, name, "{payload}");
        payload
    }

    /// The payload of the next event of this name; others are skipped.
    pub(crate) async fn await_event(&mut self, name: &str) -> Value {
        loop {
            let (event, payload) = self.event().await;
            if event == name {
                return payload;
            }
        }
    }

    /// Checks that nothing has been sent: whatever was would have come before the answer to a question.
    pub(crate) async fn expect_silence(&mut self) {
        self.ask("leave-room", json!({"callId": "no call at all"})).await;
        assert!(self.events.is_empty(), "{:?}", self.events);
    }

    /// Waits until the node has closed the connection.
    pub(crate) async fn closed(&mut self) {
        loop {
            let answer = self.http.get(&self.url).send().await.expect("an answer");
            let gone = !answer.status().is_success();
            let text = answer.text().await.expect("a body");
            if gone
                || text
                    .split(SEPARATOR)
                    .any(|packet| packet == "41" || packet == "1")
            {
                return;
            }
            if text.split(SEPARATOR).any(|packet| packet == "2") {
                self.write("3".to_owned()).await;
            }
        }
    }

    /// Goes away without a word.
    pub(crate) async fn vanish(self) {
        self.write("1".to_owned()).await;
    }

    fn keep(&mut self, packet: &str) {
        if let Some(event) = packet.strip_prefix("42") {
            let event: Value = serde_json::from_str(event).expect("JSON");
            self.events
                .push_back((event[0].as_str().expect("a name").to_owned(), event[1].clone()));
        }
    }

    async fn write(&self, packet: String) {
        let answer = self
            .http
            .post(&self.url)
            .body(packet)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The next packets; pings are answered.
    async fn read(&self) -> Vec<String> {
        let answer = self.http.get(&self.url).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        let text = answer.text().await.expect("a body");
        let mut packets: Vec<String> = text.split(SEPARATOR).map(str::to_owned).collect();
        if packets.iter().any(|packet| packet == "2") {
            self.write("3".to_owned()).await;
            packets.retain(|packet| packet != "2");
        }
        packets
    }
}
