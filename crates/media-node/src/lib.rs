//! A media node: calls' rooms on worker threads, behind a REST and Socket.IO interface.
//!
//! The only crate that knows both columns of the house: words (`ortc`, `signalling`) and packets (`sfu`, `link`,
//! `rtp`).
//!
//! * [`config`] – settings, read and checked once
//! * [`node`] – the parts put together
//! * [`api`] – REST, Socket.IO, tokens, limits
//! * `control` – rooms and what is in them
//! * [`worker`] – the packet side's threads and sockets
//! * `register` – tells gateways that the node is there
//! * [`metrics`], `status`, [`drain`] – for those who run it

pub mod api;
pub mod config;
mod control;
pub mod drain;
pub mod metrics;
pub mod node;
mod random;
mod register;
mod status;
pub mod worker;

pub use control::Timings;
pub use edge::serve::serve;
pub use node::{Node, NodeOptions, StartError, listen};
pub use status::LoadProbe;
