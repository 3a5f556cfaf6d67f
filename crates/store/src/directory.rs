//! People and conversations of a stand-alone installation.

use async_trait::async_trait;
use signalling::client_gateway::{ConversationType, MemberRole};
use signalling::text::Text;
use signalling::{ConversationId, Timestamp, UserId};

use crate::StoreError;

/// Users, conversations and memberships (contract §4.7).
#[async_trait]
pub trait Directory: Send + Sync {
    /// The user of this name, or `user` if nobody has it. Names differ by more than case.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id belongs to somebody of another name.
    async fn ensure_user(&self, user: &User) -> Result<Made<User>, StoreError>;

    /// Changes name, picture and language.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user, [`StoreError::Conflict`] if somebody else has the name.
    async fn save_user(&self, user: &User) -> Result<(), StoreError>;

    /// A user.
    async fn user(&self, user: &UserId) -> Result<Option<User>, StoreError>;

    /// A user by name, whatever the case.
    async fn user_by_name(&self, name: &Text) -> Result<Option<User>, StoreError>;

    /// Users whose name begins so, whatever the case, in the order of their names. An empty prefix finds everybody.
    async fn search_users(&self, prefix: &str, limit: u32) -> Result<Vec<User>, StoreError>;

    /// Writes a new conversation with its members.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if a member is no user, [`StoreError::Conflict`] if the id or the identifier is
    /// taken or a member is named twice.
    async fn create_conversation(
        &self,
        conversation: &Conversation,
        members: &[(UserId, MemberRole)],
    ) -> Result<(), StoreError>;

    /// The direct conversation of two users, or `fresh` if they have none; two racing calls give the same one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if one is no user, [`StoreError::Conflict`] if both are the same or the id is taken.
    async fn direct_conversation(
        &self,
        fresh: &Conversation,
        one: &UserId,
        other: &UserId,
    ) -> Result<Made<Conversation>, StoreError>;

    /// A conversation, active or not.
    async fn conversation(&self, conversation: &ConversationId) -> Result<Option<Conversation>, StoreError>;

    /// Active conversations of a user with the user's role, the one where something happened last first.
    async fn conversations_of(&self, user: &UserId) -> Result<Vec<(Conversation, MemberRole)>, StoreError>;

    /// What a user is in a conversation; `None` unless both the conversation and the membership are active.
    async fn membership(
        &self,
        conversation: &ConversationId,
        user: &UserId,
    ) -> Result<Option<MemberRole>, StoreError>;

    /// Active members in the order of their names.
    async fn members(&self, conversation: &ConversationId) -> Result<Vec<Member>, StoreError>;

    /// Makes a user a member, or changes what a member may do.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a conversation or user.
    async fn set_member(
        &self,
        conversation: &ConversationId,
        user: &UserId,
        role: MemberRole,
    ) -> Result<(), StoreError>;

    /// Ends a membership; nothing happens if there is none.
    async fn remove_member(&self, conversation: &ConversationId, user: &UserId) -> Result<(), StoreError>;
}

/// A registered user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// The name others see.
    pub username: Text,
    /// Where the picture is.
    pub avatar: Option<String>,
    /// The language of captions, ISO 639-1.
    pub language: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// A name for addresses; unique.
    pub identifier: String,
    /// What it is.
    pub conversation_type: ConversationType,
    /// Its title; a direct one needs none.
    pub title: Option<Text>,
    /// Whether it is in use.
    pub is_active: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// When something last happened; a new call moves it on.
    pub updated_at: Timestamp,
}

/// A member of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// What the member may do.
    pub role: MemberRole,
}

/// What was asked for, and whether it had to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made<T> {
    /// It was made just now.
    New(T),
    /// It was there.
    Existing(T),
}

impl<T> Made<T> {
    /// The thing itself.
    pub fn into_inner(self) -> T {
        match self {
            Self::New(thing) | Self::Existing(thing) => thing,
        }
    }
}

/// A name as it is compared.
pub(crate) fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// What two users' direct conversation is found by: their ids in order.
pub(crate) fn direct_key(one: &UserId, other: &UserId) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{first}:{second}")
}
