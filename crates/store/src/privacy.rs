//! A person's rights over what is kept (contract §4.8, §6.12).

use async_trait::async_trait;
use call::record::{CallRecord, ParticipantRecord};
use serde_json::{Value, json};
use signalling::client_gateway::MemberRole;
use signalling::text::Text;
use signalling::{ConversationId, GuestId, UserId};

use crate::{CaptionRecord, Conversation, DeviceInfo, StoreError, User};

/// The name that an erased participant has in old calls.
pub(crate) const ERASED_NAME: &str = "Deleted user";

/// Export and erasure.
///
/// A live call is written again by its gateway whenever it changes: whoever erases a person ends that person's part
/// in live calls first.
#[async_trait]
pub trait Privacy: Send + Sync {
    /// Everything kept about a user as JSON: the account, conversations, participations with their call and
    /// conversation, and what the user said, opened.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user.
    async fn export_user(&self, user: &UserId) -> Result<Value, StoreError>;

    /// Takes a user out of all calls: rows stay, but nameless, without device and quality; captions and recordings
    /// are deleted, the audit log forgets who it was. The account stays.
    async fn erase_user_call_data(&self, user: &UserId) -> Result<Erased, StoreError>;

    /// Erases call data and deletes the account with its memberships.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user.
    async fn delete_user(&self, user: &UserId) -> Result<Erased, StoreError>;

    /// Deletes a guest and the guest's rows in calls.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a guest.
    async fn delete_guest(&self, guest: &GuestId) -> Result<(), StoreError>;

    /// Deletes a conversation and everything in it: members, links, guests, calls.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a conversation.
    async fn delete_conversation(&self, conversation: &ConversationId) -> Result<(), StoreError>;
}

/// How much was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Rows of participants that were made nameless.
    pub participations: u64,
    /// Captions deleted.
    pub captions: u64,
    /// Recordings deleted.
    pub recordings: u64,
}

/// The name of an erased participant.
pub(crate) fn erased_name() -> Text {
    Text::new(ERASED_NAME).expect("the name is short and printable")
}

/// What an export is written from.
pub(crate) struct Export {
    pub(crate) user: User,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) participations: Vec<Participation>,
}

/// A user's place in a conversation, present or past.
pub(crate) struct Membership {
    pub(crate) conversation: Conversation,
    pub(crate) role: MemberRole,
    pub(crate) is_active: bool,
}

/// A user's part in a call.
pub(crate) struct Participation {
    pub(crate) call: CallRecord,
    pub(crate) conversation: Conversation,
    pub(crate) participant: ParticipantRecord,
    pub(crate) device: Option<DeviceInfo>,
    pub(crate) captions: Vec<CaptionRecord>,
}

impl Export {
    pub(crate) fn to_json(&self) -> Value {
        let memberships = self.memberships.iter().map(|membership| {
            json!({
                "conversation": conversation_json(&membership.conversation),
                "role": membership.role,
                "isActive": membership.is_active,
            })
        });
        let participations = self.participations.iter().map(Participation::to_json);
        json!({
            "user": {
                "userId": self.user.id,
                "username": self.user.username,
                "avatar": self.user.avatar,
                "systemLanguage": self.user.language,
                "createdAt": self.user.created_at,
            },
            "conversations": memberships.collect::<Vec<Value>>(),
            "participations": participations.collect::<Vec<Value>>(),
        })
    }
}

impl Participation {
    fn to_json(&self) -> Value {
        let participant = &self.participant;
        let captions = self.captions.iter().map(|caption| {
            json!({
                "transcriptionId": caption.id,
                "text": caption.text,
                "language": caption.language,
                "translations": caption.translations,
                "timestamp": caption.timestamp,
                "confidenceScore": caption.confidence,
                "source": caption.source.as_str(),
            })
        });
        json!({
            "participantId": participant.id,
            "role": participant.role,
            "status": participant.status,
            "username": participant.username,
            "joinedAt": participant.joined_at,
            "leftAt": participant.left_at,
            "audioEnabled": participant.media.audio_enabled,
            "videoEnabled": participant.media.video_enabled,
            "screenShareEnabled": participant.media.screen_share_enabled,
            "reconnectCount": participant.reconnect_count,
            "qualityMetrics": participant.quality,
            "deviceInfo": self.device,
            "call": call_json(&self.call),
            "conversation": conversation_json(&self.conversation),
            "transcriptions": captions.collect::<Vec<Value>>(),
        })
    }
}

/// Nothing of other people: who began or ended the call is theirs.
fn call_json(call: &CallRecord) -> Value {
    json!({
        "callId": call.id,
        "type": call.call_type,
        "mode": call.mode,
        "status": call.status,
        "createdAt": call.created_at,
        "startedAt": call.started_at,
        "endedAt": call.ended_at,
        "duration": call.duration,
        "endReason": call.end_reason,
    })
}

fn conversation_json(conversation: &Conversation) -> Value {
    json!({
        "conversationId": conversation.id,
        "identifier": conversation.identifier,
        "type": conversation.conversation_type,
        "title": conversation.title,
    })
}
