//! What a request says in its path and its query, checked before any work.

use std::str::FromStr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawPathParams};
use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode, ParticipantId, UserId};

use crate::auth::Caller;

/// The query, as far as it could be split into names and values.
pub(super) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// A request that is not what the endpoint takes.
pub(super) fn invalid(message: impl Into<String>) -> ErrorBody {
    ErrorBody::with_message(ErrorCode::InvalidRequest, message)
}

/// What a caller must not do.
pub(super) fn denied() -> ErrorBody {
    ErrorBody::new(ErrorCode::PermissionDenied)
}

/// The text of a parameter of the path.
pub(super) fn text<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    let mut params = params.iter();
    params
        .find(|(key, _)| *key == name)
        .map_or("", |(_, value)| value)
}

/// An id in the path.
pub(super) fn id<T: FromStr<Err = signalling::id::IdError>>(
    params: &RawPathParams,
    name: &str,
) -> Result<T, ErrorBody> {
    let parsed = text(params, name).parse();
    parsed.map_err(|error| invalid(format!("{name} {error}")))
}

/// The call in the path. The gateway's own ids have 24 digits, those of media nodes may be anything.
pub(super) fn call(params: &RawPathParams) -> Result<CallId, ErrorBody> {
    id::<UserId>(params, "callId")?;
    id(params, "callId")
}

/// The participant in the path.
pub(super) fn participant(params: &RawPathParams) -> Result<ParticipantId, ErrorBody> {
    id::<UserId>(params, "participantId")?;
    id(params, "participantId")
}

/// The registered user who calls.
pub(super) fn user(caller: &Caller) -> Result<UserId, ErrorBody> {
    caller.user().ok_or_else(denied)
}

/// Names and values of a query.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(super) fn new(pairs: Pairs) -> Result<Self, ErrorBody> {
        let Query(pairs) = pairs.map_err(|_| invalid("the query cannot be read"))?;
        Ok(Self(pairs))
    }

    /// The value of this name, if it is there once.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, ErrorBody> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => Ok(Some(value)),
            (Some(_), Some(_)) => Err(invalid(format!("{name} is given twice"))),
        }
    }

    /// A number of a range, or its default.
    pub(super) fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ErrorBody> {
        let Some(text) = self.one(name)? else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            invalid(format!(
                "{name} must be a whole number from {} to {}",
                range.start(),
                range.end()
            ))
        })
    }
}

/// What is wrong with an event's payload, in the word that REST has for it (contract §2.4).
pub(super) fn in_words_of_rest(mut error: ErrorBody) -> ErrorBody {
    if error.code == ErrorCode::InvalidInput {
        error.code = ErrorCode::InvalidRequest;
    }
    error
}
