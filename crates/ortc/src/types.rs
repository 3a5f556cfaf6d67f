//! The shapes of contract §1.4, named as `mediasoup-client` names them.
//!
//! Reading fills in defaults (audio has one channel unless it says otherwise, feedback parameters are `""`), so code
//! behind it need not. Unknown codecs and header extensions are kept, unknown fields dropped.

mod capabilities;
mod codec;
mod parameters;
mod value;

pub use capabilities::{Direction, RtpCapabilities, RtpCodecCapability, RtpHeaderExtension};
pub use codec::{Codec, MediaKind, RtcpFeedback};
pub use parameters::{
    RtcpParameters, RtpCodecParameters, RtpEncodingParameters, RtpHeaderExtensionParameters, RtpParameters,
    RtxParameters,
};
pub use value::{ParameterValue, Parameters};

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;
