use proptest::prelude::*;

use super::*;

/// RFC 5769 §2.1, password `VOkJxbRl1RmTxUk/WvJxBt`.
const SAMPLE_REQUEST: &[u8] =
    b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
    \x80\x22\x00\x10STUN test client\
    \x00\x24\x00\x04\x6e\x00\x01\xff\
    \x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
    \x00\x06\x00\x09evtj:h6vY   \
    \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
    \x80\x28\x00\x04\xe5\x7a\x3b\xcf";

/// RFC 5769 §2.2
const SAMPLE_IPV4_RESPONSE: &[u8] =
    b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
    \x80\x22\x00\x0btest vector \
    \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
    \x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
    \x80\x28\x00\x04\xc0\x7d\x4c\x96";

/// RFC 5769 §2.3
const SAMPLE_IPV6_RESPONSE: &[u8] =
    b"\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
    \x80\x22\x00\x0btest vector \
    \x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9\
    \x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41\
    \x80\x28\x00\x04\xc8\xfb\x0b\x4c";

const TRANSACTION: TransactionId = TransactionId([
    0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
]);

fn sample_key() -> IntegrityKey {
    IntegrityKey::new("VOkJxbRl1RmTxUk/WvJxBt")
}

#[test]
fn rfc_5769_request() {
    let message = Message::parse(SAMPLE_REQUEST).expect("valid");
    assert_eq!(message.class, Class::Request);
    assert_eq!(message.transaction, TRANSACTION);
    assert_eq!(message.username, Some("evtj:h6vY"));
    assert_eq!(message.local_ufrag(), Some("evtj"));
    assert_eq!(message.priority, Some(0x6e00_01ff));
    assert_eq!(message.role, Some(Role::Controlled(0x932f_f9b1_5126_3b36)));
    assert!(message.fingerprint && !message.use_candidate);
    assert!(
        message.unknown.as_slice().is_empty(),
        "SOFTWARE is comprehension-optional"
    );
    assert!(message.verify_integrity(&sample_key()));
    assert!(!message.verify_integrity(&IntegrityKey::new("VOkJxbRl1RmTxUk/WvJxBu")));
    assert_eq!(stun_username_local_ufrag(SAMPLE_REQUEST), Some("evtj"));
}

#[test]
fn rfc_5769_responses() {
    for (sample, address) in [
        (SAMPLE_IPV4_RESPONSE, "192.0.2.1:32853"),
        (
            SAMPLE_IPV6_RESPONSE,
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
        ),
    ] {
        let message = Message::parse(sample).expect("valid");
        assert_eq!(message.class, Class::Success);
        assert_eq!(message.mapped_address, Some(address.parse().expect("address")));
        assert!(message.verify_integrity(&sample_key()));
        assert!(message.fingerprint);
        assert_eq!(
            stun_username_local_ufrag(sample),
            None,
            "a response routes nothing"
        );
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for position in 0..SAMPLE_REQUEST.len() * 8 {
        let mut bytes = SAMPLE_REQUEST.to_vec();
        bytes[position / 8] ^= 1 << (position % 8);
        // A hit on the fingerprint's own type leaves a message without one, which nobody has to trust.
        let believed = Message::parse(&bytes).is_ok_and(|message| message.fingerprint);
        assert!(!believed, "bit {position}");
    }
}

#[test]
fn truncated_and_extended_messages_are_refused() {
    for length in 0..SAMPLE_REQUEST.len() {
        assert!(
            Message::parse(&SAMPLE_REQUEST[..length]).is_err(),
            "length {length}"
        );
        let _: Option<&str> = stun_username_local_ufrag(&SAMPLE_REQUEST[..length]);
    }
    let longer = [SAMPLE_REQUEST, &[0; 4]].concat();
    assert_eq!(Message::parse(&longer), Err(StunError::Header));
}

#[test]
fn what_follows_the_integrity_is_ignored_but_the_fingerprint() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, TRANSACTION);
    writer.username("evtj:h6vY");
    let tag = sample_key().sign(&writer.out[writer.start..]);
    writer.attribute(attribute::MESSAGE_INTEGRITY, tag.as_ref());
    writer.use_candidate();
    writer.priority(1);
    writer.attribute(0x7FFF, &[1, 2, 3]);
    writer.finish(None);
    let message = Message::parse(&bytes).expect("valid");
    assert!(message.verify_integrity(&sample_key()));
    assert!(message.fingerprint);
    assert!(
        !message.use_candidate,
        "unauthenticated attributes have no effect"
    );
    assert_eq!(message.priority, None);
    assert!(message.unknown.as_slice().is_empty());
}

#[test]
fn an_attribute_after_the_fingerprint_is_an_error() {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Request, TRANSACTION).finish(None);
    bytes.extend_from_slice(&[0, 0x25, 0, 0]);
    bytes[3] += 4;
    assert_eq!(Message::parse(&bytes), Err(StunError::Fingerprint));
}

#[test]
fn headers_of_other_protocols_are_refused() {
    let patch = |position: usize, value: u8| {
        let mut bytes = SAMPLE_REQUEST.to_vec();
        bytes[position] = value;
        Message::parse(&bytes).err()
    };
    assert_eq!(patch(0, 0x40), Some(StunError::Header), "the first two bits");
    assert_eq!(patch(4, 0x22), Some(StunError::Header), "the cookie");
    assert_eq!(
        patch(3, 0x57),
        Some(StunError::Header),
        "a length not divisible by four"
    );
    assert_eq!(patch(1, 0x03), Some(StunError::Method), "Allocate");
    assert_eq!(patch(0, 0x3E), Some(StunError::Method));
}

#[test]
fn malformed_attributes_are_refused() {
    for (kind, value) in [
        (attribute::PRIORITY, &[1, 2, 3][..]),
        (attribute::ICE_CONTROLLING, &[1, 2, 3, 4]),
        (attribute::XOR_MAPPED_ADDRESS, &[0, 1, 2, 3, 4, 5]),
        (attribute::XOR_MAPPED_ADDRESS, &[0, 2, 2, 3, 4, 5, 6, 7]),
        (attribute::XOR_MAPPED_ADDRESS, &[]),
        (attribute::ERROR_CODE, &[0, 0]),
        (attribute::MESSAGE_INTEGRITY, &[0; 16]),
        (attribute::USERNAME, b"\xff\xfe"),
        (attribute::USERNAME, &[b'a'; MAX_USERNAME + 1]),
        (attribute::FINGERPRINT, &[0; 3]),
    ] {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, TRANSACTION);
        writer.attribute(kind, value);
        writer.set_length(0);
        assert!(
            Message::parse(&bytes).is_err(),
            "attribute {kind:#x} of {} bytes",
            value.len()
        );
    }
}

#[test]
fn unknown_required_attributes_are_reported_up_to_a_bound() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, TRANSACTION);
    for kind in 0x7000..0x7010 {
        writer.attribute(kind, &[]);
    }
    writer.attribute(0xC057, &[0; 4]);
    writer.finish(None);
    let message = Message::parse(&bytes).expect("valid");
    assert_eq!(message.unknown.as_slice(), &[0x7000, 0x7001, 0x7002, 0x7003]);

    let mut answer = Vec::new();
    let mut writer = Writer::new(&mut answer, Class::Error, TRANSACTION);
    writer.error(ErrorCode::UnknownAttribute);
    writer.unknown_attributes(&message.unknown);
    writer.finish(None);
    assert_eq!(Message::parse(&answer).expect("valid").error, Some(420));
    let listed = [0, 0x0A, 0, 8, 0x70, 0, 0x70, 1, 0x70, 2, 0x70, 3];
    assert!(answer.windows(listed.len()).any(|window| window == listed));
}

#[test]
fn a_username_without_a_colon_routes_nothing() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, TRANSACTION);
    writer.username("nocolon");
    writer.finish(None);
    assert_eq!(stun_username_local_ufrag(&bytes), None);
    assert_eq!(Message::parse(&bytes).expect("valid").local_ufrag(), None);
}

/// Everything a message can say, as plain values.
#[derive(Debug, Clone)]
struct Content {
    class: Class,
    transaction: [u8; 12],
    username: Option<String>,
    priority: Option<u32>,
    use_candidate: bool,
    role: Option<Role>,
    nomination: Option<u32>,
    mapped: Option<SocketAddr>,
    error: Option<ErrorCode>,
    password: Option<String>,
}

fn content() -> impl Strategy<Value = Content> {
    let class = prop_oneof![
        Just(Class::Request),
        Just(Class::Indication),
        Just(Class::Success),
        Just(Class::Error)
    ];
    let role = prop_oneof![
        any::<u64>().prop_map(Role::Controlling),
        any::<u64>().prop_map(Role::Controlled)
    ];
    let error = prop_oneof![
        Just(ErrorCode::BadRequest),
        Just(ErrorCode::Unauthenticated),
        Just(ErrorCode::UnknownAttribute),
        Just(ErrorCode::RoleConflict)
    ];
    (
        (
            class,
            any::<[u8; 12]>(),
            proptest::option::of("[a-zA-Z0-9+/]{0,40}:?[ -~é]{0,20}"),
        ),
        (
            any::<Option<u32>>(),
            any::<bool>(),
            proptest::option::of(role),
            any::<Option<u32>>(),
        ),
        (
            any::<Option<SocketAddr>>(),
            proptest::option::of(error),
            proptest::option::of("[a-z]{1,40}"),
        ),
    )
        .prop_map(
            |((class, transaction, username), (priority, use_candidate, role, nomination), rest)| {
                let (mapped, error, password) = rest;
                // Scope and flow label of an IPv6 address do not travel.
                let mapped = mapped.map(|address| SocketAddr::new(address.ip(), address.port()));
                Content {
                    class,
                    transaction,
                    username,
                    priority,
                    use_candidate,
                    role,
                    nomination,
                    mapped,
                    error,
                    password,
                }
            },
        )
}

fn write(content: &Content) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, content.class, TransactionId(content.transaction));
    content
        .username
        .iter()
        .for_each(|username| writer.username(username));
    content
        .priority
        .into_iter()
        .for_each(|priority| writer.priority(priority));
    if content.use_candidate {
        writer.use_candidate();
    }
    content.role.into_iter().for_each(|role| writer.role(role));
    content
        .nomination
        .into_iter()
        .for_each(|nomination| writer.nomination(nomination));
    content
        .mapped
        .into_iter()
        .for_each(|address| writer.mapped_address(address));
    content.error.into_iter().for_each(|error| writer.error(error));
    let key = content.password.as_deref().map(IntegrityKey::new);
    writer.finish(key.as_ref());
    bytes
}

proptest! {
    #[test]
    fn parse_inverts_write(content in content()) {
        let bytes = write(&content);
        let message = Message::parse(&bytes).expect("what we write parses");
        prop_assert_eq!(message.class, content.class);
        prop_assert_eq!(message.transaction, TransactionId(content.transaction));
        prop_assert_eq!(message.username, content.username.as_deref());
        prop_assert_eq!(message.priority, content.priority);
        prop_assert_eq!(message.use_candidate, content.use_candidate);
        prop_assert_eq!(message.role, content.role);
        prop_assert_eq!(message.nomination, content.nomination);
        prop_assert_eq!(message.mapped_address, content.mapped);
        prop_assert_eq!(message.error, content.error.map(ErrorCode::number));
        prop_assert!(message.fingerprint);
        prop_assert_eq!(message.has_integrity(), content.password.is_some());
        if let Some(password) = &content.password {
            prop_assert!(message.verify_integrity(&IntegrityKey::new(password)));
            let other = format!("{password}x");
            prop_assert!(!message.verify_integrity(&IntegrityKey::new(&other)));
        }
        if content.class == Class::Request {
            prop_assert_eq!(stun_username_local_ufrag(&bytes), message.local_ufrag());
        }
    }

    #[test]
    fn the_length_field_is_the_length_written(content in content()) {
        let bytes = write(&content);
        prop_assert_eq!(bytes.len() % 4, 0);
        prop_assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), bytes.len() - 20);
    }
}
