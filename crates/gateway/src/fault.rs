//! What a client is told when the store fails: nothing of its insides.

use signalling::ErrorCode;
use signalling::error::ErrorBody;
use store::StoreError;

/// Writes down what happened and says what the client hears.
pub(crate) fn fault(error: &StoreError) -> ErrorBody {
    match error {
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "the store is not available");
            ErrorBody::new(ErrorCode::ServiceUnavailable)
        }
        StoreError::NotFound => ErrorBody::new(ErrorCode::NotFound),
        StoreError::Conflict => ErrorBody::new(ErrorCode::Conflict),
        StoreError::LiveCallExists { call } => {
            ErrorBody::new(ErrorCode::CallAlreadyActive).about("callId", call)
        }
        StoreError::Corrupt { .. } => {
            tracing::error!(%error, "stored data cannot be read");
            ErrorBody::new(ErrorCode::InternalServerError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_code_and_no_insides() {
        let table = [
            (
                StoreError::Unavailable("connection to 10.0.0.9 refused".into()),
                ErrorCode::ServiceUnavailable,
            ),
            (StoreError::NotFound, ErrorCode::NotFound),
            (StoreError::Conflict, ErrorCode::Conflict),
            (
                StoreError::Corrupt { what: "call.mode" },
                ErrorCode::InternalServerError,
            ),
        ];
        for (error, code) in table {
            let told = fault(&error);
            assert_eq!(told, ErrorBody::new(code));
        }
    }
}
