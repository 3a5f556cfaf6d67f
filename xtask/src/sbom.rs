//! `cargo xtask sbom`: what is inside the binary, as CycloneDX 1.5 JSON (ECMA-424): one file for the crates, one for the
//! packages of the web client.
//!
//! Everything is read from what is pinned anyway: `cargo metadata --locked` with the checksums of `Cargo.lock`, and
//! `web/package-lock.json`. Without times and random numbers, so that the same sources give the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

mod crates;
mod npm;

/// The platform of what we ship; others differ by a few crates that speak to the system.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// One part of the software.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    /// Also its reference inside the document: `pkg:cargo/serde@1.0.0`.
    purl: String,
    name: String,
    version: String,
    /// An SPDX expression, if one is declared.
    license: Option<String>,
    /// Algorithm and digits.
    hash: Option<(&'static str, String)>,
    /// What it uses, by reference.
    uses: BTreeSet<String>,
}

/// Writes both documents into `folder`.
pub(crate) fn run(root: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let text = |path: &str| {
        let path = root.join(path);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut metadata = serde_json::from_str(&metadata(root)?)?;
    crates::keep(&mut metadata, &linked(root)?);
    let lock: Value = serde_json::from_str(&text("web/package-lock.json")?)?;
    let documents = [
        (
            "meeshy.cdx.json",
            crates::components(&metadata, &text("Cargo.lock")?)?,
        ),
        ("meeshy-web.cdx.json", npm::components(&lock)?),
    ];
    for (name, (root, components)) in documents {
        let document = document(&root, &components);
        problems(&document).map_or(Ok(()), |problem| Err(anyhow::anyhow!("{name}: {problem}")))?;
        let path = folder.join(name);
        std::fs::write(&path, serde_json::to_string_pretty(&document)? + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("sbom: {} components in {}", components.len(), path.display());
    }
    Ok(())
}

fn metadata(root: &Path) -> Result<String> {
    let words = ["metadata", "--locked", "--format-version", "1"];
    cargo(root, &[&words[..], &["--filter-platform", PLATFORM]].concat())
}

/// Names and versions of what the binary is built from. `cargo metadata` alone names too many: to it, a feature that
/// tests turn on is on.
fn linked(root: &Path) -> Result<BTreeSet<(String, String)>> {
    let words = [
        "tree",
        "--locked",
        "--package",
        "meeshy",
        "--edges",
        "normal,build",
    ];
    let form = ["--target", PLATFORM, "--prefix", "none", "--format", "{p}"];
    let tree = cargo(root, &[&words[..], &form].concat())?;
    let packages = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((
            words.next()?.to_owned(),
            words.next()?.strip_prefix('v')?.to_owned(),
        ))
    });
    Ok(packages.collect())
}

fn cargo(root: &Path, words: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(words).current_dir(root).output();
    let output = output.context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "cargo {} failed: {said}",
        words.join(" ")
    );
    String::from_utf8(output.stdout).context("cargo printed something that is not UTF-8")
}

/// The document about `root` and its parts.
fn document(root: &Component, components: &[Component]) -> Value {
    let everything = std::iter::once(root).chain(components);
    let dependencies: Vec<Value> = everything
        .map(|component| json!({ "ref": component.purl, "dependsOn": component.uses }))
        .collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": described(root, "application") },
        "components": components.iter().map(|component| described(component, "library")).collect::<Vec<_>>(),
        "dependencies": dependencies,
    })
}

fn described(component: &Component, kind: &str) -> Value {
    let mut described = json!({
        "type": kind,
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
    });
    if let Some(license) = &component.license {
        described["licenses"] = json!([{ "expression": license }]);
    }
    if let Some((algorithm, digits)) = &component.hash {
        described["hashes"] = json!([{ "alg": algorithm, "content": digits }]);
    }
    described
}

/// What the specification would refuse in a document, if anything.
fn problems(document: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    if text(document, "bomFormat") != "CycloneDX" || text(document, "specVersion") != "1.5" {
        return Some("this is no CycloneDX 1.5".to_owned());
    }
    let components = document["components"].as_array().cloned().unwrap_or_default();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for component in components.iter().chain([&document["metadata"]["component"]]) {
        for name in ["type", "name", "version", "bom-ref", "purl"] {
            if text(component, name).is_empty() {
                return Some(format!("a component without {name}: {component}"));
            }
        }
        for hash in component["hashes"].as_array().into_iter().flatten() {
            let length = match text(hash, "alg").as_str() {
                "SHA-256" => 64,
                "SHA-512" => 128,
                _ => return Some(format!("an unknown kind of hash: {hash}")),
            };
            let content = text(hash, "content");
            if content.len() != length || !content.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Some(format!("a hash that is none: {hash}"));
            }
        }
        *known.entry(text(component, "bom-ref")).or_default() += 1;
    }
    if let Some((twice, _)) = known.iter().find(|(_, times)| **times > 1) {
        return Some(format!("two components are called {twice}"));
    }
    for dependency in document["dependencies"].as_array().into_iter().flatten() {
        let uses = dependency["dependsOn"].as_array().into_iter().flatten();
        let names = uses.filter_map(Value::as_str).map(str::to_owned);
        if let Some(unknown) = names
            .chain([text(dependency, "ref")])
            .find(|name| !known.contains_key(name))
        {
            return Some(format!("{unknown} is used and not listed"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn component(purl: &str, uses: &[&str]) -> Component {
        Component {
            purl: purl.to_owned(),
            name: "name".to_owned(),
            version: "1.0.0".to_owned(),
            license: Some("MIT OR Apache-2.0".to_owned()),
            hash: Some(("SHA-256", "ab".repeat(32))),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_document_says_what_the_specification_asks_for() {
        let document = document(
            &component("pkg:cargo/a@1", &["pkg:cargo/b@1"]),
            &[component("pkg:cargo/b@1", &[])],
        );
        assert_eq!(problems(&document), None);
        let library = &document["components"][0];
        assert_eq!(
            *library,
            json!({
                "type": "library", "bom-ref": "pkg:cargo/b@1", "purl": "pkg:cargo/b@1", "name": "name",
                "version": "1.0.0", "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "hashes": [{"alg": "SHA-256", "content": "ab".repeat(32)}],
            })
        );
        assert_eq!(document["metadata"]["component"]["type"], "application");
        assert_eq!(
            document["dependencies"][0],
            json!({"ref": "pkg:cargo/a@1", "dependsOn": ["pkg:cargo/b@1"]})
        );
    }

    #[test]
    fn documents_that_are_wrong_are_noticed() {
        let good = || vec![component("pkg:cargo/b@1", &[])];
        let root = component("pkg:cargo/a@1", &["pkg:cargo/b@1"]);
        let mut twice = good();
        twice.extend(good());
        assert!(problems(&document(&root, &twice)).is_some_and(|problem| problem.contains("two components")));
        let missing = problems(&document(&root, &[]));
        assert!(missing.is_some_and(|problem| problem.contains("not listed")));
        let mut nameless = good();
        nameless[0].name.clear();
        assert!(
            problems(&document(&root, &nameless)).is_some_and(|problem| problem.contains("without name"))
        );
        let mut short = good();
        short[0].hash = Some(("SHA-256", "ab".to_owned()));
        assert!(problems(&document(&root, &short)).is_some_and(|problem| problem.contains("a hash")));
    }

    #[test]
    fn what_we_ship_has_a_complete_document() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("one level below");
        let folder = std::env::temp_dir().join(format!("meeshy-sbom-{}", std::process::id()));
        run(root, &folder).expect("it can be written");
        let read = |name: &str| -> Value {
            let text = std::fs::read_to_string(folder.join(name)).expect("it was written");
            serde_json::from_str(&text).expect("JSON")
        };
        let (crates, web) = (read("meeshy.cdx.json"), read("meeshy-web.cdx.json"));
        std::fs::remove_dir_all(&folder).expect("our own folder");
        let names = |document: &Value| -> BTreeSet<String> {
            let components = document["components"].as_array().expect("a list");
            let names = components.iter().filter_map(|each| each["name"].as_str());
            names.map(str::to_owned).collect()
        };
        let (crates, web) = (names(&crates), names(&web));
        for name in ["axum", "aws-lc-rs", "socketioxide", "gateway", "media-node"] {
            assert!(crates.contains(name), "{name} is in the binary");
        }
        for name in ["str0m", "criterion", "proptest", "ring"] {
            assert!(!crates.contains(name), "{name} is not in the binary");
        }
        assert!(
            web.contains("react") && web.contains("mediasoup-client"),
            "{web:?}"
        );
        assert!(!web.contains("vitest"), "tools are not in the page");
    }
}
