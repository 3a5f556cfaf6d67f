//! Who may depend on whom: the table of `ARCHITECTURE.md`, compared with `cargo metadata`.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Violation;

/// How a package uses another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Linked into what we ship (including build scripts).
    Normal,
    /// Linked into tests and benches only.
    Dev,
}

/// One line of a `Cargo.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) using: Use,
    /// Whether the dependency is another member of this workspace.
    pub(crate) inside: bool,
}

/// A workspace member and what its `Cargo.toml` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What one workspace member may link.
struct Row {
    package: &'static str,
    inside: &'static [&'static str],
    /// `None`: any crate that `docs/decisions/dependencies.md` grants it.
    outside: Option<&'static [&'static str]>,
}

const ANY_DOCUMENTED: Option<&[&str]> = None;

/// The table. The packet crates and the words are closed lists: adding a crate there is a decision
/// about the architecture, not about convenience.
const TABLE: &[Row] = &[
    Row {
        package: "rtp",
        inside: &[],
        outside: Some(&["rtcp-types", "thiserror"]),
    },
    Row {
        package: "link",
        inside: &["rtp"],
        outside: Some(&["dimpl", "sctp-proto", "aws-lc-rs", "tracing", "thiserror"]),
    },
    Row {
        package: "sfu",
        inside: &["rtp", "link"],
        outside: Some(&["slotmap", "tracing", "thiserror"]),
    },
    Row {
        package: "ortc",
        inside: &[],
        outside: Some(&["serde", "serde_json", "thiserror", "ts-rs"]),
    },
    Row {
        package: "signalling",
        inside: &["ortc"],
        outside: Some(&["serde", "serde_json", "uuid", "thiserror", "ts-rs"]),
    },
    Row {
        package: "edge",
        inside: &["signalling"],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "turn-check",
        inside: &[],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "media-node",
        inside: &["sfu", "link", "rtp", "ortc", "signalling", "edge"],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "call",
        inside: &["signalling", "ortc"],
        outside: Some(&["serde", "thiserror"]),
    },
    Row {
        package: "store",
        inside: &["call", "signalling", "ortc"],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "gateway",
        inside: &["call", "store", "signalling", "ortc", "edge", "turn-check"],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "loadgen",
        inside: &["signalling", "ortc"],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "meeshy",
        inside: &[
            "media-node",
            "gateway",
            "store",
            "loadgen",
            "signalling",
            "edge",
            "turn-check",
        ],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "xtask",
        inside: &["signalling", "ortc"],
        outside: ANY_DOCUMENTED,
    },
    Row {
        package: "fuzz-smoke",
        inside: &["rtp", "link", "sfu", "ortc", "signalling"],
        outside: ANY_DOCUMENTED,
    },
];

/// External crates that only the named members may link. Tests may use them anywhere, except that an
/// independent peer stays independent (see [`NEVER`]).
const FENCES: &[(&str, &[&str])] = &[
    ("dimpl", &["link", "loadgen"]),
    ("sctp-proto", &["link"]),
    (
        "aws-lc-rs",
        &["link", "store", "gateway", "loadgen", "turn-check"],
    ),
    ("md-5", &["turn-check"]),
    ("tokio-rustls", &["edge", "turn-check"]),
    ("rcgen", &["meeshy"]),
    ("slotmap", &["sfu"]),
    ("rtcp-types", &["rtp"]),
    ("ts-rs", &["signalling", "ortc"]),
    ("mio", &["media-node", "loadgen"]),
    ("quinn-udp", &["media-node", "loadgen"]),
    ("socket2", &["media-node", "loadgen"]),
    ("libc", &["media-node"]),
    (
        "tokio",
        &[
            "edge",
            "media-node",
            "store",
            "gateway",
            "loadgen",
            "meeshy",
            "turn-check",
        ],
    ),
    ("axum", &["edge", "media-node", "gateway", "meeshy"]),
    ("jsonwebtoken", &["edge"]),
    ("opentelemetry", &["edge", "meeshy"]),
    ("opentelemetry-http", &["meeshy"]),
    ("opentelemetry-otlp", &["meeshy"]),
    ("opentelemetry_sdk", &["meeshy"]),
    ("tracing-opentelemetry", &["edge", "meeshy"]),
    ("tower-http", &["edge"]),
    ("socketioxide", &["media-node", "gateway"]),
    ("sqlx", &["store"]),
    ("mongodb", &["store"]),
    ("redis", &["gateway"]),
    ("str0m", &["loadgen"]),
    ("rust-embed", &["meeshy"]),
    ("anyhow", &["meeshy", "xtask"]),
];

/// Edges that are wrong even in tests: the load generator is worth something only as long as it shares
/// no packet code with what it loads.
const NEVER: &[(&str, &[&str])] = &[
    ("loadgen", &["rtp", "link", "sfu"]),
    ("gateway", &["rtp", "link", "sfu"]),
    ("call", &["rtp", "link", "sfu"]),
    ("store", &["rtp", "link", "sfu"]),
];

/// Reads the members and their direct dependencies out of `cargo metadata --no-deps`.
pub(crate) fn packages(metadata: &str) -> Result<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    packages.iter().map(package).collect()
}

fn package(value: &Value) -> Result<Package> {
    let name = value["name"]
        .as_str()
        .context("a package has no name")?
        .to_owned();
    let dependencies = value["dependencies"]
        .as_array()
        .context("a package has no dependency list")?;
    let dependencies = dependencies
        .iter()
        .map(|dependency| {
            let name = dependency["name"]
                .as_str()
                .context("a dependency has no name")?
                .to_owned();
            let using = if dependency["kind"] == "dev" {
                Use::Dev
            } else {
                Use::Normal
            };
            Ok(Dependency {
                name,
                using,
                inside: dependency["path"].is_string(),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Package { name, dependencies })
}

/// Compares every edge with the table.
pub(crate) fn check(packages: &[Package]) -> Vec<Violation> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Violation> {
    let manifest = format!("{} (Cargo.toml)", package.name);
    let Some(row) = TABLE.iter().find(|row| row.package == package.name) else {
        let message = "has no row in the dependency table of xtask/src/house/edges.rs and ARCHITECTURE.md";
        return vec![Violation::new(manifest, message)];
    };
    package
        .dependencies
        .iter()
        .filter_map(|dependency| refusal(row, dependency))
        .map(|message| Violation::new(manifest.clone(), message))
        .collect()
}

/// Why `row` may not have `dependency`, if so.
fn refusal(row: &Row, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    let never = NEVER
        .iter()
        .any(|(package, others)| *package == row.package && others.contains(&name));
    if never {
        return Some(format!("must stay independent of {name}, in tests too"));
    }
    if dependency.using == Use::Dev {
        return None;
    }
    if dependency.inside {
        return (!row.inside.contains(&name)).then(|| format!("may not depend on {name}"));
    }
    if let Some((_, owners)) = FENCES.iter().find(|(fenced, _)| *fenced == name)
        && !owners.contains(&row.package)
    {
        return Some(format!(
            "may not depend on {name}, which belongs to {}",
            owners.join(", ")
        ));
    }
    match row.outside {
        Some(allowed) if !allowed.contains(&name) => Some(format!(
            "may depend only on {} from outside, not on {name}",
            allowed.join(", ")
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depends(package: &str, name: &str, using: Use, inside: bool) -> Vec<String> {
        let dependency = Dependency {
            name: name.into(),
            using,
            inside,
        };
        let package = Package {
            name: package.into(),
            dependencies: vec![dependency],
        };
        check(&[package])
            .into_iter()
            .map(|violation| violation.message)
            .collect()
    }

    fn allowed(package: &str, name: &str, using: Use, inside: bool) -> bool {
        depends(package, name, using, inside).is_empty()
    }

    #[test]
    fn arrows_point_up_only() {
        assert!(allowed("link", "rtp", Use::Normal, true));
        assert!(allowed("media-node", "sfu", Use::Normal, true));
        assert!(allowed("meeshy", "media-node", Use::Normal, true));
        for (package, dependency) in [
            ("rtp", "link"),
            ("link", "sfu"),
            ("sfu", "ortc"),
            ("sfu", "signalling"),
            ("ortc", "signalling"),
            ("signalling", "media-node"),
            ("gateway", "media-node"),
            ("gateway", "sfu"),
            ("loadgen", "link"),
            ("meeshy", "sfu"),
        ] {
            assert!(
                !allowed(package, dependency, Use::Normal, true),
                "{package} -> {dependency}"
            );
        }
    }

    #[test]
    fn packet_crates_link_no_runtime_and_no_serde() {
        for package in ["rtp", "link", "sfu"] {
            for outside in ["tokio", "serde", "serde_json", "mio", "uuid", "anyhow"] {
                assert!(
                    !allowed(package, outside, Use::Normal, false),
                    "{package} -> {outside}"
                );
            }
        }
        assert!(allowed("link", "dimpl", Use::Normal, false));
        assert!(!allowed("sfu", "dimpl", Use::Normal, false));
        assert!(!allowed("media-node", "aws-lc-rs", Use::Normal, false));
        assert!(!allowed("ortc", "tokio", Use::Normal, false));
    }

    #[test]
    fn tests_may_use_more_but_not_everything() {
        assert!(allowed("sfu", "str0m", Use::Dev, false));
        assert!(!allowed("media-node", "str0m", Use::Normal, false));
        assert!(allowed("ortc", "signalling", Use::Dev, true));
        assert_eq!(
            depends("loadgen", "link", Use::Dev, true),
            ["must stay independent of link, in tests too"]
        );
    }

    #[test]
    fn a_new_member_needs_a_row() {
        let messages = check(&[Package {
            name: "surprise".into(),
            dependencies: Vec::new(),
        }]);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].message.contains("no row"));
    }

    #[test]
    fn metadata_is_read() {
        let metadata = r#"{"packages":[{"name":"sfu","dependencies":[
            {"name":"link","kind":null,"path":"/somewhere/crates/link"},
            {"name":"str0m","kind":"dev"},
            {"name":"cc","kind":"build"}]}]}"#;
        let packages = packages(metadata).expect("well-formed metadata");
        let expected = [
            ("link", Use::Normal, true),
            ("str0m", Use::Dev, false),
            ("cc", Use::Normal, false),
        ];
        let expected = expected.map(|(name, using, inside)| Dependency {
            name: name.into(),
            using,
            inside,
        });
        assert_eq!(
            packages,
            [Package {
                name: "sfu".into(),
                dependencies: expected.to_vec()
            }]
        );
        assert!(super::packages("{}").is_err());
    }
}
