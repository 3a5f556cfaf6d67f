//! Short texts that people type: names of themselves, of rooms, of conversations.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Longest name, in characters.
pub const MAX_TEXT: usize = 64;

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
