//! What a worker needs to forward a video frame to 10, 50 and 200 consumers, without sockets: demultiplexing, SRTP
//! in, rewriting and SRTP out.
//!
//! Clients, clock and network are those of the simulations. Between two measured frames the simulated world runs on
//! unmeasured, so that checks, reports and congestion feedback come as they do in a call; measured is only what the
//! worker does with the frame's datagrams. The throughput counts packets sent.
#![allow(missing_docs, reason = "criterion's macros")]
#![allow(unreachable_pub, reason = "shares a module with the simulations")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use link::{FiveTuple, Protocol};
use sfu::spec::MediaKind;

#[path = "../tests/simulation/world/mod.rs"]
mod world;

use world::{Camera, FRAME, PeerId, SERVER, World};

/// Packets of a frame.
const PACKETS: u8 = 8;
/// How long the estimators of fresh transports need to trust their paths with the video.
const WARM_UP: Duration = Duration::from_secs(10);

/// A world whose last client sends a camera to all the others.
struct Stage {
    world: World,
    sender: PeerId,
    consumers: usize,
}

impl Stage {
    fn new(consumers: usize) -> Self {
        let mut world = World::new();
        let receivers: Vec<PeerId> = (0..consumers).map(|_| world.receiver()).collect();
        let sender = world.sender();
        world.connect();
        let camera = Camera {
            packets_per_frame: PACKETS,
            ..Camera::default()
        };
        let producer = world.camera(sender, camera);
        for receiver in receivers {
            world.watch(receiver, producer, MediaKind::Video);
        }
        let mut stage = Self {
            world,
            sender,
            consumers,
        };
        for _ in 0..WARM_UP.as_millis() / FRAME.as_millis() {
            stage.frame();
        }
        stage
    }

    /// Lets a frame's time pass, then forwards the frame; the time that took.
    fn frame(&mut self) -> Duration {
        let mut sender = self.world.peers.pop().expect("the sender came last");
        self.world.run(FRAME);
        let now = self.world.now;
        let mut datagrams = sender.run(now);
        let tuple = FiveTuple {
            protocol: Protocol::Udp,
            local: SERVER,
            remote: sender.address,
        };
        self.world.peers.push(sender);
        let started = Instant::now();
        for datagram in &mut datagrams {
            self.world.worker.handle_datagram(now, tuple, &mut datagram.bytes);
        }
        let took = started.elapsed();
        // Any command makes the world take what the worker sends.
        self.world.transport_stats(self.sender);
        for peer in &mut self.world.peers {
            peer.received.clear();
            peer.rtcp.clear();
        }
        self.world.events.clear();
        took
    }

    fn forwarded(&self) -> (u64, u64) {
        let counters = self.world.worker.counters();
        (counters.rtp_received, counters.rtp_sent)
    }
}

fn fanout(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fanout");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5));
    for consumers in [10, 50, 200] {
        let mut stage = Stage::new(consumers);
        group.throughput(Throughput::Elements(u64::from(PACKETS) * consumers as u64));
        group.bench_function(BenchmarkId::from_parameter(consumers), |bencher| {
            bencher.iter_custom(|frames| {
                let before = stage.forwarded();
                let took = (0..frames).map(|_| stage.frame()).sum();
                let after = stage.forwarded();
                let (received, sent) = (after.0 - before.0, after.1 - before.1);
                assert!(received >= (frames - 1) * u64::from(PACKETS), "frames arrive");
                assert_eq!(
                    sent,
                    received * stage.consumers as u64,
                    "every consumer gets everything"
                );
                took
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fanout);
criterion_main!(benches);
