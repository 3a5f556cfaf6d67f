//! Does a TURN server relay, does a STUN server answer: asked as a browser asks.
//!
//! * [`url`] – `stun:`, `stuns:`, `turn:` and `turns:` URLs (RFC 7064, RFC 7065)
//! * [`relay`] – allocates on a TURN server, sends a packet through it to itself, and gives the allocation back
//!   (RFC 8656)
//! * [`binding`] – asks a STUN server, or a media port with ICE credentials, for our address (RFC 8489, RFC 8445)
//! * [`message`] – the few messages that takes
//!
//! Nothing here trusts what arrives: a wrong answer is a finding, never a panic.

#![forbid(unsafe_code)]

pub mod binding;
pub mod message;
pub mod relay;
pub mod url;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;

pub use binding::{IceCredentials, Transport};
pub use relay::{Credentials, Loop, Relayed};
pub use url::{Host, ServerUrl};

/// How a server is asked.
#[derive(Clone)]
pub struct Asking {
    /// How long the whole check may take.
    pub patience: Duration,
    /// Whom to believe behind `turns:` and `stuns:`.
    pub tls: Arc<ClientConfig>,
}

/// Why a server is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The name has no address.
    #[error("the name {name} has no address")]
    Unresolvable {
        /// The name.
        name: String,
    },
    /// Nobody listens there, or the way is closed.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        reason: io::ErrorKind,
    },
    /// The TLS handshake failed.
    #[error("no TLS with {name}: {reason}")]
    Tls {
        /// The host.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No answer came in time.
    #[error("no answer to {step} within {waited:?}")]
    Silent {
        /// What was asked for.
        step: Step,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The credentials are not accepted.
    #[error("the credentials are not accepted")]
    Unauthorized,
    /// The server refused.
    #[error("{step} was refused with {code} {reason}")]
    Refused {
        /// What was asked for.
        step: Step,
        /// The code of the answer (RFC 8656 §20).
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// What came is no answer of such a server.
    #[error("the answer to {step} is not one")]
    BadAnswer {
        /// What was asked for.
        step: Step,
    },
    /// The server allocated, but the packet did not come back.
    #[error("a packet sent through {relayed} did not come back within {waited:?}")]
    NotRelayed {
        /// The address the server gave us.
        relayed: SocketAddr,
        /// How long it was waited for.
        waited: Duration,
    },
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Connecting.
    Connect,
    /// A STUN binding.
    Binding,
    /// A relayed address.
    Allocate,
    /// That a peer may send to it.
    Permission,
    /// That a packet is relayed.
    Relay,
}

impl std::fmt::Display for Step {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "a connection",
            Self::Binding => "a STUN binding",
            Self::Allocate => "an allocation",
            Self::Permission => "a permission",
            Self::Relay => "relaying",
        })
    }
}
