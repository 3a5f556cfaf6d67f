//! A link against an independent peer over a simulated network, in virtual time: one behaviour per file.

#![allow(clippy::disallowed_methods, reason = "virtual time has to start somewhere")]

mod peer;

mod address_change;
mod allocation;
mod closing;
mod consent;
mod early_packets;
mod fingerprint;
mod handshake;
mod ice_restart;
mod lite_agent;
mod media;
