//! Meeshy Calls: one binary for everything a self-hosted group video call needs.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

mod ask;
mod data;
mod doctor;
mod drain;
mod figures;
mod flags;
mod gateway;
mod health;
mod lan;
mod load;
mod logs;
mod media;
mod reference;
mod run;
mod serve;
mod tls;
mod token;
mod upkeep;
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
    /// Everything in one process: gateway, media node, web client and database
    Serve(Box<serve::Arguments>),
    /// The gateway alone, with the web client, before one or more media nodes
    Gateway(Box<gateway::Arguments>),
    /// The media node alone, for use behind a gateway
    Media(Box<media::Arguments>),
    /// Look whether everything a server needs is there, and say which setting to change
    Doctor(Box<doctor::Arguments>),
    /// Ask a running server whether it is well; for container health checks
    Health(health::Arguments),
    /// Have a media node take no more rooms, and wait until its calls have ended
    Drain(drain::Arguments),
    /// Show what is turned on in the database, or change it
    Flags(flags::Arguments),
    /// Print a token for development
    Token(token::Arguments),
    /// Load a media node with simulated participants, and measure it
    Load(Box<load::Arguments>),
    /// Print every metric that servers export, as Markdown
    Metrics(figures::Arguments),
    /// Look at the database's schema, or bring it up to date
    Migrate(upkeep::MigrateArguments),
    /// Put right in the database what a crash may have left
    Repair(upkeep::Arguments),
    /// Delete from the database what was kept long enough
    Purge(upkeep::Arguments),
    /// Print docs/configuration.md: every setting and command
    #[command(hide = true)]
    Reference,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if std::env::args().nth(1).as_deref() == Some("load") => return load::usage(&error),
        Err(error) => error.exit(),
    };
    let outcome = match cli.command {
        Command::Serve(arguments) => serve::serve(*arguments),
        Command::Gateway(arguments) => gateway::gateway(&arguments),
        Command::Media(arguments) => media::media(&arguments),
        Command::Doctor(arguments) => doctor::doctor(*arguments),
        Command::Health(arguments) => health::check(&arguments),
        Command::Drain(arguments) => drain::drain(&arguments),
        Command::Flags(arguments) => flags::flags(&arguments),
        Command::Token(arguments) => token::print(&arguments),
        Command::Load(arguments) => load::load(&arguments),
        Command::Metrics(arguments) => figures::print(&arguments),
        Command::Migrate(arguments) => upkeep::migrate(&arguments),
        Command::Repair(arguments) => upkeep::repair(&arguments),
        Command::Purge(arguments) => upkeep::purge(&arguments),
        Command::Reference => {
            say(reference::document(&Cli::command()).trim_end());
            Ok(ExitCode::SUCCESS)
        }
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
