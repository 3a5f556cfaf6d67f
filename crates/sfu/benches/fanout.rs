//! What a worker needs to serve a camera to 10, 50 and 200 viewers, without sockets.
//!
//! `fanout` and `single` are the packet path alone, SRTP in, rewriting and SRTP out, for frames of eight packets and of
//! one: the viewers take the packets and say nothing. `call` is all that a call brings with it, which is connectivity
//! checks, reports, congestion feedback and timers, with the simulated clients' own work emptying the caches between
//! two entries.
//!
//! Clients, clock and network are those of the simulations. The simulated world runs frame by frame; measured is only
//! the time spent inside the worker. The throughput counts packets sent.
#![allow(missing_docs, reason = "criterion's macros")]
#![allow(unreachable_pub, reason = "shares a module with the simulations")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sfu::spec::MediaKind;
use str0m_netem::Input;

mod stage;
#[path = "../tests/simulation/world/mod.rs"]
mod world;

use link::{DtlsRole, FiveTuple, Protocol};
use stage::{INSIDE, PACKETS, clock, stage};
use world::annex::Site;
use world::peer::{Datagram, PeerOptions, Side};
use world::{Camera, FRAME, PeerId, SERVER, World};

/// Frames between two moments in which silent viewers may renew their consent, which lasts 30 s.
const SILENCE: u64 = 500;
/// Runs frames; the time the worker took for them.
fn run(world: &mut World, viewers: usize, frames: u64) -> Duration {
    let counts = |world: &World| {
        (
            world.worker.counters().rtp_received,
            world.worker.counters().rtp_sent,
        )
    };
    let before = counts(world);
    INSIDE.set(Duration::ZERO);
    for _ in 0..frames {
        world.run(FRAME);
        for peer in &mut world.peers {
            peer.received.clear();
            peer.rtcp.clear();
        }
        world.events.clear();
    }
    let after = counts(world);
    let (received, sent) = (after.0 - before.0, after.1 - before.1);
    // The frame on the way when counting begins, and when it ends, may count on either side.
    assert!(
        received >= (frames - 1) * u64::from(PACKETS),
        "{received} packets of {frames} frames"
    );
    assert_eq!(sent, received * viewers as u64, "every viewer gets everything");
    INSIDE.get()
}

/// A world whose viewers say nothing.
struct Quiet {
    world: World,
    sender: PeerId,
    /// Frames since everybody last spoke.
    frames: u64,
}

impl Quiet {
    /// No viewer sends congestion feedback, so that silence is not taken for a dead path.
    fn new(viewers: usize, packets_per_frame: u8) -> Self {
        let mut world = World::new();
        let options = PeerOptions {
            side: Side::Receives,
            transport_cc: false,
        };
        let receivers: Vec<PeerId> = (0..viewers)
            .map(|_| world.peer(options, DtlsRole::Client))
            .collect();
        let sender = world.sender();
        world.connect();
        let camera = Camera {
            packets_per_frame,
            ..Camera::default()
        };
        let producer = world.camera(sender, camera);
        for receiver in receivers {
            let consumer = world.watch(receiver, producer, MediaKind::Video);
            world.peers[receiver.0].suppress_nack(consumer.ssrc);
        }
        let mut quiet = Self {
            world,
            sender,
            frames: 0,
        };
        quiet.let_them_speak();
        quiet
    }

    /// Runs frames of which only the worker sees anything; the time it took, and the packets it sent.
    fn run(&mut self, frames: u64) -> (Duration, u64) {
        let (mut inside, mut sent) = (Duration::ZERO, 0);
        for _ in 0..frames {
            self.frames += 1;
            if self.frames == SILENCE {
                self.let_them_speak();
            }
            INSIDE.set(Duration::ZERO);
            sent += self.frame();
            inside += INSIDE.get();
        }
        (inside, sent)
    }

    /// One frame; how many packets the worker sent.
    fn frame(&mut self) -> u64 {
        let Self { world, sender, .. } = self;
        world.now += FRAME;
        let before = world.worker.counters().rtp_sent;
        let mut arrived = world.peers[sender.0].run(world.now);
        clock(true);
        world.worker.begin_burst();
        for datagram in &mut arrived {
            let tuple = FiveTuple {
                protocol: Protocol::Udp,
                local: SERVER,
                remote: datagram.client,
            };
            world
                .worker
                .handle_datagram(world.now, tuple, &mut datagram.bytes);
        }
        world.worker.end_burst();
        world.worker.handle_timeout(world.now);
        clock(false);
        // The sender must hear that it is heard.
        let peer = &mut world.peers[sender.0];
        for transmit in world.worker.transmits().iter() {
            if transmit.tuple.remote == peer.address {
                let datagram = Datagram {
                    client: peer.address,
                    bytes: transmit.bytes.to_vec(),
                };
                peer.downlink.handle_input(Input::Packet(world.now, datagram));
            }
        }
        clock(true);
        world.worker.clear_transmits();
        clock(false);
        while world.worker.poll_event().is_some() {}
        world.worker.counters().rtp_sent - before
    }

    /// Lets everybody renew consent and such, off the clock.
    fn let_them_speak(&mut self) {
        self.world.run(Duration::from_secs(2));
        for peer in &mut self.world.peers {
            peer.received.clear();
            peer.rtcp.clear();
        }
        self.world.events.clear();
        self.frames = 0;
        // What one frame sends arrives with the next.
        self.frame();
    }
}

fn fanout(criterion: &mut Criterion) {
    for (name, packets) in [("fanout", PACKETS), ("single", 1)] {
        let mut group = criterion.benchmark_group(name);
        group
            .sample_size(20)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2));
        for viewers in [10, 50, 200] {
            let mut quiet = Quiet::new(viewers, packets);
            group.throughput(Throughput::Elements(u64::from(packets) * viewers as u64));
            group.bench_function(BenchmarkId::from_parameter(viewers), |bencher| {
                bencher.iter_custom(|frames| {
                    let (inside, sent) = quiet.run(frames);
                    let expected = frames * u64::from(packets) * viewers as u64;
                    assert!(
                        sent + expected / 10 >= expected,
                        "{sent} of {expected} packets were sent"
                    );
                    // Key frames have more packets.
                    inside.mul_f64(expected as f64 / sent.max(1) as f64)
                });
            });
        }
        group.finish();
    }
}

fn call(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    for viewers in [10, 50, 200] {
        let mut world = stage(viewers, Site::Home);
        group.throughput(Throughput::Elements(u64::from(PACKETS) * viewers as u64));
        group.bench_function(BenchmarkId::from_parameter(viewers), |bencher| {
            bencher.iter_custom(|frames| run(&mut world, viewers, frames));
        });
    }
    group.finish();
}

criterion_group!(benches, fanout, call);
criterion_main!(benches);
