//! Which packets a consumer gets and under which numbers, a row per packet.

use rtp::codec::{CodecKind, FrameInfo, PictureIds};
use rtp::ext::ExtMap;
use rtp::{Mid, PayloadType, RtpTime};

use super::*;
use crate::packet::{HEADER, Packet};
use crate::producer::Origin;
use crate::spec::{ProducerCodec, ProducerEncoding, ProducerSpec, RtxSpec};

const SEED: u64 = 1_000 | 5_000 << 16;

fn producer(codec: CodecKind, scalability: Scalability, encodings: usize) -> Producer {
    let encoding = ProducerEncoding {
        ssrc: None,
        rtx_ssrc: None,
        rid: None,
        spatial_layers: 1,
        temporal_layers: 1,
    };
    let spec = ProducerSpec {
        kind: if codec == CodecKind::Opus {
            MediaKind::Audio
        } else {
            MediaKind::Video
        },
        source: Source::Camera,
        mid: None,
        codecs: vec![ProducerCodec {
            codec,
            clock_rate: 90_000,
            payload_type: PayloadType(96),
            mapped_payload_type: PayloadType(101),
            rtx_payload_type: None,
            nack: true,
            pli: true,
            fir: true,
        }],
        extensions: ExtMap::new(),
        encodings: vec![encoding; encodings],
        scalability,
        paused: false,
    };
    Producer::new(
        Instant::now(),
        Origin::Transport(TransportKey::default()),
        Default::default(),
        spec,
    )
    .expect("a codec and an encoding")
}

fn consumer(producer: &Producer) -> Consumer {
    let spec = ConsumerSpec {
        mid: Mid::new(b"0").expect("short"),
        ssrc: Ssrc(7),
        rtx: Some(RtxSpec {
            ssrc: Ssrc(8),
            payload_type: PayloadType(102),
        }),
        payload_type: PayloadType(101),
        cname: "someone".to_owned(),
        extensions: ExtMap::new(),
        nack: true,
        paused: false,
        preferred: None,
    };
    Consumer::new(
        TransportKey::default(),
        ProducerKey::default(),
        producer,
        spec,
        SEED,
    )
}

/// A packet as a row states it.
#[derive(Clone, Copy, Default)]
struct Row {
    encoding: u8,
    sequence: u64,
    time: u64,
    key: bool,
    middle: bool,
    spatial: u8,
    temporal: u8,
    end: bool,
    picture: u16,
}

fn feed(consumer: &mut Consumer, producer: &Producer, row: Row) -> Option<Rewrite> {
    let frame = FrameInfo {
        key: row.key,
        start: !row.middle,
        end: row.end,
        spatial: row.spatial,
        temporal: row.temporal,
        switch_up: true,
        picture: Some(PictureIds {
            picture_id: Some(row.picture),
            long: true,
            tl0_pic_idx: Some(0),
        }),
        ..FrameInfo::default()
    };
    let packet = Packet {
        bytes: &[0; HEADER + 10],
        sequence: SeqNo(row.sequence),
        time: RtpTime(row.time),
        frame,
        encoding: row.encoding,
    };
    let rewrite = consumer.select(Instant::now(), &packet, producer)?;
    consumer.on_sent(&packet, rewrite);
    Some(rewrite)
}

fn sequence(rewrite: Option<Rewrite>) -> Option<u64> {
    rewrite.map(|rewrite| rewrite.sequence.0)
}

#[test]
fn a_simple_consumer_starts_at_a_key_frame_and_again_after_a_pause() {
    let producer = producer(CodecKind::Vp8, Scalability::Simple, 1);
    let mut consumer = consumer(&producer);
    assert_eq!(consumer.awaited_key_frame(), Some(0));
    let packet = |sequence, key| Row {
        sequence,
        time: sequence * 3_000,
        key,
        ..Row::default()
    };
    assert_eq!(sequence(feed(&mut consumer, &producer, packet(500, false))), None);
    let first = feed(&mut consumer, &producer, packet(501, true)).expect("a key frame");
    assert_eq!(
        (first.sequence, first.timestamp),
        (SeqNo(1_000), 5_000),
        "the seed's numbers"
    );
    assert_eq!(consumer.awaited_key_frame(), None);
    assert_eq!(
        sequence(feed(&mut consumer, &producer, packet(500, false))),
        None,
        "older than the start"
    );
    assert_eq!(
        sequence(feed(&mut consumer, &producer, packet(503, false))),
        Some(1_002),
        "502 is lost or late"
    );
    assert_eq!(
        sequence(feed(&mut consumer, &producer, packet(502, false))),
        Some(1_001)
    );
    consumer.skip(SeqNo(504), 0);
    assert_eq!(
        sequence(feed(&mut consumer, &producer, packet(505, false))),
        Some(1_003),
        "padding leaves no gap"
    );
    consumer.resync();
    assert_eq!(sequence(feed(&mut consumer, &producer, packet(900, false))), None);
    let resumed = feed(&mut consumer, &producer, packet(950, true)).expect("a key frame");
    assert_eq!(resumed.sequence, SeqNo(1_004));
    assert_eq!(
        resumed.timestamp.wrapping_sub(first.timestamp),
        (950 - 501) * 3_000,
        "the producer's clock ran on"
    );
}

#[test]
fn audio_starts_with_any_packet() {
    let producer = producer(CodecKind::Opus, Scalability::Simple, 1);
    let mut consumer = consumer(&producer);
    assert_eq!(consumer.awaited_key_frame(), None);
    assert_eq!(
        sequence(feed(
            &mut consumer,
            &producer,
            Row {
                sequence: 9,
                ..Row::default()
            }
        )),
        Some(1_000)
    );
}

#[test]
fn a_simulcast_switch_waits_for_the_key_frame_and_keeps_every_number_continuous() {
    let producer = producer(CodecKind::Vp8, Scalability::Simulcast, 3);
    let mut consumer = consumer(&producer);
    let low = |sequence, key| Row {
        sequence,
        time: sequence * 3_000,
        key,
        picture: sequence as u16,
        ..Row::default()
    };
    let high = |sequence, key| Row {
        encoding: 2,
        time: 7_000_000 + sequence,
        picture: 9_000,
        ..low(sequence, key)
    };
    assert_eq!(
        sequence(feed(&mut consumer, &producer, low(100, true))),
        None,
        "no target yet"
    );
    assert_eq!(
        consumer.aim(Some(Layers {
            spatial: 0,
            temporal: 0
        })),
        Some(0)
    );
    let mut sent = vec![
        feed(&mut consumer, &producer, low(101, true)),
        feed(&mut consumer, &producer, low(102, false)),
    ];
    assert_eq!(
        consumer.aim(Some(Layers {
            spatial: 2,
            temporal: 0
        })),
        Some(2),
        "a key frame is needed to rise"
    );
    assert_eq!(feed(&mut consumer, &producer, high(60_000, false)), None);
    sent.push(feed(&mut consumer, &producer, low(103, false)));
    sent.push(feed(&mut consumer, &producer, high(60_001, true)));
    assert_eq!(consumer.awaited_key_frame(), None);
    assert_eq!(
        feed(&mut consumer, &producer, low(104, true)),
        None,
        "the old layer ends where the new one begins"
    );
    sent.push(feed(&mut consumer, &producer, high(60_002, false)));
    let sent: Vec<_> = sent
        .into_iter()
        .map(|rewrite| rewrite.expect("forwarded"))
        .collect();
    let sequences: Vec<_> = sent.iter().map(|rewrite| rewrite.sequence.0).collect();
    assert_eq!(sequences, [1_000, 1_001, 1_002, 1_003, 1_004]);
    let steps: Vec<_> = sent
        .windows(2)
        .map(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp))
        .collect();
    assert!(
        steps.iter().all(|step| (1..90_000).contains(step)),
        "time runs forwards: {steps:?}"
    );
    let pictures: Vec<_> = sent
        .iter()
        .map(|rewrite| rewrite.picture.expect("VP8").picture_id)
        .collect();
    let first = pictures[0];
    assert_eq!(
        pictures,
        [first, first + 1, first + 2, first + 3, first + 3],
        "pictures go on, packets share one"
    );
    assert_eq!(
        consumer.poll_layers(),
        Some(Some(Layers {
            spatial: 2,
            temporal: 0
        }))
    );
    assert_eq!(consumer.poll_layers(), None, "told once");
    assert_eq!(consumer.aim(None), None);
    assert_eq!(feed(&mut consumer, &producer, high(60_003, false)), None);
}

#[test]
fn temporal_layers_above_the_target_leave_no_gap() {
    let producer = producer(CodecKind::Vp8, Scalability::Simulcast, 1);
    let mut consumer = consumer(&producer);
    consumer.aim(Some(Layers {
        spatial: 0,
        temporal: 1,
    }));
    let row = |sequence, temporal| Row {
        sequence,
        temporal,
        picture: sequence as u16,
        time: sequence,
        key: sequence == 10,
        ..Row::default()
    };
    // (sequence, temporal layer, outgoing sequence)
    let rows = [
        (10, 0, Some(1_000)),
        (11, 2, None),
        (12, 1, Some(1_001)),
        (13, 2, None),
        (14, 0, Some(1_002)),
    ];
    let mut pictures = Vec::new();
    for (number, temporal, expected) in rows {
        let rewrite = feed(&mut consumer, &producer, row(number, temporal));
        assert_eq!(sequence(rewrite), expected, "packet {number}");
        pictures.extend(
            rewrite
                .and_then(|rewrite| rewrite.picture)
                .map(|picture| picture.picture_id),
        );
    }
    assert_eq!(pictures[1..], [pictures[0] + 1, pictures[0] + 2]);
}

#[test]
fn spatial_layers_fall_at_once_and_rise_at_a_key_frame() {
    let producer = producer(CodecKind::Vp9, Scalability::Svc, 1);
    let mut consumer = consumer(&producer);
    let row = |sequence, spatial, key| Row {
        sequence,
        spatial,
        key,
        end: true,
        time: sequence,
        ..Row::default()
    };
    consumer.aim(Some(Layers {
        spatial: 1,
        temporal: 0,
    }));
    assert_eq!(consumer.awaited_key_frame(), Some(0));
    // (packet, target before it, outgoing sequence and marker)
    let rows = [
        (row(10, 0, false), None, None),
        (row(11, 0, true), None, Some((1_000, false))),
        (row(12, 1, false), None, Some((1_001, true))),
        (row(13, 2, false), None, None),
        (row(14, 0, false), Some(0), Some((1_002, true))),
        (row(15, 1, false), None, None),
        (row(16, 2, false), None, None),
        (row(17, 0, false), Some(2), Some((1_003, true))),
        (row(18, 1, false), None, None),
        (row(19, 0, true), None, Some((1_004, false))),
        (row(20, 1, false), None, Some((1_005, false))),
        (row(21, 2, false), None, Some((1_006, true))),
    ];
    for (row, target, expected) in rows {
        if let Some(spatial) = target {
            consumer.aim(Some(Layers { spatial, temporal: 0 }));
        }
        let out = feed(&mut consumer, &producer, row).map(|rewrite| (rewrite.sequence.0, rewrite.marker));
        assert_eq!(out, expected, "packet {}", row.sequence);
    }
}

#[test]
fn what_was_sent_is_sent_again_as_it_was() {
    let producer = producer(CodecKind::Vp8, Scalability::Simple, 1);
    let mut consumer = consumer(&producer);
    let now = Instant::now();
    let spacing = Duration::from_millis(50);
    let sent = feed(
        &mut consumer,
        &producer,
        Row {
            sequence: 70,
            time: 900,
            key: true,
            ..Row::default()
        },
    );
    let sent = sent.expect("a key frame");
    let resend = consumer
        .resend(now, sent.sequence.wire(), spacing)
        .expect("it was just sent");
    assert_eq!(
        (resend.input, resend.encoding, resend.original),
        (SeqNo(70), 0, sent.sequence.wire())
    );
    assert_eq!(resend.timestamp_offset.wrapping_add(900), sent.timestamp);
    assert_eq!((resend.picture, resend.marker), (sent.picture, sent.marker));
    assert_eq!(
        consumer.resend(now, sent.sequence.wire(), spacing),
        None,
        "not twice within a round trip"
    );
    assert!(
        consumer
            .resend(now + spacing, sent.sequence.wire(), spacing)
            .is_some()
    );
    assert_eq!(consumer.resend(now, 1, spacing), None, "never sent");
    let first = consumer
        .next_rtx()
        .map(|(_, sequence)| sequence)
        .expect("RTX was negotiated");
    let second = consumer
        .next_rtx()
        .map(|(_, sequence)| sequence)
        .expect("RTX was negotiated");
    assert_eq!(second.0, first.0 + 1, "retransmissions have numbers of their own");
}

#[test]
fn the_round_trip_is_read_from_the_report_that_the_viewer_names() {
    let producer = producer(CodecKind::Opus, Scalability::Simple, 1);
    let mut consumer = consumer(&producer);
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    for n in 0..6 {
        consumer.on_report_sent(at(u64::from(n) * 1_000), 100 + n);
    }
    assert_eq!(
        consumer.round_trip(at(5_080), 105, 65_536 / 64),
        Some(Duration::from_nanos(64_375_000)),
        "1/64 s held"
    );
    assert_eq!(consumer.round_trip(at(5_080), 100, 0), None, "forgotten");
    assert_eq!(consumer.round_trip(at(5_080), 99, 0), None, "never sent");
    assert_eq!(
        consumer.round_trip(at(5_080), 105, 65_536),
        None,
        "held longer than it took is a lie"
    );
}

#[test]
fn a_stream_that_begins_anew_is_continued_under_the_old_numbers() {
    for (codec, scalability) in [
        (CodecKind::Vp8, Scalability::Simple),
        (CodecKind::Vp8, Scalability::Simulcast),
        (CodecKind::Vp9, Scalability::Svc),
    ] {
        let producer = producer(codec, scalability, 1);
        let mut consumer = consumer(&producer);
        consumer.aim(Some(Layers {
            spatial: 0,
            temporal: 0,
        }));
        let row = |sequence, time, key| Row {
            sequence,
            time,
            key,
            ..Row::default()
        };
        let old = feed(&mut consumer, &producer, row(90_000, 7_000_000, true)).expect("a key frame");
        consumer.restart(0);
        assert_eq!(
            consumer.awaited_key_frame(),
            Some(0),
            "{scalability:?}: nothing before a key frame can be decoded"
        );
        assert_eq!(feed(&mut consumer, &producer, row(70_000, 100, false)), None);
        let new = feed(&mut consumer, &producer, row(70_001, 3_100, true)).expect("a key frame");
        assert_eq!(new.sequence.0, old.sequence.0 + 1, "{scalability:?}");
        let ticks = new.timestamp.wrapping_sub(old.timestamp);
        assert!(
            (1..90_000).contains(&ticks),
            "{scalability:?}: {ticks} ticks, though hardly any time passed"
        );
    }
}

#[test]
fn only_who_receives_a_stream_notices_that_it_began_anew() {
    let producer = producer(CodecKind::Vp8, Scalability::Simulcast, 2);
    let mut consumer = consumer(&producer);
    consumer.aim(Some(Layers {
        spatial: 1,
        temporal: 0,
    }));
    let row = |encoding, sequence| Row {
        encoding,
        sequence,
        time: 1_000,
        key: true,
        ..Row::default()
    };
    assert!(feed(&mut consumer, &producer, row(1, 70_000)).is_some());
    consumer.restart(0);
    assert_eq!(consumer.awaited_key_frame(), None);
    consumer.restart(1);
    assert_eq!(consumer.awaited_key_frame(), Some(1));
}
