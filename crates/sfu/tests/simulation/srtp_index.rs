//! No SRTP or SRTCP index is ever used twice with one key for different bytes.
//!
//! That would hand the difference of two plaintexts, and with AES-GCM the authentication key, to anybody who listens
//! (RFC 7714 §9, RFC 3711 §9.1). What leaves the worker is watched from outside: per connection, which has one key, and
//! per source the index is the rollover counter and sequence number of RTP, or the number an RTCP packet ends in. Equal
//! indexes with equal headers and plaintexts give equal datagrams, so whatever differs was protected twice.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::time::Duration;

use rtp::SeqNo;
use sfu::Command;
use sfu::key::ProducerKey;
use sfu::spec::{Layers, MediaKind};
use str0m::media::KeyframeRequestKind;
use str0m_netem::{Probability, RandomLoss};

use crate::world::peer::link;
use crate::world::{Camera, Congestion, Consumer, PeerId, World};

/// Which kind of index: the keys of RTP and RTCP differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Half {
    Rtp,
    Rtcp,
}

/// Everything protected, by connection, kind, source and index.
#[derive(Default)]
struct Ledger {
    /// Where a connection's client is, or was.
    connections: HashMap<SocketAddr, usize>,
    newest: HashMap<(usize, u32), SeqNo>,
    protected: HashMap<(usize, Half, u32, u64), u64>,
    sources: HashMap<(usize, Half, u32), u64>,
}

impl Ledger {
    fn enter(&mut self, to: SocketAddr, datagram: &[u8]) {
        if datagram[0] >> 6 != 2 {
            return;
        }
        let connection = self.connections[&to];
        let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().expect("four bytes"));
        let (half, ssrc, index) = if rtp::is_rtcp(datagram) {
            // The E flag and 31 bits of index (RFC 7714 §9).
            let last = word(datagram.len() - 4);
            assert!(last >> 31 == 1, "an RTCP packet that is not encrypted");
            (Half::Rtcp, word(4), u64::from(last & 0x7fff_ffff))
        } else {
            let wire = u16::from_be_bytes([datagram[2], datagram[3]]);
            let newest = self.newest.entry((connection, word(8)));
            let index = match newest {
                Entry::Occupied(mut newest) => {
                    let index = SeqNo::expand(*newest.get(), wire);
                    newest.insert(index.max(*newest.get()));
                    index
                }
                Entry::Vacant(first) => *first.insert(SeqNo::first(wire)),
            };
            (Half::Rtp, word(8), index.0)
        };
        let mut hasher = DefaultHasher::new();
        datagram.hash(&mut hasher);
        let hash = hasher.finish();
        *self.sources.entry((connection, half, ssrc)).or_default() += 1;
        if let Some(before) = self.protected.insert((connection, half, ssrc, index), hash) {
            assert_eq!(
                before, hash,
                "connection {connection}, {half:?}, source {ssrc}: index {index} protected twice"
            );
        }
    }

    /// Enters what left the worker, and forgets what the clients made of it.
    fn take_note(&mut self, world: &mut World) {
        for (to, datagram) in world.wire.replace(Vec::new()).into_iter().flatten() {
            self.enter(to, &datagram);
        }
        for peer in &mut world.peers {
            peer.received.clear();
            peer.rtcp.clear();
        }
    }

    fn of(&self, half: Half, ssrc: u32) -> u64 {
        let of = self
            .sources
            .iter()
            .filter(|((_, of, id), _)| (*of, *id) == (half, ssrc));
        of.map(|(_, count)| count).sum()
    }
}

/// A generator for the choices of a run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % sides
    }
}

struct Scene {
    world: World,
    sender: PeerId,
    camera: ProducerKey,
    microphone: ProducerKey,
    watching: Vec<Consumer>,
    /// Sources of retransmissions there ever were.
    repairs: Vec<u32>,
    ledger: Ledger,
    dice: Dice,
    moves: u8,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        let sender = world.sender();
        let viewers = [world.receiver(), world.receiver()];
        world.wire = Some(Vec::new());
        let mut ledger = Ledger::default();
        for (connection, peer) in world.peers.iter().enumerate() {
            ledger.connections.insert(peer.address, connection);
        }
        world.connect();
        let camera = Camera {
            packets_per_frame: 6,
            temporal_layers: 3,
            layers: 2,
            ..Camera::default()
        };
        let camera = world.camera(sender, camera);
        let microphone = world.microphone(sender, 30);
        let mut watching = Vec::new();
        for viewer in viewers {
            watching.push(world.watch(viewer, camera, MediaKind::Video));
            watching.push(world.watch(viewer, microphone, MediaKind::Audio));
        }
        Self {
            world,
            sender,
            camera,
            microphone,
            repairs: watching.iter().filter_map(|consumer| consumer.rtx).collect(),
            watching,
            ledger,
            dice: Dice(seed),
            moves: 0,
        }
    }

    fn run(&mut self, time: Duration) {
        self.world.run(time);
        self.ledger.take_note(&mut self.world);
    }

    /// New loss on every link.
    fn change_loss(&mut self) {
        for index in 0..self.world.peers.len() {
            let lossy = |dice: &mut Dice| {
                let loss = Probability(dice.roll(12) as f32 / 100.0);
                link(dice.roll(1 << 30)).loss(RandomLoss::new(loss))
            };
            let (up, down) = (lossy(&mut self.dice), lossy(&mut self.dice));
            self.world.peers[index].uplink.set_config(up);
            self.world.peers[index].downlink.set_config(down);
        }
    }

    /// Something a user, a network or a server does.
    fn act(&mut self) {
        let pick = self.dice.roll(self.watching.len() as u64) as usize;
        let consumer = self.watching[pick];
        let is_video = consumer.rtx.is_some();
        match self.dice.roll(12) {
            0 => self.world.done(Command::PauseConsumer(consumer.key)),
            1 | 2 => self.world.done(Command::ResumeConsumer(consumer.key)),
            3 | 4 if is_video => {
                let layers = Layers {
                    spatial: self.dice.roll(2) as u8,
                    temporal: self.dice.roll(3) as u8,
                };
                let consumer = consumer.key;
                self.world.done(Command::SetPreferredLayers { consumer, layers });
            }
            5 => {
                self.world.done(Command::PauseProducer(self.camera));
                self.run(Duration::from_millis(self.dice.0 % 1_500));
                self.world.done(Command::ResumeProducer(self.camera));
            }
            6 => self
                .world
                .restart_ice([self.sender, consumer.peer][self.dice.roll(2) as usize]),
            7 => self.change_loss(),
            8 if is_video => {
                let peer = &mut self.world.peers[consumer.peer.0];
                peer.request_key_frame(self.world.now, consumer.ssrc, KeyframeRequestKind::Pli);
            }
            9 => {
                self.world.done(Command::CloseConsumer(consumer.key));
                let (producer, kind) = if is_video {
                    (self.camera, MediaKind::Video)
                } else {
                    (self.microphone, MediaKind::Audio)
                };
                self.watching[pick] = self.world.watch(consumer.peer, producer, kind);
                self.repairs.extend(self.watching[pick].rtx);
            }
            10 => self.change_address(consumer.peer),
            _ => self.world.bursts = !self.world.bursts,
        }
    }

    /// The viewer's address translator gives it another address; the keys stay.
    fn change_address(&mut self, viewer: PeerId) {
        self.moves += 1;
        let old = self.world.peers[viewer.0].address;
        let new = SocketAddr::new([203, 0, 113, self.moves].into(), old.port());
        self.ledger.connections.insert(new, viewer.0);
        self.world.peers[viewer.0].address = new;
    }
}

fn hold_to_account(seed: u64) {
    let mut scene = Scene::new(seed);
    scene.change_loss();
    for _ in 0..90 {
        scene.act();
        let pause = 100 + scene.dice.roll(1_800);
        scene.run(Duration::from_millis(pause));
    }
    let Ledger {
        protected, newest, ..
    } = &scene.ledger;
    assert!(protected.len() > 20_000, "{} packets", protected.len());
    let rtx: u64 = scene
        .repairs
        .iter()
        .map(|ssrc| scene.ledger.of(Half::Rtp, *ssrc))
        .sum();
    assert!(rtx > 200, "{rtx} retransmissions");
    assert!(newest.len() > 4, "{} sources", newest.len());
    let reports = protected
        .keys()
        .filter(|(_, half, ..)| *half == Half::Rtcp)
        .count();
    assert!(reports > 100, "{reports} RTCP packets");
}

#[test]
fn an_index_is_used_once() {
    for seed in [1, 2] {
        hold_to_account(seed);
    }
}

/// One viewer for long enough that its sequence numbers go round, over a path that loses some of them.
#[test]
fn an_index_is_used_once_over_a_rollover() {
    let camera = Camera {
        packets_per_frame: 20,
        ..Camera::default()
    };
    let (mut world, _, _, consumer) = World::one_camera_for(camera, Congestion::Unknown);
    let lossy = link(9).loss(RandomLoss::new(Probability(0.01)));
    world.peers[consumer.peer.0].downlink.set_config(lossy);
    let mut ledger = Ledger::default();
    for (connection, peer) in world.peers.iter().enumerate() {
        ledger.connections.insert(peer.address, connection);
    }
    world.wire = Some(Vec::new());
    let source = (consumer.peer.0, consumer.ssrc);
    let mut first = None;
    // 500 packets per second: 65,536 of them take 131 s.
    for _ in 0..135 {
        world.run(Duration::from_secs(1));
        ledger.take_note(&mut world);
        let newest = ledger.newest[&source].0;
        first.get_or_insert(newest);
        if newest >> 16 > first.unwrap_or(newest) >> 16 {
            world.run(Duration::from_secs(2));
            ledger.take_note(&mut world);
            let repairs = consumer.rtx.map_or(0, |ssrc| ledger.of(Half::Rtp, ssrc));
            assert!(repairs > 100, "{repairs} retransmissions");
            return;
        }
    }
    panic!("the sequence numbers did not go round: {:?}", ledger.newest);
}
