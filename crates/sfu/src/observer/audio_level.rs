//! How loud each audio producer was over an interval, from the levels in its packets (RFC 6464).

use rtp::AudioLevel;
use slotmap::SecondaryMap;

use crate::key::ProducerKey;

/// Levels from here on are silence: -dBov. Speech lies around 20 to 50, a quiet room's noise below 60.
const SILENCE: u8 = 60;

/// Packets of one interval that a mean is taken over at least: half a second of 20 ms packets has 25. A sender that
/// stops during silence (discontinuous transmission) is quiet for the rest of the interval.
const MIN_PACKETS: u64 = 25;

/// Packets above silence that make a voice: 100 ms. A click or a cough is shorter.
const MIN_LOUD_PACKETS: u32 = 5;

/// Power of level 0. Every three levels halve it, and level 127 still has bits to tell it from 126.
const FULL_POWER: u64 = 1 << 50;

/// Power by level, 0 to 127.
const POWER: [u64; 128] = powers();

const fn powers() -> [u64; 128] {
    let mut powers = [0; 128];
    let mut level = 0;
    while level < 128 {
        // Two to the minus one and two thirds: one and two levels down.
        let fraction = match level % 3 {
            0 => FULL_POWER,
            1 => FULL_POWER / 1_000 * 794,
            _ => FULL_POWER / 1_000 * 630,
        };
        powers[level] = fraction >> (level / 3);
        level += 1;
    }
    powers
}

#[derive(Clone, Copy, Default)]
struct Heard {
    power: u64,
    packets: u64,
    loud: u32,
}

/// One producer's loudness over an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loudness {
    /// The producer.
    pub(crate) producer: ProducerKey,
    /// Mean power as a level: -dBov, 0 loudest to 127.
    pub(crate) level: u8,
}

/// The levels of a router's audio producers since the interval began. One entry per producer that was ever heard;
/// [`Self::remove`] bounds it by the producers alive.
#[derive(Default)]
pub(crate) struct AudioLevels {
    heard: SecondaryMap<ProducerKey, Heard>,
}

impl AudioLevels {
    /// Nobody heard yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes the level of one packet. Allocates at a producer's first packet only.
    pub(crate) fn on_level(&mut self, producer: ProducerKey, level: AudioLevel) {
        let Some(heard) = self.heard.entry(producer) else {
            return;
        };
        let heard = heard.or_default();
        let power = POWER[usize::from(level.level & 0x7f)];
        heard.power = heard.power.saturating_add(power);
        heard.packets += 1;
        heard.loud += u32::from(level.level < SILENCE);
    }

    /// Forgets a producer that closed or paused.
    pub(crate) fn remove(&mut self, producer: ProducerKey) {
        self.heard.remove(producer);
    }

    /// Whether no producer is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// The producers that spoke in the interval, in no particular order.
    pub(crate) fn voices(&self) -> impl Iterator<Item = Loudness> {
        self.heard.iter().filter_map(|(producer, heard)| {
            let level = level_of(heard.power / heard.packets.max(MIN_PACKETS));
            (heard.loud >= MIN_LOUD_PACKETS && level < SILENCE).then_some(Loudness { producer, level })
        })
    }

    /// Ends the interval: everybody starts at silence again.
    pub(crate) fn start_interval(&mut self) {
        for heard in self.heard.values_mut() {
            *heard = Heard::default();
        }
    }
}

/// The loudest level whose power does not exceed `power`.
fn level_of(power: u64) -> u8 {
    POWER.partition_point(|&of_level| of_level > power).min(127) as u8
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    fn level(level: u8) -> AudioLevel {
        AudioLevel { voice: true, level }
    }

    fn heard(levels: &[(u8, usize)]) -> Option<u8> {
        let mut keys = SlotMap::<ProducerKey, ()>::with_key();
        let producer = keys.insert(());
        let mut meter = AudioLevels::new();
        for &(value, packets) in levels {
            for _ in 0..packets {
                meter.on_level(producer, level(value));
            }
        }
        meter.voices().next().map(|loudness| loudness.level)
    }

    #[test]
    fn powers_fall_by_three_decibels_per_halving() {
        assert!(POWER.windows(2).all(|pair| pair[0] > pair[1]), "strictly falling");
        for (value, &power) in POWER.iter().enumerate().take(100) {
            let decibels = -10.0 * (power as f64 / FULL_POWER as f64).log10();
            assert!(
                (decibels - value as f64).abs() < 0.5,
                "level {value} is {decibels}"
            );
            assert_eq!(usize::from(level_of(power)), value);
        }
        assert_eq!(level_of(0), 127);
        assert_eq!(level_of(u64::MAX), 0);
    }

    #[test]
    fn loudness_is_mean_power() {
        assert_eq!(heard(&[(30, 25)]), Some(30));
        assert_eq!(heard(&[(30, 50)]), Some(30));
        // Half of the time at 30 is 3 dB less.
        assert_eq!(heard(&[(30, 13), (127, 12)]), Some(33));
        assert_eq!(heard(&[(30, 13)]), Some(33), "packets not sent are silence");
    }

    #[test]
    fn clicks_and_murmurs_are_no_voice() {
        assert_eq!(heard(&[(0, 4), (127, 21)]), None);
        assert_eq!(heard(&[(60, 25)]), None);
        assert_eq!(heard(&[(127, 25)]), None);
        assert_eq!(heard(&[]), None);
        assert_eq!(heard(&[(20, 5), (127, 20)]), Some(27));
    }

    #[test]
    fn an_interval_starts_at_silence_and_a_removed_producer_is_forgotten() {
        let mut keys = SlotMap::<ProducerKey, ()>::with_key();
        let producer = keys.insert(());
        let mut meter = AudioLevels::new();
        assert!(meter.is_empty());
        for _ in 0..25 {
            meter.on_level(producer, level(20));
        }
        assert_eq!(meter.voices().count(), 1);
        meter.start_interval();
        assert_eq!(meter.voices().count(), 0);
        assert!(!meter.is_empty());
        meter.remove(producer);
        assert!(meter.is_empty());
    }
}
