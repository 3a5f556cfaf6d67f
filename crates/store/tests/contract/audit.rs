//! The audit log.

use serde_json::json;
use store::{AuditEntry, AuditQuery, AuditType};

use crate::World;
use crate::sample::*;

pub(crate) async fn lines_are_found_by_time_and_type(world: World) {
    let mut entries = Vec::new();
    for (seconds, event) in (0..).zip(AuditType::ALL.iter().chain(AuditType::ALL)) {
        let entry = AuditEntry {
            event: *event,
            user: (seconds % 2 == 0).then(|| user(1, "ann").id),
            call: (seconds % 3 == 0).then(|| call_id(1)),
            metadata: json!({ "n": seconds, "text": "a\u{0}b" }),
            ip_hash: (seconds % 2 == 1).then(|| "5f1c".to_owned()),
            user_agent: (seconds % 3 == 1).then(|| "Mozilla/5.0".to_owned()),
            timestamp: at(seconds),
        };
        world.store.append_audit(&entry).await.unwrap();
        entries.push(entry);
    }
    entries.reverse();
    let find = async |event, from, until, limit| {
        let query = AuditQuery {
            event,
            from: at(from),
            until: at(until),
            limit,
        };
        world.store.audit(&query).await.unwrap()
    };
    assert_eq!(find(None, 0, 14, 100).await, entries);
    assert_eq!(find(None, 2, 5, 100).await, entries[9..12]);
    assert_eq!(find(None, 0, 14, 3).await, entries[..3]);
    for event in AuditType::ALL {
        let of_type: Vec<_> = entries
            .iter()
            .filter(|entry| entry.event == *event)
            .cloned()
            .collect();
        assert_eq!(of_type.len(), 2);
        assert_eq!(find(Some(*event), 0, 14, 100).await, of_type);
    }
    assert!(find(Some(AuditType::CallLeft), 14, 99, 100).await.is_empty());
}
