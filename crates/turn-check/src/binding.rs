//! What is our address? A STUN server answers anybody (RFC 8489 §2), a media port whoever has its ICE credentials
//! (RFC 8445 §7).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::message::{Builder, Key, Message, TransactionId, attribute, kind};
use crate::wire::{Framing, Lost, Wire};
use crate::{Asking, Fault, ServerUrl, Step};

/// When a datagram that may be lost is sent again: RFC 8489 §6.2.1 with a first wait of 500 ms.
const AGAIN: Duration = Duration::from_millis(500);

/// How a media port is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream with a length before each message (RFC 6544 §3).
    Tcp,
}

/// What a media port knows somebody by.
#[derive(Clone)]
pub struct IceCredentials {
    /// Its user name fragment.
    pub username_fragment: String,
    /// Its password.
    pub password: String,
}

/// An answer to a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Our address as the server sees it.
    pub mapped: SocketAddr,
    /// How long the answer took.
    pub round_trip: Duration,
}

/// Asks a STUN server.
///
/// # Errors
/// [`Fault`].
pub async fn stun(url: &ServerUrl, asking: &Asking) -> Result<Bound, Fault> {
    let work = async {
        let mut wire = Wire::open(url, asking).await?;
        let id = TransactionId::random();
        bound(&mut wire, id, Builder::new(kind::BINDING, id).bytes(), None).await
    };
    within(asking.patience, Step::Binding, work).await
}

/// Asks a media port, as a browser's connectivity check does.
///
/// # Errors
/// [`Fault`].
pub async fn ice(
    address: SocketAddr,
    transport: Transport,
    credentials: &IceCredentials,
    asking: &Asking,
) -> Result<Bound, Fault> {
    let work = async {
        let mut wire = match transport {
            Transport::Udp => Wire::udp(address).await?,
            Transport::Tcp => Wire::tcp(address, Framing::Length).await?,
        };
        let key = Key::short_term(&credentials.password);
        let id = TransactionId::random();
        // Any priority of a peer-reflexive candidate (RFC 8445 §5.1.2.1), any tie breaker.
        let request = Builder::new(kind::BINDING, id)
            .with(
                attribute::USERNAME,
                format!("{}:check", credentials.username_fragment).as_bytes(),
            )
            .with(attribute::PRIORITY, &(110_u32 << 24 | 0xFF).to_be_bytes())
            .with(attribute::ICE_CONTROLLING, &[1; 8])
            .signed(&key)
            .fingerprinted();
        bound(&mut wire, id, request.bytes(), Some(&key)).await
    };
    within(asking.patience, Step::Binding, work).await
}

async fn bound(
    wire: &mut Wire,
    id: TransactionId,
    request: Vec<u8>,
    key: Option<&Key>,
) -> Result<Bound, Fault> {
    let begun = Instant::now();
    let answer = exchange(wire, id, &request, Step::Binding).await?;
    let round_trip = begun.elapsed();
    let bad = Fault::BadAnswer { step: Step::Binding };
    let answer = Message::parse(&answer).ok_or_else(|| bad.clone())?;
    if let Some((code, reason)) = answer.error() {
        return Err(match (code, key) {
            (401, Some(_)) => Fault::Unauthorized,
            _ => Fault::Refused {
                step: Step::Binding,
                code,
                reason,
            },
        });
    }
    let is_genuine = key.is_none_or(|key| answer.is_signed_by(key));
    let mapped = answer
        .address(attribute::XOR_MAPPED_ADDRESS)
        .filter(|_| is_genuine);
    mapped.map(|mapped| Bound { mapped, round_trip }).ok_or(bad)
}

/// Sends a request, again and again if it may be lost, and waits for its answer for ever.
pub(crate) async fn exchange(
    wire: &mut Wire,
    id: TransactionId,
    request: &[u8],
    step: Step,
) -> Result<Vec<u8>, Fault> {
    let peer = wire.peer();
    let lost = |lost: Lost| lost.fault(peer, step);
    let mut wait = AGAIN;
    loop {
        wire.send(request).await.map_err(lost)?;
        if !wire.is_lossy() {
            return answer(wire, id).await.map_err(lost);
        }
        if let Ok(answer) = timeout(wait, answer(wire, id)).await {
            return answer.map_err(lost);
        }
        wait *= 2;
    }
}

/// The answer with this id; others are not ours.
async fn answer(wire: &mut Wire, id: TransactionId) -> Result<Vec<u8>, Lost> {
    loop {
        let bytes = wire.receive().await?;
        if Message::parse(&bytes).is_some_and(|message| message.id() == id) {
            return Ok(bytes);
        }
    }
}

/// Gives up after that time.
pub(crate) async fn within<T>(
    patience: Duration,
    step: Step,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    timeout(patience, work).await.unwrap_or(Err(Fault::Silent {
        step,
        waited: patience,
    }))
}
