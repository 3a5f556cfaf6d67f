//! The worker: owner of every router and of all that is in them.

use std::collections::VecDeque;
use std::time::Instant;

use link::ice::stun_username_local_ufrag;
use link::{DatagramKind, FiveTuple, Incoming, LinkEvent, classify};
use slotmap::SlotMap;

use crate::burst::Burst;
use crate::consumer::Consumer;
use crate::demux::Demux;
use crate::event::Event;
use crate::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use crate::packet::{MAX_PACKET, MAX_REPEAT};
use crate::pipe::{Lanes, PeerId, PipeBatch};
use crate::producer::Producer;
use crate::random::Random;
use crate::router::Router;
use crate::spec::{VideoQuality, WorkerConfig};
use crate::stats::Counters;
use crate::timers::{Owner, Timers};
use crate::transmit::{TransmitBatch, TransmitClass};
use crate::transport::{Candidate, Clock, Transport};

/// Events kept for a control plane that does not poll. Beyond it the oldest go: they are states, and newer ones follow.
const MAX_EVENTS: usize = 4_096;

/// One worker: a part of the server that shares nothing with the others.
///
/// After each call that takes `now`, drain [`Worker::poll_event`], send [`Worker::transmits`] and clear them, bring
/// [`Worker::pipes`] to the workers they are for, and ask [`Worker::poll_timeout`] when to call [`Worker::handle_timeout`] next. A batch of datagrams may go in before the
/// transmits are taken out.
pub struct Worker {
    pub(crate) config: WorkerConfig,
    pub(crate) clock: Clock,
    /// How good cameras' pictures may be.
    pub(crate) quality: VideoQuality,
    pub(crate) random: Random,
    pub(crate) routers: SlotMap<RouterKey, Router>,
    pub(crate) transports: SlotMap<TransportKey, Transport>,
    pub(crate) producers: SlotMap<ProducerKey, Producer>,
    pub(crate) consumers: SlotMap<ConsumerKey, Consumer>,
    pub(crate) demux: Demux,
    pub(crate) timers: Timers,
    pub(crate) events: VecDeque<Event>,
    pub(crate) transmits: TransmitBatch,
    pub(crate) lanes: Lanes,
    pub(crate) counters: Counters,
    pub(crate) scratch: Scratch,
    pub(crate) burst: Burst,
}

/// Buffers that live as long as the worker, so that its steady state allocates nothing.
pub(crate) struct Scratch {
    /// The canonical packet being forwarded.
    pub(crate) packet: Box<[u8; MAX_PACKET]>,
    /// A stored packet that is sent, or sent again.
    pub(crate) repeat: Box<[u8; MAX_REPEAT]>,
    /// A datagram of a link.
    pub(crate) datagram: Vec<u8>,
    /// A compound RTCP packet.
    pub(crate) compound: Vec<u8>,
    /// Sequence numbers to ask for.
    pub(crate) lost: Vec<u16>,
    /// Consumers that began with the packet being forwarded.
    pub(crate) began: Vec<ConsumerKey>,
    /// Streams that consumers need a key frame of.
    pub(crate) wanted: Vec<(ProducerKey, u8)>,
    /// Consumers whose layers are chosen anew.
    pub(crate) keys: Vec<ConsumerKey>,
    /// Consumers that compete for a downlink.
    pub(crate) candidates: Vec<Candidate>,
}

impl Worker {
    /// A worker without routers, starting its clocks at `now`.
    pub fn new(now: Instant, config: WorkerConfig) -> Self {
        let random = Random::new(config.seed);
        Self {
            config,
            clock: Clock::new(now),
            quality: VideoQuality::default(),
            random,
            routers: SlotMap::with_key(),
            transports: SlotMap::with_key(),
            producers: SlotMap::with_key(),
            consumers: SlotMap::with_key(),
            demux: Demux::default(),
            timers: Timers::default(),
            events: VecDeque::new(),
            transmits: TransmitBatch::default(),
            lanes: Lanes::default(),
            counters: Counters::default(),
            scratch: Scratch {
                packet: Box::new([0; MAX_PACKET]),
                repeat: Box::new([0; MAX_REPEAT]),
                datagram: Vec::with_capacity(MAX_PACKET),
                compound: Vec::with_capacity(MAX_PACKET),
                lost: Vec::with_capacity(256),
                began: Vec::with_capacity(64),
                wanted: Vec::with_capacity(64),
                keys: Vec::with_capacity(64),
                candidates: Vec::with_capacity(64),
            },
            burst: Burst::new(),
        }
    }

    /// More datagrams are there already: those of a video frame may be forwarded together. Only
    /// [`Self::handle_datagram`] or [`Self::handle_piped`] may follow until [`Self::end_burst`]; anything else ends what
    /// was held early.
    pub fn begin_burst(&mut self) {
        self.burst.open();
    }

    /// Forwards what was held since [`Self::begin_burst`].
    pub fn end_burst(&mut self) {
        self.settle();
        self.burst.close();
    }

    /// Takes a received datagram; its bytes are decrypted in place. Whatever it holds, at worst it is counted.
    pub fn handle_datagram(&mut self, now: Instant, tuple: FiveTuple, datagram: &mut [u8]) {
        self.counters.datagrams_received += 1;
        let kind = classify(datagram);
        if kind != DatagramKind::Rtp {
            // What it changes comes after the packets that came before it.
            self.settle();
        }
        let is_stun = kind == DatagramKind::Stun;
        // A check names its transport. The address alone would go to whoever had it before (RFC 8445 §7.3).
        let by_ufrag = if is_stun {
            stun_username_local_ufrag(datagram)
        } else {
            None
        };
        let key = by_ufrag
            .and_then(|ufrag| self.demux.by_ufrag(ufrag))
            .or_else(|| self.demux.by_tuple(&tuple));
        let Some((key, transport)) = key.and_then(|key| Some((key, self.transports.get_mut(key)?))) else {
            self.counters.unknown_address += 1;
            return;
        };
        match transport.link.handle_datagram(now, tuple, datagram) {
            Incoming::Rtp(packet) => self.handle_rtp(now, key, packet),
            Incoming::Rtcp(compound) => self.handle_rtcp(now, key, compound),
            Incoming::Consumed => {
                if is_stun {
                    self.bind(tuple, key);
                }
                self.follow_link(now, key);
            }
            Incoming::Dropped(reason) => {
                self.counters.link_drops[reason as usize] += 1;
                // A refused check may have an answer, and a broken handshake a new state.
                self.follow_link(now, key);
            }
        }
    }

    /// A TCP connection is gone: its address no longer leads anywhere.
    pub fn handle_stream_closed(&mut self, now: Instant, tuple: FiveTuple) {
        self.settle();
        let Some(key) = self.demux.by_tuple(&tuple) else {
            return;
        };
        self.demux.unbind(&tuple, key);
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        transport.tuples.retain(|known| *known != tuple);
        transport.link.forget_tuple(now, tuple);
        self.follow_link(now, key);
    }

    /// Does what is due. Calling it early or late is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.settle();
        while let Some((at, owner)) = self.timers.pop_due(now) {
            match owner {
                Owner::Transport(key) => {
                    let fires = self
                        .transports
                        .get_mut(key)
                        .is_some_and(|own| Timers::fire(&mut own.queued, at));
                    if fires {
                        self.keep_up_transport(now, key);
                    }
                }
                Owner::Router(key) => {
                    let fires = self
                        .routers
                        .get_mut(key)
                        .is_some_and(|own| Timers::fire(&mut own.queued, at));
                    if fires {
                        self.keep_up_router(now, key);
                    }
                }
            }
        }
    }

    /// When to call [`Worker::handle_timeout`] next; `None` while nothing is open.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next event for the control plane.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The datagrams to send.
    pub fn transmits(&self) -> &TransmitBatch {
        &self.transmits
    }

    /// Forgets the datagrams to send, after they were sent.
    pub fn clear_transmits(&mut self) {
        self.transmits.clear();
    }

    /// What waits for other workers. Whoever runs the workers brings each batch to its worker's
    /// [`Worker::handle_piped`], item by item, and puts an empty one in its place. A batch left here grows to its bound;
    /// then video is dropped before audio, and counted.
    pub fn pipes(&mut self) -> impl Iterator<Item = (PeerId, &mut PipeBatch)> {
        self.lanes.waiting()
    }

    /// Bytes of packets that wait for the worker for which most of them wait.
    pub fn piped_bytes(&self) -> usize {
        self.lanes.waiting_bytes()
    }

    /// Totals since the worker's start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn emit(&mut self, event: Event) {
        push_event(&mut self.events, event);
    }

    /// An authenticated check came from `tuple`: packets from there belong to `key`.
    fn bind(&mut self, tuple: FiveTuple, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        let selected = transport.link.selected();
        let previous = self.demux.bind(tuple, key, &mut transport.tuples, selected);
        if let Some(other) = previous.and_then(|previous| self.transports.get_mut(previous)) {
            other.tuples.retain(|known| *known != tuple);
        }
    }

    /// Takes what a link wants to say and send after it was fed.
    pub(crate) fn follow_link(&mut self, now: Instant, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        while let Some(tuple) = transport.link.poll_transmit(&mut self.scratch.datagram) {
            self.transmits
                .push(tuple, TransmitClass::Control, &self.scratch.datagram);
        }
        let mut ready = false;
        while let Some(event) = transport.link.poll_event() {
            let event = match event {
                LinkEvent::Ice(state) => Event::Ice {
                    transport: key,
                    state,
                },
                LinkEvent::Dtls(state) => Event::Dtls {
                    transport: key,
                    state,
                },
                LinkEvent::Selected(tuple) => {
                    ready |= transport.link.route().is_some();
                    Event::Selected {
                        transport: key,
                        protocol: tuple.protocol,
                    }
                }
                LinkEvent::SrtpReady(_) => {
                    ready = true;
                    continue;
                }
            };
            push_event(&mut self.events, event);
        }
        if ready {
            self.open_path(now, key);
        }
        self.schedule_transport(key);
    }

    /// Media may flow on a transport, or flows on another path: viewers start with a key frame, its own as well as
    /// those of what it produces.
    fn open_path(&mut self, now: Instant, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        self.scratch.wanted.clear();
        let produced = transport
            .producers
            .iter()
            .filter_map(|producer| self.producers.get(*producer));
        let viewers = produced.flat_map(|producer| &producer.consumers);
        for consumer in transport.consumers.iter().chain(viewers) {
            let wanted = self
                .consumers
                .get(*consumer)
                .and_then(|own| Some((own.producer, own.awaited_key_frame()?)));
            self.scratch.wanted.extend(wanted);
        }
        self.request_wanted_key_frames(now);
        self.tell_twins_of_path(key);
    }

    /// Queues the transport for its soonest deadline.
    pub(crate) fn schedule_transport(&mut self, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else {
            return;
        };
        let producers = transport
            .producers
            .iter()
            .filter_map(|producer| self.producers.get(*producer)?.poll_timeout());
        let Some(at) = producers.chain(transport.poll_timeout()).min() else {
            return;
        };
        self.timers
            .schedule(Owner::Transport(key), &mut transport.queued, at);
    }
}

/// Queues an event; the oldest goes when nobody takes them.
pub(crate) fn push_event(events: &mut VecDeque<Event>, event: Event) {
    if events.len() >= MAX_EVENTS {
        events.pop_front();
    }
    events.push_back(event);
}
