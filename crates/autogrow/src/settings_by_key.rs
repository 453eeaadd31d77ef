//! Settings of a run by the names that they have on the command line, and by the size of the data.

use crate::AutoGrow;
use crate::builder::MEMORY;
use autogrow_core::config::{Config, GrowthConfig, PAPERS_KEYS, Preset, Suiting, batch_for};
use autogrow_core::data::{DataRequest, DataSet};
use autogrow_core::network::{Recipe, SeedNetwork};
use autogrow_core::registry::find;
use autogrow_core::settings::PluginSettings;
use autogrow_core::training::objective;
use autogrow_core::{Error, Result};
use toml::{Table, Value};

impl AutoGrow {
    /// Sets a key of the configuration by its dotted name, such as `training.batch_size`.
    ///
    /// # Errors
    /// [`Error::Unknown`] where there is no such key, [`Error::Config`] where the value is of another
    /// type than the key's.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Result<Self> {
        let defaults = Config { plugin: PluginSettings::defaults()?, ..Config::default() };
        let known = keys(&table(&defaults)?);
        if !known.iter().any(|other| other == key) {
            return Err(Error::unknown("configuration key", "", key, known));
        }
        let mut value = value.into();
        // What goes with a policy comes with it, and J chooses the paper's.
        match (key, value.as_str()) {
            ("growth.policy", Some(name)) if name != self.config.growth.policy => {
                self = self.policy(name);
            }
            ("training.optimizer", _) => self = self.without_recipe(),
            ("training.batch_size", _) => self.batch_size_is_set = true,
            _ if PAPERS_KEYS.contains(&key) && self.config.growth.policy == "worth" => {
                self = self.policy("periodic");
            }
            _ => {}
        }
        let mut all = table(&self.config)?;
        // A whole number is a number as well.
        if let (Some(Value::Float(_)), Value::Integer(whole)) =
            (at(&table(&defaults)?, key), &value)
        {
            value = Value::Float(*whole as f64);
        }
        put(&mut all, key, value);
        self.config = of_table(all, key)?;
        Ok(self)
    }

    /// Sets the keys of a preset. They depend on `data` and on the policy, so these are set before.
    ///
    /// # Errors
    /// As [`Preset::settings`].
    pub fn preset(mut self, preset: Preset) -> Result<Self> {
        let policy = Some(self.config.growth.policy.clone()).filter(|policy| policy != "worth");
        if preset == Preset::Paper {
            self = self.without_recipe();
            self.train_as(false);
            if policy.is_none() {
                self.config.growth = GrowthConfig::default();
            }
        }
        let mut all = table(&self.config)?;
        for (section, settings) in preset.settings(&self.config.data, policy.as_deref())? {
            for (key, value) in settings.as_table().into_iter().flatten() {
                put(&mut all, &format!("{section}.{key}"), value.clone());
            }
        }
        self.config = of_table(all, "preset")?;
        self.config.preset = preset;
        Ok(self)
    }

    /// Trains as preset `standard` does, or as the paper, in what has not been set otherwise.
    pub(crate) fn train_as(&mut self, today: bool) {
        fn change<T: PartialEq>(own: &mut T, [from, to]: [T; 2]) {
            if *own == from {
                *own = to;
            }
        }
        let (standard, papers) = (Config::standard(), Config::default());
        let [from, to] = if today { [papers, standard] } else { [standard, papers] };
        let (training, fine_tune) = (&mut self.config.training, &mut self.config.fine_tune);
        let [from, to] = [(from.training, from.fine_tune), (to.training, to.fine_tune)];
        change(&mut training.optimizer, [from.0.optimizer, to.0.optimizer]);
        change(&mut training.label_smoothing, [from.0.label_smoothing, to.0.label_smoothing]);
        change(&mut training.warmup_epochs, [from.0.warmup_epochs, to.0.warmup_epochs]);
        change(&mut training.decay_norms, [from.0.decay_norms, to.0.decay_norms]);
        change(&mut fine_tune.schedule, [from.1.schedule, to.1.schedule]);
    }

    /// With the recipe of the network, where it has one of its own.
    pub(crate) fn with_recipe(mut self) -> Self {
        if let Some(recipe) = recipe(&self.config) {
            let training = &mut self.config.training;
            training.optimizer = recipe.optimizer.into();
            training.learning_rate = recipe.learning_rate;
            training.weight_decay = recipe.weight_decay;
        }
        self
    }

    /// Without it: what has been set since stays.
    fn without_recipe(mut self) -> Self {
        if let Some(recipe) = recipe(&self.config) {
            let (training, usual) = (&mut self.config.training, Config::standard().training);
            if training.optimizer == recipe.optimizer {
                training.optimizer = usual.optimizer;
            }
            if training.learning_rate == recipe.learning_rate {
                training.learning_rate = usual.learning_rate;
            }
            if training.weight_decay == recipe.weight_decay {
                training.weight_decay = usual.weight_decay;
            }
        }
        self
    }

    /// Sets what suits the number of images or rows to train on: small data take small batches, more
    /// epochs, so that even a hundred rows come to some hundred steps, and more weight decay. Values
    /// are trained as in the paper. The objective is set before.
    pub fn sized(mut self, images: usize) -> Self {
        if self.config.training.objective == "values" {
            // R2 on scikit-learn's diabetes, five seeds: 0.38, where preset `standard` has 0.28.
            self.train_as(false);
        }
        let config = &mut self.config;
        let suiting = Suiting::of(images, &config.training.objective);
        config.training.batch_size = suiting.batch_size;
        config.training.weight_decay = config.training.weight_decay.max(suiting.weight_decay);
        config.growth.policy = "worth".into();
        config.growth.interval = suiting.interval;
        config.fine_tune.epochs = suiting.epochs;
        self
    }

    /// Opens the data set that is registered under this name, as the command line does: for few training
    /// images steps are of fewer, unless that is set or the paper's settings are.
    ///
    /// # Errors
    /// [`Error::Unknown`] where no such set is registered, [`Error::Data`] where it cannot be read.
    pub fn open(&mut self, name: &str) -> Result<DataSet> {
        self.config.data.name = name.into();
        let data = open_data(&self.config)?;
        if !self.batch_size_is_set && self.config.preset != Preset::Paper {
            let training = &mut self.config.training;
            let batch = batch_for(data.train.len()).max(training.micro_batch);
            training.batch_size = training.batch_size.min(batch);
        }
        Ok(data)
    }
}

/// The data set that a configuration names.
///
/// # Errors
/// [`Error::Data`] where it cannot be used, or the configuration is of data in memory.
pub(crate) fn open_data(config: &Config) -> Result<DataSet> {
    if config.data.name == MEMORY {
        return Err(Error::data("data in memory", "are not kept with a run")
            .with_hint("give them again, as they were given to the run"));
    }
    let task = objective(&config.training, &config.plugin)?.task();
    let size = find::<SeedNetwork>(&config.network.name)?.picture_size(&config.data);
    let (compat, plugins, seed) = (config.compat, &config.plugin, config.run.seed);
    DataSet::open(&DataRequest { config: &config.data, compat, plugins, task, seed, size })
}

/// A name that nobody has registered is told when the run begins.
fn recipe(config: &Config) -> Option<Recipe> {
    find::<SeedNetwork>(&config.network.name).ok()?.recipe
}

fn table(config: &Config) -> Result<Table> {
    Table::try_from(config).map_err(|error| Error::config("configuration", error.to_string()))
}

fn of_table(table: Table, key: &str) -> Result<Config> {
    table.try_into().map_err(|error: toml::de::Error| {
        Error::config(key, format!("cannot be set: {}", error.message()))
    })
}

/// Every key, dotted.
fn keys(table: &Table) -> Vec<String> {
    let of = |(name, value): (&String, &Value)| match value {
        Value::Table(table) => {
            keys(table).into_iter().map(|key| format!("{name}.{key}")).collect::<Vec<_>>()
        }
        _ => vec![name.clone()],
    };
    table.iter().flat_map(of).collect()
}

fn at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((section, rest)) => at(table.get(section)?.as_table()?, rest),
        None => table.get(key),
    }
}

fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        Some((section, rest)) => {
            let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = entry {
                put(section, rest, value);
            }
        }
        None => {
            table.insert(key.into(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_set_by_their_names() {
        let run = AutoGrow::new("basic3resnet");
        let run =
            run.set("training.batch_size", 7_i64).unwrap().set("data.fraction", 1_i64).unwrap();
        assert_eq!((run.config.training.batch_size, run.config.data.fraction), (7, 1.0));
        let misspelt =
            AutoGrow::new("basic3resnet").set("training.batchsize", 7_i64).err().unwrap();
        assert_eq!(misspelt.hint().unwrap(), "did you mean `training.batch_size`?");
        let wrong = AutoGrow::new("basic3resnet").set("training.batch_size", "many").err().unwrap();
        assert_eq!(wrong.exit_code(), 2);
        assert_eq!(wrong.key(), Some("training.batch_size"));
    }

    #[test]
    fn a_preset_is_what_it_is_on_the_command_line() {
        let run = AutoGrow::new("basic3resnet").preset(Preset::Quick).unwrap();
        let growth = &run.config.growth;
        assert_eq!((growth.interval, &growth.policy[..]), (2, "worth"));
        // J chooses the paper's policy, by whatever door.
        let paper = AutoGrow::new("basic3resnet").set("growth.patience", 8_i64).unwrap();
        assert_eq!(paper.config.growth.policy, "periodic");
        assert_eq!(run.config.preset, Preset::Quick);
    }

    #[test]
    fn a_recipe_goes_with_its_optimiser() {
        let run = || AutoGrow::new("encoder1net");
        let of = |run: AutoGrow| (run.config.training.optimizer, run.config.training.learning_rate);
        let papers = Config::default().training;
        let papers = (papers.optimizer, papers.learning_rate);
        assert_eq!(of(run()).0, "adamw");
        assert_eq!(of(run().set("training.optimizer", "sgd").unwrap()), papers);
        assert_eq!(of(run().preset(Preset::Paper).unwrap()), papers);
        let own = run().set("training.learning_rate", 0.5).unwrap();
        assert_eq!(of(own.set("training.optimizer", "adam").unwrap()), ("adam".into(), 0.5));
        assert_eq!(of(AutoGrow::new("basic3resnet")), ("nesterov".into(), papers.1));
        // More weight decay than small data take is left as it is.
        assert!(run().sized(100).config.training.weight_decay >= 0.02);
    }

    #[test]
    fn small_data_take_small_batches_and_many_epochs() {
        let of = |images| {
            let config = AutoGrow::new("mlp1net").sized(images).config;
            let epochs = (config.growth.interval, config.fine_tune.epochs);
            (config.training.batch_size, epochs, config.training.weight_decay)
        };
        assert_eq!(of(20), (16, (10, 60), 0.02));
        assert_eq!(of(400), (32, (5, 50), 0.01));
        assert_eq!(of(60_000), (128, (2, 10), 5e-4));
        let regression = AutoGrow::new("mlp1net").set("training.objective", "values").unwrap();
        let training = regression.sized(400).config.training;
        assert_eq!((training.weight_decay, &training.optimizer[..]), (0.08, "sgd"));
    }
}
