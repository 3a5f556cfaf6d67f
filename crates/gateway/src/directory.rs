//! People, conversations and links of a stand-alone installation (contract §2.1, §4.7): the rules.

use std::time::SystemTime;

use signalling::client_gateway::{
    Account, ActiveCall, ConversationDto, ConversationType, CreateConversationRequest, CreateLinkRequest,
    DirectoryChanged, GuestPermissions, JoinAnonymousRequest, JoinAnonymousResponse, MemberRole, Person,
    ServerEvent, ShareLinkDto, TrackedLink,
};
use signalling::error::ErrorBody;
use signalling::text::{MAX_TEXT, Text};
use signalling::token::Token;
use signalling::{ConversationId, ErrorCode, GuestId, ShareLinkId, Timestamp, UserId};
pub(crate) use store::Made;
use store::{Conversation, Guest, GuestRights, Member, Redemption, Secret, ShareLink, StoreError, User};

use crate::auth::DEFAULT_LANGUAGE;
use crate::fault::fault;
use crate::gateway::Shared;

/// Most people found by one search.
const FOUND: u32 = 20;
/// Most people a conversation is made with; more than fit into a call (contract §1.9: 50).
const MAX_MEMBERS: usize = 200;
/// What a direct conversation is called whose other member is gone.
const NOBODY: &str = "Deleted user";
/// What guests' names begin with (contract §2.2).
const GUEST: &str = "Guest_";

/// The rules of the directory, over the store.
pub(crate) struct Directory<'a> {
    shared: &'a Shared,
}

type Answer<T> = Result<T, ErrorBody>;

impl Shared {
    /// People, conversations and links.
    pub(crate) fn directory(&self) -> Directory<'_> {
        Directory { shared: self }
    }
}

impl Directory<'_> {
    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from(SystemTime::now())
    }

    /// The user of this name, entered if there is none.
    pub(crate) async fn enter(&self, username: Text, language: Option<String>) -> Answer<Account> {
        let now = self.now();
        let user = User {
            id: UserId::mint(now, edge::random::number()),
            username,
            avatar: None,
            language: language.clone().unwrap_or_else(|| DEFAULT_LANGUAGE.to_owned()),
            created_at: now,
        };
        let made = self.shared.store.ensure_user(&user).await.map_err(failed)?;
        let mut user = made.into_inner();
        if let Some(language) = language.filter(|language| *language != user.language) {
            user.language = language;
            self.shared.store.save_user(&user).await.map_err(failed)?;
        }
        Ok(account(user))
    }

    /// A user's own account.
    pub(crate) async fn account(&self, user: &UserId) -> Answer<Account> {
        let found = self.shared.store.user(user).await.map_err(failed)?;
        found
            .map(account)
            .ok_or_else(|| ErrorBody::new(ErrorCode::NotFound))
    }

    /// Others whose name begins so.
    pub(crate) async fn find(&self, user: &UserId, prefix: &str) -> Answer<Vec<Person>> {
        // One more, as oneself may be among them.
        let found = self.shared.store.search_users(prefix, FOUND + 1).await;
        let others = found
            .map_err(failed)?
            .into_iter()
            .filter(|found| found.id != *user);
        Ok(others
            .take(FOUND as usize)
            .map(|other| self.person(other))
            .collect())
    }

    /// A user's conversations, the one where something happened last first.
    pub(crate) async fn conversations(&self, user: &UserId) -> Answer<Vec<ConversationDto>> {
        let theirs = self.shared.store.conversations_of(user).await.map_err(failed)?;
        let mut all = Vec::with_capacity(theirs.len());
        for (conversation, role) in theirs {
            all.push(self.described(user, conversation, role).await?);
        }
        Ok(all)
    }

    /// Makes a conversation, or finds the direct one that is there. All its members are told of a new one.
    pub(crate) async fn create(
        &self,
        user: &UserId,
        request: CreateConversationRequest,
    ) -> Answer<Made<ConversationDto>> {
        let mut others: Vec<UserId> = Vec::new();
        for member in request.member_ids {
            if member != *user && !others.contains(&member) {
                others.push(member);
            }
        }
        match request.conversation_type {
            ConversationType::Direct => self.create_direct(user, &others).await,
            ConversationType::Group => self.create_group(user, &others, request.title).await,
            ConversationType::Public | ConversationType::Global => Err(ErrorBody::with_message(
                ErrorCode::InvalidConversationType,
                "Only direct and group conversations can be made here",
            )),
        }
    }

    async fn create_direct(&self, user: &UserId, others: &[UserId]) -> Answer<Made<ConversationDto>> {
        let [other] = others else {
            return Err(invalid("memberIds must name exactly one other person"));
        };
        let fresh = self.fresh(ConversationType::Direct, None);
        let made = self.shared.store.direct_conversation(&fresh, user, other).await;
        match made.map_err(unknown_member)? {
            Made::New(conversation) => {
                let id = conversation.id;
                let described = self.described(user, conversation, MemberRole::Member).await?;
                self.tell_changed(id, &[*user, *other]).await;
                Ok(Made::New(described))
            }
            Made::Existing(conversation) => {
                let role = self.role(&conversation.id, user).await?;
                let described = self.described(user, conversation, role).await?;
                Ok(Made::Existing(described))
            }
        }
    }

    async fn create_group(
        &self,
        user: &UserId,
        others: &[UserId],
        title: Option<Text>,
    ) -> Answer<Made<ConversationDto>> {
        let title = title.ok_or_else(|| invalid("a group needs a title"))?;
        if others.len() >= MAX_MEMBERS {
            return Err(invalid(format!("a group has {MAX_MEMBERS} members at most")));
        }
        let fresh = self.fresh(ConversationType::Group, Some(title));
        let members: Vec<(UserId, MemberRole)> = std::iter::once((*user, MemberRole::Admin))
            .chain(others.iter().map(|other| (*other, MemberRole::Member)))
            .collect();
        let made = self.shared.store.create_conversation(&fresh, &members).await;
        made.map_err(unknown_member)?;
        let id = fresh.id;
        let described = self.described(user, fresh, MemberRole::Admin).await?;
        let everybody: Vec<UserId> = members.into_iter().map(|(member, _)| member).collect();
        self.tell_changed(id, &everybody).await;
        Ok(Made::New(described))
    }

    fn fresh(&self, conversation_type: ConversationType, title: Option<Text>) -> Conversation {
        let now = self.now();
        let id = ConversationId::mint(now, edge::random::number());
        Conversation {
            id,
            identifier: id.to_string(),
            conversation_type,
            title,
            is_active: true,
            created_at: now,
            updated_at: now,
        }
    }

    /// Makes a link by which guests come into a group; any of its members may.
    pub(crate) async fn create_link(
        &self,
        user: &UserId,
        conversation: &ConversationId,
        request: CreateLinkRequest,
    ) -> Answer<ShareLinkDto> {
        self.role(conversation, user).await?;
        let found = self.conversation(conversation).await?;
        if found.conversation_type != ConversationType::Group {
            return Err(ErrorBody::new(ErrorCode::InvalidConversationType));
        }
        let now = self.now();
        if request.expires_at.is_some_and(|end| end <= now) {
            return Err(invalid("expiresAt lies in the past"));
        }
        if request.max_uses == Some(0) || request.max_concurrent_users == Some(0) {
            return Err(invalid("a link that lets nobody in is none"));
        }
        let token = Secret::random();
        let link = ShareLink {
            id: ShareLinkId::mint(now, edge::random::number()),
            conversation_id: *conversation,
            is_active: true,
            expires_at: request.expires_at,
            max_uses: request.max_uses,
            current_uses: 0,
            max_concurrent_users: request.max_concurrent_users,
            allow_anonymous_messages: false,
            created_at: now,
        };
        let made = self.shared.store.create_link(&link, &token.hash()).await;
        made.map_err(failed)?;
        Ok(ShareLinkDto {
            link_id: link.id,
            path: format!("/join/{}", token.as_str()),
            token: token.as_str().to_owned(),
            expires_at: link.expires_at,
        })
    }

    /// Where a link leads, for somebody who has its token.
    pub(crate) async fn tracked_link(&self, token: &str) -> Answer<TrackedLink> {
        let found = self
            .shared
            .store
            .link_by_token(&Secret::from_text(token).hash())
            .await;
        let link = found
            .map_err(failed)?
            .ok_or_else(|| ErrorBody::with_message(ErrorCode::NotFound, "This link does not exist"))?;
        let used_up = link.max_uses.is_some_and(|most| link.current_uses >= most);
        if !link.is_open(self.now()) || used_up {
            return Err(ErrorBody::new(ErrorCode::LinkExpired));
        }
        let conversation = self.conversation(&link.conversation_id).await?;
        let active = self.active_call(&conversation.id).await;
        Ok(TrackedLink {
            conversation_id: conversation.id,
            link_id: link.id,
            title: conversation.title.unwrap_or_else(|| text("Call")),
            permissions: GuestPermissions {
                join_calls: conversation.conversation_type == ConversationType::Group,
                share_screen: self.shared.config.calls.guests_share_screen,
            },
            active_call: active.map(|call| call.call_id),
        })
    }

    /// Lets a guest in by a link; one use of it.
    pub(crate) async fn let_in(
        &self,
        conversation: &ConversationId,
        request: JoinAnonymousRequest,
    ) -> Answer<JoinAnonymousResponse> {
        let store = &self.shared.store;
        let link = store.link(&request.share_link_id).await.map_err(failed)?;
        let link = link.filter(|link| link.conversation_id == *conversation);
        let link =
            link.ok_or_else(|| ErrorBody::with_message(ErrorCode::NotFound, "This link does not exist"))?;
        let found = self.conversation(conversation).await?;
        if found.conversation_type != ConversationType::Group {
            return Err(ErrorBody::new(ErrorCode::PermissionDenied));
        }
        let now = self.now();
        let refused = |message: &str| ErrorBody::with_message(ErrorCode::PermissionDenied, message);
        match store.redeem_link(&link.id, now).await.map_err(failed)? {
            Redemption::Redeemed(_) => {}
            Redemption::Inactive | Redemption::Expired => {
                return Err(refused("This link is no longer valid"));
            }
            Redemption::UsedUp => return Err(refused("This link was used as often as it may be")),
        }
        let session = Secret::random();
        let username = guest_name(&request.first_name);
        let guest = Guest {
            id: GuestId::mint(now, edge::random::number()),
            conversation_id: *conversation,
            share_link_id: link.id,
            first_name: request.first_name,
            last_name: request.last_name,
            username: username.clone(),
            language: request.language,
            is_active: true,
            rights: GuestRights::default(),
            created_at: now,
        };
        store
            .create_guest(&guest, &session.hash())
            .await
            .map_err(failed)?;
        Ok(JoinAnonymousResponse {
            anonymous_user_id: guest.id,
            session_token: Token(session.as_str().to_owned()),
            username,
        })
    }

    async fn conversation(&self, conversation: &ConversationId) -> Answer<Conversation> {
        let found = self
            .shared
            .store
            .conversation(conversation)
            .await
            .map_err(failed)?;
        let found = found.filter(|found| found.is_active);
        found.ok_or_else(|| ErrorBody::new(ErrorCode::NotFound).about("conversationId", conversation))
    }

    /// What a user is in a conversation that exists.
    async fn role(&self, conversation: &ConversationId, user: &UserId) -> Answer<MemberRole> {
        let role = self
            .shared
            .store
            .membership(conversation, user)
            .await
            .map_err(failed)?;
        match role {
            Some(role) => Ok(role),
            None => {
                self.conversation(conversation).await?;
                Err(ErrorBody::new(ErrorCode::PermissionDenied))
            }
        }
    }

    async fn described(
        &self,
        user: &UserId,
        conversation: Conversation,
        role: MemberRole,
    ) -> Answer<ConversationDto> {
        let members = self
            .shared
            .store
            .members(&conversation.id)
            .await
            .map_err(failed)?;
        let active_call = self.active_call(&conversation.id).await;
        Ok(ConversationDto {
            conversation_id: conversation.id,
            conversation_type: conversation.conversation_type,
            title: title(user, &conversation, &members),
            role,
            members: members
                .into_iter()
                .map(|member| self.person(member.user))
                .collect(),
            active_call,
            updated_at: conversation.updated_at,
        })
    }

    async fn active_call(&self, conversation: &ConversationId) -> Option<ActiveCall> {
        self.shared.calls.active_in(conversation).await
    }

    fn person(&self, user: User) -> Person {
        Person {
            online: self.shared.sockets.is_online(&user.id),
            user_id: user.id,
            username: user.username,
            avatar: user.avatar,
        }
    }

    async fn tell_changed(&self, conversation: ConversationId, users: &[UserId]) {
        let event = ServerEvent::DirectoryChanged(DirectoryChanged {
            conversation_id: Some(conversation),
        });
        self.shared.sockets.to_users(users, None, &event).await;
    }
}

fn account(user: User) -> Account {
    Account {
        user_id: user.id,
        username: user.username,
        avatar: user.avatar,
        language: user.language,
    }
}

/// A direct conversation is called as the other person.
fn title(user: &UserId, conversation: &Conversation, members: &[Member]) -> Text {
    if let Some(title) = &conversation.title {
        return title.clone();
    }
    let mut others = members.iter().filter(|member| member.user.id != *user);
    others
        .next()
        .map_or_else(|| text(NOBODY), |member| member.user.username.clone())
}

/// `Guest_` and the first name, as much of it as fits.
fn guest_name(first_name: &Text) -> Text {
    let room = MAX_TEXT - GUEST.len();
    let kept: String = first_name.as_str().chars().take(room).collect();
    text(&format!("{GUEST}{kept}"))
}

/// A text of ours.
fn text(plain: &str) -> Text {
    Text::new(plain).expect("the text is short and printable")
}

fn invalid(message: impl Into<String>) -> ErrorBody {
    ErrorBody::with_message(ErrorCode::InvalidRequest, message)
}

fn failed(error: StoreError) -> ErrorBody {
    fault(&error)
}

/// As [`failed`], where a user who does not exist is the caller's mistake.
fn unknown_member(error: StoreError) -> ErrorBody {
    match error {
        StoreError::NotFound => invalid("memberIds names somebody who does not exist"),
        error => fault(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_named_by_their_first_name() {
        let name = |first: &str| guest_name(&Text::new(first).expect("a name"));
        assert_eq!(name("Ana").as_str(), "Guest_Ana");
        let long = name(&"é".repeat(64));
        assert_eq!(long.as_str().chars().count(), MAX_TEXT);
        assert!(long.as_str().starts_with("Guest_é"));
    }
}
