//! Negotiating a consumer: what of a producer's track a client is able to receive, and in which shape.

use crate::feedback;
use crate::matching;
use crate::produce::layers;
use crate::types::{
    Codec, MediaKind, RtcpParameters, RtpCapabilities, RtpCodecCapability, RtpCodecParameters,
    RtpEncodingParameters, RtpHeaderExtensionParameters, RtpParameters, RtxParameters,
};

/// The numbers and names that make a consumer's stream its own (contract §1.8.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerIdentity {
    /// A fresh random SSRC; never [`crate::probator::SSRC`].
    pub ssrc: u32,
    /// Another one for retransmissions; used if they are negotiated.
    pub rtx_ssrc: u32,
    /// Unique within the transport and never used again.
    pub mid: String,
    /// The same for all tracks of the producing participant.
    pub cname: String,
}

/// Why a track cannot be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// The capabilities lack the codec the track is sent in (contract §1.5: `UNSUPPORTED_CODEC`).
    #[error("rtpCapabilities: the producer's codec is not supported")]
    NoCompatibleCodec,
}

/// Whether a client with these capabilities is able to receive a track with these consumable parameters: it has the
/// first codec, the one that is sent. Others that it may have are of no use to it.
#[must_use]
pub fn can_consume(consumable: &RtpParameters, capabilities: &RtpCapabilities) -> bool {
    consumable
        .codecs
        .first()
        .is_some_and(|codec| supported(codec, capabilities).is_some())
}

/// What a client with these capabilities receives of a track: its codecs, the router's retransmissions where the
/// client has them, the header extensions both know, one encoding.
///
/// # Errors
/// If the client is not able to decode the codec the track is sent in.
pub fn negotiate(
    consumable: &RtpParameters,
    capabilities: &RtpCapabilities,
    identity: ConsumerIdentity,
) -> Result<RtpParameters, ConsumeError> {
    if !can_consume(consumable, capabilities) {
        return Err(ConsumeError::NoCompatibleCodec);
    }
    let mut codecs = reduce_codecs(consumable, capabilities);
    let retransmits = codecs.iter().any(|codec| codec.codec() == Codec::Rtx);
    let header_extensions = reduce_extensions(consumable, capabilities);
    feedback::reduce(&mut codecs, &header_extensions);
    let encoding = RtpEncodingParameters {
        ssrc: Some(identity.ssrc),
        rtx: retransmits.then_some(RtxParameters {
            ssrc: identity.rtx_ssrc,
        }),
        scalability_mode: scalability_mode(&consumable.encodings),
        max_bitrate: consumable
            .encodings
            .iter()
            .filter_map(|encoding| encoding.max_bitrate)
            .max(),
        ..RtpEncodingParameters::default()
    };
    Ok(RtpParameters {
        mid: Some(identity.mid),
        codecs,
        header_extensions,
        encodings: vec![encoding],
        rtcp: RtcpParameters {
            cname: Some(identity.cname),
            reduced_size: true,
            mux: None,
        },
    })
}

/// The capability that matches a codec.
fn supported<'c>(
    codec: &RtpCodecParameters,
    capabilities: &'c RtpCapabilities,
) -> Option<&'c RtpCodecCapability> {
    capabilities
        .codecs
        .iter()
        .find(|capability| matching::codecs(*capability, codec).is_some())
}

/// The media codecs the client has, each with retransmissions if the client has them for that very codec.
fn reduce_codecs(consumable: &RtpParameters, capabilities: &RtpCapabilities) -> Vec<RtpCodecParameters> {
    let mut codecs = Vec::new();
    for codec in consumable
        .codecs
        .iter()
        .filter(|codec| codec.codec() != Codec::Rtx)
    {
        let Some(capability) = supported(codec, capabilities) else {
            continue;
        };
        let client_rtx = capabilities.codecs.iter().find(|rtx| {
            rtx.apt() == Some(capability.preferred_payload_type) && rtx.clock_rate == capability.clock_rate
        });
        let router_rtx = consumable
            .codecs
            .iter()
            .find(|rtx| rtx.apt() == Some(codec.payload_type));
        codecs.push(with_shared_feedback(codec, capability));
        codecs.extend(router_rtx.filter(|_| client_rtx.is_some()).cloned());
    }
    codecs
}

/// The codec with the feedback that both router and client have.
///
/// Audio keeps no generic NACK: by the time a lost packet comes again Opus has concealed it, and there are no
/// retransmission streams for audio to carry it.
fn with_shared_feedback(codec: &RtpCodecParameters, capability: &RtpCodecCapability) -> RtpCodecParameters {
    let mut codec = codec.clone();
    let audio = codec.kind() == MediaKind::Audio;
    codec.rtcp_feedback.retain(|feedback| {
        capability.rtcp_feedback.contains(feedback) && !(audio && feedback.is("nack", ""))
    });
    codec
}

fn reduce_extensions(
    consumable: &RtpParameters,
    capabilities: &RtpCapabilities,
) -> Vec<RtpHeaderExtensionParameters> {
    let kind = consumable.codecs.first().map(RtpCodecParameters::kind);
    let known = |extension: &&RtpHeaderExtensionParameters| {
        capabilities.header_extensions.iter().any(|capability| {
            Some(capability.kind) == kind
                && capability.uri == extension.uri
                && capability.preferred_id == extension.id
        })
    };
    consumable
        .header_extensions
        .iter()
        .filter(known)
        .cloned()
        .collect()
}

/// The mode of the one stream a consumer receives: simulcast streams count as its spatial layers.
fn scalability_mode(encodings: &[RtpEncodingParameters]) -> Option<String> {
    let stated = encodings
        .iter()
        .find(|encoding| encoding.scalability_mode.is_some());
    match encodings {
        [] | [_] => stated.and_then(|encoding| encoding.scalability_mode.clone()),
        several => {
            let temporal = stated.map(layers).unwrap_or_default().temporal;
            Some(format!("L{}T{temporal}", several.len()))
        }
    }
}

#[cfg(test)]
mod tests;
