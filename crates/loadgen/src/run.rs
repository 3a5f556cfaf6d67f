//! A run from the first room to the last report.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::dtls::Identity;
use crate::joining::{Announced, JoinError, Run, Seat, Wanted, join};
use crate::plan::{Plan, PlanError};
use crate::random::Random;
use crate::receiving::Kind;
use crate::report::{Measured, Report, Window};
use crate::rest::{Rest, RestError};
use crate::server::{self, Usage};
use crate::token::Signer;
use crate::worker::{Command, Tally, Worker};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);
/// Reasons of failures that are told one by one.
const REASONS: usize = 8;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The plan makes no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The server cannot be reached, or refused a room.
    #[error(transparent)]
    Server(#[from] RestError),
    /// It knows no rooms but those of its own calls.
    #[error("{0} creates no rooms: it is a gateway; give the URL of a media node")]
    Gateway(String),
    /// Nobody could join.
    #[error("nobody could join: {0}")]
    Nobody(String),
    /// The process to be measured is not there.
    #[error("process {pid} cannot be measured: {error}")]
    Process {
        /// Its id.
        pid: u32,
        /// Why.
        error: std::io::Error,
    },
    /// The tester's own machine refused something.
    #[error("the tester cannot run: {0}")]
    Tester(String),
    /// It was interrupted before there was anything to report.
    #[error("interrupted before the measurement began")]
    Interrupted,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Participants join.
    Joining,
    /// All streams were asked for; bandwidth estimates settle.
    Settling,
    /// What counts.
    Measuring,
    /// Participants leave.
    Leaving,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// How much of that is done, 0 to 1.
    pub share: f64,
    /// Connected transports, and how many there are to be.
    pub transports: (u64, u64),
    /// Streams on which something came, and how many there are to be.
    pub streams: (u64, u64),
    /// Media packets the server was sent.
    pub sent: u64,
    /// Media packets it forwarded.
    pub received: u64,
    /// Packets that were not authentic.
    pub unauthentic: u64,
}

/// How waiting ended.
enum Waited<T> {
    Done(T),
    TimedOut,
    Interrupted,
}

struct Conductor<'a> {
    run: Arc<Run>,
    progress: &'a mut dyn FnMut(&Progress),
    wanted: u64,
}

/// Runs a plan against its server, telling `progress` a few times a second.
///
/// # Errors
/// Why there was nothing to measure. That streams did not flow is no error but in the report.
pub fn run(plan: &Plan, progress: &mut dyn FnMut(&Progress)) -> Result<Report, LoadError> {
    plan.check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| LoadError::Tester(error.to_string()))?;
    runtime.block_on(async {
        let (audio, video) = plan.streams();
        let mut conductor = Conductor {
            run: Arc::new(prepare(plan)?),
            progress,
            wanted: (audio + video) as u64,
        };
        let outcome = conductor.conduct().await;
        conductor.leave().await;
        outcome
    })
}

fn prepare(plan: &Plan) -> Result<Run, LoadError> {
    let tester = |error: &dyn std::fmt::Display| LoadError::Tester(error.to_string());
    let mut random = Random::seeded();
    let workers: Result<Vec<Worker>, _> = (0..plan.threads)
        .map(|number| Worker::start(number, plan.verify, random.fork()))
        .collect();
    let (audio, video) = plan.streams();
    let no_news = || watch::Sender::new(Announced::NotYet);
    Ok(Run {
        plan: plan.clone(),
        name: format!("load-{:08x}", random.word() as u32),
        rest: Rest::new(&plan.url)?,
        signer: Signer::new(&plan.secret),
        identity: Identity::new().map_err(|error| tester(&error))?,
        workers: workers.map_err(|error| tester(&error))?,
        tracks: (0..plan.everybody()).map(|_| [no_news(), no_news()]).collect(),
        asked: Mutex::new(vec![None; audio + video]),
        random: Mutex::new(random),
    })
}

/// Everybody's seat and the streams each asks for; calls fill side by side.
fn seats(plan: &Plan) -> Vec<(Seat, Vec<Wanted>)> {
    let mut stream = 0;
    let mut seats = Vec::with_capacity(plan.everybody());
    for participant in 0..plan.participants {
        for call in 0..plan.calls {
            let audio = plan
                .hears(participant)
                .into_iter()
                .map(|from| (Kind::Audio, from));
            let video = plan.sees(participant).into_iter().map(|from| (Kind::Video, from));
            let wanted = audio.chain(video).map(|(kind, from)| {
                let wanted = Wanted { stream, kind, from };
                stream += 1;
                wanted
            });
            let number = call * plan.participants + participant;
            let wanted = wanted.collect();
            let seat = Seat {
                call,
                participant,
                number,
            };
            seats.push((seat, wanted));
        }
    }
    seats
}

impl Conductor<'_> {
    async fn conduct(&mut self) -> Result<Report, LoadError> {
        let run = Arc::clone(&self.run);
        let idle = self.usage()?;
        for call in 0..run.plan.calls {
            let created = run.rest.create_room(&run.call_id(call), &run.signer).await;
            created.map_err(|error| refused(&run.plan.url, error))?;
        }
        let seats = seats(&run.plan);
        let failures = self.join_all(&seats).await?;
        self.wait(Phase::Settling, run.plan.settle)
            .await
            .or_interrupted()?;
        let window = self.measure(idle).await?;
        let asked = run.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let measured = Measured {
            window,
            asked,
            seats,
            failures,
        };
        Ok(Report::new(&run.plan, &measured))
    }

    /// Lets everybody join, a few per second; what went wrong, and how often.
    async fn join_all(
        &mut self,
        seats: &[(Seat, Vec<Wanted>)],
    ) -> Result<BTreeMap<String, usize>, LoadError> {
        let run = Arc::clone(&self.run);
        let seats = seats.to_vec();
        let ramp = Duration::from_secs_f64((seats.len() - 1) as f64 / run.plan.ramp);
        let patience = ramp + run.plan.patience;
        let everybody = seats.len();
        let errors = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&errors);
        let joining = async move {
            let start = tokio::time::Instant::now();
            let mut tasks = JoinSet::new();
            for (number, (seat, wanted)) in seats.into_iter().enumerate() {
                let turn = Duration::from_secs_f64(number as f64 / run.plan.ramp);
                let (run, collected) = (Arc::clone(&run), Arc::clone(&collected));
                tasks.spawn(async move {
                    tokio::time::sleep_until(start + turn).await;
                    let errors = join(run, seat, wanted).await;
                    collected
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend(errors);
                });
            }
            while tasks.join_next().await.is_some() {}
        };
        let outcome = self.wait_for(Phase::Joining, joining, patience).await;
        let errors = std::mem::take(&mut *errors.lock().unwrap_or_else(PoisonError::into_inner));
        match outcome {
            Waited::Interrupted => Err(LoadError::Interrupted),
            Waited::TimedOut => Ok(summary(&errors, Some("joining took too long"))),
            Waited::Done(()) if errors.len() >= everybody && self.connected() == 0 => {
                let first = errors.first().map(ToString::to_string);
                Err(LoadError::Nobody(first.unwrap_or_default()))
            }
            Waited::Done(()) => Ok(summary(&errors, None)),
        }
    }

    /// Measures for the plan's duration, or until interrupted.
    async fn measure(&mut self, idle: Option<Usage>) -> Result<Window, LoadError> {
        let own = Usage::own().ok();
        let before = self.usage()?;
        let begin = Instant::now();
        self.tell_all(|| Command::Begin);
        let duration = self.run.plan.duration;
        let interrupted = matches!(self.wait(Phase::Measuring, duration).await, Waited::Interrupted);
        let mut tallies: Vec<Tally> = Vec::new();
        for worker in &self.run.workers {
            let (answer, tally) = oneshot::channel();
            worker.tell(Command::End(answer));
            let tally = tally.await;
            tallies.push(tally.map_err(|_| LoadError::Tester("a thread is gone".to_owned()))?);
        }
        let length = begin.elapsed();
        // A server that died meanwhile has nothing to tell; that its streams are not live says enough.
        let after = self.usage().ok().flatten();
        let own = own
            .zip(Usage::own().ok())
            .map(|(before, after)| after.cpu - before.cpu);
        let ports: HashSet<u16> = tallies
            .iter()
            .flat_map(|tally| tally.ports.iter().copied())
            .collect();
        Ok(Window {
            length,
            interrupted,
            overflowed: server::overflowed(&ports),
            tallies,
            idle,
            before,
            after,
            own_cpu: own,
        })
    }

    fn usage(&self) -> Result<Option<Usage>, LoadError> {
        let usage = |pid| Usage::of(pid).map_err(|error| LoadError::Process { pid, error });
        self.run.plan.server_pid.map(usage).transpose()
    }

    fn tell_all(&self, command: impl Fn() -> Command) {
        self.run.workers.iter().for_each(|worker| worker.tell(command()));
    }

    /// Ends all rooms, and everybody's transports with them; a server that is gone needs no goodbye.
    async fn leave(&mut self) {
        self.tell(Phase::Leaving, 0.0);
        let run = &self.run;
        for call in 0..run.plan.calls {
            let gone = run.rest.destroy_room(&run.call_id(call), &run.signer).await;
            if matches!(gone, Err(RestError::Unreachable(..))) {
                break;
            }
        }
        self.tell_all(|| Command::Stop);
    }

    async fn wait(&mut self, phase: Phase, duration: Duration) -> Waited<()> {
        match self.wait_for(phase, std::future::pending::<()>(), duration).await {
            Waited::Interrupted => Waited::Interrupted,
            _ => Waited::Done(()),
        }
    }

    /// Waits for `done` at most `patience`, telling progress meanwhile.
    async fn wait_for<T>(
        &mut self,
        phase: Phase,
        done: impl Future<Output = T>,
        patience: Duration,
    ) -> Waited<T> {
        let start = Instant::now();
        let mut done = pin!(done);
        let mut end = pin!(tokio::time::sleep(patience));
        let mut interrupt = pin!(tokio::signal::ctrl_c());
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                outcome = &mut done => return Waited::Done(outcome),
                () = &mut end => return Waited::TimedOut,
                _ = &mut interrupt => return Waited::Interrupted,
                _ = ticks.tick() => {
                    let share = start.elapsed().as_secs_f64() / patience.as_secs_f64().max(f64::EPSILON);
                    self.tell(phase, share.min(1.0));
                }
            }
        }
    }

    fn connected(&self) -> u64 {
        let workers = self.run.workers.iter();
        workers
            .map(|worker| worker.gauges.connected.load(Ordering::Relaxed))
            .sum()
    }

    fn tell(&mut self, phase: Phase, share: f64) {
        let mut told = Progress {
            phase,
            share,
            transports: (self.connected(), 2 * self.run.plan.everybody() as u64),
            streams: (0, self.wanted),
            sent: 0,
            received: 0,
            unauthentic: 0,
        };
        for worker in &self.run.workers {
            let gauges = &worker.gauges;
            told.streams.0 += gauges.flowing.load(Ordering::Relaxed);
            told.sent += gauges.sent.load(Ordering::Relaxed);
            told.received += gauges.received.load(Ordering::Relaxed);
            told.unauthentic += gauges.unauthentic.load(Ordering::Relaxed);
        }
        (self.progress)(&told);
    }
}

impl Waited<()> {
    fn or_interrupted(self) -> Result<(), LoadError> {
        match self {
            Self::Interrupted => Err(LoadError::Interrupted),
            Self::Done(()) | Self::TimedOut => Ok(()),
        }
    }
}

/// A node makes any room it is asked for; only a gateway, which passes requests on to nodes, knows none of the name.
fn refused(url: &str, error: RestError) -> LoadError {
    if error.is("ROOM_NOT_FOUND") {
        LoadError::Gateway(url.to_owned())
    } else {
        error.into()
    }
}

/// Counts reasons; those that differ only in ids are few enough.
fn summary(errors: &[JoinError], more: Option<&str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let reasons = errors.iter().map(ToString::to_string);
    for reason in reasons.chain(more.map(str::to_owned)) {
        let reason = if counts.len() < REASONS || counts.contains_key(&reason) {
            reason
        } else {
            "others".to_owned()
        };
        *counts.entry(reason).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    #[test]
    fn every_stream_has_a_number_of_its_own() {
        let mut plan = plan(5, 3, 2);
        plan.calls = 3;
        let seats = seats(&plan);
        assert_eq!(seats.len(), 15);
        let mut streams: Vec<usize> = seats
            .iter()
            .flat_map(|(_, wanted)| wanted.iter().map(|w| w.stream))
            .collect();
        streams.sort_unstable();
        let (audio, video) = plan.streams();
        assert!(streams.into_iter().eq(0..audio + video));
        let numbers: HashSet<usize> = seats.iter().map(|(seat, _)| seat.number).collect();
        assert_eq!(numbers.len(), 15);
        assert_eq!(seats[1].0.call, 1, "calls fill side by side");
    }

    #[test]
    fn reasons_are_counted_and_limited() {
        let mut errors: Vec<JoinError> = vec![JoinError::NoTrack, JoinError::NoTrack];
        errors.extend((0..20).map(|number| {
            JoinError::Rest(RestError::Strange(format!("GET /{number:02}"), "odd".to_owned()))
        }));
        let counts = summary(&errors, Some("late"));
        assert!(counts.len() <= REASONS + 1, "{counts:?}");
        assert_eq!(counts[&JoinError::NoTrack.to_string()], 2);
        assert_eq!(counts.values().sum::<usize>(), 23);
    }
}
