use std::io::{Read, Write};
use std::net::TcpStream as StdStream;

use axum::extract::Request;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use super::patient::WRITE;
use super::*;
use crate::tls::client::{self, Trust};
use crate::tls::fixture::Made;

const REQUEST: &[u8] = b"GET /who HTTP/1.1\r\nHost: meeshy.test:4000\r\n\r\n";
const LAST_REQUEST: &[u8] = b"GET /who HTTP/1.1\r\nHost: meeshy.test:4000\r\nConnection: close\r\n\r\n";

/// Says who asks.
fn router() -> Router {
    Router::new().route(
        "/who",
        get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { format!("you are {peer}") }),
    )
}

/// A server that ends when `end` is used or dropped.
struct Running {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

async fn running(scheme: Scheme) -> Running {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (end, ended) = oneshot::channel::<()>();
    let server = tokio::spawn(serve_by(
        listener,
        scheme,
        router(),
        async move { drop(ended.await) },
    ));
    Running { address, end, server }
}

/// One request that ends the connection; the whole answer.
fn last_answer(mut stream: impl Read + Write) -> String {
    stream.write_all(LAST_REQUEST).expect("it takes a request");
    let mut answer = String::new();
    // Peers that close without a TLS goodbye are common; what counts is what came.
    let _ = stream.read_to_string(&mut answer);
    answer
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.expect("it does not panic")
}

#[tokio::test]
async fn requests_know_where_they_come_from() {
    let server = running(Scheme::Http).await;
    let (answer, own) = blocking(move || {
        let stream = StdStream::connect(server.address).expect("it accepts");
        let own = stream.local_addr().expect("connected");
        (last_answer(stream), own)
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("you are {own}")), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_the_server_from_ending() {
    let server = running(Scheme::Http).await;
    let stream = blocking(move || {
        let mut stream = StdStream::connect(server.address).expect("it accepts");
        stream.write_all(REQUEST).expect("it takes a request");
        let mut first = [0; 15];
        stream.read_exact(&mut first).expect("it answers");
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        stream
    })
    .await;
    drop(server.end);
    let begun = std::time::Instant::now();
    server.server.await.expect("no panic").expect("a good end");
    assert!(
        begun.elapsed() < GOODBYE,
        "idle connections are closed, not waited for"
    );
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_ends_the_connection() {
    for sent in [&b""[..], b"GET /who HTTP/1.1\r\nHost: a"] {
        let (mut client, server) = duplex(1024);
        let begun = Instant::now();
        let ending = CancellationToken::new();
        let task = tokio::spawn(attend(
            server,
            SocketAddr::from(([192, 0, 2, 1], 9)),
            router(),
            ending,
        ));
        client.write_all(sent).await.expect("it reads");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.expect("it closes");
        assert_eq!(begun.elapsed().as_secs(), HEAD.as_secs());
        task.await.expect("no panic");
    }
}

/// More than fits into what lies between the two ends of the tests below.
const LARGE: usize = 10_000;

/// Asks for a large answer over a connection that holds little of it; gives the client's end and the server's task.
async fn asked_for_much(request: &[u8], router: Router) -> (DuplexStream, JoinHandle<()>) {
    let (mut client, server) = duplex(1024);
    let peer = SocketAddr::from(([192, 0, 2, 1], 9));
    let task = tokio::spawn(attend(server, peer, router, CancellationToken::new()));
    client.write_all(request).await.expect("it reads");
    (client, task)
}

fn large() -> Router {
    Router::new().route("/who", get(|| async { vec![b'x'; LARGE] }))
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_ends_the_connection() {
    let begun = Instant::now();
    let (client, task) = asked_for_much(LAST_REQUEST, large()).await;
    task.await.expect("no panic");
    assert_eq!(begun.elapsed().as_secs(), WRITE.as_secs());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn who_takes_an_answer_slowly_gets_all_of_it() {
    let (mut client, task) = asked_for_much(LAST_REQUEST, large()).await;
    let mut answer = Vec::new();
    loop {
        tokio::time::sleep(WRITE.mul_f64(0.9)).await;
        let mut some = [0; 500];
        match client.read(&mut some).await.expect("it is there") {
            0 => break,
            count => answer.extend_from_slice(&some[..count]),
        }
    }
    assert!(answer.ends_with(&[b'x'; LARGE]));
    task.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_http_minds_its_peer_by_itself() {
    async fn upgraded(request: Request) -> Response {
        tokio::spawn(async move {
            let io = hyper::upgrade::on(request).await.expect("it is upgraded");
            let written = TokioIo::new(io).write_all(&[b'x'; LARGE]).await;
            written.expect("it waits for whoever reads");
        });
        let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "test")];
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }
    let request = b"GET /who HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n";
    let (mut client, _task) = asked_for_much(request, Router::new().route("/who", get(upgraded))).await;
    tokio::time::sleep(WRITE * 10).await;
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.expect("it is still there");
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    assert!(answer.ends_with(&[b'x'; LARGE]));
}

#[tokio::test(start_paused = true)]
async fn a_connection_in_use_lives_longer_than_a_head_may_take() {
    let (mut client, server) = duplex(1024);
    let ending = CancellationToken::new();
    tokio::spawn(attend(
        server,
        SocketAddr::from(([192, 0, 2, 1], 9)),
        router(),
        ending,
    ));
    for _ in 0..4 {
        tokio::time::sleep(HEAD.mul_f64(0.9)).await;
        client.write_all(REQUEST).await.expect("it is still there");
        let mut answer = [0; 15];
        client.read_exact(&mut answer).await.expect("it answers");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        // The rest of the answer, so that the next one begins at its beginning.
        let mut rest = [0; 1024];
        let mut got = Vec::new();
        while !got.ends_with(b"192.0.2.1:9") {
            let count = client.read(&mut rest).await.expect("it answers");
            got.extend_from_slice(&rest[..count]);
        }
    }
}

#[tokio::test]
async fn requests_are_answered_over_tls_with_the_clients_address() {
    let server = running(Scheme::Https(Tls::new(Made::new("meeshy.test").identity()))).await;
    let (answer, own) = blocking(move || {
        let stream = StdStream::connect(server.address).expect("it accepts");
        let own = stream.local_addr().expect("connected");
        let stream = client::connect(stream, "meeshy.test", Trust::Anybody).expect("a handshake");
        (last_answer(stream), own)
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("you are {own}")), "{answer}");
}

#[tokio::test]
async fn nobody_waits_for_somebody_elses_handshake() {
    let server = running(Scheme::Https(Tls::new(Made::new("meeshy.test").identity()))).await;
    let answer = blocking(move || {
        let silent: Vec<StdStream> = (0..20)
            .map(|_| StdStream::connect(server.address).expect("it accepts"))
            .collect();
        let stream = StdStream::connect(server.address).expect("it accepts");
        let stream = client::connect(stream, "meeshy.test", Trust::Anybody).expect("a handshake");
        let answer = last_answer(stream);
        drop(silent);
        answer
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_ends_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    // Nothing at all, and the beginning of a record that does not go on.
    for sent in [&b""[..], &[HANDSHAKE_RECORD, 3, 1]] {
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut client, (stream, peer)) = (client.expect("connected"), accepted.expect("accepted"));
        client.write_all(sent).await.expect("it reads");
        let begun = Instant::now();
        let scheme = Scheme::Https(Tls::new(Made::new("meeshy.test").identity()));
        greet(stream, peer, scheme, router(), CancellationToken::new()).await;
        assert_eq!(begun.elapsed().as_secs(), HANDSHAKE.as_secs());
    }
}

#[tokio::test]
async fn who_forgets_the_s_is_sent_to_https() {
    let server = running(Scheme::Https(Tls::new(Made::new("meeshy.test").identity()))).await;
    let answer = blocking(move || last_answer(StdStream::connect(server.address).expect("it accepts"))).await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(
        answer.contains("location: https://meeshy.test:4000/who\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn open_connections_outlive_a_change_of_certificate() {
    let tls = Tls::new(Made::new("old.test").identity());
    let server = running(Scheme::Https(tls.clone())).await;
    let address = server.address;
    let connect = move || {
        let stream = StdStream::connect(address).expect("it accepts");
        client::connect(stream, "meeshy.test", Trust::Anybody).expect("a handshake")
    };
    let shown = |stream: &client::TlsStream| client::shown(stream).expect("a certificate");
    let old = blocking(connect).await;
    let renewed = Made::new("new.test").identity();
    tls.replace(renewed.clone());
    let new = blocking(connect).await;
    assert_eq!(&shown(&new), renewed.certificate());
    assert_ne!(shown(&old), shown(&new));
    for stream in [old, new] {
        let answer = blocking(move || last_answer(stream)).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}
