//! `docs/configuration.md`, generated from the configuration itself: keys and defaults are those of
//! `Config::default`, words those of the source, values what reading and resolving accept, options
//! those of the command line.

use crate::pages::assert_generated;
use crate::shell::Place;
use crate::source::{Member, members};
use autogrow_core::config::Config;
use autogrow_core::{Error, Resolved};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const CONFIG: &str = include_str!("../../../crates/autogrow-run/src/config.rs");
/// Where the types of values are.
const VALUES: [&str; 5] = [
    CONFIG,
    include_str!("../../../crates/autogrow-growth/src/config.rs"),
    include_str!("../../../crates/autogrow-growth/src/amount.rs"),
    include_str!("../../../crates/autogrow-growth/src/curve.rs"),
    include_str!("../../../crates/autogrow-growth/src/mode.rs"),
];

/// A key of the configuration.
struct Key {
    /// `growth.interval`.
    name: String,
    member: Member,
    default: Value,
}

/// Every section in the order of the source: its name, its words, its keys.
fn sections() -> Vec<(String, String, Vec<Key>)> {
    let mut types = members(CONFIG);
    types.extend(members(VALUES[1]));
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let key = |name: String, member: &Member, default: &Value| Key {
        name,
        member: member.clone(),
        default: default.clone(),
    };
    let mut sections = Vec::new();
    // Plugins define the keys of the last section.
    for section in types["Config"].iter().filter(|section| section.name != "plugin") {
        let default = &defaults[&section.name];
        let Value::Object(values) = default else {
            let alone = vec![key(section.name.clone(), section, default)];
            sections.push((String::new(), String::new(), alone));
            continue;
        };
        let told = &types[&section.kind];
        // Each key has words, and each field with words is a key.
        let names = told.iter().map(|member| &member.name);
        assert!(values.keys().eq(sorted(names.clone()).iter()), "{}", section.name);
        let keys = told.iter().map(|member| {
            key(format!("{}.{}", section.name, member.name), member, &values[&member.name])
        });
        sections.push((section.name.clone(), section.doc.clone(), keys.collect()));
    }
    sections
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<_> = names.cloned().collect();
    names.sort();
    names
}

impl Key {
    fn variable(&self) -> String {
        format!("AUTOGROW_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// The configuration with this key set to `value`.
    fn set(&self, value: &Value) -> Result<Config, String> {
        let value = match self.name.split_once('.') {
            Some((section, name)) => json!({ section: { name: value } }),
            None => json!({ &self.name: value }),
        };
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// What is said to a value that resolving refuses.
    fn refused(&self, value: &Value) -> Option<Error> {
        Resolved::of(self.set(value).unwrap()).err()
    }

    /// What values the key takes, as Markdown.
    fn values(&self, choices: &BTreeMap<String, Vec<Member>>) -> String {
        let range = |out_of_it: Value| match self.refused(&out_of_it) {
            Some(error) => format!(", {}", error.hint().unwrap().trim_start_matches("it is ")),
            None => String::new(),
        };
        match self.member.kind.as_str() {
            "bool" => " `true` or `false`".into(),
            "usize" | "u64" => format!(" a whole number{}", range(json!(0))),
            "f64" => format!(" a number{}", range(json!(-1.0))),
            "Vec<f64>" => " a list of numbers".into(),
            "PathBuf" => " a path".into(),
            "Depth" => " numbers joined by `-`".into(),
            "Option<Depth>" => " numbers joined by `-`, or nothing".into(),
            "Option<bool>" => " `true`, `false` or `auto`".into(),
            "Option<usize>" => " a whole number, or `auto`".into(),
            "String" => match self.refused(&json!("?")) {
                Some(Error::Unknown { kind, .. }) => {
                    let list = match kind.as_str() {
                        "network" => "networks",
                        "policy" => "policies",
                        "initializer" => "initializers",
                        "objective" => "objectives",
                        "optimiser" => "optimizers",
                        "schedule" => "schedules",
                        other => panic!("{other} has no list"),
                    };
                    format!(" a name that `autogrow list {list}` shows")
                }
                _ if self.name == "data.name" => " a name that `autogrow list data` shows".into(),
                _ => " text".into(),
            },
            kind => self.choices(&choices[kind]),
        }
    }

    /// The values of an enum with their meanings, as a list.
    fn choices(&self, choices: &[Member]) -> String {
        // What reading a wrong value says is valid, where it says it one by one.
        let refusal = self.set(&json!("?")).unwrap_err();
        let valid: Vec<_> = refusal.split('`').skip(3).step_by(2).collect();
        let mut told = String::new();
        for choice in choices {
            let _ = match choice.doc.strip_prefix('`') {
                Some(rest) => write!(told, "\n  - `{rest}"),
                None => write!(told, "\n  - `{}`: {}", choice.name.to_lowercase(), choice.doc),
            };
        }
        if !valid.is_empty() {
            let names = choices.iter().map(|choice| choice.name.to_lowercase());
            assert!(names.eq(valid.iter().copied()), "{}: {refusal}", self.name);
        }
        told
    }
}

/// Options of the command line by the key that their help names.
fn options() -> BTreeMap<String, String> {
    let command = autogrow_cli::command();
    let train = command.find_subcommand("train").unwrap();
    let option = |argument: &clap::Arg| {
        let help = argument.get_help()?.to_string();
        let (_, key) = help.strip_suffix(')')?.rsplit_once('(')?;
        Some((key.to_string(), format!("--{}", argument.get_long()?)))
    };
    train.get_arguments().filter_map(option).collect()
}

#[test]
fn the_page_says_what_the_code_does() {
    let choices = VALUES.iter().flat_map(|source| members(source)).collect();
    let options = options();
    let (mut overview, mut page) = (String::new(), String::new());
    overview.push_str("| key | default | option |\n|---|---|---|\n");
    for (section, about, keys) in sections() {
        if !section.is_empty() {
            let _ = writeln!(page, "## `[{section}]`\n\n{about}\n");
        }
        for key in keys {
            let (name, default) = (&key.name, key.default.to_string());
            let anchor = name.replace('.', "");
            let option = options.get(name).map(|option| format!("`{option}`")).unwrap_or_default();
            let _ = writeln!(overview, "| [`{name}`](#{anchor}) | `{default}` | {option} |");
            let or = if option.is_empty() { option } else { format!(", or {option}") };
            let _ = writeln!(
                page,
                "### `{name}`\n\n{}\n\n- Default: `{default}`\n- Values:{}\n- Variable: `{}`{or}\n",
                key.member.doc,
                key.values(&choices),
                key.variable(),
            );
        }
    }
    assert_generated("docs/configuration.md", "keys", &format!("{overview}\n{page}"));
}

#[test]
fn the_page_says_what_presets_set() {
    let place = Place::new();
    let set = |preset: &str| -> BTreeMap<String, String> {
        let loaded = place.run(&format!("autogrow config --preset {preset} --json"));
        let loaded: BTreeMap<String, Value> = serde_json::from_slice(&loaded.stdout).unwrap();
        let own = |item: &Value| item["source"] == format!("preset {preset}");
        let set = loaded.into_iter().filter(|(_, item)| own(item));
        set.map(|(key, item)| (key, format!("`{}`", item["value"]))).collect()
    };
    let (standard, quick) = (set("standard"), set("quick"));
    let keys: BTreeSet<_> = standard.keys().chain(quick.keys()).collect();
    let mut table = String::from("| key | `standard` | `quick` |\n|---|---|---|\n");
    for key in keys {
        let of = |set: &BTreeMap<String, String>| set.get(key).cloned().unwrap_or_default();
        let _ = writeln!(table, "| `{key}` | {} | {} |", of(&standard), of(&quick));
    }
    assert_generated("docs/configuration.md", "presets", &table);
}

#[test]
fn every_variable_sets_its_key() {
    let keys: Vec<_> = sections().into_iter().flat_map(|(_, _, keys)| keys).collect();
    let setting = |key: &Key| {
        let default = key.default.to_string();
        format!("{}='{}' ", key.variable(), default.trim_matches('"'))
    };
    let settings: String = keys.iter().map(setting).collect();
    let loaded = Place::new().run(&format!("{settings}autogrow config --json"));
    let mut loaded: BTreeMap<String, Value> = serde_json::from_slice(&loaded.stdout).unwrap();
    assert_eq!(loaded.remove("schema"), Some(1.into()));
    // Those of policies are told where the policies are.
    loaded.retain(|key, _| !key.starts_with("plugin."));
    assert_eq!(loaded.len(), keys.len());
    for key in keys {
        // What is left open by its default is filled in by the network.
        let source = loaded[&key.name]["source"].as_str().unwrap();
        let filled_in = source.starts_with("default of ");
        assert!(filled_in || source.ends_with(&key.variable()), "{}: {source}", key.name);
    }
}
