//! Rooms and what is in them: one owner task per room, the only place that knows both a UUID and a worker's key.
//!
//! * `rooms` – all rooms of the node: created, found, counted
//! * `room` – one room's state and task
//! * `negotiate`, `translate`, `candidates` – between the words on the wire and a worker's numbers
//! * `workers`, `place` – the worker threads
//! * `admission` – what a busy node refuses
//! * `presence` – which participants have a socket
//! * `notice` – what the socket side is told

pub(crate) mod admission;
pub(crate) mod caller;
mod candidates;
mod negotiate;
pub(crate) mod notice;
mod place;
pub(crate) mod presence;
pub(crate) mod room;
pub(crate) mod rooms;
mod translate;
pub(crate) mod workers;

pub(crate) use negotiate::Offer;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use link::bwe::Bitrate;
use signalling::client_node::DtlsFingerprint;

use crate::config::{Capacity, IceTcp};
use crate::metrics::Metrics;

/// How long things may take (contract §1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// A room nobody joins is destroyed after this.
    pub unjoined: Duration,
    /// A transport must reach its client within this after `connect`.
    pub connect: Duration,
    /// A participant whose transports have all failed is removed after this.
    pub failed: Duration,
    /// A participant whose socket has been gone for this long is removed; `None` leaves that to a gateway.
    pub orphan_grace: Option<Duration>,
    /// How long a rate limit's window lasts (contract §1.6).
    pub rate_window: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            unjoined: Duration::from_secs(60),
            connect: Duration::from_secs(30),
            failed: Duration::from_secs(60),
            orphan_grace: None,
            rate_window: Duration::from_secs(60),
        }
    }
}

/// What every transport of the node has in common.
#[derive(Clone, Debug)]
pub(crate) struct TransportSettings {
    pub(crate) announced: Vec<IpAddr>,
    pub(crate) tcp: IceTcp,
    pub(crate) initial_outgoing_bitrate: Bitrate,
    pub(crate) max_incoming_bitrate: Bitrate,
    pub(crate) fingerprint: DtlsFingerprint,
}

/// What all rooms share.
pub(crate) struct Context {
    pub(crate) workers: workers::Workers,
    pub(crate) notices: notice::NoticeSender,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) offer: Offer,
    pub(crate) transports: TransportSettings,
    pub(crate) capacity: Capacity,
    pub(crate) timings: Timings,
    pub(crate) registry: rooms::Registry,
    pub(crate) admission: admission::AdmissionCell,
    pub(crate) presence: presence::Presence,
}
