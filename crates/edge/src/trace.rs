//! Spans: what every line written meanwhile has in common, and what a trace is made of.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Carries a trace from one server to the next (W3C Trace Context §3.2).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The target of all spans of ours. What libraries open is not part of a trace.
pub const TARGET: &str = "meeshy";

/// The name of spans that last as long as what they are about. They give lines of the log their context and are no work
/// that could be traced.
pub const LIFETIME: &str = "call";

/// A span of work for somebody: `span!("socket event", event = name, call, participant)`.
///
/// At the level of errors so that an error has its context however little else is logged. Fields that are known only
/// later are declared with [`tracing::field::Empty`]. Only ids and names of routes and events belong here: what is in a
/// span is in the log and leaves the machine with a trace.
#[macro_export]
macro_rules! span {
    ($name:literal $(, $($fields:tt)*)?) => {
        ::tracing::error_span!(target: "meeshy", $name $(, $($fields)*)?)
    };
}

/// The span of an HTTP request: its method and its route, which names no ids; `call` and `participant` are recorded
/// when they are known, `status` at the end.
#[must_use]
pub fn request(method: &'static str, route: &str) -> Span {
    crate::span!(
        "request",
        method,
        route,
        call = Empty,
        participant = Empty,
        status = Empty,
        otel.name = format!("{method} {route}"),
        otel.kind = "server"
    )
}

/// Makes a span part of the trace that a request names. Only for callers who are trusted: whoever names a trace decides
/// whether it is kept.
pub fn continues(span: &Span, headers: &HeaderMap) {
    let parent = headers
        .get(TRACEPARENT)
        .and_then(|value| parse(value.to_str().ok()?));
    if let Some(parent) = parent {
        let context = opentelemetry::Context::new().with_remote_span_context(parent);
        // Without an exporter there is nothing to be part of.
        drop(span.set_parent(context));
    }
}

/// What a request to another server carries of the present trace; nothing, without one.
#[must_use]
pub fn carried() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return headers;
    }
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    let text = format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), flags.to_u8());
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(TRACEPARENT, value);
    }
    headers
}

/// `00-<trace, 32 digits>-<span, 16 digits>-<flags, 2 digits>`; later versions may append fields.
fn parse(text: &str) -> Option<SpanContext> {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, span, flags, more @ ..] = parts.as_slice() else {
        return None;
    };
    let digits = |text: &str, length: usize| {
        let low = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(low)
    };
    let form = digits(version, 2) && digits(trace, 32) && digits(span, 16) && digits(flags, 2);
    if !form || *version == "ff" || (*version == "00" && !more.is_empty()) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_standard_writes_it() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let read = parse(good).expect("the standard's example");
        assert_eq!(read.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(read.span_id().to_string(), "b7ad6b7169203331");
        assert!(read.is_sampled() && read.is_remote());
        assert!(
            parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
                .is_some_and(|span| !span.is_sampled())
        );
        assert!(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").is_some());
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn without_a_trace_nothing_is_carried() {
        assert!(carried().is_empty());
    }
}
