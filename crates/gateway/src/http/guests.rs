//! Links, and those who come by them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawPathParams, State};
use axum::http::StatusCode;
use edge::answer::{DataAnswer, data};
use edge::{ApiError, Body};
use signalling::client_gateway::{
    CreateLinkRequest, JoinAnonymousRequest, JoinAnonymousResponse, ShareLinkDto, TrackedLink,
};
use signalling::error::Success;

use super::calls::created;
use super::gate::Known;
use super::read;
use crate::gateway::Shared;

/// Longest token looked up; ours have 64 characters.
const MAX_TOKEN: usize = 128;

pub(super) async fn create_link(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
    Body(request): Body<CreateLinkRequest>,
) -> Result<(StatusCode, Json<Success<ShareLinkDto>>), ApiError> {
    let user = read::user(&caller)?;
    let conversation = read::id(&params, "conversationId")?;
    created(
        shared
            .directory()
            .create_link(&user, &conversation, request)
            .await?,
    )
}

pub(super) async fn tracked_link(
    State(shared): State<Arc<Shared>>,
    params: RawPathParams,
) -> DataAnswer<TrackedLink> {
    let token = read::text(&params, "token");
    if token.len() > MAX_TOKEN {
        return Err(signalling::ErrorCode::NotFound.into());
    }
    data(shared.directory().tracked_link(token).await?)
}

pub(super) async fn join_anonymous(
    State(shared): State<Arc<Shared>>,
    params: RawPathParams,
    Body(request): Body<JoinAnonymousRequest>,
) -> Result<(StatusCode, Json<Success<JoinAnonymousResponse>>), ApiError> {
    let conversation = read::id(&params, "conversationId")?;
    if !crate::auth::is_language(&request.language) {
        return Err(read::invalid("language must be a code such as en").into());
    }
    created(shared.directory().let_in(&conversation, request).await?)
}
