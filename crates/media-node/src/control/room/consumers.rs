//! Consumers: created paused, one per participant and producer.

use ortc::consume::ConsumerIdentity;
use sfu::command::{Command, Reply};
use sfu::spec::Layers;
use signalling::client_node::{
    ConsumeRequest, ConsumeResponse, ConsumerPaused, NodeEvent, PauseReason, PreferredLayersRequest,
};
use signalling::error::ErrorBody;
use signalling::{ConsumerId, ErrorCode, TransportId};
use tokio::time::Instant;

use super::Room;
use super::objects::Consumer;
use super::producers::Flow;
use crate::control::caller::Caller;
use crate::control::{negotiate, translate};
use crate::random;

/// Temporal layers are numbered with three bits in every codec; this asks for all of them.
const ALL_TEMPORAL_LAYERS: u8 = 7;

impl Room {
    /// Creates a consumer on the participant's receive transport, or finds the one there is.
    pub(crate) async fn consume(&mut self, request: ConsumeRequest) -> Result<ConsumeResponse, ErrorBody> {
        const FAILED: ErrorCode = ErrorCode::ConsumerCreationFailed;
        let began = Instant::now();
        let ConsumeRequest {
            participant_id: owner,
            producer_id,
            rtp_capabilities,
        } = request;
        let capabilities = negotiate::usable_capabilities(rtp_capabilities)?;
        let missing = || ErrorBody::new(ErrorCode::ProducerNotFound).about("producerId", producer_id);
        let producer = self.producers.get(&producer_id).ok_or_else(missing)?;
        if producer.owner == owner {
            let message = "producerId: a participant does not consume its own producer";
            return Err(ErrorBody::with_message(ErrorCode::InvalidRequest, message));
        }
        let transport_id = self.participants.get(&owner).and_then(|owner| owner.recv);
        let without = || {
            let message = "The participant has no receive transport";
            ErrorBody::with_message(ErrorCode::TransportNotFound, message).about("participantId", &owner)
        };
        let transport_id = transport_id.ok_or_else(without)?;
        let live = |(_, consumer): &(&ConsumerId, &Consumer)| {
            consumer.owner == owner && consumer.producer == producer_id
        };
        if let Some((id, consumer)) = self.consumers.iter().find(live) {
            return Ok(consumer.response(*id, producer));
        }
        negotiate::can_consume(&producer.consumable, &capabilities)?;
        let consumable = producer.consumable.clone();
        let cname = self
            .participants
            .get(&producer.owner)
            .map(|owner| owner.cname.clone())
            .unwrap_or_default();
        let identity = self
            .consumer_identity(transport_id, cname.clone())
            .ok_or_else(without)?;
        let parameters = negotiate::consume(&consumable, &capabilities, identity)?;
        let spec = translate::consumer(&parameters, &cname).map_err(|error| {
            tracing::error!(call = %self.call, %error, "a negotiated consumer cannot be expressed");
            ErrorBody::new(FAILED)
        })?;
        let transport = self.transports.get(&transport_id).ok_or_else(without)?;
        let (worker, transport) = (transport.worker, transport.key);
        let producer = self.producer_on(worker, producer_id).await?;
        let command = Command::Consume {
            transport,
            producer,
            spec,
        };
        let key = match self.command(worker, command, FAILED).await {
            Ok(Reply::Consumer(key)) => key,
            outcome => {
                self.close_idle_twins(producer_id);
                return Err(match outcome {
                    Ok(other) => self.unexpected(&other, FAILED),
                    Err(error) => error,
                });
            }
        };
        let id = ConsumerId::random();
        self.count_twin_consumer(producer_id, worker);
        let consumer = Consumer {
            worker,
            key,
            owner,
            transport: transport_id,
            producer: producer_id,
            parameters,
            paused: true,
        };
        let producer = self.producers.get(&producer_id).ok_or_else(missing)?;
        let response = consumer.response(id, producer);
        tracing::debug!(
            call = %self.call, participant = %consumer.owner, producer = %producer_id, consumer = %id,
            "consumer created"
        );
        self.context
            .metrics
            .consumer_created(producer.kind.as_str(), began.elapsed());
        self.consumer_ids.insert((worker, key), id);
        self.consumers.insert(id, consumer);
        Ok(response)
    }

    /// Fresh numbers for a consumer of the transport (contract §1.8.5).
    fn consumer_identity(&mut self, transport_id: TransportId, cname: String) -> Option<ConsumerIdentity> {
        let taken = |ssrc: u32| {
            self.consumers
                .values()
                .any(|consumer| consumer.transport == transport_id && consumer.has_ssrc(ssrc))
        };
        let ssrc = random::ssrc(|ssrc| taken(ssrc.0));
        let rtx_ssrc = random::ssrc(|candidate| candidate == ssrc || taken(candidate.0));
        let transport = self.transports.get_mut(&transport_id)?;
        let mid = transport.next_mid.to_string();
        transport.next_mid += 1;
        Some(ConsumerIdentity {
            ssrc: ssrc.0,
            rtx_ssrc: rtx_ssrc.0,
            mid,
            cname,
        })
    }

    /// Starts or stops the flow to a consumer.
    pub(crate) async fn set_consumer_flow(
        &mut self,
        caller: &Caller,
        id: ConsumerId,
        flow: Flow,
    ) -> Result<(), ErrorBody> {
        let consumer = self.owned_consumer(caller, id)?;
        let worker = consumer.worker;
        let changes = consumer.paused != (flow == Flow::Paused);
        let command = match flow {
            Flow::Paused => Command::PauseConsumer(consumer.key),
            // Also when it runs already: whoever asks again has seen no picture yet.
            Flow::Running => Command::ResumeConsumer(consumer.key),
        };
        self.command(worker, command, ErrorCode::InternalServerError)
            .await?;
        if changes && let Some(consumer) = self.consumers.get_mut(&id) {
            consumer.paused = flow == Flow::Paused;
            let change = if consumer.paused { -1 } else { 1 };
            self.count_consumer(worker, change);
            self.announce_consumer(id, flow, PauseReason::Client);
        }
        Ok(())
    }

    /// Tells a consumer's owner that it stopped or flows again.
    pub(super) fn announce_consumer(&self, id: ConsumerId, flow: Flow, reason: PauseReason) {
        let Some(consumer) = self.consumers.get(&id) else {
            return;
        };
        let event = ConsumerPaused {
            call_id: self.call.clone(),
            participant_id: consumer.owner.clone(),
            consumer_id: id,
            producer_id: consumer.producer,
            reason,
        };
        self.context.notices.clients(match flow {
            Flow::Paused => NodeEvent::ConsumerPaused(event),
            Flow::Running => NodeEvent::ConsumerResumed(event),
        });
    }

    /// Bounds the layers a consumer receives.
    pub(crate) async fn prefer_layers(
        &mut self,
        caller: &Caller,
        id: ConsumerId,
        layers: PreferredLayersRequest,
    ) -> Result<(), ErrorBody> {
        let own = self.owned_consumer(caller, id)?;
        let (worker, consumer) = (own.worker, own.key);
        let temporal = layers.temporal_layer.unwrap_or(ALL_TEMPORAL_LAYERS);
        let layers = Layers {
            spatial: layers.spatial_layer,
            temporal,
        };
        let command = Command::SetPreferredLayers { consumer, layers };
        self.command(worker, command, ErrorCode::InternalServerError)
            .await
            .map(drop)
    }

    /// Asks the producer of a consumer for a key frame.
    pub(crate) async fn request_key_frame(
        &mut self,
        caller: &Caller,
        id: ConsumerId,
    ) -> Result<(), ErrorBody> {
        let own = self.owned_consumer(caller, id)?;
        let (worker, command) = (own.worker, Command::RequestKeyFrame(own.key));
        self.command(worker, command, ErrorCode::InternalServerError)
            .await
            .map(drop)
    }

    /// Removes consumers that the worker closes or has closed.
    pub(super) fn forget_consumers(&mut self, gone: impl Fn(&Consumer) -> bool) {
        let left: Vec<Consumer> = self
            .consumers
            .extract_if(|_, consumer| gone(consumer))
            .map(|(_, consumer)| consumer)
            .collect();
        for consumer in left {
            self.consumer_ids.remove(&(consumer.worker, consumer.key));
            if let Some(part) = self.parts.get(&consumer.worker) {
                part.lease.forget_consumer(consumer.key);
            }
            if !consumer.paused {
                self.count_consumer(consumer.worker, -1);
            }
            self.discount_twin_consumer(consumer.producer, consumer.worker);
        }
    }

    fn owned_consumer(&self, caller: &Caller, id: ConsumerId) -> Result<&Consumer, ErrorBody> {
        let missing = || ErrorBody::new(ErrorCode::ConsumerNotFound).about("consumerId", id);
        let consumer = self.consumers.get(&id).ok_or_else(missing)?;
        caller.require_participant(&consumer.owner)?;
        Ok(consumer)
    }
}
