//! Getting messages to a server and back, by datagrams or by a stream.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::message::{HEADER, Message};
use crate::url::{Host, ServerUrl, Way};
use crate::{Asking, Fault, Step};

/// Largest datagram.
const LARGEST: usize = 65_535;

/// How messages lie in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// One after the other: their header has their length (RFC 8489 §6.2.2).
    Bare,
    /// Two bytes of length before each (RFC 4571 §2, as ICE over TCP has it).
    Length,
}

/// A way to a server.
pub(crate) enum Wire {
    Datagrams {
        socket: UdpSocket,
        peer: SocketAddr,
    },
    Stream {
        io: Box<dyn Io>,
        framing: Framing,
        peer: SocketAddr,
    },
}

pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Why nothing came.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The connection is gone.
    Closed(std::io::ErrorKind),
    /// What came is no message.
    Rubbish,
}

impl Wire {
    /// To a server by its URL.
    pub(crate) async fn open(url: &ServerUrl, asking: &Asking) -> Result<Self, Fault> {
        let address = url.resolve().await?;
        match url.way {
            Way::Udp => Self::udp(address).await,
            Way::Tcp => Self::tcp(address, Framing::Bare).await,
            Way::Tls => {
                let fault = |reason: String| Fault::Tls {
                    name: url.host.to_string(),
                    reason,
                };
                let name = match &url.host {
                    Host::Address(address) => ServerName::from(*address),
                    Host::Name(name) => {
                        ServerName::try_from(name.clone()).map_err(|error| fault(error.to_string()))?
                    }
                };
                let stream = connect(address).await?;
                let connector = TlsConnector::from(std::sync::Arc::clone(&asking.tls));
                let stream = connector
                    .connect(name, stream)
                    .await
                    .map_err(|error| fault(error.to_string()))?;
                Ok(Self::Stream {
                    io: Box::new(stream),
                    framing: Framing::Bare,
                    peer: address,
                })
            }
        }
    }

    pub(crate) async fn udp(address: SocketAddr) -> Result<Self, Fault> {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let unreachable = |error: std::io::Error| Fault::Unreachable {
            address,
            reason: error.kind(),
        };
        let socket = UdpSocket::bind((any, 0)).await.map_err(unreachable)?;
        socket.connect(address).await.map_err(unreachable)?;
        Ok(Self::Datagrams {
            socket,
            peer: address,
        })
    }

    pub(crate) async fn tcp(address: SocketAddr, framing: Framing) -> Result<Self, Fault> {
        let io = Box::new(connect(address).await?);
        Ok(Self::Stream {
            io,
            framing,
            peer: address,
        })
    }

    /// Whether what is sent may be lost, and is to be sent again.
    pub(crate) fn is_lossy(&self) -> bool {
        matches!(self, Self::Datagrams { .. })
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        match self {
            Self::Datagrams { peer, .. } | Self::Stream { peer, .. } => *peer,
        }
    }

    pub(crate) async fn send(&mut self, message: &[u8]) -> Result<(), Lost> {
        let closed = |error: std::io::Error| Lost::Closed(error.kind());
        match self {
            Self::Datagrams { socket, .. } => socket.send(message).await.map(drop).map_err(closed),
            Self::Stream { io, framing, .. } => {
                let mut bytes = Vec::with_capacity(message.len() + 2);
                if *framing == Framing::Length {
                    let length = u16::try_from(message.len()).map_err(|_| Lost::Rubbish)?;
                    bytes.extend_from_slice(&length.to_be_bytes());
                }
                bytes.extend_from_slice(message);
                io.write_all(&bytes).await.map_err(closed)?;
                io.flush().await.map_err(closed)
            }
        }
    }

    /// The next message. Cancelling it in the middle of a stream's message loses that message.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, Lost> {
        let closed = |error: std::io::Error| Lost::Closed(error.kind());
        match self {
            Self::Datagrams { socket, .. } => {
                let mut bytes = vec![0; LARGEST];
                let length = socket.recv(&mut bytes).await.map_err(closed)?;
                bytes.truncate(length);
                Ok(bytes)
            }
            Self::Stream { io, framing, .. } => {
                let length = match framing {
                    Framing::Length => usize::from(io.read_u16().await.map_err(closed)?),
                    Framing::Bare => HEADER,
                };
                let mut bytes = vec![0; length];
                io.read_exact(&mut bytes).await.map_err(closed)?;
                if *framing == Framing::Bare {
                    let whole = Message::length(&bytes).ok_or(Lost::Rubbish)?;
                    bytes.resize(whole, 0);
                    io.read_exact(&mut bytes[HEADER..]).await.map_err(closed)?;
                }
                Ok(bytes)
            }
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Fault> {
    TcpStream::connect(address)
        .await
        .map_err(|error| Fault::Unreachable {
            address,
            reason: error.kind(),
        })
}

impl Lost {
    /// As a finding about a server.
    pub(crate) fn fault(self, address: SocketAddr, step: Step) -> Fault {
        match self {
            Self::Closed(reason) => Fault::Unreachable { address, reason },
            Self::Rubbish => Fault::BadAnswer { step },
        }
    }
}
