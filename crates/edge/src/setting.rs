//! Text of one setting to a value, with errors that name the setting and say how to put it right.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::token::SECRET_BYTES;

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// A value that cannot be read.
    #[error("{setting}: `{value}` is not {expected}; set {setting} to {expected}")]
    Invalid {
        /// The environment variable's name.
        setting: &'static str,
        /// What was given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// A setting without a safe default.
    #[error("{setting} is not set: {reason}")]
    Missing {
        /// The environment variable's name.
        setting: &'static str,
        /// Why it is needed and how to obtain a value.
        reason: &'static str,
    },
    /// A secret that could be guessed.
    #[error(
        "{setting} has {length} bytes; HS256 needs at least {minimum}: \
         make one with `openssl rand -hex 32` and give the same to the gateway and its media nodes"
    )]
    WeakSecret {
        /// The environment variable's name.
        setting: &'static str,
        /// Bytes it has.
        length: usize,
        /// Bytes it needs.
        minimum: usize,
    },
    /// A file that cannot be read.
    #[error("{setting}: cannot read `{path}` ({reason}); check the path and its permissions")]
    UnreadableFile {
        /// The environment variable's name.
        setting: &'static str,
        /// The path given.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// Every wrong setting of a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong<E>(pub Vec<E>);

impl<E: fmt::Display> fmt::Display for Wrong<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Wrong<E> {}

/// Collects problems, so that all are reported together.
#[derive(Debug)]
pub struct Problems<E>(pub Vec<E>);

impl<E> Default for Problems<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: From<SettingError>> Problems<E> {
    /// Notes a problem.
    pub fn note(&mut self, problem: impl Into<E>) {
        self.0.push(problem.into());
    }

    /// The value, or the fallback and a problem more.
    pub fn take<T>(&mut self, result: Result<T, impl Into<E>>, fallback: T) -> T {
        result.unwrap_or_else(|error| {
            self.0.push(error.into());
            fallback
        })
    }

    /// A number in `range`, or `default` if not given.
    pub fn number(
        &mut self,
        setting: &'static str,
        text: &Option<String>,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        match given(text) {
            Some(text) => self.take(number(setting, text, range), default),
            None => default,
        }
    }

    /// Yes or no, or `default` if not given.
    pub fn switch(&mut self, setting: &'static str, text: &Option<String>, default: bool) -> bool {
        match given(text) {
            Some(text) => self.take(switch(setting, text), default),
            None => default,
        }
    }

    /// A secret that is long enough, if given.
    pub fn secret(&mut self, setting: &'static str, text: &Option<String>) -> Option<String> {
        let text = given(text)?;
        if text.len() < SECRET_BYTES {
            self.note(SettingError::WeakSecret {
                setting,
                length: text.len(),
                minimum: SECRET_BYTES,
            });
        }
        Some(text.to_owned())
    }
}

/// What was given; empty text counts as not given.
#[must_use]
pub fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// Parses anything with a [`FromStr`]; `expected` completes the sentence "is not …".
///
/// # Errors
/// [`SettingError::Invalid`].
pub fn value<T: FromStr>(
    setting: &'static str,
    text: &str,
    expected: impl Into<String>,
) -> Result<T, SettingError> {
    text.trim().parse().map_err(|_| invalid(setting, text, expected))
}

/// Parses a number and checks that it lies in `range`.
///
/// # Errors
/// [`SettingError::Invalid`].
pub fn number(
    setting: &'static str,
    text: &str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, SettingError> {
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    let number = value::<u64>(setting, text, expected.clone())?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(invalid(setting, text, expected))
    }
}

/// Parses a list separated by commas; empty entries are skipped.
///
/// # Errors
/// [`SettingError::Invalid`] for the first entry that is wrong.
pub fn list<T: FromStr>(setting: &'static str, text: &str, expected: &str) -> Result<Vec<T>, SettingError> {
    entries(text)
        .map(|entry| value(setting, entry, expected))
        .collect()
}

/// The non-empty entries of a list separated by commas.
pub fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// Parses the words people use for yes and no.
///
/// # Errors
/// [`SettingError::Invalid`].
pub fn switch(setting: &'static str, text: &str) -> Result<bool, SettingError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(invalid(setting, text, "`true` or `false`")),
    }
}

/// Checks that a file can be read.
///
/// # Errors
/// [`SettingError::UnreadableFile`].
pub fn readable_file(setting: &'static str, text: &str) -> Result<PathBuf, SettingError> {
    let path = PathBuf::from(text.trim());
    match std::fs::File::open(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(SettingError::UnreadableFile {
            setting,
            path: path.display().to_string(),
            reason: error.kind().to_string(),
        }),
    }
}

/// The error for a value that is not what it should be.
#[must_use]
pub fn invalid(setting: &'static str, text: &str, expected: impl Into<String>) -> SettingError {
    SettingError::Invalid {
        setting,
        value: text.trim().to_owned(),
        expected: expected.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_collected_with_their_settings() {
        let mut problems = Problems::<SettingError>::default();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(problems.number("PORT", &some("80"), 0..=100, 7), 80);
        assert_eq!(problems.number("PORT", &some(" "), 0..=100, 7), 7);
        assert_eq!(problems.number("PORT", &some("101"), 0..=100, 7), 7);
        assert!(problems.switch("ON", &some("YES"), false));
        assert!(!problems.switch("ON", &some("perhaps"), false));
        assert_eq!(
            problems.secret("KEY", &some("short")),
            some("short"),
            "the rest is checked all the same"
        );
        assert_eq!(
            Wrong(problems.0).to_string().lines().collect::<Vec<_>>(),
            [
                "PORT: `101` is not a whole number from 0 to 100; set PORT to a whole number from 0 to 100",
                "ON: `perhaps` is not `true` or `false`; set ON to `true` or `false`",
                "KEY has 5 bytes; HS256 needs at least 32: make one with `openssl rand -hex 32` and give the \
                 same to the gateway and its media nodes",
            ]
        );
    }

    #[test]
    fn lists_skip_what_is_empty() {
        assert_eq!(list::<u8>("A", "1, 2,,3,", "numbers"), Ok(vec![1, 2, 3]));
        assert!(list::<u8>("A", "1,x", "numbers").is_err());
    }
}
