//! Tells people who share a conversation when one of them comes online or goes.

use std::collections::BTreeSet;

use signalling::client_gateway::{Presence, ServerEvent};
use signalling::{ConversationId, UserId};
use store::StoreError;

use crate::gateway::Shared;

/// A device of the user was connected, the first one if `first`: others are told, and calls ring there.
pub(super) async fn came(shared: &Shared, user: UserId, first: bool) {
    let conversations = match conversations(shared, &user).await {
        Ok(conversations) => conversations,
        Err(error) => {
            tracing::warn!(%error, "nobody can be told who came online");
            return;
        }
    };
    if first {
        announce(shared, user, true, &conversations).await;
    }
    shared.calls.device_online(user, &conversations).await;
}

/// The last device of the user is gone.
pub(super) async fn went(shared: &Shared, user: UserId) {
    match conversations(shared, &user).await {
        Ok(conversations) => announce(shared, user, false, &conversations).await,
        Err(error) => tracing::warn!(%error, "nobody can be told who went offline"),
    }
}

async fn conversations(shared: &Shared, user: &UserId) -> Result<Vec<ConversationId>, StoreError> {
    let conversations = shared.store.conversations_of(user).await?;
    Ok(conversations
        .into_iter()
        .map(|(conversation, _)| conversation.id)
        .collect())
}

async fn announce(shared: &Shared, user: UserId, online: bool, conversations: &[ConversationId]) {
    let mut others = BTreeSet::new();
    for conversation in conversations {
        match shared.store.members(conversation).await {
            Ok(members) => others.extend(members.into_iter().map(|member| member.user.id)),
            Err(error) => tracing::warn!(%error, "some cannot be told who is online"),
        }
    }
    others.remove(&user);
    let others: Vec<UserId> = others.into_iter().collect();
    let event = ServerEvent::Presence(Presence {
        user_id: user,
        online,
    });
    shared.sockets.to_users(&others, None, &event).await;
}
