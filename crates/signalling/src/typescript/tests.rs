use super::*;

/// A word of TypeScript that could be a type's name.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn the_text_is_the_same_every_time() {
    assert_eq!(files(), files());
}

#[test]
fn every_file_says_that_it_is_generated() {
    let files = files();
    assert!(files.is_sorted_by(|a, b| a.name < b.name));
    for file in &files {
        assert!(
            file.text.starts_with("// Generated from the Rust sources"),
            "{}",
            file.name
        );
        assert!(file.text.ends_with('\n'), "{}", file.name);
        assert!(
            !file.text.lines().any(|line| line.ends_with(' ')),
            "{}",
            file.name
        );
        assert!(
            !file.text.contains("bigint"),
            "JSON numbers are numbers: {}",
            file.name
        );
        assert!(
            !file.text.contains("crate::"),
            "links of Rust mean nothing here: {}",
            file.name
        );
    }
}

#[test]
fn what_a_file_mentions_it_declares_or_imports() {
    let config = Config::new().with_large_int("number");
    let modules = modules(&config);
    let all: BTreeSet<&str> = modules
        .iter()
        .flat_map(|(_, declarations)| declarations.iter().map(|each| each.name.as_str()))
        .collect();
    let home: BTreeMap<&str, &str> = modules
        .iter()
        .flat_map(|(module, declarations)| declarations.iter().map(|each| (each.name.as_str(), *module)))
        .collect();
    assert_eq!(
        home.len(),
        modules
            .iter()
            .map(|(_, declarations)| declarations.len())
            .sum::<usize>(),
        "no name twice"
    );
    for (module, declarations) in &modules {
        for declaration in declarations {
            for mention in &declaration.mentions {
                assert!(
                    all.contains(mention.as_str()),
                    "{} in {module} mentions {mention}",
                    declaration.name
                );
            }
        }
    }
}

#[test]
fn declarations_have_the_shapes_of_the_wire() {
    let text: String = files().into_iter().map(|file| file.text).collect();
    for line in [
        "export type ParticipantId = string;",
        "export type MediaKind = \"audio\" | \"video\";",
        "export type PauseReason = \"producer\" | \"bandwidth\" | \"client\" | \"server-load\";",
        "export type Answer<T> = Success<T> | Failure;",
        "  success: true,",
        "  sctpParameters: null,",
        "  type: ConsumerType,",
        "  participantId: ParticipantId | null,",
        "  forceTcp?: boolean,",
        "  rtpParameters: RtpParameters,",
        "  parameters: { [key in string]: string | number },",
        "  memory: number,",
        "  \"producer-closed\": (payload: ProducerClosed) => void;",
        "  Consume: { method: \"POST\", path: \"/api/rooms/{callId}/consume\" },",
    ] {
        assert!(text.lines().any(|candidate| candidate == line), "{line}");
    }
    for code in crate::ErrorCode::ALL {
        assert!(text.contains(&format!("\"{code}\"")));
    }
}

fn names() -> String {
    let names = files().into_iter().find(|file| file.name == "names.ts");
    names.expect("generated").text
}

#[test]
fn every_type_of_an_event_is_imported_by_the_names() {
    let names = names();
    let imports: String = names
        .lines()
        .filter(|line| line.starts_with("import type"))
        .collect();
    let used: Vec<&str> = names
        .lines()
        .filter_map(|line| line.split_once("(payload: "))
        .filter_map(|(_, rest)| rest.split([')', ',']).next())
        .collect();
    assert!(!used.is_empty());
    let gateway = crate::client_gateway::ServerEvent::NAMES
        .iter()
        .map(|(_, payload)| payload.trim_start_matches("Box<").trim_end_matches('>'));
    let asked = names::GATEWAY_REQUESTS
        .iter()
        .flat_map(|(_, payload, ack)| [*payload, *ack])
        .filter(|name| *name != "null");
    for payload in used.into_iter().chain(gateway).chain(asked) {
        assert!(words(&imports).contains(payload), "{payload}");
    }
}

#[test]
fn every_event_to_the_gateway_has_its_types() {
    let named: Vec<&str> = names::GATEWAY_REQUESTS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(named, crate::client_gateway::request_name::ALL);
}

#[test]
fn maps_name_payload_and_acknowledgement() {
    let names = names();
    for line in [
        "  \"call:incoming\": Incoming;",
        "  \"call:joined\": JoinDto;",
        "  \"directory:presence\": Presence;",
        "  \"call:initiate\": { payload: Initiate, ack: Initiated };",
        "  \"call:mute\": { payload: MuteAlias, ack: null };",
        "  StartCall: { method: \"POST\", path: \"/api/calls\" },",
    ] {
        assert!(names.lines().any(|candidate| candidate == line), "{line}");
    }
}

#[test]
fn comments_are_tidied() {
    let raw =
        "/**\n * One.\n */\nexport type A = { \n/**\n * Two\n * lines.\n */\nb: number, \nc?: string, };\n";
    let tidied = "/** One. */\nexport type A = {\n  /**\n   * Two\n   * lines.\n   */\n  b: number,\n  c?: string,\n};\n";
    assert_eq!(tidy(raw), tidied);
}
