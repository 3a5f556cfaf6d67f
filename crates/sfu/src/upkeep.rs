//! What happens by the clock: reports, loss and key frame requests, layer choice, probes, the active speaker.

use std::time::{Duration, Instant};

use link::bwe::Bitrate;
use rtp::Ssrc;
use rtp::rtcp::write;

use crate::consumer::choose;
use crate::event::{Event, MAX_ENCODINGS};
use crate::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use crate::producer::{NackAction, Origin};
use crate::spec::{Direction, Layers, MediaKind, Scalability};
use crate::timers::Owner;
use crate::transport::{Candidate, ConsumerReport, Floor, REPORT_INTERVAL, Step, allocate};
use crate::worker::{Worker, push_event};

/// How often a downlink is divided anew. Estimates move with every feedback (about 100 ms); pictures should not.
pub(crate) const ALLOCATION_INTERVAL: Duration = Duration::from_millis(500);

/// A path's first seconds are not judged: the estimate starts low and climbs with what is sent.
const SETTLING: Duration = Duration::from_secs(5);

/// What an audio consumer is worth before its producer's rate is known: Opus as browsers send it, with headers.
const AUDIO_RESERVE: Bitrate = Bitrate(40_000);

/// Round trip assumed towards producers, from whom no report blocks come: a transatlantic path.
const PRODUCER_ROUND_TRIP: Duration = Duration::from_millis(100);

/// How much of a path to look for, in percent of what its consumers could use: a new step needs room
/// (`allocate`), and pictures are not equally large.
const HEADROOM_PERCENT: u64 = 150;

/// Share of a layer's rate that its base temporal layer needs. Browsers give 40 to 60 % to it.
const BASE_TEMPORAL_PERCENT: u64 = 60;

impl Worker {
    /// Does what is due on a transport.
    pub(crate) fn keep_up_transport(&mut self, now: Instant, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        transport.link.handle_timeout(now);
        self.follow_link(now, key);
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        transport.send_feedback(now, &mut self.scratch.compound, &mut self.transmits);
        let report_due = transport.next_report.is_some_and(|at| at <= now);
        let allocation_due = transport.next_allocation.is_some_and(|at| at <= now);
        let direction = transport.direction;
        match direction {
            Direction::Receive => {
                self.ask_senders(now, key);
                if report_due {
                    self.report_received(now, key);
                }
            }
            Direction::Send => {
                if allocation_due {
                    self.allocate_downlink(now, key);
                }
                if report_due {
                    self.report_sent(now, key);
                }
                self.probe(now, key);
            }
        }
        self.schedule_transport(key);
    }

    /// Does what is due on a router.
    pub(crate) fn keep_up_router(&mut self, now: Instant, key: RouterKey) {
        let Some(router) = self.routers.get_mut(key) else {
            return;
        };
        let Some(speaker) = &mut router.speaker else {
            return;
        };
        if let Some((producer, volume)) = speaker.poll(now) {
            push_event(
                &mut self.events,
                Event::ActiveSpeaker {
                    router: key,
                    producer,
                    volume,
                },
            );
        }
        if let Some(at) = speaker.poll_timeout() {
            self.timers.schedule(Owner::Router(key), &mut router.queued, at);
        }
    }

    /// NACKs and repeated key frame requests to the producers of a transport.
    fn ask_senders(&mut self, now: Instant, key: TransportKey) {
        let Self {
            transports,
            producers,
            scratch,
            transmits,
            counters,
            ..
        } = self;
        let Some(transport) = transports.get_mut(key) else {
            return;
        };
        let compound = &mut scratch.compound;
        compound.clear();
        for index in 0..transport.producers.len() {
            let Some(producer) = producers.get_mut(transport.producers[index]) else {
                continue;
            };
            for encoding in 0..producer.streams.len() {
                scratch.lost.clear();
                let action = producer.poll_nack(now, encoding, PRODUCER_ROUND_TRIP, &mut scratch.lost);
                let stream = &mut producer.streams[encoding];
                let Some(ssrc) = stream.ssrc() else { continue };
                let given_up = action == NackAction::KeyFrame && stream.keyframes.request(now);
                let needs_key_frame = stream.keyframes.poll(now) || given_up;
                // No action leaves the list empty.
                for lost in scratch.lost.chunks(MAX_LOST) {
                    transport.make_room(MAX_FEEDBACK + 4 * lost.len(), compound, transmits);
                    write::nack(compound, transport.feedback_sender, ssrc, lost);
                    counters.nack_sent += 1;
                }
                if needs_key_frame && producer.kind == MediaKind::Video {
                    transport.make_room(MAX_FEEDBACK, compound, transmits);
                    producer.write_key_frame_request(compound, transport.feedback_sender, ssrc);
                    counters.pli_sent += 1;
                }
            }
        }
        transport.send_rtcp(compound, transmits);
    }

    /// Asks for a key frame of a producer's stream, unless one was asked for just now (contract §5.3).
    pub(crate) fn request_key_frame(&mut self, now: Instant, key: ProducerKey, encoding: u8) {
        let Self {
            transports,
            producers,
            scratch,
            transmits,
            counters,
            timers,
            lanes,
            ..
        } = self;
        let Some(producer) = producers.get_mut(key) else {
            return;
        };
        if producer.kind != MediaKind::Video || producer.paused {
            return;
        }
        let transport_key = match &mut producer.origin {
            Origin::Transport(key) => *key,
            Origin::Pipe(upstream) => return upstream.request_key_frame(now, encoding, lanes),
        };
        let Some(stream) = producer.streams.get_mut(usize::from(encoding)) else {
            return;
        };
        let Some(transport) = transports.get_mut(transport_key) else {
            return;
        };
        // An unknown SSRC means that no packet came yet; the first one will be a key frame.
        let Some(ssrc) = stream.ssrc() else { return };
        // A request that cannot leave must not hold back the one made when the path opens.
        if transport.link.route().is_none() {
            return;
        }
        let now_is_the_time = stream.keyframes.request(now);
        if let Some(at) = stream.keyframes.poll_timeout() {
            timers.schedule(Owner::Transport(transport_key), &mut transport.queued, at);
        }
        if now_is_the_time {
            scratch.compound.clear();
            producer.write_key_frame_request(&mut scratch.compound, transport.feedback_sender, ssrc);
            if transport.send_rtcp(&mut scratch.compound, transmits) {
                counters.pli_sent += 1;
            }
        }
    }

    /// Asks for every key frame noted in the scratch list.
    pub(crate) fn request_wanted_key_frames(&mut self, now: Instant) {
        while let Some((producer, encoding)) = self.scratch.wanted.pop() {
            self.request_key_frame(now, producer, encoding);
        }
    }

    /// Chooses anew what each consumer of a producer should get.
    pub(crate) fn retarget_consumers(&mut self, now: Instant, key: ProducerKey) {
        self.settle();
        self.retarget_those(
            now,
            |worker| worker.producers.get(key).map(|own| &own.consumers[..]),
            |_, _| true,
        );
    }

    /// Chooses anew what those of some consumers should get for whom `is_meant` holds. Choosing changes what the list
    /// belongs to, so a copy is walked.
    fn retarget_those(
        &mut self,
        now: Instant,
        list: impl Fn(&Self) -> Option<&[ConsumerKey]>,
        is_meant: impl Fn(&Self, ConsumerKey) -> bool,
    ) {
        let mut keys = std::mem::take(&mut self.scratch.keys);
        keys.clear();
        keys.extend_from_slice(list(self).unwrap_or_default());
        for key in &keys {
            if is_meant(self, *key) {
                self.retarget(now, *key);
            }
        }
        self.scratch.keys = keys;
    }

    /// Chooses anew what a consumer should get, and asks for the key frame that takes.
    pub(crate) fn retarget(&mut self, now: Instant, key: ConsumerKey) {
        let Some(consumer) = self.consumers.get_mut(key) else {
            return;
        };
        let Some(producer) = self.producers.get(consumer.producer) else {
            return;
        };
        consumer.aim(choose(
            consumer.preferred,
            consumer.limit,
            &producer.available(now),
        ));
        let layers = consumer.poll_layers();
        let wanted = consumer
            .awaited_key_frame()
            .map(|encoding| (consumer.producer, encoding));
        if let Some(layers) = layers {
            self.emit(Event::ConsumerLayers {
                consumer: key,
                layers,
            });
        }
        if let Some((producer, encoding)) = wanted {
            self.request_key_frame(now, producer, encoding);
        }
    }

    /// Receiver reports, and scores while at it (RFC 3550 §6.4.2).
    fn report_received(&mut self, now: Instant, key: TransportKey) {
        let Self {
            transports,
            producers,
            scratch,
            transmits,
            events,
            counters,
            ..
        } = self;
        let Some(transport) = transports.get_mut(key) else {
            return;
        };
        let compound = &mut scratch.compound;
        compound.clear();
        let mut remb = RembSsrcs {
            ssrcs: [Ssrc(0); MAX_REMB_SSRCS],
            len: 0,
        };
        for index in 0..transport.producers.len() {
            let producer_key = transport.producers[index];
            let Some(producer) = producers.get_mut(producer_key) else {
                continue;
            };
            for stream in &mut producer.streams {
                let Some(receive) = &mut stream.receive else {
                    continue;
                };
                let lost = receive.lost_after_repair();
                counters.rtp_lost += lost.saturating_sub(stream.lost);
                stream.lost = lost;
                if let Some(block) = receive.report_block(now) {
                    transport.make_room(MAX_FEEDBACK, compound, transmits);
                    write::receiver_report(compound, transport.feedback_sender, &[block]);
                    remb.push(block.ssrc);
                }
            }
            if let Some(scores) = producer.poll_scores(now) {
                push_event(
                    events,
                    Event::ProducerScore {
                        producer: producer_key,
                        scores,
                    },
                );
            }
        }
        // Browsers take the lower of both; with transport feedback they find out by themselves what the path carries.
        let has_feedback = transport.feedback_media != Ssrc(0);
        if !remb.as_slice().is_empty() && !has_feedback {
            transport.make_room(MAX_FEEDBACK, compound, transmits);
            let ceiling = transport.max_incoming_bitrate.0;
            write::remb(compound, transport.feedback_sender, ceiling, remb.as_slice());
        }
        transport.send_rtcp(compound, transmits);
        transport.next_report = (!transport.producers.is_empty()).then_some(now + REPORT_INTERVAL);
    }

    /// Sender reports of a transport's consumers (RFC 3550 §6.4.1).
    fn report_sent(&mut self, now: Instant, key: TransportKey) {
        let Self {
            transports,
            producers,
            consumers,
            scratch,
            transmits,
            ..
        } = self;
        let Some(transport) = transports.get_mut(key) else {
            return;
        };
        let compound = &mut scratch.compound;
        compound.clear();
        for index in 0..transport.consumers.len() {
            let Some(consumer) = consumers.get_mut(transport.consumers[index]) else {
                continue;
            };
            if !consumer.is_active() || consumer.packets == 0 {
                continue;
            }
            let Some((encoding, offset)) = consumer.clock_offset() else {
                continue;
            };
            let clock = producers
                .get(consumer.producer)
                .and_then(|own| own.sender_clock(encoding, now));
            let Some(clock) = clock else { continue };
            let report = ConsumerReport {
                ssrc: consumer.ssrc,
                cname: &consumer.cname,
                ntp: clock.ntp,
                time: clock.time,
                offset,
                packets: consumer.packets,
                octets: consumer.octets,
            };
            transport.make_room(MAX_FEEDBACK + consumer.cname.len(), compound, transmits);
            report.write(compound);
            consumer.on_report_sent(now, clock.ntp.middle());
        }
        transport.send_rtcp(compound, transmits);
        transport.next_report = (!transport.consumers.is_empty()).then_some(now + REPORT_INTERVAL);
    }

    /// Divides a transport's downlink over its consumers (contract §5.3).
    fn allocate_downlink(&mut self, now: Instant, key: TransportKey) {
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
            let ceiling = choose(consumer.preferred, None, &available);
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

    /// A layer that its sender stopped is given up for one that is sent; nothing arrives that could tell.
    fn leave_silent_layers(&mut self, now: Instant, key: TransportKey) {
        self.retarget_those(
            now,
            |worker| worker.transports.get(key).map(|own| &own.consumers[..]),
            |worker, consumer| worker.is_stuck(now, consumer),
        );
    }

    /// Whether a consumer aims for what is no longer sent while something else is.
    fn is_stuck(&self, now: Instant, key: ConsumerKey) -> bool {
        let Some(consumer) = self.consumers.get(key).filter(|own| own.is_active()) else {
            return false;
        };
        // When everything is silent there is nothing to go to, and what comes next may fit what was sent.
        self.producers
            .get(consumer.producer)
            .map(|own| own.available(now))
            .and_then(|available| choose(consumer.preferred, consumer.limit, &available))
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

    /// Sends padding where the estimator wants to know more about the path.
    fn probe(&mut self, now: Instant, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        if transport.probe.is_ready()
            && transport.link.route().is_some()
            && let Some(plan) = transport.estimator.poll_probe(now)
        {
            transport.probe.start(now, plan.bitrate, plan.duration);
        }
        self.counters.probe_sent += transport.send_probes(now, self.clock, &mut self.transmits);
    }
}

/// The most bytes one feedback message or report takes, the lost numbers of a NACK aside.
const MAX_FEEDBACK: usize = 64;

/// Numbers one NACK names: at four bytes each, should none lie near another, it still fits a compound.
const MAX_LOST: usize = 256;

/// SSRCs a REMB names: what a transport of four tracks with three layers each receives, and some.
const MAX_REMB_SSRCS: usize = 16;

/// The streams a REMB is about.
struct RembSsrcs {
    ssrcs: [Ssrc; MAX_REMB_SSRCS],
    len: usize,
}

impl RembSsrcs {
    fn push(&mut self, ssrc: Ssrc) {
        if let Some(slot) = self.ssrcs.get_mut(self.len) {
            *slot = ssrc;
            self.len += 1;
        }
    }

    fn as_slice(&self) -> &[Ssrc] {
        &self.ssrcs[..self.len]
    }
}

/// Appends a step; what does not fit is a quality nobody misses.
fn push(steps: &mut [Option<Step>; MAX_ENCODINGS], next: &mut usize, step: Step) {
    if let Some(slot) = steps.get_mut(*next) {
        *slot = Some(step);
        *next += 1;
    }
}
