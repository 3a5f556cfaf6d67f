//! The system calls for datagrams: batched receiving with GRO through `quinn-udp`, and our own `sendmmsg`, because a
//! fan-out wants one call over many destinations and `quinn-udp` serves one per call.
//!
//! This is the only file of the crate that may use `unsafe`; what is sent when, and what a failure means, is decided
//! in `send`.
#![allow(unsafe_code)]

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::time::Duration;

use mio::Interest;
use mio::net::UdpSocket;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};

/// Wanted socket buffers, bytes: a burst of a big call, or a pause of a few milliseconds, fits. The system's limit
/// (`net.core.rmem_max`, `wmem_max`) may grant less to an unprivileged process.
const SOCKET_BUFFER: usize = 4 << 20;
/// Room for one datagram where the kernel does not merge them: no path we use carries more.
const SINGLE_SLOT: usize = 2_048;
/// Room for what the kernel merges (GRO): at most 64 KiB.
const MERGED_SLOT: usize = 65_536;
/// Nothing waits as long as this in a buffer of a few megabytes that somebody reads.
const CLOCK_WAS_SET: Duration = Duration::from_secs(10);

/// A worker's UDP socket.
#[derive(Debug)]
pub(super) struct UdpPort {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

impl UdpPort {
    /// Prepares a bound socket: non-blocking, big buffers, GRO and no fragmentation where the system has them.
    pub(super) fn open(socket: std::net::UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        enlarge_buffers(&socket);
        let local = socket.local_addr()?;
        Ok(Self {
            socket: UdpSocket::from_std(socket),
            state,
            local,
        })
    }

    /// The bound address.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn register(&mut self, registry: &mio::Registry, token: mio::Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// Asks to be told, or no longer, when the send buffer has room again. Not always asked for: the kernel would
    /// report every datagram that leaves.
    pub(super) fn watch_writable(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        watch: bool,
    ) -> io::Result<()> {
        let interest = if watch {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        registry.reregister(&mut self.socket, token, interest)
    }

    /// Receives up to a batch into `buffers`; the number of slots filled.
    pub(super) fn receive(&self, buffers: &mut ReceiveBuffers) -> io::Result<usize> {
        let ReceiveBuffers {
            bytes, slot, metas, ..
        } = buffers;
        let mut slots = bytes.chunks_exact_mut(*slot);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(slots.next().unwrap_or_default()));
        self.state
            .recv(UdpSockRef::from(&self.socket), &mut slices, metas)
    }

    /// Whether the kernel cuts segmented datagrams for this socket.
    pub(super) fn segments(&self) -> bool {
        self.state.max_gso_segments() > 1
    }

    /// Sends one datagram by one call.
    pub(super) fn send_one(&self, destination: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send_to(datagram, destination) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map(drop),
            }
        }
    }
}

fn enlarge_buffers(socket: &std::net::UdpSocket) {
    let socket2 = socket2::SockRef::from(socket);
    // Best effort: a privileged process may exceed the system's limits, any other gets as much as they allow.
    #[cfg(target_os = "linux")]
    {
        mmsg::force_buffer(socket, libc::SO_RCVBUFFORCE, SOCKET_BUFFER);
        mmsg::force_buffer(socket, libc::SO_SNDBUFFORCE, SOCKET_BUFFER);
    }
    if socket2.recv_buffer_size().is_ok_and(|size| size < SOCKET_BUFFER) {
        let _ = socket2.set_recv_buffer_size(SOCKET_BUFFER);
    }
    if socket2.send_buffer_size().is_ok_and(|size| size < SOCKET_BUFFER) {
        let _ = socket2.set_send_buffer_size(SOCKET_BUFFER);
    }
}

/// Memory for one batch of received datagrams, kept for ever.
pub(super) struct ReceiveBuffers {
    bytes: Box<[u8]>,
    slot: usize,
    metas: [RecvMeta; BATCH_SIZE],
}

impl ReceiveBuffers {
    /// Buffers that fit `port`.
    pub(super) fn new(port: &UdpPort) -> Self {
        let slot = if port.state.gro_segments() > 1 {
            MERGED_SLOT
        } else {
            SINGLE_SLOT
        };
        Self {
            bytes: vec![0; slot * BATCH_SIZE].into_boxed_slice(),
            slot,
            metas: [RecvMeta::default(); BATCH_SIZE],
        }
    }

    /// Slots of a batch.
    pub(super) const fn capacity() -> usize {
        BATCH_SIZE
    }

    /// How long the datagrams of a filled slot waited to be read, and how many they are; `wall` is the time since the
    /// Unix epoch. `None` where the system does not say when they came.
    pub(super) fn waited(&self, slot: usize, wall: Duration) -> Option<(Duration, u64)> {
        let meta = self.metas.get(slot)?;
        let waited = wall.saturating_sub(meta.timestamp?);
        let count = meta.len.div_ceil(meta.stride.max(1)) as u64;
        // A clock that was set in between says nothing.
        (waited < CLOCK_WAS_SET).then_some((waited, count))
    }

    /// The sender and the datagrams of a filled slot, cut where the kernel merged them.
    pub(super) fn datagrams(&mut self, slot: usize) -> Option<(SocketAddr, impl Iterator<Item = &mut [u8]>)> {
        let meta = self.metas.get(slot)?;
        let bytes = self
            .bytes
            .get_mut(slot * self.slot..)?
            .get_mut(..meta.len.min(self.slot))?;
        // An empty datagram has no stride, and nobody wants it.
        Some((meta.addr, bytes.chunks_mut(meta.stride.max(1))))
    }
}

/// One message of a `sendmmsg`: a datagram, or several of one size to be cut apart by the kernel.
pub(super) struct Message<I> {
    pub(super) destination: SocketAddr,
    /// Size of each datagram but the last where there are several.
    pub(super) segment: Option<u16>,
    /// The datagrams' bytes in order.
    pub(super) parts: I,
}

#[cfg(target_os = "linux")]
pub(super) use mmsg::MessageBlock;

#[cfg(target_os = "linux")]
mod mmsg {
    use std::mem::size_of;
    use std::os::fd::AsRawFd;
    use std::{io, ptr};

    use socket2::SockAddr;

    use super::{Message, UdpPort};
    use crate::worker::trains::MAX_SEGMENTS;

    /// Messages per call. From about 32 on, larger calls gain nothing.
    const MESSAGES: usize = 64;
    /// Parts of all messages of a call.
    const PARTS: usize = MESSAGES * MAX_SEGMENTS as usize;

    /// A control message that carries a segment size, laid out as the kernel reads it: header, then data aligned as
    /// the header is.
    #[repr(C)]
    struct SegmentSize {
        header: libc::cmsghdr,
        size: u16,
        padding: [u8; 6],
    }

    // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
    const CONTROL_SPACE: usize = unsafe { libc::CMSG_SPACE(size_of::<u16>() as u32) } as usize;
    const CONTROL_LENGTH: usize = unsafe { libc::CMSG_LEN(size_of::<u16>() as u32) } as usize;
    const _: () = assert!(CONTROL_SPACE <= size_of::<SegmentSize>());
    const _: () = assert!(CONTROL_LENGTH == std::mem::offset_of!(SegmentSize, size) + size_of::<u16>());

    impl SegmentSize {
        fn new(size: u16) -> Self {
            // SAFETY: a cmsghdr is plain integers, for which zero is a value.
            let mut header: libc::cmsghdr = unsafe { std::mem::zeroed() };
            header.cmsg_len = CONTROL_LENGTH as _;
            header.cmsg_level = libc::SOL_UDP;
            header.cmsg_type = libc::UDP_SEGMENT;
            Self {
                header,
                size,
                padding: [0; 6],
            }
        }
    }

    /// Where the headers of a `sendmmsg` are built; allocated once.
    pub(in crate::worker) struct MessageBlock {
        headers: Vec<libc::mmsghdr>,
        names: Vec<SockAddr>,
        controls: Vec<SegmentSize>,
        parts: Vec<libc::iovec>,
        /// Per message: number of parts, and whether it has a control message.
        shapes: Vec<(usize, bool)>,
    }

    impl MessageBlock {
        pub(in crate::worker) fn new() -> Self {
            Self {
                headers: Vec::with_capacity(MESSAGES),
                names: Vec::with_capacity(MESSAGES),
                controls: Vec::with_capacity(MESSAGES),
                parts: Vec::with_capacity(PARTS),
                shapes: Vec::with_capacity(MESSAGES),
            }
        }

        /// Sends the first of `messages`, as many as fit one call, and returns how many the kernel took, at least one.
        ///
        /// # Errors
        /// The kernel's reason for not taking the first message; nothing was sent then.
        pub(in crate::worker) fn send<'a, I>(
            &mut self,
            port: &UdpPort,
            messages: impl Iterator<Item = Message<I>>,
        ) -> io::Result<usize>
        where
            I: Iterator<Item = &'a [u8]>,
        {
            self.gather(messages);
            if self.shapes.is_empty() {
                return Ok(0);
            }
            self.link();
            let (headers, count) = (self.headers.as_mut_ptr(), self.headers.len() as libc::c_uint);
            loop {
                // SAFETY: `headers` points to `count` headers. Each was pointed by `link` at a name, parts and maybe
                // a control message inside vectors that were not touched since, and each part at bytes borrowed for
                // 'a, which outlives this call. The kernel only reads them, and writes `msg_len` of the headers.
                let sent = unsafe { libc::sendmmsg(port.socket.as_raw_fd(), headers, count, 0) };
                if let Ok(sent) = usize::try_from(sent) {
                    return Ok(sent);
                }
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }

        /// Copies names, sizes and the places of the bytes.
        fn gather<'a, I>(&mut self, messages: impl Iterator<Item = Message<I>>)
        where
            I: Iterator<Item = &'a [u8]>,
        {
            self.names.clear();
            self.controls.clear();
            self.parts.clear();
            self.shapes.clear();
            for message in messages.take(MESSAGES) {
                let before = self.parts.len();
                for bytes in message.parts.take(usize::from(MAX_SEGMENTS)) {
                    self.add_part(before, bytes);
                }
                self.names.push(SockAddr::from(message.destination));
                self.controls.extend(message.segment.map(SegmentSize::new));
                self.shapes
                    .push((self.parts.len() - before, message.segment.is_some()));
            }
        }

        /// Adds bytes to the message whose parts begin at `first`. Datagrams that lie side by side, as the engine writes
        /// those of a burst, are one part: the kernel checks and copies each part by itself.
        fn add_part(&mut self, first: usize, bytes: &[u8]) {
            let base = bytes.as_ptr().cast_mut();
            if let Some(last) = self.parts.get_mut(first..).and_then(<[_]>::last_mut)
                && last.iov_base.cast::<u8>().wrapping_add(last.iov_len) == base
            {
                last.iov_len += bytes.len();
                return;
            }
            self.parts.push(libc::iovec {
                iov_base: base.cast(),
                iov_len: bytes.len(),
            });
        }

        /// Points the headers at what [`Self::gather`] wrote. From here on nothing else may touch those vectors.
        fn link(&mut self) {
            self.headers.clear();
            let mut part = self.parts.as_mut_ptr();
            let mut control = self.controls.as_mut_ptr();
            for (&(parts, segmented), name) in self.shapes.iter().zip(&self.names) {
                // SAFETY: a mmsghdr is plain integers and pointers, for which zero is a value.
                let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
                let header = &mut message.msg_hdr;
                header.msg_name = name.as_ptr().cast_mut().cast();
                header.msg_namelen = name.len();
                header.msg_iov = part;
                header.msg_iovlen = parts as _;
                part = part.wrapping_add(parts);
                if segmented {
                    header.msg_control = control.cast();
                    header.msg_controllen = CONTROL_SPACE as _;
                    control = control.wrapping_add(1);
                }
                self.headers.push(message);
            }
        }
    }

    /// Sets a buffer size beyond the system's limit where the process may; without an effect otherwise.
    pub(super) fn force_buffer(socket: &std::net::UdpSocket, option: libc::c_int, size: usize) {
        let size = libc::c_int::try_from(size).unwrap_or(libc::c_int::MAX);
        // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the option's value is one c_int.
        let _ = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                ptr::from_ref(&size).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
    }
}

/// Without `sendmmsg` every datagram is a call of its own.
#[cfg(not(target_os = "linux"))]
pub(super) struct MessageBlock(());

#[cfg(not(target_os = "linux"))]
impl MessageBlock {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// Sends the first of `messages`, and returns that it was one.
    ///
    /// # Errors
    /// The kernel's reason for not taking it.
    pub(super) fn send<'a, I>(
        &mut self,
        port: &UdpPort,
        mut messages: impl Iterator<Item = Message<I>>,
    ) -> io::Result<usize>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let Some(message) = messages.next() else {
            return Ok(0);
        };
        debug_assert!(message.segment.is_none(), "the system does not segment");
        for part in message.parts {
            port.send_one(message.destination, part)?;
        }
        Ok(1)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::{Instant, SystemTime};

    use super::*;

    #[test]
    fn the_kernel_says_how_long_a_datagram_waited() {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        let client = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        let port = UdpPort::open(socket).expect("opens");
        let mut buffers = ReceiveBuffers::new(&port);
        let before = SystemTime::now();
        client.send_to(&[1, 2, 3], port.local()).expect("sends");
        let give_up = Instant::now() + Duration::from_secs(10);
        while port.receive(&mut buffers).is_err() {
            assert!(Instant::now() < give_up, "comes over loopback");
        }
        let wall = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let three = Duration::from_secs(3);
        let (waited, count) = buffers
            .waited(0, wall(before) + three)
            .expect("the kernel says so");
        assert!(waited <= three && waited > Duration::from_secs(1), "{waited:?}");
        assert_eq!(count, 1);
        assert_eq!(
            buffers.waited(0, wall(before) + 2 * CLOCK_WAS_SET),
            None,
            "a clock that jumped"
        );
    }
}
