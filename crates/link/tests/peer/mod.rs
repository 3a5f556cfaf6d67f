//! The other side, built of parts that share no code with the link: the full ICE agent `is`, DTLS by `dimpl`
//! driven directly, SRTP by `rtc-srtp`; and the network between, `str0m-netem`.

mod world;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate, Output};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceConnectionState, IceCreds};
use link::ice::IceCredentials;
use link::{
    DatagramKind, DtlsRole, Fingerprint, FingerprintAlgorithm, FiveTuple, Protocol, RemoteDtls, classify,
};
use rtc_srtp::context::Context;
use rtc_srtp::crypto;
use rtc_srtp::protection_profile::ProtectionProfile;

pub(crate) use world::{Network, World, rtcp_packet, rtp_packet, server_credentials};

pub(crate) const SERVER: &str = "192.0.2.1:4000";
pub(crate) const WIFI: &str = "198.51.100.10:50000";
pub(crate) const CELLULAR: &str = "203.0.113.20:60000";

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("a socket address")
}

pub(crate) fn path(remote: &str) -> FiveTuple {
    FiveTuple {
        protocol: Protocol::Udp,
        local: address(SERVER),
        remote: address(remote),
    }
}

/// A datagram on the wire, with the path as the link sees it.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) path: FiveTuple,
    pub(crate) bytes: Vec<u8>,
}

impl AsRef<[u8]> for Datagram {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The version of DTLS the peer speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    Dtls12,
    Dtls13,
    Auto,
}

/// What kind of endpoint to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) role: DtlsRole,
    pub(crate) version: Version,
    pub(crate) seed: u64,
}

impl Default for Traits {
    fn default() -> Self {
        Self {
            role: DtlsRole::Client,
            version: Version::Auto,
            seed: 1,
        }
    }
}

pub(crate) struct Keys {
    pub(crate) inbound: Context,
    pub(crate) outbound: Context,
    pub(crate) profile: dimpl::SrtpProfile,
}

pub(crate) struct Peer {
    pub(crate) ice: IceAgent,
    candidates: Vec<Candidate>,
    dtls: Dtls,
    role: DtlsRole,
    certificate: DtlsCertificate,
    started: bool,
    ice_due: Option<Instant>,
    dtls_due: Option<Instant>,
    pub(crate) route: Option<FiveTuple>,
    pub(crate) keys: Option<Keys>,
    pub(crate) closed: bool,
    pub(crate) failed: bool,
    pub(crate) server_certificate: Option<Vec<u8>>,
    /// Plaintext of received media.
    pub(crate) received: Vec<Vec<u8>>,
    out: VecDeque<Datagram>,
}

impl Peer {
    pub(crate) fn new(now: Instant, server: &IceCredentials, traits: Traits) -> Self {
        let mut ice = IceAgent::new(IceCreds {
            ufrag: "peerfrag".into(),
            pass: "peer-password-22-chars".into(),
        });
        ice.set_controlling(true);
        ice.set_remote_credentials(creds(server));
        ice.add_remote_candidate(Candidate::host(address(SERVER), "udp").expect("candidate"));
        let certificate = dimpl::certificate::generate_self_signed_certificate().expect("certificate");
        let config = dimpl::Config::builder()
            .flight_start_rto(Duration::from_millis(400))
            .flight_retries(7)
            .dangerously_set_rng_seed(traits.seed)
            .build()
            .expect("configuration");
        let config = Arc::new(config);
        let mut dtls = match traits.version {
            Version::Dtls12 => Dtls::new_12(config, certificate.clone(), now),
            Version::Dtls13 => Dtls::new_13(config, certificate.clone(), now),
            Version::Auto => Dtls::new_auto(config, certificate.clone(), now),
        };
        dtls.set_active(traits.role == DtlsRole::Client);
        Self {
            ice,
            candidates: Vec::new(),
            dtls,
            role: traits.role,
            certificate,
            started: false,
            ice_due: Some(now),
            dtls_due: None,
            route: None,
            keys: None,
            closed: false,
            failed: false,
            server_certificate: None,
            received: Vec::new(),
            out: VecDeque::new(),
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

    /// Its certificate in DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate.certificate
    }

    pub(crate) fn add_address(&mut self, remote: &str) {
        let candidate = Candidate::host(address(remote), "udp").expect("candidate");
        self.ice.add_local_candidate(candidate.clone());
        self.candidates.push(candidate);
    }

    /// The interface is gone.
    pub(crate) fn remove_address(&mut self, remote: &str) {
        for candidate in self
            .candidates
            .extract_if(.., |candidate| candidate.addr() == address(remote))
        {
            self.ice.invalidate_candidate(&candidate);
        }
        if self.route.is_some_and(|route| route.remote == address(remote)) {
            self.route = None;
        }
    }

    pub(crate) fn restart_ice(&mut self, server: &IceCredentials) {
        let fresh = IceCreds {
            ufrag: "peerfrag2".into(),
            pass: "peer-password-number-two".into(),
        };
        self.ice.ice_restart(fresh, true);
        self.ice.set_remote_credentials(creds(server));
        self.ice
            .add_remote_candidate(Candidate::host(address(SERVER), "udp").expect("candidate"));
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.keys.is_some()
    }

    pub(crate) fn ice_state(&self) -> IceConnectionState {
        self.ice.state()
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.ice_due.into_iter().chain(self.dtls_due).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.ice_due.is_some_and(|due| due <= now) {
            self.ice.handle_timeout(now);
            self.drain_ice();
        }
        if self.dtls_due.is_some_and(|due| due <= now) {
            self.failed |= self.dtls.handle_timeout(now).is_err();
            self.drain_dtls(now);
        }
        if self.role == DtlsRole::Client && !self.started && self.route.is_some() {
            self.started = true;
            self.failed |= self.dtls.handle_timeout(now).is_err();
            self.drain_dtls(now);
        }
    }

    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &Datagram) {
        match classify(&datagram.bytes) {
            DatagramKind::Stun => {
                let Ok(message) = StunMessage::parse(&datagram.bytes) else {
                    panic!("unparsable STUN")
                };
                let proto = Candidate::host(address(SERVER), "udp")
                    .expect("candidate")
                    .proto();
                let packet = StunPacket {
                    proto,
                    source: datagram.path.local,
                    destination: datagram.path.remote,
                    message,
                };
                self.ice.handle_packet(now, packet);
                self.drain_ice();
            }
            DatagramKind::Dtls if !self.failed => {
                self.failed |= self.dtls.handle_timeout(now).is_err();
                self.failed |= self.dtls.handle_packet(&datagram.bytes).is_err();
                self.drain_dtls(now);
            }
            DatagramKind::Rtp | DatagramKind::Rtcp => self.receive_media(&datagram.bytes),
            DatagramKind::Dtls => {}
            DatagramKind::Other => panic!("the link sent something nobody knows"),
        }
    }

    fn receive_media(&mut self, bytes: &[u8]) {
        let keys = self.keys.as_mut().expect("no media before keys");
        let plain = match classify(bytes) {
            DatagramKind::Rtp => keys.inbound.decrypt_rtp(bytes),
            _ => keys.inbound.decrypt_rtcp(bytes),
        };
        self.received.push(plain.expect("authentic").to_vec());
    }

    pub(crate) fn send_rtp(&mut self, plain: &[u8]) {
        let keys = self.keys.as_mut().expect("connected");
        let bytes = keys.outbound.encrypt_rtp(plain).expect("protected").to_vec();
        self.send(bytes);
    }

    pub(crate) fn send_rtcp(&mut self, plain: &[u8]) {
        let keys = self.keys.as_mut().expect("connected");
        let bytes = keys.outbound.encrypt_rtcp(plain).expect("protected").to_vec();
        self.send(bytes);
    }

    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        let path = self.route.expect("a nominated path");
        self.out.push_back(Datagram { path, bytes });
    }

    pub(crate) fn close(&mut self, now: Instant) {
        self.dtls.close().expect("a connection");
        self.drain_dtls(now);
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Datagram> {
        self.out.pop_front()
    }

    fn drain_ice(&mut self) {
        while let Some(transmit) = self.ice.poll_transmit() {
            let path = FiveTuple {
                protocol: Protocol::Udp,
                local: transmit.destination,
                remote: transmit.source,
            };
            self.out.push_back(Datagram {
                path,
                bytes: transmit.contents.into(),
            });
        }
        while let Some(event) = self.ice.poll_event() {
            if let IceAgentEvent::NominatedSend {
                source, destination, ..
            } = event
            {
                self.route = Some(FiveTuple {
                    protocol: Protocol::Udp,
                    local: destination,
                    remote: source,
                });
            }
        }
        self.ice_due = self.ice.poll_timeout();
    }

    fn drain_dtls(&mut self, now: Instant) {
        let mut buffer = vec![0; 4096];
        while !self.failed {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => {
                    // A record for which there is no path is lost, as on a real socket.
                    if let Some(path) = self.route {
                        self.out.push_back(Datagram {
                            path,
                            bytes: packet.to_vec(),
                        });
                    }
                }
                Output::PeerCert(der) => self.server_certificate = Some(der.to_vec()),
                Output::KeyingMaterial(material, profile) => {
                    self.keys = Some(split_keys(&material, profile, self.role));
                }
                Output::CloseNotify => self.closed = true,
                Output::Timeout(due) => {
                    self.dtls_due = Some(due).filter(|due| *due < now + Duration::from_secs(3600));
                    return;
                }
                Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
                _ => {}
            }
        }
        self.dtls_due = None;
    }
}

fn creds(credentials: &IceCredentials) -> IceCreds {
    IceCreds {
        ufrag: credentials.ufrag.clone(),
        pass: credentials.pwd.clone(),
    }
}

/// RFC 5764 §4.2: client key, server key, client salt, server salt.
fn split_keys(material: &[u8], profile: dimpl::SrtpProfile, role: DtlsRole) -> Keys {
    let (key, salt, theirs) = match profile {
        dimpl::SrtpProfile::AEAD_AES_128_GCM => (16, 12, ProtectionProfile::AeadAes128Gcm),
        dimpl::SrtpProfile::AEAD_AES_256_GCM => (32, 12, ProtectionProfile::AeadAes256Gcm),
        _ => (16, 14, ProtectionProfile::Aes128CmHmacSha1_80),
    };
    let context = |position: usize| {
        let provider = crypto::default_provider().expect("a built-in provider");
        let master = &material[position * key..(position + 1) * key];
        let salt_start = 2 * key + position * salt;
        Context::new(
            master,
            &material[salt_start..salt_start + salt],
            theirs,
            None,
            None,
            provider.crypto(),
        )
        .expect("keys")
    };
    let (own, other) = if role == DtlsRole::Client { (0, 1) } else { (1, 0) };
    Keys {
        inbound: context(other),
        outbound: context(own),
        profile,
    }
}
