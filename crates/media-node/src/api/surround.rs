//! What is around every request: measurement, panics, CORS, security headers.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use signalling::ErrorCode;
use signalling::client_node::MAX_BODY;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::Api;
use super::answer::fail;

/// How long browsers may keep the answer to a preflight; Chromium keeps none longer.
const PREFLIGHT: Duration = Duration::from_secs(7200);

/// Headers for every answer that has none of its own: an API answer is data, not a page.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// Two years, as the preload lists want it.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Around the routes: body limit, panics become answers, and every request is measured.
pub(super) fn measured(routes: Router, api: &Arc<Api>) -> Router {
    routes
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(api), measure))
}

/// Around everything, Socket.IO included.
pub(super) fn protected(mut routes: Router, api: &Api) -> Router {
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        routes = routes.layer(SetResponseHeaderLayer::if_not_present(name, value));
    }
    if api.production {
        let value = HeaderValue::from_static(HSTS);
        routes = routes.layer(SetResponseHeaderLayer::if_not_present(
            header::STRICT_TRANSPORT_SECURITY,
            value,
        ));
    }
    routes.layer(cors(api))
}

/// Exactly the configured origins (contract §6.8).
fn cors(api: &Api) -> CorsLayer {
    let origins = api
        .allowed_origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    let exposed = [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "retry-after",
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(PREFLIGHT)
}

async fn measure(
    State(api): State<Arc<Api>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = known_method(request.method());
    let response = next.run(request).await;
    // Paths nobody knows are one series, or anybody could make as many as they like.
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    api.metrics
        .http_request(route, method, response.status().as_u16(), began.elapsed());
    response
}

fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown");
    tracing::error!(panic = text, "a request handler panicked");
    fail(ErrorCode::InternalServerError)
}
