//! The web client, served out of the binary.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use edge::metrics::EXPOSITION;
use edge::{ClientAddress, TrustedProxies, fail};
use rust_embed::EmbeddedFile;
use signalling::ErrorCode;

use crate::ask::{self, Scheme, Server};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Everything from this server alone; pictures and tracks may also be made by the page itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; \
    style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The policy for a page that was asked for at this host. Old browsers (Safari before 15.4) do not count a WebSocket
/// to the own host as `'self'`, so it is named; any other host stays closed.
fn policy(host: Option<&HeaderValue>) -> String {
    let plain = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let host = host.and_then(|host| host.to_str().ok()).filter(plain);
    let sockets = host.map_or(String::new(), |host| format!(" ws://{host} wss://{host}"));
    format!("{CONTENT_SECURITY_POLICY}; connect-src 'self'{sockets}")
}

/// What the page may use of the device, and nothing it embeds.
const PERMISSIONS_POLICY: &str = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), \
     screen-wake-lock=(self), speaker-selection=(self), geolocation=()";

/// The build names these after their content, so that a name never means anything else.
const HASHED: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_FIRST: &str = "no-cache";

/// The page, which is the same for conversations, for links by which guests come and for operators; its files, and
/// an answer to everything else.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/c/{conversation}", get(page))
        .route("/join/{token}", get(page))
        .route("/operator", get(page))
        .fallback(file)
        // A service at once: axum layers a fallback that is still a handler anew for every request, and a layer that
        // remembers, as Socket.IO's does, would forget.
        .with_state(())
}

/// The figures of a media node in the same process, for the same scrapers as the gateway's.
pub(crate) fn node_metrics(node: SocketAddr, proxies: TrustedProxies) -> Router {
    let show = move |request: Request| async move {
        if !ClientAddress::of_request(&request, &proxies).is_internal() {
            return fail(ErrorCode::NotFound);
        }
        let server = Server::here(Scheme::Http, node.port());
        let asked = tokio::task::spawn_blocking(move || server.ask(&ask::Request::get("/metrics"))).await;
        match asked {
            Ok(Ok(answer)) if answer.status == 200 => {
                ([(header::CONTENT_TYPE, EXPOSITION)], answer.body).into_response()
            }
            _ => fail(ErrorCode::ServiceUnavailable),
        }
    };
    Router::new().route("/metrics/media-node", get(show))
}

async fn page(headers: HeaderMap) -> Response {
    embedded("index.html", &headers).unwrap_or_else(|| fail(ErrorCode::NotFound))
}

async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    match method {
        Method::GET | Method::HEAD => embedded(path, &headers).unwrap_or_else(|| fail(ErrorCode::NotFound)),
        _ => fail(ErrorCode::NotFound),
    }
}

fn embedded(path: &str, request: &HeaderMap) -> Option<Response> {
    let file: EmbeddedFile = Assets::get(path)?;
    let tag = entity_tag(&file);
    let known = request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(file.data).into_response()
    };
    let headers = response.headers_mut();
    let kind =
        HeaderValue::from_str(file.metadata.mimetype()).unwrap_or(HeaderValue::from_static("text/plain"));
    let cache = if path.starts_with(HASHED) {
        FOR_EVER
    } else {
        ASK_FIRST
    };
    headers.insert(header::CONTENT_TYPE, with_charset(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(policy) = HeaderValue::from_str(&policy(request.get(header::HOST))) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS_POLICY));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Some(response)
}

/// The content's hash, as RFC 9110 §8.8.3 quotes it.
fn entity_tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

fn with_charset(kind: HeaderValue) -> HeaderValue {
    match kind.as_bytes() {
        b"text/html" => HeaderValue::from_static("text/html; charset=utf-8"),
        b"text/css" => HeaderValue::from_static("text/css; charset=utf-8"),
        b"text/javascript" | b"application/javascript" => {
            HeaderValue::from_static("text/javascript; charset=utf-8")
        }
        _ => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_always_checked_and_may_use_camera_and_microphone() {
        let response =
            embedded("index.html", &HeaderMap::new()).expect("there is a page, built or placeholder");
        let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("cache-control"), "no-cache");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(header("permissions-policy").contains("microphone=(self)"));
    }

    #[test]
    fn the_page_reaches_its_own_host_and_no_other() {
        let asked = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            let response = embedded("index.html", &headers).expect("there is a page");
            let policy = response.headers()["content-security-policy"]
                .to_str()
                .expect("text");
            let directives: Vec<String> = policy.split("; ").map(str::to_owned).collect();
            directives
        };
        let table = [
            (
                "calls.example.org:8443",
                "connect-src 'self' ws://calls.example.org:8443 wss://calls.example.org:8443",
            ),
            (
                "[2001:db8::1]",
                "connect-src 'self' ws://[2001:db8::1] wss://[2001:db8::1]",
            ),
            // Nothing else than a host gets into the policy.
            ("a; script-src *", "connect-src 'self'"),
            ("* 'unsafe-eval'", "connect-src 'self'"),
            ("", "connect-src 'self'"),
        ];
        for (host, connect) in table {
            let directives = asked(host);
            for directive in [
                connect,
                "default-src 'self'",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ] {
                assert!(
                    directives.iter().any(|own| own == directive),
                    "{host}: {directives:?}"
                );
            }
            assert!(
                !directives
                    .iter()
                    .any(|own| own.contains("script") || own.contains("eval"))
            );
        }
    }

    #[test]
    fn a_page_the_browser_has_is_not_sent_again() {
        let first = embedded("index.html", &HeaderMap::new()).expect("there is a page");
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let second = embedded("index.html", &headers).expect("there is a page");
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn what_was_not_embedded_is_not_there() {
        for path in ["", "missing.js", "../Cargo.toml", "assets/../../Cargo.toml"] {
            assert!(embedded(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
