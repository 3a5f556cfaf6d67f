//! Consumers: endpoints 6, 7 and 8, preferred layers and key frames.

use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use signalling::client_node::{ConsumeRequest, ConsumeResponse, PreferredLayersRequest, message};
use signalling::error::ErrorBody;
use signalling::{ConsumerId, ErrorCode};

use super::object;
use crate::api::gate::Passed;
use crate::api::{Api, Body};
use crate::control::room::Flow;
use edge::answer::{DataAnswer, DoneAnswer, data, done};

const CONSUMER: (&str, ErrorCode) = ("consumerId", ErrorCode::ConsumerNotFound);

pub(super) async fn consume(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    Body(request): Body<ConsumeRequest>,
) -> DataAnswer<ConsumeResponse> {
    caller.require_participant(&request.participant_id)?;
    data(
        api.rooms
            .try_with(&call, move |room| Box::pin(room.consume(request)))
            .await?,
    )
}

pub(super) async fn resume(state: State<Arc<Api>>, passed: Passed, params: RawPathParams) -> DoneAnswer {
    set_flow(&state, passed, &params, Flow::Running).await?;
    done(message::CONSUMER_RESUMED)
}

pub(super) async fn pause(state: State<Arc<Api>>, passed: Passed, params: RawPathParams) -> DoneAnswer {
    set_flow(&state, passed, &params, Flow::Paused).await?;
    done(message::CONSUMER_PAUSED)
}

async fn set_flow(
    api: &Api,
    Passed { caller, call }: Passed,
    params: &RawPathParams,
    flow: Flow,
) -> Result<(), ErrorBody> {
    let id: ConsumerId = object(api, &call, params, CONSUMER).await?;
    api.rooms
        .try_with(&call, move |room| {
            Box::pin(async move { room.set_consumer_flow(&caller, id, flow).await })
        })
        .await
}

pub(super) async fn prefer_layers(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    params: RawPathParams,
    Body(layers): Body<PreferredLayersRequest>,
) -> DoneAnswer {
    let id: ConsumerId = object(&api, &call, &params, CONSUMER).await?;
    api.rooms
        .try_with(&call, move |room| {
            Box::pin(async move { room.prefer_layers(&caller, id, layers).await })
        })
        .await?;
    done(message::PREFERRED_LAYERS_SET)
}

pub(super) async fn request_key_frame(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    params: RawPathParams,
) -> DoneAnswer {
    let id: ConsumerId = object(&api, &call, &params, CONSUMER).await?;
    api.rooms
        .try_with(&call, move |room| {
            Box::pin(async move { room.request_key_frame(&caller, id).await })
        })
        .await?;
    done(message::KEY_FRAME_REQUESTED)
}
