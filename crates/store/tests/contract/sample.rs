//! People, conversations and calls to try things with.

use std::sync::Arc;

use call::Person;
use call::record::{CallRecord, ParticipantRecord, SfuIds};
use signalling::client_gateway::{
    CallStatus, CallType, ConversationType, EndReason, MediaState, MemberRole, Mode, ParticipantRole,
    ParticipantStatus, TransitionState,
};
use signalling::text::Text;
use signalling::{CallId, ConversationId, GuestId, ParticipantId, ShareLinkId, Timestamp, UserId};
use store::{Conversation, Guest, GuestRights, Secret, ShareLink, Store, StoreError, User};

/// `seconds` after the day on which everything here takes place.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_800_000_000_000 + seconds * 1000)
}

pub(crate) const DAY: u64 = 24 * 60 * 60;

pub(crate) fn text(text: &str) -> Text {
    Text::new(text).expect("a short text")
}

pub(crate) fn call_id(number: u64) -> CallId {
    CallId::mint(at(0), number)
}

pub(crate) fn participant_id(number: u64) -> ParticipantId {
    ParticipantId::mint(at(0), number)
}

pub(crate) fn user(number: u64, name: &str) -> User {
    User {
        id: UserId::mint(at(0), number),
        username: text(name),
        avatar: Some(format!("/faces/{number}.png")),
        language: "fr".to_owned(),
        created_at: at(0),
    }
}

pub(crate) fn conversation(number: u64) -> Conversation {
    Conversation {
        id: ConversationId::mint(at(0), number),
        identifier: format!("room-{number}"),
        conversation_type: ConversationType::Group,
        title: Some(text(&format!("Room {number}"))),
        is_active: true,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn link(number: u64, conversation: &Conversation) -> ShareLink {
    ShareLink {
        id: ShareLinkId::mint(at(0), number),
        conversation_id: conversation.id,
        is_active: true,
        expires_at: None,
        max_uses: None,
        current_uses: 0,
        max_concurrent_users: None,
        allow_anonymous_messages: false,
        created_at: at(0),
    }
}

pub(crate) fn guest(number: u64, link: &ShareLink) -> Guest {
    Guest {
        id: GuestId::mint(at(0), number),
        conversation_id: link.conversation_id,
        share_link_id: link.id,
        first_name: text("Ada"),
        last_name: Some(text("Byron")),
        username: text("Guest_Ada"),
        language: "en".to_owned(),
        is_active: true,
        rights: GuestRights {
            messages: true,
            files: false,
            images: true,
        },
        created_at: at(0),
    }
}

/// A call that rings, without anybody in it.
pub(crate) fn call(number: u64, conversation: &Conversation) -> CallRecord {
    CallRecord {
        id: call_id(number),
        conversation_id: conversation.id,
        conversation_type: conversation.conversation_type,
        mode: Mode::P2p,
        status: CallStatus::Ringing,
        call_type: CallType::Video,
        initiator_id: None,
        sfu_room_id: None,
        sfu_rtp_capabilities: None,
        last_mode_change: None,
        mode_change_count: 0,
        transition_state: TransitionState::P2p,
        transition_id: None,
        media_server_id: None,
        settings: None,
        created_at: at(number),
        updated_at: at(number),
        started_at: None,
        ended_at: None,
        duration: None,
        end_reason: None,
        ended_by: None,
    }
}

/// The same call, over at `end`.
pub(crate) fn over(call: &CallRecord, end: Timestamp) -> CallRecord {
    CallRecord {
        status: CallStatus::Ended,
        ended_at: Some(end),
        updated_at: end,
        duration: Some(0),
        end_reason: Some(EndReason::Normal),
        ..call.clone()
    }
}

pub(crate) fn participant(number: u64, call: &CallRecord, person: Person) -> ParticipantRecord {
    ParticipantRecord {
        id: participant_id(number),
        call_id: call.id.clone(),
        person: Some(person),
        username: text("Somebody"),
        avatar: None,
        language: None,
        role: ParticipantRole::Participant,
        status: ParticipantStatus::Connected,
        joined_at: at(number),
        left_at: None,
        media: MediaState {
            audio_enabled: true,
            video_enabled: false,
            screen_share_enabled: false,
        },
        sfu: SfuIds::default(),
        quality: None,
        disconnected_at: None,
        reconnect_count: 0,
        updated_at: at(number),
    }
}

/// Writes users of these names, numbered from 1.
pub(crate) async fn people(store: &Arc<dyn Store>, names: &[&str]) -> Vec<User> {
    let mut people = Vec::new();
    for (number, name) in (1..).zip(names) {
        let user = user(number, name);
        store.ensure_user(&user).await.expect("a new user");
        people.push(user);
    }
    people
}

/// Writes a conversation of these users.
pub(crate) async fn room(store: &Arc<dyn Store>, number: u64, members: &[User]) -> Conversation {
    let conversation = conversation(number);
    let members: Vec<(UserId, MemberRole)> =
        members.iter().map(|user| (user.id, MemberRole::Member)).collect();
    store
        .create_conversation(&conversation, &members)
        .await
        .expect("a new conversation");
    conversation
}

/// Writes a link and guests who came by it, numbered from `first`.
pub(crate) async fn guests(
    store: &Arc<dyn Store>,
    conversation: &Conversation,
    first: u64,
    count: u64,
) -> (ShareLink, Vec<Guest>) {
    let link = link(first, conversation);
    store
        .create_link(&link, &Secret::random().hash())
        .await
        .expect("a new link");
    let mut guests = Vec::new();
    for number in first..first + count {
        let guest = guest(number, &link);
        store
            .create_guest(&guest, &Secret::random().hash())
            .await
            .expect("a new guest");
        guests.push(guest);
    }
    (link, guests)
}

pub(crate) fn not_found<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
}

pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict)), "{result:?}");
}

pub(crate) fn live_call_exists<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: &CallRecord) {
    assert!(
        matches!(&result, Err(StoreError::LiveCallExists { call }) if *call == expected.id),
        "{result:?}"
    );
}
