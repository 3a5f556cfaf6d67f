//! `docs/security.md` says which test proves each protection; every test it names is there.

use serde_json::Value;

use super::Violation;

/// The document.
pub(crate) const DOCUMENT: &str = "docs/security.md";

/// Every row of the tables names a test, and every test is in the file that is named before it:
/// ``| what | how | `path/file.rs`: `test`, `other test` |``. `text` gives a file's text, if there is one.
pub(crate) fn missing_tests(document: &str, text: impl Fn(&str) -> Option<String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let violation = |number: usize, message: String| Violation::new(format!("{DOCUMENT}:{number}"), message);
    for (number, row) in (1..).zip(document.lines()).filter(|(_, line)| is_row(line)) {
        let proof = row
            .trim_end()
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .unwrap_or_default();
        let mut file: Option<(&str, String)> = None;
        let mut tests = 0;
        for span in proof.split('`').skip(1).step_by(2) {
            if is_file(span) {
                let Some(found) = text(span) else {
                    violations.push(violation(number, format!("names {span}, which is not there")));
                    break;
                };
                file = Some((span, found));
                continue;
            }
            match &file {
                Some((path, text)) if has_test(path, text, span) => tests += 1,
                Some((path, _)) => violations.push(violation(number, format!("{path} has no test `{span}`"))),
                None => violations.push(violation(number, format!("in which file is `{span}`?"))),
            }
        }
        if tests == 0 {
            violations.push(violation(number, "a protection without a test".to_owned()));
        }
    }
    violations
}

/// Nothing is taken that is not pinned: lock files are there and whole, and whoever installs says so.
pub(crate) fn unpinned(text: impl Fn(&str) -> Option<String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for lock in [
        "Cargo.lock",
        "fuzz/Cargo.lock",
        "web/package-lock.json",
        "e2e/package-lock.json",
    ] {
        let whole = |text: &String| !text.trim().is_empty();
        if text(lock).filter(whole).is_none() {
            violations.push(Violation::new(lock, "what is pinned there must be committed"));
        }
    }
    for lock in ["web/package-lock.json", "e2e/package-lock.json"] {
        let packages: Option<Value> = text(lock).and_then(|text| serde_json::from_str(&text).ok());
        let packages = packages
            .and_then(|lock| lock["packages"].as_object().cloned())
            .unwrap_or_default();
        let loose = packages.iter().filter(|(place, package)| {
            !place.is_empty()
                && package["link"] != true
                && package["integrity"].as_str().is_none_or(str::is_empty)
        });
        violations.extend(loose.map(|(place, _)| Violation::new(lock, format!("{place} has no checksum"))));
    }
    let makefile = text("Makefile").unwrap_or_default();
    let loose = |line: &&str| {
        let cargo = [
            "cargo run",
            "cargo test",
            "cargo nextest",
            "cargo clippy",
            "cargo doc",
        ];
        let builds = cargo.iter().any(|word| line.contains(word)) && !line.contains("--locked");
        // What a person runs while changing a manifest may write the lock file.
        let by_hand = line.contains("--package xtask -- types") || line.contains("nextest run");
        (builds && !by_hand) || line.contains("npm install") || line.contains(" npm i ")
    };
    for line in makefile.lines().map(str::trim).filter(loose) {
        violations.push(Violation::new(
            "Makefile",
            format!("takes what is not pinned: {line}"),
        ));
    }
    violations
}

/// Whether a line is a row of a table, and not its head.
fn is_row(line: &str) -> bool {
    line.starts_with('|') && !line.starts_with("|---") && !line.starts_with("| what ")
}

fn is_file(span: &str) -> bool {
    span.contains('/')
        && [".rs", ".ts", ".tsx", ".mjs"]
            .iter()
            .any(|end| span.ends_with(end))
}

/// Whether the text of a file has a test of this name: a function in Rust, a title elsewhere.
fn has_test(path: &str, text: &str, name: &str) -> bool {
    if path.ends_with(".rs") {
        return text.contains(&format!("fn {name}("));
    }
    ['"', '`', '\'']
        .iter()
        .any(|quote| text.contains(&format!("({quote}{name}{quote}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = "#[test]\nfn it_holds() {}\n";
    const SCRIPT: &str = "it(\"holds too\", () => {});";

    fn check(rows: &str) -> Vec<String> {
        let document = format!("# Title\n\n| what | how | tests |\n|---|---|---|\n{rows}");
        let text = |path: &str| match path {
            "crates/a/tests/b.rs" => Some(RUST.to_owned()),
            "web/src/c.test.ts" => Some(SCRIPT.to_owned()),
            _ => None,
        };
        let found = missing_tests(&document, text);
        found.into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn unpinned_parts_are_named() {
        let good = |path: &str| {
            let text = match path {
                "web/package-lock.json" | "e2e/package-lock.json" => {
                    r#"{"packages": {"": {}, "node_modules/a": {"integrity": "sha512-x"}}}"#
                }
                "Makefile" => "test:\n\tcargo test --locked\n\tnpm --prefix web ci\n",
                _ => "version = 4\n",
            };
            Some(text.to_owned())
        };
        assert_eq!(unpinned(good), []);
        let bad = |path: &str| match path {
            "Cargo.lock" => None,
            "web/package-lock.json" => Some(r#"{"packages": {"": {}, "node_modules/a": {}}}"#.to_owned()),
            "Makefile" => Some("test:\n\tcargo test\n\tnpm install\n".to_owned()),
            other => good(other),
        };
        let subjects: Vec<String> = unpinned(bad)
            .into_iter()
            .map(|violation| violation.subject)
            .collect();
        assert_eq!(
            subjects,
            ["Cargo.lock", "web/package-lock.json", "Makefile", "Makefile"]
        );
    }

    #[test]
    fn rows_with_tests_that_are_there_pass() {
        let rows = "| x | y | `crates/a/tests/b.rs`: `it_holds`; `web/src/c.test.ts`: `holds too` |\n";
        assert_eq!(check(rows), [""; 0]);
    }

    #[test]
    fn whatever_is_not_there_is_named() {
        let rows = "| x | y | `crates/a/tests/b.rs`: `it_held` |\n| x | y | `crates/gone.rs`: `it_holds` |\n\
                    | x | `crates/a/tests/b.rs` `it_holds` | none |\n| x | y | `it_holds` |\n";
        assert_eq!(
            check(rows),
            [
                "crates/a/tests/b.rs has no test `it_held`",
                "a protection without a test",
                "names crates/gone.rs, which is not there",
                "a protection without a test",
                "a protection without a test",
                "in which file is `it_holds`?",
                "a protection without a test",
            ]
        );
    }
}
