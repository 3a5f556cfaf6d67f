use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Reads a feedback packet as a server would: number to arrival in ticks, and the numbers said to be missing.
fn decode(packet: &[u8]) -> (BTreeMap<u16, u64>, Vec<u16>) {
    assert_eq!(packet[..2], [0x8F, 205]);
    assert_eq!(
        4 * (usize::from(u16::from_be_bytes([packet[2], packet[3]])) + 1),
        packet.len()
    );
    let pair = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let (base, count) = (pair(12), usize::from(pair(14)));
    let reference = u64::from(u32::from_be_bytes([0, packet[16], packet[17], packet[18]]));
    let mut symbols = Vec::new();
    let mut at = 20;
    while symbols.len() < count {
        let chunk = pair(at);
        at += 2;
        if chunk & 0x8000 == 0 {
            symbols.extend(vec![chunk >> 13 & 3; usize::from(chunk & 0x1FFF)]);
        } else {
            assert_ne!(chunk & 0x4000, 0, "two-bit symbols");
            symbols.extend((0..7).map(|symbol| chunk >> (12 - 2 * symbol) & 3));
        }
    }
    let (mut arrivals, mut missing) = (BTreeMap::new(), Vec::new());
    let mut time = (reference * REFERENCE_TICKS).cast_signed();
    for (step, symbol) in symbols[..count].iter().enumerate() {
        let number = base.wrapping_add(step as u16);
        let delta = match symbol {
            0 => {
                missing.push(number);
                continue;
            }
            1 => i64::from(packet[at]),
            2 => i64::from(pair(at).cast_signed()),
            _ => panic!("a reserved symbol"),
        };
        at += usize::from(*symbol);
        time += delta;
        arrivals.insert(number, time.cast_unsigned());
    }
    assert!(packet.len() - at < 4, "nothing but padding follows");
    (arrivals, missing)
}

fn stamp(ticks: u64) -> Stamp {
    Stamp(ticks * TICK * 1_000)
}

#[test]
fn nothing_came_nothing_is_said() {
    let mut out = Vec::new();
    assert!(!Feedback::default().write(&mut out, 1, 2));
    assert!(out.is_empty());
}

#[test]
fn a_gap_is_reported_also_over_two_packets() {
    let mut feedback = Feedback::default();
    feedback.note(65_534, stamp(1_000));
    feedback.note(0, stamp(1_001));
    let mut out = Vec::new();
    assert!(feedback.write(&mut out, 1, 2));
    let expected = BTreeMap::from([(65_534, 1_000), (0, 1_001)]);
    assert_eq!(decode(&out), (expected, vec![65_535]));
    assert_eq!(out[19], 0, "the first packet");
    feedback.note(3, stamp(1_500));
    out.clear();
    assert!(feedback.write(&mut out, 1, 2));
    assert_eq!(decode(&out), (BTreeMap::from([(3, 1_500)]), vec![1, 2]));
    assert_eq!(out[19], 1, "the second");
    out.clear();
    assert!(!feedback.write(&mut out, 1, 2));
}

proptest! {
    #[test]
    fn everything_that_came_is_told_once(
        first: u16,
        start in 0u64..1 << 30,
        packets in prop::collection::vec((1u64..30, 0u64..70_000), 1..600),
    ) {
        let mut feedback = Feedback::default();
        let (mut number, mut time) = (u64::from(first), start);
        let mut expected = BTreeMap::new();
        for (step, pause) in packets {
            expected.insert(number as u16, time & 0xFFFF_FFFF);
            feedback.note(number as u16, stamp(time));
            number += step;
            time += pause / 500;
        }
        let mut told = BTreeMap::new();
        let mut out = Vec::new();
        while feedback.write(&mut out, 1, 2) {
            prop_assert!(out.len() < 1_100);
            let (arrivals, missing) = decode(&out);
            prop_assert!(missing.iter().all(|number| !expected.contains_key(number)));
            for (number, time) in arrivals {
                prop_assert_eq!(told.insert(number, time & 0xFFFF_FFFF), None);
            }
            out.clear();
        }
        prop_assert_eq!(told, expected);
    }
}
