//! What a worker shows of itself: counts of its sockets, and how busy it is.
//!
//! The worker's thread writes plain numbers and copies them into atomics once per cycle; whoever asks computes rates
//! from the difference to the last time somebody asked. The packet path never waits for a reader.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sfu::TransmitClass;

use super::latency::{ForwardLatency, LatencyBoard};

/// Something a worker's IO counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IoCount {
    /// Datagrams and TCP packets received.
    PacketsIn,
    /// Their bytes, framing excluded.
    BytesIn,
    /// Datagrams and TCP packets handed to the kernel.
    PacketsOut,
    /// Their bytes, framing excluded.
    BytesOut,
    /// Calls that received datagrams.
    ReceiveCalls,
    /// Calls that sent datagrams.
    SendCalls,
    /// STUN and DTLS packets dropped because a send buffer was full.
    DroppedControl,
    /// Audio and RTCP packets dropped because a send buffer was full.
    DroppedAudio,
    /// Video packets dropped because a send buffer was full.
    DroppedVideo,
    /// Retransmissions dropped because a send buffer was full.
    DroppedRetransmission,
    /// Probes dropped because a send buffer was full.
    DroppedProbe,
    /// Nanoseconds that datagrams lay in the receive buffer until they were read, all together.
    WaitedNanos,
    /// Packets kept for another try because a send buffer was full.
    Deferred,
    /// Packets the kernel refused (no route, larger than the link allows) or whose TCP connection is gone.
    Refused,
    /// TCP connections accepted.
    StreamsAccepted,
    /// TCP connections turned away because there were too many.
    StreamsTurnedAway,
    /// TCP connections closed because they never answered for themselves by an accepted STUN check.
    StreamsUnproven,
    /// TCP connections closed because they were silent for too long.
    StreamsSilent,
    /// TCP connections closed because their peer did not read.
    StreamsStalled,
    /// TCP connections closed because their bytes were no RFC 4571 frames.
    StreamsMalformed,
}

impl IoCount {
    /// All of them, in the order of declaration.
    pub const ALL: [Self; 20] = [
        Self::PacketsIn,
        Self::BytesIn,
        Self::PacketsOut,
        Self::BytesOut,
        Self::ReceiveCalls,
        Self::SendCalls,
        Self::DroppedControl,
        Self::DroppedAudio,
        Self::DroppedVideo,
        Self::DroppedRetransmission,
        Self::DroppedProbe,
        Self::WaitedNanos,
        Self::Deferred,
        Self::Refused,
        Self::StreamsAccepted,
        Self::StreamsTurnedAway,
        Self::StreamsUnproven,
        Self::StreamsSilent,
        Self::StreamsStalled,
        Self::StreamsMalformed,
    ];

    /// The count of drops of `class`.
    pub fn dropped(class: TransmitClass) -> Self {
        match class {
            TransmitClass::Control => Self::DroppedControl,
            TransmitClass::Audio => Self::DroppedAudio,
            TransmitClass::Video => Self::DroppedVideo,
            TransmitClass::Retransmission => Self::DroppedRetransmission,
            TransmitClass::Probe => Self::DroppedProbe,
        }
    }
}

/// Totals of a worker's sockets since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoCounters([u64; IoCount::ALL.len()]);

impl IoCounters {
    /// The total of `count`.
    pub fn of(&self, count: IoCount) -> u64 {
        self.0[count as usize]
    }

    /// Packets dropped because a send buffer was full, all classes together.
    pub fn dropped(&self) -> u64 {
        [
            IoCount::DroppedControl,
            IoCount::DroppedAudio,
            IoCount::DroppedVideo,
            IoCount::DroppedRetransmission,
            IoCount::DroppedProbe,
        ]
        .into_iter()
        .map(|count| self.of(count))
        .sum()
    }

    pub(super) fn add(&mut self, count: IoCount, amount: u64) {
        self.0[count as usize] += amount;
    }

    /// Counts packets of `bytes` bytes altogether as sent.
    pub(super) fn sent(&mut self, packets: u64, bytes: usize) {
        self.add(IoCount::PacketsOut, packets);
        self.add(IoCount::BytesOut, bytes as u64);
    }
}

/// How busy a worker is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerLoad {
    /// Share of the time the thread was not waiting, 0 to 1.
    pub busy: f32,
    /// Packets received per second.
    pub packets_in: f32,
    /// Packets sent per second.
    pub packets_out: f32,
    /// Commands waiting in the mailbox right now.
    pub queue: usize,
    /// How long packets lay in the receive buffer until the loop got to them, on average. Grows from microseconds to
    /// milliseconds before anything is lost, so it tells a worker that is full from one that is merely busy.
    pub queue_delay: Duration,
    /// The longest such time.
    pub worst_queue_delay: Duration,
}

/// Shares and rates are taken over at least this long, so that two readers in a row see the same figures.
const WINDOW: Duration = Duration::from_secs(1);

/// Where a worker's thread puts its figures and others read them.
#[derive(Debug)]
pub(super) struct Board {
    started: Instant,
    counts: [AtomicU64; IoCount::ALL.len()],
    /// Nanoseconds spent working in finished cycles.
    busy: AtomicU64,
    /// Nanoseconds after `started` at which the current cycle began; 0 while the thread waits.
    awake_since: AtomicU64,
    latency: LatencyBoard,
    /// The longest a datagram waited since the last reading of the load, nanoseconds.
    worst_wait: AtomicU64,
    /// For readers only.
    last: Mutex<Sample>,
}

#[derive(Debug)]
struct Sample {
    at: Instant,
    busy: u64,
    packets_in: u64,
    packets_out: u64,
    waited: u64,
    load: WorkerLoad,
}

impl Board {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            started: now,
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            busy: AtomicU64::new(0),
            awake_since: AtomicU64::new(0),
            latency: LatencyBoard::default(),
            worst_wait: AtomicU64::new(0),
            last: Mutex::new(Sample {
                at: now,
                busy: 0,
                packets_in: 0,
                packets_out: 0,
                waited: 0,
                load: WorkerLoad::default(),
            }),
        }
    }

    /// The thread's wait has ended.
    pub(super) fn awake(&self, now: Instant) {
        self.awake_since.store(self.nanos(now), Relaxed);
    }

    /// A cycle is over; `counters` are shown from now on.
    pub(super) fn asleep(&self, now: Instant, counters: &IoCounters) {
        // One thread writes, so load and store need not be one step.
        let busy = self.busy_until(now);
        let cycle = Duration::from_nanos(busy - self.busy.load(Relaxed));
        let sent_before = self.counts[IoCount::PacketsOut as usize].load(Relaxed);
        self.latency
            .note(cycle, counters.of(IoCount::PacketsOut) - sent_before);
        self.busy.store(busy, Relaxed);
        self.awake_since.store(0, Relaxed);
        for (shown, count) in self.counts.iter().zip(counters.0) {
            shown.store(count, Relaxed);
        }
    }

    /// Datagrams waited in the receive buffer, the longest of them so long.
    pub(super) fn waited(&self, longest: Duration) {
        let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        // Readers take it away, so it is not only this thread's.
        self.worst_wait.fetch_max(nanos, Relaxed);
    }

    pub(super) fn latency(&self) -> ForwardLatency {
        self.latency.read()
    }

    pub(super) fn counters(&self) -> IoCounters {
        IoCounters(std::array::from_fn(|index| self.counts[index].load(Relaxed)))
    }

    /// The load since the last reading that is at least [`WINDOW`] old.
    pub(super) fn load(&self, now: Instant, queue: usize) -> WorkerLoad {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = now.saturating_duration_since(last.at);
        if elapsed >= WINDOW {
            let counters = self.counters();
            let (packets_in, packets_out) =
                (counters.of(IoCount::PacketsIn), counters.of(IoCount::PacketsOut));
            let busy = self.busy_until(now);
            let seconds = elapsed.as_secs_f32();
            let rate = |now: u64, before: u64| now.saturating_sub(before) as f32 / seconds;
            let waited = counters.of(IoCount::WaitedNanos);
            let arrived = packets_in.saturating_sub(last.packets_in).max(1);
            let load = WorkerLoad {
                busy: (rate(busy, last.busy) / 1e9).clamp(0.0, 1.0),
                packets_in: rate(packets_in, last.packets_in),
                packets_out: rate(packets_out, last.packets_out),
                queue,
                queue_delay: Duration::from_nanos(waited.saturating_sub(last.waited) / arrived),
                worst_queue_delay: Duration::from_nanos(self.worst_wait.swap(0, Relaxed)),
            };
            *last = Sample {
                at: now,
                busy,
                packets_in,
                packets_out,
                waited,
                load,
            };
        }
        WorkerLoad { queue, ..last.load }
    }

    /// Working time including the cycle that has not ended, so that a thread stuck in one shows as busy.
    fn busy_until(&self, now: Instant) -> u64 {
        let current = match self.awake_since.load(Relaxed) {
            0 => 0,
            since => self.nanos(now).saturating_sub(since),
        };
        self.busy.load(Relaxed) + current
    }

    /// Never 0, which stands for "waiting".
    fn nanos(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.started).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn counts_are_indexed_by_declaration() {
        for (index, count) in IoCount::ALL.into_iter().enumerate() {
            assert_eq!(count as usize, index, "{count:?}");
        }
    }

    #[test]
    fn load_is_work_over_time_and_forgets_the_past() {
        let start = Instant::now();
        let board = Board::new(start);
        let mut counters = IoCounters::default();
        board.awake(after(start, 100));
        counters.add(IoCount::PacketsIn, 50);
        counters.add(IoCount::WaitedNanos, 2_000_000);
        board.waited(Duration::from_millis(2));
        board.waited(Duration::from_millis(1));
        counters.sent(2_000, 100);
        board.asleep(after(start, 600), &counters);
        let load = board.load(after(start, 2_000), 3);
        assert_eq!(
            load,
            WorkerLoad {
                busy: 0.25,
                packets_in: 25.0,
                packets_out: 1_000.0,
                queue: 3,
                queue_delay: Duration::from_micros(40),
                worst_queue_delay: Duration::from_millis(2),
            }
        );
        let soon = board.load(after(start, 2_500), 0);
        assert_eq!(
            soon,
            WorkerLoad { queue: 0, ..load },
            "figures stand for a second, the queue does not"
        );
        assert_eq!(
            board.load(after(start, 4_000), 0),
            WorkerLoad::default(),
            "an idle thread need not report to be idle"
        );
    }

    #[test]
    fn packets_are_as_old_as_the_cycle_that_sent_them() {
        let start = Instant::now();
        let board = Board::new(start);
        let mut counters = IoCounters::default();
        board.awake(after(start, 100));
        counters.sent(7, 100);
        board.asleep(after(start, 104), &counters);
        board.awake(after(start, 200));
        board.asleep(after(start, 300), &counters);
        let latency = board.latency();
        assert_eq!(
            latency.sum,
            Duration::from_millis(4) * 7,
            "a cycle that sent nothing does not count"
        );
        assert_eq!(latency.buckets.iter().sum::<u64>(), 7);
    }

    #[test]
    fn a_stuck_thread_shows_as_busy() {
        let start = Instant::now();
        let board = Board::new(start);
        board.awake(after(start, 1_000));
        assert_eq!(board.load(after(start, 2_000), 0).busy, 0.5);
        assert_eq!(board.load(after(start, 4_000), 0).busy, 1.0);
    }
}
