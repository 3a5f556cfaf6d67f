use proptest::prelude::*;
use serde_json::json;

use super::*;

const HEAD: &str = "v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n";

fn described(signal_type: SignalType, sdp: &str) -> Signal {
    Signal {
        signal_type,
        sdp: Some(sdp.to_owned()),
        candidate: None,
        negotiation_id: None,
    }
}

fn trickled(candidate: Value) -> Signal {
    Signal {
        signal_type: SignalType::IceCandidate,
        sdp: None,
        candidate: Some(candidate),
        negotiation_id: Some("65a1b2c3d4e5f60718293a4b".to_owned()),
    }
}

fn trickle(line: &str, private: Addresses) -> Option<String> {
    let signal = trickled(json!({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0}));
    let relayed = check_signal(&signal, private).expect("it reads")?;
    let line = relayed.candidate.expect("a candidate")["candidate"].clone();
    Some(line.as_str().expect("text").to_owned())
}

#[test]
fn descriptions_are_relayed_as_they_are() {
    let offer = format!("{HEAD}{AUDIO}a=setup:actpass\r\n");
    let answer = format!("{HEAD}{AUDIO}a=setup:active\r\na=x-unknown:kept\r\n");
    for (signal_type, sdp) in [(SignalType::Offer, offer), (SignalType::Answer, answer)] {
        for private in [Addresses::All, Addresses::Public] {
            let signal = described(signal_type, &sdp);
            assert_eq!(check_signal(&signal, private), Ok(Some(signal)));
        }
    }
}

#[test]
fn what_is_no_description_of_its_type_is_refused() {
    let offer = format!("{HEAD}{AUDIO}a=setup:actpass\r\n");
    let answer = format!("{HEAD}{AUDIO}a=setup:active\r\n");
    let table = [
        (SignalType::Offer, String::new()),
        (SignalType::Offer, "hello".to_owned()),
        (SignalType::Offer, HEAD.to_owned()),
        (SignalType::Offer, AUDIO.to_owned()),
        (SignalType::Offer, format!("{HEAD}<script>\r\n{AUDIO}")),
        (SignalType::Offer, format!("{HEAD}\r\n{AUDIO}")),
        (SignalType::Offer, format!("{HEAD}a=x\0y\r\n{AUDIO}")),
        (SignalType::Offer, format!("{HEAD}m=audio 9 RTP/AVP 0\r\n")),
        (
            SignalType::Offer,
            format!("{HEAD}m=audio x UDP/TLS/RTP/SAVPF 111\r\n"),
        ),
        (
            SignalType::Offer,
            format!("{HEAD}m=text 9 UDP/TLS/RTP/SAVPF 111\r\n"),
        ),
        (
            SignalType::Offer,
            format!("{offer}a=x:{}\r\n", "x".repeat(MAX_SDP)),
        ),
        (SignalType::Offer, answer),
        (SignalType::Answer, offer),
    ];
    for (signal_type, sdp) in table {
        let refused = check_signal(&described(signal_type, &sdp), Addresses::All);
        let code = refused.map_err(|error| error.code);
        assert_eq!(code, Err(ErrorCode::InvalidInput), "{:.80}", sdp);
    }
    let missing = Signal {
        signal_type: SignalType::Offer,
        sdp: None,
        candidate: None,
        negotiation_id: None,
    };
    assert!(check_signal(&missing, Addresses::All).is_err());
}

#[test]
fn private_candidates_of_a_description_are_taken_out() {
    let sdp = format!(
        "{HEAD}{AUDIO}a=candidate:1 1 udp 2113937151 192.168.1.7 50000 typ host generation 0\r\n\
         a=candidate:2 1 udp 2113937151 7f3a.local 50000 typ host\r\n\
         a=candidate:3 1 udp 1677729535 198.51.100.7 50000 typ srflx raddr 192.168.1.7 rport 50000 generation 0\r\n\
         a=end-of-candidates\r\n"
    );
    let signal = check_signal(&described(SignalType::Offer, &sdp), Addresses::Public);
    let sdp = signal
        .expect("it reads")
        .and_then(|signal| signal.sdp)
        .expect("sdp");
    assert_eq!(
        sdp,
        format!(
            "{HEAD}{AUDIO}a=candidate:2 1 udp 2113937151 7f3a.local 50000 typ host\r\n\
             a=candidate:3 1 udp 1677729535 198.51.100.7 50000 typ srflx raddr 0.0.0.0 rport 0 generation 0\r\n\
             a=end-of-candidates\r\n"
        )
    );
}

#[test]
fn addresses_beside_candidates_are_blanked_too() {
    let sdp =
        format!("{HEAD}{AUDIO}c=IN IP4 192.168.1.7\r\na=rtcp:9 IN IP6 fd12::1\r\nc=IN IP4 198.51.100.7\r\n")
            .replace("o=- 1 1 IN IP4 127.0.0.1", "o=- 1 1 IN IP4 10.0.0.5");
    let relayed = |allowed| {
        let signal = check_signal(&described(SignalType::Offer, &sdp), allowed);
        signal
            .expect("it reads")
            .and_then(|signal| signal.sdp)
            .expect("sdp")
    };
    assert_eq!(relayed(Addresses::All), sdp);
    let public = relayed(Addresses::Public);
    assert!(
        !public.contains("192.168.1.7") && !public.contains("fd12") && !public.contains("10.0.0.5"),
        "{public}"
    );
    assert!(
        public.contains("c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP6 ::\r\nc=IN IP4 198.51.100.7\r\n"),
        "{public}"
    );
    let relays = relayed(Addresses::Relays);
    assert!(!relays.contains("198.51.100.7"), "{relays}");
}

#[test]
fn trickled_candidates_are_kept_blanked_or_dropped() {
    let host = |address: &str| format!("candidate:1 1 udp 2113937151 {address} 50000 typ host");
    for address in [
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "127.0.0.1",
        "fd12::1",
        "fe80::1",
        "::1",
        "::ffff:10.0.0.1",
    ] {
        assert_eq!(trickle(&host(address), Addresses::Public), None, "{address}");
        assert_eq!(
            trickle(&host(address), Addresses::All),
            Some(host(address)),
            "{address}"
        );
    }
    for address in [
        "198.51.100.7",
        "172.32.0.1",
        "2001:db8::1",
        "1b2c.local",
        "100.128.0.1",
    ] {
        assert_eq!(
            trickle(&host(address), Addresses::Public),
            Some(host(address)),
            "{address}"
        );
    }
    let reflexive = "candidate:2 1 udp 1 2001:db8::7 5 typ srflx raddr fd00::1 rport 9 ufrag ab";
    let blanked = "candidate:2 1 udp 1 2001:db8::7 5 typ srflx raddr :: rport 0 ufrag ab";
    assert_eq!(trickle(reflexive, Addresses::Public).as_deref(), Some(blanked));
    // A reflexive or relayed address may be private where the whole installation is; it is what the peer needs.
    let relayed = "candidate:3 1 udp 1 10.0.0.2 5 typ relay raddr 0.0.0.0 rport 0";
    assert_eq!(trickle(relayed, Addresses::Public).as_deref(), Some(relayed));
    assert_eq!(trickle("", Addresses::Public).as_deref(), Some(""));
}

#[test]
fn the_end_of_candidates_is_relayed() {
    for candidate in [Some(Value::Null), None] {
        let mut signal = trickled(Value::Null);
        signal.candidate = candidate;
        let relayed = check_signal(&signal, Addresses::Public).expect("it reads");
        assert_eq!(relayed.and_then(|signal| signal.candidate), Some(Value::Null));
    }
}

#[test]
fn candidates_that_are_none_are_refused() {
    let long = "x".repeat(MAX_FIELD + 1);
    let good = "candidate:1 1 udp 1 198.51.100.7 5 typ host";
    let table = [
        json!("candidate:1 1 udp 1 198.51.100.7 5 typ host"),
        json!([]),
        json!(true),
        json!({}),
        json!({"candidate": 1}),
        json!({"candidate": {"$ne": null}}),
        json!({"candidate": "hello"}),
        json!({"candidate": "candidate:1 1 udp"}),
        json!({"candidate": "candidate:1 1 sctp 1 198.51.100.7 5 typ host"}),
        json!({"candidate": "candidate:1 1 udp 1 198.51.100.7 99999 typ host"}),
        json!({"candidate": "candidate:1 1 udp 1 198.51.100.7 5 typ guest"}),
        json!({"candidate": "candidate:1 1 udp 1 198.51.100.7 5 typ host\r\na=x"}),
        json!({"candidate": good, "sdpMid": 1}),
        json!({"candidate": good, "sdpMid": long}),
        json!({"candidate": good, "sdpMLineIndex": "0"}),
        json!({"candidate": good, "sdpMLineIndex": -1}),
        json!({"candidate": good, "usernameFragment": long}),
    ];
    for candidate in table {
        let refused = check_signal(&trickled(candidate.clone()), Addresses::All);
        let code = refused.map_err(|error| error.code);
        assert_eq!(code, Err(ErrorCode::InvalidInput), "{candidate}");
    }
}

#[test]
fn only_known_fields_are_relayed_and_names_of_negotiations_are_short() {
    let good = "candidate:1 1 udp 1 198.51.100.7 5 typ host";
    let signal = trickled(json!({"candidate": good, "sdpMid": "0", "extra": {"a": 1}}));
    let relayed = check_signal(&signal, Addresses::All)
        .expect("it reads")
        .expect("kept");
    assert_eq!(
        relayed.candidate,
        Some(json!({"candidate": good, "sdpMid": "0", "sdpMLineIndex": null, "usernameFragment": null}))
    );
    assert_eq!(relayed.negotiation_id, signal.negotiation_id);
    let mut long = signal;
    long.negotiation_id = Some("n".repeat(MAX_NEGOTIATION_ID + 1));
    assert!(check_signal(&long, Addresses::All).is_err());
}

proptest! {
    #[test]
    fn any_text_is_answered_and_nothing_private_gets_out(text in ".{0,400}", words in "[a-z0-9 .:]{0,120}") {
        let signal = described(SignalType::Offer, &text);
        let _ = check_signal(&signal, Addresses::Public);
        let line = format!("candidate:1 1 udp 1 192.168.7.7 5 typ host {words}");
        let signal = trickled(json!({"candidate": line}));
        if let Ok(relayed) = check_signal(&signal, Addresses::Public) {
            prop_assert_eq!(relayed, None);
        }
    }
}

#[test]
fn where_only_relays_may_be_learnt_of_everything_else_is_dropped() {
    let rows = [
        ("candidate:1 1 udp 2122260223 203.0.113.9 50000 typ host", None),
        ("candidate:1 1 udp 2122260223 1b9e.local 50000 typ host", None),
        (
            "candidate:2 1 udp 1686052607 203.0.113.9 50001 typ srflx raddr 192.168.1.2 rport 50000",
            None,
        ),
        (
            "candidate:3 1 udp 41885695 198.51.100.7 50002 typ relay raddr 203.0.113.9 rport 50001",
            Some("candidate:3 1 udp 41885695 198.51.100.7 50002 typ relay raddr 0.0.0.0 rport 0"),
        ),
    ];
    for (line, relayed) in rows {
        assert_eq!(trickle(line, Addresses::Relays).as_deref(), relayed, "{line}");
    }
    let host = "a=candidate:1 1 udp 2122260223 203.0.113.9 50000 typ host";
    let sdp = format!("{HEAD}{AUDIO}a=setup:actpass\r\n{host}\r\n");
    let signal = check_signal(&described(SignalType::Offer, &sdp), Addresses::Relays);
    let text = signal.expect("it reads").expect("an offer").sdp.expect("text");
    assert!(
        text.contains("a=setup:actpass") && !text.contains("candidate"),
        "{text}"
    );
}
