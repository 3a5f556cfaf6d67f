//! What the server is like, and what clients need of it to connect.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use edge::ApiError;
use edge::answer::{DataAnswer, data};
use futures_util::stream;
use signalling::client_gateway::{GatewayConfig, IceServersResponse};
use signalling::{Timestamp, version};

use super::gate::Known;
use super::read::{Asked, Pairs};
use crate::config::DevLogin;
use crate::gateway::Shared;
use crate::ice_servers::Relay;

/// Bytes of a bandwidth test unless asked otherwise: a second at 8 Mbit/s.
const TEST: u64 = 1_000_000;
/// Most bytes of a bandwidth test (contract §2.4).
const LARGEST_TEST: u64 = 10_000_000;
/// Bytes made at a time.
const CHUNK: usize = 16 * 1024;

pub(super) async fn ice_servers(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
) -> DataAnswer<IceServersResponse> {
    let now = Timestamp::from(SystemTime::now());
    let (ice_servers, expires_at) = shared.ice.for_caller(now, &caller.key());
    data(IceServersResponse {
        ice_servers,
        expires_at,
    })
}

/// Random bytes: what can be compressed on the way would measure something else.
pub(super) async fn bandwidth_test(pairs: Pairs) -> Result<Response, ApiError> {
    let bytes = Asked::new(pairs)?.number("bytes", 1..=LARGEST_TEST, TEST)?;
    let chunks = stream::unfold(bytes, |left| async move {
        let size = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        if size == 0 {
            return None;
        }
        let mut chunk = edge::random::bytes::<CHUNK>().to_vec();
        chunk.truncate(size);
        Some((Ok::<_, Infallible>(chunk), left - size as u64))
    });
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (header::CONTENT_LENGTH, HeaderValue::from(bytes)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

pub(super) async fn config(State(shared): State<Arc<Shared>>) -> DataAnswer<GatewayConfig> {
    let config = &shared.config;
    data(GatewayConfig {
        version: version::SOFTWARE.to_owned(),
        protocol: version::PROTOCOL,
        max_participants: config.calls.max_participants,
        dev_login: config.dev_login == DevLogin::On,
        relay_only: config.ice.relay == Relay::Only,
        translation_languages: Vec::new(),
        flags: shared.flags.by_name(),
        video_codecs: config.video_codecs.clone(),
        hysteresis_ms: u64::try_from(config.calls.hysteresis.as_millis()).unwrap_or(u64::MAX),
    })
}
