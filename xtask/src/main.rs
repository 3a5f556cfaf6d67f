//! The workspace's own tasks: `cargo xtask house` checks the rules of `ARCHITECTURE.md` that no
//! compiler knows, `cargo xtask types` turns the messages into TypeScript, `cargo xtask coverage` says what tests reach.
//! `cargo xtask sbom` lists what is inside the binary.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod coverage;
mod house;
mod sbom;
mod types;

const USAGE: &str = "usage: cargo xtask house            check dependency, size, naming and document rules
       cargo xtask types [--check]  write (or compare) the TypeScript declarations of all messages
       cargo xtask coverage FILE    say how many lines tests reach, from an lcov file
       cargo xtask sbom [folder]    write what is in the binary as CycloneDX (target/sbom)";

fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies one level below the root")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["house"] => house::run(root),
        ["types"] => types::run(false).map(|()| ExitCode::SUCCESS),
        ["types", "--check"] => types::run(true).map(|()| ExitCode::SUCCESS),
        ["coverage", report] => coverage::run(root, report),
        ["sbom"] => sbom::run(root, &root.join("target/sbom")).map(|()| ExitCode::SUCCESS),
        ["sbom", folder] => sbom::run(root, Path::new(folder)).map(|()| ExitCode::SUCCESS),
        _ => bail!("{USAGE}"),
    }
}
