//! On whose behalf a request is made.

use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode, ParticipantId};

/// What a verified token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// One participant of one call.
    Participant {
        call: CallId,
        participant: ParticipantId,
    },
    /// A gateway; for one call or, without a call, for all.
    Service { call: Option<CallId> },
}

impl Caller {
    pub(crate) fn is_service(&self) -> bool {
        matches!(self, Self::Service { .. })
    }

    /// Refuses a call the token is not for.
    pub(crate) fn require_call(&self, call: &CallId) -> Result<(), ErrorBody> {
        let own = match self {
            Self::Participant { call, .. } => Some(call),
            Self::Service { call } => call.as_ref(),
        };
        match own {
            Some(own) if own != call => Err(forbidden("The token is for another call").about("callId", call)),
            _ => Ok(()),
        }
    }

    /// Refuses everybody but services.
    pub(crate) fn require_service(&self) -> Result<(), ErrorBody> {
        if self.is_service() {
            Ok(())
        } else {
            Err(forbidden("Only a service may do this"))
        }
    }

    /// Refuses a participant who acts for (or on an object of) another one.
    pub(crate) fn require_participant(&self, owner: &ParticipantId) -> Result<(), ErrorBody> {
        match self {
            Self::Participant { participant, .. } if participant != owner => {
                Err(forbidden("The token is for another participant"))
            }
            _ => Ok(()),
        }
    }
}

fn forbidden(message: &str) -> ErrorBody {
    ErrorBody::with_message(ErrorCode::Forbidden, message)
}
