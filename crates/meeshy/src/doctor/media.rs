//! Do the media ports of a running node answer? A room is made, a participant asks for a transport, and every
//! candidate is checked as a browser checks it.

use std::net::SocketAddr;
use std::time::Duration;

use edge::tls::client::Trust;
use edge::token::{Secrets, TokenSigner};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use signalling::token::Subject;
use signalling::{CallId, ParticipantId};
use turn_check::{Asking, IceCredentials, Transport, binding};

use super::finding::Finding;
use super::network::Running;
use super::{Patient, Role, blocking};
use crate::ask::{Request, Scheme, Server};
use crate::lan;

const NAME: &str = "media.answer";
/// How long what the check makes may live at most.
const LIFETIME: Duration = Duration::from_secs(60);

/// The nodes that can be asked: the own one while it runs, or those the gateway is told of.
pub(super) async fn look(patient: &Patient, running: Running) -> Vec<Finding> {
    let (nodes, secrets) = match nodes(patient, running) {
        Ok(nodes) => nodes,
        Err(finding) => return finding.into_iter().collect(),
    };
    let mut findings = Vec::new();
    for node in nodes {
        let secrets = secrets.clone();
        let asked = node.clone();
        let found = match blocking(move || Room::open(&asked, &secrets)).await {
            Some(Ok(room)) => {
                let found = candidates(&room, &patient.asking).await;
                let _ = blocking(move || room.close()).await;
                found
            }
            Some(Err(refusal)) => vec![refusal.finding(&node)],
            None => Vec::new(),
        };
        findings.extend(found);
    }
    findings
}

type Nodes = (Vec<Server>, Secrets);

/// Where the nodes are, or what to say instead.
fn nodes(patient: &Patient, running: Running) -> Result<Nodes, Option<Finding>> {
    let idle = || {
        Finding::ok(
            NAME,
            "the server does not run: start it and look again to have its media ports asked",
        )
    };
    match (patient.role, &patient.node, &patient.gateway) {
        (Role::Serve, _, Some(gateway)) => {
            if running == Running::No {
                return Err(Some(idle()));
            }
            let node = patient.told.data.node_address();
            let node = node.ok_or_else(|| {
                let message = "a server runs, but not from this DATA_DIR: its media ports cannot be asked";
                Some(Finding::warning(NAME, message).remedy("set DATA_DIR as for the server"))
            })?;
            Ok((
                vec![Server::here(Scheme::Http, node.port())],
                gateway.media.clone(),
            ))
        }
        (Role::Media, Some(node), _) => {
            if running == Running::No {
                return Err(Some(idle()));
            }
            let secure = patient.told.tls.files().ok().flatten().is_some();
            let scheme = if secure {
                Scheme::Https(Trust::Anybody)
            } else {
                Scheme::Http
            };
            Ok((
                vec![Server::here(scheme, node.http.listen.port())],
                node.secrets.clone(),
            ))
        }
        (Role::Gateway, _, Some(gateway)) => {
            let nodes = gateway
                .nodes
                .urls
                .iter()
                .filter_map(|url| Server::of(url).ok())
                .collect();
            Ok((nodes, gateway.media.clone()))
        }
        _ => Err(None),
    }
}

/// A room of the doctor's own, on one node.
struct Room {
    node: Server,
    path: String,
    token: String,
    transport: NewTransport,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewTransport {
    ice_parameters: IceParameters,
    ice_candidates: Vec<IceCandidate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IceParameters {
    username_fragment: String,
    password: String,
}

#[derive(Clone, Deserialize)]
struct IceCandidate {
    ip: String,
    port: u16,
    protocol: String,
}

/// Why a node was of no use.
enum Refusal {
    Silent(String),
    Status { status: u16, code: String },
    Strange,
}

impl Refusal {
    fn finding(self, node: &Server) -> Finding {
        let place = node.authority();
        match self {
            Self::Silent(reason) => Finding::problem(
                NAME,
                format!("the media node at {place} does not answer: {reason}"),
            )
            .remedy("start it, or set MEDIA_SERVER_URL to where it is"),
            Self::Status {
                status: 401 | 403, ..
            } => Finding::problem(
                NAME,
                format!("the media node at {place} does not accept our tokens"),
            )
            .remedy("set MEDIA_JWT_SECRET of the gateway to JWT_SECRET of the node, and both clocks right"),
            Self::Status { status: 503, .. } => Finding::warning(
                NAME,
                format!("the media node at {place} takes no new rooms: its ports were not asked"),
            )
            .remedy("wait until calls have ended, or raise MAX_ROOMS"),
            Self::Status { status, code } => {
                Finding::problem(NAME, format!("the media node at {place} answers {status} {code}"))
            }
            Self::Strange => Finding::problem(NAME, format!("what answers at {place} is no media node"))
                .remedy("set MEDIA_SERVER_URL to where the node is"),
        }
    }
}

impl Room {
    /// Makes the room and a transport in it.
    fn open(node: &Server, secrets: &Secrets) -> Result<Self, Refusal> {
        let name = format!("doctor-{}", edge::random::hex(&edge::random::bytes::<8>()));
        let call: CallId = name.parse().map_err(|_| Refusal::Strange)?;
        let somebody: ParticipantId = "doctor".parse().map_err(|_| Refusal::Strange)?;
        let signer = TokenSigner::new(&secrets.current);
        let service = signer.service_for(Some(call.clone()), LIFETIME).token.0;
        let subject = Subject("doctor".to_owned());
        let token = signer.participant(subject, call, somebody, LIFETIME).token.0;
        let path = format!("/api/rooms/{name}");
        let create = format!("{path}/create");
        ask::<serde_json::Value>(node, &create, &service, "")?;
        let body = r#"{"participantId":"doctor","direction":"recv"}"#;
        let transport = ask::<Envelope<NewTransport>>(node, &format!("{path}/transports"), &token, body);
        let mut room = Self {
            node: node.clone(),
            path,
            token: service,
            transport: NewTransport {
                ice_parameters: IceParameters {
                    username_fragment: String::new(),
                    password: String::new(),
                },
                ice_candidates: Vec::new(),
            },
        };
        match transport {
            Ok(made) => {
                room.transport = made.data;
                Ok(room)
            }
            Err(refusal) => {
                room.close();
                Err(refusal)
            }
        }
    }

    /// Ends the room; if that fails it ends by itself.
    fn close(&self) {
        let _ = self.node.ask(&Request {
            method: "DELETE",
            path: &self.path,
            token: Some(&self.token),
            body: None,
        });
    }
}

fn ask<T: DeserializeOwned>(node: &Server, path: &str, token: &str, body: &str) -> Result<T, Refusal> {
    let request = Request {
        method: "POST",
        path,
        token: Some(token),
        body: (!body.is_empty()).then_some(body),
    };
    let answer = node
        .ask(&request)
        .map_err(|error| Refusal::Silent(format!("{error:#}")))?;
    if !(200..300).contains(&answer.status) {
        let failure: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
        let code = failure.and_then(|failure| failure["error"]["code"].as_str().map(str::to_owned));
        return Err(Refusal::Status {
            status: answer.status,
            code: code.unwrap_or_default(),
        });
    }
    serde_json::from_str(&answer.body).map_err(|_| Refusal::Strange)
}

/// Every address the node gives to browsers.
async fn candidates(room: &Room, asking: &Asking) -> Vec<Finding> {
    let own = lan::own_addresses();
    let parameters = &room.transport.ice_parameters;
    let credentials = IceCredentials {
        username_fragment: parameters.username_fragment.clone(),
        password: parameters.password.clone(),
    };
    let mut findings = Vec::new();
    for candidate in &room.transport.ice_candidates {
        let Ok(ip) = candidate.ip.parse() else { continue };
        let address = SocketAddr::new(ip, candidate.port);
        let transport = if candidate.protocol == "tcp" {
            Transport::Tcp
        } else {
            Transport::Udp
        };
        let what = format!("{} {address}", candidate.protocol.to_uppercase());
        findings.push(match binding::ice(address, transport, &credentials, asking).await {
            Ok(bound) => Finding::ok(NAME, format!("{what} answers in {} ms", bound.round_trip.as_millis())),
            Err(fault) if own.contains(&ip) => Finding::problem(NAME, format!("{what}: {fault}"))
                .remedy("open RTC_MIN_PORT to RTC_MAX_PORT for UDP and TCP in this machine's firewall"),
            Err(fault) => Finding::warning(NAME, format!("{what}, no address of this machine: {fault}")).remedy(
                "pass RTC_MIN_PORT to RTC_MAX_PORT on to this machine, UDP and TCP; some routers do it only for \
                 those outside, so look with `meeshy doctor --role gateway` from elsewhere",
            ),
        });
    }
    findings
}
