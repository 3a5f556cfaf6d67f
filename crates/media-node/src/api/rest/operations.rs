//! Operational endpoints: for probes, scrapers and operators.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use signalling::ErrorCode;
use signalling::client_node::{DrainResponse, HealthResponse, HealthStatus, StatsResponse};
use signalling::error::ErrorBody;
use signalling::version;

use crate::api::Api;
use crate::api::auth::bearer;
use crate::api::gate::client_address;
use crate::api::limits::Scope;
use crate::drain::Ending;
use edge::answer::{ApiError, DataAnswer, data};

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

pub(super) async fn drain(State(api): State<Arc<Api>>, request: Request) -> DataAnswer<DrainResponse> {
    require_service(&api, &request)?;
    api.drain.hold();
    data(drained(&api))
}

pub(super) async fn end_drain(State(api): State<Arc<Api>>, request: Request) -> DataAnswer<DrainResponse> {
    require_service(&api, &request)?;
    let ending = |Ending| ErrorBody::with_message(ErrorCode::Conflict, "The server is about to stop");
    api.drain.resume().map_err(ending)?;
    data(drained(&api))
}

fn drained(api: &Api) -> DrainResponse {
    let occupancy = api.status.occupancy();
    DrainResponse {
        draining: occupancy.draining,
        rooms: occupancy.rooms,
    }
}

/// Lets services pass; others are counted, so that nobody tries tokens for long.
fn require_service(api: &Api, request: &Request) -> Result<(), ApiError> {
    let caller = bearer(request.headers()).and_then(|token| api.verifier.caller(token).ok());
    if let Some(caller) = &caller
        && caller.is_service()
    {
        return Ok(());
    }
    let (scope, key) = (Scope::Other, client_address(request, api).key());
    let standing = api.limiter.count(Instant::now(), scope, &key, scope.quota());
    if !standing.admitted {
        api.metrics.rate_limited(scope.name());
        return Err(standing.refusal().into());
    }
    match caller {
        Some(caller) => Ok(caller.require_service()?),
        None => {
            api.metrics.auth_failed();
            Err(ErrorCode::Unauthorized.into())
        }
    }
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
