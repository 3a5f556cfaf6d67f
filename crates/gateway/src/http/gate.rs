//! The gate in front of every endpoint: address, token or session, limit, in this order (contract §2.2, §2.9).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::token::bearer;
use edge::{ApiError, ClientAddress};
use serde_json::json;
use signalling::ErrorCode;
use signalling::client_gateway::GatewayEndpoint;
use signalling::error::ErrorBody;
use tracing::Span;
use tracing::field::display;

use super::read;
use crate::auth::Caller;
use crate::gateway::Shared;
use crate::limits::Scope;
use crate::refusals::Refusal;

/// Where a guest's session is (contract §2.2).
pub(crate) const SESSION: HeaderName = HeaderName::from_static("x-session-token");

/// Whom a gate lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Everybody.
    Anybody,
    /// Who has a good token or session.
    Known,
    /// Media nodes, by a token that is signed with their secret.
    Node,
}

/// What the gate of an endpoint works with.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) shared: Arc<Shared>,
    pub(super) endpoint: GatewayEndpoint,
    pub(super) entry: Entry,
    pub(super) scope: Scope,
}

/// Who made a request; only behind a gate that lets through whom it knows.
pub(super) struct Known(pub(super) Caller);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Missing only if a route was added without its gate.
        let caller = parts.extensions.get::<Caller>().cloned();
        caller
            .map(Self)
            .ok_or(ApiError::from(ErrorCode::InternalServerError))
    }
}

/// Lets a request through, or answers it; what was refused here or behind goes to the audit log.
pub(super) async fn pass(
    State(gate): State<Gate>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let shared = &gate.shared;
    let address = ClientAddress::of_request(&request, &shared.config.http.trusted_proxies).key();
    let agent = request.headers().get(USER_AGENT).cloned();
    let (response, caller) = match shared.limits.may_try(Instant::now(), &address) {
        Err(error) => {
            shared.metrics.rate_limited(Scope::FailedAuth.name());
            (ApiError(error).into_response(), None)
        }
        Ok(()) => {
            let caller = match gate.entry {
                Entry::Anybody => Ok(None),
                Entry::Known => identify(shared, request.headers(), &address).await.map(Some),
                Entry::Node => admit_node(shared, request.headers(), &address)
                    .await
                    .map(|()| None),
            };
            let known = caller.as_ref().ok().cloned().flatten();
            let call = params.as_ref().ok().and_then(|params| read::call(params).ok());
            if let Some(call) = &call {
                let seat = |person| shared.calls.seat_of(call, &person);
                let seat = known.as_ref().and_then(Caller::person).and_then(seat);
                let span = Span::current();
                span.record("call", display(call));
                span.record("participant", seat.map(display));
            }
            if let Some(caller) = &known {
                let region = shared.region_of(request.extensions().get(), request.headers());
                request.extensions_mut().insert(region);
                request.extensions_mut().insert(caller.clone());
            }
            let agent = agent.as_ref().and_then(|agent| agent.to_str().ok());
            let from = shared.refusals.footprint(known.as_ref(), &address, agent);
            let work = gate.counted(caller, &address, next, request);
            (from.scope(work).await, known)
        }
    };
    if response.status() == StatusCode::FORBIDDEN {
        shared.metrics.access_denied("http");
    }
    let refusal = Refusal {
        status: response.status().as_u16(),
        caller: caller.as_ref(),
        address: &address,
        call: params.ok().and_then(|params| read::call(&params).ok()),
        user_agent: agent.as_ref().and_then(|agent| agent.to_str().ok()),
    };
    let what = json!({ "method": gate.endpoint.method(), "path": gate.endpoint.path() });
    if let Some(entry) = shared.refusals.entry(Instant::now(), refusal, what) {
        shared.calls.note(entry);
    }
    response
}

impl Gate {
    /// Counts a request and lets it through if it is one that may pass.
    async fn counted(
        &self,
        caller: Result<Option<Caller>, ErrorBody>,
        address: &str,
        next: Next,
        request: Request,
    ) -> Response {
        let shared = &self.shared;
        let key = match &caller {
            // Programs speak for many.
            Ok(Some(Caller::Service)) => None,
            Ok(Some(caller)) => Some(caller.key()),
            Ok(None) | Err(_) => Some(address.to_owned()),
        };
        let standing = key.map(|key| shared.limits.standing(Instant::now(), self.scope, &key));
        let mut response = match (standing, caller) {
            (Some(standing), _) if !standing.admitted => {
                shared.metrics.rate_limited(self.scope.name());
                ApiError(standing.refusal()).into_response()
            }
            (_, Err(error)) => ApiError(error).into_response(),
            (_, Ok(_)) => next.run(request).await,
        };
        if let Some(standing) = standing {
            standing.describe(response.headers_mut());
        }
        response
    }
}

/// Who sent these headers. One way of saying who one is at a time (contract §2.2).
async fn identify(shared: &Shared, headers: &HeaderMap, address: &str) -> Result<Caller, ErrorBody> {
    let session = headers
        .get(SESSION)
        .map(|value| value.to_str().unwrap_or_default());
    let (outcome, guessed) = match (bearer(headers), session) {
        (Some(token), None) => {
            let outcome = shared.auth.user(token).await;
            let guessed = outcome.is_err() && shared.auth.is_guessed_token(token);
            (outcome, guessed)
        }
        (None, Some(session)) => {
            let outcome = shared.auth.guest(session).await;
            let guessed = outcome.is_err() && shared.auth.is_guessed_session(session).await;
            (outcome, guessed)
        }
        (Some(_), Some(_)) | (None, None) => return Err(ErrorBody::new(ErrorCode::Unauthorized)),
    };
    if let Err(error) = &outcome
        && error.code == ErrorCode::Unauthorized
    {
        // Whoever comes late is no guesser: a school behind one address would be shut out when a link ends.
        if guessed {
            shared.limits.auth_failed(Instant::now(), address);
        }
        shared.metrics.auth_failed();
    }
    outcome.map(|proven| proven.caller)
}

/// Lets media nodes pass. Everybody else who is known is told that it is not for them.
async fn admit_node(shared: &Shared, headers: &HeaderMap, address: &str) -> Result<(), ErrorBody> {
    if bearer(headers).is_some_and(|token| shared.tokens.is_node(token)) {
        return Ok(());
    }
    identify(shared, headers, address).await?;
    Err(ErrorBody::new(ErrorCode::PermissionDenied))
}
