//! Text of one setting to a value, with errors that name the setting.

use std::path::PathBuf;
use std::str::FromStr;

use ortc::supported::CodecChoice;

use super::error::ConfigError;

/// The name under which CODECS lists `codec`.
pub(super) fn codec_name(codec: CodecChoice) -> &'static str {
    match codec {
        CodecChoice::Opus => "opus",
        CodecChoice::Vp8 => "vp8",
        CodecChoice::H264 => "h264",
        CodecChoice::Vp9 => "vp9",
        CodecChoice::Av1 => "av1",
    }
}

/// Parses anything with a [`FromStr`]; `expected` completes the sentence "is not …".
pub(super) fn value<T: FromStr>(
    setting: &'static str,
    text: &str,
    expected: impl Into<String>,
) -> Result<T, ConfigError> {
    text.trim().parse().map_err(|_| invalid(setting, text, expected))
}

/// Parses a number and checks that it lies in `range`.
pub(super) fn number(
    setting: &'static str,
    text: &str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    let number = value::<u64>(setting, text, expected.clone())?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(invalid(setting, text, expected))
    }
}

/// Parses a list separated by commas; empty entries are skipped.
pub(super) fn list<T: FromStr>(
    setting: &'static str,
    text: &str,
    expected: &str,
) -> Result<Vec<T>, ConfigError> {
    entries(text)
        .map(|entry| value(setting, entry, expected))
        .collect()
}

/// The non-empty entries of a list separated by commas.
pub(super) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// Parses the words people use for yes and no.
pub(super) fn switch(setting: &'static str, text: &str) -> Result<bool, ConfigError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(invalid(setting, text, "`true` or `false`")),
    }
}

/// Parses CODECS: an order of preference without repeats.
pub(super) fn codecs(setting: &'static str, text: &str) -> Result<Vec<CodecChoice>, ConfigError> {
    let expected = "a comma list of opus, vp8, h264, vp9 and av1, each once, with opus in it";
    let mut choices: Vec<CodecChoice> = Vec::new();
    for entry in entries(text) {
        match entry.parse() {
            Ok(choice) if !choices.contains(&choice) => choices.push(choice),
            _ => return Err(invalid(setting, text, expected)),
        }
    }
    if !choices.contains(&CodecChoice::Opus) {
        return Err(invalid(setting, text, expected));
    }
    Ok(choices)
}

/// Checks that a file can be read.
pub(super) fn readable_file(setting: &'static str, text: &str) -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(text.trim());
    match std::fs::File::open(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(ConfigError::UnreadableFile {
            setting,
            path: path.display().to_string(),
            reason: error.kind().to_string(),
        }),
    }
}

pub(super) fn invalid(setting: &'static str, text: &str, expected: impl Into<String>) -> ConfigError {
    ConfigError::Invalid {
        setting,
        value: text.trim().to_owned(),
        expected: expected.into(),
    }
}
