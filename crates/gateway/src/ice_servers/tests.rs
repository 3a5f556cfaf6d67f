use super::*;

fn servers(change: impl FnOnce(&mut IceServersConfig)) -> IceServers {
    let mut config = IceServersConfig {
        stun: vec!["stun:stun.example.org:3478".into()],
        turn: vec![
            "turn:turn.example.org:3478?transport=udp".into(),
            "turns:turn.example.org:5349".into(),
        ],
        turn_secret: Some(TurnSecret("north".into())),
        ..IceServersConfig::default()
    };
    change(&mut config);
    IceServers::new(config)
}

fn fallback() -> TurnFallback {
    TurnFallback {
        urls: vec!["turn:rented.example.net".into()],
        username: "u".into(),
        credential: "p".into(),
    }
}

#[test]
fn base64_is_rfc_4648s() {
    let table = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ];
    for (plain, encoded) in table {
        assert_eq!(base64(plain.as_bytes()), encoded);
    }
    assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
}

#[test]
fn credentials_are_hmac_sha1() {
    // RFC 2202 §3, cases 2 and 1.
    let jefe = credential(&TurnSecret("Jefe".into()), "what do ya want for nothing?");
    assert_eq!(jefe, "7/zfauXrL6LSdBbV8YTfnCWafHk=");
    let key = String::from_utf8(vec![0x0b; 20]).expect("ASCII");
    assert_eq!(
        credential(&TurnSecret(key), "Hi There"),
        "thcxhlUFcmTii8C2+zeMjvFGvgA="
    );
}

#[test]
fn turn_gets_a_name_with_its_end_and_a_password() {
    let now = Timestamp::from_unix_millis(1_433_895_918_506 - 3_600_000);
    let (list, ends) = servers(|_| ()).for_caller(now, "alice");
    assert_eq!(ends, Timestamp::from_unix_seconds(1_433_895_918));
    let [stun, turn] = list.as_slice() else {
        panic!("{list:?}");
    };
    assert_eq!((&stun.username, &stun.credential), (&None, &None));
    assert_eq!(turn.username.as_deref(), Some("1433895918:alice"));
    let expected = credential(&TurnSecret("north".into()), "1433895918:alice");
    assert_eq!(turn.credential, Some(expected));
    assert_eq!(turn.urls.len(), 2);
}

#[test]
fn nothing_is_handed_out_that_cannot_be_used() {
    let now = Timestamp::from_unix_millis(0);
    let urls = |servers: &IceServers| -> Vec<String> {
        let (list, _) = servers.for_caller(now, "a");
        list.into_iter().flat_map(|server| server.urls).collect()
    };
    let without_secret = servers(|config| config.turn_secret = None);
    assert_eq!(urls(&without_secret), ["stun:stun.example.org:3478"]);
    let relayed = servers(|config| config.relay = Relay::Only);
    assert!(urls(&relayed).iter().all(|url| url.starts_with("turn")));
    let nothing = IceServers::default();
    assert!(urls(&nothing).is_empty());
    let rented = servers(|config| {
        config.fallback = Some(fallback());
    });
    assert!(
        !urls(&rented).contains(&"turn:rented.example.net".to_owned()),
        "while our own are well"
    );
    let alone = servers(|config| {
        config.turn.clear();
        config.fallback = Some(fallback());
    });
    assert_eq!(
        urls(&alone).last().map(String::as_str),
        Some("turn:rented.example.net")
    );
}

#[test]
fn secrets_are_not_shown() {
    let servers = servers(|config| {
        config.fallback = Some(TurnFallback {
            urls: Vec::new(),
            username: "rented-name".into(),
            credential: "rented-password".into(),
        });
    });
    let shown = format!("{servers:?}");
    assert!(!shown.contains("north") && !shown.contains("rented"), "{shown}");
}

#[test]
fn a_server_that_fails_twice_is_not_handed_out_until_it_relays_again() {
    const UDP: &str = "turn:turn.example.org:3478?transport=udp";
    const TLS: &str = "turns:turn.example.org:5349";
    let servers = servers(|config| config.fallback = Some(fallback()));
    let handed = || -> Vec<String> {
        let (list, _) = servers.for_caller(Timestamp::from_unix_millis(0), "a");
        let relays = list.into_iter().filter(|server| server.credential.is_some());
        relays.flat_map(|server| server.urls).collect()
    };
    let states = || -> Vec<TurnState> { servers.turn().iter().take(2).map(|server| server.state).collect() };
    assert_eq!(states(), [TurnState::Unknown, TurnState::Unknown]);
    assert_eq!(handed(), [UDP, TLS], "nobody is punished before being asked");

    assert_eq!(servers.note_turn(UDP, true), Some(TurnState::Up));
    assert_eq!(servers.note_turn(UDP, false), None, "once may be chance");
    assert_eq!(servers.note_turn(UDP, true), None);
    assert_eq!(servers.note_turn(UDP, false), None);
    assert_eq!(handed(), [UDP, TLS]);
    assert_eq!(servers.note_turn(UDP, false), Some(TurnState::Down));
    assert_eq!(servers.note_turn(UDP, false), None, "told once");
    assert_eq!(handed(), [TLS]);

    assert_eq!(servers.note_turn(TLS, false), None);
    assert_eq!(servers.note_turn(TLS, false), Some(TurnState::Down));
    assert_eq!(states(), [TurnState::Down, TurnState::Down]);
    assert_eq!(handed(), ["turn:rented.example.net"]);
    let everything = servers.everything_for(Timestamp::from_unix_millis(0), "a");
    assert_eq!(everything.len(), 2, "whoever looks for faults sees all");

    assert_eq!(servers.note_turn(TLS, true), Some(TurnState::Up));
    assert_eq!(handed(), [TLS]);
    assert_eq!(servers.note_turn("turn:unknown", true), None);
}

#[test]
fn a_server_that_was_never_reached_from_here_is_handed_out_all_the_same() {
    const UDP: &str = "turn:turn.example.org:3478?transport=udp";
    let servers = servers(|config| config.fallback = Some(fallback()));
    for _ in 0..5 {
        assert_eq!(servers.note_unreachable(UDP), None);
    }
    assert_eq!(
        servers.turn().first().map(|server| server.state),
        Some(TurnState::Unknown)
    );
    servers.note_turn(UDP, true);
    assert_eq!(servers.note_unreachable(UDP), None, "once may be chance");
    assert_eq!(
        servers.note_unreachable(UDP),
        Some(TurnState::Down),
        "it could be reached before"
    );
}

#[test]
fn without_a_rented_server_the_own_ones_are_handed_out_in_any_case() {
    let servers = servers(|config| config.turn.truncate(1));
    let url = "turn:turn.example.org:3478?transport=udp";
    servers.note_turn(url, false);
    servers.note_turn(url, false);
    let (list, _) = servers.for_caller(Timestamp::from_unix_millis(0), "a");
    assert_eq!(
        list.last().map(|server| server.urls.as_slice()),
        Some(&[url.to_owned()][..])
    );
}

#[test]
fn a_rented_server_is_handed_out_only_while_it_is_turned_on() {
    let servers = servers(|config| {
        config.turn.clear();
        config.fallback = Some(fallback());
    });
    let handed_out = || servers.for_caller(Timestamp::from_unix_millis(0), "a").0.len();
    for (used, expected) in [(true, 2), (false, 1), (true, 2)] {
        servers.use_fallback(used);
        assert_eq!(handed_out(), expected);
    }
    let [rented] = &servers.turn()[..] else {
        panic!("{:?}", servers.turn());
    };
    assert_eq!(
        (rented.url.as_str(), rented.state),
        ("turn:rented.example.net", TurnState::Unknown)
    );
}
