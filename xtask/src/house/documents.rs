//! Rules that keep two documents true: `ARCHITECTURE.md` and `docs/decisions/dependencies.md`.

use super::Violation;
use super::edges::Package;

/// Every external crate in a `Cargo.toml` has a row in the table of dependencies that names the member
/// using it: `| crate | members | file | why |`.
pub(crate) fn undocumented_dependencies(packages: &[Package], document: &str) -> Vec<Violation> {
    let rows: Vec<(&str, Vec<&str>)> = document.lines().filter_map(dependency_row).collect();
    let mut violations = Vec::new();
    for package in packages {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| !dependency.inside)
        {
            let name = dependency.name.as_str();
            let row = rows.iter().find(|(documented, _)| *documented == name);
            let message = match row {
                None => format!("{name} has no row in docs/decisions/dependencies.md"),
                Some((_, members)) if !members.contains(&package.name.as_str()) => {
                    format!("the row of {name} in docs/decisions/dependencies.md does not name this member")
                }
                Some(_) => continue,
            };
            violations.push(Violation::new(format!("{} (Cargo.toml)", package.name), message));
        }
    }
    for (documented, _) in &rows {
        let used = packages
            .iter()
            .flat_map(|package| &package.dependencies)
            .any(|d| d.name == *documented);
        if !used {
            let message = format!("{documented} is not used any more: delete its row");
            violations.push(Violation::new("docs/decisions/dependencies.md", message));
        }
    }
    violations
}

/// A row of the table: the crate in backticks, and the members that use it.
fn dependency_row(line: &str) -> Option<(&str, Vec<&str>)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    Some((
        name,
        cells
            .next()?
            .split(',')
            .map(|member| member.trim().trim_matches('`'))
            .collect(),
    ))
}

/// Every path that the document names in backticks exists. A path has a slash or a file extension we
/// use; patterns (`*`, `<name>`) and code (`a::b`) are not paths, and braces stand for each word in them.
pub(crate) fn missing_files(document: &str, exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let mut fenced = false;
    let mut violations = Vec::new();
    for line in document.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let named = line.split('`').skip(1).step_by(2).filter(|span| is_path(span));
        for path in named.flat_map(expand_braces) {
            if !exists(path.trim_end_matches('/')) {
                violations.push(Violation::new(
                    "ARCHITECTURE.md",
                    format!("names {path}, which is not there"),
                ));
            }
        }
    }
    violations
}

fn is_path(span: &str) -> bool {
    let extensions = [".rs", ".md", ".toml", ".ts", ".tsx", ".mjs"];
    let looks_like_one = span.contains('/') || extensions.iter().any(|extension| span.ends_with(extension));
    let pattern = span.contains(['*', '<', ' ', ':']) || span.starts_with(['/', '@']);
    looks_like_one && !pattern
}

/// `a/{b,c}.rs` to `a/b.rs`, `a/c.rs`; one pair of braces.
fn expand_braces(span: &str) -> Vec<String> {
    let parts = span
        .split_once('{')
        .and_then(|(head, rest)| Some((head, rest.split_once('}')?)));
    match parts {
        Some((head, (words, tail))) => words
            .split(',')
            .map(|word| format!("{head}{word}{tail}"))
            .collect(),
        None => vec![span.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::edges::{Dependency, Use};
    use super::*;

    fn member(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, inside)| Dependency {
                name: (*name).into(),
                using: Use::Normal,
                inside: *inside,
            })
            .collect();
        Package {
            name: name.into(),
            dependencies,
        }
    }

    const TABLE: &str =
        "| crate | members | file | why |\n|---|---|---|---|\n| `mio` | media-node, gateway | x | y |\n";

    #[test]
    fn a_documented_dependency_passes() {
        let packages = [member("media-node", &[("mio", false), ("sfu", true)])];
        assert_eq!(undocumented_dependencies(&packages, TABLE), []);
    }

    #[test]
    fn missing_foreign_and_stale_rows_are_named() {
        let packages = [member("sfu", &[("mio", false), ("slotmap", false)])];
        let messages: Vec<String> = undocumented_dependencies(&packages, TABLE)
            .into_iter()
            .map(|v| v.message)
            .collect();
        assert_eq!(messages.len(), 2);
        assert!(messages[0].contains("does not name this member"));
        assert!(messages[1].contains("slotmap has no row"));
        let stale = undocumented_dependencies(&[member("sfu", &[])], TABLE);
        assert!(stale[0].message.contains("not used any more"));
    }

    #[test]
    fn named_files_must_exist() {
        let document = "See `crates/rtp/src/{seq,view}.rs`, `Cargo.toml` and `crates/sfu/`.\n\
                        Not paths: `Instant::now`, `*/socket`, `GET /api/x`, `/metrics`, `@scope/name`.\n\
                        ```\n`gone/too.rs`\n```\n";
        let there = ["crates/rtp/src/seq.rs", "Cargo.toml", "crates/sfu"];
        let found = missing_files(document, |path| there.contains(&path));
        let messages: Vec<&str> = found.iter().map(|violation| violation.message.as_str()).collect();
        assert_eq!(messages, ["names crates/rtp/src/view.rs, which is not there"]);
    }
}
