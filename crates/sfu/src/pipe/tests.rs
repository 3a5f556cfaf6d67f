//! Two workers, any commands in any order, with keys that are right, wrong or long gone: nothing panics, and nothing is
//! left when the routers are closed.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use link::Certificate;
use link::bwe::Bitrate;
use link::ice::IceCredentials;
use proptest::prelude::*;
use rtp::codec::{CodecKind, FrameInfo};
use rtp::{ExtMap, Mid, PayloadType, RtpTime, SeqNo, Ssrc};

use super::*;
use crate::command::{Command, Reply};
use crate::key::{ConsumerKey, RouterKey, TransportKey};
use crate::spec::{
    ConsumerSpec, Direction, Layers, MediaKind, ProducerCodec, ProducerEncoding, ProducerSpec, RtxSpec,
    Scalability, Source, TrainPadding, TransportSpec, WorkerConfig,
};
use crate::worker::Worker;

fn certificate() -> Certificate {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    CERTIFICATE
        .get_or_init(|| Certificate::generate().expect("randomness"))
        .clone()
}

fn spec(kind: MediaKind, number: u32) -> ProducerSpec {
    let codec = match kind {
        MediaKind::Audio => CodecKind::Opus,
        MediaKind::Video => CodecKind::Vp8,
    };
    let encoding = |index| ProducerEncoding {
        ssrc: Some(Ssrc(number * 10 + index)),
        rtx_ssrc: None,
        rid: None,
        spatial_layers: 1,
        temporal_layers: 1,
    };
    let layers = if kind == MediaKind::Video { 3 } else { 1 };
    ProducerSpec {
        kind,
        source: Source::Camera,
        mid: None,
        codecs: vec![ProducerCodec {
            codec,
            clock_rate: 90_000,
            payload_type: PayloadType(96),
            mapped_payload_type: PayloadType(96),
            rtx_payload_type: None,
            nack: true,
            pli: true,
            fir: false,
        }],
        extensions: ExtMap::new(),
        encodings: (0..layers).map(encoding).collect(),
        scalability: if layers > 1 {
            Scalability::Simulcast
        } else {
            Scalability::Simple
        },
        paused: number.is_multiple_of(5),
    }
}

/// One worker with the keys it ever gave out, alive or not.
struct Side {
    worker: Worker,
    routers: Vec<RouterKey>,
    transports: Vec<TransportKey>,
    producers: Vec<(ProducerKey, MediaKind)>,
    consumers: Vec<ConsumerKey>,
}

struct Pair {
    now: Instant,
    sides: [Side; 2],
    count: u32,
}

fn pick<T: Copy>(all: &[T], choice: u8) -> Option<T> {
    all.get(usize::from(choice) % all.len().max(1)).copied()
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let side = |seed| Side {
            worker: Worker::new(
                now,
                WorkerConfig {
                    certificate: certificate(),
                    seed,
                    extensions: ExtMap::new(),
                    consent_timeout: Duration::from_secs(30),
                    train_padding: TrainPadding::On,
                },
            ),
            routers: Vec::new(),
            transports: Vec::new(),
            producers: Vec::new(),
            consumers: Vec::new(),
        };
        Self {
            now,
            sides: [side(1), side(2)],
            count: 0,
        }
    }

    fn command(&mut self, side: usize, command: Command) -> Reply {
        self.sides[side].worker.handle_command(self.now, command)
    }

    fn operate(&mut self, [what, who, choice, other]: [u8; 4]) {
        let side = usize::from(who & 1);
        let own = &self.sides[side];
        let (router, transport) = (pick(&own.routers, choice), pick(&own.transports, choice));
        let (producer, consumer) = (pick(&own.producers, other), pick(&own.consumers, other));
        self.count += 1;
        match (what % 18, router, transport, producer, consumer) {
            (0, ..) => {
                let command = if choice & 1 == 0 {
                    Command::CreateRouter
                } else {
                    Command::CreateBranch
                };
                if let Reply::Router(key) = self.command(side, command) {
                    self.sides[side].routers.push(key);
                }
            }
            (1 | 2, Some(router), ..) => self.open_transport(side, router, other),
            (3 | 4, _, Some(transport), ..) => self.produce(side, transport, other),
            (5..=7, _, _, Some((producer, kind)), _) => self.pipe(side, producer, kind, choice),
            (8 | 9, _, Some(transport), Some((producer, kind)), _) => {
                self.consume(side, transport, producer, kind);
            }
            (10, _, _, Some((producer, _)), _) => drop(self.command(side, Command::PauseProducer(producer))),
            (11, _, _, Some((producer, _)), _) => drop(self.command(side, Command::ResumeProducer(producer))),
            (12, _, _, Some((producer, _)), _) => drop(self.command(side, Command::CloseProducer(producer))),
            (13, .., Some(consumer)) => drop(self.command(side, Command::ResumeConsumer(consumer))),
            (14, .., Some(consumer)) => {
                let layers = Layers {
                    spatial: choice & 3,
                    temporal: 0,
                };
                self.command(side, Command::SetPreferredLayers { consumer, layers });
            }
            (15, _, Some(transport), ..) if choice & 3 == 0 => {
                drop(self.command(side, Command::CloseTransport(transport)));
            }
            (16, Some(router), ..) if choice & 7 == 0 => {
                drop(self.command(side, Command::CloseRouter(router)))
            }
            (17, ..) if choice & 7 == 0 => {
                self.command(side, Command::ForgetPeer(PeerId(u64::from(other & 1))));
            }
            (16 | 17, _, _, Some((producer, kind)), _) => self.feed(side, producer, kind, [choice, other]),
            _ => self.now += Duration::from_millis(u64::from(choice) * 4),
        }
    }

    fn open_transport(&mut self, side: usize, router: RouterKey, choice: u8) {
        let spec = TransportSpec {
            direction: if choice & 1 == 0 {
                Direction::Receive
            } else {
                Direction::Send
            },
            ice: IceCredentials {
                ufrag: format!("ufrag{}", self.count),
                pwd: format!("password of {:>16}", self.count),
            },
            initial_outgoing_bitrate: Bitrate(1_000_000),
            max_incoming_bitrate: Bitrate(1_000_000),
        };
        if let Reply::Transport(key) = self.command(side, Command::CreateTransport { router, spec }) {
            self.sides[side].transports.push(key);
        }
    }

    fn produce(&mut self, side: usize, transport: TransportKey, choice: u8) {
        let kind = if choice & 1 == 0 {
            MediaKind::Audio
        } else {
            MediaKind::Video
        };
        let spec = spec(kind, self.count);
        if let Reply::Producer(key) = self.command(side, Command::Produce { transport, spec }) {
            self.sides[side].producers.push((key, kind));
        }
    }

    /// Opens a twin and a pipe to it; the original may be gone, or itself a twin.
    fn pipe(&mut self, from: usize, producer: ProducerKey, kind: MediaKind, choice: u8) {
        let to = 1 - from;
        let Some(router) = pick(&self.sides[to].routers, choice) else {
            return;
        };
        let command = Command::ProducePiped {
            router,
            from: PeerId(from as u64),
            source: RemoteProducer(producer),
            spec: spec(kind, self.count),
        };
        let Reply::Producer(twin) = self.command(to, command) else {
            return;
        };
        self.sides[to].producers.push((twin, kind));
        let command = Command::OpenPipe {
            producer,
            to: PeerId(to as u64),
            twin: RemoteProducer(twin),
        };
        if let Reply::Failed(_) = self.command(from, command) {
            self.command(to, Command::CloseProducer(twin));
        }
    }

    fn consume(&mut self, side: usize, transport: TransportKey, producer: ProducerKey, kind: MediaKind) {
        let ssrc = 1_000_000 + 2 * self.count;
        let rtx = (kind == MediaKind::Video).then_some(RtxSpec {
            ssrc: Ssrc(ssrc + 1),
            payload_type: PayloadType(97),
        });
        let spec = ConsumerSpec {
            mid: Mid::new(b"0").expect("short"),
            ssrc: Ssrc(ssrc),
            rtx,
            payload_type: PayloadType(96),
            cname: "twin".to_owned(),
            extensions: ExtMap::new(),
            nack: true,
            paused: false,
            preferred: None,
        };
        let command = Command::Consume {
            transport,
            producer,
            spec,
        };
        if let Reply::Consumer(key) = self.command(side, command) {
            self.sides[side].consumers.push(key);
        }
    }

    /// A packet as the other worker would pipe it, with any numbers.
    fn feed(&mut self, side: usize, producer: ProducerKey, kind: MediaKind, [one, other]: [u8; 2]) {
        let packet = PipedPacket {
            to: RemoteProducer(producer),
            encoding: one % 5,
            ssrc: Ssrc(u32::from(one & 1)),
            sequence: SeqNo(70_000 + u64::from(one) * u64::from(other)),
            time: RtpTime(u64::from(self.count) * 3_000),
            frame: FrameInfo {
                key: other & 1 == 0,
                start: true,
                spatial: one >> 5,
                temporal: other >> 5,
                ..FrameInfo::default()
            },
            continuity: match other & 6 {
                0 => Continuity::Restarted,
                2 => Continuity::AfterGap,
                _ => Continuity::Unbroken,
            },
        };
        let mut batch = PipeBatch::default();
        let bytes = vec![0x90; if one & 7 == 7 { 0 } else { 60 + usize::from(other) }];
        batch.push_packet(kind, packet, &bytes);
        let peer = PeerId(1 - side as u64);
        for piped in batch.iter() {
            self.sides[side].worker.handle_piped(self.now, peer, piped);
        }
    }

    /// Moves batches until there are none.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "the workers talk without end");
            let mut moved = false;
            for from in 0..2 {
                let batches: Vec<(PeerId, PipeBatch)> = self.sides[from]
                    .worker
                    .pipes()
                    .map(|(peer, batch)| (peer, std::mem::take(batch)))
                    .collect();
                for (peer, batch) in batches {
                    moved = true;
                    let to = &mut self.sides[usize::from(peer.0 == 1)].worker;
                    for piped in batch.iter() {
                        to.handle_piped(self.now, PeerId(from as u64), piped);
                    }
                }
            }
            for side in &mut self.sides {
                side.worker.clear_transmits();
                while side.worker.poll_event().is_some() {}
            }
            if !moved {
                return;
            }
        }
    }

    /// Every tap leads to a twin and every twin to a tap, unless one of the workers forgot the other.
    fn close(mut self) {
        for side in 0..2 {
            for router in self.sides[side].routers.clone() {
                self.command(side, Command::CloseRouter(router));
            }
        }
        self.settle();
        for side in &mut self.sides {
            let worker = &side.worker;
            let left = worker.routers.len()
                + worker.transports.len()
                + worker.producers.len()
                + worker.consumers.len();
            assert_eq!(left, 0, "something outlived its router");
            assert_eq!(side.worker.pipes().count(), 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_commands_on_two_workers_leave_nothing_behind(
        operations in prop::collection::vec(any::<[u8; 4]>(), 0..300),
        settle_every in 1_usize..20,
    ) {
        let mut pair = Pair::new();
        for side in 0..2 {
            pair.operate([0, side, 0, 0]);
            pair.operate([1, side, 0, 0]);
            pair.operate([1, side, 0, 1]);
        }
        for (index, operation) in operations.into_iter().enumerate() {
            pair.operate(operation);
            if index % settle_every == 0 {
                pair.settle();
            }
        }
        pair.settle();
        pair.close();
    }
}

/// Without anybody forgetting anybody, taps and twins stay each other's.
#[test]
fn taps_and_twins_go_together() {
    let mut pair = Pair::new();
    for side in 0..2 {
        pair.operate([0, side, 0, 0]);
        pair.operate([1, side, 0, 0]);
    }
    pair.operate([3, 0, 0, 1]);
    let (producer, kind) = pair.sides[0].producers[0];
    pair.pipe(0, producer, kind, 0);
    pair.pipe(0, producer, kind, 0);
    pair.settle();
    let taps = |pair: &Pair| {
        let producer = pair.sides[0].worker.producers.get(producer);
        producer.map(|own| own.taps.len())
    };
    assert_eq!(taps(&pair), Some(2));
    let (twin, _) = pair.sides[1].producers[0];
    pair.command(1, Command::CloseProducer(twin));
    pair.settle();
    assert_eq!(taps(&pair), Some(1), "the other twin keeps its tap");
    let pipe_of_twin = Command::OpenPipe {
        producer: pair.sides[1].producers[1].0,
        to: PeerId(0),
        twin: RemoteProducer(producer),
    };
    assert!(
        matches!(pair.command(1, pipe_of_twin), Reply::Failed(_)),
        "one step is enough"
    );
    pair.command(0, Command::CloseProducer(producer));
    pair.settle();
    assert_eq!(pair.sides[1].worker.producers.len(), 0);
}

/// A camera of one layer on side 0 with a twin on side 1 that somebody watches.
fn watched() -> (Pair, ProducerKey, ProducerKey) {
    let mut pair = Pair::new();
    for side in 0..2 {
        for operation in [[0, side, 0, 0], [1, side, 0, 0], [1, side, 0, 1]] {
            pair.operate(operation);
        }
    }
    let camera = spec(MediaKind::Video, 7);
    let camera = ProducerSpec {
        scalability: Scalability::Simple,
        encodings: camera.encodings[..1].to_vec(),
        ..camera
    };
    let command = Command::Produce {
        transport: pair.sides[0].transports[0],
        spec: camera.clone(),
    };
    let Reply::Producer(producer) = pair.command(0, command) else {
        panic!("a producer")
    };
    let command = Command::ProducePiped {
        router: pair.sides[1].routers[0],
        from: PeerId(0),
        source: RemoteProducer(producer),
        spec: camera,
    };
    let Reply::Producer(twin) = pair.command(1, command) else {
        panic!("a twin")
    };
    let command = Command::OpenPipe {
        producer,
        to: PeerId(1),
        twin: RemoteProducer(twin),
    };
    assert!(matches!(pair.command(0, command), Reply::Done));
    let transport = pair.sides[1].transports[1];
    pair.consume(1, transport, twin, MediaKind::Video);
    (pair, producer, twin)
}

impl Pair {
    /// Moves batches once each way, twice; how many wishes for a key frame crossed.
    fn wishes(&mut self) -> usize {
        let mut wishes = 0;
        for from in [0, 1, 0, 1] {
            let pipes = self.sides[from].worker.pipes();
            let batches: Vec<PipeBatch> = pipes.map(|(_, batch)| std::mem::take(batch)).collect();
            for piped in batches.iter().flat_map(PipeBatch::iter) {
                wishes += usize::from(format!("{piped:?}").contains("KeyFrame"));
                let to = &mut self.sides[1 - from].worker;
                to.handle_piped(self.now, PeerId(from as u64), piped);
            }
        }
        wishes
    }

    /// A packet of a camera as its worker pipes it.
    fn pipe_camera(&mut self, twin: ProducerKey, number: u64, continuity: Continuity) {
        let packet = PipedPacket {
            to: RemoteProducer(twin),
            encoding: 0,
            ssrc: Ssrc(70),
            sequence: SeqNo(70_000 + number),
            time: RtpTime(number * 3_000),
            frame: FrameInfo::default(),
            continuity,
        };
        let mut bytes = [0_u8; 100];
        bytes[0] = 0x90;
        // Orientation extension of a turned telephone where an audio packet tells its level.
        bytes[27] = 0x10;
        bytes[28] = 1;
        let mut batch = PipeBatch::default();
        assert!(batch.push_packet(MediaKind::Video, packet, &bytes));
        for piped in batch.iter() {
            self.sides[1].worker.handle_piped(self.now, PeerId(0), piped);
        }
    }
}

/// Workers number their producers themselves, so twins on two of them may have one key.
#[test]
fn a_twin_that_leaves_takes_no_other_workers_tap() {
    let (mut pair, producer, twin) = watched();
    let command = Command::OpenPipe {
        producer,
        to: PeerId(2),
        twin: RemoteProducer(twin),
    };
    assert!(matches!(pair.command(0, command), Reply::Done));
    pair.command(1, Command::CloseProducer(twin));
    pair.wishes();
    let taps = &pair.sides[0].worker.producers[producer].taps;
    assert_eq!(taps.len(), 1);
    assert_eq!(Some(taps[0].lane), pair.sides[0].worker.lanes.find(PeerId(2)));
}

#[test]
fn a_wish_from_before_a_pause_is_made_again_after_it() {
    let (mut pair, producer, _) = watched();
    assert!(pair.wishes() > 0);
    pair.now += Duration::from_millis(100);
    pair.command(0, Command::PauseProducer(producer));
    assert_eq!(pair.wishes(), 0);
    pair.now += Duration::from_millis(100);
    pair.command(0, Command::ResumeProducer(producer));
    assert!(pair.wishes() > 0);
}

#[test]
fn a_key_frame_that_the_pipe_dropped_is_wished_for_again() {
    let (mut pair, _, twin) = watched();
    pair.wishes();
    pair.pipe_camera(twin, 0, Continuity::Unbroken);
    assert!(pair.wishes() > 0);
    pair.now += Duration::from_millis(200);
    pair.pipe_camera(twin, 1, Continuity::Unbroken);
    assert_eq!(pair.wishes(), 0, "one is on its way");
    pair.pipe_camera(twin, 30, Continuity::AfterGap);
    assert_eq!(pair.wishes(), 1, "what it brought may be lost");
}

#[test]
fn a_turned_camera_does_not_speak() {
    let (mut pair, _, twin) = watched();
    for number in 0..20 {
        pair.now += Duration::from_millis(33);
        pair.pipe_camera(twin, number, Continuity::Unbroken);
        pair.sides[1].worker.handle_timeout(pair.now);
    }
    while let Some(event) = pair.sides[1].worker.poll_event() {
        assert!(!format!("{event:?}").contains("ActiveSpeaker"), "{event:?}");
    }
}

#[test]
fn padding_follows_a_camera_that_began_anew_with_an_older_clock() {
    let (mut pair, _, twin) = watched();
    let pad =
        |pair: &mut Pair, time| pair.sides[1].worker.producers[twin].pad(0, RtpTime(time), 1_001, false);
    assert_eq!(pad(&mut pair, 3_000_000_000), 3);
    assert_eq!(pad(&mut pair, 1_000_000_000), 0, "a late packet");
    pair.pipe_camera(twin, 1, Continuity::Restarted);
    assert_eq!(pad(&mut pair, 1_000_000_000), 3);
}
