//! A media node put together and run.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use edge::serve::ListenError;
use edge::setting::SettingError;
use link::bwe::Bitrate;
use link::{Certificate, CertificateError};
use sfu::spec::WorkerConfig;
use signalling::client_node::DtlsFingerprint;
use signalling::error::ErrorBody;
use signalling::gateway_node::{ServiceEvent, WorkerDied};
use signalling::{CallId, ErrorCode};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::api::auth::TokenVerifier;
use crate::api::limits::RateLimiter;
use crate::api::{self, Api};
use crate::config::{CertificateSource, Config, ConfigError, Environment, IceTcp};
use crate::control::notice::{self, NoticeReceiver};
use crate::control::rooms::{Rooms, Standing};
use crate::control::workers::{NumberedNotice, StartWorkersError, Workers, WorkersConfig};
use crate::control::{Context, Offer, Timings, TransportSettings};
use crate::drain::Drain;
use crate::metrics::Metrics;
use crate::register::Registrar;
use crate::status::{LoadProbe, Status};
use crate::worker::WorkerNotice;

/// Silence after which a path is given up (contract §1.9; RFC 7675 §5.1).
const CONSENT_TIMEOUT: Duration = Duration::from_secs(30);

/// What one client may send altogether: a camera and a screen at their caps (contract §1.9: 5 Mbit/s each).
const MAX_INCOMING_BITRATE: Bitrate = Bitrate(10_000_000);

/// How often the load is sampled (contract §3.8).
const LOAD_INTERVAL: Duration = Duration::from_secs(1);

/// What a node does differently depending on who runs it.
#[derive(Clone)]
pub struct NodeOptions {
    /// How long things may take.
    pub timings: Timings,
    /// The load, in place of the machine's.
    pub load_probe: Option<LoadProbe>,
    /// How often it is sampled.
    pub load_interval: Duration,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            timings: Timings::default(),
            load_probe: None,
            load_interval: LOAD_INTERVAL,
        }
    }
}

/// Why a node could not be started. Each message names the setting to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The workers' ports or threads.
    #[error(transparent)]
    Workers(#[from] StartWorkersError),
    /// A setting that proved wrong only now.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate files.
    #[error("DTLS_CERT_FILE and DTLS_KEY_FILE: {0}; give PEM files with an ECDSA P-256 key, or neither")]
    Certificate(CertificateError),
    /// No certificate could be made.
    #[error("the DTLS certificate could not be made: {0}")]
    NoCertificate(CertificateError),
    /// The HTTP port.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A running media node. Clones are the same node.
#[derive(Clone)]
pub struct Node {
    api: Arc<Api>,
    notices: Arc<Mutex<Option<NoticeReceiver>>>,
    registrar: Arc<Mutex<Option<Registrar>>>,
    tasks: CancellationToken,
}

impl Node {
    /// Starts the workers and everything but the listener. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Says which setting to change.
    pub fn start(config: &Config, options: NodeOptions) -> Result<Self, StartError> {
        let certificate = certificate(&config.media.certificate)?;
        let fingerprint = certificate.fingerprint();
        let offer = Offer::new(&config.media.codecs);
        let media = &config.media;
        let (worker_notices, worker_inbox) = mpsc::unbounded_channel();
        let workers = WorkersConfig {
            bind_ip: media.bind_ip,
            ports: media.ports.min..=media.ports.max,
            workers: media.workers.get(),
            tcp: media.tcp == IceTcp::Enabled,
            spread_at: media.spread_at.share(),
            worker: WorkerConfig {
                certificate,
                seed: 0,
                extensions: offer.extensions,
                consent_timeout: CONSENT_TIMEOUT,
                train_padding: media.train_padding,
            },
        };
        let workers = Workers::start(workers, worker_notices)?;
        let (notices, inbox) = notice::channel();
        let metrics = Arc::new(Metrics::new());
        let context = Arc::new(Context {
            workers,
            notices,
            metrics: Arc::clone(&metrics),
            offer,
            transports: TransportSettings {
                announced: media.announced.clone(),
                tcp: media.tcp,
                initial_outgoing_bitrate: media.initial_outgoing_bitrate,
                max_incoming_bitrate: MAX_INCOMING_BITRATE,
                fingerprint: DtlsFingerprint {
                    algorithm: fingerprint.algorithm().name().to_owned(),
                    value: fingerprint.to_string(),
                },
            },
            capacity: config.capacity,
            timings: options.timings,
            registry: Default::default(),
            admission: Default::default(),
            presence: Default::default(),
        });
        let rooms = Rooms(Arc::clone(&context));
        let status = Arc::new(Status::new(
            Arc::clone(&context),
            options.load_probe,
            config.region.clone(),
        ));
        let tasks = CancellationToken::new();
        spawn_until(&tasks, Arc::clone(&status).watch_load(options.load_interval));
        spawn_until(&tasks, dispatch(context, worker_inbox));
        let registrar = Registrar::new(config, Arc::clone(&status));
        let api = Arc::new(Api {
            drain: Drain::new(rooms.clone(), config.drain_timeout),
            rooms,
            verifier: TokenVerifier::new(&config.secrets),
            limiter: RateLimiter::new(options.timings.rate_window),
            metrics,
            trusted_proxies: config.http.trusted_proxies.clone(),
            allowed_origins: config.http.allowed_origins.clone(),
            status,
            production: config.environment == Environment::Production,
        });
        tracing::info!(
            server = %config.server_id, region = %config.region, workers = media.workers,
            "media node started"
        );
        Ok(Self {
            api,
            notices: Arc::new(Mutex::new(Some(inbox))),
            registrar: Arc::new(Mutex::new(registrar)),
            tasks,
        })
    }

    /// The node's routes with Socket.IO. `beside` adds routes of whoever embeds the node; its fallback answers what
    /// neither knows.
    ///
    /// # Panics
    /// If called a second time: there is one Socket.IO server per node.
    pub fn router(&self, beside: Option<Router>) -> Router {
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner).take();
        api::router(&self.api, notices.expect("a node has one router"), beside)
    }

    /// Tells the gateways of `GATEWAY_URL`, if there are any, that the node is there, again and again from now on: once
    /// it is listening. Must be called within a tokio runtime; a second call changes nothing.
    pub fn register(&self) {
        let registrar = self
            .registrar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(registrar) = registrar {
            spawn_until(&self.tasks, registrar.run());
        }
    }

    /// Creates a call's room unless it exists, for whoever embeds the node.
    ///
    /// # Errors
    /// As the endpoint: the server takes no more rooms. Also when the room has all the participants it may.
    pub async fn ensure_room(&self, call: &CallId) -> Result<(), ErrorBody> {
        match self.api.rooms.create(call.clone(), Standing::Counted).await {
            Err(error) if error.code == ErrorCode::RoomAlreadyExists => {}
            created => return created.map(drop),
        }
        let most = self.api.rooms.0.capacity.participants_per_room;
        let room = self
            .api
            .rooms
            .with(call, |room| Box::pin(async move { room.describe() }))
            .await;
        match room {
            Ok(room) if room.participant_count as usize >= most => Err(ErrorBody::new(ErrorCode::RoomFull)),
            Ok(_) => Ok(()),
            // It ended between the two questions.
            Err(_) => self
                .api
                .rooms
                .create(call.clone(), Standing::Counted)
                .await
                .map(drop),
        }
    }

    /// Verifies a token for this node.
    ///
    /// # Errors
    /// [`api::auth::InvalidToken`], whatever is wrong with it.
    pub fn verify(&self, token: &str) -> Result<signalling::token::Claims, api::auth::InvalidToken> {
        self.api.verifier.verify(token)
    }

    /// What the node's requests are counted by for a client at `peer`; `None` for a client behind a proxy that
    /// nobody told it to trust.
    pub fn client_key(&self, peer: SocketAddr, headers: &axum::http::HeaderMap) -> String {
        edge::ClientAddress::of(peer, headers, &self.api.trusted_proxies).key()
    }

    /// The node's way out.
    pub fn drain(&self) -> &Drain {
        &self.api.drain
    }

    /// Addresses the worker threads are bound to.
    pub fn worker_addresses(&self) -> Vec<sfu::spec::WorkerAddresses> {
        self.api.rooms.0.workers.addresses()
    }

    /// Makes a worker's thread panic as a bug in it would.
    #[doc(hidden)]
    pub fn panic_worker_for_test(&self, index: usize) {
        self.api.rooms.0.workers.panic_for_test(index);
    }

    /// Ends the worker threads and tasks; what is left of calls is lost.
    pub fn stop(&self) {
        self.tasks.cancel();
        self.api.rooms.0.workers.stop();
    }
}

/// Listens where the configuration says.
///
/// # Errors
/// [`StartError::Listen`].
pub async fn listen(config: &Config) -> Result<TcpListener, StartError> {
    Ok(edge::serve::listen(config.http.listen).await?)
}

fn certificate(source: &CertificateSource) -> Result<Certificate, StartError> {
    let CertificateSource::Files { certificate, key } = source else {
        return Certificate::generate().map_err(StartError::NoCertificate);
    };
    let read = |setting, path: &std::path::Path| {
        std::fs::read_to_string(path)
            .map_err(|error| SettingError::UnreadableFile {
                setting,
                path: path.display().to_string(),
                reason: error.kind().to_string(),
            })
            .map_err(ConfigError::from)
    };
    let certificate = read("DTLS_CERT_FILE", certificate)?;
    let key = read("DTLS_KEY_FILE", key)?;
    Certificate::from_pem(&certificate, &key).map_err(StartError::Certificate)
}

fn spawn_until(end: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let end = end.clone();
    tokio::spawn(async move { end.run_until_cancelled(task).await });
}

/// Brings what workers report to the owners of the rooms concerned, and replaces workers that die.
async fn dispatch(context: Arc<Context>, mut notices: mpsc::UnboundedReceiver<NumberedNotice>) {
    while let Some((number, notice)) = notices.recv().await {
        match notice {
            WorkerNotice::Event(event) => {
                if let Some(room) = context.workers.owner(number, &event) {
                    // A room that is gone needs no more events.
                    let _ = room.post(move |room| Box::pin(async move { room.handle_event(number, event) }));
                }
            }
            WorkerNotice::Died { message } => {
                tracing::error!(panic = message, "a worker died");
                context.metrics.worker_died();
                bury(&context, number);
            }
        }
    }
}

fn bury(context: &Context, number: crate::control::workers::WorkerNumber) {
    let Some(casualties) = context.workers.replace(number) else {
        return;
    };
    context.notices.services(ServiceEvent::WorkerDied(WorkerDied {
        worker: u32::try_from(casualties.index).unwrap_or(u32::MAX),
        call_ids: casualties.homes.iter().map(|room| room.call().clone()).collect(),
    }));
    for room in casualties.homes.into_iter().chain(casualties.branches) {
        // Gone already is as good.
        let _ = room.post(move |room| Box::pin(async move { room.worker_died(number) }));
    }
}

/// The announced addresses as text, for the line that says where the node is.
pub fn join_addresses(addresses: &[IpAddr]) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
