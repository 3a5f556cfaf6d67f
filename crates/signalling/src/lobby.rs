//! Getting into a room of a server that runs everything in one process: no accounts, a name and a room are enough.

use serde::{Deserialize, Serialize};

pub use crate::client_gateway::IceServer;
use crate::id::{CallId, ParticipantId};
pub use crate::text::{MAX_TEXT, Text, TextError};
use crate::timestamp::Timestamp;
use crate::token::Token;

/// Paths of the lobby, all on the same server as the media node's.
pub mod path {
    /// `POST` [`super::JoinRequest`], answered with [`super::JoinResponse`].
    pub const JOIN: &str = "/api/lobby/join";
    /// `POST` with the current token as bearer, answered with [`super::RefreshResponse`].
    pub const REFRESH: &str = "/api/lobby/refresh";
    /// `GET`, answered with [`super::ConfigResponse`].
    pub const CONFIG: &str = "/api/config";

    /// All of them.
    pub const ALL: [&str; 3] = [JOIN, REFRESH, CONFIG];
}

/// Asks to enter a room, which is created if nobody is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct JoinRequest {
    /// Which room; everybody who says the same meets.
    pub room: Text,
    /// How the others see one.
    pub name: Text,
}

/// What a client needs to take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct JoinResponse {
    /// The call in the room.
    pub call_id: CallId,
    /// Who one is in it.
    pub participant_id: ParticipantId,
    /// The token for the media node.
    pub token: Token,
    /// When the token ends; ask for another one before.
    pub token_expires_at: Timestamp,
    /// Where the media node is; empty for the server that answered.
    pub url: String,
    /// STUN and TURN servers for the client's transports.
    pub ice_servers: Vec<IceServer>,
}

/// A new token in place of one that is about to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RefreshResponse {
    /// The token for the media node.
    pub token: Token,
    /// When it ends.
    pub token_expires_at: Timestamp,
}

/// What the server is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConfigResponse {
    /// The version of the software.
    pub version: String,
    /// The version of the messages; clients that know another one should be reloaded.
    pub protocol: u32,
    /// Most participants of one room.
    pub max_participants: u32,
    /// What may be used.
    pub features: Features,
}

/// What a server offers beyond the basics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Features {
    /// Video codecs by MIME type, preferred ones first.
    pub video_codecs: Vec<String>,
    /// Whether media may go over TCP.
    pub ice_tcp: bool,
    /// Whether screens may be shared.
    pub screen_share: bool,
}
