use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tracing_subscriber::Registry;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn read(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8(bytes.clone()).expect("text");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is written at this level by `work`.
fn written(level: &str, work: impl FnOnce()) -> Vec<Value> {
    let lines = Lines::default();
    let json = JsonLines::new(vec![("node", "here".to_owned())], lines.clone());
    let subscriber = tracing_subscriber::registry().with(json.with_filter(filter(level).expect("a level")));
    tracing::subscriber::with_default(subscriber, work);
    lines.read()
}

#[test]
fn a_line_says_what_it_is_about() {
    let lines = written("info", || {
        let span = edge::span!(
            "request",
            call = "c1",
            participant = tracing::field::Empty,
            otel.kind = "server"
        );
        let _entered = span.enter();
        span.record("participant", "p1");
        let inner = edge::span!("inner", route = "/x");
        inner.in_scope(
            || tracing::info!(target: "gateway::calls", participant = "p2", count = 3_u64, "it \"works\""),
        );
        tracing::warn!(target: "media_node", node = "other", share = 0.5, span_error = %"why");
    });
    let [first, second] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let expected = json!({
        "level": "INFO", "target": "gateway::calls", "message": "it \"works\"", "node": "here", "call": "c1",
        "participant": "p2", "route": "/x", "count": 3,
    });
    let mut first = first.clone();
    let time = first.as_object_mut().and_then(|line| line.remove("timestamp"));
    let time = time.as_ref().and_then(Value::as_str).expect("a time").to_owned();
    assert!(time.parse::<signalling::Timestamp>().is_ok(), "{time}");
    assert_eq!(first, expected);
    assert_eq!(
        (&second["node"], &second["participant"], &second["share"]),
        (&json!("other"), &json!("p1"), &json!(0.5))
    );
    assert_eq!(second["span_error"], "why");
}

#[test]
fn libraries_that_tell_what_passes_through_them_are_silent_at_every_level() {
    for level in [
        "trace",
        "debug",
        "trace,socketioxide=trace",
        "info,hyper=debug,gateway=debug",
    ] {
        let lines = written(level, || {
            tracing::debug!(target: "socketioxide::socket", "a packet with a token");
            tracing::trace!(target: "engineioxide", "a packet with a token");
            tracing::debug!(target: "hyper::proto", "a header");
            tracing::debug!(target: "tungstenite::protocol", "a frame");
            tracing::debug!(target: "gateway::calls", "ours");
            tracing::error!(target: "hyper", "broken");
        });
        let said: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
        assert_eq!(said, ["ours", "broken"], "{level}");
    }
}

#[test]
fn an_error_has_its_context_however_little_is_logged() {
    let lines = written("error", || {
        edge::span!("request", call = "c1").in_scope(|| {
            tracing::info!(target: "gateway", "not this");
            tracing::error!(target: "gateway", "this");
        });
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["call"], "c1");
}

#[test]
fn what_is_no_level_is_named() {
    for wrong in ["gateway=loud", "info,=="] {
        let error = filter::<Registry>(wrong).err().expect(wrong);
        assert!(error.to_string().contains("LOG_LEVEL"), "{error}");
    }
    for right in ["error", "info", "TRACE", "debug,sfu=trace", "off"] {
        assert!(filter::<Registry>(right).is_ok(), "{right}");
    }
}
