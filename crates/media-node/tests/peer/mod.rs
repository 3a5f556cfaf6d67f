//! A WebRTC endpoint on real sockets, made of parts that share no code with the node: the ICE agent `is`, DTLS by
//! `dimpl`, SRTP by `rtc-srtp`. Tests drive it from one thread together with others.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod node;
pub(crate) mod rtp;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate, Output};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceCreds};
use link::ice::IceCredentials;
use link::{DatagramKind, DtlsRole, Fingerprint, FingerprintAlgorithm, Protocol, RemoteDtls, classify};
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

/// How a peer reaches the node.
pub(crate) enum Wire {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, incoming: Vec<u8> },
}

impl Wire {
    pub(crate) fn open(protocol: Protocol, node: SocketAddr) -> Self {
        match protocol {
            Protocol::Udp => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
                socket.connect(node).expect("connects");
                socket.set_nonblocking(true).expect("set");
                Self::Udp(socket)
            }
            Protocol::Tcp => {
                let stream = TcpStream::connect(node).expect("connects");
                stream.set_nodelay(true).expect("set");
                stream.set_nonblocking(true).expect("set");
                Self::Tcp {
                    stream,
                    incoming: Vec::new(),
                }
            }
        }
    }

    fn local(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Tcp { stream, .. } => stream.local_addr(),
        }
        .expect("bound")
    }

    fn candidate(&self, address: SocketAddr) -> Candidate {
        let protocol = match self {
            Self::Udp(_) => "udp",
            Self::Tcp { .. } => "tcp",
        };
        Candidate::host(address, protocol).expect("a candidate")
    }

    /// Sends a packet; a full buffer loses it, as a network would.
    pub(crate) fn send(&mut self, packet: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send(packet)),
            Self::Tcp { stream, .. } => {
                let length = u16::try_from(packet.len()).expect("fits a frame").to_be_bytes();
                let frame = [&length, packet].concat();
                match stream.write(&frame) {
                    Ok(written) => assert_eq!(written, frame.len(), "a test sends little over TCP"),
                    // Closed by the node: what some tests are about.
                    Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock),
                }
            }
        }
    }

    /// The next packet that has arrived.
    fn receive(&mut self, buffer: &mut [u8; 2_048]) -> Option<Vec<u8>> {
        match self {
            Self::Udp(socket) => socket.recv(buffer).ok().map(|length| buffer[..length].to_vec()),
            Self::Tcp { stream, incoming } => loop {
                if let [high, low, rest @ ..] = incoming.as_slice() {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    if let Some(packet) = rest.get(..length) {
                        let packet = packet.to_vec();
                        incoming.drain(..2 + length);
                        return Some(packet);
                    }
                }
                match stream.read(buffer) {
                    Ok(0) | Err(_) => return None,
                    Ok(length) => incoming.extend_from_slice(&buffer[..length]),
                }
            },
        }
    }

    /// Whether the node has closed a TCP connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        let Self::Tcp { stream, .. } = self else {
            return false;
        };
        match stream.peek(&mut [0]) {
            Ok(length) => length == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// SRTP in both directions.
pub(crate) struct Keys {
    pub(crate) profile: ProtectionProfile,
    pub(crate) inbound: Context,
    pub(crate) outbound: Context,
}

/// One direction's context for a master key and salt.
pub(crate) fn context(profile: ProtectionProfile, key: &[u8], salt: &[u8]) -> Context {
    let provider = rtc_srtp::crypto::default_provider().expect("a built-in provider");
    Context::new(key, salt, profile, None, None, provider.crypto()).expect("keys")
}

/// One transport as its client sees it.
pub(crate) struct Peer {
    ice: IceAgent,
    dtls: Dtls,
    role: DtlsRole,
    certificate: DtlsCertificate,
    pub(crate) wire: Wire,
    node: SocketAddr,
    local: Candidate,
    nominated: bool,
    started: bool,
    ice_due: Option<Instant>,
    dtls_due: Option<Instant>,
    pub(crate) keys: Option<Keys>,
    /// Plaintext of received media and reports.
    pub(crate) rtp: Vec<Vec<u8>>,
    pub(crate) rtcp: Vec<Vec<u8>>,
    /// Packets that only probed for bandwidth.
    pub(crate) probes: usize,
}

impl Peer {
    /// A peer that will check `node`, whose transport has `credentials`.
    pub(crate) fn new(
        protocol: Protocol,
        node: SocketAddr,
        credentials: &IceCredentials,
        role: DtlsRole,
    ) -> Self {
        let now = Instant::now();
        let own = IceCredentials::generate().expect("randomness");
        let mut ice = IceAgent::new(IceCreds {
            ufrag: own.ufrag,
            pass: own.pwd,
        });
        ice.set_controlling(true);
        ice.set_remote_credentials(IceCreds {
            ufrag: credentials.ufrag.clone(),
            pass: credentials.pwd.clone(),
        });
        let wire = Wire::open(protocol, node);
        let local = wire.candidate(wire.local());
        ice.add_remote_candidate(wire.candidate(node));
        ice.add_local_candidate(local.clone());
        let certificate = dimpl::certificate::generate_self_signed_certificate().expect("a certificate");
        let config = Arc::new(dimpl::Config::builder().build().expect("a configuration"));
        let mut dtls = Dtls::new_12(config, certificate.clone(), now);
        dtls.set_active(role == DtlsRole::Client);
        Self {
            ice,
            dtls,
            role,
            certificate,
            wire,
            node,
            local,
            nominated: false,
            started: false,
            ice_due: Some(now),
            dtls_due: None,
            keys: None,
            rtp: Vec::new(),
            rtcp: Vec::new(),
            probes: 0,
        }
    }

    /// What it announces by signalling.
    pub(crate) fn parameters(&self) -> RemoteDtls {
        let fingerprint = Fingerprint::of(FingerprintAlgorithm::Sha256, &self.certificate.certificate);
        RemoteDtls {
            role: self.role,
            fingerprints: vec![fingerprint],
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.keys.is_some()
    }

    /// Leaves its network for another, and tells the ICE agent.
    pub(crate) fn change_address(&mut self) {
        self.ice.invalidate_candidate(&self.local);
        self.wire = Wire::open(Protocol::Udp, self.node);
        self.local = self.wire.candidate(self.wire.local());
        self.nominated = false;
        self.ice.add_local_candidate(self.local.clone());
        self.ice_due = Some(Instant::now());
    }

    /// Whether the agent sends on a checked path.
    pub(crate) fn is_nominated(&self) -> bool {
        self.nominated
    }

    /// Takes what has arrived and does what is due.
    pub(crate) fn turn(&mut self, now: Instant) {
        self.handle_timeout(now);
        let mut buffer = [0; 2_048];
        while let Some(packet) = self.wire.receive(&mut buffer) {
            self.handle_packet(now, &packet);
        }
    }

    /// Keeps consent alive and retransmits handshakes.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.ice_due.is_some_and(|due| due <= now) {
            self.ice.handle_timeout(now);
            self.drain_ice();
        }
        let starts = self.nominated && !self.started && self.role == DtlsRole::Client;
        if starts || self.dtls_due.is_some_and(|due| due <= now) {
            self.started |= starts;
            self.dtls.handle_timeout(now).expect("the handshake goes on");
            self.drain_dtls(now);
        }
    }

    /// Takes one packet of the node.
    pub(crate) fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        match classify(packet) {
            DatagramKind::Stun => {
                let message = StunMessage::parse(packet).expect("STUN");
                let destination = self.local.addr();
                let packet = StunPacket {
                    proto: self.local.proto(),
                    source: self.node,
                    destination,
                    message,
                };
                self.ice.handle_packet(now, packet);
                self.drain_ice();
            }
            DatagramKind::Dtls => {
                self.dtls.handle_timeout(now).expect("the handshake goes on");
                self.dtls.handle_packet(packet).expect("the handshake goes on");
                self.drain_dtls(now);
            }
            DatagramKind::Rtp if rtp::is_probe(packet) => self.probes += 1,
            DatagramKind::Rtp => {
                let keys = self.keys.as_mut().expect("no media before keys");
                self.rtp
                    .push(keys.inbound.decrypt_rtp(packet).expect("authentic").to_vec());
            }
            DatagramKind::Rtcp => {
                let keys = self.keys.as_mut().expect("no reports before keys");
                self.rtcp
                    .push(keys.inbound.decrypt_rtcp(packet).expect("authentic").to_vec());
            }
            DatagramKind::Other => panic!("the node sent something nobody knows"),
        }
    }

    /// Protects and sends an RTP packet.
    pub(crate) fn send_rtp(&mut self, packet: &[u8]) {
        let keys = self.keys.as_mut().expect("connected");
        let protected = keys.outbound.encrypt_rtp(packet).expect("protected");
        self.wire.send(&protected);
    }

    /// Protects and sends a compound RTCP packet.
    pub(crate) fn send_rtcp(&mut self, packet: &[u8]) {
        let keys = self.keys.as_mut().expect("connected");
        let protected = keys.outbound.encrypt_rtcp(packet).expect("protected");
        self.wire.send(&protected);
    }

    fn drain_ice(&mut self) {
        while let Some(transmit) = self.ice.poll_transmit() {
            // A check from an address it has left goes nowhere.
            if transmit.source == self.local.addr() {
                let packet: Vec<u8> = transmit.contents.into();
                self.wire.send(&packet);
            }
        }
        while let Some(event) = self.ice.poll_event() {
            if let IceAgentEvent::NominatedSend { source, .. } = event {
                self.nominated = source == self.local.addr();
            }
        }
        self.ice_due = self.ice.poll_timeout();
    }

    fn drain_dtls(&mut self, now: Instant) {
        let mut buffer = vec![0; 4_096];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => self.wire.send(packet),
                Output::KeyingMaterial(material, profile) => {
                    self.keys = Some(split_keys(&material, profile, self.role));
                }
                Output::Timeout(due) => {
                    self.dtls_due = Some(due).filter(|due| *due < now + Duration::from_secs(3_600));
                    return;
                }
                Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
                _ => {}
            }
        }
    }
}

/// RFC 5764 §4.2: client key, server key, client salt, server salt.
fn split_keys(material: &[u8], profile: dimpl::SrtpProfile, role: DtlsRole) -> Keys {
    let (key, salt, profile) = match profile {
        dimpl::SrtpProfile::AEAD_AES_128_GCM => (16, 12, ProtectionProfile::AeadAes128Gcm),
        dimpl::SrtpProfile::AEAD_AES_256_GCM => (32, 12, ProtectionProfile::AeadAes256Gcm),
        _ => (16, 14, ProtectionProfile::Aes128CmHmacSha1_80),
    };
    let side = |side: usize| {
        let (keys, salts) = material.split_at(2 * key);
        context(profile, &keys[side * key..][..key], &salts[side * salt..][..salt])
    };
    let (own, other) = if role == DtlsRole::Client { (0, 1) } else { (1, 0) };
    Keys {
        profile,
        inbound: side(other),
        outbound: side(own),
    }
}
