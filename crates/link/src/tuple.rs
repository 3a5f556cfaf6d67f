//! The five values that identify a path.

use std::fmt;
use std::net::SocketAddr;

/// The transport protocol under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Datagrams.
    Udp,
    /// Datagrams framed by RFC 4571 on a passively accepted connection (RFC 6544).
    Tcp,
}

/// One path: protocol, the local address a datagram arrived on, and the remote address it came from.
///
/// Its `Debug` form leaves the IP addresses out, so that none reaches a log by accident.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address of the server's socket.
    pub local: SocketAddr,
    /// Address of the peer, as the server sees it.
    pub remote: SocketAddr,
}

impl fmt::Debug for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} *:{} <- *:{}",
            self.protocol,
            self.local.port(),
            self.remote.port()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_address() {
        let tuple = FiveTuple {
            protocol: Protocol::Tcp,
            local: "198.51.100.7:4000".parse().expect("address"),
            remote: "203.0.113.9:5000".parse().expect("address"),
        };
        assert_eq!(format!("{tuple:?}"), "Tcp *:4000 <- *:5000");
    }
}
