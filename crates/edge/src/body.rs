//! JSON bodies, checked against their type before any work (contract §1.1).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use signalling::ErrorCode;
use signalling::error::ErrorBody;

use crate::answer::ApiError;

/// A request's body as `T`. Whatever stands in the way is answered in the envelope.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::from(ErrorCode::PayloadTooLarge)
            } else {
                ApiError(ErrorBody::with_message(
                    ErrorCode::InvalidRequest,
                    "The body could not be read",
                ))
            }
        })?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            let message = if bytes.is_empty() {
                "A JSON body is needed".to_owned()
            } else {
                error.to_string()
            };
            ApiError(ErrorBody::with_message(ErrorCode::InvalidRequest, message))
        })?;
        Ok(Self(value))
    }
}
