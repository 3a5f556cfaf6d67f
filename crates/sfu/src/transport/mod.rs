//! One endpoint's path: its link, the streams it sends or receives, and their RTCP.

mod allocate;
mod listener;
mod outgoing;
mod probe;
mod report;

use std::time::{Duration, Instant};

use link::bwe::{Bitrate, Estimator};
use link::twcc::{ArrivalRecorder, SendRegister};
use link::{FiveTuple, Link, LinkConfig};
use rtp::Ssrc;
use rtp::ext::{ExtKind, ExtMap};

pub(crate) use self::allocate::{Candidate, Floor, Step, allocate};
pub(crate) use self::listener::{Listener, Route, StreamSlot};
pub(crate) use self::outgoing::{Clock, Moment, Outgoing};
pub(crate) use self::report::ConsumerReport;
use crate::key::{ConsumerKey, ProducerKey, RouterKey};
use crate::spec::{Direction, TransportSpec, WorkerConfig};
use crate::timers::Queued;

/// UDP payload that passes any path this side of a tunnel: 1,280 bytes of IPv6 minimum less headers would be safest,
/// but DTLS flights fragmented at 1,200 bytes are what browsers use themselves.
const DTLS_MTU: usize = 1_200;

/// RTCP interval of a transport that carries media. Browsers report video once a second (libwebrtc) and a shorter
/// interval buys nothing while NACK, PLI and transport feedback travel at once.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// The estimate never falls below this: audio plus the lowest simulcast layer at its slowest frame rate.
const MIN_ESTIMATE: Bitrate = Bitrate(50_000);

/// The estimate never rises above this: 16 visible full layers at 2.5 Mbit/s (contract §5.3) and audio of 50.
const MAX_ESTIMATE: Bitrate = Bitrate(50_000_000);

/// A transport of a router.
pub(crate) struct Transport {
    pub(crate) router: RouterKey,
    pub(crate) direction: Direction,
    pub(crate) link: Link,
    /// Addresses bound to this transport in the worker's demultiplexer.
    pub(crate) tuples: Vec<FiveTuple>,
    /// Local ufrags registered in the demultiplexer; two during an ICE restart.
    pub(crate) ufrags: Vec<String>,
    pub(crate) producers: Vec<ProducerKey>,
    pub(crate) consumers: Vec<ConsumerKey>,
    pub(crate) listener: Listener,
    /// Extension ids the client sends under: one map, because BUNDLE makes them equal for all its tracks (RFC 9143 §9).
    pub(crate) extensions: ExtMap,
    pub(crate) arrivals: ArrivalRecorder,
    /// Media source named by transport feedback: the last SSRC received.
    pub(crate) feedback_media: Ssrc,
    pub(crate) feedback_sender: Ssrc,
    pub(crate) register: SendRegister,
    pub(crate) estimator: Estimator,
    pub(crate) max_incoming_bitrate: Bitrate,
    /// Reports that still have to say that a ceiling told before no longer holds.
    pub(crate) ceiling_lifts: u8,
    pub(crate) next_report: Option<Instant>,
    pub(crate) next_allocation: Option<Instant>,
    pub(crate) probe: probe::Probe,
    pub(crate) round_trip: Option<Duration>,
    pub(crate) fraction_lost: u8,
    /// Until when the path counts as one that loses packets.
    pub(crate) lossy_until: Option<Instant>,
    /// Whether the client ever told what reached it; without that there is nothing to allocate by.
    pub(crate) feedback_seen: bool,
    /// When the first video consumer was considered.
    pub(crate) first_video: Option<Instant>,
    pub(crate) rtp_received: u64,
    pub(crate) rtp_sent: u64,
    pub(crate) queued: Queued,
}

impl Transport {
    pub(crate) fn new(
        now: Instant,
        router: RouterKey,
        spec: TransportSpec,
        config: &WorkerConfig,
        seed: u64,
    ) -> Self {
        let ufrag = spec.ice.ufrag.clone();
        let link = Link::new(
            now,
            LinkConfig {
                ice: spec.ice,
                certificate: config.certificate.clone(),
                mtu: DTLS_MTU,
                consent_timeout: config.consent_timeout,
                seed,
            },
        );
        Self {
            router,
            direction: spec.direction,
            link,
            tuples: Vec::new(),
            ufrags: vec![ufrag],
            producers: Vec::new(),
            consumers: Vec::new(),
            listener: Listener::default(),
            extensions: ExtMap::new(),
            arrivals: ArrivalRecorder::new(now),
            feedback_media: Ssrc(0),
            // Never zero and never the probator's 1234 (contract §1.8.10).
            feedback_sender: Ssrc((seed as u32) | 0x8000_0000),
            register: SendRegister::new(),
            estimator: Estimator::new(spec.initial_outgoing_bitrate, MIN_ESTIMATE, MAX_ESTIMATE),
            max_incoming_bitrate: spec.max_incoming_bitrate,
            ceiling_lifts: 0,
            next_report: None,
            next_allocation: None,
            probe: probe::Probe::new(config.extensions),
            round_trip: None,
            fraction_lost: 0,
            lossy_until: None,
            feedback_seen: false,
            first_video: None,
            rtp_received: 0,
            rtp_sent: 0,
            queued: Queued::default(),
        }
    }

    /// Merges a producer's extension ids into the transport's map.
    pub(crate) fn learn_extensions(&mut self, own: &ExtMap) {
        for kind in ExtKind::ALL {
            if let Some(id) = own.id(kind) {
                self.extensions.set(kind, id);
            }
        }
    }

    /// The soonest of this transport's own deadlines; those of its producers' streams are the caller's.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [
            self.link.poll_timeout(),
            self.arrivals.poll_timeout(),
            self.next_report,
            self.next_allocation,
            self.probe.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
