use std::collections::HashSet;

use super::*;

const LIST: &str = include_str!("../../../../deploy/checks/metrics.json");
const PAGE: &str = include_str!("../../../../docs/monitoring.md");

const BEGIN: &str = "<!-- metrics: written by `make metrics` -->\n";
const END: &str = "\n<!-- end of metrics -->";

#[test]
fn the_list_that_dashboards_and_alerts_are_checked_against_is_current() {
    assert!(
        LIST.trim_end() == list(),
        "deploy/checks/metrics.json is out of date: make metrics"
    );
}

#[test]
fn the_documented_table_is_current() {
    let written = PAGE.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let (table, _) = written.expect("docs/monitoring.md has the table's marks");
    assert!(
        table.trim() == document(),
        "docs/monitoring.md is out of date: make metrics"
    );
}

#[test]
fn a_server_names_a_metric_once_and_labels_it_alike_everywhere() {
    let mut seen = HashSet::new();
    for (server, _, table) in SERVERS {
        for entry in table {
            assert!(seen.insert((entry.name, server)), "{} twice", entry.name);
        }
    }
    for entry in PROCESS {
        assert!(!seen.contains(&(entry.name, "gateway")), "{}", entry.name);
        assert!(!seen.contains(&(entry.name, "media")), "{}", entry.name);
    }
    for one in ::gateway::metrics::ALL {
        for other in media_node::metrics::ALL
            .iter()
            .filter(|other| other.name == one.name)
        {
            assert_eq!(one.kind, other.kind, "{}", one.name);
            let names: [Vec<_>; 2] = [labels(one).collect(), labels(other).collect()];
            assert_eq!(names[0], names[1], "{}", one.name);
        }
    }
}
