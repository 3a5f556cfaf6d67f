//! Links and guests.

use async_trait::async_trait;
use signalling::{GuestId, ShareLinkId, Timestamp};

use super::row::{Reader, millis, plain};
use super::{Query, SqlStore, Tx, commit, one, run};
use crate::{Guest, GuestRights, Links, Redemption, SecretHash, ShareLink, StoreError};

macro_rules! link_columns {
    () => {
        "id, conversation_id, is_active, expires_at, max_uses, current_uses, max_concurrent_users, \
         allow_anonymous_messages, created_at"
    };
}
macro_rules! guest_columns {
    () => {
        "id, conversation_id, share_link_id, first_name, last_name, username, language, is_active, \
         can_send_messages, can_send_files, can_send_images, created_at"
    };
}

const LINK: &str = concat!("SELECT ", link_columns!(), " FROM share_links WHERE id = $1");
const LINK_BY_TOKEN: &str = concat!(
    "SELECT ",
    link_columns!(),
    " FROM share_links WHERE token_hash = $1"
);
const GUEST: &str = concat!(
    "SELECT ",
    guest_columns!(),
    " FROM anonymous_participants WHERE id = $1"
);
const GUEST_BY_SESSION: &str = concat!(
    "SELECT ",
    guest_columns!(),
    " FROM anonymous_participants WHERE session_hash = $1"
);

/// The condition of [`ShareLink::refusal`], in the same statement as the count: nobody comes between.
const REDEEM: &str = "UPDATE share_links SET current_uses = current_uses + 1 WHERE id = $1 AND is_active = 1 \
    AND (expires_at IS NULL OR expires_at > $2) AND (max_uses IS NULL OR current_uses < max_uses)";

/// How often a link that could not be redeemed, and then could, is tried.
const TRIES: usize = 3;

fn read_link(row: &Reader<'_>) -> Result<ShareLink, StoreError> {
    Ok(ShareLink {
        id: row.id("id")?,
        conversation_id: row.id("conversation_id")?,
        is_active: row.flag("is_active")?,
        expires_at: row.time_opt("expires_at")?,
        max_uses: row.number_opt("max_uses")?,
        current_uses: row.number("current_uses")?,
        max_concurrent_users: row.number_opt("max_concurrent_users")?,
        allow_anonymous_messages: row.flag("allow_anonymous_messages")?,
        created_at: row.time("created_at")?,
    })
}

fn read_guest(row: &Reader<'_>) -> Result<Guest, StoreError> {
    Ok(Guest {
        id: row.id("id")?,
        conversation_id: row.id("conversation_id")?,
        share_link_id: row.id("share_link_id")?,
        first_name: row.name("first_name")?,
        last_name: row.name_opt("last_name")?,
        username: row.name("username")?,
        language: row.text("language")?,
        is_active: row.flag("is_active")?,
        rights: GuestRights {
            messages: row.flag("can_send_messages")?,
            files: row.flag("can_send_files")?,
            images: row.flag("can_send_images")?,
        },
        created_at: row.time("created_at")?,
    })
}

async fn find_link(tx: &mut Tx, query: Query) -> Result<Option<ShareLink>, StoreError> {
    let row = one(tx, query).await?;
    row.map(|row| read_link(&Reader(&row))).transpose()
}

impl SqlStore {
    async fn find_guest(&self, query: Query) -> Result<Option<Guest>, StoreError> {
        let row = self.one(query).await?;
        row.map(|row| read_guest(&Reader(&row))).transpose()
    }
}

#[async_trait]
impl Links for SqlStore {
    async fn create_link(&self, link: &ShareLink, token: &SecretHash) -> Result<(), StoreError> {
        const INSERT: &str = concat!(
            "INSERT INTO share_links (",
            link_columns!(),
            ", token_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        );
        let _timer = self.timer("create_link");
        let query = sqlx::query(INSERT)
            .bind(link.id.to_string())
            .bind(link.conversation_id.to_string())
            .bind(i64::from(link.is_active))
            .bind(link.expires_at.map(millis))
            .bind(link.max_uses.map(i64::from))
            .bind(i64::from(link.current_uses))
            .bind(link.max_concurrent_users.map(i64::from))
            .bind(i64::from(link.allow_anonymous_messages))
            .bind(millis(link.created_at))
            .bind(token.as_str().to_owned());
        self.change(query).await
    }

    async fn link(&self, link: &ShareLinkId) -> Result<Option<ShareLink>, StoreError> {
        let _timer = self.timer("link");
        let row = self.one(sqlx::query(LINK).bind(link.to_string())).await?;
        row.map(|row| read_link(&Reader(&row))).transpose()
    }

    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<ShareLink>, StoreError> {
        let _timer = self.timer("link_by_token");
        let query = sqlx::query(LINK_BY_TOKEN).bind(token.as_str().to_owned());
        let row = self.one(query).await?;
        row.map(|row| read_link(&Reader(&row))).transpose()
    }

    async fn redeem_link(&self, link: &ShareLinkId, now: Timestamp) -> Result<Redemption, StoreError> {
        let _timer = self.timer("redeem_link");
        for _ in 0..TRIES {
            let mut tx = self.begin_write().await?;
            let counted = sqlx::query(REDEEM).bind(link.to_string()).bind(millis(now));
            let counted = run(&mut tx, counted).await?;
            let link = find_link(&mut tx, sqlx::query(LINK).bind(link.to_string())).await?;
            let link = link.ok_or(StoreError::NotFound)?;
            if counted == 1 {
                commit(tx).await?;
                return Ok(Redemption::Redeemed(link));
            }
            if let Some(refusal) = link.refusal(now) {
                return Ok(refusal);
            }
        }
        Ok(Redemption::UsedUp)
    }

    async fn deactivate_link(&self, link: &ShareLinkId) -> Result<(), StoreError> {
        let _timer = self.timer("deactivate_link");
        let query = sqlx::query("UPDATE share_links SET is_active = 0 WHERE id = $1").bind(link.to_string());
        self.change(query).await
    }

    async fn guests_in_calls(&self, link: &ShareLinkId) -> Result<u32, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) AS seated FROM anonymous_participants g \
            JOIN call_participants p ON p.anonymous_user_id = g.id \
            JOIN call_sessions c ON c.id = p.call_session_id \
            WHERE g.share_link_id = $1 AND p.left_at IS NULL AND p.status <> 'failed' \
            AND c.status IN ('initiated', 'ringing', 'active')";
        let _timer = self.timer("guests_in_calls");
        let row = self.one(sqlx::query(COUNT).bind(link.to_string())).await?;
        row.map_or(Ok(0), |row| Reader(&row).number("seated"))
    }

    async fn create_guest(&self, guest: &Guest, session: &SecretHash) -> Result<(), StoreError> {
        const INSERT: &str = concat!(
            "INSERT INTO anonymous_participants (",
            guest_columns!(),
            ", session_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        );
        let _timer = self.timer("create_guest");
        let query = sqlx::query(INSERT)
            .bind(guest.id.to_string())
            .bind(guest.conversation_id.to_string())
            .bind(guest.share_link_id.to_string())
            .bind(guest.first_name.as_str().to_owned())
            .bind(guest.last_name.as_ref().map(|name| name.as_str().to_owned()))
            .bind(guest.username.as_str().to_owned())
            .bind(plain(&guest.language))
            .bind(i64::from(guest.is_active))
            .bind(i64::from(guest.rights.messages))
            .bind(i64::from(guest.rights.files))
            .bind(i64::from(guest.rights.images))
            .bind(millis(guest.created_at))
            .bind(session.as_str().to_owned());
        self.run(query).await.map(drop)
    }

    async fn guest(&self, guest: &GuestId) -> Result<Option<Guest>, StoreError> {
        let _timer = self.timer("guest");
        self.find_guest(sqlx::query(GUEST).bind(guest.to_string())).await
    }

    async fn guest_by_session(&self, session: &SecretHash) -> Result<Option<Guest>, StoreError> {
        let _timer = self.timer("guest_by_session");
        let query = sqlx::query(GUEST_BY_SESSION).bind(session.as_str().to_owned());
        self.find_guest(query).await
    }

    async fn deactivate_guest(&self, guest: &GuestId) -> Result<(), StoreError> {
        let _timer = self.timer("deactivate_guest");
        let query = sqlx::query("UPDATE anonymous_participants SET is_active = 0 WHERE id = $1");
        self.change(query.bind(guest.to_string())).await
    }
}
