//! The workspace's own tasks: `cargo xtask house` checks the rules of `ARCHITECTURE.md` that no
//! compiler knows.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod house;

const USAGE: &str = "usage: cargo xtask house    check dependency, size, naming and document rules";

fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies one level below the root")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["house"] => house::run(root),
        _ => bail!("{USAGE}"),
    }
}
