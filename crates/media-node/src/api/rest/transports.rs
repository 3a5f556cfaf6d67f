//! Transports: endpoints 3 and 4, and the restart of ICE.

use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use signalling::client_node::{
    ConnectTransportRequest, CreateTransportRequest, CreateTransportResponse, RestartIceResponse, message,
};
use signalling::{ErrorCode, TransportId};

use super::object;
use crate::api::gate::Passed;
use crate::api::{Api, Body};
use edge::answer::{DataAnswer, DoneAnswer, data, done};

pub(super) const TRANSPORT: (&str, ErrorCode) = ("transportId", ErrorCode::TransportNotFound);

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    Body(request): Body<CreateTransportRequest>,
) -> DataAnswer<CreateTransportResponse> {
    caller.require_participant(&request.participant_id)?;
    data(
        api.rooms
            .try_with(&call, move |room| Box::pin(room.create_transport(request)))
            .await?,
    )
}

pub(super) async fn connect(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    params: RawPathParams,
    Body(request): Body<ConnectTransportRequest>,
) -> DoneAnswer {
    let id: TransportId = object(&api, &call, &params, TRANSPORT).await?;
    api.rooms
        .try_with(&call, move |room| {
            Box::pin(async move {
                room.connect_transport(&caller, id, &request.dtls_parameters)
                    .await
            })
        })
        .await?;
    done(message::TRANSPORT_CONNECTED)
}

pub(super) async fn restart_ice(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    params: RawPathParams,
) -> DataAnswer<RestartIceResponse> {
    let id: TransportId = object(&api, &call, &params, TRANSPORT).await?;
    let restart = api
        .rooms
        .try_with(&call, move |room| {
            Box::pin(async move { room.restart_ice(&caller, id).await })
        })
        .await?;
    data(restart)
}
