//! What those who are in a call say and ask.

use call::{Input, MediaChange, Person, SocketId};
use signalling::client_gateway::{
    CallRef, Caption, ConsumerRef, Credentials, Diagnostics, ModeSwitchAck, ParticipantRef, QualityReport,
    SfuProof, Signal, SwitchGap,
};
use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode, ParticipantId};

use super::access::denied;
use super::credentials::Holder;
use super::registry::Running;
use super::{Calls, checks};
use crate::auth::Caller;
use crate::flags::Flag;

impl Calls {
    /// The call a request is about: the named one, or the only one the caller is in.
    async fn own_call(&self, caller: &Caller, named: Option<&CallId>) -> Result<Running, ErrorBody> {
        if let Some(call) = named {
            return self.running(call).await;
        }
        caller
            .person()
            .and_then(|person| self.0.registry.call_of(&person))
            .ok_or_else(|| ErrorBody::new(ErrorCode::CallNotFound))
    }

    /// The call, for somebody who may act in it, and only for themselves.
    async fn acting(
        &self,
        caller: &Caller,
        call: &CallId,
        claimed: Option<&ParticipantId>,
    ) -> Result<Running, ErrorBody> {
        let running = self.running(call).await?;
        self.taking_part(caller, &running).await?;
        self.only_oneself(caller, &running, claimed)?;
        Ok(running)
    }

    /// Media is up at the caller's.
    pub(crate) async fn connected(
        &self,
        caller: &Caller,
        socket: SocketId,
        request: ParticipantRef,
    ) -> Result<(), ErrorBody> {
        let own = Some(&request.participant_id);
        let running = self.acting(caller, &request.call_id, own).await?;
        self.demand(&running, |request| Input::Connected { request, socket })
            .await?;
        self.0.metrics.connection_made();
        Ok(())
    }

    /// A step of the negotiation between two browsers; its sizes were checked.
    pub(crate) async fn signal(
        &self,
        caller: &Caller,
        socket: SocketId,
        (call, target): (Option<CallId>, Option<ParticipantId>),
        signal: Signal,
    ) -> Result<(), ErrorBody> {
        let running = self.own_call(caller, call.as_ref()).await?;
        self.taking_part(caller, &running).await?;
        self.demand(&running, |request| Input::Signal {
            request,
            socket,
            target,
            signal,
        })
        .await
    }

    /// The caller turned something on or off.
    pub(crate) async fn set_media(
        &self,
        caller: &Caller,
        socket: SocketId,
        (call, claimed): (CallId, Option<ParticipantId>),
        change: MediaChange,
    ) -> Result<(), ErrorBody> {
        let running = self.acting(caller, &call, claimed.as_ref()).await?;
        if change.screen == Some(true) && !self.0.flags.is_on(Flag::ScreenShare) {
            return Err(denied());
        }
        self.demand(&running, |request| Input::SetMedia {
            request,
            socket,
            change,
        })
        .await
    }

    /// The caller acknowledges a switch.
    pub(crate) async fn switch_ack(
        &self,
        caller: &Caller,
        socket: SocketId,
        ack: ModeSwitchAck,
    ) -> Result<(), ErrorBody> {
        let own = ack.participant_id.as_ref();
        let running = self.acting(caller, &ack.call_id, own).await?;
        let success = ack.success;
        self.demand(&running, |request| Input::SwitchAck {
            request,
            socket,
            transition: ack.transition_id,
            success,
            error: ack.error,
        })
        .await?;
        if success {
            self.0.metrics.connection_made();
        }
        Ok(())
    }

    /// Whether the caller's way through the node works.
    pub(crate) async fn sfu_proof(
        &self,
        caller: &Caller,
        socket: SocketId,
        proof: SfuProof,
    ) -> Result<(), ErrorBody> {
        let running = self.acting(caller, &proof.call_id, None).await?;
        let proven = proof.proven;
        self.demand(&running, |request| Input::SfuProof {
            request,
            socket,
            proven,
        })
        .await
    }

    /// What a switch did to picture and sound at the caller's.
    pub(crate) async fn gap(
        &self,
        caller: &Caller,
        socket: SocketId,
        gap: SwitchGap,
    ) -> Result<(), ErrorBody> {
        checks::gap(&gap)?;
        let running = self.acting(caller, &gap.call_id, None).await?;
        self.demand(&running, |request| Input::Gap { request, socket, gap })
            .await
    }

    /// Tries a failed switch again now.
    pub(crate) async fn retry_switch(
        &self,
        caller: &Caller,
        socket: SocketId,
        request: CallRef,
    ) -> Result<(), ErrorBody> {
        let running = self.acting(caller, &request.call_id, None).await?;
        self.demand(&running, |request| Input::RetrySwitch { request, socket })
            .await
    }

    /// A caption.
    pub(crate) async fn caption(
        &self,
        caller: &Caller,
        socket: SocketId,
        caption: Caption,
    ) -> Result<(), ErrorBody> {
        checks::caption(&caption)?;
        let own = caption.participant_id.as_ref();
        let running = self.acting(caller, &caption.call_id, own).await?;
        self.demand(&running, |request| Input::Caption {
            request,
            socket,
            caption,
        })
        .await
    }

    /// How well media arrives at the caller's. Nothing comes back but whether it was taken.
    pub(crate) async fn quality(
        &self,
        caller: &Caller,
        call: Option<&CallId>,
        report: QualityReport,
    ) -> Result<(), ErrorBody> {
        checks::quality(&report)?;
        let running = self.own_call(caller, call).await?;
        let who = self.taking_part(caller, &running).await?;
        self.only_oneself(caller, &running, report.participant_id.as_ref())?;
        let person = who.person;
        let seat = self.0.registry.seat(&running.call, &person);
        let participant = seat.ok_or_else(denied)?;
        self.0.metrics.quality(&running.call, &participant, &report);
        self.tell(&running, Input::Quality { person, report }).await;
        Ok(())
    }

    /// What a client saw when a connection failed: noted for the operator.
    pub(crate) async fn diagnosed(&self, caller: &Caller, seen: Diagnostics) -> Result<(), ErrorBody> {
        checks::diagnostics(&seen)?;
        let running = self.running(&seen.call_id).await?;
        self.seat(caller, &running).await?;
        self.0.metrics.connection_failed(&seen.transport);
        tracing::info!(
            call = %running.call,
            transport = seen.transport,
            ice_state = seen.ice_state,
            candidate_types = ?seen.candidate_types,
            "a client's connection failed"
        );
        Ok(())
    }

    /// Fresh credentials for somebody who is in the call.
    pub(crate) async fn credentials(&self, caller: &Caller, call: &CallId) -> Result<Credentials, ErrorBody> {
        let running = self.running(call).await?;
        let (person, participant) = self.seat(caller, &running).await?;
        let has_room = self.look(&running, |call, _| call.room().is_some()).await?;
        let holder = Holder {
            call: &running.call,
            participant: &participant,
            person: &person,
        };
        Ok(self.0.issuer.refresh(self.0.now(), &holder, has_room))
    }

    /// Pauses or resumes a consumer of the caller's; the node checks that it is theirs.
    pub(crate) async fn set_consumer_paused(
        &self,
        caller: &Caller,
        request: ConsumerRef,
        paused: bool,
    ) -> Result<(), ErrorBody> {
        let running = self.own_call(caller, request.call_id.as_ref()).await?;
        let (person, participant) = self.seat(caller, &running).await?;
        let (now, issuer) = (self.0.now(), &self.0.issuer);
        let token = issuer
            .tokens
            .media(now, &person, &running.call, &participant)
            .token;
        let nodes = &self.0.nodes;
        nodes
            .set_consumer_paused(&running.call, request.consumer_id, paused, &token)
            .await
    }

    /// Who the caller is in the call.
    async fn seat(&self, caller: &Caller, running: &Running) -> Result<(Person, ParticipantId), ErrorBody> {
        let person = self.taking_part(caller, running).await?.person;
        let seat = self.0.registry.seat(&running.call, &person);
        seat.map(|participant| (person, participant)).ok_or_else(denied)
    }
}
