//! A preset, and the recipe of a network, as layers of the configuration.

use autogrow_core::Result;
use autogrow_core::config::{Config, DataConfig, Preset};
use autogrow_core::network::{Recipe, SeedNetwork};
use autogrow_core::registry::find;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};

/// The source of what a preset sets begins so.
pub(crate) const PRESET: &str = "preset ";

/// That of what a network brings with it.
pub(crate) const RECIPE: &str = "recipe of ";

/// What a preset or a network sets, on top of the defaults.
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

impl Layer {
    /// What the network of a configuration is trained with, where it brings a recipe; nothing with the
    /// paper's settings, or where an optimiser is chosen.
    pub(crate) fn of_recipe(config: &Config, is_chosen: bool) -> Self {
        let name = format!("{RECIPE}{}", config.network.name);
        // A name that nobody has registered is told when the settings are resolved.
        let network = find::<SeedNetwork>(&config.network.name).ok();
        let counts = !is_chosen && config.preset != Preset::Paper;
        let recipe = network.and_then(|network| network.recipe).filter(|_| counts);
        let toml = recipe.map(|Recipe { optimizer, learning_rate, weight_decay }| {
            format!(
                "[training]\noptimizer = {optimizer:?}\nlearning_rate = {learning_rate:?}\n\
                 weight_decay = {weight_decay:?}"
            )
        });
        Self { name, toml: toml.unwrap_or_default() }
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
