//! What is put before a call's task, and what it answers.

use std::fmt;

use call::{Call, Input};
use signalling::client_gateway::{Initiated, JoinDto, Mode};
use signalling::error::ErrorBody;
use signalling::{ParticipantId, Timestamp};
use tokio::sync::oneshot;

/// How much may wait for one call. Fifty devices that all speak at once stay below.
pub(super) const CAPACITY: usize = 1024;

/// Something to look up in a call, without changing it.
pub(super) type Look = Box<dyn FnOnce(&Call, Timestamp) + Send>;

/// Where an answer goes.
pub(super) type Answered = oneshot::Sender<Result<Answer, ErrorBody>>;

/// Something for a call's task.
pub(super) enum Mail {
    /// Something happened. With an answer expected if it is a request, under the request's number.
    Input(Box<Input>, Option<(call::RequestId, Answered)>),
    /// Something is looked up.
    Look(Look),
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
