//! One remote endpoint: how to reach it, the keys shared with it, and what it can carry.
//!
//! A [`Link`] is the server's half of one WebRTC transport: an ICE-lite responder (RFC 8445 §2.5), a DTLS
//! endpoint (RFC 5764) and the SRTP contexts keyed by it (RFC 3711, RFC 7714). It knows nothing of rooms,
//! producers or consumers, and performs no input or output: datagrams and the time are handed in, datagrams
//! and events are polled out.
//!
//! Media is accepted and sent only after the certificate presented in the DTLS handshake has been matched
//! with a fingerprint announced by signalling, and only from addresses that proved knowledge of the ICE
//! password.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod bwe;
pub mod certificate;
mod demux;
mod drops;
mod dtls;
#[doc(hidden)]
pub mod fuzz;
pub mod ice;
mod link;
pub mod srtp;
mod tuple;
pub mod twcc;

pub use certificate::{Certificate, CertificateError, Fingerprint, FingerprintAlgorithm, FingerprintError};
pub use demux::{DatagramKind, classify};
pub use drops::{DropCounters, DropReason};
pub use dtls::{DtlsRole, DtlsState, RemoteDtls};
pub use link::{ConnectError, Incoming, Link, LinkConfig, LinkEvent};
pub use srtp::{ProtectError, SRTCP_OVERHEAD, SRTP_OVERHEAD, SrtpProfile};
pub use tuple::{FiveTuple, Protocol};
