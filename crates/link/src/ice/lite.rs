//! The responder: credentials, the table of proven paths, the selected one, and consent.
//!
//! Two deliberate departures from the letter of the standards, both those of every ICE-lite media server:
//! * A lite agent sends no checks, so it cannot ask for consent (RFC 7675). Authenticated checks of the peer,
//!   which knows the password and repeats them every few seconds, are taken as its consent instead.
//! * A session that failed for want of checks revives when one arrives; RFC 7675 §5.1 wants an ICE restart, for
//!   which a phone leaving a tunnel would need signalling it may not have yet.

mod tuples;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::stun::{Class, ErrorCode, IntegrityKey, Message, Role, TransactionId, UnknownAttributes, Writer};
use super::{IceCredentials, IceState};
use crate::drops::DropReason;
use crate::tuple::FiveTuple;
use tuples::{Generation, ProvenCheck, Tuples, Verdict};

/// Silence after which the session counts as disconnected. Browsers check the selected path every 2.5 to 6 s,
/// so at least one check has been lost by then.
const DISCONNECT_AFTER: Duration = Duration::from_secs(8);

/// Answers waiting to be sent. The caller drains them after each batch of datagrams; a peer checks each path a
/// few times a second.
const MAX_PENDING: usize = 32;

/// What the agent tells its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IceEvent {
    /// The state changed.
    State(IceState),
    /// Another path was selected.
    Selected(FiveTuple),
}

/// What became of a STUN datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// A valid check, answered; its path is proven.
    Valid,
    /// An indication: a keep-alive, without effect.
    Ignored,
}

/// One side's credentials with the key made of the password.
struct Keyed {
    credentials: IceCredentials,
    key: IntegrityKey,
    generation: Generation,
}

/// How a pending answer is authenticated: by the generation of the credentials the request used, if it proved
/// to know them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    No,
    With(Generation),
}

#[derive(Clone, Copy)]
enum Answer {
    Success,
    Error(ErrorCode),
    Unknown(UnknownAttributes),
}

struct Pending {
    tuple: FiveTuple,
    transaction: TransactionId,
    answer: Answer,
    signed: Signed,
}

/// An ICE-lite agent with one component and any number of local addresses.
pub(crate) struct LiteAgent {
    current: Keyed,
    /// The credentials before a restart, valid until a path is nominated with the current ones.
    previous: Option<Keyed>,
    tuples: Tuples,
    selected: Option<FiveTuple>,
    /// Highest renomination counter followed so far.
    nomination: u32,
    state: IceState,
    consent_timeout: Duration,
    /// When the last authenticated check arrived.
    last_check: Option<Instant>,
    /// Until when the first authenticated check must have arrived.
    establish_by: Option<Instant>,
    pending: VecDeque<Pending>,
    events: VecDeque<IceEvent>,
}

impl LiteAgent {
    pub(crate) fn new(credentials: IceCredentials, consent_timeout: Duration) -> Self {
        let generation = Generation(0);
        let key = IntegrityKey::new(&credentials.pwd);
        Self {
            current: Keyed {
                credentials,
                key,
                generation,
            },
            previous: None,
            tuples: Tuples::default(),
            selected: None,
            nomination: 0,
            state: IceState::New,
            consent_timeout,
            last_check: None,
            establish_by: None,
            pending: VecDeque::with_capacity(MAX_PENDING),
            events: VecDeque::with_capacity(4),
        }
    }

    /// Replaces the credentials. The old ones, and the paths proven with them, stay until the first nomination
    /// with the new ones (RFC 8445 §9: media continues during a restart).
    pub(crate) fn restart(&mut self, credentials: IceCredentials) {
        let key = IntegrityKey::new(&credentials.pwd);
        let generation = Generation(self.current.generation.0 + 1);
        let replaced = std::mem::replace(
            &mut self.current,
            Keyed {
                credentials,
                key,
                generation,
            },
        );
        // A second restart before the first took effect: the credentials in use are still the older ones.
        self.previous.get_or_insert(replaced);
    }

    /// Starts the time within which the peer has to reach us.
    pub(crate) fn expect_checks(&mut self, now: Instant) {
        if self.last_check.is_none() && self.state == IceState::New {
            self.establish_by.get_or_insert(now + self.consent_timeout);
        }
    }

    pub(crate) fn owns_ufrag(&self, ufrag: &str) -> bool {
        self.keyed(ufrag).is_some()
    }

    pub(crate) fn state(&self) -> IceState {
        self.state
    }

    /// The path the peer nominated; none after consent was lost.
    pub(crate) fn selected(&self) -> Option<FiveTuple> {
        self.selected
    }

    /// The path to answer on before one is nominated.
    pub(crate) fn best_tuple(&self) -> Option<FiveTuple> {
        self.selected.or_else(|| self.tuples.freshest())
    }

    /// Whether the peer has proven to be reachable there, and consent has not run out.
    pub(crate) fn is_proven(&self, tuple: FiveTuple) -> bool {
        self.selected == Some(tuple) || self.tuples.contains(tuple)
    }

    /// Handles one STUN datagram.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        tuple: FiveTuple,
        datagram: &[u8],
    ) -> Result<Check, DropReason> {
        if self.state == IceState::Closed {
            return Err(DropReason::Closed);
        }
        let message = Message::parse(datagram).map_err(|_| DropReason::BadStun)?;
        match message.class {
            Class::Request => self.handle_request(now, tuple, &message),
            Class::Indication => Ok(Check::Ignored),
            Class::Success | Class::Error => Err(DropReason::StunResponse),
        }
    }

    /// RFC 8489 §9.1.3 and RFC 8445 §7.3, in their order.
    fn handle_request(
        &mut self,
        now: Instant,
        tuple: FiveTuple,
        message: &Message<'_>,
    ) -> Result<Check, DropReason> {
        let transaction = message.transaction;
        let answer = |answer, signed| Pending {
            tuple,
            transaction,
            answer,
            signed,
        };
        let Some(ufrag) = message.local_ufrag().filter(|_| message.has_integrity()) else {
            self.push(answer(Answer::Error(ErrorCode::BadRequest), Signed::No))?;
            return Err(DropReason::BadStun);
        };
        let generation = self
            .keyed(ufrag)
            .filter(|keyed| message.verify_integrity(&keyed.key));
        let Some(generation) = generation.map(|keyed| keyed.generation) else {
            self.push(answer(Answer::Error(ErrorCode::Unauthenticated), Signed::No))?;
            return Err(DropReason::StunIntegrity);
        };
        let signed = Signed::With(generation);
        if !message.unknown.as_slice().is_empty() {
            self.push(answer(Answer::Unknown(message.unknown), signed))?;
            return Err(DropReason::BadStun);
        }
        if matches!(message.role, Some(Role::Controlled(_))) {
            // A lite agent is controlled for good, whatever the tie breakers say (RFC 8445 §6.1.1).
            self.push(answer(Answer::Error(ErrorCode::RoleConflict), signed))?;
            return Err(DropReason::StunRole);
        }
        self.push(answer(Answer::Success, signed))?;
        self.accept(now, tuple, generation, message);
        Ok(Check::Valid)
    }

    fn accept(&mut self, now: Instant, tuple: FiveTuple, generation: Generation, message: &Message<'_>) {
        // A peer that numbers its nominations says all there is to say by the number.
        let plain = message.use_candidate && message.nomination.is_none();
        let priority = message.priority.unwrap_or(0);
        let check = ProvenCheck {
            tuple,
            generation,
            priority,
            nominates: plain,
        };
        let verdict = self.tuples.prove(now, check, self.selected);
        self.last_check = Some(now);
        self.establish_by = None;
        let selects = match message.nomination {
            // A delayed check of a path given up since must not bring it back.
            Some(counter) => {
                let restarted = self.previous.is_some() && generation == self.current.generation;
                counter > self.nomination || restarted || self.selected.is_none()
            }
            None => verdict == Verdict::Select,
        };
        if plain || selects {
            self.retire_previous(generation);
            self.nomination = self.nomination.max(message.nomination.unwrap_or(0));
        }
        if selects {
            self.select(tuple);
        }
        let state = if self.selected.is_some() {
            IceState::Completed
        } else {
            IceState::Connected
        };
        self.set_state(state);
    }

    /// The first nomination with the current credentials ends a restart.
    fn retire_previous(&mut self, generation: Generation) {
        if generation == self.current.generation && self.previous.take().is_some() {
            self.tuples.retain_generation(generation);
            self.nomination = 0;
        }
    }

    fn select(&mut self, tuple: FiveTuple) {
        if self.selected.replace(tuple) != Some(tuple) {
            // Only the latest selection matters to an owner that has not yet read the earlier ones, and a peer
            // that keeps alternating cannot fill the queue.
            self.events
                .retain(|event| !matches!(event, IceEvent::Selected(_)));
            self.events.push_back(IceEvent::Selected(tuple));
        }
    }

    /// The path is gone (its connection was closed): another proven one takes its place, or the session counts
    /// as disconnected until the peer comes back.
    pub(crate) fn forget(&mut self, tuple: FiveTuple) {
        self.tuples.remove(tuple);
        self.pending.retain(|pending| pending.tuple != tuple);
        if self.selected == Some(tuple) {
            self.selected = None;
            self.fall_back();
        }
        let lost = self.best_tuple().is_none();
        if lost && matches!(self.state, IceState::Connected | IceState::Completed) {
            self.set_state(IceState::Disconnected);
        }
    }

    fn fall_back(&mut self) {
        if let Some(tuple) = self.tuples.freshest() {
            self.select(tuple);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.state, IceState::Closed | IceState::Failed) {
            return;
        }
        self.expire_tuples(now);
        let Some(last_check) = self.last_check else {
            if self.establish_by.is_some_and(|deadline| now >= deadline) {
                self.establish_by = None;
                self.set_state(IceState::Failed);
            }
            return;
        };
        let silence = now.saturating_duration_since(last_check);
        if silence >= self.consent_timeout {
            self.selected = None;
            self.set_state(IceState::Failed);
        } else if silence >= DISCONNECT_AFTER {
            self.set_state(IceState::Disconnected);
        }
    }

    fn expire_tuples(&mut self, now: Instant) {
        self.tuples.expire(now, self.consent_timeout);
        if let Some(selected) = self.selected
            && !self.tuples.contains(selected)
        {
            self.selected = None;
            self.fall_back();
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let silence = match (self.state, self.last_check) {
            (IceState::Closed | IceState::Failed, _) => return None,
            (_, None) => return self.establish_by,
            (IceState::Disconnected, Some(last)) => last + self.consent_timeout,
            (_, Some(last)) => last + DISCONNECT_AFTER.min(self.consent_timeout),
        };
        let expiry = self.tuples.next_expiry(self.consent_timeout);
        Some(expiry.map_or(silence, |expiry| expiry.min(silence)))
    }

    pub(crate) fn poll_event(&mut self) -> Option<IceEvent> {
        self.events.pop_front()
    }

    /// Writes the next answer into the cleared buffer.
    pub(crate) fn poll_transmit(&mut self, buffer: &mut Vec<u8>) -> Option<FiveTuple> {
        let pending = self.pending.pop_front()?;
        buffer.clear();
        let class = match pending.answer {
            Answer::Success => Class::Success,
            Answer::Error(_) | Answer::Unknown(_) => Class::Error,
        };
        let mut writer = Writer::new(buffer, class, pending.transaction);
        match pending.answer {
            Answer::Success => writer.mapped_address(pending.tuple.remote),
            Answer::Error(code) => writer.error(code),
            Answer::Unknown(unknown) => {
                writer.error(ErrorCode::UnknownAttribute);
                writer.unknown_attributes(&unknown);
            }
        }
        let key = match pending.signed {
            Signed::With(generation) => self.generation_key(generation),
            Signed::No => None,
        };
        writer.finish(key);
        Some(pending.tuple)
    }

    pub(crate) fn close(&mut self) {
        self.pending.clear();
        self.set_state(IceState::Closed);
    }

    fn push(&mut self, pending: Pending) -> Result<(), DropReason> {
        if self.pending.len() >= MAX_PENDING {
            return Err(DropReason::QueueFull);
        }
        self.pending.push_back(pending);
        Ok(())
    }

    fn set_state(&mut self, state: IceState) {
        if self.state != state && self.state != IceState::Closed {
            self.state = state;
            self.events.push_back(IceEvent::State(state));
        }
    }

    fn keyed(&self, ufrag: &str) -> Option<&Keyed> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|keyed| keyed.credentials.ufrag == ufrag)
    }

    fn generation_key(&self, generation: Generation) -> Option<&IntegrityKey> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|keyed| keyed.generation == generation)
            .map(|keyed| &keyed.key)
    }
}

#[cfg(test)]
mod tests;
