//! Links by which guests come in, and the guests.

use async_trait::async_trait;
use signalling::text::Text;
use signalling::{ConversationId, GuestId, ShareLinkId, Timestamp};

use crate::{SecretHash, StoreError};

/// Share links and guests (contract §4.7). Tokens and sessions are kept as hashes: who reads the database cannot
/// use them.
#[async_trait]
pub trait Links: Send + Sync {
    /// Writes a new link.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a conversation, [`StoreError::Conflict`] if id or token is taken.
    async fn create_link(&self, link: &ShareLink, token: &SecretHash) -> Result<(), StoreError>;

    /// A link.
    async fn link(&self, link: &ShareLinkId) -> Result<Option<ShareLink>, StoreError>;

    /// The link that a page's address names.
    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<ShareLink>, StoreError>;

    /// Uses a link once, if it may be used; never more often than allowed, however many try at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a link.
    async fn redeem_link(&self, link: &ShareLinkId, now: Timestamp) -> Result<Redemption, StoreError>;

    /// Ends a link; guests who came by it are refused by the gateway from then on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a link.
    async fn deactivate_link(&self, link: &ShareLinkId) -> Result<(), StoreError>;

    /// How many guests of a link hold a seat in a live call now (`currentConcurrentUsers`).
    async fn guests_in_calls(&self, link: &ShareLinkId) -> Result<u32, StoreError>;

    /// Writes a new guest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a conversation or link, [`StoreError::Conflict`] if id or session is
    /// taken.
    async fn create_guest(&self, guest: &Guest, session: &SecretHash) -> Result<(), StoreError>;

    /// A guest, active or not.
    async fn guest(&self, guest: &GuestId) -> Result<Option<Guest>, StoreError>;

    /// The guest of a session, active or not.
    async fn guest_by_session(&self, session: &SecretHash) -> Result<Option<Guest>, StoreError>;

    /// Lets a guest in no more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a guest.
    async fn deactivate_guest(&self, guest: &GuestId) -> Result<(), StoreError>;
}

/// A link by which guests come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareLink {
    /// Which.
    pub id: ShareLinkId,
    /// Into which conversation.
    pub conversation_id: ConversationId,
    /// Whether it may be used at all.
    pub is_active: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// How often it may be redeemed.
    pub max_uses: Option<u32>,
    /// How often it was redeemed.
    pub current_uses: u32,
    /// How many guests of it may be in calls at a time.
    pub max_concurrent_users: Option<u32>,
    /// Whether guests may write; of no effect on calls.
    pub allow_anonymous_messages: bool,
    /// Since when.
    pub created_at: Timestamp,
}

impl ShareLink {
    /// Whether it may be used now: active and not past its end. How often it was redeemed is another question.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.is_active && self.expires_at.is_none_or(|end| now < end)
    }

    /// Why it cannot be redeemed now, if so.
    pub(crate) fn refusal(&self, now: Timestamp) -> Option<Redemption> {
        if !self.is_active {
            Some(Redemption::Inactive)
        } else if !self.is_open(now) {
            Some(Redemption::Expired)
        } else if self.max_uses.is_some_and(|most| self.current_uses >= most) {
            Some(Redemption::UsedUp)
        } else {
            None
        }
    }
}

/// What came of using a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// It counted; the link as it is now.
    Redeemed(ShareLink),
    /// The link was ended.
    Inactive,
    /// The link's time is over.
    Expired,
    /// It was redeemed as often as it may.
    UsedUp,
}

/// Somebody without an account who came by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Who.
    pub id: GuestId,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// By which link.
    pub share_link_id: ShareLinkId,
    /// The first name.
    pub first_name: Text,
    /// The last name.
    pub last_name: Option<Text>,
    /// The name others see.
    pub username: Text,
    /// The language of captions, ISO 639-1.
    pub language: String,
    /// Whether the guest may still come in.
    pub is_active: bool,
    /// What the guest may send; of no effect on calls.
    pub rights: GuestRights,
    /// Since when.
    pub created_at: Timestamp,
}

/// What a guest may send in a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuestRights {
    /// Messages.
    pub messages: bool,
    /// Files.
    pub files: bool,
    /// Pictures.
    pub images: bool,
}
