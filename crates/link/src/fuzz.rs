//! Bodies of the fuzz targets, compiled with the crate so that they cannot rot. Each takes arbitrary bytes and
//! panics when something that must hold does not.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use rtp::SeqNo;

pub use crate::bwe::fuzz::twcc_bwe;
use crate::ice::stun::{Class, IntegrityKey, Message, Role, TransactionId, Writer};
use crate::ice::{IceCredentials, stun_username_local_ufrag};
use crate::srtp::{Inbound, MasterKey, Outbound};
use crate::{
    Certificate, DtlsRole, DtlsState, FiveTuple, Incoming, Link, LinkConfig, Protocol, RemoteDtls,
    SRTP_OVERHEAD, SrtpProfile,
};

/// Parses arbitrary bytes as STUN, then the same bytes as attributes of a correctly signed request.
pub fn stun(data: &[u8]) {
    let key = IntegrityKey::new("password of the fuzz target");
    if let Ok(message) = Message::parse(data) {
        if message.class == Class::Request && message.username.is_some() {
            assert_eq!(stun_username_local_ufrag(data), message.local_ufrag());
        }
        assert!(!message.verify_integrity(&key), "nobody guesses 160 bits");
    }
    let bytes = signed_request(data, &key, None);
    if let Ok(message) = Message::parse(&bytes)
        && message.has_integrity()
    {
        // True unless the data held an integrity attribute of its own.
        let own = message.verify_integrity(&key);
        assert!(own || chunks(data).any(|(kind, _)| kind == 0x0008));
    }
}

/// Feeds forged packets to a receiver and checks that a true one still passes, and only once.
pub fn srtp_unprotect(data: &[u8]) {
    let Some((selector, data)) = data.split_first() else {
        return;
    };
    let profile = SrtpProfile::ALL[usize::from(*selector) % SrtpProfile::ALL.len()];
    let key: Vec<u8> = (0..profile.key_len() as u8).collect();
    let salt: Vec<u8> = (0..profile.salt_len() as u8).map(|byte| byte ^ 0x55).collect();
    let master = MasterKey::new(profile, &key, &salt).expect("lengths of the profile");
    let mut inbound = Inbound::new(&master, 3).expect("accepted key");
    let mut outbound = Outbound::new(&master, 3).expect("accepted key");
    for (kind, chunk) in chunks(data) {
        let mut forged = chunk.to_vec();
        if kind & 1 == 0 {
            assert!(inbound.unprotect(&mut forged).is_err());
        } else {
            assert!(inbound.unprotect_rtcp(&mut forged).is_err());
        }
        assert_eq!(inbound.stream_count(), 0, "a forged packet left a trace");
    }
    let mut packet = vec![0x80, 96, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7];
    packet.extend_from_slice(data);
    let plain = packet.clone();
    packet.resize(plain.len() + SRTP_OVERHEAD, 0);
    let len = outbound
        .protect(&mut packet, plain.len(), SeqNo(9))
        .expect("fresh index");
    packet.truncate(len);
    let mut replayed = packet.clone();
    let len = inbound.unprotect(&mut packet).expect("authentic");
    assert_eq!(packet[..len], plain);
    assert!(inbound.unprotect(&mut replayed).is_err(), "passed twice");
}

/// Any sequence of datagrams before, during and after the handshake, mixed with time, restarts and true media.
pub fn demux_link(now: Instant, data: &[u8]) {
    let Some((selector, data)) = data.split_first() else {
        return;
    };
    let mut duo = Duo::new(now);
    let role = if selector & 4 == 0 {
        DtlsRole::Client
    } else {
        DtlsRole::Server
    };
    match selector & 3 {
        0 | 1 => {
            duo.introduce(role);
            (0..20).for_each(|_| duo.exchange(None));
            assert!(
                duo.link.route().is_some() && duo.peer.route().is_some(),
                "handshake incomplete"
            );
        }
        2 => {
            duo.introduce(role);
            (0..selector >> 6).for_each(|_| duo.exchange(None));
        }
        _ => {}
    }
    for (kind, chunk) in chunks(data) {
        duo.operate(kind, chunk);
        duo.check();
    }
}

/// Cuts data into `(two bytes of kind, up to 255 bytes)`.
fn chunks(mut data: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (&[k0, k1, length], rest) = data.split_first_chunk()?;
        let (chunk, rest) = rest.split_at(rest.len().min(usize::from(length)));
        data = rest;
        Some((u16::from_be_bytes([k0, k1]), chunk))
    })
}

/// A Binding request with these chunks as attributes, signed and fingerprinted.
fn signed_request(attributes: &[u8], key: &IntegrityKey, username: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, TransactionId(*b"fuzz target!"));
    username.iter().for_each(|username| writer.username(username));
    for (kind, chunk) in chunks(attributes) {
        writer.attribute(kind, chunk);
    }
    writer.finish(Some(key));
    bytes
}

const SERVER_PORT: u16 = 4000;
const CLIENT_PORT: u16 = 5000;

fn tuple(local: u16, remote: u16) -> FiveTuple {
    let address = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    FiveTuple {
        protocol: Protocol::Udp,
        local: address(local),
        remote: address(remote),
    }
}

/// Two links; the checks that a lite agent does not send are written by hand.
struct Duo {
    now: Instant,
    link: Link,
    /// The other end, which supplies true DTLS records and true media.
    peer: Link,
    sequence: u64,
    generation: u32,
}

impl Duo {
    fn new(now: Instant) -> Self {
        Self {
            now,
            link: Link::new(now, config("link0")),
            peer: Link::new(now, config("peer")),
            sequence: 1,
            generation: 0,
        }
    }

    fn credentials(&self) -> IceCredentials {
        credentials(&format!("link{}", self.generation))
    }

    /// Gives both sides the other's parameters and a nominated path.
    fn introduce(&mut self, peer_role: DtlsRole) {
        let own_role = if peer_role == DtlsRole::Client {
            DtlsRole::Server
        } else {
            DtlsRole::Client
        };
        let fingerprints = vec![certificate().fingerprint()];
        let remote = RemoteDtls {
            role: peer_role,
            fingerprints: fingerprints.clone(),
        };
        self.link.connect(self.now, remote).expect("first parameters");
        self.peer
            .connect(
                self.now,
                RemoteDtls {
                    role: own_role,
                    fingerprints,
                },
            )
            .expect("first parameters");
        let mut check = nomination(&self.credentials());
        self.link
            .handle_datagram(self.now, tuple(SERVER_PORT, CLIENT_PORT), &mut check);
        let mut check = nomination(&credentials("peer"));
        self.peer
            .handle_datagram(self.now, tuple(CLIENT_PORT, SERVER_PORT), &mut check);
    }

    /// Moves what both sides have to send, the peer's part damaged by XOR of a byte when asked for.
    fn exchange(&mut self, damage: Option<(usize, u8)>) {
        let mut buffer = Vec::new();
        while self.link.poll_transmit(&mut buffer).is_some() {
            self.peer
                .handle_datagram(self.now, tuple(CLIENT_PORT, SERVER_PORT), &mut buffer);
        }
        while self.peer.poll_transmit(&mut buffer).is_some() {
            if let Some((position, flip)) = damage {
                let position = position % buffer.len();
                buffer[position] ^= flip;
            }
            self.link
                .handle_datagram(self.now, tuple(SERVER_PORT, CLIENT_PORT), &mut buffer);
        }
    }

    fn operate(&mut self, kind: u16, chunk: &[u8]) {
        let proven = tuple(SERVER_PORT, CLIENT_PORT);
        match kind % 16 {
            0..=3 => self.receive(proven, chunk),
            4 => self.receive(tuple(SERVER_PORT, kind), chunk),
            5 | 6 => self.media(chunk),
            7 => self.feedback(chunk),
            8 | 9 => {
                let own = self.credentials();
                let request = signed_request(
                    chunk,
                    &IntegrityKey::new(&own.pwd),
                    Some(&format!("{}:fuzz", own.ufrag)),
                );
                self.receive(tuple(SERVER_PORT, CLIENT_PORT + (kind >> 4) % 40), &request);
            }
            10 | 11 => self.pass(Duration::from_millis(u64::from(kind))),
            12 => self.exchange(chunk.first().map(|flip| (usize::from(kind >> 4), *flip))),
            13 => {
                self.generation += 1;
                let fresh = self.credentials();
                self.link.restart_ice(fresh);
            }
            14 => self
                .link
                .forget_tuple(self.now, tuple(SERVER_PORT, CLIENT_PORT + (kind >> 4) % 40)),
            _ if kind > 0xF000 => self.link.close(self.now),
            _ => self.exchange(None),
        }
    }

    fn receive(&mut self, from: FiveTuple, datagram: &[u8]) {
        let before = self.link.drops().total();
        let mut datagram = datagram.to_vec();
        let dropped = match self.link.handle_datagram(self.now, from, &mut datagram) {
            Incoming::Dropped(_) => 1,
            Incoming::Consumed => 0,
            Incoming::Rtp(_) | Incoming::Rtcp(_) => panic!("a forged packet was believed"),
        };
        assert_eq!(self.link.drops().total(), before + dropped);
    }

    /// A true packet, or one with a byte changed.
    fn media(&mut self, chunk: &[u8]) {
        self.sequence += 1;
        let mut packet = vec![0x80, 96];
        packet.extend_from_slice(&(self.sequence as u16).to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7]);
        packet.extend_from_slice(chunk);
        let plain = packet.clone();
        packet.resize(plain.len() + SRTP_OVERHEAD, 0);
        let Ok(len) = self
            .peer
            .protect_rtp(&mut packet, plain.len(), SeqNo(self.sequence))
        else {
            return;
        };
        packet.truncate(len);
        let damage = chunk.first().copied().unwrap_or(0) & 0x0F;
        let position = usize::from(chunk.last().copied().unwrap_or(0)) % packet.len();
        packet[position] ^= damage;
        let ready = self.link.route().is_some();
        match self
            .link
            .handle_datagram(self.now, tuple(SERVER_PORT, CLIENT_PORT), &mut packet)
        {
            Incoming::Rtp(received) => assert!(damage == 0 && *received == plain[..]),
            Incoming::Dropped(_) | Incoming::Consumed => {
                assert!(
                    damage != 0 || !ready || self.link.selected() != Some(tuple(SERVER_PORT, CLIENT_PORT))
                );
            }
            Incoming::Rtcp(_) => panic!("a damaged packet was believed"),
        }
    }

    fn feedback(&mut self, chunk: &[u8]) {
        let mut packet = vec![0x80, 205, 0, 0, 0, 0, 0, 7];
        packet.extend_from_slice(chunk);
        let plain = packet.clone();
        if self.peer.protect_rtcp(&mut packet).is_ok()
            && let Incoming::Rtcp(received) =
                self.link
                    .handle_datagram(self.now, tuple(SERVER_PORT, CLIENT_PORT), &mut packet)
        {
            assert_eq!(received, plain);
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100 {
            let next = self
                .link
                .poll_timeout()
                .into_iter()
                .chain(self.peer.poll_timeout())
                .min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            self.link.handle_timeout(self.now);
            self.peer.handle_timeout(self.now);
            assert!(
                self.link.poll_timeout().is_none_or(|next| next > self.now),
                "a deadline that stays due"
            );
        }
        self.now = end;
        self.link.handle_timeout(end);
        self.peer.handle_timeout(end);
    }

    fn check(&mut self) {
        if self.link.route().is_some() {
            assert_eq!(self.link.dtls_state(), DtlsState::Connected);
            assert_eq!(self.link.route(), self.link.selected());
        }
        let mut packet = [0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0];
        let refused = self.link.protect_rtp(&mut packet, 13, SeqNo(1));
        assert!(refused.is_err(), "no room for the tag");
        let events = std::iter::from_fn(|| self.link.poll_event()).count();
        assert!(events <= 64);
        let mut buffer = Vec::new();
        let mut sent = 0;
        while self.link.poll_transmit(&mut buffer).is_some() {
            sent += 1;
            assert!(!buffer.is_empty() && buffer.len() <= 1200);
            assert!(sent < 1000, "endless output");
        }
    }
}

fn credentials(name: &str) -> IceCredentials {
    IceCredentials {
        ufrag: name.into(),
        pwd: format!("{name} and a password of some length"),
    }
}

fn nomination(own: &IceCredentials) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, TransactionId(*b"nomination!!"));
    writer.username(&format!("{}:other", own.ufrag));
    writer.role(Role::Controlling(1));
    writer.use_candidate();
    writer.finish(Some(&IntegrityKey::new(&own.pwd)));
    bytes
}

/// One certificate per thread: making one costs more than a fuzz run.
fn certificate() -> Certificate {
    thread_local! {
        static CERTIFICATE: OnceCell<Certificate> = const { OnceCell::new() };
    }
    CERTIFICATE.with(|cell| {
        cell.get_or_init(|| Certificate::generate().expect("randomness"))
            .clone()
    })
}

fn config(name: &str) -> LinkConfig {
    LinkConfig {
        ice: credentials(name),
        certificate: certificate(),
        mtu: 1200,
        consent_timeout: Duration::from_secs(30),
        seed: 1,
    }
}

#[cfg(test)]
mod tests;
