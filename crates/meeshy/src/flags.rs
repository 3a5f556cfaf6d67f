//! `meeshy flags`: shows and changes what is turned on, in the database that the gateways share.

use std::collections::BTreeMap;
use std::process::ExitCode;

use ::gateway::flags::{Flag, Stored, changes};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use signalling::ConversationId;
use signalling::client_gateway::{AdminFlagsChange, Change};

use crate::{run, say, upkeep};

/// What the command takes.
#[derive(clap::Args)]
#[group(id = "FlagsArguments")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    database: upkeep::Arguments,
}

/// What to do; without it they are shown.
#[derive(Subcommand)]
enum What {
    /// Turn flags on or off: sfu=off sfu-percent=10 sfu-conversations=ID,ID
    Set {
        /// NAME=VALUE, several times
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// Let the gateways' settings decide again
    Reset {
        /// Names, several times
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Shows what is stored, after changing it if asked to. Gateways follow within seconds.
pub(crate) fn flags(arguments: &Arguments) -> Result<ExitCode> {
    let change = match &arguments.what {
        None => None,
        Some(What::Set { values }) => Some(set(values)?),
        Some(What::Reset { names }) => Some(reset(names)?),
    };
    let rows = change.map(|change| changes(&change)).transpose()?;
    run::block_on(async {
        let store = arguments.database.open().await?;
        if let Some(rows) = rows {
            store.change_flags(&rows, upkeep::now()).await?;
        }
        let rows = store.stored_flags().await?;
        say(&table(&rows));
        Ok(())
    })
}

/// A flag by its name, or one of the two values of `sfu`.
enum Named {
    Flag(Flag),
    Percent,
    Conversations,
}

/// Dashes are as good as underscores: they are easier to type.
fn named(name: &str) -> Result<Named> {
    let name = name.replace('-', "_").to_lowercase();
    match name.as_str() {
        "sfu_percent" => Ok(Named::Percent),
        "sfu_conversations" => Ok(Named::Conversations),
        name => {
            let names: Vec<&str> = Flag::ALL.iter().map(|flag| flag.name()).collect();
            let names = names.join(", ");
            let unknown =
                || format!("there is no flag {name}; there are {names}, sfu_percent, sfu_conversations");
            Flag::named(name).map(Named::Flag).with_context(unknown)
        }
    }
}

fn set(values: &[String]) -> Result<AdminFlagsChange> {
    let mut change = AdminFlagsChange::default();
    for pair in values {
        let (name, value) = pair
            .split_once('=')
            .with_context(|| format!("{pair} has no value; write {pair}=on or {pair}=off"))?;
        match named(name)? {
            Named::Flag(flag) => {
                let on = match value.to_lowercase().as_str() {
                    "on" | "true" => true,
                    "off" | "false" => false,
                    _ => bail!("{name} can be on or off, not {value}"),
                };
                let flags = change.flags.get_or_insert_default();
                flags.insert(flag.name().to_owned(), Some(on));
            }
            Named::Percent => {
                let percent = value.trim_end_matches('%').parse();
                let percent =
                    percent.with_context(|| format!("{name} is a number from 0 to 100, not {value}"))?;
                change.sfu_percent = Change::To(percent);
            }
            Named::Conversations => {
                let ids: Result<Vec<ConversationId>, _> =
                    edge::setting::entries(value).map(str::parse).collect();
                let ids =
                    ids.with_context(|| format!("{name} is a comma list of ids of 24 hexadecimal digits"))?;
                change.sfu_conversations = Change::To(ids);
            }
        }
    }
    Ok(change)
}

fn reset(names: &[String]) -> Result<AdminFlagsChange> {
    let mut change = AdminFlagsChange::default();
    for name in names {
        match named(name)? {
            Named::Flag(flag) => {
                change
                    .flags
                    .get_or_insert_default()
                    .insert(flag.name().to_owned(), None);
            }
            Named::Percent => change.sfu_percent = Change::Reset,
            Named::Conversations => change.sfu_conversations = Change::Reset,
        }
    }
    Ok(change)
}

/// One line for each; what is not stored is up to the settings of each gateway, which are not known here.
fn table(rows: &BTreeMap<String, String>) -> String {
    let (stored, _) = Stored::read(rows);
    let as_set = |setting: &str| format!("as set ({setting})");
    let mut lines: Vec<String> = Flag::ALL
        .iter()
        .map(|flag| {
            let value = match stored.on.get(flag) {
                Some(true) => "on".to_owned(),
                Some(false) => "off".to_owned(),
                None => as_set(flag.setting()),
            };
            format!("{}: {value}", flag.name())
        })
        .collect();
    let percent = stored
        .sfu_percent
        .map_or_else(|| as_set("FEATURE_SFU_PERCENT"), |percent| percent.to_string());
    lines.push(format!("sfu_percent: {percent}"));
    let listed = stored.sfu_conversations.map(|listed| {
        let ids: Vec<String> = listed.iter().map(ToString::to_string).collect();
        ids.join(",")
    });
    lines.push(format!(
        "sfu_conversations: {}",
        listed.unwrap_or_else(|| as_set("FEATURE_SFU_CONVERSATIONS"))
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "65a1b2c3d4e5f60718293a4b";

    fn stored(change: &AdminFlagsChange) -> BTreeMap<String, String> {
        let rows = changes(change).expect("all of it is possible");
        rows.into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_is_set_is_shown_and_the_rest_is_up_to_settings() {
        let list = format!("sfu-conversations={ID}");
        let change =
            set(&texts(&["sfu=off", "screen-share=on", "sfu_percent=10%", &list])).expect("good values");
        let shown = table(&stored(&change));
        let lines: Vec<&str> = shown.lines().collect();
        for line in [
            "sfu: off",
            "screen_share: on",
            "sfu_percent: 10",
            &format!("sfu_conversations: {ID}"),
        ] {
            assert!(lines.contains(&line), "{line} in {shown}");
        }
        assert!(
            lines.contains(&"video_calls: as set (FEATURE_VIDEO_CALLS)"),
            "{shown}"
        );
        assert_eq!(lines.len(), Flag::ALL.len() + 2);
    }

    #[test]
    fn what_is_reset_is_named_and_not_stored() {
        let change = reset(&texts(&["sfu", "sfu-percent", "sfu-conversations"])).expect("known names");
        let rows = changes(&change).expect("always possible");
        assert_eq!(rows.len(), 3);
        assert!(rows.values().all(Option::is_none));
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (value, expected) in [
            ("sfu", "sfu=on"),
            ("sfuu=on", "there is no flag sfuu"),
            ("sfu=perhaps", "on or off"),
            ("sfu-percent=many", "0 to 100"),
            ("sfu-conversations=x", "24 hexadecimal digits"),
        ] {
            let error = set(&texts(&[value])).expect_err("it cannot be");
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        }
        assert!(reset(&texts(&["x"])).is_err());
        let not_built = set(&texts(&["recording=on"])).expect("a known name");
        assert!(changes(&not_built).is_err());
    }
}
