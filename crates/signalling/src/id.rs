//! Ids on the wire.
//!
//! Calls and participants are named by whoever starts the call; the media node only checks the alphabet. Everything
//! the node creates itself has a random UUID.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// Longest call or participant id, in characters.
pub const MAX_NAME: usize = 64;

/// A text that is not the id it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 1 to 64 characters of the alphabet.
    #[error("must be 1 to {MAX_NAME} letters, digits, '-' or '_'")]
    Name,
    /// Not a UUID.
    #[error("must be a UUID")]
    Uuid,
    /// Not 24 hexadecimal digits.
    #[error("must be 24 hexadecimal digits")]
    Object,
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(Arc<str>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(IdError::Name) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|error| {
                    serde::de::Error::custom(format_args!(concat!(stringify!($name), " {}"), error))
                })
            }
        }
    };
}

name_id! {
    /// A call, and the room and router that serve it: 1 to 64 letters, digits, `-` or `_`.
    CallId
}
name_id! {
    /// A participant of a call: 1 to 64 letters, digits, `-` or `_`.
    ParticipantId
}

/// Twelve bytes written as 24 hexadecimal digits: what the gateway's own ids are (contract, conventions).
fn parse_object(text: &str) -> Option<[u8; 12]> {
    let digits: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 12];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (
            char::from(pair[0]).to_digit(16)?,
            char::from(pair[1]).to_digit(16)?,
        );
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

/// The digits of a fresh gateway id: when it was made, then 8 bytes that the caller draws at random.
fn object_digits(now: Timestamp, random: u64) -> String {
    // Seconds in front keep ids in the order of their making, as those of a MongoDB are.
    let seconds = u32::try_from(now.unix_millis() / 1000).unwrap_or(u32::MAX);
    format!("{seconds:08x}{random:016x}")
}

impl CallId {
    /// The id of a new call of the gateway: 24 hexadecimal digits from the time and 8 random bytes.
    #[must_use]
    pub fn mint(now: Timestamp, random: u64) -> Self {
        Self(object_digits(now, random).into())
    }
}

impl ParticipantId {
    /// The id of a new participant of a gateway's call: 24 hexadecimal digits from the time and 8 random bytes.
    #[must_use]
    pub fn mint(now: Timestamp, random: u64) -> Self {
        Self(object_digits(now, random).into())
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name([u8; 12]);

        impl $name {
            /// A new id from the time and 8 random bytes.
            #[must_use]
            pub fn mint(now: Timestamp, random: u64) -> Self {
                Self(parse_object(&object_digits(now, random)).unwrap_or_default())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_object(text).map(Self).ok_or(IdError::Object)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|error| {
                    serde::de::Error::custom(format_args!(concat!(stringify!($name), " {}"), error))
                })
            }
        }
    };
}

object_id! {
    /// A registered user.
    UserId
}
object_id! {
    /// A guest who came by a link (`anonymousUserId`).
    GuestId
}
object_id! {
    /// A conversation.
    ConversationId
}
object_id! {
    /// A link by which guests come into a conversation.
    ShareLinkId
}
object_id! {
    /// One switch between the modes of a call.
    TransitionId
}
object_id! {
    /// A stored caption.
    TranscriptionId
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, from the operating system's randomness.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// The id as a UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::Uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|error| {
                    serde::de::Error::custom(format_args!(concat!(stringify!($name), " {}"), error))
                })
            }
        }
    };
}

uuid_id! {
    /// The router of a room.
    RouterId
}
uuid_id! {
    /// A WebRTC transport.
    TransportId
}
uuid_id! {
    /// A track sent to the router.
    ProducerId
}
uuid_id! {
    /// A track received from the router.
    ConsumerId
}

#[cfg(test)]
mod tests;
