//! Sequence numbers and timestamps that do not wrap.

macro_rules! unwrapped {
    ($(#[$doc:meta])* $name:ident, $wire:ty, $signed:ty, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u64);

        impl $name {
            const CYCLE: u64 = <$wire>::MAX as u64 + 1;

            #[doc = concat!("The first ", $what, " seen. One cycle is added so that packets a little older still get a positive number.")]
            pub const fn first(wire: $wire) -> Self {
                Self(wire as u64 + Self::CYCLE)
            }

            #[doc = concat!("The number closest to `previous` whose low bits are `wire` (RFC 3550 §A.1). A ", $what)]
            /// exactly half a cycle away counts as older. Never below zero: there the next cycle is taken.
            pub const fn expand(previous: Self, wire: $wire) -> Self {
                let step = wire.wrapping_sub(previous.wire()) as $signed as i64;
                match previous.0.checked_add_signed(step) {
                    Some(number) => Self(number),
                    None if step < 0 => Self(previous.0.wrapping_add_signed(step).wrapping_add(Self::CYCLE)),
                    None => Self(previous.0.wrapping_add_signed(step).wrapping_sub(Self::CYCLE)),
                }
            }

            #[doc = concat!("The ", $what, " as it stands in the packet.")]
            pub const fn wire(self) -> $wire {
                self.0 as $wire
            }

            /// How far `self` lies behind (negative) or ahead of (positive) `other`.
            pub const fn distance(self, other: Self) -> i64 {
                self.0.wrapping_sub(other.0) as i64
            }

            /// `self` moved by `step`, wrapping at 2^64.
            pub const fn offset(self, step: i64) -> Self {
                Self(self.0.wrapping_add_signed(step))
            }
        }
    };
}

unwrapped! {
    /// RTP sequence number counted on past 16 bits; `SeqNo >> 16` is SRTP's rollover counter (RFC 3711 §3.3.1).
    SeqNo, u16, i16, "sequence number"
}

unwrapped! {
    /// RTP timestamp counted on past 32 bits, in units of the stream's clock rate.
    RtpTime, u32, i32, "timestamp"
}

impl SeqNo {
    /// The number that follows.
    pub const fn next(self) -> Self {
        self.offset(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn expansion_takes_the_closest_number() {
        let rows: [(u64, u16, u64); 8] = [
            (65536, 1, 65537),
            (65536, 65535, 65535),
            (65536 + 65535, 0, 131_072),
            (65536 + 65535, 65534, 65536 + 65534),
            (131_072, 65535, 131_071),
            (100_000, (100_000_u64 + 32_767) as u16, 132_767),
            (100_000, (100_000_u64 + 32_768) as u16, 67_232),
            (0, 65535, 65535),
        ];
        for (previous, wire, expected) in rows {
            assert_eq!(
                SeqNo::expand(SeqNo(previous), wire),
                SeqNo(expected),
                "{previous} then {wire}"
            );
        }
        let late = RtpTime::expand(RtpTime::first(5), u32::MAX);
        assert_eq!(late, RtpTime(u64::from(u32::MAX)));
        assert_eq!(late.distance(RtpTime::first(5)), -6);
    }

    #[test]
    fn first_leaves_room_for_older_packets() {
        let first = SeqNo::first(0);
        assert_eq!(SeqNo::expand(first, 65000).distance(first), -536);
        assert_eq!(first.next().wire(), 1);
    }

    proptest! {
        #[test]
        fn expansion_is_monotone_over_wraps(start: u16, steps in prop::collection::vec(1_u16..32_768, 1..200)) {
            let mut truth = u64::from(start) + 65536;
            let mut seen = SeqNo::first(start);
            for step in steps {
                truth += u64::from(step);
                let next = SeqNo::expand(seen, truth as u16);
                prop_assert!(next > seen);
                prop_assert_eq!(next.0, truth);
                seen = next;
            }
        }

        #[test]
        fn expansion_keeps_the_wire_value(previous: u64, seq: u16, time: u32) {
            prop_assert_eq!(SeqNo::expand(SeqNo(previous), seq).wire(), seq);
            prop_assert_eq!(RtpTime::expand(RtpTime(previous), time).wire(), time);
        }

        #[test]
        fn expansion_stays_within_half_a_cycle(previous in 32_768..u64::MAX - 32_768, wire: u16) {
            let distance = SeqNo::expand(SeqNo(previous), wire).distance(SeqNo(previous));
            prop_assert!((-32_768..=32_767).contains(&distance));
        }
    }
}
