//! The node's face: REST, Socket.IO and the operational endpoints, on one port.
//!
//! * `rest` – one handler per endpoint of contract §1.3
//! * `socket` – notifications (contract §1.7)
//! * `gate` – who may pass: token, rate limit, call
//! * `auth`, `limits` – whom tokens stand for, what is counted
//! * `surround` – what is around every request: CORS, headers, metrics, panics
//!
//! What is the same for every HTTP face of ours is in the crate `edge`.

pub mod auth;
mod gate;
pub mod limits;
mod rest;
mod socket;
mod surround;

use std::sync::Arc;

use axum::Router;

pub use edge::{ApiError, Body, fail};

use crate::config::{Origin, TrustedProxies};
use crate::control::rooms::Rooms;
use crate::drain::Drain;
use crate::metrics::Metrics;
use crate::status::Status;
use auth::TokenVerifier;
use limits::{RateLimiter, Scope};

/// What every handler works with.
pub(crate) struct Api {
    pub(crate) rooms: Rooms,
    pub(crate) verifier: TokenVerifier,
    pub(crate) limiter: RateLimiter<Scope>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) allowed_origins: Vec<Origin>,
    pub(crate) drain: Drain,
    pub(crate) status: Arc<Status>,
    /// Whether answers may say that the site is HTTPS only.
    pub(crate) production: bool,
}

/// All routes. `beside` adds those of whoever embeds the node; its fallback wins over the node's.
pub(crate) fn router(
    api: &Arc<Api>,
    notices: crate::control::notice::NoticeReceiver,
    beside: Option<Router>,
) -> Router {
    let routes = rest::routes(api);
    let routes = match beside {
        Some(beside) => routes.merge(beside),
        None => routes.fallback(edge::answer::not_found),
    };
    // Made into services at once: axum layers a fallback that is still a handler anew for every request, and every
    // layering of Socket.IO would begin without the sessions of those before.
    let routes = surround::measured(routes, api).with_state(());
    let routes = routes.layer(socket::layer(Arc::clone(api), notices));
    surround::protected(routes, api)
}
