//! Calls between people: signalling, permissions, ringing and the choice of the way media takes (contract §2, §3).

#![forbid(unsafe_code)]

pub mod auth;
mod calls;
pub mod cluster;
pub mod config;
mod directory;
mod fault;
pub mod flags;
mod footprint;
mod gateway;
mod http;
pub mod ice_servers;
pub mod limits;
pub mod metrics;
pub mod nodes;
mod refusals;
mod region;
pub mod sdp;
mod socket;
mod switches;

pub use gateway::{Gateway, StartError};
