//! Names of codecs in the setting CODECS.

use edge::setting::{SettingError, entries, invalid};
use ortc::supported::CodecChoice;

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

/// Parses CODECS: an order of preference without repeats.
pub(super) fn codecs(setting: &'static str, text: &str) -> Result<Vec<CodecChoice>, SettingError> {
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
