//! Transports: created, connected, restarted, closed.

use link::ice::IceCredentials;
use sfu::command::{Command, CommandError, Reply};
use sfu::key::TransportKey;
use sfu::spec::{TransportSpec, WorkerAddresses};
use signalling::client_node::{
    CreateTransportRequest, CreateTransportResponse, DtlsParameters, DtlsRole, IceParameters,
    RestartIceResponse, TransportDirection,
};
use signalling::error::ErrorBody;
use signalling::gateway_node::{DtlsState, IceState};
use signalling::{ErrorCode, TransportId};
use tokio::time::Instant;

use super::Room;
use super::objects::Transport;
use crate::config::IceTcp;
use crate::control::caller::Caller;
use crate::control::candidates::{Offered, candidates};
use crate::control::translate;
use crate::control::workers::{WorkerError, WorkerNumber};
use crate::random;

impl Room {
    /// Creates a transport; one of the same direction that the participant had before is closed.
    pub(crate) async fn create_transport(
        &mut self,
        request: CreateTransportRequest,
    ) -> Result<CreateTransportResponse, ErrorBody> {
        let CreateTransportRequest {
            participant_id: owner,
            direction,
            force_tcp,
            ..
        } = request;
        let offered = self.offered_protocols(force_tcp.unwrap_or(false))?;
        self.admit(&owner)?;
        let replaced = self
            .participants
            .get(&owner)
            .and_then(|owner| owner.transport(direction));
        if self.transports.len() - usize::from(replaced.is_some())
            >= self.context.capacity.transports_per_room
        {
            let message = "The room has as many transports as it may";
            return Err(ErrorBody::with_message(ErrorCode::ResourceLimitReached, message));
        }
        let ice = random::ice_credentials();
        let ice_parameters = ice_parameters(&ice);
        let worker = self.seat(&owner).await?;
        let opened = self.open_transport(worker, direction, ice).await;
        if opened.is_err() {
            // A branch may have been opened for somebody who does not come.
            self.close_empty_branches();
        }
        let (key, addresses) = opened?;
        if let Some(replaced) = replaced {
            self.close_transport(replaced).await;
        }
        let id = TransportId::random();
        *self.register(&owner, worker).transport_mut(direction) = Some(id);
        tracing::info!(call = %self.call, participant = %owner, transport = %id, ?direction, "transport created");
        self.transport_ids.insert((worker, key), id);
        let created = Instant::now();
        self.transports.insert(
            id,
            Transport {
                worker,
                key,
                owner,
                direction,
                created,
                ice: IceState::New,
                dtls: DtlsState::New,
                protocol: None,
                connect_by: None,
                reached: None,
                failed_since: None,
                next_mid: 0,
            },
        );
        let settings = &self.context.transports;
        Ok(CreateTransportResponse {
            transport_id: id,
            ice_parameters,
            ice_candidates: candidates(&settings.announced, addresses, offered),
            dtls_parameters: DtlsParameters {
                role: DtlsRole::Auto,
                fingerprints: vec![settings.fingerprint.clone()],
            },
            sctp_parameters: (),
        })
    }

    /// Has a worker open a transport; answers its key and where it is reached.
    async fn open_transport(
        &self,
        worker: WorkerNumber,
        direction: TransportDirection,
        ice: IceCredentials,
    ) -> Result<(TransportKey, WorkerAddresses), ErrorBody> {
        const FAILED: ErrorCode = ErrorCode::InternalServerError;
        let settings = &self.context.transports;
        let spec = TransportSpec {
            direction: translate::direction(direction),
            ice,
            initial_outgoing_bitrate: settings.initial_outgoing_bitrate,
            max_incoming_bitrate: settings.max_incoming_bitrate,
        };
        let gone = || self.unanswered(WorkerError::Gone, FAILED);
        let part = self.parts.get(&worker).ok_or_else(gone)?;
        let router = part.router;
        let command = Command::CreateTransport { router, spec };
        match self.command(worker, command, FAILED).await? {
            Reply::Transport(key) => Ok((key, part.lease.addresses())),
            other => Err(self.unexpected(&other, FAILED)),
        }
    }

    fn offered_protocols(&self, force_tcp: bool) -> Result<Offered, ErrorBody> {
        match (force_tcp, self.context.transports.tcp) {
            (false, _) => Ok(Offered::All),
            (true, IceTcp::Enabled) => Ok(Offered::TcpOnly),
            (true, IceTcp::Disabled) => {
                let message = "forceTcp: this server does not offer TCP";
                Err(ErrorBody::with_message(ErrorCode::InvalidRequest, message))
            }
        }
    }

    /// Hands the client's DTLS parameters over; answers before ICE and DTLS have begun (contract §12.1).
    pub(crate) async fn connect_transport(
        &mut self,
        caller: &Caller,
        id: TransportId,
        parameters: &DtlsParameters,
    ) -> Result<(), ErrorBody> {
        const FAILED: ErrorCode = ErrorCode::TransportConnectionFailed;
        let refuse = |message: String| {
            ErrorBody::with_message(ErrorCode::InvalidRequest, message).about("transportId", id)
        };
        let transport = self.owned_transport(caller, id)?;
        let (worker, key) = (transport.worker, transport.key);
        let spec = translate::connect(parameters).map_err(|error| refuse(error.to_string()))?;
        match self
            .call(worker, Command::ConnectTransport { transport: key, spec })
            .await
        {
            Ok(Reply::Done) => {}
            Ok(Reply::Failed(CommandError::Dtls(reason))) => {
                return Err(refuse(format!("dtlsParameters: {reason}")));
            }
            Ok(Reply::Failed(error)) => return Err(self.refused(&error, FAILED).about("transportId", id)),
            Ok(other) => return Err(self.unexpected(&other, FAILED)),
            Err(error) => return Err(self.unanswered(error, FAILED).about("transportId", id)),
        }
        let connect_by = Instant::now() + self.context.timings.connect;
        if let Some(transport) = self.transports.get_mut(&id)
            && transport.ice == IceState::New
        {
            transport.connect_by.get_or_insert(connect_by);
        }
        Ok(())
    }

    /// Gives a transport new ICE credentials after its client changed networks.
    pub(crate) async fn restart_ice(
        &mut self,
        caller: &Caller,
        id: TransportId,
    ) -> Result<RestartIceResponse, ErrorBody> {
        let transport = self.owned_transport(caller, id)?;
        let (worker, key) = (transport.worker, transport.key);
        let ice = random::ice_credentials();
        let ice_parameters = ice_parameters(&ice);
        let command = Command::RestartIce { transport: key, ice };
        self.command(worker, command, ErrorCode::InternalServerError)
            .await?;
        let connect_by = Instant::now() + self.context.timings.connect;
        // A path given up gets another chance, and may be given up again; a handshake that ended gets none.
        if let Some(transport) = self.transports.get_mut(&id)
            && !transport.has_ended()
            && transport.failed_since.take().is_some()
        {
            transport.connect_by = Some(connect_by);
            self.ice_changed(id, IceState::New);
        }
        tracing::info!(call = %self.call, transport = %id, "ICE restarted");
        Ok(RestartIceResponse { ice_parameters })
    }

    /// Closes a transport with its producers and consumers.
    pub(super) async fn close_transport(&mut self, id: TransportId) {
        let Some((worker, key)) = self.forget_transport(id) else {
            return;
        };
        // A worker that does not answer is noticed elsewhere.
        drop(self.call(worker, Command::CloseTransport(key)).await);
        tracing::info!(call = %self.call, transport = %id, "transport closed");
    }

    /// Removes a transport that the worker closes or has closed, with its producers and consumers.
    pub(super) fn forget_transport(&mut self, id: TransportId) -> Option<(WorkerNumber, TransportKey)> {
        let transport = self.transports.remove(&id)?;
        if let Some(owner) = self.participants.get_mut(&transport.owner)
            && *owner.transport_mut(transport.direction) == Some(id)
        {
            *owner.transport_mut(transport.direction) = None;
        }
        let (worker, key) = (transport.worker, transport.key);
        self.transport_ids.remove(&(worker, key));
        // The worker closes everything below on its own; what is left to do here is bookkeeping and events.
        let producers: Vec<_> = self
            .producers
            .iter()
            .filter(|(_, producer)| producer.transport == id)
            .map(|(id, _)| *id)
            .collect();
        for producer in producers {
            self.forget_producer(producer);
        }
        self.forget_consumers(|consumer| consumer.transport == id);
        if let Some(part) = self.parts.get(&worker) {
            part.lease.forget_transport(key);
        }
        Some((worker, key))
    }

    /// The transport, if it exists and belongs to the caller.
    pub(super) fn owned_transport(&self, caller: &Caller, id: TransportId) -> Result<&Transport, ErrorBody> {
        let missing = || ErrorBody::new(ErrorCode::TransportNotFound).about("transportId", id);
        let transport = self.transports.get(&id).ok_or_else(missing)?;
        caller.require_participant(&transport.owner)?;
        Ok(transport)
    }
}

fn ice_parameters(credentials: &IceCredentials) -> IceParameters {
    IceParameters {
        username_fragment: credentials.ufrag.clone(),
        password: credentials.pwd.clone(),
        ice_lite: true,
    }
}
