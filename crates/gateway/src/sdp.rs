//! Session descriptions and candidates on their way from one browser to another (contract §6.5).
//!
//! Nothing here negotiates. What is relayed is capped, must read as SDP (RFC 8866) and be what it says it is; where
//! asked, addresses of private networks are taken out. Nothing of it is ever logged.

use std::net::IpAddr;

use serde_json::Value;
use signalling::ErrorCode;
use signalling::client_gateway::{MAX_SDP, Signal, SignalType};
use signalling::error::ErrorBody;

/// Longest id of a negotiation, bytes; ours have 24.
const MAX_NEGOTIATION_ID: usize = 64;
/// Longest `sdpMid` and `usernameFragment`, bytes (RFC 8839 §5.4: a fragment has 256 at most).
const MAX_FIELD: usize = 256;

/// Which addresses one browser may learn of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// All that it offers.
    All,
    /// None of a private network: host candidates with one are dropped, related addresses blanked.
    Public,
    /// Those of TURN servers only: every other candidate is dropped, related addresses blanked.
    Relays,
}

/// Checks a signal and gives what is to be relayed. A candidate that is dropped leaves `None` behind, which is not the
/// end of candidates: there is nothing to relay then.
///
/// # Errors
/// `INVALID_INPUT` if it is too large, does not read, or is not of its type.
pub fn check_signal(signal: &Signal, allowed: Addresses) -> Result<Option<Signal>, ErrorBody> {
    if signal
        .negotiation_id
        .as_ref()
        .is_some_and(|id| id.len() > MAX_NEGOTIATION_ID)
    {
        return Err(invalid("negotiationId is too long"));
    }
    match signal.signal_type {
        SignalType::Offer | SignalType::Answer => description(signal, allowed).map(Some),
        SignalType::IceCandidate => candidate(signal, allowed),
    }
}

fn invalid(message: &str) -> ErrorBody {
    ErrorBody::with_message(ErrorCode::InvalidInput, message)
}

fn description(signal: &Signal, allowed: Addresses) -> Result<Signal, ErrorBody> {
    let Some(sdp) = &signal.sdp else {
        return Err(invalid("sdp is missing"));
    };
    if sdp.len() > MAX_SDP {
        return Err(invalid("sdp is too large"));
    }
    let lines: Vec<&str> = sdp.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let lines = lines.strip_suffix(&[""]).unwrap_or(&lines);
    read(lines, signal.signal_type)?;
    let sdp = match allowed {
        Addresses::All => sdp.clone(),
        Addresses::Public | Addresses::Relays => stripped(lines, allowed),
    };
    Ok(Signal {
        signal_type: signal.signal_type,
        sdp: Some(sdp),
        candidate: None,
        negotiation_id: signal.negotiation_id.clone(),
    })
}

/// Whether lines read as a session description with media, for an offer or for an answer.
fn read(lines: &[&str], signal_type: SignalType) -> Result<(), ErrorBody> {
    let form = |line: &&str| {
        let bytes = line.as_bytes();
        matches!(bytes, [kind, b'=', ..] if kind.is_ascii_lowercase()) && !line.chars().any(char::is_control)
    };
    if !lines.iter().all(form) {
        return Err(invalid("sdp has a line that is none"));
    }
    // The order of RFC 8866 §5, as far as nobody leaves a line out.
    let [version, origin, ..] = lines else {
        return Err(invalid("sdp is too short"));
    };
    if *version != "v=0" || !origin.starts_with("o=") {
        return Err(invalid("sdp does not begin as one"));
    }
    let mut media = 0;
    for line in lines {
        if let Some(line) = line.strip_prefix("m=") {
            media += 1;
            section(line)?;
        }
        if media == 0
            && let Some(attribute) = line.strip_prefix("a=")
        {
            wonder(attribute);
        }
        // An offer leaves the choice of who begins DTLS open; an answer makes it (RFC 8842 §5.2).
        let chosen = matches!(*line, "a=setup:active" | "a=setup:passive");
        let open = *line == "a=setup:actpass";
        match signal_type {
            SignalType::Answer if open => return Err(invalid("this sdp is no answer")),
            SignalType::Offer if chosen => return Err(invalid("this sdp is no offer")),
            _ => {}
        }
    }
    if media == 0 {
        return Err(invalid("sdp has no media"));
    }
    Ok(())
}

/// Attributes of a whole session that browsers write (RFC 8829 §5.2.1, RFC 9143, RFC 8839 §5.3, RFC 8122, RFC 8285 §6,
/// and `msid-semantic` of old drafts).
const SESSION_ATTRIBUTES: [&str; 12] = [
    "group",
    "ice-options",
    "ice-lite",
    "ice-ufrag",
    "ice-pwd",
    "fingerprint",
    "setup",
    "identity",
    "tls-id",
    "msid-semantic",
    "extmap-allow-mixed",
    "sendrecv",
];

/// Says in the log that somebody's session has an attribute that nobody knows (contract §6.5): its name and no more.
fn wonder(attribute: &str) {
    let name = attribute.split(':').next().unwrap_or_default();
    if SESSION_ATTRIBUTES.contains(&name) {
        return;
    }
    let plain = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    let name: String = name.chars().take_while(plain).take(40).collect();
    tracing::debug!(attribute = name, "a session description has an unknown attribute");
}

/// `audio 9 UDP/TLS/RTP/SAVPF 111 …`.
fn section(line: &str) -> Result<(), ErrorBody> {
    let mut fields = line.split(' ');
    let (kind, port, protocol) = (fields.next(), fields.next(), fields.next());
    let known = matches!(kind, Some("audio" | "video" | "application"));
    let numbered = port.is_some_and(|port| port.parse::<u16>().is_ok());
    let encrypted =
        protocol.is_some_and(|protocol| protocol.contains("DTLS") || protocol.contains("TLS/RTP"));
    if known && numbered && encrypted && fields.next().is_some() {
        Ok(())
    } else {
        Err(invalid("sdp has media that cannot be sent safely"))
    }
}

fn stripped(lines: &[&str], allowed: Addresses) -> String {
    let mut text = String::new();
    for line in lines {
        let kept = match line.strip_prefix("a=candidate:") {
            Some(rest) => match outside(rest, allowed) {
                Outside::Drop => continue,
                Outside::Keep(rest) => format!("a=candidate:{rest}"),
            },
            None => without_address(line, allowed),
        };
        text.push_str(&kept);
        text.push_str("\r\n");
    }
    text
}

/// A line that says where media or its sender is: the connection (RFC 8866 §5.7), the origin (§5.2), `rtcp` (RFC
/// 3605). Browsers put the address of their favourite candidate there. ICE uses none of them.
fn without_address(line: &str, allowed: Addresses) -> String {
    if !["c=", "o=", "a=rtcp:"].iter().any(|kind| line.starts_with(kind)) {
        return line.to_owned();
    }
    let mut words: Vec<&str> = line.split(' ').collect();
    let Some(last) = words.last_mut() else {
        return line.to_owned();
    };
    let hidden = |address: IpAddr| {
        let own = address.to_canonical().is_loopback() || address.is_unspecified();
        !own && (allowed == Addresses::Relays || is_private(address))
    };
    match last.parse::<IpAddr>() {
        Ok(address) if hidden(address) => *last = blank(address),
        _ => {}
    }
    words.join(" ")
}

/// No address, of the same family.
const fn blank(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "0.0.0.0",
        IpAddr::V6(_) => "::",
    }
}

fn candidate(signal: &Signal, allowed: Addresses) -> Result<Option<Signal>, ErrorBody> {
    let value = signal.candidate.as_ref().unwrap_or(&Value::Null);
    let relayed = match value {
        Value::Null => Value::Null,
        Value::Object(fields) => {
            let text = |name: &str, most: usize| match fields.get(name) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) if text.len() <= most => Ok(Some(text.as_str())),
                Some(_) => Err(invalid("the candidate has a field that is none")),
            };
            let line = text("candidate", MAX_SDP)?.ok_or_else(|| invalid("the candidate is missing"))?;
            let index = match fields.get("sdpMLineIndex") {
                None | Some(Value::Null) => Value::Null,
                Some(index) if index.as_u64().is_some_and(|index| index <= 1000) => index.clone(),
                Some(_) => return Err(invalid("sdpMLineIndex is none")),
            };
            let Some(line) = line_to_relay(line, allowed)? else {
                return Ok(None);
            };
            let named = |text: Option<&str>| text.map_or(Value::Null, |text| Value::String(text.to_owned()));
            serde_json::json!({
                "candidate": line,
                "sdpMid": named(text("sdpMid", MAX_FIELD)?),
                "sdpMLineIndex": index,
                "usernameFragment": named(text("usernameFragment", MAX_FIELD)?),
            })
        }
        _ => return Err(invalid("the candidate must be an object or null")),
    };
    Ok(Some(Signal {
        signal_type: SignalType::IceCandidate,
        sdp: None,
        candidate: Some(relayed),
        negotiation_id: signal.negotiation_id.clone(),
    }))
}

/// The line of a candidate as it is relayed; `None` if it is not.
fn line_to_relay(line: &str, allowed: Addresses) -> Result<Option<String>, ErrorBody> {
    // An empty line says that this was the last one of a generation (W3C WebRTC §4.8.1.3).
    if line.is_empty() {
        return Ok(Some(String::new()));
    }
    let plain = line.strip_prefix("a=").unwrap_or(line);
    let Some(rest) = plain.strip_prefix("candidate:") else {
        return Err(invalid("the candidate does not begin as one"));
    };
    if line.chars().any(char::is_control) || Fields::read(rest).is_none() {
        return Err(invalid("the candidate cannot be read"));
    }
    if allowed == Addresses::All {
        return Ok(Some(line.to_owned()));
    }
    Ok(match outside(rest, allowed) {
        Outside::Drop => None,
        Outside::Keep(rest) => Some(format!("candidate:{rest}")),
    })
}

/// What is left of a candidate outside its network.
enum Outside {
    Drop,
    Keep(String),
}

/// `foundation component transport priority address port typ type …` (RFC 8839 §5.1).
struct Fields<'a> {
    words: Vec<&'a str>,
    address: &'a str,
    kind: &'a str,
}

impl<'a> Fields<'a> {
    fn read(rest: &'a str) -> Option<Self> {
        let words: Vec<&str> = rest.split(' ').collect();
        let [_, component, transport, priority, address, port, "typ", kind, ..] = words.as_slice() else {
            return None;
        };
        let numbers = component.parse::<u16>().is_ok()
            && priority.parse::<u32>().is_ok()
            && port.parse::<u16>().is_ok();
        let known = matches!(*kind, "host" | "srflx" | "prflx" | "relay");
        let transport = transport.eq_ignore_ascii_case("udp") || transport.eq_ignore_ascii_case("tcp");
        (numbers && known && transport && !address.is_empty()).then(|| Self {
            address,
            kind,
            words: words.clone(),
        })
    }
}

fn outside(rest: &str, allowed: Addresses) -> Outside {
    let Some(Fields {
        mut words,
        address,
        kind,
    }) = Fields::read(rest)
    else {
        return Outside::Drop;
    };
    if allowed == Addresses::Relays && kind != "relay" {
        return Outside::Drop;
    }
    // A name is what browsers put in place of such an address (RFC 8828 §5.2): it gives nothing away.
    let address = address.parse::<IpAddr>().ok();
    if kind == "host" && address.is_some_and(is_private) {
        return Outside::Drop;
    }
    let blank = address.map_or("0.0.0.0", blank);
    for index in 8..words.len().saturating_sub(1) {
        let (Some("raddr"), Some(related)) = (words.get(index).copied(), words.get_mut(index + 1)) else {
            continue;
        };
        *related = blank;
        if let (Some("rport"), Some(port)) = (words.get(index + 2).copied(), words.get_mut(index + 3)) {
            *port = "0";
        }
    }
    Outside::Keep(words.join(" "))
}

/// Of a private network (RFC 1918, RFC 4193), of one link, of this machine, or shared by a provider (RFC 6598).
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            address.is_private() || address.is_link_local() || address.is_loopback() || shared
        }
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback()
        }
    }
}

#[cfg(test)]
mod tests;
