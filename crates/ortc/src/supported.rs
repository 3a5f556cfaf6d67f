//! What the router offers: codecs, payload types, header extensions (contract §1.8, rules 1 to 3).
//!
//! Payload types and extension ids never change with the configuration, so that recordings of traffic, tests and
//! clients that remember them stay comparable.

use crate::types::{
    Codec, Direction, MediaKind, ParameterValue, Parameters, RtcpFeedback, RtpCapabilities,
    RtpCodecCapability, RtpHeaderExtension,
};

/// A codec the router is able to forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodecChoice {
    /// Opus (RFC 7587).
    Opus,
    /// VP8 (RFC 7741).
    Vp8,
    /// H.264 Constrained Baseline, packetization mode 1 (RFC 6184).
    H264,
    /// VP9 (RFC 9628), profiles 0 and 2.
    Vp9,
    /// AV1 (AV1 RTP payload specification).
    Av1,
}

impl CodecChoice {
    /// Everything, in the order in which clients without a wish of their own take them (contract §1.8.1 and
    /// amendment 2).
    pub const DEFAULT: [Self; 5] = [Self::Opus, Self::Vp8, Self::H264, Self::Vp9, Self::Av1];

    /// The codec as a MIME type names it.
    #[must_use]
    pub const fn codec(self) -> Codec {
        match self {
            Self::Opus => Codec::Opus,
            Self::Vp8 => Codec::Vp8,
            Self::H264 => Codec::H264,
            Self::Vp9 => Codec::Vp9,
            Self::Av1 => Codec::Av1,
        }
    }
}

/// A name that is none of `opus`, `VP8`, `H264`, `VP9`, `AV1`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown codec {0:?}; known are opus, VP8, H264, VP9, AV1")]
pub struct UnknownCodec(
    /// The name given.
    pub String,
);

impl std::str::FromStr for CodecChoice {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "opus" => Ok(Self::Opus),
            "vp8" => Ok(Self::Vp8),
            "h264" => Ok(Self::H264),
            "vp9" => Ok(Self::Vp9),
            "av1" => Ok(Self::Av1),
            _ => Err(UnknownCodec(name.to_owned())),
        }
    }
}

/// URIs of the header extensions the router processes.
pub mod uri {
    /// Media identification (RFC 9143 §15.2).
    pub const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
    /// Name of a simulcast stream (RFC 8852 §3.1).
    pub const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    /// Name of the simulcast stream that a retransmission belongs to (RFC 8852 §3.2).
    pub const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
    /// Send time, 24 bits of seconds in 6.18 fixed point.
    pub const ABS_SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
    /// Sequence number of the packet on its transport.
    pub const TRANSPORT_CC: &str =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    /// AV1 dependency descriptor, also sent by Chrome with other codecs.
    pub const DEPENDENCY_DESCRIPTOR: &str =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
    /// Loudness of the packet's audio (RFC 6464).
    pub const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    /// Rotation of the picture (3GPP TS 26.114 §7.4.5).
    pub const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
}

/// Header extensions in the order they are listed: kind, URI, id, direction from the router's viewpoint.
///
/// Only what the router reads or writes. Stream names and dependency descriptors are read from producers and not
/// passed on, as each consumer receives a single stream. Audio is counted in transport-wide feedback when received,
/// but browsers do not react to it when sent.
const HEADER_EXTENSIONS: [(MediaKind, &str, u8, Direction); 11] = [
    (MediaKind::Audio, uri::MID, 1, Direction::Sendrecv),
    (MediaKind::Video, uri::MID, 1, Direction::Sendrecv),
    (MediaKind::Video, uri::RID, 2, Direction::Recvonly),
    (MediaKind::Video, uri::REPAIRED_RID, 3, Direction::Recvonly),
    (MediaKind::Audio, uri::ABS_SEND_TIME, 4, Direction::Sendrecv),
    (MediaKind::Video, uri::ABS_SEND_TIME, 4, Direction::Sendrecv),
    (MediaKind::Audio, uri::TRANSPORT_CC, 5, Direction::Recvonly),
    (MediaKind::Video, uri::TRANSPORT_CC, 5, Direction::Sendrecv),
    (
        MediaKind::Video,
        uri::DEPENDENCY_DESCRIPTOR,
        8,
        Direction::Recvonly,
    ),
    (MediaKind::Audio, uri::AUDIO_LEVEL, 10, Direction::Sendrecv),
    (MediaKind::Video, uri::VIDEO_ORIENTATION, 11, Direction::Sendrecv),
];

/// What a router offers with these codecs, in this order of preference; repeated choices count once.
#[must_use]
pub fn router_capabilities(codecs: &[CodecChoice]) -> RtpCapabilities {
    let mut offered = RtpCapabilities::default();
    for (index, choice) in codecs.iter().enumerate() {
        if codecs.iter().take(index).any(|earlier| earlier == choice) {
            continue;
        }
        offered.codecs.extend(variants(*choice));
    }
    offered.header_extensions = HEADER_EXTENSIONS
        .iter()
        .filter(|(kind, ..)| offered.codecs.iter().any(|codec| codec.kind == *kind))
        .map(|(kind, uri, id, direction)| RtpHeaderExtension {
            kind: *kind,
            uri: (*uri).to_owned(),
            preferred_id: *id,
            preferred_encrypt: false,
            direction: *direction,
        })
        .collect();
    offered
}

/// The entries of one codec: each variant, followed by its retransmissions.
fn variants(choice: CodecChoice) -> Vec<RtpCodecCapability> {
    match choice {
        CodecChoice::Opus => vec![opus(100)],
        CodecChoice::Vp8 => {
            // Chrome starts at 300 kbit/s unless told otherwise, which looks bad for the first seconds.
            with_rtx(video(
                "video/VP8",
                101,
                &[("x-google-start-bitrate", 1000_u32.into())],
            ))
        }
        CodecChoice::H264 => {
            let parameters: [(&str, ParameterValue); 3] = [
                ("packetization-mode", 1_u32.into()),
                ("profile-level-id", "42e01f".into()),
                ("level-asymmetry-allowed", 1_u32.into()),
            ];
            with_rtx(video("video/H264", 103, &parameters))
        }
        CodecChoice::Vp9 => [(105, 0_u32), (107, 2)]
            .into_iter()
            .flat_map(|(payload_type, profile)| {
                with_rtx(video(
                    "video/VP9",
                    payload_type,
                    &[("profile-id", profile.into())],
                ))
            })
            .collect(),
        CodecChoice::Av1 => with_rtx(video("video/AV1", 109, &[])),
    }
}

fn opus(payload_type: u8) -> RtpCodecCapability {
    let parameters = [("minptime", 10_u32), ("useinbandfec", 1), ("usedtx", 1)];
    RtpCodecCapability {
        kind: MediaKind::Audio,
        mime_type: "audio/opus".to_owned(),
        preferred_payload_type: payload_type,
        clock_rate: 48_000,
        channels: Some(2),
        parameters: parameters
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect(),
        rtcp_feedback: vec![
            RtcpFeedback::new("nack", ""),
            RtcpFeedback::new("transport-cc", ""),
        ],
    }
}

fn video(mime_type: &str, payload_type: u8, parameters: &[(&str, ParameterValue)]) -> RtpCodecCapability {
    RtpCodecCapability {
        kind: MediaKind::Video,
        mime_type: mime_type.to_owned(),
        preferred_payload_type: payload_type,
        clock_rate: 90_000,
        channels: None,
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        rtcp_feedback: vec![
            RtcpFeedback::new("nack", ""),
            RtcpFeedback::new("nack", "pli"),
            RtcpFeedback::new("ccm", "fir"),
            RtcpFeedback::new("goog-remb", ""),
            RtcpFeedback::new("transport-cc", ""),
        ],
    }
}

/// The codec and, with the next payload type, its retransmissions.
fn with_rtx(codec: RtpCodecCapability) -> Vec<RtpCodecCapability> {
    let apt = ParameterValue::from(u32::from(codec.preferred_payload_type));
    let rtx = RtpCodecCapability {
        kind: codec.kind,
        mime_type: "video/rtx".to_owned(),
        preferred_payload_type: codec.preferred_payload_type + 1,
        clock_rate: codec.clock_rate,
        channels: None,
        parameters: Parameters::from([("apt".to_owned(), apt)]),
        rtcp_feedback: Vec::new(),
    };
    vec![codec, rtx]
}

#[cfg(test)]
mod tests;
