//! The simulated world: one worker, some str0m clients, an emulated link for each, and one virtual clock.
//!
//! Nothing here waits: the clock jumps to whatever happens next. Faults are drawn from seeds, so a failing run fails
//! again.

// Tests and benches each use a part of it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::disallowed_methods)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use link::bwe::Bitrate;
use link::ice::IceCredentials;
use link::{Certificate, DtlsRole, Fingerprint, FiveTuple, Protocol, RemoteDtls};
use rtp::codec::CodecKind;
use rtp::{PayloadType, Ssrc};
use sfu::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use sfu::spec::{
    ConnectSpec, ConsumerSpec, Direction, MediaKind, ProducerCodec, ProducerEncoding, ProducerSpec, RtxSpec,
    Scalability, Source as MediaSource, TrainPadding, TransportSpec,
};
use sfu::stats::TransportStats;
use sfu::{Command, Event, Reply, Worker};
use str0m::media::{Mid, Rid};

pub mod annex;
pub mod check;
pub mod media;
pub mod peer;
pub mod settings;

use annex::{Annex, Site};
use media::{Kind, Source};
use peer::{Datagram, Peer, PeerOptions, Side};
pub use settings::{Camera, router_extensions, sender_extensions};
use settings::{clone, config};

/// Where the worker listens.
pub const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 44_444);

/// Names a client of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerId(pub usize);

/// A consumer and the numbers its client expects.
#[derive(Clone, Copy, Debug)]
pub struct Consumer {
    pub key: ConsumerKey,
    pub peer: PeerId,
    pub ssrc: u32,
    pub rtx: Option<u32>,
}

/// What the worker learns of a downlink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Congestion {
    /// Transport-wide feedback: the worker adapts what it sends.
    Estimated,
    /// Nothing: the worker sends all there is.
    Unknown,
}

/// From one video frame to the next.
pub const FRAME: Duration = Duration::from_millis(40);

/// Called around every entry into the worker, with true before it and false after it.
pub type Probe = fn(bool);

pub struct World {
    /// The call's home.
    pub worker: Worker,
    pub router: RouterKey,
    /// Where clients that come from now on are served, those who send and those who receive.
    pub senders: Site,
    pub viewers: Site,
    /// Batches stay where they are.
    pub pipes_are_jammed: bool,
    annex: Option<Annex>,
    specs: Vec<(ProducerKey, Site, ProducerSpec)>,
    pub start: Instant,
    pub now: Instant,
    pub peers: Vec<Peer>,
    pub events: Vec<(Instant, Event)>,
    /// Datagrams the worker sent to addresses where no client is.
    pub lost_transmits: u64,
    pub probe: Probe,
    /// Whether datagrams that arrive together are handed over as a burst.
    pub bursts: bool,
    in_burst: bool,
    train_padding: TrainPadding,
    /// Every datagram the worker sent since it was last taken, where a test wants them.
    pub wire: Option<Vec<(SocketAddr, Vec<u8>)>>,
    certificate: Certificate,
    ufrags: u32,
    ssrcs: u32,
    streams: u8,
}

impl World {
    /// A worker with one router and nobody in it.
    pub fn new() -> Self {
        Self::with_padding(TrainPadding::On)
    }

    /// The same with a choice about padding.
    pub fn with_padding(train_padding: TrainPadding) -> Self {
        let start = Instant::now();
        let certificate = Certificate::generate().expect("the machine has randomness");
        let mut worker = Worker::new(start, config(&certificate, 7, train_padding));
        let Reply::Router(router) = worker.handle_command(start, Command::CreateRouter) else {
            panic!("a router is created")
        };
        Self {
            worker,
            router,
            senders: Site::Home,
            viewers: annex::VIEWERS,
            pipes_are_jammed: false,
            annex: None,
            specs: Vec::new(),
            start,
            now: start,
            peers: Vec::new(),
            events: Vec::new(),
            lost_transmits: 0,
            probe: |_| {},
            bursts: true,
            in_burst: false,
            train_padding,
            wire: None,
            certificate,
            ufrags: 0,
            ssrcs: 1_000,
            streams: 0,
        }
    }

    /// Milliseconds since the start.
    pub fn ms(&self, at: Instant) -> u64 {
        (at - self.start).as_millis() as u64
    }

    pub fn command(&mut self, command: Command) -> Reply {
        let site = self.site_of(&command);
        self.command_at(site, command)
    }

    /// Sends a command that must answer [`Reply::Done`].
    pub fn done(&mut self, command: Command) {
        let reply = self.command(command);
        assert!(matches!(reply, Reply::Done), "{reply:?}");
    }

    /// A client that will produce, connected as far as signalling goes.
    pub fn sender(&mut self) -> PeerId {
        self.peer(
            PeerOptions {
                side: Side::Sends,
                transport_cc: true,
            },
            DtlsRole::Client,
        )
    }

    /// A client that will consume, connected as far as signalling goes.
    pub fn receiver(&mut self) -> PeerId {
        self.peer(
            PeerOptions {
                side: Side::Receives,
                transport_cc: true,
            },
            DtlsRole::Client,
        )
    }

    /// A client whose DTLS role is `role`.
    pub fn peer(&mut self, options: PeerOptions, role: DtlsRole) -> PeerId {
        let site = match options.side {
            Side::Sends => self.senders,
            Side::Receives => self.viewers,
        };
        let id = PeerId(self.peers.len());
        let address = SocketAddr::new(Ipv4Addr::new(198, 51, 100, 1 + id.0 as u8).into(), 50_000);
        let mut peer = Peer::new(self.now, options, address, SERVER, 11 + id.0 as u64);
        let ice = self.new_credentials();
        let direction = match options.side {
            Side::Sends => Direction::Receive,
            Side::Receives => Direction::Send,
        };
        let spec = TransportSpec {
            direction,
            ice: clone(&ice),
            initial_outgoing_bitrate: Bitrate(1_000_000),
            max_incoming_bitrate: Bitrate(2_500_000),
        };
        let router = self.router_at(site);
        let Reply::Transport(transport) = self.command_at(site, Command::CreateTransport { router, spec })
        else {
            panic!("a transport is created")
        };
        peer.transport = transport;
        peer.site = site;
        let mut direct = peer.rtc.direct_api();
        direct.set_ice_controlling(true);
        direct.set_remote_ice_credentials(str0m::IceCreds {
            ufrag: ice.ufrag,
            pass: ice.pwd,
        });
        let ours = self.certificate.fingerprint();
        direct.set_remote_fingerprint(str0m::crypto::Fingerprint {
            hash_func: "sha-256".to_owned(),
            bytes: ours.bytes().to_vec(),
        });
        let theirs = direct.local_dtls_fingerprint().clone();
        direct.start_dtls(role != DtlsRole::Server).expect("DTLS starts");
        let value: Vec<_> = theirs.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let fingerprint =
            Fingerprint::parse(&theirs.hash_func, &value.join(":")).expect("str0m names SHA-256");
        self.peers.push(peer);
        let spec = ConnectSpec {
            dtls: RemoteDtls {
                role,
                fingerprints: vec![fingerprint],
            },
        };
        self.done(Command::ConnectTransport { transport, spec });
        id
    }

    /// New ICE credentials of this side, with a ufrag of their own.
    pub fn new_credentials(&mut self) -> IceCredentials {
        self.ufrags += 1;
        IceCredentials {
            ufrag: format!("user{:04}", self.ufrags),
            pwd: format!("password{:024}", self.ufrags),
        }
    }

    /// Restarts ICE of a client with new credentials on both sides.
    pub fn restart_ice(&mut self, id: PeerId) {
        let ice = self.new_credentials();
        let transport = self.peers[id.0].transport;
        self.done(Command::RestartIce {
            transport,
            ice: clone(&ice),
        });
        let mut direct = self.peers[id.0].rtc.direct_api();
        direct.set_remote_ice_credentials(str0m::IceCreds {
            ufrag: ice.ufrag,
            pass: ice.pwd,
        });
    }

    /// Produces a microphone whose level is in -dBov.
    pub fn microphone(&mut self, id: PeerId, level: u8) -> ProducerKey {
        let (ssrc, _) = self.new_ssrcs();
        let source = Source::new(
            self.new_stream(),
            Kind::Audio { level },
            Duration::from_millis(20),
        );
        let mid = self.new_mid(id);
        let peer = &mut self.peers[id.0];
        peer.add_track(self.now, source, mid, None, (ssrc, None));
        let codec = ProducerCodec {
            codec: CodecKind::Opus,
            clock_rate: 48_000,
            payload_type: PayloadType(peer::SENT_OPUS),
            mapped_payload_type: PayloadType(peer::ROUTER_OPUS),
            rtx_payload_type: None,
            nack: false,
            pli: false,
            fir: false,
        };
        let encoding = ProducerEncoding {
            ssrc: Some(Ssrc(ssrc)),
            rtx_ssrc: None,
            rid: None,
            spatial_layers: 1,
            temporal_layers: 1,
        };
        let spec = ProducerSpec {
            kind: MediaKind::Audio,
            source: MediaSource::Microphone,
            mid: rtp::Mid::new(mid.to_string().as_bytes()),
            codecs: vec![codec],
            extensions: sender_extensions(),
            encodings: vec![encoding],
            scalability: Scalability::Simple,
            paused: false,
        };
        self.produce(id, spec)
    }

    /// Produces a camera.
    pub fn camera(&mut self, id: PeerId, camera: Camera) -> ProducerKey {
        self.video(id, MediaSource::Camera, camera)
    }

    /// Produces a picture that is `shown`.
    pub fn video(&mut self, id: PeerId, shown: MediaSource, camera: Camera) -> ProducerKey {
        let mid = self.new_mid(id);
        let mut encodings = Vec::new();
        for layer in 0..camera.layers {
            let (ssrc, rtx) = self.new_ssrcs();
            let rtx = camera.rtx.then_some(rtx);
            // Each layer has twice the packets of the one below.
            let packets = camera.packets_per_frame << layer;
            let kind = Kind::Video {
                packets,
                temporal_layers: camera.temporal_layers,
            };
            let source = Source::new(self.new_stream(), kind, FRAME);
            let rid = (camera.layers > 1).then(|| format!("r{layer}"));
            let name = rid.as_deref().map(Rid::from);
            self.peers[id.0].add_track(self.now, source, mid, name, (ssrc, rtx));
            let announced = rid.is_none();
            encodings.push(ProducerEncoding {
                ssrc: announced.then_some(Ssrc(ssrc)),
                rtx_ssrc: rtx.filter(|_| announced).map(Ssrc),
                rid: rid.and_then(|rid| rtp::Rid::new(rid.as_bytes())),
                spatial_layers: 1,
                temporal_layers: camera.temporal_layers,
            });
        }
        let codec = ProducerCodec {
            codec: CodecKind::Vp8,
            clock_rate: 90_000,
            payload_type: PayloadType(peer::SENT_VP8),
            mapped_payload_type: PayloadType(peer::ROUTER_VP8),
            rtx_payload_type: camera.rtx.then_some(PayloadType(peer::SENT_VP8_RTX)),
            // str0m answers only on a retransmission stream.
            nack: camera.rtx,
            pli: true,
            fir: true,
        };
        let scalability = if camera.layers > 1 || camera.temporal_layers > 1 {
            Scalability::Simulcast
        } else {
            Scalability::Simple
        };
        let spec = ProducerSpec {
            kind: MediaKind::Video,
            source: shown,
            mid: rtp::Mid::new(mid.to_string().as_bytes()),
            codecs: vec![codec],
            extensions: sender_extensions(),
            encodings,
            scalability,
            paused: false,
        };
        self.produce(id, spec)
    }

    fn produce(&mut self, id: PeerId, spec: ProducerSpec) -> ProducerKey {
        let (transport, site) = (self.peers[id.0].transport, self.peers[id.0].site);
        let command = Command::Produce {
            transport,
            spec: spec.clone(),
        };
        match self.command_at(site, command) {
            Reply::Producer(producer) => {
                self.specs.push((producer, site, spec));
                producer
            }
            reply => panic!("{reply:?}"),
        }
    }

    /// Consumes a producer, paused as the contract wants it.
    pub fn consume(&mut self, id: PeerId, producer: ProducerKey, kind: MediaKind) -> Consumer {
        let (ssrc, rtx_ssrc) = self.new_ssrcs();
        let mid = self.new_mid(id);
        let video = kind == MediaKind::Video;
        let rtx = video.then_some(rtx_ssrc);
        let (media_kind, payload_type) = match kind {
            MediaKind::Audio => (str0m::media::MediaKind::Audio, peer::ROUTER_OPUS),
            MediaKind::Video => (str0m::media::MediaKind::Video, peer::ROUTER_VP8),
        };
        self.peers[id.0].expect(media_kind, mid, ssrc, rtx);
        if video {
            self.peers[id.0].expect_probes();
        }
        let spec = ConsumerSpec {
            mid: rtp::Mid::new(mid.to_string().as_bytes()).expect("a short name"),
            ssrc: Ssrc(ssrc),
            rtx: rtx.map(|ssrc| RtxSpec {
                ssrc: Ssrc(ssrc),
                payload_type: PayloadType(peer::ROUTER_VP8_RTX),
            }),
            payload_type: PayloadType(payload_type),
            cname: "participant".to_owned(),
            extensions: router_extensions(),
            nack: video,
            paused: true,
            preferred: None,
        };
        let (transport, site) = (self.peers[id.0].transport, self.peers[id.0].site);
        let producer = self.twin(producer, site);
        let command = Command::Consume {
            transport,
            producer,
            spec,
        };
        match self.command_at(site, command) {
            Reply::Consumer(key) => Consumer {
                key,
                peer: id,
                ssrc,
                rtx,
            },
            reply => panic!("{reply:?}"),
        }
    }

    /// Consumes and resumes at once.
    pub fn watch(&mut self, id: PeerId, producer: ProducerKey, kind: MediaKind) -> Consumer {
        let consumer = self.consume(id, producer, kind);
        self.done(Command::ResumeConsumer(consumer.key));
        consumer
    }

    /// A sender with a camera, a receiver watching it, both connected.
    pub fn one_camera(camera: Camera) -> (Self, PeerId, ProducerKey, Consumer) {
        Self::one_camera_for(camera, Congestion::Estimated)
    }

    /// The same with a receiver whose downlink the worker may or may not estimate.
    pub fn one_camera_for(camera: Camera, downlink: Congestion) -> (Self, PeerId, ProducerKey, Consumer) {
        let mut world = Self::new();
        let transport_cc = downlink == Congestion::Estimated;
        let receives = PeerOptions {
            side: Side::Receives,
            transport_cc,
        };
        let (sender, receiver) = (world.sender(), world.peer(receives, DtlsRole::Client));
        world.connect();
        let producer = world.camera(sender, camera);
        let consumer = world.watch(receiver, producer, MediaKind::Video);
        (world, sender, producer, consumer)
    }

    pub fn transport_stats(&mut self, id: PeerId) -> TransportStats {
        match self.command(Command::TransportStats(self.peers[id.0].transport)) {
            Reply::TransportStats(stats) => *stats,
            reply => panic!("{reply:?}"),
        }
    }

    /// The transport's client.
    pub fn transport(&self, id: PeerId) -> TransportKey {
        self.peers[id.0].transport
    }

    /// Runs until every client is connected; fails after ten seconds.
    pub fn connect(&mut self) {
        let connected = self.run_until(Duration::from_secs(10), |world| {
            world.peers.iter().all(|peer| peer.is_connected)
        });
        assert!(connected, "not connected: {:?}", self.events);
    }

    pub fn run(&mut self, duration: Duration) {
        self.run_until(duration, |_| false);
    }

    /// Runs until `condition` holds; false if it does not within `limit`.
    pub fn run_until(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        let mut at_one_instant = 0;
        while !condition(self) {
            let peers = self.peers.iter().map(Peer::next).min();
            let worker = self.worker_timeout();
            let next = peers.into_iter().chain(worker).min().unwrap_or(end);
            if next >= end {
                self.now = end;
                return condition(self);
            }
            at_one_instant = if next > self.now { 0 } else { at_one_instant + 1 };
            assert!(
                at_one_instant < 10_000,
                "stuck at {} ms: {worker:?}",
                self.ms(self.now)
            );
            self.now = self.now.max(next);
            self.step(worker);
        }
        true
    }

    fn step(&mut self, worker: Option<Instant>) {
        for index in 0..self.peers.len() {
            let arrived = self.peers[index].run(self.now);
            let is_burst = self.bursts;
            let (site, probe) = (self.peers[index].site, self.probe);
            if is_burst {
                probe(true);
                self.worker_at(site).begin_burst();
                probe(false);
                self.in_burst = true;
            }
            for datagram in arrived {
                self.deliver(datagram);
            }
            if is_burst {
                probe(true);
                self.worker_at(site).end_burst();
                probe(false);
                self.in_burst = false;
                self.drain_workers();
            }
        }
        if worker.is_some_and(|at| at <= self.now) {
            let (now, probe) = (self.now, self.probe);
            self.each_worker(|worker| {
                probe(true);
                worker.handle_timeout(now);
                probe(false);
            });
        }
        self.drain_workers();
    }

    /// Hands a datagram to the worker.
    pub fn deliver(&mut self, mut datagram: Datagram) {
        let tuple = FiveTuple {
            protocol: Protocol::Udp,
            local: SERVER,
            remote: datagram.client,
        };
        let (now, probe) = (self.now, self.probe);
        let client = self.peers.iter().find(|peer| peer.address == datagram.client);
        let site = client.map_or(Site::Home, |peer| peer.site);
        let worker = self.worker_at(site);
        probe(true);
        worker.handle_datagram(now, tuple, &mut datagram.bytes);
        probe(false);
        self.drain_workers();
    }

    fn drain_workers(&mut self) {
        self.move_pipes();
        let Self {
            worker,
            annex,
            peers,
            wire,
            ..
        } = self;
        for worker in [worker]
            .into_iter()
            .chain(annex.as_mut().map(|annex| &mut annex.worker))
        {
            for transmit in worker.transmits().iter() {
                let client = transmit.tuple.remote;
                if let Some(wire) = wire {
                    wire.push((client, transmit.bytes.to_vec()));
                }
                assert_eq!(
                    (transmit.tuple.protocol, transmit.tuple.local),
                    (Protocol::Udp, SERVER)
                );
                match peers.iter_mut().find(|peer| peer.address == client) {
                    Some(peer) => {
                        let datagram = Datagram {
                            client,
                            bytes: transmit.bytes.to_vec(),
                        };
                        peer.downlink
                            .handle_input(str0m_netem::Input::Packet(self.now, datagram));
                    }
                    None => self.lost_transmits += 1,
                }
            }
            worker.clear_transmits();
            while let Some(event) = worker.poll_event() {
                self.events.push((self.now, event));
            }
        }
    }

    fn new_ssrcs(&mut self) -> (u32, u32) {
        self.ssrcs += 2;
        (self.ssrcs, self.ssrcs + 1)
    }

    fn new_stream(&mut self) -> u8 {
        self.streams += 1;
        self.streams
    }

    fn new_mid(&mut self, id: PeerId) -> Mid {
        self.ssrcs += 2;
        Mid::from(format!("{}{}", id.0, self.ssrcs % 100).as_str())
    }
}
