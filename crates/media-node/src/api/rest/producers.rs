//! Producers: endpoints 5 and 9, pause and resume.

use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use signalling::client_node::{ProduceRequest, ProduceResponse, message};
use signalling::error::ErrorBody;
use signalling::{ErrorCode, ProducerId, TransportId};

use super::object;
use super::transports::TRANSPORT;
use crate::api::gate::Passed;
use crate::api::{Api, Body};
use crate::control::room::Flow;
use edge::answer::{DataAnswer, DoneAnswer, data, done};

const PRODUCER: (&str, ErrorCode) = ("producerId", ErrorCode::ProducerNotFound);

pub(super) async fn produce(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    params: RawPathParams,
    Body(request): Body<ProduceRequest>,
) -> DataAnswer<ProduceResponse> {
    caller.require_participant(&request.participant_id)?;
    let transport: TransportId = object(&api, &call, &params, TRANSPORT).await?;
    let produced = api
        .rooms
        .try_with(&call, move |room| {
            Box::pin(async move { room.produce(&caller, transport, request).await })
        })
        .await?;
    data(produced)
}

pub(super) async fn close(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    params: RawPathParams,
) -> DoneAnswer {
    let id: ProducerId = object(&api, &call, &params, PRODUCER).await?;
    api.rooms
        .try_with(&call, move |room| {
            Box::pin(async move { room.close_producer(&caller, id).await })
        })
        .await?;
    done(message::PRODUCER_CLOSED)
}

pub(super) async fn pause(state: State<Arc<Api>>, passed: Passed, params: RawPathParams) -> DoneAnswer {
    set_flow(&state, passed, &params, Flow::Paused).await?;
    done(message::PRODUCER_PAUSED)
}

pub(super) async fn resume(state: State<Arc<Api>>, passed: Passed, params: RawPathParams) -> DoneAnswer {
    set_flow(&state, passed, &params, Flow::Running).await?;
    done(message::PRODUCER_RESUMED)
}

async fn set_flow(
    api: &Api,
    Passed { caller, call }: Passed,
    params: &RawPathParams,
    flow: Flow,
) -> Result<(), ErrorBody> {
    let id: ProducerId = object(api, &call, params, PRODUCER).await?;
    api.rooms
        .try_with(&call, move |room| {
            Box::pin(async move { room.set_producer_flow(&caller, id, flow).await })
        })
        .await
}
