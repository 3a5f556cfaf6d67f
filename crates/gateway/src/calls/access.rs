//! Who may do what (contract §2.3), asked of the store each time.

use call::{Actor, Identity, Person};
use signalling::client_gateway::{ConversationType, MemberRole};
use signalling::error::ErrorBody;
use signalling::{ConversationId, ErrorCode, ParticipantId, UserId};
use store::Conversation;

use super::Calls;
use super::registry::Running;
use crate::auth::{Caller, Seated};
use crate::fault::fault;

/// A member of a conversation.
pub(super) struct Membership {
    pub(super) identity: Identity,
    pub(super) role: MemberRole,
}

impl Calls {
    /// The conversation, for a registered user who is a member of it. Guests and services are refused.
    pub(super) async fn member(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
    ) -> Result<Membership, ErrorBody> {
        let Some(
            identity @ Identity {
                person: Person::User(user),
                ..
            },
        ) = caller.identity()
        else {
            return Err(denied());
        };
        let role = self.role(conversation, &user).await?.ok_or_else(denied)?;
        Ok(Membership { identity, role })
    }

    async fn role(
        &self,
        conversation: &ConversationId,
        user: &UserId,
    ) -> Result<Option<MemberRole>, ErrorBody> {
        let role = self.0.store.membership(conversation, user).await;
        role.map_err(|error| fault(&error))
    }

    /// A conversation that exists.
    pub(super) async fn conversation(
        &self,
        conversation: &ConversationId,
    ) -> Result<Conversation, ErrorBody> {
        let found = self.0.store.conversation(conversation).await;
        found
            .map_err(|error| fault(&error))?
            .ok_or_else(|| ErrorBody::new(ErrorCode::NotFound).about("conversationId", conversation))
    }

    /// Somebody who may act in the call they are in: a member, or a guest of this very conversation.
    pub(super) async fn taking_part(
        &self,
        caller: &Caller,
        running: &Running,
    ) -> Result<Identity, ErrorBody> {
        self.admitted(caller, running, Seated::Yes).await
    }

    /// As [`Self::taking_part`], of somebody who wants to come in: a link may let in only so many guests.
    pub(super) async fn coming_in(&self, caller: &Caller, running: &Running) -> Result<Identity, ErrorBody> {
        let seat = caller
            .person()
            .and_then(|person| self.0.registry.seat(&running.call, &person));
        let seated = if seat.is_some() { Seated::Yes } else { Seated::No };
        self.admitted(caller, running, seated).await
    }

    async fn admitted(
        &self,
        caller: &Caller,
        running: &Running,
        seated: Seated,
    ) -> Result<Identity, ErrorBody> {
        match caller {
            Caller::User { .. } => Ok(self.member(caller, &running.conversation).await?.identity),
            Caller::Guest { conversation, .. } => {
                let suits = *conversation == running.conversation
                    && running.conversation_type == ConversationType::Group;
                if !suits {
                    return Err(denied());
                }
                self.0.authenticator.admit(caller, seated).await?;
                caller.identity().ok_or_else(denied)
            }
            Caller::Service => Err(denied()),
        }
    }

    /// Somebody who wants something that not everybody may: the call itself knows whether it began with them.
    pub(super) async fn actor(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
    ) -> Result<Actor, ErrorBody> {
        match caller {
            Caller::User {
                platform_admin: true, ..
            }
            | Caller::Service => Ok(Actor::Service),
            Caller::User { .. } => {
                let member = self.member(caller, conversation).await?;
                Ok(Actor::Person {
                    person: member.identity.person,
                    admin: member.role == MemberRole::Admin,
                })
            }
            Caller::Guest { id, .. } => Ok(Actor::Person {
                person: Person::Guest(*id),
                admin: false,
            }),
        }
    }

    /// Who says that they are somebody must be that one (contract §6.3).
    pub(super) fn only_oneself(
        &self,
        caller: &Caller,
        running: &Running,
        claimed: Option<&ParticipantId>,
    ) -> Result<(), ErrorBody> {
        let Some(claimed) = claimed else {
            return Ok(());
        };
        let own = caller
            .person()
            .and_then(|person| self.0.registry.seat(&running.call, &person));
        if own.as_ref() == Some(claimed) {
            Ok(())
        } else {
            Err(denied())
        }
    }
}

/// Not allowed, and not told why.
pub(super) fn denied() -> ErrorBody {
    ErrorBody::new(ErrorCode::PermissionDenied)
}
