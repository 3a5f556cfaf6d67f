//! What is put before a call's task, and what it answers.

use std::fmt;

use call::{Call, Input};
use signalling::client_gateway::{Initiated, JoinDto, Mode};
use signalling::error::ErrorBody;
use signalling::{ParticipantId, Timestamp};
use tokio::sync::oneshot;
use tracing::Span;

use crate::footprint::Footprint;

/// How much may wait for one call. Fifty devices that all speak at once stay below.
pub(super) const CAPACITY: usize = 1024;

/// Something to look up in a call, without changing it.
pub(super) type Look = Box<dyn FnOnce(&Call, Timestamp) + Send>;

/// Where an answer goes.
pub(super) type Answered = oneshot::Sender<Result<Answer, ErrorBody>>;

/// Something for a call's task.
pub(super) enum Mail {
    /// Something happened.
    Input(Box<Happened>),
    /// Something is looked up.
    Look(Look),
}

/// Something that happened to a call.
pub(super) struct Happened {
    pub(super) input: Input,
    /// Who expects an answer if it is a request, under the request's number.
    pub(super) waiting: Option<(call::RequestId, Answered)>,
    /// Where the request came from.
    pub(super) from: Option<Footprint>,
    /// In the course of what.
    pub(super) span: Span,
}

impl Mail {
    /// Something that happens now, in the course of what the caller does.
    pub(super) fn input(input: Input, waiting: Option<(call::RequestId, Answered)>) -> Self {
        Self::Input(Box::new(Happened {
            input,
            waiting,
            from: Footprint::current(),
            span: Span::current(),
        }))
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input(..) => "Mail::Input(..)",
            Self::Look(_) => "Mail::Look(..)",
        })
    }
}

/// What a request is answered, with credentials where they belong.
#[derive(Debug)]
pub(super) enum Answer {
    Done,
    Initiated(Box<Initiated>),
    Joined(Box<JoinDto>),
    Left(Left),
    Ended { ended_at: Timestamp, duration: u64 },
    ModeSet { mode: Mode, switched_at: Timestamp },
}

/// Somebody is no longer in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Who it was; `None` for one who only rang.
    pub(crate) participant: Option<ParticipantId>,
    /// When.
    pub(crate) left_at: Timestamp,
}
