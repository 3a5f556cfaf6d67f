//! The floor: forwarding without an SFU in it. A thread receives as the worker does, opens each packet once and, for
//! each viewer, copies it, overwrites the header, seals it and sends it. Nothing is negotiated, kept, counted per
//! stream, repaired or estimated. What the worker costs beyond it is the price of being an SFU.
//!
//! * [`Shape::Trains`] is the best the kernel and the cipher allow: a viewer's packets are sealed side by side and leave
//!   as one segmented datagram, several viewers' by one `sendmmsg`.
//! * [`Shape::Single`] is how libuv programs, mediasoup among them, send: one `sendmsg` per packet on an unconnected
//!   socket. It has the same cipher and none of their own cost, so it flatters them.

mod calls;
mod duel;
mod forwarder;
mod keys;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;

use link::ice::IceCredentials;
use link::{DtlsRole, Protocol};
use rtc_srtp::protection_profile::ProtectionProfile;
use sfu::spec::MediaKind;

use crate::peer::{Keys, Peer, Wire, context};
use crate::stage::{Stage, on_worker_cpu};
pub(crate) use duel::{Duel, duel};
use forwarder::{Forwarder, Setup};
use keys::Key;

/// How the floor sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Trains,
    Single,
}

impl Shape {
    fn thread_name(self) -> &'static str {
        match self {
            Self::Trains => "floor-trains",
            Self::Single => "floor-single",
        }
    }
}

/// Calls made by the thread.
#[derive(Default)]
struct Calls {
    sent: AtomicU64,
    received: AtomicU64,
    stop: AtomicBool,
}

/// A forwarder's thread; ends when dropped.
pub(crate) struct Floor {
    shape: Shape,
    calls: Arc<Calls>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Floor {
    /// The thread's name.
    pub(crate) fn name(&self) -> &'static str {
        self.shape.thread_name()
    }

    /// Calls that sent and calls that received, so far.
    pub(crate) fn calls(&self) -> (u64, u64) {
        (self.calls.sent.load(Relaxed), self.calls.received.load(Relaxed))
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.calls.stop.store(true, Relaxed);
        // It looks at the flag when something arrives.
        let waker = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        waker.send_to(&[0], self.address).expect("sends");
        if let Some(thread) = self.thread.take() {
            // A panic in it has shown itself by what its viewers lack.
            let _ = thread.join();
        }
    }
}

/// What is to be forwarded.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) kind: MediaKind,
    pub(crate) producers: usize,
    pub(crate) viewers: usize,
    pub(crate) profile: ProtectionProfile,
    /// Bytes before the payload of what viewers get.
    pub(crate) header: usize,
}

/// A floor with clients like a worker's, except that keys were agreed upon beforehand.
pub(crate) fn stage(shape: Shape, load: Load) -> Stage {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = socket.local_addr().expect("bound");
    let mut clients = (0..=load.viewers).map(|number| {
        let key = Key::numbered(load.profile, number);
        let credentials = IceCredentials::generate().expect("randomness");
        let mut peer = Peer::new(Protocol::Udp, address, &credentials, DtlsRole::Client);
        let side = || context(load.profile, key.master(), key.salt());
        peer.keys = Some(Keys {
            profile: load.profile,
            inbound: side(),
            outbound: side(),
        });
        let Wire::Udp(wire) = &peer.wire else {
            panic!("asked for UDP")
        };
        let local = wire.local_addr().expect("bound");
        (peer, (local, key))
    });
    let (sender, (_, sender_key)) = clients.next().expect("the sender");
    let (viewers, addressed): (Vec<Peer>, Vec<_>) = clients.unzip();
    let setup = Setup {
        sender: sender_key,
        viewers: addressed,
        streams: load.producers,
        header: load.header,
    };
    let calls = Arc::new(Calls::default());
    let shared = Arc::clone(&calls);
    let thread = on_worker_cpu(|| {
        let builder = std::thread::Builder::new().name(shape.thread_name().into());
        let body = move || match shape {
            Shape::Trains => Forwarder::new(socket, setup, shared).run_trains(),
            Shape::Single => Forwarder::new(socket, setup, shared).run_single(),
        };
        builder.spawn(body).expect("a thread")
    });
    let floor = Floor {
        shape,
        calls,
        address,
        thread: Some(thread),
    };
    Stage::floor(floor, (sender, viewers), load.kind, load.producers)
}
