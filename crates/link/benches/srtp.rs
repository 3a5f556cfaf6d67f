//! Cost of protecting and unprotecting one packet, per profile and payload size.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use link::srtp::{Inbound, MasterKey, Outbound};
use link::{SRTP_OVERHEAD, SrtpProfile};
use rtp::SeqNo;

const HEADER: usize = 12;

fn master(profile: SrtpProfile) -> MasterKey {
    MasterKey::new(profile, &vec![7; profile.key_len()], &vec![9; profile.salt_len()]).expect("lengths")
}

fn packet(payload: usize, index: u64) -> Vec<u8> {
    let mut packet = vec![0; HEADER + payload + SRTP_OVERHEAD];
    packet[0] = 0x80;
    packet[1] = 96;
    packet[2..4].copy_from_slice(&(index as u16).to_be_bytes());
    packet[11] = 1;
    packet
}

fn srtp(criterion: &mut Criterion) {
    for profile in SrtpProfile::ALL {
        let mut group = criterion.benchmark_group(format!("{profile:?}"));
        for payload in [100, 1200] {
            group.throughput(Throughput::Bytes((HEADER + payload) as u64));
            let mut outbound = Outbound::new(&master(profile), 1).expect("keys");
            let mut index = 0_u64;
            let mut buffer = packet(payload, index);
            group.bench_function(BenchmarkId::new("protect", payload), |bencher| {
                bencher.iter(|| {
                    index += 1;
                    buffer[2..4].copy_from_slice(&(index as u16).to_be_bytes());
                    black_box(outbound.protect(&mut buffer, HEADER + payload, SeqNo(index)))
                });
            });
            // What the fan-out does: the payload stays where it is for the next viewer.
            let mut outbound = Outbound::new(&master(profile), 1).expect("keys");
            let mut index = 0_u64;
            let source = vec![0x5a; payload];
            let mut out = packet(payload, index);
            group.bench_function(BenchmarkId::new("protect_from", payload), |bencher| {
                bencher.iter(|| {
                    index += 1;
                    out[2..4].copy_from_slice(&(index as u16).to_be_bytes());
                    black_box(outbound.protect_from(&mut out, HEADER, &source, SeqNo(index)))
                });
            });
            // The same with a copy first.
            let mut outbound = Outbound::new(&master(profile), 1).expect("keys");
            let mut index = 0_u64;
            group.bench_function(BenchmarkId::new("copy_and_protect", payload), |bencher| {
                bencher.iter(|| {
                    index += 1;
                    out[2..4].copy_from_slice(&(index as u16).to_be_bytes());
                    out[HEADER..HEADER + payload].copy_from_slice(&source);
                    black_box(outbound.protect(&mut out, HEADER + payload, SeqNo(index)))
                });
            });
            let mut outbound = Outbound::new(&master(profile), 1).expect("keys");
            let mut inbound = Inbound::new(&master(profile), 1).expect("keys");
            let mut index = 0_u64;
            group.bench_function(BenchmarkId::new("unprotect", payload), |bencher| {
                bencher.iter_batched_ref(
                    || {
                        index += 1;
                        let mut sealed = packet(payload, index);
                        let len = outbound
                            .protect(&mut sealed, HEADER + payload, SeqNo(index))
                            .expect("fresh");
                        sealed.truncate(len);
                        sealed
                    },
                    |sealed| inbound.unprotect(black_box(sealed)),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, srtp);
criterion_main!(benches);
