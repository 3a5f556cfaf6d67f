//! What happens by the clock: reports, loss and key frame requests, layer choice, probes, the active speaker.

use std::time::{Duration, Instant};

use rtp::Ssrc;
use rtp::rtcp::write;

use crate::event::Event;
use crate::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use crate::producer::{NackAction, Origin};
use crate::spec::{Direction, MediaKind};
use crate::timers::Owner;
use crate::transport::{ConsumerReport, REPORT_INTERVAL};
use crate::worker::{Worker, push_event};

/// Round trip assumed towards producers, from whom no report blocks come: a transatlantic path.
const PRODUCER_ROUND_TRIP: Duration = Duration::from_millis(100);

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
            consumers,
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
                let given_up = action == NackAction::KeyFrame;
                let is_asked = given_up || producer.streams[encoding].keyframes.is_due(now);
                // Who wished for it may have gone to another layer, or away.
                let is_watched = is_asked && producer.is_watched(encoding as u8, consumers);
                let stream = &mut producer.streams[encoding];
                let Some(ssrc) = stream.ssrc() else { continue };
                if is_asked && !is_watched {
                    stream.keyframes.cancel();
                }
                let given_up = given_up && is_watched && stream.keyframes.request(now);
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
    pub(crate) fn retarget_those(
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
        consumer.aim(consumer.wanted(self.quality, producer, &producer.available(now)));
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
            quality,
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
        if !remb.as_slice().is_empty()
            && let Some(ceiling) = transport.ceiling_to_tell(quality.ceiling(&transport.producers, producers))
        {
            transport.make_room(MAX_FEEDBACK, compound, transmits);
            write::remb(compound, transport.feedback_sender, ceiling.0, remb.as_slice());
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
