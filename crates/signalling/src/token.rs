//! What a bearer token says (contract §1.2): a JWT signed with HS256.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, ParticipantId};

/// The subject of tokens by which services act for themselves.
pub const GATEWAY_SUBJECT: &str = "gateway";
/// Lifetime of a participant's token unless configured otherwise, seconds.
pub const PARTICIPANT_LIFETIME: u64 = 3600;
/// Lifetime of a service's token, seconds; minted anew for each request.
pub const SERVICE_LIFETIME: u64 = 60;

/// The claims of a token for the media node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// The user, or `gateway` for a service.
    pub sub: Subject,
    /// The one call the token is good for. Only a service's token may be without, and is then good for all calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<CallId>,
    /// The one participant the token acts for; absent in a service's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<ParticipantId>,
    /// Whom the token is for.
    pub role: Role,
    /// When it was issued, seconds since 1970.
    pub iat: u64,
    /// When it ends, seconds since 1970.
    pub exp: u64,
    /// Which server it opens.
    pub aud: Audience,
}

/// Who a user is; not written to logs.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(
    /// The id, opaque here.
    pub String,
);

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(..)")
    }
}

/// Whom a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// One participant of one call.
    Participant,
    /// A gateway; passes every check of ownership.
    Service,
}

/// Which server a token opens; each refuses the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// The media node.
    Media,
    /// The gateway.
    Gateway,
}

impl Audience {
    /// The word in the `aud` claim.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Gateway => "gateway",
        }
    }
}

/// A signed token; not written to logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Token(
    /// The compact form: three parts with dots between them.
    pub String,
);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
