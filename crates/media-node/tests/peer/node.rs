//! A worker thread as the control plane holds it, and peers joined to it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use link::bwe::Bitrate;
use link::ice::IceCredentials;
use link::{Certificate, DtlsRole, Protocol};
use media_node::worker::{
    NoticeSink, SendPath, WorkerHandle, WorkerNotice, WorkerOptions, WorkerThreadConfig, bind_ports,
    spawn_with,
};
use rtp::codec::CodecKind;
use rtp::ext::{ExtKind, ExtMap};
use rtp::{Mid, PayloadType, Ssrc};
use sfu::command::{Command, Reply};
use sfu::event::Event;
use sfu::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use sfu::spec::{
    ConnectSpec, ConsumerSpec, Direction, MediaKind, ProducerCodec, ProducerEncoding, ProducerSpec,
    Scalability, Source, TrainPadding, TransportSpec, WorkerConfig,
};

use super::Peer;
use super::rtp::{LEVEL_ID, OPUS, TWCC_ID, VP8};

/// Nothing on loopback takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Payload types consumers receive; others than producers send.
pub(crate) const ROUTER_OPUS: u8 = 100;
pub(crate) const ROUTER_VP8: u8 = 101;

/// A worker thread with one router.
pub(crate) struct Node {
    pub(crate) handle: WorkerHandle,
    pub(crate) router: RouterKey,
    notices: Receiver<(usize, WorkerNotice)>,
    /// What the worker told so far.
    pub(crate) told: Vec<WorkerNotice>,
    next_ssrc: u32,
}

/// A peer with its transport's key.
pub(crate) struct Joined {
    pub(crate) peer: Peer,
    pub(crate) transport: TransportKey,
}

/// Header extensions, one map for all sides.
fn extensions(kind: MediaKind) -> ExtMap {
    let mut map = ExtMap::new();
    match kind {
        MediaKind::Audio => map.set(ExtKind::AudioLevel, LEVEL_ID),
        MediaKind::Video => map.set(ExtKind::TransportSequence, TWCC_ID),
    }
    map
}

impl Node {
    pub(crate) fn start(send_path: SendPath) -> Self {
        let bound = bind_ports(IpAddr::V4(Ipv4Addr::LOCALHOST), 0..=0, 1, true).expect("ports are free");
        let ports = bound.into_iter().next().expect("one worker");
        let mut offered = ExtMap::new();
        offered.set(ExtKind::AudioLevel, LEVEL_ID);
        offered.set(ExtKind::TransportSequence, TWCC_ID);
        let worker = WorkerConfig {
            certificate: Certificate::generate().expect("randomness"),
            seed: 7,
            extensions: offered,
            consent_timeout: Duration::from_secs(30),
            train_padding: TrainPadding::On,
        };
        let (notice, notices) = crossbeam_channel::unbounded();
        let sink: NoticeSink = Box::new(move |index, told| {
            // The test may be over.
            let _ = notice.send((index, told));
        });
        let config = WorkerThreadConfig {
            index: 0,
            udp: ports.udp,
            tcp: ports.tcp,
            worker,
        };
        let options = WorkerOptions {
            send_path,
            ..WorkerOptions::default()
        };
        let handle = spawn_with(config, options, sink).expect("starts");
        let Ok(Reply::Router(router)) = handle.call_and_wait(Command::CreateRouter) else {
            panic!("a router")
        };
        Self {
            handle,
            router,
            notices,
            told: Vec::new(),
            next_ssrc: 1_000_000,
        }
    }

    pub(crate) fn done(&self, command: Command) {
        match self.handle.call_and_wait(command) {
            Ok(Reply::Done) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Opens a transport and a peer that is about to connect to it.
    pub(crate) fn invite(&mut self, direction: Direction, protocol: Protocol, role: DtlsRole) -> Joined {
        let ice = IceCredentials::generate().expect("randomness");
        let spec = TransportSpec {
            direction,
            ice: ice.clone(),
            // Bandwidth is not what these tests are about.
            initial_outgoing_bitrate: Bitrate(1_000_000_000),
            max_incoming_bitrate: Bitrate(1_000_000_000),
        };
        let command = Command::CreateTransport {
            router: self.router,
            spec,
        };
        let Ok(Reply::Transport(transport)) = self.handle.call_and_wait(command) else {
            panic!("a transport")
        };
        let addresses = self.handle.addresses();
        let address = match protocol {
            Protocol::Udp => addresses.udp,
            Protocol::Tcp => addresses.tcp.expect("listens"),
        };
        let peer = Peer::new(protocol, address, &ice, role);
        let spec = ConnectSpec {
            dtls: peer.parameters(),
        };
        self.done(Command::ConnectTransport { transport, spec });
        Joined { peer, transport }
    }

    /// Opens a transport and waits until media can flow on it.
    pub(crate) fn join(&mut self, direction: Direction, protocol: Protocol) -> Joined {
        let mut joined = self.invite(direction, protocol, DtlsRole::Client);
        self.settle(&mut [&mut joined]);
        joined
    }

    /// Waits until media can flow on the transports of all of `invited`.
    pub(crate) fn settle(&mut self, invited: &mut [&mut Joined]) {
        let transports: Vec<TransportKey> = invited.iter().map(|joined| joined.transport).collect();
        let mut peers: Vec<&mut Peer> = invited.iter_mut().map(|joined| &mut joined.peer).collect();
        self.drive(&mut peers, |peers| peers.iter().all(|peer| peer.is_connected()));
        // The peer nominates when it pleases, after the handshake may have ended.
        let selected = |told: &[WorkerNotice], key: TransportKey| {
            let of_key = |notice: &WorkerNotice| matches!(notice, WorkerNotice::Event(Event::Selected { transport, .. }) if *transport == key);
            told.iter().any(of_key)
        };
        let give_up = Instant::now() + PATIENCE;
        while !transports.iter().all(|key| selected(&self.told, *key)) {
            assert!(Instant::now() < give_up, "no path was nominated: {:?}", self.told);
            let a_little = Instant::now() + Duration::from_millis(5);
            self.drive(&mut peers, |_| Instant::now() >= a_little);
        }
    }

    /// Runs peers until `done`; panics when it takes too long.
    pub(crate) fn drive(&mut self, peers: &mut [&mut Peer], mut done: impl FnMut(&mut [&mut Peer]) -> bool) {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let now = Instant::now();
            for peer in &mut *peers {
                peer.turn(now);
            }
            if done(peers) {
                return;
            }
            assert!(
                now < give_up,
                "did not happen in {PATIENCE:?}; told: {:?}; {:?}; {:?}",
                self.told,
                self.handle.call_and_wait(Command::Stats),
                self.handle.io_counters()
            );
            self.listen(Duration::from_millis(1));
        }
    }

    /// Takes notices, waiting for one at most `patience`.
    pub(crate) fn listen(&mut self, patience: Duration) {
        self.told
            .extend(self.notices.recv_timeout(patience).ok().map(|(_, notice)| notice));
        self.told
            .extend(self.notices.try_iter().map(|(_, notice)| notice));
    }

    /// Whether the worker told of `event`.
    pub(crate) fn was_told(&self, event: &Event) -> bool {
        self.told
            .iter()
            .any(|notice| matches!(notice, WorkerNotice::Event(told) if told == event))
    }

    /// Opens a producer with the given SSRC.
    pub(crate) fn produce(&self, transport: TransportKey, kind: MediaKind, ssrc: u32) -> ProducerKey {
        let (codec, clock_rate, payload_type, mapped, source) = match kind {
            MediaKind::Audio => (CodecKind::Opus, 48_000, OPUS, ROUTER_OPUS, Source::Microphone),
            MediaKind::Video => (CodecKind::Vp8, 90_000, VP8, ROUTER_VP8, Source::Camera),
        };
        let video = kind == MediaKind::Video;
        let codec = ProducerCodec {
            codec,
            clock_rate,
            payload_type: PayloadType(payload_type),
            mapped_payload_type: PayloadType(mapped),
            rtx_payload_type: None,
            nack: video,
            pli: video,
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
            kind,
            source,
            mid: None,
            codecs: vec![codec],
            extensions: extensions(kind),
            encodings: vec![encoding],
            scalability: Scalability::Simple,
            paused: false,
        };
        match self.handle.call_and_wait(Command::Produce { transport, spec }) {
            Ok(Reply::Producer(producer)) => producer,
            other => panic!("{other:?}"),
        }
    }

    /// Opens a consumer and lets it flow; its key and SSRC.
    pub(crate) fn consume(
        &mut self,
        transport: TransportKey,
        producer: ProducerKey,
        kind: MediaKind,
    ) -> (ConsumerKey, u32) {
        let ssrc = self.next_ssrc;
        self.next_ssrc += 1;
        let video = kind == MediaKind::Video;
        let spec = ConsumerSpec {
            mid: Mid::new(ssrc.to_string().as_bytes()).expect("short"),
            ssrc: Ssrc(ssrc),
            rtx: None,
            payload_type: PayloadType(if video { ROUTER_VP8 } else { ROUTER_OPUS }),
            cname: "producer".into(),
            extensions: extensions(kind),
            nack: video,
            paused: true,
            preferred: None,
        };
        let reply = self.handle.call_and_wait(Command::Consume {
            transport,
            producer,
            spec,
        });
        let Ok(Reply::Consumer(consumer)) = reply else {
            panic!("{reply:?}")
        };
        self.done(Command::ResumeConsumer(consumer));
        (consumer, ssrc)
    }
}
