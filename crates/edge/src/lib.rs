//! What every HTTP face of Meeshy Calls does alike: the gateway's and the media nodes'.
//!
//! * [`answer`], [`body`], [`json`] – envelopes out, JSON in
//! * [`token`] – JWT signed with HS256
//! * [`limits`] – so many requests in so much time, and the headers that tell
//! * [`client`], [`proxies`] – who is at the other end
//! * [`origin`], [`surround`] – CORS, security headers, panics
//! * [`setting`] – one setting's text to a value, with errors that name the setting
//! * [`serve`] – listening, and ending well
//! * [`tls`] – certificates from files, and whom to believe
//! * [`metrics`] – a registry that knows its own table
//! * [`trace`] – spans
//! * [`random`] – secrets from the system's randomness

#![forbid(unsafe_code)]

pub mod answer;
pub mod body;
pub mod client;
pub mod json;
pub mod limits;
pub mod metrics;
pub mod origin;
pub mod proxies;
pub mod random;
pub mod serve;
pub mod setting;
pub mod surround;
pub mod tls;
pub mod token;
pub mod trace;

pub use answer::{ApiError, fail};
pub use body::Body;
pub use client::ClientAddress;
pub use origin::Origin;
pub use proxies::{IpRange, TrustedProxies};
