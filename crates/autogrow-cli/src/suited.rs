//! Settings that follow from others where nobody has set them: what pictures of one's own are trained
//! with, how deep the network's seed is, and the recipe of a family.

use crate::own_pictures::{Choice, choose};
use crate::setting::Setting;
use autogrow::config::{Config, Preset};
use autogrow::depth_of_weights;
use autogrow::growth::Depth;
use autogrow::network::SeedNetwork;
use autogrow::registry::find;
use autogrow_data::{Survey, survey};
use figment::value::Value;

/// The source of values that a network brings with it begins so.
pub(crate) const RECIPE: &str = "recipe of ";

/// The network of tables.
const OF_TABLES: &str = "mlp1net";

/// What was chosen. All of it is under whatever a user sets.
#[derive(Default)]
pub(crate) struct Suited {
    /// Over those of the preset.
    pub(crate) settings: Vec<Setting>,
    /// The preset, where one was chosen.
    pub(crate) preset: Option<Preset>,
    /// What it was chosen for.
    pictures: Option<(Survey, Choice)>,
}

impl Suited {
    /// Chooses for these settings, of which a user has set those that `is_set` says.
    pub(crate) fn to(config: &Config, is_set: impl Fn(&str) -> bool) -> Self {
        let mut suited = Self::default();
        let is_open = !is_set("network.name");
        let mut chosen = None;
        // Of pictures, a depth is one of a network that somebody has in mind.
        if is_open && config.data.name == "folder" && !is_set("network.depth") {
            suited.look_at_pictures(config, &is_set);
            chosen = suited.pictures.map(|(_, choice)| choice.network);
        } else if is_open && config.data.name == "csv" {
            chosen = Some(OF_TABLES);
            suited.set("network.name", OF_TABLES.into(), "default of tables");
        }
        let network = chosen.unwrap_or(&config.network.name);
        // One that is not registered is told when the configuration is resolved.
        let seed = find::<SeedNetwork>(network).ok();
        if config.preset != Preset::Paper && !is_set("training.optimizer") {
            suited.take_recipe(seed);
        }
        if let Some(seed) = seed.filter(|_| !is_set("network.depth")) {
            suited.take_depth(seed, config);
        }
        suited
    }

    /// As deep a seed as the weights that it begins with; else the network's own.
    fn take_depth(&mut self, seed: &SeedNetwork, config: &Config) {
        let (wanted, weights) = (seed.sub_networks, &config.training.init_from);
        if let Some(depth) = depth_of_weights(weights, wanted) {
            let origin = format!("depth of {}", weights.display());
            self.set("network.depth", depth.to_string().into(), &origin);
        } else if wanted != config.network.depth.sub_networks() {
            let depth = Depth::uniform(wanted, 1).to_string();
            self.set("network.depth", depth.into(), &format!("default of {}", seed.name));
        }
    }

    /// Looks at the pictures. A folder that cannot be used is told when it is opened.
    fn look_at_pictures(&mut self, config: &Config, is_set: impl Fn(&str) -> bool) {
        let Ok(pictures) = survey(&config.data.dir) else { return };
        let size = (config.data.size > 0).then_some(config.data.size);
        let choice = choose(pictures, size, config.run.max_minutes > 0.0);
        let origin = seen(pictures);
        self.set("network.name", choice.network.into(), &origin);
        self.set("data.size", choice.size.into(), &origin);
        self.set("training.batch_size", choice.batch_size.into(), &origin);
        if !is_set("preset") {
            self.preset = Some(choice.preset);
            self.set("preset", choice.preset.name().into(), &origin);
        }
        self.pictures = Some((pictures, choice));
    }

    /// What the network is trained with, where it has a recipe of its own.
    fn take_recipe(&mut self, seed: Option<&SeedNetwork>) {
        let Some((seed, recipe)) = seed.and_then(|seed| Some((seed, seed.recipe?))) else { return };
        let origin = format!("{RECIPE}{}", seed.name);
        self.set("training.optimizer", recipe.optimizer.into(), &origin);
        self.set("training.learning_rate", recipe.learning_rate.into(), &origin);
        self.set("training.weight_decay", recipe.weight_decay.into(), &origin);
    }

    fn set(&mut self, key: &str, value: Value, origin: &str) {
        self.settings.push(Setting { key: key.into(), value, origin: origin.into() });
    }

    /// What is trained with in the end, why, and how to choose otherwise.
    pub(crate) fn note(&self, config: &Config) -> Option<String> {
        let (pictures, choice) = self.pictures?;
        let Config { network, data, training, preset, .. } = config;
        Some(format!(
            "{}: {} at {size}x{size} ({}), batches of {}, preset {}\n\
             --network, --set data.size=PIXELS, --batch-size and --preset choose otherwise",
            seen(pictures),
            network.name,
            choice.why,
            training.batch_size,
            preset.name(),
            size = data.size
        ))
    }
}

fn seen(pictures: Survey) -> String {
    let Survey { pictures, shorter_side } = pictures;
    format!("{pictures} training pictures, shorter side mostly about {shorter_side}")
}
