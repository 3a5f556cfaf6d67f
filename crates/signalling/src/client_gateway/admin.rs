//! What operators see and do (contract §3.8, §8.4, §8.9): administrators of the installation and services only.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::call::{CallStatus, CallType, Mode, SwitchReason, TransitionState};
use crate::declare::{object, words};
use crate::id::{CallId, ConversationId};
use crate::timestamp::Timestamp;

object! {
    /// `GET /api/admin/overview`: the gateway and everything it knows at this moment.
    AdminOverview {
        /// When this was looked up.
        pub at: Timestamp,
        /// The software's version.
        pub version: String,
        /// When the gateway was started.
        pub started_at: Timestamp,
        /// Whether the gateway is about to end and takes no new calls.
        pub draining: bool,
        /// How many hold a seat in a live call.
        pub participants: u32,
        /// Connected Socket.IO clients.
        pub sockets: u32,
        /// Live calls, oldest first.
        pub calls: Vec<AdminCall>,
        /// Switches between direct and group mode since the gateway was started.
        pub switches: AdminSwitches,
        /// The media nodes, by name.
        pub nodes: Vec<AdminNode>,
        /// The TURN servers.
        pub turn: Vec<AdminTurn>,
        /// What is turned on.
        pub flags: AdminFlags,
    }
}
object! {
    /// A live call.
    AdminCall {
        /// Which.
        pub call_id: CallId,
        /// Where it takes place.
        pub conversation_id: ConversationId,
        /// What it began as.
        #[serde(rename = "type")]
        pub call_type: CallType,
        /// How far it is.
        pub status: CallStatus,
        /// The committed mode.
        pub mode: Mode,
        /// The switch that is under way, if one is.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub transition: Option<TransitionState>,
        /// How many hold a seat.
        pub participants: u32,
        /// When people met, or when it was begun if they have not yet.
        pub started_at: Timestamp,
        /// The node that holds its room, also one that stands by.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub node_id: Option<String>,
    }
}
object! {
    /// Switches between direct and group mode.
    AdminSwitches {
        /// All that were finished.
        pub total: u64,
        /// Those that were committed.
        pub succeeded: u64,
        /// Half of the latest thousand committed ones took no longer; milliseconds.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub median_ms: Option<u64>,
        /// 95 of a hundred of these took no longer; milliseconds.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub p95_ms: Option<u64>,
        /// The latest fifty, newest first.
        pub recent: Vec<AdminSwitch>,
    }
}
object! {
    /// A finished switch.
    AdminSwitch {
        /// When it was finished.
        pub at: Timestamp,
        /// Of which call.
        pub call_id: CallId,
        /// The mode before.
        pub from: Mode,
        /// The mode it was to.
        pub to: Mode,
        /// Why.
        pub reason: SwitchReason,
        /// Whether it was committed.
        pub success: bool,
        /// From its announcement to its end, milliseconds; nothing if that was not measured.
        #[cfg_attr(feature = "ts", ts(optional = false))]
        pub duration_ms: Option<u64>,
    }
}
object! {
    /// A media node as the gateway knows it.
    AdminNode {
        /// Its host and port.
        pub node_id: String,
        /// Its base URL as the gateway reaches it.
        pub url: String,
        /// Where it stands; empty if it does not say.
        pub region: String,
        /// How the gateway came to know it.
        pub origin: NodeOrigin,
        /// Whether it takes rooms, or why not.
        pub state: NodeState,
        /// Rooms that take one of its places; those that only stand by do not.
        pub rooms: u32,
        /// Its places; 0 while it has not said.
        pub max_rooms: u32,
        /// Participants of all its rooms.
        pub participants: u32,
        /// Share of its cores in use, 0 to 1.
        pub cpu: f64,
        /// Resident memory, bytes.
        pub memory: u64,
        /// Media packets received per second.
        pub packets_in: f64,
        /// Media packets sent per second.
        pub packets_out: f64,
    }
}
words! {
    /// How a gateway came to know a media node.
    NodeOrigin {
        /// It is in `MEDIA_SERVER_URL`.
        Static = "static",
        /// It registered itself.
        Registered = "registered",
    }
}
words! {
    /// Whether a media node takes rooms, or why not.
    NodeState {
        /// It does.
        Ready = "ready",
        /// It finishes the calls it has.
        Draining = "draining",
        /// All its places are taken.
        Full = "full",
        /// It is too busy (contract §3.8).
        Overloaded = "overloaded",
        /// Its events do not come yet, or not any more.
        Connecting = "connecting",
        /// It does not answer; its calls moved on.
        Lost = "lost",
    }
}
object! {
    /// A TURN server.
    AdminTurn {
        /// Its URL as clients are given it.
        pub url: String,
        /// Whether it serves.
        pub state: TurnState,
    }
}
words! {
    /// Whether a TURN server serves.
    TurnState {
        /// It answered when it was last asked.
        Up = "up",
        /// It did not.
        Down = "down",
        /// It was not asked yet.
        Unknown = "unknown",
    }
}
object! {
    /// `GET /api/admin/flags`, and the answer to `PUT`.
    AdminFlags {
        /// Every flag by name.
        pub flags: BTreeMap<String, AdminFlag>,
        /// Share of conversations whose calls may use a media node, per cent.
        pub sfu_percent: u8,
        /// Conversations whose calls may in any case, unless `sfu` is off.
        pub sfu_conversations: Vec<ConversationId>,
    }
}
object! {
    /// A flag.
    AdminFlag {
        /// Whether it is on.
        pub on: bool,
        /// What says so.
        pub source: FlagSource,
    }
}
words! {
    /// What says whether a flag is on.
    FlagSource {
        /// The setting of the gateway.
        Setting = "setting",
        /// The database, whatever the setting.
        Stored = "stored",
    }
}

/// `PUT /api/admin/flags`: what is absent stays as it is, what is `null` goes back to the setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminFlagsChange {
    /// Flags by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<BTreeMap<String, Option<bool>>>,
    /// Share of conversations whose calls may use a media node, per cent.
    #[serde(default, skip_serializing_if = "Change::is_nothing")]
    #[cfg_attr(feature = "ts", ts(as = "Option<u8>", optional = nullable))]
    pub sfu_percent: Change<u8>,
    /// Conversations whose calls may in any case.
    #[serde(default, skip_serializing_if = "Change::is_nothing")]
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<ConversationId>>", optional = nullable))]
    pub sfu_conversations: Change<Vec<ConversationId>>,
}

/// What becomes of one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: it stays as it is.
    #[default]
    Nothing,
    /// `null`: back to the setting.
    Reset,
    /// This.
    To(T),
}

impl<T> Change<T> {
    /// Whether the value stays as it is.
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing | Self::Reset => serializer.serialize_none(),
            Self::To(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Reset, Self::To))
    }
}

object! {
    /// The answer to `POST` and `DELETE /api/admin/nodes/:nodeId/drain`.
    AdminDrain {
        /// Which node.
        pub node_id: String,
        /// Whether it takes no new rooms now.
        pub draining: bool,
        /// Rooms that take one of its places.
        pub rooms: u32,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_null_differs_from_what_is_absent() {
        let read = |json| serde_json::from_value::<AdminFlagsChange>(json);
        assert_eq!(read(json!({})).expect("nothing"), AdminFlagsChange::default());
        let reset = read(json!({"sfuPercent": null, "sfuConversations": null, "flags": {"sfu": null}}));
        let reset = reset.expect("three times null");
        assert_eq!(
            (reset.sfu_percent, reset.sfu_conversations),
            (Change::Reset, Change::Reset)
        );
        assert_eq!(reset.flags, Some(BTreeMap::from([("sfu".to_owned(), None)])));
        let set = read(json!({"sfuPercent": 10, "sfuConversations": []})).expect("two values");
        assert_eq!(
            (set.sfu_percent, set.sfu_conversations),
            (Change::To(10), Change::To(Vec::new()))
        );
        for wrong in [
            json!({"sfuPercents": 10}),
            json!({"sfuPercent": 300}),
            json!({"sfuPercent": "10"}),
            json!({"sfuConversations": ["x"]}),
            json!({"flags": {"sfu": 1}}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_change_is_written_as_it_is_read() {
        let change = AdminFlagsChange {
            flags: Some(BTreeMap::from([
                ("sfu".to_owned(), Some(false)),
                ("recording".to_owned(), None),
            ])),
            sfu_percent: Change::Reset,
            sfu_conversations: Change::Nothing,
        };
        let written = serde_json::to_value(&change).expect("written");
        assert_eq!(
            written,
            json!({"flags": {"sfu": false, "recording": null}, "sfuPercent": null})
        );
        assert_eq!(
            serde_json::from_value::<AdminFlagsChange>(written).expect("read"),
            change
        );
    }
}
