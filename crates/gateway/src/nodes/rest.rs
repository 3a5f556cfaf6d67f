//! Requests to a media node (contract §1.3), with a token made for each.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use signalling::client_node::{CreateRoomResponse, DrainResponse, RoomResponse, StatsResponse};
use signalling::error::{Answer, Done, ErrorBody, Failure};
use signalling::token::Token;
use signalling::{CallId, ErrorCode, ParticipantId};

use super::Drain;
use super::node::Node;
use crate::auth::Tokens;

/// Why a node did not do as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestError {
    /// It cannot be reached, or does not answer in time.
    #[error("the node does not answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// It refused.
    #[error("{0}")]
    Refused(ErrorBody),
    /// It did, but its events do not come, so that the room is of no use.
    #[error("the node's events do not come")]
    Unwatched,
}

impl RestError {
    /// Whether the node is well and only takes no more rooms: it is full, drains or is overloaded.
    pub(super) fn is_capacity(&self) -> bool {
        matches!(self, Self::Refused(error) if error.code == ErrorCode::ServerAtCapacity)
    }
}

/// A room that was asked for.
#[derive(Debug)]
pub(super) enum Created {
    /// It is new.
    New(Box<CreateRoomResponse>),
    /// It was there already.
    Existed,
}

/// Asks nodes.
#[derive(Clone)]
pub(super) struct Rest {
    http: reqwest::Client,
    tokens: Arc<Tokens>,
    timeout: Duration,
}

impl Rest {
    pub(super) fn new(tokens: Arc<Tokens>, timeout: Duration) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // Sooner than a node drops it, or a request might meet a connection that is going.
            .pool_idle_timeout(edge::serve::HEAD * 2 / 3)
            .build()
            .expect("a client without TLS needs nothing from the system");
        Self {
            http,
            tokens,
            timeout,
        }
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(super) async fn create_room(
        &self,
        node: &Node,
        call: &CallId,
        standby: bool,
    ) -> Result<Created, RestError> {
        let path = room(
            call,
            if standby {
                "/create?standby=true"
            } else {
                "/create"
            },
        );
        match self.data(node, Method::POST, &path).await {
            Ok(room) => Ok(Created::New(Box::new(room))),
            Err(RestError::Refused(error)) if error.code == ErrorCode::RoomAlreadyExists => {
                Ok(Created::Existed)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn room(&self, node: &Node, call: &CallId) -> Result<RoomResponse, RestError> {
        self.data(node, Method::GET, &room(call, "")).await
    }

    pub(super) async fn destroy_room(&self, node: &Node, call: &CallId) -> Result<(), RestError> {
        let path = room(call, "");
        self.done(node, Method::DELETE, &path, None).await
    }

    pub(super) async fn leave(
        &self,
        node: &Node,
        call: &CallId,
        participant: &ParticipantId,
    ) -> Result<(), RestError> {
        let path = format!("participants/{participant}/leave");
        self.post(node, call, &path, None).await
    }

    /// Posts to a path below the room, with this token or the gateway's own.
    pub(super) async fn post(
        &self,
        node: &Node,
        call: &CallId,
        path: &str,
        token: Option<&Token>,
    ) -> Result<(), RestError> {
        let path = room(call, &format!("/{path}"));
        self.done(node, Method::POST, &path, token).await
    }

    /// Has a node take no new rooms, or take them again.
    pub(super) async fn drain(&self, node: &Node, drain: Drain) -> Result<DrainResponse, RestError> {
        let method = match drain {
            Drain::Begin => Method::POST,
            Drain::End => Method::DELETE,
        };
        self.data(node, method, "/api/drain").await
    }

    pub(super) async fn stats(&self, node: &Node) -> Result<StatsResponse, RestError> {
        self.data(node, Method::GET, "/api/stats").await
    }

    /// Whether a probe is answered with 200.
    pub(super) async fn probe(&self, node: &Node, path: &str) -> Result<bool, RestError> {
        let answer = self.request(node, Method::GET, path, None).send().await?;
        Ok(answer.status() == StatusCode::OK)
    }

    fn request(
        &self,
        node: &Node,
        method: Method,
        path: &str,
        token: Option<&Token>,
    ) -> reqwest::RequestBuilder {
        let own = || self.tokens.service_media();
        let token = token.cloned().unwrap_or_else(own);
        self.http
            .request(method, format!("{}{path}", node.url))
            .bearer_auth(token.0)
            .headers(edge::trace::carried())
            .timeout(self.timeout)
    }

    async fn data<T: DeserializeOwned>(
        &self,
        node: &Node,
        method: Method,
        path: &str,
    ) -> Result<T, RestError> {
        let answer = self.request(node, method, path, None).send().await?;
        let answer: Answer<T> = answer.json().await?;
        answer.into_result().map_err(RestError::Refused)
    }

    async fn done(
        &self,
        node: &Node,
        method: Method,
        path: &str,
        token: Option<&Token>,
    ) -> Result<(), RestError> {
        let answer = self.request(node, method, path, token).send().await?;
        if answer.status().is_success() {
            answer.json::<Done>().await?;
            return Ok(());
        }
        Err(RestError::Refused(answer.json::<Failure>().await?.error))
    }
}

fn room(call: &CallId, below: &str) -> String {
    format!("/api/rooms/{call}{below}")
}
