//! What participants tell each other: what they send, how they connect, what they say.

use signalling::client_gateway::{
    Caption, MediaState, MediaToggled, MediaType, Mode, ServerEvent, Signal, SignalEvent, TranscriptionEvent,
};
use signalling::error::{ErrorBody, ErrorCode};
use signalling::{ParticipantId, TransitionId};

use crate::Call;
use crate::input::{MediaChange, RequestId};
use crate::output::{NodeCommand, Notice, Output, Persist, Reply};
use crate::roster::Participant;

impl Call {
    /// Somebody turned something on or off.
    pub(crate) fn set_media(&mut self, request: RequestId, id: &ParticipantId, change: MediaChange) {
        let Some(who) = self.roster.occupant(id) else {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        };
        if change.screen == Some(true) && who.is_guest() && !self.settings.guests_share_screen {
            return self.refuse(request, ErrorCode::PermissionDenied);
        }
        let before = who.row.media;
        self.reply(request, Reply::Done);
        let media = MediaState {
            audio_enabled: change.audio.unwrap_or(before.audio_enabled),
            video_enabled: change.video.unwrap_or(before.video_enabled),
            screen_share_enabled: change.screen.unwrap_or(before.screen_share_enabled),
        };
        self.change_media(id, media);
    }

    /// Notes what somebody sends now, and tells the others of what is different.
    pub(crate) fn change_media(&mut self, id: &ParticipantId, media: MediaState) {
        let Some(who) = self.roster.occupant_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut who.row.media, media);
        let microphone = who.row.sfu.audio_producer;
        if before == media {
            return;
        }
        let pairs = [
            (MediaType::Audio, before.audio_enabled, media.audio_enabled),
            (MediaType::Video, before.video_enabled, media.video_enabled),
            (
                MediaType::Screen,
                before.screen_share_enabled,
                media.screen_share_enabled,
            ),
        ];
        for (media_type, _, enabled) in pairs.into_iter().filter(|(_, was, is)| was != is) {
            self.tell_others(
                id,
                ServerEvent::MediaToggled(MediaToggled {
                    call_id: self.row.id.clone(),
                    participant_id: id.clone(),
                    media_type,
                    enabled,
                }),
            );
        }
        if let Some(state) = self.roster.occupant(id).map(|who| self.media_state(who, None)) {
            self.tell_others(id, state);
        }
        let muted = (before.audio_enabled != media.audio_enabled).then_some(!media.audio_enabled);
        // In a direct call the standby producers are paused anyway.
        if let (Some(paused), Some(producer), Mode::Sfu, Some(node)) =
            (muted, microphone, self.row.mode, self.node().cloned())
        {
            self.out.push(Output::Node(NodeCommand::SetProducerPaused {
                node,
                producer,
                paused,
            }));
        }
    }

    /// A step of the negotiation between two browsers: to the addressed one, from who it really is.
    pub(crate) fn signal(
        &mut self,
        request: RequestId,
        from: &ParticipantId,
        target: Option<ParticipantId>,
        signal: Signal,
    ) {
        let others: Vec<_> = self
            .roster
            .occupants()
            .filter(|each| each.row.id != *from)
            .collect();
        let peer = match (&target, others.as_slice()) {
            (Some(target), _) => others.into_iter().find(|each| each.row.id == *target),
            (None, [only]) => Some(*only),
            (None, _) => {
                let error = ErrorBody::with_message(ErrorCode::InvalidInput, "Say whom the signal is for");
                return self.refuse_with(request, error);
            }
        };
        let Some(peer) = peer else {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        };
        let Some(seat) = peer.seat() else {
            let error = ErrorBody::with_message(ErrorCode::SignalingError, "The participant is reconnecting");
            return self.refuse_with(request, error);
        };
        self.reply(request, Reply::Done);
        if self.is_outdated(&signal) {
            return;
        }
        let event = SignalEvent {
            call_id: self.row.id.clone(),
            from_participant_id: from.clone(),
            signal,
        };
        self.tell(vec![seat], Notice::Event(ServerEvent::Signal(event)));
    }

    /// Whether a signal belongs to a switch that is over. The one that built the present direct connection goes on
    /// to name its candidates and restarts.
    fn is_outdated(&self, signal: &Signal) -> bool {
        let named = signal
            .negotiation_id
            .as_deref()
            .and_then(|id| id.parse::<TransitionId>().ok());
        let Some(named) = named else {
            return false;
        };
        let present = self.row.mode == Mode::P2p && self.metrics.last_committed() == Some(named);
        self.metrics.transition(named).is_some() && !present
    }

    /// Something somebody said. A guest's words are passed on, but not kept.
    pub(crate) fn caption(&mut self, request: RequestId, id: &ParticipantId, caption: Caption) {
        let Some(who) = self.roster.occupant(id) else {
            return self.refuse(request, ErrorCode::ParticipantNotFound);
        };
        if caption.participant_id.as_ref().is_some_and(|named| named != id) {
            return self.refuse(request, ErrorCode::PermissionDenied);
        }
        let kept = caption.is_final && !Participant::is_guest(who);
        let event = TranscriptionEvent {
            call_id: self.row.id.clone(),
            participant_id: id.clone(),
            username: who.row.username.clone(),
            text: caption.text.clone(),
            language: caption.language.clone(),
            translation: caption.translation.clone(),
            target_language: caption.target_language.clone(),
            timestamp: caption.timestamp,
            is_final: caption.is_final,
        };
        self.reply(request, Reply::Done);
        self.tell_others(id, ServerEvent::Transcription(event));
        if kept {
            self.out.push(Output::Persist(Persist::Caption {
                participant: id.clone(),
                caption: Box::new(caption),
            }));
        }
    }
}
