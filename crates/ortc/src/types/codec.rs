//! What capabilities and parameters share: kinds, codec names, feedback.

use serde::Serialize;
use serde_json::Value;

use crate::field::{FieldError, FromJson, Object, Problem, deserialize_from_json};

/// Audio or video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Audio.
    Audio,
    /// Video.
    Video,
}

impl MediaKind {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl FromJson for MediaKind {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        match String::from_json(value)?.as_str() {
            "audio" => Ok(Self::Audio),
            "video" => Ok(Self::Video),
            _ => Err(FieldError::new(Problem::Unknown("audio, video"))),
        }
    }
}

/// What a MIME type names, as far as this system treats codecs differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// `audio/opus`.
    Opus,
    /// `video/VP8`.
    Vp8,
    /// `video/H264`.
    H264,
    /// `video/VP9`.
    Vp9,
    /// `video/AV1`.
    Av1,
    /// `audio/rtx` or `video/rtx`: retransmissions of another payload type (RFC 4588).
    Rtx,
    /// Anything else.
    Other,
}

impl Codec {
    /// The codec of a MIME type; case does not matter.
    #[must_use]
    pub fn of(mime_type: &str) -> Self {
        match mime_type.to_ascii_lowercase().as_str() {
            "audio/opus" => Self::Opus,
            "video/vp8" => Self::Vp8,
            "video/h264" => Self::H264,
            "video/vp9" => Self::Vp9,
            "video/av1" => Self::Av1,
            "audio/rtx" | "video/rtx" => Self::Rtx,
            _ => Self::Other,
        }
    }
}

/// One kind of RTCP feedback a codec supports (RFC 4585 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RtcpFeedback {
    /// `nack`, `ccm`, `goog-remb`, `transport-cc`, or another.
    #[serde(rename = "type")]
    pub kind: String,
    /// `pli`, `fir`, another, or empty.
    pub parameter: String,
}

impl RtcpFeedback {
    /// Feedback with both words given; `parameter` may be empty.
    #[must_use]
    pub fn new(kind: &str, parameter: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            parameter: parameter.to_owned(),
        }
    }

    /// Whether this is the feedback named by both words.
    #[must_use]
    pub fn is(&self, kind: &str, parameter: &str) -> bool {
        self.kind == kind && self.parameter == parameter
    }
}

impl FromJson for RtcpFeedback {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        let parameter = object
            .raw("parameter")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Ok(Self {
            kind: object.text("type")?,
            parameter,
        })
    }
}

/// Reads the member `rtcpFeedback`; anything but an array counts as none.
pub(super) fn rtcp_feedback(object: &Object<'_>) -> Result<Vec<RtcpFeedback>, FieldError> {
    match object.raw("rtcpFeedback") {
        Some(Value::Array(_)) => object.list("rtcpFeedback"),
        _ => Ok(Vec::new()),
    }
}

/// Reads the member `mimeType` and the kind in front of its slash.
pub(super) fn mime_type(object: &Object<'_>) -> Result<(MediaKind, String), FieldError> {
    let mime_type = object.text("mimeType")?;
    let kind = match mime_type.split_once('/') {
        Some((top, name)) if top.eq_ignore_ascii_case("audio") && !name.is_empty() => MediaKind::Audio,
        Some((top, name)) if top.eq_ignore_ascii_case("video") && !name.is_empty() => MediaKind::Video,
        _ => return Err(FieldError::new(Problem::Unknown("audio/…, video/…")).within("mimeType")),
    };
    Ok((kind, mime_type))
}

/// Reads the member `channels`: audio has one unless it says otherwise, video has none.
pub(super) fn channels(object: &Object<'_>, kind: MediaKind) -> Result<Option<u8>, FieldError> {
    match kind {
        MediaKind::Video => Ok(None),
        MediaKind::Audio if object.raw("channels").is_some_and(Value::is_number) => {
            object.optional("channels")
        }
        MediaKind::Audio => Ok(Some(1)),
    }
}

/// Reads a payload type: seven bits (RFC 3550 §5.1).
pub(super) fn payload_type(object: &Object<'_>, key: &str) -> Result<u8, FieldError> {
    let payload_type: u32 = object.required(key)?;
    match u8::try_from(payload_type) {
        Ok(payload_type) if payload_type <= 127 => Ok(payload_type),
        _ => Err(FieldError::new(Problem::OutOfRange("0 to 127")).within(key)),
    }
}

deserialize_from_json!(MediaKind, RtcpFeedback);
