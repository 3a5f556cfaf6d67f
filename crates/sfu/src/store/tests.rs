use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const AGE: Duration = Duration::from_secs(1);

fn seq(number: u64) -> SeqNo {
    SeqNo(65_536 + number)
}

fn body(number: u64, len: usize) -> Vec<u8> {
    (0..len).map(|i| (number as usize * 31 + i) as u8).collect()
}

#[test]
fn nothing_is_allocated_before_the_first_packet() {
    let store = PacketStore::new(1024, AGE);
    assert_eq!(store.memory_bytes(), 0);
    assert_eq!(store.packet(Instant::now(), seq(0)), None);
    assert_eq!(store.newest(), None);
}

#[test]
fn an_audio_stream_stays_small() {
    let mut store = PacketStore::new(1024, AGE);
    let start = Instant::now();
    for number in 0..100_000u64 {
        let now = start + Duration::from_millis(20) * number as u32;
        store.insert(now, seq(number), &body(number, 100));
        if number >= 51 {
            assert!(
                store.packet(now, seq(number - 50)).is_some(),
                "packet {number} minus 1 s"
            );
            assert_eq!(store.packet(now, seq(number - 51)), None, "older than 1 s");
        }
    }
    assert!(
        store.memory_bytes() <= 11 * 1024,
        "{} bytes",
        store.memory_bytes()
    );
}

#[test]
fn video_keeps_a_second_and_stops_growing_at_the_bound() {
    // 2.5 Mbit/s of 1100 byte packets: all of the last second is there, in half the bound.
    let mut store = PacketStore::new(1024, AGE);
    let start = Instant::now();
    for number in 0..5_000u64 {
        let now = start + Duration::from_micros(3_520) * number as u32;
        store.insert(now, seq(number), &body(number, 1100));
        for back in [1, 100, 283] {
            if number > back {
                assert_eq!(
                    store.packet(now, seq(number - back)),
                    Some(&body(number - back, 1100)[..])
                );
            }
        }
    }
    assert!(
        store.memory_bytes() <= 540 * 1024,
        "{} bytes",
        store.memory_bytes()
    );

    // 50 Mbit/s: far over the cap; the newest 700 packets are there and memory stays at the bound.
    let mut store = PacketStore::new(1024, AGE);
    for number in 0..20_000u64 {
        let now = start + Duration::from_micros(200) * number as u32;
        store.insert(now, seq(number), &body(number, 1400));
        if number > 700 {
            assert_eq!(
                store.packet(now, seq(number - 700)),
                Some(&body(number - 700, 1400)[..])
            );
        }
    }
    assert!(
        store.memory_bytes() <= 1024 * 1024 + 1024 * 40,
        "{} bytes",
        store.memory_bytes()
    );
}

#[test]
fn what_does_not_fit_is_ignored() {
    let mut store = PacketStore::new(64, AGE);
    let now = Instant::now();
    store.insert(now, seq(1), &[]);
    store.insert(now, seq(2), &[0; 1501]);
    store.insert(now, seq(3), &[7; 1500]);
    store.insert(now, seq(3), &[8; 10]);
    assert_eq!(store.packet(now, seq(1)), None);
    assert_eq!(store.packet(now, seq(2)), None);
    assert_eq!(store.packet(now, seq(3)), Some(&[7; 1500][..]));
    assert_eq!(store.newest(), Some(seq(3)));
    // A packet 64 behind would evict a newer one.
    store.insert(now, SeqNo(seq(3).0 - 64), &[9; 10]);
    assert_eq!(store.packet(now, SeqNo(seq(3).0 - 64)), None);
    assert_eq!(store.packet(now, seq(3)), Some(&[7; 1500][..]));
}

#[test]
fn a_cleared_store_is_empty_and_usable() {
    let mut store = PacketStore::new(64, AGE);
    let now = Instant::now();
    store.insert(now, seq(1), &[1; 100]);
    let memory = store.memory_bytes();
    store.clear();
    assert_eq!((store.packet(now, seq(1)), store.newest()), (None, None));
    store.insert(now, seq(1), &[2; 100]);
    assert_eq!(store.packet(now, seq(1)), Some(&[2; 100][..]));
    assert_eq!(store.memory_bytes(), memory);
}

#[test]
fn a_packet_across_two_quarters_keeps_both_from_being_overwritten() {
    let mut store = PacketStore::new(256, AGE);
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    // The third packet lies across the end of the second quarter of 2 KiB, whose other packets are older.
    for (number, ms, len) in [(0, 0, 1500), (1, 0, 1500), (2, 0, 1000), (3, 500, 200)] {
        store.insert(at(ms), seq(number), &body(number, len));
    }
    for number in 4..10 {
        store.insert(at(1_400), seq(number), &body(number, 1_000));
    }
    // One lap later this one would end within the packet's first part.
    store.insert(at(1_400), seq(10), &body(10, 1_050));
    assert_eq!(store.packet(at(1_400), seq(3)), Some(&body(3, 200)[..]));
}

/// One step of a random history: milliseconds passed, move of the sequence number, packet length.
fn steps() -> impl Strategy<Value = Vec<(u64, i64, usize)>> {
    let step = prop_oneof![
        8 => (0u64..8, Just(1i64), 1usize..1501),
        1 => (0u64..300, -80i64..200, 1usize..200),
        1 => (0u64..2, Just(1i64), 1400usize..1600),
    ];
    prop::collection::vec(step, 1..600)
}

proptest! {
    /// Whatever is found is what was put in; whatever is young, recent and within the bound is found.
    #[test]
    fn it_agrees_with_a_map(steps in steps()) {
        let mut store = PacketStore::new(256, AGE);
        let mut model: HashMap<u64, (Instant, Vec<u8>, usize)> = HashMap::new();
        let mut now = Instant::now();
        let (mut number, mut bytes, mut highest) = (10_000i64, 0usize, 0u64);
        for (round, (passed, moved, len)) in steps.into_iter().enumerate() {
            now += Duration::from_millis(passed);
            number = (number + moved).max(0);
            let packet = body(round as u64, len);
            let held = store.packet(now, seq(number as u64)).is_some();
            store.insert(now, seq(number as u64), &packet);
            if len > MAX_PACKET || held {
                continue;
            }
            if store.packet(now, seq(number as u64)) == Some(&packet[..]) {
                bytes += len;
                highest = highest.max(number as u64);
                model.insert(number as u64, (now, packet, bytes));
            } else {
                prop_assert!((number as u64) < highest.saturating_sub(63), "a recent packet was refused");
            }
            for (&number, (inserted, packet, total)) in &model {
                let found = store.packet(now, seq(number));
                if let Some(found) = found {
                    prop_assert_eq!(found, &packet[..]);
                    prop_assert!(now - *inserted <= AGE);
                }
                // Up to 1500 bytes are lost at the ring's end, once per lap.
                let within = bytes - total + packet.len() <= 256 * BYTES_PER_PACKET - 2 * MAX_PACKET;
                if now - *inserted <= AGE && within && highest - number < 256 {
                    prop_assert!(found.is_some(), "packet {} of {} is gone", number, highest);
                }
            }
        }
        prop_assert!(store.memory_bytes() <= 256 * (BYTES_PER_PACKET + size_of::<Slot>()));
    }
}

/// A camera as browsers send it, in three layers kept for a second, leaves a quarter of a participant's megabyte for
/// everything else.
#[test]
fn a_camera_of_three_layers_fits_its_share() {
    let start = Instant::now();
    let mut together = 0;
    for (bits_per_second, length) in [(150_000, 700), (500_000, 1_000), (2_500_000, 1_150)] {
        let mut store = PacketStore::new(1_024, Duration::from_secs(1));
        let per_second = bits_per_second / 8 / length as u64;
        for number in 0..per_second * 20 {
            let now = start + Duration::from_micros(number * 1_000_000 / per_second);
            store.insert(now, SeqNo(number), &vec![7; length]);
            let oldest = SeqNo(number.saturating_sub(per_second - 1));
            assert!(store.packet(now, oldest).is_some(), "{oldest:?} of {number}");
        }
        together += store.memory_bytes();
    }
    assert!(together <= 768 * 1024, "{together} bytes");
}
