//! The identity of the probe stream that `mediasoup-client` sets up with the first video consumer of a transport.
//!
//! The server may send padding on it to find out how much bandwidth there is; nothing else may use these numbers
//! (contract §1.8.10).

/// The MID of the probe stream.
pub const MID: &str = "probator";
/// The SSRC of the probe stream; no other stream may have it.
pub const SSRC: u32 = 1234;
/// The payload type of the probe stream; no codec of the router may have it.
pub const PAYLOAD_TYPE: u8 = 127;
