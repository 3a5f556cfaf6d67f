//! The rate limits of contract §1.6: so many requests of a kind in 60 seconds per key.

pub use edge::limits::{RateLimiter, Standing};

/// What kind of request is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `POST …/create`, per call.
    CreateRoom,
    /// `POST …/transports`, per participant.
    CreateTransport,
    /// `POST …/connect`, per participant.
    ConnectTransport,
    /// `POST …/consume`, per participant.
    Consume,
    /// Everything else, per participant or, without a valid token, per client address.
    Other,
}

impl Scope {
    /// The value of the metric label `scope`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateRoom => "create-room",
            Self::CreateTransport => "create-transport",
            Self::ConnectTransport => "connect-transport",
            Self::Consume => "consume",
            Self::Other => "other",
        }
    }

    /// Requests per window (contract §1.6).
    pub(crate) fn quota(self) -> u32 {
        match self {
            Self::CreateRoom => 10,
            Self::CreateTransport | Self::ConnectTransport => 50,
            Self::Consume => 100,
            Self::Other => 200,
        }
    }
}
