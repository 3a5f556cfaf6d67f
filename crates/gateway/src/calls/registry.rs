//! Which calls run here, and who is in which.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use call::Person;
use signalling::client_gateway::{AdminCall, ConversationType};
use signalling::{CallId, ConversationId, ParticipantId};
use tokio::sync::mpsc;

use super::mailbox::Mail;
use crate::region::CallRegion;

/// A call that runs here.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    /// Which.
    pub(crate) call: CallId,
    /// Where it takes place.
    pub(crate) conversation: ConversationId,
    /// What that is.
    pub(crate) conversation_type: ConversationType,
    /// Where its people are: its room is to be near.
    pub(crate) region: CallRegion,
    /// Where its task takes what happens.
    pub(super) mailbox: mpsc::Sender<Mail>,
}

/// Why somebody cannot be noted as being in a call: they are in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InAnotherCall(pub(super) CallId);

/// All calls that run here.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    running: HashMap<CallId, Running>,
    /// What operators are shown of them.
    shown: HashMap<CallId, AdminCall>,
    conversations: HashMap<ConversationId, CallId>,
    /// One live call per person (contract §3.1).
    people: HashMap<Person, Claim>,
}

/// Somebody's one call.
#[derive(Debug)]
struct Claim {
    call: CallId,
    /// Who they are there, once they hold a seat.
    seat: Option<ParticipantId>,
    /// How many requests to be let in are under way.
    asking: u32,
}

impl Registry {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call, and only then looks up what holds for it: what changes before is seen by the look, and of what
    /// changes afterwards all calls here are told.
    pub(super) fn enter<T>(&self, running: Running, look: impl FnOnce() -> T) -> T {
        self.insert(running);
        look()
    }

    /// Adds a call. Of a conversation with a call already the first one stays the conversation's.
    fn insert(&self, running: Running) {
        let mut calls = self.calls();
        calls
            .conversations
            .entry(running.conversation)
            .or_insert_with(|| running.call.clone());
        calls.running.insert(running.call.clone(), running);
    }

    /// Forgets a call and that anybody is in it.
    pub(super) fn remove(&self, call: &CallId) {
        let mut calls = self.calls();
        calls.running.remove(call);
        calls.shown.remove(call);
        calls.conversations.retain(|_, of| of != call);
        calls.people.retain(|_, claim| claim.call != *call);
    }

    pub(super) fn call(&self, call: &CallId) -> Option<Running> {
        self.calls().running.get(call).cloned()
    }

    pub(super) fn call_in(&self, conversation: &ConversationId) -> Option<Running> {
        let calls = self.calls();
        let call = calls.conversations.get(conversation)?;
        calls.running.get(call).cloned()
    }

    /// The call somebody is in, or asks to be let into.
    pub(super) fn call_of(&self, person: &Person) -> Option<Running> {
        let calls = self.calls();
        let claim = calls.people.get(person)?;
        calls.running.get(&claim.call).cloned()
    }

    /// Who somebody is in this call.
    pub(super) fn seat(&self, call: &CallId, person: &Person) -> Option<ParticipantId> {
        let calls = self.calls();
        let claim = calls.people.get(person).filter(|claim| claim.call == *call)?;
        claim.seat.clone()
    }

    /// Takes over what operators are shown of a call.
    pub(super) fn show(&self, call: AdminCall) {
        let mut calls = self.calls();
        if calls.running.contains_key(&call.call_id) {
            calls.shown.insert(call.call_id.clone(), call);
        }
    }

    /// What operators are shown, oldest first.
    pub(super) fn shown(&self) -> Vec<AdminCall> {
        let mut shown: Vec<AdminCall> = self.calls().shown.values().cloned().collect();
        shown.sort_by(|a, b| (a.started_at, &a.call_id).cmp(&(b.started_at, &b.call_id)));
        shown
    }

    /// How many calls run here.
    pub(super) fn len(&self) -> usize {
        self.calls().running.len()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Running> {
        self.calls().running.values().cloned().collect()
    }

    /// Notes that somebody asks to be let into a call, so that nobody can ask for two at a time.
    /// Every success is followed by one [`Self::asked`].
    pub(super) fn ask(&self, person: Person, call: &CallId) -> Result<(), InAnotherCall> {
        let mut calls = self.calls();
        let claim = calls.people.entry(person).or_insert_with(|| Claim {
            call: call.clone(),
            seat: None,
            asking: 0,
        });
        if claim.call != *call {
            return Err(InAnotherCall(claim.call.clone()));
        }
        claim.asking += 1;
        Ok(())
    }

    /// Notes that such a request was answered, either way.
    pub(super) fn asked(&self, person: &Person, call: &CallId) {
        let mut calls = self.calls();
        let Some(claim) = calls.people.get_mut(person).filter(|claim| claim.call == *call) else {
            return;
        };
        claim.asking = claim.asking.saturating_sub(1);
        if claim.asking == 0 && claim.seat.is_none() {
            calls.people.remove(person);
        }
    }

    /// Takes over who holds a seat in a call now.
    pub(super) fn seated(&self, call: &CallId, seats: &[(Person, ParticipantId)]) {
        let mut calls = self.calls();
        calls.people.retain(|person, claim| {
            if claim.call != *call {
                return true;
            }
            claim.seat = None;
            claim.asking > 0 || seats.iter().any(|(seated, _)| seated == person)
        });
        for (person, participant) in seats {
            let claim = calls.people.entry(*person).or_insert_with(|| Claim {
                call: call.clone(),
                seat: None,
                asking: 0,
            });
            // Somebody who is in another call already was restored into two; they stay in the first.
            if claim.call == *call {
                claim.seat = Some(participant.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use signalling::{Timestamp, UserId};

    use super::*;

    fn person(number: u64) -> Person {
        Person::User(UserId::mint(Timestamp::from_unix_millis(0), number))
    }

    fn participant(name: &str) -> ParticipantId {
        name.parse().expect("an id")
    }

    fn registry(calls: &[&str]) -> (Registry, Vec<CallId>) {
        let registry = Registry::default();
        let ids: Vec<CallId> = calls.iter().map(|id| id.parse().expect("an id")).collect();
        for (number, call) in (0..).zip(&ids) {
            registry.insert(Running {
                call: call.clone(),
                conversation: ConversationId::mint(Timestamp::from_unix_millis(0), number),
                conversation_type: ConversationType::Group,
                region: CallRegion::default(),
                mailbox: mpsc::channel(1).0,
            });
        }
        (registry, ids)
    }

    #[test]
    fn a_call_can_be_told_of_changes_before_it_is_looked_up_what_holds_for_it() {
        let (registry, calls) = registry(&["one"]);
        let running = Running {
            call: "two".parse().expect("an id"),
            ..registry.call(&calls[0]).expect("it runs")
        };
        let told = registry.enter(running, || registry.all().len());
        assert_eq!(told, 2);
    }

    #[test]
    fn nobody_is_in_two_calls() {
        let (registry, calls) = registry(&["one", "two"]);
        assert_eq!(registry.ask(person(1), &calls[0]), Ok(()));
        assert_eq!(
            registry.ask(person(1), &calls[1]),
            Err(InAnotherCall(calls[0].clone()))
        );
        registry.seated(&calls[0], &[(person(1), participant("p"))]);
        registry.asked(&person(1), &calls[0]);
        assert_eq!(registry.seat(&calls[0], &person(1)), Some(participant("p")));
        assert_eq!(registry.seat(&calls[1], &person(1)), None);
        assert_eq!(
            registry.call_of(&person(1)).map(|running| running.call),
            Some(calls[0].clone())
        );
        registry.seated(&calls[0], &[]);
        assert_eq!(registry.ask(person(1), &calls[1]), Ok(()));
    }

    #[test]
    fn who_was_refused_may_ask_for_another_call() {
        let (registry, calls) = registry(&["one", "two"]);
        assert_eq!(registry.ask(person(1), &calls[0]), Ok(()));
        assert_eq!(registry.ask(person(1), &calls[0]), Ok(()));
        registry.asked(&person(1), &calls[0]);
        // The other request is still under way, whatever the call says of others.
        registry.seated(&calls[0], &[(person(2), participant("q"))]);
        assert!(registry.ask(person(1), &calls[1]).is_err());
        registry.asked(&person(1), &calls[0]);
        assert_eq!(registry.ask(person(1), &calls[1]), Ok(()));
        assert_eq!(registry.seat(&calls[0], &person(2)), Some(participant("q")));
    }

    #[test]
    fn with_a_call_everything_about_it_goes() {
        let (registry, calls) = registry(&["one"]);
        registry.seated(&calls[0], &[(person(1), participant("p"))]);
        let conversation = registry.call(&calls[0]).expect("it runs").conversation;
        assert!(registry.call_in(&conversation).is_some());
        registry.remove(&calls[0]);
        assert!(registry.call(&calls[0]).is_none());
        assert!(registry.call_in(&conversation).is_none());
        assert!(registry.call_of(&person(1)).is_none());
        assert_eq!(registry.len(), 0);
    }
}
