//! What is around every request: measurement, panics, CORS, security headers.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use edge::surround::{CrossOrigin, Https, caught, known_method};
use signalling::client_gateway::MAX_MESSAGE;
use tracing::Instrument;

use super::gate::SESSION;
use crate::config::Environment;
use crate::gateway::Shared;

/// Around the routes: body limit, panics become answers, and every request is measured.
pub(crate) fn measured(routes: Router, shared: &Arc<Shared>) -> Router {
    let routes = caught(routes.layer(DefaultBodyLimit::max(MAX_MESSAGE)));
    routes.layer(from_fn_with_state(Arc::clone(shared), measure))
}

/// Around everything, Socket.IO included.
pub(crate) fn protected(routes: Router, shared: &Shared) -> Router {
    let https = match shared.config.environment {
        Environment::Production => Https::Always,
        Environment::Development => Https::Perhaps,
    };
    let cross_origin = CrossOrigin {
        origins: &shared.config.http.allowed_origins,
        methods: &[Method::GET, Method::POST, Method::PUT, Method::DELETE],
        headers: &[header::AUTHORIZATION, header::CONTENT_TYPE, SESSION],
    };
    edge::surround::protected(routes, https, &cross_origin)
}

async fn measure(
    State(shared): State<Arc<Shared>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = known_method(request.method());
    // Paths nobody knows are one series, or anybody could make as many as they like.
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = edge::trace::request(method, route);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("status", status);
    shared
        .metrics
        .http_request(route, method, status, began.elapsed());
    response
}
