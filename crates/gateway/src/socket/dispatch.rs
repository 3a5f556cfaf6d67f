//! An event's JSON becomes a typed request, and is done.

use call::{MediaChange, SocketId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use signalling::client_gateway::{
    AnswerAlias, CallRef, CandidateAlias, Caption, ConsumerRef, Diagnostics, Initiate, Join, Leave, LeaveAck,
    MAX_REASON, MediaStateChange, MediaType, ModeSwitchAck, MuteAlias, OfferAlias, ParticipantRef,
    QualityReport, Reject, SfuProof, Signal, SignalRequest, SignalType, SwitchGap, Toggle,
    request_name as name, toggled_by,
};
use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode, ParticipantId};

use crate::auth::Caller;
use crate::gateway::Shared;
use crate::limits::Scope;
use crate::region::Region;
use crate::sdp;

/// Does what a device asks; gives what it is acknowledged with.
pub(super) async fn serve(
    shared: &Shared,
    (caller, socket, region): (&Caller, SocketId, Region),
    event: &'static str,
    payload: Option<Value>,
) -> Result<Option<Value>, ErrorBody> {
    let scope = scope(event);
    if let Err(error) = shared.limits.count(scope, &caller.key()) {
        shared.metrics.rate_limited(scope.name());
        return Err(error);
    }
    let payload = payload.ok_or_else(|| invalid("there is nothing to read"))?;
    let calls = &shared.calls;
    match event {
        name::INITIATE => {
            let request: Initiate = read(payload)?;
            shared.takes_calls()?;
            data(&calls.initiate(caller, Some(socket), region, request).await?)
        }
        name::JOIN | name::ACCEPT => data(
            &calls
                .join(caller, (Some(socket), region), read::<Join>(payload)?)
                .await?,
        ),
        name::REJOIN => data(
            &calls
                .rejoin(caller, (socket, region), read::<ParticipantRef>(payload)?)
                .await?,
        ),
        name::REJECT => done(calls.reject(caller, Some(socket), read::<Reject>(payload)?).await),
        name::LEAVE => {
            let left = calls.leave(caller, Some(socket), read::<Leave>(payload)?).await?;
            data(&LeaveAck {
                left_at: left.left_at,
            })
        }
        name::END => data(&calls.end(caller, &read::<CallRef>(payload)?.call_id).await?),
        name::KICK => {
            let whom: ParticipantRef = read(payload)?;
            calls.remove(caller, &whom.call_id, &whom.participant_id).await?;
            Ok(None)
        }
        name::SIGNAL | name::WEBRTC_OFFER | name::WEBRTC_ANSWER | name::WEBRTC_ICE_CANDIDATE => {
            signal(shared, (caller, socket), event, payload).await
        }
        name::TOGGLE_AUDIO
        | name::TOGGLE_VIDEO
        | name::TOGGLE_SCREEN_SHARE
        | name::VIDEO_TOGGLE
        | name::MUTE
        | name::MEDIA_STATE_CHANGE => {
            let (whose, change) = media(event, payload)?;
            done(calls.set_media(caller, socket, whose, change).await)
        }
        name::RESUME_CONSUMER | name::PAUSE_CONSUMER => {
            let consumer: ConsumerRef = read(payload)?;
            let paused = event == name::PAUSE_CONSUMER;
            done(calls.set_consumer_paused(caller, consumer, paused).await)
        }
        _ => report(shared, (caller, socket), event, payload).await,
    }
}

/// What a participant tells about itself.
async fn report(
    shared: &Shared,
    (caller, socket): (&Caller, SocketId),
    event: &'static str,
    payload: Value,
) -> Result<Option<Value>, ErrorBody> {
    let calls = &shared.calls;
    match event {
        name::CONNECTED => done(
            calls
                .connected(caller, socket, read::<ParticipantRef>(payload)?)
                .await,
        ),
        name::MODE_SWITCH_ACK | name::MODE_SWITCHED => {
            let mut ack: ModeSwitchAck = read(payload)?;
            ack.error = ack.error.map(shortened);
            done(calls.switch_ack(caller, socket, ack).await)
        }
        name::RETRY_SWITCH => done(
            calls
                .retry_switch(caller, socket, read::<CallRef>(payload)?)
                .await,
        ),
        name::SFU_PROOF => done(calls.sfu_proof(caller, socket, read::<SfuProof>(payload)?).await),
        name::SWITCH_GAP => done(calls.gap(caller, socket, read::<SwitchGap>(payload)?).await),
        name::TRANSCRIPTION => done(calls.caption(caller, socket, read::<Caption>(payload)?).await),
        name::QUALITY_REPORT => {
            let report: QualityReport = read(payload)?;
            let call = report.call_id.clone();
            done(calls.quality(caller, call.as_ref(), report).await)
        }
        name::DIAGNOSTICS => done(calls.diagnosed(caller, read::<Diagnostics>(payload)?).await),
        name::REFRESH_CREDENTIALS => data(
            &calls
                .credentials(caller, &read::<CallRef>(payload)?.call_id)
                .await?,
        ),
        _ => Err(invalid("there is no such event")),
    }
}

async fn signal(
    shared: &Shared,
    (caller, socket): (&Caller, SocketId),
    event: &'static str,
    payload: Value,
) -> Result<Option<Value>, ErrorBody> {
    let (whose, signal) = signalled(event, payload)?;
    match sdp::check_signal(&signal, shared.config.addresses)? {
        Some(signal) => done(shared.calls.signal(caller, socket, whose, signal).await),
        // A candidate that is not to be told; its sender need not know.
        None => Ok(None),
    }
}

/// In which call and for whom, where it is said.
type Addressed = (Option<CallId>, Option<ParticipantId>);

fn signalled(event: &str, payload: Value) -> Result<(Addressed, Signal), ErrorBody> {
    let description = |signal_type, description| {
        Ok(Signal {
            signal_type,
            sdp: Some(sdp_of(description)?),
            candidate: None,
            negotiation_id: None,
        })
    };
    Ok(match event {
        name::WEBRTC_OFFER => {
            let alias: OfferAlias = read(payload)?;
            let signal = description(SignalType::Offer, alias.offer)?;
            ((alias.call_id, alias.target_participant_id), signal)
        }
        name::WEBRTC_ANSWER => {
            let alias: AnswerAlias = read(payload)?;
            let signal = description(SignalType::Answer, alias.answer)?;
            ((alias.call_id, alias.target_participant_id), signal)
        }
        name::WEBRTC_ICE_CANDIDATE => {
            let alias: CandidateAlias = read(payload)?;
            let signal = Signal {
                signal_type: SignalType::IceCandidate,
                sdp: None,
                candidate: Some(alias.candidate).filter(|candidate| !candidate.is_null()),
                negotiation_id: None,
            };
            ((alias.call_id, alias.target_participant_id), signal)
        }
        _ => {
            let request: SignalRequest = read(payload)?;
            let whose = (Some(request.call_id), Some(request.target_participant_id));
            (whose, request.signal)
        }
    })
}

/// `RTCSessionDescriptionInit`, or the session description alone.
fn sdp_of(description: Value) -> Result<String, ErrorBody> {
    match description {
        Value::String(sdp) => Ok(sdp),
        Value::Object(mut object) => match object.remove("sdp") {
            Some(Value::String(sdp)) => Ok(sdp),
            _ => Err(invalid("sdp is missing")),
        },
        _ => Err(invalid("a session description is expected")),
    }
}

/// In which call and, where it is said, whose.
type Own = (CallId, Option<ParticipantId>);

fn media(event: &str, payload: Value) -> Result<(Own, MediaChange), ErrorBody> {
    if event == name::MEDIA_STATE_CHANGE {
        let state: MediaStateChange = read(payload)?;
        let change = MediaChange {
            audio: Some(state.audio_enabled),
            video: Some(state.video_enabled),
            screen: Some(state.screen_share_enabled),
        };
        return Ok(((state.call_id, state.participant_id), change));
    }
    let mut change = MediaChange::default();
    if event == name::MUTE {
        let mute: MuteAlias = read(payload)?;
        change.audio = Some(!mute.muted);
        return Ok(((mute.call_id, None), change));
    }
    let toggle: Toggle = read(payload)?;
    match toggled_by(event) {
        Some(MediaType::Audio) => change.audio = Some(toggle.enabled),
        Some(MediaType::Video) => change.video = Some(toggle.enabled),
        Some(MediaType::Screen) => change.screen = Some(toggle.enabled),
        None => return Err(invalid("there is no such event")),
    }
    Ok(((toggle.call_id, None), change))
}

/// What an event counts for (contract §2.9).
fn scope(event: &str) -> Scope {
    match event {
        name::INITIATE => Scope::StartCall,
        name::JOIN | name::ACCEPT | name::REJOIN => Scope::Join,
        name::SIGNAL | name::WEBRTC_OFFER | name::WEBRTC_ANSWER | name::WEBRTC_ICE_CANDIDATE => Scope::Signal,
        name::TOGGLE_AUDIO
        | name::TOGGLE_VIDEO
        | name::TOGGLE_SCREEN_SHARE
        | name::VIDEO_TOGGLE
        | name::MUTE
        | name::MEDIA_STATE_CHANGE => Scope::Toggle,
        name::TRANSCRIPTION => Scope::Caption,
        name::QUALITY_REPORT => Scope::Quality,
        _ => Scope::SocketOther,
    }
}

/// A payload's object as `T`.
pub(super) fn read<T: DeserializeOwned>(payload: Value) -> Result<T, ErrorBody> {
    if !payload.is_object() {
        return Err(invalid("an object is expected"));
    }
    edge::json::from_value(payload).map_err(|error| invalid(&error.to_string()))
}

fn invalid(what: &str) -> ErrorBody {
    let message = shortened(format!("The input is invalid: {what}"));
    ErrorBody::with_message(ErrorCode::InvalidInput, message)
}

fn shortened(text: String) -> String {
    text.chars().take(MAX_REASON).collect()
}

fn data<T: Serialize>(data: &T) -> Result<Option<Value>, ErrorBody> {
    match serde_json::to_value(data) {
        Ok(data) => Ok(Some(data)),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written");
            Err(ErrorBody::new(ErrorCode::InternalServerError))
        }
    }
}

fn done(outcome: Result<(), ErrorBody>) -> Result<Option<Value>, ErrorBody> {
    outcome.map(|()| None)
}
