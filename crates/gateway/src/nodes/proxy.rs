//! Participants' requests about rooms, passed on to the node that holds the call. The node checks the token itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use edge::ApiError;
use signalling::client_node::MAX_BODY;
use signalling::error::ErrorBody;
use signalling::{CallId, ErrorCode};

use super::Nodes;
use super::node::Node;

/// How long a node may take to answer a participant. Nothing it does waits for the network.
const PATIENCE: Duration = Duration::from_secs(5);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What of a request is passed on, beside the address it came from.
const REQUEST_HEADERS: [HeaderName; 3] = [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT];
/// What of an answer is passed on.
const RESPONSE_HEADERS: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// `/api/rooms/:callId` and everything below.
pub(crate) fn routes(nodes: Arc<Nodes>) -> Router {
    Router::new()
        .route("/api/rooms/{callId}", any(forward))
        .route("/api/rooms/{callId}/{*below}", any(forward))
        .with_state(nodes)
}

/// The first part of the path; the rest is the node's business.
type Room = Path<Vec<(String, String)>>;

async fn forward(State(nodes): State<Arc<Nodes>>, Path(path): Room, request: Request) -> Response {
    let call = path
        .first()
        .and_then(|(_, call)| call.parse::<CallId>().ok())
        .ok_or_else(|| ErrorBody::with_message(ErrorCode::InvalidRequest, "callId is not an id"));
    let answer = match call {
        Ok(call) => pass_on(&nodes, &call, request).await,
        Err(error) => Err(ApiError(error).into_response()),
    };
    answer.unwrap_or_else(|failure| failure)
}

async fn pass_on(nodes: &Nodes, call: &CallId, request: Request) -> Result<Response, Response> {
    let node = holder(nodes, call)
        .await
        .map_err(|error| ApiError(error).into_response())?;
    let target = target(&node, &request).map_err(|error| ApiError(error).into_response())?;
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0);
    let (parts, body) = request.into_parts();
    let coming = tokio::time::timeout(edge::body::PATIENCE, to_bytes(body, MAX_BODY)).await;
    let body = coming
        .map_err(|_| ApiError(ErrorBody::new(ErrorCode::InvalidRequest)).into_response())?
        .map_err(|_| ApiError(ErrorBody::new(ErrorCode::PayloadTooLarge)).into_response())?;
    let answer = nodes
        .rest
        .http()
        .request(parts.method, target)
        .headers(request_headers(&parts.headers, peer))
        .headers(edge::trace::carried())
        .body(body)
        .timeout(PATIENCE)
        .send()
        .await
        .map_err(|error| bad_gateway(&node, &error))?;
    let status = answer.status();
    let headers = response_headers(answer.headers());
    let body: Bytes = answer.bytes().await.map_err(|error| bad_gateway(&node, &error))?;
    Ok((status, headers, Body::from(body)).into_response())
}

/// The node that holds the call.
async fn holder(nodes: &Nodes, call: &CallId) -> Result<Arc<Node>, ErrorBody> {
    let place = nodes.cluster.node_of(call).await;
    let place = place.ok_or_else(|| ErrorBody::new(ErrorCode::RoomNotFound).about("callId", call))?;
    let node = nodes.living(&place);
    node.ok_or_else(|| ErrorBody::new(ErrorCode::ServiceUnavailable))
}

/// The same path on the node. What a URL parser would take for a way up out of the room is not passed on.
fn target(node: &Node, request: &Request) -> Result<reqwest::Url, ErrorBody> {
    let not_found = || ErrorBody::new(ErrorCode::NotFound);
    let path = request.uri().path();
    let mut url = reqwest::Url::parse(&format!("{}{path}", node.url)).map_err(|_| not_found())?;
    if url.path() != path {
        return Err(not_found());
    }
    url.set_query(request.uri().query());
    Ok(url)
}

fn request_headers(from: &HeaderMap, peer: Option<SocketAddr>) -> HeaderMap {
    let mut headers = some_of(from, &REQUEST_HEADERS);
    let earlier = from
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok().map(str::to_owned));
    let chain: Vec<String> = earlier.chain(peer.map(|peer| peer.ip().to_string())).collect();
    if let Ok(chain) = HeaderValue::from_str(&chain.join(", "))
        && !chain.is_empty()
    {
        headers.insert(FORWARDED_FOR, chain);
    }
    headers
}

fn response_headers(from: &HeaderMap) -> HeaderMap {
    some_of(from, &RESPONSE_HEADERS)
}

fn some_of(from: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let pairs = names
        .iter()
        .filter_map(|name| Some((name.clone(), from.get(name)?.clone())));
    pairs.collect()
}

fn bad_gateway(node: &Node, error: &reqwest::Error) -> Response {
    tracing::warn!(node = %node.id.0, %error, "a request could not be passed on to the media node");
    let body = ApiError(ErrorBody::new(ErrorCode::MediaServerError));
    let mut answer = body.into_response();
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}

#[cfg(test)]
mod tests {
    use signalling::client_gateway::NodeOrigin;

    use super::*;

    fn request(path: &str) -> Request {
        Request::builder()
            .uri(path)
            .body(Body::empty())
            .expect("a request")
    }

    #[test]
    fn no_path_leads_out_of_the_room() {
        let (node, _) = Node::new("http://127.0.0.1:9/", NodeOrigin::Static);
        let rows = [
            ("/api/rooms/a", Some("http://127.0.0.1:9/api/rooms/a")),
            (
                "/api/rooms/a/producers/b?x=%2e%2e",
                Some("http://127.0.0.1:9/api/rooms/a/producers/b?x=%2e%2e"),
            ),
            ("/api/rooms/a/../../drain", None),
            ("/api/rooms/a/%2e%2e/%2E%2e/drain", None),
            ("/api/rooms/a/./b", None),
        ];
        for (path, expected) in rows {
            let target = target(&node, &request(path)).ok();
            assert_eq!(target.as_ref().map(reqwest::Url::as_str), expected, "{path}");
        }
    }

    #[test]
    fn the_node_hears_whom_a_request_comes_from_and_no_more() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.7"));
        headers.insert("authorization", HeaderValue::from_static("Bearer x"));
        headers.insert("cookie", HeaderValue::from_static("secret"));
        headers.insert("host", HeaderValue::from_static("calls.example"));
        let peer = "203.0.113.5:4711".parse().expect("an address");
        let passed = request_headers(&headers, Some(peer));
        let mut names: Vec<_> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "x-forwarded-for"]);
        assert_eq!(passed["x-forwarded-for"], "198.51.100.7, 203.0.113.5");
        assert!(request_headers(&HeaderMap::new(), None).is_empty());
    }
}
