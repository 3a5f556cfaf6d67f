//! A room's name as people type it, to the id of the call in it.

use std::hash::{DefaultHasher, Hash, Hasher};

use signalling::CallId;
use signalling::id::MAX_NAME;
use signalling::lobby::Text;

/// What is left of a name when its mark is appended.
const MARK: usize = 17;

/// The call in the room of this name. Case and the kind and number of separators do not matter, so that a name said
/// aloud leads to the same room; any other difference does.
pub(crate) fn call_of(room: &Text) -> CallId {
    let name = room.as_str().to_lowercase();
    let words: Vec<&str> = name.split(is_separator).filter(|word| !word.is_empty()).collect();
    let plain = words
        .iter()
        .all(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let mut slug = words.join("-");
    if !plain || slug.is_empty() || slug.len() > MAX_NAME {
        // The id's alphabet cannot hold the name: what it can hold is kept for the eye, a mark tells names apart.
        slug = marked(&words, room);
    }
    slug.parse().expect("a slug has the alphabet and length of an id")
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '_')
}

fn marked(words: &[&str], room: &Text) -> String {
    let kept = |word: &&str| {
        word.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
    };
    let kept: Vec<String> = words.iter().map(kept).filter(|word| !word.is_empty()).collect();
    let mut slug = kept.join("-");
    slug.truncate(MAX_NAME - MARK);
    let mut hasher = DefaultHasher::new();
    if words.is_empty() {
        room.as_str().hash(&mut hasher)
    } else {
        words.hash(&mut hasher)
    }
    if slug.is_empty() {
        slug.push_str("room");
    }
    // Stable for the life of a process, which is as long as rooms live.
    format!("{slug}-{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(name: &str) -> String {
        call_of(&Text::new(name).expect("a name")).to_string()
    }

    #[test]
    fn names_that_sound_the_same_are_the_same_room() {
        for name in [
            "Team Standup",
            "team-standup",
            " TEAM   standup ",
            "team_standup",
            "team - standup",
        ] {
            assert_eq!(slug(name), "team-standup", "{name}");
        }
    }

    #[test]
    fn names_beyond_the_alphabet_stay_apart() {
        let names = [
            "Café", "Caf", "Cafè", "会議", "会议", "🎉", "🎈", "a/b", "a.b", "ab", "-", "_",
        ];
        let slugs: std::collections::BTreeSet<String> = names.iter().map(|name| slug(name)).collect();
        assert_eq!(slugs.len(), names.len(), "{slugs:?}");
        assert!(slug("Café au lait").starts_with("caf-au-lait-"));
        assert_eq!(slug("CAFÉ"), slug("café"));
    }

    #[test]
    fn the_longest_names_fit() {
        for name in [
            "a".repeat(64),
            "会".repeat(64),
            "ab ".repeat(21) + "c",
            "ß".repeat(64),
        ] {
            assert!(slug(&name).len() <= MAX_NAME, "{name}");
        }
    }
}
