use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const RATE: u32 = 90_000;

fn stream() -> ReceiveStream {
    ReceiveStream::new(Ssrc(7), RATE)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn packets_are_placed_in_order() {
    // Wire number, then the number since the first packet and the order; `None` for a packet not taken.
    let rows: &[(u16, Option<(i64, Order)>)] = &[
        (65_534, Some((0, Order::New))),
        (65_535, Some((1, Order::New))),
        (1, Some((3, Order::New))),
        (0, Some((2, Order::Late))),
        (0, Some((2, Order::Duplicate))),
        (1, Some((3, Order::Duplicate))),
        (65_533, Some((-1, Order::Duplicate))),
        (3_000, Some((3_002, Order::New))),
        (1_501, Some((1_503, Order::Late))),
        (1_499, None),
        (6_000, None),
        (3_001, Some((3_003, Order::New))),
        (40_000, None),
        (40_002, None),
        (40_003, Some((40_005, Order::New))),
        (40_002, Some((40_004, Order::Duplicate))),
        (40_004, Some((40_006, Order::New))),
        // Starting anew at a lower number counts on upwards.
        (7, None),
        (8, Some((65_546, Order::New))),
    ];
    let now = Instant::now();
    let mut stream = stream();
    for (index, &(wire, expected)) in rows.iter().enumerate() {
        let placed = stream.on_packet(now, wire, 0, 100);
        let first = SeqNo::first(65_534);
        let found = placed.map(|placed| (placed.seq.distance(first), placed.order));
        assert_eq!(found, expected, "row {index}");
        assert!(placed.is_none_or(|placed| placed.seq.wire() == wire));
    }
}

#[test]
fn loss_is_reported_per_interval_and_in_all() {
    let now = Instant::now();
    let mut stream = stream();
    assert_eq!(stream.report_block(now), None);
    for wire in 0..100 {
        // One in four of the second half is lost.
        if wire < 50 || wire % 4 != 0 {
            stream.on_packet(now, wire, 0, 100);
        }
    }
    let block = stream.report_block(now).unwrap();
    assert_eq!(
        (block.ssrc, block.cumulative_lost, block.highest_sequence),
        (Ssrc(7), 12, 99)
    );
    assert_eq!(block.fraction_lost, (12 * 256 / 100) as u8);
    assert_eq!((block.last_sr, block.delay_since_last_sr), (0, 0));
    for wire in 100..200 {
        stream.on_packet(now, wire, 0, 100);
    }
    // Late packets make up for loss reported earlier; duplicates make up for nothing.
    for wire in [52, 52, 56, 60, 199] {
        stream.on_packet(now, wire, 0, 100);
    }
    let block = stream.report_block(now).unwrap();
    assert_eq!(
        (block.fraction_lost, block.cumulative_lost, block.highest_sequence),
        (0, 9, 199)
    );
    let block = stream.report_block(now).unwrap();
    assert_eq!(block.fraction_lost, 0, "nothing was expected");
}

#[test]
fn everything_lost_but_one_is_not_a_fraction_of_one() {
    let now = Instant::now();
    let mut stream = stream();
    stream.on_packet(now, 0, 0, 100);
    stream.report_block(now);
    stream.on_packet(now, 2_999, 0, 100);
    assert_eq!(stream.report_block(now).unwrap().fraction_lost, 255);
}

#[test]
fn repairs_count_apart_from_the_network() {
    let now = Instant::now();
    let mut stream = stream();
    assert_eq!(stream.on_repair(now, 3, 0, 100), None, "nothing to repair yet");
    for wire in [0, 1, 5] {
        stream.on_packet(now, wire, 3_000, 100);
    }
    assert_eq!(stream.on_repair(now, 6, 0, 100), None, "ahead of the stream");
    let first = SeqNo::first(0);
    let repaired = stream.on_repair(now, 3, 3_000, 100).unwrap();
    assert_eq!((repaired.seq.distance(first), repaired.order), (3, Order::Late));
    assert_eq!(
        stream.on_repair(now, 3, 3_000, 100).unwrap().order,
        Order::Duplicate
    );
    assert_eq!(
        stream.on_packet(now, 3, 3_000, 100).unwrap().order,
        Order::Duplicate
    );
    assert_eq!(stream.report_block(now).unwrap().cumulative_lost, 3);
    assert_eq!(
        (stream.lost_after_repair(), stream.repaired),
        (0, 1),
        "2 and 4 may still come"
    );
    assert_eq!(
        stream.take_interval(),
        Interval {
            expected: 6,
            received: 3,
            repaired: 1
        }
    );
    assert_eq!(stream.take_interval(), Interval::default());
    for wire in 6..600 {
        stream.on_packet(now, wire, 3_000, 100);
    }
    assert_eq!(stream.lost_after_repair(), 2);
}

#[test]
fn a_jump_keeps_the_loss_so_far_and_counts_anew() {
    let now = Instant::now();
    let mut stream = stream();
    for wire in [0, 3, 20_000, 20_001, 20_002] {
        stream.on_packet(now, wire, 0, 100);
    }
    let block = stream.report_block(now).unwrap();
    assert_eq!((block.cumulative_lost, block.highest_sequence), (0, 20_002));
    assert_eq!(stream.lost_after_repair(), 2);
}

#[test]
fn jitter_follows_the_formula() {
    let start = Instant::now();
    let mut stream = stream();
    // A frame each 33.3 ms of media time, arriving each 33.3 ms plus or minus 5 ms: D is 10 ms or 900 ticks.
    let mut expected = 0i64;
    for number in 0..200u32 {
        let arrival = start
            + Duration::from_micros(33_333 * u64::from(number))
            + ms(if number % 2 == 0 { 0 } else { 10 });
        stream.on_packet(arrival, number as u16, 3_000 * number, 100);
        if number > 0 {
            expected += 900 - ((expected + 8) >> 4);
        }
        assert!(
            (i64::from(stream.jitter()) - (expected >> 4)).abs() <= 1,
            "packet {number}"
        );
    }
    assert!((890..=900).contains(&stream.jitter()), "{}", stream.jitter());
    // More packets of the same timestamp, and late ones, change nothing.
    let before = stream.jitter();
    stream.on_packet(start + ms(9_000), 200, 3_000 * 199, 100);
    stream.on_packet(start + ms(9_100), 199, 3_000 * 199, 100);
    assert_eq!(stream.jitter(), before);
}

#[test]
fn a_steady_stream_has_no_jitter_over_the_timestamp_wrap() {
    let start = Instant::now();
    let mut stream = stream();
    for number in 0..100u32 {
        let time = (u32::MAX - 90_000).wrapping_add(number * 1_800);
        let placed = stream
            .on_packet(start + ms(20) * number, number as u16, time, 100)
            .unwrap();
        assert_eq!(placed.time.wire(), time);
        assert!(stream.jitter() <= 1);
    }
}

#[test]
fn reports_say_when_the_last_sender_report_came() {
    let start = Instant::now();
    let mut stream = stream();
    stream.on_packet(start, 0, 0, 100);
    stream.on_sender_report(start + ms(100), NtpTime(0x1122_3344_5566_7788), 9_000);
    let block = stream.report_block(start + ms(1_600)).unwrap();
    assert_eq!((block.last_sr, block.delay_since_last_sr), (0x3344_5566, 3 << 15));
}

#[test]
fn timestamps_map_to_the_senders_wall_clock() {
    let start = Instant::now();
    let mut stream = stream();
    assert_eq!(stream.rtp_to_ntp(RtpTime(0)), None);
    let base = u32::MAX - 1_000;
    let placed = stream.on_packet(start, 0, base, 100).unwrap();
    assert_eq!(stream.sender_clock(start), None);
    // The report's timestamp lies beyond the wrap.
    let ntp = NtpTime(1_000 << 32);
    stream.on_sender_report(start + ms(50), ntp, base.wrapping_add(45_000));
    let half = 1u64 << 31;
    assert_eq!(stream.rtp_to_ntp(placed.time), Some(NtpTime(ntp.0 - half)));
    let later = stream
        .on_packet(start, 1, base.wrapping_add(90_000), 100)
        .unwrap();
    assert_eq!(stream.rtp_to_ntp(later.time), Some(NtpTime(ntp.0 + half)));
    let clock = stream.sender_clock(start + ms(550)).unwrap();
    assert_eq!(
        clock,
        SenderClock {
            ntp: NtpTime(ntp.0 + half),
            time: later.time
        }
    );
}

#[test]
fn a_report_may_come_before_the_first_packet() {
    let start = Instant::now();
    let mut stream = stream();
    stream.on_sender_report(start, NtpTime(5 << 32), 10);
    let placed = stream.on_packet(start, 0, u32::MAX, 100).unwrap();
    assert!(stream.rtp_to_ntp(placed.time).unwrap() < NtpTime(5 << 32));
}

#[test]
fn the_bit_rate_is_that_of_the_last_second() {
    let start = Instant::now();
    let mut stream = stream();
    for number in 0..1_000u32 {
        stream.on_packet(start + ms(2) * number, number as u16, number, 250);
    }
    assert_eq!(stream.bitrate(start + ms(1_999)), Bitrate(1_000_000));
}

proptest! {
    /// Loss and repair account for every number, whatever is lost, repaired, repeated or reordered.
    #[test]
    fn every_packet_is_accounted_for(
        first: u16,
        fates in prop::collection::vec(0u8..6, 1..2_000),
    ) {
        let now = Instant::now();
        let mut stream = stream();
        let mut late = Vec::new();
        let (mut lost, mut repaired) = (0, 0);
        let mut seen = HashSet::new();
        stream.on_packet(now, first, 0, 100);
        for (index, fate) in fates.into_iter().enumerate() {
            let wire = first.wrapping_add(1 + index as u16);
            match fate {
                0 => lost += 1,
                1 => late.push((index, wire, false)),
                2 => late.push((index, wire, true)),
                _ => {
                    let placed = stream.on_packet(now, wire, 0, 100).unwrap();
                    prop_assert_eq!(placed.order, Order::New);
                    prop_assert!(seen.insert(placed.seq));
                }
            }
            if let Some(&(from, wire, by_repair)) = late.first().filter(|(from, ..)| from + 20 < index) {
                let ahead = SeqNo::expand(stream.newest().unwrap(), wire) > stream.newest().unwrap();
                if ahead {
                    continue;
                }
                late.remove(0);
                let placed = if by_repair {
                    repaired += 1;
                    stream.on_repair(now, wire, 0, 100)
                } else {
                    stream.on_packet(now, wire, 0, 100)
                };
                let placed = placed.unwrap();
                prop_assert_eq!(placed.order, Order::Late, "packet {}", from);
                prop_assert!(seen.insert(placed.seq));
            }
        }
        // All that is missing now is lost for good after some hundred packets more.
        let last = stream.newest().unwrap();
        for step in 1..=600 {
            stream.on_packet(now, last.offset(step).wire(), 0, 100);
        }
        prop_assert_eq!(stream.repaired, repaired);
        let expected = last.distance(SeqNo::first(first)) as u64 + 1;
        prop_assert_eq!(expected - stream.lost_after_repair(), seen.len() as u64 + 1);
        prop_assert!(stream.lost_after_repair() <= lost + late.len() as u64);
    }
}
