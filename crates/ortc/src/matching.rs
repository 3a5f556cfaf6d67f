//! When two descriptions mean the same codec.

use crate::h264;
use crate::types::{Codec, ParameterValue, Parameters, RtpCodecCapability, RtpCodecParameters};

/// What capabilities and parameters both say about a codec.
#[derive(Clone, Copy)]
pub(crate) struct Described<'a> {
    mime_type: &'a str,
    clock_rate: u32,
    channels: Option<u8>,
    parameters: &'a Parameters,
}

impl<'a> From<&'a RtpCodecCapability> for Described<'a> {
    fn from(codec: &'a RtpCodecCapability) -> Self {
        Self {
            mime_type: &codec.mime_type,
            clock_rate: codec.clock_rate,
            channels: codec.channels,
            parameters: &codec.parameters,
        }
    }
}

impl<'a> From<&'a RtpCodecParameters> for Described<'a> {
    fn from(codec: &'a RtpCodecParameters) -> Self {
        Self {
            mime_type: &codec.mime_type,
            clock_rate: codec.clock_rate,
            channels: codec.channels,
            parameters: &codec.parameters,
        }
    }
}

/// How two codecs match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// As they are.
    Equal,
    /// As H.264, where the first of the two answers with this `profile-level-id`, or with none.
    H264(h264::Answer),
}

/// Compares MIME type without case, clock rate, channels, and what distinguishes variants of one codec: H.264
/// packetization mode and profile, VP9 profile.
///
/// AV1 is not told apart by its profile: Main is all that browsers have, and mediasoup does not look either.
pub(crate) fn codecs<'a>(own: impl Into<Described<'a>>, offered: impl Into<Described<'a>>) -> Option<Match> {
    let (own, offered) = (own.into(), offered.into());
    let same = own.mime_type.eq_ignore_ascii_case(offered.mime_type)
        && own.clock_rate == offered.clock_rate
        && own.channels == offered.channels;
    if !same {
        return None;
    }
    match Codec::of(own.mime_type) {
        Codec::H264 => h264::answer(own.parameters, offered.parameters).map(Match::H264),
        Codec::Vp9 => {
            (vp9_profile(own.parameters) == vp9_profile(offered.parameters)).then_some(Match::Equal)
        }
        Codec::Opus | Codec::Vp8 | Codec::Av1 | Codec::Rtx | Codec::Other => Some(Match::Equal),
    }
}

/// The VP9 profile, 0 if not stated (RFC 9628 §7.1).
fn vp9_profile(parameters: &Parameters) -> u32 {
    parameters
        .get("profile-id")
        .and_then(ParameterValue::integer)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
