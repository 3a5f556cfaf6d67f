//! `cargo xtask types`: the messages of the crate `signalling` as TypeScript, for the web client.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use signalling::typescript::{File, files};

/// Where the web client imports them from, below the root of the workspace.
const DIRECTORY: &str = "web/src/signalling/generated";

/// Writes the declarations, or with `check` fails if what is there differs from what would be written.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies one level below the root")?;
    let directory = root.join(DIRECTORY);
    let files = files();
    if check {
        compare(&directory, &files)
    } else {
        write(&directory, &files)
    }
}

fn write(directory: &Path, files: &[File]) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {DIRECTORY}"))?;
    for name in strays(directory, files)? {
        fs::remove_file(directory.join(&name))
            .with_context(|| format!("cannot remove {DIRECTORY}/{name}"))?;
    }
    for file in files {
        fs::write(directory.join(&file.name), &file.text)
            .with_context(|| format!("cannot write {DIRECTORY}/{}", file.name))?;
    }
    Ok(())
}

fn compare(directory: &Path, files: &[File]) -> Result<()> {
    let mut stale = strays(directory, files)?;
    for file in files {
        // A missing or unreadable file is as stale as a different one.
        if fs::read_to_string(directory.join(&file.name)).ok().as_ref() != Some(&file.text) {
            stale.insert(file.name.clone());
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let stale: Vec<String> = stale.into_iter().collect();
    bail!(
        "not up to date in {DIRECTORY}: {}; run `cargo xtask types`",
        stale.join(", ")
    )
}

/// Files that nothing generates any more.
fn strays(directory: &Path, files: &[File]) -> Result<BTreeSet<String>> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(BTreeSet::new());
    };
    let mut strays = BTreeSet::new();
    for entry in entries {
        let name = entry
            .with_context(|| format!("cannot list {DIRECTORY}"))?
            .file_name();
        let name = name.to_string_lossy().into_owned();
        if !files.iter().any(|file| file.name == name) {
            strays.insert(name);
        }
    }
    Ok(strays)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> File {
        File {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_check_notices_every_kind_of_drift() {
        let directory = std::env::temp_dir().join(format!("xtask-types-{}", std::process::id()));
        let files = [file("a.ts", "one"), file("b.ts", "two")];
        let stale = |files: &[File]| compare(&directory, files).err().map(|error| error.to_string());

        assert!(
            stale(&files).is_some_and(|error| error.contains("a.ts, b.ts")),
            "nothing is there yet"
        );
        write(&directory, &files).expect("the directory is writable");
        assert_eq!(stale(&files), None);
        let changed = [file("a.ts", "one"), file("b.ts", "three")];
        assert!(
            stale(&changed).is_some_and(|error| error.contains(": b.ts;")),
            "a changed file"
        );
        assert!(
            stale(&files[..1]).is_some_and(|error| error.contains(": b.ts;")),
            "a file of the past"
        );
        write(&directory, &files[..1]).expect("the directory is writable");
        assert_eq!(stale(&files[..1]), None);

        fs::remove_dir_all(&directory).expect("the directory is ours");
    }
}
