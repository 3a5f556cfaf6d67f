//! Links in documents lead somewhere: files that are there, headings that are there.

use std::collections::BTreeMap;

use super::{Source, Violation};

/// Every relative link whose file or heading is not there.
pub(crate) fn broken(documents: &[Source], exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let anchors: BTreeMap<&str, Vec<String>> = documents
        .iter()
        .map(|document| (document.path.as_str(), anchors(&document.text)))
        .collect();
    let mut violations = Vec::new();
    for document in documents {
        for target in links(&document.text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() {
                document.path.clone()
            } else {
                beside(&document.path, file)
            };
            let subject = document.path.clone();
            if !exists(&path) {
                violations.push(Violation::new(
                    subject,
                    format!("links to {target}, which is not there"),
                ));
            } else if !heading.is_empty()
                && anchors
                    .get(path.as_str())
                    .is_some_and(|known| !known.iter().any(|anchor| anchor == heading))
            {
                violations.push(Violation::new(
                    subject,
                    format!("links to {target}: no such heading"),
                ));
            }
        }
    }
    violations
}

/// Every alert's `runbook_url` names a heading of the runbook, and every heading that is an alert's is named.
pub(crate) fn alerts_without_a_section(rules: &str, runbook: &str) -> Vec<Violation> {
    let anchors = anchors(runbook);
    let subject = "deploy/prometheus/alerts.yml";
    let mut violations = Vec::new();
    let mut alert = "";
    let mut has_link = true;
    let missing = |alert: &str| Violation::new(subject, format!("{alert} has no runbook_url"));
    for line in rules.lines().map(|line| line.trim().trim_start_matches("- ")) {
        if let Some(name) = line.strip_prefix("alert:") {
            if !has_link {
                violations.push(missing(alert));
            }
            (alert, has_link) = (name.trim(), false);
        } else if let Some(url) = line.strip_prefix("runbook_url:") {
            has_link = true;
            let url = url.trim().trim_matches(['"', '\'']);
            let heading = url.split_once("runbook.md#").map(|(_, heading)| heading);
            if !heading.is_some_and(|heading| anchors.iter().any(|anchor| anchor == heading)) {
                let message = format!("{alert}: {url} is no section of docs/runbook.md");
                violations.push(Violation::new(subject, message));
            }
        }
    }
    if !has_link {
        violations.push(missing(alert));
    }
    violations
}

/// `file` as seen from the document at `from`.
fn beside(from: &str, file: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The targets of `[text](target)` outside code.
fn links(text: &str) -> Vec<&str> {
    prose(text)
        .flat_map(|line| {
            // What stands in backticks is code.
            line.split('`').step_by(2)
        })
        .flat_map(|span| span.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.is_empty())
        .collect()
}

/// The lines outside fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The anchors of a document's headings, as forges make them: lower case, punctuation gone, spaces to dashes, repeated
/// ones numbered.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for heading in prose(text).filter(|line| line.starts_with('#')) {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' '));
        let anchor: String = kept
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let before = anchors
            .iter()
            .filter(|known| {
                let rest = known.strip_prefix(anchor.as_str());
                rest.is_some_and(|rest| {
                    rest.is_empty()
                        || rest
                            .strip_prefix('-')
                            .is_some_and(|number| number.parse::<u32>().is_ok())
                })
            })
            .count();
        anchors.push(if before == 0 {
            anchor
        } else {
            format!("{anchor}-{before}")
        });
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str, text: &str) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
        }
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let documents = [
            document(
                "README.md",
                "# Top\n[a](docs/a.md), [b](docs/a.md#one-two), [c](#top), [d](https://x.org/y#z), [e](docs/)",
            ),
            document(
                "docs/a.md",
                "# One, `two`\n[back](../README.md#top) and [img](../img.png)",
            ),
        ];
        let there = ["README.md", "docs", "docs/a.md", "img.png"];
        assert_eq!(broken(&documents, |path| there.contains(&path)), []);
    }

    #[test]
    fn broken_links_are_named() {
        let documents = [document(
            "docs/a.md",
            "# One\n[gone](b.md) [no](#two) `[code](c.md)`\n```\n[fenced](d.md)\n# Two\n```\n",
        )];
        let messages: Vec<String> = broken(&documents, |path| path == "docs/a.md")
            .into_iter()
            .map(|violation| violation.message)
            .collect();
        assert_eq!(
            messages,
            [
                "links to b.md, which is not there",
                "links to #two: no such heading"
            ]
        );
    }

    #[test]
    fn repeated_headings_are_numbered() {
        let text = "# Calls\n## Calls\n### The `/health` page?\n## Calls\n";
        assert_eq!(anchors(text), ["calls", "calls-1", "the-health-page", "calls-2"]);
    }

    #[test]
    fn alerts_lead_to_sections() {
        let runbook = "# Runbook\n### NoCapacity\n";
        let good = "- alert: NoCapacity\n  annotations:\n    runbook_url: https://x.org/docs/runbook.md#nocapacity\n";
        assert_eq!(alerts_without_a_section(good, runbook), []);
        let wrong =
            "- alert: A\n  runbook_url: docs/runbook.md#a\n- alert: B\n  expr: 1\n- alert: C\n  expr: 1\n";
        let messages: Vec<String> = alerts_without_a_section(wrong, runbook)
            .into_iter()
            .map(|violation| violation.message)
            .collect();
        assert_eq!(
            messages,
            [
                "A: docs/runbook.md#a is no section of docs/runbook.md",
                "B has no runbook_url",
                "C has no runbook_url"
            ]
        );
    }
}
