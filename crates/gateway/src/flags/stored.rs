//! What operators stored, as text in the database and as values here.

use std::collections::{BTreeMap, BTreeSet};

use signalling::ConversationId;
use signalling::client_gateway::{AdminFlagsChange, Change};
use store::FlagChanges;

use super::Flag;

/// The name under which the share of conversations is stored.
const PERCENT: &str = "sfu_percent";
/// The name under which the list of conversations is stored.
const CONVERSATIONS: &str = "sfu_conversations";
/// Most conversations on the list: a team, not a directory. Every gateway reads it every few seconds.
const MOST_CONVERSATIONS: usize = 1000;

/// What operators stored; where there is nothing, the setting holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Flags that are turned on or off.
    pub on: BTreeMap<Flag, bool>,
    /// Share of conversations that may use a media node, per cent.
    pub sfu_percent: Option<u8>,
    /// Conversations that may in any case.
    pub sfu_conversations: Option<BTreeSet<ConversationId>>,
}

impl Stored {
    /// Reads rows of the database. What cannot be read, or is of another version of this program, is as good as not
    /// stored; the names of what cannot be read are given as well.
    #[must_use]
    pub fn read(rows: &BTreeMap<String, String>) -> (Self, Vec<&str>) {
        let mut stored = Self::default();
        let mut unreadable = Vec::new();
        for (name, value) in rows {
            let known = match name.as_str() {
                PERCENT => {
                    stored.sfu_percent = serde_json::from_str(value).ok().filter(|percent| *percent <= 100);
                    stored.sfu_percent.is_some()
                }
                CONVERSATIONS => {
                    stored.sfu_conversations = serde_json::from_str(value).ok();
                    stored.sfu_conversations.is_some()
                }
                name => match (Flag::named(name), value.parse()) {
                    (Some(flag), Ok(on)) => {
                        stored.on.insert(flag, on);
                        true
                    }
                    (Some(_), Err(_)) => false,
                    (None, _) => true,
                },
            };
            if !known {
                unreadable.push(name.as_str());
            }
        }
        (stored, unreadable)
    }
}

/// Why a change of flags cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongChange {
    /// There is no such flag.
    #[error("there is no flag {name}; there are {}", names())]
    UnknownFlag {
        /// What was asked for.
        name: String,
    },
    /// It cannot be turned on in this version.
    #[error("{name} is not built yet and cannot be turned on")]
    NotBuilt {
        /// Which flag.
        name: &'static str,
    },
    /// More than everybody.
    #[error("sfuPercent must be a whole number from 0 to 100")]
    Percent,
    /// Too long a list.
    #[error("sfuConversations must have at most {MOST_CONVERSATIONS} entries")]
    TooMany,
}

fn names() -> String {
    let names: Vec<&str> = Flag::ALL.iter().map(|flag| flag.name()).collect();
    names.join(", ")
}

/// What a change means to the rows of the database.
///
/// # Errors
/// If it names what is not there, or asks for what cannot be.
pub fn changes(change: &AdminFlagsChange) -> Result<FlagChanges, WrongChange> {
    let mut rows = FlagChanges::new();
    for (name, on) in change.flags.iter().flatten() {
        let flag = Flag::named(name).ok_or_else(|| WrongChange::UnknownFlag { name: name.clone() })?;
        if *on == Some(true) && !flag.is_built() {
            return Err(WrongChange::NotBuilt { name: flag.name() });
        }
        rows.insert(name.clone(), on.map(|on| on.to_string()));
    }
    match &change.sfu_percent {
        Change::Nothing => {}
        Change::Reset => drop(rows.insert(PERCENT.to_owned(), None)),
        Change::To(percent) if *percent > 100 => return Err(WrongChange::Percent),
        Change::To(percent) => drop(rows.insert(PERCENT.to_owned(), Some(percent.to_string()))),
    }
    match &change.sfu_conversations {
        Change::Nothing => {}
        Change::Reset => drop(rows.insert(CONVERSATIONS.to_owned(), None)),
        Change::To(listed) if listed.len() > MOST_CONVERSATIONS => return Err(WrongChange::TooMany),
        Change::To(listed) => {
            let listed: BTreeSet<&ConversationId> = listed.iter().collect();
            let text = serde_json::to_string(&listed).expect("ids are plain text");
            rows.insert(CONVERSATIONS.to_owned(), Some(text));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "65a1b2c3d4e5f60718293a4b";

    fn change(json: Value) -> AdminFlagsChange {
        serde_json::from_value(json).expect("a change")
    }

    fn stored(rows: FlagChanges) -> Stored {
        let rows = rows
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let (stored, unreadable) = Stored::read(&rows);
        assert!(unreadable.is_empty(), "{unreadable:?}");
        stored
    }

    #[test]
    fn what_is_written_is_read_again() {
        let asked = json!({"flags": {"sfu": false, "simulcast": true, "screen_share": null},
                           "sfuPercent": 25, "sfuConversations": [ID, ID]});
        let rows = changes(&change(asked)).expect("all of it is possible");
        assert_eq!(rows.get("screen_share"), Some(&None));
        let expected = Stored {
            on: BTreeMap::from([(Flag::Sfu, false), (Flag::Simulcast, true)]),
            sfu_percent: Some(25),
            sfu_conversations: Some(BTreeSet::from([ID.parse().expect("an id")])),
        };
        assert_eq!(stored(rows), expected);
    }

    #[test]
    fn going_back_deletes_rows_and_nothing_said_changes_none() {
        let back = changes(&change(
            json!({"sfuPercent": null, "sfuConversations": null, "flags": {"sfu": null}}),
        ));
        let back = back.expect("always possible");
        assert_eq!(back.len(), 3);
        assert!(back.values().all(Option::is_none), "{back:?}");
        assert_eq!(changes(&change(json!({}))), Ok(FlagChanges::new()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let unknown = WrongChange::UnknownFlag {
            name: "sfuu".to_owned(),
        };
        let rows = [
            (json!({"flags": {"sfuu": true}}), unknown),
            (
                json!({"flags": {"recording": true}}),
                WrongChange::NotBuilt { name: "recording" },
            ),
            (json!({"sfuPercent": 101}), WrongChange::Percent),
            (json!({"sfuConversations": vec![ID; 1001]}), WrongChange::TooMany),
        ];
        for (asked, expected) in rows {
            let wrong = changes(&change(asked)).expect_err("it cannot be");
            assert_eq!(wrong, expected);
            assert!(!wrong.to_string().is_empty());
        }
        assert!(changes(&change(json!({"flags": {"recording": false}}))).is_ok());
    }

    #[test]
    fn rows_that_cannot_be_read_do_no_harm() {
        let rows = [
            ("sfu", "perhaps"),
            ("sfu_percent", "101"),
            ("sfu_conversations", "[1]"),
            ("of_a_later_version", "x"),
            ("video_calls", "false"),
        ];
        let rows = rows
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let (stored, unreadable) = Stored::read(&rows);
        assert_eq!(unreadable, ["sfu", "sfu_conversations", "sfu_percent"]);
        assert_eq!(stored.on, BTreeMap::from([(Flag::VideoCalls, false)]));
        assert_eq!((stored.sfu_percent, stored.sfu_conversations), (None, None));
    }
}
