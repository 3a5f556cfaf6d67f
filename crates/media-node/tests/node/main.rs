//! The real node with real worker threads on loopback ports, driven over HTTP and Socket.IO.

mod caps;
mod consumers;
mod failures;
mod ghosts;
mod harness;
mod limits;
mod media;
mod media_client;
mod operations;
mod presence;
mod producers;
mod quality;
mod registration;
mod rooms;
mod rtp_json;
mod socket_client;
mod sockets;
mod spread;
mod tokens;
mod transports;
