//! The report as a person reads it.

use std::fmt;

use super::{Report, SILENCE, Verdict};

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Good => "good: every stream was live and every checked packet authentic",
            Self::NotLive => "not good: a stream was not live",
            Self::NotAuthentic => {
                "not good: a packet was not authentic, or of another track than it should be"
            }
            Self::Interrupted => "stopped early; good until then",
        })
    }
}

impl Report {
    fn write_streams(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { streams, loss, .. } = self;
        writeln!(
            out,
            "streams    {} of {} live (audio {} of {}, video {} of {}); longest silence {:.2} s, {:.0} s are allowed",
            streams.live,
            streams.requested,
            streams.audio.live,
            streams.audio.requested,
            streams.video.live,
            streams.video.requested,
            streams.longest_silence,
            SILENCE.as_secs_f64()
        )?;
        writeln!(
            out,
            "loss       {:.4} % ({} of {} packets)",
            100.0 * loss.ratio,
            loss.lost,
            loss.expected
        )
    }

    fn write_traffic(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { latency, traffic, .. } = self;
        let kinds = [
            ("latency    ", &latency.all),
            ("   audio   ", &latency.audio),
            ("   video   ", &latency.video),
        ];
        for (name, of) in kinds {
            writeln!(
                out,
                "{name}p50 {:.3} ms, p95 {:.3} ms, p99 {:.3} ms, max {:.3} ms ({} packets)",
                of.p50, of.p95, of.p99, of.max, of.samples
            )?;
        }
        writeln!(
            out,
            "traffic    in {:.0} packets/s {:.1} Mbit/s, out {:.0} packets/s {:.1} Mbit/s",
            traffic.packets_in_per_second,
            traffic.megabits_in,
            traffic.packets_out_per_second,
            traffic.megabits_out
        )?;
        let [small, middle, large] = traffic.layers.map(|share| 100.0 * share);
        writeln!(
            out,
            "layers     {small:.0} % / {middle:.0} % / {large:.0} % of video packets; {} probes, {} key frames asked, \
             {} + {} repairs",
            traffic.probes, traffic.key_frames_asked, traffic.retransmitted, traffic.repaired
        )
    }

    fn write_server(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(server) = &self.server else {
            return writeln!(out, "server     not measured: no --server-pid");
        };
        writeln!(
            out,
            "server     {:.2} us CPU per forwarded packet, {:.2} cores busy",
            server.micros_per_packet, server.cores
        )?;
        writeln!(
            out,
            "memory     {:.2} MiB per participant ({:.1} MiB, idle {:.1} MiB)",
            server.memory_per_participant, server.memory, server.idle_memory
        )
    }

    fn write_tester(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tester = &self.tester;
        let cost = tester
            .micros_per_packet
            .map_or_else(|| "?".to_owned(), |micros| format!("{micros:.2}"));
        writeln!(
            out,
            "tester     {cost} us CPU per received packet, busiest of {} threads awake {:.0} %, late p99 {:.2} ms",
            tester.threads,
            100.0 * tester.busy,
            tester.late_p99
        )?;
        let lost = [
            (tester.skipped, "frames and packets left out, being late"),
            (tester.refused, "datagrams refused by the system"),
            (tester.overflowed, "datagrams lost in the tester's own buffers"),
            (tester.lost_transports as u64, "transports broken"),
        ];
        for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
            writeln!(out, "           {count} {what}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            plan,
            join,
            authentication,
            ..
        } = self;
        writeln!(
            out,
            "run        {} x {} participants, {} cameras each, {} visible, {} audible, {:.1} s",
            plan.calls, plan.participants, plan.video_senders, plan.visible, plan.audible, self.seconds
        )?;
        self.write_streams(out)?;
        self.write_traffic(out)?;
        self.write_server(out)?;
        writeln!(
            out,
            "join       first packet p50 {:.0} ms, p95 {:.0} ms; a stream's start p50 {:.0} ms, p95 {:.0} ms",
            join.first_packet_p50, join.first_packet_p95, join.stream_start_p50, join.stream_start_p95
        )?;
        writeln!(
            out,
            "checked    {} packets (1 in {}): {} not authentic, {} of another track, {} of nobody's stream",
            authentication.verified,
            authentication.one_in,
            authentication.failed,
            authentication.misrouted,
            authentication.strange
        )?;
        self.write_tester(out)?;
        for (reason, count) in &self.failures {
            writeln!(out, "failed     {count} x {reason}")?;
        }
        write!(out, "verdict    {}", self.verdict())
    }
}
