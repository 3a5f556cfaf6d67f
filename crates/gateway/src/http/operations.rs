//! For probes and scrapers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use edge::metrics::EXPOSITION;
use edge::{ApiError, ClientAddress};
use serde_json::json;
use signalling::ErrorCode;
use signalling::version;

use crate::gateway::Shared;

/// Whether the gateway and what it needs are well (contract §2.1). Without media nodes it still serves calls of two.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let database = shared.store.ping().await.is_ok();
    let (code, status) = if database {
        (StatusCode::OK, "healthy")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unhealthy")
    };
    let nodes = (shared.nodes.usable(), shared.nodes.count());
    let body = json!({
        "status": status,
        "version": version::SOFTWARE,
        "checks": {
            "database": if database { "ok" } else { "error" },
            // One process needs no state shared with others.
            "redis": "not-configured",
            "socketio": "ok",
            "mediaServers": if nodes.0 == 0 && nodes.1 > 0 { "error" } else { "ok" },
        },
    });
    (code, Json(body)).into_response()
}

/// Whether new calls are taken.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let database = shared.store.ping().await.is_ok();
    let draining = shared.is_draining();
    let (code, status) = match (database, draining) {
        (true, false) => (StatusCode::OK, "ready"),
        (true, true) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    (
        code,
        Json(json!({ "status": status, "version": version::SOFTWARE })),
    )
        .into_response()
}

pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let client = ClientAddress::of_request(&request, &shared.config.http.trusted_proxies);
    if !client.is_internal() {
        return Err(ErrorCode::NotFound.into());
    }
    let nodes = shared.nodes.shown();
    shared
        .metrics
        .set_media_nodes(nodes.iter().map(|node| node.state));
    shared.metrics.set_draining(shared.is_draining());
    let text = shared.metrics.render(shared.region.name());
    Ok(([(header::CONTENT_TYPE, EXPOSITION)], text).into_response())
}
