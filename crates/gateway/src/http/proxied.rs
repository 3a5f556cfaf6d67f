//! Around requests that are passed on to media nodes: the node says who may do what, and what it refuses is as much an
//! attempt as what the gateway refuses itself (contract §2.9, §4.6).

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::http::header::USER_AGENT;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use edge::surround::known_method;
use edge::token::bearer;
use edge::{ApiError, ClientAddress};
use serde_json::json;
use signalling::CallId;
use tracing::Span;
use tracing::field::display;

use super::read;
use crate::gateway::Shared;
use crate::limits::Scope;
use crate::refusals::Refusal;

/// The rooms of media nodes, watched.
pub(crate) fn proxied(routes: Router, shared: &Arc<Shared>) -> Router {
    routes.route_layer(from_fn_with_state(Arc::clone(shared), pass))
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let address = ClientAddress::of_request(&request, &shared.config.http.trusted_proxies).key();
    let agent = request.headers().get(USER_AGENT).cloned();
    let method = known_method(request.method());
    let guessed = bearer(request.headers()).is_some_and(|token| !shared.tokens.signed_media(token));
    let call: Option<CallId> = params.ok().and_then(|params| read::id(&params, "callId").ok());
    Span::current().record("call", call.as_ref().map(display));
    // Running calls of others behind the same address go on while it is refused.
    let may_try = match guessed {
        true => shared.limits.may_try(Instant::now(), &address),
        false => Ok(()),
    };
    let response = match may_try {
        Err(error) => {
            shared.metrics.rate_limited(Scope::FailedAuth.name());
            ApiError(error).into_response()
        }
        Ok(()) => next.run(request).await,
    };
    // A token that was good once is no guess: pages that slept for an hour come with one.
    if guessed && response.status() == StatusCode::UNAUTHORIZED {
        shared.limits.auth_failed(Instant::now(), &address);
        shared.metrics.auth_failed();
    }
    let refusal = Refusal {
        status: response.status().as_u16(),
        caller: None,
        address: &address,
        call,
        user_agent: agent.as_ref().and_then(|agent| agent.to_str().ok()),
    };
    // What stands behind the call in the path are ids, or whatever somebody wrote there.
    let what = json!({ "method": method, "path": "/api/rooms/{callId}" });
    if let Some(entry) = shared.refusals.entry(Instant::now(), refusal, what) {
        shared.calls.note(entry);
    }
    response
}
