//! Rooms and their members: endpoints 1, 2, 10 and 11.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawPathParams, State};
use signalling::client_node::{CreateRoomQuery, CreateRoomResponse, RoomResponse, message};
use signalling::error::ErrorBody;
use signalling::gateway_node::RoomEnd;
use signalling::{ErrorCode, ParticipantId};

use crate::api::Api;
use crate::api::gate::Passed;
use crate::control::rooms::Standing;
use edge::answer::{DataAnswer, DoneAnswer, data, done};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    query: Result<Query<CreateRoomQuery>, QueryRejection>,
    Passed { caller, call }: Passed,
) -> DataAnswer<CreateRoomResponse> {
    caller.require_service()?;
    let invalid = |_| ErrorBody::with_message(ErrorCode::InvalidRequest, "standby must be true or false");
    let Query(query) = query.map_err(invalid)?;
    let standing = match query.standby {
        Some(true) => Standing::Standby,
        Some(false) | None => Standing::Counted,
    };
    data(api.rooms.create(call, standing).await?)
}

pub(super) async fn fetch(
    State(api): State<Arc<Api>>,
    Passed { call, .. }: Passed,
) -> DataAnswer<RoomResponse> {
    data(
        api.rooms
            .with(&call, |room| Box::pin(async move { room.describe() }))
            .await?,
    )
}

pub(super) async fn destroy(State(api): State<Arc<Api>>, Passed { caller, call }: Passed) -> DoneAnswer {
    caller.require_service()?;
    api.rooms.destroy(&call, RoomEnd::Requested).await?;
    done(message::ROOM_DESTROYED)
}

pub(super) async fn leave(
    State(api): State<Arc<Api>>,
    Passed { caller, call }: Passed,
    params: RawPathParams,
) -> DoneAnswer {
    let text = params
        .iter()
        .find(|(key, _)| *key == "participantId")
        .map(|(_, value)| value)
        .unwrap_or_default();
    let invalid =
        |error| ErrorBody::with_message(ErrorCode::InvalidRequest, format!("participantId {error}"));
    let participant: ParticipantId = text.parse().map_err(invalid)?;
    caller.require_participant(&participant)?;
    api.rooms
        .with(&call, move |room| {
            Box::pin(async move { room.leave(&participant).await })
        })
        .await?;
    done(message::PARTICIPANT_LEFT)
}
