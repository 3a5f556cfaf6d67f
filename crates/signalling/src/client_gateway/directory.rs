//! People, conversations and links of a stand-alone installation (contract §2.1, §4.7).

use super::rest::ActiveCall;
use crate::declare::{object, words};
use crate::id::{ConversationId, ShareLinkId, UserId};
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::token::Token;

/// Paths of the directory.
pub mod directory_path {
    /// `POST` [`super::DevLoginRequest`], answered with [`super::LoginResponse`]. Development only.
    pub const DEV_LOGIN: &str = "/api/auth/dev-login";
    /// `GET`: [`super::Account`].
    pub const ME: &str = "/api/users/me";
    /// `GET ?query=`: list of [`super::Person`].
    pub const USERS: &str = "/api/users";
    /// `GET`: list of [`super::ConversationDto`]; `POST` [`super::CreateConversationRequest`].
    pub const CONVERSATIONS: &str = "/api/conversations";
    /// `POST` [`super::CreateLinkRequest`], answered with [`super::ShareLinkDto`].
    pub const LINKS: &str = "/api/conversations/{conversationId}/links";
}

words! {
    /// What a conversation is; calls take place in the first two only.
    ConversationType {
        /// Two people.
        Direct = "direct",
        /// Some people.
        Group = "group",
        /// Open to who knows it.
        Public = "public",
        /// Everybody.
        Global = "global",
    }
}
words! {
    /// What a member may do in a conversation.
    MemberRole {
        /// Take part.
        Member = "member",
        /// End calls and remove people, too.
        Admin = "admin",
    }
}

object! {
    /// Logs in by name alone; creates the user if there is none. Development only.
    DevLoginRequest {
        /// The name.
        pub username: Text,
        /// The language of captions, ISO 639-1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub language: Option<String>,
    }
}
object! {
    /// Logged in.
    LoginResponse {
        /// Opens the gateway.
        pub token: Token,
        /// When the token ends.
        pub token_expires_at: Timestamp,
        /// Who one is.
        pub user: Account,
    }
}
object! {
    /// One's own account.
    Account {
        /// Who one is.
        pub user_id: UserId,
        /// The name others see.
        pub username: Text,
        /// Where the picture is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub avatar: Option<String>,
        /// The language of captions, ISO 639-1.
        pub language: String,
    }
}
object! {
    /// Somebody one can call.
    Person {
        /// Who.
        pub user_id: UserId,
        /// The name others see.
        pub username: Text,
        /// Where the picture is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub avatar: Option<String>,
        /// Whether a device is connected.
        pub online: bool,
    }
}
object! {
    /// A conversation one is a member of.
    ConversationDto {
        /// Which.
        pub conversation_id: ConversationId,
        /// What it is.
        #[serde(rename = "type")]
        pub conversation_type: ConversationType,
        /// Its title; of a direct one the other person's name.
        pub title: Text,
        /// What one may do.
        pub role: MemberRole,
        /// Who is in it, oneself included.
        pub members: Vec<Person>,
        /// The live call, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub active_call: Option<ActiveCall>,
        /// When something last happened.
        pub updated_at: Timestamp,
    }
}
object! {
    /// Makes a conversation; a direct one that exists already is answered as it is.
    CreateConversationRequest {
        /// What it is to be.
        #[serde(rename = "type")]
        pub conversation_type: ConversationType,
        /// Its title; of no effect for a direct one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub title: Option<Text>,
        /// Who else is in it; exactly one for a direct one.
        pub member_ids: Vec<UserId>,
    }
}
object! {
    /// Makes a link by which guests come in.
    CreateLinkRequest {
        /// When it ends; never if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<Timestamp>,
        /// How often it can be redeemed; without end if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_uses: Option<u32>,
        /// How many guests of it may be in calls at a time; without end if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_concurrent_users: Option<u32>,
    }
}
object! {
    /// A link by which guests come in.
    ShareLinkDto {
        /// Which.
        pub link_id: ShareLinkId,
        /// What the address of the page holds.
        pub token: String,
        /// Path of the page, to be put behind the server's address.
        pub path: String,
        /// When it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<Timestamp>,
    }
}
