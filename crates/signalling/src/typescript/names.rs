//! Names of events, typed by their payload, and of paths: `names.ts`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::HEADER;
use crate::client_gateway::{GatewayEndpoint, ServerEvent, request_name};
use crate::client_node as node;
use crate::version;

/// Events of the media node.
const NODE_EVENTS: &[(&str, &str)] = &[
    (node::event::NEW_PRODUCER, "NewProducer"),
    (node::event::PRODUCER_CLOSED, "ProducerClosed"),
    (node::event::CONSUMER_PAUSED, "ConsumerPaused"),
    (node::event::CONSUMER_RESUMED, "ConsumerPaused"),
    (node::event::ACTIVE_SPEAKER, "ActiveSpeaker"),
];

/// Events to the media node.
const NODE_REQUESTS: &[(&str, &str)] = &[
    (node::event::JOIN_ROOM, "JoinRoom"),
    (node::event::LEAVE_ROOM, "LeaveRoom"),
];

/// Events to the gateway: the name, the payload's type, the type of the acknowledgement's data.
pub(super) const GATEWAY_REQUESTS: &[(&str, &str, &str)] = &[
    (request_name::AUTHENTICATE, "Authenticate", "null"),
    (request_name::INITIATE, "Initiate", "Initiated"),
    (request_name::JOIN, "Join", "JoinDto"),
    (request_name::ACCEPT, "Join", "JoinDto"),
    (request_name::REJECT, "Reject", "null"),
    (request_name::LEAVE, "Leave", "LeaveAck"),
    (request_name::END, "CallRef", "EndAck"),
    (request_name::SIGNAL, "SignalRequest", "null"),
    (request_name::TOGGLE_AUDIO, "Toggle", "null"),
    (request_name::TOGGLE_VIDEO, "Toggle", "null"),
    (request_name::TOGGLE_SCREEN_SHARE, "Toggle", "null"),
    (request_name::MEDIA_STATE_CHANGE, "MediaStateChange", "null"),
    (request_name::CONNECTED, "ParticipantRef", "null"),
    (request_name::MODE_SWITCH_ACK, "ModeSwitchAck", "null"),
    (request_name::MODE_SWITCHED, "ModeSwitchAck", "null"),
    (request_name::RETRY_SWITCH, "CallRef", "null"),
    (request_name::SFU_PROOF, "SfuProof", "null"),
    (request_name::SWITCH_GAP, "SwitchGap", "null"),
    (request_name::REJOIN, "ParticipantRef", "JoinDto"),
    (request_name::RESUME_CONSUMER, "ConsumerRef", "null"),
    (request_name::PAUSE_CONSUMER, "ConsumerRef", "null"),
    (request_name::TRANSCRIPTION, "Caption", "null"),
    (request_name::QUALITY_REPORT, "QualityReport", "null"),
    (request_name::DIAGNOSTICS, "Diagnostics", "null"),
    (request_name::REFRESH_CREDENTIALS, "CallRef", "Credentials"),
    (request_name::KICK, "ParticipantRef", "null"),
    (request_name::WEBRTC_OFFER, "OfferAlias", "null"),
    (request_name::WEBRTC_ANSWER, "AnswerAlias", "null"),
    (request_name::WEBRTC_ICE_CANDIDATE, "CandidateAlias", "null"),
    (request_name::MUTE, "MuteAlias", "null"),
    (request_name::VIDEO_TOGGLE, "Toggle", "null"),
];

/// The payload's name without what only Rust needs.
fn plain(payload: &str) -> &str {
    let unboxed = payload
        .split_once('<')
        .and_then(|(_, inside)| inside.strip_suffix('>'));
    unboxed.unwrap_or(payload).trim()
}

/// The file, with imports for what `home` says is declared where.
pub(super) fn text(home: &BTreeMap<&str, &str>) -> String {
    let body = body();
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for word in body.split(|c: char| !c.is_alphanumeric() && c != '_') {
        // Names of endpoints are written as keys and are not types.
        if let Some(module) = home.get(word).filter(|_| mentioned(word)) {
            imports.entry(module).or_default().insert(word);
        }
    }
    let mut text = format!("{HEADER}\n");
    for (module, names) in imports {
        let names: Vec<&str> = names.into_iter().collect();
        writeln!(
            text,
            "import type {{ {} }} from \"./{module}\";",
            names.join(", ")
        )
        .expect("strings take everything");
    }
    text.push_str(&body);
    text
}

/// Whether a name is the type of some payload or acknowledgement.
fn mentioned(word: &str) -> bool {
    let of_node = NODE_EVENTS
        .iter()
        .chain(NODE_REQUESTS)
        .map(|(_, payload)| *payload);
    let of_gateway = ServerEvent::NAMES.iter().map(|(_, payload)| plain(payload));
    let asked = GATEWAY_REQUESTS
        .iter()
        .flat_map(|(_, payload, ack)| [*payload, *ack]);
    of_node
        .chain(of_gateway)
        .chain(asked)
        .chain(["Ack"])
        .any(|name| name == word)
}

fn body() -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| writeln!(text, "{line}").expect("strings take everything");
    line(format_args!(
        "\n/** Events of the media node, for `Socket<NodeEvents, NodeRequests>` of socket.io-client. */"
    ));
    line(format_args!("export interface NodeEvents {{"));
    for (name, payload) in NODE_EVENTS {
        line(format_args!("  \"{name}\": (payload: {payload}) => void;"));
    }
    line(format_args!("}}\n\n/** Events to the media node. */"));
    line(format_args!("export interface NodeRequests {{"));
    for (name, payload) in NODE_REQUESTS {
        line(format_args!(
            "  \"{name}\": (payload: {payload}, ack?: (answer: Ack) => void) => void;"
        ));
    }
    line(format_args!(
        "}}\n\n/** Events of the gateway: name and payload. */"
    ));
    line(format_args!("export interface GatewayEvents {{"));
    for (name, payload) in ServerEvent::NAMES {
        line(format_args!("  \"{name}\": {};", plain(payload)));
    }
    line(format_args!(
        "}}\n\n/** Every name of an event of the gateway. */"
    ));
    line(format_args!("export const GATEWAY_EVENTS = ["));
    for (name, _) in ServerEvent::NAMES {
        line(format_args!("  \"{name}\","));
    }
    line(format_args!(
        "] as const;\n\n/** Events to the gateway: payload, and the data of the acknowledgement. */"
    ));
    line(format_args!("export interface GatewayRequests {{"));
    for (name, payload, ack) in GATEWAY_REQUESTS {
        line(format_args!(
            "  \"{name}\": {{ payload: {payload}, ack: {ack} }};"
        ));
    }
    line(format_args!("}}\n"));
    for (constant, whose, endpoints) in [
        (
            "ENDPOINTS",
            "the media node",
            node::Endpoint::ALL
                .iter()
                .map(|each| (format!("{each:?}"), each.method(), each.path()))
                .collect::<Vec<_>>(),
        ),
        (
            "GATEWAY_ENDPOINTS",
            "the gateway",
            GatewayEndpoint::ALL
                .iter()
                .map(|each| (format!("{each:?}"), each.method(), each.path()))
                .collect(),
        ),
    ] {
        line(format_args!(
            "/** Method and path of each endpoint of {whose}; placeholders are in braces. */"
        ));
        line(format_args!("export const {constant} = {{"));
        for (name, method, path) in endpoints {
            line(format_args!(
                "  {name}: {{ method: \"{method}\", path: \"{path}\" }},"
            ));
        }
        line(format_args!("}} as const;\n"));
    }
    line(format_args!(
        "/** The version of the messages. */\nexport const PROTOCOL = {};",
        version::PROTOCOL
    ));
    text
}
