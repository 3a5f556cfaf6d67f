//! `docs/signalling.md` against the code.

use serde_json::{Value, json};

use super::{capabilities, exact, rtp_parameters};
use crate::client_node::*;
use crate::error::ErrorCode;
use crate::gateway_node;

/// `docs/signalling.md` as committed.
fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/signalling.md");
    std::fs::read_to_string(path).expect("the document is part of the repository")
}

#[test]
fn every_name_is_documented() {
    let document = document();
    let mentioned = |name: &str| document.contains(&format!("`{name}`"));
    let names = event::ALL
        .iter()
        .chain(&gateway_node::event::ALL)
        .chain(&message::ALL);
    for name in names {
        assert!(mentioned(name), "`{name}` is missing in docs/signalling.md");
    }
    for endpoint in Endpoint::ALL {
        let name = format!("{} {}", endpoint.method(), endpoint.path());
        assert!(mentioned(&name), "`{name}` is missing in docs/signalling.md");
    }
    // The codes of the call level have their own page.
    let calls = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/calls.md");
    let calls = std::fs::read_to_string(calls).expect("the document is part of the repository");
    for code in ErrorCode::ALL {
        let row = format!("| `{code}` | {} |", code.status());
        assert!(
            document.contains(&row) || calls.contains(&row),
            "{row} is missing in docs/signalling.md and docs/calls.md"
        );
    }
}

#[test]
fn every_field_is_documented() {
    let document = document();
    let produce = json!({"participantId": "p", "kind": "audio", "rtpParameters": rtp_parameters(),
                         "appData": {"source": "camera", "displayName": "A"}, "paused": true});
    let samples = [
        serde_json::to_value(exact::<ProduceRequest>(produce)).expect("written"),
        serde_json::to_value(StatsResponse {
            worker_loads: vec![WorkerLoad::default()],
            ..StatsResponse::default()
        })
        .expect("written"),
        capabilities(),
    ];
    let mut names = std::collections::BTreeSet::new();
    samples.iter().for_each(|sample| members(sample, &mut names));
    assert!(names.contains("headerExtensions"));
    for name in names {
        assert!(
            document.contains(&name),
            "{name} is missing in docs/signalling.md"
        );
    }
}

/// Names of all members of a document, those of codec parameters apart.
fn members(value: &Value, names: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                names.insert(name.clone());
                if name != "parameters" {
                    members(value, names);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, names)),
        _ => {}
    }
}
