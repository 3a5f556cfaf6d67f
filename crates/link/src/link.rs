//! The link itself: what arrives is sorted, checked and decrypted; what leaves is encrypted.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtp::SeqNo;
use thiserror::Error;

use crate::certificate::Certificate;
use crate::demux::{DatagramKind, classify};
use crate::drops::{DropCounters, DropReason};
use crate::dtls::{DtlsState, Endpoint, RemoteDtls, SrtpSession};
use crate::ice::{Check, IceCredentials, IceEvent, IceState, LiteAgent};
use crate::srtp::{ProtectError, SrtpProfile, UnprotectError};
use crate::tuple::FiveTuple;

/// Longest datagram looked at. No WebRTC sender exceeds 1500 bytes; the rest is room for jumbo paths.
const MAX_DATAGRAM: usize = 4096;

/// Events kept for a caller that does not poll. State changes are few; more means a peer playing with them.
const MAX_EVENTS: usize = 64;

/// What a link is made of.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// This side's ICE credentials.
    pub ice: IceCredentials,
    /// This side's certificate, usually shared by all links of the process.
    pub certificate: Certificate,
    /// Largest DTLS datagram to send, bytes; 1200 is safe everywhere.
    pub mtu: usize,
    /// Silence after which sending stops, and time the peer has to arrive after [`Link::connect`]; 30 s.
    pub consent_timeout: Duration,
    /// Any number the peer cannot know: spreads the tables of synchronization sources.
    pub seed: u64,
}

/// Why the remote parameters were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// No fingerprint was given: no certificate could ever be verified.
    #[error("no fingerprint given")]
    NoFingerprint,
    /// Other parameters have been given before.
    #[error("already connected with other parameters")]
    Different,
    /// The link is closed.
    #[error("the link is closed")]
    Closed,
    /// The configured MTU is too small for DTLS.
    #[error("the MTU is too small for DTLS")]
    Mtu,
}

/// What became of a received datagram.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// STUN or DTLS; there may be something to transmit and events to read.
    Consumed,
    /// An RTP packet, decrypted in place. Its header parses at least as far as its extension block.
    Rtp(&'a mut [u8]),
    /// A compound RTCP packet, decrypted in place.
    Rtcp(&'a [u8]),
    /// Thrown away and counted.
    Dropped(DropReason),
}

/// A change the owner of the link should know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEvent {
    /// The ICE state changed.
    Ice(IceState),
    /// The peer nominated another path.
    Selected(FiveTuple),
    /// The DTLS state changed.
    Dtls(DtlsState),
    /// Media may flow: the handshake has completed and the certificate was verified.
    SrtpReady(SrtpProfile),
}

enum Dtls {
    Unknown,
    Running {
        remote: RemoteDtls,
        endpoint: Box<Endpoint>,
    },
}

/// One remote endpoint.
pub struct Link {
    config: LinkConfig,
    ice: LiteAgent,
    dtls: Dtls,
    dtls_reported: DtlsState,
    /// Where the peer's last DTLS record came from; answered there until a path is nominated.
    dtls_tuple: Option<FiveTuple>,
    srtp: Option<SrtpSession>,
    closed: bool,
    events: VecDeque<LinkEvent>,
    drops: DropCounters,
}

impl Link {
    /// A link waiting for the peer's first check.
    pub fn new(_now: Instant, config: LinkConfig) -> Self {
        Self {
            ice: LiteAgent::new(config.ice.clone(), config.consent_timeout),
            config,
            dtls: Dtls::Unknown,
            dtls_reported: DtlsState::New,
            dtls_tuple: None,
            srtp: None,
            closed: false,
            events: VecDeque::new(),
            drops: DropCounters::default(),
        }
    }

    /// Gives the remote DTLS parameters and lets the handshake begin as soon as the peer is reachable.
    ///
    /// # Errors
    /// See [`ConnectError`]. Giving the same parameters again changes nothing and is no error.
    pub fn connect(&mut self, now: Instant, remote: RemoteDtls) -> Result<(), ConnectError> {
        if self.closed {
            return Err(ConnectError::Closed);
        }
        if let Dtls::Running { remote: known, .. } = &self.dtls {
            return if *known == remote {
                Ok(())
            } else {
                Err(ConnectError::Different)
            };
        }
        if remote.fingerprints.is_empty() {
            return Err(ConnectError::NoFingerprint);
        }
        let (identity, mtu) = (self.config.certificate.identity(), self.config.mtu);
        let endpoint =
            Endpoint::new(now, identity, mtu, &remote, self.config.seed).ok_or(ConnectError::Mtu)?;
        self.dtls = Dtls::Running {
            remote,
            endpoint: Box::new(endpoint),
        };
        self.ice.expect_checks(now);
        self.settle(now);
        Ok(())
    }

    /// Restarts ICE with new credentials. The old ones stay valid until the peer nominates a path with the new
    /// ones; DTLS and SRTP continue.
    pub fn restart_ice(&mut self, credentials: IceCredentials) {
        if !self.closed {
            self.config.ice = credentials.clone();
            self.ice.restart(credentials);
        }
    }

    /// Whether checks for this user name fragment belong here (the current one, or the one before a restart).
    pub fn owns_ufrag(&self, ufrag: &str) -> bool {
        !self.closed && self.ice.owns_ufrag(ufrag)
    }

    /// Takes one received datagram.
    pub fn handle_datagram<'a>(
        &mut self,
        now: Instant,
        tuple: FiveTuple,
        datagram: &'a mut [u8],
    ) -> Incoming<'a> {
        match self.accept(now, tuple, datagram) {
            Ok(incoming) => incoming,
            Err(reason) => {
                self.drops.count(reason);
                Incoming::Dropped(reason)
            }
        }
    }

    fn accept<'a>(
        &mut self,
        now: Instant,
        tuple: FiveTuple,
        datagram: &'a mut [u8],
    ) -> Result<Incoming<'a>, DropReason> {
        if self.closed {
            return Err(DropReason::Closed);
        }
        if datagram.len() > MAX_DATAGRAM {
            return Err(DropReason::TooLarge);
        }
        match classify(datagram) {
            DatagramKind::Stun => self.accept_stun(now, tuple, datagram),
            DatagramKind::Other => Err(DropReason::Unknown),
            // Everything else only from addresses that have proven to belong to the peer.
            _ if !self.ice.is_proven(tuple) => Err(DropReason::UnknownTuple),
            DatagramKind::Dtls => self.accept_dtls(now, tuple, datagram),
            DatagramKind::Rtp => {
                let session = self.srtp.as_mut().ok_or(DropReason::NotReady)?;
                let len = session.inbound.unprotect(datagram)?;
                Ok(Incoming::Rtp(
                    datagram.get_mut(..len).ok_or(DropReason::Malformed)?,
                ))
            }
            DatagramKind::Rtcp => {
                let session = self.srtp.as_mut().ok_or(DropReason::NotReady)?;
                let len = session.inbound.unprotect_rtcp(datagram)?;
                Ok(Incoming::Rtcp(datagram.get(..len).ok_or(DropReason::Malformed)?))
            }
        }
    }

    fn accept_stun<'a>(
        &mut self,
        now: Instant,
        tuple: FiveTuple,
        datagram: &[u8],
    ) -> Result<Incoming<'a>, DropReason> {
        let outcome = self.ice.handle(now, tuple, datagram);
        if outcome == Ok(Check::Valid) {
            self.settle(now);
        }
        outcome.map(|_| Incoming::Consumed)
    }

    fn accept_dtls<'a>(
        &mut self,
        now: Instant,
        tuple: FiveTuple,
        datagram: &[u8],
    ) -> Result<Incoming<'a>, DropReason> {
        let Dtls::Running { endpoint, .. } = &mut self.dtls else {
            return Err(DropReason::DtlsEarly);
        };
        self.dtls_tuple = Some(tuple);
        let outcome = endpoint.handle_packet(now, datagram);
        self.settle(now);
        outcome
            .map(|()| Incoming::Consumed)
            .map_err(|_| DropReason::DtlsRejected)
    }

    /// Lets one layer's progress take effect on the others, and tells the owner.
    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.ice.poll_event() {
            self.push(match event {
                IceEvent::State(state) => LinkEvent::Ice(state),
                IceEvent::Selected(tuple) => LinkEvent::Selected(tuple),
            });
        }
        let Dtls::Running { endpoint, .. } = &mut self.dtls else {
            return;
        };
        if self.ice.best_tuple().is_some() {
            endpoint.start(now);
        }
        let session = endpoint.take_session();
        let state = endpoint.state();
        if self.dtls_reported != state {
            self.dtls_reported = state;
            self.push(LinkEvent::Dtls(state));
        }
        if let Some(session) = session {
            self.push(LinkEvent::SrtpReady(session.outbound.profile()));
            self.srtp = Some(session);
        }
        if matches!(state, DtlsState::Failed | DtlsState::Closed) {
            self.srtp = None;
        }
    }

    fn push(&mut self, event: LinkEvent) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.ice.handle_timeout(now);
        if let Dtls::Running { endpoint, .. } = &mut self.dtls {
            endpoint.handle_timeout(now);
        }
        self.settle(now);
    }

    /// When [`Link::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.closed {
            return None;
        }
        let dtls = match &self.dtls {
            Dtls::Unknown => None,
            Dtls::Running { endpoint, .. } => endpoint.poll_timeout(),
        };
        self.ice.poll_timeout().into_iter().chain(dtls).min()
    }

    /// Clears the buffer and fills it with the next STUN answer or DTLS record; returns where to send it.
    pub fn poll_transmit(&mut self, buffer: &mut Vec<u8>) -> Option<FiveTuple> {
        if let Some(tuple) = self.ice.poll_transmit(buffer) {
            return Some(tuple);
        }
        let Dtls::Running { endpoint, .. } = &mut self.dtls else {
            return None;
        };
        if !endpoint.has_packet() {
            return None;
        }
        let heard = self.dtls_tuple.filter(|tuple| self.ice.is_proven(*tuple));
        // Without a path the records wait; the engine replaces them when it retransmits.
        let tuple = self.ice.selected().or(heard).or_else(|| self.ice.best_tuple())?;
        endpoint.poll_packet(buffer).then_some(tuple)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        self.events.pop_front()
    }

    /// Where to send media: the selected path, once the certificate is verified and while consent lasts.
    pub fn route(&self) -> Option<FiveTuple> {
        self.srtp.as_ref()?;
        self.ice.selected()
    }

    /// The selected path, whether or not media may flow yet.
    pub fn selected(&self) -> Option<FiveTuple> {
        self.ice.selected()
    }

    /// Where ICE stands.
    pub fn ice_state(&self) -> IceState {
        self.ice.state()
    }

    /// Where the handshake stands.
    pub fn dtls_state(&self) -> DtlsState {
        self.dtls_reported
    }

    /// A path no longer exists (its TCP connection was closed).
    pub fn forget_tuple(&mut self, now: Instant, tuple: FiveTuple) {
        if self.closed {
            return;
        }
        self.ice.forget(tuple);
        if self.dtls_tuple == Some(tuple) {
            self.dtls_tuple = None;
        }
        self.settle(now);
    }

    /// Protects the RTP packet `packet[..len]` in place; the buffer needs [`SRTP_OVERHEAD`] bytes more.
    /// Returns the length to send.
    ///
    /// `index` is the packet's sequence number extended to 64 bits by its sender: see
    /// [`Outbound::protect`](crate::srtp::Outbound::protect).
    ///
    /// # Errors
    /// See [`ProtectError`]; the packet must not be sent then.
    ///
    /// [`SRTP_OVERHEAD`]: crate::SRTP_OVERHEAD
    pub fn protect_rtp(
        &mut self,
        packet: &mut [u8],
        len: usize,
        index: SeqNo,
    ) -> Result<usize, ProtectError> {
        self.srtp
            .as_mut()
            .ok_or(ProtectError::NotReady)?
            .outbound
            .protect(packet, len, index)
    }

    /// Protects the RTP packet made of the header `packet[..header]` and a payload that lies elsewhere, which is
    /// encrypted to behind the header; `packet` needs [`SRTP_OVERHEAD`] bytes more than both. Returns the length to
    /// send. See [`Outbound::protect_from`](crate::srtp::Outbound::protect_from).
    ///
    /// # Errors
    /// See [`ProtectError`]; the packet must not be sent then.
    ///
    /// [`SRTP_OVERHEAD`]: crate::SRTP_OVERHEAD
    pub fn protect_rtp_from(
        &mut self,
        packet: &mut [u8],
        header: usize,
        payload: &[u8],
        index: SeqNo,
    ) -> Result<usize, ProtectError> {
        self.srtp
            .as_mut()
            .ok_or(ProtectError::NotReady)?
            .outbound
            .protect_from(packet, header, payload, index)
    }

    /// Protects a compound RTCP packet in place; it grows by up to [`SRTCP_OVERHEAD`](crate::SRTCP_OVERHEAD).
    ///
    /// # Errors
    /// See [`ProtectError`].
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), ProtectError> {
        self.srtp
            .as_mut()
            .ok_or(ProtectError::NotReady)?
            .outbound
            .protect_rtcp(packet)
    }

    /// Closes the link: close_notify is queued for [`Link::poll_transmit`], everything received is dropped.
    pub fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        if let Dtls::Running { endpoint, .. } = &mut self.dtls {
            endpoint.close(now);
        }
        self.ice.close();
        self.settle(now);
        self.srtp = None;
        self.closed = true;
    }

    /// Received datagrams thrown away, by reason.
    pub fn drops(&self) -> &DropCounters {
        &self.drops
    }
}

impl From<UnprotectError> for DropReason {
    fn from(error: UnprotectError) -> Self {
        match error {
            UnprotectError::Malformed => Self::Malformed,
            UnprotectError::Authentication => Self::Authentication,
            UnprotectError::Replay => Self::Replay,
            UnprotectError::TooManyStreams => Self::TooManyStreams,
        }
    }
}
