use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[test]
fn window_table() {
    // (index, verdict before accepting it), in order; accepted ones are marked.
    let table = [
        (1000, Err(Stale::Repeated)),
        (1001, Ok(())),
        (999, Ok(())),
        (999, Err(Stale::Repeated)),
        (1000 - 126, Ok(())),
        (1000 - 127, Err(Stale::TooOld)),
        (1100, Ok(())),
        (1000, Err(Stale::Repeated)),
        (1100 - 127, Ok(())),
        (1100 - 128, Err(Stale::TooOld)),
        (1100 + 128, Ok(())),
        (1100, Err(Stale::TooOld)),
        (1101, Ok(())),
        (1_000_000, Ok(())),
        (1_000_000 - 127, Ok(())),
        (1_000_000 - 128, Err(Stale::TooOld)),
        (1_000_000, Err(Stale::Repeated)),
    ];
    let mut window = Window::<2>::starting_at(1000);
    for (row, (index, verdict)) in table.into_iter().enumerate() {
        assert_eq!(window.check(index), verdict, "row {row}, index {index}");
        if verdict.is_ok() {
            window.accept(index);
        }
    }
}

#[test]
fn rollover_guess_table() {
    // RFC 3711 appendix A: (highest, sequence, guess).
    let table = [
        (5, 6, Some(6)),
        (5, 5, Some(5)),
        (0x0_FFFF, 0x0000, Some(0x1_0000)),
        (0x0_FFFE, 0x7FFD, Some(0x1_7FFD)),
        (0x0_FFFE, 0x7FFE, Some(0x0_7FFE)),
        (0x1_0000, 0xFFFF, Some(0x0_FFFF)),
        (0x1_0000, 0x8000, Some(0x1_8000)),
        (0x1_0000, 0x8001, Some(0x0_8001)),
        (0x1_7FFF, 0xFFFF, Some(0x1_FFFF)),
        (0x1_8000, 0x0000, Some(0x1_0000)),
        (0x1_8001, 0x0000, Some(0x2_0000)),
        // Before the first packet of the first cycle there is nothing.
        (0x0_0003, 0xFFFF, None),
        // After 2^48 packets neither.
        (0xFFFF_FFFF_FFFF, 0x0000, None),
        (0xFFFF_FFFF_0000, 0x0001, Some(0xFFFF_FFFF_0001)),
    ];
    for (highest, sequence, guess) in table {
        assert_eq!(
            guess_index(highest, sequence),
            guess,
            "highest {highest:#x}, sequence {sequence:#x}"
        );
    }
}

proptest! {
    /// Against the obvious implementation: a set of everything accepted.
    #[test]
    fn window_agrees_with_a_set(start in 0_u64..10_000, steps in proptest::collection::vec(-200_i64..200, 1..400)) {
        let mut window = Window::<2>::starting_at(start);
        let mut seen = HashSet::from([start]);
        let mut highest = start;
        let mut cursor = start;
        for step in steps {
            cursor = cursor.saturating_add_signed(step);
            let expected = if highest >= cursor + 128 {
                Err(Stale::TooOld)
            } else if seen.contains(&cursor) {
                Err(Stale::Repeated)
            } else {
                Ok(())
            };
            prop_assert_eq!(window.check(cursor), expected, "index {}", cursor);
            if expected.is_ok() {
                window.accept(cursor);
                seen.insert(cursor);
                highest = highest.max(cursor);
            }
            prop_assert_eq!(window.highest(), highest);
        }
    }

    #[test]
    fn guess_is_exact_within_half_a_cycle(highest in 0_u64..(1 << 48), distance in -32_767_i64..=32_767) {
        let index = highest.saturating_add_signed(distance).min((1 << 48) - 1);
        prop_assert_eq!(guess_index(highest, index as u16), Some(index));
    }
}
