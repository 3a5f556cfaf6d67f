use super::*;

fn id(profile: Profile, level: Level) -> Option<ProfileLevelId> {
    Some(ProfileLevelId { profile, level })
}

#[test]
fn profiles_and_levels_are_recognised() {
    let rows = [
        ("42e01f", id(Profile::ConstrainedBaseline, Level::L3_1)),
        ("42E01F", id(Profile::ConstrainedBaseline, Level::L3_1)),
        ("42c01f", id(Profile::ConstrainedBaseline, Level::L3_1)),
        ("4de01f", id(Profile::ConstrainedBaseline, Level::L3_1)),
        ("58f01f", id(Profile::ConstrainedBaseline, Level::L3_1)),
        ("42801f", id(Profile::Baseline, Level::L3_1)),
        ("42001f", id(Profile::Baseline, Level::L3_1)),
        ("58a01f", id(Profile::Baseline, Level::L3_1)),
        ("4d401f", id(Profile::Main, Level::L3_1)),
        ("4d001f", id(Profile::Main, Level::L3_1)),
        ("64001f", id(Profile::High, Level::L3_1)),
        ("640c1f", id(Profile::ConstrainedHigh, Level::L3_1)),
        ("f4001f", id(Profile::PredictiveHigh444, Level::L3_1)),
        ("42e00a", id(Profile::ConstrainedBaseline, Level::of_idc(10))),
        ("42e034", id(Profile::ConstrainedBaseline, Level::of_idc(52))),
        ("42e00b", id(Profile::ConstrainedBaseline, Level::of_idc(11))),
        ("42f00b", id(Profile::ConstrainedBaseline, Level::L1B)),
        ("42900b", id(Profile::Baseline, Level::L1B)),
        ("4d100b", id(Profile::Main, Level::L1B)),
        // Levels, profiles and constraint bits that no table has.
        ("42e01d", None),
        ("42e000", None),
        ("000000", None),
        ("53001f", None),
        ("42e11f", None),
        ("64081f", None),
        ("f40c1f", None),
        // Other texts.
        ("42e01", None),
        ("42e01f0", None),
        ("42e01g", None),
        ("+2e01f", None),
        ("42e0\u{e9}", None),
        ("", None),
    ];
    for (text, expected) in rows {
        assert_eq!(ProfileLevelId::parse(text), expected, "{text:?}");
    }
}

#[test]
fn spelling_is_canonical() {
    let canonical = [
        "42e01f", "42000a", "4d0028", "640033", "640c2a", "f40034", "42f00b", "42100b", "4d100b", "42e00b",
    ];
    for text in canonical {
        let read = ProfileLevelId::parse(text).expect("a known profile and level");
        assert_eq!(read.spell().as_deref(), Some(text));
    }
    let read = ProfileLevelId::parse("42c01f").expect("a known profile and level");
    assert_eq!(read.spell().as_deref(), Some("42e01f"));
    let impossible = ProfileLevelId {
        profile: Profile::High,
        level: Level::L1B,
    };
    assert_eq!(impossible.spell(), None);
}

#[test]
fn levels_are_ordered_with_1b_between_1_and_1_1() {
    let [one, one_b, one_one] = [Level::of_idc(10), Level::L1B, Level::of_idc(11)];
    assert!(one < one_b && one_b < one_one && one_one < Level::L3_1);
    assert!(Level::KNOWN.is_sorted());
}

fn parameters(entries: &[(&str, &str)]) -> Parameters {
    let value = |text: &str| {
        text.parse::<u32>()
            .map_or_else(|_| text.into(), ParameterValue::from)
    };
    entries
        .iter()
        .map(|(name, text)| ((*name).to_owned(), value(text)))
        .collect()
}

#[test]
fn answers_follow_mode_profile_and_asymmetry() {
    const PM: &str = "packetization-mode";
    const ID: &str = "profile-level-id";
    const ASYM: &str = "level-asymmetry-allowed";
    type Entries<'a> = &'a [(&'a str, &'a str)];
    let answered = |text: &str| Some(Some(text.to_owned()));
    let rows: [(Entries<'_>, Entries<'_>, Option<Option<String>>); 16] = [
        // Nothing stated on either side: the default profile, and nothing to state.
        (&[], &[], Some(None)),
        (&[(PM, "0")], &[], Some(None)),
        (&[(PM, "1")], &[(PM, "1")], Some(None)),
        // The mode must be equal, absent is 0.
        (&[(PM, "1")], &[], None),
        (&[(PM, "1"), (ID, "42e01f")], &[(PM, "0"), (ID, "42e01f")], None),
        // One side stated: the other has the default.
        (&[(ID, "42e01f")], &[], answered("42e01f")),
        (&[], &[(ID, "42e00a")], answered("42e00a")),
        (&[], &[(ID, "64001f")], None),
        // The profile must be equal, however it is spelled.
        (&[(ID, "42e01f")], &[(ID, "42001f")], None),
        (&[(ID, "42c01f")], &[(ID, "4de01f")], answered("42e01f")),
        // Without asymmetry the lower level counts, with it each side's own.
        (&[(ID, "42e034")], &[(ID, "42e01f")], answered("42e01f")),
        (&[(ID, "42e01f")], &[(ID, "42e034")], answered("42e01f")),
        (
            &[(ID, "42e034"), (ASYM, "1")],
            &[(ID, "42e01f")],
            answered("42e01f"),
        ),
        (
            &[(ID, "42e034"), (ASYM, "1")],
            &[(ID, "42e01f"), (ASYM, "1")],
            answered("42e034"),
        ),
        (
            &[(ID, "42e01f"), (ASYM, "1")],
            &[(ID, "42e034"), (ASYM, "0")],
            answered("42e01f"),
        ),
        // An unknown profile matches nothing, not even itself.
        (&[(ID, "bogus!")], &[(ID, "bogus!")], None),
    ];
    for (own, offered, expected) in rows {
        let answer = answer(&parameters(own), &parameters(offered)).map(|answer| answer.profile_level_id);
        assert_eq!(answer, expected, "{own:?} answering {offered:?}");
    }
}

#[test]
fn level_1b_is_lower_than_1_1_whichever_side_has_it() {
    let (one_b, two) = (
        parameters(&[("profile-level-id", "42f00b")]),
        parameters(&[("profile-level-id", "42e014")]),
    );
    for (own, offered) in [(&one_b, &two), (&two, &one_b)] {
        let answer = answer(own, offered).expect("one profile");
        assert_eq!(answer.profile_level_id.as_deref(), Some("42f00b"));
    }
}

#[test]
fn numbers_and_digits_mean_the_same() {
    let text = Parameters::from([
        ("packetization-mode".to_owned(), "1".into()),
        ("level-asymmetry-allowed".to_owned(), "1".into()),
        ("profile-level-id".to_owned(), "420029".into()),
    ]);
    let number = Parameters::from([
        ("packetization-mode".to_owned(), 1.into()),
        ("level-asymmetry-allowed".to_owned(), 1.into()),
        // What a client's SDP parser makes of six digits.
        ("profile-level-id".to_owned(), 420_029.into()),
    ]);
    for (own, offered) in [(&text, &number), (&number, &text), (&number, &number)] {
        let answer = answer(own, offered).expect("they are the same");
        assert_eq!(answer.profile_level_id.as_deref(), Some("420029"));
    }
}
