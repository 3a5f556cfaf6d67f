//! Admission under load (contract §3.8): what a busy node still takes on, and how good its pictures may be.
//!
//! Pure: load samples in, a level out. Samples are averaged over ten seconds, and a level once reached is left only
//! five points below where it was entered, so that a load near a limit does not flap.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};

use sfu::spec::VideoQuality;

/// Samples averaged; one a second makes ten seconds.
const SAMPLES: usize = 10;

/// How far below its entry a level is left again.
const RELEASE_MARGIN: f64 = 0.05;

/// What a node under load refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Admission {
    /// Nothing.
    #[default]
    Normal,
    /// Nothing, but the quality of cameras is lowered.
    Reduced,
    /// Screen shares; small tiles are as small as can be.
    NoScreenShare,
    /// Screen shares, new participants and new rooms.
    Closed,
}

impl Admission {
    /// Levels and the load above which they are entered.
    const ENTRIES: [(Self, f64); 3] = [
        (Self::Reduced, 0.70),
        (Self::NoScreenShare, 0.80),
        (Self::Closed, 0.90),
    ];

    /// The value of the metric `admission_state`.
    pub(crate) fn state(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Reduced => 1,
            Self::NoScreenShare => 2,
            Self::Closed => 3,
        }
    }

    /// How good cameras' pictures may be at this level.
    pub(crate) fn video_quality(self) -> VideoQuality {
        match self {
            Self::Normal => VideoQuality::Full,
            Self::Reduced => VideoQuality::Reduced,
            Self::NoScreenShare | Self::Closed => VideoQuality::Lowest,
        }
    }
}

/// The present level, for everybody to read.
#[derive(Debug, Default)]
pub(crate) struct AdmissionCell(AtomicU8);

impl AdmissionCell {
    pub(crate) fn set(&self, level: Admission) {
        self.0.store(level.state(), Ordering::Relaxed);
    }

    pub(crate) fn level(&self) -> Admission {
        match self.0.load(Ordering::Relaxed) {
            0 => Admission::Normal,
            1 => Admission::Reduced,
            2 => Admission::NoScreenShare,
            _ => Admission::Closed,
        }
    }
}

/// Averages load and holds the level.
#[derive(Debug, Default)]
pub(crate) struct LoadGauge {
    samples: VecDeque<f64>,
    level: Admission,
}

impl LoadGauge {
    /// Takes one second's load, 0 to 1, and says what is admitted from now on.
    pub(crate) fn observe(&mut self, load: f64) -> Admission {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(load.clamp(0.0, 1.0));
        let average = self.average();
        let level = |margin: f64| {
            let reached = Admission::ENTRIES
                .iter()
                .rev()
                .find(|(_, entry)| average > entry - margin);
            reached.map_or(Admission::Normal, |(level, _)| *level)
        };
        // Up at once, down only as far as the margins allow.
        self.level = self.level.clamp(level(0.0), level(RELEASE_MARGIN));
        self.level
    }

    /// Mean load of the last ten seconds. Seconds before the first sample count as idle: one busy second after the
    /// start is no reason to refuse anybody.
    pub(crate) fn average(&self) -> f64 {
        self.samples.iter().sum::<f64>() / SAMPLES as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(gauge: &mut LoadGauge, load: f64) -> Admission {
        (0..SAMPLES)
            .map(|_| gauge.observe(load))
            .last()
            .expect("ten samples")
    }

    #[test]
    fn levels_are_entered_above_their_limits_and_left_with_a_margin() {
        use Admission::{Closed, NoScreenShare, Normal, Reduced};
        let mut gauge = LoadGauge::default();
        let course = [
            (0.10, Normal),
            (0.69, Normal),
            (0.71, Reduced),
            (0.81, NoScreenShare),
            (0.91, Closed),
            (0.86, Closed),
            (0.84, NoScreenShare),
            (0.76, NoScreenShare),
            (0.74, Reduced),
            (0.66, Reduced),
            (0.64, Normal),
            (0.69, Normal),
        ];
        for (load, expected) in course {
            assert_eq!(settle(&mut gauge, load), expected, "at {load}");
        }
    }

    #[test]
    fn one_busy_second_changes_nothing() {
        let mut gauge = LoadGauge::default();
        assert_eq!(gauge.observe(1.0), Admission::Normal);
        settle(&mut gauge, 0.5);
        assert_eq!(gauge.observe(1.0), Admission::Normal);
    }

    #[test]
    fn a_load_that_falls_sharply_opens_all_levels_at_once() {
        let mut gauge = LoadGauge::default();
        settle(&mut gauge, 1.0);
        assert_eq!(settle(&mut gauge, 0.1), Admission::Normal);
    }
}
