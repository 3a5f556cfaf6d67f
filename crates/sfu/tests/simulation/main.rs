//! One worker among simulated clients in simulated networks, in virtual time. The clients are str0m, which shares no
//! code with this workspace: what both sides agree on is the protocol, not a common mistake.
//!
//! One behaviour per file; `world` is the machinery.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    unreachable_pub,
    missing_docs
)]

mod world;

mod address_change;
mod bursts;
mod closing;
mod consent;
mod dtls_role;
mod faults;
mod feedback;
mod forwarding;
mod hostile;
mod ice_restart;
mod key_frames;
mod loss;
mod lost_layers;
mod overload;
mod padding;
mod pause;
mod pipes;
mod reports;
mod score;
mod simulcast;
mod speaker;
mod srtp_index;
mod standstill;
mod starvation;
mod temporal;
