//! Commands: opening and closing of objects, and what a control plane may change about them.
//!
//! Things close in one order: router, transports, producers, consumers (contract §1.9).

use std::time::Instant;

use link::ice::IceCredentials;

use crate::command::{Command, CommandError, Reply};
use crate::consumer::Consumer;
use crate::event::MAX_ENCODINGS;
use crate::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use crate::pipe::Note;
use crate::producer::{Origin, Producer};
use crate::router::Router;
use crate::spec::{ConnectSpec, ConsumerSpec, Direction, Layers, MediaKind, ProducerSpec, TransportSpec};
use crate::stats::{TransportStats, WorkerStats};
use crate::transport::{REPORT_INTERVAL, Transport};
use crate::worker::Worker;

impl Worker {
    /// Carries out a command between two packets. A refused command changes nothing.
    pub fn handle_command(&mut self, now: Instant, command: Command) -> Reply {
        self.settle();
        self.carry_out(now, command).unwrap_or_else(Reply::Failed)
    }

    fn carry_out(&mut self, now: Instant, command: Command) -> Result<Reply, CommandError> {
        match command {
            Command::CreateRouter => return Ok(Reply::Router(self.routers.insert(Router::home(now)))),
            Command::CreateBranch => return Ok(Reply::Router(self.routers.insert(Router::branch()))),
            Command::CloseRouter(router) => self.close_router(now, router)?,
            Command::CreateTransport { router, spec } => {
                return self.create_transport(now, router, spec).map(Reply::Transport);
            }
            Command::ConnectTransport { transport, spec } => self.connect_transport(now, transport, spec)?,
            Command::RestartIce { transport, ice } => self.restart_ice(transport, ice)?,
            Command::CloseTransport(transport) => self.close_transport(now, transport)?,
            Command::Produce { transport, spec } => {
                return self.produce(now, transport, spec).map(Reply::Producer);
            }
            Command::ProducePiped {
                router,
                from,
                source,
                spec,
            } => {
                let twin = self.produce_piped(now, router, (from, source), spec);
                return twin.map(Reply::Producer);
            }
            Command::OpenPipe { producer, to, twin } => self.open_pipe(producer, to, twin)?,
            Command::ForgetPeer(peer) => self.forget_peer(peer),
            Command::PauseProducer(producer) => self.pause_producer(producer)?,
            Command::ResumeProducer(producer) => self.resume_producer(now, producer)?,
            Command::CloseProducer(producer) => self.close_producer(producer)?,
            Command::Consume {
                transport,
                producer,
                spec,
            } => {
                return self.consume(now, transport, producer, spec).map(Reply::Consumer);
            }
            Command::PauseConsumer(consumer) => self.pause_consumer(consumer)?,
            Command::ResumeConsumer(consumer) => self.resume_consumer(now, consumer)?,
            Command::CloseConsumer(consumer) => self.close_consumer(consumer)?,
            Command::SetPreferredLayers { consumer, layers } => {
                self.set_preferred_layers(now, consumer, layers)?
            }
            Command::SetVideoQuality(quality) => self.quality = quality,
            Command::RequestKeyFrame(consumer) => self.request_key_frame_for(now, consumer)?,
            Command::Stats => return Ok(Reply::Stats(Box::new(self.stats()))),
            Command::TransportStats(transport) => {
                return self
                    .transport_stats(transport)
                    .map(|stats| Reply::TransportStats(Box::new(stats)));
            }
        }
        Ok(Reply::Done)
    }

    fn close_router(&mut self, now: Instant, key: RouterKey) -> Result<(), CommandError> {
        let router = self.routers.remove(key).ok_or(CommandError::UnknownRouter)?;
        for transport in router.transports {
            // The router's own list may not hold a transport twice, so this finds each.
            self.close_transport(now, transport)?;
        }
        for twin in router.piped {
            self.close_producer(twin)?;
        }
        Ok(())
    }

    fn create_transport(
        &mut self,
        now: Instant,
        router: RouterKey,
        spec: TransportSpec,
    ) -> Result<TransportKey, CommandError> {
        let owner = self.routers.get_mut(router).ok_or(CommandError::UnknownRouter)?;
        if self.demux.by_ufrag(&spec.ice.ufrag).is_some() {
            return Err(CommandError::UfragInUse);
        }
        let ufrag = spec.ice.ufrag.clone();
        let transport = Transport::new(now, router, spec, &self.config, self.random.next());
        let key = self.transports.insert(transport);
        owner.transports.push(key);
        self.demux.insert_ufrag(&ufrag, key);
        self.schedule_transport(key);
        Ok(key)
    }

    fn connect_transport(
        &mut self,
        now: Instant,
        key: TransportKey,
        spec: ConnectSpec,
    ) -> Result<(), CommandError> {
        let transport = self
            .transports
            .get_mut(key)
            .ok_or(CommandError::UnknownTransport)?;
        transport.link.connect(now, spec.dtls)?;
        self.follow_link(now, key);
        Ok(())
    }

    fn restart_ice(&mut self, key: TransportKey, ice: IceCredentials) -> Result<(), CommandError> {
        let transport = self
            .transports
            .get_mut(key)
            .ok_or(CommandError::UnknownTransport)?;
        if !self.demux.insert_ufrag(&ice.ufrag, key) {
            return Err(CommandError::UfragInUse);
        }
        transport.ufrags.push(ice.ufrag.clone());
        transport.link.restart_ice(ice);
        // Names before the last but one belong to restarts that were overtaken by another.
        let link = &transport.link;
        let demux = &mut self.demux;
        transport.ufrags.retain(|ufrag| {
            let known = link.owns_ufrag(ufrag);
            if !known {
                demux.remove_ufrag(ufrag);
            }
            known
        });
        Ok(())
    }

    fn close_transport(&mut self, now: Instant, key: TransportKey) -> Result<(), CommandError> {
        let transport = self
            .transports
            .get_mut(key)
            .ok_or(CommandError::UnknownTransport)?;
        transport.link.close(now);
        self.follow_link(now, key);
        let transport = self
            .transports
            .remove(key)
            .ok_or(CommandError::UnknownTransport)?;
        for producer in &transport.producers {
            self.close_producer(*producer)?;
        }
        for consumer in &transport.consumers {
            self.close_consumer(*consumer)?;
        }
        for tuple in &transport.tuples {
            self.demux.unbind(tuple, key);
        }
        for ufrag in &transport.ufrags {
            self.demux.remove_ufrag(ufrag);
        }
        if let Some(router) = self.routers.get_mut(transport.router) {
            router.transports.retain(|known| *known != key);
        }
        Ok(())
    }

    fn produce(
        &mut self,
        now: Instant,
        key: TransportKey,
        spec: ProducerSpec,
    ) -> Result<ProducerKey, CommandError> {
        let transport = self
            .transports
            .get_mut(key)
            .ok_or(CommandError::UnknownTransport)?;
        if transport.direction != Direction::Receive {
            return Err(CommandError::WrongDirection);
        }
        let router = transport.router;
        let producer = Producer::new(now, Origin::Transport(key), router, spec.clone());
        let producer = producer.ok_or(CommandError::EmptyProducer)?;
        let producer_key = self.producers.insert(producer);
        if transport.listener.insert(producer_key, &spec).is_err() {
            self.producers.remove(producer_key);
            return Err(CommandError::StreamInUse);
        }
        transport.learn_extensions(&spec.extensions);
        transport.producers.push(producer_key);
        transport.next_report.get_or_insert(now + REPORT_INTERVAL);
        self.schedule_transport(key);
        // Packets may have come before the producer did and were dropped (contract §1.8.7).
        if spec.kind == MediaKind::Video && !spec.paused {
            for encoding in 0..spec.encodings.len().min(MAX_ENCODINGS) {
                self.request_key_frame(now, producer_key, encoding as u8);
            }
        }
        Ok(producer_key)
    }

    pub(crate) fn pause_producer(&mut self, key: ProducerKey) -> Result<(), CommandError> {
        let producer = self.producers.get_mut(key).ok_or(CommandError::UnknownProducer)?;
        producer.paused = true;
        for stream in &mut producer.streams {
            stream.keyframes.cancel();
        }
        if let Some(router) = self.routers.get_mut(producer.router) {
            router.silence(key);
        }
        self.tell_twins(key, Note::Paused);
        Ok(())
    }

    pub(crate) fn resume_producer(&mut self, now: Instant, key: ProducerKey) -> Result<(), CommandError> {
        let producer = self.producers.get_mut(key).ok_or(CommandError::UnknownProducer)?;
        if !producer.paused {
            return Ok(());
        }
        producer.paused = false;
        // They wish for key frames by themselves.
        self.tell_twins(key, Note::Running);
        let Some(producer) = self.producers.get(key) else {
            return Ok(());
        };
        for consumer in &producer.consumers {
            if let Some(consumer) = self.consumers.get_mut(*consumer) {
                consumer.resync();
            }
        }
        self.retarget_consumers(now, key);
        Ok(())
    }

    pub(crate) fn close_producer(&mut self, key: ProducerKey) -> Result<(), CommandError> {
        self.tell_twins(key, Note::Closed);
        let producer = self.producers.remove(key).ok_or(CommandError::UnknownProducer)?;
        for consumer in &producer.consumers {
            self.forget_consumer(*consumer);
        }
        match &producer.origin {
            Origin::Transport(transport) => {
                if let Some(transport) = self.transports.get_mut(*transport) {
                    transport.producers.retain(|known| *known != key);
                    transport.listener.remove(key);
                }
            }
            Origin::Pipe(upstream) => upstream.leave(key, &mut self.lanes),
        }
        if let Some(router) = self.routers.get_mut(producer.router) {
            router.silence(key);
            router.piped.retain(|known| *known != key);
        }
        Ok(())
    }

    fn consume(
        &mut self,
        now: Instant,
        key: TransportKey,
        producer_key: ProducerKey,
        spec: ConsumerSpec,
    ) -> Result<ConsumerKey, CommandError> {
        let transport = self
            .transports
            .get_mut(key)
            .ok_or(CommandError::UnknownTransport)?;
        let producer = self
            .producers
            .get_mut(producer_key)
            .ok_or(CommandError::UnknownProducer)?;
        if transport.direction != Direction::Send {
            return Err(CommandError::WrongDirection);
        }
        if producer.router != transport.router {
            return Err(CommandError::ForeignProducer);
        }
        let taken = |consumer: &ConsumerKey| {
            self.consumers.get(*consumer).is_some_and(|other| {
                other.ssrc == spec.ssrc
                    || spec
                        .rtx
                        .is_some_and(|rtx| rtx.ssrc == other.ssrc || rtx.ssrc == spec.ssrc)
            })
        };
        if transport.consumers.iter().any(taken) {
            return Err(CommandError::StreamInUse);
        }
        let consumer = Consumer::new(key, producer_key, producer, spec, self.random.next());
        let consumer_key = self.consumers.insert(consumer);
        transport.consumers.push(consumer_key);
        producer.consumers.push(consumer_key);
        if producer.kind == MediaKind::Video {
            transport.probe.open();
            transport
                .next_allocation
                .get_or_insert(now + crate::downlink::ALLOCATION_INTERVAL);
        }
        transport.next_report.get_or_insert(now + REPORT_INTERVAL);
        self.schedule_transport(key);
        self.retarget(now, consumer_key);
        Ok(consumer_key)
    }

    fn pause_consumer(&mut self, key: ConsumerKey) -> Result<(), CommandError> {
        let consumer = self.consumers.get_mut(key).ok_or(CommandError::UnknownConsumer)?;
        consumer.paused = true;
        Ok(())
    }

    fn resume_consumer(&mut self, now: Instant, key: ConsumerKey) -> Result<(), CommandError> {
        let consumer = self.consumers.get_mut(key).ok_or(CommandError::UnknownConsumer)?;
        if consumer.paused {
            consumer.paused = false;
            consumer.resync();
            self.retarget(now, key);
            return Ok(());
        }
        // Whoever resumes what runs has seen no picture yet (contract §1.3, endpoint 7).
        self.request_key_frame_for(now, key)
    }

    fn close_consumer(&mut self, key: ConsumerKey) -> Result<(), CommandError> {
        let consumer = self.consumers.get(key).ok_or(CommandError::UnknownConsumer)?;
        if let Some(producer) = self.producers.get_mut(consumer.producer) {
            producer.consumers.retain(|known| *known != key);
        }
        self.forget_consumer(key);
        Ok(())
    }

    /// Removes a consumer whose producer is gone or no longer lists it.
    fn forget_consumer(&mut self, key: ConsumerKey) {
        let Some(consumer) = self.consumers.remove(key) else {
            return;
        };
        if let Some(transport) = self.transports.get_mut(consumer.transport) {
            transport.consumers.retain(|known| *known != key);
        }
    }

    fn set_preferred_layers(
        &mut self,
        now: Instant,
        key: ConsumerKey,
        layers: Layers,
    ) -> Result<(), CommandError> {
        let consumer = self.consumers.get_mut(key).ok_or(CommandError::UnknownConsumer)?;
        consumer.preferred = Some(layers);
        self.retarget(now, key);
        Ok(())
    }

    fn request_key_frame_for(&mut self, now: Instant, key: ConsumerKey) -> Result<(), CommandError> {
        let consumer = self.consumers.get(key).ok_or(CommandError::UnknownConsumer)?;
        if consumer.kind == MediaKind::Video {
            self.request_key_frame(now, consumer.producer, consumer.current_encoding());
        }
        Ok(())
    }

    fn stats(&self) -> WorkerStats {
        let mut stats = WorkerStats {
            routers: self.routers.len(),
            quality: self.quality,
            counters: self.counters.clone(),
            ..WorkerStats::default()
        };
        for transport in self.transports.values() {
            match transport.direction {
                Direction::Receive => stats.receive_transports += 1,
                Direction::Send => stats.send_transports += 1,
            }
        }
        for producer in self.producers.values() {
            stats.stored_bytes += producer
                .streams
                .iter()
                .map(|stream| stream.store.memory_bytes())
                .sum::<usize>();
            match (&producer.origin, producer.kind) {
                (Origin::Pipe(_), _) => stats.piped_producers += 1,
                (Origin::Transport(_), MediaKind::Audio) => stats.audio_producers += 1,
                (Origin::Transport(_), MediaKind::Video) => stats.video_producers += 1,
            }
        }
        for consumer in self.consumers.values() {
            match consumer.kind {
                MediaKind::Audio => stats.audio_consumers += 1,
                MediaKind::Video => stats.video_consumers += 1,
            }
        }
        stats
    }

    fn transport_stats(&self, key: TransportKey) -> Result<TransportStats, CommandError> {
        let transport = self.transports.get(key).ok_or(CommandError::UnknownTransport)?;
        Ok(TransportStats {
            protocol: transport.link.selected().map(|tuple| tuple.protocol),
            outgoing_estimate: transport.estimator.estimate(),
            rtp_received: transport.rtp_received,
            rtp_sent: transport.rtp_sent,
            fraction_lost: transport.fraction_lost,
            round_trip_micros: transport
                .round_trip
                .map_or(0, |round_trip| round_trip.as_micros() as u32),
        })
    }
}
