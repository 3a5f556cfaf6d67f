//! Meeshy Calls: one binary for everything a self-hosted group video call needs.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod health;
mod lobby;
mod logs;
mod run;
mod slug;
mod token;
mod web;

/// Self-hosted group video calls.
#[derive(Parser)]
#[command(name = "meeshy", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything in one process: media node, lobby and web client
    Serve(run::Arguments),
    /// The media node alone, for use behind a gateway
    Media(run::Arguments),
    /// Ask a running server whether it is well; for container health checks
    Health(health::Arguments),
    /// Print a token for development
    Token(token::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => run::serve(&arguments),
        Command::Media(arguments) => run::media(&arguments),
        Command::Health(arguments) => health::check(&arguments),
        Command::Token(arguments) => token::print(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("meeshy: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Says something on standard output; a closed pipe is nobody's loss.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Says what is wrong on standard error.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
