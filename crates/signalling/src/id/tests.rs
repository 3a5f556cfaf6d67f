use proptest::prelude::*;

use super::*;

#[test]
fn names_are_short_and_plain() {
    let longest = "x".repeat(MAX_NAME);
    for good in [
        "a",
        "0",
        "daily-standup",
        "A_b-9",
        "507f1f77bcf86cd799439011",
        longest.as_str(),
    ] {
        assert_eq!(
            good.parse::<CallId>().map(|id| id.to_string()),
            Ok(good.to_owned())
        );
        assert_eq!(
            good.parse::<ParticipantId>().map(|id| id.to_string()),
            Ok(good.to_owned())
        );
    }
    let too_long = "x".repeat(MAX_NAME + 1);
    for bad in [
        "",
        " ",
        "a b",
        "a/b",
        "../x",
        "caf\u{e9}",
        "a.b",
        "a\n",
        "a\0",
        too_long.as_str(),
    ] {
        assert_eq!(bad.parse::<CallId>(), Err(IdError::Name), "{bad:?}");
        assert!(
            serde_json::from_value::<ParticipantId>(bad.into()).is_err(),
            "{bad:?}"
        );
    }
}

#[test]
fn ids_are_strings_in_json() {
    let call: CallId = serde_json::from_str("\"daily\"").expect("a name");
    assert_eq!(serde_json::to_string(&call).expect("written"), "\"daily\"");
    for bad in ["7", "null", "[]", "{}"] {
        assert!(serde_json::from_str::<CallId>(bad).is_err());
        assert!(serde_json::from_str::<ProducerId>(bad).is_err());
    }
    let text = "\"2f1e7f0c-3b1a-4d5e-9c56-0a1b2c3d4e5f\"";
    let producer: ProducerId = serde_json::from_str(text).expect("a UUID");
    assert_eq!(serde_json::to_string(&producer).expect("written"), text);
    assert_eq!("not-a-uuid".parse::<TransportId>(), Err(IdError::Uuid));
}

#[test]
fn refusals_say_which_id_is_meant() {
    let error = serde_json::from_str::<CallId>("\"a b\"")
        .expect_err("a space is not allowed")
        .to_string();
    assert!(error.starts_with("CallId must be 1 to 64 letters"), "{error}");
    let error = serde_json::from_str::<ConsumerId>("\"x\"")
        .expect_err("no UUID")
        .to_string();
    assert!(error.starts_with("ConsumerId must be a UUID"), "{error}");
}

#[test]
fn random_ids_differ() {
    assert_ne!(RouterId::random(), RouterId::random());
}

proptest! {
    #[test]
    fn any_text_is_a_name_or_refused(text in "\\PC{0,70}") {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let good = plain && (1..=64).contains(&text.len());
        prop_assert_eq!(text.parse::<CallId>().is_ok(), good);
    }

    #[test]
    fn uuids_survive_writing(bits: u128) {
        let id = ConsumerId::from(Uuid::from_u128(bits));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.uuid().as_u128(), bits);
    }
}
