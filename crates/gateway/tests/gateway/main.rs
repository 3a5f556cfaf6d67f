//! The whole gateway over HTTP and Socket.IO on loopback, with a store in memory and a media node that only talks.

mod access;
mod calls;
mod fake_node;
mod harness;
mod nodes;
mod placement;
mod proofs;
mod restart;
mod switching;
