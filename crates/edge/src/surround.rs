//! What is around every request: panics, CORS, security headers.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use signalling::ErrorCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::answer::fail;
use crate::limits;
use crate::origin::Origin;

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

/// Whether answers may say that the site is HTTPS only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Https {
    /// For real users: always HTTPS.
    Always,
    /// On a developer's machine.
    Perhaps,
}

/// What pages of other origins may do.
#[derive(Clone, Debug)]
pub struct CrossOrigin<'a> {
    /// Exactly these origins (contract §6.8); none but the server's own if empty.
    pub origins: &'a [Origin],
    /// By these methods.
    pub methods: &'a [Method],
    /// With these headers.
    pub headers: &'a [HeaderName],
}

/// Around the routes: panics become answers.
pub fn caught(routes: Router) -> Router {
    routes.layer(CatchPanicLayer::custom(panicked))
}

/// Around everything, Socket.IO included: security headers and CORS.
pub fn protected(mut routes: Router, https: Https, cross_origin: &CrossOrigin<'_>) -> Router {
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        routes = routes.layer(SetResponseHeaderLayer::if_not_present(name, value));
    }
    if https == Https::Always {
        let value = HeaderValue::from_static(HSTS);
        routes = routes.layer(SetResponseHeaderLayer::if_not_present(
            header::STRICT_TRANSPORT_SECURITY,
            value,
        ));
    }
    routes.layer(cors(cross_origin))
}

fn cors(cross_origin: &CrossOrigin<'_>) -> CorsLayer {
    let origins = cross_origin
        .origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods(cross_origin.methods.to_vec())
        .allow_headers(cross_origin.headers.to_vec())
        .expose_headers([
            limits::LIMIT,
            limits::REMAINING,
            limits::RESET,
            header::RETRY_AFTER,
        ])
        .max_age(PREFLIGHT)
}

/// A method's name for a metric's label; unknown ones share one, or anybody could make as many as they like.
#[must_use]
pub fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_without_its_words() {
        async fn broken() -> &'static str {
            panic!("the password is 4711")
        }
        let routes = caught(Router::new().route("/", get(broken)));
        let request = Request::new(Body::empty());
        let answer = routes.oneshot(request).await.expect("it answers");
        assert_eq!(answer.status().as_u16(), 500);
        let body = to_bytes(answer.into_body(), 10_000).await.expect("a body");
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("INTERNAL_SERVER_ERROR"), "{text}");
        assert!(!text.contains("4711") && !text.contains("panic"), "{text}");
    }
}
