//! What happens to calls by itself: restarts, sweeps, media nodes' news, devices that come and go.

use std::sync::Arc;
use std::time::Duration;

use call::{Call, Input, NodeEvent, Person, SocketId, StoredCall};
use signalling::UserId;
use signalling::client_gateway::{CallStatus, EndReason, Ongoing, ParticipantStatus, ServerEvent};
use signalling::{CallId, ConversationId};
use store::StoreError;
use tokio::sync::mpsc;

use super::Calls;
use super::mailbox::CAPACITY;
use super::registry::Running;
use super::task::{CallTask, Start};
use crate::cluster::Lock;
use crate::nodes::Report;
use crate::region::CallRegion;

/// How often forgotten calls are looked for (contract §2.10), and stored data that is too old.
pub(crate) const SWEEP: Duration = Duration::from_secs(30 * 60);

impl Calls {
    /// Takes up the calls that were live when the gateway stopped.
    ///
    /// # Errors
    /// If the store does not tell which.
    pub(crate) async fn restore(&self) -> Result<(), StoreError> {
        for stored in self.0.store.live_calls().await? {
            let call = stored.call.id.clone();
            if self.0.registry.call(&call).is_some() {
                continue;
            }
            self.take_up(stored).await;
            tracing::info!(%call, "a call goes on after a restart");
        }
        Ok(())
    }

    async fn take_up(&self, stored: StoredCall) {
        let conversation = stored.call.conversation_id;
        // Without its members the call still goes on; it can only not be rung for.
        let everybody = self.everybody(&conversation).await.unwrap_or_default();
        let (mailbox, mail) = mpsc::channel(CAPACITY);
        let running = Running {
            call: stored.call.id.clone(),
            conversation,
            conversation_type: stored.call.conversation_type,
            region: CallRegion::default(),
            mailbox,
        };
        if let Some(node) = &stored.call.media_server_id {
            self.0.cluster.place(&running.call, node).await;
        }
        let settings = || self.0.settings_for(&conversation);
        let settings = self.0.registry.enter(running.clone(), settings);
        let (call, outputs) = Call::restore(self.0.moment(), stored, everybody, settings);
        let start = Start {
            call,
            outputs,
            running,
            mail,
            waiting: None,
        };
        CallTask::spawn(Arc::clone(&self.0), start);
    }

    /// Looks for forgotten calls and for data that is too old, for ever.
    pub(crate) async fn keep_up(&self) {
        let mut interval = tokio::time::interval(SWEEP);
        loop {
            interval.tick().await;
            // One gateway of several is enough.
            let Ok(lease) = self.0.cluster.lease(Lock::Sweep, SWEEP, Duration::ZERO).await else {
                continue;
            };
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "the sweep could not be finished");
            }
            self.0.cluster.release(lease).await;
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        for stored in self.0.store.live_calls().await? {
            if self.0.registry.call(&stored.call.id).is_none() {
                self.abandon(stored).await?;
            }
        }
        let now = self.0.now();
        let purged = self.0.store.purge_expired(now).await?;
        let repaired = self.0.store.repair(now).await?;
        tracing::info!(?purged, ?repaired, "swept");
        Ok(())
    }

    /// Ends a call of the conversation that nobody serves, so that a new one can begin.
    pub(super) async fn sweep_conversation(&self, conversation: &ConversationId) {
        if self.0.registry.call_in(conversation).is_some() {
            return;
        }
        let swept = match self.0.store.live_call_of(conversation).await {
            Ok(Some(stored)) => self.abandon(stored).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = swept {
            tracing::warn!(%error, "a forgotten call could not be ended");
        }
    }

    /// Writes down that a call that no task serves is over.
    async fn abandon(&self, mut stored: StoredCall) -> Result<(), StoreError> {
        let now = self.0.now();
        let call = &mut stored.call;
        tracing::warn!(call = %call.id, "a forgotten call is ended");
        call.status = CallStatus::Ended;
        call.end_reason = Some(EndReason::Timeout);
        call.ended_at = Some(now);
        call.updated_at = now;
        call.duration = Some(call.started_at.map_or(0, |started| {
            now.unix_millis().saturating_sub(started.unix_millis()) / 1000
        }));
        let (room, mode) = (call.media_server_id.take(), call.mode);
        call.sfu_room_id = None;
        call.sfu_rtp_capabilities = None;
        call.transition_id = None;
        for participant in &mut stored.participants {
            if participant.left_at.is_none() {
                participant.status = ParticipantStatus::Disconnected;
                participant.left_at = Some(now);
                participant.updated_at = now;
            }
        }
        self.0
            .store
            .save_state(&stored.call, &stored.participants)
            .await?;
        if let Some(node) = room {
            self.0.nodes.destroy(&stored.call.id, &node).await;
        }
        let over = ServerEvent::Ongoing(Ongoing {
            call_id: stored.call.id,
            conversation_id: stored.call.conversation_id,
            participant_count: 0,
            started_at: stored.call.started_at,
            mode,
            active: false,
        });
        let conversation = stored.call.conversation_id;
        self.0.sockets.to_conversation(&conversation, &over).await;
        Ok(())
    }

    /// Hands the news of media nodes to the calls they are about, for ever.
    pub(crate) async fn hear(&self, mut reports: mpsc::Receiver<Report>) {
        while let Some(report) = reports.recv().await {
            let (call, input) = match report {
                Report::Event { call, node, event } => (call, Input::Node { node, event }),
                Report::RoomLost { call, node } => (call, Input::RoomLost { node }),
            };
            self.hear_one(&call, input).await;
        }
    }

    async fn hear_one(&self, call: &CallId, input: Input) {
        let Some(running) = self.0.registry.call(call) else {
            return;
        };
        if let Input::Node {
            event: NodeEvent::ActiveSpeaker(_),
            ..
        } = input
        {
            // The next one comes soon: nobody waits for this one.
            let mail = super::Mail::input(input, None);
            if running.mailbox.try_send(mail).is_err() {
                tracing::debug!(%call, "the call is too busy to hear who speaks");
            }
            return;
        }
        self.tell(&running, input).await;
    }

    /// A device's connection is gone.
    pub(crate) async fn socket_closed(&self, person: &Person, socket: SocketId) {
        if let Some(running) = self.0.registry.call_of(person) {
            self.tell(&running, Input::SocketClosed { socket }).await;
        }
    }

    /// The first device of somebody came online: where they are called, it rings.
    pub(crate) async fn device_online(&self, user: UserId, conversations: &[ConversationId]) {
        for conversation in conversations {
            if let Some(running) = self.0.registry.call_in(conversation) {
                self.tell(&running, Input::DeviceOnline { user }).await;
            }
        }
    }

    /// The flag `sfu` may have changed: every call hears what holds for its conversation.
    pub(crate) async fn flags_changed(&self) {
        for running in self.0.registry.all() {
            let enabled = self.0.flags.sfu_for(&running.conversation);
            self.tell(&running, Input::SfuFlag { enabled }).await;
        }
    }
}
