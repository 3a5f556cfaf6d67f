//! Who gets what: workers, routers, transports, producers and consumers with mediasoup's meanings.
//!
//! A [`Worker`] is a pure state machine: datagrams, commands and the passing of time go in; datagrams and events come
//! out. It owns everything it touches, reads no clock, opens no socket and takes no lock, so that one thread can own a
//! call and a test can own the whole network.
//!
//! ```text
//!  handle_datagram ─▶ demux ─▶ Link ─▶ Listener ─▶ Producer ─▶ fan-out ─▶ Consumer ─▶ Link ─▶ transmits
//!  handle_command  ─▶ control                                   (router)
//!  handle_timeout  ─▶ reports, NACKs, key frame requests, allocation, probes
//!  handle_piped    ─▶ Producer (one of another worker) ─▶ fan-out ...
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types))]

mod burst;
pub mod command;
mod consumer;
mod control;
mod demux;
mod downlink;
pub mod event;
mod fan_out;
mod feedback;
#[doc(hidden)]
pub mod fuzz;
pub mod key;
mod observer;
mod packet;
mod padding;
pub mod pipe;
mod producer;
mod quality;
mod random;
mod router;
pub mod spec;
pub mod stats;
mod store;
mod timers;
mod transmit;
mod transport;
mod upkeep;
mod worker;

pub use command::{Command, CommandError, Reply};
pub use event::Event;
pub use pipe::{PeerId, PipeBatch, Piped, RemoteProducer};
pub use transmit::{Transmit, TransmitBatch, TransmitClass};
pub use worker::Worker;
