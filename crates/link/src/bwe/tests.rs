//! The whole pipeline, first alone and then on a path in virtual time.

mod path;
mod scenarios;

use super::*;
use crate::twcc::ArrivalTime;
use proptest::prelude::*;
use rtp::SeqNo;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn estimator() -> Estimator {
    Estimator::new(Bitrate::kbps(600), Bitrate::kbps(50), Bitrate::kbps(5000))
}

#[test]
fn the_range_is_kept_and_made_sense_of() {
    assert_eq!(estimator().estimate(), Bitrate::kbps(600));
    let rows = [
        ((600, 1000, 2000), 1000),
        ((3000, 1000, 2000), 2000),
        ((600, 0, 0), 5),
        ((600, 1000, 500), 1000),
    ];
    for ((initial, min, max), expected) in rows {
        let estimator = Estimator::new(Bitrate::kbps(initial), Bitrate::kbps(min), Bitrate::kbps(max));
        assert_eq!(estimator.estimate(), Bitrate::kbps(expected));
    }
}

#[test]
fn the_receivers_limit_binds_and_steers_where_there_is_no_other_feedback() {
    let now = Instant::now();
    let mut estimator = estimator();
    estimator.on_remb(now, Bitrate::kbps(2000));
    assert_eq!(estimator.estimate(), Bitrate::kbps(2000));
    estimator.on_remb(now, Bitrate::kbps(300));
    assert_eq!(estimator.estimate(), Bitrate::kbps(300));
    estimator.on_remb(now, Bitrate(0));
    assert_eq!(estimator.estimate(), Bitrate::kbps(50));
    estimator.on_remb(now, Bitrate::MAX);
    assert_eq!(estimator.estimate(), Bitrate::kbps(5000));

    let sent = Acked {
        seq: SeqNo(1),
        size: 100,
        sent: now,
        received: Some(ArrivalTime(0)),
        late: false,
    };
    let mut estimator = self::estimator();
    estimator.on_acked(now + ms(50), &[sent]);
    estimator.on_remb(now, Bitrate::kbps(2000));
    assert_eq!(estimator.estimate(), Bitrate::kbps(600), "a limit is no promise");
}

#[test]
fn reports_steer_where_there_is_no_other_feedback() {
    let now = Instant::now();
    let mut estimator = estimator();
    let rows = [
        (0.0, 630),
        (0.05, 630),
        (0.2, 567),
        (1.5, 283),
        (f64::NAN, 283),
        (-1.0, 297),
    ];
    for (loss, expected) in rows {
        estimator.on_report(now, loss, None);
        assert_eq!(estimator.estimate().0 / 1000, expected, "{loss}");
    }
    for _ in 0..100 {
        estimator.on_report(now, 1.0, None);
    }
    assert_eq!(estimator.estimate(), Bitrate::kbps(50));
}

#[test]
fn the_round_trip_is_smoothed() {
    let now = Instant::now();
    let mut estimator = estimator();
    assert_eq!(estimator.rtt(), ms(200));
    estimator.on_report(now, 0.0, Some(ms(40)));
    assert_eq!(estimator.rtt(), ms(180));
    for _ in 0..100 {
        let sent = Acked {
            seq: SeqNo(1),
            size: 100,
            sent: now,
            received: Some(ArrivalTime(0)),
            late: false,
        };
        estimator.on_acked(now + ms(500), &[sent]);
    }
    assert!((ms(490)..=ms(500)).contains(&estimator.rtt()));
}

#[test]
fn nothing_acknowledged_is_nothing_learnt() {
    let now = Instant::now();
    let mut estimator = estimator();
    estimator.on_acked(now, &[]);
    assert_eq!(estimator.estimate(), Bitrate::kbps(600));
    assert_eq!(estimator.acked_bitrate(), None);
}

#[test]
fn what_is_not_desired_is_not_probed_for() {
    let now = Instant::now();
    let mut estimator = estimator();
    estimator.set_desired(Bitrate::kbps(500));
    assert_eq!(
        (estimator.poll_timeout(now), estimator.poll_probe(now)),
        (None, None)
    );
    estimator.set_desired(Bitrate::kbps(1000));
    assert_eq!(estimator.poll_timeout(now), Some(now));
    assert_eq!(
        estimator.poll_probe(now).map(|plan| plan.bitrate),
        Some(Bitrate::kbps(1000))
    );
}

#[test]
fn fuzz_seeds() {
    let now = Instant::now();
    fuzz::twcc_bwe(now, &[]);
    let mut ops = Vec::new();
    for round in 0..200_u8 {
        ops.extend([0, 20, 4, 0, 0, 0, 0, 0, 0, 0]);
        ops.extend([1, 0, 1, 0, round, 0, 0, 0, 0, 0]);
        ops.extend([3 | (round & 0xf8), round, 0xff, round, 0, 0, 0, round, 0, 1]);
        ops.extend([5 + round % 3, 0, round, 0xff, 0, round, 0, 0, 1, 0]);
        ops.extend([2, 28, 0, 0, 0, 0, 0, 0, 0, 0]);
        ops.extend([0x8f, 205, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0, round, 0, 20]);
        ops.extend([round, 0, 0, round, 0xc0 | round, round, 0xd9, 0, 1, 2, 3, 4]);
    }
    fuzz::twcc_bwe(now, &ops);
}

proptest! {
    #[test]
    fn impossible_acknowledgements_are_survived(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        fuzz::twcc_bwe(Instant::now(), &data);
    }
}
