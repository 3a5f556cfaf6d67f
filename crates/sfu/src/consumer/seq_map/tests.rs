use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;

use super::*;

enum Row {
    Sync(u64),
    Drop(u64),
    /// Input and output.
    Map(u64, Option<u64>),
}

fn run(first_output: u64, rows: &[Row]) {
    let mut numbers = Renumbering::new(first_output);
    for (index, row) in rows.iter().enumerate() {
        match *row {
            Row::Sync(input) => numbers.sync(input),
            Row::Drop(input) => numbers.drop(input),
            Row::Map(input, output) => assert_eq!(numbers.map(input), output, "row {index}"),
        }
    }
}

#[test]
fn nothing_dropped_keeps_gaps_and_order() {
    run(
        100,
        &[
            Row::Map(7, Some(100)),
            Row::Map(9, Some(102)),
            Row::Map(8, Some(101)),
            Row::Map(6, None),
        ],
    );
}

#[test]
fn drops_close_the_gap() {
    run(
        100,
        &[
            Row::Drop(3),
            Row::Map(7, Some(100)),
            Row::Drop(8),
            Row::Drop(9),
            Row::Map(10, Some(101)),
            Row::Drop(11),
            Row::Map(12, Some(102)),
            Row::Map(8, None),
            Row::Map(11, None),
            Row::Map(10, Some(101)),
            Row::Map(7, Some(100)),
        ],
    );
}

#[test]
fn late_packets_around_a_run_find_their_place() {
    run(
        100,
        &[
            Row::Map(7, Some(100)),
            // 8 and 9 are late, 10 and 12 dropped, 11 is late.
            Row::Drop(10),
            Row::Drop(12),
            Row::Map(13, Some(104)),
            Row::Map(11, Some(103)),
            Row::Map(9, Some(102)),
            Row::Map(8, Some(101)),
            // Too late to drop: the place stays empty.
            Row::Map(16, Some(107)),
            Row::Drop(15),
            Row::Map(17, Some(108)),
        ],
    );
}

#[test]
fn another_stream_follows_on_directly() {
    run(
        65_535,
        &[
            Row::Sync(5),
            Row::Map(5, Some(65_535)),
            Row::Map(8, Some(65_538)),
            Row::Drop(9),
            Row::Sync(1_000_000),
            Row::Map(1_000_000, Some(65_539)),
            Row::Map(999_999, None),
            Row::Map(8, None),
            Row::Map(1_000_001, Some(65_540)),
            // Backwards, and a stream of which nothing is sent.
            Row::Sync(3),
            Row::Drop(3),
            Row::Sync(50),
            Row::Map(50, Some(65_541)),
        ],
    );
}

#[test]
fn a_stream_may_begin_with_drops() {
    run(
        10,
        &[
            Row::Map(1, Some(10)),
            Row::Sync(500),
            Row::Drop(500),
            Row::Drop(501),
            Row::Map(502, Some(11)),
            Row::Map(501, None),
        ],
    );
}

#[test]
fn forgotten_runs_make_old_packets_unplaceable_not_wrong() {
    let mut numbers = Renumbering::new(0);
    numbers.map(1_000);
    // Every third number is dropped, every third is missing.
    for group in 0..200 {
        let base = 1_001 + 3 * group;
        numbers.drop(base + 1);
        numbers.map(base + 2);
    }
    let newest = numbers.newest_output().unwrap();
    assert_eq!(newest, 400);
    for group in 0..200u64 {
        let expected = (group > 200 - MAX_RUNS as u64 - 1).then_some(1 + 2 * group);
        assert_eq!(numbers.map(1_001 + 3 * group), expected, "group {group}");
    }
}

fn sent(input: u64) -> Sent {
    Sent {
        stream: (input % 3) as u8,
        input: SeqNo(input),
        timestamp_offset: input as u32 ^ 0xffff_0000,
        picture_id: input as u16 & 0x7fff,
        tl0_pic_idx: input as u8,
        marker: input.is_multiple_of(5),
    }
}

#[test]
fn a_number_leads_back_to_what_was_sent_under_it() {
    let mut map = SequenceMap::new(SeqNo::first(65_000));
    assert_eq!(map.source(65_000), None);
    for input in 1_000..5_000 {
        if input % 4 == 0 {
            map.drop(SeqNo(input));
        } else {
            let output = map.map(SeqNo(input)).unwrap();
            map.record(output, sent(input));
        }
    }
    let newest = map.newest_output().unwrap();
    // 1,000 was dropped before the first packet, so 1,001 came first.
    assert_eq!(newest.wire(), 65_000u16.wrapping_add(2_999));
    let wire = newest.wire();
    assert_eq!(map.source(wire), Some(sent(4_999)));
    assert_eq!(map.source(wire.wrapping_sub(3)), Some(sent(4_995)));
    assert!(map.source(wire.wrapping_sub(1_023)).is_some());
    assert_eq!(map.source(wire.wrapping_sub(1_024)), None, "too old");
    assert_eq!(map.source(wire.wrapping_add(1)), None, "not sent yet");
}

#[test]
fn a_number_never_sent_leads_nowhere() {
    let mut map = SequenceMap::new(SeqNo(70_000));
    for input in 0..2_000u64 {
        let output = map.map(SeqNo(input)).unwrap();
        // The second time around the ring every fifth is lost before it comes here.
        if input < 1_024 || input % 5 != 0 {
            map.record(output, sent(input));
        }
    }
    for input in 1_024..2_000u64 {
        let expected = (input % 5 != 0).then_some(sent(input));
        assert_eq!(
            map.source(SeqNo(70_000 + input).wire()),
            expected,
            "input {input}"
        );
    }
}

#[derive(Clone, Debug)]
enum Op {
    Map,
    Drop,
    Lose,
    Late(usize),
    Sync(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        10 => Just(Op::Map),
        4 => Just(Op::Drop),
        2 => Just(Op::Lose),
        3 => (0usize..100).prop_map(Op::Late),
        1 => (0u64..200_000).prop_map(Op::Sync),
    ];
    prop::collection::vec(op, 1..2_000)
}

proptest! {
    /// Injective over the consumer's life, monotone within a stream, and without a gap that the network did not make;
    /// across wraps of the wire number.
    #[test]
    fn numbers_are_continuous(ops in ops(), first_output in 0u64..200_000) {
        let mut map = SequenceMap::new(SeqNo(first_output));
        let mut input = 100_000u64;
        let mut outputs = HashSet::new();
        let mut stream = BTreeMap::new();
        let mut lost = Vec::new();
        let mut gap = 0u64;
        let mut begun = false;
        let mut previous: Option<u64> = None;
        let mut origin = HashMap::new();
        for op in ops {
            match op {
                Op::Map => {
                    let output = map.map(SeqNo(input)).unwrap();
                    prop_assert!(outputs.insert(output));
                    let expected = previous.map_or(first_output, |previous| previous + gap + 1);
                    prop_assert_eq!(output.0, expected);
                    previous = Some(output.0);
                    gap = 0;
                    begun = true;
                    stream.insert(input, output);
                    map.record(output, sent(input));
                    origin.insert(output, input);
                    input += 1;
                }
                Op::Drop => {
                    map.drop(SeqNo(input));
                    input += 1;
                }
                Op::Lose => {
                    if begun {
                        lost.push(input);
                        gap += 1;
                    } else if previous.is_some() {
                        // Before a stream's first packet is sent its numbers count from the sync on.
                        gap += 1;
                        lost.push(input);
                    }
                    input += 1;
                }
                Op::Late(index) if !lost.is_empty() => {
                    let late = lost.remove(index % lost.len());
                    let newer = stream.range(late..).next().is_some();
                    if !newer {
                        lost.push(late);
                        continue;
                    }
                    if let Some(output) = map.map(SeqNo(late)) {
                        prop_assert!(outputs.insert(output));
                        stream.insert(late, output);
                        map.record(output, sent(late));
                        origin.insert(output, late);
                    }
                }
                Op::Late(_) => {}
                Op::Sync(to) => {
                    input = to;
                    map.sync(SeqNo(input));
                    gap = 0;
                    begun = false;
                    stream.clear();
                    lost.clear();
                }
            }
            let rising = stream.values().collect::<Vec<_>>();
            prop_assert!(rising.windows(2).rev().take(40).all(|pair| pair[0] < pair[1]));
        }
        prop_assert_eq!(map.newest_output(), outputs.into_iter().max());
        if let Some(newest) = map.newest_output() {
            for back in 0..SENT as u64 {
                let Some(output) = newest.0.checked_sub(back).map(SeqNo) else { break };
                let expected = origin.get(&output).map(|&input| sent(input));
                prop_assert_eq!(map.source(output.wire()), expected);
            }
        }
    }
}
