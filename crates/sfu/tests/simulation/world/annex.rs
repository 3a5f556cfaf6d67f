//! A second worker of the same process, joined to the first by pipes.
//!
//! The test binary `piped` runs all simulations with every viewer on this worker: behaviours must not depend on where
//! somebody is served.

use std::collections::HashMap;
use std::time::Instant;

use link::bwe::Bitrate;
use sfu::key::{ProducerKey, RouterKey};
use sfu::spec::{Direction, TransportSpec};
use sfu::stats::{Counters, WorkerStats};
use sfu::{Command, PeerId, PipeBatch, RemoteProducer, Reply, Worker};

use super::World;
use super::settings::config;

/// Where a client is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Site {
    Home,
    Annex,
}

/// Where viewers are served unless a test says otherwise.
pub const VIEWERS: Site = match env!("CARGO_CRATE_NAME").as_bytes() {
    b"piped" => Site::Annex,
    _ => Site::Home,
};

/// What the two workers call each other.
pub const HOME: PeerId = PeerId(1);
pub const ANNEX: PeerId = PeerId(2);

/// Bytes that are moved even in the middle of a burst.
const PIPE_AT: usize = 64 * 1024;

/// Transports opened and closed in the annex before the first real one, so that no key of it is also one of the home.
const BURNT: usize = 16;

pub struct Annex {
    pub worker: Worker,
    pub router: RouterKey,
    /// Twins by their original and the worker they are on.
    twins: HashMap<(ProducerKey, Site), ProducerKey>,
    /// Items this worker had for the home.
    pub sent: usize,
    /// A batch to put in place of one that is taken.
    spare: PipeBatch,
}

impl Site {
    pub fn peer(self) -> PeerId {
        match self {
            Self::Home => HOME,
            Self::Annex => ANNEX,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Home => Self::Annex,
            Self::Annex => Self::Home,
        }
    }
}

impl World {
    /// The second worker, opened when first needed.
    pub fn annex(&mut self) -> &mut Annex {
        if self.annex.is_none() {
            self.annex = Some(self.open_annex());
        }
        self.annex.as_mut().expect("just opened")
    }

    fn open_annex(&mut self) -> Annex {
        let mut worker = Worker::new(self.now, config(&self.certificate, 8, self.train_padding));
        let Reply::Router(burnt) = worker.handle_command(self.now, Command::CreateBranch) else {
            panic!("a router is created")
        };
        let mut keys = Vec::new();
        for _ in 0..BURNT {
            let spec = TransportSpec {
                direction: Direction::Send,
                ice: self.new_credentials(),
                initial_outgoing_bitrate: Bitrate(1),
                max_incoming_bitrate: Bitrate(1),
            };
            let command = Command::CreateTransport { router: burnt, spec };
            let Reply::Transport(transport) = worker.handle_command(self.now, command) else {
                panic!("a transport is created")
            };
            keys.push(transport);
        }
        for transport in keys {
            worker.handle_command(self.now, Command::CloseTransport(transport));
        }
        let Reply::Router(router) = worker.handle_command(self.now, Command::CreateBranch) else {
            panic!("a router is created")
        };
        worker.handle_command(self.now, Command::CloseRouter(burnt));
        Annex {
            worker,
            router,
            twins: HashMap::new(),
            sent: 0,
            spare: PipeBatch::default(),
        }
    }

    pub fn worker_at(&mut self, site: Site) -> &mut Worker {
        match site {
            Site::Home => &mut self.worker,
            Site::Annex => &mut self.annex().worker,
        }
    }

    pub fn router_at(&mut self, site: Site) -> RouterKey {
        match site {
            Site::Home => self.router,
            Site::Annex => self.annex().router,
        }
    }

    pub fn each_worker(&mut self, mut action: impl FnMut(&mut Worker)) {
        action(&mut self.worker);
        if let Some(annex) = &mut self.annex {
            action(&mut annex.worker);
        }
    }

    /// When a worker wants to be called next.
    pub(super) fn worker_timeout(&mut self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        self.each_worker(|worker| next = next.into_iter().chain(worker.poll_timeout()).min());
        next
    }

    /// Sends a command to one of the workers.
    pub fn command_at(&mut self, site: Site, command: Command) -> Reply {
        let (now, probe) = (self.now, self.probe);
        let worker = self.worker_at(site);
        probe(true);
        let reply = worker.handle_command(now, command);
        probe(false);
        self.drain_workers();
        reply
    }

    /// Whose object a command is about.
    pub(super) fn site_of(&self, command: &Command) -> Site {
        let of_transport = |key| {
            let owner = self.peers.iter().find(|peer| peer.transport == key);
            owner.map_or(Site::Home, |peer| peer.site)
        };
        match command {
            Command::ConnectTransport { transport, .. }
            | Command::RestartIce { transport, .. }
            | Command::CloseTransport(transport)
            | Command::TransportStats(transport)
            | Command::Consume { transport, .. }
            | Command::Produce { transport, .. } => of_transport(*transport),
            Command::PauseConsumer(_)
            | Command::ResumeConsumer(_)
            | Command::CloseConsumer(_)
            | Command::SetPreferredLayers { .. }
            | Command::RequestKeyFrame(_) => self.viewers,
            Command::PauseProducer(_) | Command::ResumeProducer(_) | Command::CloseProducer(_) => {
                self.senders
            }
            _ => Site::Home,
        }
    }

    /// The producer as it can be consumed at `site`: itself, or its twin, which is opened if there is none.
    pub fn twin(&mut self, producer: ProducerKey, site: Site) -> ProducerKey {
        let spec = self
            .specs
            .iter()
            .find(|(key, at, _)| *key == producer && *at != site);
        let Some((_, from, spec)) = spec.cloned() else {
            return producer;
        };
        if let Some(twin) = self.annex().twins.get(&(producer, site)) {
            return *twin;
        }
        let router = self.router_at(site);
        let command = Command::ProducePiped {
            router,
            from: from.peer(),
            source: RemoteProducer(producer),
            spec,
        };
        let Reply::Producer(twin) = self.command_at(site, command) else {
            panic!("a twin is opened")
        };
        let command = Command::OpenPipe {
            producer,
            to: site.peer(),
            twin: RemoteProducer(twin),
        };
        let reply = self.command_at(from, command);
        assert!(matches!(reply, Reply::Done), "{reply:?}");
        self.annex().twins.insert((producer, site), twin);
        twin
    }

    /// Forgets a twin that was closed.
    pub fn forget_twin(&mut self, producer: ProducerKey, site: Site) {
        self.annex().twins.remove(&(producer, site));
    }

    /// Brings what the workers have for each other to where it belongs, until neither has anything.
    pub(super) fn move_pipes(&mut self) {
        let (now, probe) = (self.now, self.probe);
        let Self {
            worker: home,
            annex: Some(annex),
            pipes_are_jammed: false,
            in_burst,
            bursts,
            ..
        } = self
        else {
            return;
        };
        if *in_burst && home.piped_bytes().max(annex.worker.piped_bytes()) < PIPE_AT {
            return;
        }
        let (away, spare, sent) = (&mut annex.worker, &mut annex.spare, &mut annex.sent);
        let mut quiet = 0;
        let mut site = Site::Home;
        while quiet < 2 {
            let (from, to) = match site {
                Site::Home => (&mut *home, &mut *away),
                Site::Annex => (&mut *away, &mut *home),
            };
            quiet += 1;
            probe(true);
            if let Some((peer, batch)) = from.pipes().next() {
                assert_eq!(peer, site.other().peer());
                std::mem::swap(batch, spare);
                quiet = 0;
            }
            if site == Site::Annex {
                *sent += spare.len();
            }
            let is_burst = *bursts && spare.len() > 1;
            if is_burst {
                to.begin_burst();
            }
            for piped in spare.iter() {
                to.handle_piped(now, site.peer(), piped);
            }
            if is_burst {
                to.end_burst();
            }
            spare.clear();
            probe(false);
            site = site.other();
        }
    }

    /// Counts of both workers together.
    pub fn counters(&self) -> Counters {
        let mut sum = self.worker.counters().clone();
        if let Some(annex) = &self.annex {
            add(&mut sum, annex.worker.counters());
        }
        sum
    }

    /// Counts and objects of one worker.
    pub fn stats_at(&mut self, site: Site) -> WorkerStats {
        match self.command_at(site, Command::Stats) {
            Reply::Stats(stats) => *stats,
            reply => panic!("{reply:?}"),
        }
    }

    /// The second worker dies: the first forgets it, and all it held is gone.
    pub fn kill_annex(&mut self) {
        self.annex = None;
        self.done(Command::ForgetPeer(ANNEX));
    }
}

fn add(sum: &mut Counters, other: &Counters) {
    let pairs = [
        (&mut sum.datagrams_received, other.datagrams_received),
        (&mut sum.rtp_received, other.rtp_received),
        (&mut sum.rtp_received_bytes, other.rtp_received_bytes),
        (&mut sum.rtp_sent, other.rtp_sent),
        (&mut sum.rtp_sent_bytes, other.rtp_sent_bytes),
        (&mut sum.rtp_lost, other.rtp_lost),
        (&mut sum.nack_sent, other.nack_sent),
        (&mut sum.nack_received, other.nack_received),
        (&mut sum.pli_sent, other.pli_sent),
        (&mut sum.pli_received, other.pli_received),
        (&mut sum.rtx_sent, other.rtx_sent),
        (&mut sum.probe_sent, other.probe_sent),
        (&mut sum.piped_out, other.piped_out),
        (&mut sum.piped_in, other.piped_in),
        (&mut sum.pipe_dropped_audio, other.pipe_dropped_audio),
        (&mut sum.pipe_dropped_video, other.pipe_dropped_video),
        (&mut sum.unknown_ssrc, other.unknown_ssrc),
        (&mut sum.malformed_rtp, other.malformed_rtp),
        (&mut sum.malformed_rtcp, other.malformed_rtcp),
        (&mut sum.over_bitrate, other.over_bitrate),
        (&mut sum.unknown_address, other.unknown_address),
    ];
    for (sum, value) in pairs {
        *sum += value;
    }
    for (sum, value) in sum.link_drops.iter_mut().zip(other.link_drops) {
        *sum += value;
    }
}
