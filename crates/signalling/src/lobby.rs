//! Getting into a room of a server that runs everything in one process: no accounts, a name and a room are enough.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::id::{CallId, ParticipantId};
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

/// Longest room name and longest display name, in characters.
pub const MAX_TEXT: usize = 64;

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

/// A text a person typed: 1 to 64 characters, trimmed, without control characters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Text(String);

/// A text that is empty, too long or unprintable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_TEXT} printable characters")]
pub struct TextError;

impl Text {
    /// Trims and checks a text.
    ///
    /// # Errors
    /// If nothing is left, too much is left, or it holds control characters.
    pub fn new(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        let fits = (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    /// Names of people stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
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

/// A STUN or TURN server, as `RTCPeerConnection` takes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// Its URLs.
    pub urls: Vec<String>,
    /// The user name, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
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
