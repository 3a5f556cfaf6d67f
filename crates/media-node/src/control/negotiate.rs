//! What a participant may send and receive: crate `ortc` asked with this node's offer, answered with wire errors.

use ortc::consume::{self, ConsumerIdentity};
use ortc::produce::{self, ProducerNegotiation};
use ortc::supported::{self, CodecChoice};
use ortc::{Checked, MediaKind, RtpCapabilities, RtpParameters};
use rtp::ExtKind;
use rtp::ExtMap;
use signalling::ErrorCode;
use signalling::error::ErrorBody;

/// What every router of the node offers.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// As clients see it.
    pub(crate) capabilities: RtpCapabilities,
    /// The ids of its header extensions, as workers see them.
    pub(crate) extensions: ExtMap,
}

impl Offer {
    /// The offer for these codecs, the preferred one first.
    pub(crate) fn new(codecs: &[CodecChoice]) -> Self {
        let capabilities = supported::router_capabilities(codecs);
        let mut extensions = ExtMap::new();
        for extension in &capabilities.header_extensions {
            if let Some(kind) = ExtKind::from_uri(&extension.uri) {
                extensions.set(kind, extension.preferred_id);
            }
        }
        Self {
            capabilities,
            extensions,
        }
    }

    /// Checks what a participant wants to send.
    pub(crate) fn produce(
        &self,
        kind: MediaKind,
        parameters: &RtpParameters,
    ) -> Result<ProducerNegotiation, ErrorBody> {
        produce::negotiate(kind, parameters, &self.capabilities)
            .map_err(|error| ErrorBody::with_message(ErrorCode::InvalidRtpParameters, error.to_string()))
    }
}

/// Checks whether a participant can receive a track, before anything is set aside for it.
pub(crate) fn can_consume(
    consumable: &RtpParameters,
    capabilities: &RtpCapabilities,
) -> Result<(), ErrorBody> {
    if consume::can_consume(consumable, capabilities) {
        Ok(())
    } else {
        Err(ErrorBody::new(ErrorCode::UnsupportedCodec))
    }
}

/// What a participant receives of a track.
pub(crate) fn consume(
    consumable: &RtpParameters,
    capabilities: &RtpCapabilities,
    identity: ConsumerIdentity,
) -> Result<RtpParameters, ErrorBody> {
    consume::negotiate(consumable, capabilities, identity)
        .map_err(|error| ErrorBody::with_message(ErrorCode::UnsupportedCodec, error.to_string()))
}

/// The part of a request that has an error code of its own, or that error.
pub(crate) fn usable<T>(part: Checked<T>, field: &str, code: ErrorCode) -> Result<T, ErrorBody> {
    part.0.map_err(|error| {
        let path = if error.path.is_empty() {
            field.to_owned()
        } else {
            format!("{field}.{}", error.path)
        };
        ErrorBody::with_message(code, format!("{path}: {}", error.problem))
    })
}

/// Capabilities that name at least one codec.
pub(crate) fn usable_capabilities(
    capabilities: Checked<RtpCapabilities>,
) -> Result<RtpCapabilities, ErrorBody> {
    let capabilities = usable(capabilities, "rtpCapabilities", ErrorCode::InvalidRtpCapabilities)?;
    if capabilities.codecs.is_empty() {
        let message = "rtpCapabilities.codecs: missing";
        return Err(ErrorBody::with_message(
            ErrorCode::InvalidRtpCapabilities,
            message,
        ));
    }
    Ok(capabilities)
}
