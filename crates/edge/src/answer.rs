//! Envelopes of contract §1.1.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use signalling::ErrorCode;
use signalling::error::{Done, ErrorBody, Failure, Success};

/// A failure on its way to the client.
#[derive(Clone, Debug)]
pub struct ApiError(pub ErrorBody);

impl From<ErrorBody> for ApiError {
    fn from(error: ErrorBody) -> Self {
        Self(error)
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self(ErrorBody::new(code))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after;
        let mut response = (status, Json(Failure::from(self.0))).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What a handler returns for an endpoint that answers with data.
pub type DataAnswer<T> = Result<Json<Success<T>>, ApiError>;

/// What a handler returns for an endpoint that only says what it did.
pub type DoneAnswer = Result<Json<Done>, ApiError>;

/// Wraps data in its envelope.
pub fn data<T: Serialize>(data: T) -> DataAnswer<T> {
    Ok(Json(Success::new(data)))
}

/// Wraps a message in its envelope.
pub fn done(message: &str) -> DoneAnswer {
    Ok(Json(Done::new(message)))
}

/// A failure with the code's own message, as a response.
pub fn fail(code: ErrorCode) -> Response {
    ApiError::from(code).into_response()
}

/// The answer to paths that do not exist.
pub async fn not_found() -> Response {
    fail(ErrorCode::NotFound)
}

/// The answer to methods a path does not have.
pub async fn method_not_allowed() -> Response {
    fail(ErrorCode::MethodNotAllowed)
}
