//! What a worker reports about a room's objects.

use sfu::event::Event;
use signalling::TransportId;
use signalling::client_node::{ActiveSpeaker, NodeEvent, PauseReason, TransportDirection};
use signalling::gateway_node::{DtlsState, IceState, ServiceEvent, TransportState};
use tokio::time::Instant;

use super::Room;
use super::producers::Flow;
use crate::control::translate;
use crate::control::workers::WorkerNumber;

impl Room {
    /// Takes an event; those about objects closed meanwhile are late and mean nothing.
    pub(crate) fn handle_event(&mut self, worker: WorkerNumber, event: Event) {
        match event {
            Event::Ice { transport, state } => {
                if let Some(id) = self.transport_ids.get(&(worker, transport)).copied() {
                    self.ice_changed(id, translate::ice_state(state));
                }
            }
            Event::Selected { transport, protocol } => {
                let id = self.transport_ids.get(&(worker, transport)).copied();
                if let Some(transport) = id.and_then(|id| self.transports.get_mut(&id)) {
                    transport.protocol = Some(protocol);
                }
            }
            Event::Dtls { transport, state } => {
                if let Some(id) = self.transport_ids.get(&(worker, transport)).copied() {
                    self.dtls_changed(id, translate::dtls_state(state));
                }
            }
            Event::ConsumerStarved { consumer } => {
                if let Some(id) = self.consumer_ids.get(&(worker, consumer)) {
                    self.announce_consumer(*id, Flow::Paused, PauseReason::Bandwidth);
                }
            }
            Event::ConsumerRecovered { consumer } => {
                if let Some(id) = self.consumer_ids.get(&(worker, consumer)) {
                    self.announce_consumer(*id, Flow::Running, PauseReason::Bandwidth);
                }
            }
            Event::ActiveSpeaker { producer, volume, .. } => {
                let id = producer.and_then(|producer| self.producer_ids.get(&(worker, producer)));
                let speaker = id.and_then(|id| self.producers.get(id));
                self.context
                    .notices
                    .clients(NodeEvent::ActiveSpeaker(ActiveSpeaker {
                        call_id: self.call.clone(),
                        participant_id: speaker.map(|producer| producer.owner.clone()),
                        volume,
                    }));
            }
            Event::ProducerScore { producer, scores } => {
                let id = self.producer_ids.get(&(worker, producer));
                tracing::trace!(call = %self.call, producer = ?id, scores = ?scores.as_slice(), "score");
            }
            Event::ConsumerLayers { consumer, layers } => {
                let id = self.consumer_ids.get(&(worker, consumer));
                tracing::trace!(call = %self.call, consumer = ?id, ?layers, "layers");
            }
        }
    }

    pub(super) fn ice_changed(&mut self, id: TransportId, state: IceState) {
        let Some(transport) = self.transports.get_mut(&id) else {
            return;
        };
        if transport.ice == state {
            return;
        }
        transport.ice = state;
        match state {
            IceState::Connected | IceState::Completed => {
                transport.connect_by = None;
                if transport.reached.is_none() {
                    transport.reached = Some(Instant::now());
                    self.context.metrics.ice_attempted(true);
                }
                if !transport.has_ended() {
                    transport.failed_since = None;
                }
                if let Some(owner) = self.participants.get_mut(&transport.owner) {
                    owner.unseen_since = None;
                }
            }
            IceState::Failed => {
                transport.connect_by = None;
                transport.failed_since.get_or_insert(Instant::now());
                if transport.reached.is_none() {
                    self.context.metrics.ice_attempted(false);
                }
                self.context.metrics.ice_failed();
            }
            IceState::New | IceState::Disconnected | IceState::Closed => {}
        }
        self.announce_transport(id);
    }

    fn dtls_changed(&mut self, id: TransportId, state: DtlsState) {
        let metrics = &self.context.metrics;
        let Some(transport) = self.transports.get_mut(&id) else {
            return;
        };
        if transport.dtls == state {
            return;
        }
        transport.dtls = state;
        match state {
            DtlsState::Connected => {
                if let Some(reached) = transport.reached {
                    metrics.dtls_connected(reached.elapsed());
                }
                let direction = match transport.direction {
                    TransportDirection::Send => "send",
                    TransportDirection::Recv => "recv",
                };
                let protocol = match transport.protocol {
                    Some(link::Protocol::Tcp) => "tcp",
                    Some(link::Protocol::Udp) | None => "udp",
                };
                metrics.transport_connected(direction, protocol, transport.created.elapsed());
            }
            DtlsState::Failed => {
                transport.failed_since.get_or_insert(Instant::now());
                metrics.dtls_failed();
            }
            // The client said goodbye, which a browser does when its page goes away.
            DtlsState::Closed => {
                transport.failed_since.get_or_insert(Instant::now());
            }
            DtlsState::New | DtlsState::Connecting => {}
        }
        self.announce_transport(id);
    }

    /// Tells services how a transport is.
    pub(super) fn announce_transport(&self, id: TransportId) {
        let Some(transport) = self.transports.get(&id) else {
            return;
        };
        tracing::info!(
            call = %self.call, participant = %transport.owner, transport = %id,
            ice = ?transport.ice, dtls = ?transport.dtls, "transport state"
        );
        self.context
            .notices
            .services(ServiceEvent::TransportState(TransportState {
                call_id: self.call.clone(),
                participant_id: transport.owner.clone(),
                transport_id: id,
                direction: transport.direction,
                ice_state: transport.ice,
                dtls_state: transport.dtls,
            }));
    }
}
