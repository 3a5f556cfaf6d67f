//! People and conversations.

use async_trait::async_trait;
use signalling::client_gateway::MemberRole;
use signalling::text::Text;
use signalling::{ConversationId, UserId};

use super::{Membership, MemoryStore, Tables};
use crate::directory::{direct_key, name_key};
use crate::{Conversation, Directory, Made, Member, StoreError, User};

impl Tables {
    fn named(&self, name: &str) -> Option<&User> {
        let key = name_key(name);
        self.users
            .values()
            .find(|user| name_key(user.username.as_str()) == key)
    }

    /// Writes a new conversation with its members, or changes nothing.
    fn add_conversation(
        &mut self,
        conversation: &Conversation,
        members: &[(UserId, MemberRole)],
    ) -> Result<(), StoreError> {
        if members.iter().any(|(user, _)| !self.users.contains_key(user)) {
            return Err(StoreError::NotFound);
        }
        let same_member = |(at, (user, _)): (usize, &(UserId, MemberRole))| {
            members[at + 1..].iter().any(|(other, _)| other == user)
        };
        let taken =
            |other: &Conversation| other.id == conversation.id || other.identifier == conversation.identifier;
        if members.iter().enumerate().any(same_member) || self.conversations.values().any(taken) {
            return Err(StoreError::Conflict);
        }
        self.conversations.insert(conversation.id, conversation.clone());
        for &(user, role) in members {
            let membership = Membership { role, active: true };
            self.members.insert((conversation.id, user), membership);
        }
        Ok(())
    }
}

#[async_trait]
impl Directory for MemoryStore {
    async fn ensure_user(&self, user: &User) -> Result<Made<User>, StoreError> {
        let mut tables = self.tables();
        if let Some(existing) = tables.named(user.username.as_str()) {
            return Ok(Made::Existing(existing.clone()));
        }
        if tables.users.contains_key(&user.id) {
            return Err(StoreError::Conflict);
        }
        tables.users.insert(user.id, user.clone());
        Ok(Made::New(user.clone()))
    }

    async fn save_user(&self, user: &User) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables
            .named(user.username.as_str())
            .is_some_and(|other| other.id != user.id)
        {
            return Err(StoreError::Conflict);
        }
        let kept = tables.users.get_mut(&user.id).ok_or(StoreError::NotFound)?;
        let created_at = kept.created_at;
        *kept = User {
            created_at,
            ..user.clone()
        };
        Ok(())
    }

    async fn user(&self, user: &UserId) -> Result<Option<User>, StoreError> {
        Ok(self.tables().users.get(user).cloned())
    }

    async fn user_by_name(&self, name: &Text) -> Result<Option<User>, StoreError> {
        Ok(self.tables().named(name.as_str()).cloned())
    }

    async fn search_users(&self, prefix: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        let prefix = name_key(prefix);
        let tables = self.tables();
        let users = tables.users.values();
        let mut found: Vec<User> = users
            .filter(|user| name_key(user.username.as_str()).starts_with(&prefix))
            .cloned()
            .collect();
        found.sort_by_key(|user| name_key(user.username.as_str()));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn create_conversation(
        &self,
        conversation: &Conversation,
        members: &[(UserId, MemberRole)],
    ) -> Result<(), StoreError> {
        self.tables().add_conversation(conversation, members)
    }

    async fn direct_conversation(
        &self,
        fresh: &Conversation,
        one: &UserId,
        other: &UserId,
    ) -> Result<Made<Conversation>, StoreError> {
        let mut tables = self.tables();
        let key = direct_key(one, other);
        let existing = tables
            .direct
            .get(&key)
            .and_then(|id| tables.conversations.get(id));
        if let Some(existing) = existing {
            return Ok(Made::Existing(existing.clone()));
        }
        tables.add_conversation(fresh, &[(*one, MemberRole::Member), (*other, MemberRole::Member)])?;
        tables.direct.insert(key, fresh.id);
        Ok(Made::New(fresh.clone()))
    }

    async fn conversation(&self, conversation: &ConversationId) -> Result<Option<Conversation>, StoreError> {
        Ok(self.tables().conversations.get(conversation).cloned())
    }

    async fn conversations_of(&self, user: &UserId) -> Result<Vec<(Conversation, MemberRole)>, StoreError> {
        let tables = self.tables();
        let mine = tables
            .members
            .iter()
            .filter(|((_, member), membership)| member == user && membership.active);
        let mut found: Vec<(Conversation, MemberRole)> = mine
            .filter_map(|((id, _), membership)| {
                Some((tables.conversations.get(id)?.clone(), membership.role))
            })
            .filter(|(conversation, _)| conversation.is_active)
            .collect();
        found.sort_by_key(|(kept, _)| std::cmp::Reverse((kept.updated_at, kept.id)));
        Ok(found)
    }

    async fn membership(
        &self,
        conversation: &ConversationId,
        user: &UserId,
    ) -> Result<Option<MemberRole>, StoreError> {
        let tables = self.tables();
        let in_use = tables
            .conversations
            .get(conversation)
            .is_some_and(|kept| kept.is_active);
        let membership = tables.members.get(&(*conversation, *user));
        Ok(membership
            .filter(|membership| in_use && membership.active)
            .map(|membership| membership.role))
    }

    async fn members(&self, conversation: &ConversationId) -> Result<Vec<Member>, StoreError> {
        let tables = self.tables();
        let all = tables
            .members
            .iter()
            .filter(|((id, _), membership)| id == conversation && membership.active);
        let mut found: Vec<Member> = all
            .filter_map(|((_, user), membership)| {
                let user = tables.users.get(user)?.clone();
                Some(Member {
                    user,
                    role: membership.role,
                })
            })
            .collect();
        found.sort_by_key(|member| name_key(member.user.username.as_str()));
        Ok(found)
    }

    async fn set_member(
        &self,
        conversation: &ConversationId,
        user: &UserId,
        role: MemberRole,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.conversations.contains_key(conversation) || !tables.users.contains_key(user) {
            return Err(StoreError::NotFound);
        }
        let membership = Membership { role, active: true };
        tables.members.insert((*conversation, *user), membership);
        Ok(())
    }

    async fn remove_member(&self, conversation: &ConversationId, user: &UserId) -> Result<(), StoreError> {
        if let Some(membership) = self.tables().members.get_mut(&(*conversation, *user)) {
            membership.active = false;
        }
        Ok(())
    }
}
