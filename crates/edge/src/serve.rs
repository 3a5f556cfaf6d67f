//! Listening, and ending well.
//!
//! One task a connection: whoever is slow, with a TLS handshake, with the head of a request or with taking the answer,
//! keeps nobody else waiting, and is let go after a while.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::tls::Tls;
use patient::{Patient, Upgraded};

mod patient;
#[cfg(test)]
mod tests;

/// How long connections that are still open at the end are waited for.
const GOODBYE: Duration = Duration::from_secs(3);

/// How long a TLS handshake may take; on a bad mobile network it takes two or three seconds.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long the head of a request may take to come. A kept connection on which nothing is asked ends after that time
/// too, so it is longer than the minute for which proxies keep theirs: who drops a connection first must be they.
pub const HEAD: Duration = Duration::from_secs(75);

/// How long nothing is accepted when the system has no room for another connection.
const FULL: Duration = Duration::from_secs(1);

/// What the first byte of a TLS connection is: a handshake record (RFC 8446 §5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// The port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("PORT: cannot listen on {address} ({source}); set PORT to a free port or BIND_IP to an own address")]
pub struct ListenError {
    /// Where the server was to listen.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
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

/// Whether connections are encrypted.
#[derive(Clone)]
pub enum Scheme {
    /// Plain HTTP: on this machine alone, or behind a proxy.
    Http,
    /// HTTPS with this identity. Whoever speaks plain HTTP to the port is sent to the HTTPS address.
    Https(Tls),
}

impl Scheme {
    /// As a URL begins.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https(_) => "https",
        }
    }
}

/// Serves plain HTTP until `end`, then gives open connections a moment to finish.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_by(listener, Scheme::Http, router, end).await
}

/// Serves by this scheme until `end`, then gives open connections a moment to finish.
///
/// # Errors
/// Those of the listener.
pub async fn serve_by(
    listener: TcpListener,
    scheme: Scheme,
    router: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Made into services once: a fallback that is still a handler is layered anew for every request, and Socket.IO
    // around it would begin each time without the sessions of long polling.
    let router = router.with_state(());
    let ending = CancellationToken::new();
    let connections = TaskTracker::new();
    let mut end = pin!(end);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut end => break,
        };
        // Answers and events are small and must not wait for one another (RFC 896 against RFC 1122 §4.2.3.2).
        drop(stream.set_nodelay(true));
        let (scheme, router) = (scheme.clone(), router.clone());
        connections.spawn(greet(stream, peer, scheme, router, ending.clone()));
    }
    drop(listener);
    ending.cancel();
    connections.close();
    // Who is not done by then goes down with the process.
    let _ = timeout(GOODBYE, connections.wait()).await;
    Ok(())
}

/// The next connection; errors of single connections are theirs alone.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                // Most likely too many open files: others must end before there is room.
                tracing::error!(%error, "no connection can be accepted for the moment");
                tokio::time::sleep(FULL).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// One connection, from its first byte to its last.
async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    scheme: Scheme,
    router: Router,
    ending: CancellationToken,
) {
    let Scheme::Https(tls) = scheme else {
        return attend(stream, peer, router, ending).await;
    };
    let greeting = async {
        if first_byte(&stream).await? == HANDSHAKE_RECORD {
            return tls.accept(stream).await.map(Greeted::Encrypted);
        }
        Ok(Greeted::Plain(stream))
    };
    let greeted = tokio::select! {
        greeted = timeout(HANDSHAKE, greeting) => greeted,
        () = ending.cancelled() => return,
    };
    match greeted {
        Ok(Ok(Greeted::Encrypted(stream))) => attend(*stream, peer, router, ending).await,
        Ok(Ok(Greeted::Plain(stream))) => attend(stream, peer, sends_to_https(), ending).await,
        // Scanners and people who do not trust the certificate come by all the time.
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// What came of the first bytes.
enum Greeted {
    Encrypted(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    Plain(TcpStream),
}

/// The first byte, left where it is.
async fn first_byte(stream: &TcpStream) -> io::Result<u8> {
    let mut byte = [0];
    match stream.peek(&mut byte).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(byte[0]),
    }
}

/// Answers the requests of one connection.
async fn attend<I>(io: I, peer: SocketAddr, router: Router, ending: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let upgraded = Upgraded::default();
    let io = Patient::new(io, upgraded.clone());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.call(request.map(Body::new));
        let upgraded = upgraded.clone();
        async move {
            let answer: Response = answer.await.unwrap_or_else(|never| match never {});
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                upgraded.note();
            }
            Ok::<Response, Infallible>(answer)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(io), service).with_upgrades());
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::trace!(%error, "a connection ended early");
    }
}

/// For whoever speaks plain HTTP to an HTTPS port.
fn sends_to_https() -> Router {
    Router::new().fallback(|uri: Uri, headers: HeaderMap| async move { to_https(&uri, &headers) })
}

fn to_https(uri: &Uri, headers: &HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let target = host.map(|host| HeaderValue::from_str(&format!("https://{host}{path}")));
    match target {
        Some(Ok(target)) => (
            StatusCode::PERMANENT_REDIRECT,
            [
                (header::LOCATION, target),
                // The port may be a plain one again some day.
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
        )
            .into_response(),
        _ => (StatusCode::BAD_REQUEST, "This port speaks HTTPS.").into_response(),
    }
}
