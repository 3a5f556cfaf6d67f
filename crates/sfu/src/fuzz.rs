//! Bodies of the fuzz targets, compiled with the crate so that they cannot rot. Each takes arbitrary bytes and panics
//! when something that must hold does not.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use link::bwe::Bitrate;
use link::ice::IceCredentials;
use link::ice::stun::{Class, IntegrityKey, Role, TransactionId, Writer};
use link::{Certificate, DtlsRole, FiveTuple, Link, LinkConfig, Protocol, RemoteDtls, SRTP_OVERHEAD};
use rtp::codec::CodecKind;
use rtp::ext::{ExtKind, ExtMap};
use rtp::{Mid, PayloadType, Rid, SeqNo, Ssrc};

use crate::command::{Command, Reply};
use crate::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use crate::spec::{
    ConnectSpec, ConsumerSpec, Direction, Layers, MediaKind, ProducerCodec, ProducerEncoding, ProducerSpec,
    RtxSpec, Scalability, Source, TrainPadding, TransportSpec, WorkerConfig,
};
use crate::store::PacketStore;
use crate::worker::Worker;

mod rewrite;

pub use rewrite::{rewrite, train_padding};

/// Any operations on a packet store: it agrees with a map about every packet it still has.
pub fn store_ops(now: Instant, data: &[u8]) {
    let mut store = PacketStore::new(64, Duration::from_secs(1));
    let mut model: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let (mut at, mut newest) = (now, 1_u64 << 16);
    for chunk in data.chunks(4) {
        let &[kind, step, length, fill] = chunk else { break };
        match kind % 4 {
            0 | 1 => {
                // In order with gaps, or a late packet into a gap; the stream lets no number in twice.
                let number = if kind % 4 == 0 {
                    newest + 1 + u64::from(step % 8)
                } else {
                    newest - u64::from(step)
                };
                newest = newest.max(number);
                let packet = vec![fill; usize::from(length) * 6 + 1];
                if let Entry::Vacant(place) = model.entry(number) {
                    store.insert(at, SeqNo(number), &packet);
                    place.insert(packet);
                }
            }
            2 => at += Duration::from_millis(u64::from(step)),
            _ => {
                let old = newest.saturating_sub(u64::from(step));
                if let Some(packet) = store.packet(at, SeqNo(old)) {
                    assert_eq!(Some(packet), model.get(&old).map(Vec::as_slice), "packet {old}");
                }
            }
        }
        assert!(
            store.memory_bytes() <= 64 * 1024 + 64 * 64,
            "{} bytes",
            store.memory_bytes()
        );
    }
}

/// Any datagrams into a worker in the middle of a call: forged ones, and authentic ones with any content, mixed with
/// commands and time. Nothing panics, and every packet that leaves is within bounds.
pub fn worker_datagram(now: Instant, data: &[u8]) {
    let mut call = Call::new(now);
    // The whole input as it came from the network: from nowhere, and from a participant's address.
    call.forge(tuple(9), data);
    call.forge(tuple(SENDER), data);
    call.speak(data);
    for (kind, chunk) in chunks(data) {
        call.operate(kind, chunk);
    }
    call.close();
}

const SENDER: u16 = 5_001;
const VIEWER: u16 = 5_002;

/// Cuts data into `(two bytes of kind, up to 255 bytes)`.
fn chunks(mut data: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (&[k0, k1, length], rest) = data.split_first_chunk()?;
        let (chunk, rest) = rest.split_at(rest.len().min(usize::from(length)));
        data = rest;
        Some((u16::from_be_bytes([k0, k1]), chunk))
    })
}

fn tuple(port: u16) -> FiveTuple {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    FiveTuple {
        protocol: Protocol::Udp,
        local: address(4_000),
        remote: address(port),
    }
}

fn certificate() -> &'static Certificate {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    CERTIFICATE.get_or_init(|| Certificate::generate().expect("the machine has randomness"))
}

fn credentials(ufrag: &str) -> IceCredentials {
    IceCredentials {
        ufrag: ufrag.to_owned(),
        pwd: format!("password of {ufrag:>16}"),
    }
}

/// A nominating check, as a full agent sends it.
fn nomination(of: &IceCredentials) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, TransactionId(*b"fuzz target!"));
    writer.username(&format!("{}:fuzz", of.ufrag));
    writer.priority(1);
    writer.role(Role::Controlling(1));
    writer.use_candidate();
    writer.finish(Some(&IntegrityKey::new(&of.pwd)));
    bytes
}

/// A participant: the far end of a transport.
struct Participant {
    port: u16,
    key: TransportKey,
    link: Link,
    sequence: u64,
}

/// A worker with a call in it: one sender of everything, one viewer of it all.
struct Call {
    now: Instant,
    worker: Worker,
    router: RouterKey,
    sender: Participant,
    viewer: Participant,
    producers: Vec<ProducerKey>,
    consumers: Vec<ConsumerKey>,
}

impl Call {
    fn new(now: Instant) -> Self {
        let config = WorkerConfig {
            certificate: certificate().clone(),
            seed: 1,
            extensions: extensions(),
            consent_timeout: Duration::from_secs(30),
            train_padding: TrainPadding::On,
        };
        let mut worker = Worker::new(now, config);
        let Reply::Router(router) = worker.handle_command(now, Command::CreateRouter) else {
            panic!("a router opens")
        };
        let mut join = |port, direction| join(&mut worker, now, router, (port, direction));
        let sender = join(SENDER, Direction::Receive);
        let viewer = join(VIEWER, Direction::Send);
        let mut call = Self {
            now,
            worker,
            router,
            sender,
            viewer,
            producers: Vec::new(),
            consumers: Vec::new(),
        };
        for _ in 0..20 {
            call.exchange();
        }
        call.publish();
        call
    }

    fn publish(&mut self) {
        let single = |ssrc| ProducerEncoding {
            ssrc: Some(Ssrc(ssrc)),
            rtx_ssrc: Some(Ssrc(ssrc + 1)),
            rid: None,
            spatial_layers: 1,
            temporal_layers: 1,
        };
        let layer = |rid: &[u8]| ProducerEncoding {
            ssrc: None,
            rtx_ssrc: None,
            rid: Rid::new(rid),
            ..single(0)
        };
        let layers = vec![layer(b"r0"), layer(b"r1"), layer(b"r2")];
        let tracks = [
            (
                CodecKind::Opus,
                96,
                Scalability::Simple,
                vec![single(0x1122_3344)],
            ),
            (CodecKind::Vp8, 98, Scalability::Simulcast, layers),
            (CodecKind::Vp9, 100, Scalability::Svc, vec![single(20)]),
            (CodecKind::H264, 102, Scalability::Simple, vec![single(30)]),
            (CodecKind::Av1, 104, Scalability::Svc, vec![single(40)]),
        ];
        for (index, (codec, payload_type, scalability, encodings)) in tracks.into_iter().enumerate() {
            let kind = if codec == CodecKind::Opus {
                MediaKind::Audio
            } else {
                MediaKind::Video
            };
            let name = [b'0' + index as u8];
            let spec = ProducerSpec {
                kind,
                source: Source::Camera,
                mid: Mid::new(&name),
                codecs: vec![ProducerCodec {
                    codec,
                    clock_rate: 90_000,
                    payload_type: PayloadType(payload_type),
                    mapped_payload_type: PayloadType(payload_type),
                    rtx_payload_type: Some(PayloadType(payload_type + 1)),
                    nack: true,
                    pli: true,
                    fir: true,
                }],
                extensions: extensions(),
                encodings,
                scalability,
                paused: false,
            };
            let Reply::Producer(producer) = self.worker.handle_command(
                self.now,
                Command::Produce {
                    transport: self.sender.key,
                    spec,
                },
            ) else {
                panic!("a track is accepted")
            };
            let ssrc = 1_000 + 2 * index as u32;
            let spec = ConsumerSpec {
                mid: Mid::new(&name).expect("one letter"),
                ssrc: Ssrc(ssrc),
                rtx: Some(RtxSpec {
                    ssrc: Ssrc(ssrc + 1),
                    payload_type: PayloadType(payload_type + 1),
                }),
                payload_type: PayloadType(payload_type),
                cname: "fuzz".to_owned(),
                extensions: extensions(),
                nack: true,
                paused: false,
                preferred: None,
            };
            let command = Command::Consume {
                transport: self.viewer.key,
                producer,
                spec,
            };
            let Reply::Consumer(consumer) = self.worker.handle_command(self.now, command) else {
                panic!("a track is consumed")
            };
            self.producers.push(producer);
            self.consumers.push(consumer);
        }
        self.drain();
    }

    fn operate(&mut self, kind: u16, chunk: &[u8]) {
        let pick = usize::from(kind >> 8) % self.producers.len();
        let (producer, consumer) = (self.producers[pick], self.consumers[pick]);
        if kind & 0x40 != 0 {
            // Datagrams that come together; whatever else happens ends it early.
            self.worker.begin_burst();
        } else if kind & 0x20 != 0 {
            self.worker.end_burst();
        }
        match kind % 16 {
            0 => self.forge(tuple(kind), chunk),
            1 => self.forge(tuple(SENDER), chunk),
            2..=5 => self.speak(chunk),
            6 => self.report(true, chunk),
            7 | 8 => self.report(false, chunk),
            9 => self.pass(Duration::from_millis(u64::from(kind >> 4))),
            10 => self.command(Command::PauseProducer(producer)),
            11 => self.command(Command::ResumeProducer(producer)),
            12 => self.command(Command::PauseConsumer(consumer)),
            13 => self.command(Command::ResumeConsumer(consumer)),
            14 => {
                let layers = Layers {
                    spatial: (kind >> 4) as u8 & 3,
                    temporal: (kind >> 6) as u8 & 3,
                };
                self.command(Command::SetPreferredLayers { consumer, layers });
            }
            _ => self.command(Command::RequestKeyFrame(consumer)),
        }
    }

    fn command(&mut self, command: Command) {
        let reply = self.worker.handle_command(self.now, command);
        assert!(matches!(reply, Reply::Done), "{reply:?}");
        self.drain();
    }

    /// Bytes nobody encrypted.
    fn forge(&mut self, from: FiveTuple, bytes: &[u8]) {
        let before = self.worker.counters().rtp_received;
        self.worker.handle_datagram(self.now, from, &mut bytes.to_vec());
        assert_eq!(
            self.worker.counters().rtp_received,
            before,
            "a forged packet was believed"
        );
        self.drain();
    }

    /// An authentic packet of the sender with any content behind a valid first byte, as far as its link lets it out.
    fn speak(&mut self, chunk: &[u8]) {
        if chunk.len() < 12 {
            return;
        }
        let mut packet = chunk.to_vec();
        packet[0] = packet[0] & 0x3f | 0x80;
        let wire = u16::from_be_bytes([packet[2], packet[3]]);
        let index = SeqNo::expand(SeqNo(self.sender.sequence), wire);
        self.sender.sequence = self.sender.sequence.max(index.0);
        let len = packet.len();
        packet.resize(len + SRTP_OVERHEAD, 0);
        let Ok(len) = self.sender.link.protect_rtp(&mut packet, len, index) else {
            return;
        };
        packet.truncate(len);
        self.worker.handle_datagram(self.now, tuple(SENDER), &mut packet);
        self.drain();
    }

    /// An authentic RTCP compound with any content.
    fn report(&mut self, of_sender: bool, chunk: &[u8]) {
        let who = if of_sender {
            &mut self.sender
        } else {
            &mut self.viewer
        };
        let mut compound = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
        compound.extend_from_slice(chunk);
        if who.link.protect_rtcp(&mut compound).is_ok() {
            self.worker
                .handle_datagram(self.now, tuple(who.port), &mut compound);
        }
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..2_000 {
            let Some(next) = self.worker.poll_timeout().filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            self.worker.handle_timeout(self.now);
            self.drain();
        }
        assert!(
            self.worker.poll_timeout().is_none_or(|next| next > end),
            "a deadline that stays due"
        );
        self.now = end;
    }

    /// Moves what both sides have to send.
    fn exchange(&mut self) {
        let mut outgoing: Vec<(u16, Vec<u8>)> = Vec::new();
        for transmit in self.worker.transmits().iter() {
            outgoing.push((transmit.tuple.remote.port(), transmit.bytes.to_vec()));
        }
        self.worker.clear_transmits();
        for (port, mut bytes) in outgoing {
            let who = if port == SENDER {
                &mut self.sender
            } else {
                &mut self.viewer
            };
            who.link.handle_datagram(self.now, tuple(port), &mut bytes);
        }
        let mut buffer = Vec::new();
        for who in [&mut self.sender, &mut self.viewer] {
            while who.link.poll_transmit(&mut buffer).is_some() {
                self.worker
                    .handle_datagram(self.now, tuple(who.port), &mut buffer);
            }
        }
    }

    fn drain(&mut self) {
        while self.worker.poll_event().is_some() {}
        for transmit in self.worker.transmits().iter() {
            assert!(
                !transmit.bytes.is_empty() && transmit.bytes.len() <= 1_600,
                "{} bytes",
                transmit.bytes.len()
            );
        }
        self.worker.clear_transmits();
    }

    /// Closing the router leaves nothing behind.
    fn close(mut self) {
        self.command(Command::CloseRouter(self.router));
        let Reply::Stats(stats) = self.worker.handle_command(self.now, Command::Stats) else {
            panic!("statistics are answered")
        };
        let left = stats.routers
            + stats.receive_transports
            + stats.send_transports
            + stats.audio_producers
            + stats.video_producers
            + stats.audio_consumers
            + stats.video_consumers;
        assert_eq!(left, 0, "{stats:?}");
        self.forge(tuple(SENDER), &[0x80; 20]);
    }
}

/// Opens a transport and the participant at its other end, introduced to each other.
fn join(
    worker: &mut Worker,
    now: Instant,
    router: RouterKey,
    (port, direction): (u16, Direction),
) -> Participant {
    let own = credentials(&format!("worker{port}"));
    let spec = TransportSpec {
        direction,
        ice: own.clone(),
        initial_outgoing_bitrate: Bitrate(1_000_000),
        max_incoming_bitrate: Bitrate(5_000_000),
    };
    let Reply::Transport(key) = worker.handle_command(now, Command::CreateTransport { router, spec }) else {
        panic!("a transport opens")
    };
    let fingerprints = vec![certificate().fingerprint()];
    let dtls = RemoteDtls {
        role: DtlsRole::Client,
        fingerprints: fingerprints.clone(),
    };
    worker.handle_command(
        now,
        Command::ConnectTransport {
            transport: key,
            spec: ConnectSpec { dtls },
        },
    );
    let theirs = credentials("participant");
    let mut link = Link::new(
        now,
        LinkConfig {
            ice: theirs.clone(),
            certificate: certificate().clone(),
            mtu: 1_200,
            consent_timeout: Duration::from_secs(3_600),
            seed: 2,
        },
    );
    link.connect(
        now,
        RemoteDtls {
            role: DtlsRole::Server,
            fingerprints,
        },
    )
    .expect("first parameters");
    worker.handle_datagram(now, tuple(port), &mut nomination(&own));
    link.handle_datagram(now, tuple(port), &mut nomination(&theirs));
    Participant {
        port,
        key,
        link,
        sequence: 1 << 16,
    }
}

fn extensions() -> ExtMap {
    let mut map = ExtMap::new();
    let ids = [
        (ExtKind::Mid, 1),
        (ExtKind::Rid, 2),
        (ExtKind::RepairedRid, 3),
        (ExtKind::AbsSendTime, 4),
        (ExtKind::TransportSequence, 5),
        (ExtKind::AudioLevel, 10),
        (ExtKind::VideoOrientation, 11),
        (ExtKind::DependencyDescriptor, 12),
    ];
    for (kind, id) in ids {
        map.set(kind, id);
    }
    map
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The participants are really connected: what is fuzzed is the path behind decryption.
    #[test]
    fn an_authentic_packet_reaches_the_viewer() {
        let mut call = Call::new(Instant::now());
        let audio = [0x80, 96, 0, 1, 0, 0, 0, 9, 0x11, 0x22, 0x33, 0x44, 1, 2, 3];
        call.speak(&audio);
        assert_eq!(call.worker.counters().rtp_received, 1);
        assert_eq!(call.worker.counters().rtp_sent, 1);
        call.close();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn nothing_a_participant_sends_hurts(data in prop::collection::vec(any::<u8>(), 0..2_000)) {
            worker_datagram(Instant::now(), &data);
        }

        #[test]
        fn any_packet_is_rewritten_rightly(data in prop::collection::vec(any::<u8>(), 0..1_700), head: [u8; 4]) {
            let mut input = head.to_vec();
            input.extend_from_slice(&data);
            if let Some(first) = input.get_mut(4) {
                *first = *first & 0x3f | 0x80;
            }
            rewrite(&input);
        }

        #[test]
        fn any_frames_are_padded_rightly(data in prop::collection::vec(any::<u8>(), 0..4_000)) {
            train_padding(&data);
        }

        #[test]
        fn a_store_keeps_what_it_was_given(data in prop::collection::vec(any::<u8>(), 0..4_000)) {
            store_ops(Instant::now(), &data);
        }
    }
}
