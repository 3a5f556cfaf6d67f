//! What an endpoint is able to send or receive.

use serde::Serialize;
use serde_json::Value;

use super::codec::{channels, mime_type, payload_type, rtcp_feedback};
use super::value::parameters;
use super::{Codec, MediaKind, Parameters, RtcpFeedback};
use crate::field::{FieldError, FromJson, Object, Problem, deserialize_from_json};

/// Everything an endpoint supports.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RtpCapabilities {
    /// Codecs, preferred ones first; each video codec is followed by its `video/rtx` where there is one.
    pub codecs: Vec<RtpCodecCapability>,
    /// Header extensions, one entry per kind and URI.
    pub header_extensions: Vec<RtpHeaderExtension>,
}

/// One supported codec.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RtpCodecCapability {
    /// Audio or video, always what the MIME type says.
    pub kind: MediaKind,
    /// `audio/opus`, `video/VP8` and so on; compared without case.
    pub mime_type: String,
    /// The payload type it is sent with, 0 to 127.
    pub preferred_payload_type: u8,
    /// Ticks per second of the RTP clock.
    pub clock_rate: u32,
    /// Number of audio channels; absent for video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    /// Codec-specific parameters (SDP `fmtp`).
    pub parameters: Parameters,
    /// Supported RTCP feedback.
    pub rtcp_feedback: Vec<RtcpFeedback>,
}

impl RtpCodecCapability {
    /// What the MIME type names.
    #[must_use]
    pub fn codec(&self) -> Codec {
        Codec::of(&self.mime_type)
    }

    /// The payload type whose retransmissions this one carries, for an RTX codec.
    #[must_use]
    pub fn apt(&self) -> Option<u8> {
        apt(self.codec(), &self.parameters)
    }
}

/// The associated payload type (RFC 4588 §8.1) of an RTX codec.
pub(super) fn apt(codec: Codec, parameters: &Parameters) -> Option<u8> {
    (codec == Codec::Rtx)
        .then(|| parameters.get("apt")?.integer())
        .flatten()
        .and_then(|payload_type| u8::try_from(payload_type).ok())
}

/// Which way a header extension is supported, from the viewpoint of whoever lists it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Both ways.
    #[default]
    Sendrecv,
    /// Only sent.
    Sendonly,
    /// Only received.
    Recvonly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Whether the endpoint puts the extension on packets it sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::Sendrecv | Self::Sendonly)
    }

    /// Whether the endpoint reads the extension on packets it receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::Sendrecv | Self::Recvonly)
    }
}

/// One supported header extension (RFC 8285) for one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RtpHeaderExtension {
    /// The kind of media it is listed for.
    pub kind: MediaKind,
    /// Its URI.
    pub uri: String,
    /// The id it is sent with, 1 to 255.
    pub preferred_id: u8,
    /// Whether it is sent encrypted (RFC 6904); never here.
    pub preferred_encrypt: bool,
    /// Which way it is supported.
    pub direction: Direction,
}

impl FromJson for RtpCapabilities {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        Ok(Self {
            codecs: object.list("codecs")?,
            header_extensions: object.list("headerExtensions")?,
        })
    }
}

impl FromJson for RtpCodecCapability {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        let (kind, mime_type) = mime_type(&object)?;
        Ok(Self {
            kind,
            mime_type,
            preferred_payload_type: payload_type(&object, "preferredPayloadType")?,
            clock_rate: object.required("clockRate")?,
            channels: channels(&object, kind)?,
            parameters: parameters(&object)?,
            rtcp_feedback: rtcp_feedback(&object)?,
        })
    }
}

impl FromJson for Direction {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        match String::from_json(value)?.as_str() {
            "" | "sendrecv" => Ok(Self::Sendrecv),
            "sendonly" => Ok(Self::Sendonly),
            "recvonly" => Ok(Self::Recvonly),
            "inactive" => Ok(Self::Inactive),
            _ => Err(FieldError::new(Problem::Unknown(
                "sendrecv, sendonly, recvonly, inactive",
            ))),
        }
    }
}

impl FromJson for RtpHeaderExtension {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        Ok(Self {
            kind: object.required("kind")?,
            uri: object.text("uri")?,
            preferred_id: extension_id(&object, "preferredId")?,
            preferred_encrypt: object.optional("preferredEncrypt")?.unwrap_or_default(),
            direction: object.optional("direction")?.unwrap_or_default(),
        })
    }
}

/// Reads the id of a header extension: 1 to 255, as 0 is padding (RFC 8285 §4.2, §4.3).
pub(super) fn extension_id(object: &Object<'_>, key: &str) -> Result<u8, FieldError> {
    let id: u32 = object.required(key)?;
    match u8::try_from(id) {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(FieldError::new(Problem::OutOfRange("1 to 255")).within(key)),
    }
}

deserialize_from_json!(RtpCapabilities, RtpCodecCapability, Direction, RtpHeaderExtension);
