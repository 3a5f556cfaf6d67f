//! What is learnt by watching a router's packets go by.

mod active_speaker;
mod audio_level;

pub(crate) use self::active_speaker::ActiveSpeaker;
