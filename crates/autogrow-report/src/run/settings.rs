//! `config.toml`: typed where the report works with it, and as a plain list of keys where it is shown.

use autogrow_run::Config;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Reads the configuration. A key of another version of the program, or with a value that this one
/// does not take, is left at its default, and there is a word on each.
pub(super) fn typed(table: &Table) -> (Config, Vec<String>) {
    let read = |table: Table| Value::Table(table).try_into::<Config>();
    if let Ok(config) = read(table.clone()) {
        return (config, Vec::new());
    }
    let (mut kept, mut left_out) = (Table::new(), Vec::new());
    for (section, value) in table {
        let Value::Table(keys) = value else {
            let alone = Table::from_iter([(section.clone(), value.clone())]);
            match read(alone).is_ok() {
                true => drop(kept.insert(section.clone(), value.clone())),
                false => left_out.push(section.clone()),
            }
            continue;
        };
        let mut readable = Table::new();
        for (key, value) in keys {
            let alone = Table::from_iter([(key.clone(), value.clone())]);
            match read(Table::from_iter([(section.clone(), Value::Table(alone))])).is_ok() {
                true => drop(readable.insert(key.clone(), value.clone())),
                false => left_out.push(format!("{section}.{key}")),
            }
        }
        if !readable.is_empty() {
            kept.insert(section.clone(), Value::Table(readable));
        }
    }
    let words = left_out.into_iter().map(|key| {
        format!("config.toml: this program does not know `{key}`, or not its value; left out")
    });
    (read(kept).unwrap_or_default(), words.collect())
}

/// Every key of a configuration with its value, by its dotted name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(BTreeMap<String, Value>);

impl Settings {
    /// Every key of a table, sections and keys joined by dots.
    pub fn of(table: &Table) -> Self {
        let mut keys = BTreeMap::new();
        flatten("", table, &mut keys);
        Self(keys)
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A value as people write it: text without quotes, none where the key is missing.
    pub fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|value| match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        })
    }

    /// Whether `key` has another value in `other`. Numbers are compared as numbers.
    pub fn differs(&self, other: &Self, key: &str) -> bool {
        let number = |value: &Value| match value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        let [own, other] = [self, other].map(|settings| settings.0.get(key));
        match (own.and_then(number), other.and_then(number)) {
            (Some(own), Some(other)) => own != other,
            _ => own != other,
        }
    }
}

fn flatten(before: &str, table: &Table, keys: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let name = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        match value {
            Value::Table(section) => flatten(&name, section, keys),
            value => {
                let value = as_written_today(&name, value.clone());
                keys.insert(name, value);
            }
        }
    }
}

/// A value that earlier programs wrote in another form.
fn as_written_today(key: &str, value: Value) -> Value {
    match (key, &value) {
        ("data.augment", Value::Boolean(true)) => Value::from("standard"),
        ("data.augment", Value::Boolean(false)) => Value::from("none"),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn keys_have_dotted_names() {
        let of = |text| Settings::of(&table(text));
        let settings =
            of("compat = \"paper\"\n[growth]\ninterval = 3\n[plugin.own]\nfactor = 0.05\n");
        let keys = ["compat", "growth.interval", "plugin.own.factor"];
        assert_eq!(settings.keys().collect::<Vec<_>>(), keys);
        assert_eq!(settings.text("compat").as_deref(), Some("paper"));
        assert_eq!(settings.text("plugin.own.factor").as_deref(), Some("0.05"));
        let other = of("compat = \"code\"\n[growth]\ninterval = 3.0\n");
        let differing: Vec<_> = settings.keys().filter(|k| settings.differs(&other, k)).collect();
        assert_eq!(differing, ["compat", "plugin.own.factor"]);
    }

    #[test]
    fn keys_that_are_not_understood_are_left_at_their_defaults() {
        let text = "compat = 5\nnewer = 1\n[growth]\ninterval = 4\nmode = \"own\"\n[newest]\na = 1";
        let (config, words) = typed(&table(text));
        let mut expected = Config::default();
        expected.growth.interval = 4;
        assert_eq!((config, words.len()), (expected, 4));
        for (word, key) in words.iter().zip(["compat", "growth.mode", "newer", "newest.a"]) {
            assert!(word.contains(&format!("`{key}`")), "{word}");
        }
        assert_eq!(typed(&table("[growth]\ninterval = 4")).1, [""; 0]);
    }
}
