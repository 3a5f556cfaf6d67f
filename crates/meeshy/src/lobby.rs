//! Getting into a room: a name and a room are enough, a token comes back (see `signalling::lobby`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use media_node::Node;
use media_node::api::auth::{Minted, TokenSigner, bearer};
use media_node::api::limits::{RateLimiter, Standing};
use media_node::api::{ApiError, Body};
use media_node::config::{Config, IceTcp};
use signalling::error::{ErrorBody, Success};
use signalling::lobby::{ConfigResponse, Features, JoinRequest, JoinResponse, RefreshResponse, path};
use signalling::token::{PARTICIPANT_LIFETIME, Role, Subject};
use signalling::{ErrorCode, ParticipantId, version};
use uuid::Uuid;

use crate::slug;

/// How long limits count.
const WINDOW: Duration = Duration::from_secs(60);

/// What is limited, and to how many requests per window: generous for people behind one address, such as a school,
/// and for reconnecting; far too few to fill a server's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    /// Joining, per client address.
    Join,
    /// Refreshing a token, per participant; one is needed per hour.
    Refresh,
}

impl Scope {
    fn quota(self) -> u32 {
        match self {
            Self::Join => 120,
            Self::Refresh => 20,
        }
    }
}

struct Lobby {
    node: Node,
    signer: TokenSigner,
    limiter: RateLimiter<Scope>,
    config: ConfigResponse,
}

/// The lobby's routes.
pub(crate) fn routes(node: Node, config: &Config) -> Router {
    let lobby = Arc::new(Lobby {
        node,
        signer: TokenSigner::new(&config.secrets.current),
        limiter: RateLimiter::new(WINDOW),
        config: describe(config),
    });
    Router::new()
        .route(path::JOIN, post(join))
        .route(path::REFRESH, post(refresh))
        .route(path::CONFIG, get(show_config))
        .with_state(lobby)
}

fn describe(config: &Config) -> ConfigResponse {
    ConfigResponse {
        version: version::SOFTWARE.to_owned(),
        protocol: version::PROTOCOL,
        max_participants: u32::try_from(config.capacity.participants_per_room).unwrap_or(u32::MAX),
        features: Features {
            video_codecs: config.media.video_mime_types(),
            ice_tcp: config.media.tcp == IceTcp::Enabled,
            screen_share: true,
        },
    }
}

async fn join(
    State(lobby): State<Arc<Lobby>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<JoinRequest>,
) -> Result<Json<Success<JoinResponse>>, ApiError> {
    lobby.count(Scope::Join, &lobby.node.client_key(peer, &headers))?;
    let call = slug::call_of(&request.room);
    lobby.node.ensure_room(&call).await?;
    let participant: ParticipantId = Uuid::new_v4()
        .simple()
        .to_string()
        .parse()
        .expect("a UUID's digits make an id");
    let subject = Subject(format!("guest-{participant}"));
    let lifetime = Duration::from_secs(PARTICIPANT_LIFETIME);
    let Minted { token, expires_at } =
        lobby
            .signer
            .participant(subject, call.clone(), participant.clone(), lifetime);
    tracing::info!(%call, %participant, "participant was let in");
    Ok(Json(Success::new(JoinResponse {
        call_id: call,
        participant_id: participant,
        token,
        token_expires_at: expires_at,
        url: String::new(),
        ice_servers: Vec::new(),
    })))
}

async fn refresh(
    State(lobby): State<Arc<Lobby>>,
    headers: HeaderMap,
) -> Result<Json<Success<RefreshResponse>>, ApiError> {
    let claims = bearer(&headers).and_then(|token| lobby.node.verify(token).ok());
    let claims = claims.ok_or(ErrorCode::Unauthorized)?;
    let (Role::Participant, Some(call), Some(participant)) =
        (claims.role, claims.call_id, claims.participant_id)
    else {
        return Err(ErrorCode::Forbidden.into());
    };
    lobby.count(Scope::Refresh, &format!("{call}/{participant}"))?;
    let lifetime = Duration::from_secs(PARTICIPANT_LIFETIME);
    let Minted { token, expires_at } = lobby.signer.participant(claims.sub, call, participant, lifetime);
    Ok(Json(Success::new(RefreshResponse {
        token,
        token_expires_at: expires_at,
    })))
}

async fn show_config(State(lobby): State<Arc<Lobby>>) -> Json<Success<ConfigResponse>> {
    Json(Success::new(lobby.config.clone()))
}

impl Lobby {
    fn count(&self, scope: Scope, key: &str) -> Result<Standing, ApiError> {
        let standing = self.limiter.count(Instant::now(), scope, key, scope.quota());
        if standing.admitted {
            return Ok(standing);
        }
        let seconds = u32::try_from(standing.retry_after()).unwrap_or(u32::MAX);
        let message = format!("Too many requests: try again in {seconds} s");
        let mut error = ErrorBody::with_message(ErrorCode::RateLimitExceeded, message);
        error.retry_after = Some(seconds);
        Err(ApiError(error))
    }
}
