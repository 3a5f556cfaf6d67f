//! Between a person's client and the gateway (contract §2): REST bodies, Socket.IO events and what they are made of.
//!
//! * [`call`]: calls and participants as clients see them, and the words they are made of.
//! * [`request`]: events a client sends, with what is acknowledged.
//! * [`event`]: events the gateway sends.
//! * [`rest`]: bodies and answers that exist over HTTP only.
//! * [`endpoint`]: methods and paths.
//! * [`admin`]: what operators see and do.
//! * [`directory`]: people, conversations and links of a stand-alone installation.

pub mod admin;
pub mod call;
pub mod directory;
pub mod endpoint;
pub mod event;
pub mod request;
pub mod rest;

pub use admin::*;
pub use call::*;
pub use directory::*;
pub use endpoint::GatewayEndpoint;
pub use event::*;
pub use request::*;
pub use rest::*;

/// Largest event or body a client may send to the gateway, bytes (contract §2.5).
pub const MAX_MESSAGE: usize = 128 * 1024;
/// Largest session description or candidate, bytes (contract §2.5, §6.5).
pub const MAX_SDP: usize = 64 * 1024;
/// Longest caption, characters (contract §6.4).
pub const MAX_CAPTION: usize = 2000;
/// Longest reason or error text a client may give, characters (contract §6.4).
pub const MAX_REASON: usize = 200;

#[cfg(test)]
mod tests;
