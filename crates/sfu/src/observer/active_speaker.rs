//! Who of a router speaks: the loudest producer, held on to through pauses and short interruptions.

use std::time::{Duration, Instant};

use rtp::AudioLevel;

use super::audio_level::{AudioLevels, Loudness};
use crate::key::ProducerKey;

/// How often the speaker is chosen: faster would follow single words, slower would lag behind the talk.
const INTERVAL: Duration = Duration::from_millis(500);

/// How much louder, in dB, another voice must be while the speaker still talks.
const MARGIN: u8 = 6;

/// Quiet intervals after which nobody is the speaker: pauses within speech are shorter than 2 s.
const QUIET_INTERVALS: u8 = 4;

/// The volume told when nobody speaks, dBov.
const SILENT: i8 = -127;

#[derive(Clone, Copy)]
struct Speaker {
    producer: ProducerKey,
    /// Intervals in which neither the speaker nor anybody else was heard.
    quiet: u8,
}

/// The active speaker of one router.
pub(crate) struct ActiveSpeaker {
    levels: AudioLevels,
    speaker: Option<Speaker>,
    /// The speaker was removed and nobody was told yet.
    left: bool,
    next: Instant,
}

impl ActiveSpeaker {
    /// Nobody speaks; the first choice falls one interval after `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            levels: AudioLevels::new(),
            speaker: None,
            left: false,
            next: now + INTERVAL,
        }
    }

    /// Notes the level of one packet.
    pub(crate) fn on_level(&mut self, producer: ProducerKey, level: AudioLevel) {
        self.levels.on_level(producer, level);
    }

    /// Forgets a producer that closed or paused.
    pub(crate) fn remove(&mut self, producer: ProducerKey) {
        self.levels.remove(producer);
        if self.speaker.is_some_and(|speaker| speaker.producer == producer) {
            self.speaker = None;
            self.left = true;
        }
    }

    /// Chooses the speaker when an interval ends. `Some` when the choice changed: the producer, or `None` when
    /// everybody is silent, and its volume in dBov, -127 to 0.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(Option<ProducerKey>, i8)> {
        if now < self.next {
            return None;
        }
        self.next = now + INTERVAL;
        let choice = self.choose();
        self.levels.start_interval();
        choice
    }

    /// When to call [`Self::poll`] next; `None` while nobody has been heard.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let idle = self.levels.is_empty() && self.speaker.is_none() && !self.left;
        (!idle).then_some(self.next)
    }

    fn choose(&mut self) -> Option<(Option<ProducerKey>, i8)> {
        // Of equals the older key wins, so that the choice does not depend on the map's order.
        let loudest = self
            .levels
            .voices()
            .min_by_key(|voice| (voice.level, voice.producer));
        let current = self.speaker.map(|speaker| speaker.producer);
        let own = self.levels.voices().find(|voice| Some(voice.producer) == current);
        let left = std::mem::take(&mut self.left);
        match (loudest, own) {
            (Some(loudest), Some(own)) if loudest.level.saturating_add(MARGIN) > own.level => {
                self.speaker = Some(Speaker {
                    producer: own.producer,
                    quiet: 0,
                });
                None
            }
            (Some(Loudness { producer, level }), _) => {
                self.speaker = Some(Speaker { producer, quiet: 0 });
                Some((Some(producer), -(level as i8)))
            }
            (None, _) => {
                let Some(speaker) = &mut self.speaker else {
                    return left.then_some((None, SILENT));
                };
                speaker.quiet += 1;
                if speaker.quiet < QUIET_INTERVALS {
                    return None;
                }
                self.speaker = None;
                Some((None, SILENT))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    /// Levels of half a second each, and the change told at its end.
    type Row = ([u8; 3], Option<(Option<usize>, i8)>);

    struct Talk {
        keys: Vec<ProducerKey>,
        observer: ActiveSpeaker,
        now: Instant,
    }

    impl Talk {
        fn new() -> Self {
            let mut slots = SlotMap::<ProducerKey, ()>::with_key();
            let keys = (0..3).map(|_| slots.insert(())).collect();
            let now = Instant::now();
            Self {
                keys,
                observer: ActiveSpeaker::new(now),
                now,
            }
        }

        /// Half a second in which the producers send these levels each 20 ms (127 sends nothing); the change told.
        fn half_second(&mut self, levels: [u8; 3]) -> Option<(Option<usize>, i8)> {
            let mut changes = Vec::new();
            for _ in 0..25 {
                self.now += Duration::from_millis(20);
                for (key, level) in self.keys.iter().zip(levels) {
                    if level < 127 {
                        self.observer.on_level(*key, AudioLevel { voice: true, level });
                    }
                }
                changes.extend(self.observer.poll(self.now));
            }
            assert!(changes.len() <= 1, "one choice per interval");
            let (producer, volume) = changes.pop()?;
            Some((
                producer.map(|key| self.keys.iter().position(|&other| other == key).unwrap()),
                volume,
            ))
        }
    }

    #[test]
    fn a_talk_of_three() {
        let rows: &[Row] = &[
            ([127, 127, 127], None),
            ([127, 70, 65], None),
            ([40, 127, 127], Some((Some(0), -40))),
            ([30, 127, 127], None),
            // Another voice, not loud enough to take over.
            ([30, 25, 127], None),
            ([30, 24, 127], Some((Some(1), -24))),
            ([30, 33, 127], None),
            // The speaker pauses and another talks.
            ([127, 127, 45], Some((Some(2), -45))),
            // A pause of a second and a half is only a pause.
            ([127, 127, 80], None),
            ([127, 127, 127], None),
            ([127, 127, 127], None),
            ([127, 127, 50], None),
            // Two seconds are silence.
            ([127, 127, 127], None),
            ([127, 127, 127], None),
            ([127, 127, 127], None),
            ([127, 127, 127], Some((None, -127))),
            ([127, 127, 127], None),
            // Of two equals the older wins, and stays.
            ([127, 35, 35], Some((Some(1), -35))),
            ([35, 35, 35], None),
        ];
        let mut talk = Talk::new();
        for (index, &(levels, change)) in rows.iter().enumerate() {
            assert_eq!(talk.half_second(levels), change, "row {index}");
        }
    }

    #[test]
    fn nobody_heard_needs_no_timer() {
        let mut talk = Talk::new();
        assert_eq!(talk.observer.poll_timeout(), None);
        talk.half_second([40, 127, 127]);
        assert_eq!(talk.observer.poll_timeout(), Some(talk.now + INTERVAL));
    }

    #[test]
    fn a_speaker_who_leaves_is_reported_gone_at_the_next_choice() {
        let mut talk = Talk::new();
        talk.half_second([40, 127, 127]);
        talk.observer.remove(talk.keys[0]);
        assert!(talk.observer.poll_timeout().is_some());
        assert_eq!(talk.half_second([127, 127, 127]), Some((None, -127)));
        assert_eq!(talk.observer.poll_timeout(), None);
        talk.half_second([40, 127, 127]);
        talk.observer.remove(talk.keys[0]);
        assert_eq!(talk.half_second([127, 30, 127]), Some((Some(1), -30)));
    }
}
