//! `meeshy metrics`: every metric of every server, read off the tables they are made from, so that dashboards, alerts and
//! `docs/monitoring.md` can be checked against it.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use edge::metrics::{Description, PROCESS};
use serde_json::{Value, json};

use crate::say;

#[cfg(test)]
mod tests;

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A server, its name in the table, its metrics.
const SERVERS: [(&str, &str, &[Description]); 3] = [
    ("gateway", "Gateway", ::gateway::metrics::ALL),
    ("media", "Media node", media_node::metrics::ALL),
    ("both", "Gateway and media node alike", PROCESS),
];

/// Prints the table.
#[allow(clippy::unnecessary_wraps, reason = "every command may fail")]
pub(crate) fn print(arguments: &Arguments) -> Result<ExitCode> {
    say(&if arguments.json { list() } else { document() });
    Ok(ExitCode::SUCCESS)
}

/// One object a line and metric, so that changes are easy to read.
fn list() -> String {
    let lines: Vec<String> = SERVERS
        .iter()
        .flat_map(|(server, _, table)| table.iter().map(|entry| object(server, entry).to_string()))
        .collect();
    format!("[\n{}\n]", lines.join(",\n"))
}

fn object(server: &str, entry: &Description) -> Value {
    let labels: Vec<&str> = labels(entry).collect();
    json!({
        "name": entry.name,
        "server": server,
        "type": entry.kind.as_str(),
        "labels": labels,
        "help": entry.help,
    })
}

fn labels(entry: &Description) -> impl Iterator<Item = &'static str> {
    let known = entry.labels.iter().map(|(name, _)| *name);
    known.chain(entry.open_labels.iter().copied())
}

/// A Markdown table a server.
fn document() -> String {
    let mut text = String::new();
    for (_, title, table) in SERVERS {
        write!(
            text,
            "### {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n"
        )
        .expect("strings take everything");
        for entry in table {
            let labels: Vec<String> = labels(entry).map(|label| format!("`{label}`")).collect();
            let (name, kind, labels) = (entry.name, entry.kind.as_str(), labels.join(", "));
            writeln!(text, "| `{name}` | {kind} | {labels} | {} |", entry.help)
                .expect("strings take everything");
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}
