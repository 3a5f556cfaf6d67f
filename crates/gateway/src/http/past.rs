//! Histories, and the one call that goes on.

use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use edge::answer::{DataAnswer, data};
use signalling::ConversationId;
use signalling::client_gateway::{ActiveCall, CallHistory};
use signalling::error::ErrorBody;
use store::{HistoryFilter, HistoryQuery};

use super::gate::Known;
use super::read::{self, Asked, Pairs};
use crate::gateway::Shared;

/// Calls of a page unless asked otherwise (contract §2.4).
const PAGE: u64 = 20;
/// Most calls of a page.
const LARGEST_PAGE: u64 = 100;

pub(super) async fn calls(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    pairs: Pairs,
) -> DataAnswer<CallHistory> {
    let asked = Asked::new(pairs)?;
    let conversation = asked
        .one("conversationId")?
        .ok_or_else(|| read::invalid("conversationId is missing"))?;
    let conversation = conversation
        .parse()
        .map_err(|error| read::invalid(format!("conversationId {error}")))?;
    data(
        shared
            .calls
            .history(&caller, query(conversation, &asked)?)
            .await?,
    )
}

pub(super) async fn conversation_calls(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
    pairs: Pairs,
) -> DataAnswer<CallHistory> {
    let conversation = read::id(&params, "conversationId")?;
    let asked = Asked::new(pairs)?;
    data(
        shared
            .calls
            .history(&caller, query(conversation, &asked)?)
            .await?,
    )
}

pub(super) async fn active_call(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
) -> DataAnswer<Option<ActiveCall>> {
    let conversation = read::id(&params, "conversationId")?;
    data(shared.calls.active(&caller, &conversation).await?)
}

fn query(conversation: ConversationId, asked: &Asked) -> Result<HistoryQuery, ErrorBody> {
    let limit = asked.number("limit", 1..=LARGEST_PAGE, PAGE)?;
    Ok(HistoryQuery {
        conversation,
        filter: match asked.one("status")? {
            None => HistoryFilter::All,
            Some("active") => HistoryFilter::Active,
            Some("ended") => HistoryFilter::Ended,
            Some(_) => return Err(read::invalid("status must be active or ended")),
        },
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
        // As far as a database can count.
        offset: asked.number("offset", 0..=i64::MAX.unsigned_abs(), 0)?,
    })
}
