//! What the control plane may ask of a worker, and the answers.

use link::ConnectError;
use link::ice::IceCredentials;

use crate::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use crate::pipe::{PeerId, RemoteProducer};
use crate::spec::{ConnectSpec, ConsumerSpec, Layers, ProducerSpec, TransportSpec, VideoQuality};
use crate::stats::{TransportStats, WorkerStats};

/// A request to a worker, answered by exactly one [`Reply`].
pub enum Command {
    /// Opens a router; answers [`Reply::Router`].
    CreateRouter,
    /// Opens a router for the part of a call that lives on this worker while its home is on another; it leaves watching
    /// for the active speaker to that one. Answers [`Reply::Router`].
    CreateBranch,
    /// Closes a router and everything in it; answers [`Reply::Done`].
    CloseRouter(RouterKey),
    /// Opens a transport in a router; answers [`Reply::Transport`].
    CreateTransport {
        /// The router it belongs to.
        router: RouterKey,
        /// What to create.
        spec: TransportSpec,
    },
    /// Hands over the remote's DTLS parameters; answers [`Reply::Done`] at once, before ICE and DTLS are up.
    ConnectTransport {
        /// The transport.
        transport: TransportKey,
        /// The remote's parameters.
        spec: ConnectSpec,
    },
    /// Gives a transport new ICE credentials; answers [`Reply::Done`].
    RestartIce {
        /// The transport.
        transport: TransportKey,
        /// The new credentials of this side.
        ice: IceCredentials,
    },
    /// Closes a transport with its producers and consumers; answers [`Reply::Done`].
    CloseTransport(TransportKey),
    /// Opens a producer on a receiving transport; answers [`Reply::Producer`].
    Produce {
        /// The transport it sends on.
        transport: TransportKey,
        /// What it sends.
        spec: ProducerSpec,
    },
    /// Stops a producer's packets at the router; answers [`Reply::Done`].
    PauseProducer(ProducerKey),
    /// Lets a producer's packets flow again and asks for a key frame; answers [`Reply::Done`].
    ResumeProducer(ProducerKey),
    /// Closes a producer and its consumers; answers [`Reply::Done`].
    CloseProducer(ProducerKey),
    /// Opens the twin of a producer of another worker. It is consumed as any producer, stands still until a pipe is
    /// opened to it there ([`Command::OpenPipe`]), and closes with its original; closing it ends the pipe. Answers
    /// [`Reply::Producer`].
    ProducePiped {
        /// The router of this worker that it belongs to.
        router: RouterKey,
        /// The other worker.
        from: PeerId,
        /// The producer's key there.
        source: RemoteProducer,
        /// What the producer was created with there.
        spec: ProducerSpec,
    },
    /// Hands a producer's packets on to its twin on another worker; answers [`Reply::Done`].
    OpenPipe {
        /// The producer.
        producer: ProducerKey,
        /// The other worker.
        to: PeerId,
        /// The twin's key there.
        twin: RemoteProducer,
    },
    /// Forgets a worker that is gone: closes the twins of its producers and the pipes to it. Answers [`Reply::Done`].
    ForgetPeer(PeerId),
    /// Opens a consumer of a producer on a sending transport; answers [`Reply::Consumer`].
    Consume {
        /// The transport it receives on.
        transport: TransportKey,
        /// The producer it receives.
        producer: ProducerKey,
        /// What it negotiated.
        spec: ConsumerSpec,
    },
    /// Stops a consumer; answers [`Reply::Done`].
    PauseConsumer(ConsumerKey),
    /// Starts a consumer and asks its producer for a key frame; answers [`Reply::Done`].
    ResumeConsumer(ConsumerKey),
    /// Closes a consumer; answers [`Reply::Done`].
    CloseConsumer(ConsumerKey),
    /// Bounds the layers a consumer receives; answers [`Reply::Done`].
    SetPreferredLayers {
        /// The consumer.
        consumer: ConsumerKey,
        /// The best layers wanted.
        layers: Layers,
    },
    /// Bounds the quality of all cameras of the worker, those to come as well; answers [`Reply::Done`]. Viewers follow
    /// within the half second in which their downlinks are divided, senders are told with their next report.
    SetVideoQuality(VideoQuality),
    /// Asks the consumer's producer for a key frame (debounced); answers [`Reply::Done`].
    RequestKeyFrame(ConsumerKey),
    /// Counts and load of the worker; answers [`Reply::Stats`].
    Stats,
    /// Counts of one transport; answers [`Reply::TransportStats`].
    TransportStats(TransportKey),
}

/// The answer to a [`Command`].
#[derive(Debug)]
pub enum Reply {
    /// Done; nothing to tell.
    Done,
    /// The new router.
    Router(RouterKey),
    /// The new transport.
    Transport(TransportKey),
    /// The new producer.
    Producer(ProducerKey),
    /// The new consumer.
    Consumer(ConsumerKey),
    /// Counts and load of the worker.
    Stats(Box<WorkerStats>),
    /// Counts of one transport.
    TransportStats(Box<TransportStats>),
    /// The command was refused and changed nothing.
    Failed(CommandError),
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such router (closed meanwhile).
    #[error("no such router")]
    UnknownRouter,
    /// No such transport.
    #[error("no such transport")]
    UnknownTransport,
    /// No such producer.
    #[error("no such producer")]
    UnknownProducer,
    /// No such consumer.
    #[error("no such consumer")]
    UnknownConsumer,
    /// Producing needs a receiving transport and consuming a sending one.
    #[error("the transport's direction does not allow this")]
    WrongDirection,
    /// The ufrag is in use by another transport.
    #[error("the ICE user name fragment is already in use")]
    UfragInUse,
    /// An SSRC or MID+RID of the spec already belongs to another producer or consumer of the transport.
    #[error("SSRC, MID or RID already in use on this transport")]
    StreamInUse,
    /// The remote's DTLS parameters differ from those of an earlier `connect`, or name no usable fingerprint.
    #[error("DTLS parameters refused: {0}")]
    Dtls(#[from] ConnectError),
    /// The spec has no codec or no encoding.
    #[error("the producer has no codec or no encoding")]
    EmptyProducer,
    /// Producer and transport belong to different routers, or the producer is itself a twin of another worker's.
    #[error("the producer belongs to another router")]
    ForeignProducer,
}
