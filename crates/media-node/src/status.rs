//! How the node is: health, readiness, load, figures.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use edge::metrics::{Exporter, process_exposition};
use signalling::client_node::{HealthStatus, StatsResponse, WorkerLoad};

use crate::control::Context;
use crate::control::admission::{Admission, LoadGauge};
use crate::control::workers::PlacedLoad;
use crate::metrics::beside;
use crate::metrics::{Occupancy, ProcessUsage, process_usage};
use crate::random;

/// Where the load comes from, 0 to 1; tests put their own in place of the machine's.
pub type LoadProbe = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Every so many load samples the histograms are folded; see [`crate::metrics::Metrics`].
const SAMPLES_PER_UPKEEP: u32 = 5;

/// How much of what a node takes on is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Places {
    /// Rooms that take a place.
    pub(crate) rooms: u32,
    /// Places.
    pub(crate) max_rooms: u32,
    /// Share of all cores in use, 0 to 1.
    pub(crate) cpu: f64,
    /// Whether new rooms are refused.
    pub(crate) draining: bool,
}

/// The node's view of itself.
pub(crate) struct Status {
    context: Arc<Context>,
    gauge: Mutex<LoadGauge>,
    probe: Option<LoadProbe>,
    /// Where the node stands.
    region: String,
    /// What tells this process from all others.
    instance: String,
}

impl Status {
    pub(crate) fn new(context: Arc<Context>, probe: Option<LoadProbe>, region: String) -> Self {
        Self {
            region,
            instance: random::instance(),
            context,
            gauge: Mutex::default(),
            probe,
        }
    }

    /// Whether the process is of any use.
    pub(crate) fn health(&self) -> HealthStatus {
        if self.context.workers.alive() {
            HealthStatus::Ok
        } else {
            HealthStatus::Failed
        }
    }

    /// Whether new calls should come here.
    pub(crate) fn readiness(&self) -> HealthStatus {
        if self.context.registry.is_draining() {
            return HealthStatus::Draining;
        }
        match (self.health(), self.context.admission.level()) {
            (HealthStatus::Ok, Admission::Closed) => HealthStatus::Overloaded,
            (health, _) => health,
        }
    }

    /// What tells this process from all others.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// How much of what it takes on is taken.
    pub(crate) fn occupancy(&self) -> Places {
        Places {
            rooms: count(self.context.registry.counted()),
            max_rooms: count(self.context.capacity.rooms),
            cpu: self.gauge().average(),
            draining: self.context.registry.is_draining(),
        }
    }

    /// Figures for `/api/stats`.
    pub(crate) async fn stats(&self) -> StatsResponse {
        let workers = self.context.workers.stats().await;
        let sum = |field: fn(&sfu::stats::WorkerStats) -> usize| count(workers.iter().map(field).sum());
        StatsResponse {
            workers: count(workers.len()),
            rooms: count(self.context.registry.len()),
            participants: count(self.context.registry.participants()),
            transports: sum(|stats| stats.receive_transports + stats.send_transports),
            producers: sum(|stats| stats.audio_producers + stats.video_producers),
            consumers: sum(|stats| stats.audio_consumers + stats.video_consumers),
            cpu: self.gauge().average(),
            memory: process_usage().resident_bytes,
            draining: self.context.registry.is_draining(),
            occupied_rooms: count(self.context.registry.counted()),
            max_rooms: count(self.context.capacity.rooms),
            region: self.region.clone(),
            instance: self.instance.clone(),
            worker_loads: self.context.workers.loads().iter().map(worker_load).collect(),
        }
    }

    /// The Prometheus text for `/metrics`.
    pub(crate) async fn render_metrics(&self) -> String {
        let context = &self.context;
        let workers = context.workers.stats().await;
        context.workers.traffic().publish(&context.metrics, &workers);
        let io = context.workers.io_totals();
        context.metrics.set_io(&io);
        context.metrics.set_worker_loads(&context.workers.loads());
        let (rooms, counted) = (context.registry.len(), context.registry.counted());
        context.metrics.set_occupancy(&Occupancy {
            rooms,
            participants: context.registry.participants(),
            capacity_ratio: (counted as f64 / context.capacity.rooms as f64).max(self.gauge().average()),
            admission_state: context.admission.level().state(),
            draining: context.registry.is_draining(),
        });
        let mut text = context.metrics.render();
        text.push_str(&beside::forward_latency(&io.latency));
        text.push_str(&process_exposition(Exporter {
            role: "media",
            region: &self.region,
        }));
        text
    }

    /// Samples the load until the node is gone.
    pub(crate) async fn watch_load(self: Arc<Self>, interval: Duration) {
        let mut machine = MachineLoad::new();
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut samples: u32 = 0;
        loop {
            ticks.tick().await;
            let load = match &self.probe {
                Some(probe) => probe(),
                None => machine.sample().max(self.mean_worker_load()),
            };
            let before = self.context.admission.level();
            let now = self.gauge().observe(load);
            self.context.admission.set(now);
            if before != now {
                tracing::warn!(?before, ?now, "admission under load changed");
                self.context.workers.set_video_quality(now.video_quality());
            }
            samples = samples.wrapping_add(1);
            if samples.is_multiple_of(SAMPLES_PER_UPKEEP) {
                self.context.metrics.upkeep();
            }
        }
    }

    /// With fewer workers than cores the workers can be saturated while the machine looks idle.
    fn mean_worker_load(&self) -> f64 {
        let loads = self.context.workers.loads();
        if loads.is_empty() {
            return 0.0;
        }
        loads.iter().map(|one| f64::from(one.load.busy)).sum::<f64>() / loads.len() as f64
    }

    fn gauge(&self) -> MutexGuard<'_, LoadGauge> {
        self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn worker_load(of: &PlacedLoad) -> WorkerLoad {
    WorkerLoad {
        worker: count(of.index),
        busy: of.load.busy.into(),
        packets_in: of.load.packets_in.into(),
        packets_out: of.load.packets_out.into(),
        queue_delay_ms: of.load.queue_delay.as_secs_f64() * 1e3,
        participants: count(of.participants),
        consumers: count(of.consumers),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// This process's share of all cores.
struct MachineLoad {
    at: Instant,
    usage: ProcessUsage,
    cores: f64,
}

impl MachineLoad {
    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            at: Instant::now(),
            usage: process_usage(),
            cores: cores as f64,
        }
    }

    /// The share since the last sample, 0 to 1.
    fn sample(&mut self) -> f64 {
        let (at, usage) = (Instant::now(), process_usage());
        let elapsed = at.duration_since(self.at).as_secs_f64();
        let used = usage.cpu.saturating_sub(self.usage.cpu).as_secs_f64();
        (self.at, self.usage) = (at, usage);
        if elapsed > 0.0 {
            (used / elapsed / self.cores).min(1.0)
        } else {
            0.0
        }
    }
}
