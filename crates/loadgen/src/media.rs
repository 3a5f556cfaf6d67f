//! What simulated participants send.

mod audio;
mod stream;
mod video;
mod vp8;

pub(crate) use audio::{AudioTrack, Voice};
pub(crate) use stream::{ExtensionIds, Sender};
pub(crate) use video::{FRAME_PERIOD, VideoTrack, encodings};

/// Time between two packets of a microphone (RFC 7587 §4.2: 20 ms by default).
pub(crate) const AUDIO_PERIOD: std::time::Duration = std::time::Duration::from_millis(20);
