//! TypeScript declarations of the messages, one file per module, the same text every time.
//!
//! `cargo xtask types` writes them where the web client imports them from, and checks in continuous integration that
//! they are up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ortc::types as rtp;
use ts_rs::{Config, TS};

use crate::{client_node as node, error, gateway_node as gateway, id, text, timestamp, token};

macro_rules! declare_all {
    ($config:expr; $($type:ty),+ $(,)?) => { vec![$(declare::<$type>($config)),+] };
}

mod client_gateway;
mod names;

/// One generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a directory.
    pub name: String,
    /// What it holds.
    pub text: String,
}

const HEADER: &str = "// Generated from the Rust sources by `cargo xtask types`. Do not edit.\n\
                      /* eslint-disable */\n\
                      // prettier-ignore\n";

/// A type as TypeScript, and the names it mentions.
struct Declaration {
    name: String,
    text: String,
    mentions: BTreeSet<String>,
}

fn declare<T: TS + 'static>(config: &Config) -> Declaration {
    let docs = T::docs().unwrap_or_default();
    Declaration {
        name: T::ident(config),
        text: tidy(&format!("{docs}export {}\n", T::decl(config))),
        mentions: T::dependencies(config)
            .into_iter()
            .map(|dependency| dependency.ts_name)
            .collect(),
    }
}

/// Lays a declaration out for people: fields indented, short comments on one line.
fn tidy(declaration: &str) -> String {
    let mut text = String::new();
    let mut indent = "";
    let mut lines = declaration.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        if line == "/**" {
            let comment: Vec<&str> = lines.by_ref().take_while(|line| *line != "*/").collect();
            match comment.as_slice() {
                [only] => writeln!(text, "{indent}/**{} */", only.trim_start_matches('*')),
                several => {
                    let several: String = several.iter().map(|line| format!("{indent} {line}\n")).collect();
                    writeln!(text, "{indent}/**\n{several}{indent} */")
                }
            }
        } else if let Some(last) = line.strip_suffix(", };") {
            indent = "";
            writeln!(text, "  {last},\n}};")
        } else {
            let written = writeln!(text, "{indent}{line}");
            if line.ends_with('{') {
                indent = "  ";
            }
            written
        }
        .expect("strings take everything");
    }
    text
}

/// Everything there is to generate, in the order of file names.
#[must_use]
pub fn files() -> Vec<File> {
    let config = Config::new().with_large_int("number");
    let modules = modules(&config);
    let home: BTreeMap<&str, &str> = modules
        .iter()
        .flat_map(|(module, declarations)| declarations.iter().map(|each| (each.name.as_str(), *module)))
        .collect();
    let mut files: Vec<File> = modules
        .iter()
        .map(|(module, declarations)| File {
            name: format!("{module}.ts"),
            text: module_text(module, declarations, &home),
        })
        .collect();
    files.push(File {
        name: "names.ts".to_owned(),
        text: names::text(&home),
    });
    let mut index = format!("{HEADER}\n");
    for file in &files {
        let module = file.name.trim_end_matches(".ts");
        writeln!(index, "export * from \"./{module}\";").expect("strings take everything");
    }
    files.push(File {
        name: "index.ts".to_owned(),
        text: index,
    });
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// Types by the file they are declared in.
fn modules(config: &Config) -> Vec<(&'static str, Vec<Declaration>)> {
    let rtp = declare_all![config;
        rtp::MediaKind, rtp::RtcpFeedback, rtp::RtpCapabilities, rtp::RtpCodecCapability, rtp::Direction,
        rtp::RtpHeaderExtension, rtp::RtpParameters, rtp::RtpCodecParameters, rtp::RtpHeaderExtensionParameters,
        rtp::RtpEncodingParameters, rtp::RtxParameters, rtp::RtcpParameters, ortc::ConsumerType,
    ];
    let id = declare_all![config;
        id::CallId, id::ParticipantId, id::RouterId, id::TransportId, id::ProducerId, id::ConsumerId,
        id::UserId, id::GuestId, id::ConversationId, id::ShareLinkId, id::TransitionId, id::TranscriptionId,
        timestamp::Timestamp, token::Token, text::Text,
    ];
    let error = declare_all![config;
        error::ErrorCode, error::ErrorBody, error::Success<ts_rs::Dummy>, error::Done, error::Failure,
        error::Answer<ts_rs::Dummy>,
    ];
    let client_node = declare_all![config;
        node::IceParameters, node::IceCandidate, node::CandidateProtocol, node::CandidateType, node::TcpType,
        node::DtlsParameters, node::DtlsRole, node::DtlsFingerprint, node::CreateRoomResponse, node::RoomResponse,
        node::ProducerSummary, node::AppData, node::TrackSource, node::CreateTransportRequest,
        node::TransportDirection, node::CreateTransportResponse, node::ConnectTransportRequest,
        node::ProduceRequest, node::ProduceResponse, node::ConsumeRequest, node::ConsumeResponse,
        node::RestartIceResponse, node::PreferredLayersRequest, node::StatsResponse, node::WorkerLoad, node::DrainResponse, node::HealthResponse,
        node::HealthStatus, node::JoinRoom, node::LeaveRoom, node::Ack, node::NewProducer, node::ProducerClosed,
        node::ConsumerPaused, node::PauseReason, node::ActiveSpeaker,
    ];
    let gateway_node = declare_all![config;
        gateway::RoomDestroyed, gateway::RoomEnd, gateway::TransportState, gateway::IceState, gateway::DtlsState,
        gateway::WorkerDied, gateway::RegisterNode, gateway::Registered,
    ];
    let mut modules = vec![
        ("rtp", rtp),
        ("id", id),
        ("error", error),
        ("clientNode", client_node),
        ("gatewayNode", gateway_node),
    ];
    modules.extend(client_gateway::modules(config));
    modules
}

fn module_text(module: &str, declarations: &[Declaration], home: &BTreeMap<&str, &str>) -> String {
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mention in declarations.iter().flat_map(|each| &each.mentions) {
        match home.get(mention.as_str()) {
            Some(other) if *other != module => {
                imports.entry(other).or_default().insert(mention);
            }
            _ => {}
        }
    }
    let mut text = HEADER.to_owned();
    if !imports.is_empty() {
        text.push('\n');
    }
    for (other, names) in &imports {
        let names: Vec<&str> = names.iter().copied().collect();
        writeln!(text, "import type {{ {} }} from \"./{other}\";", names.join(", "))
            .expect("strings take everything");
    }
    for declaration in declarations {
        text.push('\n');
        text.push_str(&declaration.text);
    }
    text
}

#[cfg(test)]
mod tests;
