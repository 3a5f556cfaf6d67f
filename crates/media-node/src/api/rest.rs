//! The endpoints of contract §1.3: the path read, the body read, the room's owner asked.

use std::sync::Arc;

use axum::Router;
use axum::extract::RawPathParams;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post};
use signalling::client_node::Endpoint;
use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode};

use super::Api;
use super::gate::{Gate, pass};
use super::limits::Scope;
use edge::answer::method_not_allowed;

mod consumers;
mod operations;
mod producers;
mod rooms;
mod transports;

/// All routes of the node.
pub(super) fn routes(api: &Arc<Api>) -> Router {
    let mut routes = Router::new();
    for endpoint in Endpoint::ALL {
        routes = routes.route(endpoint.path(), method(*endpoint, api));
    }
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::clone(api))
}

/// The handler of an endpoint; the match is complete, so none can be forgotten.
fn method(endpoint: Endpoint, api: &Arc<Api>) -> MethodRouter<Arc<Api>> {
    match endpoint {
        Endpoint::CreateRoom => gated(post(rooms::create), Scope::CreateRoom, api),
        Endpoint::FetchRoom => gated(get(rooms::fetch), Scope::Other, api),
        Endpoint::DestroyRoom => gated(delete(rooms::destroy), Scope::Other, api),
        Endpoint::Leave => gated(post(rooms::leave), Scope::Other, api),
        Endpoint::CreateTransport => gated(post(transports::create), Scope::CreateTransport, api),
        Endpoint::ConnectTransport => gated(post(transports::connect), Scope::ConnectTransport, api),
        Endpoint::RestartIce => gated(post(transports::restart_ice), Scope::Other, api),
        Endpoint::Produce => gated(post(producers::produce), Scope::Other, api),
        Endpoint::CloseProducer => gated(delete(producers::close), Scope::Other, api),
        Endpoint::PauseProducer => gated(post(producers::pause), Scope::Other, api),
        Endpoint::ResumeProducer => gated(post(producers::resume), Scope::Other, api),
        Endpoint::Consume => gated(post(consumers::consume), Scope::Consume, api),
        Endpoint::ResumeConsumer => gated(post(consumers::resume), Scope::Other, api),
        Endpoint::PauseConsumer => gated(post(consumers::pause), Scope::Other, api),
        Endpoint::PreferredLayers => gated(post(consumers::prefer_layers), Scope::Other, api),
        Endpoint::RequestKeyFrame => gated(post(consumers::request_key_frame), Scope::Other, api),
        Endpoint::Drain => post(operations::drain),
        Endpoint::EndDrain => delete(operations::end_drain),
        Endpoint::Stats => get(operations::stats),
        Endpoint::Health => get(operations::health),
        Endpoint::Ready => get(operations::ready),
        Endpoint::Metrics => get(operations::metrics),
    }
}

fn gated(method: MethodRouter<Arc<Api>>, scope: Scope, api: &Arc<Api>) -> MethodRouter<Arc<Api>> {
    method.route_layer(from_fn_with_state(
        Gate {
            api: Arc::clone(api),
            scope,
        },
        pass,
    ))
}

/// The id of an object in the path. One that is no id at all names no object, which is what the client is told, but
/// only if the room exists.
async fn object<T: std::str::FromStr>(
    api: &Api,
    call: &CallId,
    params: &RawPathParams,
    (name, missing): (&str, ErrorCode),
) -> Result<T, ErrorBody> {
    let text = params
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .unwrap_or_default();
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    api.rooms.with(call, |_| Box::pin(async {})).await?;
    Err(ErrorBody::new(missing))
}
