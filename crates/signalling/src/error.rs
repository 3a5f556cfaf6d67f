//! Stable error codes, and the envelopes every REST answer comes in (contract §1.1, §1.5).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $message:literal;)+) => {
        /// What went wrong, for programs: the name never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// What to tell a person if there is nothing more to say.
            #[must_use]
            pub const fn default_message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

error_codes! {
    /// The request is not what the endpoint takes.
    InvalidRequest = "INVALID_REQUEST", 400, "The request is invalid";
    /// `rtpCapabilities` cannot be used.
    InvalidRtpCapabilities = "INVALID_RTP_CAPABILITIES", 400, "The RTP capabilities are invalid";
    /// `rtpParameters` or `kind` cannot be used.
    InvalidRtpParameters = "INVALID_RTP_PARAMETERS", 400, "The RTP parameters are invalid";
    /// No token, or one that is forged, expired or for another server.
    Unauthorized = "UNAUTHORIZED", 401, "A valid token is required";
    /// A valid token, but not for this call, participant or object.
    Forbidden = "FORBIDDEN", 403, "This token does not permit it";
    /// No such path.
    NotFound = "NOT_FOUND", 404, "There is nothing here";
    /// No such room.
    RoomNotFound = "ROOM_NOT_FOUND", 404, "The room does not exist";
    /// No such transport, or none of the needed direction.
    TransportNotFound = "TRANSPORT_NOT_FOUND", 404, "The transport does not exist";
    /// No such producer.
    ProducerNotFound = "PRODUCER_NOT_FOUND", 404, "The producer does not exist";
    /// No such consumer.
    ConsumerNotFound = "CONSUMER_NOT_FOUND", 404, "The consumer does not exist";
    /// The path exists, but not with this method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, "The method is not allowed here";
    /// The room exists already; fetch and use it.
    RoomAlreadyExists = "ROOM_ALREADY_EXISTS", 409, "The room already exists";
    /// The participant already sends a track of this source.
    ProducerAlreadyExists = "PRODUCER_ALREADY_EXISTS", 409, "There is a producer of this source already";
    /// The room has as many participants as it may.
    RoomFull = "ROOM_FULL", 409, "The room is full";
    /// The body is larger than the limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", 413, "The request is too large";
    /// The client is able to decode none of the producer's codecs.
    UnsupportedCodec = "UNSUPPORTED_CODEC", 422, "None of the producer's codecs is supported";
    /// Too many requests; `retryAfter` says when to come back.
    RateLimitExceeded = "RATE_LIMIT_EXCEEDED", 429, "Too many requests";
    /// The room has as many transports or producers as it may.
    ResourceLimitReached = "RESOURCE_LIMIT_REACHED", 429, "The room has reached a limit";
    /// A fault of the server.
    InternalServerError = "INTERNAL_SERVER_ERROR", 500, "The server failed";
    /// The transport could not be connected.
    TransportConnectionFailed = "TRANSPORT_CONNECTION_FAILED", 500, "The transport could not be connected";
    /// The producer could not be created.
    ProducerCreationFailed = "PRODUCER_CREATION_FAILED", 500, "The producer could not be created";
    /// The consumer could not be created.
    ConsumerCreationFailed = "CONSUMER_CREATION_FAILED", 500, "The consumer could not be created";
    /// The server takes no more rooms: full, overloaded or draining.
    ServerAtCapacity = "SERVER_AT_CAPACITY", 503, "The server takes no more rooms";
    /// No such call, or none that may be seen.
    CallNotFound = "CALL_NOT_FOUND", 404, "The call does not exist";
    /// The conversation has a live call already; `details.callId` names it.
    CallAlreadyActive = "CALL_ALREADY_ACTIVE", 409, "There is a call in this conversation already";
    /// The call is over; leave the call screen.
    CallEnded = "CALL_ENDED", 400, "The call has ended";
    /// No such participant in the call.
    ParticipantNotFound = "PARTICIPANT_NOT_FOUND", 404, "The participant is not in this call";
    /// Another live device of the same person holds the seat.
    AlreadyParticipant = "ALREADY_PARTICIPANT", 409, "You are in this call on another device";
    /// The call has as many participants as it may.
    MaxParticipantsReached = "MAX_PARTICIPANTS_REACHED", 400, "The call is full";
    /// The asked mode does not suit the call.
    InvalidMode = "INVALID_MODE", 400, "This mode does not suit the call";
    /// The switch between direct and group mode failed; the call goes on as it was.
    ModeSwitchFailed = "MODE_SWITCH_FAILED", 503, "Switching to group mode failed";
    /// The media server failed.
    MediaServerError = "MEDIA_SERVER_ERROR", 503, "The media server failed";
    /// The caption could not be taken.
    TranscriptionError = "TRANSCRIPTION_ERROR", 500, "The caption could not be taken";
    /// The caption could not be translated.
    TranslationError = "TRANSLATION_ERROR", 500, "The caption could not be translated";
    /// A signal that cannot be relayed.
    SignalingError = "SIGNALING_ERROR", 400, "The signal cannot be relayed";
    /// Known, but not allowed to do this.
    PermissionDenied = "PERMISSION_DENIED", 403, "You are not allowed to do this";
    /// Removed from the call; leave the call screen.
    Kicked = "KICKED", 403, "You were removed from the call";
    /// Nobody answered in time.
    Timeout = "TIMEOUT", 504, "There was no answer in time";
    /// An event's payload is not what it should be.
    InvalidInput = "INVALID_INPUT", 400, "The input is invalid";
    /// Calls are not possible in conversations of this type.
    InvalidConversationType = "INVALID_CONVERSATION_TYPE", 422, "Calls are not possible in this conversation";
    /// The person is in another call.
    AlreadyInCall = "ALREADY_IN_CALL", 409, "You are in another call";
    /// The other person has no device online.
    CalleeUnavailable = "CALLEE_UNAVAILABLE", 409, "The other person is not reachable";
    /// A switch is under way.
    TransitionInProgress = "TRANSITION_IN_PROGRESS", 409, "The call is switching modes";
    /// Group calls are turned off.
    SfuDisabled = "SFU_DISABLED", 400, "Group calls are turned off";
    /// Something that is needed cannot be had at the moment.
    ServiceUnavailable = "SERVICE_UNAVAILABLE", 503, "The service is temporarily unavailable";
    /// It collides with what is there.
    Conflict = "CONFLICT", 409, "This collides with what is there";
    /// The link is no longer good.
    LinkExpired = "LINK_EXPIRED", 410, "The link is no longer valid";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Ids that a failure is about, by the name of their field: `transportId`, `callId`, ….
pub type Details = BTreeMap<String, String>;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// For programs.
    pub code: ErrorCode,
    /// For people; no addresses, no internals.
    pub message: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// Seconds after which the request may succeed; only with `RATE_LIMIT_EXCEEDED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl ErrorBody {
    /// A failure with the code's own message.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self::with_message(code, code.default_message())
    }

    /// A failure with a message that says more.
    #[must_use]
    pub fn with_message(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            retry_after: None,
        }
    }

    /// The same, about one more object.
    #[must_use]
    pub fn about(mut self, field: &str, id: impl fmt::Display) -> Self {
        self.details
            .get_or_insert_default()
            .insert(field.to_owned(), id.to_string());
        self
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ErrorBody {}

/// The JSON value `true` or `false`, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constant<const VALUE: bool>;

impl<const VALUE: bool> Serialize for Constant<VALUE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(VALUE)
    }
}

impl<'de, const VALUE: bool> Deserialize<'de> for Constant<VALUE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = bool::deserialize(deserializer)?;
        if value == VALUE {
            return Ok(Self);
        }
        Err(D::Error::invalid_value(
            Unexpected::Bool(value),
            &if VALUE { "true" } else { "false" },
        ))
    }
}

/// An answer with data: `{"success":true,"data":…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Success<T> {
    /// Always `true`.
    #[cfg_attr(feature = "ts", ts(type = "true"))]
    pub success: Constant<true>,
    /// The answer.
    pub data: T,
}

impl<T> Success<T> {
    /// Wraps the answer.
    pub const fn new(data: T) -> Self {
        Self {
            success: Constant,
            data,
        }
    }
}

/// An answer without data: `{"success":true,"message":…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Done {
    /// Always `true`.
    #[cfg_attr(feature = "ts", ts(type = "true"))]
    pub success: Constant<true>,
    /// What was done: one fixed sentence per endpoint.
    pub message: String,
}

impl Done {
    /// Says what was done.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            success: Constant,
            message: message.into(),
        }
    }
}

/// A refusal or failure: `{"success":false,"error":…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Failure {
    /// Always `false`.
    #[cfg_attr(feature = "ts", ts(type = "false"))]
    pub success: Constant<false>,
    /// What went wrong.
    pub error: ErrorBody,
}

impl From<ErrorBody> for Failure {
    fn from(error: ErrorBody) -> Self {
        Self {
            success: Constant,
            error,
        }
    }
}

/// Either envelope, for whoever reads answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Answer<T> {
    /// It worked.
    Success(Success<T>),
    /// It did not.
    Failure(Failure),
}

impl<T> Answer<T> {
    /// The data, or what went wrong.
    ///
    /// # Errors
    /// What the server says went wrong.
    pub fn into_result(self) -> Result<T, ErrorBody> {
        match self {
            Self::Success(success) => Ok(success.data),
            Self::Failure(failure) => Err(failure.error),
        }
    }
}
