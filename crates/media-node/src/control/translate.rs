//! Negotiated words to a worker's numbers: `ortc` in, `sfu::spec` out. What a worker cannot express is refused here.

use ortc::produce::{ProducerNegotiation, layers};
use ortc::{Codec, ConsumerType, MediaKind, RtpCodecParameters, RtpHeaderExtensionParameters, RtpParameters};
use rtp::{CodecKind, ExtKind, ExtMap, Mid, PayloadType, Rid, Ssrc};
use sfu::event::MAX_ENCODINGS;
use sfu::spec::{
    ConnectSpec, ConsumerSpec, ProducerCodec, ProducerEncoding, ProducerSpec, RtxSpec, Scalability, Source,
};
use signalling::client_node::{DtlsParameters, DtlsRole, TrackSource, TransportDirection};
use signalling::gateway_node;

/// Why a negotiated track or certificate cannot be handed to a worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TranslateError {
    /// A MID or RID the packet side has no room for.
    #[error("mid or rid: too long")]
    StreamName,
    /// More encodings than a worker tracks.
    #[error("encodings: more than {MAX_ENCODINGS}")]
    Encodings,
    /// The negotiation left something out that it always has.
    #[error("the negotiated parameters are incomplete")]
    Incomplete,
    /// A fingerprint that cannot be used.
    #[error("dtlsParameters.fingerprints: {0}")]
    Fingerprint(#[from] link::FingerprintError),
    /// No fingerprint at all.
    #[error("dtlsParameters.fingerprints: at least one is needed")]
    NoFingerprint,
}

/// The client's certificate and role.
pub(crate) fn connect(parameters: &DtlsParameters) -> Result<ConnectSpec, TranslateError> {
    let fingerprints = parameters
        .fingerprints
        .iter()
        .map(|fingerprint| link::Fingerprint::parse(&fingerprint.algorithm, &fingerprint.value))
        .collect::<Result<Vec<_>, _>>()?;
    if fingerprints.is_empty() {
        return Err(TranslateError::NoFingerprint);
    }
    let role = match parameters.role {
        DtlsRole::Auto => link::DtlsRole::Auto,
        DtlsRole::Client => link::DtlsRole::Client,
        DtlsRole::Server => link::DtlsRole::Server,
    };
    Ok(ConnectSpec {
        dtls: link::RemoteDtls { role, fingerprints },
    })
}

/// A producer.
pub(crate) fn producer(
    kind: MediaKind,
    source: TrackSource,
    negotiation: &ProducerNegotiation,
    paused: bool,
) -> Result<ProducerSpec, TranslateError> {
    let parameters = &negotiation.parameters;
    if parameters.encodings.len() > MAX_ENCODINGS {
        return Err(TranslateError::Encodings);
    }
    let mut extensions = ExtMap::new();
    for mapping in &negotiation.mapping.header_extensions {
        if let Some(known) = ExtKind::from_uri(&mapping.uri) {
            extensions.set(known, mapping.id);
        }
    }
    let mid = match &parameters.mid {
        Some(mid) => Some(Mid::new(mid.as_bytes()).ok_or(TranslateError::StreamName)?),
        None => None,
    };
    Ok(ProducerSpec {
        kind: match kind {
            MediaKind::Audio => sfu::spec::MediaKind::Audio,
            MediaKind::Video => sfu::spec::MediaKind::Video,
        },
        source: match source {
            TrackSource::Microphone => Source::Microphone,
            TrackSource::Camera => Source::Camera,
            TrackSource::Screen => Source::Screen,
        },
        mid,
        codecs: producer_codecs(negotiation)?,
        extensions,
        encodings: parameters
            .encodings
            .iter()
            .map(encoding)
            .collect::<Result<_, _>>()?,
        scalability: match negotiation.kind_of {
            ConsumerType::Simple => Scalability::Simple,
            ConsumerType::Simulcast => Scalability::Simulcast,
            ConsumerType::Svc => Scalability::Svc,
        },
        paused,
    })
}

/// Media codecs with their retransmissions, the one in use first.
fn producer_codecs(negotiation: &ProducerNegotiation) -> Result<Vec<ProducerCodec>, TranslateError> {
    let codecs = &negotiation.parameters.codecs;
    let in_use = negotiation
        .parameters
        .encodings
        .first()
        .and_then(|encoding| encoding.codec_payload_type);
    let mut specs = Vec::with_capacity(codecs.len());
    for codec in codecs.iter().filter(|codec| codec.codec() != Codec::Rtx) {
        let mapped = negotiation
            .mapping
            .payload_type(codec.payload_type)
            .ok_or(TranslateError::Incomplete)?;
        let rtx = codecs.iter().find(|rtx| rtx.apt() == Some(codec.payload_type));
        specs.push(ProducerCodec {
            codec: codec_kind(codec.codec()),
            clock_rate: codec.clock_rate,
            payload_type: PayloadType(codec.payload_type),
            mapped_payload_type: PayloadType(mapped),
            rtx_payload_type: rtx.map(|rtx| PayloadType(rtx.payload_type)),
            nack: codec.has_feedback("nack", ""),
            pli: codec.has_feedback("nack", "pli"),
            fir: codec.has_feedback("ccm", "fir"),
        });
    }
    if let Some(first) = in_use.and_then(|used| specs.iter().position(|spec| spec.payload_type.0 == used)) {
        specs.swap(0, first);
    }
    Ok(specs)
}

fn encoding(encoding: &ortc::RtpEncodingParameters) -> Result<ProducerEncoding, TranslateError> {
    let mode = layers(encoding);
    let rid = match &encoding.rid {
        Some(rid) => Some(Rid::new(rid.as_bytes()).ok_or(TranslateError::StreamName)?),
        None => None,
    };
    Ok(ProducerEncoding {
        ssrc: encoding.ssrc.map(Ssrc),
        rtx_ssrc: encoding.rtx.map(|rtx| Ssrc(rtx.ssrc)),
        rid,
        spatial_layers: mode.spatial.max(1),
        temporal_layers: mode.temporal.max(1),
    })
}

/// A consumer; always created paused (contract §1.3, endpoint 6).
pub(crate) fn consumer(parameters: &RtpParameters, cname: &str) -> Result<ConsumerSpec, TranslateError> {
    let media = parameters.codecs.iter().find(|codec| codec.codec() != Codec::Rtx);
    let media: &RtpCodecParameters = media.ok_or(TranslateError::Incomplete)?;
    let encoding = parameters.encodings.first().ok_or(TranslateError::Incomplete)?;
    let mid = parameters.mid.as_ref().ok_or(TranslateError::Incomplete)?;
    let rtx_codec = parameters
        .codecs
        .iter()
        .find(|codec| codec.apt() == Some(media.payload_type));
    let rtx = encoding.rtx.zip(rtx_codec).map(|(stream, codec)| RtxSpec {
        ssrc: Ssrc(stream.ssrc),
        payload_type: PayloadType(codec.payload_type),
    });
    Ok(ConsumerSpec {
        mid: Mid::new(mid.as_bytes()).ok_or(TranslateError::StreamName)?,
        ssrc: Ssrc(encoding.ssrc.ok_or(TranslateError::Incomplete)?),
        rtx,
        payload_type: PayloadType(media.payload_type),
        cname: cname.to_owned(),
        extensions: extensions(&parameters.header_extensions),
        nack: media.has_feedback("nack", ""),
        paused: true,
        preferred: None,
    })
}

fn extensions(parameters: &[RtpHeaderExtensionParameters]) -> ExtMap {
    let mut map = ExtMap::new();
    for extension in parameters {
        if let Some(kind) = ExtKind::from_uri(&extension.uri) {
            map.set(kind, extension.id);
        }
    }
    map
}

fn codec_kind(codec: Codec) -> CodecKind {
    match codec {
        Codec::Opus => CodecKind::Opus,
        Codec::Vp8 => CodecKind::Vp8,
        Codec::H264 => CodecKind::H264,
        Codec::Vp9 => CodecKind::Vp9,
        Codec::Av1 => CodecKind::Av1,
        Codec::Rtx | Codec::Other => CodecKind::Other,
    }
}

/// The client's direction seen from the worker.
pub(crate) fn direction(direction: TransportDirection) -> sfu::spec::Direction {
    match direction {
        TransportDirection::Send => sfu::spec::Direction::Receive,
        TransportDirection::Recv => sfu::spec::Direction::Send,
    }
}

pub(crate) fn ice_state(state: link::ice::IceState) -> gateway_node::IceState {
    use gateway_node::IceState;
    match state {
        link::ice::IceState::New => IceState::New,
        link::ice::IceState::Connected => IceState::Connected,
        link::ice::IceState::Completed => IceState::Completed,
        link::ice::IceState::Disconnected => IceState::Disconnected,
        link::ice::IceState::Failed => IceState::Failed,
        link::ice::IceState::Closed => IceState::Closed,
    }
}

pub(crate) fn dtls_state(state: link::DtlsState) -> gateway_node::DtlsState {
    use gateway_node::DtlsState;
    match state {
        link::DtlsState::New => DtlsState::New,
        link::DtlsState::Connecting => DtlsState::Connecting,
        link::DtlsState::Connected => DtlsState::Connected,
        link::DtlsState::Failed => DtlsState::Failed,
        link::DtlsState::Closed => DtlsState::Closed,
    }
}

#[cfg(test)]
mod tests;
