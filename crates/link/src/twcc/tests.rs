use super::*;
use proptest::prelude::*;
use rtp::rtcp::{RtcpPacket, packets};

const SENDER: Ssrc = Ssrc(1);
const MEDIA: Ssrc = Ssrc(2);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Every status in the feedback, with arrivals in ticks since the recorder's epoch.
fn statuses(feedback: &[u8]) -> Vec<(u16, Option<i64>)> {
    let mut found = Vec::new();
    for packet in packets(feedback) {
        let Ok(RtcpPacket::Twcc(feedback)) = packet else {
            panic!("{packet:?}")
        };
        let mut at = i64::from(feedback.reference_time) * TICKS_PER_REFERENCE;
        for (number, delta) in feedback.statuses() {
            at += i64::from(delta.unwrap_or(0));
            found.push((number, delta.map(|_| at)));
        }
    }
    found
}

fn build(recorder: &mut ArrivalRecorder, now: Instant) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(recorder.build(now, SENDER, MEDIA, &mut out));
    out
}

#[test]
fn feedback_comes_100_ms_after_the_first_arrival_and_only_while_packets_come() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    assert_eq!(recorder.poll_timeout(), None);
    recorder.on_packet(start + ms(10), 7);
    recorder.on_packet(start + ms(60), 8);
    assert_eq!(recorder.poll_timeout(), Some(start + ms(110)));
    let mut out = Vec::new();
    assert!(!recorder.build(start + ms(109), SENDER, MEDIA, &mut out) && out.is_empty());
    let feedback = build(&mut recorder, start + ms(110));
    assert_eq!(statuses(&feedback), [(7, Some(40)), (8, Some(240))]);
    assert_eq!(recorder.poll_timeout(), None);
    assert!(!recorder.build(start + ms(500), SENDER, MEDIA, &mut out) && out.is_empty());

    recorder.on_packet(start + ms(600), 9);
    assert_eq!(recorder.poll_timeout(), Some(start + ms(700)));
}

#[test]
fn feedback_packets_are_numbered() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    for round in 0..300_u16 {
        let now = start + ms(u64::from(round) * 100);
        recorder.on_packet(now, round);
        let feedback = build(&mut recorder, now + ms(100));
        let Some(Ok(RtcpPacket::Twcc(feedback))) = packets(&feedback).next() else {
            panic!()
        };
        assert_eq!(
            (feedback.feedback_count, feedback.sender, feedback.media),
            (round as u8, SENDER, MEDIA)
        );
    }
}

#[test]
fn losses_are_reported_up_to_the_newest_packet_across_the_wrap() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    for number in [65533, 65535, 1] {
        recorder.on_packet(start, number);
    }
    let feedback = build(&mut recorder, start + ms(100));
    let expected = [
        (65533, Some(0)),
        (65534, None),
        (65535, Some(0)),
        (0, None),
        (1, Some(0)),
    ];
    assert_eq!(statuses(&feedback), expected);
    // The next begins where this one ended, losses included.
    recorder.on_packet(start + ms(120), 4);
    let feedback = build(&mut recorder, start + ms(220));
    assert_eq!(statuses(&feedback), [(2, None), (3, None), (4, Some(480))]);
}

#[test]
fn reordered_packets_have_negative_deltas_and_late_ones_are_reported_again() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    recorder.on_packet(start, 10);
    recorder.on_packet(start + ms(5), 12);
    recorder.on_packet(start + ms(9), 11);
    recorder.on_packet(start + ms(9), 14);
    let feedback = build(&mut recorder, start + ms(100));
    let expected = [
        (10, Some(0)),
        (11, Some(36)),
        (12, Some(20)),
        (13, None),
        (14, Some(36)),
    ];
    assert_eq!(statuses(&feedback), expected);

    recorder.on_packet(start + ms(110), 13);
    recorder.on_packet(start + ms(110), 15);
    let feedback = build(&mut recorder, start + ms(210));
    assert_eq!(
        statuses(&feedback),
        [(13, Some(440)), (14, Some(36)), (15, Some(440))]
    );
}

#[test]
fn duplicates_and_packets_far_too_late_say_nothing() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    recorder.on_packet(start, 2000);
    build(&mut recorder, start + ms(100));
    recorder.on_packet(start + ms(150), 2000);
    recorder.on_packet(start + ms(150), 2000 - 600);
    assert_eq!(recorder.poll_timeout(), None);
    recorder.on_packet(start + ms(150), 2000 - 500);
    assert_eq!(recorder.poll_timeout(), Some(start + ms(250)));
    assert_eq!(statuses(&build(&mut recorder, start + ms(250))).len(), 501);
}

#[test]
fn a_sender_that_starts_again_is_not_taken_for_loss() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    recorder.on_packet(start, 100);
    recorder.on_packet(start, 30_000);
    let feedback = build(&mut recorder, start + ms(100));
    assert_eq!(statuses(&feedback), [(30_000, Some(0))]);
}

#[test]
fn a_rush_is_reported_at_once_in_packets_below_an_mtu() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    for number in 0..FEEDBACK_COUNT as u16 {
        assert_ne!(recorder.poll_timeout(), Some(start));
        recorder.on_packet(start, number);
    }
    assert_eq!(recorder.poll_timeout(), Some(start));
    // Nobody asks for a while.
    for number in 0..5000_u16 {
        recorder.on_packet(start + ms(u64::from(number % 7) * 70), number.wrapping_mul(3));
    }
    let feedback = build(&mut recorder, start + ms(500));
    assert!(statuses(&feedback).len() <= WINDOW);
    let mut rest = feedback.as_slice();
    while let [_, _, high, low, ..] = rest {
        let len = (usize::from(u16::from_be_bytes([*high, *low])) + 1) * 4;
        assert!(len <= MAX_FEEDBACK_LEN);
        rest = &rest[len..];
    }
}

#[test]
fn a_pause_longer_than_a_delta_can_say_starts_another_packet() {
    let start = Instant::now();
    let mut recorder = ArrivalRecorder::new(start);
    recorder.on_packet(start, 1);
    recorder.on_packet(start + ms(9000), 2);
    let feedback = build(&mut recorder, start + ms(9000));
    assert_eq!(packets(&feedback).count(), 2);
    assert_eq!(statuses(&feedback), [(1, Some(0)), (2, Some(36_000))]);
}

/// Feedback bytes for given numbers.
fn feedback(base: u16, reference_time: i32, deltas: &[Option<i16>]) -> Vec<u8> {
    let mut out = Vec::new();
    let report = TwccReport {
        sender: SENDER,
        media: MEDIA,
        base,
        reference_time,
        feedback_count: 0,
        statuses: deltas,
    };
    write::twcc(&mut out, &report);
    out
}

/// `(number, received, late)` of what the register makes of feedback.
fn heard(register: &mut SendRegister, now: Instant, bytes: &[u8]) -> Vec<(u16, Option<i64>, bool)> {
    let Some(Ok(RtcpPacket::Twcc(feedback))) = packets(bytes).next() else {
        panic!()
    };
    let acked = register.on_feedback(now, &feedback);
    acked
        .iter()
        .map(|a| (a.seq.wire(), a.received.map(|at| at.0), a.late))
        .collect()
}

/// Arrival of a reference time in the first cycle.
fn at(reference: i64, ticks: i64) -> Option<i64> {
    Some((REFERENCE_CYCLE + reference) * 64_000 + ticks * 250)
}

#[test]
fn feedback_becomes_what_happened_to_packets() {
    let start = Instant::now();
    let mut register = SendRegister::default();
    for number in 1..=4 {
        assert_eq!(
            register.stamp(start + ms(number), 100 * number as usize),
            number as u16
        );
    }
    let bytes = feedback(1, 5, &[Some(10), None, Some(-2)]);
    let Some(Ok(RtcpPacket::Twcc(parsed))) = packets(&bytes).next() else {
        panic!()
    };
    let acked = register.on_feedback(start + ms(50), &parsed).to_vec();
    let third = Acked {
        seq: SeqNo::first(3),
        size: 300,
        sent: start + ms(3),
        received: at(5, 8).map(ArrivalTime),
        late: false,
    };
    assert_eq!(acked[2], third);
    assert_eq!(
        (acked[0].received, acked[1].received),
        (at(5, 10).map(ArrivalTime), None)
    );
}

#[test]
fn a_fate_is_told_once_and_may_turn_for_the_better() {
    let start = Instant::now();
    let mut register = SendRegister::new();
    for _ in 0..3 {
        register.stamp(start, 100);
    }
    let first = feedback(1, 5, &[Some(10), None]);
    assert_eq!(
        heard(&mut register, start, &first),
        [(1, at(5, 10), false), (2, None, false)]
    );
    assert_eq!(heard(&mut register, start, &first), []);
    let again = feedback(2, 6, &[Some(0), Some(1)]);
    assert_eq!(
        heard(&mut register, start, &again),
        [(2, at(6, 0), true), (3, at(6, 1), false)]
    );
    assert_eq!(
        heard(&mut register, start, &feedback(1, 5, &[None, None, None])),
        []
    );
}

#[test]
fn what_was_never_sent_is_passed_over() {
    let start = Instant::now();
    let mut register = SendRegister::new();
    assert_eq!(heard(&mut register, start, &feedback(1, 0, &[Some(0), None])), []);
    for _ in 0..10 {
        register.stamp(start, 100);
    }
    for base in [11, 100, 30_000, 40_000, 65_000] {
        assert_eq!(
            heard(&mut register, start, &feedback(base, 0, &[Some(0), Some(0)])),
            [],
            "{base}"
        );
    }
    // Half of it is known; the arrival counts the deltas of the unknown, too.
    let bytes = feedback(65535, 0, &[Some(1), Some(1), Some(1)]);
    assert_eq!(heard(&mut register, start, &bytes), [(1, at(0, 3), false)]);
    let bytes = feedback(10, 0, &[Some(1), Some(1)]);
    assert_eq!(heard(&mut register, start, &bytes), [(10, at(0, 1), false)]);
}

#[test]
fn the_newest_number_can_be_taken_back() {
    let start = Instant::now();
    let mut register = SendRegister::new();
    register.take_back(0);
    assert_eq!((register.stamp(start, 100), register.stamp(start, 200)), (1, 2));
    register.take_back(1);
    register.take_back(2);
    assert_eq!(register.stamp(start, 300), 2);
    let bytes = feedback(1, 0, &[Some(0), Some(0)]);
    let Some(Ok(RtcpPacket::Twcc(parsed))) = packets(&bytes).next() else {
        panic!()
    };
    let sizes: Vec<_> = register
        .on_feedback(start, &parsed)
        .iter()
        .map(|acked| acked.size)
        .collect();
    assert_eq!(sizes, [100, 300]);
}

#[test]
fn numbers_wrap() {
    let start = Instant::now();
    let mut register = SendRegister::new();
    for step in 0..70_000_u64 {
        let now = start + ms(step);
        let number = register.stamp(now, 100);
        let bytes = feedback(number, (step / 64) as i32, &[Some((step % 64 * 4) as i16)]);
        assert_eq!(heard(&mut register, now, &bytes).len(), 1, "{step}");
    }
    assert!(register.history.len() <= 2);
}

#[test]
fn reference_times_wrap_in_both_directions() {
    let start = Instant::now();
    let mut register = SendRegister::new();
    for _ in 0..4 {
        register.stamp(start, 100);
    }
    let top = 0x7f_ffff;
    let mut arrivals = Vec::new();
    for (number, reference) in [(1, top), (2, -0x80_0000), (3, top), (4, -0x7f_fff0)] {
        arrivals.push(
            heard(&mut register, start, &feedback(number, reference, &[Some(0)]))[0]
                .1
                .unwrap(),
        );
    }
    assert_eq!(arrivals[1] - arrivals[0], 64_000);
    assert_eq!(arrivals[2] - arrivals[0], 0);
    assert_eq!(arrivals[3] - arrivals[1], 16 * 64_000);
}

#[test]
fn the_history_is_bounded_in_number_and_time() {
    let start = Instant::now();
    let mut register = SendRegister::new();
    for _ in 0..20_000 {
        register.stamp(start, 100);
    }
    assert_eq!(register.history.len(), MAX_HISTORY);
    register.stamp(start + MAX_HISTORY_AGE + ms(1), 100);
    assert_eq!(register.history.len(), 1);
}

proptest! {
    /// Packets lost, reordered and duplicated between a register and a recorder: every packet sent is
    /// accounted for, with the arrival it had.
    #[test]
    fn register_and_recorder_agree(
        skip in 0..70_000_u32,
        fates in prop::collection::vec((0..10_u8, 0..60_u64), 1..600),
    ) {
        let start = Instant::now();
        let mut register = SendRegister::new();
        for _ in 0..skip {
            register.stamp(start, 100);
        }
        register.history.clear();
        let mut recorder = ArrivalRecorder::new(start);
        let mut arrivals = Vec::new();
        for (step, (fate, delay)) in (0..).zip(&fates) {
            let number = register.stamp(start + ms(step), 100);
            match fate {
                0 => {}
                1 => arrivals.extend([(step + delay, number), (step + delay + 3, number)]),
                _ => arrivals.push((step + delay, number)),
            }
        }
        arrivals.sort_unstable();
        let mut heard = std::collections::BTreeMap::new();
        let mut out = Vec::new();
        let end = ms(1000) + ms(fates.len() as u64);
        for (at, number) in arrivals.iter().copied().chain([(end.as_millis() as u64, 0)]) {
            let now = start + ms(at);
            out.clear();
            if recorder.build(now, SENDER, MEDIA, &mut out) {
                for packet in packets(&out) {
                    let Ok(RtcpPacket::Twcc(feedback)) = packet else { panic!() };
                    for acked in register.on_feedback(now, &feedback) {
                        heard.insert(acked.seq.wire(), acked.received);
                    }
                }
            }
            if now < start + end {
                recorder.on_packet(now, number);
            }
        }
        let mut first = std::collections::BTreeMap::new();
        for (at, number) in arrivals {
            first.entry(number).or_insert(at);
        }
        for (number, at) in &first {
            let expected = (REFERENCE_CYCLE * 64_000) + *at as i64 * 1000;
            prop_assert_eq!(heard.get(number), Some(&Some(ArrivalTime(expected))), "{}", number);
        }
        for (number, received) in &heard {
            prop_assert_eq!(received.is_some(), first.contains_key(number));
        }
    }

    #[test]
    fn impossible_feedback_is_harmless(
        sent in 0..3000_usize,
        reports in prop::collection::vec(
            (any::<u16>(), -0x80_0000..0x80_0000_i32, prop::collection::vec(prop::option::of(any::<i16>()), 1..50)),
            0..50,
        ),
    ) {
        let start = Instant::now();
        let mut register = SendRegister::new();
        for _ in 0..sent {
            register.stamp(start, 100);
        }
        let mut known = 0;
        for (base, reference, deltas) in reports {
            let lost_before = register.history.iter().filter(|sent| sent.fate == Fate::Lost).count();
            let acked = heard(&mut register, start, &feedback(base, reference, &deltas));
            known += acked.iter().filter(|(_, received, _)| received.is_some()).count();
            prop_assert!(acked.iter().filter(|(_, _, late)| *late).count() <= lost_before);
        }
        prop_assert!(known <= sent);
    }
}
