//! Negotiating a producer: may it send this, and what will its consumers receive?

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::matching::{self, Match};
use crate::scalability::ScalabilityMode;
use crate::types::{
    Codec, MediaKind, ParameterValue, RtcpParameters, RtpCapabilities, RtpCodecCapability,
    RtpCodecParameters, RtpEncodingParameters, RtpHeaderExtensionParameters, RtpParameters,
};

/// Most streams one track may be sent in. Browsers send up to three; the bound keeps a hostile request small.
pub const MAX_ENCODINGS: usize = 8;
/// Longest MID or RID in bytes: what a one-byte header extension holds (RFC 8285 §4.2).
pub const MAX_STREAM_ID: usize = 16;
/// Longest CNAME in bytes: what an SDES item holds (RFC 3550 §6.5).
pub const MAX_CNAME: usize = 255;

/// How a producer's packets become those of the router.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerNegotiation {
    /// What the producer sends, as understood: at least one encoding, the H.264 level agreed on.
    pub parameters: RtpParameters,
    /// Numbers of the producer against numbers of the router.
    pub mapping: Mapping,
    /// What consumers may receive, in the router's numbers. Its encodings have neither SSRC nor RID: consumers get
    /// SSRCs of their own.
    pub consumable: RtpParameters,
    /// How consumers of it choose between its streams and layers.
    pub kind_of: ConsumerType,
}

/// Numbers of the producer against numbers of the router.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Payload types, one entry per codec of the producer, retransmissions included.
    pub codecs: Vec<CodecMapping>,
    /// Ids of the header extensions that the router reads from producers of this kind.
    pub header_extensions: Vec<HeaderExtensionMapping>,
}

impl Mapping {
    /// The router's payload type for one of the producer's.
    #[must_use]
    pub fn payload_type(&self, payload_type: u8) -> Option<u8> {
        let entry = self
            .codecs
            .iter()
            .find(|entry| entry.payload_type == payload_type)?;
        Some(entry.mapped_payload_type)
    }
}

/// One payload type on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecMapping {
    /// What the producer sends.
    pub payload_type: u8,
    /// What consumers receive.
    pub mapped_payload_type: u8,
}

/// One header extension on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderExtensionMapping {
    /// Which extension, see [`crate::supported::uri`].
    pub uri: String,
    /// The id the producer sends it with.
    pub id: u8,
    /// The router's id for it.
    pub mapped_id: u8,
}

/// How the streams and layers of a producer reach a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum ConsumerType {
    /// One stream without layers.
    Simple,
    /// One of several streams at a time, or one stream with temporal layers to drop.
    Simulcast,
    /// Layers of one stream.
    Svc,
}

/// Why a track may not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProduceError {
    /// No codec but retransmissions.
    #[error("codecs: no media codec")]
    NoMediaCodec,
    /// A codec of the other kind.
    #[error("codecs: {mime_type} does not belong to a track of this kind")]
    WrongKind {
        /// The codec.
        mime_type: String,
    },
    /// A codec (or a variant of it) that the router does not offer.
    #[error("codecs: {mime_type} with payload type {payload_type} is not supported")]
    UnsupportedCodec {
        /// The codec.
        mime_type: String,
        /// Its payload type.
        payload_type: u8,
    },
    /// Two codecs with one payload type.
    #[error("codecs: payload type {0} is used twice")]
    DuplicatePayloadType(u8),
    /// Two codecs that are the same to the router, so that consumers could not tell them apart.
    #[error("codecs: payload types {first} and {second} are the same codec")]
    DuplicateCodec {
        /// The one listed first.
        first: u8,
        /// The one listed after it.
        second: u8,
    },
    /// Retransmissions whose `apt` names no media codec of the track.
    #[error("codecs: payload type {0} retransmits none of the codecs")]
    StrayRtx(u8),
    /// Two header extensions with one id.
    #[error("headerExtensions: id {0} is used twice")]
    DuplicateExtensionId(u8),
    /// A MID that cannot be carried in packets.
    #[error("mid: must be 1 to {MAX_STREAM_ID} printable ASCII characters")]
    InvalidMid,
    /// A RID that RFC 8852 §3.3 does not allow.
    #[error("encodings: rid must be 1 to {MAX_STREAM_ID} letters and digits")]
    InvalidRid,
    /// A CNAME that no SDES item can hold.
    #[error("rtcp.cname: longer than {MAX_CNAME} bytes")]
    InvalidCname,
    /// More encodings than [`MAX_ENCODINGS`].
    #[error("encodings: more than {MAX_ENCODINGS}")]
    TooManyEncodings,
    /// An encoding whose packets could not be recognised: no SSRC, no RID, and no MID to go by.
    #[error("encodings[{0}]: needs ssrc or rid")]
    UnidentifiedEncoding(usize),
    /// One SSRC for two streams.
    #[error("encodings: ssrc {0} is used twice")]
    DuplicateSsrc(u32),
    /// One RID for two streams.
    #[error("encodings: rid {0} is used twice")]
    DuplicateRid(String),
    /// An encoding that names a payload type which is no media codec of the track.
    #[error("encodings[{0}].codecPayloadType: names no media codec")]
    UnknownEncodingCodec(usize),
    /// A scalability mode or number of encodings that the codec has no way to express.
    #[error("encodings: {mime_type} cannot be sent in these layers")]
    UnsupportedLayers {
        /// The codec.
        mime_type: String,
    },
}

/// Checks what a client wants to send against what the router offers and finds what consumers may receive.
///
/// # Errors
/// Says which part of the parameters cannot be used.
pub fn negotiate(
    kind: MediaKind,
    parameters: &RtpParameters,
    router: &RtpCapabilities,
) -> Result<ProducerNegotiation, ProduceError> {
    let mut parameters = parameters.clone();
    if parameters.encodings.is_empty() {
        // A single stream that is recognised by its MID.
        parameters.encodings.push(RtpEncodingParameters::default());
    }
    check_codecs(kind, &parameters)?;
    check_identities(&parameters)?;
    let mut media = match_media(&mut parameters, router)?;
    let codecs = map_codecs(&parameters, &media, router)?;
    let sent = sent_codec(&parameters)?;
    let kind_of = consumer_type(sent, &parameters.encodings)?;
    // Consumers receive what is sent, so that codec leads.
    media.sort_by_key(|matched| matched.payload_type != sent.payload_type);
    let mapping = Mapping {
        codecs,
        header_extensions: map_extensions(kind, &parameters, router),
    };
    let consumable = consumable(kind, &parameters, &media, router);
    Ok(ProducerNegotiation {
        parameters,
        mapping,
        consumable,
        kind_of,
    })
}

fn check_codecs(kind: MediaKind, parameters: &RtpParameters) -> Result<(), ProduceError> {
    let mut payload_types = HashSet::new();
    for codec in &parameters.codecs {
        if codec.kind() != kind {
            return Err(ProduceError::WrongKind {
                mime_type: codec.mime_type.clone(),
            });
        }
        if !payload_types.insert(codec.payload_type) {
            return Err(ProduceError::DuplicatePayloadType(codec.payload_type));
        }
    }
    Ok(())
}

/// Checks that every packet of the track can be told to belong to it, and to which of its streams.
fn check_identities(parameters: &RtpParameters) -> Result<(), ProduceError> {
    let mut ids = HashSet::new();
    if let Some(twice) = parameters
        .header_extensions
        .iter()
        .find(|extension| !ids.insert(extension.id))
    {
        return Err(ProduceError::DuplicateExtensionId(twice.id));
    }
    let printable =
        |mid: &String| mid.len() <= MAX_STREAM_ID && mid.bytes().all(|byte| byte.is_ascii_graphic());
    if parameters
        .mid
        .as_ref()
        .is_some_and(|mid| mid.is_empty() || !printable(mid))
    {
        return Err(ProduceError::InvalidMid);
    }
    if parameters
        .rtcp
        .cname
        .as_ref()
        .is_some_and(|cname| cname.len() > MAX_CNAME)
    {
        return Err(ProduceError::InvalidCname);
    }
    if parameters.encodings.len() > MAX_ENCODINGS {
        return Err(ProduceError::TooManyEncodings);
    }
    let (mut ssrcs, mut rids) = (HashSet::new(), HashSet::new());
    for (index, encoding) in parameters.encodings.iter().enumerate() {
        let recognised_by_mid = parameters.encodings.len() == 1 && parameters.mid.is_some();
        if encoding.ssrc.is_none() && encoding.rid.is_none() && !recognised_by_mid {
            return Err(ProduceError::UnidentifiedEncoding(index));
        }
        for ssrc in encoding.ssrc.into_iter().chain(encoding.rtx.map(|rtx| rtx.ssrc)) {
            if !ssrcs.insert(ssrc) {
                return Err(ProduceError::DuplicateSsrc(ssrc));
            }
        }
        if let Some(rid) = &encoding.rid {
            check_rid(rid)?;
            if !rids.insert(rid) {
                return Err(ProduceError::DuplicateRid(rid.clone()));
            }
        }
    }
    Ok(())
}

fn check_rid(rid: &str) -> Result<(), ProduceError> {
    let valid =
        (1..=MAX_STREAM_ID).contains(&rid.len()) && rid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if valid {
        Ok(())
    } else {
        Err(ProduceError::InvalidRid)
    }
}

/// A media codec of the producer with the router's codec it matches.
struct Matched<'r> {
    payload_type: u8,
    router: &'r RtpCodecCapability,
}

/// Finds the router's codec for each media codec, and settles the producer's H.264 level on the way.
fn match_media<'r>(
    parameters: &mut RtpParameters,
    router: &'r RtpCapabilities,
) -> Result<Vec<Matched<'r>>, ProduceError> {
    let mut media: Vec<Matched<'r>> = Vec::new();
    for codec in parameters
        .codecs
        .iter_mut()
        .filter(|codec| codec.codec() != Codec::Rtx)
    {
        let matched = router
            .codecs
            .iter()
            .find_map(|offered| Some((offered, matching::codecs(&*codec, offered)?)));
        let Some((offered, how)) = matched else {
            return Err(ProduceError::UnsupportedCodec {
                mime_type: codec.mime_type.clone(),
                payload_type: codec.payload_type,
            });
        };
        let same =
            |earlier: &&Matched<'_>| earlier.router.preferred_payload_type == offered.preferred_payload_type;
        if let Some(earlier) = media.iter().find(same) {
            let (first, second) = (earlier.payload_type, codec.payload_type);
            return Err(ProduceError::DuplicateCodec { first, second });
        }
        if let Match::H264(answer) = how {
            let name = "profile-level-id";
            match answer.profile_level_id {
                Some(id) => codec.parameters.insert(name.to_owned(), ParameterValue::Text(id)),
                None => codec.parameters.remove(name),
            };
        }
        media.push(Matched {
            payload_type: codec.payload_type,
            router: offered,
        });
    }
    if media.is_empty() {
        Err(ProduceError::NoMediaCodec)
    } else {
        Ok(media)
    }
}

fn map_codecs(
    parameters: &RtpParameters,
    media: &[Matched<'_>],
    router: &RtpCapabilities,
) -> Result<Vec<CodecMapping>, ProduceError> {
    let mut mapping: Vec<CodecMapping> = media
        .iter()
        .map(|matched| CodecMapping {
            payload_type: matched.payload_type,
            mapped_payload_type: matched.router.preferred_payload_type,
        })
        .collect();
    let mut retransmitted = HashSet::new();
    for rtx in parameters
        .codecs
        .iter()
        .filter(|codec| codec.codec() == Codec::Rtx)
    {
        let stray = ProduceError::StrayRtx(rtx.payload_type);
        let target = media
            .iter()
            .find(|matched| Some(matched.payload_type) == rtx.apt())
            .ok_or(stray)?;
        let offered = rtx_of(target.router, router).ok_or_else(|| ProduceError::UnsupportedCodec {
            mime_type: rtx.mime_type.clone(),
            payload_type: rtx.payload_type,
        })?;
        if !retransmitted.insert(offered.preferred_payload_type) {
            let first = mapping
                .iter()
                .find(|entry| entry.mapped_payload_type == offered.preferred_payload_type);
            let first = first.map_or(rtx.payload_type, |entry| entry.payload_type);
            return Err(ProduceError::DuplicateCodec {
                first,
                second: rtx.payload_type,
            });
        }
        mapping.push(CodecMapping {
            payload_type: rtx.payload_type,
            mapped_payload_type: offered.preferred_payload_type,
        });
    }
    Ok(mapping)
}

/// The router's retransmissions of one of its codecs.
fn rtx_of<'r>(codec: &RtpCodecCapability, router: &'r RtpCapabilities) -> Option<&'r RtpCodecCapability> {
    router
        .codecs
        .iter()
        .find(|offered| offered.apt() == Some(codec.preferred_payload_type))
}

fn map_extensions(
    kind: MediaKind,
    parameters: &RtpParameters,
    router: &RtpCapabilities,
) -> Vec<HeaderExtensionMapping> {
    let mut mapping: Vec<HeaderExtensionMapping> = Vec::new();
    for extension in &parameters.header_extensions {
        let offered = router.header_extensions.iter().find(|offered| {
            offered.kind == kind && offered.uri == extension.uri && offered.direction.receives()
        });
        // What the router does not read it does not map; of an extension listed twice the first counts.
        if let Some(offered) = offered
            && !mapping.iter().any(|earlier| earlier.uri == extension.uri)
        {
            mapping.push(HeaderExtensionMapping {
                uri: extension.uri.clone(),
                id: extension.id,
                mapped_id: offered.preferred_id,
            });
        }
    }
    mapping
}

fn consumable(
    kind: MediaKind,
    parameters: &RtpParameters,
    media: &[Matched<'_>],
    router: &RtpCapabilities,
) -> RtpParameters {
    let mut codecs = Vec::new();
    for matched in media {
        let sent = parameters
            .codecs
            .iter()
            .find(|codec| codec.payload_type == matched.payload_type);
        let own = sent.map(|codec| codec.parameters.clone()).unwrap_or_default();
        codecs.push(RtpCodecParameters {
            parameters: own,
            ..offered_parameters(matched.router)
        });
        // Offered to consumers whether or not the producer retransmits: the router answers them itself.
        codecs.extend(rtx_of(matched.router, router).map(offered_parameters));
    }
    let header_extensions = router
        .header_extensions
        .iter()
        .filter(|offered| offered.kind == kind && offered.direction.sends())
        .map(|offered| RtpHeaderExtensionParameters {
            uri: offered.uri.clone(),
            id: offered.preferred_id,
            encrypt: offered.preferred_encrypt,
            parameters: Default::default(),
        })
        .collect();
    let encodings = parameters
        .encodings
        .iter()
        .map(|encoding| RtpEncodingParameters {
            ssrc: None,
            rid: None,
            rtx: None,
            codec_payload_type: None,
            ..encoding.clone()
        })
        .collect();
    let rtcp = RtcpParameters {
        cname: parameters.rtcp.cname.clone(),
        reduced_size: true,
        mux: None,
    };
    RtpParameters {
        mid: None,
        codecs,
        header_extensions,
        encodings,
        rtcp,
    }
}

fn offered_parameters(codec: &RtpCodecCapability) -> RtpCodecParameters {
    RtpCodecParameters {
        mime_type: codec.mime_type.clone(),
        payload_type: codec.preferred_payload_type,
        clock_rate: codec.clock_rate,
        channels: codec.channels,
        parameters: codec.parameters.clone(),
        rtcp_feedback: codec.rtcp_feedback.clone(),
    }
}

/// The codec that is sent: the first one, unless the first encoding names another.
fn sent_codec(parameters: &RtpParameters) -> Result<&RtpCodecParameters, ProduceError> {
    let media = || {
        parameters
            .codecs
            .iter()
            .filter(|codec| codec.codec() != Codec::Rtx)
    };
    let mut sent = media().next().ok_or(ProduceError::NoMediaCodec)?;
    for (index, encoding) in parameters.encodings.iter().enumerate() {
        let Some(payload_type) = encoding.codec_payload_type else {
            continue;
        };
        let named = media().find(|codec| codec.payload_type == payload_type);
        let named = named.ok_or(ProduceError::UnknownEncodingCodec(index))?;
        if index == 0 {
            sent = named;
        }
    }
    Ok(sent)
}

/// How consumers choose, given the number of streams and the layers inside them.
fn consumer_type(
    sent: &RtpCodecParameters,
    encodings: &[RtpEncodingParameters],
) -> Result<ConsumerType, ProduceError> {
    let modes: Vec<ScalabilityMode> = encodings.iter().map(layers).collect();
    let unsupported = ProduceError::UnsupportedLayers {
        mime_type: sent.mime_type.clone(),
    };
    let layered = |mode: &ScalabilityMode| mode.spatial > 1 || mode.temporal > 1;
    match (modes.as_slice(), sent.codec()) {
        ([mode], _) if !layered(mode) => Ok(ConsumerType::Simple),
        ([mode], Codec::Vp8 | Codec::H264) if mode.spatial == 1 => Ok(ConsumerType::Simulcast),
        ([_], Codec::Vp9 | Codec::Av1) => Ok(ConsumerType::Svc),
        ([_, _, ..], Codec::Vp8 | Codec::H264) if modes.iter().all(|mode| mode.spatial == 1) => {
            Ok(ConsumerType::Simulcast)
        }
        _ => Err(unsupported),
    }
}

/// The layers inside one encoding; one of each unless it says otherwise.
#[must_use]
pub fn layers(encoding: &RtpEncodingParameters) -> ScalabilityMode {
    encoding
        .scalability_mode
        .as_deref()
        .and_then(ScalabilityMode::parse)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
