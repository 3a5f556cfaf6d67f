//! How one participant joins: what a client of the REST API does, in its order (contract §1.3).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use crate::dtls::{Handshake, Identity};
use crate::ice::Agent;
use crate::media::{AudioTrack, VideoTrack, Voice};
use crate::offer::{self, AUDIO_MID, NotOffered, VIDEO_MID};
use crate::plan::{Audio, Plan, TALKERS};
use crate::random::Random;
use crate::receiving::{Expected, Kind, Receiving};
use crate::rest::{Rest, RestError, Room};
use crate::sending::Sending;
use crate::token::Signer;
use crate::transport::{Side, Transport, TransportError};
use crate::wire::Wire;
use crate::worker::{Command, TransportNumber, Worker};

/// Streams that one participant asks for at once; a browser's client sends a few requests side by side, too.
const SIDE_BY_SIDE: usize = 4;

/// Why a participant could not join, or do all it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    #[error(transparent)]
    Rest(#[from] RestError),
    #[error(transparent)]
    Offer(#[from] NotOffered),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the server gave no UDP address")]
    NoAddress,
    #[error("no socket: {0}")]
    Socket(#[from] std::io::Error),
    #[error("a thread of the tester is gone")]
    Gone,
    #[error("a consumer has no SSRC")]
    NoSsrc,
    #[error("another participant's track never came")]
    NoTrack,
}

/// What is known of a track that others want.
#[derive(Clone, Debug)]
pub(crate) enum Announced {
    NotYet,
    Since(Instant, Arc<str>),
    Never,
}

/// A participant's place: its call, its number there, and its number in the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub(crate) call: usize,
    pub(crate) participant: usize,
    pub(crate) number: usize,
}

/// When a stream was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// When it could be asked for: its receiver had begun to join, and its sender had announced it.
    pub(crate) possible: Instant,
    /// When the server had been told to let it flow.
    pub(crate) resumed: Instant,
}

/// A stream that a participant will ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Its number in the run.
    pub(crate) stream: usize,
    pub(crate) kind: Kind,
    /// Who sends it: a participant of the same call.
    pub(crate) from: usize,
}

/// What all participants of a run share.
pub(crate) struct Run {
    pub(crate) plan: Plan,
    pub(crate) name: String,
    pub(crate) rest: Rest,
    pub(crate) signer: Signer,
    pub(crate) identity: Identity,
    pub(crate) workers: Vec<Worker>,
    /// For each seat its audio and its video.
    pub(crate) tracks: Vec<[watch::Sender<Announced>; 2]>,
    /// By number of the stream.
    pub(crate) asked: Mutex<Vec<Option<Asked>>>,
    pub(crate) random: Mutex<Random>,
}

const fn place(kind: Kind) -> usize {
    match kind {
        Kind::Audio => 0,
        Kind::Video => 1,
    }
}

impl Run {
    pub(crate) fn call_id(&self, call: usize) -> String {
        format!("{}-{call}", self.name)
    }

    fn worker(&self, seat: Seat) -> &Worker {
        &self.workers[seat.number % self.workers.len()]
    }

    fn random(&self) -> Random {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }

    /// The number of a seat's track, which its packets carry.
    fn track(&self, call: usize, participant: usize, kind: Kind) -> u32 {
        // Plans have at most 2^23 participants.
        (2 * (call * self.plan.participants + participant) + place(kind)) as u32
    }

    fn announce(&self, seat: Seat, kind: Kind, news: Announced) {
        self.tracks[seat.number][place(kind)].send_replace(news);
    }
}

/// A participant in its room.
#[derive(Clone)]
struct Participant {
    run: Arc<Run>,
    seat: Seat,
    name: String,
    room: Room,
    router: Arc<Value>,
}

/// Joins, and asks for every stream wanted; what went wrong with that.
pub(crate) async fn join(run: Arc<Run>, seat: Seat, wanted: Vec<Wanted>) -> Vec<JoinError> {
    let began = Instant::now();
    match enter(&run, seat).await {
        Ok((participant, receiving)) => receive(participant, receiving, wanted, began).await,
        Err(error) => {
            for kind in [Kind::Audio, Kind::Video] {
                run.announce(seat, kind, Announced::Never);
            }
            vec![error]
        }
    }
}

/// Opens both transports and announces the tracks.
async fn enter(run: &Arc<Run>, seat: Seat) -> Result<(Participant, TransportNumber), JoinError> {
    let name = format!("p{}", seat.participant);
    let call = run.call_id(seat.call);
    let room = run.rest.room(&call, run.signer.participant(&call, &name));
    let router = Arc::new(room.capabilities().await?);
    let participant = Participant {
        run: Arc::clone(run),
        seat,
        name,
        room,
        router,
    };
    let sends = Side::Send(Sending::new(participant.name.clone()));
    let receives = Side::Receive(Receiving::new(participant.name.clone(), run.random()));
    let (sending, receiving) = tokio::try_join!(
        participant.open("send", 0, sends),
        participant.open("recv", 1, receives)
    )?;
    participant.produce(&sending.0, sending.1).await?;
    for (_, _, connected) in [sending, receiving] {
        connected.await.map_err(|_| JoinError::Gone)??;
    }
    let number = TransportNumber(2 * seat.number + 1);
    Ok((participant, number))
}

type Connected = oneshot::Receiver<Result<(), TransportError>>;

impl Participant {
    /// Creates a transport and starts to connect it: its id, its number, and where the outcome comes.
    async fn open(
        &self,
        direction: &str,
        offset: usize,
        side: Side,
    ) -> Result<(String, TransportNumber, Connected), JoinError> {
        let transport = self.room.create_transport(&self.name, direction).await?;
        let remote = transport.remote().ok_or(JoinError::NoAddress)?;
        let first: SocketAddr = *remote.addresses.first().ok_or(JoinError::NoAddress)?;
        let identity = &self.run.identity;
        self.room
            .connect(&transport.transport_id, &identity.fingerprint())
            .await?;
        let now = Instant::now();
        let agent = Agent::new(&remote, now, self.run.random());
        let handshake = Handshake::new(identity, transport.fingerprints(), now);
        let (ready, connected) = oneshot::channel();
        let opened = Transport::new(Wire::open(first)?, agent, handshake, side, ready);
        let number = TransportNumber(2 * self.seat.number + offset);
        let command = Command::Connect(number, Box::new(opened));
        self.run.worker(self.seat).tell(command);
        Ok((transport.transport_id, number, connected))
    }

    /// Announces microphone and camera, and starts them.
    async fn produce(&self, transport: &str, number: TransportNumber) -> Result<(), JoinError> {
        let Self {
            run,
            seat,
            name,
            router,
            ..
        } = self;
        let worker = run.worker(*seat);
        let track = |kind| run.track(seat.call, seat.participant, kind);
        if run.plan.audio == Audio::On {
            let voice = if seat.participant < TALKERS {
                Voice::Talks
            } else {
                Voice::Listens
            };
            let track = AudioTrack::new(track(Kind::Audio), AUDIO_MID, voice, run.random());
            let (body, track) = offer::audio(router, name, track)?;
            let id = self.room.produce(transport, &body).await?;
            worker.tell(Command::Speak(number, Box::new(track)));
            run.announce(*seat, Kind::Audio, Announced::Since(Instant::now(), id.into()));
        }
        if run.plan.sends_video(seat.participant) {
            let simulcast = run.plan.simulcast;
            let track = VideoTrack::new(track(Kind::Video), VIDEO_MID, simulcast, run.random());
            let (body, track) = offer::video(router, name, simulcast, track)?;
            let id = self.room.produce(transport, &body).await?;
            worker.tell(Command::Show(number, Box::new(track)));
            run.announce(*seat, Kind::Video, Announced::Since(Instant::now(), id.into()));
        }
        Ok(())
    }

    /// Waits until a track can be asked for: since when, and its producer's id.
    async fn announced(&self, wanted: Wanted) -> Result<(Instant, Arc<str>), JoinError> {
        let sender = self.seat.call * self.run.plan.participants + wanted.from;
        let mut news = self.run.tracks[sender][place(wanted.kind)].subscribe();
        let told = news.wait_for(|news| !matches!(news, Announced::NotYet)).await;
        match told.as_deref() {
            Ok(Announced::Since(since, producer)) => Ok((*since, Arc::clone(producer))),
            _ => Err(JoinError::NoTrack),
        }
    }

    /// Asks for one stream and lets it flow; since when it could be asked for is known.
    async fn consume(
        &self,
        wanted: Wanted,
        producer: &str,
        transport: TransportNumber,
        possible: Instant,
    ) -> Result<(), JoinError> {
        let Self { run, seat, room, .. } = self;
        let consumer = room.consume(&self.name, producer, &self.router).await?;
        let coming = offer::coming(&consumer.rtp_parameters).ok_or(JoinError::NoSsrc)?;
        let expected = Expected {
            stream: wanted.stream,
            kind: wanted.kind,
            track: run.track(seat.call, wanted.from, wanted.kind),
            ssrc: coming.ssrc,
            repair_ssrc: coming.repair_ssrc,
            transport_number: coming.transport_number,
        };
        run.worker(*seat).tell(Command::Expect(transport, expected));
        if let (Kind::Video, Some(layer)) = (wanted.kind, run.plan.layer) {
            room.prefer_layer(&consumer.consumer_id, layer).await?;
        }
        room.resume(&consumer.consumer_id).await?;
        let asked = Asked {
            possible,
            resumed: Instant::now(),
        };
        run.asked.lock().unwrap_or_else(PoisonError::into_inner)[wanted.stream] = Some(asked);
        Ok(())
    }
}

/// Asks for all streams, a few at a time, in the order in which their tracks are announced.
async fn receive(
    participant: Participant,
    transport: TransportNumber,
    wanted: Vec<Wanted>,
    began: Instant,
) -> Vec<JoinError> {
    let turns = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut tasks = JoinSet::new();
    for wanted in wanted {
        let (participant, turns) = (participant.clone(), Arc::clone(&turns));
        tasks.spawn(async move {
            // Waiting takes nobody's turn.
            let (since, producer) = participant.announced(wanted).await?;
            let _turn = turns.acquire().await;
            let possible = since.max(began);
            participant.consume(wanted, &producer, transport, possible).await
        });
    }
    let mut errors = Vec::new();
    while let Some(outcome) = tasks.join_next().await {
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => errors.push(error),
            Err(_) => errors.push(JoinError::Gone),
        }
    }
    errors
}
