//! People and conversations.

use async_trait::async_trait;
use signalling::client_gateway::{ConversationType, MemberRole};
use signalling::text::Text;
use signalling::{ConversationId, UserId};

use super::row::{Reader, millis, plain};
use super::{Query, SqlStore, Tx, commit, one, run};
use crate::directory::{direct_key, name_key};
use crate::{Conversation, Directory, Made, Member, StoreError, User};

const USER: &str = "SELECT id, username, avatar, system_language, created_at FROM users WHERE id = $1";
const USER_NAMED: &str =
    "SELECT id, username, avatar, system_language, created_at FROM users WHERE name_key = $1";

macro_rules! conversation_columns {
    () => {
        "c.id AS id, c.identifier AS identifier, c.type AS type, c.title AS title, c.is_active AS is_active, \
         c.created_at AS created_at, c.updated_at AS updated_at"
    };
}
pub(super) use conversation_columns;

const CONVERSATION: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM conversations c WHERE c.id = $1"
);
const DIRECT: &str = concat!(
    "SELECT ",
    conversation_columns!(),
    " FROM conversations c WHERE c.direct_key = $1"
);
const INSERT_CONVERSATION: &str = "INSERT INTO conversations (id, identifier, type, title, is_active, created_at, \
    updated_at, direct_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (direct_key) DO NOTHING";
const INSERT_MEMBER: &str =
    "INSERT INTO conversation_members (conversation_id, user_id, role, is_active) VALUES ($1, $2, $3, 1)";

/// How often something that is there and then not is looked for.
const TRIES: usize = 3;

fn bind_user(sql: &'static str, user: &User) -> Query {
    sqlx::query(sql)
        .bind(user.id.to_string())
        .bind(user.username.as_str().to_owned())
        .bind(name_key(user.username.as_str()))
        .bind(user.avatar.as_deref().map(plain))
        .bind(plain(&user.language))
}

pub(super) fn read_user(row: &Reader<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.id("id")?,
        username: row.name("username")?,
        avatar: row.text_opt("avatar")?,
        language: row.text("system_language")?,
        created_at: row.time("created_at")?,
    })
}

pub(super) fn read_conversation(row: &Reader<'_>) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        id: row.id("id")?,
        identifier: row.text("identifier")?,
        conversation_type: row.word("type", ConversationType::from_word)?,
        title: row.name_opt("title")?,
        is_active: row.flag("is_active")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

pub(super) async fn find_user(tx: &mut Tx, user: &UserId) -> Result<Option<User>, StoreError> {
    let row = one(tx, sqlx::query(USER).bind(user.to_string())).await?;
    row.map(|row| read_user(&Reader(&row))).transpose()
}

/// Inserts a conversation; whether there was none of the same pair.
async fn insert(tx: &mut Tx, conversation: &Conversation, pair: Option<String>) -> Result<bool, StoreError> {
    let query = sqlx::query(INSERT_CONVERSATION)
        .bind(conversation.id.to_string())
        .bind(plain(&conversation.identifier))
        .bind(conversation.conversation_type.as_str())
        .bind(conversation.title.as_ref().map(|title| title.as_str().to_owned()))
        .bind(i64::from(conversation.is_active))
        .bind(millis(conversation.created_at))
        .bind(millis(conversation.updated_at))
        .bind(pair);
    Ok(run(tx, query).await? == 1)
}

async fn insert_member(
    tx: &mut Tx,
    conversation: &Conversation,
    user: &UserId,
    role: MemberRole,
) -> Result<(), StoreError> {
    let query = sqlx::query(INSERT_MEMBER)
        .bind(conversation.id.to_string())
        .bind(user.to_string())
        .bind(role.as_str());
    run(tx, query).await.map(drop)
}

/// A pattern of `LIKE` for texts that begin with `prefix`; `!` makes its signs plain.
fn beginning_with(prefix: &str) -> String {
    let plain = plain(prefix)
        .replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_");
    plain + "%"
}

impl SqlStore {
    async fn find(&self, query: Query) -> Result<Option<User>, StoreError> {
        let row = self.one(query).await?;
        row.map(|row| read_user(&Reader(&row))).transpose()
    }

    async fn users(&self, query: Query) -> Result<Vec<User>, StoreError> {
        let rows = self.all(query).await?;
        rows.iter().map(|row| read_user(&Reader(row))).collect()
    }
}

#[async_trait]
impl Directory for SqlStore {
    async fn ensure_user(&self, user: &User) -> Result<Made<User>, StoreError> {
        const INSERT: &str = "INSERT INTO users (id, username, name_key, avatar, system_language, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name_key) DO NOTHING";
        let _timer = self.timer("ensure_user");
        for _ in 0..TRIES {
            if let Some(existing) = self.user_by_name(&user.username).await? {
                return Ok(Made::Existing(existing));
            }
            let mut tx = self.begin_write().await?;
            let query = bind_user(INSERT, user).bind(millis(user.created_at));
            if run(&mut tx, query).await? == 1 {
                commit(tx).await?;
                return Ok(Made::New(user.clone()));
            }
        }
        Err(StoreError::Conflict)
    }

    async fn save_user(&self, user: &User) -> Result<(), StoreError> {
        const UPDATE: &str = "UPDATE users SET username = $2, name_key = $3, avatar = $4, system_language = $5 \
            WHERE id = $1";
        let _timer = self.timer("save_user");
        self.change(bind_user(UPDATE, user)).await
    }

    async fn user(&self, user: &UserId) -> Result<Option<User>, StoreError> {
        let _timer = self.timer("user");
        self.find(sqlx::query(USER).bind(user.to_string())).await
    }

    async fn user_by_name(&self, name: &Text) -> Result<Option<User>, StoreError> {
        let _timer = self.timer("user_by_name");
        self.find(sqlx::query(USER_NAMED).bind(name_key(name.as_str())))
            .await
    }

    async fn search_users(&self, prefix: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        const FIND: &str = "SELECT id, username, avatar, system_language, created_at FROM users \
            WHERE name_key LIKE $1 ESCAPE '!' ORDER BY name_key LIMIT $2";
        let _timer = self.timer("search_users");
        let pattern = beginning_with(&name_key(prefix));
        self.users(sqlx::query(FIND).bind(pattern).bind(i64::from(limit)))
            .await
    }

    async fn create_conversation(
        &self,
        conversation: &Conversation,
        members: &[(UserId, MemberRole)],
    ) -> Result<(), StoreError> {
        let _timer = self.timer("create_conversation");
        let mut tx = self.begin_write().await?;
        insert(&mut tx, conversation, None).await?;
        for (user, role) in members {
            insert_member(&mut tx, conversation, user, *role).await?;
        }
        commit(tx).await
    }

    async fn direct_conversation(
        &self,
        fresh: &Conversation,
        one_user: &UserId,
        other: &UserId,
    ) -> Result<Made<Conversation>, StoreError> {
        let _timer = self.timer("direct_conversation");
        let pair = direct_key(one_user, other);
        for _ in 0..TRIES {
            let mut tx = self.begin_write().await?;
            if let Some(row) = one(&mut tx, sqlx::query(DIRECT).bind(pair.clone())).await? {
                return read_conversation(&Reader(&row)).map(Made::Existing);
            }
            if insert(&mut tx, fresh, Some(pair.clone())).await? {
                insert_member(&mut tx, fresh, one_user, MemberRole::Member).await?;
                insert_member(&mut tx, fresh, other, MemberRole::Member).await?;
                commit(tx).await?;
                return Ok(Made::New(fresh.clone()));
            }
        }
        Err(StoreError::Conflict)
    }

    async fn conversation(&self, conversation: &ConversationId) -> Result<Option<Conversation>, StoreError> {
        let _timer = self.timer("conversation");
        let row = self
            .one(sqlx::query(CONVERSATION).bind(conversation.to_string()))
            .await?;
        row.map(|row| read_conversation(&Reader(&row))).transpose()
    }

    async fn conversations_of(&self, user: &UserId) -> Result<Vec<(Conversation, MemberRole)>, StoreError> {
        const FIND: &str = concat!(
            "SELECT ",
            conversation_columns!(),
            ", m.role AS role FROM conversation_members m JOIN conversations c ON c.id = m.conversation_id \
             WHERE m.user_id = $1 AND m.is_active = 1 AND c.is_active = 1 ORDER BY c.updated_at DESC, c.id DESC"
        );
        let _timer = self.timer("conversations_of");
        let rows = self.all(sqlx::query(FIND).bind(user.to_string())).await?;
        let read = rows.iter().map(|row| {
            let row = Reader(row);
            Ok((read_conversation(&row)?, row.word("role", MemberRole::from_word)?))
        });
        read.collect()
    }

    async fn membership(
        &self,
        conversation: &ConversationId,
        user: &UserId,
    ) -> Result<Option<MemberRole>, StoreError> {
        const FIND: &str = "SELECT m.role AS role FROM conversation_members m \
            JOIN conversations c ON c.id = m.conversation_id \
            WHERE m.conversation_id = $1 AND m.user_id = $2 AND m.is_active = 1 AND c.is_active = 1";
        let _timer = self.timer("membership");
        let query = sqlx::query(FIND)
            .bind(conversation.to_string())
            .bind(user.to_string());
        let row = self.one(query).await?;
        row.map(|row| Reader(&row).word("role", MemberRole::from_word))
            .transpose()
    }

    async fn members(&self, conversation: &ConversationId) -> Result<Vec<Member>, StoreError> {
        const FIND: &str = "SELECT u.id AS id, u.username AS username, u.avatar AS avatar, \
            u.system_language AS system_language, u.created_at AS created_at, m.role AS role \
            FROM conversation_members m JOIN users u ON u.id = m.user_id \
            WHERE m.conversation_id = $1 AND m.is_active = 1 ORDER BY u.name_key";
        let _timer = self.timer("members");
        let rows = self.all(sqlx::query(FIND).bind(conversation.to_string())).await?;
        let read = rows.iter().map(|row| {
            let row = Reader(row);
            Ok(Member {
                user: read_user(&row)?,
                role: row.word("role", MemberRole::from_word)?,
            })
        });
        read.collect()
    }

    async fn set_member(
        &self,
        conversation: &ConversationId,
        user: &UserId,
        role: MemberRole,
    ) -> Result<(), StoreError> {
        const SET: &str = "INSERT INTO conversation_members (conversation_id, user_id, role, is_active) \
            VALUES ($1, $2, $3, 1) ON CONFLICT (conversation_id, user_id) DO UPDATE SET role = excluded.role, \
            is_active = 1";
        let _timer = self.timer("set_member");
        let query = sqlx::query(SET)
            .bind(conversation.to_string())
            .bind(user.to_string())
            .bind(role.as_str());
        self.change(query).await
    }

    async fn remove_member(&self, conversation: &ConversationId, user: &UserId) -> Result<(), StoreError> {
        const END: &str =
            "UPDATE conversation_members SET is_active = 0 WHERE conversation_id = $1 AND user_id = $2";
        let _timer = self.timer("remove_member");
        let query = sqlx::query(END)
            .bind(conversation.to_string())
            .bind(user.to_string());
        self.run(query).await.map(drop)
    }
}
