//! RTP padding (RFC 3550 §5.1) that makes the packets of a frame equally long.
//!
//! The kernel sends equal datagrams to one destination as one train, of which only the last may be shorter. Browsers
//! cut a frame into packets that differ by one byte, the longer ones last, so without padding most trains would break
//! in two. The first packet of a frame is therefore raised to a level that the others reach too.

use rtp::RtpTime;

/// Levels are multiples of this. The next one is at most so many bytes away, 2.5 on average: a quarter of a percent of
/// what it is added to.
const STEP: usize = 4;

/// Shorter packets stay as they are: their trains are small, and padding would be a larger part of them.
const SMALLEST: usize = 600;

/// Longer packets stay as they are, and none becomes longer: what browsers send themselves, which every path of a call
/// carries.
const LARGEST: usize = 1_200;

/// A packet further below the level than this is not the level's: it begins another one.
const REACH: usize = 16;

/// The level of one stream's frames.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leveller {
    frame: Option<RtpTime>,
    level: usize,
}

impl Leveller {
    /// Bytes of padding for a packet of `len` bytes, header and payload, of the frame at `time`. The frame's last
    /// packet gets none: it may be shorter.
    pub(crate) fn pad(&mut self, time: RtpTime, len: usize, is_last: bool) -> u8 {
        let is_late = self.frame.is_some_and(|frame| time < frame);
        if is_late || !(SMALLEST..LARGEST).contains(&len) {
            return 0;
        }
        let follows = self.frame == Some(time) && (len..=len + REACH).contains(&self.level);
        if !follows {
            self.frame = Some(time);
            // At least one above, for the longer packets to come.
            self.level = (len + 1).next_multiple_of(STEP).min(LARGEST);
        }
        if is_last { 0 } else { (self.level - len) as u8 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The sizes into which libwebrtc cuts a frame: equal but for one byte, the longer ones last; the first and the
    /// last shorter by what only they carry in their headers (`RtpPacketizer::SplitAboutEqually`).
    fn split(payload: usize, most: usize, first_less: usize, last_less: usize) -> Vec<usize> {
        let total = payload + first_less + last_less;
        let mut left = total.div_ceil(most).max(1);
        let (mut each, longer) = (total / left, total % left);
        let mut remaining = payload;
        let mut sizes = Vec::new();
        while remaining > 0 {
            if left == longer {
                each += 1;
            }
            let mut size = if sizes.is_empty() {
                each.saturating_sub(first_less).max(1)
            } else {
                each
            };
            size = size.min(remaining);
            if left == 2 && size == remaining {
                size -= 1;
            }
            sizes.push(size);
            remaining -= size;
            left -= 1;
        }
        sizes
    }

    /// Trains of a frame under the kernel's rule: equal, the last may be shorter.
    fn trains(sizes: &[usize]) -> usize {
        let mut count = 0;
        let mut open: Option<usize> = None;
        for &size in sizes {
            match open {
                Some(segment) if size <= segment => open = (size == segment).then_some(segment),
                _ => {
                    count += 1;
                    open = Some(size);
                }
            }
        }
        count
    }

    fn padded(leveller: &mut Leveller, time: RtpTime, sizes: &[usize]) -> Vec<usize> {
        let last = sizes.len() - 1;
        let pad = |(at, &size): (usize, &usize)| size + usize::from(leveller.pad(time, size, at == last));
        sizes.iter().enumerate().map(pad).collect()
    }

    #[test]
    fn rows() {
        // Sizes of a frame's packets before and after.
        let rows: [(&[usize], &[usize]); 8] = [
            (&[1_000, 1_000, 1_001, 1_001], &[1_004, 1_004, 1_004, 1_001]),
            (&[1_003, 1_004], &[1_004, 1_004]),
            (&[1_004], &[1_004]),
            (&[599, 599, 600], &[599, 599, 600]),
            // The level never exceeds what the path is known to carry.
            (&[1_199, 1_199, 1_200], &[1_200, 1_200, 1_200]),
            (&[1_200, 1_201, 1_201], &[1_200, 1_201, 1_201]),
            // Another layer of the same picture, and back.
            (&[900, 900, 700, 700, 700], &[904, 904, 704, 704, 700]),
            (&[700, 700, 900, 900, 890, 100], &[704, 704, 904, 904, 904, 100]),
        ];
        for (before, after) in rows {
            assert_eq!(
                padded(&mut Leveller::default(), RtpTime(90_000), before),
                after,
                "{before:?}"
            );
        }
    }

    #[test]
    fn a_late_packet_leaves_the_level_alone() {
        let mut leveller = Leveller::default();
        let (old, new) = (RtpTime(90_000), RtpTime(93_000));
        assert_eq!(leveller.pad(new, 1_001, false), 3);
        assert_eq!(leveller.pad(old, 1_001, false), 0);
        assert_eq!(leveller.pad(new, 1_002, false), 2);
    }

    proptest! {
        /// A browser's frames travel as one train each, or as two where the first packet is shorter by more than a
        /// level's step; and padding stays what it is meant to be: little, and never on a path that may not carry it.
        #[test]
        fn frames_travel_whole(
            frames in prop::collection::vec(1_500usize..40_000, 1..40),
            most in 1_000usize..1_168,
            first_less in 0usize..20,
            last_less in 0usize..20,
        ) {
            let mut leveller = Leveller::default();
            for (at, payload) in (0u64..).zip(frames) {
                let sizes: Vec<_> = split(payload, most, first_less, last_less).iter().map(|size| size + 32).collect();
                let after = padded(&mut leveller, RtpTime(at * 3_000), &sizes);
                for (before, after) in sizes.iter().zip(&after) {
                    prop_assert!(before <= after && *after <= before + REACH);
                    prop_assert!(after == before || *after <= LARGEST);
                }
                let whole = if first_less == 0 { 1 } else { 2 };
                if sizes.iter().all(|size| (SMALLEST..LARGEST).contains(size)) {
                    prop_assert!(trains(&after) <= whole, "{:?} became {:?}", sizes, after);
                }
                prop_assert!(trains(&after) <= trains(&sizes).max(1));
            }
        }

        /// Whatever sizes come, the rule holds.
        #[test]
        fn any_sizes(packets in prop::collection::vec((0u64..5, 0usize..1_600, any::<bool>()), 0..300)) {
            let mut leveller = Leveller::default();
            for (time, len, is_last) in packets {
                let padding = usize::from(leveller.pad(RtpTime(time), len, is_last));
                prop_assert!(padding <= REACH);
                prop_assert!(padding == 0 || (!is_last && len >= SMALLEST && len + padding <= LARGEST));
            }
        }
    }
}
