//! The gate in front of every endpoint: address, token or session, limit, in this order (contract §2.2, §2.9).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::token::bearer;
use edge::{ApiError, ClientAddress};
use signalling::ErrorCode;
use signalling::error::ErrorBody;

use crate::auth::Caller;
use crate::gateway::Shared;
use crate::limits::Scope;

/// Where a guest's session is (contract §2.2).
pub(crate) const SESSION: HeaderName = HeaderName::from_static("x-session-token");

/// Whom a gate lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Everybody.
    Anybody,
    /// Who has a good token or session.
    Known,
}

/// What the gate of an endpoint works with.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) shared: Arc<Shared>,
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

/// Lets a request through, or answers it.
pub(super) async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let shared = &gate.shared;
    let address = ClientAddress::of_request(&request, &shared.config.http.trusted_proxies).key();
    if let Err(error) = shared.limits.may_try(Instant::now(), &address) {
        shared.metrics.rate_limited(Scope::FailedAuth.name());
        return ApiError(error).into_response();
    }
    let caller = match gate.entry {
        Entry::Anybody => Ok(None),
        Entry::Known => identify(shared, request.headers(), &address).await.map(Some),
    };
    let key = match &caller {
        // Programs speak for many.
        Ok(Some(Caller::Service)) => None,
        Ok(Some(caller)) => Some(caller.key()),
        Ok(None) | Err(_) => Some(address),
    };
    let standing = key.map(|key| shared.limits.standing(Instant::now(), gate.scope, &key));
    let mut response = match (standing, caller) {
        (Some(standing), _) if !standing.admitted => {
            shared.metrics.rate_limited(gate.scope.name());
            ApiError(standing.refusal()).into_response()
        }
        (_, Err(error)) => ApiError(error).into_response(),
        (_, Ok(caller)) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
    };
    if let Some(standing) = standing {
        standing.describe(response.headers_mut());
    }
    response
}

/// Who sent these headers. One way of saying who one is at a time (contract §2.2).
async fn identify(shared: &Shared, headers: &HeaderMap, address: &str) -> Result<Caller, ErrorBody> {
    let session = headers
        .get(SESSION)
        .map(|value| value.to_str().unwrap_or_default());
    let outcome = match (bearer(headers), session) {
        (Some(token), None) => shared.auth.user(token).await,
        (None, Some(session)) => shared.auth.guest(session).await,
        (Some(_), Some(_)) | (None, None) => return Err(ErrorBody::new(ErrorCode::Unauthorized)),
    };
    if let Err(error) = &outcome
        && error.code == ErrorCode::Unauthorized
    {
        shared.limits.auth_failed(Instant::now(), address);
        shared.metrics.auth_failed();
    }
    outcome
}
