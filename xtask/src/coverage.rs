//! `cargo xtask coverage FILE`: line coverage of what we ship, out of an lcov file, with the tests' own lines left out.
//!
//! Tests cover themselves nearly completely, so counting them would flatter the figure.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

/// Less of the shipped lines, in per cent, is a failure (contract §5.1: unit coverage over 80 %).
const LEAST: f64 = 80.0;

/// How many files are named as those with the most uncovered lines.
const NAMED: usize = 15;

/// Lines that a test reached, of those that could be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    reached: usize,
    all: usize,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.reached += other.reached;
        self.all += other.all;
    }

    fn missed(self) -> usize {
        self.all - self.reached
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of lines are small")]
    fn percent(self) -> f64 {
        if self.all == 0 {
            100.0
        } else {
            100.0 * self.reached as f64 / self.all as f64
        }
    }
}

/// Prints the figures; the exit code says whether they are good enough.
pub(crate) fn run(root: &Path, report: &str) -> Result<ExitCode> {
    let report = std::fs::read_to_string(report).with_context(|| format!("cannot read {report}"))?;
    let prefix = format!("{}/", root.canonicalize()?.display());
    let mut files = BTreeMap::new();
    for (path, lines) in read(&report)? {
        let path = path.strip_prefix(&prefix).unwrap_or(&path).to_owned();
        if is_shipped(&path) {
            let source =
                std::fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
            files.insert(path, shipped(&lines, &source));
        }
    }
    let mut crates: BTreeMap<&str, Lines> = BTreeMap::new();
    let mut total = Lines::default();
    for (path, lines) in &files {
        crates.entry(package(path)).or_default().add(*lines);
        total.add(*lines);
    }
    if total.all == 0 {
        bail!("no shipped line is in the report");
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "most lines that no test reaches:")?;
    let mut worst: Vec<_> = files.iter().collect();
    worst.sort_by_key(|(_, lines)| std::cmp::Reverse(lines.missed()));
    for (path, lines) in worst.into_iter().take(NAMED) {
        writeln!(out, "  {:5} of {:5} {path}", lines.missed(), lines.all)?;
    }
    writeln!(out, "by crate:")?;
    for (name, lines) in &crates {
        writeln!(out, "  {:5.1} % of {:6} {name}", lines.percent(), lines.all)?;
    }
    writeln!(
        out,
        "Rust: {:.1} % of {} lines, {LEAST} % wanted",
        total.percent(),
        total.all
    )?;
    Ok(if total.percent() < LEAST {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The first folder or two of a path: its crate.
fn package(path: &str) -> &str {
    let end = if path.starts_with("crates/") { 2 } else { 1 };
    path.match_indices('/')
        .nth(end - 1)
        .map_or(path, |(at, _)| &path[..at])
}

/// Each file's lines with how often they ran, from lcov's records.
fn read(report: &str) -> Result<BTreeMap<String, BTreeMap<usize, u64>>> {
    let mut files: BTreeMap<String, BTreeMap<usize, u64>> = BTreeMap::new();
    let mut current = String::new();
    for record in report.lines() {
        if let Some(path) = record.strip_prefix("SF:") {
            path.clone_into(&mut current);
        } else if let Some(line) = record.strip_prefix("DA:") {
            let mut numbers = line.split(',');
            let mut next = || numbers.next().with_context(|| format!("`{record}` is not lcov"));
            let (line, runs) = (next()?.parse()?, next()?.parse::<u64>()?);
            *files.entry(current.clone()).or_default().entry(line).or_default() += runs;
        }
    }
    Ok(files)
}

/// Whether a file is part of what we ship, and not a test, a bench or a build script.
fn is_shipped(path: &str) -> bool {
    let ours = path.starts_with("crates/") || path.starts_with("xtask/");
    let testing = path
        .split('/')
        .any(|part| matches!(part, "tests" | "benches" | "fuzz-smoke" | "tests.rs" | "build.rs"));
    ours && !testing
}

/// A file's lines without those of test modules in it.
fn shipped(lines: &BTreeMap<usize, u64>, source: &str) -> Lines {
    let testing = test_lines(source);
    let mut sum = Lines::default();
    for (line, runs) in lines {
        if !testing.get(line - 1).copied().unwrap_or(false) {
            sum.add(Lines {
                reached: usize::from(*runs > 0),
                all: 1,
            });
        }
    }
    sum
}

/// For every line whether it belongs to something marked `#[cfg(test)]` at the outermost level, up to the brace that
/// closes it (our files are formatted, so that one stands in the first column).
fn test_lines(source: &str) -> Vec<bool> {
    let mut inside = false;
    let mut testing = Vec::new();
    for line in source.lines() {
        inside |= line == "#[cfg(test)]";
        testing.push(inside);
        let ends = line == "}" || (line.ends_with(';') && !line.starts_with(' '));
        inside &= !ends;
    }
    testing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_is_counted_once_for_each_line() {
        let report = "SF:a.rs\nDA:1,0\nDA:2,5\nDA:2,0\nend_of_record\nSF:b.rs\nDA:1,1\nend_of_record\n";
        let files = read(report).expect("good lcov");
        assert_eq!(shipped(&files["a.rs"], "x\ny\n"), Lines { reached: 1, all: 2 });
        assert_eq!(shipped(&files["b.rs"], "x\n").percent(), 100.0);
        assert!(read("SF:a.rs\nDA:one,2\n").is_err());
    }

    #[test]
    fn lines_of_tests_do_not_count() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod more {\n    fn c() {}\n}\nfn d() {}\n";
        let counted: Vec<bool> = test_lines(source);
        assert_eq!(counted, [false, true, true, false, true, true, true, true, false]);
        let all = (1..=9).map(|line| (line, 0)).collect();
        assert_eq!(shipped(&all, source), Lines { reached: 0, all: 3 });
    }

    #[test]
    fn only_what_is_shipped_counts() {
        for path in ["crates/rtp/src/view.rs", "xtask/src/main.rs"] {
            assert!(is_shipped(path), "{path}");
        }
        for path in [
            "crates/rtp/tests/view.rs",
            "crates/call/src/call/tests.rs",
            "crates/fuzz-smoke/src/lib.rs",
            "crates/meeshy/build.rs",
            "fuzz/src/lib.rs",
        ] {
            assert!(!is_shipped(path), "{path}");
        }
        assert_eq!(package("crates/rtp/src/view.rs"), "crates/rtp");
        assert_eq!(package("xtask/src/main.rs"), "xtask");
    }
}
