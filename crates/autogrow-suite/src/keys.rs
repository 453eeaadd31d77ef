//! Tables of configuration keys as a suite's file writes them: looked up, set, merged, matched.

use autogrow_base::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// As TOML.
pub(crate) fn text(value: &impl Serialize) -> Result<String> {
    toml::to_string(value).map_err(|error| Error::config("a file of settings", error.to_string()))
}

/// Puts `over` on top of `table`, section by section.
pub(crate) fn merge(table: &mut Table, over: &Table) {
    for (key, value) in over {
        match (table.get_mut(key), value) {
            (Some(Value::Table(own)), Value::Table(over)) => merge(own, over),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The value of a dotted key.
pub(crate) fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((section, rest)) => get(table.get(section)?.as_table()?, rest),
        None => table.get(key),
    }
}

/// Sets a dotted key.
pub(crate) fn set(table: &mut Table, key: &str, value: impl Into<Value>) {
    match key.split_once('.') {
        Some((section, rest)) => {
            let own = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(own) = own {
                set(own, rest, value);
            }
        }
        None => {
            table.insert(key.into(), value.into());
        }
    }
}

/// Takes a dotted key out.
pub(crate) fn remove(table: &mut Table, key: &str) {
    match key.split_once('.') {
        Some((section, rest)) => {
            if let Some(Value::Table(own)) = table.get_mut(section) {
                remove(own, rest);
            }
        }
        None => {
            table.remove(key);
        }
    }
}

/// Every key, dotted and sorted, with its value.
pub(crate) fn flat(table: &Table) -> BTreeMap<String, &Value> {
    let mut keys = BTreeMap::new();
    for (name, value) in table {
        match value {
            Value::Table(section) => {
                let inner = flat(section).into_iter();
                keys.extend(inner.map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            _ => {
                keys.insert(name.clone(), value);
            }
        }
    }
    keys
}

/// Whether every key of `condition` has the same value in `table`, or one of several.
pub(crate) fn satisfies(table: &Table, condition: &Table) -> bool {
    flat(condition).into_iter().all(|(key, wanted)| {
        let own = get(table, &key);
        let one_of = || wanted.as_array().is_some_and(|some| some.iter().any(|it| own == Some(it)));
        own == Some(wanted) || one_of()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn tables_are_merged_key_by_key() {
        let mut own = table("a.x = 1\na.y = 2\nb = [1, 2]");
        merge(&mut own, &table("a.y = 3\nb = [3]\nc.z = 4"));
        assert_eq!(own, table("a.x = 1\na.y = 3\nb = [3]\nc.z = 4"));
        set(&mut own, "a.w", 5);
        set(&mut own, "d.e.f", "g");
        remove(&mut own, "a.x");
        remove(&mut own, "no.such");
        assert_eq!(own, table("a.y = 3\na.w = 5\nb = [3]\nc.z = 4\nd.e.f = \"g\""));
        assert_eq!(get(&own, "d.e.f").and_then(Value::as_str), Some("g"));
        assert_eq!((get(&own, "d.x.f"), get(&own, "b.x")), (None, None));
        let keys: Vec<_> = flat(&own).into_keys().collect();
        assert_eq!(keys, ["a.w", "a.y", "b", "c.z", "d.e.f"]);
    }

    #[test]
    fn a_condition_names_a_value_or_several() {
        let own = table("data.name = \"svhn\"\nfine_tune.milestones = [0.5]");
        for (condition, satisfied) in [
            ("", true),
            ("data.name = \"svhn\"", true),
            ("data.name = [\"mnist\", \"svhn\"]", true),
            ("fine_tune.milestones = [0.5]", true),
            ("data.name = \"mnist\"", false),
            ("data.name = \"svhn\"\nnetwork.name = \"plain3net\"", false),
        ] {
            assert_eq!(satisfies(&own, &table(condition)), satisfied, "{condition}");
        }
    }
}
