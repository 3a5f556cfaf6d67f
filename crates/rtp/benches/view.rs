//! Cost per packet of the parts every received and every forwarded packet passes through.
#![allow(missing_docs, reason = "criterion's macros define undocumented items")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rtp::{ExtKind, ExtMap, ExtWriter, Form, PayloadType, RtpView, Ssrc, patch};

const MAP: [(ExtKind, u8); 4] = [
    (ExtKind::Mid, 1),
    (ExtKind::AbsSendTime, 4),
    (ExtKind::TransportSequence, 5),
    (ExtKind::AudioLevel, 10),
];

fn map() -> ExtMap {
    let mut map = ExtMap::new();
    for (kind, id) in MAP {
        map.set(kind, id);
    }
    map
}

/// A video-sized packet with the extensions a browser sends.
fn packet() -> Vec<u8> {
    let mut packet = vec![0_u8; 12 + 64];
    packet[0] = 0x90;
    patch::payload_type(&mut packet, PayloadType(96));
    patch::sequence(&mut packet, 4711);
    patch::ssrc(&mut packet, Ssrc(0x1234_5678));
    let len = {
        let mut block = ExtWriter::new(&mut packet[12..], Form::OneByte);
        block.push(1, b"0").expect("room");
        block.push(4, &[1, 2, 3]).expect("room");
        block.push(5, &[0, 9]).expect("room");
        block.push(10, &[0x85]).expect("room");
        block.finish()
    };
    packet.truncate(12 + len);
    packet.extend((0..1100).map(|n| n as u8));
    packet
}

fn view(c: &mut Criterion) {
    let packet = packet();
    let map = map();
    c.bench_function("view/parse", |b| {
        b.iter(|| {
            let view = RtpView::parse(black_box(&packet)).expect("valid");
            (view.ssrc(), view.sequence(), view.payload().len())
        });
    });
    c.bench_function("view/parse_and_read_extensions", |b| {
        b.iter(|| map.read(&RtpView::parse(black_box(&packet)).expect("valid")));
    });
    let mut out = vec![0_u8; 1500];
    c.bench_function("view/rewrite", |b| {
        b.iter(|| {
            let view = RtpView::parse(black_box(&packet)).expect("valid");
            out[..12].copy_from_slice(&packet[..12]);
            patch::ssrc(&mut out, Ssrc(7));
            patch::sequence(&mut out, 8);
            patch::timestamp(&mut out, 9);
            patch::payload_type(&mut out, PayloadType(100));
            let mut block = ExtWriter::new(&mut out[12..], Form::OneByte);
            block.push(1, b"0").expect("room");
            block.push(5, &[0, 1]).expect("room");
            let payload_at = 12 + block.finish();
            let payload = view.payload();
            out[payload_at..payload_at + payload.len()].copy_from_slice(payload);
            black_box(&out);
        });
    });
}

criterion_group!(benches, view);
criterion_main!(benches);
