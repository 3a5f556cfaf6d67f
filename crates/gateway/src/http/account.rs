//! A person's rights over what is kept (contract §6.12).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{AppendHeaders, IntoResponse};
use edge::ApiError;
use edge::answer::{DataAnswer, data};
use serde_json::{Value, json};
use signalling::client_gateway::Leave;
use signalling::error::{ErrorBody, Success};

use super::gate::Known;
use super::read;
use crate::fault::fault;
use crate::gateway::Shared;

/// A browser that opens it keeps it as a file.
const AS_FILE: (HeaderName, HeaderValue) = (
    header::CONTENT_DISPOSITION,
    HeaderValue::from_static("attachment; filename=\"meeshy-call-data.json\""),
);

pub(super) async fn export(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
) -> Result<impl IntoResponse, ApiError> {
    let user = read::user(&caller)?;
    let exported = shared.store.export_user(&user).await;
    let exported = exported.map_err(|error| fault(&error))?;
    Ok((AppendHeaders([AS_FILE]), Json(Success::new(exported))))
}

pub(super) async fn erase(State(shared): State<Arc<Shared>>, Known(caller): Known) -> DataAnswer<Value> {
    let user = read::user(&caller)?;
    // A live call writes its participants again; one's part in it ends first.
    if let Some(call_id) = caller.person().and_then(|person| shared.calls.call_of(&person)) {
        let request = Leave {
            call_id,
            participant_id: None,
        };
        let left: Result<_, ErrorBody> = shared.calls.leave(&caller, None, request).await;
        if let Err(error) = left {
            tracing::debug!(code = %error.code, "there was no call to leave before erasing");
        }
    }
    let erased = shared.store.erase_user_call_data(&user).await;
    let erased = erased.map_err(|error| fault(&error))?;
    data(json!({
        "participations": erased.participations,
        "transcriptions": erased.captions,
        "recordings": erased.recordings,
    }))
}
