//! Versions that peers may compare.

/// The version of this software.
pub const SOFTWARE: &str = env!("CARGO_PKG_VERSION");

/// The version of the messages. Grows by one when a message changes in a way that older clients do not survive;
/// added fields, events and codes do not count, as unknown ones are ignored.
pub const PROTOCOL: u32 = 1;
