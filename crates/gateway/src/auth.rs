//! Who speaks: login tokens, guests' sessions, and the tokens that are handed out (contract §2.2).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use call::{Identity, Person};
use edge::token::{Addressed, InvalidToken, Lifetime, Minted, Secrets, TokenSigner, Verifier};
use serde::{Deserialize, Serialize};
use signalling::error::ErrorBody;
use signalling::text::Text;
use signalling::token::{Audience, Claims, PARTICIPANT_LIFETIME, Role, Subject, Token};
use signalling::{CallId, ConversationId, ErrorCode, GuestId, ParticipantId, ShareLinkId, Timestamp, UserId};
use store::{Guest, Made, Secret, ShareLink, Store, User};

use crate::fault::fault;

/// How long a development login is good for: a working week, so that a page left open goes on working.
const LOGIN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The language of captions where nobody said another one.
pub(crate) const DEFAULT_LANGUAGE: &str = "en";

/// Longest name of a language: `zh-Hant-TW` and a little more.
const MAX_LANGUAGE: usize = 16;

/// Whether a text can be the name of a language (ISO 639-1, or BCP 47 where browsers say more).
pub(crate) fn is_language(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (2..=MAX_LANGUAGE).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whoever makes a request, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A registered user.
    User {
        /// Who.
        id: UserId,
        /// The name others see.
        username: Text,
        /// Where the picture is.
        avatar: Option<String>,
        /// The language of captions.
        language: Option<String>,
        /// Whether an administrator of the whole installation.
        platform_admin: bool,
    },
    /// Somebody who came by a link.
    Guest {
        /// Who.
        id: GuestId,
        /// The name others see.
        username: Text,
        /// The language of captions.
        language: Option<String>,
        /// The one conversation the guest may be in.
        conversation: ConversationId,
        /// By which link.
        link: ShareLinkId,
    },
    /// A program of the installation.
    Service,
}

impl Caller {
    /// The person, if it is one.
    #[must_use]
    pub const fn person(&self) -> Option<Person> {
        match self {
            Self::User { id, .. } => Some(Person::User(*id)),
            Self::Guest { id, .. } => Some(Person::Guest(*id)),
            Self::Service => None,
        }
    }

    /// The person as a call knows people.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let person = self.person()?;
        match self {
            Self::User {
                username,
                avatar,
                language,
                ..
            } => Some(Identity {
                person,
                username: username.clone(),
                avatar: avatar.clone(),
                language: language.clone(),
            }),
            Self::Guest {
                username, language, ..
            } => Some(Identity {
                person,
                username: username.clone(),
                avatar: None,
                language: language.clone(),
            }),
            Self::Service => None,
        }
    }

    /// The registered user, if it is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Guest { .. } | Self::Service => None,
        }
    }

    /// Whether it may do what only administrators of the installation and services may.
    #[must_use]
    pub const fn rules_everything(&self) -> bool {
        match self {
            Self::User { platform_admin, .. } => *platform_admin,
            Self::Guest { .. } => false,
            Self::Service => true,
        }
    }

    /// What its requests are counted by.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::User { id, .. } => id.to_string(),
            Self::Guest { id, .. } => id.to_string(),
            Self::Service => "service".to_owned(),
        }
    }
}

/// The claims of a login token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginClaims {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<Subject>,
    /// The user, as older logins write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<Subject>,
    /// `admin` for an administrator of the installation, `service` for a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// The name others see; a user who logs in for the first time is entered into the directory by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<Text>,
    /// Where the picture is, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    #[serde(default)]
    iat: u64,
    exp: u64,
    aud: Audience,
}

impl Addressed for LoginClaims {
    fn audience(&self) -> Audience {
        self.aud
    }

    fn expires(&self) -> u64 {
        self.exp
    }
}

/// What a login token proves.
#[derive(Clone, Debug)]
enum Login {
    User {
        id: UserId,
        platform_admin: bool,
        /// For somebody the directory does not know yet.
        newcomer: Option<(Text, Option<String>)>,
        until: Timestamp,
    },
    Service {
        until: Timestamp,
    },
}

/// Whoever a token or a session proved, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Who.
    pub caller: Caller,
    /// When the proof ends; never, where a guest's link has no end.
    pub until: Option<Timestamp>,
}

/// Signs and verifies.
pub struct Tokens {
    login: Verifier,
    login_signer: TokenSigner,
    media: TokenSigner,
    /// Of media nodes that speak to the gateway: the other way round with the same secret.
    nodes: Verifier,
    media_verifier: Verifier,
}

impl Tokens {
    /// With the secret of login tokens and that of tokens for media nodes.
    #[must_use]
    pub fn new(login: &Secrets, media: &Secrets) -> Self {
        Self {
            login: Verifier::new(login, Audience::Gateway, &[]),
            login_signer: TokenSigner::new(&login.current),
            media: TokenSigner::new(&media.current),
            nodes: Verifier::new(media, Audience::Gateway, &["sub"]),
            media_verifier: Verifier::new(media, Audience::Media, &[]),
        }
    }

    /// A participant's token for the media node, good for an hour.
    #[must_use]
    pub fn media(
        &self,
        now: Timestamp,
        person: &Person,
        call: &CallId,
        participant: &ParticipantId,
    ) -> Minted {
        let subject = match person {
            Person::User(id) => id.to_string(),
            Person::Guest(id) => id.to_string(),
        };
        let lifetime = Duration::from_secs(PARTICIPANT_LIFETIME);
        self.media
            .sign_from(now, lifetime, |Lifetime { iat, exp }| Claims {
                sub: Subject(subject),
                call_id: Some(call.clone()),
                participant_id: Some(participant.clone()),
                role: Role::Participant,
                iat,
                exp,
                aud: Audience::Media,
            })
    }

    /// The gateway's own token for media nodes, good for a minute.
    #[must_use]
    pub fn service_media(&self) -> Token {
        self.media.service(None).token
    }

    /// Whether this is the token of a media node: for the gateway, and signed with the secret of nodes.
    #[must_use]
    pub fn is_node(&self, token: &str) -> bool {
        let claims: Result<Claims, InvalidToken> = self.nodes.verify(token);
        claims.is_ok_and(|claims| claims.role == Role::Service)
    }

    /// A user's login token.
    #[must_use]
    pub fn login(&self, now: Timestamp, user: UserId) -> Minted {
        self.login_for(now, user, LOGIN_LIFETIME)
    }

    fn login_for(&self, now: Timestamp, user: UserId, lifetime: Duration) -> Minted {
        let subject = Subject(user.to_string());
        self.login_signer
            .sign_from(now, lifetime, |times| claims(Some(subject), None, times))
    }

    fn verify(&self, token: &str) -> Result<Login, InvalidToken> {
        let claims: LoginClaims = self.login.verify(token)?;
        let role = claims.role.as_deref();
        let until = Timestamp::from_unix_seconds(claims.exp);
        if role == Some("service") {
            return Ok(Login::Service { until });
        }
        let subject = match (claims.sub, claims.user_id) {
            // Two that differ prove nothing.
            (Some(sub), Some(user)) if sub != user => return Err(InvalidToken),
            (Some(subject), _) | (None, Some(subject)) => subject,
            (None, None) => return Err(InvalidToken),
        };
        Ok(Login::User {
            id: subject.0.parse().map_err(|_| InvalidToken)?,
            platform_admin: role == Some("admin"),
            newcomer: claims.username.map(|username| (username, claims.avatar)),
            until,
        })
    }

    /// Whether a login token was signed by this installation, even if it has ended since.
    fn signed_login(&self, token: &str) -> bool {
        self.login.signed(token)
    }

    /// Whether a media token was signed by this installation, even if it has ended since: then nobody guessed it.
    pub(crate) fn signed_media(&self, token: &str) -> bool {
        self.media_verifier.signed(token)
    }
}

fn claims(sub: Option<Subject>, role: Option<&str>, Lifetime { iat, exp }: Lifetime) -> LoginClaims {
    LoginClaims {
        sub,
        user_id: None,
        role: role.map(str::to_owned),
        username: None,
        avatar: None,
        iat,
        exp,
        aud: Audience::Gateway,
    }
}

/// A login token for trying things out, signed with the gateway's secret.
#[must_use]
pub fn login_token(secret: &str, subject: LoginSubject, lifetime: Duration) -> Token {
    let (sub, role) = match subject {
        LoginSubject::User(user) => (Some(Subject(user.to_string())), None),
        LoginSubject::Admin(user) => (Some(Subject(user.to_string())), Some("admin")),
        LoginSubject::Service => (None, Some("service")),
    };
    let signer = TokenSigner::new(secret);
    signer.sign(lifetime, |times| claims(sub, role, times)).token
}

/// For whom a login token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginSubject {
    /// A user.
    User(UserId),
    /// A user who administers the installation.
    Admin(UserId),
    /// A program of the installation.
    Service,
}

/// Turns tokens and sessions into callers; every one is looked up, so that who was removed is out at once.
#[derive(Clone)]
pub struct Authenticator {
    tokens: Arc<Tokens>,
    store: Arc<dyn Store>,
}

impl Authenticator {
    /// With these tokens and this directory.
    #[must_use]
    pub fn new(tokens: Arc<Tokens>, store: Arc<dyn Store>) -> Self {
        Self { tokens, store }
    }

    /// Whose login token this is.
    ///
    /// # Errors
    /// `UNAUTHORIZED` unless it is a good token of somebody known; `SERVICE_UNAVAILABLE` without the store.
    pub async fn user(&self, token: &str) -> Result<Proven, ErrorBody> {
        let (id, platform_admin, newcomer, until) = match self.tokens.verify(token) {
            Ok(Login::Service { until }) => {
                return Ok(Proven {
                    caller: Caller::Service,
                    until: Some(until),
                });
            }
            Ok(Login::User {
                id,
                platform_admin,
                newcomer,
                until,
            }) => (id, platform_admin, newcomer, until),
            Err(InvalidToken) => return Err(refused()),
        };
        let known = self.store.user(&id).await.map_err(|error| fault(&error))?;
        let user = match (known, newcomer) {
            (Some(user), _) => user,
            (None, Some((username, avatar))) => self.enter(id, username, avatar).await?,
            (None, None) => return Err(unknown_account(platform_admin)),
        };
        let caller = Caller::User {
            id: user.id,
            username: user.username,
            avatar: user.avatar,
            language: Some(user.language),
            platform_admin,
        };
        let until = Some(until);
        Ok(Proven { caller, until })
    }

    /// Whose session this is.
    ///
    /// # Errors
    /// `UNAUTHORIZED` unless guest and link are still good; `SERVICE_UNAVAILABLE` without the store.
    pub async fn guest(&self, session: &str) -> Result<Proven, ErrorBody> {
        let hash = Secret::from_text(session).hash();
        let guest = self.store.guest_by_session(&hash).await;
        let guest = guest.map_err(|error| fault(&error))?.ok_or_else(refused)?;
        let link = self.open_link(&guest).await?.ok_or_else(refused)?;
        let caller = Caller::Guest {
            id: guest.id,
            username: guest.username,
            language: Some(guest.language),
            conversation: guest.conversation_id,
            link: guest.share_link_id,
        };
        let until = link.expires_at;
        Ok(Proven { caller, until })
    }

    /// Whether a token that opens nothing never did: an honest one that has ended is no attempt at guessing.
    pub(crate) fn is_guessed_token(&self, token: &str) -> bool {
        !self.tokens.signed_login(token)
    }

    /// Whether a session that opens nothing never did; not that of a guest whose link has ended.
    pub(crate) async fn is_guessed_session(&self, session: &str) -> bool {
        let hash = Secret::from_text(session).hash();
        // Without the store nobody can be called a guesser.
        matches!(self.store.guest_by_session(&hash).await, Ok(None))
    }

    /// Whether somebody may enter a call now. Guests are admitted as long as their link is good, and as many at a
    /// time as it allows (contract §2.2); who is in a call already does not count against themselves.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` for a guest who may not; `SERVICE_UNAVAILABLE` without the store.
    pub async fn admit(&self, caller: &Caller, seated: Seated) -> Result<(), ErrorBody> {
        let Caller::Guest { id, link, .. } = caller else {
            return Ok(());
        };
        let denied = |message: &str| ErrorBody::with_message(ErrorCode::PermissionDenied, message);
        let guest = self.store.guest(id).await.map_err(|error| fault(&error))?;
        let guest = guest.ok_or_else(|| denied("The invitation is no longer valid"))?;
        let open = self.open_link(&guest).await?;
        let open = open.ok_or_else(|| denied("The invitation is no longer valid"))?;
        let Some(most) = open.max_concurrent_users.filter(|_| seated == Seated::No) else {
            return Ok(());
        };
        let present = self.store.guests_in_calls(link).await;
        if present.map_err(|error| fault(&error))? >= most {
            return Err(denied(
                "As many guests as this invitation allows are in calls already",
            ));
        }
        Ok(())
    }

    /// The link of a guest, if both are still good.
    async fn open_link(&self, guest: &Guest) -> Result<Option<ShareLink>, ErrorBody> {
        let link = self.store.link(&guest.share_link_id).await;
        let link = link.map_err(|error| fault(&error))?;
        let now = Timestamp::from(SystemTime::now());
        let good = |link: &ShareLink| {
            guest.is_active && link.is_open(now) && link.conversation_id == guest.conversation_id
        };
        Ok(link.filter(good))
    }

    /// Enters somebody into the directory whom another system vouches for.
    async fn enter(&self, id: UserId, username: Text, avatar: Option<String>) -> Result<User, ErrorBody> {
        let user = User {
            id,
            username,
            avatar,
            language: DEFAULT_LANGUAGE.to_owned(),
            created_at: Timestamp::from(SystemTime::now()),
        };
        match self.store.ensure_user(&user).await {
            Ok(Made::New(user)) => Ok(user),
            Ok(Made::Existing(user)) if user.id == id => Ok(user),
            // The name is somebody else's here.
            Ok(Made::Existing(_)) => Err(refused()),
            Err(error) => Err(fault(&error)),
        }
    }
}

/// Whether somebody who enters a call holds a seat in it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seated {
    /// Comes back to their seat.
    Yes,
    /// Takes a new one.
    No,
}

fn refused() -> ErrorBody {
    ErrorBody::new(ErrorCode::Unauthorized)
}

/// The token is ours and good, but nobody here has its id: that may be said to who holds it, and how to mend it.
fn unknown_account(platform_admin: bool) -> ErrorBody {
    let mut message = "The token is good, but its account is unknown on this server".to_owned();
    if platform_admin {
        message.push_str(": make it with --role gateway-service, or for the id of an account that exists");
    }
    ErrorBody::with_message(ErrorCode::Unauthorized, message).about("reason", "account-unknown")
}

#[cfg(test)]
mod tests;
