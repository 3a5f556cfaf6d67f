//! Rules about single files: length, name, words that stay in their folder, `unsafe`.

use super::{Source, Violation};

/// A file that takes longer to read than this is two files.
const MOST_LINES: usize = 600;

/// Names that say nothing about what the file holds.
const EMPTY_NAMES: [&str; 8] = [
    "util", "utils", "common", "helper", "helpers", "manager", "misc", "stuff",
];

/// Whether a file name is that of a source file these rules are about.
pub(crate) fn is_source(name: &str) -> bool {
    [".rs", ".ts", ".tsx"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

/// No file over the budget, tests included.
pub(crate) fn too_long(source: &Source) -> Option<Violation> {
    let lines = source.text.lines().count();
    let message = format!("{lines} lines, {MOST_LINES} at most: split it");
    (lines > MOST_LINES).then(|| Violation::new(source.path.clone(), message))
}

/// No module, file or folder that is a drawer for odds and ends.
pub(crate) fn bad_name(source: &Source) -> Option<Violation> {
    let in_path = source
        .path
        .split('/')
        .map(|part| part.split('.').next().unwrap_or(part));
    let declared = source.text.lines().filter_map(declared_module);
    let name = in_path
        .chain(declared)
        .find(|name| EMPTY_NAMES.contains(&name.to_lowercase().as_str()))?;
    let message = format!("`{name}` does not say what it holds: name the thing");
    Some(Violation::new(source.path.clone(), message))
}

/// The name in `mod name {` or `pub mod name;`.
fn declared_module(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line
        .strip_prefix("pub(crate) ")
        .or_else(|| line.strip_prefix("pub "))
        .unwrap_or(line);
    let rest = line.strip_prefix("mod ")?;
    let end = rest.find(|character: char| !character.is_alphanumeric() && character != '_')?;
    Some(&rest[..end])
}

/// A word that may occur only in some of the files below a folder.
struct Fence {
    word: &'static str,
    below: &'static str,
    /// Paths, or folders with a closing slash.
    allowed: &'static [&'static str],
    scope: Scope,
    why: &'static str,
}

/// Which files a fence is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// What we ship; tests and benches have peers of their own.
    Shipped,
    TestsToo,
}

const FENCES: &[Fence] = &[
    Fence {
        word: "tokio",
        below: "crates/media-node/src/worker",
        allowed: &[],
        scope: Scope::Shipped,
        why: "a worker thread has its own loop and waits with mio",
    },
    Fence {
        word: "mio",
        below: "crates/media-node/src/",
        allowed: &["crates/media-node/src/worker.rs", "crates/media-node/src/worker/"],
        scope: Scope::Shipped,
        why: "only worker threads wait on sockets themselves",
    },
    Fence {
        word: "quinn_udp",
        below: "crates/",
        allowed: &[
            "crates/media-node/src/worker/udp.rs",
            "crates/loadgen/src/wire.rs",
        ],
        scope: Scope::Shipped,
        why: "batched UDP is one file of each program",
    },
    Fence {
        word: "libc",
        below: "crates/",
        allowed: &[
            "crates/media-node/src/worker/udp.rs",
            "crates/media-node/src/worker/send.rs",
            "crates/media-node/src/worker/send/",
        ],
        scope: Scope::Shipped,
        why: "system calls of our own are one file",
    },
    Fence {
        word: "unsafe",
        below: "",
        allowed: &[
            "crates/media-node/src/worker/udp.rs",
            "crates/media-node/src/worker/send.rs",
            // A counting allocator cannot be written without it.
            "crates/link/tests/allocation.rs",
            "crates/media-node/benches/forward/machine.rs",
            // What the worker is compared with makes its own system calls.
            "crates/media-node/benches/forward/floor/calls.rs",
            "crates/sfu/tests/no_alloc.rs",
            "crates/media-node/tests/worker_no_alloc.rs",
        ],
        scope: Scope::TestsToo,
        why: "unsafe code is one file",
    },
    Fence {
        word: "dimpl",
        below: "crates/",
        allowed: &[
            "crates/link/src/dtls.rs",
            "crates/link/src/dtls/",
            "crates/link/src/certificate.rs",
            "crates/link/src/certificate/",
            "crates/loadgen/src/dtls.rs",
            "crates/loadgen/src/dtls/",
        ],
        scope: Scope::Shipped,
        why: "the DTLS library changes often and must be replaceable",
    },
    Fence {
        word: "aws_lc_rs",
        below: "crates/",
        allowed: &[
            "crates/link/",
            "crates/store/src/seal.rs",
            "crates/store/src/secret.rs",
            "crates/gateway/src/ice_servers.rs",
            "crates/gateway/src/refusals.rs",
            "crates/loadgen/",
            // Which library does the cryptography of TLS.
            "crates/edge/src/tls.rs",
            // A client's signatures.
            "crates/turn-check/src/message.rs",
        ],
        scope: Scope::Shipped,
        why: "keys are the link's business, the store's for what it seals, and the load tester's, which shares no code with the link",
    },
    Fence {
        word: "tokio",
        below: "crates/gateway/src/call/",
        allowed: &[],
        scope: Scope::Shipped,
        why: "call state is pure",
    },
];

/// Words that may not leave their folder. Comments and strings are not searched.
pub(crate) fn word_out_of_place(source: &Source) -> Vec<Violation> {
    let fences: Vec<&Fence> = FENCES
        .iter()
        .filter(|fence| fence.applies_to(&source.path))
        .collect();
    if fences.is_empty() || !source.path.ends_with(".rs") {
        return Vec::new();
    }
    let code = code_only(&source.text);
    let misplaced = |fence: &&Fence| {
        let line = code.lines().position(|line| has_word(line, fence.word))? + 1;
        let subject = format!("{}:{line}", source.path);
        Some(Violation::new(
            subject,
            format!("`{}` does not belong here: {}", fence.word, fence.why),
        ))
    };
    fences.iter().filter_map(misplaced).collect()
}

impl Fence {
    fn applies_to(&self, path: &str) -> bool {
        let allowed = |place: &&str| path == *place || (place.ends_with('/') && path.starts_with(*place));
        let shipped = !path.contains("/tests/") && !path.contains("/benches/");
        let in_scope = shipped || self.scope == Scope::TestsToo;
        in_scope && path.starts_with(self.below) && !self.allowed.iter().any(allowed)
    }
}

/// The text with line comments and strings blanked out, line for line. Raw strings end at their first quote and block
/// comments are kept, which is near enough for a search.
fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut place = Place::Code;
    while let Some(character) = characters.next() {
        place = match (place, character) {
            (Place::Code, '"') => Place::Text,
            (Place::Code, '/') if characters.peek() == Some(&'/') => Place::Comment,
            (Place::Code, '\'') => {
                // A quote as a character would otherwise open a string.
                let quoted: String = characters.clone().take(2).collect();
                if quoted == "\"'" {
                    characters.next();
                }
                Place::Code
            }
            (Place::Text, '\\') => {
                if characters.next() == Some('\n') {
                    code.push('\n');
                }
                Place::Text
            }
            (Place::Text, '"') | (Place::Comment, '\n') => Place::Code,
            (place, _) => place,
        };
        if place == Place::Code || character == '\n' {
            code.push(character);
        }
    }
    code
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Code,
    Text,
    Comment,
}

/// Whether `word` stands in `line` as a whole identifier.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|found| found == word)
}

/// Every crate but the media node forbids `unsafe` for good, so that no inner `allow` can bring it back.
pub(crate) fn unsafe_not_forbidden(source: &Source) -> Option<Violation> {
    let mut parts = source.path.split('/');
    let (Some("crates"), Some(package), Some("src"), Some("lib.rs" | "main.rs"), None) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    if package == "media-node" || source.text.contains("#![forbid(unsafe_code)]") {
        return None;
    }
    Some(Violation::new(
        source.path.clone(),
        "must begin with #![forbid(unsafe_code)]",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
        }
    }

    #[test]
    fn the_budget_is_six_hundred_lines() {
        assert!(too_long(&source("a.rs", &"\n".repeat(600))).is_none());
        assert!(too_long(&source("a.rs", &"\n".repeat(601))).is_some());
        assert!(is_source("call.tsx") && is_source("lib.rs") && !is_source("notes.md"));
    }

    #[test]
    fn drawers_for_odds_and_ends_are_refused() {
        for path in [
            "crates/rtp/src/util.rs",
            "web/src/helpers/x.ts",
            "crates/sfu/src/manager/mod.rs",
        ] {
            assert!(bad_name(&source(path, "")).is_some(), "{path}");
        }
        assert!(bad_name(&source("crates/rtp/src/lib.rs", "pub mod common;\n")).is_some());
        assert!(bad_name(&source("crates/rtp/src/lib.rs", "    mod utils {\n")).is_some());
        for path in ["crates/rtp/src/utility_curve.rs", "web/src/ui/Tile.tsx"] {
            assert!(
                bad_name(&source(path, "mod commonplace;\nlet helpers = 1;")).is_none(),
                "{path}"
            );
        }
    }

    #[test]
    fn words_stay_in_their_folder() {
        let worker = "crates/media-node/src/worker/thread.rs";
        let named = |path, text| word_out_of_place(&source(path, text)).len();
        assert_eq!(named(worker, "use tokio::sync::mpsc;"), 1);
        assert_eq!(named("crates/media-node/src/worker.rs", "tokio::spawn(x);"), 1);
        assert_eq!(
            named("crates/media-node/src/api/rest.rs", "use tokio::sync::mpsc;"),
            0
        );
        assert_eq!(
            named(worker, "// unlike tokio\nlet tokio_free = \"no tokio\";"),
            0
        );
        assert_eq!(named("crates/link/src/link.rs", "use dimpl::Dtls;"), 1);
        assert_eq!(named("crates/link/src/dtls.rs", "use dimpl::Dtls;"), 0);
        assert_eq!(named("crates/media-node/src/worker/tcp.rs", "unsafe { x() }"), 1);
        assert_eq!(named("crates/media-node/src/worker/udp.rs", "unsafe { x() }"), 0);
        assert_eq!(named("crates/rtp/src/lib.rs", "#![forbid(unsafe_code)]"), 0);
        assert_eq!(named("crates/media-node/tests/peer.rs", "use dimpl::Dtls;"), 0);
        assert_eq!(named("crates/media-node/tests/peer.rs", "unsafe { x() }"), 1);
    }

    #[test]
    fn strings_and_comments_are_not_code() {
        let text = "a // unsafe \"\nlet b = \"x \\\" \\\n 'unsafe' \\\n y\"; c\nlet q = '\"'; unsafe";
        let code = code_only(text);
        let lines: Vec<&str> = code.lines().collect();
        assert_eq!(lines.len(), text.lines().count());
        assert!(
            lines[..4].iter().all(|line| !has_word(line, "unsafe")),
            "{lines:?}"
        );
        assert!(has_word(lines[4], "unsafe") && has_word(lines[3], "c") && has_word(lines[0], "a"));
    }

    #[test]
    fn the_line_of_a_misplaced_word_is_named() {
        let found = word_out_of_place(&source("crates/sfu/src/worker.rs", "\n\nunsafe fn x() {}\n"));
        assert_eq!(found[0].subject, "crates/sfu/src/worker.rs:3");
    }

    #[test]
    fn crate_roots_forbid_unsafe() {
        assert!(unsafe_not_forbidden(&source("crates/rtp/src/lib.rs", "")).is_some());
        assert!(unsafe_not_forbidden(&source("crates/rtp/src/lib.rs", "#![forbid(unsafe_code)]")).is_none());
        assert!(unsafe_not_forbidden(&source("crates/media-node/src/lib.rs", "")).is_none());
        assert!(unsafe_not_forbidden(&source("crates/rtp/src/ext/lib.rs", "")).is_none());
    }
}
