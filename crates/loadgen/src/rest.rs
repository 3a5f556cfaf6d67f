//! The media node's REST API (contract §1.3), as far as a client of it goes.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::dtls::Fingerprint;
use crate::ice::Remote;
use crate::token::Signer;

/// How long one answer may take. Nothing a node does waits for the network.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a request is repeated that came too soon after others.
const RETRIES: usize = 5;

/// Why a server did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// It cannot be reached, or does not answer in time.
    #[error("{0} does not answer: {1}")]
    Unreachable(String, #[source] reqwest::Error),
    /// It refused.
    #[error("{request} was refused: {code} ({message})")]
    Refused {
        /// Method and path.
        request: String,
        /// The contract's code, or the HTTP status of an answer without one.
        code: String,
        /// For people.
        message: String,
    },
    /// It answered something else than the contract says.
    #[error("{0} was answered strangely: {1}")]
    Strange(String, String),
}

impl RestError {
    /// Whether the server refused with this code.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }
}

/// Asks a node.
#[derive(Clone)]
pub(crate) struct Rest {
    http: reqwest::Client,
    base: String,
}

/// One call's room, and the token that opens it.
#[derive(Clone)]
pub(crate) struct Room {
    rest: Rest,
    call: String,
    token: String,
}

/// The envelope of every answer.
#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    data: Value,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    code: String,
    #[serde(default)]
    message: String,
    retry_after: Option<u64>,
}

/// A new transport.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewTransport {
    pub(crate) transport_id: String,
    ice_parameters: IceParameters,
    ice_candidates: Vec<IceCandidate>,
    dtls_parameters: DtlsParameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IceParameters {
    username_fragment: String,
    password: String,
}

#[derive(Deserialize)]
struct IceCandidate {
    ip: IpAddr,
    port: u16,
    protocol: String,
}

#[derive(Deserialize)]
struct DtlsParameters {
    fingerprints: Vec<AnnouncedFingerprint>,
}

#[derive(Deserialize)]
struct AnnouncedFingerprint {
    algorithm: String,
    value: String,
}

impl NewTransport {
    /// Whom to check; `None` if it is not to be reached over UDP.
    pub(crate) fn remote(&self) -> Option<Remote> {
        let udp = self
            .ice_candidates
            .iter()
            .filter(|candidate| candidate.protocol == "udp");
        let addresses: Vec<SocketAddr> = udp
            .map(|candidate| SocketAddr::new(candidate.ip, candidate.port))
            .collect();
        (!addresses.is_empty()).then(|| Remote {
            username_fragment: self.ice_parameters.username_fragment.clone(),
            password: self.ice_parameters.password.clone(),
            addresses,
        })
    }

    /// The certificates it may have.
    pub(crate) fn fingerprints(&self) -> Vec<Fingerprint> {
        let announced = self.dtls_parameters.fingerprints.iter();
        announced
            .map(|print| Fingerprint {
                algorithm: print.algorithm.clone(),
                value: print.value.clone(),
            })
            .collect()
    }
}

/// A new consumer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewConsumer {
    pub(crate) consumer_id: String,
    pub(crate) rtp_parameters: Value,
}

impl Rest {
    /// Asks the node at `url`.
    ///
    /// # Errors
    /// If the system has no HTTP client for us.
    pub(crate) fn new(url: &str) -> Result<Self, RestError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| RestError::Unreachable(url.to_owned(), error))?;
        Ok(Self {
            http,
            base: url.trim_end_matches('/').to_owned(),
        })
    }

    /// A call's room, as whoever has `token` may use it.
    pub(crate) fn room(&self, call: &str, token: String) -> Room {
        Room {
            rest: self.clone(),
            call: call.to_owned(),
            token,
        }
    }

    /// Creates a call's room, or finds that it exists.
    pub(crate) async fn create_room(&self, call: &str, signer: &Signer) -> Result<(), RestError> {
        let room = self.room(call, signer.service(call));
        match room.ask::<Value>(Method::POST, "/create", None).await {
            Err(error) if !error.is("ROOM_ALREADY_EXISTS") => Err(error),
            _ => Ok(()),
        }
    }

    /// Destroys a call's room; that it is gone already is as good.
    pub(crate) async fn destroy_room(&self, call: &str, signer: &Signer) -> Result<(), RestError> {
        let room = self.room(call, signer.service(call));
        match room.ask::<Value>(Method::DELETE, "", None).await {
            Err(error) if !error.is("ROOM_NOT_FOUND") => Err(error),
            _ => Ok(()),
        }
    }
}

impl Room {
    /// What the router offers.
    pub(crate) async fn capabilities(&self) -> Result<Value, RestError> {
        let mut room: Value = self.ask(Method::GET, "", None).await?;
        Ok(room["rtpCapabilities"].take())
    }

    pub(crate) async fn create_transport(
        &self,
        participant: &str,
        direction: &str,
    ) -> Result<NewTransport, RestError> {
        let body = json!({"participantId": participant, "direction": direction});
        self.ask(Method::POST, "/transports", Some(&body)).await
    }

    /// Says which certificate we have, as DTLS client.
    pub(crate) async fn connect(&self, transport: &str, own: &Fingerprint) -> Result<(), RestError> {
        let print = json!({"algorithm": own.algorithm, "value": own.value});
        let body = json!({"dtlsParameters": {"role": "client", "fingerprints": [print]}});
        let path = format!("/transports/{transport}/connect");
        self.ask::<Value>(Method::POST, &path, Some(&body))
            .await
            .map(drop)
    }

    /// Announces a track; the producer's id.
    pub(crate) async fn produce(&self, transport: &str, body: &Value) -> Result<String, RestError> {
        let path = format!("/transports/{transport}/produce");
        let producer: Value = self.ask(Method::POST, &path, Some(body)).await?;
        let id = producer["producerId"].as_str().map(str::to_owned);
        id.ok_or_else(|| RestError::Strange(format!("POST {path}"), "no producerId".to_owned()))
    }

    pub(crate) async fn consume(
        &self,
        participant: &str,
        producer: &str,
        capabilities: &Value,
    ) -> Result<NewConsumer, RestError> {
        let body =
            json!({"participantId": participant, "producerId": producer, "rtpCapabilities": capabilities});
        self.ask(Method::POST, "/consume", Some(&body)).await
    }

    /// Asks for a layer at most, where the consumer has several.
    pub(crate) async fn prefer_layer(&self, consumer: &str, layer: u8) -> Result<(), RestError> {
        let path = format!("/consumers/{consumer}/preferred-layers");
        let body = json!({"spatialLayer": layer});
        self.ask::<Value>(Method::POST, &path, Some(&body))
            .await
            .map(drop)
    }

    pub(crate) async fn resume(&self, consumer: &str) -> Result<(), RestError> {
        let path = format!("/consumers/{consumer}/resume");
        self.ask::<Value>(Method::POST, &path, None).await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        below: &str,
        body: Option<&Value>,
    ) -> Result<T, RestError> {
        let path = format!("/api/rooms/{}{below}", self.call);
        let request = format!("{method} {path}");
        for attempt in 0.. {
            let (status, envelope) = self.send(method.clone(), &path, body).await?;
            if envelope.success {
                return serde_json::from_value(envelope.data)
                    .map_err(|error| RestError::Strange(request, error.to_string()));
            }
            let refusal = envelope.error.unwrap_or_else(|| Refusal {
                code: status.to_string(),
                message: String::new(),
                retry_after: None,
            });
            match refusal.retry_after {
                Some(seconds) if attempt < RETRIES => {
                    tokio::time::sleep(Duration::from_secs(seconds.clamp(1, 60))).await;
                }
                _ => {
                    let Refusal { code, message, .. } = refusal;
                    return Err(RestError::Refused {
                        request,
                        code,
                        message,
                    });
                }
            }
        }
        unreachable!("the last attempt returns")
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Envelope), RestError> {
        let unreachable = |error| RestError::Unreachable(self.rest.base.clone(), error);
        let url = format!("{}{path}", self.rest.base);
        let request = self
            .rest
            .http
            .request(method.clone(), url)
            .bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        let envelope = serde_json::from_str(&text).map_err(|_| {
            RestError::Strange(
                format!("{method} {path}"),
                format!("{status} without the contract's envelope"),
            )
        })?;
        Ok((status, envelope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_is_read_and_only_its_udp_addresses_are_used() {
        let answer = json!({
            "transportId": "t", "sctpParameters": null,
            "iceParameters": {"usernameFragment": "u", "password": "p", "iceLite": true},
            "iceCandidates": [
                {"foundation": "a", "priority": 1, "address": "192.0.2.1", "ip": "192.0.2.1", "protocol": "tcp",
                 "port": 1, "type": "host", "tcpType": "passive"},
                {"foundation": "b", "priority": 2, "address": "2001:db8::1", "ip": "2001:db8::1",
                 "protocol": "udp", "port": 2, "type": "host"}
            ],
            "dtlsParameters": {"role": "auto", "fingerprints": [{"algorithm": "sha-256", "value": "AA"}]}
        });
        let transport: NewTransport = serde_json::from_value(answer).expect("the contract's shape");
        let remote = transport.remote().expect("a UDP address");
        assert_eq!(remote.addresses, ["[2001:db8::1]:2".parse().expect("an address")]);
        assert_eq!(remote.username_fragment, "u");
        assert_eq!(transport.fingerprints()[0].value, "AA");
    }
}
