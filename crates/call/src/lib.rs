//! One call, decided purely: who holds a seat, who rings, which way media takes (contract §3).
//!
//! No clock, no randomness, no IO: time and fresh ids are arguments, what is to be done comes back as a list of
//! [`Output`]s. The gateway's call task feeds it and carries the outputs out.
//!
//! * [`input`]: everything that can happen to a call.
//! * [`output`]: everything it can ask for.
//! * [`record`]: what is kept of it in storage, and what it is restored from.

#![forbid(unsafe_code)]

pub mod input;
pub mod output;
pub mod record;

pub use input::{
    Actor, Callee, Identity, Input, MediaChange, NewCall, NodeEvent, NodeId, Person, RequestId, RoomInfo,
    Settings, SocketId,
};
pub use output::{NodeCommand, Notice, Output, Recipients, Reply, RoomAttempt, Seat};
