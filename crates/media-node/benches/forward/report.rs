//! The measurements as a table and as JSON.
#![allow(clippy::print_stdout, reason = "printing is what this is for")]

use serde_json::{Value, json};

/// One run.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) send_path: String,
    pub(crate) producers: usize,
    pub(crate) viewers: usize,
    pub(crate) seconds: f64,
    pub(crate) packets_in: u64,
    /// Packets in times viewers.
    pub(crate) expected: u64,
    /// Of those, what the worker chose not to forward.
    pub(crate) held_back: u64,
    pub(crate) received: u64,
    pub(crate) verified: u64,
    /// Processor time of the worker's thread, seconds.
    pub(crate) cpu: f64,
    pub(crate) send_calls: u64,
    pub(crate) receive_calls: u64,
    pub(crate) dropped: u64,
}

impl Row {
    pub(crate) fn micros_per_packet(&self) -> f64 {
        self.cpu * 1e6 / self.received.max(1) as f64
    }

    fn rate(&self) -> f64 {
        self.received as f64 / self.seconds
    }

    pub(crate) fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.held_back + self.received)
    }

    pub(crate) fn heading() {
        println!(
            "{:<10} {:<6} {:>5} {:>7} {:>9} {:>10} {:>8} {:>8} {:>9} {:>7} {:>7} {:>7}",
            "scenario",
            "path",
            "prod",
            "viewers",
            "in/s",
            "out/s",
            "us/pkt",
            "worker",
            "pkt/call",
            "lost",
            "held",
            "checked"
        );
    }

    pub(crate) fn print(&self) {
        println!(
            "{:<10} {:<6} {:>5} {:>7} {:>9.0} {:>10.0} {:>8.3} {:>7.1}% {:>9.1} {:>7} {:>7} {:>7}",
            self.scenario,
            self.send_path,
            self.producers,
            self.viewers,
            self.packets_in as f64 / self.seconds,
            self.rate(),
            self.micros_per_packet(),
            100.0 * self.cpu / self.seconds,
            self.received as f64 / self.send_calls.max(1) as f64,
            self.lost(),
            self.held_back,
            self.verified,
        );
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "scenario": self.scenario,
            "sendPath": self.send_path,
            "producers": self.producers,
            "viewers": self.viewers,
            "seconds": self.seconds,
            "packetsIn": self.packets_in,
            "packetsOut": self.received,
            "packetsOutPerSecond": self.rate(),
            "lost": self.lost(),
            "heldBack": self.held_back,
            "droppedByNode": self.dropped,
            "verified": self.verified,
            "workerCpuSeconds": self.cpu,
            "workerMicrosPerPacketOut": self.micros_per_packet(),
            "sendCalls": self.send_calls,
            "receiveCalls": self.receive_calls,
        })
    }
}
