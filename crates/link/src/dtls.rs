//! DTLS 1.2 and 1.3 for SRTP keying (RFC 5764). The only file that knows the engine.
//!
//! The peer's certificate is compared with the announced fingerprints the moment the engine reports it; keys
//! are handed out only after that, and only once the handshake has completed, which proves that the peer owns
//! the certificate's key. On a mismatch the engine is dropped with everything it wanted to send.
//!
//! Limits of the engine, version 0.9: certificates must be ECDSA (every browser's default is). The SRTP profile
//! cannot be configured: of what the client offers, a DTLS 1.2 server picks AEAD_AES_256_GCM, AEAD_AES_128_GCM,
//! AES128_CM_SHA1_80 in this order; a DTLS 1.3 server picks the first of the client's list that it knows; as
//! client it offers all three, 256 first. So 256-bit GCM is used where [`SrtpProfile::ALL`] would prefer 128.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate, Output, UnexpectedMessageError};

use crate::certificate::{CertificateError, Fingerprint};
use crate::srtp::{Inbound, KeyError, MasterKey, Outbound, SrtpProfile};

/// The role the *remote* endpoint announced (RFC 5763 §5, `a=setup`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// Leaves it to us; we are the server then.
    Auto,
    /// It sends the ClientHello.
    Client,
    /// It waits for ours.
    Server,
}

/// What signalling announced about the remote endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteDtls {
    /// Its role.
    pub role: DtlsRole,
    /// Fingerprints of its certificate; one of them has to match.
    pub fingerprints: Vec<Fingerprint>,
}

/// Where the handshake stands, in the words of the ORTC `RTCDtlsTransportState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtlsState {
    /// The remote parameters are not known.
    New,
    /// Waiting for the handshake to complete.
    Connecting,
    /// Complete; the peer's certificate has an announced fingerprint; SRTP keys are installed.
    Connected,
    /// Refused, timed out, or the fingerprint did not match. Final.
    Failed,
    /// Closed by either side. Final.
    Closed,
}

/// First retransmission of a flight; doubles each time. RFC 9147 §5.8.2 suggests 1 s where nothing is known of
/// the path and allows less for real-time media.
const FIRST_RETRANSMISSION: Duration = Duration::from_millis(400);

/// 0.4 s doubled this often exceeds [`HANDSHAKE_TIMEOUT`], which is the one that ends an attempt.
const RETRANSMISSIONS: usize = 7;

/// From the first usable path to the completed handshake (contract §1.9: 30 s).
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest DTLS datagram unless configured otherwise: passes every path IPv6 passes, with room for tunnels.
pub(crate) const DEFAULT_MTU: usize = 1200;

/// The engine never emits more than its MTU, and reports certificates of at most this size.
const SCRATCH: usize = 4096;

/// Pause after which an engine that asks to be called at once, and has been, is called again.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// A reported deadline beyond this means that none is set.
const NO_DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// A certificate with its key, and the engine configuration shared by all links that use it.
pub(crate) struct Identity {
    certificate: DtlsCertificate,
    config: Arc<dimpl::Config>,
}

impl Identity {
    pub(crate) fn generate() -> Result<Self, CertificateError> {
        let certificate =
            dimpl::certificate::generate_self_signed_certificate().map_err(|_| CertificateError::Generate)?;
        let config = engine_config(DEFAULT_MTU).ok_or(CertificateError::Engine)?;
        Ok(Self { certificate, config })
    }

    pub(crate) fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Result<Self, CertificateError> {
        let config = engine_config(DEFAULT_MTU).ok_or(CertificateError::Engine)?;
        let provider = config.crypto_provider();
        let mut key = provider
            .key_provider
            .load_private_key(&private_key)
            .map_err(|_| CertificateError::Key)?;
        let (message, mut signature) = (b"certificate and key belong together", dimpl::crypto::Buf::new());
        key.sign(message, key.hash_algorithm(), &mut signature)
            .map_err(|_| CertificateError::Key)?;
        provider
            .signature_verification
            .verify_signature(
                &certificate,
                message,
                &signature,
                key.hash_algorithm(),
                key.algorithm(),
            )
            .map_err(|_| CertificateError::Mismatch)?;
        Ok(Self {
            certificate: DtlsCertificate {
                certificate,
                private_key,
            },
            config,
        })
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate.certificate
    }

    #[cfg(test)]
    pub(crate) fn private_key(&self) -> &[u8] {
        &self.certificate.private_key
    }
}

fn engine_config(mtu: usize) -> Option<Arc<dimpl::Config>> {
    dimpl::Config::builder()
        .mtu(mtu)
        .flight_start_rto(FIRST_RETRANSMISSION)
        .flight_retries(RETRANSMISSIONS)
        .handshake_timeout(HANDSHAKE_TIMEOUT)
        .require_client_certificate(true)
        .build()
        .ok()
        .map(Arc::new)
}

/// Both halves of the SRTP session a handshake ended in.
pub(crate) struct SrtpSession {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound,
}

/// A datagram had no effect on the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejected;

enum Phase {
    /// Waiting for a path. A client's ClientHello has not been made yet, so its timers do not run.
    Waiting,
    /// Handshake under way, to be completed before the instant.
    Shaking(Instant),
    Connected,
    Failed,
    Closed,
}

/// One DTLS association.
pub(crate) struct Endpoint {
    engine: Option<Dtls>,
    phase: Phase,
    fingerprints: Vec<Fingerprint>,
    is_client: bool,
    seed: u64,
    verified: bool,
    finished: bool,
    exported: Option<(SrtpProfile, MasterKey, MasterKey)>,
    session: Option<SrtpSession>,
    packets: VecDeque<Vec<u8>>,
    engine_timeout: Option<Instant>,
    scratch: Box<[u8]>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// `None` when the MTU is too small for the engine.
    pub(crate) fn new(
        now: Instant,
        identity: &Identity,
        mtu: usize,
        remote: &RemoteDtls,
        seed: u64,
    ) -> Option<Self> {
        let config = if mtu == identity.config.mtu() {
            identity.config.clone()
        } else {
            engine_config(mtu)?
        };
        let mut engine = Dtls::new_auto(config, identity.certificate.clone(), now);
        let is_client = remote.role == DtlsRole::Server;
        engine.set_active(is_client);
        Some(Self {
            engine: Some(engine),
            phase: Phase::Waiting,
            fingerprints: remote.fingerprints.clone(),
            is_client,
            seed,
            verified: false,
            finished: false,
            exported: None,
            session: None,
            packets: VecDeque::new(),
            engine_timeout: None,
            scratch: vec![0; SCRATCH.max(mtu)].into_boxed_slice(),
        })
    }

    pub(crate) fn state(&self) -> DtlsState {
        match self.phase {
            Phase::Waiting | Phase::Shaking(_) => DtlsState::Connecting,
            Phase::Connected => DtlsState::Connected,
            Phase::Failed => DtlsState::Failed,
            Phase::Closed => DtlsState::Closed,
        }
    }

    /// A path is usable: a client sends its ClientHello, and the time for the handshake starts.
    pub(crate) fn start(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Waiting) {
            self.phase = Phase::Shaking(now + HANDSHAKE_TIMEOUT);
            self.drive(now, None).unwrap_or_else(|Rejected| self.fail());
        }
    }

    pub(crate) fn handle_packet(&mut self, now: Instant, packet: &[u8]) -> Result<(), Rejected> {
        match self.phase {
            Phase::Failed | Phase::Closed => return Err(Rejected),
            Phase::Waiting => self.start(now),
            Phase::Shaking(_) | Phase::Connected => {}
        }
        self.drive(now, Some(packet))
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        match self.phase {
            Phase::Waiting | Phase::Failed | Phase::Closed => return,
            Phase::Shaking(deadline) if now >= deadline => return self.fail(),
            Phase::Shaking(_) | Phase::Connected => {}
        }
        if self.is_due(now) {
            // A refusal has already ended the association.
            let _: Result<(), Rejected> = self.drive(now, None);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting | Phase::Failed | Phase::Closed => None,
            Phase::Shaking(deadline) => Some(
                self.engine_timeout
                    .map_or(deadline, |engine| engine.min(deadline)),
            ),
            Phase::Connected => self.engine_timeout,
        }
    }

    pub(crate) fn has_packet(&self) -> bool {
        !self.packets.is_empty()
    }

    /// Moves the next datagram into the buffer.
    pub(crate) fn poll_packet(&mut self, buffer: &mut Vec<u8>) -> bool {
        let Some(packet) = self.packets.pop_front() else {
            return false;
        };
        buffer.clear();
        buffer.extend_from_slice(&packet);
        true
    }

    /// The session, once: when the handshake has completed and the certificate has been verified.
    pub(crate) fn take_session(&mut self) -> Option<SrtpSession> {
        self.session.take()
    }

    /// Sends close_notify if there is a connection to close.
    pub(crate) fn close(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Connected)
            && let Some(engine) = &mut self.engine
            && engine.close().is_ok()
        {
            // The records queued by the engine are all that matters any more.
            let _: Result<(), Rejected> = self.drive(now, None);
        }
        self.engine = None;
        self.engine_timeout = None;
        if !matches!(self.phase, Phase::Failed) {
            self.phase = Phase::Closed;
        }
    }

    /// Advances the engine's clock, feeds it, and collects what it has to say.
    fn drive(&mut self, now: Instant, packet: Option<&[u8]>) -> Result<(), Rejected> {
        self.step(now, packet)?;
        if self.is_due(now) {
            // Having digested a packet, the engine asks for the timeout of this very moment to go on.
            self.step(now, None)?;
        }
        if self.is_due(now) {
            // It would ask for ever: after a HelloRetryRequest it cannot answer, for one, which must not buy a
            // peer an endless loop.
            self.engine_timeout = Some(now + SHORTEST_WAIT);
        }
        Ok(())
    }

    fn is_due(&self, now: Instant) -> bool {
        self.engine_timeout.is_some_and(|deadline| deadline <= now)
    }

    fn step(&mut self, now: Instant, packet: Option<&[u8]>) -> Result<(), Rejected> {
        let Some(engine) = &mut self.engine else {
            return Err(Rejected);
        };
        let mut outcome = engine.handle_timeout(now);
        if let (Ok(()), Some(packet)) = (&outcome, packet) {
            outcome = engine.handle_packet(packet);
        }
        match outcome {
            Ok(()) => {
                self.collect(now);
                Ok(())
            }
            // The one error after which the engine may go on: noise instead of the server's first answer.
            Err(dimpl::Error::UnexpectedMessage(UnexpectedMessageError::UnrecognizedAutoServerResponse)) => {
                self.collect(now);
                Err(Rejected)
            }
            Err(dimpl::Error::ConnectionClosed) => {
                self.collect(now);
                Err(Rejected)
            }
            Err(error) => {
                tracing::debug!(%error, "DTLS association ended");
                self.fail();
                Err(Rejected)
            }
        }
    }

    fn collect(&mut self, now: Instant) {
        while let Some(engine) = &mut self.engine {
            match engine.poll_output(&mut self.scratch) {
                Output::Packet(packet) => self.packets.push_back(packet.to_vec()),
                Output::BufferTooSmall { needed } => {
                    self.scratch = vec![0; needed.max(2 * self.scratch.len())].into_boxed_slice();
                }
                Output::PeerCert(der) => {
                    self.verified = self
                        .fingerprints
                        .iter()
                        .any(|fingerprint| fingerprint.matches(der));
                    if !self.verified {
                        tracing::debug!("the peer's certificate has none of the announced fingerprints");
                        return self.fail();
                    }
                }
                Output::Connected => self.finished = true,
                Output::KeyingMaterial(material, profile) => match split(profile, &material) {
                    Ok(keys) => self.exported = Some(keys),
                    Err(KeyError) => return self.fail(),
                },
                Output::CloseNotify => {
                    self.phase = Phase::Closed;
                    self.engine = None;
                    self.engine_timeout = None;
                    return;
                }
                Output::Timeout(deadline) => {
                    self.engine_timeout = Some(deadline).filter(|deadline| *deadline < now + NO_DEADLINE);
                    break;
                }
                // No data channels are offered, so application data has no receiver.
                _ => {}
            }
        }
        if self.finished && matches!(self.phase, Phase::Shaking(_)) {
            self.complete();
        }
    }

    fn complete(&mut self) {
        let session = self
            .exported
            .take()
            .filter(|_| self.verified)
            .and_then(|(_, client, server)| {
                let (ours, theirs) = if self.is_client {
                    (client, server)
                } else {
                    (server, client)
                };
                let outbound = Outbound::new(&ours, self.seed).ok()?;
                let inbound = Inbound::new(&theirs, self.seed).ok()?;
                Some(SrtpSession { inbound, outbound })
            });
        if session.is_none() {
            // No certificate, or no common SRTP profile.
            return self.fail();
        }
        self.session = session;
        self.phase = Phase::Connected;
    }

    fn fail(&mut self) {
        self.engine = None;
        self.engine_timeout = None;
        self.packets.clear();
        self.exported = None;
        self.session = None;
        self.phase = Phase::Failed;
    }
}

fn split(
    profile: dimpl::SrtpProfile,
    material: &[u8],
) -> Result<(SrtpProfile, MasterKey, MasterKey), KeyError> {
    let profile = match profile {
        dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
        dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
        dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpProfile::AesCm128HmacSha1_80,
        _ => return Err(KeyError),
    };
    let (client, server) = MasterKey::split(profile, material)?;
    Ok((profile, client, server))
}
