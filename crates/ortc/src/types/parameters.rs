//! What one track is really sent with.

use serde::Serialize;
use serde_json::Value;

use super::capabilities::{apt, extension_id};
use super::codec::{channels, mime_type, payload_type, rtcp_feedback};
use super::value::parameters;
use super::{Codec, MediaKind, Parameters, RtcpFeedback};
use crate::field::{FieldError, FromJson, Object, deserialize_from_json, integer};

/// How a producer sends or a consumer receives its track.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RtpParameters {
    /// The media section it belongs to (RFC 9143), carried in the MID extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// Codecs in use; the first is the one that is sent.
    pub codecs: Vec<RtpCodecParameters>,
    /// Header extensions in use.
    pub header_extensions: Vec<RtpHeaderExtensionParameters>,
    /// One entry per stream: several for simulcast, lowest quality first.
    pub encodings: Vec<RtpEncodingParameters>,
    /// RTCP settings.
    pub rtcp: RtcpParameters,
}

/// One codec in use.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RtpCodecParameters {
    /// `audio/opus`, `video/VP8` and so on; compared without case.
    pub mime_type: String,
    /// The payload type on the wire, 0 to 127.
    pub payload_type: u8,
    /// Ticks per second of the RTP clock.
    pub clock_rate: u32,
    /// Number of audio channels; absent for video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    /// Codec-specific parameters (SDP `fmtp`).
    pub parameters: Parameters,
    /// RTCP feedback in use.
    pub rtcp_feedback: Vec<RtcpFeedback>,
}

impl RtpCodecParameters {
    /// What the MIME type names.
    #[must_use]
    pub fn codec(&self) -> Codec {
        Codec::of(&self.mime_type)
    }

    /// Audio or video, as the MIME type says.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        let top = self.mime_type.split('/').next().unwrap_or_default();
        if top.eq_ignore_ascii_case("audio") {
            MediaKind::Audio
        } else {
            MediaKind::Video
        }
    }

    /// The payload type whose retransmissions this one carries, for an RTX codec.
    #[must_use]
    pub fn apt(&self) -> Option<u8> {
        apt(self.codec(), &self.parameters)
    }

    /// Whether the feedback named by both words is in use; `parameter` may be empty.
    #[must_use]
    pub fn has_feedback(&self, kind: &str, parameter: &str) -> bool {
        self.rtcp_feedback
            .iter()
            .any(|feedback| feedback.is(kind, parameter))
    }
}

/// One header extension in use.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RtpHeaderExtensionParameters {
    /// Its URI.
    pub uri: String,
    /// Its id on the wire, 1 to 255.
    pub id: u8,
    /// Whether it is sent encrypted (RFC 6904); never here.
    pub encrypt: bool,
    /// Extension-specific parameters.
    pub parameters: Parameters,
}

/// One stream of a track.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RtpEncodingParameters {
    /// Its SSRC; simulcast streams have none and are learnt from their first packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssrc: Option<u32>,
    /// Its name in the RID extension (RFC 8852).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// The payload type it uses, where that is not the first codec's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec_payload_type: Option<u8>,
    /// Its retransmission stream (RFC 4588).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtx: Option<RtxParameters>,
    /// Whether silence is not transmitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtx: Option<bool>,
    /// Spatial and temporal layers inside it, `L1T3` for example.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scalability_mode: Option<String>,
    /// By how much the picture is scaled down before encoding; 1 is not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_resolution_down_by: Option<f64>,
    /// The most it is encoded with, bit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<u32>,
}

/// The retransmission stream of an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RtxParameters {
    /// Its SSRC.
    pub ssrc: u32,
}

/// RTCP settings of a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RtcpParameters {
    /// The canonical name (RFC 3550 §6.5.1): equal for all tracks of one sender, so that receivers play them in
    /// step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// Whether reduced-size RTCP (RFC 5506) is in use.
    pub reduced_size: bool,
    /// Whether RTCP shares the port of RTP; always so here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mux: Option<bool>,
}

impl Default for RtcpParameters {
    fn default() -> Self {
        Self {
            cname: None,
            reduced_size: true,
            mux: None,
        }
    }
}

impl FromJson for RtpParameters {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        object.required::<Present>("codecs")?;
        Ok(Self {
            mid: object.optional_text("mid")?,
            codecs: object.list("codecs")?,
            header_extensions: object.list("headerExtensions")?,
            encodings: object.list("encodings")?,
            rtcp: object.optional("rtcp")?.unwrap_or_default(),
        })
    }
}

/// Any value at all; for members that must be there but are read another way.
struct Present;

impl FromJson for Present {
    fn from_json(_: &Value) -> Result<Self, FieldError> {
        Ok(Self)
    }
}

impl FromJson for RtpCodecParameters {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        let (kind, mime_type) = mime_type(&object)?;
        Ok(Self {
            mime_type,
            payload_type: payload_type(&object, "payloadType")?,
            clock_rate: object.required("clockRate")?,
            channels: channels(&object, kind)?,
            parameters: parameters(&object)?,
            rtcp_feedback: rtcp_feedback(&object)?,
        })
    }
}

impl FromJson for RtpHeaderExtensionParameters {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        Ok(Self {
            uri: object.text("uri")?,
            id: extension_id(&object, "id")?,
            encrypt: object.optional("encrypt")?.unwrap_or_default(),
            parameters: parameters(&object)?,
        })
    }
}

impl FromJson for RtpEncodingParameters {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        let codec_payload_type = object
            .raw("codecPayloadType")
            .map(|_| payload_type(&object, "codecPayloadType"));
        Ok(Self {
            ssrc: object.optional("ssrc")?,
            rid: object.optional_text("rid")?,
            codec_payload_type: codec_payload_type.transpose()?,
            rtx: object.optional("rtx")?,
            dtx: object.raw("dtx").and_then(Value::as_bool),
            scalability_mode: object.optional_text("scalabilityMode")?,
            // Hints for the sender's own encoder; a strange one is no reason to refuse the track.
            scale_resolution_down_by: object.raw("scaleResolutionDownBy").and_then(Value::as_f64),
            max_bitrate: object
                .raw("maxBitrate")
                .and_then(integer)
                .and_then(|bitrate| u32::try_from(bitrate).ok()),
        })
    }
}

impl FromJson for RtxParameters {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        Ok(Self {
            ssrc: Object::new(value)?.required("ssrc")?,
        })
    }
}

impl FromJson for RtcpParameters {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        let object = Object::new(value)?;
        Ok(Self {
            cname: object.optional_text("cname")?,
            reduced_size: object.raw("reducedSize").and_then(Value::as_bool).unwrap_or(true),
            mux: object.raw("mux").and_then(Value::as_bool),
        })
    }
}

deserialize_from_json!(
    RtpParameters,
    RtpCodecParameters,
    RtpHeaderExtensionParameters,
    RtpEncodingParameters,
    RtxParameters,
    RtcpParameters,
);
