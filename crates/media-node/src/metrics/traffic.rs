//! Counts of the workers, summed up for a scrape.

use edge::metrics::MetricLabel as Label;
use sfu::stats::{Counters, WorkerStats};

use super::{Metrics, names};

/// Totals of all workers, living and dead; only ever grows.
#[derive(Default)]
pub(crate) struct Traffic {
    /// What dead workers had counted.
    buried: Counters,
    /// Sums at the previous scrape, for [`names::PACKET_LOSS`].
    previous: Counters,
}

impl Traffic {
    /// Keeps the counts of a worker that is no more.
    pub(crate) fn bury(&mut self, counters: &Counters) {
        add(&mut self.buried, counters);
    }

    /// Writes counts and gauges for the present state of all living workers.
    pub(crate) fn publish(&mut self, metrics: &Metrics, workers: &[WorkerStats]) {
        let mut total = self.buried.clone();
        for worker in workers {
            add(&mut total, &worker.counters);
        }
        publish_objects(metrics, workers);
        publish_counters(metrics, &total);
        self.publish_loss(metrics, &total);
        self.previous = total;
    }

    fn publish_loss(&self, metrics: &Metrics, total: &Counters) {
        let since = |now: u64, before: u64| now.saturating_sub(before) as f64;
        let percent = |part: f64, whole: f64| {
            if whole > 0.0 {
                (100.0 * part / whole).min(100.0)
            } else {
                0.0
            }
        };
        let lost = since(total.rtp_lost, self.previous.rtp_lost);
        let received = since(total.rtp_received, self.previous.rtp_received);
        let repeated = since(total.rtx_sent, self.previous.rtx_sent);
        let sent = since(total.rtp_sent, self.previous.rtp_sent);
        let gauge = |direction| {
            metrics
                .registry
                .gauge(names::PACKET_LOSS, super::label("direction", direction))
        };
        gauge("in").set(percent(lost, lost + received));
        gauge("out").set(percent(repeated, sent));
    }
}

fn publish_objects(metrics: &Metrics, workers: &[WorkerStats]) {
    let sum = |field: fn(&WorkerStats) -> usize| workers.iter().map(field).sum::<usize>() as f64;
    metrics.set(names::WORKERS, workers.len() as f64);
    metrics.set(names::ROUTERS, sum(|stats| stats.routers));
    metrics.set(names::PIPED_PRODUCERS, sum(|stats| stats.piped_producers));
    let labelled = [
        // The worker's receiving side is the client's sending side.
        (
            names::TRANSPORTS,
            "direction",
            "send",
            sum(|stats| stats.receive_transports),
        ),
        (
            names::TRANSPORTS,
            "direction",
            "recv",
            sum(|stats| stats.send_transports),
        ),
        (
            names::PRODUCERS,
            "kind",
            "audio",
            sum(|stats| stats.audio_producers),
        ),
        (
            names::PRODUCERS,
            "kind",
            "video",
            sum(|stats| stats.video_producers),
        ),
        (
            names::CONSUMERS,
            "kind",
            "audio",
            sum(|stats| stats.audio_consumers),
        ),
        (
            names::CONSUMERS,
            "kind",
            "video",
            sum(|stats| stats.video_consumers),
        ),
    ];
    for (name, label, value, count) in labelled {
        metrics
            .registry
            .gauge(name, super::label(label, value))
            .set(count);
    }
}

fn publish_counters(metrics: &Metrics, total: &Counters) {
    let directed = [
        (names::RTP_PACKETS, total.rtp_received, total.rtp_sent),
        (names::RTP_BYTES, total.rtp_received_bytes, total.rtp_sent_bytes),
        (names::NACK, total.nack_received, total.nack_sent),
        (names::PLI, total.pli_received, total.pli_sent),
        (names::PIPED_PACKETS, total.piped_in, total.piped_out),
    ];
    for (name, received, sent) in directed {
        metrics
            .registry
            .counter(name, super::label("direction", "in"))
            .absolute(received);
        metrics
            .registry
            .counter(name, super::label("direction", "out"))
            .absolute(sent);
    }
    for (name, value) in [
        (names::RTP_LOST, total.rtp_lost),
        (names::RTX, total.rtx_sent),
        (names::PROBES, total.probe_sent),
    ] {
        metrics.registry.counter(name, Vec::new()).absolute(value);
    }
    let drops = [
        ("unknown_ssrc", total.unknown_ssrc),
        ("malformed_rtp", total.malformed_rtp),
        ("malformed_rtcp", total.malformed_rtcp),
        ("over_bitrate", total.over_bitrate),
        ("pipe_full_audio", total.pipe_dropped_audio),
        ("pipe_full_video", total.pipe_dropped_video),
        ("unknown_address", total.unknown_address),
    ];
    let links = link::DropReason::ALL
        .iter()
        .zip(total.link_drops)
        .map(|(reason, count)| (reason.name(), count));
    for (reason, count) in drops.into_iter().chain(links) {
        metrics
            .registry
            .counter(names::DROPPED, vec![Label::new("reason", reason)])
            .absolute(count);
    }
}

fn add(total: &mut Counters, other: &Counters) {
    let pairs = [
        (&mut total.datagrams_received, other.datagrams_received),
        (&mut total.rtp_received, other.rtp_received),
        (&mut total.rtp_received_bytes, other.rtp_received_bytes),
        (&mut total.rtp_sent, other.rtp_sent),
        (&mut total.rtp_sent_bytes, other.rtp_sent_bytes),
        (&mut total.rtp_lost, other.rtp_lost),
        (&mut total.nack_sent, other.nack_sent),
        (&mut total.nack_received, other.nack_received),
        (&mut total.pli_sent, other.pli_sent),
        (&mut total.pli_received, other.pli_received),
        (&mut total.rtx_sent, other.rtx_sent),
        (&mut total.probe_sent, other.probe_sent),
        (&mut total.piped_out, other.piped_out),
        (&mut total.piped_in, other.piped_in),
        (&mut total.pipe_dropped_audio, other.pipe_dropped_audio),
        (&mut total.pipe_dropped_video, other.pipe_dropped_video),
        (&mut total.unknown_ssrc, other.unknown_ssrc),
        (&mut total.malformed_rtp, other.malformed_rtp),
        (&mut total.malformed_rtcp, other.malformed_rtcp),
        (&mut total.over_bitrate, other.over_bitrate),
        (&mut total.unknown_address, other.unknown_address),
    ];
    for (sum, value) in pairs {
        *sum += value;
    }
    for (sum, value) in total.link_drops.iter_mut().zip(other.link_drops) {
        *sum += value;
    }
}
