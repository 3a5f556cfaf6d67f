//! The gate in front of every room endpoint: token, rate limit, call (contract §1.2, §1.6), in this order.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::token::bearer;
use edge::{ApiError, ClientAddress};
use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode};
use tracing::Span;

use super::Api;
use super::limits::{Scope, Standing};
use crate::control::caller::Caller;

/// A request that passed the gate: on whose behalf, and about which call.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    pub(super) caller: Caller,
    pub(super) call: CallId,
}

impl<S: Sync> FromRequestParts<S> for Passed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Missing only if a route was added without its gate.
        parts
            .extensions
            .get()
            .cloned()
            .ok_or(ApiError::from(ErrorCode::InternalServerError))
    }
}

/// What the gate of one kind of endpoint works with.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) api: Arc<Api>,
    pub(super) scope: Scope,
}

/// Lets a request through, or answers it.
pub(super) async fn pass(
    State(gate): State<Gate>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let api = &gate.api;
    let caller = bearer(request.headers()).and_then(|token| api.verifier.caller(token).ok());
    let raw_call = params
        .iter()
        .find(|(name, _)| *name == "callId")
        .map(|(_, value)| value)
        .unwrap_or_default();
    let standing = match &caller {
        Some(caller) => standing(api, gate.scope, caller, raw_call),
        None => {
            let client = client_address(&request, api);
            let now = Instant::now();
            Some((
                Scope::Other,
                api.limiter
                    .count(now, Scope::Other, &client.key(), Scope::Other.quota()),
            ))
        }
    };
    let mut response = match (standing, caller) {
        (Some((scope, standing)), _) if !standing.admitted => {
            api.metrics.rate_limited(scope.name());
            ApiError(standing.refusal()).into_response()
        }
        (_, None) => {
            api.metrics.auth_failed();
            ApiError::from(ErrorCode::Unauthorized).into_response()
        }
        (_, Some(caller)) => match passed(caller, raw_call) {
            Ok(passed) => {
                let span = Span::current();
                span.record("call", tracing::field::display(&passed.call));
                if let Caller::Participant { participant, .. } = &passed.caller {
                    span.record("participant", tracing::field::display(participant));
                }
                request.extensions_mut().insert(passed);
                next.run(request).await
            }
            Err(error) => ApiError(error).into_response(),
        },
    };
    if let Some((_, standing)) = standing {
        standing.describe(response.headers_mut());
    }
    response
}

fn passed(caller: Caller, raw_call: &str) -> Result<Passed, ErrorBody> {
    let call: CallId = raw_call
        .parse()
        .map_err(|error| ErrorBody::with_message(ErrorCode::InvalidRequest, format!("callId {error}")))?;
    caller.require_call(&call)?;
    Ok(Passed { caller, call })
}

/// Counts a request with a valid token; `None` if it is exempt.
fn standing(api: &Api, scope: Scope, caller: &Caller, call: &str) -> Option<(Scope, Standing)> {
    let (scope, key) = match (caller, scope) {
        (Caller::Service { .. }, Scope::CreateRoom) => (scope, call.to_owned()),
        // The gateway is one client that speaks for many (contract §1.6).
        (Caller::Service { .. }, _) => return None,
        // Only services create rooms; what a participant tries must not use up the call's own quota.
        (Caller::Participant { .. }, Scope::CreateRoom) => (Scope::Other, participant_key(caller)),
        (Caller::Participant { .. }, _) => (scope, participant_key(caller)),
    };
    Some((
        scope,
        api.limiter.count(Instant::now(), scope, &key, scope.quota()),
    ))
}

/// What a participant's requests are counted by: the call belongs to it, as ids are unique within a call only.
pub(super) fn participant_key(caller: &Caller) -> String {
    match caller {
        Caller::Participant { call, participant } => format!("{call}/{participant}"),
        Caller::Service { .. } => String::new(),
    }
}

/// Where a request came from.
pub(super) fn client_address(request: &Request, api: &Api) -> ClientAddress {
    ClientAddress::of_request(request, &api.trusted_proxies)
}
