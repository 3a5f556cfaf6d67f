//! What is around every request: measurement, panics, CORS, security headers.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use edge::surround::{CrossOrigin, Https, caught, known_method};
use edge::token::bearer;
use signalling::client_node::MAX_BODY;
use tracing::Instrument;

use super::Api;

/// Around the routes: body limit, panics become answers, and every request is measured.
pub(super) fn measured(routes: Router, api: &Arc<Api>) -> Router {
    caught(routes.layer(DefaultBodyLimit::max(MAX_BODY))).layer(from_fn_with_state(Arc::clone(api), measure))
}

/// Around everything, Socket.IO included.
pub(super) fn protected(routes: Router, api: &Api) -> Router {
    let https = if api.production {
        Https::Always
    } else {
        Https::Perhaps
    };
    let cross_origin = CrossOrigin {
        origins: &api.allowed_origins,
        methods: &[Method::GET, Method::POST, Method::DELETE],
        headers: &[header::AUTHORIZATION, header::CONTENT_TYPE],
    };
    edge::surround::protected(routes, https, &cross_origin)
}

async fn measure(
    State(api): State<Arc<Api>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = known_method(request.method());
    // Paths nobody knows are one series, or anybody could make as many as they like.
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = edge::trace::request(method, route);
    if bearer(request.headers()).is_some_and(|token| api.verifier.caller(token).is_ok()) {
        edge::trace::continues(&span, request.headers());
    }
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("status", status);
    api.metrics.http_request(route, method, status, began.elapsed());
    response
}
