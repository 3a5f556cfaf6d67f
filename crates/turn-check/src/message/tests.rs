use super::*;

/// RFC 5769 §2.4: a request with long-term authentication.
const LONG_TERM: [u8; 116] = [
    0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29,
    0xda, 0x41, 0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83, 0xaa, 0xe3,
    0x83, 0x83, 0xe3, 0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00, 0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f,
    0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46,
    0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73, 0x41, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70,
    0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6,
    0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2, 0x8c, 0xa8, 0x96, 0x66,
];
const USER: &str = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";

/// RFC 5769 §2.2: an answer with an IPv4 address, a signature and a fingerprint.
const ANSWER: [u8; 80] = [
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa,
    0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f,
    0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, 0x00, 0x08, 0x00,
    0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53,
    0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
];

#[test]
fn published_messages_are_read_and_their_signatures_hold() {
    let message = Message::parse(&LONG_TERM).expect("it is one");
    assert_eq!(message.kind(), kind::BINDING);
    assert_eq!(message.text(attribute::USERNAME), Some(USER));
    assert_eq!(message.text(attribute::REALM), Some("example.org"));
    assert!(message.is_signed_by(&Key::long_term(USER, "example.org", "TheMatrIX")));
    assert!(!message.is_signed_by(&Key::long_term(USER, "example.org", "TheMatrix")));

    let answer = Message::parse(&ANSWER).expect("it is one");
    assert_eq!(answer.kind(), kind::BINDING | kind::SUCCESS);
    assert_eq!(
        answer.address(attribute::XOR_MAPPED_ADDRESS),
        "192.0.2.1:32853".parse().ok()
    );
    assert!(answer.is_signed_by(&Key::short_term("VOkJxbRl1RmTxUk/WvJxBt")));
}

#[test]
fn a_published_message_is_built_byte_for_byte() {
    let id = Message::parse(&LONG_TERM).expect("it is one").id();
    let built = Builder::new(kind::BINDING, id)
        .with(attribute::USERNAME, USER.as_bytes())
        .with(attribute::NONCE, b"f//499k954d6OL34oL9FSTvy64sA")
        .with(attribute::REALM, b"example.org")
        .signed(&Key::long_term(USER, "example.org", "TheMatrIX"));
    assert_eq!(built.bytes(), LONG_TERM);
}

#[test]
fn fingerprints_are_those_of_the_standard() {
    let unfinished = Builder(ANSWER[..ANSWER.len() - 8].to_vec());
    assert_eq!(unfinished.fingerprinted().bytes(), ANSWER);
}

#[test]
fn addresses_come_back() {
    for text in ["192.0.2.1:3478", "[2001:db8::7]:65535"] {
        let address: SocketAddr = text.parse().expect("an address");
        let bytes = Builder::new(kind::SEND, TransactionId::random())
            .with_address(attribute::XOR_PEER_ADDRESS, address)
            .bytes();
        let message = Message::parse(&bytes).expect("it is one");
        assert_eq!(message.address(attribute::XOR_PEER_ADDRESS), Some(address));
    }
}

#[test]
fn refusals_have_a_code_and_words() {
    let bytes = Builder::new(kind::ALLOCATE | kind::ERROR, TransactionId::random())
        .with(attribute::ERROR_CODE, b"\0\0\x04\x56Allocation\n Quota Reached")
        .bytes();
    let message = Message::parse(&bytes).expect("it is one");
    assert_eq!(
        message.error(),
        Some((486, "Allocation Quota Reached".to_owned()))
    );
}

#[test]
fn whatever_arrives_is_read_or_refused() {
    // Every beginning of a message, and every message with one byte changed.
    for message in [&LONG_TERM[..], &ANSWER[..]] {
        for end in 0..message.len() {
            assert!(Message::parse(&message[..end]).is_none(), "{end} bytes");
        }
        for at in 0..message.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = message.to_vec();
                bytes[at] = value;
                let Some(message) = Message::parse(&bytes) else {
                    continue;
                };
                let _ = (message.error(), message.text(attribute::REALM));
                let _ = message.address(attribute::XOR_MAPPED_ADDRESS);
                let _ = message.is_signed_by(&Key::short_term("x"));
            }
        }
    }
    // Attributes too short for what they are.
    for length in 0..8 {
        let value = vec![1; length];
        let bytes = Builder::new(kind::ALLOCATE | kind::ERROR, TransactionId::random())
            .with(attribute::ERROR_CODE, &value)
            .with(attribute::XOR_RELAYED_ADDRESS, &value)
            .bytes();
        let message = Message::parse(&bytes).expect("it is one");
        assert_eq!(message.error().is_some(), length >= 4, "{length}");
        assert_eq!(message.address(attribute::XOR_RELAYED_ADDRESS), None, "{length}");
    }
}
