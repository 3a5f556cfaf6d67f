use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::*;
use crate::Cli;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_document_is_current() {
    let kept =
        fs::read_to_string(root().join("docs/configuration.md")).expect("docs/configuration.md is there");
    let now = document(&Cli::command());
    let differ = now.lines().zip(kept.lines()).find(|(now, kept)| now != kept);
    assert!(
        kept == now,
        "docs/configuration.md is out of date, run `make reference`; first difference: {differ:?}"
    );
}

/// The names that a source file reads from the environment: arguments' `env = "…"` and `env::var(…)` with a text or a
/// constant of the same file.
fn read_by(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for after in source.split("env = \"").skip(1) {
        names.extend(after.split('"').next().map(str::to_owned));
    }
    for call in ["env::var(", "env::var_os("] {
        for after in source.split(call).skip(1) {
            let argument = after.split(')').next().unwrap_or_default().trim();
            let text = argument.strip_prefix('"').map(|text| text.trim_end_matches('"'));
            let constant = || {
                let declared = format!("const {argument}: &str = \"");
                source
                    .split(&declared)
                    .nth(1)
                    .and_then(|after| after.split('"').next())
            };
            let name = text.or_else(constant);
            names.insert(
                name.unwrap_or_else(|| panic!("what does env::var({argument}) read?"))
                    .to_owned(),
            );
        }
    }
    names
}

#[test]
fn everything_read_from_the_environment_is_documented() {
    // The system's, not ours: the name of the host.
    let foreign = BTreeSet::from(["HOSTNAME".to_owned()]);
    let document = document(&Cli::command());
    let mut folders = vec![root().join("crates")];
    let mut read = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of ours").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let tests = ["tests", "benches", "target", "tests.rs"]
                .iter()
                .any(|tests| name == *tests);
            if tests {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && name != "build.rs" {
                let source = fs::read_to_string(&path).expect("a source of ours");
                // What stands behind the tests of a file is theirs.
                read.extend(read_by(
                    source
                        .split("#[cfg(test)]\nmod tests {")
                        .next()
                        .unwrap_or_default(),
                ));
            }
        }
    }
    assert!(read.len() > 50 && read.contains("RTC_SEND_PATH"), "{read:?}");
    let missing: Vec<&String> = read
        .difference(&foreign)
        .filter(|name| !document.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not in the reference: {missing:?}");
}

#[test]
fn readers_of_the_environment_are_found() {
    let source = "const PATH: &str = \"RTC_SEND_PATH\";\n#[arg(long, env = \"PORT\")] env::var(PATH) std::env::var_os(\"HOME\")";
    assert_eq!(
        read_by(source).into_iter().collect::<Vec<_>>(),
        ["HOME", "PORT", "RTC_SEND_PATH"]
    );
}

#[test]
fn defaults_are_told_by_server() {
    let all = settings(&Cli::command());
    let of = |name: &str| {
        let setting = all.iter().find(|setting| setting.name == name);
        default(setting.unwrap_or_else(|| panic!("{name} is a setting")))
    };
    assert_eq!(
        of("JWT_SECRET"),
        "made once (`serve`), required (`gateway`, `media`)"
    );
    assert_eq!(of("DATABASE_URL"), "made once (`serve`), required (`gateway`)");
    assert_eq!(of("PORT"), "4000 (`serve`, `gateway`), 3001 (`media`)");
    assert_eq!(
        of("ANNOUNCED_IP"),
        "loopback and this machine's addresses; required in production (`media`)"
    );
    assert_eq!(of("MAX_ROOMS"), "10");
    assert_eq!(of("DATA_DIR"), "meeshy-data");
    assert_eq!(of("FRONTEND_URL"), "none");
    let secret = |name: &str| all.iter().any(|setting| setting.name == name && setting.secret);
    assert!(secret("JWT_SECRET") && secret("TURN_SECRET") && !secret("PORT"));
}

#[test]
fn a_table_survives_any_text() {
    let argument = Arg::new("way")
        .long("way")
        .value_name("on|off")
        .help("On | off [default: on].");
    assert_eq!(help(&argument), ("On | off".to_owned(), Some("on".to_owned())));
    assert_eq!(usage(&argument), "`--way on\\|off`");
}
