//! A preset as a layer of the configuration.

use autogrow::Result;
use autogrow::config::{DataConfig, Preset};
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};

/// The source of what a preset sets begins so.
pub(crate) const PRESET: &str = "preset ";

/// What a preset sets, on top of the defaults.
pub(crate) struct Layer {
    name: String,
    toml: String,
}

impl Layer {
    /// That of a preset for a data set and a policy that was chosen.
    ///
    /// # Errors
    /// As [`Preset::settings`].
    pub(crate) fn of(preset: Preset, data: &DataConfig, policy: Option<&str>) -> Result<Self> {
        let name = format!("{PRESET}{}", preset.name());
        Ok(Self { name, toml: preset.settings(data, policy)?.to_string() })
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Toml::string(&self.toml).data()
    }
}
