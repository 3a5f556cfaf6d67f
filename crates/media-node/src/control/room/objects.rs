//! What a room holds.

use std::collections::BTreeMap;

use link::Protocol;
use ortc::{ConsumerType, MediaKind, RtpParameters};
use sfu::key::{ConsumerKey, ProducerKey, TransportKey};
use sfu::spec::ProducerSpec;
use signalling::client_node::{AppData, ConsumeResponse, ProducerSummary, TrackSource, TransportDirection};
use signalling::gateway_node::{DtlsState, IceState};
use signalling::{ConsumerId, ParticipantId, ProducerId, TransportId};
use tokio::time::Instant;

use crate::control::workers::WorkerNumber;

/// Somebody with at least one transport, now or before.
#[derive(Debug)]
pub(super) struct Participant {
    /// Who serves its transports.
    pub(super) worker: WorkerNumber,
    /// One name for all tracks, so that receivers play them in step (contract §1.8.5).
    pub(super) cname: String,
    pub(super) send: Option<TransportId>,
    pub(super) recv: Option<TransportId>,
    /// Since when the last of its sockets has been gone.
    pub(super) orphaned_since: Option<Instant>,
    /// Since when it has been here without a sign of life: no socket ever came, and no transport reached its client.
    pub(super) unseen_since: Option<Instant>,
}

impl Participant {
    pub(super) fn new(worker: WorkerNumber, cname: String) -> Self {
        Self {
            worker,
            cname,
            send: None,
            recv: None,
            orphaned_since: None,
            unseen_since: None,
        }
    }

    pub(super) fn transport(&self, direction: TransportDirection) -> Option<TransportId> {
        match direction {
            TransportDirection::Send => self.send,
            TransportDirection::Recv => self.recv,
        }
    }

    pub(super) fn transport_mut(&mut self, direction: TransportDirection) -> &mut Option<TransportId> {
        match direction {
            TransportDirection::Send => &mut self.send,
            TransportDirection::Recv => &mut self.recv,
        }
    }

    pub(super) fn transports(&self) -> impl Iterator<Item = TransportId> {
        self.send.into_iter().chain(self.recv)
    }
}

#[derive(Debug)]
pub(super) struct Transport {
    pub(super) worker: WorkerNumber,
    pub(super) key: TransportKey,
    pub(super) owner: ParticipantId,
    pub(super) direction: TransportDirection,
    pub(super) created: Instant,
    pub(super) ice: IceState,
    pub(super) dtls: DtlsState,
    pub(super) protocol: Option<Protocol>,
    /// Until when the client must be reached; set by `connect`.
    pub(super) connect_by: Option<Instant>,
    /// When ICE first reached the client.
    pub(super) reached: Option<Instant>,
    pub(super) failed_since: Option<Instant>,
    /// MIDs are counted up and never used again (contract §1.8.5).
    pub(super) next_mid: u32,
}

impl Transport {
    /// Whether its handshake failed or was ended by the client; no path can bring it back.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.dtls, DtlsState::Failed | DtlsState::Closed)
    }
}

#[derive(Debug)]
pub(super) struct Producer {
    /// The worker that receives it.
    pub(super) worker: WorkerNumber,
    pub(super) key: ProducerKey,
    /// What it was created with, for its twins.
    pub(super) spec: ProducerSpec,
    /// Its twins on other workers.
    pub(super) twins: BTreeMap<WorkerNumber, Twin>,
    pub(super) owner: ParticipantId,
    pub(super) transport: TransportId,
    pub(super) kind: MediaKind,
    pub(super) source: TrackSource,
    pub(super) paused: bool,
    pub(super) app_data: AppData,
    pub(super) consumable: RtpParameters,
    pub(super) consumer_type: ConsumerType,
    /// Order of creation.
    pub(super) number: u64,
}

impl Producer {
    pub(super) fn summary(&self, id: ProducerId) -> ProducerSummary {
        ProducerSummary {
            producer_id: id,
            participant_id: self.owner.clone(),
            kind: self.kind,
            paused: self.paused,
            app_data: self.app_data.clone(),
        }
    }
}

/// A producer on a worker that does not receive it.
#[derive(Debug)]
pub(super) struct Twin {
    pub(super) key: ProducerKey,
    /// Consumers there.
    pub(super) consumers: usize,
    pub(super) purpose: Purpose,
}

/// What a twin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For its consumers; it goes with the last of them.
    Consumers,
    /// For the home, which hears everybody to know who speaks; it stays as long as its original.
    Hearing,
}

#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) worker: WorkerNumber,
    pub(super) key: ConsumerKey,
    pub(super) owner: ParticipantId,
    pub(super) transport: TransportId,
    pub(super) producer: ProducerId,
    pub(super) parameters: RtpParameters,
    /// Paused by its owner; so it begins.
    pub(super) paused: bool,
}

impl Consumer {
    pub(super) fn response(&self, id: ConsumerId, producer: &Producer) -> ConsumeResponse {
        ConsumeResponse {
            consumer_id: id,
            producer_id: self.producer,
            kind: producer.kind,
            rtp_parameters: self.parameters.clone(),
            consumer_type: producer.consumer_type,
            producer_paused: producer.paused,
        }
    }

    /// Whether the stream has this SSRC, for media or for retransmissions.
    pub(super) fn has_ssrc(&self, ssrc: u32) -> bool {
        self.parameters
            .encodings
            .iter()
            .any(|encoding| encoding.ssrc == Some(ssrc) || encoding.rtx.is_some_and(|rtx| rtx.ssrc == ssrc))
    }
}
