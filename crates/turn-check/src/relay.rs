//! Does a TURN server relay? Allocates, permits the relayed address to send to itself, sends a packet to it, waits
//! for it, and gives the address back (RFC 8656 §7, §9, §11).

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::binding::{exchange, within};
use crate::message::{Builder, Key, Message, TransactionId, attribute, kind};
use crate::wire::{Lost, Wire};
use crate::{Asking, Fault, ServerUrl, Step};

/// UDP, as RFC 8656 §18.8 writes it.
const UDP: [u8; 4] = [17, 0, 0, 0];
/// RFC 8656 §18.6.
const IPV6: [u8; 4] = [2, 0, 0, 0];
/// How long an allocation lives that nobody gives back, seconds: long enough for the check.
const LIFETIME: u32 = 60;
/// Packets may be lost; the next one is sent after that time.
const AGAIN: Duration = Duration::from_millis(300);
/// How long giving back may take.
const GOODBYE: Duration = Duration::from_millis(500);
/// Credentials that are missing or wrong.
const UNAUTHORIZED: u16 = 401;
/// A nonce that is too old.
const STALE_NONCE: u16 = 438;
/// An address that is not to be relayed to.
const FORBIDDEN: u16 = 403;

/// A user of a TURN server; not shown.
#[derive(Clone)]
pub struct Credentials {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(..)")
    }
}

/// What a TURN server did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// The address it gave us.
    pub relayed: SocketAddr,
    /// Our address as it sees it.
    pub mapped: Option<SocketAddr>,
    /// Whether a packet came back.
    pub back: Loop,
}

/// Whether a packet to the server's own address came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// It did, after this time.
    Back(Duration),
    /// The server relays to other addresses only: it allocates, and cannot be tried further from here.
    Forbidden,
}

/// Checks a TURN server.
///
/// # Errors
/// [`Fault`].
pub async fn check(url: &ServerUrl, credentials: &Credentials, asking: &Asking) -> Result<Relayed, Fault> {
    let begun = Instant::now();
    let left = || asking.patience.saturating_sub(begun.elapsed());
    let wire = within(asking.patience, Step::Connect, Wire::open(url, asking)).await?;
    let mut session = within(left(), Step::Allocate, Session::begin(wire, credentials)).await?;
    let outcome = match within(left(), Step::Permission, session.permit_itself()).await {
        Ok(()) => session.send_to_itself(left()).await,
        Err(Fault::Refused { code: FORBIDDEN, .. }) => Ok(Loop::Forbidden),
        Err(fault) => Err(fault),
    };
    session.end().await;
    outcome.map(|back| Relayed {
        relayed: session.relayed,
        mapped: session.mapped,
        back,
    })
}

/// An allocation on a server.
struct Session {
    wire: Wire,
    credentials: Credentials,
    realm: String,
    nonce: String,
    key: Key,
    relayed: SocketAddr,
    mapped: Option<SocketAddr>,
}

/// What a server refused.
struct Refusal {
    code: u16,
    reason: String,
    realm: Option<String>,
    nonce: Option<String>,
}

impl Session {
    async fn begin(mut wire: Wire, credentials: &Credentials) -> Result<Self, Fault> {
        let bad = Fault::BadAnswer { step: Step::Allocate };
        // Without credentials first: the refusal says for which realm they are to be.
        let id = TransactionId::random();
        let request = allocate(id, wire.peer()).fingerprinted().bytes();
        let answer = exchange(&mut wire, id, &request, Step::Allocate).await?;
        let answer = Message::parse(&answer).ok_or_else(|| bad.clone())?;
        let challenge = Refusal::of(&answer).ok_or_else(|| bad.clone())?;
        let (UNAUTHORIZED, Some(realm), Some(nonce)) = (challenge.code, challenge.realm, challenge.nonce)
        else {
            return Err(Fault::Refused {
                step: Step::Allocate,
                code: challenge.code,
                reason: challenge.reason,
            });
        };
        let server = wire.peer();
        let mut session = Self {
            key: Key::long_term(&credentials.username, &realm, &credentials.password),
            credentials: credentials.clone(),
            // Until the server gives one.
            relayed: server,
            mapped: None,
            wire,
            realm,
            nonce,
        };
        let answer = session.request(Step::Allocate, |id| allocate(id, server)).await?;
        let answer = Message::parse(&answer).ok_or_else(|| bad.clone())?;
        session.relayed = answer.address(attribute::XOR_RELAYED_ADDRESS).ok_or(bad)?;
        session.mapped = answer.address(attribute::XOR_MAPPED_ADDRESS);
        Ok(session)
    }

    /// One request with credentials; its answer, which is genuine and no refusal. A nonce that has become too old is
    /// replaced once.
    async fn request(
        &mut self,
        step: Step,
        build: impl Fn(TransactionId) -> Builder,
    ) -> Result<Vec<u8>, Fault> {
        let mut fresh = false;
        loop {
            let id = TransactionId::random();
            let request = build(id)
                .with(attribute::USERNAME, self.credentials.username.as_bytes())
                .with(attribute::REALM, self.realm.as_bytes())
                .with(attribute::NONCE, self.nonce.as_bytes())
                .signed(&self.key)
                .fingerprinted();
            let bytes = exchange(&mut self.wire, id, &request.bytes(), step).await?;
            let answer = Message::parse(&bytes).ok_or(Fault::BadAnswer { step })?;
            match Refusal::of(&answer) {
                None if answer.is_signed_by(&self.key) => return Ok(bytes),
                None => return Err(Fault::BadAnswer { step }),
                Some(Refusal {
                    code: STALE_NONCE,
                    nonce: Some(nonce),
                    ..
                }) if !fresh => {
                    self.nonce = nonce;
                    fresh = true;
                }
                Some(Refusal {
                    code: UNAUTHORIZED, ..
                }) => return Err(Fault::Unauthorized),
                Some(Refusal { code, reason, .. }) => return Err(Fault::Refused { step, code, reason }),
            }
        }
    }

    async fn permit_itself(&mut self) -> Result<(), Fault> {
        let relayed = self.relayed;
        let build =
            |id| Builder::new(kind::CREATE_PERMISSION, id).with_address(attribute::XOR_PEER_ADDRESS, relayed);
        self.request(Step::Permission, build).await.map(drop)
    }

    /// Sends to the relayed address, through itself, until it comes back.
    async fn send_to_itself(&mut self, patience: Duration) -> Result<Loop, Fault> {
        let begun = Instant::now();
        let word = TransactionId::random().0;
        let peer = self.wire.peer();
        let lost = |lost: Lost| lost.fault(peer, Step::Relay);
        while begun.elapsed() < patience {
            let packet = Builder::new(kind::SEND, TransactionId::random())
                .with_address(attribute::XOR_PEER_ADDRESS, self.relayed)
                .with(attribute::DATA, &word);
            let sent = Instant::now();
            self.wire.send(&packet.bytes()).await.map_err(lost)?;
            let wait = if self.wire.is_lossy() { AGAIN } else { patience };
            match timeout(
                wait.min(patience.saturating_sub(begun.elapsed())),
                self.comes(&word),
            )
            .await
            {
                Ok(Ok(())) => return Ok(Loop::Back(sent.elapsed())),
                Ok(Err(error)) => return Err(lost(error)),
                Err(_) => {}
            }
        }
        Err(Fault::NotRelayed {
            relayed: self.relayed,
            waited: patience,
        })
    }

    async fn comes(&mut self, word: &[u8]) -> Result<(), Lost> {
        loop {
            let bytes = self.wire.receive().await?;
            let Some(message) = Message::parse(&bytes) else {
                continue;
            };
            if message.kind() == kind::DATA && message.value(attribute::DATA) == Some(word) {
                return Ok(());
            }
        }
    }

    /// Gives the relayed address back; if that fails it ends by itself.
    async fn end(&mut self) {
        let build = |id| Builder::new(kind::REFRESH, id).with(attribute::LIFETIME, &0_u32.to_be_bytes());
        let _ = timeout(GOODBYE, self.request(Step::Allocate, build)).await;
    }
}

impl Refusal {
    fn of(answer: &Message<'_>) -> Option<Self> {
        let (code, reason) = answer.error()?;
        Some(Self {
            code,
            reason,
            realm: answer.text(attribute::REALM).map(str::to_owned),
            nonce: answer.text(attribute::NONCE).map(str::to_owned),
        })
    }
}

/// Asks for a relayed address of the family by which the server is reached.
fn allocate(id: TransactionId, server: SocketAddr) -> Builder {
    let request = Builder::new(kind::ALLOCATE, id)
        .with(attribute::REQUESTED_TRANSPORT, &UDP)
        .with(attribute::LIFETIME, &LIFETIME.to_be_bytes());
    match server {
        SocketAddr::V4(_) => request,
        SocketAddr::V6(_) => request.with(attribute::REQUESTED_ADDRESS_FAMILY, &IPV6),
    }
}
