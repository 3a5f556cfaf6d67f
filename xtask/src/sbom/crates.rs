//! The crates in the binary.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Component;

/// The binary's package.
const BINARY: &str = "meeshy";

/// The binary and what is linked into it or builds it, from `cargo metadata` and `Cargo.lock`.
pub(super) fn components(metadata: &Value, lock: &str) -> Result<(Component, Vec<Component>)> {
    let sums = checksums(lock);
    let packages = list(metadata, "packages")?;
    let nodes = list(&metadata["resolve"], "nodes")?;
    let graph: BTreeMap<&str, BTreeSet<&str>> = nodes
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, uses(node))))
        .collect();
    let all: BTreeMap<&str, &Value> = packages
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let binary = all.iter().find(|(_, package)| package["name"] == BINARY);
    let (binary, _) = binary.with_context(|| format!("there is no package {BINARY}"))?;
    let mut reached = BTreeSet::new();
    let mut waiting = vec![*binary];
    while let Some(id) = waiting.pop() {
        if reached.insert(id) {
            waiting.extend(graph.get(id).into_iter().flatten());
        }
    }
    let mut components = Vec::new();
    for id in reached.iter().filter(|id| *id != binary) {
        components.push(component(id, &all, &graph, &sums)?);
    }
    components.sort_by(|left, right| left.purl.cmp(&right.purl));
    Ok((component(binary, &all, &graph, &sums)?, components))
}

/// Leaves only these packages, by name and version, and what leads from one of them to another.
pub(super) fn keep(metadata: &mut Value, linked: &BTreeSet<(String, String)>) {
    let is_linked = |package: &&Value| {
        let word = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        linked.contains(&(word("name"), word("version")))
    };
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let ids: BTreeSet<String> = packages
        .filter(is_linked)
        .filter_map(|package| package["id"].as_str().map(str::to_owned))
        .collect();
    let is_kept = |id: &Value| id.as_str().is_some_and(|id| ids.contains(id));
    if let Some(nodes) = metadata["resolve"]["nodes"].as_array_mut() {
        nodes.retain(|node| is_kept(&node["id"]));
        for dependencies in nodes.iter_mut().filter_map(|node| node["deps"].as_array_mut()) {
            dependencies.retain(|dependency| is_kept(&dependency["pkg"]));
        }
    }
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    value[name]
        .as_array()
        .with_context(|| format!("cargo metadata has no {name}"))
}

/// What a package links or is built by; not what its tests use.
fn uses(node: &Value) -> BTreeSet<&str> {
    let dependencies = node["deps"].as_array().into_iter().flatten();
    let shipped = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array();
        kinds.into_iter().flatten().any(|kind| kind["kind"] != "dev")
    };
    dependencies
        .filter(shipped)
        .filter_map(|dependency| dependency["pkg"].as_str())
        .collect()
}

fn component(
    id: &str,
    all: &BTreeMap<&str, &Value>,
    graph: &BTreeMap<&str, BTreeSet<&str>>,
    sums: &BTreeMap<(String, String), String>,
) -> Result<Component> {
    let package = all
        .get(id)
        .with_context(|| format!("{id} is used and not described"))?;
    let name = package["name"].as_str().unwrap_or_default().to_owned();
    let version = package["version"].as_str().unwrap_or_default().to_owned();
    let used = graph.get(id).into_iter().flatten();
    let uses = used
        .filter_map(|id| all.get(id))
        .map(|package| purl(package))
        .collect();
    Ok(Component {
        purl: purl(package),
        // Old manifests write a slash where SPDX has `OR`.
        license: package["license"]
            .as_str()
            .map(|text| text.replace(" / ", " OR ").replace('/', " OR ")),
        hash: sums
            .get(&(name.clone(), version.clone()))
            .map(|sum| ("SHA-256", sum.clone())),
        name,
        version,
        uses,
    })
}

fn purl(package: &Value) -> String {
    let word = |name: &str| package[name].as_str().unwrap_or_default().replace('+', "%2B");
    format!("pkg:cargo/{}@{}", word("name"), word("version"))
}

/// The checksums of `Cargo.lock`, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |block: &str, name: &str| {
        let mut lines = block.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='))?;
        Some(value.trim().trim_matches('"').to_owned())
    };
    let blocks = lock.split("[[package]]").skip(1);
    blocks
        .filter_map(|block| {
            Some((
                (field(block, "name")?, field(block, "version")?),
                field(block, "checksum")?,
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_linked_or_builds_is_listed_and_what_tests_use_is_not() {
        let package = |name: &str| json!({"id": format!("{name}#1"), "name": name, "version": "1.0.0+x", "license": "MIT/Apache-2.0"});
        let uses =
            |name: &str, kind: Value| json!({"pkg": format!("{name}#1"), "dep_kinds": [{"kind": kind}]});
        let node = |name: &str, deps: Vec<Value>| json!({"id": format!("{name}#1"), "deps": deps});
        let metadata = json!({
            "packages": (["meeshy", "linked", "deep", "builds", "tests"].map(package)),
            "resolve": {"nodes": [
                node("meeshy", vec![uses("linked", json!(null)), uses("builds", json!("build")), uses("tests", json!("dev"))]),
                node("linked", vec![uses("deep", json!(null))]),
                node("deep", vec![]),
                node("builds", vec![]),
                node("tests", vec![]),
            ]},
        });
        let sum = "ab".repeat(32);
        let lock = format!(
            "version = 4\n\n[[package]]\nname = \"deep\"\nversion = \"1.0.0+x\"\nsource = \"r\"\nchecksum = \"{sum}\"\n"
        );
        let (root, components) = components(&metadata, &lock).expect("it is complete");
        let purls: Vec<&str> = components.iter().map(|each| each.purl.as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:cargo/builds@1.0.0%2Bx",
                "pkg:cargo/deep@1.0.0%2Bx",
                "pkg:cargo/linked@1.0.0%2Bx"
            ]
        );
        assert_eq!(components[1].hash, Some(("SHA-256", sum)));
        assert_eq!(components[1].license.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(root.uses.len(), 2);
    }
}
