//! One JSON object a line: when, how bad, from where, what, and what it is about (`call`, `participant`, `node` …),
//! said by the event itself or by a span around it.

use std::fmt;
use std::io::Write;
use std::time::SystemTime;

use serde_json::{Map, Value};
use signalling::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Fields for exporters of traces only.
const FOR_TRACES: &str = "otel.";

/// Writes events as lines of JSON.
pub(super) struct JsonLines<W> {
    /// What every line says unless it says otherwise.
    always: Vec<(&'static str, String)>,
    writer: W,
}

impl<W> JsonLines<W> {
    pub(super) const fn new(always: Vec<(&'static str, String)>, writer: W) -> Self {
        Self { always, writer }
    }
}

/// What a span says, kept with it.
struct Said(Map<String, Value>);

/// Takes fields into an object.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        if !field.name().starts_with(FOR_TRACES) {
            self.0.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a> + 'static,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut said = Map::new();
        attributes.record(&mut Fields(&mut said));
        span.extensions_mut().insert(Said(said));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Said(said)) = span.extensions_mut().get_mut() {
            values.record(&mut Fields(said));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        let metadata = event.metadata();
        let now = Timestamp::from(SystemTime::now());
        line.insert("timestamp".to_owned(), now.to_string().into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        for (name, value) in &self.always {
            line.insert((*name).to_owned(), value.as_str().into());
        }
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(Said(said)) = span.extensions().get() {
                line.extend(said.clone());
            }
        }
        event.record(&mut Fields(&mut line));
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // A log that nobody takes is nobody's loss; one write, so that lines of several threads do not mix.
        drop(self.writer.make_writer_for(metadata).write_all(text.as_bytes()));
    }
}
