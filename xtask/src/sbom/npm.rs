//! The packages in the web client.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Component;

/// Folder of packages inside a package.
const FOLDER: &str = "node_modules/";

/// The web client and what becomes part of the page, from a `package-lock.json` of version 2 or 3.
pub(super) fn components(lock: &Value) -> Result<(Component, Vec<Component>)> {
    let packages = lock["packages"]
        .as_object()
        .context("package-lock.json has no packages")?;
    let shipped: BTreeMap<&str, &Value> = packages
        .iter()
        .filter(|(place, package)| {
            let tool = ["dev", "devOptional", "peer", "link"]
                .iter()
                .any(|mark| package[*mark] == true);
            place.is_empty() || !tool
        })
        .map(|(place, package)| (place.as_str(), package))
        .collect();
    let mut components: BTreeMap<String, Component> = BTreeMap::new();
    let mut root = None;
    for (place, package) in &shipped {
        let component = component(place, package, &shipped);
        if place.is_empty() {
            root = Some(component);
        } else {
            // The same version may lie in several folders.
            let known = components
                .entry(component.purl.clone())
                .or_insert_with(|| component.clone());
            known.uses.extend(component.uses);
        }
    }
    let root = root.context("package-lock.json does not say whose it is")?;
    Ok((root, components.into_values().collect()))
}

fn component(place: &str, package: &Value, all: &BTreeMap<&str, &Value>) -> Component {
    let used = ["dependencies", "optionalDependencies"]
        .into_iter()
        .flat_map(|kind| {
            let names = package[kind].as_object().into_iter().flatten();
            names.map(|(name, _)| name.as_str())
        });
    let found = used.filter_map(|name| {
        let place = resolve(place, name, all)?;
        Some(purl(&place, all.get(place.as_str())?))
    });
    Component {
        uses: found.collect(),
        purl: purl(place, package),
        name: name(place, package).to_owned(),
        version: package["version"].as_str().unwrap_or("0.0.0").to_owned(),
        license: package["license"].as_str().map(str::to_owned),
        hash: package["integrity"]
            .as_str()
            .and_then(digits)
            .map(|digits| ("SHA-512", digits)),
    }
}

/// Where a package finds another one by name: in its own folder or that of a package around it.
fn resolve(place: &str, name: &str, all: &BTreeMap<&str, &Value>) -> Option<String> {
    let mut around = Some(place);
    while let Some(folder) = around {
        let slash = if folder.is_empty() { "" } else { "/" };
        let candidate = format!("{folder}{slash}{FOLDER}{name}");
        if all.contains_key(candidate.as_str()) {
            return Some(candidate);
        }
        let outer = folder.rfind(FOLDER).map(|at| folder[..at].trim_end_matches('/'));
        around = outer.filter(|_| !folder.is_empty());
    }
    None
}

fn name<'a>(place: &'a str, package: &'a Value) -> &'a str {
    let own = package["name"].as_str();
    own.unwrap_or_else(|| place.rsplit(FOLDER).next().unwrap_or(place))
}

fn purl(place: &str, package: &Value) -> String {
    let name = name(place, package).replace('@', "%40");
    let version = package["version"].as_str().unwrap_or("0.0.0").replace('+', "%2B");
    format!("pkg:npm/{name}@{version}")
}

/// The digits of `sha512-<base64>` (W3C Subresource Integrity).
fn digits(integrity: &str) -> Option<String> {
    let base64 = integrity.strip_prefix("sha512-")?.trim_end_matches('=');
    let (mut bits, mut many, mut digits) = (0_u32, 0, String::new());
    for byte in base64.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xff_ffff;
        many += 6;
        if many >= 8 {
            many -= 8;
            digits.push_str(&format!("{:02x}", bits >> many & 0xff));
        }
    }
    (digits.len() == 128).then_some(digits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packages_of_the_page_are_listed_with_what_they_use_and_tools_are_not() {
        let lock = json!({"packages": {
            "": {"name": "page", "version": "0.1.0", "dependencies": {"@scope/a": "^1", "b": "^2"}, "devDependencies": {"tool": "1"}},
            "node_modules/@scope/a": {"version": "1.0.0", "license": "MIT", "dependencies": {"b": "^1"}},
            "node_modules/@scope/a/node_modules/b": {"version": "1.5.0"},
            "node_modules/b": {"version": "2.0.0", "dependencies": {"c": "1"}},
            "node_modules/c": {"version": "1.0.0"},
            "node_modules/tool": {"version": "1.0.0", "dev": true},
        }});
        let (root, components) = components(&lock).expect("it is complete");
        let listed: Vec<(&str, Vec<&str>)> = components
            .iter()
            .map(|each| (each.purl.as_str(), each.uses.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(
            listed,
            [
                ("pkg:npm/%40scope/a@1.0.0", vec!["pkg:npm/b@1.5.0"]),
                ("pkg:npm/b@1.5.0", vec![]),
                ("pkg:npm/b@2.0.0", vec!["pkg:npm/c@1.0.0"]),
                ("pkg:npm/c@1.0.0", vec![]),
            ]
        );
        assert_eq!((root.name.as_str(), root.uses.len()), ("page", 2));
    }

    #[test]
    fn an_integrity_is_read_as_digits() {
        // Of nothing (FIPS 180-4).
        let empty =
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
        let digits = digits(empty).expect("64 bytes");
        assert!(
            digits.starts_with("cf83e1357eefb8bd") && digits.ends_with("f927da3e"),
            "{digits}"
        );
        assert_eq!(super::digits("sha1-xyz"), None);
        assert_eq!(super::digits("sha512-AAAA"), None);
    }
}
