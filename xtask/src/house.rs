//! The house rules: what may depend on what, how long a file may be, what a module may not be called,
//! which words stay inside which folder, and which documents must be true.
//!
//! Every rule is a pure function from text to [`Violation`]s; only [`run`] touches the disk.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

mod documents;
mod edges;
mod links;
mod security;
mod text;

/// One broken rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    subject: String,
    message: String,
}

impl Violation {
    fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.subject, self.message)
    }
}

/// A source file or document: its path from the root with forward slashes, and its text.
pub(crate) struct Source {
    path: String,
    text: String,
}

/// Applies every rule to the workspace at `root`; the exit code says whether the house is in order.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let packages = edges::packages(&cargo_metadata(root)?)?;
    let files = files(root, |name| text::is_source(name) || name.ends_with(".md"))?;
    let (documents, sources): (Vec<Source>, Vec<Source>) =
        files.into_iter().partition(|file| file.path.ends_with(".md"));
    let dependencies = read(root, "docs/decisions/dependencies.md")?;
    let architecture = read(root, "ARCHITECTURE.md")?;

    let mut violations = edges::check(&packages);
    violations.extend(documents::undocumented_dependencies(&packages, &dependencies));
    violations.extend(documents::missing_files(&architecture, |path| {
        // Once its folder has been named, a file is named by the end of its path.
        let ending = format!("/{path}");
        root.join(path).exists() || sources.iter().any(|source| source.path.ends_with(&ending))
    }));
    violations.extend(links::broken(&documents, |path| root.join(path).exists()));
    // Alerts come with what is deployed.
    if let Ok(rules) = read(root, "deploy/prometheus/alerts.yml") {
        violations.extend(links::alerts_without_a_section(
            &rules,
            &read(root, "docs/runbook.md")?,
        ));
    }
    violations.extend(security::missing_tests(
        &read(root, security::DOCUMENT)?,
        |path| read(root, path).ok(),
    ));
    violations.extend(security::unpinned(|path| read(root, path).ok()));
    for source in &sources {
        violations.extend(text::too_long(source));
        violations.extend(text::bad_name(source));
        violations.extend(text::word_out_of_place(source));
        violations.extend(text::unsafe_not_forbidden(source));
    }
    violations.sort();
    violations.dedup();
    for violation in &violations {
        eprintln!("house: {violation}");
    }
    if violations.is_empty() {
        eprintln!(
            "house: {} packages and {} source files in order",
            packages.len(),
            sources.len()
        );
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "house: {} rule(s) broken; the rules are in ARCHITECTURE.md",
        violations.len()
    );
    Ok(ExitCode::FAILURE)
}

fn cargo_metadata(root: &Path) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("cargo metadata printed something that is not UTF-8")
}

fn read(root: &Path, path: &str) -> Result<String> {
    std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}

/// Folders that hold what tools made or fetched, not what people wrote.
const NOT_OURS: [&str; 8] = [
    ".git",
    "target",
    "node_modules",
    "dist",
    "generated",
    "artifacts",
    ".venv",
    ".tools",
];

/// Every file that people wrote and whose name is wanted, in a stable order.
fn files(root: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type()?;
            if kind.is_dir() && !NOT_OURS.contains(&name.as_ref()) {
                folders.push(entry.path());
            } else if kind.is_file() && is_wanted(&name) {
                let path = entry.path();
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let path = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}
