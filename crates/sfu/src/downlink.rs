//! The division of a viewer's downlink over what it watches, and layers that are no longer sent.

use std::time::{Duration, Instant};

use link::bwe::Bitrate;

use crate::event::{Event, MAX_ENCODINGS};
use crate::key::{ConsumerKey, TransportKey};
use crate::spec::{Layers, MediaKind, Scalability};
use crate::transport::{Candidate, Floor, Step, allocate};
use crate::worker::{Worker, push_event};

/// How often a downlink is divided anew. Estimates move with every feedback (about 100 ms); pictures should not.
pub(crate) const ALLOCATION_INTERVAL: Duration = Duration::from_millis(500);

/// A path's first seconds are not judged: the estimate starts low and climbs with what is sent.
const SETTLING: Duration = Duration::from_secs(5);

/// What an audio consumer is worth before its producer's rate is known: Opus as browsers send it, with headers.
pub(crate) const AUDIO_RESERVE: Bitrate = Bitrate(40_000);

/// How much of a path to look for, in percent of what its consumers could use: a new step needs room
/// (`allocate`), and pictures are not equally large.
const HEADROOM_PERCENT: u64 = 150;

/// Share of a layer's rate that its base temporal layer needs. Browsers give 40 to 60 % to it.
const BASE_TEMPORAL_PERCENT: u64 = 60;

impl Worker {
    /// Divides a transport's downlink over its consumers (contract §5.3).
    pub(crate) fn allocate_downlink(&mut self, now: Instant, key: TransportKey) {
        let mut candidates = std::mem::take(&mut self.scratch.candidates);
        candidates.clear();
        let budget = self.collect_candidates(now, key, &mut candidates);
        if let Some(budget) = budget {
            let lossy_until = self
                .transports
                .get(key)
                .and_then(|transport| transport.lossy_until);
            let floor = if lossy_until > Some(now) {
                Floor::Nothing
            } else {
                Floor::LowestPicture
            };
            allocate(budget, floor, &mut candidates);
            for candidate in &candidates {
                self.apply(now, candidate);
            }
        }
        self.scratch.candidates = candidates;
        self.leave_silent_layers(now, key);
        if let Some(transport) = self.transports.get_mut(key) {
            let goes_on = transport.consumers.iter().any(|consumer| {
                self.consumers
                    .get(*consumer)
                    .is_some_and(|consumer| consumer.kind == MediaKind::Video)
            });
            transport.next_allocation = goes_on.then_some(now + ALLOCATION_INTERVAL);
        }
    }

    /// Fills the list of video consumers that want to send and returns what audio leaves for them; `None` while the
    /// path cannot be judged yet.
    fn collect_candidates(
        &mut self,
        now: Instant,
        key: TransportKey,
        out: &mut Vec<Candidate>,
    ) -> Option<Bitrate> {
        let Self {
            transports,
            producers,
            consumers,
            quality,
            ..
        } = self;
        let transport = transports.get_mut(key)?;
        let mut audio = 0;
        for consumer_key in &transport.consumers {
            let Some(consumer) = consumers.get(*consumer_key) else {
                continue;
            };
            let Some(producer) = producers.get_mut(consumer.producer) else {
                continue;
            };
            if consumer.paused || producer.paused {
                continue;
            }
            if consumer.kind == MediaKind::Audio {
                audio += producer.bitrate(now, 0).0.max(AUDIO_RESERVE.0);
                continue;
            }
            let available = producer.available(now);
            let ceiling = consumer.ceiling(*quality, producer, &available);
            let Some(ceiling) = ceiling else { continue };
            let mut steps = [None; MAX_ENCODINGS];
            let mut next = 0;
            let first = if producer.scalability == Scalability::Simple {
                ceiling.spatial
            } else {
                0
            };
            for spatial in first..=ceiling.spatial {
                let temporal_layers = available.temporal_layers[usize::from(spatial)];
                if temporal_layers == 0 {
                    continue;
                }
                let bitrate = producer.bitrate(now, spatial);
                let whole = Step {
                    layers: Layers {
                        spatial,
                        temporal: temporal_layers - 1,
                    },
                    bitrate,
                };
                if next == 0 && temporal_layers > 1 && producer.scalability != Scalability::Simple {
                    let bitrate = Bitrate(bitrate.0 * BASE_TEMPORAL_PERCENT / 100);
                    push(
                        &mut steps,
                        &mut next,
                        Step {
                            layers: Layers { spatial, temporal: 0 },
                            bitrate,
                        },
                    );
                }
                push(&mut steps, &mut next, whole);
            }
            let held = match (consumer.starved, consumer.limit) {
                (true, _) => None,
                (false, None) => next.checked_sub(1),
                (false, Some(limit)) => steps
                    .iter()
                    .rposition(|step| step.is_some_and(|step| step.layers <= limit)),
            };
            out.push(Candidate {
                consumer: *consumer_key,
                source: consumer.source,
                steps,
                held,
                granted: None,
            });
        }
        let wanted: u64 = out
            .iter()
            .filter_map(Candidate::top_bitrate)
            .map(|top| top.0)
            .sum();
        transport
            .estimator
            .set_desired(Bitrate((wanted + audio) * HEADROOM_PERCENT / 100));
        let opened = *transport.first_video.get_or_insert(now);
        if !transport.feedback_seen || now.saturating_duration_since(opened) < SETTLING {
            return None;
        }
        Some(Bitrate(transport.estimator.estimate().0.saturating_sub(audio)))
    }

    /// A layer that its sender stopped is given up for one that is sent, and one that is too good for the worker's load for a
    /// lower one; nothing arrives that could tell.
    fn leave_silent_layers(&mut self, now: Instant, key: TransportKey) {
        self.retarget_those(
            now,
            |worker| worker.transports.get(key).map(|own| &own.consumers[..]),
            |worker, consumer| worker.is_stuck(now, consumer),
        );
    }

    /// Whether a consumer aims for what is no longer sent or allowed while something else is.
    fn is_stuck(&self, now: Instant, key: ConsumerKey) -> bool {
        let Some(consumer) = self.consumers.get(key).filter(|own| own.is_active()) else {
            return false;
        };
        // When everything is silent there is nothing to go to, and what comes next may fit what was sent.
        self.producers
            .get(consumer.producer)
            .and_then(|producer| consumer.wanted(self.quality, producer, &producer.available(now)))
            .is_some_and(|wanted| consumer.aims_elsewhere(wanted))
    }

    /// Puts a candidate's grant into force.
    fn apply(&mut self, now: Instant, candidate: &Candidate) {
        let Some(consumer) = self.consumers.get_mut(candidate.consumer) else {
            return;
        };
        let Some(granted) = candidate.layers() else {
            if !consumer.starved {
                consumer.starved = true;
                self.emit(Event::ConsumerStarved {
                    consumer: candidate.consumer,
                });
            }
            return;
        };
        let is_top = candidate
            .granted
            .is_some_and(|granted| candidate.steps.get(granted + 1).is_none_or(Option::is_none));
        // Nothing better exists: no limit, so that a layer that wakes up is used at once.
        let limit = if is_top { None } else { Some(granted) };
        let recovered = std::mem::take(&mut consumer.starved);
        if recovered {
            consumer.resync();
            push_event(
                &mut self.events,
                Event::ConsumerRecovered {
                    consumer: candidate.consumer,
                },
            );
        }
        if recovered || consumer.limit != limit {
            consumer.limit = limit;
            self.retarget(now, candidate.consumer);
        }
    }
}

/// Appends a step; what does not fit is a quality nobody misses.
fn push(steps: &mut [Option<Step>; MAX_ENCODINGS], next: &mut usize, step: Step) {
    if let Some(slot) = steps.get_mut(*next) {
        *slot = Some(step);
        *next += 1;
    }
}
