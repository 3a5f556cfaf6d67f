//! Who rings, who declined, and until when.

use signalling::client_gateway::{RejectReason, UserSummary};
use signalling::{Timestamp, UserId};

use crate::input::Callee;

/// How far it is with somebody who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No device is online; rings as soon as one is.
    Offline,
    /// At least one device rings.
    Ringing,
    /// Does not want to, or cannot.
    Declined,
    /// Took the call.
    Answered,
}

/// Everybody who is called.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    called: Vec<(UserSummary, Stage)>,
    /// When it stops.
    pub(crate) deadline: Timestamp,
}

impl Ring {
    /// Calls these; devices that are online and free ring, the busy have declined already.
    pub(crate) fn new(callees: Vec<Callee>, deadline: Timestamp) -> Self {
        let stage = |callee: &Callee| match (callee.online, callee.busy) {
            (_, true) => Stage::Declined,
            (true, false) => Stage::Ringing,
            (false, false) => Stage::Offline,
        };
        let called = callees
            .into_iter()
            .map(|callee| {
                let stage = stage(&callee);
                (callee.user, stage)
            })
            .collect();
        Self { called, deadline }
    }

    fn stage_mut(&mut self, user: UserId) -> Option<&mut (UserSummary, Stage)> {
        self.called.iter_mut().find(|(each, _)| each.user_id == user)
    }

    /// Who this is, if called.
    pub(crate) fn callee(&self, user: UserId) -> Option<&UserSummary> {
        self.called
            .iter()
            .map(|(each, _)| each)
            .find(|each| each.user_id == user)
    }

    /// Those whose devices ring.
    pub(crate) fn ringing(&self) -> Vec<UserId> {
        self.called
            .iter()
            .filter(|(_, stage)| *stage == Stage::Ringing)
            .map(|(user, _)| user.user_id)
            .collect()
    }

    /// Whether this person's devices ring.
    pub(crate) fn rings(&self, user: UserId) -> bool {
        self.ringing().contains(&user)
    }

    /// Whether anybody's devices ring, or would.
    pub(crate) fn is_live(&self) -> bool {
        self.called
            .iter()
            .any(|(_, stage)| matches!(stage, Stage::Ringing | Stage::Offline))
    }

    /// Those who declined at once, because they are in another call.
    pub(crate) fn busy(&self) -> Vec<UserSummary> {
        self.called
            .iter()
            .filter(|(_, stage)| *stage == Stage::Declined)
            .map(|(user, _)| user.clone())
            .collect()
    }

    /// A device came online: whether it is to ring.
    pub(crate) fn online(&mut self, user: UserId) -> bool {
        match self.stage_mut(user) {
            Some((_, stage @ (Stage::Offline | Stage::Ringing))) => {
                *stage = Stage::Ringing;
                true
            }
            _ => false,
        }
    }

    /// Somebody declines: whether that is news.
    pub(crate) fn decline(&mut self, user: UserId) -> bool {
        match self.stage_mut(user) {
            Some((_, stage @ (Stage::Offline | Stage::Ringing))) => {
                *stage = Stage::Declined;
                true
            }
            _ => false,
        }
    }

    /// Somebody takes the call: whether devices of theirs rang.
    pub(crate) fn answer(&mut self, user: UserId) -> bool {
        match self.stage_mut(user) {
            Some((_, stage)) => std::mem::replace(stage, Stage::Answered) == Stage::Ringing,
            None => false,
        }
    }

    /// Whether somebody declined and nobody who was reached can still take it.
    pub(crate) fn is_declined_by_all(&self) -> bool {
        let declined = |stage: &Stage| *stage == Stage::Declined;
        let reached = |stage: &Stage| *stage != Stage::Offline;
        let mut reached = self
            .called
            .iter()
            .map(|(_, stage)| stage)
            .filter(|stage| reached(stage));
        let any = self.called.iter().any(|(_, stage)| declined(stage));
        any && reached.all(declined)
    }

    /// Nobody rings any more.
    pub(crate) fn stop(&mut self) {
        self.called.clear();
    }
}

/// What the caller is told of somebody in another call.
pub(crate) const BUSY: RejectReason = RejectReason::Busy;
