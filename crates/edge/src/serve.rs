//! Listening, and ending well.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long connections that are still open at the end are waited for.
const GOODBYE: Duration = Duration::from_secs(3);

/// The port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("PORT: cannot listen on {address} ({source}); set PORT to a free port or BIND_IP to an own address")]
pub struct ListenError {
    /// Where the server was to listen.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

/// Listens there.
///
/// # Errors
/// [`ListenError`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError { address, source })
}

/// Serves until `end`, then gives open connections a moment to finish.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let ending = CancellationToken::new();
    let ended = ending.clone();
    // Answers and events are small and must not wait for one another (RFC 896 against RFC 1122 §4.2.3.2).
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        end.await;
        ended.cancel();
    });
    tokio::select! {
        result = server => result,
        () = async { ending.cancelled().await; tokio::time::sleep(GOODBYE).await } => Ok(()),
    }
}
