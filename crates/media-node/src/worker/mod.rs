//! The packet side of the node: one thread per worker, each with its own sockets, its own [`sfu::Worker`] and no lock.
//!
//! A [`WorkerThread`](spawn) waits on `mio`, reads its sockets in batches, hands every datagram to the engine and sends
//! what the engine queued in as few system calls as the kernel allows. The control plane talks to it only through a
//! [`WorkerHandle`]: commands go in by a mailbox and are carried out between two batches, answers and events come back
//! by callback. Nothing in here knows JSON, UUIDs or tokio.
//!
//! * `thread` – the loop and its panic boundary
//! * `udp` – the system calls for datagrams (the crate's only `unsafe`)
//! * `send` and `trains` – what is sent together, and what is dropped when the kernel is full
//! * `tcp` and `framing` – passive ICE-TCP (RFC 6544) with RFC 4571 frames
//! * `pipes` – packets for other workers of the process
//! * `mailbox`, `load`, `ports` – commands in, figures out, sockets to start with

mod engine;
mod framing;
mod latency;
mod load;
mod mailbox;
mod options;
mod pipes;
mod ports;
mod send;
mod tcp;
mod thread;
mod trains;
mod udp;

use std::net::{TcpListener, UdpSocket};

pub use latency::{FORWARD_BOUNDS, ForwardLatency};
pub use load::{IoCount, IoCounters, WorkerLoad};
pub use mailbox::{WorkerGone, WorkerHandle};
pub use options::{OptionsError, SendPath, TcpLimits, WorkerOptions};
pub use ports::{BoundPorts, PortError, bind_ports};

/// What a worker thread is started with.
pub struct WorkerThreadConfig {
    /// The worker's number, handed back with every notice.
    pub index: usize,
    /// The bound socket all its UDP traffic uses. To be able to replace a worker that died, keep a
    /// [`UdpSocket::try_clone`] of it.
    pub udp: UdpSocket,
    /// The listener for ICE-TCP, where that is on.
    pub tcp: Option<TcpListener>,
    /// Settings of the engine.
    pub worker: sfu::spec::WorkerConfig,
}

/// What a worker thread tells the control plane by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerNotice {
    /// Something happened inside the engine.
    Event(sfu::event::Event),
    /// The thread panicked and is gone with everything the worker held; its sockets are closed, every call that was
    /// not answered yet is dropped and later ones fail with [`WorkerGone`].
    Died {
        /// The panic's message.
        message: String,
    },
}

/// Where a worker's notices go: called on the worker's thread with the worker's index, so it must not block.
pub type NoticeSink = Box<dyn Fn(usize, WorkerNotice) + Send>;

/// Starts a worker with the options of the environment (see [`WorkerOptions::from_env`]).
///
/// # Errors
/// When the sockets cannot be registered, the thread cannot be started or the environment holds an unknown option.
pub fn spawn(config: WorkerThreadConfig, sink: NoticeSink) -> std::io::Result<WorkerHandle> {
    let options = WorkerOptions::from_env()
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
    spawn_with(config, options, sink)
}

/// Starts a worker with explicit options.
///
/// # Errors
/// When the sockets cannot be registered or the thread cannot be started.
pub fn spawn_with(
    config: WorkerThreadConfig,
    options: WorkerOptions,
    sink: NoticeSink,
) -> std::io::Result<WorkerHandle> {
    let WorkerThreadConfig {
        index,
        udp,
        tcp,
        worker,
    } = config;
    thread::start(thread::Sockets { index, udp, tcp }, options, sink, move |now| {
        sfu::Worker::new(now, worker)
    })
}
