//! Calls that go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use edge::answer::{DataAnswer, data};
use edge::{ApiError, Body};
use signalling::client_gateway::{
    CallDto, EndedResponse, Initiate, Join, JoinCallRequest, JoinDto, Leave, LeftResponse, MAX_CAPTION,
    QualityReport, SetModeRequest, SetModeResponse, StartCallResponse, TranscriptionRequest,
    TranscriptionResponse,
};
use signalling::error::{Done, ErrorBody, Success};
use signalling::{ErrorCode, Timestamp, TranscriptionId};
use store::{CaptionRecord, CaptionSource};

use super::gate::Known;
use super::read;
use crate::auth::Caller;
use crate::calls::Left;
use crate::fault::fault;
use crate::gateway::Shared;
use crate::limits::Scope;
use crate::region::Region;

type Created<T> = Result<(StatusCode, Json<Success<T>>), ApiError>;

pub(super) fn created<T>(data: T) -> Created<T> {
    Ok((StatusCode::CREATED, Json(Success::new(data))))
}

pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    Extension(region): Extension<Region>,
    Body(request): Body<Initiate>,
) -> Created<StartCallResponse> {
    count(&shared, Scope::StartCall, &caller)?;
    shared.takes_calls()?;
    let begun = shared.calls.initiate(&caller, None, region, request).await?;
    created(StartCallResponse {
        call: begun.call,
        ice_servers: begun.ice_servers,
        participant_id: begun.participant_id,
    })
}

pub(super) async fn fetch(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
) -> DataAnswer<CallDto> {
    data(shared.calls.view(&caller, &read::call(&params)?).await?)
}

pub(super) async fn join(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    Extension(region): Extension<Region>,
    params: RawPathParams,
    Body(request): Body<JoinCallRequest>,
) -> DataAnswer<JoinDto> {
    let call_id = read::call(&params)?;
    count(&shared, Scope::Join, &caller)?;
    let request = Join {
        call_id,
        audio_enabled: request.audio_enabled,
        video_enabled: request.video_enabled,
        sfu_supported: None,
    };
    data(shared.calls.join(&caller, (None, region), request).await?)
}

pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
) -> DataAnswer<LeftResponse> {
    let (call, participant) = (read::call(&params)?, read::participant(&params)?);
    left(shared.calls.remove(&caller, &call, &participant).await?)
}

pub(super) async fn leave(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
) -> DataAnswer<LeftResponse> {
    let call_id = read::call(&params)?;
    let request = Leave {
        call_id,
        participant_id: None,
    };
    left(shared.calls.leave(&caller, None, request).await?)
}

fn left(left: Left) -> DataAnswer<LeftResponse> {
    // Who only rang was never a participant, and has declined by this.
    let participant_id = left.participant.ok_or(ErrorCode::ParticipantNotFound)?;
    data(LeftResponse {
        message: "Participant left call".to_owned(),
        participant_id,
        left_at: left.left_at,
    })
}

pub(super) async fn end(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
) -> DataAnswer<EndedResponse> {
    let call_id = read::call(&params)?;
    let ended = shared.calls.end(&caller, &call_id).await?;
    data(EndedResponse {
        message: "Call ended".to_owned(),
        call_id,
        ended_at: ended.ended_at,
        duration: ended.duration,
    })
}

pub(super) async fn set_mode(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
    Body(request): Body<SetModeRequest>,
) -> DataAnswer<SetModeResponse> {
    let call = read::call(&params)?;
    data(shared.calls.set_mode(&caller, &call, request.mode).await?)
}

pub(super) async fn report_quality(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
    Body(report): Body<QualityReport>,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    let call = read::call(&params)?;
    let taken = shared.calls.quality(&caller, Some(&call), report).await;
    taken.map_err(read::in_words_of_rest)?;
    Ok((StatusCode::ACCEPTED, Json(Done::new("Quality report taken"))))
}

pub(super) async fn add_transcription(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
    Body(request): Body<TranscriptionRequest>,
) -> Created<TranscriptionResponse> {
    let call = read::call(&params)?;
    if caller != Caller::Service {
        return Err(read::denied().into());
    }
    check(&request)?;
    let stored = shared.store.call(&call).await.map_err(|error| fault(&error))?;
    let stored = stored.ok_or_else(|| ErrorBody::new(ErrorCode::CallNotFound).about("callId", &call))?;
    let speaker = stored
        .participants
        .iter()
        .find(|participant| participant.id == request.participant_id);
    let missing =
        || ErrorBody::new(ErrorCode::ParticipantNotFound).about("participantId", &request.participant_id);
    speaker.ok_or_else(missing)?;
    let now = Timestamp::from(std::time::SystemTime::now());
    let caption = CaptionRecord {
        id: TranscriptionId::mint(now, edge::random::number()),
        call_id: call,
        participant_id: request.participant_id.clone(),
        text: request.text,
        language: request.language,
        translations: BTreeMap::new(),
        timestamp: request.timestamp,
        duration: None,
        confidence: request.confidence_score,
        source: CaptionSource::Server,
        processing_time: None,
        created_at: now,
    };
    // A guest's words are not kept; there is no such speaker then.
    match shared.store.add_caption(&caption).await {
        Err(store::StoreError::NotFound) => Err(missing().into()),
        outcome => {
            outcome.map_err(|error| fault(&error))?;
            created(TranscriptionResponse {
                transcription_id: caption.id,
                translations: caption.translations,
            })
        }
    }
}

fn check(request: &TranscriptionRequest) -> Result<(), ErrorBody> {
    let length = request.text.chars().count();
    if request.text.trim().is_empty() || length > MAX_CAPTION {
        return Err(read::invalid(format!(
            "text must have 1 to {MAX_CAPTION} characters"
        )));
    }
    if !crate::auth::is_language(&request.language) {
        return Err(read::invalid("language must be a code such as en"));
    }
    let score = request.confidence_score;
    if score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
        return Err(read::invalid("confidenceScore must lie between 0 and 1"));
    }
    Ok(())
}

fn count(shared: &Shared, scope: Scope, caller: &Caller) -> Result<(), ErrorBody> {
    if *caller == Caller::Service {
        return Ok(());
    }
    let counted = shared.limits.count(scope, &caller.key());
    counted
        .map(drop)
        .inspect_err(|_| shared.metrics.rate_limited(scope.name()))
}
