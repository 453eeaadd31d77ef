//! Where the configuration comes from: defaults, a preset, a file, the environment, `--set`, named
//! flags; later ones win. Every value remembers its source, every unknown key is an error.

use crate::home::without_tilde;
use crate::preset::Layer;
use crate::setting::{Setting, parse};
use crate::suited::Suited;
use crate::variables::{is_misspelt, warn_of_variable};
use autogrow::config::{Config, PAPERS_KEYS};
use autogrow::data::DataSetKind;
use autogrow::registry::find;
use autogrow::settings::PluginSettings;
use autogrow::{Error, Resolved, Result};
use clap::Args;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Provider, Source};
use std::path::{Path, PathBuf};

/// Prefix of environment variables: `AUTOGROW_TRAINING_BATCH_SIZE` is `training.batch_size`.
const PREFIX: &str = "AUTOGROW_";
/// Not a key: the folder that data sets are looked for in.
const DATA_VARIABLE: &str = "AUTOGROW_DATA";
/// The source of values that nobody has set.
pub(crate) const DEFAULT: &str = "default";

/// Options of every command with a configuration.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,
    /// Set any key, such as --set growth.interval=3 (see `autogrow config`)
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Configuration")]
    set: Vec<String>,
    /// Seed network (network.name)
    #[arg(long, help_heading = "Configuration")]
    network: Option<String>,
    /// Depth of the seed, such as 1-1-1 (network.depth)
    #[arg(long, help_heading = "Configuration")]
    depth: Option<String>,
    /// Data set (data.name)
    #[arg(long, help_heading = "Configuration")]
    data: Option<String>,
    /// Folder of the data set (data.dir)
    #[arg(long, value_name = "FOLDER", help_heading = "Configuration")]
    dir: Option<String>,
    /// auto, flex, cuda:0, ..., or several: cuda:0,cuda:1 (run.device)
    #[arg(long, help_heading = "Configuration")]
    device: Option<String>,
    /// CPU threads, 0 for all (run.threads)
    #[arg(long, help_heading = "Configuration")]
    threads: Option<String>,
}

/// Options of commands that train, or say what training would be like.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Settings {
    #[command(flatten)]
    common: Common,
    /// The same as --preset quick: a result in minutes; the default when nothing
    /// but [run] keys is set
    #[arg(long, help_heading = "Configuration", conflicts_with = "preset")]
    quick: bool,
    /// Settings that go together: standard, paper, quick (preset)
    #[arg(long, value_name = "NAME", help_heading = "Configuration")]
    preset: Option<String>,
    /// Channels of the first sub-network (network.width)
    #[arg(long, help_heading = "Configuration")]
    width: Option<String>,
    /// Part of the training images to use, up to 1 (data.fraction)
    #[arg(long, value_name = "PART", help_heading = "Configuration")]
    fraction: Option<String>,
    /// Growing and stopping policy (growth.policy)
    #[arg(long, help_heading = "Configuration")]
    policy: Option<String>,
    /// Initializer of new sub-modules (growth.initializer)
    #[arg(long, value_name = "NAME", help_heading = "Configuration")]
    initializer: Option<String>,
    /// K, epochs between growths (growth.interval)
    #[arg(long, value_name = "K", help_heading = "Configuration")]
    interval: Option<String>,
    /// Points that a doubling of the cost has to bring (growth.price)
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "POINTS",
        help_heading = "Configuration"
    )]
    price: Option<String>,
    /// J, epochs without improvement (growth.patience)
    #[arg(long, value_name = "J", help_heading = "Configuration")]
    patience: Option<String>,
    /// Images a step (training.batch_size)
    #[arg(long, value_name = "IMAGES", help_heading = "Configuration")]
    batch_size: Option<String>,
    /// Step size, 0 for the network's own (training.learning_rate)
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "RATE",
        help_heading = "Configuration"
    )]
    lr: Option<String>,
    /// N, epochs of fine-tuning (fine_tune.epochs)
    #[arg(long, allow_negative_numbers = true, value_name = "N", help_heading = "Configuration")]
    epochs: Option<String>,
    /// Time for growing and fine-tuning together (run.max_minutes)
    #[arg(long, allow_negative_numbers = true, value_name = "M", help_heading = "Configuration")]
    minutes: Option<String>,
    /// Fixes everything random (run.seed)
    #[arg(long, help_heading = "Configuration")]
    seed: Option<String>,
    /// What a command decides itself, whatever else is said.
    #[arg(skip)]
    decided: Vec<(&'static str, String)>,
}

/// A configuration with the source of every value.
pub(crate) struct Loaded {
    /// Not resolved yet: see [`Loaded::resolve`].
    pub(crate) config: Config,
    /// What was chosen for the data, why, and how to choose otherwise.
    pub(crate) note: Option<String>,
    figment: Figment,
}

impl Common {
    /// The folder of `--dir`, where it is given.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.dir.as_deref().map(Path::new)
    }
}

impl From<&Common> for Settings {
    fn from(common: &Common) -> Self {
        Self { common: common.clone(), ..Self::default() }
    }
}

impl Settings {
    /// The same settings but for these keys.
    pub(crate) fn decide(&self, keys: &[(&'static str, &str)]) -> Self {
        let mut settings = self.clone();
        settings.decided.extend(keys.iter().map(|&(key, text)| (key, text.to_string())));
        settings
    }

    /// Loads the configuration on top of the defaults.
    ///
    /// # Errors
    /// Unknown keys, values of the wrong type, unreadable files: exit code 2.
    pub(crate) fn load(&self) -> Result<Loaded> {
        self.load_over(None, false)
    }

    /// The same, on top of this file where no other is named.
    pub(crate) fn or_file(&self, file: PathBuf) -> Self {
        let mut settings = self.clone();
        settings.common.config.get_or_insert(file);
        settings
    }

    /// Whether a network is named on the command line.
    pub(crate) fn names_network(&self) -> bool {
        self.common.network.is_some() || self.sets("network.name")
    }

    /// Whether a depth is given on the command line.
    pub(crate) fn gives_depth(&self) -> bool {
        self.common.depth.is_some() || self.sets("network.depth")
    }

    fn sets(&self, key: &str) -> bool {
        let keys = self.common.set.iter().filter_map(|set| set.split_once('='));
        keys.map(|(key, _)| key.trim()).any(|other| other == key)
    }

    /// As [`Settings::load`], but where no key outside `[run]` is set, with the quick preset.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub(crate) fn load_or_quick(&self) -> Result<Loaded> {
        self.load_over(None, true)
    }

    /// As [`Settings::load`], on top of the file of an earlier run.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub(crate) fn load_over_file(&self, base: &Path) -> Result<Loaded> {
        self.load_over(Some(base), false)
    }

    /// The configuration of a run, from its file alone.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub(crate) fn read_run(file: &Path) -> Result<Config> {
        let figment = Figment::from(Serialized::defaults(defaults()?)).merge(read_toml(file)?);
        figment.extract().map_err(|error| explain(error, &figment))
    }

    fn load_over(&self, base: Option<&Path>, or_quick: bool) -> Result<Loaded> {
        let known = keys(&defaults()?)?;
        if let Some(base) = base {
            // What is wrong with a run's own file is not the fault of whoever typed the command.
            Self::read_run(base).map_err(|error| {
                Error::run(base, error.to_string())
                    .with_hint("it is damaged, or a newer autogrow has written it")
            })?;
        }
        let mut chosen = Figment::new();
        for file in base.into_iter().chain(self.common.config.as_deref()) {
            chosen = chosen.merge(read_toml(file)?);
        }
        for (key, text, origin) in self.texts(&known)? {
            let value = parse(&key, &text, known.get(&key), &origin)?;
            chosen = chosen.merge(Setting { key, value, origin });
        }
        if or_quick && flatten(&chosen)?.keys().all(|key| key.starts_with("run.")) {
            let (value, origin) = (Value::from("quick"), "no other setting".into());
            chosen = chosen.merge(Setting { key: "preset".into(), value, origin });
        }
        Loaded::over_defaults(chosen)
    }

    /// Everything that is set as text, weakest first: key, text, where it was set.
    fn texts(&self, known: &Map<String, Value>) -> Result<Vec<(String, String, String)>> {
        let mut texts = Vec::new();
        for (name, text) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            if let Some(rest) = name.strip_prefix(PREFIX).filter(|_| name != DATA_VARIABLE) {
                let wanted = rest.replace("__", "_").to_lowercase();
                let key = known.keys().find(|key| key.replace('.', "_") == wanted);
                if key.is_none() && !is_misspelt(&wanted, known.keys()) {
                    warn_of_variable(&name);
                    continue;
                }
                let key = key.cloned().unwrap_or(wanted);
                let text = text.into_string().map_err(|text| {
                    let problem = format!("= {} is not text", text.display());
                    Error::config(name.clone(), problem).with_origin("the environment")
                })?;
                texts.push((key, text, format!("environment variable {name}")));
            }
        }
        for setting in &self.common.set {
            let Some((key, text)) = setting.split_once('=') else {
                return Err(Error::config("--set", format!("{setting} has no `=`"))
                    .with_hint("write --set section.key=value"));
            };
            texts.push((key.trim().into(), text.trim().into(), format!("--set {setting}")));
        }
        let flags = [
            ("--preset", "preset", &self.preset),
            ("--network", "network.name", &self.common.network),
            ("--depth", "network.depth", &self.common.depth),
            ("--width", "network.width", &self.width),
            ("--data", "data.name", &self.common.data),
            ("--dir", "data.dir", &self.common.dir),
            ("--fraction", "data.fraction", &self.fraction),
            ("--policy", "growth.policy", &self.policy),
            ("--initializer", "growth.initializer", &self.initializer),
            ("--interval", "growth.interval", &self.interval),
            ("--price", "growth.price", &self.price),
            ("--patience", "growth.patience", &self.patience),
            ("--batch-size", "training.batch_size", &self.batch_size),
            ("--lr", "training.learning_rate", &self.lr),
            ("--epochs", "fine_tune.epochs", &self.epochs),
            ("--minutes", "run.max_minutes", &self.minutes),
            ("--seed", "run.seed", &self.seed),
            ("--device", "run.device", &self.common.device),
            ("--threads", "run.threads", &self.common.threads),
        ];
        if self.quick {
            texts.push(("preset".into(), "quick".into(), "--quick".into()));
        }
        for (flag, key, text) in flags {
            if let Some(text) = text {
                refuse_no_time(flag, text)?;
                texts.push((key.into(), text.clone(), format!("{flag} {text}")));
            }
        }
        for (key, text) in &self.decided {
            texts.push(((*key).into(), text.clone(), "the command".into()));
        }
        Ok(texts)
    }
}

impl Loaded {
    /// What is chosen, over the defaults and the preset that is chosen.
    fn over_defaults(chosen: Figment) -> Result<Self> {
        let defaults = Serialized::defaults(defaults()?);
        let known = flatten(&Figment::from(&defaults))?;
        if let Some(key) = flatten(&chosen)?.keys().find(|key| !known.contains_key(*key)) {
            return Err(Error::unknown("configuration key", "", key, known.into_keys())
                .with_origin(source(&chosen, key)));
        }
        // What the preset sets depends on other keys, so it comes between them and the defaults.
        let figment = Figment::from(&defaults).merge(&chosen);
        let mut config = figment.extract::<Config>().map_err(|error| explain(error, &figment))?;
        config.data.dir = without_tilde("data.dir", &config.data.dir)?;
        let weights = &mut config.training.init_from;
        *weights = without_tilde("training.init_from", weights)?;
        let keys = flatten(&chosen)?;
        let is_chosen = |key: &str| keys.contains_key(key);
        let is_policy_chosen = is_chosen("growth.policy") || PAPERS_KEYS.into_iter().any(is_chosen);
        let policy = is_policy_chosen.then_some(config.growth.policy.as_str());
        let suited = Suited::to(&config, is_chosen);
        let preset = suited.preset.unwrap_or(config.preset);
        let figment = Figment::from(defaults).merge(Layer::of(preset, &config.data, policy)?);
        let figment = suited.settings.iter().fold(figment, Figment::merge).merge(chosen);
        let mut config = figment.extract::<Config>().map_err(|error| explain(error, &figment))?;
        for (key, path) in [
            ("data.dir", &mut config.data.dir),
            ("training.init_from", &mut config.training.init_from),
        ] {
            *path = without_tilde(key, path)?;
        }
        let note = suited.note(&config);
        Ok(Self { config, note, figment })
    }

    /// Fills in what depends on other keys and checks all values.
    ///
    /// # Errors
    /// Exit code 2, with the place the value came from.
    pub(crate) fn resolve(&self) -> Result<Resolved> {
        find::<DataSetKind>(&self.config.data.name)
            .and_then(|_| Resolved::of(self.config.clone()))
            .map_err(|error| self.locate(error))
    }

    /// Whether anybody has set `key`.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.source(key) != DEFAULT
    }

    /// The error with the place its value came from.
    pub(crate) fn locate(&self, error: Error) -> Error {
        let key = match &error {
            Error::Config { key, .. } => key.as_str(),
            Error::Device { .. } => "run.device",
            Error::Unknown { key, .. } if !key.is_empty() => key.as_str(),
            _ => return error,
        };
        let place = source(&self.figment, key);
        error.with_origin(place)
    }

    /// Where the value of `key` came from.
    pub(crate) fn source(&self, key: &str) -> String {
        source(&self.figment, key)
    }
}

/// The configuration of a run of a suite, from the settings that its file gives it alone.
///
/// # Errors
/// As [`Settings::load`] and [`Loaded::resolve`].
pub(crate) fn resolve(settings: &toml::Table) -> Result<Config> {
    let mut chosen = Figment::new();
    for (key, value) in settings {
        let value = Value::serialize(value).map_err(|error| explain(error, &chosen))?;
        chosen = chosen.merge(Setting { key: key.clone(), value, origin: "the suite".into() });
    }
    Ok(Loaded::over_defaults(chosen)?.resolve()?.config().clone())
}

/// The configuration of a run without settings, those of the linked plugins included.
///
/// # Errors
/// Where two plugins claim the same settings.
fn defaults() -> Result<Config> {
    Ok(Config { plugin: PluginSettings::defaults()?, ..Config::default() })
}

/// Every key of a configuration with its value, dotted, sorted.
pub(crate) fn keys(config: &Config) -> Result<Map<String, Value>> {
    flatten(&Figment::from(Serialized::defaults(config)))
}

fn flatten(figment: &Figment) -> Result<Map<String, Value>> {
    fn add(prefix: &str, dict: &Dict, keys: &mut Map<String, Value>) {
        for (name, value) in dict {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Value::Dict(_, dict) => add(&key, dict, keys),
                _ => {
                    keys.insert(key, value.clone());
                }
            }
        }
    }
    let data = figment.data().map_err(|error| explain(error, figment))?;
    let mut keys = Map::new();
    for dict in data.values() {
        add("", dict, &mut keys);
    }
    Ok(keys)
}

fn read_toml(path: &Path) -> Result<impl Provider> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::config("--config", format!("{} cannot be read ({error})", path.display()))
            .with_hint("check the path")
    })?;
    // Checked here so that a syntax error is told with its line.
    toml::from_str::<toml::Table>(&text).map_err(|error| {
        Error::config("--config", format!("{} is not TOML: {error}", path.display()))
    })?;
    Ok(Toml::file_exact(path))
}

/// Refuses a time of nothing. In a file that stands for no limit; who types it means something else.
fn refuse_no_time(flag: &str, text: &str) -> Result<()> {
    if flag != "--minutes" || text.parse() != Ok(0.0) {
        return Ok(());
    }
    Err(Error::config(flag, format!("= {text} leaves no time to train")).with_hint(
        "give the minutes that there are, such as --minutes 30; a run without the option ends by itself, \
         and --set run.max_minutes=0 takes the limit of a run away",
    ))
}

fn source(figment: &Figment, key: &str) -> String {
    match figment.find_metadata(key) {
        Some(Metadata { source: Some(Source::File(path)), .. }) => path.display().to_string(),
        Some(metadata) if metadata.name.contains("autogrow_run::config") => DEFAULT.into(),
        Some(metadata) => metadata.name.to_string(),
        None => DEFAULT.into(),
    }
}

/// A figment error in the project's words.
fn explain(error: figment::Error, figment: &Figment) -> Error {
    use figment::error::Kind;
    let key = error.path.join(".");
    let origin = source(figment, &key);
    match error.kind {
        Kind::UnknownVariant(name, known) => {
            Error::unknown(&format!("value of {key}"), "", name, known.iter().copied())
                .with_origin(origin)
        }
        Kind::InvalidType(actual, wanted) => {
            Error::config(key, format!("is {actual}, not {wanted}")).with_origin(origin)
        }
        Kind::InvalidValue(actual, wanted) => {
            Error::config(key, format!("is {actual}, not {wanted}")).with_origin(origin)
        }
        kind => Error::config(key, format!("is wrong: {kind}")).with_origin(origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each key with each letter dropped and each two neighbours swapped.
    #[test]
    fn every_misspelt_key_is_refused_with_the_right_one() {
        let known = keys(&Config::default()).unwrap();
        let mut tried = 0;
        for key in known.keys() {
            let dropped = (0..key.len()).map(|at| {
                let mut key = key.clone();
                key.remove(at);
                key
            });
            let swapped = (1..key.len()).map(|at| {
                let mut bytes = key.clone().into_bytes();
                bytes.swap(at - 1, at);
                String::from_utf8(bytes).unwrap()
            });
            for wrong in dropped.chain(swapped).filter(|wrong| !known.contains_key(wrong)) {
                let set = vec![format!("{wrong}=1")];
                let settings = Settings::from(&Common { set, ..Common::default() });
                let error = settings.load().err().unwrap();
                assert_eq!(error.exit_code(), 2);
                assert_eq!(error.hint().unwrap(), format!("did you mean `{key}`?"), "{wrong}");
                tried += 1;
            }
        }
        assert!(tried > 500, "{tried}");
    }
}
