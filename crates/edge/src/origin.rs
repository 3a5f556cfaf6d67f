//! Origins of web pages (RFC 6454) that may call the API.

use std::fmt;
use std::str::FromStr;

/// `scheme://host[:port]`, lower case, without a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin as browsers write it in the `Origin` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = ();

    /// Accepts a URL without path, query and credentials; a trailing slash is forgiven.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))
            .ok_or(())?;
        let allowed = |character: char| character.is_ascii_alphanumeric() || "-.:[]".contains(character);
        if rest.is_empty() || !rest.chars().all(allowed) {
            return Err(());
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
