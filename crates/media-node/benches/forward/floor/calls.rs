//! One `sendmmsg` of segmented datagrams, each in one piece.
#![allow(unsafe_code, reason = "no safe crate offers sendmmsg")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::AsRawFd;

use socket2::SockAddr;

/// A control message that carries a segment size, as 64-bit Linux lays it out.
#[repr(C)]
struct SegmentSize {
    header: libc::cmsghdr,
    size: u16,
    padding: [u8; 6],
}

// SAFETY: both only compute.
const CONTROL: usize = unsafe { libc::CMSG_SPACE(size_of::<u16>() as u32) } as usize;
const LENGTH: usize = unsafe { libc::CMSG_LEN(size_of::<u16>() as u32) } as usize;

impl SegmentSize {
    fn new(size: u16) -> Self {
        // SAFETY: a cmsghdr is plain integers, for which zero is a value.
        let mut header: libc::cmsghdr = unsafe { zeroed() };
        header.cmsg_len = LENGTH as _;
        header.cmsg_level = libc::SOL_UDP;
        header.cmsg_type = libc::UDP_SEGMENT;
        Self {
            header,
            size,
            padding: [0; 6],
        }
    }
}

/// Messages and the headers that describe them to the kernel.
pub(super) struct Block {
    names: Vec<SockAddr>,
    messages: Vec<Message>,
    controls: Vec<SegmentSize>,
    parts: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

struct Message {
    destination: usize,
    bytes: Range<usize>,
    segment: u16,
}

impl Block {
    /// Room for messages to `destinations`.
    pub(super) fn new(destinations: impl Iterator<Item = SocketAddr>) -> Self {
        Self {
            names: destinations.map(SockAddr::from).collect(),
            messages: Vec::new(),
            controls: Vec::new(),
            parts: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Forgets the messages.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
    }

    /// Adds a message to the destination of that index: datagrams of `segment` bytes that lie side by side.
    pub(super) fn push(&mut self, destination: usize, bytes: Range<usize>, segment: u16) {
        self.messages.push(Message {
            destination,
            bytes,
            segment,
        });
    }

    /// Sends all messages, whose bytes lie in `bytes`, and returns the number of calls it took.
    pub(super) fn send(&mut self, socket: &impl AsRawFd, bytes: &[u8]) -> io::Result<u64> {
        self.describe(bytes);
        let (mut done, mut calls) = (0, 0);
        while done < self.headers.len() {
            let rest = &mut self.headers[done..];
            // SAFETY: the headers point into vectors that live as long as `self` and were not touched since they were
            // described, and into `bytes`; the kernel reads them and writes `msg_len`.
            let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as u32, 0) };
            calls += 1;
            let error = io::Error::last_os_error();
            match usize::try_from(sent) {
                Ok(sent) => done += sent,
                Err(_) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(error),
            }
        }
        Ok(calls)
    }

    /// Writes the headers. First all parts and control messages, so that no vector grows after something points into it.
    fn describe(&mut self, bytes: &[u8]) {
        self.parts.clear();
        self.controls.clear();
        self.headers.clear();
        for message in &self.messages {
            let bytes = &bytes[message.bytes.clone()];
            self.parts.push(libc::iovec {
                iov_base: bytes.as_ptr().cast_mut().cast(),
                iov_len: bytes.len(),
            });
            self.controls.push(SegmentSize::new(message.segment));
        }
        let (mut part, mut control) = (self.parts.as_mut_ptr(), self.controls.as_mut_ptr());
        for message in &self.messages {
            let name = &self.names[message.destination];
            // SAFETY: a mmsghdr is plain integers and pointers, for which zero is a value.
            let mut described: libc::mmsghdr = unsafe { zeroed() };
            let header = &mut described.msg_hdr;
            header.msg_name = name.as_ptr().cast_mut().cast();
            header.msg_namelen = name.len();
            header.msg_iov = part;
            header.msg_iovlen = 1;
            if message.bytes.len() > usize::from(message.segment) {
                header.msg_control = control.cast();
                header.msg_controllen = CONTROL as _;
            }
            self.headers.push(described);
            part = part.wrapping_add(1);
            control = control.wrapping_add(1);
        }
    }
}
