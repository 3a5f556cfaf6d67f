//! Producers: one per participant, source and kind.

use std::collections::BTreeMap;

use ortc::MediaKind;
use sfu::command::{Command, CommandError, Reply};
use signalling::client_node::{
    AppData, ConsumerPaused, NewProducer, NodeEvent, PauseReason, ProduceRequest, ProduceResponse,
    TrackSource, TransportDirection,
};
use signalling::error::ErrorBody;
use signalling::{ErrorCode, ProducerId, TransportId};
use tokio::time::Instant;

use super::Room;
use super::objects::Producer;
use crate::control::admission::Admission;
use crate::control::caller::Caller;
use crate::control::negotiate::usable;
use crate::control::rooms::Standing;
use crate::control::translate;

/// Bytes of JSON that a track's `appData` may have. Every participant receives it with every announcement of the track;
/// a name and a handful of labels need a few hundred.
const MAX_APP_DATA: usize = 4 * 1024;

/// Most people a call has that talks directly; who else would leave a room on standby?
const DIRECT: usize = 2;

/// Whether media of a producer or consumer is to flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Paused,
    Running,
}

impl Room {
    /// Starts a track of the transport's owner and tells the others.
    pub(crate) async fn produce(
        &mut self,
        caller: &Caller,
        transport_id: TransportId,
        request: ProduceRequest,
    ) -> Result<ProduceResponse, ErrorBody> {
        const FAILED: ErrorCode = ErrorCode::ProducerCreationFailed;
        let began = Instant::now();
        let ProduceRequest {
            participant_id: owner,
            kind,
            rtp_parameters,
            app_data,
            paused,
        } = request;
        let kind = usable(kind, "kind", ErrorCode::InvalidRtpParameters)?;
        let parameters = usable(rtp_parameters, "rtpParameters", ErrorCode::InvalidRtpParameters)?;
        let transport = self.owned_transport(caller, transport_id)?;
        if transport.owner != owner {
            return Err(invalid(
                "participantId: the transport belongs to another participant",
            ));
        }
        if transport.direction != TransportDirection::Send {
            return Err(invalid("The transport is not a send transport").about("transportId", transport_id));
        }
        let (worker, transport_key) = (transport.worker, transport.key);
        let app_data = bounded(app_data.unwrap_or_default())?;
        let source = self.claim_source(&owner, kind, &app_data)?;
        let negotiation = self.context.offer.produce(kind, &parameters)?;
        let paused = paused.unwrap_or(false);
        if !paused {
            self.take_place()?;
        }
        let unusable = |message: String| ErrorBody::with_message(ErrorCode::InvalidRtpParameters, message);
        let spec = translate::producer(kind, source, &negotiation, paused)
            .map_err(|error| unusable(error.to_string()))?;
        let command = Command::Produce {
            transport: transport_key,
            spec: spec.clone(),
        };
        let key = match self.call(worker, command).await {
            Ok(Reply::Producer(key)) => key,
            Ok(Reply::Failed(error @ (CommandError::StreamInUse | CommandError::EmptyProducer))) => {
                return Err(unusable(error.to_string()));
            }
            Ok(Reply::Failed(error)) => return Err(self.refused(&error, FAILED)),
            Ok(other) => return Err(self.unexpected(&other, FAILED)),
            Err(error) => return Err(self.unanswered(error, FAILED)),
        };
        let id = ProducerId::random();
        tracing::info!(
            call = %self.call, participant = %owner, transport = %transport_id, producer = %id,
            kind = kind.as_str(), source = source.as_str(), "producer created"
        );
        let producer = Producer {
            worker,
            key,
            spec,
            twins: BTreeMap::new(),
            owner,
            transport: transport_id,
            kind,
            source,
            paused,
            // What was left out is what it was taken for, so that others need not guess.
            app_data: AppData {
                source: Some(source),
                ..app_data
            },
            consumable: negotiation.consumable,
            consumer_type: negotiation.kind_of,
            number: self.next_producer,
        };
        self.next_producer += 1;
        self.context
            .notices
            .clients(NodeEvent::NewProducer(self.announcement(id, &producer)));
        self.producer_ids.insert((worker, key), id);
        self.producers.insert(id, producer);
        self.let_home_hear(id).await;
        self.context
            .metrics
            .producer_created(kind.as_str(), began.elapsed());
        Ok(ProduceResponse {
            producer_id: id,
            kind,
        })
    }

    /// The source of a new track, if its owner may have one more of it.
    ///
    /// Contract §1.3 has one producer per participant and source. A shared screen may come with its sound, which is a
    /// second track of that source and no second picture; so the kind counts too.
    fn claim_source(
        &self,
        owner: &signalling::ParticipantId,
        kind: MediaKind,
        app_data: &AppData,
    ) -> Result<TrackSource, ErrorBody> {
        let source = app_data.source.unwrap_or(TrackSource::default_for(kind));
        if matches!(
            (kind, source),
            (MediaKind::Audio, TrackSource::Camera) | (MediaKind::Video, TrackSource::Microphone)
        ) {
            return Err(invalid(format!(
                "appData.source: {} gives no {}",
                source.as_str(),
                kind.as_str()
            )));
        }
        let same = |producer: &&Producer| {
            producer.owner == *owner && producer.source == source && producer.kind == kind
        };
        if self.producers.values().any(|producer| same(&producer)) {
            return Err(ErrorBody::new(ErrorCode::ProducerAlreadyExists).about("source", source.as_str()));
        }
        if source == TrackSource::Screen && self.context.admission.level() >= Admission::NoScreenShare {
            let message = "The server is too busy for screen sharing";
            return Err(ErrorBody::with_message(ErrorCode::ServerAtCapacity, message));
        }
        if self.producers.len() >= self.context.capacity.producers_per_room {
            let message = "The room has as many producers as it may";
            return Err(ErrorBody::with_message(ErrorCode::ResourceLimitReached, message));
        }
        Ok(source)
    }

    /// What others are told about a producer.
    fn announcement(&self, id: ProducerId, producer: &Producer) -> NewProducer {
        NewProducer {
            call_id: self.call.clone(),
            participant_id: producer.owner.clone(),
            producer_id: id,
            kind: producer.kind,
            paused: Some(producer.paused),
            app_data: Some(producer.app_data.clone()),
        }
    }

    /// What somebody who joins now is told: every producer but their own, in the order of creation.
    pub(crate) fn replay(&self, except: Option<&signalling::ParticipantId>) -> Vec<NewProducer> {
        let mut producers: Vec<(&ProducerId, &Producer)> = self
            .producers
            .iter()
            .filter(|(_, producer)| Some(&producer.owner) != except)
            .collect();
        producers.sort_by_key(|(_, producer)| producer.number);
        producers
            .into_iter()
            .map(|(id, producer)| self.announcement(*id, producer))
            .collect()
    }

    /// Closes a producer and its consumers.
    pub(crate) async fn close_producer(&mut self, caller: &Caller, id: ProducerId) -> Result<(), ErrorBody> {
        let producer = self.owned_producer(caller, id)?;
        let (worker, command) = (producer.worker, Command::CloseProducer(producer.key));
        self.command(worker, command, ErrorCode::InternalServerError)
            .await?;
        self.forget_producer(id);
        Ok(())
    }

    /// Pauses or resumes a producer and tells those who consume it.
    pub(crate) async fn set_producer_flow(
        &mut self,
        caller: &Caller,
        id: ProducerId,
        flow: Flow,
    ) -> Result<(), ErrorBody> {
        let producer = self.owned_producer(caller, id)?;
        let paused = flow == Flow::Paused;
        if producer.paused == paused {
            return Ok(());
        }
        let worker = producer.worker;
        let command = match flow {
            Flow::Paused => Command::PauseProducer(producer.key),
            Flow::Running => Command::ResumeProducer(producer.key),
        };
        if flow == Flow::Running {
            self.take_place()?;
        }
        self.command(worker, command, ErrorCode::InternalServerError)
            .await?;
        if let Some(producer) = self.producers.get_mut(&id) {
            producer.paused = paused;
        }
        self.give_place_back();
        tracing::debug!(call = %self.call, producer = %id, ?flow, "producer flow changed");
        for (consumer, state) in self
            .consumers
            .iter()
            .filter(|(_, consumer)| consumer.producer == id)
        {
            let event = ConsumerPaused {
                call_id: self.call.clone(),
                participant_id: state.owner.clone(),
                consumer_id: *consumer,
                producer_id: id,
                reason: PauseReason::Producer,
            };
            self.context.notices.clients(match flow {
                Flow::Paused => NodeEvent::ConsumerPaused(event),
                Flow::Running => NodeEvent::ConsumerResumed(event),
            });
        }
        Ok(())
    }

    /// Removes a producer that the worker closes or has closed, with its consumers, and tells the others.
    pub(super) fn forget_producer(&mut self, id: ProducerId) {
        let Some(producer) = self.producers.remove(&id) else {
            return;
        };
        let twins = producer.twins.iter().map(|(worker, twin)| (*worker, twin.key));
        for (worker, key) in twins.chain([(producer.worker, producer.key)]) {
            self.producer_ids.remove(&(worker, key));
            if let Some(part) = self.parts.get(&worker) {
                part.lease.forget_producer(key);
            }
        }
        self.forget_consumers(|consumer| consumer.producer == id);
        tracing::info!(call = %self.call, participant = %producer.owner, producer = %id, "producer closed");
        self.announce_closed(id, &producer);
        self.give_place_back();
    }

    /// A room on standby takes one of the node's places before media flows in it.
    fn take_place(&self) -> Result<(), ErrorBody> {
        if self.created_as == Standing::Counted {
            return Ok(());
        }
        self.context.claim_place(&self.call)
    }

    /// A room that was created on standby gives its place back once nothing flows in it, and no more are left in it than
    /// talk directly: more than those are only silent for a moment.
    pub(super) fn give_place_back(&self) {
        let flows = self.producers.values().any(|producer| !producer.paused);
        let direct = self.participants.len() <= DIRECT;
        if self.created_as == Standing::Standby && direct && !flows {
            self.context.registry.stand_by(&self.call);
        }
    }

    fn owned_producer(&self, caller: &Caller, id: ProducerId) -> Result<&Producer, ErrorBody> {
        let missing = || ErrorBody::new(ErrorCode::ProducerNotFound).about("producerId", id);
        let producer = self.producers.get(&id).ok_or_else(missing)?;
        caller.require_participant(&producer.owner)?;
        Ok(producer)
    }
}

fn invalid(message: impl Into<String>) -> ErrorBody {
    ErrorBody::with_message(ErrorCode::InvalidRequest, message)
}

/// What a client says of its track, unless it is too much to tell everybody.
fn bounded(app_data: AppData) -> Result<AppData, ErrorBody> {
    let size = serde_json::to_vec(&app_data).map_or(usize::MAX, |json| json.len());
    if size > MAX_APP_DATA {
        return Err(invalid(format!(
            "appData: {size} bytes, more than {MAX_APP_DATA}"
        )));
    }
    Ok(app_data)
}
