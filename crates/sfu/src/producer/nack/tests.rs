use proptest::prelude::*;

use super::*;

const RTT: Duration = Duration::from_millis(100);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

enum Row {
    /// At this time a packet arrives.
    Packet(u64, u64, Arrival),
    /// The same, the first packet of a key frame.
    Key(u64, u64),
    /// At this time `poll` asks for these numbers.
    Asks(u64, &'static [u16]),
    /// At this time `poll` asks for whatever is missing.
    AsksSomething(u64),
    /// At this time `poll` asks for a key frame.
    AsksKey(u64),
}

fn run(rows: &[Row]) {
    let start = Instant::now();
    let mut nack = NackGenerator::new();
    let mut out = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        match *row {
            Row::Packet(at, seq, arrival) => {
                assert_eq!(
                    nack.on_packet(start + ms(at), SeqNo(seq), false),
                    arrival,
                    "row {index}"
                );
            }
            Row::Key(at, seq) => {
                assert_eq!(
                    nack.on_packet(start + ms(at), SeqNo(seq), true),
                    Arrival::New,
                    "row {index}"
                );
            }
            Row::Asks(at, expected) => {
                let action = nack.poll(start + ms(at), RTT, &mut out);
                assert_eq!(out, expected, "row {index}");
                let wanted = if expected.is_empty() {
                    NackAction::None
                } else {
                    NackAction::Nack
                };
                assert_eq!(action, wanted, "row {index}");
            }
            Row::AsksSomething(at) => {
                let action = nack.poll(start + ms(at), RTT, &mut out);
                assert_eq!(action, NackAction::Nack, "row {index}");
            }
            Row::AsksKey(at) => {
                let action = nack.poll(start + ms(at), RTT, &mut out);
                assert_eq!(action, NackAction::KeyFrame, "row {index}");
            }
        }
    }
}

#[test]
fn no_gap_no_request() {
    run(&[
        Row::Packet(0, 65_536, Arrival::New),
        Row::Packet(1, 65_537, Arrival::New),
        Row::Packet(1, 65_537, Arrival::Duplicate),
        Row::Packet(2, 65_530, Arrival::Duplicate),
        Row::Asks(100, &[]),
    ]);
}

#[test]
fn a_gap_is_asked_for_after_the_reordering_delay_and_once_per_round_trip() {
    run(&[
        Row::Packet(0, 65_536, Arrival::New),
        Row::Packet(1, 65_539, Arrival::New),
        Row::Asks(1, &[]),
        Row::Asks(5, &[]),
        Row::Asks(6, &[1, 2]),
        Row::Asks(7, &[]),
        Row::Asks(105, &[]),
        Row::Packet(105, 65_538, Arrival::Recovered),
        Row::Asks(106, &[1]),
        Row::Packet(150, 65_537, Arrival::Recovered),
        Row::Packet(151, 65_537, Arrival::Duplicate),
        Row::Asks(300, &[]),
    ]);
}

#[test]
fn reordering_is_not_asked_for() {
    run(&[
        Row::Packet(0, 65_536, Arrival::New),
        Row::Packet(1, 65_538, Arrival::New),
        Row::Packet(3, 65_537, Arrival::Recovered),
        Row::Asks(10, &[]),
    ]);
}

#[test]
fn numbers_wrap() {
    run(&[
        Row::Packet(0, 131_070, Arrival::New),
        Row::Packet(1, 131_074, Arrival::New),
        Row::Asks(6, &[65_535, 0, 1]),
        Row::Packet(7, 131_072, Arrival::Recovered),
        Row::Asks(106, &[65_535, 1]),
    ]);
}

#[test]
fn a_packet_is_given_up_after_ten_requests() {
    let start = Instant::now();
    let mut nack = NackGenerator::new();
    let mut out = Vec::new();
    nack.on_packet(start, SeqNo(65_536), false);
    nack.on_packet(start, SeqNo(65_538), false);
    let mut now = start;
    let mut requests = 0;
    while let Some(due) = nack.poll_timeout() {
        now = due;
        match nack.poll(now, RTT, &mut out) {
            NackAction::Nack => requests += 1,
            action => assert_eq!((action, requests), (NackAction::KeyFrame, 10)),
        }
    }
    assert_eq!(now - start, REORDER_DELAY + 10 * RTT);
    assert_eq!(nack.on_packet(now, SeqNo(65_537), false), Arrival::Duplicate);
}

#[test]
fn answers_tell_the_round_trip() {
    let mut rows = vec![Row::Packet(0, 65_536, Arrival::New)];
    // Twenty answers after 40 ms each; requests are spaced by 40 ms and a quarter after that.
    for round in 0..20 {
        let (at, seq) = (200 * round, 65_536 + 2 * round);
        rows.push(Row::Packet(at, seq + 2, Arrival::New));
        rows.push(Row::AsksSomething(at + 5));
        rows.push(Row::Packet(at + 45, seq + 1, Arrival::Recovered));
    }
    rows.push(Row::Packet(5_000, 65_578, Arrival::New));
    rows.extend([
        Row::Asks(5_005, &[41]),
        Row::Asks(5_050, &[]),
        Row::Asks(5_055, &[41]),
        Row::Asks(5_105, &[41]),
    ]);
    run(&rows);
}

#[test]
fn on_a_short_path_a_packet_is_asked_for_half_a_second() {
    let start = Instant::now();
    let mut nack = NackGenerator::new();
    let mut out = Vec::new();
    nack.on_packet(start, SeqNo(65_536), false);
    nack.on_packet(start, SeqNo(65_538), false);
    let mut last = start;
    let mut requests = 0;
    while let Some(due) = nack.poll_timeout() {
        last = due;
        if nack.poll(due, ms(0), &mut out) == NackAction::Nack {
            requests += 1;
        }
    }
    assert_eq!((requests, last - start), (25, ms(505)));
}

#[test]
fn what_is_given_up_is_made_up_for_by_a_key_frame_unless_one_came_after_it() {
    // Numbers missing, where a key frame came after, and what is asked for in the end.
    for (key, expected) in [(None, 1), (Some(65_540), 0), (Some(65_537), 1)] {
        let start = Instant::now();
        let mut nack = NackGenerator::new();
        let mut out = Vec::new();
        for seq in [65_536, 65_537, 65_539, 65_540] {
            nack.on_packet(start, SeqNo(seq), key == Some(seq));
        }
        let mut asked = 0;
        while let Some(due) = nack.poll_timeout() {
            asked += usize::from(nack.poll(due, RTT, &mut out) == NackAction::KeyFrame);
        }
        assert_eq!(asked, expected, "key frame at {key:?}");
    }
}

#[test]
fn a_short_round_trip_does_not_flood() {
    let start = Instant::now();
    let mut nack = NackGenerator::new();
    let mut out = Vec::new();
    nack.on_packet(start, SeqNo(65_536), false);
    nack.on_packet(start, SeqNo(65_538), false);
    let requests = (0..100)
        .filter(|&at| nack.poll(start + ms(at), ms(0), &mut out) == NackAction::Nack)
        .count();
    assert_eq!(requests, 5, "at 5, 25, 45, 65 and 85 ms");
}

#[test]
fn too_many_missing_packets_are_given_up_to_a_key_frame() {
    run(&[
        Row::Packet(0, 65_536, Arrival::New),
        Row::Packet(1, 66_136, Arrival::New),
        Row::Key(2, 66_137),
        // 599 are missing before the key frame and 699 after it.
        Row::Packet(3, 66_837, Arrival::New),
        Row::Packet(4, 65_600, Arrival::Duplicate),
        Row::Packet(5, 66_138, Arrival::Recovered),
    ]);
}

#[test]
fn too_many_missing_packets_without_a_key_frame_ask_for_one() {
    run(&[
        Row::Packet(0, 65_536, Arrival::New),
        Row::Packet(1, 66_037, Arrival::New),
        Row::Packet(2, 66_700, Arrival::New),
        Row::AsksKey(2),
        Row::Asks(200, &[]),
    ]);
    // The new packet begins a key frame itself: nothing to ask for.
    run(&[
        Row::Packet(0, 65_536, Arrival::New),
        Row::Key(1, 68_000),
        Row::Asks(200, &[]),
    ]);
}

#[test]
fn very_old_packets_are_forgotten() {
    let start = Instant::now();
    let mut nack = NackGenerator::new();
    nack.on_packet(start, SeqNo(65_536), false);
    nack.on_packet(start, SeqNo(65_538), false);
    for seq in 65_539..75_538 {
        nack.on_packet(start, SeqNo(seq), false);
    }
    assert_eq!(nack.missing(), 1);
    nack.on_packet(start, SeqNo(75_538), false);
    assert_eq!(nack.missing(), 0);
}

proptest! {
    /// What is asked for was sent, is missing, and is asked for at most 25 times; the list stays bounded.
    #[test]
    fn only_missing_packets_are_asked_for(
        arrivals in prop::collection::vec((0u64..40, 0u64..2_000, 0u8..12), 1..400),
        rtt in 0u64..300,
    ) {
        let mut now = Instant::now();
        let mut nack = NackGenerator::new();
        let mut out = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut asked = std::collections::HashMap::new();
        let mut newest = 70_000u64;
        for (passed, back, kind) in arrivals {
            now += ms(passed);
            let seq = match kind {
                0..=5 => newest + 1,
                6 | 7 => newest + 1 + back % 5,
                8 => newest + back,
                _ => newest - back,
            };
            let arrival = nack.on_packet(now, SeqNo(seq), kind == 5);
            let first = seen.is_empty();
            let first_time = seen.insert(seq);
            if arrival != Arrival::Duplicate {
                prop_assert!(first_time);
            }
            prop_assert_eq!(arrival == Arrival::New, first || seq > newest);
            newest = if first { seq } else { newest.max(seq) };
            if nack.poll(now, ms(rtt), &mut out) == NackAction::Nack {
                let mut previous = None;
                for &wire in &out {
                    let seq = SeqNo::expand(SeqNo(newest), wire);
                    prop_assert!(seq.0 < newest && !seen.contains(&seq.0));
                    prop_assert!(previous < Some(seq), "in the order sent");
                    previous = Some(seq);
                    let count = asked.entry(seq).or_insert(0);
                    *count += 1;
                    prop_assert!(*count <= 25);
                }
            }
            prop_assert!(nack.missing() <= MAX_MISSING);
            if let Some(due) = nack.poll_timeout() {
                prop_assert!(due > now, "polled, so nothing is overdue");
            }
        }
    }
}
