//! Every message between browsers, gateways and media nodes, once: names, shapes, ids and error codes.
//!
//! Types and constants only. `docs/signalling.md` explains what they mean to a client; `cargo xtask types` turns them
//! into TypeScript.
//!
//! * [`client_gateway`]: REST and Socket.IO between a person's client and the gateway: calls, people, mode switches.
//! * [`client_node`]: REST and Socket.IO between a participant's client and the media node.
//! * [`gateway_node`]: events for services.
//! * [`error`]: stable codes, status numbers and the answer envelopes.
//! * [`token`], [`id`], [`timestamp`], [`version`]: what the messages are made of.

#![forbid(unsafe_code)]

pub mod client_gateway;
pub mod client_node;
mod declare;
pub mod error;
pub mod fuzz;
pub mod gateway_node;
pub mod id;
pub mod text;
pub mod timestamp;
pub mod token;
#[cfg(feature = "ts")]
pub mod typescript;
pub mod version;

pub use error::ErrorCode;
pub use id::{
    CallId, ConsumerId, ConversationId, GuestId, ParticipantId, ProducerId, RouterId, ShareLinkId,
    TranscriptionId, TransitionId, TransportId, UserId,
};
pub use timestamp::Timestamp;

#[cfg(test)]
mod tests;
