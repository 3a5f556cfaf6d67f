//! Conversations of a user.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use edge::answer::{DataAnswer, data};
use edge::{ApiError, Body};
use signalling::client_gateway::{ConversationDto, CreateConversationRequest};
use signalling::error::Success;

use super::gate::Known;
use super::read;
use crate::directory::Made;
use crate::gateway::Shared;

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
) -> DataAnswer<Vec<ConversationDto>> {
    let user = read::user(&caller)?;
    data(shared.directory().conversations(&user).await?)
}

/// 201 for a new one, 200 for a direct one that was there.
pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    Body(request): Body<CreateConversationRequest>,
) -> Result<(StatusCode, Json<Success<ConversationDto>>), ApiError> {
    let user = read::user(&caller)?;
    let (status, conversation) = match shared.directory().create(&user, request).await? {
        Made::New(conversation) => (StatusCode::CREATED, conversation),
        Made::Existing(conversation) => (StatusCode::OK, conversation),
    };
    Ok((status, Json(Success::new(conversation))))
}
