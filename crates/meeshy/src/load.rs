//! `meeshy load`: simulated participants against a running media node.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use loadgen::{Audio, OneIn, Phase, Plan, Progress, Report, Simulcast, Verdict};

use crate::{complain, say};

/// Exit codes; 0 is a good run.
const COULD_NOT_RUN: u8 = 1;
const NOT_LIVE: u8 = 2;
const NOT_AUTHENTIC: u8 = 3;
const INTERRUPTED: u8 = 4;

/// Cells of the progress bar.
const BAR: usize = 24;

/// What the command takes.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 every stream was live and every checked packet authentic; 1 the run could not begin \
    (usage, connection, token); 2 a stream was not live; 3 a packet was not authentic or of another track; 4 interrupted."
)]
pub(crate) struct Arguments {
    /// URL of a media node
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3001")]
    url: String,
    /// The secret that signs the node's tokens
    #[arg(long, env = "MEDIA_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: String,
    /// Calls at once
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    calls: usize,
    /// Participants of each call
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    participants: usize,
    /// Participants of each call who send video [default: all]
    #[arg(long, value_name = "COUNT")]
    video_senders: Option<usize>,
    /// Videos that each participant receives
    #[arg(long, default_value_t = 9, value_name = "COUNT")]
    visible: usize,
    /// Audio streams that each participant receives, talkers first [default: everybody's]
    #[arg(long, value_name = "COUNT")]
    audible: Option<usize>,
    /// Whether there is audio
    #[arg(long, default_value = "on", value_name = "on|off")]
    audio: Switch,
    /// Whether cameras send three streams, or the largest alone
    #[arg(long, default_value = "on", value_name = "on|off")]
    simulcast: Switch,
    /// Largest simulcast layer to ask for, 0 to 2 [default: the server's choice]
    #[arg(long, value_name = "LAYER")]
    layer: Option<u8>,
    /// Seconds to measure
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    duration: u64,
    /// Participants who join per second, over all calls
    #[arg(long, default_value_t = 10.0, value_name = "JOINS")]
    ramp: f64,
    /// Seconds between the last join and the measurement, for bandwidth estimates to settle
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    settle: u64,
    /// Process id of the server, to measure its CPU time and memory
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Threads that send and receive [default: one per core this process may use]
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Share of received packets to decrypt and check: 1/N, or all
    #[arg(long, default_value = "1/8", value_name = "1/N", value_parser = share)]
    verify: OneIn,
    /// Seconds that joining may take after the last participant began
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    patience: u64,
    /// Also write the report as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

fn share(text: &str) -> Result<OneIn, String> {
    let number = match text {
        "all" => Some(1),
        _ => text.strip_prefix("1/").and_then(|number| number.parse().ok()),
    };
    number
        .filter(|number| *number > 0)
        .map(OneIn)
        .ok_or_else(|| "must be 1/N, such as 1/8, or all".to_owned())
}

impl Arguments {
    fn plan(&self) -> Plan {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Plan {
            url: self.url.clone(),
            secret: self.secret.clone(),
            calls: self.calls,
            participants: self.participants,
            video_senders: self.video_senders.unwrap_or(self.participants),
            visible: self.visible,
            audible: self.audible.unwrap_or(usize::MAX),
            audio: match self.audio {
                Switch::On => Audio::On,
                Switch::Off => Audio::Off,
            },
            simulcast: match self.simulcast {
                Switch::On => Simulcast::On,
                Switch::Off => Simulcast::Off,
            },
            layer: self.layer,
            duration: Duration::from_secs(self.duration),
            ramp: self.ramp,
            settle: Duration::from_secs(self.settle),
            server_pid: self.server_pid,
            threads: self.threads.unwrap_or_else(cores),
            verify: self.verify,
            patience: Duration::from_secs(self.patience),
        }
    }
}

/// Runs the load and reports.
pub(crate) fn load(arguments: &Arguments) -> Result<ExitCode> {
    let mut bar = Bar::new();
    let outcome = loadgen::run(&arguments.plan(), &mut |progress| bar.show(progress));
    bar.end();
    let report = match outcome {
        Ok(report) => report,
        Err(error) => {
            complain(&format!("meeshy: {error}"));
            return Ok(ExitCode::from(COULD_NOT_RUN));
        }
    };
    say(&report.to_string());
    if let Some(file) = &arguments.json {
        write_json(&report, file)?;
    }
    Ok(match report.verdict() {
        Verdict::Good => ExitCode::SUCCESS,
        Verdict::NotLive => ExitCode::from(NOT_LIVE),
        Verdict::NotAuthentic => ExitCode::from(NOT_AUTHENTIC),
        Verdict::Interrupted => ExitCode::from(INTERRUPTED),
    })
}

/// What a command line that clap refuses exits with: clap's own 2 would say that a stream was not live.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nobody reads it if the pipe is closed.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(COULD_NOT_RUN)
    } else {
        ExitCode::SUCCESS
    }
}

fn write_json(report: &Report, file: &Path) -> Result<()> {
    let context = || format!("the report cannot be written to {}", file.display());
    let mut out = BufWriter::new(File::create(file).with_context(context)?);
    serde_json::to_writer_pretty(&mut out, report).with_context(context)?;
    writeln!(out).and_then(|()| out.flush()).with_context(context)
}

/// Shows progress on standard error: a bar that moves on a terminal, else a line per phase.
struct Bar {
    moves: bool,
    phase: Option<Phase>,
}

impl Bar {
    fn new() -> Self {
        Self {
            moves: std::io::stderr().is_terminal(),
            phase: None,
        }
    }

    fn show(&mut self, progress: &Progress) {
        let new = self.phase.replace(progress.phase) != Some(progress.phase);
        if self.moves {
            // To the line's beginning, and away with what was there.
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", line(progress));
        } else if new {
            complain(word(progress.phase));
        }
    }

    fn end(&mut self) {
        if self.moves && self.phase.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Joining => "joining",
        Phase::Settling => "settling",
        Phase::Measuring => "measuring",
        Phase::Leaving => "leaving",
    }
}

fn line(progress: &Progress) -> String {
    // A share of a small number.
    let done = (progress.share.clamp(0.0, 1.0) * BAR as f64) as usize;
    let bar = "#".repeat(done) + &".".repeat(BAR - done);
    let trouble = match progress.unauthentic {
        0 => String::new(),
        count => format!(", {count} NOT AUTHENTIC"),
    };
    format!(
        "{:9} [{bar}] {}/{} transports, {}/{} streams, {} packets in, {} out{trouble}",
        word(progress.phase),
        progress.transports.0,
        progress.transports.1,
        progress.streams.0,
        progress.streams.1,
        progress.sent,
        progress.received
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read() {
        assert_eq!(share("all"), Ok(OneIn(1)));
        assert_eq!(share("1/16"), Ok(OneIn(16)));
        for wrong in ["0", "1/0", "2/3", "1/", "1/-1", "some"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_bar_says_how_far_it_is() {
        let progress = Progress {
            phase: Phase::Measuring,
            share: 0.5,
            transports: (4, 6),
            streams: (3, 12),
            sent: 10,
            received: 20,
            unauthentic: 0,
        };
        let half = "#".repeat(12) + &".".repeat(12);
        let expected = format!("measuring [{half}] 4/6 transports, 3/12 streams, 10 packets in, 20 out");
        assert_eq!(line(&progress), expected);
        let worse = Progress {
            unauthentic: 2,
            share: 7.0,
            ..progress
        };
        assert!(line(&worse).ends_with("20 out, 2 NOT AUTHENTIC"));
    }
}
