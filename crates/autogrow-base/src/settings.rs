//! Settings of plugins: `[plugin.NAME]` in the configuration, of a type that the plugin defines.
//!
//! ```
//! use autogrow_base::settings::{PluginSettings, SettingsKind};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! #[serde(default)]
//! struct Patient { epochs: usize }
//!
//! impl Default for Patient {
//!     fn default() -> Self { Self { epochs: 5 } }
//! }
//!
//! autogrow_base::register! { SettingsKind::of::<Patient>("patient", env!("CARGO_PKG_NAME")) }
//!
//! let settings: PluginSettings = toml::from_str("[patient]\nepochs = 7").unwrap();
//! assert_eq!(settings.get::<Patient>("patient").unwrap().epochs, 7);
//! ```

use crate::{Error, Result, registry};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Section `[plugin]`: a table for each plugin that has settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PluginSettings(BTreeMap<String, Table>);

/// Settings that a plugin has, registered with `inventory`.
pub struct SettingsKind {
    /// NAME in `[plugin.NAME]`: usually that of the policy, sub-module, ... that takes them.
    pub name: &'static str,
    /// Crate that registers them: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line of description.
    pub summary: &'static str,
    defaults: fn(&'static str) -> Result<Table>,
    check: fn(&PluginSettings, &'static str) -> Result<()>,
}

crate::kind!(SettingsKind, "plugin settings", "");

impl SettingsKind {
    /// Settings of the type `T`, whose default has every key: `None` is no value in TOML.
    pub const fn of<T>(name: &'static str, origin: &'static str) -> Self
    where
        T: Default + Serialize + DeserializeOwned,
    {
        Self {
            name,
            origin,
            summary: "",
            defaults: |name| table(name, &T::default()),
            check: |settings, name| settings.get::<T>(name).map(drop),
        }
    }

    /// The same with a line of description.
    pub const fn about(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }
}

impl PluginSettings {
    /// Every key of every linked plugin, with its default.
    ///
    /// # Errors
    /// [`Error::Duplicate`] where two plugins claim one name; a default that is no TOML.
    pub fn defaults() -> Result<Self> {
        let kinds = registry::all::<SettingsKind>()?;
        let tables =
            kinds.into_iter().map(|kind| Ok((kind.name.into(), (kind.defaults)(kind.name)?)));
        Ok(Self(tables.collect::<Result<_>>()?))
    }

    /// The same settings with every key that is not set at its default.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a plugin or a key that there is not; [`Error::Config`] for a value of
    /// the wrong type.
    pub fn complete(&self) -> Result<Self> {
        let mut complete = Self::defaults()?;
        let known: Vec<String> = complete.keys();
        for (name, table) in &self.0 {
            for (key, value) in table {
                let own = complete.0.get_mut(name).and_then(|table| table.get_mut(key));
                let full = format!("plugin.{name}.{key}");
                *own.ok_or_else(|| unknown(full, known.clone()))? = value.clone();
            }
            if !complete.0.contains_key(name) {
                return Err(unknown(format!("plugin.{name}"), known));
            }
        }
        for kind in registry::all::<SettingsKind>()? {
            (kind.check)(&complete, kind.name)?;
        }
        Ok(complete)
    }

    /// The settings of the plugin `name`; the default where nothing is set.
    ///
    /// # Errors
    /// [`Error::Config`] for a value of the wrong type.
    pub fn get<T: Default + DeserializeOwned>(&self, name: &str) -> Result<T> {
        let Some(table) = self.0.get(name) else { return Ok(T::default()) };
        Value::Table(table.clone()).try_into().map_err(|error: toml::de::Error| {
            Error::config(format!("plugin.{name}"), error.message().to_string())
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, dotted: `plugin.NAME.KEY`.
    fn keys(&self) -> Vec<String> {
        let tables = self.0.iter();
        tables
            .flat_map(|(name, table)| table.keys().map(move |key| format!("plugin.{name}.{key}")))
            .collect()
    }
}

fn unknown(name: String, known: Vec<String>) -> Error {
    Error::unknown("configuration key", "", name, known)
}

fn table(name: &str, settings: &impl Serialize) -> Result<Table> {
    let wrong = |problem| Error::config(format!("plugin.{name}"), problem);
    match Value::try_from(settings).map_err(|error| wrong(error.to_string()))? {
        Value::Table(table) => Ok(table),
        other => Err(wrong(format!("has the default {other}, which is no table of keys"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Patient {
        epochs: usize,
        factor: f64,
    }

    impl Default for Patient {
        fn default() -> Self {
            Self { epochs: 5, factor: 0.5 }
        }
    }

    crate::register! { SettingsKind::of::<Patient>("patient", "this-crate").about("a test's") }

    fn complete(text: &str) -> Result<PluginSettings> {
        toml::from_str::<PluginSettings>(text).unwrap().complete()
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = complete("[patient]\nepochs = 7").unwrap();
        assert_eq!(settings.get::<Patient>("patient").unwrap(), Patient { epochs: 7, factor: 0.5 });
        assert_eq!(settings.keys(), ["plugin.patient.epochs", "plugin.patient.factor"]);
        assert_eq!(complete("").unwrap().get::<Patient>("patient").unwrap(), Patient::default());
    }

    #[test]
    fn unknown_keys_are_answered_with_the_nearest_valid_one() {
        let hint = |text| complete(text).unwrap_err().hint().unwrap();
        assert_eq!(hint("[patient]\nepoch = 7"), "did you mean `plugin.patient.epochs`?");
        assert_eq!(hint("[patiens]\nepochs = 7"), "did you mean `plugin.patient.epochs`?");
        assert!(hint("[xyz]").contains("plugin.patient.factor"));
    }

    #[test]
    fn values_of_the_wrong_type_are_refused_by_name() {
        let error = complete("[patient]\nepochs = \"many\"").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("`plugin.patient`"), "{error}");
    }
}
