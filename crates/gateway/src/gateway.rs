//! The gateway: its parts, put together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use edge::answer::not_found;
use signalling::error::ErrorBody;
use signalling::{ErrorCode, Timestamp};
use socketioxide::SocketIo;
use socketioxide::layer::SocketIoLayer;
use store::{Store, StoreError};
use tokio::task::JoinSet;

use crate::auth::{Authenticator, Tokens};
use crate::calls::{Calls, Parts};
use crate::cluster::{Cluster, InProcess};
use crate::config::GatewayConfig;
use crate::flags::{self, Changed, Flag, Flags, FlagsConfig, Follower};
use crate::http;
use crate::ice_servers::{self, IceServers};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::nodes::{Nodes, Patience, proxy};
use crate::refusals::Refusals;
use crate::region::Region;
use crate::socket::{self, Sockets};

/// A gateway that runs. It ends when it is stopped or dropped; its calls go on where it is started again over the
/// same store.
pub struct Gateway {
    shared: Arc<Shared>,
    /// Work that goes on by itself, ended with the gateway.
    work: JoinSet<()>,
    io: SocketIo,
    layer: SocketIoLayer,
}

/// What every request works with.
pub(crate) struct Shared {
    pub(crate) config: GatewayConfig,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) auth: Authenticator,
    pub(crate) limits: Limits,
    pub(crate) refusals: Refusals,
    pub(crate) ice: Arc<IceServers>,
    pub(crate) flags: Arc<Flags>,
    /// Held while everybody is told what is turned on.
    announcing: tokio::sync::Mutex<()>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) calls: Calls,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) nodes: Arc<Nodes>,
    /// Whether it is about to end.
    pub(crate) draining: AtomicBool,
    /// Where it stands.
    pub(crate) region: Region,
    /// When it was started.
    pub(crate) started_at: Timestamp,
}

impl Shared {
    /// Whether it is about to end.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Reads what operators stored about flags, and does as it says.
    pub(crate) async fn refresh_flags(&self) -> Result<(), StoreError> {
        if flags::refresh(&self.flags, &*self.store).await? == Changed::Yes {
            self.apply_flags().await;
        }
        Ok(())
    }

    /// Tells those who do not ask by themselves what is turned on now. One round at a time, so that the last word
    /// everybody hears is the present one.
    async fn apply_flags(&self) {
        let _turn = self.announcing.lock().await;
        self.ice.use_fallback(self.flags.is_on(Flag::TurnFallback));
        self.calls.flags_changed().await;
    }

    /// Follows what operators store about flags, for ever.
    async fn follow_flags(&self) {
        let mut follower = Follower::new(self.config.flags_poll);
        loop {
            follower.changed(&self.flags, &*self.store).await;
            self.apply_flags().await;
        }
    }

    /// Where a request comes from.
    pub(crate) fn region_of(&self, peer: Option<&ConnectInfo<SocketAddr>>, headers: &HeaderMap) -> Region {
        let trusted = &self.config.http.trusted_proxies;
        Region::of_request(peer.map(|peer| peer.0), headers, trusted, &self.region)
    }

    /// Whether new calls may begin: not on a server that is about to end.
    pub(crate) fn takes_calls(&self) -> Result<(), ErrorBody> {
        if self.is_draining() {
            return Err(ErrorBody::new(ErrorCode::ServiceUnavailable));
        }
        Ok(())
    }
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot find out which calls are live.
    #[error("the calls that were live cannot be read: {0}")]
    Store(#[from] StoreError),
}

impl Gateway {
    /// Starts the gateway: takes up the calls that were live, connects to the media nodes, and from then on serves
    /// whoever comes by [`Self::router`].
    ///
    /// # Errors
    /// If the store does not tell which calls were live.
    pub async fn start(config: GatewayConfig, store: Arc<dyn Store>) -> Result<Self, StartError> {
        Self::start_with(config, store, Arc::new(Metrics::new())).await
    }

    /// As [`Self::start`], with metrics that the store reports to as well.
    ///
    /// # Errors
    /// If the store does not tell which calls were live.
    pub async fn start_with(
        config: GatewayConfig,
        store: Arc<dyn Store>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        let cluster: Arc<dyn Cluster> = Arc::new(InProcess::default());
        let tokens = Arc::new(Tokens::new(&config.login, &config.media));
        let sockets = Arc::new(Sockets::new(Arc::clone(&store), Arc::clone(&cluster)));
        let (nodes, reports) = Nodes::start(
            &config.nodes.urls,
            Arc::clone(&tokens),
            Arc::clone(&cluster),
            Patience::default(),
        );
        let ice = Arc::new(IceServers::new(config.ice.clone()));
        let flags = Arc::new(Flags::new(config.flags.clone()));
        let auth = Authenticator::new(Arc::clone(&tokens), Arc::clone(&store));
        let region = Region::new(&config.region).unwrap_or_default();
        let calls = Calls::new(Parts {
            region: region.clone(),
            store: Arc::clone(&store),
            tokens: Arc::clone(&tokens),
            authenticator: auth.clone(),
            ice: Arc::clone(&ice),
            flags: Arc::clone(&flags),
            metrics: Arc::clone(&metrics),
            sockets: Arc::clone(&sockets),
            nodes: Arc::clone(&nodes),
            cluster: Arc::clone(&cluster),
            settings: config.calls,
            media_url: config.nodes.public_url.clone(),
        });
        let shared = Arc::new(Shared {
            limits: Limits::new(config.rate_limit_factor),
            refusals: Refusals::new(&config.ip_hash_key, Arc::clone(&metrics)),
            config,
            store,
            tokens,
            auth,
            ice,
            flags,
            announcing: tokio::sync::Mutex::default(),
            metrics,
            calls,
            sockets,
            nodes,
            draining: AtomicBool::new(false),
            region,
            started_at: Timestamp::from(SystemTime::now()),
        });
        shared.ice.use_fallback(shared.flags.is_on(Flag::TurnFallback));
        // Before any call is taken up: what was turned off stays off over a restart.
        shared.refresh_flags().await?;
        shared.calls.restore().await?;
        let mut work = JoinSet::new();
        let calls = shared.calls.clone();
        work.spawn(async move { calls.hear(reports).await });
        let calls = shared.calls.clone();
        work.spawn(async move { calls.keep_up().await });
        let sockets = Arc::clone(&shared.sockets);
        work.spawn(async move { sockets.relay().await });
        let follower = Arc::clone(&shared);
        work.spawn(async move { follower.follow_flags().await });
        let (ice, metrics) = (Arc::clone(&shared.ice), Arc::clone(&shared.metrics));
        work.spawn(ice_servers::watch(ice, metrics));
        let (layer, io) = socket::layer(&shared);
        Ok(Self {
            shared,
            work,
            io,
            layer,
        })
    }

    /// All routes: REST, Socket.IO, the rooms of media nodes. `beside` adds those of whoever embeds the gateway; its
    /// fallback answers what neither knows.
    pub fn router(&self, beside: Option<Router>) -> Router {
        let rooms = proxy::routes(Arc::clone(&self.shared.nodes));
        let routes = http::routes(&self.shared).merge(http::proxied(rooms, &self.shared));
        let routes = match beside {
            Some(beside) => routes.merge(beside),
            None => routes.fallback(not_found),
        };
        let routes = http::measured(routes, &self.shared).layer(self.layer.clone());
        http::protected(routes, &self.shared)
    }

    /// Says from now on that it is not ready for more; what runs goes on.
    pub fn begin_drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    /// Changes what is turned on, for calls that run as well (contract §8.9).
    pub async fn set_flags(&self, flags: FlagsConfig) {
        self.shared.flags.set(flags);
        self.shared.apply_flags().await;
    }

    /// How many calls run here.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.shared.calls.count()
    }

    /// Stops: every device is disconnected, and will come back where the gateway is started again. Calls stay as they
    /// are in the store.
    pub async fn stop(mut self) {
        self.work.shutdown().await;
        self.io.close().await;
    }
}
