//! `config.toml`: the keys of a run, by their dotted names.

use std::collections::BTreeMap;
use toml::{Table, Value};

/// The configuration of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(BTreeMap<String, Value>);

impl Settings {
    /// Every key of a table, sections and keys joined by a dot.
    pub fn of(table: &Table) -> Self {
        let mut keys = BTreeMap::new();
        for (name, value) in table {
            match value {
                Value::Table(section) => {
                    keys.extend(section.iter().map(|(k, v)| (format!("{name}.{k}"), v.clone())));
                }
                _ => {
                    keys.insert(name.clone(), value.clone());
                }
            }
        }
        Self(keys)
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let table = text.parse::<Table>().map_err(|error| error.message().to_string())?;
        Ok(Self::of(&table))
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

    /// A value that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.0.get(key)? {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// A value that counts something.
    pub fn count(&self, key: &str) -> Option<usize> {
        self.0.get(key)?.as_integer()?.try_into().ok()
    }

    /// Whether `key` has another value in `other`. Numbers are compared as numbers.
    pub fn differs(&self, other: &Self, key: &str) -> bool {
        match (self.number(key), other.number(key)) {
            (Some(own), Some(other)) => own != other,
            _ => self.0.get(key) != other.0.get(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_dotted_names() {
        let read =
            Settings::parse("compat = \"paper\"\n[growth]\ninterval = 3\nthreshold = 0.05\n");
        let settings = read.unwrap();
        assert_eq!(
            settings.keys().collect::<Vec<_>>(),
            ["compat", "growth.interval", "growth.threshold"]
        );
        assert_eq!(settings.count("growth.interval"), Some(3));
        assert_eq!(settings.number("growth.threshold"), Some(0.05));
        assert_eq!(settings.text("compat").as_deref(), Some("paper"));
        let other = Settings::parse("compat = \"code\"\n[growth]\ninterval = 3.0\n").unwrap();
        let differing: Vec<_> = settings.keys().filter(|k| settings.differs(&other, k)).collect();
        assert_eq!(differing, ["compat", "growth.threshold"]);
    }
}
