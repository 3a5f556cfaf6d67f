//! Shares, lists and what outweighs what.

use signalling::Timestamp;

use super::*;

fn conversation(number: u64) -> ConversationId {
    ConversationId::mint(Timestamp::from_unix_millis(1_700_000_000_000), number)
}

fn flags(change: impl FnOnce(&mut FlagsConfig)) -> Flags {
    let mut config = FlagsConfig::default();
    change(&mut config);
    Flags::new(config)
}

#[test]
fn only_what_is_built_is_on() {
    let flags = Flags::default();
    for flag in Flag::ALL {
        assert_eq!(flags.is_on(*flag), flag.is_built(), "{flag:?}");
        assert_eq!(flags.by_name().get(flag.name()), Some(&flag.is_built()));
        assert_eq!(flag.setting(), format!("FEATURE_{}", flag.name().to_uppercase()));
    }
    assert_eq!(flags.by_name().len(), Flag::ALL.len());
}

#[test]
fn a_share_of_conversations_is_about_that_share_and_grows_with_it() {
    let mut before = BTreeSet::new();
    for percent in [0, 10, 25, 50, 100] {
        let flags = flags(|config| config.sfu_percent = percent);
        let chosen: BTreeSet<u64> = (0..10_000_u64)
            .filter(|number| flags.sfu_for(&conversation(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
            .collect();
        let expected = usize::from(percent) * 100;
        assert!(
            chosen.len().abs_diff(expected) <= 150,
            "{percent} %: {}",
            chosen.len()
        );
        assert!(before.is_subset(&chosen), "nobody loses it when the share grows");
        before = chosen;
    }
}

#[test]
fn listed_conversations_have_it_unless_it_is_off() {
    let listed = conversation(1);
    let change = |config: &mut FlagsConfig| {
        config.sfu_percent = 0;
        config.sfu_conversations.insert(listed);
    };
    let flags = flags(change);
    assert!(flags.sfu_for(&listed));
    assert!(!flags.sfu_for(&conversation(2)));
    let mut off = FlagsConfig::default();
    change(&mut off);
    off.on.remove(&Flag::Sfu);
    flags.set(off);
    assert!(!flags.sfu_for(&listed));
}

#[test]
fn the_bucket_is_the_same_for_ever() {
    let id: ConversationId = "65a1b2c3d4e5f60718293a4b".parse().expect("an id");
    assert_eq!(bucket(&id), BUCKET_OF_THE_EXAMPLE);
}

/// Written down once: another value would move conversations between shares at an update.
const BUCKET_OF_THE_EXAMPLE: u8 = 98;

#[test]
fn what_is_stored_outweighs_settings_and_what_is_not_is_left_to_them() {
    let listed = conversation(1);
    let flags = flags(|config| {
        config.sfu_percent = 50;
        config.on.remove(&Flag::ScreenShare);
    });
    let stored = Stored {
        on: BTreeMap::from([(Flag::Sfu, false), (Flag::ScreenShare, true)]),
        sfu_percent: Some(0),
        sfu_conversations: Some(BTreeSet::from([listed])),
    };
    assert_eq!(flags.outweigh(stored.clone()), Changed::Yes);
    assert_eq!(flags.outweigh(stored.clone()), Changed::No);
    assert!(!flags.is_on(Flag::Sfu) && flags.is_on(Flag::ScreenShare));
    assert!(flags.is_on(Flag::VideoCalls), "nobody stored anything about it");
    let shown = flags.shown();
    assert_eq!((shown.sfu_percent, shown.sfu_conversations), (0, vec![listed]));
    let source = |name: &str| shown.flags.get(name).map(|flag| flag.source);
    assert_eq!(source("sfu"), Some(FlagSource::Stored));
    assert_eq!(source("video_calls"), Some(FlagSource::Setting));
    // Other settings change nothing of it.
    flags.set(FlagsConfig::default());
    assert!(!flags.is_on(Flag::Sfu));
    let without_sfu = Stored {
        on: BTreeMap::new(),
        ..stored
    };
    assert_eq!(flags.outweigh(without_sfu), Changed::Yes);
    assert!(flags.sfu_for(&listed) && !flags.sfu_for(&conversation(2)));
    assert_eq!(flags.outweigh(Stored::default()), Changed::Yes);
    assert!(flags.sfu_for(&conversation(2)));
}

#[test]
fn what_says_the_same_as_the_setting_is_still_a_change_of_who_says_it() {
    let flags = Flags::default();
    let same = Stored {
        on: BTreeMap::from([(Flag::Sfu, true)]),
        ..Stored::default()
    };
    assert_eq!(flags.outweigh(same), Changed::Yes);
    assert_eq!(flags.shown().flags["sfu"].source, FlagSource::Stored);
}
