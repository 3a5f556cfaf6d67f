//! Whether what participants report is of a possible size and range, wherever it comes from (contract §6.4).

use signalling::ErrorCode;
use signalling::client_gateway::{Caption, Diagnostics, MAX_CAPTION, MAX_REASON, QualityReport, SwitchGap};
use signalling::error::ErrorBody;

/// Longest name of a language: `zh-Hant-TW` and a little more.
const MAX_LANGUAGE: usize = 16;
/// More types of candidates than there are.
const MAX_CANDIDATE_TYPES: usize = 32;
/// Milliseconds nothing on a living connection takes.
const MAX_MILLIS: f64 = 3_600_000.0;
/// kbit/s that no browser receives.
const MAX_BITRATE: f64 = 10_000_000.0;
/// Words WebRTC uses for connections, states and candidates are all shorter.
const MAX_WORD: usize = 32;

pub(super) fn caption(caption: &Caption) -> Result<(), ErrorBody> {
    let fits = |text: &str| text.chars().count() <= MAX_CAPTION;
    demand(!caption.text.trim().is_empty() && fits(&caption.text), "text")?;
    demand(is_language(&caption.language), "language")?;
    demand(caption.translation.as_deref().is_none_or(fits), "translation")?;
    let target = caption.target_language.as_deref();
    demand(target.is_none_or(is_language), "targetLanguage")?;
    let confidence = caption.confidence_score;
    demand(
        confidence.is_none_or(|score| (0.0..=1.0).contains(&score)),
        "confidenceScore",
    )
}

pub(super) fn quality(report: &QualityReport) -> Result<(), ErrorBody> {
    demand((0.0..=1.0).contains(&report.packet_loss), "packetLoss")?;
    demand((0.0..=MAX_MILLIS).contains(&report.jitter), "jitter")?;
    demand((0.0..=MAX_MILLIS).contains(&report.rtt), "rtt")?;
    demand((0.0..=MAX_BITRATE).contains(&report.bitrate), "bitrate")
}

pub(super) fn gap(gap: &SwitchGap) -> Result<(), ErrorBody> {
    let measured = [
        (gap.video_gap_ms, "videoGapMs"),
        (gap.video_baseline_ms, "videoBaselineMs"),
        (gap.audio_gap_ms, "audioGapMs"),
        (gap.audio_baseline_ms, "audioBaselineMs"),
    ];
    for (millis, field) in measured {
        demand(
            millis.is_none_or(|millis| (0.0..=MAX_MILLIS).contains(&millis)),
            field,
        )?;
    }
    Ok(())
}

pub(super) fn diagnostics(seen: &Diagnostics) -> Result<(), ErrorBody> {
    demand(
        ["p2p", "send", "recv"].contains(&seen.transport.as_str()),
        "transport",
    )?;
    demand(is_word(&seen.ice_state), "iceState")?;
    let types = &seen.candidate_types;
    demand(
        types.len() <= MAX_CANDIDATE_TYPES && types.iter().all(|each| is_word(each)),
        "candidateTypes",
    )?;
    demand(seen.error.chars().count() <= MAX_REASON, "error")
}

fn is_word(text: &str) -> bool {
    text.len() <= MAX_WORD
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_language(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (2..=MAX_LANGUAGE).contains(&text.len()) && text.bytes().all(allowed)
}

fn demand(holds: bool, field: &str) -> Result<(), ErrorBody> {
    if holds {
        return Ok(());
    }
    let message = format!("{field} is out of range");
    Err(ErrorBody::with_message(ErrorCode::InvalidInput, message).about("field", field))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn quality_of(change: Value) -> Result<(), ErrorBody> {
        let mut report = json!({"packetLoss": 0.1, "jitter": 5.0, "rtt": 40.0, "bitrate": 800.0});
        merge(&mut report, change);
        quality(&serde_json::from_value(report).expect("a report"))
    }

    fn caption_of(change: Value) -> Result<(), ErrorBody> {
        let mut said = json!({
            "callId": "c",
            "text": "Hello",
            "language": "en",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "isFinal": true,
        });
        merge(&mut said, change);
        caption(&serde_json::from_value(said).expect("a caption"))
    }

    fn merge(into: &mut Value, change: Value) {
        let (Value::Object(into), Value::Object(change)) = (into, change) else {
            panic!("both are objects");
        };
        into.extend(change);
    }

    #[test]
    fn reports_out_of_range_are_refused() {
        assert_eq!(quality_of(json!({})), Ok(()));
        for change in [
            json!({"packetLoss": 1.01}),
            json!({"packetLoss": -0.1}),
            json!({"jitter": -1.0}),
            json!({"rtt": 1e300}),
            json!({"bitrate": -5.0}),
        ] {
            assert!(quality_of(change.clone()).is_err(), "{change}");
        }
    }

    #[test]
    fn captions_are_some_words_in_a_language() {
        assert_eq!(caption_of(json!({})), Ok(()));
        assert_eq!(caption_of(json!({"text": "ü".repeat(MAX_CAPTION)})), Ok(()));
        for change in [
            json!({"text": "  "}),
            json!({"text": "a".repeat(MAX_CAPTION + 1)}),
            json!({"language": "e"}),
            json!({"language": "en\n"}),
            json!({"confidenceScore": 1.5}),
            json!({"translation": "a".repeat(MAX_CAPTION + 1)}),
        ] {
            assert!(caption_of(change.clone()).is_err(), "{change}");
        }
    }
}
