//! Traces for whoever collects them: OTLP over HTTP with protobuf, if a collector is named.
//!
//! Spans wait in a bounded queue for a thread of their own. A collector that is slow or gone costs spans, never a call.

use std::time::Duration;

use anyhow::{Context, Result};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use signalling::version;
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::registry::LookupSpan;

use crate::run::Unsuitable;

/// One in ten unless said otherwise: enough to see where time goes, little enough to keep.
const SHARE: f64 = 0.1;
/// How long a collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of the process waits for what is left.
const GOODBYE: Duration = Duration::from_secs(3);

/// Where traces go.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct TraceSettings {
    /// Base URL of an OpenTelemetry collector that takes OTLP over HTTP, such as `http://localhost:4318` [default: no traces]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    otel_exporter_otlp_endpoint: Option<String>,
    /// Name of this service in traces [default: meeshy, meeshy-gateway or meeshy-media]
    #[arg(long, env = "OTEL_SERVICE_NAME", value_name = "NAME")]
    otel_service_name: Option<String>,
    /// Share of requests that are traced, 0 to 1 [default: 0.1]
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", value_name = "SHARE")]
    otel_traces_sampler_arg: Option<String>,
}

/// Settings that make sense.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Traces {
    /// Where batches are posted.
    endpoint: String,
    service: String,
    share: f64,
}

impl TraceSettings {
    /// What they say, if traces are wanted; `service` is the name unless another one is given.
    pub(crate) fn check(&self, service: &str) -> Result<Option<Traces>, Unsuitable> {
        let share = match edge::setting::given(&self.otel_traces_sampler_arg) {
            None => SHARE,
            Some(text) => {
                let share: Option<f64> = text.parse().ok();
                share.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
                    Unsuitable::new(format!(
                        "OTEL_TRACES_SAMPLER_ARG: `{text}` is no share; set it to a number from 0 to 1"
                    ))
                })?
            }
        };
        let Some(base) = edge::setting::given(&self.otel_exporter_otlp_endpoint) else {
            return Ok(None);
        };
        let host = base
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        if host.is_none_or(|host| host.is_empty() || host.contains(['@', '?', '#', ' '])) {
            return Err(Unsuitable::new(
                "OTEL_EXPORTER_OTLP_ENDPOINT: this is not the base URL of a collector; set it to one like \
                 http://localhost:4318 (without TLS: run a collector beside this process)",
            ));
        }
        Ok(Some(Traces {
            endpoint: format!("{}/v1/traces", base.trim_end_matches('/')),
            service: edge::setting::given(&self.otel_service_name)
                .unwrap_or(service)
                .to_owned(),
            share,
        }))
    }

    /// As `--check-config` prints them.
    pub(crate) fn report(&self) -> String {
        let given = |value: &Option<String>| edge::setting::given(value).unwrap_or_default().to_owned();
        format!(
            "OTEL_EXPORTER_OTLP_ENDPOINT={}\nOTEL_SERVICE_NAME={}\nOTEL_TRACES_SAMPLER_ARG={}",
            given(&self.otel_exporter_otlp_endpoint),
            given(&self.otel_service_name),
            edge::setting::given(&self.otel_traces_sampler_arg)
                .map_or_else(|| SHARE.to_string(), str::to_owned),
        )
    }
}

/// Sends traces as long as it lives, and what is left when it goes.
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
    /// Of the requests to the collector, which must go on when the server's own runtime has ended.
    _runtime: Runtime,
}

impl Exporter {
    pub(super) fn start(traces: &Traces, instance: Option<&str>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()
            .context("the exporter of traces could not be started")?;
        let collector = Collector {
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .context("the exporter of traces could not be made")?,
            runtime: runtime.handle().clone(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_endpoint(&traces.endpoint)
            .with_timeout(PATIENCE)
            .build()
            .context("the exporter of traces could not be made")?;
        let about = [
            Some(KeyValue::new("service.version", version::SOFTWARE)),
            instance.map(|instance| KeyValue::new("service.instance.id", instance.to_owned())),
        ];
        let resource = Resource::builder()
            .with_service_name(traces.service.clone())
            .with_attributes(about.into_iter().flatten());
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(traces.share)));
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_sampler(sampler)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self {
            provider,
            _runtime: runtime,
        })
    }

    /// What takes spans to the exporter: ours, and no events, which are the log's.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("meeshy"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(FilterFn::new(is_ours).with_max_level_hint(LevelFilter::ERROR))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(GOODBYE) {
            tracing::warn!(%error, "the last traces did not reach their collector");
        }
    }
}

/// Whether something belongs into a trace.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == edge::trace::TARGET && metadata.name() != edge::trace::LIFETIME
}

/// The way to the collector.
#[derive(Debug)]
struct Collector {
    http: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let request = self
            .http
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body);
        // The exporter's thread has no runtime; the answer is awaited there, the work is done here.
        let work = self.runtime.spawn(async move {
            let answer = request.send().await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.bytes().await?;
            Ok::<_, reqwest::Error>((status, headers, body))
        });
        let (status, headers, body) = work.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(endpoint: &str, share: &str) -> TraceSettings {
        TraceSettings {
            otel_exporter_otlp_endpoint: Some(endpoint.to_owned()),
            otel_service_name: None,
            otel_traces_sampler_arg: Some(share.to_owned()),
        }
    }

    #[test]
    fn without_a_collector_there_are_no_traces() {
        assert!(
            TraceSettings::default()
                .check("x")
                .is_ok_and(|traces| traces.is_none())
        );
        assert!(settings("", "").check("x").is_ok_and(|traces| traces.is_none()));
        let report = TraceSettings::default().report();
        assert!(report.ends_with("OTEL_TRACES_SAMPLER_ARG=0.1"), "{report}");
    }

    #[test]
    fn a_collector_is_named_by_its_base() {
        for base in ["http://localhost:4318", "http://localhost:4318/"] {
            let traces = settings(base, "0.5")
                .check("meeshy")
                .ok()
                .flatten()
                .expect("they are good");
            let expected = Traces {
                endpoint: "http://localhost:4318/v1/traces".to_owned(),
                service: "meeshy".to_owned(),
                share: 0.5,
            };
            assert_eq!(traces, expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_a_way_out() {
        let table = [
            ("https://collector", "1", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            ("collector:4318", "1", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            ("http://", "1", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            (
                "http://user:password@collector",
                "1",
                "OTEL_EXPORTER_OTLP_ENDPOINT",
            ),
            ("http://collector", "2", "OTEL_TRACES_SAMPLER_ARG"),
            ("http://collector", "many", "OTEL_TRACES_SAMPLER_ARG"),
            ("http://collector", "NaN", "OTEL_TRACES_SAMPLER_ARG"),
        ];
        for (endpoint, share, setting) in table {
            let error = settings(endpoint, share)
                .check("x")
                .expect_err(endpoint)
                .to_string();
            assert!(
                error.starts_with(setting) && error.contains("set it to"),
                "{error}"
            );
            assert!(!error.contains("password"), "{error}");
        }
    }
}
