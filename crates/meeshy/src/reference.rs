//! `meeshy reference`: every setting and command as Markdown, read off the arguments themselves, so that
//! `docs/configuration.md` cannot say anything else than the program.

use std::fmt::Write as _;

use ::gateway::config::{Part, Settings, SharedSettings};
use clap::{Arg, Command};
use media_node::config::{Role, Settings as NodeSettings};

use crate::serve;

#[cfg(test)]
mod tests;

/// The commands that are servers; what they read from the environment are settings.
const SERVERS: [&str; 3] = ["serve", "gateway", "media"];

/// What is read past the flags: name, default, who reads it, meaning. A test finds any that is missing.
const PAST_THE_FLAGS: &[(&str, &str, &str, &str)] = &[(
    "RTC_SEND_PATH",
    "gso",
    "`serve`, `media`",
    "How media leaves: `gso` (trains of packets), `mmsg` (many packets in one call) or `plain` (one call each). Where \
     the kernel refuses one, the next is taken",
)];

const INTRODUCTION: &str = "\
# Configuration reference

Written by `make reference` from the program's own arguments; a test fails when it is out of date.

Every setting is an environment variable, most are flags too; a flag wins. Empty text counts as not given. Lists are separated by
commas, switches take `true` or `false`. Settings that are wrong stop the start with exit code 78 and a message that names each of
them and what to set; `--check-config` prints what a start would use, secrets hidden, and exits.

Give secrets by environment, not by flag: flags show in the list of processes. Secrets have 32 bytes or more
(`openssl rand -hex 32`).

`serve` is everything in one process, `gateway` and `media` are its two halves apart. What `serve` makes itself it keeps in
`DATA_DIR`. Required means: the start fails without it.
";

/// A setting as the servers that read it describe it.
struct Setting {
    name: String,
    flag: String,
    meaning: String,
    secret: bool,
    /// The default by server, where that server states one.
    defaults: Vec<(&'static str, Option<String>)>,
}

/// The whole document.
pub(crate) fn document(program: &Command) -> String {
    let mut text = INTRODUCTION.to_owned();
    let settings = settings(program);
    let readers: [(&[&str], &str); 7] = [
        (&["serve", "gateway", "media"], "Of every server"),
        (&["serve", "gateway"], "Of the gateway: `serve` and `gateway`"),
        (&["serve", "media"], "Of the media node: `serve` and `media`"),
        (
            &["gateway", "media"],
            "Of the two halves apart: `gateway` and `media`",
        ),
        (&["serve"], "Of `serve` alone"),
        (&["gateway"], "Of `gateway` alone"),
        (&["media"], "Of `media` alone"),
    ];
    for (servers, heading) in readers {
        let these: Vec<&Setting> = settings
            .iter()
            .filter(|setting| {
                setting
                    .defaults
                    .iter()
                    .map(|(server, _)| *server)
                    .eq(servers.iter().copied())
            })
            .collect();
        if !these.is_empty() {
            let _ = write!(
                text,
                "\n## {heading}\n\n| variable | flag | default | meaning |\n|---|---|---|---|\n"
            );
            for setting in these {
                row(&mut text, setting);
            }
        }
    }
    past_the_flags(&mut text);
    commands(&mut text, program);
    text
}

fn past_the_flags(text: &mut String) {
    text.push_str("\n## Read from the environment alone\n\n| variable | default | read by | meaning |\n|---|---|---|---|\n");
    for (name, default, readers, meaning) in PAST_THE_FLAGS {
        let _ = writeln!(text, "| `{name}` | {default} | {readers} | {meaning}. |");
    }
}

/// Every setting of a server, in the order in which they are declared.
fn settings(program: &Command) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for server in SERVERS {
        let Some(command) = program.find_subcommand(server) else {
            continue;
        };
        for argument in command.get_arguments() {
            let Some(name) = argument.get_env().and_then(|name| name.to_str()) else {
                continue;
            };
            let (meaning, default) = help(argument);
            match settings.iter_mut().find(|known| known.name == name) {
                Some(known) => {
                    known.defaults.push((server, default));
                }
                None => settings.push(Setting {
                    name: name.to_owned(),
                    flag: argument
                        .get_long()
                        .map_or_else(String::new, |flag| format!("`--{flag}`")),
                    meaning,
                    secret: argument.is_hide_env_values_set(),
                    defaults: vec![(server, default)],
                }),
            }
        }
    }
    settings
}

fn row(text: &mut String, setting: &Setting) {
    let secret = if setting.secret { " *Secret.*" } else { "" };
    let _ = writeln!(
        text,
        "| `{}` | {} | {} | {}.{secret} |",
        setting.name,
        setting.flag,
        cell(&default(setting)),
        cell(&setting.meaning)
    );
}

/// The default in a word or two, by server where servers differ.
fn default(setting: &Setting) -> String {
    let made = serve::made();
    let mut by_answer: Vec<(String, Vec<String>)> = Vec::new();
    let mut strict: Vec<String> = Vec::new();
    for (server, stated) in &setting.defaults {
        let needed = |environment| required(server, environment).contains(&setting.name);
        let answer = match stated {
            _ if *server == "serve" && made.contains(&setting.name.as_str()) => "made once".to_owned(),
            _ if needed("development") => "required".to_owned(),
            Some(stated) => stated_for(server, stated),
            None => "none".to_owned(),
        };
        if needed("production") && answer != "required" {
            strict.push(format!("`{server}`"));
        }
        match by_answer.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, servers)) => servers.push(format!("`{server}`")),
            None => by_answer.push((answer, vec![format!("`{server}`")])),
        }
    }
    let mut text = match by_answer.as_slice() {
        [(answer, _)] => answer.clone(),
        answers => {
            let answers = answers
                .iter()
                .map(|(answer, servers)| format!("{answer} ({})", servers.join(", ")));
            answers.collect::<Vec<_>>().join(", ")
        }
    };
    if !strict.is_empty() {
        let _ = write!(text, "; required in production ({})", strict.join(", "));
    }
    text
}

/// The part of a default that is one server's, where a text says `4000 for serve, 3001 for media`.
fn stated_for(server: &str, stated: &str) -> String {
    let ending = format!(" for {server}");
    let part = stated.split(", ").find_map(|part| part.strip_suffix(&ending));
    part.unwrap_or(stated).to_owned()
}

/// The settings without which a server does not start: it says so when it is given nothing else.
fn required(server: &str, environment: &str) -> Vec<String> {
    let app_env = Some(environment.to_owned());
    let complaints = match server {
        "media" => {
            let nothing = NodeSettings {
                app_env,
                ..NodeSettings::default()
            };
            nothing.check(Role::Media).err().map(|wrong| wrong.to_string())
        }
        "gateway" => {
            let nothing = SharedSettings {
                app_env,
                ..SharedSettings::default()
            };
            let checked = Settings::default().check(&nothing, Part::Alone);
            checked.err().map(|wrong| wrong.to_string())
        }
        // It makes what it needs.
        _ => None,
    };
    let complaints = complaints.unwrap_or_default();
    let named = complaints
        .lines()
        .filter_map(|line| line.split_once(" is not set: "));
    named.map(|(name, _)| name.to_owned()).collect()
}

/// What an argument means, without its closing full stop, and the default that it has or states in words.
fn help(argument: &Arg) -> (String, Option<String>) {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let stated = help
        .split_once("[default: ")
        .and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    let (meaning, default) = match stated {
        Some((before, (default, after))) => (format!("{before}{after}"), Some(default.to_owned())),
        None => (help.clone(), None),
    };
    let has = argument.get_default_values();
    let has = has
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    let takes_values = argument.get_action().takes_values();
    let default = default.or_else(|| (takes_values && !has.is_empty()).then(|| has.join(",")));
    let meaning = meaning.trim().trim_end_matches('.').trim_end().to_owned();
    (meaning, default)
}

/// Every command with what it takes; a server's settings stand above.
fn commands(text: &mut String, program: &Command) {
    text.push_str("\n## Commands\n");
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "\n### meeshy {}\n\n{about}.\n", command.get_name());
        let server = SERVERS.contains(&command.get_name());
        if server {
            text.push_str("Takes the settings above.\n");
        }
        let takes: Vec<&Arg> = command
            .get_arguments()
            .filter(|argument| !(argument.is_hide_set() || server && argument.get_env().is_some()))
            .collect();
        if takes.is_empty() {
            continue;
        }
        text.push_str("\n| argument | variable | default | meaning |\n|---|---|---|---|\n");
        for argument in takes {
            let (meaning, default) = help(argument);
            let none = if argument.is_required_set() {
                "required"
            } else {
                "none"
            };
            let variable = argument
                .get_env()
                .map(|name| format!("`{}`", name.to_string_lossy()));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {}{}. |",
                usage(argument),
                variable.unwrap_or_default(),
                cell(&default.unwrap_or_else(|| none.to_owned())),
                cell(&meaning),
                choices(argument)
            );
        }
    }
}

/// How an argument is written: `--flag VALUE`, `--flag` or `<value>`.
fn usage(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map_or_else(
            || argument.get_id().to_string().to_uppercase(),
            ToString::to_string,
        );
    match argument.get_long() {
        Some(flag) if argument.get_action().takes_values() => format!("`--{flag} {}`", cell(&value)),
        Some(flag) => format!("`--{flag}`"),
        None => format!("`<{}>`", cell(&value)),
    }
}

fn choices(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_possible_values();
    let names: Vec<String> = values
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(": {}", names.join(", "))
    }
}

/// Text that does not end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
