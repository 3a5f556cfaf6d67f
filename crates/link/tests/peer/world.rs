//! Link, peer, the network between them, and the only clock.

use std::time::{Duration, Instant};

use link::ice::{IceCredentials, IceState};
use link::{Certificate, DropReason, DtlsState, Incoming, Link, LinkConfig, LinkEvent};
use str0m_netem::{Input, LossModel, Netem, NetemConfig, Output, Probability, RandomLoss};

use super::{Datagram, Peer, Traits, WIFI, path};

/// How the network treats datagrams, in both directions alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    pub(crate) loss_percent: u32,
    pub(crate) duplicate_percent: u32,
    pub(crate) delay: Duration,
    /// Up to this much more or less; larger than the spacing of packets, it reorders them.
    pub(crate) jitter: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            loss_percent: 0,
            duplicate_percent: 0,
            delay: Duration::from_millis(20),
            jitter: Duration::ZERO,
        }
    }
}

impl Network {
    fn direction(self, seed: u64) -> Netem<Datagram> {
        let fraction = |percent: u32| Probability::new(percent as f32 / 100.0);
        let loss = match self.loss_percent {
            0 => LossModel::None,
            percent => LossModel::from(RandomLoss::new(fraction(percent))),
        };
        let config = NetemConfig::new()
            .latency(self.delay)
            .jitter(self.jitter)
            .loss(loss)
            .duplicate(fraction(self.duplicate_percent))
            .seed(seed);
        Netem::new(config)
    }
}

pub(crate) struct World {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) link: Link,
    pub(crate) peer: Peer,
    pub(crate) certificate: Certificate,
    up: Netem<Datagram>,
    down: Netem<Datagram>,
    pub(crate) events: Vec<LinkEvent>,
    /// Plaintext the link has handed out.
    pub(crate) received: Vec<Vec<u8>>,
    /// While set, nothing passes in either direction.
    pub(crate) cut: bool,
}

pub(crate) fn server_credentials(generation: u32) -> IceCredentials {
    IceCredentials {
        ufrag: format!("serverfrag{generation}"),
        pwd: format!("server-password-of-generation-{generation}"),
    }
}

impl World {
    /// A peer on Wi-Fi and a link that knows nothing of it yet.
    pub(crate) fn new(network: Network, traits: Traits) -> Self {
        let now = Instant::now();
        let certificate = Certificate::generate().expect("certificate");
        let config = LinkConfig {
            ice: server_credentials(0),
            certificate: certificate.clone(),
            mtu: 1200,
            consent_timeout: Duration::from_secs(30),
            seed: traits.seed,
        };
        let mut peer = Peer::new(now, &server_credentials(0), traits);
        peer.add_address(WIFI);
        Self {
            start: now,
            now,
            link: Link::new(now, config),
            peer,
            certificate,
            up: network.direction(traits.seed),
            down: network.direction(traits.seed ^ 0x5555),
            events: Vec::new(),
            received: Vec::new(),
            cut: false,
        }
    }

    /// A world in which both sides are ready for media.
    pub(crate) fn connected(network: Network, traits: Traits) -> Self {
        let mut world = Self::new(network, traits);
        world.connect();
        let ready = world.run_until(Duration::from_secs(30), Self::is_ready);
        assert!(
            ready,
            "no connection: {network:?} {traits:?} events {:?}",
            world.events
        );
        world
    }

    pub(crate) fn connect(&mut self) {
        self.link
            .connect(self.now, self.peer.parameters())
            .expect("first parameters");
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.link.route().is_some() && self.peer.is_connected()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Runs for a while; `true` as soon as the condition holds.
    pub(crate) fn run_until(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.exchange();
            if condition(self) {
                return true;
            }
            let next = [
                self.link.poll_timeout(),
                self.peer.due(),
                Some(self.up.poll_timeout()),
            ];
            let next = next.into_iter().flatten().chain([self.down.poll_timeout()]).min();
            match next.filter(|next| *next <= end) {
                // The `is` agent may name a moment that has passed.
                Some(next) => self.now = next.max(self.now + Duration::from_micros(10)),
                None => {
                    self.now = end;
                    self.tick();
                    self.exchange();
                    return condition(self);
                }
            }
            self.tick();
        }
    }

    pub(crate) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    fn tick(&mut self) {
        if self.link.poll_timeout().is_some_and(|due| due <= self.now) {
            self.link.handle_timeout(self.now);
        }
        self.peer.handle_timeout(self.now);
        self.up.handle_input(Input::Timeout(self.now));
        self.down.handle_input(Input::Timeout(self.now));
    }

    /// Moves everything that can move at this instant.
    fn exchange(&mut self) {
        loop {
            let mut idle = true;
            while let Some(datagram) = self.peer.poll_transmit() {
                idle = false;
                if !self.cut {
                    self.up.handle_input(Input::Packet(self.now, datagram));
                }
            }
            let mut bytes = Vec::new();
            while let Some(path) = self.link.poll_transmit(&mut bytes) {
                idle = false;
                self.send_down(Datagram {
                    path,
                    bytes: bytes.clone(),
                });
            }
            while let Some(output) = self.up.poll_output() {
                if let Output::Packet(datagram) = output {
                    idle = false;
                    self.deliver(datagram);
                }
            }
            while let Some(output) = self.down.poll_output() {
                if let Output::Packet(datagram) = output {
                    idle = false;
                    self.peer.handle_datagram(self.now, &datagram);
                }
            }
            self.events.extend(std::iter::from_fn(|| self.link.poll_event()));
            if idle {
                return;
            }
        }
    }

    pub(crate) fn send_down(&mut self, datagram: Datagram) {
        if !self.cut {
            self.down.handle_input(Input::Packet(self.now, datagram));
        }
    }

    fn deliver(&mut self, mut datagram: Datagram) {
        match self
            .link
            .handle_datagram(self.now, datagram.path, &mut datagram.bytes)
        {
            Incoming::Rtp(plain) => self.received.push(plain.to_vec()),
            Incoming::Rtcp(plain) => self.received.push(plain.to_vec()),
            Incoming::Consumed | Incoming::Dropped(_) => {}
        }
    }

    /// Hands the link a datagram past the network.
    pub(crate) fn inject(&mut self, remote: &str, bytes: &[u8]) -> Option<DropReason> {
        let mut bytes = bytes.to_vec();
        match self.link.handle_datagram(self.now, path(remote), &mut bytes) {
            Incoming::Dropped(reason) => Some(reason),
            Incoming::Consumed | Incoming::Rtp(_) | Incoming::Rtcp(_) => None,
        }
    }

    /// Sends an RTP packet of the link's, as the SFU would.
    pub(crate) fn send_media(&mut self, plain: &[u8], index: u64) {
        let path = self.link.route().expect("a route");
        let mut bytes = plain.to_vec();
        bytes.resize(plain.len() + link::SRTP_OVERHEAD, 0);
        let len = self
            .link
            .protect_rtp(&mut bytes, plain.len(), rtp::SeqNo(index))
            .expect("fresh index");
        bytes.truncate(len);
        self.send_down(Datagram { path, bytes });
    }

    pub(crate) fn send_feedback(&mut self, plain: &[u8]) {
        let path = self.link.route().expect("a route");
        let mut bytes = plain.to_vec();
        self.link.protect_rtcp(&mut bytes).expect("fresh index");
        self.send_down(Datagram { path, bytes });
    }

    /// ICE states reported so far.
    pub(crate) fn ice_states(&self) -> Vec<IceState> {
        let state = |event: &LinkEvent| {
            if let LinkEvent::Ice(state) = event {
                Some(*state)
            } else {
                None
            }
        };
        self.events.iter().filter_map(state).collect()
    }

    /// DTLS states reported so far.
    pub(crate) fn dtls_states(&self) -> Vec<DtlsState> {
        let state = |event: &LinkEvent| {
            if let LinkEvent::Dtls(state) = event {
                Some(*state)
            } else {
                None
            }
        };
        self.events.iter().filter_map(state).collect()
    }
}

/// An RTP packet with some payload.
pub(crate) fn rtp_packet(ssrc: u32, index: u64) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend_from_slice(&(index as u16).to_be_bytes());
    packet.extend_from_slice(&(index as u32).to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend((0..100).map(|byte| (index as u8).wrapping_add(byte)));
    packet
}

/// A receiver report about nothing.
pub(crate) fn rtcp_packet(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet
}
