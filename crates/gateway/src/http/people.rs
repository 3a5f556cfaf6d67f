//! Users: logging in by name, oneself, finding others.

use std::sync::Arc;

use axum::extract::State;
use edge::Body;
use edge::answer::{DataAnswer, data};
use signalling::ErrorCode;
use signalling::client_gateway::{Account, DevLoginRequest, LoginResponse, Person};
use signalling::text::MAX_TEXT;

use super::gate::Known;
use super::read::{self, Asked, Pairs};
use crate::config::DevLogin;
use crate::gateway::Shared;

pub(super) async fn dev_login(
    State(shared): State<Arc<Shared>>,
    Body(request): Body<DevLoginRequest>,
) -> DataAnswer<LoginResponse> {
    if shared.config.dev_login == DevLogin::Off {
        return Err(ErrorCode::NotFound.into());
    }
    let language = request.language.as_deref();
    if language.is_some_and(|language| !crate::auth::is_language(language)) {
        return Err(read::invalid("language must be a code such as en").into());
    }
    let directory = shared.directory();
    let account = directory.enter(request.username, request.language).await?;
    let minted = shared.tokens.login(directory.now(), account.user_id);
    data(LoginResponse {
        token: minted.token,
        token_expires_at: minted.expires_at,
        user: account,
    })
}

pub(super) async fn me(State(shared): State<Arc<Shared>>, Known(caller): Known) -> DataAnswer<Account> {
    data(shared.directory().account(&read::user(&caller)?).await?)
}

pub(super) async fn search(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    pairs: Pairs,
) -> DataAnswer<Vec<Person>> {
    let user = read::user(&caller)?;
    let asked = Asked::new(pairs)?;
    let prefix = asked.one("query")?.unwrap_or_default().trim();
    if prefix.chars().count() > MAX_TEXT {
        return Err(read::invalid("query is too long").into());
    }
    data(shared.directory().find(&user, prefix).await?)
}
