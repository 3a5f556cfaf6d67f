//! One behaviour of the path each.

use super::path::{Conditions, Path};
use super::*;

#[track_caller]
fn within(kbps: u64, low: u64, high: u64) {
    assert!(
        (low..=high).contains(&kbps),
        "{kbps} kbit/s is not within {low} and {high}"
    );
}

#[test]
fn a_steady_path_is_found_within_seconds_and_kept() {
    for capacity in [300, 1000, 3000, 8000] {
        let mut path = Path::new(Conditions::new(capacity));
        path.run(3);
        within(path.run(7), capacity * 55 / 100, capacity * 110 / 100);
        within(path.run(30), capacity * 70 / 100, capacity * 105 / 100);
    }
}

#[test]
fn probes_find_a_fast_path_within_a_second() {
    let mut path = Path::new(Conditions::new(5000));
    path.run(1);
    within(path.run(1), 2500, 5500);
}

#[test]
fn a_drop_is_followed_within_seconds_and_what_comes_back_is_found() {
    let mut path = Path::new(Conditions::new(3000));
    path.run(10);
    path.conditions.capacity = 800_000.0;
    path.run(3);
    within(path.run(10), 450, 850);
    path.conditions.capacity = 3_000_000.0;
    path.run(15);
    within(path.run(10), 2000, 3150);
}

#[test]
fn the_queue_stays_short() {
    let mut path = Path::new(Conditions {
        queue: ms(2000),
        ..Conditions::new(1500)
    });
    path.run(5);
    path.run(20);
    let rtt = path.estimator.rtt();
    assert!(
        rtt < ms(50 + 100 + 100),
        "{rtt:?} with 50 ms of path and up to 100 ms until feedback"
    );
}

#[test]
fn loss_that_has_nothing_to_do_with_the_rate_is_borne() {
    // (loss in percent, least of 3000 kbit/s)
    for (loss, least) in [(1, 2000), (2, 2000), (5, 1500), (10, 700), (20, 250)] {
        let mut path = Path::new(Conditions {
            loss: f64::from(loss) / 100.0,
            ..Conditions::new(3000)
        });
        path.run(10);
        let mean = path.run(30);
        assert!((least..=3200).contains(&mean), "{loss} %: {mean} kbit/s");
    }
}

#[test]
fn loss_that_ends_is_forgotten() {
    let mut path = Path::new(Conditions {
        loss: 0.2,
        ..Conditions::new(3000)
    });
    path.run(20);
    path.conditions.loss = 0.0;
    path.run(20);
    within(path.run(10), 2000, 3150);
}

#[test]
fn a_path_that_drops_instead_of_queueing_is_not_overrun() {
    let mut path = Path::new(Conditions {
        queue: ms(10),
        ..Conditions::new(1000)
    });
    path.run(10);
    within(path.run(30), 500, 1200);
    let sent_through = path.delivered as f64 * 8.0 / path.elapsed() / 1000.0;
    assert!(sent_through > 500.0, "{sent_through}");
}

#[test]
fn a_long_path_is_found_too() {
    let mut path = Path::new(Conditions {
        delay: ms(250),
        ..Conditions::new(2000)
    });
    path.run(15);
    within(path.run(30), 1100, 2150);
    path.conditions.capacity = 700_000.0;
    path.run(10);
    within(path.run(20), 350, 760);
}

#[test]
fn an_application_that_sends_little_keeps_what_is_known_and_learns_more_by_probes() {
    let mut path = Path::new(Conditions {
        application: 200_000.0,
        ..Conditions::new(3000)
    });
    path.run(2);
    let found = path.run(1);
    assert!(found > 1500, "initial probes: {found}");
    let kept = path.run(30);
    assert!((found * 9 / 10..=3300).contains(&kept), "{kept} after {found}");

    path.conditions.capacity = 8_000_000.0;
    path.run(12);
    within(path.run(3), 4500, 8800);
}

#[test]
fn what_an_application_sends_bounds_the_growth_without_probes() {
    let mut path = Path::new(Conditions {
        application: 200_000.0,
        ..Conditions::new(3000)
    });
    path.estimator.set_desired(Bitrate::kbps(400));
    path.run(30);
    within(path.run(1), 550, 650);
}

#[test]
fn a_dead_path_comes_back() {
    let mut path = Path::new(Conditions::new(2000));
    path.run(10);
    path.conditions.loss = 1.0;
    path.run(5);
    path.conditions.loss = 0.0;
    path.run(20);
    within(path.run(5), 1200, 2150);
}

#[test]
fn capacity_that_jumps_about_never_leads_out_of_range() {
    let mut path = Path::new(Conditions::new(1000));
    for round in 0..40_u64 {
        path.conditions.capacity = [2e5, 4e6, 7e4, 1e6, 1.5e5][round as usize % 5];
        path.conditions.loss = [0.0, 0.2, 0.05, 0.5][round as usize % 4];
        path.conditions.delay = ms([10, 250, 40][round as usize % 3]);
        path.run(2);
    }
    path.conditions = Conditions::new(1000);
    path.run(30);
    within(path.run(10), 600, 1050);
}

#[test]
fn an_application_that_stopped_for_want_of_bandwidth_can_begin_again() {
    for (loss, capacity) in [(0.8, 3e6), (0.0, 3e4)] {
        let mut path = Path::new(Conditions {
            application: 1e6,
            least: 3e5,
            ..Conditions::new(3000)
        });
        path.run(10);
        path.conditions.loss = loss;
        path.conditions.capacity = capacity;
        path.run(10);
        assert!(path.estimator.estimate() < Bitrate::kbps(300), "starved");
        path.conditions.loss = 0.0;
        path.conditions.capacity = 3e6;
        path.run(20);
        within(path.run(5), 1000, 3150);
    }
}

#[test]
fn a_pause_changes_nothing() {
    let mut path = Path::new(Conditions {
        application: 1e6,
        ..Conditions::new(3000)
    });
    path.run(10);
    let before = path.estimator.estimate();
    path.conditions.application = 0.0;
    path.run(60);
    path.conditions.application = 1e6;
    path.run(5);
    assert!(
        path.estimator.estimate() >= before.scale(0.95),
        "{} after {before}",
        path.estimator.estimate()
    );
}
