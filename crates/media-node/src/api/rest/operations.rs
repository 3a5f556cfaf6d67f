//! Operational endpoints: for probes, scrapers and operators.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use signalling::ErrorCode;
use signalling::client_node::{HealthResponse, HealthStatus, StatsResponse, message};
use signalling::version;

use crate::api::Api;
use crate::api::auth::bearer;
use crate::api::gate::client_address;
use edge::answer::{ApiError, DataAnswer, DoneAnswer, data, done};

/// The content type of the Prometheus text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn health(State(api): State<Arc<Api>>) -> Response {
    report(api.status.health())
}

pub(super) async fn ready(State(api): State<Arc<Api>>) -> Response {
    report(api.status.readiness())
}

fn report(status: HealthStatus) -> Response {
    let code = match status {
        HealthStatus::Ok => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (
        code,
        Json(HealthResponse {
            status,
            version: version::SOFTWARE.to_owned(),
        }),
    )
        .into_response()
}

pub(super) async fn metrics(State(api): State<Arc<Api>>, request: Request) -> Result<Response, ApiError> {
    require_internal(&api, &request)?;
    let text = api.status.render_metrics().await;
    Ok(([(header::CONTENT_TYPE, EXPOSITION)], text).into_response())
}

pub(super) async fn stats(State(api): State<Arc<Api>>, request: Request) -> DataAnswer<StatsResponse> {
    require_internal(&api, &request)?;
    data(api.status.stats().await)
}

pub(super) async fn drain(State(api): State<Arc<Api>>, headers: HeaderMap) -> DoneAnswer {
    let token = bearer(&headers).and_then(|token| api.verifier.caller(token).ok());
    let Some(caller) = token else {
        api.metrics.auth_failed();
        return Err(ErrorCode::Unauthorized.into());
    };
    caller.require_service()?;
    api.drain.begin();
    done(message::DRAINING)
}

/// Internal endpoints are for this machine, private networks and services (contract §1.3).
fn require_internal(api: &Api, request: &Request) -> Result<(), ApiError> {
    let service = || {
        let caller = bearer(request.headers()).and_then(|token| api.verifier.caller(token).ok());
        caller.is_some_and(|caller| caller.is_service())
    };
    if client_address(request, api).is_internal() || service() {
        Ok(())
    } else {
        Err(ErrorCode::Forbidden.into())
    }
}
