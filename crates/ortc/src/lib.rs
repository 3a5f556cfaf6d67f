//! Capabilities in, parameters out: which codecs, header extensions and encodings a producer may send and a
//! consumer receives.
//!
//! Pure functions over the JSON shapes that `mediasoup-client` speaks, with the matching rules of mediasoup's own
//! negotiation. Nothing here knows a socket, a room or a packet; SSRCs, MIDs and CNAMEs are given by the caller.
//!
//! * [`types`]: the wire types, open to unknown codecs, extensions and fields.
//! * [`supported`]: what the router offers.
//! * [`produce`] and [`consume`]: the two negotiations.
//! * [`probator`]: the reserved identity of the client's probe stream.

#![forbid(unsafe_code)]

pub mod consume;
mod feedback;
pub mod field;
pub mod fuzz;
pub mod h264;
mod matching;
pub mod probator;
pub mod produce;
pub mod scalability;
pub mod supported;
pub mod types;

pub use field::{Checked, FieldError, Problem};
pub use produce::ConsumerType;
pub use scalability::ScalabilityMode;
pub use supported::CodecChoice;
pub use types::{
    Codec, Direction, MediaKind, ParameterValue, Parameters, RtcpFeedback, RtcpParameters, RtpCapabilities,
    RtpCodecCapability, RtpCodecParameters, RtpEncodingParameters, RtpHeaderExtension,
    RtpHeaderExtensionParameters, RtpParameters, RtxParameters,
};
