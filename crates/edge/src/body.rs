//! JSON bodies, checked against their type before any work (contract §1.1).

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use signalling::ErrorCode;
use signalling::error::ErrorBody;

use crate::answer::ApiError;

/// How long a body may take to come: 64 KiB over the worst mobile network, not a connection kept open for nothing.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A request's body, a JSON object, as `T`. Whatever stands in the way is answered in the envelope.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let coming = tokio::time::timeout(PATIENCE, Bytes::from_request(request, state));
        let came = coming.await.map_err(|_| {
            let message = "The body did not come in time";
            ApiError(ErrorBody::with_message(ErrorCode::InvalidRequest, message))
        })?;
        let bytes = came.map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::from(ErrorCode::PayloadTooLarge)
            } else {
                ApiError(ErrorBody::with_message(
                    ErrorCode::InvalidRequest,
                    "The body could not be read",
                ))
            }
        })?;
        object(&bytes)
            .map(Self)
            .map_err(|message| ApiError(ErrorBody::with_message(ErrorCode::InvalidRequest, message)))
    }
}

/// What a JSON object says; otherwise what is wrong with it.
///
/// A list is refused, here and inside: see [`crate::json`].
fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match bytes.trim_ascii_start().first() {
        None => Err("A JSON body is needed".to_owned()),
        Some(b'{') => crate::json::from_slice(bytes).map_err(|error| error.to_string()),
        Some(_) => Err("The body must be a JSON object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Wish {
        much: Option<u8>,
    }

    #[test]
    fn an_object_is_read() {
        let table: [(&[u8], Option<u8>); 4] = [
            (b"{}", None),
            (b" \r\n\t{\"much\":3} ", Some(3)),
            (b"{\"much\":null}", None),
            (b"{\"other\":[]}", None),
        ];
        for (bytes, much) in table {
            assert_eq!(object(bytes), Ok(Wish { much }), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn nothing_else_is() {
        let table: [&[u8]; 11] = [
            b"", b"  ", b"[]", b"[3]", b" [{}]", b"\"x\"", b"1", b"null", b"true", b"{", b"{} {}",
        ];
        for bytes in table {
            assert!(object::<Wish>(bytes).is_err(), "{}", bytes.escape_ascii());
        }
    }
}
