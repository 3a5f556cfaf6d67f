//! A Socket.IO client of the smallest kind: Engine.IO 4 over a WebSocket, the namespace `/`, JSON only.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Largest message taken from a server: a full room's producers with their application data stay well below.
const MAX_MESSAGE: usize = 1024 * 1024;

/// What a connection may fail of.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The server cannot be reached, or the connection broke.
    #[error("the connection failed: {0}")]
    Connection(#[from] Box<tungstenite::Error>),
    /// The server refused the handshake's `auth`.
    #[error("the server refused: {0}")]
    Refused(String),
    /// What came is not Socket.IO.
    #[error("the server speaks another protocol")]
    Protocol,
    /// The server or the client closed the connection.
    #[error("the connection is closed")]
    Closed,
    /// Nothing came for longer than the server's own ping interval and patience.
    #[error("the server is silent")]
    Silent,
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// An event.
    Event {
        /// Its name.
        name: String,
        /// Its first argument; `null` without one.
        payload: Value,
    },
    /// The answer to [`SocketClient::request`].
    Acknowledgement {
        /// What it answers.
        request: u64,
        /// Its first argument; `null` without one.
        payload: Value,
    },
}

/// A connection.
#[derive(Debug)]
pub struct SocketClient {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// After this time without a word the server is gone: it pings more often.
    patience: Duration,
    next_request: u64,
    owed_pong: bool,
}

/// Engine.IO's first packet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    ping_interval: u64,
    ping_timeout: u64,
}

#[derive(Deserialize)]
struct ConnectError {
    message: String,
}

impl SocketClient {
    /// Connects to a server, given its base URL (`http://host:port`), with the handshake's `auth`.
    ///
    /// # Errors
    /// If it cannot be reached, refuses, or speaks another protocol.
    pub async fn connect(base: &str, auth: &Value) -> Result<Self, SocketError> {
        let base = base.replacen("http", "ws", 1);
        let url = format!("{base}/socket.io/?EIO=4&transport=websocket");
        let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE));
        let (stream, _) = connect_async_with_config(url, Some(limits), true)
            .await
            .map_err(Box::new)?;
        let mut client = Self {
            stream,
            patience: Duration::from_secs(10),
            next_request: 0,
            owed_pong: false,
        };
        let open = client.packet().await?;
        let open = open.strip_prefix('0').ok_or(SocketError::Protocol)?;
        let open: Open = serde_json::from_str(open).map_err(|_| SocketError::Protocol)?;
        client.patience = Duration::from_millis(open.ping_interval.saturating_add(open.ping_timeout));
        client.write(format!("40{auth}")).await?;
        loop {
            let packet = client.packet().await?;
            if packet.starts_with("40") {
                return Ok(client);
            }
            if let Some(error) = packet.strip_prefix("44") {
                let error: ConnectError = serde_json::from_str(error).map_err(|_| SocketError::Protocol)?;
                return Err(SocketError::Refused(error.message));
            }
        }
    }

    /// Sends an event that is not acknowledged.
    ///
    /// # Errors
    /// If the connection broke.
    pub async fn emit(&mut self, name: &str, payload: &Value) -> Result<(), SocketError> {
        self.write(format!("42{}", event(name, payload))).await
    }

    /// Sends an event and asks for an acknowledgement, which will carry the number returned.
    ///
    /// # Errors
    /// If the connection broke.
    pub async fn request(&mut self, name: &str, payload: &Value) -> Result<u64, SocketError> {
        let request = self.next_request;
        self.next_request += 1;
        self.write(format!("42{request}{}", event(name, payload))).await?;
        Ok(request)
    }

    /// What comes next. May be dropped and called again without loss. Pings are answered only while it is awaited.
    ///
    /// # Errors
    /// If the connection broke or is closed.
    pub async fn next(&mut self) -> Result<Incoming, SocketError> {
        loop {
            let packet = self.packet().await?;
            if packet == "41" || packet == "1" {
                return Err(SocketError::Closed);
            }
            if let Some(incoming) = parse(&packet) {
                return Ok(incoming);
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // Gone either way.
        drop(self.stream.close(None).await);
    }

    /// The next Engine.IO packet that is not a ping.
    async fn packet(&mut self) -> Result<String, SocketError> {
        loop {
            if self.owed_pong {
                self.write("3".to_owned()).await?;
                self.owed_pong = false;
            }
            let message = tokio::time::timeout(self.patience, self.stream.next())
                .await
                .map_err(|_| SocketError::Silent)?
                .ok_or(SocketError::Closed)?
                .map_err(Box::new)?;
            match message {
                Message::Text(text) if text.as_str() == "2" => self.owed_pong = true,
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Close(_) => return Err(SocketError::Closed),
                _ => {}
            }
        }
    }

    async fn write(&mut self, packet: String) -> Result<(), SocketError> {
        self.stream
            .send(Message::text(packet))
            .await
            .map_err(|error| SocketError::Connection(Box::new(error)))
    }
}

fn event(name: &str, payload: &Value) -> Value {
    Value::Array(vec![Value::from(name), payload.clone()])
}

/// Reads an event (`42["name",payload]`) or an acknowledgement (`43<request>[payload]`).
fn parse(packet: &str) -> Option<Incoming> {
    if let Some(rest) = packet.strip_prefix("42") {
        // A server may want an acknowledgement; none of ours does.
        let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let mut arguments = arguments(rest)?;
        let Some(Value::String(name)) = arguments.next() else {
            return None;
        };
        let payload = arguments.next().unwrap_or(Value::Null);
        return Some(Incoming::Event { name, payload });
    }
    let rest = packet.strip_prefix("43")?;
    let digits = rest.find('[')?;
    let request = rest.get(..digits)?.parse().ok()?;
    let payload = arguments(rest.get(digits..)?)?.next().unwrap_or(Value::Null);
    Some(Incoming::Acknowledgement { request, payload })
}

fn arguments(text: &str) -> Option<impl Iterator<Item = Value>> {
    match serde_json::from_str(text).ok()? {
        Value::Array(arguments) => Some(arguments.into_iter()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packets_are_told_apart() {
        let event = |name: &str, payload| {
            Some(Incoming::Event {
                name: name.to_owned(),
                payload,
            })
        };
        let rows = [
            (r#"42["a",{"b":1}]"#, event("a", json!({"b": 1}))),
            (r#"4217["a",2]"#, event("a", json!(2))),
            (r#"42["a"]"#, event("a", Value::Null)),
            (
                r#"437[{"success":true}]"#,
                Some(Incoming::Acknowledgement {
                    request: 7,
                    payload: json!({"success": true}),
                }),
            ),
            (
                "4312[]",
                Some(Incoming::Acknowledgement {
                    request: 12,
                    payload: Value::Null,
                }),
            ),
            ("42", None),
            ("42[1]", None),
            ("42{}", None),
            ("43[1]", None),
            ("43x[1]", None),
            ("43", None),
            ("6", None),
            ("", None),
            ("42[\"a\"", None),
        ];
        for (packet, expected) in rows {
            assert_eq!(parse(packet), expected, "{packet}");
        }
    }
}
