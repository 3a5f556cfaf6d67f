//! Who gets how much of a downlink: audio first, then the lowest picture for everybody, then better pictures by
//! priority (contract §5.3).
//!
//! A pure function of what is offered and what the path carries. A step already being sent is held to a looser bound
//! than a new one, so that an estimate that swings does not make the picture flap.

use link::bwe::Bitrate;

use crate::event::MAX_ENCODINGS;
use crate::key::ConsumerKey;
use crate::spec::{Layers, Source};

/// A new step must fit with this much room, in percent: raising a layer that must fall again a second later costs two
/// key frames.
const NEW_STEP_PERCENT: u64 = 115;

/// A lowest step already being sent may be this much too large, in percent, before it is stopped: the encoder follows
/// its own estimate down, and a frozen picture is worse than a late one.
const HELD_STEP_PERCENT: u64 = 70;

/// One level of quality of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The layers to forward.
    pub(crate) layers: Layers,
    /// What they cost.
    pub(crate) bitrate: Bitrate,
}

/// What a path that is too narrow leaves of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// The lowest level: the estimate is low, but what is sent arrives. Estimates err, viewers do not.
    LowestPicture,
    /// Nothing: packets are being lost, and audio must live.
    Nothing,
}

/// A video consumer that wants to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// The consumer.
    pub(crate) consumer: ConsumerKey,
    /// What it shows: a shared screen comes before cameras.
    pub(crate) source: Source,
    /// Its levels, cheapest first; `None` beyond the last.
    pub(crate) steps: [Option<Step>; MAX_ENCODINGS],
    /// The level it has now.
    pub(crate) held: Option<usize>,
    /// The level it gets.
    pub(crate) granted: Option<usize>,
}

impl Candidate {
    /// The granted layers.
    pub(crate) fn layers(&self) -> Option<Layers> {
        Some(self.steps.get(self.granted?)?.as_ref()?.layers)
    }

    /// What its best level costs.
    pub(crate) fn top_bitrate(&self) -> Option<Bitrate> {
        self.steps.iter().rev().flatten().next().map(|step| step.bitrate)
    }

    fn cost(&self, step: usize) -> Option<u64> {
        let bitrate = self.steps.get(step).copied().flatten()?.bitrate.0;
        let percent = match self.held {
            Some(held) if step == 0 && held == 0 => HELD_STEP_PERCENT,
            Some(held) if step <= held => 100,
            _ => NEW_STEP_PERCENT,
        };
        Some(bitrate * percent / 100)
    }
}

/// Fills in what each candidate gets of `budget` (audio already taken off). Reorders the candidates.
pub(crate) fn allocate(budget: Bitrate, floor: Floor, candidates: &mut [Candidate]) {
    // Keys are unique; the stable sort would allocate.
    candidates.sort_unstable_by_key(|candidate| (candidate.source != Source::Screen, candidate.consumer));
    let mut left = budget.0;
    for candidate in candidates.iter_mut() {
        candidate.granted = None;
        let Some(cost) = candidate.cost(0) else { continue };
        if cost <= left || floor == Floor::LowestPicture {
            candidate.granted = Some(0);
            left = left.saturating_sub(cost);
        }
    }
    let mut raised = true;
    while raised {
        raised = false;
        for candidate in candidates.iter_mut() {
            let Some(granted) = candidate.granted else {
                continue;
            };
            let (Some(now), Some(next)) = (candidate.cost(granted), candidate.cost(granted + 1)) else {
                continue;
            };
            let extra = next.saturating_sub(now);
            if extra <= left {
                left -= extra;
                candidate.granted = Some(granted + 1);
                raised = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use slotmap::SlotMap;

    use super::*;

    fn step(spatial: u8, kbps: u64) -> Option<Step> {
        Some(Step {
            layers: Layers { spatial, temporal: 0 },
            bitrate: Bitrate(kbps * 1_000),
        })
    }

    fn candidates(sources: &[Source]) -> Vec<Candidate> {
        let mut keys: SlotMap<ConsumerKey, ()> = SlotMap::with_key();
        let new = |source: &Source| Candidate {
            consumer: keys.insert(()),
            source: *source,
            steps: [step(0, 100), step(1, 400), step(2, 1_200), None],
            held: None,
            granted: None,
        };
        sources.iter().map(new).collect()
    }

    fn granted(kbps: u64, candidates: &mut [Candidate]) -> Vec<Option<usize>> {
        allocate(Bitrate(kbps * 1_000), Floor::Nothing, candidates);
        candidates.iter().map(|candidate| candidate.granted).collect()
    }

    #[test]
    fn everybody_gets_the_lowest_picture_before_anybody_gets_a_better_one() {
        use Source::{Camera, Screen};
        // (budget kbit/s, granted steps, screen first)
        let rows: [(u64, [Option<usize>; 3]); 7] = [
            (100, [None, None, None]),
            (120, [Some(0), None, None]),
            (350, [Some(0), Some(0), Some(0)]),
            (700, [Some(1), Some(0), Some(0)]),
            (1_400, [Some(1), Some(1), Some(1)]),
            (2_400, [Some(2), Some(1), Some(1)]),
            (9_000, [Some(2), Some(2), Some(2)]),
        ];
        for (kbps, expected) in rows {
            let mut all = candidates(&[Camera, Screen, Camera]);
            assert_eq!(granted(kbps, &mut all), expected, "{kbps} kbit/s");
            assert_eq!(all[0].source, Screen);
        }
    }

    #[test]
    fn what_is_being_sent_is_held_longer_than_it_would_be_granted() {
        let mut one = candidates(&[Source::Camera]);
        assert_eq!(
            granted(420, &mut one),
            [Some(0)],
            "400 kbit/s must fit with room to be new"
        );
        one[0].held = Some(1);
        assert_eq!(granted(420, &mut one), [Some(1)]);
        assert_eq!(granted(390, &mut one), [Some(0)]);
        one[0].held = Some(0);
        assert_eq!(
            granted(75, &mut one),
            [Some(0)],
            "the last picture is held below its rate"
        );
        assert_eq!(granted(60, &mut one), [None]);
    }

    #[test]
    fn a_low_estimate_alone_stops_no_picture() {
        let mut all = candidates(&[Source::Camera, Source::Camera]);
        allocate(Bitrate(20_000), Floor::LowestPicture, &mut all);
        assert!(all.iter().all(|candidate| candidate.granted == Some(0)));
    }

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded(
            budget in 0_u64..20_000,
            rows in prop::collection::vec((0_u64..500, 0_u64..1_000, 0_u64..3_000, prop::option::of(0_usize..3)), 0..20),
        ) {
            let mut keys: SlotMap<ConsumerKey, ()> = SlotMap::with_key();
            let mut all: Vec<_> = rows
                .iter()
                .map(|(low, middle, high, held)| Candidate {
                    consumer: keys.insert(()),
                    source: Source::Camera,
                    steps: [step(0, *low), step(1, low + middle), step(2, low + middle + high), None],
                    held: *held,
                    granted: None,
                })
                .collect();
            allocate(Bitrate(budget * 1_000), Floor::Nothing, &mut all);
            let spent: u64 = all.iter().filter_map(|one| one.cost(one.granted?)).sum();
            prop_assert!(spent <= budget * 1_000);
        }
    }
}
